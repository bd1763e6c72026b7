"""The gateway when experts, clients or operators misbehave."""

import json
import signal
import socket
import subprocess
import threading
import time

import httpx
import openai
import pytest

from conftest import KEY, free_port, wait_for
from upstream import (answer, cut_before_head, cut_mid_stream, delta, error_event, stall, stall_mid_stream, status)

DOWN = f"http://127.0.0.1:{free_port()}/v1"
HARD = "prove quantum lemma"  # goes to dear first


def sse(text):
    return [line[6:] for line in text.splitlines() if line.startswith("data: ")]


def connect(gateway, body, path="/v1/chat/completions"):
    """Sends a chat request on a bare socket and leaves it open."""
    host, port = gateway.address.rsplit(":", 1)
    s = socket.create_connection((host, int(port)), timeout=20)
    s.sendall(f"POST {path} ".encode() + b"HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
              b"content-length: %d\r\n\r\n%s" % (len(body), body))
    return s


def chat_body(model="leeroo", content=HARD, **more):
    return json.dumps({"model": model, "messages": [{"role": "user", "content": content}], **more}).encode()


# Failover

@pytest.mark.parametrize("stream", [False, True])
def test_expert_down_the_next_best_answers(start_gateway, upstream, stream):
    g = start_gateway(urls={"dear": DOWN})
    fallback = g.route(HARD)["fallbacks"][0]
    r = g.chat(HARD, stream=stream)
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] == fallback
    line = g.access(r.headers["x-leeroo-request-id"])
    assert line["attempts"] == "4" and line["expert"] == fallback  # one try, two retries, the next
    assert [q.json["model"] for q in upstream.requests] == [fallback]


def test_named_expert_down_is_an_error_not_another_expert(start_gateway, upstream):
    g = start_gateway(urls={"dear": DOWN}, expert="retries: 1")
    r = g.chat(HARD, model="dear")
    assert r.status_code == 502 and r.json()["error"]["code"] == "upstream_error"
    assert "dear" in r.json()["error"]["message"] and not upstream.requests


def test_everybody_down(start_gateway):
    g = start_gateway(urls=dict.fromkeys(("cheap", "mid", "dear"), DOWN), expert="retries: 0")
    r = g.chat()
    assert r.status_code == 502 and set(r.json()["error"]) == {"message", "type", "param", "code"}
    with openai.OpenAI(base_url=g.url + "/v1", api_key="x", max_retries=0) as client:
        with pytest.raises(openai.InternalServerError):
            client.chat.completions.create(model="leeroo", messages=[{"role": "user", "content": "x"}], stream=True)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", [status(500), status(503), status(429), status(408), cut_before_head])
def test_a_passing_fault_is_retried(gateway, upstream, stream, fault):
    upstream.on("dear", fault, answer("fine", (3, 4)))
    r = gateway.chat(HARD, model="leeroo", stream=stream)
    assert r.status_code == 200 and "fine" in r.text and r.headers["x-leeroo-expert"] == "dear"


def test_an_answer_that_is_no_json_goes_to_the_next(gateway, upstream):
    upstream.on("dear", lambda r: r.whole(200, b"<html>not json</html>"))
    assert gateway.chat(HARD).headers["x-leeroo-expert"] != "dear" and len(upstream.of("dear")) == 1
    assert "not a JSON object" in gateway.chat(HARD, model="dear").json()["error"]["message"]


@pytest.mark.parametrize("code", [401, 402, 403])
def test_a_refused_key_goes_to_the_next(start_gateway, upstream, code):
    gateway = start_gateway(expert="breaker: off")  # an account without money would not be asked again
    upstream.on("dear", status(code, body={"error": {"message": "no such key"}}))
    r = gateway.chat(HARD)
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] != "dear" and len(upstream.of("dear")) == 1
    r = gateway.chat(HARD, model="dear")  # litellm and others blame the client's key
    assert r.status_code == 502 and r.json()["error"]["type"] == "server_error"
    message = r.json()["error"]["message"]
    assert message.startswith("the expert refuses this gateway's own key or account: expert dear")
    assert str(code) in message and "no such key" in message


def test_a_connection_cut_amid_an_answer_is_named(gateway, upstream):
    def behave(r):
        r.head(content_type="text/event-stream")
        r.event(delta("half"))
        r.sock.shutdown(socket.SHUT_WR)
    upstream.on("dear", behave)
    assert "expert dear: the connection was cut amid the answer" in gateway.chat(HARD, model="dear", stream=True).text


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_inside_a_success_is_an_error(start_gateway, upstream, stream):
    g = start_gateway(expert="retries: 0")
    fault = error_event() if stream else status(200, body={"error": {"message": "overheated", "code": 503}})
    upstream.on("dear", fault)
    assert g.chat(HARD, stream=stream).headers["x-leeroo-expert"] != "dear"
    r = g.chat(HARD, model="dear", stream=stream)
    assert r.status_code == 502 and "overheated" in r.json()["error"]["message"]


