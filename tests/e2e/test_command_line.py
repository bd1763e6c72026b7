"""What every command shares: help, exit statuses, where output goes, and clear words for mistakes."""

import os
import re
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import KEY, Process, has_sanitizer, write_config

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


@pytest.mark.parametrize("flag", ["-V", "--version", "version"])
def test_version(flag):
    done = run(flag)
    assert done.returncode == 0
    first, llama, parts = done.stdout.splitlines()
    assert re.fullmatch(r"leeroo \d+\.\d+\.\d+( \([0-9a-f]{7,40}\))?", first)
    assert re.fullmatch(r"without llama\.cpp|llama\.cpp \S+", llama)
    assert re.fullmatch(r"with ([\w/ ]+ \([\w-]+ [\d.]+\)(, |$))+", parts)
    assert all(f"{part} (" in parts for part in ("PostgreSQL", "SQLite", "Redis", "TLS", "HTTP/2"))


def test_help_explains_a_command():
    assert run("help").stdout == run("-h").stdout
    for command in commands():
        assert run("help", command).stdout == run(command, "-h").stdout
    done = run("help", "tarin")
    assert done.returncode == 2 and "no command 'tarin', did you mean 'train'?" in done.stderr


def test_what_may_have_been_meant():
    assert "no option '--lamda', did you mean '--lambda'?" in run("route", "--lamda", "2").stderr
    assert "no option '--xyzzy'; `leeroo route -h`" in run("route", "--xyzzy").stderr


def completed(*words):
    """What bash offers for the last word."""
    script = ('source <("$0" completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _leeroo; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, LEEROO, "leeroo", *words], capture_output=True, text=True, timeout=60, check=True)
    assert not done.stderr
    return done.stdout.split()


def test_bash_completes_commands_options_and_files(tmp_path, monkeypatch):
    (tmp_path / "queries.jsonl").write_text("")
    monkeypatch.chdir(tmp_path)
    assert set(completed("")) == {*commands(), "help", "version"}
    assert completed("tra") == ["train"]
    assert "--lambda" in completed("route", "--l")
    assert completed("route", "que") == ["queries.jsonl"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_option(shell):
    script = run("completion", shell).stdout
    for command in commands():
        for option in re.findall(r"^  (?:-\w, )?--([a-z-]+)", run(command, "-h").stdout, re.M):
            assert option == "help" or re.search(rf"(--|-l ){option}\b", script), (command, option)
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, timeout=60)


def test_completion_wants_a_shell():
    for words in ([], ["csh"], ["bash", "zsh"]):
        done = run("completion", *words)
        assert done.returncode == 2 and "bash, zsh or fish" in done.stderr


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


@pytest.fixture(scope="module")
def printing(model_file, tmp_path_factory):
    """Every way to print on standard output that needs nobody else."""
    folder = tmp_path_factory.mktemp("printing")
    data, model = model_file.parent / "data", str(model_file)
    os.environ["UP_KEY"] = KEY  # in this process alone, for all that it starts
    config = str(write_config(folder, model_file, "http://127.0.0.1:9/v1", top="state_dir: state\nkeys: keys.json"))
    (folder / "q.jsonl").write_text('{"text": "cat"}\n' * 3)
    (folder / "state").mkdir()
    assert run("keys", "create", "--name", "first", "-c", config).returncode == 0
    lines = {
        "train to standard output": ["train", data, "-o", "-"],
        "train --json": ["train", data, "-o", folder / "m3", "--json"],
        "eval": ["eval", model, data], "eval --json": ["eval", model, data, "--json"],
        "route": ["route", model, folder / "q.jsonl"],
        "keys create": ["keys", "create", "--name", "@", "-c", config],
        "keys create --json": ["keys", "create", "--name", "@", "--json", "-c", config],
        "keys list": ["keys", "list", "-c", config], "keys list --json": ["keys", "list", "--json", "-c", config],
        "check": ["check", "-c", config], "check --json": ["check", "-c", config, "--json"],
        "serve --check": ["serve", "-c", config, "--check"],
        "help": ["help"], "-h": ["-h"], "--version": ["--version"], "-V": ["-V"],
    }
    lines.update({f"{c} -h": [c, "-h"] for c in commands()})
    return {name: [str(a) for a in line] for name, line in lines.items()}


def fresh(line):
    """Names of keys can be used once."""
    return [secrets.token_hex(4) if a == "@" else a for a in line]


def into(line, stdout):
    return subprocess.run([LEEROO, *fresh(line)], stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60, check=False)


def closed(line):
    return subprocess.run(["sh", "-c", '"$@" >&-', "sh", LEEROO, *fresh(line)], stderr=subprocess.PIPE, text=True, timeout=60,
                          check=False)


def test_output_that_reaches_nobody_is_a_failure(printing):
    """A full disk, a standard output that is closed, a reader that has gone: exit status 1 and a line that says why."""
    reading, writing = os.pipe()
    os.close(reading)
    for name, line in printing.items():
        with open("/dev/full", "w") as full:
            results = [into(line, full), into(line, writing), closed(line)]
        for done in results:
            assert done.returncode == 1 and "standard output" in done.stderr, (name, done.stderr)
    os.close(writing)


def test_closed_standard_streams_take_no_file_of_ours(printing, tmp_path):
    """The first file that is opened would get their numbers, and what is printed would end up in it."""
    model = tmp_path / "m"
    line = [LEEROO, *printing["train --json"][:2], "-o", str(model)]
    done = subprocess.run(["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *line], timeout=60, check=False)
    assert done.returncode == 0
    assert model.read_bytes() == Path(printing["eval"][1]).read_bytes()


@pytest.mark.parametrize("wanted", [None, "0", "1"])
def test_core_dumps_are_off_unless_they_are_asked_for(printing, wanted, monkeypatch):
    """The memory holds the keys of experts."""
    if has_sanitizer(LEEROO, "asan", "tsan"):
        pytest.skip("the sanitizers' own checks read the process as a debugger would")
    monkeypatch.delenv("LEEROO_CORE_DUMPS", raising=False)
    if wanted:
        monkeypatch.setenv("LEEROO_CORE_DUMPS", wanted)
    p = Process([LEEROO, *printing["serve --check"][:3]], UP_KEY=KEY)
    p.wait_line("msg=listening")
    limits = Path(f"/proc/{p.popen.pid}/limits").read_text()
    soft, hard = re.search(r"Max core file size\s+(\S+)\s+(\S+)", limits).groups()
    p.popen.send_signal(signal.SIGABRT)
    _, status = os.waitpid(p.popen.pid, 0)
    p.popen.returncode = -signal.SIGABRT
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT
    if wanted != "1":
        assert (soft, hard) == ("0", "0") and not os.WCOREDUMP(status)
    else:
        assert hard == re.search(r"Max core file size\s+\S+\s+(\S+)", Path("/proc/self/limits").read_text()).group(1)


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


@pytest.mark.parametrize("arguments", [("serve",), ("check",), ("ask", "what?"), ("spend",), ("play", "--spend", "1")])
def test_without_a_configuration_init_is_named(arguments, tmp_path):
    done = run(*arguments, cwd=tmp_path, stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert "leeroo.yaml: No such file or directory; `leeroo init` writes one" in done.stderr
