#!/usr/bin/env python3
"""bench_hold: how long one request of 9 MB holds an event loop, by what is in it.

    bench/hold.py [PROGRAM] [--only WORD,...]

PROGRAM is a leeroo (default build/leeroo). Each shape of body is sent to /v1/route, which reads, estimates and decides,
and calls nobody. What is printed is the processor's time of the gateway, the least of three, and how often that of
plain words it is, in the same run: a figure that does not depend on the machine. Exits 1 when a shape costs more than
15 times what words do (most cost 3 to 4 times that): then something is read again and again.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

N = 9_000_000
TIMES_MAX = 15


def chat(inside):
    return b'{"model":"leeroo","messages":[' + inside + b"]}"


def text(unit):
    """One message out of so many of `unit`, which is JSON as it stands in a string."""
    return chat(b'{"role":"user","content":"' + unit * (N // len(unit)) + b'"}')


def shapes():
    rng = random.Random(1)
    words = " ".join(rng.choices("the quick brown fox jumps over a lazy dog and then some more".split(), k=N // 5))[:N]
    one = b'{"role":"user","content":"a"}'
    yield "words", chat(b'{"role":"user","content":' + json.dumps(words).encode() + b"}")
    for name, unit in {"\\n": b"\\n", '\\"': b'\\"', "\\\\": b"\\\\", "\\u0061": b"\\u0061", "\\u4e2d": b"\\u4e2d",
                       "surrogates": b"\\ud83d\\ude00", "words and escapes": b"word\\u0020", "lines": b"a line\\n", "blanks": b" ",
                       "one word": b"a", "Chinese": "中文".encode(), "notes": b"<system-reminder>x</system-reminder>",
                       "open notes": b"<system-reminder>", "tags": b"a<user_info>", "fences": b"```\\n", "options": b"A) x\\n"}.items():
        yield name, text(unit)
    yield "small messages", chat(b",".join([one] * (N // len(one) - 1)))
    part = b'{"type":"text","text":"a"}'
    yield "small parts", chat(b'{"role":"user","content":[' + b",".join([part] * (N // len(part) - 1)) + b"]}")
    yield "keys", chat(one)[:-1] + b"," + b",".join(b'"k%d":1' % i for i in range(N // 12)) + b"}"
    yield "numbers", chat(one)[:-1] + b',"x":[' + b"1," * (N // 2 - 100) + b"1]}"


def gateway(program, folder):
    rng = random.Random(3)
    queries, outcomes = [], ["id,model,score,cost_usd,input_tokens,output_tokens"]
    for i in range(200):
        queries.append(json.dumps({"id": f"q{i}", "text": " ".join(rng.choices(["proof", "cat", "dog"], k=5)) + f" {i}"}))
        outcomes += [f"q{i},{name},{i % 2},0.001,10,20" for name in ("a", "b")]
    (folder / "data").mkdir()
    (folder / "data" / "queries.jsonl").write_text("\n".join(queries) + "\n")
    (folder / "data" / "outcomes.csv").write_text("\n".join(outcomes) + "\n")
    (folder / "data" / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\na,1,2\nb,10,20\n")
    subprocess.run([program, "train", folder / "data", "-o", folder / "m"], check=True, capture_output=True)
    experts = "".join(f'  - {{name: {name}, url: "http://127.0.0.1:9/v1", context: 100000000}}\n' for name in ("a", "b"))
    (folder / "leeroo.yaml").write_text(f"listen: 127.0.0.1:0\nmodel: m\nthreads: 1\nexperts:\n{experts}")
    process = subprocess.Popen([program, "serve", "-c", folder / "leeroo.yaml"], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "msg=listening" in line:
            return process, line.split("addr=")[1].split()[0]
    sys.exit("the gateway does not start")


def spent_ns(pid):
    return sum(int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0]) for task in os.listdir(f"/proc/{pid}/task"))


def measure(pid, address, body):
    least = None
    for _ in range(3):
        before = spent_ns(pid)
        request = urllib.request.Request(f"http://{address}/v1/route", body, {"content-type": "application/json"})
        try:
            urllib.request.urlopen(request, timeout=120).read()
        except urllib.error.HTTPError as e:
            sys.exit(f"answered {e.code}: {e.read()[:200]}")
        spent = spent_ns(pid) - before
        least = spent if least is None else min(least, spent)
    return least


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="?", default="build/leeroo")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        process, address = gateway(options.program, Path(folder))
        try:
            for name, body in shapes():
                if name != "words" and options.only and not any(word in name for word in options.only.split(",")):
                    continue
                spent = measure(process.pid, address, body)
                words = spent if name == "words" else words  # noqa: F821
                worst = max(worst, spent / words)
                print(f"{name:20} {len(body) / 1e6:4.1f} MB {spent / 1e6:7.1f} ms {spent / words:5.1f} x words", flush=True)
        finally:
            process.terminate()
            process.wait()
    sys.exit(worst > TIMES_MAX)


if __name__ == "__main__":
    main()
