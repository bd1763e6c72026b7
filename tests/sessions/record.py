#!/usr/bin/env python3
"""Records a session anew: runs the client of build/clients through a scenario, with experts that play its script.

usage: build/venv/bin/python tests/sessions/record.py codex-edit...
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
for folder in (TESTS / "clients", TESTS / "sessions", TESTS / "e2e"):
    sys.path.insert(0, str(folder))

import claude_code  # noqa: E402
import codex  # noqa: E402
import session  # noqa: E402
from conftest import EXPERTS, Gateway, write_config, write_dataset  # noqa: E402
from scenarios import ALIASES, CLAUDE, CODEX  # noqa: E402
from scripted import Script, pieces, speak  # noqa: E402
from tap import Tap  # noqa: E402
from upstream import Upstream  # noqa: E402

HEADERS = re.compile(r"accept|content-type|user-agent|originator|session.id|thread-id|x-client-request-id|x-codex-.*|x-app"
                     r"|x-session-id|x-claude-code-.*|openai-beta|anthropic-.*|x-stainless-.*")
CLIENTS = {"codex": (codex.Codex, CODEX, codex.missing, codex.version),
           "claude": (claude_code.Claude, CLAUDE, claude_code.missing, claude_code.version)}


class Turns(Script):
    """Without the probes and titles that clients ask for beside the conversation."""

    def __call__(self, r):
        if r.json.get("tools"):
            super().__call__(r)
        else:
            speak(r, {"text": "{}"})


def turns_of(tap):
    return [r for r in tap.requests if r["body"].get("tools") or '"additional_tools"' in json.dumps(r["body"])]


def wait_for(tap, count, seconds=30):
    deadline = time.monotonic() + seconds
    while len(turns_of(tap)) < count:
        assert time.monotonic() < deadline, f"{len(turns_of(tap))} turns, not {count}"
        time.sleep(0.02)


def scrubbed(value, folder):
    """Without what tells of this machine."""
    text = json.dumps(value)
    text = text.replace(str(folder / "project"), "/work/project").replace(str(folder), "/work")
    text = re.sub(r'(installation_id\\*": ?\\*"|installation-id": ")[0-9a-f-]{36}', r"\g<1>00000000-0000-0000-0000-000000000000", text)
    text = re.sub(r'(device_id\\*": ?\\*")[0-9a-f]{64}', r"\g<1>" + "0" * 64, text)
    text = re.sub(r"(Chunk ID: )[0-9a-f]{6}", r"\g<1>000000", text)
    return json.loads(text)


def cancelled_at(turn):
    """The text at which a client that hangs up has everything: the last delta."""
    return {"cancelled": pieces(turn["text"])[-1]} if turn.get("stall") else {}


def record(name):
    client, _, scenario_name = name.partition("-")
    make, scenarios, missing, version = CLIENTS[client]
    scenario = scenarios[scenario_name]
    assert not missing(), missing()
    leeroo = os.environ.get("LEEROO_BIN", str(TESTS.parent / "build" / "leeroo"))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        subprocess.run([leeroo, "train", str(write_dataset(folder / "data")), "-o", str(folder / "m.leeroo")], check=True, capture_output=True)
        upstream, script = Upstream(), Turns(scenario["script"])
        for expert in EXPERTS:
            upstream.on(expert, script)
        gateway = Gateway(leeroo, write_config(folder, folder / "m.leeroo", upstream.url, expert="retries: 0", top=ALIASES))
        tap = Tap(gateway.address)
        more = {"model": scenario["model"]} if "model" in scenario else {}
        make(folder, tap.url, **more).play(scenario, lambda count: wait_for(tap, count))
        gateway.stop()
        requests = [{"method": r["method"], "path": r["path"],
                     "headers": {k: v for k, v in r["headers"].items() if HEADERS.fullmatch(k)},
                     **cancelled_at(turn), "body": r["body"]}
                    for r, turn in zip(turns_of(tap), scenario["script"])]
        session.save(name, {"client": version(), "about": scenario["about"], "script": scenario["script"],
                            "requests": scrubbed(requests, folder)})


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for session_name in sys.argv[1:]:
        record(session_name)
