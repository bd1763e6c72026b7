"""A language model in this process (dialect: gguf), asked as any other expert: by OpenAI's own client library, plain,
streamed, held to a schema, with log-probabilities, stop strings and tools, by clients that leave, within its limits."""

import json
import os
import re
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import openai
import pytest
from conftest import Gateway, has_sanitizer, wait_for
from pydantic import BaseModel, Field

MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
FRANCE = [{"role": "user", "content": "What is the capital of France?"}]
ADD = {"type": "function", "function": {"name": "add", "description": "Adds two numbers", "parameters": {
    "type": "object", "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 99},
                                     "b": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["a", "b"], "additionalProperties": False}}}
REQUESTS = int(os.environ.get("LEEROO_GGUF_REQUESTS", "300"))  # in a row; 1,000 take minutes
STOP = {"type": "function", "function": {"name": "stop"}}


@pytest.fixture(scope="session")
def file(leeroo):
    if "built without llama.cpp" in Path(leeroo).read_bytes().decode("latin-1"):
        pytest.skip("skipped: no llama.cpp")
    if not os.environ.get("LEEROO_MODELS"):
        pytest.skip("skipped: no models")
    return Path(os.environ["LEEROO_MODELS"]) / MODEL


def write(folder, file, more="context: 512", top=""):
    path = folder / "leeroo.yaml"
    path.write_text(f"listen: 127.0.0.1:0\nthreads: 2\n{top}\nexperts:\n"
                    f"  - {{name: tiny, dialect: gguf, gguf: '{file}', {more}}}\n")
    return path


@pytest.fixture(scope="module")
def gateway(leeroo, file, tmp_path_factory):
    g = Gateway(leeroo, write(tmp_path_factory.mktemp("gguf"), file))
    yield g
    g.client.close()
    assert g.stop() == 0 and "ERROR: " not in g.text and "runtime error" not in g.text, g.text


@pytest.fixture
def oa(gateway):
    return openai.OpenAI(base_url=gateway.url + "/v1", api_key="client-key", max_retries=0, timeout=120)


def ask(oa, messages=FRANCE, **more):
    more = {"temperature": 0, "max_tokens": 24} | more
    return oa.chat.completions.create(model="tiny", messages=messages, **more)


def gather(stream):
    """Of a stream: its text, its last finish_reason, its usage, all its chunks."""
    chunks = list(stream)
    deltas = [c.choices[0] for c in chunks if c.choices]
    text = "".join(d.delta.content or "" for d in deltas)
    usage = [c.usage for c in chunks if c.usage]
    return text, deltas[-1].finish_reason, usage[-1] if usage else None, chunks


def test_plain(oa):
    r = ask(oa)
    assert "Paris" in r.choices[0].message.content and r.choices[0].finish_reason == "stop"
    assert r.choices[0].message.role == "assistant" and r.id.startswith("chatcmpl-")
    assert r.usage.prompt_tokens > 10 and r.usage.completion_tokens > 3
    assert r.usage.total_tokens == r.usage.prompt_tokens + r.usage.completion_tokens


def test_streamed_as_it_is_whole(oa):
    whole = ask(oa)
    text, finish, usage, chunks = gather(ask(oa, stream=True, stream_options={"include_usage": True}))
    assert text == whole.choices[0].message.content and finish == "stop"
    assert usage.completion_tokens == whole.usage.completion_tokens
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len({c.id for c in chunks}) == 1 and len(chunks) > 5


def test_other_fronts(gateway):
    r = gateway.client.post("/v1/messages", timeout=60, json={
        "model": "tiny", "max_tokens": 24, "temperature": 0, "messages": FRANCE})
    assert "Paris" in r.json()["content"][0]["text"] and r.json()["stop_reason"] == "end_turn"
    r = gateway.client.post("/v1/responses", json={"model": "tiny", "temperature": 0, "input": "What is the capital of France?"},
                            timeout=60)
    assert "Paris" in r.json()["output"][0]["content"][0]["text"]


class Person(BaseModel):
    name: str = Field(min_length=1, max_length=20)
    age: int = Field(ge=18, le=120)
    colour: Literal["red", "blue"]
    tags: list[str] = Field(max_length=3)
    plate: str = Field(pattern=r"^[A-Z]{2}-[0-9]{3}$")
    boss: "Person | None"


