"""What agents send: long conversations with tools, in whatever form, to experts that are particular about it."""

import json

import pytest

import speakers
from upstream import answer

HELLO = {"role": "user", "content": "hello cat"}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=="


@pytest.fixture(params=["openai", "anthropic"])
def dialect(request):
    return request.param


@pytest.fixture
def pool(start_gateway, upstream, dialect):
    """All experts speak one dialect, and answer in it."""
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, speakers.speak())
    return start_gateway(expert=f"dialect: {dialect}\nretries: 0")


def post(gateway, path, body, status=200, headers=None):
    r = gateway.client.post(path, json={"model": "leeroo", **body}, headers=headers)
    assert r.status_code == status, r.text
    return r


def call(arguments):
    return {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}]}


RESULT = {"role": "tool", "tool_call_id": "c1", "content": "no JSON"}


@pytest.mark.parametrize("arguments", ['{"path": "/tm', "[1]", '{"a": NaN}', "", "null"])
def test_a_call_that_was_cut_off_does_not_end_the_conversation(pool, upstream, dialect, arguments):
    """CLIProxyAPI #2001, livekit/agents #6308, openai-agents-python #2061: its arguments are no JSON, and the client sends them back."""
    post(pool, "/v1/chat/completions", {"messages": [HELLO, call(arguments), RESULT]})
    post(pool, "/v1/responses", {"input": [
        HELLO, {"type": "function_call", "call_id": "c1", "name": "f", "arguments": arguments},
        {"type": "function_call_output", "call_id": "c1", "output": "no JSON"}]})
    want = {"invalid_json": arguments} if arguments else {}
    for r in upstream.requests:
        sent = r.json["messages"][1]
        if dialect == "anthropic":
            assert sent["content"][0]["input"] == want
        else:
            assert json.loads(sent["tool_calls"][0]["function"]["arguments"]) == want


def test_input_of_a_tool_that_is_no_object(pool, upstream, dialect):
    if dialect == "openai":
        post(pool, "/v1/messages", {"max_tokens": 9, "messages": [
            HELLO, {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": [1]}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "no"}]}]})
        arguments = upstream.requests[-1].json["messages"][1]["tool_calls"][0]["function"]["arguments"]
        assert json.loads(arguments) == {"invalid_json": "[1]"}


def strict(r):
    """As chat templates of open models: one system message, the first; user and assistant by turns."""
    roles = [m["role"] for m in r.json["messages"]]
    turns = [role for role in roles if role != "system"]
    if "system" in roles[1:] or "developer" in roles or any(a == b == "user" for a, b in zip(turns, turns[1:])):
        r.whole(400, {"error": {"message": "System message must be at the beginning.", "type": "BadRequestError"}})
    else:
        answer()(r)


LATE = {"role": "system", "content": "agents: none"}
SAID = "<system-reminder>\nagents: none\n</system-reminder>"


def test_a_system_message_amid_the_conversation_reaches_strict_templates(start_gateway, upstream):
    """CLIProxyAPI #3608, ollama #17774, claude-code #77698: it is refused because it is not the first."""
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, strict)
    g = start_gateway(expert="retries: 0")
    post(g, "/v1/messages", {"max_tokens": 9, "system": "You help.", "messages": [HELLO, LATE]})
    assert upstream.requests[-1].json["messages"] == [{"role": "system", "content": "You help."},
                                                      {"role": "user", "content": f"hello cat\n\n{SAID}"}]
    first = {"role": "system", "content": "s"}
    for late in (LATE, {"role": "developer", "content": [{"type": "text", "text": "agents: none"}]}):
        said = {"role": "assistant", "content": "b"}
        post(g, "/v1/chat/completions", {"messages": [first, first, HELLO, said, late, HELLO]})
        assert upstream.requests[-1].json["messages"] == [{"role": "system", "content": "s\n\ns"}, HELLO, said,
                                                          {"role": "user", "content": f"{SAID}\n\nhello cat"}]
        post(g, "/v1/chat/completions", {"messages": [late, HELLO, call("{}"), late, RESULT]})
        assert [m["role"] for m in upstream.requests[-1].json["messages"]] == ["system", "user", "assistant", "tool", "user"]
    post(g, "/v1/responses", {"instructions": "s", "input": [{"role": "developer", "content": "d"}, HELLO, {
        "role": "developer", "content": "agents: none"}]})
    assert upstream.requests[-1].json["messages"] == [{"role": "system", "content": "s\n\nd"},
                                                      {"role": "user", "content": f"hello cat\n\n{SAID}"}]


def test_a_system_message_amid_the_conversation_stays_at_its_place_for_anthropic(start_gateway, upstream):
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, speakers.speak())
    g = start_gateway(expert="dialect: anthropic")
    post(g, "/v1/chat/completions", {"messages": [{"role": "system", "content": "s"}, HELLO, LATE]})
    sent = upstream.requests[-1].json
    assert sent["system"] == [{"type": "text", "text": "s"}]
    assert sent["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hello cat"},
                                                             {"type": "text", "text": SAID}]}]


def test_an_expert_may_take_system_messages_anywhere(start_gateway, upstream):
    g = start_gateway(expert="system_messages: anywhere")
    post(g, "/v1/chat/completions", {"messages": [HELLO, LATE]})
    assert upstream.requests[-1].json["messages"] == [HELLO, LATE]


def test_functions_without_properties(start_gateway, upstream):
    g = start_gateway()
    empty = {"type": "object", "properties": {}}
    for parameters in ({"parameters": {"type": "object"}}, {"parameters": None}, {}):
        post(g, "/v1/chat/completions", {"messages": [HELLO], "tools": [{"type": "function", "function": {"name": "f", **parameters}}]})
        assert upstream.requests[-1].json["tools"][0]["function"]["parameters"] == empty
    post(g, "/v1/messages", {"max_tokens": 9, "messages": [HELLO], "tools": [{"name": "f", "input_schema": {"type": "object"}}]})
    assert upstream.requests[-1].json["tools"][0]["function"]["parameters"] == empty


def test_a_picture_that_a_tool_gave_back_is_seen(pool, upstream, dialect):
    """litellm PR #34462: with chat experts the conversation was refused from then on."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    messages = [HELLO, {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Read", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [image]}]}]
    post(pool, "/v1/messages", {"max_tokens": 9, "messages": messages})
    sent = upstream.requests[-1].json["messages"]
    if dialect == "anthropic":
        assert sent == messages
        return
    assert sent[2] == {"role": "tool", "tool_call_id": "t1", "content": "(in the next message)"}
    assert sent[3]["role"] == "user"
    assert sent[3]["content"][1] == {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}


def test_a_picture_in_a_chat_tool_message(pool, upstream, dialect):
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    post(pool, "/v1/chat/completions", {"messages": [HELLO, call("{}"), {**RESULT, "content": [part]}, HELLO]})
    sent = upstream.requests[-1].json["messages"]
    assert PIXEL in json.dumps(sent[2 if dialect == "anthropic" else 3])
    assert [m["role"] for m in sent] == ["user", "assistant", "user"] if dialect == "anthropic" else [
        "user", "assistant", "tool", "user"]
