"""The seeds of the fuzz targets are those of this version: one that the reader refuses at once finds nothing."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fuzz"))

import library_seeds  # noqa: E402
import model_seeds  # noqa: E402


@pytest.mark.parametrize("seeds_of", [model_seeds, library_seeds], ids=lambda module: module.__name__)
def test_seeds_are_up_to_date(seeds_of):
    seeds = seeds_of.make_seeds()
    assert {path.name for path in seeds_of.CORPUS.iterdir()} == set(seeds), f"run fuzz/{seeds_of.__name__}.py"
    stale = [name for name, content in seeds.items() if (seeds_of.CORPUS / name).read_bytes() != content]
    assert stale == [], f"run fuzz/{seeds_of.__name__}.py"
