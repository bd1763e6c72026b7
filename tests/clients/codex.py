"""Runs the Codex CLI of build/clients against a gateway, without a terminal and without the internet."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build" / "clients" / "node_modules" / "@openai" / "codex" / "bin" / "codex.js"
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
        return "Codex is not installed: scripts/node-packages tests/clients/node-packages.txt build/clients/node_modules"
    if not shutil.which("node"):
        return "Codex needs node"
    return ""


def version():
    return subprocess.run(["node", PROGRAM, "--version"], capture_output=True, text=True, timeout=60).stdout.strip()


class Codex:
    def __init__(self, folder, url, more="", model="leeroo"):
        self.home, self.work = folder / "agent", folder / "project"
        self.home.mkdir()
        self.work.mkdir()
        (self.home / "config.toml").write_text(CONFIG.format(url=url, model=model) + more)

    def start(self, arguments, resume=False):
        begin = ["exec", "resume", *FLAGS, "--last"] if resume else ["exec", *FLAGS]
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "CODEX_HOME": str(self.home), "LEEROO_KEY": "client-secret"}
        return subprocess.Popen(["node", PROGRAM, *begin, *arguments], cwd=self.work, env=env, text=True,
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
