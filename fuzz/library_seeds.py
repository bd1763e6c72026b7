"""Writes the seeds of fuzz_library: models of fuzz_model behind options and a text.

    python3 fuzz/library_seeds.py"""

from pathlib import Path

import model_seeds

CORPUS = Path(__file__).resolve().parent / "corpus" / "library"
TEXTS = {"plain": b"What is 2 + 2?", "empty": b"", "bytes": b"\xff\x00\"\\\n", "lines": b"Which?\nA. 3\nB. 4"}
# As in fuzz_library.c: lambda, budget, quality, cap, no plans, one offer, choices.
OPTIONS = {"lambda": 1, "budget": 2, "quality": 4, "cap": 8, "no_plans": 16, "one_offer": 32, "choices": 64, "excluded": 3}


def make_seeds():
    models = model_seeds.make_seeds()

    def make(options, text, model):
        return bytes([options, len(text)]) + text + models[model]
    seeds = {f"plans_{name}": make(bits, TEXTS["plain"], "plans") for name, bits in OPTIONS.items()}
    seeds |= {f"text_{name}": make(1, text, "whole") for name, text in TEXTS.items()}
    seeds |= {"text_scripts": make(1, "\u4eba\u751f\u3002 \u0412\u0441\u0435".encode(), "scripts")}
    seeds |= {f"model_{name}": make(2, TEXTS["plain"], name) for name in ("one_expert", "escaped_name", "not_a_number", "cut")}
    return {**seeds, "text_too_long": bytes([0, 255]) + b"x"}


if __name__ == "__main__":
    CORPUS.mkdir(parents=True, exist_ok=True)
    for name, content in make_seeds().items():
        (CORPUS / name).write_bytes(content)