def test_schemas_are_kept_to(oa):
    for seed in range(3):
        r = ask(oa, [{"role": "user", "content": "Describe a person."}], temperature=1.2, seed=seed, max_tokens=150,
                response_format={"type": "json_schema", "json_schema": {"name": "person", "schema": Person.model_json_schema()}})
        if r.choices[0].finish_reason == "stop":
            Person.model_validate_json(r.choices[0].message.content, strict=True)
        else:
            assert r.choices[0].finish_reason == "length" and r.usage.completion_tokens == 150


def test_the_library_parses_a_schema(oa):
    class Answer(BaseModel):
        city: Literal["Paris", "Rome"]
        sure: bool
    r = oa.chat.completions.parse(model="tiny", messages=FRANCE, response_format=Answer, temperature=0)
    assert isinstance(r.choices[0].message.parsed, Answer)


def test_json_object(oa):
    for seed in range(3):
        r = ask(oa, temperature=1, seed=seed, max_tokens=60, response_format={"type": "json_object"})
        assert r.choices[0].message.content.startswith("{")
        if r.choices[0].finish_reason == "stop":
            assert isinstance(json.loads(r.choices[0].message.content), dict)


def test_what_a_schema_cannot_say_is_refused(oa):
    with pytest.raises(openai.BadRequestError, match=r"schema#/properties/a: not cannot be kept to"):
        ask(oa, response_format={"type": "json_schema", "json_schema": {
            "name": "x", "schema": {"type": "object", "properties": {"a": {"not": {}}}}}})


def test_log_probabilities(oa):
    r = ask(oa, logprobs=True, top_logprobs=3)
    entries = r.choices[0].logprobs.content
    assert b"".join(bytes(e.bytes) for e in entries).decode() == r.choices[0].message.content
    assert all(e.logprob <= 0 and len(e.top_logprobs) == 3 for e in entries)
    assert all(e.top_logprobs[0].token == e.token for e in entries)  # the likeliest is taken
    _, _, _, chunks = gather(ask(oa, logprobs=True, top_logprobs=3, stream=True))
    streamed = [e for c in chunks if c.choices and c.choices[0].logprobs for e in c.choices[0].logprobs.content]
    assert [e.token for e in streamed] == [e.token for e in entries]


def test_stop_strings_across_tokens(oa):
    whole = ask(oa).choices[0].message.content
    for stop in ("of Fra", " is", "Paris", "The"):
        r = ask(oa, stop=["nowhere", stop])
        assert r.choices[0].message.content == whole[:whole.index(stop)] and r.choices[0].finish_reason == "stop"
        text, finish, _, _ = gather(ask(oa, stop=[stop], stream=True))
        assert text == whole[:whole.index(stop)] and finish == "stop"


def test_characters_are_never_halved(oa):
    story = [{"role": "user", "content": "Write emoji and Chinese: 😀 世界"}]
    whole = ask(oa, story, temperature=1, seed=3, max_tokens=60).choices[0].message.content
    text, _, _, chunks = gather(ask(oa, story, temperature=1, seed=3, max_tokens=60, stream=True))
    assert text == whole and "\ufffd" not in text[:-1]


def test_limits_and_seeds(oa):
    r = ask(oa, max_tokens=3)
    assert r.choices[0].finish_reason == "length" and r.usage.completion_tokens == 3
    a, b, c = (ask(oa, temperature=1.5, seed=s).choices[0].message.content for s in (1, 1, 2))
    assert a == b != c
    assert "Paris" not in ask(oa, max_tokens=8, logit_bias={"7042": -100}).choices[0].message.content


def test_a_conversation_that_goes_on_is_read_once(oa):
    first = ask(oa)
    more = FRANCE + [{"role": "assistant", "content": first.choices[0].message.content},
                     {"role": "user", "content": "And of Italy?"}]
    usage = ask(oa, more).usage
    cached = usage.prompt_tokens_details.cached_tokens
    assert first.usage.prompt_tokens <= cached < usage.prompt_tokens


def test_too_long_is_said_as_openai_says_it(oa):
    with pytest.raises(openai.BadRequestError) as e:
        ask(oa, [{"role": "user", "content": "word " * 600}])
    assert e.value.code == "context_length_exceeded"
    r = ask(oa, [{"role": "user", "content": "Count: " + "one two three " * 150}], max_tokens=None)
    assert r.choices[0].finish_reason in ("length", "stop") and r.usage.total_tokens <= 512


