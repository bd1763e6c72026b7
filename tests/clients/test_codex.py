"""The Codex CLI itself, unchanged, with experts of every kind behind the gateway."""

import time

import pytest

import codex
from e2e_conftest import EXPERTS
from scenarios import ALIASES, CODEX
from scripted import Script
from session import asked_of
from tap import Tap

pytestmark = pytest.mark.skipif(bool(codex.missing()), reason=codex.missing())
POOLS = {"chat": {}, "anthropic": dict.fromkeys(EXPERTS, "anthropic"), "mixed": {"cheap": "anthropic"}}


def serve(start_gateway, upstream, script, pool="chat"):
    for name in EXPERTS:
        upstream.on(name, script)
    return start_gateway(dialects=POOLS[pool], expert="retries: 0", top=ALIASES)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("name", CODEX)
def test_a_session(start_gateway, upstream, tmp_path, name, pool):
    script = Script(CODEX[name]["script"])
    gateway = serve(start_gateway, upstream, script, pool)
    tap = Tap(gateway.address)
    agent = codex.Codex(tmp_path, tap.url, model=CODEX[name].get("model", "leeroo"))
    said = agent.play(CODEX[name], tap.wait)
    assert said.strip() == CODEX[name]["script"][-1]["text"]
    assert script.at == len(script.turns) == len(tap.requests)
    thought = [t["reasoning"] for t in script.turns[:-1] if "reasoning" in t and "calls" in t]
    for text in thought:  # comes back to the expert that thought it, with what it led to
        assert f"thinks: {text}" in str(asked_of(script.asked[-1].json))
    tap.close()


def test_the_expert_that_began_fails_amid_the_session(start_gateway, upstream, tmp_path):
    script = Script(CODEX["edit"]["script"])
    gateway = serve(start_gateway, upstream, script, "mixed")
    tap = Tap(gateway.address)
    agent = codex.Codex(tmp_path, tap.url)

    def answer(r):
        script.down = {"cheap"} if script.at == 2 else set()
        script(r)
    for name in EXPERTS:
        upstream.on(name, answer)
    assert agent.play(CODEX["edit"], tap.wait).strip() == CODEX["edit"]["script"][-1]["text"]
    assert [r.json["model"] for r in script.asked] == ["cheap", "cheap", "cheap", "mid", "mid"]
    tap.close()


def test_it_takes_http_at_once_where_it_tries_a_websocket(start_gateway, upstream, tmp_path):
    gateway = serve(start_gateway, upstream, Script([{"text": "PONG"}]))
    agent = codex.Codex(tmp_path, gateway.url, "supports_websockets = true\n")
    begin = time.monotonic()
    said, problems = agent.start(["say PONG"]).communicate(timeout=60)
    assert said.strip() == "PONG" and "Reconnecting" not in problems, problems
    assert time.monotonic() - begin < 5  # six tries take seven seconds of pauses
