"""leeroo select --probe from outside: a set found by asking, within a cap, killed and gone on with."""

import csv
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

from conftest import Process
from test_play import draw, journal, outcomes, write_questions
from serving import JsonServer, completion, serving

NAMES = ["dear", "left", "right", "weak-a", "weak-b", "weak-c", "weak-d"]
PRICES = {name: (20.0, 80.0) if name == "dear" else (0.2, 0.8) for name in NAMES}
DATA = pathlib.Path(os.environ.get("LEEROO_DATA", "../shared/data")) / "mmlu_pro"


class Pool(JsonServer):
    """`dear`, `left` and `right` each know a third of the questions, and half of the rest; the others guess."""

    def __init__(self, delay=0.0, broken=()):
        self.delay, self.broken, self.asked = delay, set(broken), []
        super().__init__()
        self.url += "/v1"

    def knows(self, model, prompt):
        chance = 0.4 + 0.02 * NAMES.index(model)
        if NAMES.index(model) < 3:
            chance = 1 if int(3 * draw("kind", prompt)) == NAMES.index(model) else 0.5
        return draw("right", model, prompt) < chance

    def reply(self, method, path, headers, body):
        model, prompt = body["model"], body["messages"][-1]["content"]
        time.sleep(self.delay * draw("delay", model, prompt))
        with self.lock:
            self.asked.append((model, prompt))
        if model in self.broken:
            return 500, {"error": {"message": "broken"}}
        answer = prompt.split()[-1] if self.knows(model, prompt) else "unknown"
        return 200, completion(f"The answer is {answer}.", 30, 12)


@pytest.fixture
def pool():
    yield from serving(Pool)


def write_config(folder, url, prices=None):
    folder.mkdir(exist_ok=True)
    lines = ["experts:"]
    for name, (price_in, price_out) in (prices or PRICES).items():
        lines.append(f"  - {{name: {name}, url: \"{url}\", price: {{input: {price_in}, output: {price_out}}}}}")
    (folder / "leeroo.yaml").write_text("\n".join(lines) + "\n")


