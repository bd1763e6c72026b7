"""What a client collects from a stream is the whole answer: every front, every dialect, every recording, in any cut.

Each recording is played in all four ways: whole for whole, events for a stream, and each where the other was asked for.
"""

import json
import random

import pytest

import collectors
from conftest import Gateway, write_config
from recordings import ALL, CHAT, COMPLETIONS, MESSAGES, RECORDINGS, RESPONSES
from upstream import Upstream

PATHS = {CHAT: "/v1/chat/completions", COMPLETIONS: "/v1/completions", RESPONSES: "/v1/responses",
         MESSAGES: "/v1/messages"}
EXPERT_OF = {"openai": "cheap", "anthropic": "mid"}
NAMES = ("f", "g")


@pytest.fixture(scope="module")
def scene(leeroo, model_file, tmp_path_factory):
    upstream = Upstream()
    config = write_config(tmp_path_factory.mktemp("streams"), model_file, upstream.url,
                          dialects={"mid": "anthropic"}, expert="retries: 0\nbreaker: off")
    gateway = Gateway(leeroo, config)
    yield gateway, upstream
    gateway.client.close()
    code = gateway.stop()
    upstream.close()
    assert code == 0 and "ERROR: " not in gateway.text and "runtime error" not in gateway.text, gateway.text


def body_of(front, recording, stream):
    body = {"model": EXPERT_OF[recording.dialect], "stream": stream}
    question = [{"role": "user", "content": "hello cat"}]
    schema = {"type": "object", "properties": {}}
    if front == CHAT:
        body |= {"messages": question, "n": recording.n}
        body |= {"tools": [{"type": "function", "function": {"name": n, "parameters": schema}} for n in NAMES]}
        body |= {"stream_options": {"include_usage": True}} if stream else {}
    elif front == COMPLETIONS:
        body |= {"prompt": "hello cat", "n": recording.n, "max_tokens": 100}
        body |= {"stream_options": {"include_usage": True}} if stream else {}
        body |= {"logprobs": 1} if recording.name == "logprobs" else {}
    elif front == RESPONSES:
        body |= {"input": "hello cat", "tools": [{"type": "function", "name": n, "parameters": schema} for n in NAMES]}
        body |= {"include": ["message.output_text.logprobs"]} if recording.name == "logprobs" else {}
    else:
        body |= {"messages": question, "max_tokens": 100, "tools": [{"name": n, "input_schema": schema} for n in NAMES]}
    return body


def play(recording, events, rng):
    """A behaviour: the answer as events or whole, cut anywhere, sometimes under the content type of the other form."""
    data = recording.sse(
        "\r\n" if rng.random() < .2 else "\n", rng.random() < .3, rng.random() < .3) if events else json.dumps(
        recording.whole, ensure_ascii=rng.random() < .5).encode()
    kind = events if rng.random() < .8 else not events
    pieces, at = [], 0
    while at < len(data):
        step = rng.choice((1, 7, 60, 400, 5000))
        pieces.append(data[at:at + step])
        at += step

    def behave(r):
        r.head(content_type="text/event-stream" if kind else "application/json")
        for p in pieces:
            r.chunk(p)
        r.end()
    return behave


def ask(scene, front, recording, stream, events, rng):
    gateway, upstream = scene
    upstream.on(EXPERT_OF[recording.dialect], play(recording, events, rng))
    r = gateway.client.post(PATHS[front], json=body_of(front, recording, stream))
    assert r.status_code == 200, r.text
    assert r.headers["content-type"].startswith("text/event-stream" if stream else "application/json")
    return r


def collected(front, r, stream):
    return collectors.plain(getattr(collectors, front)(r.content) if stream else r.json())


