"""The door: what is answered before a body is taken in, and what no connection may do."""

import gzip
import json
import socket
import sqlite3
import time
from pathlib import Path

import pytest
from conftest import has_sanitizer, wait_for

from test_keys import STATE, bearer, desk  # noqa: F401

BODY = json.dumps({"model": "cheap", "messages": [{"role": "user", "content": "hello cat"}]}).encode()
CHAT = "/v1/chat/completions"


def connect(gateway):
    host, port = gateway.address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=20)


def head(method, path, *headers):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_answer(s):
    """Head and body of one answer with a content-length."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            return data.decode()
        data += more
    front, _, rest = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in front.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
    while len(rest) < length:
        more = s.recv(65536)
        if not more:  # HEAD
            break
        rest += more
    return (front + b"\r\n\r\n" + rest).decode()


def cpu_ms(gateway):
    """That all threads of the gateway have had."""
    tasks = Path(f"/proc/{gateway.popen.pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e6


def asked(gateway, data):
    with connect(gateway) as s:
        s.sendall(data)
        return read_answer(s)


def test_who_is_refused_leaves_no_body_in_memory(start_gateway):
    """Answered at once, whatever is announced. adnanh/webhook #756, DFIR-Companion #681."""
    g = start_gateway(top=STATE + "\nauth: required")
    before = g.memory_kib()
    with_body = ("Content-Length: 10400000", "Transfer-Encoding: chunked", "Content-Length: 9\r\nExpect: 100-continue")
    for framing in with_body:
        for method, path, status in (("POST", CHAT, 401), ("POST", "/v1/messages", 401), ("POST", "/nowhere", 401),
                                     ("GET", "/v1/models", 401), ("GET", "/healthz", 413), ("HEAD", "/readyz", 413)):
            answer = asked(g, head(method, path, framing))
            assert answer.startswith(f"HTTP/1.1 {status} ") and "connection: close" in answer, (framing, path, answer)
            assert "100 Continue" not in answer
    held = []
    for _ in range(30):
        s = connect(g)
        s.sendall(head("POST", CHAT, "Content-Length: 10400000"))
        try:
            s.sendall(b"[" * 10_300_000)
        except OSError:
            pass
        held.append(s)
    assert g.memory_kib() - before < 30_000
    for s in held:
        s.close()


def test_every_refusal_comes_before_the_body(desk, start_gateway):
    g = start_gateway(top=STATE)
    key = desk.create("a", "--requests-per-minute", "3")
    wait_for(lambda: g.chat().status_code == 401)
    authorized = f"Authorization: Bearer {key}"
    for method, path, extra, status in (("POST", "/nowhere", [], 404), ("PUT", CHAT, [], 405), ("POST", "/v1/models", [], 405),
                                        ("GET", "/v1/models", [], 413), ("POST", "/v1/feedback", ["Content-Encoding: br"], 415)):
        answer = asked(g, head(method, path, authorized, "Content-Length: 1000000", *extra))
        assert answer.startswith(f"HTTP/1.1 {status} "), (path, answer)
    wait_for(lambda: g.client.post("/v1/route", json={"text": "a"}, headers=bearer(key)).status_code == 429, seconds=5)
    answer = asked(g, head("POST", CHAT, authorized, "Content-Length: 1000000"))
    assert answer.startswith("HTTP/1.1 429 ") and "rate_limit_exceeded" in answer


def test_a_short_refused_body_costs_no_connection(start_gateway):
    g = start_gateway(top=STATE + "\nauth: required")
    with connect(g) as s:
        for _ in range(3):
            s.sendall(head("POST", CHAT, f"Content-Length: {len(BODY)}") + BODY)
            answer = read_answer(s)
            assert answer.startswith("HTTP/1.1 401 ") and "connection: close" not in answer
        s.sendall(head("GET", "/healthz"))
        assert read_answer(s).startswith("HTTP/1.1 200 ")


def test_all_bodies_together_have_a_limit(leeroo, upstream, start_gateway):
    """Also unpacked ones; small requests pass meanwhile. adnanh/webhook #756, DFIR-Companion #681."""
    g = start_gateway(top="limits: {bodies: 4MiB}")
    before = g.memory_kib()
    held = [connect(g) for _ in range(40)]
    refused = 0
    for s in held:
        s.sendall(head("POST", CHAT, "Content-Length: 1000000"))
        try:
            s.sendall(b"[" * 900_000)
        except OSError:
            pass
    for s in held:
        s.setblocking(False)
    deadline = time.monotonic() + 10
    while refused < 36 and time.monotonic() < deadline:
        time.sleep(0.05)
        refused = 0
        for s in held:
            try:
                refused += s.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 503"
            except BlockingIOError:
                pass
    assert refused == 36
    assert has_sanitizer(leeroo, "tsan") or g.memory_kib() - before < 30_000  # its shadow is several times that
    assert g.chat(model="cheap").status_code == 200, "a small one is free"
    packed = gzip.compress(json.dumps({"model": "cheap", "messages": [{"role": "user", "content": "x" * 3_000_000}]}).encode())
    packed_headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert g.client.post(CHAT, content=packed, headers=packed_headers).status_code == 503
    for s in held:
        s.close()
    wait_for(lambda: g.client.post(CHAT, content=packed, headers=packed_headers).status_code == 200)


