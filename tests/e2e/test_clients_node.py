"""The official Node.js clients of OpenAI and Anthropic against the gateway (clients.mjs), in front of each dialect."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import EXPERTS, ROOT
from speakers import CALL, refuse, speak
from upstream import stall

PACKAGES = Path(os.environ.get("LEEROO_NODE_MODULES", ROOT / "build" / "node_modules"))


def answer(r):
    """In the form that is asked for; of a picture it says that it sees it."""
    said = "I see" if "iVBORw0KGgo" in json.dumps(r.json["messages"]) else "hello world"
    speak(json.dumps(CALL) if "response_format" in r.json or "output_config" in r.json else said)(r)


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_official_node_clients(start_gateway, upstream, dialect):
    node = shutil.which("node") or shutil.which("nodejs")
    assert node and (PACKAGES / "openai").is_dir(), "scripts/install-deps check installs Node.js and its packages"
    for name in EXPERTS:
        upstream.on(name, answer)
    upstream.on("mid", refuse(400, "the prompt is odd"))
    upstream.on("dear", stall())
    g = start_gateway(expert=f"dialect: {dialect}\nretries: 0\nbreaker: off\n", policies="policies: {default: {lambda: 1e9, experts: [cheap]}}\n")
    run = subprocess.run([node, str(Path(__file__).with_name("clients.mjs")), str(PACKAGES), g.url], capture_output=True, text=True, timeout=120)
    lines = run.stdout.splitlines()
    assert run.returncode == 0 and lines, run.stderr
    scenarios = re.findall(r"^  async '([^']+)'", Path(__file__).with_name("clients.mjs").read_text(), re.M)
    assert lines == [f"ok {name}" for name in scenarios], run.stdout + run.stderr
    stalled = upstream.of("dear")
    assert len(stalled) == 3 and all(r.cancelled.wait(10) for r in stalled)
