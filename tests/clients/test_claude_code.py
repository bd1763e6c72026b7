"""Claude Code itself, unchanged, with experts of every kind behind the gateway."""

import json
import time

import pytest

import claude_code
from e2e_conftest import EXPERTS
from scenarios import CLAUDE
from scripted import Script, speak, wants_messages
from tap import Tap

pytestmark = pytest.mark.skipif(bool(claude_code.missing()), reason=claude_code.missing())
POOLS = {"chat": {}, "anthropic": dict.fromkeys(EXPERTS, "anthropic"), "mixed": {"cheap": "anthropic"}}
CHAT = {"model", "messages", "tools", "tool_choice", "parallel_tool_calls", "stream", "stream_options", "max_tokens",
        "temperature", "top_p", "stop", "user", "response_format"}


def complaint(body, thinks):
    """What OpenAI, DeepSeek and strict chat templates refuse of a chat request; None: nothing."""
    messages = body["messages"]
    if set(body) - CHAT:
        return f"Unrecognized request argument supplied: {', '.join(sorted(set(body) - CHAT))}"
    if any(m["role"] in ("system", "developer") for m in messages[1:]):
        return "System message must be at the beginning."
    if any(a["role"] == b["role"] == "user" for a, b in zip(messages, messages[1:])):
        return "Conversation roles must alternate user/assistant/user/assistant/..."
    if len(body.get("user", "")) > 64:
        return "Invalid 'user': string too long. Expected a string with maximum length 64."
    if any("properties" not in t["function"]["parameters"] for t in body.get("tools", [])):
        return "Invalid schema for function: object schema missing properties."
    waiting = []
    for m in messages:
        if m["role"] == "tool":
            if waiting[:1] != [m["tool_call_id"]] or not isinstance(m["content"], str):
                return "messages with role 'tool' must be a text in response to a preceding message with 'tool_calls'."
            waiting.pop(0)
            continue
        if waiting:
            return "An assistant message with 'tool_calls' must be followed by tool messages."
        if m["role"] == "assistant" and set(m) - {"role", "content", "tool_calls", "reasoning_content"}:
            return f"Additional properties are not allowed: {sorted(m)}"
        waiting = [c["id"] for c in m.get("tool_calls") or []]
        if any(not isinstance(json.loads(c["function"]["arguments"]), dict) for c in m.get("tool_calls") or []):
            return "arguments must be an object"
        if thinks and waiting and not m.get("reasoning_content"):
            return "The `reasoning_content` in the thinking mode must be passed back to the API."
    return None


class Agent(Script):
    """Plays the turns; whatever else the client wants gets a title. Chat experts are as strict as real ones."""

    def __init__(self, turns):
        super().__init__(turns)
        self.thinks = all(t.get("reasoning") for t in turns if t.get("calls"))
        self.refused = []

    def __call__(self, r):
        problem = None if wants_messages(r) else complaint(r.json, self.thinks)
        if problem:
            self.refused.append(problem)
            r.whole(400, {"error": {"message": problem, "type": "invalid_request_error", "param": None, "code": None}})
        elif r.json.get("tools"):
            super().__call__(r)
        else:
            speak(r, {"text": json.dumps({"title": "Greeting"})})


def turns_of(tap):
    return [r for r in tap.requests if claude_code.is_turn(r)]


def wait_for(tap, count, seconds=30):
    deadline = time.monotonic() + seconds
    while len(turns_of(tap)) < count:
        assert time.monotonic() < deadline, f"{len(turns_of(tap))} turns, not {count}"
        time.sleep(0.02)


def serve(start_gateway, upstream, script, pool="chat", **options):
    for name in EXPERTS:
        upstream.on(name, script)
    return start_gateway(dialects=POOLS[pool], expert="retries: 0", **options)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("name", CLAUDE)
def test_a_session(start_gateway, upstream, tmp_path, name, pool):
    script = Agent(CLAUDE[name]["script"])
    tap = Tap(serve(start_gateway, upstream, script, pool).address)
    said = claude_code.Claude(tmp_path, tap.url).play(CLAUDE[name], lambda count: wait_for(tap, count))
    assert said == CLAUDE[name]["script"][-1]["text"] and not script.refused
    assert script.at == len(script.turns) == len(turns_of(tap))
    tap.close()


def test_the_expert_that_began_fails_amid_the_session(start_gateway, upstream, tmp_path):
    script = Agent(CLAUDE["edit"]["script"])
    script.thinks = False  # those who step in did not think before
    tap = Tap(serve(start_gateway, upstream, script, "mixed").address)

    def answer(r):
        script.down = {"cheap"} if script.at == 2 else set()
        script(r)
    for name in EXPERTS:
        upstream.on(name, answer)
    agent = claude_code.Claude(tmp_path, tap.url)
    assert agent.play(CLAUDE["edit"], lambda count: wait_for(tap, count)) == CLAUDE["edit"]["script"][-1]["text"]
    assert not script.refused
    tap.close()


def test_its_own_names_lead_where_aliases_say(start_gateway, upstream, tmp_path):
    script = Agent(CLAUDE["edit"]["script"])
    aliases = 'aliases: {"claude-*": leeroo, "claude-haiku-*": cheap}'
    tap = Tap(serve(start_gateway, upstream, script, top=aliases).address)
    agent = claude_code.Claude(tmp_path, tap.url, model=None)
    assert agent.play(CLAUDE["edit"], lambda count: wait_for(tap, count)) == CLAUDE["edit"]["script"][-1]["text"]
    assert not script.refused and all(r["body"]["model"].startswith("claude-") for r in turns_of(tap))
    tap.close()


def test_it_goes_on_when_an_expert_is_silent(start_gateway, upstream, tmp_path):
    """The client asks again what it was refused for want of an expert."""
    script = Agent([{"status": 503}, {"status": 503}, {"status": 503}, {"text": "PONG"}])
    tap = Tap(serve(start_gateway, upstream, script).address)
    process = claude_code.Claude(tmp_path, tap.url).start(["say PONG"])
    out, _ = process.communicate(timeout=90)
    assert claude_code.result_of(out) == "PONG"
    tap.close()
