"""A program that was built without llama.cpp: it says so wherever one is wanted, tells how to get it, and does all else."""

import json

import pytest

from conftest import Gateway, write_config, write_dataset
from routing import run
from tiny_gguf import write_encoder

MEND = "run scripts/install-llama and build it again"


@pytest.fixture(autouse=True)
def lacking(leeroo, monkeypatch):
    if "without llama.cpp" not in run(leeroo, "--version").stdout:
        pytest.skip("llama.cpp is built in: `make check-all` has a build without")
    monkeypatch.setenv("UP_KEY", "k")


@pytest.fixture
def gguf(tmp_path):
    return write_encoder(tmp_path / "tiny.gguf")


def refused(done, *says):
    assert done.returncode == 1 and "built without llama.cpp" in done.stderr and MEND in done.stderr, done
    assert all(word in done.stderr for word in says), done.stderr


@pytest.mark.parametrize("command", ["check", "serve", "ask"])
def test_an_expert_in_this_process_is_refused_at_its_line(leeroo, gguf, tmp_path, command):
    config = tmp_path / "leeroo.yaml"
    config.write_text(f"listen: 127.0.0.1:0\nexperts:\n  - {{name: local, dialect: gguf, gguf: '{gguf}'}}\n")
    question = ["hello"] if command == "ask" else []
    refused(run(leeroo, command, "-c", config, *question), "leeroo.yaml:3:", "'local'", str(gguf))


@pytest.mark.parametrize("top, says", [("encoders: [{gguf: 'tiny.gguf'}]", "encoder 'tiny'"),
                                       ("orchestrator: {gguf: 'tiny.gguf'}", "orchestrator")])
def test_who_would_read_questions_is_missed_in_training(leeroo, gguf, tmp_path, top, says):
    config = write_config(tmp_path, tmp_path / "model", "http://127.0.0.1:9/v1", top=top)
    dataset = write_dataset(tmp_path / "data")
    refused(run(leeroo, "train", dataset, "-o", tmp_path / "model", "-c", config), says, str(gguf))
    assert not (tmp_path / "model").exists()
    refused(run(leeroo, "train", dataset, "-o", tmp_path / "model", "--encoder", f"gguf={gguf}"), str(gguf))


def test_all_else_goes_on_and_check_tells_what_does_not(leeroo, gguf, model_file, upstream, tmp_path):
    config = write_config(tmp_path, model_file, upstream.url, top="encoders: [{gguf: 'tiny.gguf'}]")
    done = run(leeroo, "check", "-c", config)
    assert done.returncode == 1 and MEND in done.stdout, done
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("tiny ")]
    assert line.count(str(gguf)) == 1 and "MB of memory" not in line
    assert "not all encoders can be asked" in done.stdout.splitlines()[-1]
    found = json.loads(run(leeroo, "check", "--json", "-c", config).stdout.splitlines()[0])["encoders"][0]
    assert not found["fine"] and MEND in found["error"]
    gateway = Gateway(leeroo, config)
    answer = gateway.chat()
    assert answer.status_code == 200 and answer.json()["choices"][0]["message"]["content"]
    assert "tiny" not in gateway.route().get("encoders", {})
    assert gateway.stop() == 0, gateway.text
