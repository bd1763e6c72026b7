"""A data set with something to learn, for the tests of route and eval; and what they recompute by themselves."""

import csv
import json
import random
import subprocess

EXPERTS = {"small": ("0.1", "0.3"), "middle": ("0.8", "0.8"), "large": ("5", "15")}
# chance of a good answer by topic
SKILL = {
    "small": {"greeting": 0.95, "history": 0.55, "algebra": 0.15},
    "middle": {"greeting": 0.95, "history": 0.85, "algebra": 0.35},
    "large": {"greeting": 0.96, "history": 0.92, "algebra": 0.85},
}
WORDS = {
    "greeting": "hello thanks please welcome morning friend".split(),
    "history": "king empire treaty century battle republic".split(),
    "algebra": "matrix ring kernel prove field polynomial".split(),
}


def write_dataset(folder, count, seed, holes=0.0):
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    queries, rows = [], [["id", "model", "score", "cost_usd", "input_tokens", "output_tokens"]]
    for i in range(count):
        topic = rng.choice(list(WORDS))
        text = " ".join(rng.choices(WORDS[topic], k=rng.randint(3, 30))) + f" {seed}-{i}?"
        queries.append({"id": f"{seed}-{i}", "text": text, "domain": topic})
        for name, (inp, out) in EXPERTS.items():
            if rng.random() < holes:
                continue
            tokens = len(text) // 4, rng.randint(5, 60)
            cost = tokens[0] * round(float(inp) * 1000) + tokens[1] * round(float(out) * 1000)  # nano-USD
            good = int(rng.random() < SKILL[name][topic])
            rows.append([queries[-1]["id"], name, good, f"{cost / 1e9:.9f}", *tokens])
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    (folder / "experts.csv").write_text(
        "model,usd_per_m_input,usd_per_m_output\n" + "".join(f"{n},{i},{o}\n" for n, (i, o) in EXPERTS.items()))
    with open(folder / "outcomes.csv", "w", newline="") as f:
        csv.writer(f).writerows(rows)
    return folder


def read_outcomes(folder):
    """{id: {model: (score, cost in nano-USD)}}"""
    table = {}
    with open(folder / "outcomes.csv", newline="") as f:
        for row in csv.DictReader(f):
            cost = round(float(row["cost_usd"]) * 1e9)
            table.setdefault(row["id"], {})[row["model"]] = (float(row["score"]), cost)
    return table


def run(*argv, stdin=None):
    return subprocess.run([str(a) for a in argv], input=stdin, capture_output=True, text=True, timeout=120)


def route(leeroo, model, queries, *options):
    """The decisions as dicts."""
    done = run(leeroo, "route", model, queries, *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def train(leeroo, dataset, model):
    """The path of a model that is trained on the data set."""
    done = run(leeroo, "train", dataset, "-o", model, "-q")
    assert done.returncode == 0, done.stderr
    return model


def estimates(leeroo, model, dataset):
    """Of every query, by arm: [quality, cost]."""
    return [row["estimates"] for row in route(leeroo, model, dataset / "queries.jsonl", "--lambda", "30")]
