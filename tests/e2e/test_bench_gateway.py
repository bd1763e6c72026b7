"""The benchmark of the gateway is a command that anybody can run; what it measures is not judged here."""

import re
import subprocess
import sys
from pathlib import Path

from conftest import ROOT


def test_the_benchmark_is_a_command(leeroo):
    """litellm #6592, #21046, #14681: published figures that nobody could reproduce."""
    run = subprocess.run([sys.executable, str(ROOT / "bench" / "gateway" / "gateway.py"), "--build", str(Path(leeroo).parent),
                          "--rounds", "1", "--seconds", "0.3", "--streams", "20"], capture_output=True, text=True, timeout=120)
    assert run.returncode in (0, 1), run.stderr  # 1: a bar was missed, which is the machine's business here
    row = re.search(r"^leeroo +(\d+\.\d) +\d+\.\d +\d+\.\d +(\d+) +1\.00x", run.stdout, re.M)
    assert row and float(row.group(1)) > 0 and int(row.group(2)) > 0, run.stdout + run.stderr
    assert re.search(r"added p50 at concurrency 1: -?\d+ us", run.stdout) and re.search(r"errors 0\)", run.stdout)
    assert re.search(r"20 concurrent streams: \d+\.\d MB resident .*still running at the end 20, errors 0", run.stdout), run.stdout


def test_what_open_pages_cost_is_measured_by_a_command(leeroo):
    run = subprocess.run([sys.executable, str(ROOT / "bench" / "gateway" / "pages.py"), "--build", str(Path(leeroo).parent), "--rounds", "1",
                          "--seconds", "2", "--pages", "10", "--rate", "50"], capture_output=True, text=True, timeout=120)
    assert run.returncode in (0, 1), run.stderr  # 1: a bar was missed, which is the machine's business here
    rounds = re.findall(r"round 1: +(\d+) pages, (\d+) answers, errors 0, .* (\d+) events", run.stdout)
    assert {int(pages): int(events) >= int(pages) for pages, _, events in rounds} == {0: True, 10: True}, run.stdout
    assert all(int(answers) >= 50 for _, answers, _ in rounds), run.stdout
    assert re.search(r"p99 at 50/s: \d+ us with no page, \d+ us with 10; \d+\.\d\d times", run.stdout), run.stdout
    assert re.search(r"idle: \d+\.\d+ % of a core with no page, \d+\.\d+ % with one", run.stdout), run.stdout
