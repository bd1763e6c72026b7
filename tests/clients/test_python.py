"""Python libraries that people call models by, unchanged, with chat experts and with Anthropic's behind the gateway:
plain, streamed, with a tool, structured, with an image, an error, and cancelled, as far as each has it."""

import asyncio
import os

import pytest

from helpful import CITY, HELLO, PIXEL, get_weather

os.environ.update(DSPY_CACHEDIR="/nonexistent", LITELLM_LOCAL_MODEL_COST_MAP="True", OPENAI_AGENTS_DISABLE_TRACING="1",
                  LLM_LOAD_PLUGINS="")
PICTURE = f"data:image/png;base64,{PIXEL}"


def whole(text):
    return text.strip() == HELLO


class TestLangChain:
    @pytest.fixture(params=["openai", "anthropic", "responses"])
    def chat(self, request, url):
        if request.param == "anthropic":
            from langchain_anthropic import ChatAnthropic
            return ChatAnthropic(model="leeroo", base_url=url.removesuffix("/v1"), api_key="k", max_retries=0)
        from langchain_openai import ChatOpenAI
        return ChatOpenAI(model="leeroo", base_url=url, api_key="k", max_retries=0,
                          use_responses_api=request.param == "responses")

    def test_plain_and_streamed(self, chat):
        assert whole(chat.invoke("hi").text)
        pieces = [chunk.text for chunk in chat.stream("hi")]
        assert whole("".join(pieces)) and len([p for p in pieces if p]) > 1

    def test_tool(self, chat):
        from langchain_core.messages import HumanMessage, ToolMessage
        from langchain_core.tools import tool
        bound = chat.bind_tools([tool(get_weather)])
        history = [HumanMessage("weather in Paris?")]
        history.append(bound.invoke(history))
        (call,) = history[-1].tool_calls
        assert (call["name"], call["args"]) == ("get_weather", {"city": "Paris"})
        history.append(ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"]))
        assert bound.invoke(history).text == "It is sunny"

    def test_structured(self, chat):
        from pydantic import BaseModel

        class City(BaseModel):
            city: str
            degrees: int
        assert chat.with_structured_output(City, method="function_calling").invoke("Paris?").model_dump() == CITY

    def test_image(self, chat):
        from langchain_core.messages import HumanMessage
        part = {"type": "image", "base64": PIXEL, "mime_type": "image/png"}
        assert chat.invoke([HumanMessage([{"type": "text", "text": "what is it?"}, part])]).text == "I see a picture"

    def test_error(self, chat):
        with pytest.raises(Exception, match="the script says so"):
            chat.invoke("please fail")

    def test_cancelled(self, chat, cancelled):
        stream = chat.stream("please stall")
        next(stream)
        stream.close()
        cancelled()


class TestPydanticAI:
    @pytest.fixture(params=["chat", "responses", "messages"])
    def model(self, request, url):
        if request.param == "messages":
            from pydantic_ai.models.anthropic import AnthropicModel
            from pydantic_ai.providers.anthropic import AnthropicProvider
            return AnthropicModel("leeroo", provider=AnthropicProvider(api_key="k", base_url=url.removesuffix("/v1")))
        from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
        from pydantic_ai.providers.openai import OpenAIProvider
        kind = OpenAIResponsesModel if request.param == "responses" else OpenAIChatModel
        return kind("leeroo", provider=OpenAIProvider(base_url=url, api_key="k"))

    def test_plain_and_streamed(self, model):
        from pydantic_ai import Agent
        assert whole(Agent(model).run_sync("hi").output)

        async def stream():
            async with Agent(model).run_stream("hi") as run:
                return [piece async for piece in run.stream_text(delta=True, debounce_by=None)]
        pieces = asyncio.run(stream())
        assert whole("".join(pieces)) and len(pieces) > 1

    def test_tool_and_structured(self, model):
        from pydantic import BaseModel
        from pydantic_ai import Agent

        class City(BaseModel):
            city: str
            degrees: int
        agent = Agent(model, output_type=City)
        agent.tool_plain(get_weather)
        assert agent.run_sync("weather in Paris?").output.model_dump() == CITY

    def test_image(self, model):
        import base64

        from pydantic_ai import Agent, BinaryContent
        picture = BinaryContent(base64.b64decode(PIXEL), media_type="image/png")
        assert Agent(model).run_sync(["what is it?", picture]).output == "I see a picture"

    def test_error(self, model):
        from pydantic_ai import Agent
        from pydantic_ai.exceptions import ModelHTTPError
        with pytest.raises(ModelHTTPError, match="the script says so"):
            Agent(model, retries=0).run_sync("please fail")


class TestInstructor:
    def city(self):
        from pydantic import BaseModel

        class City(BaseModel):
            city: str
            degrees: int
        return City

    @pytest.mark.parametrize("mode", ["TOOLS", "JSON_SCHEMA"])
    def test_structured(self, url, mode):
        import instructor
        import openai
        client = instructor.from_openai(openai.OpenAI(base_url=url, api_key="k", max_retries=0), mode=instructor.Mode[mode])
        asked = {"model": "leeroo", "messages": [{"role": "user", "content": "Paris?"}], "response_model": self.city()}
        assert client.chat.completions.create(**asked).model_dump() == CITY
        partial = client.chat.completions.create_partial(**asked)
        assert [p.model_dump() for p in partial][-1] == CITY

    def test_structured_by_messages(self, url):
        import anthropic
        import instructor
        client = instructor.from_anthropic(anthropic.Anthropic(base_url=url.removesuffix("/v1"), api_key="k", max_retries=0))
        asked = {"model": "leeroo", "max_tokens": 99, "messages": [{"role": "user", "content": "Paris?"}]}
        assert client.messages.create(**asked, response_model=self.city()).model_dump() == CITY


class TestOpenAIAgents:
    @pytest.fixture(params=["chat", "responses"])
    def model(self, request, url):
        import openai
        from agents import OpenAIChatCompletionsModel, OpenAIResponsesModel
        client = openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=0)
        kind = OpenAIResponsesModel if request.param == "responses" else OpenAIChatCompletionsModel
        return kind("leeroo", client)

    def agent(self, model, **more):
        from agents import Agent
        return Agent(name="helper", instructions="Help.", model=model, **more)

    def test_plain_tool_and_streamed(self, model):
        from agents import Runner, function_tool

        async def play():
            assert whole((await Runner.run(self.agent(model), "hi")).final_output)
            agent = self.agent(model, tools=[function_tool(get_weather)])
            assert (await Runner.run(agent, "weather in Paris?")).final_output == "It is sunny"
            run = Runner.run_streamed(agent, "weather in Paris?")
            kinds = [event.type async for event in run.stream_events()]
            assert run.final_output == "It is sunny" and "run_item_stream_event" in kinds
        asyncio.run(play())

    def test_error(self, model):
        import openai
        from agents import Runner
        with pytest.raises(openai.BadRequestError, match="the script says so"):
            Runner.run_sync(self.agent(model), "please fail")


