"""What stands still beside the gateway holds up nobody: standard error, files, the ledger, a collector, name servers."""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest
import stalling
from conftest import KEY, Process, has_sanitizer, write_config
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


@pytest.fixture(scope="session")
def preload(tmp_path_factory, leeroo):
    if has_sanitizer(leeroo, "asan", "tsan"):
        pytest.skip("a sanitizer wants to be the first library")
    return stalling.build(tmp_path_factory.mktemp("preload"))


class Stalled:
    """A gateway in which what is named can be made to wait."""

    def __init__(self, leeroo, preload, tmp_path, model_file, upstream):
        self.folder, self.control = tmp_path, tmp_path / "stall"
        self.control.mkdir()
        (tmp_path / "state").mkdir(mode=0o700)
        self.model = tmp_path / "m.leeroo"
        self.model.write_bytes(model_file.read_bytes())
        top = "state_dir: state\nkeys: keys.json\nreference: dear"
        self.config = write_config(tmp_path, "m.leeroo", upstream.url, urls={"mid": "http://slow.invalid:81/v1"}, top=top,
                                   expert="retries: 0\nbreaker: off\ntimeouts: {connect: 0.3s}",
                                   policies="policies:\n  default: {budget: 1.0}\n")
        self.secret = subprocess.run([leeroo, "keys", "create", "--name", "a", "-c", str(self.config)], check=True, text=True,
                                     env={**os.environ, "UP_KEY": KEY}, capture_output=True).stdout.strip()
        self.p = Process([leeroo, "serve", "-c", str(self.config)], UP_KEY=KEY, LD_PRELOAD=str(preload),
                         STALL_DIR=str(self.control))
        self.url = "http://" + self.p.wait_line(r"msg=listening.* addr=(\S+)").group(1)
        self.headers = {"authorization": f"Bearer {self.secret}"}
        assert httpx.get(f"{self.url}/healthz").status_code == 200  # from here on files are looked at

    def stall(self, what, text=""):
        (self.control / what).write_text(text)

    def release(self, what):
        (self.control / what).unlink()

    def wait_until_it_waits(self, what):
        deadline = time.monotonic() + 20
        while not (self.control / f"{what}.waiting").exists():
            assert time.monotonic() < deadline, f"nobody calls {what}\n{self.p.text}"
            time.sleep(0.01)

    def chat(self, model="cheap", timeout=20.0):
        """On a connection of its own, so that each event loop has its share."""
        return httpx.post(f"{self.url}/v1/chat/completions", headers=self.headers, timeout=timeout,
                          json={"model": model, "messages": [{"role": "user", "content": "hi"}]})

    def answers(self):
        for _ in range(6):
            assert httpx.get(f"{self.url}/healthz", timeout=3).status_code == 200
            assert self.chat(timeout=3).status_code == 200
        assert httpx.get(f"{self.url}/v1/models", headers=self.headers, timeout=3).status_code == 200
        assert httpx.get(f"{self.url}/metrics", headers=self.headers, timeout=3).status_code == 403


@pytest.fixture
def stalled(leeroo, preload, tmp_path, model_file, upstream):
    upstream.on("cheap", answer("fine"))
    s = Stalled(leeroo, preload, tmp_path, model_file, upstream)
    yield s
    for file in s.control.iterdir():
        file.unlink()
    assert s.p.stop() == 0, s.p.text


def rewrite(path):
    path.write_bytes(path.read_bytes())


def test_files_that_do_not_answer_hold_up_nobody(stalled):
    """Each file that is read or written while the gateway runs, on a disk that stands still."""
    touched = {"keys.json": stalled.folder / "keys.json", "m.leeroo": stalled.model, "leeroo.yaml": stalled.config}
    for name, path in touched.items():
        stalled.stall("open", name)
        rewrite(path)
        stalled.wait_until_it_waits("open")
        stalled.answers()
        stalled.release("open")
        (stalled.control / "open.waiting").unlink(missing_ok=True)
    for name in touched:
        stalled.stall("stat", name)
        stalled.wait_until_it_waits("stat")
        stalled.answers()
        stalled.release("stat")
        (stalled.control / "stat.waiting").unlink(missing_ok=True)


def test_a_file_that_does_not_answer_does_not_keep_the_gateway_from_ending(leeroo, preload, tmp_path, model_file, upstream):
    s = Stalled(leeroo, preload, tmp_path, model_file, upstream)
    s.stall("open", "keys.json")
    rewrite(tmp_path / "keys.json")
    s.wait_until_it_waits("open")
    s.p.popen.send_signal(signal.SIGTERM)
    assert s.p.popen.wait(40) == 1
    s.p.reader.join(5)
    assert "a file or the database does not answer" in s.p.text


@pytest.mark.parametrize("name", ["keys.json", "m.leeroo", "leeroo.yaml"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(leeroo, preload, tmp_path, model_file, upstream, name):
    upstream.on("cheap", answer("fine"))
    s = Stalled(leeroo, preload, tmp_path, model_file, upstream)
    os.mkfifo(tmp_path / "fifo")
    os.replace(tmp_path / "fifo", tmp_path / name)
    s.p.wait_line(rf"level=error msg=\"(keys not read|reload refused).*{name}: (not a regular file|a pipe)")
    s.answers()
    assert s.p.stop() == 0


def test_a_disk_that_never_syncs_holds_up_nobody(stalled):
    """The ledger's database and the budgets' file wait for it; requests do not."""
    assert stalled.chat("leeroo").status_code == 200
    stalled.stall("fsync")
    assert stalled.chat("leeroo").status_code == 200
    stalled.wait_until_it_waits("fsync")
    stalled.answers()


def test_name_servers_that_never_answer_hold_up_nobody(stalled):
    """curl #8515, #4852: whoever gives up a call joins the thread that resolves its name. Here the call ends in time, alone."""
    stalled.stall("getaddrinfo")
    slow = [threading.Thread(target=stalled.chat, args=("mid",)) for _ in range(4)]
    for thread in slow:
        thread.start()
    stalled.wait_until_it_waits("getaddrinfo")
    for _ in range(3):
        stalled.answers()
    r = stalled.chat("mid")
    assert r.status_code in (502, 504), r.text
    for thread in slow:
        thread.join()
    with pytest.raises(httpx.ReadTimeout):  # a client that leaves gives its call up
        stalled.chat("mid", timeout=0.1)
    stalled.answers()
