"""Queues, limits and hedges, each named after what users of other gateways complained of where they did."""

import json
import threading
import time

import pytest

from conftest import wait_for
from test_gateway_failing import QUICK, calls_in_log, experts, together
from test_gateway_faults import HARD, chat_body, connect, sse
from upstream import answer, delta, stall, status


# Queues and limits

def test_concurrency_is_kept_and_the_rest_waits(start_gateway, upstream):
    """llama-swap #59, #89, one-api #2234: requests beyond what a server can take were lost or sent all at once."""
    g = start_gateway(expert="concurrency: 2\nqueue: {length: 20, timeout: 20s}")
    inside, most, lock = [0], [0], threading.Lock()
    plain = answer("fine")

    def behave(r):
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.05)
        with lock:
            inside[0] -= 1  # before the answer: its end is what makes room
        plain(r)
    upstream.on("dear", behave)
    results = together(12, lambda i: g.chat(HARD, model="dear", stream=i % 2 == 0))
    assert all(r.status_code == 200 for r in results) and len(upstream.of("dear")) == 12
    assert most[0] <= 2  # never more at once
    e = experts(g)["dear"]
    assert (e["in_flight"], e["queued"], e["concurrency"]) == (0, 0, 2)


def test_a_full_queue_goes_to_the_next_best(start_gateway, upstream):
    g = start_gateway(expert="concurrency: 1\nqueue: {length: 0}")
    upstream.on("dear", stall())
    s = connect(g, chat_body())
    wait_for(lambda: upstream.of("dear"))
    assert experts(g)["dear"]["in_flight"] == 1
    r = g.chat(HARD)
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] != "dear"
    s.close()
    wait_for(lambda: experts(g)["dear"]["in_flight"] == 0)


def test_a_full_queue_with_nobody_else_is_429(start_gateway, upstream):
    g = start_gateway(expert="concurrency: 1\nqueue: {length: 1, timeout: 20s}")
    upstream.on("dear", stall(), answer("second"))
    first = connect(g, chat_body(model="dear"))
    wait_for(lambda: upstream.of("dear"))
    waiting = threading.Thread(target=lambda: results.append(g.chat(HARD, model="dear")))
    results = []
    waiting.start()
    wait_for(lambda: experts(g)["dear"]["queued"] == 1)
    r = g.chat(HARD, model="dear")
    assert r.status_code == 429 and int(r.headers["retry-after"]) >= 1
    assert r.json()["error"]["type"] == "rate_limit_error" and "its queue is full" in r.json()["error"]["message"]
    assert experts(g)["dear"]["turned_away"] == 1
    first.close()  # makes room for who waits
    waiting.join(10)
    assert results[0].status_code == 200 and "second" in results[0].text


def test_waiting_in_line_has_an_end(start_gateway, upstream):
    g = start_gateway(expert="concurrency: 1\nqueue: {length: 5, timeout: 300ms}")
    upstream.on("dear", stall())
    s = connect(g, chat_body())
    wait_for(lambda: upstream.of("dear"))
    begin = time.monotonic()
    r = g.chat(HARD)
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] != "dear" and time.monotonic() - begin >= 0.29
    r = g.chat(HARD, model="dear")
    assert r.status_code == 429 and "in time" in r.json()["error"]["message"]
    s.close()


def test_requests_per_minute(start_gateway, upstream):
    g = start_gateway(expert="requests_per_minute: 3\nqueue: {length: 0}")
    names = [g.chat(HARD).headers["x-leeroo-expert"] for _ in range(4)]
    assert names[:3] == ["dear"] * 3 and names[3] != "dear"
    r = g.chat(HARD, model="dear")
    assert r.status_code == 429 and 1 <= int(r.headers["retry-after"]) <= 20 and len(upstream.of("dear")) == 3


def test_tokens_per_minute_are_those_really_used(start_gateway, upstream):
    g = start_gateway(expert="tokens_per_minute: 1000\nqueue: {length: 0}")
    upstream.on("dear", answer("long", (400, 2000)))
    assert g.chat(HARD).headers["x-leeroo-expert"] == "dear"  # predicted: about thirty
    r = g.chat(HARD, model="dear")
    assert r.status_code == 429 and 60 < int(r.headers["retry-after"]) <= 90 and len(upstream.of("dear")) == 1


# Clients that leave

