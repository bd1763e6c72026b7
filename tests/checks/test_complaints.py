"""docs/complaints.md against the tests: every test that it names is there, and says in its docstring which report it answers."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [line.split("|")[1:-1] for line in (ROOT / "docs" / "complaints.md").read_text().splitlines()
        if line.startswith("|") and "::" in line]


def docstring_of(file, name):
    text = (ROOT / "tests" / "e2e" / file).read_text()
    found = re.search(rf"^def {name}\(.*?\):\n\s+\"\"\"(.*?)\"\"\"", text, re.M | re.S)
    return found.group(1) if found else None


def test_all_complaints_are_there():
    assert len(ROWS) >= 44


@pytest.mark.parametrize("row", ROWS, ids=[row[0].strip() for row in ROWS])
def test_a_complaint_has_a_test_named_after_it(row):
    reports = set(re.findall(r"#(\d+)", row[1]))
    tests = re.findall(r"`(test_\w+\.py)::(test_\w+)`", row[3])
    assert reports and tests
    answered = set()
    for file, name in tests:
        said = docstring_of(file, name)
        assert said, f"{file} has no {name} with a docstring"
        answered |= set(re.findall(r"#(\d+)", said)) & reports
        assert set(re.findall(r"#(\d+)", said)) & reports, f"{file}::{name} names none of {sorted(reports)}"
    assert answered == reports, f"nobody answers {sorted(reports - answered)}"
