"""Runs Claude Code of build/clients against a gateway, without a terminal and without the internet."""

import json
import os
import signal
import subprocess
import time

from programs import INSTALL, PACKAGES

PROGRAM = PACKAGES / "@anthropic-ai" / "claude-code-linux-x64" / "claude"
FLAGS = ["-p", "--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions"]


def missing():
    """Why it cannot run here; empty: it can."""
    return "" if PROGRAM.exists() else f"Claude Code is not installed: {INSTALL}"


def version():
    return subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, timeout=60).stdout.strip()


def is_turn(request):
    """Of the conversation itself: there are also probes, and a title for it."""
    return bool(request["body"].get("tools")) and request["path"].startswith("/v1/messages?")


class Claude:
    def __init__(self, folder, url, model="leeroo", **more):
        self.home, self.work = folder / "agent", folder / "project"
        self.home.mkdir()
        self.work.mkdir()
        self.model = ["--model", model] if model else []
        # docs/clients.md shows the first two to users.
        self.env = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_AUTH_TOKEN": "client-secret",
                    "PATH": os.environ["PATH"], "HOME": str(self.home), "CLAUDE_CONFIG_DIR": str(self.home),
                    "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1", "IS_SANDBOX": "1", **more}

    def start(self, arguments, resume=False):
        return subprocess.Popen([PROGRAM, *FLAGS, *self.model, *(["--continue"] if resume else []), *arguments], cwd=self.work,
                                env=self.env, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

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
            out, problems = process.communicate(timeout=90)
            said = result_of(out)
            assert run.get("interrupt") or process.returncode == 0, out[-2000:] + problems
        for name, content in scenario["after"].items():
            assert (self.work / name).read_bytes() == content
        return said


def result_of(out):
    lines = [json.loads(line) for line in out.splitlines()]
    return lines[-1].get("result", "") if lines else ""