def test_what_an_expert_wants_back_comes_back_through_messages(scene):
    """What Messages has no member for, Gemini's thought signatures and OpenRouter's details, is carried in a block."""
    gateway, upstream = scene
    rng = random.Random(1)
    for name, member in (("Gemini's thought signatures", "tool_calls"),
                         ("OpenRouter's reasoning before a call", "reasoning_details")):
        recording = next(r for r in RECORDINGS if r.name == name)
        said = recording.whole["choices"][0]["message"]
        for stream in (False, True):
            r = ask(scene, MESSAGES, recording, stream, stream, rng)
            content = (collectors.messages(r.content) if stream else r.json())["content"]
            results = [{"type": "tool_result", "tool_use_id": b["id"], "content": "ok"} for b in content
                       if b["type"] == "tool_use"]
            body = body_of(MESSAGES, recording, False)
            body["messages"] += [{"role": "assistant", "content": content},
                                 {"role": "user", "content": results}]
            upstream.on("cheap", play(recording, False, rng))
            assert gateway.client.post(PATHS[MESSAGES], json=body).status_code == 200
            back = upstream.of("cheap")[-1].json["messages"][1]
            assert collectors.plain(back[member]) == collectors.plain(said[member]), back
            assert back.get("reasoning") == said.get("reasoning") and "reasoning_origin" not in back


CASES = [pytest.param(front, recording, id=f"{front}-{recording.dialect}-{recording.name}")
         for recording in RECORDINGS for front in ALL if front in recording.fronts]


@pytest.mark.parametrize("front,recording", CASES)
def test_a_stream_collected_is_the_whole_answer(scene, front, recording):
    """diegosouzapw/OmniRoute #3089, PR #3108; earendil-works/pi #2537; quangdang46/openproxy #306; openclaw #96497"""
    rng = random.Random(f"{front} {recording.name}")
    want = collected(front, ask(scene, front, recording, False, False, rng), False)
    for _ in range(3):
        for stream, events in ((True, True), (True, False), (False, True)):
            got = collected(front, ask(scene, front, recording, stream, events, rng), stream)
            assert got == want, f"stream={stream} events={events}"


@pytest.mark.parametrize("recording", [pytest.param(r, id=f"{r.dialect}-{r.name}") for r in RECORDINGS])
def test_it_costs_the_same_in_every_form(scene, recording):
    """headroomlabs-ai/headroom PR #3131: what was turned into another form is paid as well."""
    rng = random.Random(recording.name)
    front = recording.fronts[0]
    costs = set()
    for stream, events in ((False, False), (True, True), (True, False), (False, True)):
        r = ask(scene, front, recording, stream, events, rng)
        line = scene[0].access(r.headers["x-leeroo-request-id"])
        costs.add((line["cost_usd"], line["input_tokens"], line["output_tokens"]))
    assert len(costs) == 1, costs


@pytest.mark.parametrize("front,library", [(CHAT, collectors.library_chat), (MESSAGES, collectors.library_messages)])
@pytest.mark.parametrize("recording", [pytest.param(r, id=f"{r.dialect}-{r.name}") for r in RECORDINGS])
def test_the_official_libraries_collect_it(scene, front, library, recording):
    """BerriAI/litellm PR #14587, #32759, #29428; AstrBot PR #6692; praxis-proxy/ai #266; CLIProxyAPI #561; grok2api #239"""
    if front not in recording.fronts:
        pytest.skip("this API has no words for it")
    rng = random.Random(recording.name)
    want = ask(scene, front, recording, False, False, rng).json()
    for events in (True, False):
        got = library(ask(scene, front, recording, True, events, rng).content)
        if front == MESSAGES:
            assert collectors.plain(got["content"]) == collectors.plain(want["content"])
            assert got["stop_reason"] == want["stop_reason"]
            continue
        for a, b in zip(got["choices"], want["choices"], strict=True):
            for c in a["message"].get("tool_calls") or []:
                c.pop("index", None), c["function"].pop("parsed_arguments", None)
            a["message"].pop("parsed", None)
            for detail in a["message"].get("reasoning_details", []) + b["message"].get("reasoning_details", []):
                detail.pop("format", None)  # of which the library joins the repetitions
            a["message"]["role"] = a["message"].get("role") or "assistant"  # where the upstream never says
            assert collectors.plain(a["message"]) == collectors.plain(b["message"])
            assert a["finish_reason"] == b["finish_reason"]
