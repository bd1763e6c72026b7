"""--env-file: keys of experts from a file, read strictly; the environment goes before it."""

import os
import subprocess

import pytest

from conftest import Process, write_config
from upstream import answer

import httpx

SECRET = "sk-of-the-file-81c2"


@pytest.fixture
def config(model_file, upstream, tmp_path):
    return write_config(tmp_path, model_file, upstream.url, top="state_dir: state")


@pytest.fixture
def run(leeroo, config, tmp_path):
    def command(*argv, **env):
        clean = {k: v for k, v in os.environ.items() if k != "UP_KEY"}
        done = subprocess.run([leeroo, *argv, "-c", str(config)], capture_output=True, text=True, timeout=60, cwd=tmp_path,
                              env={**clean, **env})
        assert SECRET not in done.stdout + done.stderr, "no value is shown"
        return done
    return command


def env_file(folder, text, mode=0o600):
    path = folder / "keys.env"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def authorization(upstream):
    return {k.lower(): v for k, v in upstream.requests[-1].headers.items()}["authorization"]


def test_keys_come_from_the_file(run, leeroo, config, upstream, tmp_path):
    upstream.behaviours = {name: [answer()] for name in ("cheap", "mid", "dear")}
    path = env_file(tmp_path, f"# keys\nexport OTHER=1\nUP_KEY='{SECRET}'   # of the upstream\n")
    assert run("check").returncode == 1, "it is set nowhere else"
    assert run("check", "--env-file", path).returncode == 0
    assert run("ask", "hello cat", "--env-file", path).returncode == 0
    assert authorization(upstream) == f"Bearer {SECRET}"
    gateway = Process([leeroo, "serve", "-c", str(config), "--env-file", path], UP_KEY="")
    url = gateway.wait_line(r"msg=listening.* addr=(\S+)").group(1)
    body = {"model": "leeroo", "messages": [{"role": "user", "content": "hello cat"}]}
    assert httpx.post(f"http://{url}/v1/chat/completions", json=body, timeout=30).status_code == 200
    assert gateway.stop() == 0 and authorization(upstream) == f"Bearer {SECRET}" and SECRET not in gateway.text


def test_the_environment_goes_before_it(run, upstream, tmp_path):
    upstream.behaviours = {name: [answer()] for name in ("cheap", "mid", "dear")}
    path = env_file(tmp_path, f"UP_KEY={SECRET}\n")
    assert run("ask", "hello cat", "--env-file", path, UP_KEY="sk-mine").returncode == 0
    assert authorization(upstream) == "Bearer sk-mine"


@pytest.mark.parametrize("command", [("check",), ("serve",), ("ask", "hello")])
def test_what_is_wrong_is_told_with_its_place(run, tmp_path, command):
    path = env_file(tmp_path, f"UP_KEY = {SECRET}\nA=1\nB={SECRET} x\n")
    done = run(*command, "--env-file", path)
    assert done.returncode == 1 and f"leeroo {command[0]}: {path}:1:7: no blanks may stand around the =" in done.stderr
    if command[0] != "ask":
        assert f"leeroo {command[0]}: {path}:3:{len(SECRET) + 4}: a value with blanks must be in quotes" in done.stderr
        assert len(done.stderr.splitlines()) == 2
    gone = run(*command, "--env-file", "gone.env")
    assert gone.returncode == 1 and "--env-file gone.env: No such file or directory" in gone.stderr


def test_a_file_that_others_can_read_is_warned_of(run, tmp_path):
    open_one = run("check", "--env-file", env_file(tmp_path, f"UP_KEY={SECRET}\n", 0o644))
    assert open_one.returncode == 0 and "can be read by other users of this machine; `chmod 600` it" in open_one.stdout
    assert "can be read by" not in run("check", "--env-file", env_file(tmp_path, f"UP_KEY={SECRET}\n")).stdout
