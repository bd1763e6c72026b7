"""The whole chain with plans on MMLU-Pro: train, eval --decisions, replay, serve. What the gateway decides, whom it
calls, whose answer stands and what that costs must be what `leeroo eval` wrote down for the same questions."""

import concurrent.futures
import csv
import json
import subprocess
from collections import defaultdict
from decimal import Decimal

import openai
import pytest

from conftest import Gateway, Process
from test_chain import DATA, prompt_of

THREE = ["gemini-1.5-flash-002", "llama-3.1-70b", "gpt-4o-2024-05-13"]
SIX = ["gemini-1.5-flash-002", "gemini-1.5-pro-002", "llama-3.1-70b-instruct", "deepseek-v2-chat", "deepseek-coder-v2",
       "gpt-4o-2024-05-13"]
POOLS = {
    "cascades and panels": (THREE, "panel(llama-3.1-70b,gemini-1.5-flash-002->gpt-4o-2024-05-13);"
                                   "cascade(gemini-1.5-flash-002->gpt-4o-2024-05-13)", ["0.35", "0.5"]),
    "sequential": (SIX, f"sequential({','.join(SIX)})", ["0.1", "0.2", "0.5"]),
}
QUESTIONS = 300

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="skipped: no data")


@pytest.fixture(scope="module", params=POOLS)
def chain(leeroo, tmp_path_factory, request):
    experts, plans, points = POOLS[request.param]
    folder = tmp_path_factory.mktemp("plans")
    model, decisions, pool = folder / "pro.leeroo", folder / "decisions.csv", ["--experts", ",".join(experts)]
    subprocess.run([leeroo, "train", str(DATA), "-o", str(model), *pool, "--plans", plans], check=True,
                   capture_output=True, timeout=600)
    subprocess.run([leeroo, "eval", str(model), str(DATA), *pool, "--decisions", str(decisions), "--bootstrap", "0",
                    "--at", ",".join(points)], check=True, capture_output=True, timeout=600)
    rows = {point: {} for point in points}
    with open(decisions, newline="") as f:
        for row in csv.DictReader(f):
            if row["operating_point"] in rows and row["weight"] == "1":
                rows[row["operating_point"]][row["id"]] = row
    lambdas = {point: next(iter(rows[point].values()))["lambda"] for point in points}
    replay = Process([leeroo, "replay", str(DATA), "--listen", "127.0.0.1:0", *pool])
    address = replay.wait_line(r"addr=(\S+)", 120).group(1)
    config = folder / "leeroo.yaml"
    config.write_text("listen: 127.0.0.1:0\nmodel: pro.leeroo\nexperts:\n"
                      + "".join(f"  - {{name: {e}, url: \"http://{address}/v1\"}}\n" for e in experts)
                      + "policies:\n" + "".join(f"  at{k}: {{lambda: {lambdas[p]}}}\n" for k, p in enumerate(points)))
    gateway = Gateway(leeroo, config)
    yield gateway, experts, points, rows
    gateway.client.close()
    assert gateway.stop() == 0, gateway.text
    replay.stop()


def pick_questions(experts, rows):
    """Queries that a plan serves at some point, whose prompt is theirs alone."""
    with open(DATA / "queries.jsonl") as f:
        queries = [json.loads(line) for line in f]
    by_prompt = defaultdict(int)
    for query in queries:
        by_prompt[" ".join(prompt_of(query).lower().split())] += 1
    usable = [q for q in queries if by_prompt[" ".join(prompt_of(q).lower().split())] == 1
              and any(q["id"] in at and at[q["id"]]["plan"] not in experts for at in rows.values())]
    return usable[:: max(1, len(usable) // QUESTIONS)][:QUESTIONS]


def ask(client, k, query, stream):
    """(plan, the experts that were paid, who answered, cost)"""
    more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    messages = [{"role": "user", "content": prompt_of(query)}]
    reply = client.chat.completions.create(model=f"leeroo/at{k}", messages=messages, **more)
    if stream:
        last = None
        for last in reply:
            pass
        reply = last
    leeroo = getattr(reply, "leeroo", None)
    if leeroo is None:  # one expert: only the headers tell
        return None
    calls = [c["expert"] for c in leeroo.get("calls", [{"expert": leeroo["expert"]}])]
    cancelled = any(c["outcome"] != "answered" for c in leeroo.get("calls", []))
    return leeroo["plan"], sorted(calls), leeroo["expert"], Decimal(f"{leeroo['cost_usd']:.9f}"), cancelled


def test_300_questions(chain):
    gateway, experts, points, rows = chain
    queries = pick_questions(experts, rows)
    assert len(queries) == QUESTIONS
    jobs = [(k, q, i % 2 == 1) for i, q in enumerate(queries) for k in range(len(points))]
    with openai.OpenAI(base_url=gateway.url + "/v1", api_key="none", max_retries=0, timeout=120) as client, \
            concurrent.futures.ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda job: ask(client, *job), jobs))
    plans, escalated, differ = 0, 0, []
    for (k, query, stream), got in zip(jobs, found):
        want = rows[points[k]].get(query["id"])
        if want is None or got is None:
            continue
        plan, calls, expert, cost, cancelled = got
        wanted = (want["plan"] if want["plan"] not in experts else "single", sorted(want["calls"].split("+")),
                  want["answered"])
        plans += plan != "single"
        escalated += plan != "single" and experts[-1] in calls
        if (plan, calls, expert) != wanted:
            differ.append((query["id"], stream, got, want))
        elif not cancelled and cost != Decimal(want["cost_usd"]):
            differ.append((query["id"], stream, got, want))
    assert plans > QUESTIONS and escalated > QUESTIONS / 10
    assert len(differ) == 0, f"{len(differ)} of {len(jobs)} differ: {differ[:5]}"
