"""leeroo ask: one question through the configured pool."""

import json
import os
import subprocess

import pytest

from conftest import KEY, free_port, write_config
from upstream import answer, error_event, status

HARD, EASY = "prove quantum lemma", "hello cat two"


@pytest.fixture
def ask(leeroo, model_file, upstream, tmp_path):
    path = write_config(tmp_path, model_file, upstream.url, expert="retries: 0")

    def run(*argv, stdin=None, config=path):
        return subprocess.run([leeroo, "ask", "-c", str(config), *argv], input=stdin, capture_output=True, text=True,
                              timeout=60, env={**os.environ, "UP_KEY": KEY})
    return run


def test_streams_the_answer(ask, upstream):
    upstream.on("cheap", answer("forty two é", (3, 2)))
    run = ask(EASY)
    assert (run.returncode, run.stdout, run.stderr) == (0, "forty two é \n", "")
    assert upstream.requests[0].json["messages"] == [{"role": "user", "content": EASY}]


def test_explain(ask, upstream):
    upstream.on("dear", answer("so", (100, 10)))
    run = ask(HARD, "--explain")
    assert run.returncode == 0 and run.stdout == "so \n"
    lines = run.stderr.splitlines()
    assert lines[0].split() == ["expert", "quality", "cost", "USD", "utility"]
    assert any(line.startswith("* dear") and line.endswith("chosen") for line in lines)
    assert "policy default, lambda 1000" in run.stderr
    assert "really 0.000650000 USD (100 input + 10 output tokens)" in lines[-1]


def test_policies_and_overrides(ask):
    def expert(*argv):
        run = ask(HARD, "--json", *argv)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)["expert"]
    assert expert() == "dear"
    assert expert("--policy", "thrift") == "cheap"
    assert expert("--expert", "mid") == "mid"
    assert expert("--lambda", "1e9") == "cheap"
    assert expert("--lambda", "0") == "dear"
    assert expert("--min-quality", "0.9") == "dear"
    assert expert("--max-cost", "0.0001") != "dear"
    for argv in (["--policy", "none"], ["--expert", "none"], ["--max-cost", "0.000000001"]):
        assert ask(HARD, *argv).returncode == 1, argv
    for argv in (["--lambda", "1", "--budget", "2"], ["--policy", "best", "--lambda", "1"], ["--max-cost", "x"],
                 ["two", "questions"], ["--nope"], ["--policy", "best", "--expert", "dear"]):
        assert ask(HARD, *argv).returncode == 2, argv
    assert ask("").returncode == 2


def test_wrong_names_and_refusals_say_whose(ask, upstream):
    assert "leeroo.yaml has no policy 'none'" in ask(HARD, "--policy", "none").stderr
    assert "leeroo.yaml has no expert 'none'" in ask(HARD, "--expert", "none").stderr
    upstream.on("dear", status(422, "too warm"))
    assert ask(HARD).stderr == "leeroo ask: expert dear: too warm\n"


def test_json(ask, upstream):
    upstream.on("cheap", answer('a "b"\n', (3, 2)))
    out = json.loads(ask(EASY, "--json").stdout)
    assert out["answer"] == 'a "b"\n ' and out["expert"] == "cheap" and out["cost_basis"] == "usage"
    assert (out["input_tokens"], out["output_tokens"]) == (3, 2) and out["cost_usd"] == 7e-07
    assert out["decision"]["expert"] == "cheap" and len(out["decision"]["estimates"]) == 3


def test_question_from_standard_input_and_system(ask, upstream):
    assert ask("-", "--system", "be brief", stdin="hello\ncat").returncode == 0
    assert upstream.requests[0].json["messages"] == [{"role": "system", "content": "be brief"},
                                                     {"role": "user", "content": "hello\ncat"}]


def test_failures_are_one_line(ask, upstream, model_file, tmp_path):
    for fault in (status(500, "broken"), error_event("one ")):
        upstream.on("dear", fault)
        run = ask(HARD, "--expert", "dear")
        assert run.returncode == 1 and len(run.stderr.strip().splitlines()) == 1 and "dear" in run.stderr
    down = write_config(tmp_path, model_file, f"http://127.0.0.1:{free_port()}/v1", expert="retries: 0")
    run = ask(HARD, config=down)
    assert run.returncode == 1 and run.stderr.startswith("leeroo ask: ") and run.stdout == ""
    assert ask(HARD, config=tmp_path / "none.yaml").returncode == 1


def test_the_next_best_answers_and_is_named(ask, upstream):
    upstream.on("dear", status(500))
    run = ask(HARD, "--explain")
    assert run.returncode == 0 and run.stdout == "hello world \n"
    assert "dear" not in run.stderr.splitlines()[-1]
