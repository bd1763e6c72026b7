#!/usr/bin/env python3
"""verified.py [PROGRAM] [--seeds N] [--sd S]: verified plans on tasks like SWE-bench's, beside the best fixed chains.

Makes 500 tasks × 24 agents: texts that tell nothing, a difficulty that all agents share (S, default 2.3), agents from
$.02 to $1 a task, the dearer on average the better. `leeroo eval --folds 5 --verify-column score` draws the curve with
checks that err in 0, 5 and 20 % of their verdicts. Beside it: of all single agents and all ordered pairs and triples
the one that is best at a lambda on one half of the tasks, measured on the other. Wants numpy. Figures: verified.md."""

import argparse
import csv
import itertools
import json
import math
import random
import subprocess
import tempfile
from pathlib import Path

import numpy

TASKS, AGENTS = 500, 24
GRID = [k / 10 for k in range(-50, 51)]
WEIGHTS = [math.exp(-u * u / 2) for u in GRID]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def intercept(quality, sd):
    """a with the mean of σ(a + sd u) over u ~ N(0, 1) at `quality`."""
    low, high = -40, 40
    for _ in range(60):
        a = (low + high) / 2
        mean = sum(w * sigmoid(a + sd * u) for u, w in zip(GRID, WEIGHTS)) / sum(WEIGHTS)
        low, high = (a, high) if mean < quality else (low, a)
    return low


def make(folder, seed, sd):
    rng = random.Random(seed)
    agents = []
    for i in range(AGENTS):
        at = i / (AGENTS - 1)
        cost = 0.02 * 50**at * math.exp(rng.gauss(0, 0.4))
        quality = min(0.76, max(0.05, 0.30 + 0.44 * at + rng.gauss(0, 0.10)))
        agents.append((f"agent{i:02}", intercept(quality, sd), cost))
    score, cost = numpy.zeros((TASKS, AGENTS)), numpy.zeros((TASKS, AGENTS))
    with open(folder / "queries.jsonl", "w") as queries, open(folder / "outcomes.csv", "w", newline="") as outcomes:
        rows = csv.writer(outcomes)
        rows.writerow(["id", "model", "score", "cost_usd"])
        for q in range(TASKS):
            text = " ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(40))
            queries.write(json.dumps({"id": f"t{q}", "text": text}) + "\n")
            u, size = rng.gauss(0, 1), math.exp(rng.gauss(0, 0.4))
            for i, (name, a, usd) in enumerate(agents):
                score[q, i] = rng.random() < sigmoid(a + sd * u)
                cost[q, i] = usd * size * math.exp(rng.gauss(0, 0.3))
                rows.writerow([f"t{q}", name, int(score[q, i]), f"{cost[q, i]:.6f}"])
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\n" +
                                        "".join(f"{name},,\n" for name, _, _ in agents))
    return score, cost


def walk(chain, rows, score, cost, passes, errs):
    """Mean score and cost of asking one after another until a check passes; else the best on average stands."""
    alive, right, paid = numpy.ones(len(rows), bool), 0.0, 0.0
    for e in chain:
        paid = paid + alive * cost[rows, e]
        right = right + (alive & passes[rows, e]) * score[rows, e]
        alive = alive & ~passes[rows, e]
    if errs:
        right = right + alive * score[rows, max(chain, key=lambda e: score[:, e].mean())]
    return right.mean(), paid.mean()


def fixed_chains(score, cost, rate, seed):
    """(lambda, accuracy, cost) of the best chain of up to three, found on one half and measured on the other."""
    rng = numpy.random.default_rng(seed)
    turned = rng.random(score.shape) < rate
    passes = (score > 0.5) != turned
    order = rng.permutation(TASKS)
    halves = [order[:TASKS // 2], order[TASKS // 2:]]
    chains = [c for n in (1, 2, 3) for c in itertools.permutations(range(AGENTS), n)]
    lambdas, sums = numpy.geomspace(0.02, 10, 16), 0
    for found_on, measured_on in (halves, halves[::-1]):
        figures = numpy.array([walk(c, found_on, score, cost, passes, rate > 0) for c in chains])
        best = [chains[int(numpy.argmax(figures[:, 0] - x * figures[:, 1]))] for x in lambdas]
        sums = sums + numpy.array([walk(c, measured_on, score, cost, passes, rate > 0) for c in best]) / 2
    return [(x, accuracy, usd) for x, (accuracy, usd) in zip(lambdas, sums)]


def measure(program, folder, rate):
    command = [program, "eval", "--folds", "5", folder, "--plans", "none", "--bootstrap", "0", "--json",
               "--verify-column", "score", "--verify-errors", str(rate)]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    curve = numpy.array([(p["usd_per_1k"] / 1000, p["accuracy"]) for p in report["curve"]])
    return report["verified"]["best_single"], curve


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default="build/leeroo")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--sd", type=float, default=2.3)
    args = parser.parse_args()
    print("errors seed  best single       reached at       times  best of all  against fixed chains (mean, worst)")
    good = True
    for rate in (0, 0.05, 0.2):
        for seed in range(1, args.seeds + 1):
            with tempfile.TemporaryDirectory() as folder:
                score, cost = make(Path(folder), seed, args.sd)
                single, curve = measure(args.program, folder, rate)
            gaps = [numpy.interp(usd, curve[:, 0], curve[:, 1]) - accuracy
                    for _, accuracy, usd in fixed_chains(score, cost, rate, seed) if usd >= curve[0, 0]]
            times = single["times_cheaper"] or 0
            good = good and (rate > 0 or times >= 3)
            print(f"{rate:6.2f} {seed:4}  {single['accuracy']:.3f} at ${single['usd']:.3f}  "
                  f"${single['reached_at_usd'] or float('nan'):.3f}  {times:10.1f}  "
                  f"{curve[-1, 1]:.3f} at ${curve[-1, 0]:.2f}  {numpy.mean(gaps):+.3f} {min(gaps):+.3f}", flush=True)
    if not good:
        raise SystemExit("a perfect check is less than three times cheaper than the best single agent")


if __name__ == "__main__":
    main()
