"""What a key's budget holds for requests in flight: 200 at once, whole, streamed, hedged, as plans, of embeddings, and what
is given back when they end, however they end."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest

from conftest import wait_for
from test_gateway_plans import QUESTION, lambdas, plan_model, start  # noqa: F401 (fixtures)
from test_keys import STATE, ask, bearer, desk  # noqa: F401 (a fixture)
from upstream import answer, cut_mid_stream, stall, status

AT_ONCE = 200
MAX_TOKENS = 400
PRICE = "price: {input: 5, output: 15}"
ONE = Decimal(10 * 5 + MAX_TOKENS * 15) / 10**6  # of an answer as long as it may be
INPUT = Decimal(40 * 5) / 10**6  # more than is estimated for "hello cat"
NO_TRIES = "retries: 0\nbreaker: off\n"


def at_once(g, key, path="/v1/chat/completions", **body):
    """The statuses of 200 requests that are sent together, each read to its end."""
    barrier = threading.Barrier(AT_ONCE)
    client = httpx.Client(base_url=g.url, timeout=60, limits=httpx.Limits(max_connections=AT_ONCE))

    def one(i):
        barrier.wait()
        return client.post(path, json=body, headers=bearer(key))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        got = list(pool.map(one, range(AT_ONCE)))
    client.close()
    assert {r.status_code for r in got} <= {200, 429}, {r.status_code: r.text for r in got}
    return got


def chat(**more):
    return {"model": "dear", "max_tokens": MAX_TOKENS, "messages": [{"role": "user", "content": "hello cat"}], **more}


@pytest.mark.parametrize("stream", [False, True])
def test_200_at_once_stay_within_the_budget(desk, upstream, start_gateway, stream):  # noqa: F811
    """The worst case of each fits or it is refused, and all that pass cost their worst case."""
    budget = ONE * 10 + ONE / 2
    key = desk.create("a", "--budget-day", str(budget))
    g = start_gateway(top=STATE, expert=NO_TRIES + PRICE)
    upstream.on("dear", answer("hello", (10, MAX_TOKENS), delay=1.0))
    got = at_once(g, key, **chat(stream=stream))
    good, refused = [r for r in got if r.status_code == 200], [r for r in got if r.status_code == 429]
    assert 9 <= len(good) <= 10 + 1
    wait_for(lambda: desk.spent("a") == len(good) * ONE)
    assert desk.spent("a") <= budget + ONE
    r = refused[0]
    assert r.json()["error"]["code"] == "rate_limit_exceeded" and "in flight may take" in r.json()["error"]["message"]
    assert r.headers["retry-after"] == "1" and "x-should-retry" not in r.headers


@pytest.mark.parametrize("stream", [False, True])
def test_a_budget_smaller_than_one_worst_case_is_overshot_once(desk, upstream, start_gateway, stream):  # noqa: F811
    budget = ONE / 2
    key = desk.create("a", "--budget-total", str(budget))
    g = start_gateway(top=STATE, expert=NO_TRIES + PRICE)
    upstream.on("dear", answer("hello", (10, MAX_TOKENS), delay=1.0))
    got = at_once(g, key, **chat(stream=stream))
    assert [r.status_code for r in got].count(200) == 1
    wait_for(lambda: desk.spent("a") == ONE)
    later = ask(g, key, model="dear")
    assert later.status_code == 429 and later.json()["error"]["code"] == "insufficient_quota"


def test_one_after_the_other_as_many_pass_as_are_paid(desk, upstream, start_gateway):  # noqa: F811
    """An answer may cost its worst case and rarely does: alone, a request is judged by what is predicted."""
    key = desk.create("a", "--budget-total", str(ONE / 2))
    g = start_gateway(top=STATE, expert=NO_TRIES + PRICE)
    upstream.on("dear", answer("hello", (10, 5)))
    for _ in range(10):
        assert ask(g, key, model="dear", max_tokens=MAX_TOKENS).status_code == 200
    assert desk.spent("a") == 10 * Decimal(10 * 5 + 5 * 15) / 10**6


def test_hedges_are_held_with_both_legs(desk, upstream, start_gateway):  # noqa: F811
    budget = ONE * 10 + ONE / 2
    key = desk.create("a", "--budget-day", str(budget))
    g = start_gateway(top=STATE, expert=NO_TRIES + PRICE, policies="policies: {default: {lambda: 0, hedge_after: 50ms}}")
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, answer("hello", (10, MAX_TOKENS), delay=1.0))
    got = at_once(g, key, **chat(model="leeroo"))
    assert any(r.status_code == 200 for r in got)
    wait_for(lambda: all(f"req={r.headers['x-leeroo-request-id']} " in g.text for r in got if r.status_code == 200))
    assert desk.spent("a") <= budget + ONE + INPUT


def test_plans_are_held_with_all_members(desk, upstream, start):  # noqa: F811
    members = {"cheap": 1, "mid": 2, "dear": 50}
    worst = sum(Decimal(30 * i + MAX_TOKENS * (100 if i == 50 else i)) for i in members.values()) / 10**6
    budget = worst * 3 + worst / 2
    key = desk.create("a", "--budget-day", str(budget))
    g = start(top=STATE)
    for name, says in (("cheap", "A"), ("mid", "B"), ("dear", "C")):
        upstream.on(name, answer(f"The answer is ({says}).", (30, MAX_TOKENS), delay=0.5))
    got = at_once(g, key, model="leeroo", max_tokens=MAX_TOKENS, messages=[{"role": "user", "content": QUESTION}])
    good = [r for r in got if r.status_code == 200]
    assert good and all(r.headers["x-leeroo-plan"].startswith("panel") for r in good)
    wait_for(lambda: all(f"req={r.headers['x-leeroo-request-id']} " in g.text for r in good))
    assert desk.spent("a") <= budget + worst


def test_embeddings_are_held(desk, upstream, start_gateway):  # noqa: F811
    text, price = "hello cat " * 100, Decimal(5) / 10**6
    worst = len(text) * price
    budget = worst * 5
    key = desk.create("a", "--budget-day", str(budget))
    top = f"{STATE}\nembeddings:\n  - {{name: e, api_key: env:UP_KEY, price: {{input: 5, output: 0}}, url: {upstream.url}}}"
    g = start_gateway(top=top)

    def behave(r):
        threading.Event().wait(1.0)
        r.whole(200, {"object": "list", "data": [], "usage": {"prompt_tokens": len(text), "total_tokens": len(text)}})
    upstream.on("e", behave)
    got = at_once(g, key, "/v1/embeddings", model="e", input=text)
    count = [r.status_code for r in got].count(200)
    assert 4 <= count <= 6 and desk.spent("a") == count * worst


def test_every_end_gives_back_what_was_held(desk, upstream, start_gateway):  # noqa: F811
    """Refused, failed, cut, cancelled: the next request finds the whole budget again."""
    budget = ONE * 3 / 2
    key = desk.create("a", "--budget-day", str(budget))
    g = start_gateway(top=STATE, expert=NO_TRIES + PRICE)

    def leave():
        upstream.on("dear", stall())
        host, port = g.address.rsplit(":", 1)
        body = b'{"model":"dear","max_tokens":400,"messages":[{"role":"user","content":"hello cat"}]}'
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n"
        with socket.create_connection((host, int(port))) as s:
            s.sendall(head.encode() + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            before = len(upstream.of("dear"))
            wait_for(lambda: len(upstream.of("dear")) > before or len(upstream.of("dear")) > 0)
        wait_for(lambda: "client gone" in g.text)

    def fail():
        upstream.on("dear", status(500))
        assert ask(g, key, model="dear", max_tokens=MAX_TOKENS).status_code >= 500

    def cut():
        upstream.on("dear", cut_mid_stream)
        ask(g, key, model="dear", max_tokens=MAX_TOKENS, stream=True)
    for end in (fail, cut, leave):
        end()
        upstream.on("dear", answer("hello", (1, 1), delay=0.7))
        with ThreadPoolExecutor(2) as pool:
            codes = list(pool.map(lambda _: ask(g, key, model="dear", max_tokens=MAX_TOKENS).status_code, range(2)))
        assert sorted(codes) == [200, 429], f"one is held for the other after {end.__name__}"
        assert ask(g, key, model="dear", max_tokens=MAX_TOKENS).status_code == 200
