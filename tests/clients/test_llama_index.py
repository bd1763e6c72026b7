"""LlamaIndex, unchanged. It runs in an environment of its own, because it wants another openai than the others."""

import pytest

from helpful import CITY, HELLO, PIXEL, get_weather

PICTURE = f"data:image/png;base64,{PIXEL}"


def whole(text):
    return text.strip() == HELLO


class TestLlamaIndex:
    @pytest.fixture
    def chat(self, url):
        from llama_index.llms.openai_like import OpenAILike
        return OpenAILike(model="leeroo", api_base=url, api_key="k", is_chat_model=True, is_function_calling_model=True,
                          max_retries=0)

    def test_plain_and_streamed(self, chat):
        assert whole(chat.complete("hi").text)
        assert whole("".join(piece.delta for piece in chat.stream_complete("hi")))

    def test_tool(self, chat):
        from llama_index.core.tools import FunctionTool
        said = chat.predict_and_call([FunctionTool.from_defaults(get_weather)], "weather in Paris?")
        assert str(said) == "sunny in Paris"

    def test_structured(self, chat):
        from pydantic import BaseModel

        class City(BaseModel):
            city: str
            degrees: int
        assert chat.as_structured_llm(City).complete("Paris?").raw.model_dump() == CITY

    def test_image(self, chat):
        from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
        block = ImageBlock(url=PICTURE)
        said = chat.chat([ChatMessage(role="user", blocks=[TextBlock(text="what is it?"), block])])
        assert said.message.content == "I see a picture"

    def test_error(self, chat):
        with pytest.raises(Exception, match="the script says so"):
            chat.complete("please fail")
