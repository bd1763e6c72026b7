"""A configuration without a model of its own: experts are placed by a prior, and whoever asks is told so."""

import json
import os
import subprocess

import pytest

from conftest import EXPERTS, Gateway, KEY, write_dataset
from upstream import answer

PRICES = {"gpt-4o": (2.5, 10), "gpt-4o-mini": (0.15, 0.6), "house-model": (0.05, 0.1)}
HARD = "Prove that every continuous function on a compact interval is uniformly continuous."


def write(folder, url, more=None, top="", names=PRICES):
    lines = ["listen: 127.0.0.1:0", top, "experts:"]
    for name in names:
        i, o = PRICES.get(name) or EXPERTS[name]
        lines += [f"  - {{name: {name}, url: \"{url}\", api_key: env:UP_KEY, price: {{input: {i}, output: {o}}}"
                  f"{(more or {}).get(name, '')}}}"]
    path = folder / "leeroo.yaml"
    path.write_text("\n".join(lines) + "\npolicies:\n  default: {lambda: 20}\n  best: {lambda: 0}\n  thrift: {lambda: 1e9}\n")
    return path


@pytest.fixture
def run(leeroo):
    def run(*argv, code=0):
        done = subprocess.run([leeroo, *map(str, argv)], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "UP_KEY": KEY})
        assert done.returncode == code, done.stderr
        return done
    return run


@pytest.fixture
def serve(leeroo):
    running = []

    def serve(path):
        running.append(Gateway(leeroo, path))
        return running[-1]
    yield serve
    for g in running:
        g.client.close()
        assert g.stop() == 0, g.text
        assert "ERROR: " not in g.text and "runtime error" not in g.text, g.text


def test_check_says_how_each_expert_is_placed(run, upstream, tmp_path):
    path = write(tmp_path, upstream.url, {"house-model": ", like: gpt-4o-mini"})
    text = run("check", "-c", path).stdout
    assert "none yet, estimates are a prior" in text and "leeroo play" in text
    found = json.loads(run("check", "-c", path, "--json").stdout)
    placed = {e["name"]: e["placed"] for e in found["experts"]}
    assert found["model"]["prior"] is True and "path" not in found["model"]
    assert "like" in placed["house-model"] and "gpt-4o-mini" in placed["house-model"]
    assert "gpt-4o" in placed["gpt-4o"] and "price" not in placed["gpt-4o"]
    path = write(tmp_path, upstream.url)
    found = json.loads(run("check", "-c", path, "--json").stdout)
    assert {e["name"]: e["placed"] for e in found["experts"]}["house-model"] == "no outcomes yet: placed by price"


def test_a_like_that_nobody_knows_is_refused_with_its_place(run, upstream, tmp_path):
    path = write(tmp_path, upstream.url, {"house-model": ", like: gpt-4o-minni"})
    error = run("check", "-c", path, code=1).stderr
    assert "gpt-4o-minni" in error and "leeroo.yaml:" in error


def test_serve_routes_by_the_prior_and_says_so(serve, upstream, tmp_path):
    gateway = serve(write(tmp_path, upstream.url))
    gateway.wait_line("no model yet: every expert is placed by a prior")
    upstream.on("gpt-4o", answer("four", (10, 5)))
    upstream.on("house-model", answer("vier", (10, 5)))
    decision = gateway.route(HARD)
    assert set(decision["placed"]) == set(PRICES)
    quality = {name: e[0] for name, e in decision["estimates"].items()}
    assert quality["gpt-4o"] > quality["gpt-4o-mini"] and quality["gpt-4o"] > quality["house-model"]
    assert gateway.route(HARD, model="leeroo/best")["expert"] == "gpt-4o"
    assert gateway.route("hello", model="leeroo/thrift")["expert"] == "house-model"
    assert gateway.chat(HARD, model="leeroo/best").json()["choices"][0]["message"]["content"].strip() == "four"
    experts = gateway.client.get("/v1/experts").json()["data"]
    assert all(e["placed"] for e in experts)


def test_ask_explains_that_it_is_a_prior(run, upstream, tmp_path):
    upstream.on("house-model", answer("four", (10, 5)))
    out = run("ask", "-c", write(tmp_path, upstream.url), "--policy", "thrift", "--explain", HARD)
    assert "placed by price" in out.stdout + out.stderr


def test_a_published_model_is_taken_up_and_given_up(leeroo, serve, upstream, tmp_path):
    data = write_dataset(tmp_path / "data")
    gateway = serve(write(tmp_path, upstream.url, names=EXPERTS))
    assert set(gateway.route("hello")["placed"]) == set(EXPERTS)
    model = tmp_path / "leeroo-model.safetensors"
    subprocess.run([leeroo, "train", str(data), "-o", str(model)], check=True, capture_output=True, timeout=120)
    gateway.wait_line("msg=reloaded")
    assert gateway.route("hello")["placed"] == {}
    gateway.lines.clear()
    model.unlink()
    gateway.wait_line("msg=reloaded")
    assert set(gateway.route("hello")["placed"]) == set(EXPERTS)


def test_an_expert_that_the_model_does_not_know_joins(run, serve, model_file, upstream, tmp_path):
    path = write(tmp_path, upstream.url, top=f"model: {model_file}", names=[*EXPERTS, "house-model"])
    assert "placed by price" in run("check", "-c", path).stdout
    gateway = serve(path)
    gateway.wait_line("experts that the model does not know are placed by a prior")
    decision = gateway.route("prove integral lemma")
    assert list(decision["placed"]) == ["house-model"]
    assert 0 < decision["estimates"]["house-model"][0] < 1


def test_play_without_a_source_has_the_dearest_expert_make_questions_up(run, upstream, tmp_path):
    told = run("play", tmp_path / "run", "-c", write(tmp_path, upstream.url), "--spend", "1", "--dry-run")
    assert "no questions were named: gpt-4o makes them up" in told.stderr
    assert "nobody is asked" in told.stdout and not upstream.requests


def test_a_few_outcomes_move_who_is_placed(run, serve, upstream, tmp_path):
    data = tmp_path / "few"
    data.mkdir()
    questions = [f"What is {i} plus {i + 3} minus {i % 7}?" for i in range(60)]
    (data / "queries.jsonl").write_text("".join(json.dumps({"id": f"q{i}", "text": q}) + "\n" for i, q in enumerate(questions)))
    (data / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\nhouse-model,0.05,0.1\n")
    (data / "outcomes.csv").write_text("id,model,score,cost_usd,input_tokens,output_tokens\n" +
                                       "".join(f"q{i},house-model,1,0.00001,12,30\n" for i in range(60)))
    before = serve(write(tmp_path, upstream.url)).route(questions[0])["estimates"]["house-model"][0]
    path = write(tmp_path, upstream.url, top=f"outcomes: {data}")
    assert "60 outcomes" in run("check", "-c", path).stdout
    assert serve(path).route(questions[0])["estimates"]["house-model"][0] > before
