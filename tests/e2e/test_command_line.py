"""What every command shares: help, exit statuses, where output goes, and clear words for mistakes."""

import os
import re
import subprocess
from pathlib import Path

import pytest

LEEROO = os.environ.get("LEEROO_BIN", str(Path(__file__).resolve().parents[2] / "build" / "leeroo"))


def run(*arguments, **options):
    return subprocess.run([LEEROO, *arguments], capture_output=True, text=True, timeout=60, check=False, **options)


def commands():
    return re.findall(r"^  (\w+)  +\S", run("-h").stdout, re.M)


def test_no_command_is_wrong_usage_and_lists_them():
    done = run()
    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage: leeroo COMMAND" in done.stderr


@pytest.mark.parametrize("flag", ["-h", "--help", "help"])
def test_help_goes_to_standard_output(flag):
    done = run(flag)
    assert done.returncode == 0
    assert done.stderr == ""
    assert {"train", "route", "eval", "replay", "serve", "ask", "demo"} <= set(commands())


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version(flag):
    done = run(flag)
    assert done.returncode == 0
    assert re.fullmatch(r"leeroo \d+\.\d+\.\d+\n", done.stdout)


def test_an_unknown_command_is_named():
    done = run("tarin")
    assert done.returncode == 2
    assert "'tarin'" in done.stderr


@pytest.mark.parametrize("command", commands())
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_explains_itself(command, flag):
    done = run(command, flag)
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith(f"usage: leeroo {command}")
    assert "options:" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines()), "lines of at most 100 columns"


@pytest.mark.parametrize("command", commands())
def test_an_unknown_option_is_wrong_usage(command):
    done = run(command, "--no-such-option")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "--no-such-option" in done.stderr


@pytest.mark.parametrize("command", ["train", "route", "eval", "replay", "ask"])
def test_missing_arguments_are_wrong_usage(command, tmp_path):
    done = run(command, cwd=tmp_path, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"leeroo {command}" in done.stderr


@pytest.mark.parametrize("arguments", [
    ("train", "nowhere", "-o", "m.safetensors"),
    ("route", "nowhere.safetensors"),
    ("eval", "nowhere.safetensors", "nodata"),
    ("replay", "nowhere"),
    ("serve", "-c", "nowhere.yaml"),
    ("ask", "what?", "-c", "nowhere.yaml"),
])
def test_a_missing_file_is_named(arguments, tmp_path):
    done = run(*arguments, cwd=tmp_path, stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "nowhere" in done.stderr
    assert "No such file" in done.stderr
    assert not list(tmp_path.iterdir()), "nothing is left behind"
