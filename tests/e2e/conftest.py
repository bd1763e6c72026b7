"""Shared by the end-to-end tests: the program (LEEROO_BIN), a trained model, a misbehaving upstream, a gateway."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from upstream import Upstream  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
ASAN = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"  # freed memory is no growth
KEY = "sk-canary-5f1e3b9d7c"
EXPERTS = {"cheap": ("0.1", "0.2"), "mid": ("0.5", "1.0"), "dear": ("5.0", "15.0")}


@pytest.fixture(scope="session")
def leeroo():
    path = Path(os.environ.get("LEEROO_BIN", ROOT / "build" / "leeroo")).resolve()
    assert path.exists(), f"{path} is not built"
    return str(path)


def has_sanitizer(program, *names):
    """Whether the program was built with one of the sanitizers: "asan", "tsan"."""
    binary = Path(program).read_bytes()
    return any(f"__{name}_init".encode() in binary for name in names)


def write_dataset(folder):
    """Easy questions that all can answer, hard ones that only the dear expert can."""
    rng = random.Random(7)
    easy, hard = ["hello", "sum", "two", "colour", "cat"], ["prove", "integral", "quantum", "lemma", "tensor"]
    queries, outcomes = [], ["id,model,score,cost_usd,input_tokens,output_tokens"]
    for i in range(400):  # fewer than have a guard, to which texts of two words are foreign
        is_hard = i % 2
        words = rng.choices(hard if is_hard else easy, k=6) + [str(rng.randrange(1000))]
        queries.append(json.dumps({"id": f"q{i}", "text": " ".join(words)}))
        for name, (inp, out) in EXPERTS.items():
            good = rng.random() < {"cheap": 0.05, "mid": 0.4, "dear": 0.95}[name] if is_hard else True
            tokens = (10, 20)
            cost = (tokens[0] * float(inp) + tokens[1] * float(out)) / 1e6
            outcomes.append(f"q{i},{name},{int(good)},{cost:.9f},{tokens[0]},{tokens[1]}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "queries.jsonl").write_text("\n".join(queries) + "\n")
    (folder / "outcomes.csv").write_text("\n".join(outcomes) + "\n")
    rows = [f"{n},{i},{o}" for n, (i, o) in EXPERTS.items()]
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\n" + "\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="session")
def model_file(leeroo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    path = folder / "m.leeroo"
    subprocess.run([leeroo, "train", str(write_dataset(folder / "data")), "-o", str(path)], check=True,
                   capture_output=True, timeout=120)
    return path


@pytest.fixture
def upstream():
    u = Upstream()
    yield u
    u.close()


def free_port():
    """A port that nobody listens on (to be refused, never to listen on)."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(check, what="it did not happen", seconds=20):
    """Until check() is true; its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


class Process:
    """A running leeroo command; its standard error is collected line by line."""

    def __init__(self, argv, **env):
        self.lines, self.seen = [], threading.Condition()
        self.popen = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      env={**os.environ, "ASAN_OPTIONS": ASAN, **env})
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.popen.stderr:
            with self.seen:
                self.lines.append(line.rstrip("\n"))
                self.seen.notify_all()
        with self.seen:
            self.lines.append("")
            self.seen.notify_all()

    def wait_line(self, pattern, seconds=20):
        deadline = time.monotonic() + seconds
        with self.seen:
            while True:
                for line in self.lines:
                    found = re.search(pattern, line)
                    if found:
                        return found
                left = deadline - time.monotonic()
                if left <= 0 or (self.popen.poll() is not None and not self.reader.is_alive()):
                    raise AssertionError(f"no line matches {pattern!r} in:\n" + "\n".join(self.lines))
                self.seen.wait(min(left, 0.2))

    def stop(self, sig=signal.SIGTERM, seconds=20):
        """Sends the signal and returns the exit status."""
        if self.popen.poll() is None:
            self.popen.send_signal(sig)
        code = self.popen.wait(seconds)
        self.reader.join(5)
        return code

    @property
    def text(self):
        return "\n".join(self.lines)


class Gateway(Process):
    def __init__(self, leeroo, config):
        super().__init__([leeroo, "serve", "-c", str(config)], UP_KEY=KEY)
        self.address = self.wait_line(r"msg=listening.* addr=(\S+)").group(1)
        self.url = f"http://{self.address}"
        self.client = httpx.Client(base_url=self.url, timeout=30)

    def chat(self, content="hello cat", model="leeroo", **more):
        more.setdefault("messages", [{"role": "user", "content": content}])
        return self.client.post("/v1/chat/completions", json={"model": model, **more})

    def route(self, content="hello cat", model="leeroo"):
        r = self.client.post("/v1/route", json={"model": model, "messages": [{"role": "user", "content": content}]})
        assert r.status_code == 200, r.text
        return r.json()

    def access(self, request_id, seconds=5):
        """The access log line of a request as a dictionary."""
        line = self.wait_line(rf"msg=request req={request_id} .*", seconds).group(0)
        return dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line))

    def memory_kib(self):
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))


DEFAULT_POLICIES = """
policies:
  default: {lambda: 1000}
  best: {lambda: 0}
  thrift: {lambda: 1e9}
  cheapest: {experts: [cheap]}
"""


def write_config(folder, model_file, url, urls=None, top="", expert="", policies=DEFAULT_POLICIES, names=EXPERTS, dialects=None):
    """A leeroo.yaml with one upstream for all experts; `urls` and `dialects` replace some, `expert` adds keys to each."""
    lines = ["listen: 127.0.0.1:0", f"model: {model_file}", "threads: 2", top, "experts:"]
    for name in names:
        lines += [f"  - name: {name}", f"    url: {(urls or {}).get(name, url)}", "    api_key: env:UP_KEY"]
        lines += [f"    dialect: {dialects[name]}"] if name in (dialects or {}) else []
        lines += ["    " + line for line in expert.splitlines() if line]
    path = folder / "leeroo.yaml"
    path.write_text("\n".join(lines) + "\n" + policies)
    return path


@pytest.fixture
def start_gateway(leeroo, model_file, upstream, tmp_path):
    running = []

    def start(**options):
        g = Gateway(leeroo, write_config(tmp_path, model_file, upstream.url, **options))
        running.append(g)
        return g
    yield start
    for g in running:
        g.client.close()
        code = g.stop()
        assert code == 0, f"exit status {code}\n{g.text}"
        assert "ERROR: " not in g.text and "runtime error" not in g.text, g.text


@pytest.fixture
def gateway(start_gateway):
    return start_gateway()