def test_a_body_that_drips_is_cut_off(start_gateway):
    g = start_gateway(top="limits: {body_time: 1s}")
    with connect(g) as s:
        s.sendall(head("POST", CHAT, "Content-Length: 1000"))
        s.settimeout(0.05)
        answer = b""
        for _ in range(400):
            s.sendall(b"x")
            try:
                answer = s.recv(65536)
                break
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 ") and b"request_timeout" in answer


def test_a_client_waits_for_100_only_until_the_door(start_gateway):
    g = start_gateway()
    with connect(g) as s:
        s.sendall(head("POST", CHAT, f"Content-Length: {len(BODY)}", "Expect: 100-continue"))
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(BODY)
        assert read_answer(s).startswith("HTTP/1.1 200 ")


GET = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("text", [
    GET + "X: a\r\n b\r\n\r\n", GET + "X:\r\n\tb\r\n\r\n", GET + ": a\r\n\r\n", GET + "X : a\r\n\r\n", GET + "X: a\rb\r\n\r\n",
    GET + "X: a\n\r\n", GET + "X: \x01\r\n\r\n", GET + "Host: localhost\r\n\r\n", GET + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
    GET + "Content-Length:\r\n 1\r\n\r\n", GET + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    GET.replace(" /", "  /") + "\r\n", GET.replace(" HTTP", "  HTTP") + "\r\n", GET.replace("localhost", "a,b") + "\r\n",
    GET.replace(" /", " ftp://localhost/") + "\r\n", CHUNKED + "0x1\r\n", CHUNKED + "1 \r\n", CHUNKED + "1\r\nx\r\n0\r\nX: a\r\n b\r\n\r\n",
    CHUNKED + "1\r\nx\r\n0\r\n: a\r\n\r\n"])
def test_what_two_readers_might_see_differently_is_refused(start_gateway, text):
    """Folded, nameless, blanks too many, control characters, two lengths. nodejs/llhttp #198, openwrt/uhttpd #5."""
    g = start_gateway()
    assert asked(g, GET.encode() + b"\r\n").startswith("HTTP/1.1 200 ")
    answer = asked(g, text.encode("latin1"))
    assert answer.startswith("HTTP/1.1 400 ") and "connection: close" in answer, answer


def test_every_lookup_is_answered(upstream, start_gateway, tmp_path):
    """Also more than may wait, while what is asked for cannot be written, and each takes its time."""
    g = start_gateway(top="state_dir: state\nledger: {store: l.db}")
    request_id = g.chat(model="cheap").headers["x-leeroo-request-id"]
    wait_for(lambda: g.client.get(f"/v1/requests/{request_id}").status_code == 200)
    lock = sqlite3.connect(tmp_path / "l.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    assert g.chat(model="cheap").status_code == 200  # a row that has to wait
    asking = [connect(g) for _ in range(200)]
    for s in asking:
        s.sendall(head("GET", f"/v1/requests/{request_id}"))
    answers = [read_answer(s)[9:12] for s in asking]
    assert set(answers) <= {"200", "503"} and answers.count("503") >= 70
    lock.close()
    wait_for(lambda: g.client.get(f"/v1/requests/{request_id}").status_code == 200)
    for s in asking:
        s.close()


SHAPES = {"escapes": "\\n", "characters": "\\u4e2d", "quotes": '\\"', "notes": "<system-reminder>x</system-reminder>",
          "tags": "a<user_info>", "open": "<system-reminder>", "fences": "```\\n"}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_large_request_stalls_the_others(leeroo, start_gateway, shape):
    """In the processor's time of the gateway, beside words of as many bytes. litellm #31497, #31297."""
    if has_sanitizer(leeroo, "tsan"):
        pytest.skip("ThreadSanitizer looks at the whole rest of a text with every search in it")
    g = start_gateway()

    def spent_ms(unit):
        text = unit * (4_000_000 // len(unit))
        body = b'{"model":"leeroo","messages":[{"role":"user","content":"' + text.encode() + b'"}]}'
        before = cpu_ms(g)
        assert g.client.post("/v1/route", content=body, headers={"content-type": "application/json"}, timeout=60).status_code in (200, 400)
        return cpu_ms(g) - before
    words = min(spent_ms("the cat ") for _ in range(3))
    assert min(spent_ms(SHAPES[shape]) for _ in range(3)) < 20 * words + 50
