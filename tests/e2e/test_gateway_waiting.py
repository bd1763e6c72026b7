"""What is waited for, and for how long: first content, silence, cooldowns, and the end of them."""

import concurrent.futures
import itertools
import json
import signal
import time

import pytest

from test_gateway_faults import HARD
from upstream import answer, delta, status

ROLE = {**delta(), "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}
ALIVE = {"comments": b": OPENROUTER PROCESSING\n\n",
         "pings": b"event: ping\ndata: {\"type\": \"ping\"}\n\n",
         "role-only chunks": b"data: " + json.dumps(ROLE).encode() + b"\n\n",
         "empty deltas": b"data: " + json.dumps(delta("")).encode() + b"\n\n"}


def keeps_alive(data, *first):
    """A stream that begins with `first` and then only says that it is alive, until we hang up."""
    def behave(r):
        r.head(content_type="text/event-stream")
        for event in first:
            r.event(event)
        for _ in range(200):
            r.chunk(data)
            if r.wait_for_hangup(0.05):
                return 1
    return behave


@pytest.mark.parametrize("data", ALIVE.values(), ids=ALIVE)
def test_the_first_token_is_content_not_a_byte(start_gateway, upstream, data):
    """opencode #43519: comments of a stream that hangs pass for its tokens, and the timeout never comes."""
    g = start_gateway(expert="retries: 0\ntimeouts: {first_token: 300ms, idle: 10s, total: 20s}")
    upstream.on("dear", keeps_alive(data))
    begin = time.monotonic()
    r = g.chat(HARD, stream=True)
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] != "dear" and time.monotonic() - begin < 5
    r = g.chat(HARD, model="dear", stream=True)
    assert r.status_code == 504 and "no content within 300 ms" in r.text


@pytest.mark.parametrize("data", ALIVE.values(), ids=ALIVE)
def test_what_only_keeps_alive_is_silence(start_gateway, upstream, data):
    g = start_gateway(expert="retries: 0\ntimeouts: {first_token: 10s, idle: 300ms, total: 20s}")
    upstream.on("dear", keeps_alive(data, delta("one ")))
    begin = time.monotonic()
    r = g.chat(HARD, stream=True)
    assert "the answer stopped for 300 ms" in r.text and time.monotonic() - begin < 5


@pytest.mark.parametrize("thought", ["reasoning_content", "reasoning"])
def test_thinking_is_content(start_gateway, upstream, thought):
    g = start_gateway(expert="retries: 0\ntimeouts: {first_token: 400ms, idle: 400ms, total: 20s}")

    def thinks(r):
        r.head(content_type="text/event-stream")
        for _ in range(8):
            r.event({**delta(), "choices": [{"index": 0, "delta": {thought: "hm "}, "finish_reason": None}]})
            time.sleep(0.1)
        r.event(delta("42", finish="stop"))
        r.event(b"[DONE]")
        r.end()
    upstream.on("dear", thinks)
    r = g.chat(HARD, stream=True)
    assert r.headers["x-leeroo-expert"] == "dear" and "42" in r.text and "error" not in r.text


def test_blank_lines_before_a_whole_answer_are_waited_out(start_gateway, upstream):
    g = start_gateway(expert="retries: 0\ntimeouts: {idle: 200ms, total: 20s}")

    def slow(r):
        body = json.dumps({"choices": [{"message": {"role": "assistant", "content": "late"},
                                        "finish_reason": "stop"}]}).encode()
        r.head()
        for _ in range(3):
            r.chunk(b"\n")
            time.sleep(0.15)
        time.sleep(0.3)
        r.chunk(body)
        r.end()
    upstream.on("dear", slow, answer())
    r = g.chat(HARD)
    assert r.headers["x-leeroo-expert"] == "dear" and r.json()["choices"][0]["message"]["content"] == "late"


# Cooldowns

def now_and_then(every, code, after):
    """Every so many requests one is refused with Retry-After; the others are answered."""
    count = itertools.count(1)

    def behave(r):
        if next(count) % every == 0:
            return r.whole(code, {"error": {"message": "busy", "type": "t"}}, [("retry-after", after)])
        return answer(delay=0.02)(r)
    return behave


