"""`make test T=name`: what a name stands for."""

import importlib.util
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOADER = SourceFileLoader("run_test", str(ROOT / "scripts" / "run-test"))
run_test = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_test", LOADER))
sys.dont_write_bytecode = True
LOADER.exec_module(run_test)

UNITS = [run_test.Unit("data", "split", "split", "is_seeded"), run_test.Unit("data", "split", "split", "covers_all"),
         run_test.Unit("data", "query", "query", "drains_lines"), run_test.Unit("keys", "meter", "key_meter", "is_seeded")]
FUNCTIONS = [run_test.Function(Path("tests/e2e/test_keys.py"), "test_a_key_is_asked_for"),
             run_test.Function(Path("tests/e2e/test_gateway.py"), "test_drain_waits")]


@pytest.mark.parametrize("name, expected", {
    "data": ["split/is_seeded", "split/covers_all", "query/drains_lines"],
    "test_data": ["split/is_seeded", "split/covers_all", "query/drains_lines"],
    "test_split": ["split/is_seeded", "split/covers_all"],
    "tests/data/test_split.c": ["split/is_seeded", "split/covers_all"],
    "split/*": ["split/is_seeded", "split/covers_all"],
    "split/is_seeded": ["split/is_seeded"],
    "keys": ["key_meter/is_seeded", "test_a_key_is_asked_for"],
    "test_keys.py": ["test_a_key_is_asked_for"],
    "test_drain_waits": ["test_drain_waits"],
    "tests/e2e/test_gateway.py::test_drain_waits": ["test_drain_waits"],
    "drain": ["query/drains_lines", "test_drain_waits"],
    "seeded": ["split/is_seeded", "split/covers_all", "key_meter/is_seeded"][::2],
    "nothing": [],
}.items())
def test_a_name_stands_for(name, expected):
    c, python = run_test.pick(name, UNITS, FUNCTIONS)
    assert [unit.path for unit in c] + [function.name for function in python] == expected


def test_close_names_are_offered():
    assert "split" in run_test.close_names("test_splt", UNITS, FUNCTIONS)


def test_every_test_of_the_tree_is_found():
    for path in ROOT.glob("tests/*/test_*.c"):
        found = [u for u in run_test.unit_tests(ROOT) if (u.folder, "test_" + u.file) == (path.parent.name, path.stem)]
        assert len(found) == path.read_text().count("\nTest("), path


def test_a_name_that_nothing_has_is_an_error():
    run = subprocess.run([ROOT / "scripts" / "run-test", "splt/*"], capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stdout.startswith("no test is called 'splt/*'; close to it: ")
