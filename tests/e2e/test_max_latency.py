"""Answers wanted in time (`max_latency`): plans ask together what they have no time to ask in turn, what is still out
when time is over is cancelled and paid for, and experts that are too slow are left out once they were seen to be. The
upstreams are mocks that take as long as the test says; the model has one sequential plan over four experts alike."""

import json
import random
import subprocess
import time
from decimal import Decimal

import pytest

from conftest import Gateway, write_config
from upstream import answer, stall

EXPERTS = {"ant": ("1", "1"), "bee": ("1", "1"), "cat": ("2", "2"), "dog": ("2", "2")}
QUESTION = "which animal is it, hello?\nA. an ant\nB. a bee\nC. a cat\nD. a dog"
INPUT_TOKENS = -(-len(QUESTION) // 4)
POLICIES = """
policies:
  default: {lambda: 10, plans: sequential, max_latency: 1500ms}
  free: {lambda: 10, plans: sequential}
  two: {lambda: 10, plans: sequential, max_latency: 1500ms, max_calls: 2}
  single: {lambda: 0, plans: none, max_latency: 800ms}
  any: {lambda: 0, plans: none}
"""


@pytest.fixture(scope="module")
def voices(leeroo, tmp_path_factory):
    """A model with a sequential plan: everybody is right three times in four, and errs in a way of its own."""
    rng, folder = random.Random(11), tmp_path_factory.mktemp("voices")
    (folder / "responses").mkdir()
    words = "hello sum two colour cat king empire treaty matrix ring".split()
    queries, outcomes = [], ["id,model,score,cost_usd,input_tokens,output_tokens"]
    responses = {name: [] for name in EXPERTS}
    for i in range(900):
        text = " ".join(rng.choices(words, k=6)) + f" {rng.randrange(10 ** 6)}?"
        queries.append({"id": f"q{i}", "text": text, "choices": ["a", "b", "c", "d"], "answer": rng.choice("ABCD")})
        right = queries[-1]["answer"]
        for name, (inp, out) in EXPERTS.items():
            good = rng.random() < 0.75
            says = right if good else rng.choice([c for c in "ABCD" if c != right])
            cost = (30 * Decimal(inp) + 40 * Decimal(out)) / 1_000_000
            outcomes.append(f"q{i},{name},{int(good)},{cost:.9f},30,40")
            responses[name].append(json.dumps({"id": f"q{i}", "text": f"Well, think. The answer is ({says})."}))
    for name, lines in responses.items():
        (folder / "responses" / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    (folder / "outcomes.csv").write_text("\n".join(outcomes) + "\n")
    rows = [f"{name},{inp},{out}" for name, (inp, out) in EXPERTS.items()]
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\n" + "\n".join(rows) + "\n")
    path = folder / "m.leeroo"
    subprocess.run([leeroo, "train", str(folder), "-o", str(path), "--plans", f"sequential({','.join(EXPERTS)})"],
                   check=True, capture_output=True, timeout=300)
    return path


@pytest.fixture
def start(leeroo, voices, upstream, tmp_path):
    running = []

    def begin(expert="retries: 0\nlatency: 1s"):
        g = Gateway(leeroo, write_config(tmp_path, voices, upstream.url, policies=POLICIES, expert=expert,
                                         names=EXPERTS, top=f"state_dir: {tmp_path / 'state'}"))
        running.append(g)
        return g
    yield begin
    for g in running:
        g.client.close()
        code = g.stop()
        assert code == 0, f"exit status {code}\n{g.text}"
        assert "ERROR: " not in g.text and "runtime error" not in g.text, g.text


def says(letter, delay=1.0):
    return answer(f"Let me think. The answer is ({letter}).", (30, 40), delay=delay)


def ask(gateway, model="leeroo", stream=False, **more):
    """(the reply, the seconds it took)"""
    begin = time.monotonic()
    r = gateway.chat(QUESTION, model, stream=stream, **more)
    took = time.monotonic() - begin
    assert r.status_code == 200, r.text
    return r, took


def calls_of(gateway, r):
    """What the ledger says of the request's calls, by expert."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = gateway.client.get(f"/v1/requests/{r.headers['x-leeroo-request-id']}")
        if found.status_code == 200 and found.json().get("outcome") == "answered":
            return {c["expert"]: c for c in json.loads(found.text, parse_float=Decimal)["calls"]}
        time.sleep(0.1)
    raise AssertionError(found.text)


def asked(upstream):
    return [r for name in EXPERTS for r in upstream.of(name)]


def latencies(gateway):
    return {e["id"]: e["latency_ms"] for e in gateway.client.get("/v1/experts").json()["data"]}


both = pytest.mark.parametrize("stream", [False, True])


@both
def test_what_there_is_no_time_to_ask_in_turn_is_asked_together(start, upstream, stream):
    gateway = start()
    for name, letter in zip(EXPERTS, "BCBD"):
        upstream.on(name, says(letter))
    r, took = ask(gateway, stream=stream)
    assert "sequential" in r.headers["x-leeroo-plan"]
    assert took < 1.6
    at = [q.at for q in asked(upstream)]
    assert len(at) >= 2 and max(at) - min(at) < 0.4, at
    r, took = ask(gateway, "leeroo/free", stream=stream)
    assert took >= 2, "without a time they are asked one after the other"


def test_max_calls_holds_in_a_wave(start, upstream):
    gateway = start()
    for name, letter in zip(EXPERTS, "ABCD"):
        upstream.on(name, says(letter))
    _, took = ask(gateway, "leeroo/two")
    assert took < 1.6 and len(asked(upstream)) == 2


@both
def test_when_time_is_over_what_is_there_stands_and_the_rest_is_cancelled(start, upstream, stream):
    gateway = start()
    for name in EXPERTS:
        upstream.on(name, stall())
    upstream.on("ant", says("B", 0.3))
    upstream.on("bee", says("C", 0.3))
    r, took = ask(gateway, stream=stream)
    assert 1.4 < took < 2.2
    if not stream:
        assert r.json()["choices"][0]["message"]["content"] in ("Let me think. The answer is (B).",
                                                                 "Let me think. The answer is (C).")
    calls = calls_of(gateway, r)
    out = [name for name, c in calls.items() if c["outcome"] == "cancelled"]
    there = [name for name, c in calls.items() if c["outcome"] == "answered"]
    assert out and there and set(out) | set(there) == set(calls)
    for name in out:
        price = Decimal(EXPERTS[name][0])
        assert calls[name]["cost_basis"] == "estimated"
        assert calls[name]["cost_usd"] == price * INPUT_TOKENS / 1_000_000
        assert 1200 < calls[name]["latency_ms"] < 1600
        assert all(q.cancelled.wait(5) for q in upstream.of(name))
    total = sum(c["cost_usd"] for c in calls.values())
    assert Decimal(gateway.access(r.headers["x-leeroo-request-id"])["cost_usd"]) == total


def test_a_wave_that_is_decided_ends_before_the_time(start, upstream):
    gateway = start()
    for name in EXPERTS:
        upstream.on(name, says("B", 0.2))
    upstream.on("cat", stall())
    upstream.on("dog", stall())
    r, took = ask(gateway)
    calls = calls_of(gateway, r)
    assert took < 1.2 and [c["outcome"] for c in calls.values()].count("answered") == 2
    assert all(c["outcome"] in ("answered", "cancelled") for c in calls.values())


def test_a_late_answer_is_better_than_none(start, upstream):
    gateway = start()
    for name in EXPERTS:
        upstream.on(name, says("B", 2.2))
    _, took = ask(gateway)
    assert 2.1 < took < 3


def test_a_request_says_how_much_time_it_has(start, upstream):
    gateway = start()
    for name, letter in zip(EXPERTS, "BCBD"):
        upstream.on(name, says(letter))
    _, took = ask(gateway, "leeroo/free", leeroo={"max_latency": "1500ms"})
    assert took < 1.6
    _, took = ask(gateway, leeroo={"max_latency": 60000})
    assert took < 1.6, "the policy's own is less"
    r = gateway.chat(QUESTION, leeroo={"max_latency": "soon"})
    assert r.status_code == 400 and r.json()["error"]["param"] == "leeroo.max_latency"


def test_an_expert_that_is_seen_to_be_slow_is_left_out(start, upstream):
    gateway = start(expert="retries: 0")
    assert set(latencies(gateway).values()) == {None}
    best = gateway.route(QUESTION, "leeroo/any")["expert"]
    for name in EXPERTS:
        upstream.on(name, says("B", 1.2 if name == best else 0.05))
    r, took = ask(gateway, "leeroo/single")
    assert r.headers["x-leeroo-expert"] == best and took > 1.1, "a single answer that is late is waited for"
    assert 1100 < latencies(gateway)[best] < 1600
    route = gateway.route(QUESTION, "leeroo/single")
    assert route["ruled_out"][best] == "over max_latency" and route["max_latency_ms"] == 800
    assert route["fallbacks"][-1] == best
    r, took = ask(gateway, "leeroo/single")
    assert r.headers["x-leeroo-expert"] != best and took < 0.8
    r, _ = ask(gateway, "leeroo/any")
    assert r.headers["x-leeroo-expert"] == best, "nobody else is in a hurry"
    page = gateway.client.get("/metrics").text
    line = next(x for x in page.splitlines() if x.startswith(f'leeroo_expert_latency_seconds{{expert="{best}"}}'))
    assert 1.1 < float(line.split()[-1]) < 1.6
