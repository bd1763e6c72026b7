"""What a client or an expert sends is bounded, and a bound is told with the right status in the words of the API: sizes at
their edges, bombs, smuggled requests, hostile strings, experts that misbehave on the wire."""

import concurrent.futures
import gzip
import json
import re
import socket
import time
import zlib

import pytest
from upstream import answer, delta

BODY, HEADER, ANSWER = 20000, 4096, 60000
LIMITS = f"limits: {{body: {BODY}, header: {HEADER}, answer: {ANSWER}, connections: 1000}}"
CHAT = [{"role": "user", "content": "hello cat"}]
FRONTS = {
    "/v1/chat/completions": {"model": "cheap", "messages": CHAT},
    "/v1/completions": {"model": "cheap", "prompt": "hello cat"},
    "/v1/responses": {"model": "cheap", "input": "hello cat"},
    "/v1/messages": {"model": "cheap", "max_tokens": 9, "messages": CHAT},
    "/v1/messages/count_tokens": {"model": "cheap", "messages": CHAT},
    "/v1/embeddings": {"model": "embedder", "input": "hello"},
    "/v1/route": {"model": "cheap", "messages": CHAT},
    "/v1/feedback": {"request_id": "req_0", "score": 1},
}
MODEL_CALLS = [p for p in FRONTS if p not in ("/v1/feedback", "/v1/route")]


@pytest.fixture
def gateway(start_gateway, upstream):
    upstream.on("embedder", lambda r: r.whole(200, {"object": "list", "data": [], "usage": {"prompt_tokens": 1}}))
    return start_gateway(top=LIMITS + "\nembeddings:\n  - {name: embedder, api_key: env:UP_KEY, price: {input: 1, output: 0}, "
                         f"url: {upstream.url}}}\n")


def fine(path, r):
    return r.status_code == (404 if path == "/v1/feedback" else 200)  # there is no ledger here


def refused(path, r, code):
    """The status, and the error as the path's client library expects it."""
    assert r.status_code == code, r.text
    body = r.json()
    if path.startswith("/v1/messages"):
        assert body["type"] == "error" and set(body["error"]) >= {"type", "message"}, body
    else:
        assert set(body["error"]) >= {"message", "type", "param", "code"}, body
    return body["error"]


def padded(body, size):
    """White space is part of a body's size and of nothing else."""
    text = json.dumps(body)
    return (text + " " * (size - len(text))).encode()


def post(g, path, body, **headers):
    return g.client.post(path, content=body, headers={"content-type": "application/json", **headers})


def raw(g, data, seconds=10, half_close=False):
    """All that comes back, as the bytes they are."""
    host, port = g.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=seconds) as s:
        got = b""
        try:
            s.sendall(data)
            if half_close:
                s.shutdown(socket.SHUT_WR)
            while more := s.recv(65536):
                got += more
        except (ConnectionError, TimeoutError):
            pass
    return got


