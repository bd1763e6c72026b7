"""What is waited for, and for how long: first content, silence, cooldowns, and the end of them."""

import json
import time

import pytest

from test_gateway_faults import HARD
from upstream import answer, delta

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