def crowd(g, requests, threads, **chat):
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda _: g.chat(HARD, **chat), range(requests)))


@pytest.mark.parametrize("code", [503, 429])
def test_one_that_asks_for_a_second_turns_nobody_else_away(start_gateway, upstream, code):
    """litellm #8668: the only expert cools down after one failure, and everybody else is refused meanwhile."""
    g = start_gateway(expert="retries: 0\nbreaker: off")
    upstream.on("dear", now_and_then(20, code, "1"))
    replies = crowd(g, 150, 10, model="dear")
    failed = [r for r in replies if r.status_code != 200]
    assert 0 < len(failed) <= 8 and len(upstream.of("dear")) == 150  # those that were refused up there, and no others
    assert {r.status_code for r in failed} == {502 if code == 503 else 429}
    assert all(r.headers["retry-after"] == "1" and "busy" in r.text for r in failed)


def test_a_cooldown_is_told_as_what_it_is(start_gateway, upstream):
    """litellm #40718: what cools down after a 503 is no 429, and the client hears when to come back."""
    g = start_gateway(expert="retries: 0\nbreaker: off\nqueue: {timeout: 2s}")
    upstream.on("dear", status(503, headers=[("retry-after", "20")]), answer())
    assert g.chat(HARD, model="dear").status_code == 502
    r = g.chat(HARD, model="dear")
    assert r.status_code == 503 and r.json()["error"]["code"] == "overloaded"
    assert "dear: cooling down since it answered 503" in r.json()["error"]["message"]
    assert 15 <= int(r.headers["retry-after"]) <= 20
    g.wait_line(r"msg=cooldown expert=dear wait_ms=20000 status=503")


@pytest.mark.parametrize("headers", [
    [("retry-after", "86400")], [("retry-after", "99999999999999999999")], [("retry-after-ms", "999999999")],
    [("retry-after", "Fri, 31 Dec 2099 23:59:59 GMT")],
], ids=["a day", "1e20", "milliseconds", "a date"])
def test_no_delay_is_longer_than_the_cap(start_gateway, upstream, headers):
    """urllib3 #3743, whoop-mcp #17: one absurd Retry-After stops everything for years."""
    g = start_gateway(expert="retries: 0\nretry_after_max: 90s")
    upstream.on("dear", status(429, headers=headers), answer("fine"))
    assert g.chat(HARD, model="dear").headers["retry-after"] == "90"
    g.wait_line(r"msg=cooldown expert=dear wait_ms=90000")
    g.popen.send_signal(signal.SIGHUP)
    g.wait_line("msg=reloaded")
    assert g.chat(HARD, model="dear").status_code == 200  # an operator's reload lifts it


@pytest.mark.parametrize("value", ["1000000000", "1764432000", "nan", "-1e20", "Sun, 06 Nov 1994 08:49:37 GMT"])
def test_what_is_no_delay_bars_nobody(start_gateway, upstream, value):
    g = start_gateway(expert="retries: 0\nbreaker: off")
    upstream.on("dear", status(429, headers=[("retry-after", value)]), answer("fine"))
    assert g.chat(HARD, model="dear").status_code == 429
    assert g.chat(HARD, model="dear").status_code == 200


def test_a_probe_finds_a_recovered_expert_before_its_time(start_gateway, upstream):
    g = start_gateway(expert="retries: 0\nbreaker: off\nqueue: {timeout: 1s}")
    upstream.on("dear", status(429, headers=[("retry-after", "200")]), answer("fine"))
    assert g.chat(HARD, model="dear").status_code == 429
    begin = time.monotonic()
    while g.chat(HARD, model="dear").status_code != 200:
        assert time.monotonic() - begin < 30
        time.sleep(0.5)
    assert time.monotonic() - begin > 8 and len(upstream.of("dear")) == 2
    g.wait_line(r"msg=\"cooldown lifted\" expert=dear by=probe")
