#!/usr/bin/env python3
"""Whether the topics that `leeroo gaps` puts first are gaps: found on one half of a data set, where the model has learnt,
and measured on the other half.

usage: gaps.py DATASET [FIRST_SEED [LAST_SEED]]

Prints a line a split, and how many of the first three topics are below all other questions by two standard errors; also
how many of those that gaps is sure of where it found them.
LEEROO_BIN is the program (build/leeroo).
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BIN = os.environ.get("LEEROO_BIN", "build/leeroo")
FIRST = 3  # topics
SURE = 2.0  # standard errors


def run(*argv):
    return subprocess.run([BIN, *map(str, argv)], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def measure(data, seed, folder):
    run("split", data, "--test", "0.5", "--seed", seed, "-o", folder, "-q")
    run("train", folder / "train", "-o", folder / "m", "--plans", "none")
    return json.loads(run("gaps", folder / "m", folder / "train", "--again", folder / "test", "--topics", FIRST,
                          "--examples", 0, "--json"))


def name(topic):
    return ": ".join(filter(None, [topic["domain"], ", ".join(topic["words"][:3])]))


def main(data, first, last):
    held, found = {True: 0, False: 0}, {True: 0, False: 0}  # by whether gaps is sure
    apart = []
    for seed in range(first, last + 1):
        with tempfile.TemporaryDirectory() as folder:
            got = measure(data, seed, Path(folder) / "parts")
        cells = []
        for topic in got["topics"]:
            again = topic["again"]
            z = again["difference"] / again["difference_se"]
            found[topic["sure"]] += 1
            held[topic["sure"]] += z < -SURE
            apart.append(topic["achieved"] - again["achieved"])
            cells.append(f"{100 * topic['achieved']:.1f} → {100 * again['achieved']:.1f} ({z:+.1f}) {name(topic)}")
        print(f"{seed}: all {100 * got['all']['achieved']:.1f} → {100 * got['again']['achieved']:.1f}; "
              + "; ".join(cells), flush=True)
    print(f"{sum(held.values())} of {sum(found.values())} topics are below the others by {SURE:g} standard errors on "
          f"questions that they were not found on; of the {found[True]} that gaps is sure of, {held[True]}. They are "
          f"{100 * sum(apart) / len(apart):+.1f} points better where they were found.")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20, int(sys.argv[3]) if len(sys.argv) > 3 else 39)
