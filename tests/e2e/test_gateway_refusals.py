"""Refusals that are one expert's own: another expert takes the request, or the client hears them in words it knows."""


import json

import pytest

from speakers import speak
from test_gateway_faults import HARD, sse
from test_gateway_failing import experts
from test_keys import STATE, Desk, bearer
from upstream import error_event, status

LONG = [{"role": "user", "content": "proof lemma " * 800}]
OWN = {
    "context_length_exceeded": ("This model's maximum context length is 8192 tokens", "context_length_exceeded"),
    "unsupported_value": ("'temperature' does not support 0.2 with this model", "unsupported_value"),
    "unsupported_parameter": ("'logprobs' is not supported with this model", "unsupported_parameter"),
    "unrecognized": ("Unrecognized request argument supplied: reasoning_effort", None),
    "content_filter": ("The response was filtered", "content_filter"),
    "tools": ("gemma does not support tools", None),
    "template": ("Conversation roles must alternate user/assistant/user/assistant/...", None),
}
OF_REQUEST = {
    "schema": ("Invalid schema for response_format 'x': 'oneOf' is not supported", "invalid_json_schema"),
    "missing": ("Missing required parameter: 'messages'.", "missing_required_parameter"),
    "value": ("Invalid value: 'foo'.", "invalid_value"),
}
PATHS = {"chat": "/v1/chat/completions", "completions": "/v1/completions", "responses": "/v1/responses",
         "messages": "/v1/messages"}


@pytest.fixture
def desk(leeroo, tmp_path):
    return Desk(leeroo, tmp_path)


def said(message, code, **more):
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code, **more}}


def anthropic_error(message, kind="invalid_request_error"):
    return {"type": "error", "error": {"type": kind, "message": message}}


def ask(g, front, text, model="leeroo/best", **more):
    body = {"chat": {"messages": [{"role": "user", "content": text}]}, "completions": {"prompt": text},
            "responses": {"input": text}, "messages": {"messages": [{"role": "user", "content": text}], "max_tokens": 9}}
    return g.client.post(PATHS[front], json={"model": model, **body[front], **more})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("words", OWN.values(), ids=OWN)
def test_what_only_one_expert_refuses_goes_to_the_next(start_gateway, upstream, words, stream):
    """OmniRoute #8942, claude-code-router #252: a 400 about the model that was chosen was the end of the request."""
    g = start_gateway(expert="retries: 2\nbreaker: {failures: 1}")
    upstream.on("dear", status(400, body=said(*words)))
    for _ in range(2):
        r = g.chat(HARD, stream=stream)
        assert r.status_code == 200 and r.headers["x-leeroo-expert"] != "dear" and "hello" in r.text
    assert len(upstream.of("dear")) == 2 and experts(g)["dear"]["state"] == "closed"
    r = g.chat(HARD, model="dear", stream=stream)
    assert r.status_code == 400 and r.json() == said(*words)  # asked for by name: as it says it


@pytest.mark.parametrize("front", PATHS)
@pytest.mark.parametrize("code", [400, 413, 422])
def test_on_every_front(start_gateway, upstream, front, code):
    g = start_gateway(expert="retries: 0")
    upstream.on("dear", status(code, body=said(*OWN["content_filter"])))
    r = ask(g, front, "prove quantum lemma")
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] != "dear", r.text


@pytest.mark.parametrize("fault", [
    status(200, body=said(*OWN["content_filter"])), error_event(error=said(*OWN["tools"])["error"]),
], ids=["inside a whole answer", "inside a stream"])
def test_a_refusal_inside_a_success(start_gateway, upstream, fault):
    g = start_gateway(expert="retries: 2")
    upstream.on("dear", fault)
    r = g.chat(HARD, stream=fault.__qualname__.startswith("error_event"))
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] != "dear" and len(upstream.of("dear")) == 1


@pytest.mark.parametrize("words", OF_REQUEST.values(), ids=OF_REQUEST)
def test_what_is_wrong_with_the_request_is_told_at_once(start_gateway, upstream, words):
    g = start_gateway(expert="retries: 2")
    upstream.on("dear", status(400, body=said(*words)))
    r = g.chat(HARD)
    assert r.status_code == 400 and r.json() == said(*words) and len(upstream.requests) == 1


@pytest.mark.parametrize("front", PATHS)
def test_a_conversation_that_fits_nobody_is_refused_in_known_words(start_gateway, upstream, front):
    """claude-code-router #1799, taOS #1738: agents compact only what is called by its name."""
    g = start_gateway(expert="context: 800")
    r = ask(g, front, LONG[0]["content"])
    e = r.json()["error"]
    assert r.status_code == 400 and e["type"] == "invalid_request_error" and not upstream.requests
    if front == "messages":
        n, m = [int(x) for x in e["message"].removeprefix("prompt is too long: ").removesuffix(" maximum").split(" tokens > ")]
    else:
        assert e["code"] == "context_length_exceeded" and "dear: context too short" in e["message"]
        words = e["message"].split()
        m, n = int(words[6]), int(words[13])
        assert e["message"].startswith(f"This model's maximum context length is {m} tokens. However, your messages resulted in {n}")
    assert m == 800 and n > 2000


