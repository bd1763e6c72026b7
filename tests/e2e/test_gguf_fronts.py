"""A language model in this process, asked by what chat completions are not: Messages by Anthropic's own client library,
Responses and completions by OpenAI's."""

import json
from typing import Literal

import anthropic
import openai
import pytest
from pydantic import BaseModel

from test_gguf import ADD, FRANCE, file, gateway, oa  # noqa: F401

TOOL = {"name": "add", "description": "Adds two numbers", "input_schema": ADD["function"]["parameters"]}
LIKELIEST = {"extra_body": {"temperature": 0}}  # the library has no word of its own for it
SUM = [{"role": "user", "content": "What is 2 plus 3? Use the tool."}]


class Answer(BaseModel):
    city: Literal["Paris", "Rome"]
    sure: bool


@pytest.fixture
def an(gateway):  # noqa: F811
    return anthropic.Anthropic(base_url=gateway.url, api_key="client-key", max_retries=0, timeout=120)


def message(an, messages=FRANCE, **more):
    return an.messages.create(**{"model": "tiny", "max_tokens": 24, "messages": messages} | LIKELIEST | more)


def test_messages_whole_and_streamed(an):
    whole = message(an)
    assert "Paris" in whole.content[0].text and whole.stop_reason == "end_turn"
    with an.messages.stream(model="tiny", max_tokens=24, messages=FRANCE, **LIKELIEST) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    assert len(pieces) > 2 and "".join(pieces) == whole.content[0].text == final.content[0].text
    assert final.stop_reason == "end_turn" and final.usage.output_tokens == whole.usage.output_tokens > 3
    read = [u.input_tokens + (u.cache_read_input_tokens or 0) for u in (whole.usage, final.usage)]
    assert read[0] == read[1] > 10


def test_messages_end_where_they_are_told(an):
    whole = message(an).content[0].text
    stopped = message(an, stop_sequences=["nowhere", "Paris"])
    assert stopped.content[0].text == whole[:whole.index("Paris")]
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "Paris")
    short = message(an, max_tokens=3)
    assert short.stop_reason == "max_tokens" and short.usage.output_tokens == 3
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
        message(an, [{"role": "user", "content": "word " * 600}])


@pytest.mark.parametrize("stream", [False, True])
def test_messages_call_a_tool_and_hear_of_it(an, stream):
    asked = {"model": "tiny", "max_tokens": 80, "tools": [TOOL], "messages": SUM, **LIKELIEST,
             "tool_choice": {"type": "tool", "name": "add", "disable_parallel_tool_use": True}}
    if stream:
        with an.messages.stream(**asked) as s:
            said = s.get_final_message()
    else:
        said = an.messages.create(**asked)
    (call,) = said.content
    assert said.stop_reason == "tool_use" and call.name == "add" and set(call.input) == {"a", "b"}
    back = [*SUM, {"role": "assistant", "content": [call.model_dump(include={"type", "id", "name", "input"})]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "5"}]}]
    after = message(an, back, tools=[TOOL], tool_choice={"type": "none"})
    assert after.content[0].type == "text" and after.content[0].text


def test_messages_and_responses_keep_to_a_schema(an, oa):  # noqa: F811
    said = an.messages.parse(model="tiny", max_tokens=40, messages=FRANCE, output_format=Answer, **LIKELIEST)
    assert isinstance(said.parsed_output, Answer)
    told = oa.responses.parse(model="tiny", temperature=0, input=FRANCE, text_format=Answer, max_output_tokens=40)
    assert isinstance(told.output_parsed, Answer)


def test_responses_whole_streamed_and_with_a_tool(oa):  # noqa: F811
    asked = {"model": "tiny", "temperature": 0, "input": FRANCE, "max_output_tokens": 24}
    whole = oa.responses.create(**asked)
    assert "Paris" in whole.output_text and whole.status == "completed"
    assert whole.usage.input_tokens > 10 and whole.usage.output_tokens > 3
    with oa.responses.stream(**asked) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert final.output_text == whole.output_text and kinds.count("response.output_text.delta") > 2
    cut = oa.responses.create(**asked | {"max_output_tokens": 3})
    assert cut.status == "incomplete" and cut.incomplete_details.reason == "max_output_tokens"
    function = {"type": "function", **ADD["function"], "strict": True}
    called = oa.responses.create(**asked | {"input": SUM, "tools": [function], "tool_choice": "required",
                                            "parallel_tool_calls": False, "max_output_tokens": 80})
    (call,) = [item for item in called.output if item.type == "function_call"]
    assert call.name == "add" and set(json.loads(call.arguments)) == {"a", "b"}


def test_completions(oa):  # noqa: F811
    asked = {"model": "tiny", "prompt": "The capital of France is", "temperature": 0, "max_tokens": 12}
    whole = oa.completions.create(**asked)
    assert whole.choices[0].text.strip() and whole.usage.completion_tokens > 0
    assert "".join(c.choices[0].text for c in oa.completions.create(**asked, stream=True) if c.choices) == whole.choices[0].text


@pytest.mark.parametrize("front", ["messages", "responses"])
def test_who_leaves_a_stream_is_booked_as_gone(an, oa, gateway, front):  # noqa: F811
    story = [{"role": "user", "content": "Tell a long story."}]
    if front == "messages":
        stream = an.messages.create(model="tiny", max_tokens=400, messages=story, stream=True)
        next(e for e in stream if e.type == "content_block_delta")
    else:
        stream = oa.responses.create(model="tiny", max_output_tokens=400, input=story, stream=True)
        next(e for e in stream if e.type == "response.output_text.delta")
    request = stream.response.headers["x-leeroo-request-id"]
    stream.response.close()
    assert gateway.access(request, 20)["status"] == "499"
