"""Recorded sessions of real agents (tests/sessions), played through the gateway with experts of every kind: what clients
get and what experts are asked stays as it is in tests/sessions/golden, and whole answers say what streams say."""

import json
import os
import re
import sys

import httpx
import pytest

from conftest import EXPERTS, ROOT

sys.path[:0] = [str(ROOT / "tests" / "sessions"), str(ROOT / "tests" / "clients")]
import session  # noqa: E402
from scenarios import ALIASES  # noqa: E402
from scripted import Script  # noqa: E402

GOLDEN = session.FOLDER / "golden"
POOLS = {"chat": {}, "anthropic": dict.fromkeys(EXPERTS, "anthropic"), "mixed": {"cheap": "anthropic"}}
FAILS_AT = 2  # in the mixed pool, at the third request


@pytest.fixture
def play(start_gateway, upstream):
    """Plays a session; `whole` asks for no streams."""
    def run(recorded, pool, whole=False):
        script = Script(recorded["script"])
        for name in EXPERTS:
            upstream.on(name, script)
        gateway = start_gateway(dialects=POOLS[pool], expert="retries: 0", top=ALIASES)
        for i, request in enumerate(recorded["requests"]):
            script.down = {"cheap"} if pool == "mixed" and i == FAILS_AT else set()
            before = len(script.asked)
            body = {**request["body"], "stream": False} if whole else request["body"]
            reply = send(gateway, request, body)
            yield request, reply, script.asked[before:]
    return run


def send(gateway, request, body):
    with gateway.client.stream(request["method"], request["path"], headers=request["headers"], json=body) as reply:
        got = b""
        for chunk in reply.iter_bytes():
            got += chunk
            if request.get("cancelled") and request["cancelled"].encode() in got:
                break
    return httpx.Response(reply.status_code, headers=[h for h in reply.headers.multi_items() if h[0] != "transfer-encoding"],
                          content=got)


def told(request, reply, asked):
    out = {"status": reply.status_code, "expert": reply.headers.get("x-leeroo-expert"),
           "dropped": reply.headers.get("x-leeroo-dropped"),
           "asked": [{"expert": r.json["model"], **session.asked_of(r.json)} for r in asked]}
    if request.get("cancelled"):
        return out
    if "event-stream" in reply.headers["content-type"]:
        out["events"] = session.kinds_of(session.events_of(reply.text))
    return {**out, "answer": session.answer_of(request["path"], reply)}


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("name", session.names())
def test_a_session_is_answered_as_before(play, name, pool):
    got = [told(*turn) for turn in play(session.load(name), pool)]
    path = GOLDEN / f"{name}.{pool}.json"
    if os.environ.get("LEEROO_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(got, indent=1, ensure_ascii=False) + "\n")
    want = json.loads(path.read_text())
    for i, (g, w) in enumerate(zip(got, want)):
        assert g == w, f"request {i}"
    assert len(got) == len(want)


@pytest.mark.parametrize("pool", ["chat", "anthropic"])
@pytest.mark.parametrize("name", session.names())
def test_whole_answers_say_what_streams_say(play, name, pool):
    recorded = session.load(name)
    recorded["requests"] = [r for r in recorded["requests"] if not r.get("cancelled")]
    recorded["script"] = [t for t in recorded["script"] if not t.get("stall")]
    streamed = [session.answer_of(r["path"], reply) for r, reply, _ in play(recorded, pool)]
    whole = [session.answer_of(r["path"], reply) for r, reply, _ in play(recorded, pool, whole=True)]
    assert whole == streamed


@pytest.mark.parametrize("name", session.names())
def test_a_session_is_small_and_tells_nothing_of_its_machine(name):
    text = (session.FOLDER / f"{name}.json").read_text()
    assert len(text) < 300_000
    assert not re.search(r'/tmp/|/root/\.|/home/|\bsk-|Bearer|"authorization"', text)
