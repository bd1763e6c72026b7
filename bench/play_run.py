#!/usr/bin/env python3
"""bench/play_run.py: what `leeroo play` is worth, from nothing, on recorded outcomes, as its user runs it.

    bench/play_run.py [--build build] [--data ../shared/data/mmlu_pro] [--spend 5,10] [--seeds 8] [--first-seed 0]
                      [--experts A,B,...] [--rounds 5]

For each seed `leeroo split` keeps a fifth of the questions, `leeroo replay` serves the other four fifths, and `leeroo play`
asks the experts there, under names that nothing is known of, for so many percent of what all their answers cost. Then
`leeroo eval` measures three models on the fifth that was kept, by scores that `leeroo judge` reads from the texts: the one in
force at the end, that of the last round, and one that `leeroo train` makes of all cells. The figure is the gain in area (mean
accuracy at 5, 10, 15, 20, 30 ... 100 % of the dearest expert's cost) over the best mix of single experts, as a share of what
all cells gain. "nothing" where no model was published. Needs no key, and no network but loopback.
"""

import argparse
import csv
import gzip
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
POOL = ("gemini-1.5-flash-002,gemini-1.5-pro-002,gpt-4o-2024-05-13,llama-3.1-8b-instruct,llama-3.1-70b-instruct,"
        "mixtral-8x7b-instruct,mathstral-7b,phi-3-mini-4k-instruct,qwen1.5-72b-chat,deepseek-v2-chat")
AT = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]


def rename(source, target, names):
    """A copy of a data set's experts `names` under other names."""
    (target / "responses").mkdir(parents=True)
    shutil.copy(source / "queries.jsonl", target)
    for file in ("outcomes.csv", "experts.csv"):
        with open(source / file, newline="") as rows, open(target / file, "w", newline="") as out:
            rows, out = csv.DictReader(rows), csv.DictWriter(out, csv.DictReader(open(source / file)).fieldnames)
            out.writeheader()
            out.writerows({**r, "model": names[r["model"]]} for r in rows if r["model"] in names)
    for old, new in names.items():
        for file in (source / "responses").glob(old + ".jsonl*"):
            text = gzip.open(file).read() if file.suffix == ".gz" else file.read_bytes()
            (target / "responses" / f"{new}.jsonl").write_bytes(text)


def area(values):
    return sum((b - a) * (u + v) / 2 for a, b, u, v in zip(AT, AT[1:], values, values[1:])) / (AT[-1] - AT[0])


class Seed:
    """The data of one seed: to learn from, to be measured on, and what all cells gain."""

    def __init__(self, options, seed, folder):
        self.leeroo, self.folder, self.seed = str((ROOT / options.build / "leeroo").resolve()), folder, seed
        experts = options.experts.split(",")
        self.names = {name: f"x{i}" for i, name in enumerate(experts)}
        self.call("split", options.data, "--test", "0.2", "--seed", seed, "-o", f"{folder}/a,{folder}/b", "-q")
        for part, name in (("a", "learn"), ("b", "measure")):
            rename(folder / part, folder / name, self.names)
            self.call("judge", folder / name, "-o", folder / f"{name}-judged", "-q")
        with open(folder / "learn" / "experts.csv") as rows:
            self.prices = {r["model"]: (r["usd_per_m_input"], r["usd_per_m_output"]) for r in csv.DictReader(rows)}
        self.costs = dict.fromkeys(self.names.values(), 0.0)
        with open(folder / "learn" / "outcomes.csv") as rows:
            for r in csv.DictReader(rows):
                self.costs[r["model"]] += float(r["cost_usd"] or 0)
        self.call("train", folder / "learn-judged", "--plans", "none", "-o", folder / "all.safetensors", "-q")
        self.full = self.gain(folder / "all.safetensors")

    def call(self, *argv, cwd=None):
        done = subprocess.run([self.leeroo, *map(str, argv)], capture_output=True, text=True, cwd=cwd)
        if done.returncode:
            sys.exit(f"leeroo {' '.join(map(str, argv))}:\n{done.stderr}")
        return done.stdout

    def gain(self, model):
        """In area, over the best mix of single experts."""
        dearest = max(self.costs, key=self.costs.get)
        said = json.loads(self.call("eval", model, self.folder / "measure-judged", "--reference", dearest, "--plans", "none",
                                    "--experts", ",".join(self.names.values()), "--at", ",".join(map(str, AT)), "--bootstrap",
                                    0, "--json"))
        return area([p["accuracy"] for p in said["at_cost"]]) - area([p["best_mix"] for p in said["at_cost"]])

    def play(self, percent, rounds):
        """(share of the model in force, or None; of the last round's)."""
        home = self.folder / f"play-{percent:g}"
        home.mkdir()
        server = subprocess.Popen([self.leeroo, "replay", self.folder / "learn", "--listen", "127.0.0.1:0"],
                                  stderr=subprocess.PIPE, text=True)
        try:
            address = next(line for line in server.stderr if "msg=listening" in line).split("addr=")[1].split()[0]
            rows = [f"  - {{name: {x}, url: 'http://{address}/v1', price: {{input: {i}, output: {o}}}}}\n"
                    for x, (i, o) in self.prices.items()]
            (home / "leeroo.yaml").write_text("experts:\n" + "".join(rows))
            self.call("play", "run", "--questions", self.folder / "learn", "--rounds", rounds, "--seed", self.seed, "--spend",
                      f"{sum(self.costs.values()) * percent / 100:.4f}", "-q", cwd=home)
        finally:
            server.kill()
            server.communicate()
        models = [home / "leeroo-model.safetensors", home / "run" / f"round-{rounds}" / "model.safetensors"]
        return [self.gain(m) / self.full if m.exists() else None for m in models]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--data", default=ROOT.parent / "shared" / "data" / "mmlu_pro", type=Path)
    parser.add_argument("--experts", default=POOL)
    parser.add_argument("--spend", default="5,10", help="percent of what all cells cost")
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--seeds", default=8, type=int)
    parser.add_argument("--first-seed", default=0, type=int)
    options = parser.parse_args()
    spends = [float(p) for p in options.spend.split(",")]
    shares = {(p, k): [] for p in spends for k in range(2)}
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            s = Seed(options, seed, Path(folder))
            said = [f"seed {seed}: all cells gain {s.full:.4f}"]
            for p in spends:
                found = s.play(p, options.rounds)
                for k, share in enumerate(found):
                    shares[p, k].append(share or 0.0)
                words = ["nothing" if share is None else f"{share:.2f}" for share in found]
                said.append(f"{p:g} %: in force {words[0]}, last round {words[1]}")
            print("; ".join(said), flush=True)
    for p in spends:
        for k, what in enumerate(("in force", "last round")):
            x = shares[p, k]
            print(f"{p:g} % {what}: mean {statistics.mean(x):.2f}, least {min(x):.2f}, sd {statistics.pstdev(x):.2f}")


if __name__ == "__main__":
    main()
