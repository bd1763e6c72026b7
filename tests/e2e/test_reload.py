"""Reloading while requests run: SIGHUP, changed files, bad files, and systemd's view of it."""

import json
import os
import re
import signal
import socket
import statistics
import subprocess
import threading
import time

import httpx
import pytest

from conftest import KEY, Gateway, Process, write_config, write_dataset
from upstream import answer, delta

ONLY = "policies:\n  default: {{experts: [{}]}}\n"


@pytest.fixture(scope="session")
def other_model(leeroo, tmp_path_factory):
    """Learnt from half of the queries: other numbers, the same experts."""
    folder = tmp_path_factory.mktemp("other")
    data = write_dataset(folder / "data")
    for name, head in (("queries.jsonl", 0), ("outcomes.csv", 1)):
        lines = (data / name).read_text().splitlines()
        keep = lines[:head] + lines[head:][:200 * (3 if head else 1)]
        (data / name).write_text("\n".join(keep) + "\n")
    path = folder / "other.leeroo"
    subprocess.run([leeroo, "train", str(data), "-o", str(path)], check=True, capture_output=True, timeout=120)
    return path


def reload(g, change=None, pattern="msg=reloaded", sig=signal.SIGHUP):
    """Changes a file, asks for a reload, waits for the log line; returns the match."""
    before = len(re.findall(pattern, g.text))
    if change:
        change()
    if sig:
        g.popen.send_signal(sig)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = list(re.finditer(pattern, g.text))
        if len(found) > before:
            return found[-1]
        time.sleep(0.01)
    raise AssertionError(f"no {pattern}:\n{g.text}")


def config_path(tmp_path):
    return tmp_path / "leeroo.yaml"


