"""The official Python clients of OpenAI and Anthropic against the gateway, each API in front of each dialect behind:
plain, streaming, tools there and back, structured answers, images, errors, time limits, cancellation."""

import json
import time

import anthropic
import openai
import pytest
from conftest import EXPERTS, Gateway, write_config
from pydantic import BaseModel
from speakers import CALL, USAGE, WEATHER, refuse, speak
from upstream import Upstream, stall, stall_mid_stream

CHAT_TOOL = {"type": "function", "function": {"name": "get_weather", "description": "The weather of a city", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
RESPONSES_TOOL = {"type": "function", **CHAT_TOOL["function"], "strict": False}
MESSAGES_TOOL = {"name": "get_weather", "description": "The weather of a city", "input_schema": CHAT_TOOL["function"]["parameters"]}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HELLO = [{"role": "user", "content": "hello cat"}]


@pytest.fixture(scope="module", params=["openai", "anthropic"])
def stage(request, leeroo, model_file, tmp_path_factory):
    """One gateway for all tests of a dialect."""
    up = Upstream()
    config = write_config(tmp_path_factory.mktemp("clients"), model_file, up.url,
                          expert=f"dialect: {request.param}\nretries: 0\nbreaker: off\n")
    g = Gateway(leeroo, config)
    yield g, up, request.param
    g.client.close()
    assert g.stop() == 0 and "ERROR: " not in g.text and "runtime error" not in g.text, g.text
    up.close()


@pytest.fixture
def dialect(stage):
    return stage[2]


@pytest.fixture
def upstream(stage):
    up = stage[1]
    up.requests.clear()
    for name in EXPERTS:
        up.on(name, speak())
    return up


@pytest.fixture
def gateway(stage, upstream):
    return stage[0]


@pytest.fixture
def oa(gateway):
    return openai.OpenAI(base_url=gateway.url + "/v1", api_key="client-key", max_retries=0, timeout=20)


@pytest.fixture
def an(gateway):
    return anthropic.Anthropic(base_url=gateway.url, api_key="client-key", max_retries=0, timeout=20)


def sent(upstream, dialect):
    """The last request upstream, which must have come in its own dialect, with its own way to show the key."""
    r = upstream.requests[-1]
    assert r.target.split()[1] == ("/v1/messages" if dialect == "anthropic" else "/v1/chat/completions")
    assert ("x-api-key" in r.headers) == (dialect == "anthropic") and ("authorization" in r.headers) == (dialect == "openai")
    assert "client-key" not in json.dumps(dict(r.headers)) + json.dumps(r.json)
    return r.json


# Chat completions

def test_chat_plain(oa, upstream, dialect):
    a = oa.chat.completions.create(model="leeroo", messages=[{"role": "system", "content": "Be brief."}, *HELLO], max_tokens=99, temperature=0.5, stop=["END"])
    assert a.choices[0].message.content == "hello world" and a.choices[0].finish_reason == "stop"
    assert (a.usage.prompt_tokens, a.usage.completion_tokens) == USAGE
    body = sent(upstream, dialect)
    assert body["max_tokens"] == 99 and body["temperature"] == 0.5
    if dialect == "anthropic":
        assert "Be brief." in json.dumps(body["system"]) and body["stop_sequences"] == ["END"]


def test_chat_stream(oa, upstream, dialect):
    chunks = list(oa.chat.completions.create(model="leeroo", messages=HELLO, stream=True, stream_options={"include_usage": True}))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "hello world "
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == USAGE


@pytest.mark.parametrize("stream", [False, True])
def test_chat_tools_there_and_back(oa, upstream, dialect, stream):
    messages = [{"role": "user", "content": "the weather of Paris?"}]
    if stream:
        with oa.chat.completions.stream(model="leeroo", messages=messages, tools=[CHAT_TOOL]) as s:
            first = s.get_final_completion()
    else:
        first = oa.chat.completions.create(model="leeroo", messages=messages, tools=[CHAT_TOOL], tool_choice="auto")
    call = first.choices[0].message.tool_calls[0]
    assert first.choices[0].finish_reason == "tool_calls"
    assert call.function.name == "get_weather" and json.loads(call.function.arguments) == CALL
    again = [*messages, {"role": "assistant", "content": None, "tool_calls": [{"id": call.id, "type": "function", "function": {
        "name": call.function.name, "arguments": call.function.arguments}}]}, {"role": "tool", "tool_call_id": call.id, "content": WEATHER}]
    second = oa.chat.completions.create(model="leeroo", messages=again, tools=[CHAT_TOOL])
    assert second.choices[0].message.content == "hello world"
    body = sent(upstream, dialect)
    assert WEATHER in json.dumps(body["messages"][-1])
    if dialect == "anthropic":
        assert body["messages"][-1]["content"][0]["tool_use_id"] == call.id and body["tools"][0]["input_schema"]["required"] == ["city"]


def test_chat_images(oa, upstream, dialect):
    oa.chat.completions.create(model="leeroo", messages=[{"role": "user", "content": [
        {"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}]}])
    part = sent(upstream, dialect)["messages"][-1]["content"][1]
    if dialect == "anthropic":
        assert part == {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    else:
        assert part["image_url"]["url"].endswith(PIXEL)


# Structured answers

class City(BaseModel):
    city: str
    degrees: int


PARIS = City(city="Paris", degrees=21)


@pytest.fixture
def structured(upstream, dialect):
    """Experts that say PARIS; afterwards the format must have reached one in its own dialect's words."""
    for name in EXPERTS:
        upstream.on(name, speak(PARIS.model_dump_json()))
    yield
    for r in upstream.requests:
        wanted = r.json["output_config"]["format"] if dialect == "anthropic" else r.json["response_format"]
        assert wanted["type"] == "json_schema" and '"degrees"' in json.dumps(wanted)


def test_chat_structured(oa, structured):
    asked = {"model": "leeroo", "messages": HELLO, "response_format": City}
    assert oa.chat.completions.parse(**asked).choices[0].message.parsed == PARIS
    with oa.chat.completions.stream(**asked) as s:
        assert s.get_final_completion().choices[0].message.parsed == PARIS


def test_responses_structured(oa, structured):
    asked = {"model": "leeroo", "input": "hello cat", "text_format": City}
    assert oa.responses.parse(**asked).output_parsed == PARIS
    with oa.responses.stream(**asked) as s:
        assert s.get_final_response().output_parsed == PARIS


def test_messages_structured(an, structured):
    asked = {"model": "leeroo", "max_tokens": 64, "messages": HELLO, "output_format": City}
    assert an.messages.parse(**asked).parsed_output == PARIS
    with an.messages.stream(**asked) as s:
        assert s.get_final_message().parsed_output == PARIS


# Completions and responses

def test_completions(oa):
    a = oa.completions.create(model="leeroo", prompt="hello cat", max_tokens=20)
    assert a.object == "text_completion" and a.choices[0].text == "hello world" and a.choices[0].finish_reason == "stop"
    assert (a.usage.prompt_tokens, a.usage.completion_tokens) == USAGE
    assert "".join(c.choices[0].text for c in oa.completions.create(model="leeroo", prompt="hello cat", stream=True) if c.choices) == "hello world "


def test_responses_plain(oa, upstream, dialect):
    a = oa.responses.create(model="leeroo", input="hello cat", instructions="Be brief.", max_output_tokens=77)
    assert a.output_text == "hello world" and a.status == "completed" and a.error is None
    assert (a.usage.input_tokens, a.usage.output_tokens) == USAGE
    assert "Be brief." in json.dumps(sent(upstream, dialect))


def test_responses_stream(oa):
    with oa.responses.stream(model="leeroo", input=HELLO) as s:
        events = [e for e in s]
        final = s.get_final_response()
    assert final.output_text == "hello world " and final.status == "completed"
    assert (final.usage.input_tokens, final.usage.output_tokens) == USAGE
    kinds = [e.type for e in events]
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed" and "response.output_text.delta" in kinds
    numbers = [e.sequence_number for e in events if hasattr(e, "sequence_number")]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("stream", [False, True])
def test_responses_tools_there_and_back(oa, upstream, dialect, stream):
    asked = [{"role": "user", "content": "the weather of Paris?"}]
    if stream:
        with oa.responses.stream(model="leeroo", input=asked, tools=[RESPONSES_TOOL]) as s:
            first = s.get_final_response()
    else:
        first = oa.responses.create(model="leeroo", input=asked, tools=[RESPONSES_TOOL])
    call = next(i for i in first.output if i.type == "function_call")
    assert call.name == "get_weather" and json.loads(call.arguments) == CALL
    back = [*asked, {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments},
            {"type": "function_call_output", "call_id": call.call_id, "output": WEATHER}]
    assert oa.responses.create(model="leeroo", input=back, tools=[RESPONSES_TOOL]).output_text == "hello world"
    assert WEATHER in json.dumps(sent(upstream, dialect))


def test_responses_images(oa, upstream, dialect):
    oa.responses.create(model="leeroo", input=[{"role": "user", "content": [
        {"type": "input_text", "text": "what is it?"}, {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"}]}])
    assert PIXEL in json.dumps(sent(upstream, dialect)["messages"][-1])


def test_responses_keeps_nothing(oa):
    with pytest.raises(openai.BadRequestError, match="previous_response_id"):
        oa.responses.create(model="leeroo", input="more", previous_response_id="resp_1")


# Messages

def test_messages_plain(an, upstream, dialect):
    a = an.messages.create(model="leeroo", max_tokens=64, system="Be brief.", messages=HELLO, stop_sequences=["END"])
    assert a.content[0].text == "hello world" and a.stop_reason == "end_turn" and a.type == "message"
    assert (a.usage.input_tokens, a.usage.output_tokens) == USAGE
    body = sent(upstream, dialect)
    assert "Be brief." in json.dumps(body) and body["max_tokens" if dialect == "anthropic" else "max_tokens"] == 64


def test_messages_stream(an):
    with an.messages.stream(model="leeroo", max_tokens=64, messages=HELLO) as s:
        text = "".join(s.text_stream)
        final = s.get_final_message()
    assert text == "hello world " and final.content[0].text == text and final.stop_reason == "end_turn"
    assert final.usage.output_tokens == USAGE[1]


@pytest.mark.parametrize("stream", [False, True])
def test_messages_tools_there_and_back(an, upstream, dialect, stream):
    asked = [{"role": "user", "content": "the weather of Paris?"}]
    if stream:
        with an.messages.stream(model="leeroo", max_tokens=64, messages=asked, tools=[MESSAGES_TOOL]) as s:
            first = s.get_final_message()
    else:
        first = an.messages.create(model="leeroo", max_tokens=64, messages=asked, tools=[MESSAGES_TOOL])
    call = next(b for b in first.content if b.type == "tool_use")
    assert first.stop_reason == "tool_use" and call.name == "get_weather" and call.input == CALL
    back = [*asked, {"role": "assistant", "content": [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.input}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": WEATHER}]}]
    assert an.messages.create(model="leeroo", max_tokens=64, messages=back, tools=[MESSAGES_TOOL]).content[0].text == "hello world"
    body = sent(upstream, dialect)
    assert WEATHER in json.dumps(body["messages"][-1])
    if dialect == "openai":
        assert body["messages"][-1]["role"] == "tool" and body["messages"][-1]["tool_call_id"] == call.id


def test_messages_images(an, upstream, dialect):
    an.messages.create(model="leeroo", max_tokens=9, messages=[{"role": "user", "content": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}, {"type": "text", "text": "what is it?"}]}])
    assert PIXEL in json.dumps(sent(upstream, dialect))


def test_messages_pass_natively(an, upstream, dialect):
    """What chat has no word for reaches an expert that speaks Messages as it is; for others it is left out, or refused
    where the answer would be wrong without it."""
    thinking = {"type": "enabled", "budget_tokens": 1024}
    ask = {"model": "leeroo", "max_tokens": 2048, "messages": HELLO, "thinking": thinking}
    if dialect == "openai":
        raw = an.messages.with_raw_response.create(**ask, extra_body={"top_k": 5})
        assert raw.headers["x-leeroo-dropped"] == "top_k, thinking"
        assert "top_k" not in sent(upstream, dialect) and "thinking" not in sent(upstream, dialect)
        asked = len(upstream.requests)
        pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}}
        with pytest.raises(anthropic.BadRequestError, match="documents"):
            an.messages.create(**{**ask, "messages": [{"role": "user", "content": [pdf]}]})
        assert len(upstream.requests) == asked
        return
    assert an.messages.create(**ask, extra_body={"top_k": 5, "leeroo": {"max_cost": 1}}).content[0].text == "hello world"
    body = sent(upstream, dialect)
    assert body["thinking"] == thinking and body["top_k"] == 5 and "leeroo" not in body


def test_messages_count_tokens(an, upstream):
    few = an.messages.count_tokens(model="leeroo", messages=HELLO).input_tokens
    many = an.messages.count_tokens(model="leeroo", messages=[{"role": "user", "content": "hello cat " * 400}]).input_tokens
    assert 0 < few < 100 < many < 4000 and not upstream.requests


# Errors, time, cancellation

def test_errors_are_the_librarys_own(oa, an, upstream):
    for name in EXPERTS:
        upstream.on(name, refuse(400, "the prompt is odd"))
    for call in (lambda: oa.chat.completions.create(model="cheap", messages=HELLO), lambda: oa.responses.create(model="cheap", input="hi"),
                 lambda: oa.completions.create(model="cheap", prompt="hi")):
        with pytest.raises(openai.BadRequestError, match="the prompt is odd"):
            call()
    with pytest.raises(anthropic.BadRequestError, match="the prompt is odd") as e:
        an.messages.create(model="cheap", max_tokens=9, messages=HELLO)
    assert e.value.body["type"] == "error" and e.value.body["error"]["type"] == "invalid_request_error" and e.value.request_id
    with pytest.raises(openai.NotFoundError):
        oa.chat.completions.create(model="nobody", messages=HELLO)
    with pytest.raises(anthropic.NotFoundError):
        an.messages.create(model="nobody", max_tokens=9, messages=HELLO)
    with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
        an.post("/v1/messages", body={"model": "cheap", "messages": HELLO}, cast_to=object)


def test_too_many_requests(oa, an, upstream):
    upstream.on("mid", refuse(429, "slow down", "rate_limit_error", [("retry-after", "7")]))
    with pytest.raises(openai.RateLimitError) as e:
        oa.chat.completions.create(model="mid", messages=HELLO)
    assert 1 <= int(e.value.response.headers["retry-after"]) <= 7
    with pytest.raises((anthropic.RateLimitError, anthropic.InternalServerError)) as e:
        an.messages.create(model="mid", max_tokens=9, messages=HELLO)
    assert e.value.body["type"] == "error" and 1 <= int(e.value.response.headers["retry-after"]) <= 7


def test_the_clients_time_limit_stops_the_upstream(oa, an, upstream):
    upstream.on("dear", stall())
    with pytest.raises(openai.APITimeoutError):
        oa.with_options(timeout=0.5).chat.completions.create(model="dear", messages=HELLO)
    with pytest.raises(anthropic.APITimeoutError):
        an.with_options(timeout=0.5).messages.create(model="dear", max_tokens=9, messages=HELLO)
    assert upstream.of("dear") and all(r.cancelled.wait(10) for r in upstream.of("dear"))


def test_leaving_a_stream_stops_the_upstream(gateway, oa, upstream, dialect):
    def begun(r):
        r.head(content_type="text/event-stream")
        r.chunk(b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}\n\n')
        r.chunk(b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n')
        r.chunk(b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"one"}}\n\n')
        r.wait_for_hangup(20)
    upstream.on("cheap", begun if dialect == "anthropic" else stall_mid_stream())
    s = oa.chat.completions.create(model="cheap", messages=HELLO, stream=True)
    next(iter(s))
    s.close()
    assert upstream.of("cheap")[0].cancelled.wait(10)


def test_an_error_amid_a_stream_is_raised(oa, an, upstream, dialect):
    def broken(r):
        r.head(content_type="text/event-stream")
        if dialect == "anthropic":
            r.chunk(b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}\n\n')
            r.chunk(b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n')
            r.chunk(b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"one"}}\n\n')
            time.sleep(0.1)
            r.chunk(b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"overheated"}}\n\n')
        else:
            r.chunk(b'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n')
            time.sleep(0.1)
            r.chunk(b'data: {"error":{"message":"overheated","type":"server_error","code":503}}\n\n')
        r.end()
    upstream.on("cheap", broken)
    with pytest.raises(openai.APIError, match="overheated"):
        list(oa.chat.completions.create(model="cheap", messages=HELLO, stream=True))
    with pytest.raises(openai.APIError, match="overheated"):
        list(oa.responses.create(model="cheap", input="hi", stream=True))
    with pytest.raises(anthropic.APIError, match="overheated"):
        with an.messages.stream(model="cheap", max_tokens=9, messages=HELLO) as s:
            s.get_final_message()


def test_every_front_costs_the_same(gateway, oa, an):
    """One usage, one price: whichever API is spoken, whole or streamed."""
    ask = {"model": "dear", "messages": HELLO}
    chat = oa.chat.completions.with_raw_response.create(**ask).headers["x-leeroo-cost-usd"]
    assert chat == f"{(USAGE[0] * 5 + USAGE[1] * 15) / 1e6:.9f}"
    assert oa.responses.with_raw_response.create(model="dear", input="hello cat").headers["x-leeroo-cost-usd"] == chat
    assert oa.completions.with_raw_response.create(model="dear", prompt="hello cat").headers["x-leeroo-cost-usd"] == chat
    assert an.messages.with_raw_response.create(**ask, max_tokens=99).headers["x-leeroo-cost-usd"] == chat
    for path, body in (("/v1/chat/completions", ask), ("/v1/messages", {**ask, "max_tokens": 99}), ("/v1/responses", {"model": "dear", "input": "hi"})):
        r = gateway.client.post(path, json={**body, "stream": True})
        assert r.status_code == 200 and gateway.access(r.headers["x-leeroo-request-id"])["cost_usd"] == chat, path