def request(path, body, *lines):
    head = [f"POST {path} HTTP/1.1", "host: x", "content-type: application/json", f"content-length: {len(body)}",
            "connection: close", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


# Sizes


@pytest.mark.parametrize("path", FRONTS)
def test_a_body_at_its_edge(gateway, path):
    assert fine(path, post(gateway, path, padded(FRONTS[path], BODY)))
    refused(path, post(gateway, path, padded(FRONTS[path], BODY + 1)), 413)
    def chunks(n):
        yield padded(FRONTS[path], n)[:1000]
        yield padded(FRONTS[path], n)[1000:]
    assert fine(path, post(gateway, path, chunks(BODY)))
    refused(path, post(gateway, path, chunks(BODY + 1)), 413)
    assert gateway.client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", FRONTS)
def test_a_packed_body_at_its_edge(gateway, path):
    pack = {"content-encoding": "gzip"}
    assert fine(path, post(gateway, path, gzip.compress(padded(FRONTS[path], BODY)), **pack))
    refused(path, post(gateway, path, gzip.compress(padded(FRONTS[path], BODY + 1)), **pack), 413)
    refused(path, post(gateway, path, gzip.compress(padded(FRONTS[path], 99))[:-1], **pack), 400)
    refused(path, post(gateway, path, b"{}", **pack), 400)
    for other in ("br", "deflate", "gzip, gzip", "zstd"):
        r = post(gateway, path, zlib.compress(b"{}"), **{"content-encoding": other})
        refused(path, r, 415)
        assert r.headers["accept-encoding"] == "gzip"


def test_a_packed_body_reaches_experts_plain(gateway, upstream):
    body = {"model": "cheap", "messages": [{"role": "user", "content": "hello 🐈 " * 50}], "seed": 5}
    r = post(gateway, "/v1/chat/completions", gzip.compress(json.dumps(body).encode()), **{"content-encoding": "gzip"})
    assert r.status_code == 200
    sent = upstream.requests[-1]
    assert sent.json == body and "content-encoding" not in sent.headers


def test_a_bomb_costs_what_a_large_body_costs(start_gateway):
    g = start_gateway(top="limits: {body: 10MiB}")
    bomb = gzip.compress(bytes(32 << 20)) * 300  # 9.6 GiB of zeros; members of a gzip file join
    assert 1 << 20 < len(bomb) < 10 << 20
    post(g, "/v1/chat/completions", b"{}")
    before = g.memory_kib()
    cpu = cpu_seconds(g)
    for _ in range(3):
        refused("", post(g, "/v1/chat/completions", bomb, **{"content-encoding": "gzip"}), 413)
    assert cpu_seconds(g) - cpu < 3  # all of it takes more than ten
    assert g.memory_kib() - before < 80 << 10


def cpu_seconds(g):
    fields = open(f"/proc/{g.popen.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


@pytest.mark.parametrize("path", FRONTS)
def test_a_head_at_its_edge(gateway, path):
    body = json.dumps(FRONTS[path]).encode()
    bare = request(path, body, "x-pad: ")
    room = HEADER - (len(bare) - len(body))
    assert raw(gateway, request(path, body, "x-pad: " + "a" * (room - 1))).startswith(
        b"HTTP/1.1 404" if path == "/v1/feedback" else b"HTTP/1.1 200")
    got = raw(gateway, request(path, body, "x-pad: " + "a" * (room + 1)))
    assert got.startswith(b"HTTP/1.1 431"), got
    error = json.loads(got.split(b"\r\n\r\n", 1)[1])
    assert ("type" in error and error["type"] == "error") == path.startswith("/v1/messages"), error


def test_a_head_that_never_ends(gateway):
    for data in (b"GET /" + b"a" * 100000, b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 50000,
                 b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 100000, b"A" * 100000):
        got = raw(gateway, data)
        assert got.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400")), got
    assert raw(gateway, b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + b"a:\r\n" * 200 + b"\r\n"
               ).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize("path", FRONTS)
def test_nesting_at_its_edge(gateway, path):
    """What is unknown passes through an object; JSON itself is bounded at 64 levels, the body's own among them."""
    text = json.dumps(FRONTS[path])[:-1]
    passes = post(gateway, path, (text + ', "metadata": ' + "[" * 63 + "]" * 63 + "}").encode())
    if path not in ("/v1/feedback", "/v1/embeddings"):  # they refuse or ignore unknown members by name
        assert passes.status_code in (200, 400), passes.text
        assert "nest" not in passes.text and "deep" not in passes.text, passes.text
    for depth in (64, 9000):
        r = post(gateway, path, (text + ', "metadata": ' + "[" * depth + "]" * depth + "}").encode())
        error = refused(path, r, 413)
        assert "64" in error["message"], error


def test_many_messages_tools_and_stops(start_gateway, upstream):
    g = start_gateway(top="limits: {body: 10MiB}")
    small = {"model": "cheap", "messages": CHAT}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    for path, more in (("/v1/chat/completions", {"messages": CHAT * 30000}), ("/v1/chat/completions", {"tools": [tool] * 10000}),
                       ("/v1/chat/completions", {"stop": ["a"] * 100000}), ("/v1/chat/completions", {"n": 10**9}),
                       ("/v1/chat/completions", {"metadata": {str(i): 1 for i in range(40000)}}),
                       ("/v1/messages", {"messages": CHAT * 30000, "max_tokens": 5}),
                       ("/v1/responses", {"messages": None, "input": [{"role": "user", "content": "x"}] * 30000}),
                       ("/v1/completions", {"messages": None, "prompt": ["x"] * 100000})):
        body = {k: v for k, v in {**small, **more}.items() if v is not None}
        r = post(g, path, json.dumps(body).encode())
        assert r.status_code in (200, 400, 413), (path, r.text[:300])
        if r.status_code != 200:
            refused(path, r, r.status_code)
    assert g.chat(model="cheap").status_code == 200


# Strings that no one expects

NASTY = {"newlines": "a\r\nx-evil: 1\r\n\r\nb", "nul": "a\0b", "quotes": '"\'`;--\\', "controls": "\x01\x1b[31m\x7f", "long": "n" * 3000,
         "utf8": "é猫🐈", "percent": "%s%n%x", "path": "../../etc/passwd"}


@pytest.mark.parametrize("name", NASTY)
def test_nasty_strings_go_nowhere(gateway, upstream, name):
    evil = NASTY[name]
    for path, body in FRONTS.items():
        for member in ("model", "user", "request_id", "comment"):
            r = gateway.client.post(path, json={**body, member: evil})
            assert "x-evil" not in r.headers and r.status_code in (200, 400, 404), (path, member, r.text)
            r.json()
    for header in ("x-leeroo-experts", "x-leeroo-plans", "x-leeroo-lambda", "x-leeroo-min-quality", "x-leeroo-max-cost", "x-request-id",
                   "x-leeroo-request-id", "traceparent", "tracestate", "idempotency-key", "baggage"):
        value = evil.encode().replace(b"\r\n", b" ").replace(b"\0", b"?").replace(b"\x01", b"").replace(b"\x1b", b"").replace(b"\x7f", b"")
        r = gateway.client.post("/v1/chat/completions", json=FRONTS["/v1/chat/completions"], headers={header: value})
        assert r.status_code in (200, 400, 404), (header, r.text)
        assert b"x-evil" not in b"".join(k for k, _ in r.headers.raw)
    for line in gateway.lines:
        assert line == "" or line.startswith("ts="), line  # nobody writes lines of his own
        assert "\x1b" not in line and "\0" not in line
    for line in gateway.client.get("/metrics").text.splitlines():
        assert "x-evil" not in line and "etc/passwd" not in line


SURROGATES = [rb"\ud800", rb"\udc00x", rb"\ud83d\ud83d", rb"\ud800\u0041"]
BROKEN = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82", b"\x80"]


@pytest.mark.parametrize("path", FRONTS)
def test_text_that_is_no_unicode(gateway, path):
    """Broken bytes are refused; a lone surrogate is refused or passes, and never breaks an answer, a log line or a page."""
    text = json.dumps(FRONTS[path]).encode()
    for what in SURROGATES + BROKEN:
        for at in (b"hello", b"cheap", b"embedder", b"req_0", b"user"):
            if at not in text:
                continue
            r = post(gateway, path, text.replace(at, what))
            assert r.status_code in (200, 400, 404, 502), (what, r.text)
            r.content.decode("utf-8")
            r.json()
            if what in BROKEN:
                assert r.status_code in (400, 404), (what, at, r.text)
    assert gateway.client.get("/metrics").content.decode("utf-8")


def test_nul_bytes_and_duplicate_keys(gateway, upstream):
    """Whoever reads the first of two and whoever reads the last must not be told apart."""
    for body in (b'{"model":"cheap"\0,"messages":[]}', b"\0", b'{"model":"ch\0eap","messages":[]}'):
        refused("", post(gateway, "/v1/chat/completions", body), 400)
    for path, member in (("/v1/chat/completions", '"model":"dear"'), ("/v1/chat/completions", '"messages":[]'),
                         ("/v1/chat/completions", '"max_tokens":1,"max_tokens":99'),
                         ("/v1/chat/completions", '"stream":true,"stream":false'), ("/v1/messages", '"model":"dear"'),
                         ("/v1/responses", '"model":"dear"'), ("/v1/completions", '"model":"dear"'), ("/v1/embeddings", '"model":"other"'),
                         ("/v1/chat/completions", r'"mod\u0065l":"dear"')):
        text = json.dumps(FRONTS[path])[:-1] + "," + member + "}"
        refused(path, post(gateway, path, text.encode()), 400)
    assert not upstream.requests


# Bytes on the wire, from clients


@pytest.mark.parametrize("lines", [
    ["content-length: 5", "transfer-encoding: chunked"], ["content-length: 5", "content-length: 6"],
    ["content-length: 5", "content-length: 5"], ["content-length: 5, 5"], ["content-length: +5"], ["content-length: 0x5"],
    ["content-length: 99999999999999999999999"], ["content-length: -1"], ["transfer-encoding: chunked", "transfer-encoding: identity"],
    ["transfer-encoding: chunked, chunked"], ["transfer-encoding: xchunked"], ["transfer-encoding:\x0bchunked"],
    ["transfer-encoding : chunked"], ["content-length: 5", " folded: 1"], ["content-length: 5", "x: a\rb"], ["x: a\nb: c", "content-length : 5"],
    ["content-length: 5", "x: a\0b"], ["content-length: 5", "host: y"]], ids=str)
def test_smuggled_requests_are_refused(gateway, upstream, lines):
    hidden = b"GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    for body in (b"0\r\n\r\n" + hidden, b"hello" + hidden):
        got = raw(gateway, ("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode() + body)
        assert re.match(rb"HTTP/1.1 (400|413|501)", got), got
        assert len(re.findall(rb"HTTP/1.1 \d", got)) == 1 and b'"leeroo/default"' not in got, got
    assert not upstream.requests


@pytest.mark.parametrize("body", [b"zz\r\n{}\r\n0\r\n\r\n", b"2\n{}\n0\n\n", b"2\r\n{}xx0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n",
                                  b"fffffffffffffffff\r\n{}", b"2 \r\n{}\r\n0\r\n\r\n", b"2;" + b"a" * 50000 + b"\r\n{}\r\n0\r\n\r\n",
                                  b"0\r\n" + b"x: y\r\n" * 5000 + b"\r\n", b"1\r\n{\r\n" + b"1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n \r\n" * 3000],
                         ids=lambda b: repr(b[:20]))
def test_chunked_garbage_is_refused(gateway, upstream, body):
    got = raw(gateway, b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + body, 3, half_close=True)
    assert re.match(rb"HTTP/1.1 (400|413|431)", got) or got == b"", got
    assert not upstream.requests and gateway.client.get("/healthz").status_code == 200


# Bytes on the wire, from experts


def canned(data, hold=0.0):
    def behave(r):
        r.send(data)
        if hold:
            r.wait_for_hangup(hold)
        return True  # closes
    return behave


def whole(body, *lines):
    return ("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + "".join(x + "\r\n" for x in lines)
            + f"content-length: {len(body)}\r\n\r\n").encode() + body


def completion(text="x", **more):
    return json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}, **more}).encode()


SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
WIRE = {
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 100000,
    "endless header": b"HTTP/1.1 200 OK\r\nx: " + b"a" * (1 << 20),
    "endless status line": b"HTTP/1.1 200 " + b"a" * (1 << 20),
    "1xx flood": b"HTTP/1.1 100 Continue\r\n\r\n" * 100000,
    "1xx with heads": (b"HTTP/1.1 103 Early Hints\r\n" + b"link: x\r\n" * 100 + b"\r\n") * 5000,
    "chunked garbage": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nxx\r\n",
    "huge chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{",
    "negative length": b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}",
    "huge length": b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n{}",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "upgrade": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n{}",
    "no http": b"SSH-2.0-OpenSSH_9.2\r\n", "http 0.9": b"{}", "http 2": b"HTTP/2.0 200 OK\r\n\r\n{}",
    "binary": bytes(range(256)) * 100, "status 000": b"HTTP/1.1 000 X\r\ncontent-length: 0\r\n\r\n",
    "status 999": b"HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n",
    "empty": b"", "deep": whole(b"[" * 5000 + b"]" * 5000), "not utf-8": whole(completion().replace(b'"x"', b'"\xff"')),
    "an answer over the limit": whole(completion("y" * ANSWER)),
    "gzip nobody asked for": whole(gzip.compress(completion()), "content-encoding: gzip"),
    "usage from hell": whole(completion().replace(b'"completion_tokens": 1', b'"completion_tokens": -9e999')),
    "stream: a line over 4 MiB": SSE + b"data: " + b"a" * (5 << 20) + b"\n\n",
    "stream: no content": SSE + b": ping\n\n" * 30000,
    "stream: empty deltas": SSE + b"data: " + json.dumps(delta("")).encode() + b"\n\n"
                            + (b"data: " + json.dumps(delta("")).encode() + b"\n\n") * 3000,
    "stream: junk events": SSE + b"data: }{\n\n" * 1000,
    "stream: deep": SSE + b"data: " + b'{"choices":' * 3000 + b"\n\n",
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_experts_gone_mad_hurt_nobody(start_gateway, upstream, stream):
    g = start_gateway(top=LIMITS, expert="retries: 0\nbreaker: off\ntimeouts: {first_token: 2s, idle: 2s, total: 4s}")
    for name, wire in WIRE.items():
        upstream.on("cheap", canned(wire))
        r = g.chat(stream=stream)
        r.content.decode("utf-8")
        if r.headers.get("content-type", "").startswith("text/event-stream"):
            assert "error" in r.text or "[DONE]" in r.text, (name, r.text[:300])
            continue
        r.json()
        assert r.status_code in (200, 502, 504), (name, r.text)
        if r.status_code == 200 and r.headers["x-leeroo-expert"] != "cheap":
            assert "hello world" in r.text, (name, r.text)  # the next one answered
    assert g.memory_kib() < 400 << 10
    upstream.on("cheap", answer())
    assert g.chat().headers["x-leeroo-expert"] == "cheap"


def test_headers_of_experts_cannot_write_ours(gateway, upstream):
    upstream.on("cheap", canned(b"HTTP/1.1 429 X\r\nretry-after: 1\r\n\tx-evil: 1\r\nx-leeroo-cost-usd: 0\r\nset-cookie: a=b\r\n"
                                b"x-leeroo-request-id: \xff\x01evil\r\ncontent-length: 2\r\n\r\n{}"))
    r = gateway.chat(model="cheap")
    assert r.status_code in (429, 502) and "set-cookie" not in r.headers and "x-evil" not in r.headers
    assert r.headers["x-leeroo-request-id"].startswith("req_")
    upstream.on("cheap", canned(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-leeroo-cost-usd\r\n\r\n"
                                b"%x\r\n%s\r\n0\r\nx-leeroo-cost-usd: 0\r\nx-evil: 1\r\n\r\n" % (len(completion()), completion())))
    r = gateway.chat(model="cheap")
    assert r.status_code == 200 and r.headers["x-leeroo-cost-usd"] != "0" and "x-evil" not in r.headers


def test_an_answer_before_the_request_was_sent(start_gateway, upstream):
    """An expert that answers 413 and closes while a large request is still being sent."""
    g = start_gateway(top="limits: {body: 10MiB}", expert="retries: 0")
    with socket.create_server(("127.0.0.1", 0)) as early:
        def serve():
            for _ in range(3):
                s, _ = early.accept()
                with s:
                    s.recv(1000)
                    s.sendall(b"HTTP/1.1 413 X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
                    time.sleep(0.2)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            pool.submit(serve)
            g2 = start_gateway(top="limits: {body: 10MiB}", expert="retries: 0",
                               urls={"cheap": f"http://127.0.0.1:{early.getsockname()[1]}/v1"})
            for _ in range(3):
                r = g2.chat("x" * (5 << 20), model="cheap")
                assert r.status_code in (413, 502), r.text
                r.json()
    assert g.chat().status_code == 200


# Beside others


def slow_ones(g, count, first, rest=b""):
    """Open connections that have sent `first` and then say `rest` byte by byte, if ever."""
    host, port = g.address.rsplit(":", 1)
    socks = []
    for _ in range(count):
        s = socket.create_connection((host, int(port)), timeout=5)
        s.sendall(first)
        socks.append(s)
    return socks


def worst_of(g, n=60):
    times = []
    for _ in range(n):
        begin = time.monotonic()
        assert g.chat(model="cheap").status_code == 200
        times.append(time.monotonic() - begin)
    return sorted(times)[n // 2], max(times)


def test_slow_clients_disturb_nobody(start_gateway, upstream):
    """Slowloris: heads and bodies that come by the byte, and a reader that takes nothing of a large stream."""
    g = start_gateway(top="limits: {connections: 4000}")
    alone, _ = worst_of(g)
    before = g.memory_kib()
    heads = slow_ones(g, 300, b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-")
    bodies = slow_ones(g, 300, b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\r\n{")
    upstream.on("mid", answer(" ".join(["w" * 1000] * 3000)))
    ask = request("/v1/chat/completions", json.dumps({"model": "mid", "messages": CHAT, "stream": True}).encode())
    readers = slow_ones(g, 8, ask)
    beside, worst = worst_of(g)
    assert beside < 10 * alone + 0.05 and worst < 2, (alone, beside, worst)
    assert g.memory_kib() - before < 120 << 10
    for s in heads + bodies:
        s.sendall(b"a")
    for s in heads + bodies + readers:
        s.close()
    assert g.chat(model="cheap").status_code == 200


def test_idle_connections_cost_little(start_gateway):
    g = start_gateway(top="limits: {connections: 9000}")
    g.chat(model="cheap")
    alone, _ = worst_of(g)
    before, count = g.memory_kib(), 2000
    socks = slow_ones(g, count, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    for s in socks:
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
    per_connection = (g.memory_kib() - before) * 1024 / count
    beside, worst = worst_of(g)
    for s in socks:
        s.close()
    assert beside < 10 * alone + 0.05 and worst < 2, (alone, beside, worst)
    assert per_connection < 8192, per_connection
