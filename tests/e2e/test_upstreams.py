"""What upstreams send that is no answer, and what clients of each API hear of it."""

import json

import pytest

import collectors
from conftest import wait_for
from upstream import delta, usage_of

ONCE = "retries: 0\nbreaker: off"
HARD = "prove quantum lemma"  # goes to dear first
USAGE = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
         "usage": usage_of((10, 5))}
GONE = {"code": 502, "message": "provider gone"}
FRONTS = {"/v1/chat/completions": {"messages": [{"role": "user", "content": HARD}]},
          "/v1/completions": {"prompt": HARD}, "/v1/responses": {"input": HARD},
          "/v1/messages": {"max_tokens": 50, "messages": [{"role": "user", "content": HARD}]}}
ROLE = {**delta(), "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}


def choice(**members):
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, **members}]}


def whole(body):
    return lambda r: r.whole(200, body)


def stream(*events, end=True):
    def behave(r):
        r.head(content_type="text/event-stream")
        for e in events:
            r.event(e)
        if end:
            r.end()
        else:
            r.wait_for_hangup(10)
    return behave


NO_ANSWERS = {
    "an error": {"error": GONE}, "an error in a choice": choice(message={"content": "half"}, finish_reason="error", error=GONE),
    "network_error": choice(message={"content": ""}, finish_reason="network_error"),
    "engine_overloaded": choice(message={"content": ""}, finish_reason="engine_overloaded"),
    "no choices": choice() | {"choices": []}, "choices null": choice() | {"choices": None},
    "no message": choice(message=None, finish_reason=None), "detail": {"detail": "oops"}, "nothing": {}, "empty": b"",
    "not JSON": b"<html>", "base_resp": {"base_resp": {"status_code": 1013, "status_msg": "busy"}, "choices": None},
}
NO_STREAMS = {
    "an end mark": [b"[DONE]"], "a role and an end mark": [ROLE, b"[DONE]"], "nothing": [],
    "an error in a choice": [ROLE, choice(delta={"content": ""}, finish_reason="error", error=GONE), b"[DONE]"],
    "network_error": [ROLE, choice(delta={}, finish_reason="network_error"), b"[DONE]"],
    "blank finish reasons": [{**ROLE, "choices": [{**ROLE["choices"][0], "finish_reason": ""}]}],
    "detail": [{"detail": "oops"}, b"[DONE]"], "not JSON": [b"{nope", b"[DONE]"],
}


def mistaken(g, upstream, behave, **more):
    upstream.on("dear", behave)
    r = g.chat(HARD, **more)
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] != "dear", r.text
    assert "hello" in r.text and "provider gone" not in r.text


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
@pytest.mark.parametrize("as_stream", [False, True])
def test_no_answer_inside_a_200_fails_over(start_gateway, upstream, as_stream, dialect):
    """HKUDS/nanobot PR #4288, decolua/9router #3242, genkit-ai/genkit PR #6259, BerriAI/litellm PR #41825"""
    g = start_gateway(expert=ONCE, dialects={"dear": dialect})
    for body in NO_ANSWERS.values():
        mistaken(g, upstream, whole(body), stream=as_stream)


@pytest.mark.parametrize("as_stream", [False, True])
def test_no_message_inside_a_200_fails_over(start_gateway, upstream, as_stream):
    g = start_gateway(expert=ONCE, dialects={"dear": "anthropic"})
    for body in ({"type": "error", "content": []}, {"type": "message", "content": []},
                 {"type": "message", "content": None, "stop_reason": "end_turn"}):
        mistaken(g, upstream, whole(body), stream=as_stream)


@pytest.mark.parametrize("as_stream", [False, True])
def test_a_stream_without_an_answer_fails_over(start_gateway, upstream, as_stream):
    """farion1231/cc-switch PR #5093, ollama/ollama #4357: "" is no reason to end."""
    g = start_gateway(expert=ONCE)
    for events in NO_STREAMS.values():
        mistaken(g, upstream, stream(*events), stream=as_stream)


BROKEN = {
    "an error in a choice": choice(delta={"content": ""}, finish_reason="error", error=GONE),
    "a finish reason that is a failure": choice(delta={}, finish_reason="network_error"),
    "detail": {"detail": "oops"}, "not JSON": b"{nope", "no text": '{"choices":"\udcff"}'.encode("utf8", "surrogateescape"),
    "the end": None,
}


@pytest.mark.parametrize("path", FRONTS)
def test_after_content_it_is_an_error_on_every_front(start_gateway, upstream, path):
    """sgl-project/sglang #3912. What is not JSON included: nothing of it is passed on, and no text is lost unsaid."""
    g = start_gateway(expert=ONCE)
    for name, event in BROKEN.items():
        upstream.on("dear", stream(ROLE, delta("half"), *([] if event is None else [event, delta(" more"), b"[DONE]"])))
        r = g.client.post(path, json={"model": "dear", "stream": True, **FRONTS[path]})
        events = collectors.events(r.content)
        assert "half" in r.text and "more" not in r.text and "nope" not in r.text, (name, r.text)
        last = events[-1]
        assert last[0] == "error" or (isinstance(last[1], dict) and last[1].get("error")), (name, events)
        assert "[DONE]" not in r.text and "message_stop" not in r.text and "completed" not in str(last), (name, r.text)


