"""Runs the Codex CLI of build/clients against a gateway, without a terminal and without the internet."""

import os
import signal
import subprocess
import time

from programs import INSTALL, NODE, PACKAGES

PROGRAM = PACKAGES / "@openai" / "codex" / "bin" / "codex.js"
FLAGS = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]

# docs/clients.md shows the same to users.
CONFIG = """model = "{model}"
model_provider = "leeroo"

[model_providers.leeroo]
name = "leeroo"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "LEEROO_KEY"
"""


def missing():
    """Why it cannot run here; empty: it can."""
    if not PROGRAM.exists():
        return f"Codex is not installed: {INSTALL}"
    return "" if NODE else "Codex needs node"


def version():
    return subprocess.run([NODE, PROGRAM, "--version"], capture_output=True, text=True, timeout=60).stdout.strip()


class Codex:
    def __init__(self, folder, url, more="", model="leeroo"):
        self.home, self.work = folder / "agent", folder / "project"
        self.home.mkdir()
        self.work.mkdir()
        (self.home / "config.toml").write_text(CONFIG.format(url=url, model=model) + more)

    def start(self, arguments, resume=False):
        begin = ["exec", "resume", *FLAGS, "--last"] if resume else ["exec", *FLAGS]
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "CODEX_HOME": str(self.home), "LEEROO_KEY": "client-secret"}
        return subprocess.Popen([NODE, PROGRAM, *begin, *arguments], cwd=self.work, env=env, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def play(self, scenario, wait):
        """Makes all runs of a scenario; wait(n) returns once the gateway was asked n times. The last run's words."""
        for name, content in scenario["files"].items():
            (self.work / name).write_bytes(content)
        said = ""
        for run in scenario["runs"]:
            process = self.start(run["arguments"], run.get("resume"))
            if run.get("interrupt"):
                wait(run["interrupt"])
                time.sleep(1)  # for what comes back to be there, too
                process.send_signal(signal.SIGINT)
            said, problems = process.communicate(timeout=90)
            assert run.get("interrupt") or process.returncode == 0, problems
        for name, content in scenario["after"].items():
            assert (self.work / name).read_bytes() == content
        return said
