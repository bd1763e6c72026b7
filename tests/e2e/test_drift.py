"""leeroo drift from outside: what was planted in outcomes or in feedback is found, and nothing else."""

import csv
import json
import os
import random
import subprocess
import time
from datetime import datetime, timezone

import pytest

from conftest import KEY, Gateway, wait_for, write_config
from postgres import Postgres
from routing import EXPERTS, run, train, write_dataset
from test_reload import config_path


def drift(leeroo, *arguments):
    return run(leeroo, "drift", *arguments)


def found(leeroo, *arguments):
    done = drift(leeroo, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    return said, {e["expert"]: e for e in said["experts"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("drift")


@pytest.fixture(scope="module")
def learnt(folder):
    return write_dataset(folder / "learnt", 1500, 1)


@pytest.fixture(scope="module")
def model(leeroo, folder, learnt):
    return train(leeroo, learnt, folder / "m.leeroo")


def change(data, to):
    """Every row of outcomes.csv, as `to` wants it."""
    with open(data / "outcomes.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    for row in rows:
        to(row)
    with open(data / "outcomes.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_nothing_has_drifted(leeroo, model, folder):
    recent = write_dataset(folder / "recent", 600, 2)
    said, experts = found(leeroo, model, recent)
    assert set(experts) == set(EXPERTS) and not said["feedback"] and said["trained_on"] == 0
    for e in experts.values():
        assert not e["drifted"] and e["compared_with"] == "the others on the same questions"
        assert e["outcomes"] == 600 and e["recorded"] == pytest.approx(e["expected"], abs=0.06)
        assert 0 < e["quality"]["error"] < 0.03 and e["quality"]["p"] > 0.05
    text = drift(leeroo, model, recent).stdout
    assert "0 of 3 have drifted" in text and "leeroo enroll" not in text


def test_a_weaker_model_in_its_place_is_found(leeroo, model, folder):
    recent = write_dataset(folder / "weaker", 400, 3)
    scores = {}
    change(recent, lambda row: scores.__setitem__((row["id"], row["model"]), row["score"]))
    change(recent, lambda row: row.__setitem__("score", scores[row["id"], "small"]) if row["model"] == "large" else None)
    said, experts = found(leeroo, model, recent)
    assert [name for name, e in experts.items() if e["drifted"]] == ["large"]
    assert experts["large"]["quality"]["difference"] < -0.2 and experts["large"]["quality"]["p"] < 1e-6
    assert said["experts"][0]["expert"] == "large", "the surest first"
    text = drift(leeroo, model, recent).stdout
    assert "worse than expected" in text and "1 of 3 has drifted" in text
    assert f"leeroo enroll {model} --expert large --replace new" in text
    usd = experts["large"]["enroll"]["usd"]
    assert usd > 0 and experts["large"]["enroll"]["outcomes"] == 200
    with open(recent / "outcomes.csv", newline="") as f:
        costs = [float(row["cost_usd"]) for row in csv.DictReader(f) if row["model"] == "large"]
    assert usd == pytest.approx(200 * sum(costs) / len(costs), rel=1e-6)


def test_longer_answers_are_found(leeroo, model, folder):
    recent = write_dataset(folder / "longer", 400, 4)
    price = float(EXPERTS["middle"][1]) / 1e6

    def double(row):
        if row["model"] == "middle":
            row["cost_usd"] = f"{float(row['cost_usd']) + int(row['output_tokens']) * price:.9f}"
            row["output_tokens"] = 2 * int(row["output_tokens"])
    change(recent, double)
    _, experts = found(leeroo, model, recent)
    assert [name for name, e in experts.items() if e["drifted"]] == ["middle"]
    assert experts["middle"]["length"]["difference"] == pytest.approx(1, abs=0.2)
    assert not experts["middle"]["quality"]["drifted"]
    assert experts["middle"]["usd_ratio"] > 1.3 > 1.1 > experts["large"]["usd_ratio"]
    assert "longer answers" in drift(leeroo, model, recent).stdout


def test_one_that_was_enrolled_has_not_drifted(leeroo, model, folder):
    """It is as its outcomes were; of its lengths the model knows too little to say."""
    def as_newcomer(path, seed):
        data = write_dataset(path, 300, seed)
        change(data, lambda row: row.__setitem__("model", "newcomer") if row["model"] == "middle" else None)
        text = (data / "experts.csv").read_text()
        (data / "experts.csv").write_text(text.replace("middle,", "newcomer,"))
        return data
    few = as_newcomer(folder / "few-newcomer", 7)
    joined = folder / "joined.leeroo"
    done = run(leeroo, "enroll", model, "--expert", "newcomer", few, "-o", joined, "-q")
    assert done.returncode == 0, done.stderr
    _, experts = found(leeroo, joined, as_newcomer(folder / "recent-newcomer", 8))
    assert set(experts) == {"small", "large", "newcomer"} and not any(e["drifted"] for e in experts.values())
    assert experts["newcomer"]["length"]["p"] is None and experts["newcomer"]["quality"]["p"] > 0.05
    assert experts["newcomer"]["quality"]["floor"] == 0.02, "its calibration was never measured"


def test_what_it_has_learnt_from_tells_nothing(leeroo, model, learnt, folder):
    done = drift(leeroo, model, learnt)
    assert done.returncode == 1 and "trained on all of its questions" in done.stderr
    few = write_dataset(folder / "few", 10, 5)
    said, experts = found(leeroo, model, few)
    assert all(e["compared_with"] == "too few" and e["quality"]["p"] is None for e in experts.values())
    assert "too few outcomes to say" in drift(leeroo, model, few).stdout


@pytest.mark.parametrize("arguments, words", [
    (["MODEL"], "expected a model and a data set"),
    (["MODEL", "DATA", "--since", "7d"], "a data set has no dates"),
    (["MODEL", "DATA", "--alpha", "2"], "alpha"),
])
def test_what_cannot_be(leeroo, model, learnt, arguments, words):
    done = drift(leeroo, *[{"MODEL": model, "DATA": learnt}.get(a, a) for a in arguments])
    assert done.returncode == 2 and words in done.stderr


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request, tmp_path, monkeypatch):
    """Lines of a configuration that keep one."""
    if request.param == "sqlite":
        yield f"state_dir: {tmp_path}/state"
        return
    server = Postgres()
    try:
        monkeypatch.setenv("LEDGER_URL", server.url)
        yield f"state_dir: {tmp_path}/state\nledger: {{store: env:LEDGER_URL}}"
    finally:
        server.close()


def test_feedback_of_a_ledger(leeroo, model_file, upstream, ledger, tmp_path):
    """Users press thumbs down more often than a benchmark does. That is no drift; that they do so more than before is."""
    rng = random.Random(1)

    def say(g, name, count, good):
        for i in range(count):
            r = g.chat(f"hello cat {i} {rng.random()}", model=name)
            assert r.status_code == 200, r.text
            score = int(rng.random() < good)
            body = {"request_id": r.headers["x-leeroo-request-id"], "score": score}
            assert g.client.post("/v1/feedback", json=body).status_code in (200, 202)
    g = Gateway(leeroo, write_config(tmp_path, model_file, upstream.url, top=ledger))
    try:
        for name in ("cheap", "mid"):
            say(g, name, 50, 0.8)
        time.sleep(1.1)
        between = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        say(g, "cheap", 50, 0.8)
        say(g, "mid", 50, 0.2)
    finally:
        assert g.stop() == 0, g.text

    def look():
        done = subprocess.run([leeroo, "drift", "-c", str(config_path(tmp_path)), "--since", between, "--json"],
                              capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "UP_KEY": KEY})
        return done.returncode == 0 and json.loads(done.stdout)
    said = wait_for(look)
    experts = {e["expert"]: e for e in said["experts"]}
    assert said["feedback"] and set(experts) == {"cheap", "mid"}
    for e in experts.values():
        assert (e["outcomes"], e["earlier"], e["compared_with"]) == (50, 50, "its own earlier outcomes")
    assert not experts["cheap"]["quality"]["drifted"] and experts["mid"]["quality"]["drifted"]
    assert experts["mid"]["quality"]["difference"] == pytest.approx(-0.6, abs=0.25)


def test_a_ledger_without_feedback_teaches(leeroo, model_file, upstream, tmp_path):
    path = write_config(tmp_path, model_file, upstream.url)
    done = drift(leeroo, "-c", path)
    assert done.returncode == 1 and "names no ledger" in done.stderr and "leeroo drift MODEL DATASET" in done.stderr
