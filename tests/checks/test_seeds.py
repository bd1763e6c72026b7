"""The seeds of the fuzz targets are those of this version: one that the reader refuses at once finds nothing."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fuzz"))

import model_seeds  # noqa: E402


def test_model_seeds_are_up_to_date():
    seeds = model_seeds.make_seeds()
    assert {path.name for path in model_seeds.CORPUS.iterdir()} == set(seeds), "run fuzz/model_seeds.py"
    stale = [name for name, content in seeds.items() if (model_seeds.CORPUS / name).read_bytes() != content]
    assert stale == [], "run fuzz/model_seeds.py"