def test_what_it_cannot_take_goes_nowhere(gateway):
    r = gateway.chat(model="tiny", n=2)
    assert r.status_code == 400 and "n above 1" in r.text
    r = gateway.chat(model="tiny", messages=[{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}])
    assert r.status_code == 400 and "messages hold a part that is no text" in r.text


def test_tools_there_and_back(oa):
    messages = [{"role": "user", "content": "What is 2 plus 3? Use the tool."}]
    for choice, names in (("required", {"add", "stop"}), ({"type": "function", "function": {"name": "add"}}, {"add"})):
        r = ask(oa, messages, tools=[ADD, STOP], tool_choice=choice, parallel_tool_calls=False, max_tokens=80)
        call = r.choices[0].message.tool_calls[0]
        assert r.choices[0].finish_reason == "tool_calls" and call.function.name in names
        assert len(r.choices[0].message.tool_calls) == 1 and r.choices[0].message.content is None
    assert set(json.loads(call.function.arguments)) == {"a", "b"}
    _, finish, _, chunks = gather(ask(oa, messages, tools=[ADD], tool_choice="required", parallel_tool_calls=False,
                                      max_tokens=80, stream=True))
    calls = [t for c in chunks if c.choices for t in c.choices[0].delta.tool_calls or []]
    assert finish == "tool_calls" and calls[0].function.name == "add" and calls[0].id.startswith("call_")
    messages += [r.choices[0].message.model_dump(exclude_none=True),
                 {"role": "tool", "tool_call_id": call.id, "content": "5"}]
    r = ask(oa, messages, tools=[ADD], tool_choice="none")
    assert r.choices[0].message.content and not r.choices[0].message.tool_calls
    assert ask(oa, messages, tools=[ADD]).choices[0].finish_reason in ("stop", "length", "tool_calls")


def test_a_call_that_the_model_begins_is_held_to_its_schema(oa):
    """By the examples before it the model calls the tool of its own accord, but with the names that they have."""
    messages = []
    for i, (a, b) in enumerate(((1, 2), (4, 5), (7, 8))):
        call = {"name": "add", "arguments": json.dumps({"a": a, "b": b})}
        messages += [{"role": "user", "content": f"What is {a} plus {b}?"},
                     {"role": "assistant", "tool_calls": [{"id": f"c{i}", "type": "function", "function": call}]}]
    messages.append({"role": "user", "content": "What is 3 plus 6?"})
    other = {"type": "object", "properties": {"x": {"enum": [3, 4]}, "y": {"type": "integer"}}, "required": ["x", "y"]}
    tool = {"type": "function", "function": {"name": "add", "parameters": other}}
    r = ask(oa, messages, tools=[tool], max_tokens=60)
    assert r.choices[0].finish_reason == "tool_calls" and r.choices[0].message.content is None
    arguments = json.loads(r.choices[0].message.tool_calls[0].function.arguments)
    assert set(arguments) == {"x", "y"} and arguments["x"] in (3, 4)


def test_a_client_that_leaves_makes_room(oa, gateway):
    for _ in range(4):  # more than there are slots
        with ask(oa, [{"role": "user", "content": "Tell a long story."}], temperature=1, max_tokens=400, stream=True) as stream:
            for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    break
    r = ask(oa, max_tokens=2)
    assert r.usage.completion_tokens == 2
    line = gateway.wait_line(r"msg=request .*status=499.*")
    assert "expert=tiny" in line.group(0)


def test_two_at_once_answer_as_one_alone(oa):
    questions = [[{"role": "user", "content": f"Say a word about the number {n}."}] for n in range(6)]
    alone = [ask(oa, q, max_tokens=12).choices[0].message.content for q in questions]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda q: ask(oa, q, max_tokens=12).choices[0].message.content, questions))
    assert all(t and a for t, a in zip(together, alone))
    assert sum(t == a for t, a in zip(together, alone)) >= 4  # sums in a batch round otherwise at times


def anonymous_kib(gateway):
    """Memory of its own: pages of the mapped file come as they are first touched."""
    status = Path(f"/proc/{gateway.popen.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", status).group(1))


