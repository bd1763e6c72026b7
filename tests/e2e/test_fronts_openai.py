"""OpenAI's other two APIs, legacy completions and responses, through the gateway with the official client."""

import json
import sys
from decimal import Decimal

import openai
import pytest

from conftest import EXPERTS, ROOT
from test_gateway import price
from upstream import answer, delta, error_event

sys.path.insert(0, str(ROOT / "tests" / "sessions"))
from scripted import SIGNATURE, Script  # noqa: E402

TOOL = {"type": "function", "name": "weather", "description": "of a city", "strict": True,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
                       "additionalProperties": False}}
EASY = "two hello sum cat colour hello"


@pytest.fixture
def client(gateway):
    with openai.OpenAI(base_url=gateway.url + "/v1", api_key="client-secret", max_retries=0) as c:
        yield c


def events(*chunks):
    def behave(r):
        r.head(content_type="text/event-stream")
        for c in chunks:
            r.event(c)
        r.event({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
                 "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}})
        r.event(b"[DONE]")
        r.end()
    return behave


def calls(*pieces):
    return {**delta(), "choices": [{"index": 0, "delta": {"tool_calls": list(pieces)}, "finish_reason": None}]}


def test_completions(upstream, client):
    upstream.on("cheap", answer("hello cat", (11, 7)))
    reply = client.completions.create(model="leeroo", prompt=EASY, stop=["x"])
    assert reply.object == "text_completion" and reply.choices[0].text == "hello cat"
    assert reply.usage.prompt_tokens == 11 and reply.leeroo["expert"] == "cheap"
    sent = upstream.requests[-1].json
    assert sent["messages"] == [{"role": "user", "content": EASY}]
    assert sent["max_tokens"] == 16 and sent["stop"] == ["x"] and "prompt" not in sent


def test_completions_streamed(upstream, client):
    upstream.on("cheap", answer("one two", (11, 7)))
    chunks = list(client.completions.create(model="leeroo", prompt=EASY, stream=True, max_tokens=50,
                                            stream_options={"include_usage": True}))
    assert "".join(c.choices[0].text for c in chunks if c.choices) == "one two "
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens == 7
    assert Decimal(str(chunks[-1].leeroo["cost_usd"])) == price("cheap", (11, 7))


def test_what_is_left_out_of_a_request_is_said_in_a_header_and_the_log(upstream, gateway, client):
    """ik_llama.cpp #1964, token_proxy #307: built-in tools beside functions are no reason to refuse"""
    upstream.on("cheap", answer("hello", (11, 7)))
    raw = client.responses.with_raw_response.create(
        model="leeroo", input=EASY, tools=[TOOL, {"type": "web_search"}, {"type": "x\r\ny: z"}])
    assert raw.headers["x-leeroo-dropped"] == "tools.web_search, tools.x_r_ny:_z"
    assert [t["function"]["name"] for t in upstream.requests[-1].json["tools"]] == ["weather"]
    line = gateway.access(raw.headers["x-leeroo-request-id"])
    assert line["dropped"] == "tools.web_search,tools.x_r_ny:_z"
    plain = client.responses.with_raw_response.create(model="leeroo", input=EASY, tools=[TOOL])
    assert "x-leeroo-dropped" not in plain.headers


def test_a_wish_that_one_expert_cannot_grant_is_said_where_it_answers(start_gateway, upstream):
    for name in EXPERTS:
        upstream.on(name, Script([{"text": "PONG"}]))
    gateway = start_gateway(dialects={"cheap": "anthropic"})
    for model, dropped in (("cheap", "verbosity"), ("mid", None)):
        reply = gateway.client.post("/v1/responses", json={"model": model, "input": EASY, "text": {"verbosity": "low"}})
        assert reply.status_code == 200, reply.text
        assert reply.headers.get("x-leeroo-dropped") == dropped
    assert upstream.of("mid")[0].json["verbosity"] == "low" and "verbosity" not in upstream.of("cheap")[0].json


def test_completions_that_chat_cannot_express_are_refused_by_name(upstream, client):
    for more in ({"echo": True}, {"suffix": "x"}, {"best_of": 2}, {"prompt": ["a", "b"]}, {"prompt": [1, 2]}):
        with pytest.raises(openai.BadRequestError) as e:
            client.completions.create(**{"model": "leeroo", "prompt": EASY, **more})
        assert e.value.param == next(iter(more))
    assert not upstream.requests


def test_responses(gateway, upstream, client):
    upstream.on("cheap", answer("hello cat", (11, 7)))
    raw = client.responses.with_raw_response.create(model="leeroo", input=EASY, instructions="Be brief",
                                                    metadata={"k": "v"}, max_output_tokens=50, store=True)
    reply = raw.parse()
    assert reply.output_text == "hello cat" and reply.status == "completed" and reply.store is False
    assert reply.metadata == {"k": "v"} and reply.instructions == "Be brief"
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (11, 7)
    assert reply.id == raw.headers["x-leeroo-request-id"].replace("req_", "resp_")
    assert reply.leeroo["expert"] == "cheap"
    assert gateway.access(raw.headers["x-leeroo-request-id"])["cost_usd"] == f"{price('cheap', (11, 7)):.9f}"
    sent = upstream.requests[-1].json
    assert sent["messages"] == [{"role": "system", "content": "Be brief"}, {"role": "user", "content": EASY}]
    assert sent["max_completion_tokens"] == 50 and "metadata" not in sent and "store" not in sent


def test_responses_streamed(upstream, client):
    upstream.on("cheap", answer("one two", (11, 7)))
    with client.responses.stream(model="leeroo", input=EASY) as stream:
        seen = list(stream)
        final = stream.get_final_response()
    assert [e.sequence_number for e in seen] == list(range(len(seen)))
    assert "".join(e.delta for e in seen if e.type == "response.output_text.delta") == "one two "
    assert final.output_text == "one two " and final.usage.total_tokens == 18
    assert Decimal(str(final.leeroo["cost_usd"])) == price("cheap", (11, 7))


def test_responses_with_tools_over_two_turns(upstream, client):
    upstream.on("cheap", events(
        delta("Looking."),
        calls({"index": 0, "id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city":'}}),
        calls({"index": 0, "function": {"arguments": '"Bern"}'}}),
        calls({"index": 1, "id": "b", "type": "function", "function": {"name": "weather",
                                                                       "arguments": '{"city":"Rome"}'}}),
        delta(finish="tool_calls")))
    with client.responses.stream(model="leeroo/cheapest", input="Weather?", tools=[TOOL]) as stream:
        first = stream.get_final_response()
    asked = [o for o in first.output if o.type == "function_call"]
    assert [(o.call_id, o.parsed_arguments) for o in asked] == [("a", {"city": "Bern"}), ("b", {"city": "Rome"})]

    upstream.on("cheap", answer("Fine.", (20, 2)))
    items = [{"role": "user", "content": "Weather?"}, *[o.to_dict() for o in first.output]]
    items += [{"type": "function_call_output", "call_id": o.call_id, "output": "sunny"} for o in asked]
    second = client.responses.create(model="leeroo/cheapest", input=items, tools=[TOOL])
    assert second.output_text == "Fine."
    sent = upstream.requests[-1].json
    assert [m["role"] for m in sent["messages"]] == ["user", "assistant", "tool", "tool"]
    assert sent["messages"][1]["content"] == "Looking."
    assert [json.loads(t["function"]["arguments"])["city"] for t in sent["messages"][1]["tool_calls"]] == [
        "Bern", "Rome"]
    assert sent["tools"][0]["function"]["strict"] is True


AGENT = {"client_metadata": {"x-turn": "1"}, "prompt_cache_key": "k", "store": False,
         "include": ["reasoning.encrypted_content"], "reasoning": {"summary": "auto"}}
AGENT_TOOLS = [
    TOOL, {"type": "web_search", "external_web_access": False},
    {"type": "custom", "name": "patch", "description": "d", "format": {"type": "text"}},
    {"type": "namespace", "name": "agents", "description": "d", "tools": [{**TOOL, "name": "spawn"}]},
    {"type": "local_shell"}]


def call_of(name, arguments, number=0):
    return {"index": number, "id": f"t{number}", "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)}}


@pytest.mark.parametrize("stream", [False, True])
def test_an_agents_tools_are_called_and_answered(upstream, client, stream):
    """ggml-org/llama.cpp #23041, #20156, Semoss #2532: client_metadata, custom and namespace tools, images as an output"""
    made = [call_of("patch", {"input": "*** Begin \"x\"\n"}, 0), call_of("agents__spawn", {"city": "Bern"}, 1),
            call_of("local_shell", {"command": ["ls"]}, 2)]
    if stream:
        upstream.on("cheap", events(calls(*made), {**delta(), "choices": [
            {"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}))
    else:
        upstream.on("cheap", lambda r: r.whole(200, {"id": "c1", "object": "chat.completion", "created": 1, "model": "m",
                    "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
                        "role": "assistant", "content": None, "tool_calls": made}}],
                    "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}}))
    reply = client.responses.create(model="cheap", input=EASY, tools=AGENT_TOOLS, extra_body=AGENT, stream=stream)
    if stream:
        seen = list(reply)
        assert "response.custom_tool_call_input.delta" in [e.type for e in seen]
        reply = seen[-1].response
    patch, spawn, shell = reply.output
    assert (patch.type, patch.name, patch.input) == ("custom_tool_call", "patch", "*** Begin \"x\"\n")
    assert (spawn.type, spawn.namespace, spawn.name) == ("function_call", "agents", "spawn")
    assert (shell.type, shell.action.command) == ("local_shell_call", ["ls"])
    upstream.on("cheap", answer("done", (11, 7)))
    history = [{"role": "user", "content": EASY}] + [i.model_dump(exclude_none=True) for i in reply.output] + [
        {"type": "custom_tool_call_output", "call_id": "t0", "output": "ok"},
        {"type": "function_call_output", "call_id": "t1", "output": [
            {"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]},
        {"type": "local_shell_call_output", "id": "t2", "output": "a b"}]
    assert client.responses.create(model="cheap", input=history, tools=AGENT_TOOLS, extra_body=AGENT).output_text
    sent = upstream.requests[-1].json["messages"]
    assert [c["function"]["name"] for c in sent[1]["tool_calls"]] == ["patch", "agents__spawn", "local_shell"]
    assert json.loads(sent[1]["tool_calls"][0]["function"]["arguments"]) == {"input": "*** Begin \"x\"\n"}
    assert [m.get("tool_call_id") for m in sent[2:5]] == ["t0", "t1", "t2"]
    assert "data:image/png;base64,AAAA" in json.dumps(sent)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_what_an_expert_thought_comes_back_to_it(start_gateway, upstream, dialect, stream):
    """claude-code-router #1378, 9router #355: as reasoning_content, or as the thinking that Anthropic signed"""
    script = Script([{"reasoning": "I call it", "calls": [{"id": "t1", "name": "weather", "arguments": {"city": "Bern"}}]},
                     {"text": "done"}, {"text": "other"}])
    for name in EXPERTS:
        upstream.on(name, script)
    gateway = start_gateway(dialects=dict.fromkeys(EXPERTS, dialect))
    with openai.OpenAI(base_url=gateway.url + "/v1", api_key="client-secret", max_retries=0) as client:
        reply = client.responses.create(model="cheap", input=EASY, tools=[TOOL], stream=stream)
        reply = list(reply)[-1].response if stream else reply
        assert reply.output[0].type == "reasoning" and reply.output[0].summary[0].text == "I call it"
        history = [{"role": "user", "content": EASY}, *[i.model_dump(exclude_none=True) for i in reply.output],
                   {"type": "function_call_output", "call_id": "t1", "output": "sunny"}]
        assert client.responses.create(model="cheap", input=history, tools=[TOOL]).output_text == "done"
        client.responses.create(model="dear", input=history, tools=[TOOL])
    mine, others = (r.json["messages"][1] for r in script.asked[1:])
    if dialect == "openai":
        assert mine["reasoning_content"] == "I call it" and "reasoning_origin" not in mine
        assert "reasoning_content" not in others and others["tool_calls"] == mine["tool_calls"]
    else:
        assert mine["content"][0] == {"type": "thinking", "thinking": "I call it", "signature": SIGNATURE}
        assert [b["type"] for b in others["content"]] == ["tool_use"]


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_a_call_that_was_interrupted_has_an_output_nevertheless(start_gateway, upstream, dialect):
    for name in EXPERTS:
        upstream.on(name, Script([{"text": "done"}]))
    gateway = start_gateway(dialects=dict.fromkeys(EXPERTS, dialect))
    call = {"type": "function_call", "call_id": "t1", "name": "weather", "arguments": "{}"}
    reply = gateway.client.post("/v1/responses", json={"model": "cheap", "tools": [TOOL], "input": [
        {"role": "user", "content": EASY}, call, {"role": "user", "content": "go on"}]})
    assert reply.status_code == 200, reply.text
    sent = upstream.requests[-1].json["messages"]
    if dialect == "openai":
        assert [m["role"] for m in sent] == ["user", "assistant", "tool", "user"] and sent[2]["tool_call_id"] == "t1"
    else:
        assert [b["type"] for b in sent[2]["content"]] == ["tool_result", "text"]


def test_a_websocket_is_answered_so_that_the_client_takes_http_at_once(gateway):
    """Codex falls back at 426 alone; at other statuses it tries five times more, for seven seconds."""
    ask = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13",
           "sec-websocket-key": "ivGAo9qhpt3sqPKNFadckw=="}
    reply = gateway.client.get("/v1/responses", headers=ask)
    assert reply.status_code == 426 and reply.headers["allow"] == "POST"
    assert gateway.client.get("/v1/responses").status_code == 405
    assert gateway.client.get("/v1/models", headers=ask).status_code == 200


def test_responses_that_need_memory_are_refused_by_name(upstream, client):
    for more in ({"previous_response_id": "resp_1"}, {"background": True}):
        with pytest.raises(openai.BadRequestError) as e:
            client.responses.create(model="leeroo", input=EASY, **more)
        assert e.value.param == next(iter(more))
    assert not upstream.requests


def test_responses_stream_that_fails_raises(upstream, client):
    """litellm #40578: an error inside a stream is an error to the client"""
    upstream.on("cheap", error_event("one "))
    seen = []
    with pytest.raises(openai.APIError) as e:
        for event in client.responses.create(model="cheap", input=EASY, stream=True):
            seen.append(event)
    assert seen[-1].type == "response.failed" and seen[-1].response.error.code == "server_error"
    assert seen[-1].response.output_text == "one " and e.value.message