def check_failed(r, words):
    """What Codex looks for: response.failed with the code, inside the stream; a 400 ends its turn."""
    events = [json.loads(e) for e in sse(r.text)]
    assert r.status_code == 200 and [e["type"] for e in events][-2:] == ["response.failed", "error"]
    e = events[-2]["response"]["error"]
    assert e["code"] == events[-1]["code"] == "context_length_exceeded" and words in e["message"]


def test_codex_hears_of_an_overflow_inside_the_stream(start_gateway, upstream):
    g = start_gateway(expert="context: 800")
    r = ask(g, "responses", LONG[0]["content"], stream=True)
    check_failed(r, "maximum context length is 800 tokens")
    assert r.headers["content-type"].startswith("text/event-stream") and r.headers["x-leeroo-request-id"]
    g.wait_line(r"msg=request .*status=400 .*maximum context length")


@pytest.mark.parametrize("front", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_an_experts_own_words_come_in_the_clients(start_gateway, upstream, front, stream):
    def config(dialect):
        return {"urls": {"dear": f"{upstream.url}\n    dialect: {dialect}"}, "expert": "retries: 0"}
    theirs = anthropic_error("prompt is too long: 9000 tokens > 8000 maximum")
    g = start_gateway(**config("anthropic"))
    upstream.on("dear", status(400, body=theirs))
    r = ask(g, front, "prove quantum lemma", model="dear", stream=stream)
    if front == "responses" and stream:
        check_failed(r, "maximum context length is 8000 tokens")
        return
    e = r.json()["error"]
    assert r.status_code == 400 and "prompt is too long: 9000 tokens > 8000 maximum" in e["message"]
    if front == "messages":
        assert r.json() == theirs
    else:
        assert e["code"] == "context_length_exceeded" and "maximum context length is 8000 tokens" in e["message"]


@pytest.mark.parametrize("code,body", [
    (400, said("This model's maximum context length is 8000 tokens. However, you requested 9000 tokens (8900 in the "
               "messages, 100 in the completion).", 400)),
    (400, {"error": {"code": 400, "message": "request (9000 tokens) exceeds the available context size (8000 tokens), try "
                     "increasing it", "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 8000}}),
    (500, {"error": {"code": 500, "message": "request (9000 tokens) exceeds the available context size (8000 tokens)"}}),
    (422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8000. Given: 9000 `inputs` "
           "tokens and 0 `max_new_tokens`", "error_type": "validation"}),
], ids=["vLLM", "llama.cpp", "llama.cpp of old", "TGI"])
def test_overflows_of_other_servers_are_recognised(start_gateway, upstream, code, body):
    g = start_gateway(expert="retries: 0")
    upstream.on("dear", status(code, body=body))
    for front in PATHS:
        r = ask(g, front, "prove quantum lemma", model="dear")
        e = r.json()["error"]
        assert r.status_code == 400 and e["type"] == "invalid_request_error"
        if front == "messages":
            assert e["message"] == "prompt is too long: 9000 tokens > 8000 maximum"
        else:
            assert e["code"] == "context_length_exceeded" and "maximum context length is 8000 tokens" in e["message"]


# Fallbacks of an expert asked for by name

def with_fallbacks(upstream, names="[mid, cheap]", **options):
    return {"urls": {"dear": f"{upstream.url}\n    fallbacks: {names}"}, "expert": "retries: 0\nbreaker: off", **options}


@pytest.mark.parametrize("front", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_fallbacks_step_in_for_an_expert_asked_for_by_name(start_gateway, upstream, front, stream):
    g = start_gateway(**with_fallbacks(upstream))
    for fault in (status(500), status(400, body=said(*OWN["content_filter"])), status(401)):
        upstream.on("dear", fault)
        r = ask(g, front, "prove quantum lemma", model="dear", stream=stream)
        assert r.status_code == 200 and r.headers["x-leeroo-expert"] == "mid", r.text
    upstream.on("mid", status(500))
    r = ask(g, front, "prove quantum lemma", model="dear", stream=stream)
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] == "cheap"
    assert ask(g, front, "prove quantum lemma", model="mid", stream=stream).status_code == 502  # it has none of its own


def test_fallbacks_of_fallbacks_are_not_asked(start_gateway, upstream):
    urls = {"dear": f"{upstream.url}\n    fallbacks: [mid]", "mid": f"{upstream.url}\n    fallbacks: [cheap]"}
    g = start_gateway(urls=urls, expert="retries: 0\nbreaker: off")
    upstream.on("dear", status(500))
    upstream.on("mid", status(500))
    assert g.chat(HARD, model="dear").status_code == 502 and not upstream.of("cheap")
    assert g.chat(HARD, model="mid").headers["x-leeroo-expert"] == "cheap"


def test_what_the_request_is_at_fault_for_has_no_fallback(start_gateway, upstream):
    g = start_gateway(**with_fallbacks(upstream))
    upstream.on("dear", status(400, body=said(*OF_REQUEST["missing"])))
    assert g.chat(HARD, model="dear").status_code == 400 and len(upstream.requests) == 1


def test_a_fallback_is_asked_while_the_expert_cools_down(start_gateway, upstream):
    g = start_gateway(**with_fallbacks(upstream))
    upstream.on("dear", status(429, headers=[("retry-after", "60")]))
    for _ in range(2):
        r = g.chat(HARD, model="dear")
        assert r.status_code == 200 and r.headers["x-leeroo-expert"] == "mid"
    assert len(upstream.of("dear")) == 1


def test_a_keys_rights_hold_for_fallbacks(desk, start_gateway, upstream):
    """litellm #11083: a fallback reached what the key may not use."""
    one, two = desk.create("one", "--experts", "dear"), desk.create("two", "--experts", "dear,cheap")
    g = start_gateway(top=STATE, **with_fallbacks(upstream))
    upstream.on("dear", status(500))
    body = {"model": "dear", "messages": [{"role": "user", "content": HARD}]}
    assert g.client.post("/v1/chat/completions", json=body, headers=bearer(one)).status_code == 502
    r = g.client.post("/v1/chat/completions", json=body, headers=bearer(two))
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] == "cheap" and not upstream.of("mid")
    r = g.client.post("/v1/chat/completions", json={**body, "model": "mid"}, headers=bearer(two))
    assert r.status_code == 403


def test_a_fallback_that_lacks_what_is_asked_is_passed_over(start_gateway, upstream):
    urls = {"dear": f"{upstream.url}\n    fallbacks: [mid, cheap]", "mid": f"{upstream.url}\n    capabilities: [json]"}
    g = start_gateway(urls=urls, expert="retries: 0\nbreaker: off")
    upstream.on("dear", status(500))
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert g.chat(HARD, model="dear", tools=tools).headers["x-leeroo-expert"] == "cheap" and not upstream.of("mid")


# Parameters that an expert does not take

@pytest.mark.parametrize("front", PATHS)
@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_an_expert_is_not_sent_what_it_does_not_take(start_gateway, upstream, front, dialect):
    """joryirving/home-ops PR #9318: behind a router, temperature reached the one model that refuses it."""
    entry = f"{upstream.url}\n    dialect: {dialect}\n    drop: [temperature, top_p]\n    rename: {{max_tokens: max_new}}"
    g = start_gateway(urls={"dear": entry})
    upstream.on("dear", speak())
    limit = "max_output_tokens" if front == "responses" else "max_tokens"
    r = ask(g, front, "prove quantum lemma", model="dear", temperature=0.2, **{limit: 9})
    assert r.status_code == 200 and r.headers["x-leeroo-dropped"] == "temperature", r.text
    g.wait_line(r"msg=request .*dropped=\"?temperature")
    sent = upstream.of("dear")[0].json
    assert not {"temperature", "top_p", "max_tokens"} & set(sent) and len(sent["messages"]) == 1
    assert sent.get("max_new", sent.get("max_completion_tokens")) == 9
    r = ask(g, front, "prove quantum lemma", model="dear")
    assert "x-leeroo-dropped" not in r.headers
    upstream.on("mid", speak())
    ask(g, front, "prove quantum lemma", model="mid", temperature=0.2)
    assert upstream.of("mid")[0].json["temperature"] == 0.2


def test_embeddings_know_dropped_parameters_too(start_gateway, upstream):
    top = f"embeddings:\n  - {{name: vec, url: {upstream.url}, price: {{input: 1, output: 0}}, drop: [user], rename: {{dimensions: dim}}}}"
    g = start_gateway(top=top)
    upstream.on("vec", lambda r: r.whole(200, {"object": "list", "model": "vec", "usage": {"prompt_tokens": 1, "total_tokens": 1},
                                               "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}))
    r = g.client.post("/v1/embeddings", json={"model": "vec", "input": "x", "user": "u", "dimensions": 1})
    sent = upstream.of("vec")[0].json
    assert r.status_code == 200 and "user" not in sent and sent["dim"] == 1 and "dimensions" not in sent