def test_memory_does_not_grow(leeroo, file, tmp_path):
    """A heap goes up and down by some MiB; what leaks raises its lows, too."""
    g = Gateway(leeroo, write(tmp_path, file, "context: 256"))
    kib = []
    kinds = ({}, {"stream": True}, {"logprobs": True, "top_logprobs": 2}, {"temperature": 0.5},
             {"response_format": {"type": "json_object"}}, {"stop": ["\n"]})
    tools = {"tools": [STOP], "tool_choice": "required"}  # a prompt that is read for long, so seldom
    for i in range(1, REQUESTS + 1):
        r = g.chat(f"Word {i % 17}", model="tiny", max_tokens=1 + i % 4,
                   **(tools if i % 40 == 1 else kinds[i % len(kinds)]))
        assert r.status_code == 200, r.text
        if i % 5 == 0:
            kib.append(anonymous_kib(g))
    g.client.close()
    assert g.stop() == 0, g.text
    quarter = len(kib) // 4
    before, after = min(kib[quarter:2 * quarter]), min(kib[3 * quarter:])
    said = f"at least {before} KiB in the second quarter of {REQUESTS} requests, {after} KiB in the last"
    print(said)
    if not has_sanitizer(leeroo, "asan", "tsan"):
        assert after - before < 1536, said  # 10 KiB a request


def test_a_reload_keeps_the_model_and_takes_a_new_one(leeroo, file, tmp_path):
    shutil.copy(file, tmp_path / "m.gguf")
    config = write(tmp_path, "m.gguf", "context: 512")
    g = Gateway(leeroo, config)
    oa = openai.OpenAI(base_url=g.url + "/v1", api_key="k", max_retries=0, timeout=60)
    first = ask(oa)

    def reload():
        done = g.text.count("reloaded")
        g.popen.send_signal(signal.SIGHUP)
        wait_for(lambda: g.text.count("reloaded") + g.text.count("reload refused") > done)

    reload()
    assert ask(oa).usage.prompt_tokens_details.cached_tokens == first.usage.prompt_tokens - 1
    shutil.copy(file, tmp_path / "other.gguf")
    os.replace(tmp_path / "other.gguf", tmp_path / "m.gguf")
    reload()
    assert ask(oa).usage.prompt_tokens_details.cached_tokens == 0, "another file is another model"
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    os.replace(tmp_path / "broken.gguf", tmp_path / "m.gguf")
    reload()
    assert "reload refused" in g.text and "m.gguf" in g.text
    assert "Paris" in ask(oa).choices[0].message.content
    assert g.stop() == 0, g.text


def run(*argv, timeout=120, **more):
    return subprocess.run(argv, capture_output=True, text=True, timeout=timeout, **more)


def test_check_says_what_the_file_is(leeroo, file, tmp_path):
    r = run(leeroo, "check", "-c", str(write(tmp_path, file)))
    assert r.returncode == 0 and "Q4_1, 2 slots)" in r.stdout, r.stdout + r.stderr
    r = run(leeroo, "check", "--connect", "-c", str(write(tmp_path, file)))
    assert r.returncode == 0, r.stdout + r.stderr
    for name, more, says in (("none.gguf", "", "none.gguf"), (str(file), "chat_template: nobodys", "say chat_template: chatml"),
                             (str(file), "context: 99999", "trained with")):
        r = run(leeroo, "check", "-c", str(write(tmp_path, name, more or "slots: 1")))
        assert r.returncode != 0 and says in r.stderr and "leeroo.yaml:" in r.stderr and "'tiny'" in r.stderr, r.stderr


def test_ask(leeroo, file, tmp_path):
    r = run(leeroo, "ask", "-c", str(write(tmp_path, file)), "What is the capital of France?")
    assert r.returncode == 0 and r.stdout.strip(), r.stderr


def test_the_example_without_providers(leeroo, file, tmp_path):
    shutil.copy(Path(__file__).resolve().parents[2] / "examples" / "local-only.yaml", tmp_path)
    os.symlink(file, tmp_path / MODEL)
    r = run(leeroo, "check", "-c", str(tmp_path / "local-only.yaml"))
    assert r.returncode == 0 and "2 experts" in r.stdout and "orchestrator" in r.stdout, r.stdout + r.stderr
    (tmp_path / "q.jsonl").write_text("".join(
        json.dumps({"id": f"q{i}", "text": f"What is {i} plus 1? Answer with a number.", "answer": str(i + 1)}) + "\n" for i in range(4)))
    r = run(leeroo, "collect", "q.jsonl", "-o", "data", "-c", str(tmp_path / "local-only.yaml"), "--spend", "0.01", "--max-output", "8",
            cwd=tmp_path, timeout=300)
    assert r.returncode == 0, r.stdout + r.stderr
    outcomes = (tmp_path / "data" / "outcomes.csv").read_text().splitlines()
    assert len(outcomes) == 1 + 4 * 2, outcomes
