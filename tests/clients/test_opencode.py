"""opencode itself, unchanged, by each of its ways to speak to a provider, with experts of every kind behind the gateway."""

import time

import pytest

import opencode
from e2e_conftest import EXPERTS
from scenarios import OPENCODE
from scripted import Script, speak
from tap import Tap

pytestmark = pytest.mark.skipif(bool(opencode.missing()), reason=opencode.missing())
POOLS = {"chat": {}, "anthropic": dict.fromkeys(EXPERTS, "anthropic"), "mixed": {"cheap": "anthropic"}}
NAMES = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}


class Agent(Script):
    """Plays the turns; whatever else the client wants gets a title."""

    def __call__(self, r):
        if r.json.get("tools"):
            super().__call__(r)
        else:
            speak(r, {"text": "Greeting"})


def turns_of(tap):
    return [r for r in tap.requests if r["body"].get("tools")]


def wait_for(tap, count, seconds=30):
    deadline = time.monotonic() + seconds
    while len(turns_of(tap)) < count:
        assert time.monotonic() < deadline, f"{len(turns_of(tap))} turns, not {count}"
        time.sleep(0.02)


def serve(start_gateway, upstream, script, pool="chat"):
    for name in EXPERTS:
        upstream.on(name, script)
    return start_gateway(dialects=POOLS[pool], expert="retries: 0")


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("front", NAMES)
def test_a_session(start_gateway, upstream, tmp_path, front, pool):
    script = Agent(OPENCODE["edit"]["script"])
    tap = Tap(serve(start_gateway, upstream, script, pool).address)
    agent = opencode.Opencode(tmp_path, tap.url, front)
    assert agent.play(OPENCODE["edit"], lambda count: wait_for(tap, count)) == OPENCODE["edit"]["script"][-1]["text"]
    assert script.at == len(script.turns) == len(turns_of(tap))
    assert {r["path"] for r in tap.requests} == {NAMES[front]}
    keys = [r["headers"].get("x-api-key") or r["headers"]["authorization"].removeprefix("Bearer ") for r in tap.requests]
    assert set(keys) == {"client-secret"}
    assert "iVBORw0KGgo" in str(script.asked[-1].json), "what its tool saw in the picture reaches the expert"
    tap.close()


@pytest.mark.parametrize("front", NAMES)
def test_an_interrupted_session(start_gateway, upstream, tmp_path, front):
    script = Agent(OPENCODE["resumed"]["script"])
    tap = Tap(serve(start_gateway, upstream, script, "mixed").address)
    agent = opencode.Opencode(tmp_path, tap.url, front)
    assert agent.play(OPENCODE["resumed"], lambda count: wait_for(tap, count)) == OPENCODE["resumed"]["script"][-1]["text"]
    assert script.at == len(script.turns)
    assert script.asked[1].cancelled.wait(10)
    tap.close()


def test_an_error_is_told(start_gateway, upstream, tmp_path):
    gateway = serve(start_gateway, upstream, Agent([{"status": 400}, {"text": "PONG"}]))
    out, problems = opencode.Opencode(tmp_path, gateway.url).start(["say PONG"]).communicate(timeout=90)
    assert "the script says so" in out + problems