@pytest.mark.parametrize("phase", ["in line", "hedged", "probing"])
def test_hang_up_cancels_in_every_phase(start_gateway, upstream, phase):
    """litellm #13774, #36123, #37140: the upstream went on after the client had left."""
    expert = {"in line": "concurrency: 1", "hedged": "", "probing": QUICK}[phase]
    g = start_gateway(expert=expert, policies="policies: {default: {lambda: 1000, hedge_after: 100ms}}"
                      if phase == "hedged" else "policies: {default: {lambda: 1000}}")
    if phase == "probing":
        upstream.on("dear", status(500), status(500), stall())
        for _ in range(2):
            g.chat(HARD)
        wait_for(lambda: experts(g)["dear"]["state"] == "half-open")
    else:
        for name in ("cheap", "mid", "dear"):
            upstream.on(name, stall())
    before = len(upstream.requests)
    s = connect(g, chat_body())
    if phase == "in line":
        wait_for(lambda: upstream.of("dear"))
        second = connect(g, chat_body())
        wait_for(lambda: experts(g)["dear"]["queued"] == 1)
        second.close()
        wait_for(lambda: experts(g)["dear"]["queued"] == 0)
    else:
        wait_for(lambda: len(upstream.requests) == before + (2 if phase == "hedged" else 1))
    s.close()
    for r in upstream.requests[before:]:
        assert r.cancelled.wait(5)
    wait_for(lambda: all(e["in_flight"] == 0 for e in experts(g).values()))
    g.wait_line(r"msg=request .*status=499")
    assert len(upstream.requests) == before + (2 if phase == "hedged" else 1)


# Hedges

HEDGED = "policies:\n  default: {lambda: 1000, hedge_after: 200ms}\n  capped: {lambda: 1000, hedge_after: 200ms, " \
         "max_cost: 0.001}\n"


def other(g):
    return g.route(HARD)["fallbacks"][0]


@pytest.mark.parametrize("stream", [False, True])
def test_a_silent_expert_is_hedged(start_gateway, upstream, stream):
    g = start_gateway(policies=HEDGED)
    upstream.on("dear", stall())
    r = g.chat(HARD, stream=stream, stream_options={"include_usage": True}) if stream else g.chat(HARD)
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] == other(g) and "hello" in r.text
    assert upstream.of("dear")[0].cancelled.wait(5) and len(upstream.requests) == 2
    body = json.loads(sse(r.text)[-2]) if stream else r.json()
    calls = body["leeroo"]["calls"]
    assert [(c["expert"], c["outcome"], c.get("hedge")) for c in calls] == \
        [("dear", "cancelled", None), (other(g), "answered", True)]
    assert float(calls[0]["cost_usd"]) > 0 and body["leeroo"]["cost_usd"] == pytest.approx(
        sum(c["cost_usd"] for c in calls), abs=1e-12)  # both are paid for
    wait_for(lambda: all(e["in_flight"] == 0 for e in experts(g).values()))
    assert experts(g)["dear"]["failures"] == 0  # slow is not broken


@pytest.mark.parametrize("stream", [False, True])
def test_the_first_wins_when_it_speaks_first(start_gateway, upstream, stream):
    g = start_gateway(policies=HEDGED)
    upstream.on("dear", answer("from dear", delay=0.6))
    upstream.on(other(g), stall())
    r = g.chat(HARD, stream=stream)
    assert r.headers["x-leeroo-expert"] == "dear" and "dear" in r.text
    assert upstream.of(other(g))[0].cancelled.wait(5)
    log = calls_in_log(g, r)
    assert f"{other(g)} cancelled" in log and "dear answered" in log


def test_a_quick_expert_is_not_hedged(start_gateway, upstream):
    g = start_gateway(policies=HEDGED.replace("200ms", "5s"))
    assert g.chat(HARD).headers["x-leeroo-expert"] == "dear" and len(upstream.requests) == 1


