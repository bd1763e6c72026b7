"""What stands still beside the gateway holds up nobody: standard error, files, the ledger, a collector, name servers."""

import os
import re
import signal
import subprocess
import threading
import time

import httpx
import pytest
from conftest import KEY, write_config
from upstream import answer


class Mute:
    """A gateway whose standard error is a pipe that is read only when the test says so."""

    def __init__(self, leeroo, config):
        self.popen = subprocess.Popen([leeroo, "serve", "-c", str(config)], stderr=subprocess.PIPE,
                                      stdout=subprocess.DEVNULL, env={**os.environ, "UP_KEY": KEY})
        self.text = b""
        while not (found := re.search(rb"msg=listening.* addr=(\S+)", self.text)):
            got = os.read(self.popen.stderr.fileno(), 4096)
            assert got, self.text
            self.text += got
        self.client = httpx.Client(base_url=f"http://{found.group(1).decode()}", timeout=20)

    def fill(self, requests):
        for i in range(requests):
            r = self.client.post("/v1/chat/completions", json={"model": f"no-such-{i}-" + "x" * 80, "messages": []})
            assert r.status_code in (400, 404), r.text

    def dropped(self):
        return int(re.search(r"^leeroo_log_dropped_total (\d+)", self.client.get("/metrics").text, re.M).group(1))

    def read_on(self):
        self.text += self.popen.stderr.read()


@pytest.fixture
def mute(leeroo, model_file, upstream, tmp_path):
    upstream.on("cheap", answer("fine"))
    m = Mute(leeroo, write_config(tmp_path, model_file, upstream.url))
    yield m
    m.client.close()
    m.popen.kill()
    m.popen.wait()


def ask(m):
    return m.client.post("/v1/chat/completions", json={"model": "cheap", "messages": [{"role": "user", "content": "hi"}]})


def test_a_log_that_nobody_reads_stops_nothing(mute):
    """moby #31540, containerd #9342: a log that is not read any more hangs the service. Here lines are dropped and counted."""
    for _ in range(20):
        mute.fill(200)
        if mute.dropped():
            break
    assert mute.dropped() > 0, "more than the pipe and the buffer hold"
    assert mute.client.get("/healthz").status_code == 200
    assert ask(mute).json()["choices"][0]["message"]["content"] == "fine"
    lost = mute.dropped()
    reader = threading.Thread(target=mute.read_on)
    reader.start()
    deadline = time.monotonic() + 20
    while mute.dropped() > lost and time.monotonic() < deadline:
        lost = mute.dropped()
    mute.fill(1)
    mute.popen.send_signal(signal.SIGTERM)
    assert mute.popen.wait(20) == 0
    reader.join(20)
    lines = mute.text.decode().splitlines()
    assert all(re.match(r"ts=\S+ level=\w+ msg=", line) for line in lines), "lines are whole"
    said = [int(n) for line in lines for n in re.findall(r'msg="log lines dropped" lines=(\d+)', line)]
    assert sum(said) >= lost > 0
    assert lines[-1].endswith("msg=stopped status=ok")


def test_a_log_that_nobody_reads_does_not_keep_the_gateway_from_ending(mute):
    for _ in range(20):
        mute.fill(200)
        if mute.dropped():
            break
    mute.popen.send_signal(signal.SIGTERM)
    assert mute.popen.wait(20) == 0


def test_log_lines_are_text(gateway):
    """rust-lang/log #611, snmp-query-engine PR #32: header bytes that are no UTF-8, and terminal escapes, reach neither log nor error."""
    body = b'{"model":"dear","messages":[{"role":"user","content":"x"}]}'
    for name, value in (("x-leeroo-plans", b"\x80\xff"), ("x-leeroo-experts", b"\x9b31m\xff"),
                        ("x-leeroo-policy", b"\xff\xc2\x9b2J"), ("traceparent", b"\xff"), ("user-agent", b"\xff"),
                        ("content-encoding", b"\xff\x9b2J"), ("x-session-id", b"\xff\xfe"),
                        ("x-leeroo-max-cost-usd", b"\xff"), ("x-leeroo-lambda", b"\x9b1"), ("authorization", b"Bearer \xff")):
        r = gateway.client.post("/v1/chat/completions", content=body,
                                headers=[(b"content-type", b"application/json"), (name.encode(), value)])
        r.content.decode()
        assert r.json()
    for model in ("\udcff".encode("utf-8", "surrogateescape"), b"\\u009b31m", b"\\u202e", b"\\u0007"):
        r = gateway.client.post("/v1/chat/completions", content=b'{"model":"' + model + b'","messages":[]}',
                                headers={"content-type": "application/json"})
        r.content.decode()
    gateway.stop()
    assert gateway.text and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\udc80-\udcff]", gateway.text)