def test_an_error_after_the_role_chunk_still_fails_over(start_gateway, upstream):
    g = start_gateway(expert="retries: 0")

    def behave(r):
        r.head(content_type="text/event-stream")
        r.event({**delta(), "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
        time.sleep(0.05)
        r.event({"error": {"message": "overheated"}})
        r.end()
    upstream.on("dear", behave)
    r = g.chat(HARD, stream=True)
    assert r.headers["x-leeroo-expert"] != "dear" and "overheated" not in r.text and "hello" in r.text


def test_retry_after_is_kept(gateway, upstream):
    upstream.on("dear", status(429, headers=[("retry-after", "1")]), answer("fine"))
    r = gateway.chat(HARD)
    assert r.headers["x-leeroo-expert"] == "dear" and "fine" in r.text
    first, second = upstream.of("dear")
    assert 1.0 <= second.at - first.at < 3


def test_the_longest_delay_wins(gateway, upstream):
    body = {"error": {"message": "slow down", "retry_after": 1.5}}
    upstream.on("dear", status(429, headers=[("retry-after", "0")], body=body), answer("fine"))
    assert gateway.chat(HARD).headers["x-leeroo-expert"] == "dear"
    first, second = upstream.of("dear")
    assert second.at - first.at >= 1.5


def test_a_long_retry_after_goes_to_the_next_at_once(gateway, upstream):
    upstream.on("dear", status(429, headers=[("retry-after", "3600")]))
    begin = time.monotonic()
    assert gateway.chat(HARD).headers["x-leeroo-expert"] != "dear"
    assert time.monotonic() - begin < 2 and len(upstream.of("dear")) == 1


def test_too_many_requests_everywhere_is_told_with_the_delay(gateway, upstream):
    upstream.on("dear", status(429, "quota", headers=[("retry-after", "3600")]))
    r = gateway.chat(HARD, model="dear")
    assert r.status_code == 429 and r.headers["retry-after"] == "300" and r.json()["error"]["message"] == "quota"


def test_a_refusal_of_the_request_is_relayed_as_it_is(gateway, upstream):
    body = {"error": {"message": "bad schema", "type": "invalid_request_error", "param": "tools", "code": "x", "y": 1}}
    upstream.on("dear", status(422, body=body))
    r = gateway.chat(HARD)
    assert r.status_code == 422 and r.json() == body and len(upstream.requests) == 1
    upstream.on("dear", status(404, body=b"<html>nginx</html>"))
    r = gateway.chat(HARD)
    assert r.status_code == 404 and set(r.json()["error"]) == {"message", "type", "param", "code"}


def test_first_token_timeout_goes_to_the_next(start_gateway, upstream):
    g = start_gateway(expert="timeouts: {first_token: 300ms}")
    upstream.on("dear", stall())
    r = g.chat(HARD, stream=True)
    assert r.headers["x-leeroo-expert"] != "dear" and len(upstream.of("dear")) == 1
    r = g.chat(HARD, model="dear", stream=True)
    assert r.status_code == 504 and r.json()["error"]["code"] == "upstream_timeout"


def test_a_stalled_whole_answer_ends_at_the_total_timeout(start_gateway, upstream):
    g = start_gateway(expert="timeouts: {total: 400ms}")
    upstream.on("dear", stall())
    assert g.chat(HARD, model="dear").status_code == 504


# After the first byte

@pytest.mark.parametrize("fault", [cut_mid_stream, error_event("one "), stall_mid_stream()])
def test_after_the_first_byte_a_failure_is_an_error_event(start_gateway, upstream, fault):
    g = start_gateway(expert="timeouts: {idle: 500ms}")
    upstream.on("dear", fault)
    r = g.chat(HARD, stream=True)
    events = sse(r.text)
    assert r.status_code == 200 and "one " in events[0]
    assert set(json.loads(events[-1])["error"]) == {"message", "type", "param", "code"}
    assert len(upstream.requests) == 1
    line = g.access(r.headers["x-leeroo-request-id"])
    assert "error" in line and line["basis"] == "estimated"
    with openai.OpenAI(base_url=g.url + "/v1", api_key="x", max_retries=0) as client:
        with pytest.raises(openai.APIError):
            list(client.chat.completions.create(model="dear", stream=True,
                                                messages=[{"role": "user", "content": HARD}]))


def test_a_stream_that_ends_without_its_end_is_an_error(gateway, upstream):
    def behave(r):
        r.head(content_type="text/event-stream")
        r.event(delta("one "))
        r.end()
    upstream.on("dear", behave)
    assert "ended early" in json.loads(sse(gateway.chat(HARD, stream=True).text)[-1])["error"]["message"]


def test_an_upstream_that_lingers_after_done(gateway, upstream):
    def behave(r):
        r.head(content_type="text/event-stream")
        r.event(delta("one ", finish="stop"))
        r.event(b"[DONE]")
        r.wait_for_hangup(20)
    upstream.on("dear", behave)
    begin = time.monotonic()
    assert sse(gateway.chat(HARD, stream=True).text)[-1] == "[DONE]"
    assert time.monotonic() - begin < 5


# Clients that leave

@pytest.mark.parametrize("phase", ["waiting for the head", "waiting for a whole answer", "mid-stream"])
def test_hang_up_cancels_the_upstream_call(gateway, upstream, phase):
    stream = phase != "waiting for a whole answer"
    upstream.on("dear", stall_mid_stream() if phase == "mid-stream" else stall())
    s = connect(gateway, chat_body(stream=stream))
    wait_for(lambda: upstream.of("dear"))
    if phase == "mid-stream":
        assert b"one " in s.recv(65536)
    s.close()
    assert upstream.of("dear")[0].cancelled.wait(2)
    line = gateway.wait_line(r"msg=request .*client gone").group(0)
    assert "status=499" in line and "basis=estimated" in line


def test_hang_up_during_backoff_makes_no_further_call(gateway, upstream):
    upstream.on("dear", status(429, headers=[("retry-after", "2")]), answer())
    s = connect(gateway, chat_body())
    gateway.wait_line("msg=retry")
    s.close()
    gateway.wait_line("client gone")
    time.sleep(2.2)
    assert len(upstream.requests) == 1


def test_hang_up_while_connecting(start_gateway, upstream):
    # A full accept queue: the connection is never established.
    with socket.socket() as blackhole:
        blackhole.bind(("127.0.0.1", 0))
        blackhole.listen(0)
        fillers = []
        for _ in range(4):
            f = socket.socket()
            f.setblocking(False)
            f.connect_ex(blackhole.getsockname())
            fillers.append(f)
        g = start_gateway(urls={"dear": f"http://127.0.0.1:{blackhole.getsockname()[1]}/v1"})
        s = connect(g, chat_body(model="dear"))
        time.sleep(0.3)
        s.close()
        g.wait_line("client gone")
        for f in fillers:
            f.close()


def test_a_slow_reader_costs_no_memory(start_gateway, upstream):
    g = start_gateway(expert="timeouts: {idle: 60s}")
    total, piece = 200 << 20, b"data: " + json.dumps(delta("x" * 60000)).encode() + b"\n\n"
    done = threading.Event()

    def flood(r):
        r.head(content_type="text/event-stream")
        while r.sent_bytes < total:
            r.chunk(piece)
        done.set()
    upstream.on("dear", flood)
    g.chat("hello cat")
    before = g.memory_kib()
    s = connect(g, chat_body(model="dear", stream=True))
    s.recv(1000)
    time.sleep(2)
    sent = upstream.of("dear")[0].sent_bytes
    assert g.memory_kib() - before < 16 * 1024 and not done.is_set() and sent < 64 << 20
    received = 0
    while received < 30 << 20:  # it goes on as soon as somebody reads
        received += len(s.recv(1 << 20))
    assert g.memory_kib() - before < 16 * 1024
    s.close()
    assert upstream.of("dear")[0].cancelled.wait(5)


# Requests that are wrong

def test_a_20_mb_body_is_refused(gateway, upstream):
    r = gateway.chat("x" * (20 << 20))
    assert r.status_code == 413 and r.json()["error"]["code"] == "request_too_large"
    assert gateway.chat().status_code == 200 and len(upstream.requests) == 1


def test_invalid_json_names_the_place(gateway, upstream):
    for body, place in [(b'{"model": "leeroo",\n "messages": [}', "2:15"), (b"", "1:1"), (b"\xff", "1:1"),
                        (b'{"a":1}x', "1:8"), (b"[" * 100, "1:65")]:
        r = gateway.client.post("/v1/chat/completions", content=body, headers={"content-type": "application/json"})
        assert r.status_code in (400, 413), body
        error = r.json()["error"]
        assert f"request body:{place}" in error["message"], (body, error)
    assert not upstream.requests


def test_many_at_once(gateway, upstream):
    upstream.on("cheap", answer("a b c d", (1, 1), pause=0.05))
    with httpx.Client(base_url=gateway.url, timeout=60, limits=httpx.Limits(max_connections=300)) as client:
        results, lock = [], threading.Lock()

        def one(i):
            r = client.post("/v1/chat/completions", content=chat_body("cheap", f"hello {i}", stream=i % 2 == 0))
            with lock:
                results.append(r)
        threads = [threading.Thread(target=one, args=(i,)) for i in range(200)]
        [t.start() for t in threads]
        [t.join() for t in threads]
    assert len(results) == 200 and all(r.status_code == 200 and "d" in r.text for r in results)
    assert len({r.headers["x-leeroo-request-id"] for r in results}) == 200


# Operators

def test_sigterm_under_load_loses_nothing(start_gateway, upstream):
    g = start_gateway(top="drain: {delay: 1s, timeout: 20s}")
    upstream.on("cheap", answer(" ".join("abcdefghij"), (1, 10), pause=0.1))
    results, refused, stop = [], [], threading.Event()

    def worker(i):
        with httpx.Client(base_url=g.url, timeout=30) as client:
            while not stop.is_set():
                try:
                    r = client.post("/v1/chat/completions", content=chat_body("cheap", stream=i % 2 == 0))
                    results.append(r)
                except httpx.ConnectError:
                    refused.append(i)  # no longer listening: nothing was accepted, nothing lost
                    return
    threads = [threading.Thread(target=worker, args=(i,)) for i in range(40)]
    [t.start() for t in threads]
    wait_for(lambda: len(upstream.requests) >= 60)
    g.popen.send_signal(signal.SIGTERM)
    g.wait_line("msg=draining")
    ready = httpx.get(g.url + "/readyz")
    assert ready.status_code == 503 and ready.json()["error"]["code"] == "draining"
    [t.join(30) for t in threads]
    stop.set()
    assert g.popen.wait(20) == 0
    assert len(refused) == 40, "every client went on until it was refused"
    for r in results:
        assert r.status_code == 200
        text = r.json()["choices"][0]["message"]["content"] if "json" in r.headers["content-type"] else r.text
        assert "j" in text and (text[-1] == "j" or text.endswith("data: [DONE]\n\n"))


def test_drain_timeout_cuts_and_a_second_signal_stops(start_gateway, upstream, leeroo, model_file, tmp_path):
    from conftest import Gateway, write_config
    upstream.on("cheap", stall_mid_stream())
    for top, second in [("drain: {timeout: 300ms}", False), ("drain: {timeout: 60s}", True)]:
        g = Gateway(leeroo, write_config(tmp_path, model_file, upstream.url, top=top))
        s = connect(g, chat_body("cheap", stream=True))
        assert b"one " in s.recv(65536)
        g.popen.send_signal(signal.SIGTERM)
        g.wait_line("msg=draining")
        if second:
            g.popen.send_signal(signal.SIGTERM)
        assert g.popen.wait(5) == 1
        s.close()
        g.client.close()
        assert "runtime error" not in g.text and "ERROR: " not in g.text


def test_the_key_is_shown_nowhere(start_gateway, upstream, leeroo, tmp_path):
    """The canary: whatever an upstream does with the key, nobody else sees it."""
    g = start_gateway(expert="retries: 0\nbreaker: off")
    texts = []
    echo = {"error": {"message": f"Incorrect API key provided: {KEY}", "type": "auth", "code": None}}
    faults = [status(401, body=echo), status(500, body=echo), status(429, body=echo), status(200, body=echo),
              status(403, body=f"<p>{KEY}</p>".encode()), status(400, body=json.dumps({"detail": KEY}).encode()),
              answer(f"your key is {KEY}"), error_event(error=echo["error"]), error_event("one ", error=echo["error"]),
              lambda r: r.whole(302, {}, [("location", f"http://x/{KEY}")]),
              lambda r: r.whole(400, {"error": {"message": "m"}}, [("x-echo", KEY), ("retry-after", KEY)])]
    for fault in faults:
        for stream in (False, True):
            upstream.on("dear", fault)
            r = g.chat(HARD, model="dear", stream=stream)
            texts += [r.text, str(r.headers)]
    assert any("[redacted]" in t for t in texts)
    assert len(upstream.of("dear")) == 2 * len(faults)
    assert all(q.headers["authorization"] == f"Bearer {KEY}" for q in upstream.requests)
    assert KEY not in "\n".join(texts) and KEY not in g.text
    assert HARD not in g.text, "prompts are not logged"
    literal = tmp_path / "literal.yaml"
    literal.write_text(f"model: m\nexperts:\n  - {{name: a, url: http://x, api_key: {KEY}}}\n")
    run = subprocess.run([leeroo, "serve", "-c", str(literal)], capture_output=True, text=True, timeout=20)
    assert run.returncode == 1 and "env:NAME" in run.stderr and KEY not in run.stdout + run.stderr
