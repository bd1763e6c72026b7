"""On a terminal: nothing is wider than it, no word is broken; away from one, with TERM=dumb or NO_COLOR, no escapes."""

import fcntl
import json
import os
import pty
import re
import shlex
import struct
import subprocess
import termios
from pathlib import Path

import pytest
from conftest import write_config

ESCAPE = re.compile(r"\033\[[0-9;]*[a-zA-Z]")


def on_terminal(*argv, columns=80, cwd=None, term="xterm-256color", **env):
    """Exit status and what a terminal of so many columns was given, standard error included."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, cwd=cwd,
                          env={**kept, "TERM": term, **env}) as process:
        os.close(slave)
        seen = b""
        while True:
            try:
                piece = os.read(master, 1 << 16)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            seen += piece
        os.close(master)
    return process.returncode, seen.decode().replace("\r\n", "\n")


def lines(seen):
    """As they are left on the screen: what a carriage return wrote over is a line of its own."""
    return [ESCAPE.sub("", part) for line in seen.split("\n") for part in line.split("\r")]


def too_wide(seen, columns):
    """Lines that are wider; one that is a single word cannot help it."""
    return [line for line in lines(seen) if len(line) > columns and " " in line.strip()]


def commands(leeroo):
    listed = subprocess.run([leeroo, "-h"], capture_output=True, text=True, timeout=60, check=True).stdout
    return re.findall(r"^  (\w+)  +\S", listed, re.M)


@pytest.mark.parametrize("columns", [50, 80, 200])
def test_help_fits(leeroo, columns):
    for command in commands(leeroo):
        code, seen = on_terminal(leeroo, command, "-h", columns=columns)
        assert code == 0
        assert too_wide(seen, columns) == []
        piped = subprocess.run([leeroo, command, "-h"], capture_output=True, text=True, timeout=60, check=True).stdout
        assert too_wide(piped, 80) == []
        assert squeezed(seen.replace(" \\\n", " ")) == squeezed(piped.replace(" \\\n", " ")), "the words are the same"
        if columns == 80:
            assert seen == piped


@pytest.fixture(scope="module")
def demo(leeroo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("terminal")
    code, seen = on_terminal(leeroo, "demo", "--dir", "my-demo", cwd=folder)
    assert code == 0, seen
    return folder, seen


def test_the_demo_fits_and_has_bold_headings(demo):
    _, seen = demo
    assert too_wide(seen, 80) == []
    assert "\033[1;36m3  Self-play\033[0m" in seen


def test_the_demo_ends_with_commands_that_work(leeroo, demo):
    folder, seen = demo
    told = ESCAPE.sub("", seen).split("7  What to do next")[1]
    copied = [c.replace("\\\n", " ") for c in re.findall(r"^    (\S(?:.*\\\n)*.*)", told, re.M)]
    assert len(copied) == 5
    programs = [shlex.split(c)[0] for c in copied]
    assert programs == [leeroo] * 5, "named as it was called"
    for command in copied[:2]:
        done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120, cwd=folder)
        assert done.returncode == 0, command + done.stderr
        assert "sage" in done.stdout
    assert shlex.split(copied[2])[1:] == ["demo", "--keep", "--dir", "my-demo", "--listen", "127.0.0.1:8080"]
    assert [shlex.split(c)[1:] for c in copied[3:]] == [["init"], ["serve"]]


@pytest.mark.parametrize("how", ["pipe", "dumb", "no colour"])
def test_the_demo_is_plain_where_that_is_wanted(leeroo, how):
    argv = [leeroo, "demo", "--queries", "60"]
    if how == "pipe":
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True,
                              env={**os.environ, "TERM": "xterm"})
        seen = done.stdout
        assert done.stderr == ""
    else:
        env = {"term": "dumb"} if how == "dumb" else {"NO_COLOR": "1"}
        code, seen = on_terminal(*argv, **env)
        assert code == 0
    assert "\033" not in seen
    assert how == "no colour" or "\r" not in seen
    assert too_wide(seen, 80) == []


@pytest.fixture(scope="module")
def kit(leeroo, demo, tmp_path_factory):
    """A model, and a configuration with long names that keeps keys and a ledger."""
    folder, _ = demo
    subprocess.run([leeroo, "train", "my-demo/exam", "-q", "-o", "m.safetensors"], check=True, timeout=120, cwd=folder)
    experts = "".join(f"  - {{name: {n}, url: \"http://127.0.0.1:9/v1\"}}\n" for n in ("abacus", "almanac", "lexicon", "sage"))
    (folder / "leeroo.yaml").write_text(f"listen: 127.0.0.1:8080\nmodel: m.safetensors\nstate_dir: state\nexperts:\n{experts}"
                                        "policies:\n  default: {lambda: 100}\n")
    subprocess.run([leeroo, "keys", "create", "--name", "a-team-with-a-long-name", "--budget-month", "50",
                    "--requests-per-minute", "600", "--experts", "abacus,almanac,lexicon"], check=True, timeout=60,
                   cwd=folder, capture_output=True)
    return folder


TABLES = [
    ["train", "my-demo/exam", "-o", "again.safetensors"],
    ["eval", "m.safetensors", "my-demo/exam", "--reference", "sage"],
    ["eval", "--folds", "2", "my-demo/exam", "--bootstrap", "20"],
    ["models", "m.safetensors"],
    ["select", "my-demo/exam", "-k", "2"],
    ["gaps", "m.safetensors", "my-demo/exam"],
    ["judge", "my-demo/exam", "-o", "judged", "--force"],
    ["split", "my-demo/exam", "-o", "parts", "--force"],
    ["keys", "list"],
    ["check"],
    ["play", "run", "--questions", "my-demo/exam", "--spend", "0.01", "--dry-run"],
]
SPEECH = re.compile(r"^leeroo \w+: |^(a|the) .*: ")  # warnings are sentences, which a terminal may wrap


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("argv", TABLES, ids=[" ".join(t[:2]) for t in TABLES])
def test_tables_fit(leeroo, kit, argv, columns):
    code, seen = on_terminal(leeroo, *argv, columns=columns, cwd=kit)
    assert code == 0, seen
    wide = [line for line in too_wide(seen, columns) if not SPEECH.search(line)]
    assert wide == []
    assert "\033" not in seen


def squeezed(text):
    return re.sub(r"\s+", " ", text)


def test_a_table_has_the_same_words_in_a_pipe(leeroo, kit):
    argv = [leeroo, "eval", "m.safetensors", "my-demo/exam", "--reference", "sage", "--seed", "3"]
    piped = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True, cwd=kit)
    _, seen = on_terminal(*argv, cwd=kit, term="dumb")
    assert squeezed(piped.stdout) in squeezed(seen)
    assert max(len(line) for line in piped.stdout.splitlines()) > 80, "there it is as wide as it likes"


def test_json_is_left_as_it_is(leeroo, kit):
    argv = [leeroo, "models", "m.safetensors", "--json"]
    piped = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True, cwd=kit).stdout
    _, seen = on_terminal(*argv, cwd=kit)
    assert seen == piped
    json.loads(seen)


def test_spend_leaves_out_what_has_no_room_and_says_so(leeroo, start_gateway, tmp_path):
    g = start_gateway(top="state_dir: state\nreference: dear", expert="retries: 0")
    assert g.chat(model="cheap").status_code == 200
    g.stop()
    config = str(tmp_path / "leeroo.yaml")
    code, seen = on_terminal(leeroo, "spend", "-c", config)
    assert code == 0
    assert too_wide(seen, 80) == []
    assert re.search(r"^no room for: .*; a wider terminal or --json has it$", seen, re.M)
    _, wide = on_terminal(leeroo, "spend", "-c", config, columns=150)
    assert "no room" not in wide and "estimated" in wide


def test_a_progress_line_is_no_wider_and_wiped_without_escapes(leeroo, kit):
    argv = ["eval", "--folds", "2", "my-demo/exam", "--bootstrap", "20"]
    _, seen = on_terminal(leeroo, *argv, columns=50, cwd=kit)
    drawn = [line for line in lines(seen) if line.startswith("folds ")]
    assert drawn and max(map(len, drawn)) < 50
    assert re.search(r"\r +\r", seen) and "\033" not in seen
    _, dumb = on_terminal(leeroo, *argv, cwd=kit, term="dumb")
    assert "\r" not in dumb and "folds  " not in dumb


@pytest.mark.parametrize("bold", [True, False])
def test_ask_explains_without_escapes_where_that_is_wanted(leeroo, model_file, upstream, tmp_path, bold):
    config = write_config(tmp_path, model_file, upstream.url)
    code, seen = on_terminal(leeroo, "ask", "hello two cat", "--explain", "-c", str(config), UP_KEY="sk-x",
                             **({} if bold else {"NO_COLOR": "1"}))
    assert code == 0, seen
    assert ("\033[1m" in seen) == bold
    assert too_wide(seen, 80) == []


def test_make_demo_through_a_pipe_is_the_demo_alone():
    """The build says nothing off a terminal; only `leeroo demo` does."""
    root = Path(__file__).resolve().parents[2]
    recipe = subprocess.run(["make", "-n", "demo"], capture_output=True, text=True, cwd=root, timeout=60, check=True).stdout
    assert recipe.rstrip().splitlines()[1:] == ["scripts/build -q build leeroo", "build/leeroo demo"]


@pytest.mark.parametrize("piped", [True, False])
def test_the_build_is_quiet_off_a_terminal(tmp_path, piped):
    """scripts/build -q, of a copy, with a ninja that says what it was asked."""
    root = Path(__file__).resolve().parents[2]
    (tmp_path / "scripts").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "build.ninja").touch()
    for name, text in [("scripts/build", (root / "scripts" / "build").read_text()), ("bin/ninja", "#!/bin/sh\necho \"$*\"\n"),
                       ("scripts/install-llama", "#!/bin/sh\nexit 1\n")]:
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    env = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    argv = ["scripts/build", "-q", "build", "leeroo"]
    if piped:
        seen = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=True, env=env).stdout
    else:
        _, seen = on_terminal(*argv, cwd=tmp_path, **env)
    assert seen.strip() == ("--quiet " if piped else "") + "-C build leeroo"
