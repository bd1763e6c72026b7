"""The whole chain on MMLU-Pro: train, replay, serve, 500 questions through the official client, half of them streamed.
Every answer must equal the recording of the expert that the decision named, and the costs must add up exactly."""

import concurrent.futures
import csv
import gzip
import json
import os
import subprocess
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import openai
import pytest

from conftest import ROOT, Gateway, Process

DATA = Path(os.environ.get("LEEROO_DATA", ROOT.parent / "shared" / "data")) / "mmlu_pro"
EXPERTS = ["gpt-4o-2024-05-13", "llama-3.1-70b", "gemini-1.5-flash-002", "llama-3.1-8b"]
QUESTIONS = 500
NANO = Decimal("0.000000001")

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="no data")


def prompt_of(query):
    lines = [query["text"]] + [f"{chr(65 + i)}. {c}" for i, c in enumerate(query.get("choices") or [])]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def prices():
    with open(DATA / "experts.csv") as f:
        return {r["model"]: (Decimal(r["usd_per_m_input"]), Decimal(r["usd_per_m_output"])) for r in csv.DictReader(f)}


@pytest.fixture(scope="module")
def recorded():
    texts = {}
    for name in EXPERTS:
        with gzip.open(DATA / "responses" / f"{name}.jsonl.gz", "rt") as f:
            texts[name] = {r["id"]: r["text"] for r in map(json.loads, f)}
    return texts


@pytest.fixture(scope="module")
def queries(recorded):
    with open(DATA / "queries.jsonl") as f:
        rows = [json.loads(line) for line in f]
    by_prompt = defaultdict(list)
    for row in rows:
        by_prompt[" ".join(prompt_of(row).lower().split())].append(row["id"])
    usable = [(row, ids) for row in rows
              if all(row["id"] in recorded[e] for e in EXPERTS)
              and len(ids := by_prompt[" ".join(prompt_of(row).lower().split())]) == 1]
    return [row for row, _ in usable[:: max(1, len(usable) // QUESTIONS)]][:QUESTIONS]


@pytest.fixture(scope="module")
def chain(leeroo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chain")
    model = folder / "pro.leeroo"
    subprocess.run([leeroo, "train", str(DATA), "-o", str(model), "--experts", ",".join(EXPERTS)], check=True,
                   capture_output=True, timeout=1200)  # seconds: ThreadSanitizer takes ten times as long
    replay = Process([leeroo, "replay", str(DATA), "--listen", "127.0.0.1:0", "--experts", ",".join(EXPERTS)])
    address = replay.wait_line(r"addr=(\S+)", 120).group(1)
    config = folder / "leeroo.yaml"
    config.write_text(f"listen: 127.0.0.1:0\nmodel: pro.leeroo\nexperts:\n"
                      + "".join(f"  - {{name: {e}, url: \"http://{address}/v1\"}}\n" for e in EXPERTS)
                      + "policies: {default: {lambda: 30, plans: none}, paced: {budget: 1.5, plans: none}}\n")
    gateway = Gateway(leeroo, config)
    yield gateway
    gateway.client.close()
    assert gateway.stop() == 0, gateway.text
    replay.stop()


def ask(client, query, stream):
    messages = [{"role": "user", "content": prompt_of(query)}]
    if not stream:
        raw = client.chat.completions.with_raw_response.create(model="leeroo", messages=messages)
        reply = raw.parse()
        return (raw.headers["x-leeroo-request-id"], raw.headers["x-leeroo-expert"],
                reply.choices[0].message.content, reply.usage, Decimal(raw.headers["x-leeroo-cost-usd"]))
    raw = client.chat.completions.with_raw_response.create(model="leeroo", messages=messages, stream=True,
                                                           stream_options={"include_usage": True})
    text, last = "", None
    for chunk in raw.parse():
        text += "".join(c.delta.content or "" for c in chunk.choices)
        last = chunk
    return (raw.headers["x-leeroo-request-id"], last.leeroo["expert"], text, last.usage,
            Decimal(repr(last.leeroo["cost_usd"])))


def test_500_questions(chain, queries, recorded, prices):
    decisions = {}
    for query in queries:
        r = chain.client.post("/v1/route", json={"text": prompt_of(query)})
        decisions[query["id"]] = r.json()["expert"]
    with openai.OpenAI(base_url=chain.url + "/v1", api_key="none", max_retries=0, timeout=120) as client, \
            concurrent.futures.ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda iq: ask(client, iq[1], iq[0] % 2 == 1), enumerate(queries)))
    assert len(answers) == len(queries) == QUESTIONS
    total = Decimal(0)
    for query, (request_id, expert, text, usage, cost) in zip(queries, answers):
        assert expert == decisions[query["id"]]
        assert text == recorded[expert][query["id"]]
        price_in, price_out = prices[expert]
        exact = ((price_in * usage.prompt_tokens + price_out * usage.completion_tokens) / 1_000_000)
        assert cost == exact.quantize(NANO, ROUND_HALF_UP), query["id"]
        assert chain.access(request_id)["cost_usd"] == f"{cost:.9f}"
        total += cost
    logged = sum(Decimal(dict(p.split("=", 1) for p in line.split() if "=" in p)["cost_usd"])
                 for line in chain.lines if "msg=request" in line)
    assert logged == total
    assert len({expert for _, expert, *_ in answers}) > 1, "the policy should use more than one expert"