@pytest.mark.parametrize("path", FRONTS)
def test_nothing_behind_the_end_mark_is_read_billed_or_sent(start_gateway, upstream, path):
    g = start_gateway(expert=ONCE)
    late = {**USAGE, "usage": usage_of((10**6, 10**6))}
    upstream.on("dear", stream(delta("hello"), delta(finish="stop"), USAGE, b"[DONE]", delta("LATE"), late, end=False))
    r = g.client.post(path, json={"model": "dear", "stream": True, **FRONTS[path]})
    line = g.access(r.headers["x-leeroo-request-id"])
    assert "hello" in r.text and "LATE" not in r.text and "1000000" not in r.text
    assert (line["input_tokens"], line["output_tokens"]) == ("10", "5")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
def test_a_client_that_leaves_at_the_end_mark_has_its_answer(start_gateway, upstream, path):
    """As OpenAI's libraries do, before the transfer's end that the gateway may still wait for: traefik/traefik #7681"""
    g = start_gateway(expert=ONCE)
    upstream.on("dear", stream(delta("hello"), delta(finish="stop"), USAGE, b"[DONE]", end=False))
    with g.client.stream("POST", path, json={"model": "dear", "stream": True, **FRONTS[path]}) as r:
        next(text for text in r.iter_lines() if text == "data: [DONE]")
    line = g.access(r.headers["x-leeroo-request-id"])
    assert line["status"] == "200" and "error" not in line
    assert (line["input_tokens"], line["output_tokens"], line["basis"]) == ("10", "5", "usage")

    def counted():
        return [text for text in g.client.get("/metrics").text.splitlines() if text.startswith("leeroo_expert_calls_total")]
    calls = wait_for(counted)  # the line of the log comes a moment before
    assert len(calls) == 1 and 'outcome="answered"' in calls[0], calls


def test_two_answers_end_each_by_itself(start_gateway, upstream):
    g = start_gateway(expert=ONCE)
    second = [{**delta("b"), "choices": [
        {"index": 1, "delta": {"content": "b"}, "finish_reason": f}]} for f in (None, "stop")]
    upstream.on("dear", stream(delta("a"), second[0], delta(finish="stop")))
    assert "ended early" in g.chat(HARD, model="dear", stream=True, n=2).text
    upstream.on("dear", stream(delta("a"), *second, delta(finish="stop")))
    assert g.chat(HARD, model="dear", stream=True, n=2).text.endswith("data: [DONE]\n\n")


def test_a_good_answer_behind_odd_words_is_one(start_gateway, upstream):
    g = start_gateway(expert=ONCE)
    good = choice(message={"role": "assistant", "content": "hello"}, finish_reason="stop", error=None)
    for more in ({"error": None}, {"error": ""}, {"message": "Success"}, {"code": 0, "msg": "ok"}):
        upstream.on("dear", whole({**good, **more}))
        assert g.chat(HARD, model="dear").json()["choices"][0]["message"]["content"] == "hello"


def call(**members):
    return {"type": "function", "function": {"name": "f", "arguments": "{}"}, **members}


@pytest.mark.parametrize("sent_as_stream", [False, True])
@pytest.mark.parametrize("as_stream", [False, True])
def test_each_tool_call_has_an_id_of_its_own(start_gateway, upstream, as_stream, sent_as_stream):
    """vercel/ai #7834, dotnet/extensions #6380, camel #3027: Gemini's "" is none, and two calls may share one."""
    g = start_gateway()
    calls = [call(id=""), {"function": {"name": "f"}}, call(id="f"), call(id="f")]
    if sent_as_stream:
        upstream.on("dear", stream({**ROLE, "choices": [{"index": 0, "delta": {"tool_calls": [
            {"index": i, **c} for i, c in enumerate(calls)]}}]}, delta(finish="tool_calls"), b"[DONE]"))
    else:
        upstream.on("dear", whole(choice(message={"role": "assistant", "content": None, "tool_calls": calls},
                                         finish_reason="tool_calls")))
    r = g.chat(HARD, model="dear", stream=as_stream)
    assert r.status_code == 200, r.text
    told = collectors.chat(r.content)["choices"][0]["message"] if as_stream else r.json()["choices"][0]["message"]
    ids = [c["id"] for c in told["tool_calls"]]
    assert len(set(ids)) == 4 and ids[2] == "f" and all(ids)
    assert as_stream or all(c["type"] == "function" and c["function"]["arguments"] == "{}" for c in told["tool_calls"])


@pytest.mark.parametrize("name", ["", "event: message\n"])
def test_events_have_the_names_that_libraries_go_by(start_gateway, upstream, name):
    """Anthropic's libraries skip an event without its name, which some servers leave out."""
    g = start_gateway(dialects={"dear": "anthropic"})
    told = [{"type": "message_start", "message": {
                "id": "m", "type": "message", "role": "assistant", "model": "x", "content": [], "stop_reason": None,
                "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 1}}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 5}},
            {"type": "message_stop"}]

    def behave(r):
        r.head(content_type="text/event-stream")
        for e in told:
            r.chunk(f"{name}data: {json.dumps(e)}\n\n".encode())
        r.end()
    upstream.on("dear", behave)
    r = g.client.post("/v1/messages", json={"model": "dear", "stream": True, **FRONTS["/v1/messages"]})
    assert [n for n, _ in collectors.events(r.content)] == [e["type"] for e in told]
