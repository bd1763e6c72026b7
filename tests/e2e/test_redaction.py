"""An expert's key that its upstream sends back, in any spelling of JSON and in pieces: no client reads it, on no front."""

import json
import random
import re

import pytest
from conftest import KEY
from upstream import delta

SPELLINGS = {
    "plain": lambda c, rng: c,
    "hyphen": lambda c, rng: "\\u002d" if c == "-" else c,
    "all": lambda c, rng: f"\\u{ord(c):04x}",
    "upper": lambda c, rng: f"\\u{ord(c):04X}",
    "mixed": lambda c, rng: rng.choice([c, f"\\u{ord(c):04x}"]),
}
USAGE = {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}
FRONTS = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
    "/v1/completions": {"prompt": "hi"},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 50},
}


def spelt(kind, seed=1):
    rng = random.Random(seed)
    return "".join(SPELLINGS[kind](c, rng) for c in KEY)


def raw(obj, kind):
    return json.dumps(obj).replace("@", spelt(kind)).encode()


def leaves(value, name=""):
    if isinstance(value, str):
        yield name, value
    for key, item in value.items() if isinstance(value, dict) else ((name, v) for v in value) if isinstance(value, list) else ():
        yield from leaves(item, key)


def read(r):
    """What a client makes of an answer: every string, and what the strings of one name are when they are joined."""
    texts = [json.loads(line[5:]) for line in r.text.splitlines() if line.startswith("data:") and "[DONE]" not in line]
    if not texts:
        texts = [r.json()]
    joined = {}
    for text in texts:
        for name, value in leaves(text):
            joined[name] = joined.get(name, "") + value
    return joined


def check(r, path):
    for name, text in read(r).items():
        inner = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m.group(1), 16)), text)
        assert KEY not in text and KEY not in inner, (path, name, text)
    return r


def chat_answer(text):
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


def anthropic_answer(*texts):
    return {"id": "m1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn", "stop_sequence": None,
            "content": [{"type": "text", "text": text} for text in texts], "usage": {"input_tokens": 5, "output_tokens": 5}}


def events(r, *datas):
    r.head(content_type="text/event-stream")
    send(r, *datas)


def send(r, *datas):
    for data in datas:
        name = b"event: " + json.loads(data)["type"].encode() + b"\n" if b'"type": "' in data[:20] else b""
        r.chunk(name + b"data: " + data + b"\n\n")
    r.end()


def chat_stream(*datas):
    return lambda r: events(r, *datas, json.dumps(delta(finish="stop")).encode(), b"[DONE]")


def anthropic_stream(kind, pieces):
    return lambda r: events(r, *anthropic_datas(kind, pieces))