def rewrite(tmp_path, *changes):
    path = config_path(tmp_path)
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def test_a_reload_that_does_something(start_gateway, upstream, tmp_path):
    """litellm #20409: reloads that do nothing. The next request is decided by the new file; a stream that runs is not
    touched: same expert, same price, to its last word."""
    go_on = threading.Event()

    def slow(r):
        r.head(content_type="text/event-stream")
        r.event(delta("first "))
        assert go_on.wait(20)
        r.event(delta("last", finish="stop"))
        r.event({**delta(), "choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}})
        r.event(b"[DONE]")
        r.end()
    upstream.on("cheap", slow)
    g = start_gateway(policies=ONLY.format("cheap"), expert="price: {input: 1, output: 2}")
    body = {"model": "leeroo", "stream": True, "messages": [{"role": "user", "content": "hello cat"}]}
    with g.client.stream("POST", "/v1/chat/completions", json=body) as r:
        lines = r.iter_lines()
        assert "first" in next(line for line in lines if line)
        text = config_path(tmp_path).read_text()
        without_cheap = re.sub(r"  - name: cheap\n(    .*\n)*", "", text)
        reload(g, lambda: config_path(tmp_path).write_text(without_cheap.replace("[cheap]", "[dear]")))
        assert g.chat().headers["x-leeroo-expert"] == "dear"
        assert g.chat(model="cheap").status_code == 404
        go_on.set()
        rest = "\n".join(lines)
    assert "last" in rest and "[DONE]" in rest and "error" not in rest
    line = g.access(r.headers["x-leeroo-request-id"])
    assert (line["expert"], line["status"], line["cost_usd"]) == ("cheap", "200", "0.000020000")


@pytest.mark.parametrize("manner", ["in place", "renamed", "link"])
def test_a_changed_file_is_seen_without_a_signal(leeroo, model_file, upstream, tmp_path, manner):
    """In place, by rename as editors do, and by swapping a link to a folder as Kubernetes does for config maps."""
    versions = []
    for i, expert in enumerate(("cheap", "mid")):
        folder = tmp_path / f"..v{i}"
        folder.mkdir()
        versions.append(write_config(folder, model_file, upstream.url, policies=ONLY.format(expert)))
    path = tmp_path / "leeroo.yaml"
    if manner == "link":
        (tmp_path / "..data").symlink_to("..v0")
        path.symlink_to("..data/leeroo.yaml")
    else:
        path.write_text(versions[0].read_text())
    g = Gateway(leeroo, path)
    try:
        assert g.chat().headers["x-leeroo-expert"] == "cheap"

        def change():
            if manner == "link":
                (tmp_path / "..new").symlink_to("..v1")
                os.replace(tmp_path / "..new", tmp_path / "..data")
            elif manner == "renamed":
                os.replace(versions[1], path)
            else:
                path.write_text(versions[1].read_text())
        reload(g, change, sig=None)
        assert g.chat().headers["x-leeroo-expert"] == "mid"
    finally:
        assert g.stop() == 0


def test_a_new_model_is_taken_up(leeroo, model_file, other_model, upstream, tmp_path):
    path = tmp_path / "m.leeroo"
    path.write_bytes(model_file.read_bytes())
    g = Gateway(leeroo, write_config(tmp_path, "m.leeroo", upstream.url))
    try:
        before = g.route("prove lemma")
        first = re.search(r"model=(\w{16})", g.text).group(1)

        def change():
            (tmp_path / "new").write_bytes(other_model.read_bytes())
            os.replace(tmp_path / "new", path)
        second = reload(g, change, r"msg=reloaded .*model=(\w{16})", sig=None).group(1)
        assert second != first
        assert g.route("prove lemma") != before
    finally:
        assert g.stop() == 0


@pytest.mark.parametrize("manner", ["cut", "over", "garbage"])
def test_a_model_written_in_place_hurts_nobody_and_is_taken_up_when_it_is_whole(
        leeroo, model_file, other_model, upstream, tmp_path, manner):
    """annoy #335, cpython #84897: a mapped file that is overwritten kills its reader (SIGBUS) or changes under it."""
    path = tmp_path / "m.leeroo"
    path.write_bytes(model_file.read_bytes())
    g = Gateway(leeroo, write_config(tmp_path, "m.leeroo", upstream.url))
    ends, seen = threading.Event(), []

    def ask():
        with httpx.Client(base_url=g.url, timeout=20) as client:
            while not ends.is_set():
                r = client.post("/v1/route", json={"model": "leeroo", "messages": [{"role": "user", "content": "prove"}]})
                seen.append((r.status_code, json.dumps(r.json()["estimates"]) if r.status_code == 200 else r.text))
    asking = threading.Thread(target=ask)
    try:
        first = json.dumps(g.route("prove")["estimates"])
        asking.start()
        new = other_model.read_bytes()
        with open(path, "r+b", buffering=0) as f:
            if manner == "cut":
                f.truncate(0)
                time.sleep(0.6)  # longer than a file has to rest
            if manner == "garbage":
                f.seek(1000)
                f.write(b"\xff" * (len(new) - 1000))
                time.sleep(0.6)
                f.seek(0)
            for at in range(0, len(new), len(new) // 4 + 1):
                f.write(new[at:at + len(new) // 4 + 1])
                time.sleep(0.3)
            f.truncate(len(new))
        g.wait_line(r"msg=reloaded")
        second = json.dumps(g.route("prove")["estimates"])
        ends.set()
        asking.join()
        assert first != second and {quality for _, quality in seen} <= {first, second}, "no half of a model decides"
        assert {code for code, _ in seen} == {200}
        assert "level=error" not in g.text
        assert 'leeroo_reloads_total{result="refused"} 0' in g.client.get("/metrics").text
    finally:
        ends.set()
        assert g.stop() == 0


@pytest.mark.parametrize("old,new,says", [
    ("threads: 2", "treads: 2", r"leeroo\.yaml:3:1: unknown key 'treads'"),
    ("env:UP_KEY", "env:NOT_SET", r"leeroo\.yaml:\d+:\d+: api_key: the environment variable NOT_SET is not set"),
    ("name: cheap", "name: nobody", r"leeroo\.yaml:\d+:\d+: .*expert 'nobody': no price is known"),
    ("m.leeroo", "none.leeroo", r"none\.leeroo"),
])
def test_a_bad_file_is_refused_and_the_old_one_stays(leeroo, model_file, upstream, tmp_path, old, new, says):
    (tmp_path / "m.leeroo").write_bytes(model_file.read_bytes())
    path = write_config(tmp_path, "m.leeroo", upstream.url, policies=ONLY.format("mid"))
    g = Gateway(leeroo, path)
    try:
        reload(g, lambda: rewrite(tmp_path, (old, new)), rf"level=error msg=\"reload refused.*{says}")
        assert KEY not in g.text
        assert g.client.get("/readyz").status_code == 200
        assert g.chat().headers["x-leeroo-expert"] == "mid"
        reload(g, lambda: rewrite(tmp_path, (new, old), ("[mid]", "[dear]")))
        assert g.chat().headers["x-leeroo-expert"] == "dear"
    finally:
        assert g.stop() == 0


def test_a_damaged_model_is_refused(leeroo, model_file, upstream, tmp_path):
    path = tmp_path / "m.leeroo"
    path.write_bytes(model_file.read_bytes())
    g = Gateway(leeroo, write_config(tmp_path, "m.leeroo", upstream.url))
    try:
        def damage():
            (tmp_path / "new").write_bytes(model_file.read_bytes()[:5000])
            os.replace(tmp_path / "new", path)
        reload(g, damage, r"level=error msg=\"reload refused.*m\.leeroo", sig=None)
        assert g.chat().status_code == 200
    finally:
        assert g.stop() == 0


def test_what_needs_a_restart_is_said(start_gateway, tmp_path):
    g = start_gateway(top="limits: {connections: 100}")
    assert g.client.get("/readyz").status_code == 200
    threads = len(os.listdir(f"/proc/{g.popen.pid}/task"))
    reload(g, lambda: rewrite(tmp_path, ("threads: 2", "threads: 3\ndrain: {delay: 0}"),
                              ("connections: 100", "connections: 200, answer: 1MiB")))
    assert re.search(r'level=warn msg="needs a restart to change" keys=threads,limits.connections$', g.text, re.M)
    reload(g)
    assert g.text.count("needs a restart") >= 2, "it is said again while it is so"
    assert len(os.listdir(f"/proc/{g.popen.pid}/task")) == threads


def budget_queries(tmp_path):
    return {name: b["queries"] for name, b in
            json.loads((tmp_path / "state" / "budgets.json").read_text())["budgets"].items()}


def test_budgets_go_on(start_gateway, upstream, tmp_path):
    """What a policy has spent is not forgotten by a reload, and a request that began before still counts."""
    go_on = threading.Event()

    def late(r):
        assert go_on.wait(20)
        answer()(r)
    upstream.on("mid", late)
    g = start_gateway(top="state_dir: state", policies="policies:\n  kept: {budget: 0.5}\n  moved: {budget: 0.5}\n"
                                                       "  one: {budget: 0.7, experts: [mid]}\n")
    for name in ("kept", "kept", "moved"):
        assert g.chat(model=f"leeroo/{name}").status_code == 200
    waiting = threading.Thread(target=g.chat, kwargs={"model": "leeroo/one"})
    waiting.start()
    while not upstream.of("mid"):
        time.sleep(0.01)
    reload(g, lambda: rewrite(tmp_path, ("moved: {budget: 0.5}", "moved: {budget: 0.6}\n  new: {budget: 1}")))
    go_on.set()
    waiting.join(20)
    for name in ("kept", "moved", "new", "new"):
        assert g.chat(model=f"leeroo/{name}").status_code == 200
    assert g.stop() == 0
    assert budget_queries(tmp_path) == {"kept": 3, "moved": 1, "new": 2, "one": 1}


def test_a_hundred_reloads_under_load_drop_nothing_and_leak_nothing(start_gateway, upstream, tmp_path):
    upstream.on("cheap", answer("one two three four", pause=0.003))
    g = start_gateway(policies=ONLY.format("cheap"), top="limits: {answer: 9MiB}")
    stop, failures, done = threading.Event(), [], [0, 0, 0, 0]

    def client(k):
        with httpx.Client(base_url=g.url, timeout=30) as c:
            while not stop.is_set():
                body = {"model": "leeroo", "stream": k % 2 == 0, "messages": [{"role": "user", "content": f"hi {k}"}]}
                try:
                    r = c.post("/v1/chat/completions", json=body)
                    if r.status_code != 200 or "three" not in r.text or "error" in r.text:
                        failures.append(r.text)
                except httpx.HTTPError as e:
                    failures.append(repr(e))
                done[k] += 1
    threads = [threading.Thread(target=client, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    sizes = []
    for i in range(100):
        reload(g, lambda: rewrite(tmp_path, ("8MiB", "9MiB") if i % 2 else ("9MiB", "8MiB")))
        sizes.append(g.memory_kib())
    stop.set()
    for t in threads:
        t.join()
    assert failures == [] and min(done) > 3, done
    assert statistics.median(sizes[-20:]) < max(sizes[:30]) * 1.1 + 1024, sizes  # one model alone has 8 MiB


def test_systemd_is_told(leeroo, model_file, upstream, tmp_path):
    """sd_notify(3): READY=1, RELOADING=1 with the monotonic time, READY=1 again, STOPPING=1."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(tmp_path / "notify"))
        s.settimeout(20)
        path = write_config(tmp_path, model_file, upstream.url)
        p = Process([leeroo, "serve", "-c", str(path)], UP_KEY=KEY, NOTIFY_SOCKET=str(tmp_path / "notify"))
        try:
            assert s.recv(1000).startswith(b"READY=1")
            p.popen.send_signal(signal.SIGHUP)
            told = s.recv(1000).decode()
            assert re.match(r"RELOADING=1\nMONOTONIC_USEC=\d+\n", told)
            assert s.recv(1000).startswith(b"READY=1")
        finally:
            assert p.stop() == 0
        assert s.recv(1000).startswith(b"STOPPING=1")


def test_a_watchdog_is_fed(leeroo, model_file, upstream, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(tmp_path / "notify"))
        s.settimeout(20)
        p = Process([leeroo, "serve", "-c", str(write_config(tmp_path, model_file, upstream.url))], UP_KEY=KEY,
                    NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000")
        try:
            assert s.recv(1000).startswith(b"READY=1")
            assert [s.recv(1000) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        finally:
            assert p.stop() == 0


def test_aliases_are_taken_up(start_gateway, upstream, tmp_path):
    g = start_gateway(top="aliases: {gpt-5: cheap}")
    assert g.chat(model="gpt-5").headers["x-leeroo-expert"] == "cheap"
    reload(g, lambda: rewrite(tmp_path, ("gpt-5: cheap", '"gpt-*": dear')))
    assert g.chat(model="gpt-5").headers["x-leeroo-expert"] == "dear"
    assert g.chat(model="claude-x").status_code == 404