def test_a_role_is_no_content_for_a_hedge(start_gateway, upstream):
    """Both have sent their role; the one with the first word wins, and only its events are seen."""
    g = start_gateway(policies=HEDGED)

    def role_then_nothing(r):
        r.head(content_type="text/event-stream")
        r.event({**delta(), "id": "loser", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
        r.wait_for_hangup(20)
    upstream.on("dear", role_then_nothing)
    events = sse(g.chat(HARD, stream=True).text)
    assert not any("loser" in e for e in events) and events[-1] == "[DONE]"
    roles = [e for e in events[:-1] if json.loads(e)["choices"][0]["delta"].get("role")]
    assert len(roles) == 1


def test_when_the_first_fails_the_hedge_takes_over(start_gateway, upstream):
    g = start_gateway(policies=HEDGED, expert="retries: 3")
    upstream.on("dear", lambda r: (time.sleep(0.5), r.whole(500, {"error": {"message": "x"}}))[1])
    upstream.on(other(g), answer("from the hedge", delay=0.8))
    r = g.chat(HARD)
    assert "from the hedge" in r.text and r.headers["x-leeroo-expert"] == other(g)
    assert len(upstream.of("dear")) == 1 and len(upstream.requests) == 2


def test_when_the_hedge_fails_the_first_goes_on(start_gateway, upstream):
    g = start_gateway(policies=HEDGED)
    upstream.on("dear", answer("from dear", delay=0.8))
    upstream.on(other(g), status(500))
    r = g.chat(HARD)
    assert r.headers["x-leeroo-expert"] == "dear" and "from dear" in r.text
    assert [(c["expert"], c["outcome"]) for c in r.json()["leeroo"]["calls"]] == \
        [(other(g), "failed"), ("dear", "answered")]


def test_no_hedge_beyond_max_cost(start_gateway, upstream):
    g = start_gateway(policies=HEDGED)
    upstream.on("dear", answer("from dear", delay=0.6))
    r = g.chat(HARD, model="leeroo/capped")
    sent = upstream.of("dear")[0].json["max_tokens"]
    others = [q for q in upstream.requests if q.json["model"] != "dear"]
    # 0.001 USD pays for 66 tokens of dear; the other one's input was kept back.
    assert r.status_code == 200 and 0 < sent <= 66
    for q in others:
        assert q.json["max_tokens"] > 0
    assert float(r.headers["x-leeroo-cost-usd"]) <= 0.001
    tight = start_gateway(policies="policies: {default: {lambda: 1000, hedge_after: 100ms, max_cost: 0.000365}}")
    before = len(upstream.requests)
    tight.chat(HARD)
    assert len(upstream.requests) == before + 1


def test_no_hedge_for_a_name_or_where_nobody_has_room(start_gateway, upstream):
    g = start_gateway(policies=HEDGED, expert="concurrency: 1\nqueue: {length: 0}")
    upstream.on("dear", answer("from dear", delay=0.5))
    assert g.chat(HARD, model="dear").status_code == 200 and len(upstream.requests) == 1
    for name in ("cheap", "mid"):
        upstream.on(name, stall())
    held = [connect(g, chat_body(model=name)) for name in ("cheap", "mid")]
    wait_for(lambda: len(upstream.requests) == 3)
    assert g.chat(HARD).headers["x-leeroo-expert"] == "dear" and len(upstream.requests) == 4
    [s.close() for s in held]


# Embeddings

def test_embeddings_have_the_same_door(start_gateway, upstream):
    """llama-swap #59: one route had the limits and the other had not."""
    def vectors(r):
        r.whole(200, {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
                      "usage": {"prompt_tokens": 3, "total_tokens": 3}})
    g = start_gateway(top=f"embeddings:\n  - {{name: vec, url: '{upstream.url}', price: {{input: 0.02, output: 0}}, "
                          "retries: 0, concurrency: 1, queue: {length: 1}, breaker: {failures: 1, pause: 1h}}")

    def embed():
        return g.client.post("/v1/embeddings", json={"model": "vec", "input": "hello"})
    upstream.on("vec", stall(0.5), vectors)
    body = json.dumps({"model": "vec", "input": "x"}).encode()
    first = connect(g, body, path="/v1/embeddings")
    wait_for(lambda: upstream.of("vec"))
    waiting = connect(g, body, path="/v1/embeddings")
    wait_for(lambda: experts(g)["vec"]["queued"] == 1)
    r = embed()
    assert r.status_code == 429 and "its queue is full" in r.json()["error"]["message"] and "retry-after" in r.headers
    first.close()
    assert b"200 OK" in waiting.recv(65536)
    wait_for(lambda: experts(g)["vec"]["in_flight"] == 0)
    upstream.on("vec", status(500))
    assert embed().status_code == 502 and experts(g)["vec"]["state"] == "open"
    calls = len(upstream.of("vec"))
    r = embed()
    assert r.status_code == 503 and int(r.headers["retry-after"]) > 3500 and len(upstream.of("vec")) == calls