def anthropic_datas(kind, pieces):
    head = {"type": "message_start", "message": {**anthropic_answer(), "stop_reason": None}}
    member = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}[kind]
    block = {"text_delta": {"type": "text", "text": ""}, "thinking_delta": {"type": "thinking", "thinking": "", "signature": ""},
             "input_json_delta": {"type": "tool_use", "id": "t1", "name": "f", "input": {}}}[kind]
    middle = [b'{"type": "content_block_delta", "index": 0, "delta": {"type": "%s", "%s": "%s"}}'
              % (kind.encode(), member.encode(), p.encode()) for p in pieces]
    tail = [{"type": "content_block_stop", "index": 0}, {"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                                                         "usage": {"output_tokens": 5}}, {"type": "message_stop"}]
    start = {"type": "content_block_start", "index": 0, "content_block": block}
    return [json.dumps(head).encode(), json.dumps(start).encode(), *middle, *(json.dumps(e).encode() for e in tail)]


def ask(g, path, stream):
    body = {"model": "dear", **FRONTS[path], **({"stream": True} if stream else {})}
    return g.client.post(path, json=body)


@pytest.fixture(params=["openai", "anthropic"])
def gateway_of(request, start_gateway):
    return request.param, start_gateway(expert=f"retries: 0\nbreaker: off\ndialect: {request.param}\n")


@pytest.mark.parametrize("kind", SPELLINGS)
def test_a_key_in_escapes_is_taken_out_of_answers_and_errors(gateway_of, upstream, kind):
    """Switchyard PR #704: a key spelt in escapes passes whoever looks for its bytes."""
    dialect, g = gateway_of
    whole = chat_answer("a @ b") if dialect == "openai" else anthropic_answer("a @ b")
    for path in FRONTS:
        upstream.on("dear", lambda r: r.whole(200, raw(whole, kind)))
        r = check(ask(g, path, False), path)
        assert r.status_code == 200 and "a [redacted] b" in r.text, (path, r.text)
        stream = (chat_stream(raw(delta("a @ b"), kind)) if dialect == "openai"
                  else anthropic_stream("text_delta", [f"a {spelt(kind)} b"]))
        upstream.on("dear", stream)
        r = check(ask(g, path, True), path)
        assert any("a [redacted] b" in text for text in read(r).values()), (path, r.text)
        for status in (400, 401, 403, 404, 429, 500, 503):
            error = {"type": "error", "error": {"type": "t", "message": "bad key @", "code": None, "param": None}}
            upstream.on("dear", lambda r, status=status: r.whole(status, raw(error, kind)))
            for stream in (False, True):
                r = check(ask(g, path, stream), path)
                assert r.status_code >= 400
        upstream.on("dear", lambda r: events(r, raw({"type": "error", "error": {"type": "t", "message": "bad key @"}}, kind)))
        check(ask(g, path, True), path)
    assert KEY not in g.text and spelt(kind) not in g.text


def cuts(rng):
    """The key in pieces: all cuts into two, and some into more."""
    for at in range(1, len(KEY)):
        yield [KEY[:at], KEY[at:]]
    for _ in range(8):
        at = sorted(rng.sample(range(1, len(KEY)), 3))
        yield [KEY[a:b] for a, b in zip([0, *at], [*at, len(KEY)])]
    yield list(KEY)


def test_a_key_in_pieces_of_a_stream_is_taken_out(gateway_of, upstream):
    """Switchyard PR #704: nobody's event holds the key, and the client joins it again."""
    dialect, g = gateway_of
    rng, paths = random.Random(5), list(FRONTS)
    kinds = (["content", "reasoning_content", "arguments"] if dialect == "openai"
             else ["text_delta", "thinking_delta", "input_json_delta"])
    for n, pieces in enumerate(cuts(rng)):
        for kind in kinds:
            spelling = rng.choice(list(SPELLINGS))
            pieces = [spelling_of(p, spelling, rng) for p in pieces]
            if kind in ("arguments", "input_json_delta"):
                pieces = ['{\\"k\\": \\"', *pieces, '\\"}']
            else:
                pieces = ["first ", *pieces, " last"]
            if dialect == "anthropic":
                upstream.on("dear", anthropic_stream(kind, pieces))
            else:
                upstream.on("dear", chat_stream(*(piece_of(kind, p, i) for i, p in enumerate(pieces))))
            path = paths[(n + kinds.index(kind)) % 4]
            r = check(ask(g, path, True), path)
            if kind in ("content", "text_delta"):
                assert any(re.search(r"^first (s|sk|sk-)?\[redacted\] last", text) for text in read(r).values()), (pieces, r.text)
    assert KEY not in g.text


def spelling_of(text, kind, rng):
    return "".join(SPELLINGS[kind](c, rng) for c in text) if "\\" not in text else text


def piece_of(kind, text, i):
    if kind != "arguments":
        chunk = delta("@")
        chunk["choices"][0]["delta"] = {kind: "@"}
    else:
        chunk = delta("@")
        call = {"index": 0, "function": {"arguments": "@"}, **({"id": "t1", "type": "function"} if i == 0 else {})}
        if i == 0:
            call["function"]["name"] = "f"
        chunk["choices"][0]["delta"] = {"tool_calls": [call]}
    return json.dumps(chunk).encode().replace(b"@", text.encode())


def test_a_key_over_two_blocks_that_are_joined_is_taken_out(start_gateway, upstream):
    g = start_gateway(expert="retries: 0\nbreaker: off\ndialect: anthropic\n")
    upstream.on("dear", lambda r: r.whole(200, anthropic_answer("one " + KEY[:9], KEY[9:] + " two")))
    r = check(ask(g, "/v1/chat/completions", False), "chat")
    assert r.json()["choices"][0]["message"]["content"].startswith("one ")


def test_a_key_in_the_other_form_than_was_asked_for_is_taken_out(gateway_of, upstream):
    """Events where a whole answer was asked for, and the other way round."""
    dialect, g = gateway_of
    pieces = ["first ", KEY[:7], KEY[7:12], KEY[12:], " last"]
    for path in FRONTS:
        upstream.on("dear", anthropic_stream("text_delta", pieces) if dialect == "anthropic"
                    else chat_stream(*(piece_of("content", p, i) for i, p in enumerate(pieces))))
        r = check(ask(g, path, False), path)
        assert "first [redacted] last" in r.text, (path, r.text)
        whole = anthropic_answer("first @ last") if dialect == "anthropic" else chat_answer("first @ last")
        upstream.on("dear", lambda r, whole=whole: r.whole(200, raw(whole, "mixed")))
        r = check(ask(g, path, True), path)
        assert any("first [redacted] last" in text for text in read(r).values()), (path, r.text)


def test_names_of_events_and_comments_show_no_key(start_gateway, upstream):
    g = start_gateway(expert="retries: 0\nbreaker: off\ndialect: anthropic\n")

    def behave(r):
        r.head(content_type="text/event-stream")
        r.chunk(f"event: {KEY}\ndata: {{\"type\": \"{KEY}\"}}\nid: {KEY}\n\n: {KEY}\n\n".encode())
        send(r, *anthropic_datas("text_delta", ["fine"]))
    upstream.on("dear", behave)
    for path in FRONTS:
        r = ask(g, path, True)
        assert r.status_code == 200 and "fine" in r.text and KEY not in r.text, (path, r.text)


def test_a_stream_without_the_key_does_not_wait(gateway, upstream):
    """Each chunk is there before the next is sent, though nearly all texts end like the beginning of some key."""
    words = ["yes ", "it is", "s", "sk", "-", " as", "k", "caf\u00e9s", "\n", "end"]
    seen = []

    def behave(r):
        r.head(content_type="text/event-stream")
        for word in words:
            r.event(delta(word))
            for _ in range(500):
                if len(seen) > words.index(word):
                    break
                r.cancelled.wait(0.01)
            else:
                seen.append("late")
        r.event(delta(finish="stop"))
        r.event(b"[DONE]")
        r.end()
    upstream.on("dear", behave)
    body = {"model": "dear", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    with gateway.client.stream("POST", "/v1/chat/completions", json=body) as r:
        for line in r.iter_lines():
            if line.startswith("data: {") and (text := json.loads(line[6:])["choices"][0]["delta"].get("content")):
                seen.append(text)
    assert seen == words