@pytest.fixture
def probe(leeroo, tmp_path):
    def run(*arguments, status=0, cwd=tmp_path):
        done = subprocess.run([leeroo, "select", "--probe", *map(str, arguments)], capture_output=True, text=True,
                              timeout=120, cwd=cwd, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stdout + done.stderr
    return run


def members(said):
    return [m["expert"] for m in json.loads(said)["members"]]


def test_the_planted_set_is_found_for_a_part_of_the_money(leeroo, probe, pool, tmp_path):
    server = pool()
    write_config(tmp_path, server.url)
    questions = write_questions(tmp_path / "questions.jsonl", 600)
    said = probe(questions, "-k", 3, "--spend", "0.5", "--out", "run", "--json")
    assert sorted(members(said)) == ["dear", "left", "right"]
    found = json.loads(said)
    answers, failures, lost = journal(tmp_path / "run")
    cost = sum(a["cost_nano_usd"] for a in answers.values())
    assert not failures and lost == 0
    assert found["spent_usd"] == pytest.approx(cost / 1e9) and cost <= 500_000_000
    assert found["end"] == "decided"
    everything = 600 * (12 * 80 + 30 * 20 + 6 * (12 * 0.8 + 30 * 0.2)) / 1e6
    assert found["spent_usd"] < 0.6 * everything
    for step in found["members"]:
        assert 0 < step["achieves_error"] < 0.1 and 0 < step["achieves"] <= 1
    rows = [dict(row) for row in outcomes(tmp_path / "run")]
    assert len(rows) == len(answers) == len(server.asked)
    assert len(rows) < 0.6 * len(NAMES) * 600
    subprocess.run([leeroo, "train", "run", "--experts", "dear,left,right", "-o", "m.safetensors"], cwd=tmp_path,
                   check=True, capture_output=True, timeout=60)


def test_what_it_says_to_a_person(probe, pool, tmp_path):
    write_config(tmp_path, pool().url)
    questions = write_questions(tmp_path / "questions.jsonl", 300)
    said = probe(questions, "-k", 3, "--spend", "0.3", "--out", "run")
    assert re.search(r"a set of 3 of 7 by coverage: it covers \d+\.\d ± \d\.\d %; found for 0\.\d+ USD by \d+ questions", said)
    assert len(re.findall(r"^ +\+\d+\.\d\d  ± +\d+\.\d\d +\d+\.\d\d  ± +\d+\.\d\d +\d+\.\d{4} +\S+$", said, re.M)) == 3
    assert "leeroo play run --spend USD" in said and "leeroo train run --experts" in said
    for name in ("queries.jsonl", "experts.csv", "outcomes.csv", "report.html"):
        assert (tmp_path / "run" / name).exists()


def test_killed_it_ends_the_same_and_nothing_is_paid_twice(leeroo, probe, pool, tmp_path):
    server = pool(delay=0.02)
    questions = write_questions(tmp_path / "questions.jsonl", 400)
    options = [str(questions), "-k", "3", "--spend", "0.4", "--workers", "8", "--max-output", "50", "--json",
               "--out", "run"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        write_config(folder, server.url)
    first = json.loads(probe(*options, cwd=whole))
    rng, known = random.Random(3), set()
    for _ in range(12):
        server.asked.clear()
        with subprocess.Popen([leeroo, "select", "--probe", *options], cwd=killed, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            time.sleep(rng.uniform(0.05, 0.6))
            process.send_signal(signal.SIGKILL)
        time.sleep(0.05)  # what is still on its way to the server
        texts = {q["text"]: q["id"] for q in map(json.loads, questions.read_text().splitlines())}
        assert not {f"cell/{texts[prompt]}/{model}" for model, prompt in server.asked} & known, "paid twice"
        if (killed / "run" / "calls.jsonl").exists():
            known = set(journal(killed / "run")[0])
    assert known, "it was never killed amid its work"
    last = json.loads(probe("--out", "run", "--json", cwd=killed))  # as it was begun
    assert last == first
    assert outcomes(killed / "run") == outcomes(whole / "run")
    answers, _, lost = journal(killed / "run")
    assert sum(a["cost_nano_usd"] for a in answers.values()) + lost <= 400_000_000


def test_a_cap_that_binds_is_kept(probe, pool, tmp_path):
    server = pool()
    write_config(tmp_path, server.url)
    questions = write_questions(tmp_path / "questions.jsonl", 300)
    found = json.loads(probe(questions, "-k", 3, "--spend", "0.06", "--out", "run", "--json", "--max-output", 20))
    answers, _, _ = journal(tmp_path / "run")
    assert 0 < sum(a["cost_nano_usd"] for a in answers.values()) <= 60_000_000
    assert found["end"] == "money" and found["open"] > 0 and len(found["members"]) == 3
    less = probe("--spend", "0.05", "--out", "run", status=1)
    assert "looks for a set with 0.06 USD: give --spend as much or more" in less
    more = json.loads(probe("--spend", "0.4", "--out", "run", "--json"))
    assert more["spent_usd"] > found["spent_usd"]
    assert sorted(m["expert"] for m in more["members"]) == ["dear", "left", "right"]
    after, _, _ = journal(tmp_path / "run")
    assert set(answers) <= set(after)
    server.asked.clear()
    again = json.loads(probe("--out", "run", "--json"))
    assert again == more and not server.asked, "what is known was asked again"


def test_a_set_may_be_limited_by_what_it_costs(probe, pool, tmp_path):
    write_config(tmp_path, pool().url)
    questions = write_questions(tmp_path / "questions.jsonl", 400)
    cheap = (30 * 0.2 + 12 * 0.8) / 1000  # USD per 1,000 questions
    found = json.loads(probe(questions, "--max-cost", f"{3.5 * cheap:.6f}", "--spend", "0.4", "--out", "run", "--json"))
    names = [m["expert"] for m in found["members"]]
    assert len(names) == 3 and {"left", "right"} < set(names) and "dear" not in names
    assert sum(m["usd_per_1k"] for m in found["members"]) <= 3.5 * cheap
    assert "expected USD per 1,000" in probe(questions, "--max-cost", "no", "--spend", 1, status=2)


def test_whoever_fails_is_not_chosen(probe, pool, tmp_path):
    server = pool(broken={"left"})
    write_config(tmp_path, server.url)
    questions = write_questions(tmp_path / "questions.jsonl", 200)
    assert "left" not in members(probe(questions, "-k", 3, "--spend", "0.3", "--out", "run", "--json"))
    assert sum(model == "left" for model, _ in server.asked) < 100


def test_a_dry_run_asks_nobody(probe, pool, tmp_path):
    server = pool()
    write_config(tmp_path, server.url)
    questions = write_questions(tmp_path / "questions.jsonl", 50)
    said = probe(questions, "--spend", "0.3", "--dry-run", "--out", "run")
    assert "No more than 0.3000 USD are spent" in said and not server.asked


def test_what_is_missing_is_said(probe, pool, tmp_path):
    server = pool()
    write_config(tmp_path, server.url)
    questions = write_questions(tmp_path / "questions.jsonl", 50)
    open_ones = write_questions(tmp_path / "open.jsonl", 50, answers=False)
    assert "name the questions" in probe(status=2)
    assert "say what it may cost" in probe(questions, status=2)
    assert "all would be taken" in probe(questions, "-k", 7, "--spend", 1, "--out", "a", status=2)
    assert "50 of 50 questions have no answer" in probe(open_ones, "--spend", 1, "--out", "b", status=2)
    assert not server.asked
    assert len(members(probe(open_ones, "-k", 2, "--spend", 1, "--out", "c", "--teacher", "right", "--json"))) == 2


def test_a_run_that_found_a_set_goes_on_by_playing(leeroo, probe, pool, tmp_path):
    write_config(tmp_path, pool().url)
    questions = write_questions(tmp_path / "questions.jsonl", 150)
    probe(questions, "-k", 3, "--spend", "0.05", "--out", "run", "--max-output", 20)
    before = len(outcomes(tmp_path / "run"))
    done = subprocess.run([leeroo, "play", "run", "--spend", "0.12", "--rounds", "2"], capture_output=True, text=True,
                          timeout=120, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "round 2/2" in done.stdout and len(outcomes(tmp_path / "run")) > before


# Recorded outcomes


def few_of(folder, names, count):
    """A data set of some experts and questions of MMLU-Pro that all have answered."""
    with open(DATA / "outcomes.csv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] in names and row["score"] != ""]
    asked = {}
    for row in rows:
        asked.setdefault(row["id"], set()).add(row["model"])
    whole = [i for i, models in asked.items() if len(models) == len(names)]
    kept = set(random.Random(2).sample(whole, count))
    folder.mkdir()
    with open(DATA / "queries.jsonl", encoding="utf-8") as file:
        (folder / "queries.jsonl").write_text("".join(line for line in file if json.loads(line)["id"] in kept))
    with open(DATA / "experts.csv", encoding="utf-8") as file:
        head, *lines = file.read().splitlines()
    kept_lines = [line for line in lines if line.split(",")[0] in names]
    (folder / "experts.csv").write_text("\n".join([head, *kept_lines]) + "\n")
    rows = [row for row in rows if row["id"] in kept]
    with open(folder / "outcomes.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    (folder / "responses").mkdir()
    for name in names:
        shutil.copy(DATA / "responses" / f"{name}.jsonl.gz", folder / "responses")
    return {line.split(",")[0]: tuple(map(float, line.split(",")[1:])) for line in kept_lines}, rows


@pytest.mark.skipif(not DATA.exists(), reason="no data")
def test_recorded_answers_lead_to_a_set_within_a_point(leeroo, probe, tmp_path):
    names = ["gemini-1.5-pro-002", "gpt-4o-2024-05-13", "llama-3.1-70b-instruct", "jamba-1.5-large", "mathstral-7b",
             "gemini-1.5-flash-002", "qwen1.5-110b", "yi-34b", "gemma-7b", "llama-2-7b", "phi-3-mini-4k-instruct",
             "mistral-7b-v0.1"]
    prices, rows = few_of(tmp_path / "recorded", names, 3000)
    upstream = Process([leeroo, "replay", str(tmp_path / "recorded"), "--listen", "127.0.0.1:0"])
    address = upstream.wait_line(r"msg=listening.* addr=(\S+)", 60).group(1)
    write_config(tmp_path, f"http://{address}/v1", prices)
    everything = sum(float(row["cost_usd"]) for row in rows)
    found = probe("recorded", "-k", 4, "--spend", f"{0.1 * everything:.6f}", "--out", "run", "--json")
    upstream.stop()
    right = {}
    for row in rows:
        if float(row["score"]) > 0:
            right.setdefault(row["model"], set()).add(row["id"])
    best = subprocess.run([leeroo, "select", "recorded", "-k", "4", "--json"], cwd=tmp_path, capture_output=True,
                          text=True, timeout=60, check=True)
    optimum = json.loads(best.stdout)["set"]
    loss = len(set.union(*map(right.get, optimum))) - len(set.union(*map(right.get, members(found))))
    assert loss / 3000 <= 0.01, (optimum, members(found))
    assert json.loads(found)["spent_usd"] <= 0.1 * everything