class TestDSPy:
    @pytest.fixture
    def lm(self, url):
        import dspy
        return dspy.LM("openai/leeroo", api_base=url, api_key="k", cache=False, num_retries=0)

    def test_plain(self, lm):
        assert whole(lm("hi")[0])

    def test_structured(self, lm):
        import dspy
        with dspy.context(lm=lm, adapter=dspy.JSONAdapter()):
            said = dspy.Predict("question -> city: str, degrees: int")(question="Paris?")
        assert (said.city, said.degrees) == (CITY["city"], CITY["degrees"])

    def test_error(self, lm):
        with pytest.raises(Exception, match="the script says so"):
            lm("please fail")


class TestLiteLLM:
    @pytest.fixture(params=["openai", "anthropic"])
    def asked(self, request, url):
        base = url if request.param == "openai" else url.removesuffix("/v1")
        return {"model": f"{request.param}/leeroo", "api_base": base, "api_key": "k", "num_retries": 0, "max_tokens": 99}

    def ask(self, asked, text="hi", **more):
        import litellm
        return litellm.completion(**asked, messages=[{"role": "user", "content": text}], **more)

    def test_plain_and_streamed(self, asked):
        assert whole(self.ask(asked).choices[0].message.content)
        assert whole("".join(c.choices[0].delta.content or "" for c in self.ask(asked, stream=True)))

    def test_tool(self, asked):
        tool = {"type": "function", "function": {"name": "get_weather", "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}}}}}
        (call,) = self.ask(asked, tools=[tool]).choices[0].message.tool_calls
        assert call.function.name == "get_weather" and "Paris" in call.function.arguments

    def test_image(self, asked):
        parts = [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
        assert self.ask(asked, parts).choices[0].message.content == "I see a picture"

    def test_error(self, asked):
        import litellm
        with pytest.raises(litellm.BadRequestError, match="the script says so"):
            self.ask(asked, "please fail")


def test_llm_on_the_command_line(url, tmp_path):
    """Simon Willison's llm, with a model of extra-openai-models.yaml."""
    import subprocess
    import sys
    (tmp_path / "extra-openai-models.yaml").write_text(
        f"- model_id: leeroo\n  model_name: leeroo\n  api_base: {url}\n  api_key_name: leeroo\n  supports_tools: true\n"
        "  supports_schema: true\n  vision: true\n")
    (tmp_path / "dot.png").write_bytes(__import__("base64").b64decode(PIXEL))

    def llm(*words):
        done = subprocess.run([sys.executable, "-m", "llm", "-m", "leeroo", "--key", "k", *words], text=True,
                              capture_output=True, env={**os.environ, "LLM_USER_PATH": str(tmp_path)}, timeout=60)
        return done.returncode, (done.stdout + done.stderr).strip()
    assert llm("hi") == (0, HELLO)
    assert llm("hi", "--no-stream") == (0, HELLO)
    assert llm("Paris?", "--schema", "city, degrees int") == (0, '{"city": "Paris", "degrees": 21}')
    assert llm("what is it?", "-a", str(tmp_path / "dot.png")) == (0, "I see a picture")
    status, said = llm("please fail")
    assert status != 0 and "the script says so" in said
