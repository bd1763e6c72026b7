"""Runs opencode of build/clients against a gateway, without a terminal and without the internet."""

import json
import os
import signal
import subprocess
import time

from programs import INSTALL, PACKAGES

PROGRAM = PACKAGES / "opencode-linux-x64" / "bin" / "opencode"

# docs/clients.md shows the first of them to users.
NPM = {"chat": "@ai-sdk/openai-compatible", "messages": "@ai-sdk/anthropic", "responses": "@ai-sdk/openai"}
OFFLINE = ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS", "CLAUDE_CODE")


def missing():
    """Why it cannot run here; empty: it can."""
    return "" if PROGRAM.exists() else f"opencode is not installed: {INSTALL}"


def config(url, front):
    model = {"name": "Leeroo", "attachment": True, "tool_call": True, "modalities": {"input": ["text", "image"], "output": ["text"]},
             "limit": {"context": 200000, "output": 8192}}
    provider = {"npm": NPM[front], "name": "Leeroo", "options": {"baseURL": f"{url}/v1", "apiKey": "{env:LEEROO_KEY}"},
                "models": {"leeroo": model}}
    return {"provider": {"leeroo": provider}, "model": "leeroo/leeroo", "small_model": "leeroo/leeroo", "share": "disabled",
            "autoupdate": False, "permission": "allow"}


class Opencode:
    def __init__(self, folder, url, front="chat"):
        self.home, self.work = folder / "agent", folder / "project"
        self.home.mkdir()
        self.work.mkdir()
        (self.home / "opencode.json").write_text(json.dumps(config(url, front)))
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LEEROO_KEY": "client-secret",
                    "OPENCODE_CONFIG": str(self.home / "opencode.json"),
                    **{f"OPENCODE_DISABLE_{what}": "1" for what in OFFLINE}}

    def start(self, arguments, resume=False):
        return subprocess.Popen([PROGRAM, "run", "--format", "json", *(["--continue"] if resume else []), *arguments],
                                cwd=self.work, env=self.env, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def play(self, scenario, wait):
        """Makes all runs of a scenario; wait(n) returns once the gateway was asked for n turns. The last run's words."""
        for name, content in scenario["files"].items():
            (self.work / name).write_bytes(content)
        said = ""
        for run in scenario["runs"]:
            process = self.start(run["arguments"], run.get("resume"))
            if run.get("interrupt"):
                wait(run["interrupt"])
                time.sleep(1)  # for what comes back to be there, too
                process.send_signal(signal.SIGINT)
                end(process)
            out, problems = process.communicate(timeout=90)
            assert run.get("interrupt") or process.returncode == 0, out[-2000:] + problems
            said = last_text(out)
        for name, content in scenario["after"].items():
            assert (self.work / name).read_bytes() == content
        return said


def end(process):
    """It sometimes does not hear of the interruption, and the user closes the terminal."""
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def last_text(out):
    texts = [e["part"]["text"] for e in map(json.loads, out.splitlines()) if e["type"] == "text"]
    return texts[-1] if texts else ""
