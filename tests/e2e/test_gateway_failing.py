"""Failing well: cooldowns, circuits, fail-over and timeouts, each named after what users of other gateways complained of."""

import json
import signal
import subprocess
import threading
import time

import pytest

from conftest import wait_for, write_config
from test_gateway_faults import HARD, chat_body, connect, sse
from upstream import answer, cut_before_head, cut_mid_stream, error_event, stall, stall_mid_stream, status

QUICK = "retries: 0\nbreaker: {failures: 2, pause: 400ms}"


def experts(gateway):
    r = gateway.client.get("/v1/experts")
    assert r.status_code == 200 and r.json()["object"] == "list"
    return {e["id"]: e for e in r.json()["data"]}


def together(n, work):
    """The results of n calls of work(i) at once."""
    results = [None] * n

    def run(i):
        results[i] = work(i)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    return results


def calls_in_log(gateway, r):
    return gateway.access(r.headers["x-leeroo-request-id"]).get("calls", "")


# Cooldowns

def test_cooldown_takes_the_longest_deadline(start_gateway, upstream):
    """litellm #40130, #25507, #3646: the shorter delay won, and the one in the body was not read."""
    g = start_gateway(expert="retries: 0")
    body = {"error": {"message": "slow", "details": [{"retryDelay": "40s"}]}}
    answered = threading.Event()

    def first(r):  # comes first, ends last, and asks for less
        answered.wait(10)
        r.whole(429, {"error": {"message": "slow"}}, [("retry-after", "2")])
    upstream.on("dear", first, status(429, headers=[("retry-after", "1")], body=body), answer("too early"))
    slow = threading.Thread(target=lambda: g.chat(HARD, model="dear"))
    slow.start()
    wait_for(lambda: upstream.of("dear"))
    assert g.chat(HARD).headers["x-leeroo-expert"] != "dear"
    answered.set()
    slow.join()
    e = experts(g)["dear"]
    assert e["reason"] == "cooling down" and not e["available"] and 30000 < e["retry_after_ms"] <= 40000
    r = g.chat(HARD, model="dear")
    assert r.status_code == 429 and 30 < int(r.headers["retry-after"]) <= 40
    assert r.json()["error"]["code"] == "rate_limit_exceeded" and "cooling down" in r.json()["error"]["message"]
    assert len(upstream.of("dear")) == 2


def test_cooldown_is_shared_and_ends(start_gateway, upstream):
    """While one expert cools down the others serve; afterwards it is asked again."""
    g = start_gateway(expert="retries: 0")
    upstream.on("dear", status(429, headers=[("retry-after-ms", "700")]), answer("fine"))
    begin = time.monotonic()
    assert g.chat(HARD).headers["x-leeroo-expert"] != "dear"
    for r in together(8, lambda i: g.chat(HARD)):
        assert r.status_code == 200 and (r.headers["x-leeroo-expert"] != "dear" or time.monotonic() - begin > 0.7)
    assert g.route(HARD)["ruled_out"].get("dear") in ("cooling down", None)
    wait_for(lambda: experts(g)["dear"]["available"])
    assert time.monotonic() - begin >= 0.69
    assert g.chat(HARD).headers["x-leeroo-expert"] == "dear"


@pytest.mark.parametrize("fault", [
    status(429, body={"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}},
           headers=[("retry-after", "0")]),
    status(400, body={"type": "error", "error": {"type": "invalid_request_error",
                                                 "message": "Your credit balance is too low to access the API"}}),
    status(402, body={"error": {"type": "billing_error", "message": "pay"}}),
], ids=["openai", "anthropic", "402"])
def test_an_empty_account_is_not_retried(start_gateway, upstream, fault):
    g = start_gateway(expert="retries: 5")
    upstream.on("dear", fault)
    r = g.chat(HARD)
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] != "dear" and len(upstream.of("dear")) == 1
    e = experts(g)["dear"]
    assert e["state"] == "open" and e["retry_after_ms"] > 500_000
    assert g.chat(HARD).status_code == 200 and len(upstream.of("dear")) == 1


# Circuits

@pytest.mark.parametrize("stream", [False, True])
def test_an_open_circuit_is_skipped(start_gateway, upstream, stream):
    """Portkey #1289: the breaker was open and the dead target was tried all the same."""
    g = start_gateway(expert="retries: 0\nbreaker: {failures: 2, pause: 1h, pause_max: 1h}")
    upstream.on("dear", status(500))
    for _ in range(2):
        assert g.chat(HARD, stream=stream).headers["x-leeroo-expert"] != "dear"
    g.wait_line(r"msg=circuit expert=dear state=open failures=2 pause_ms=3600000")
    e = experts(g)["dear"]
    assert (e["state"], e["available"], e["reason"], e["failures"]) == ("open", False, "circuit open", 2)
    assert len(upstream.of("dear")) == 2
    for _ in range(5):
        r = g.chat(HARD, stream=stream)
        assert r.status_code == 200 and r.headers["x-leeroo-expert"] != "dear"
    assert g.route(HARD)["ruled_out"]["dear"] == "circuit open"
    r = g.chat(HARD, model="dear", stream=stream)
    assert r.status_code == 503 and 3500 < int(r.headers["retry-after"]) <= 3600
    assert "dear: circuit open" in r.json()["error"]["message"]
    assert len(upstream.of("dear")) == 2  # nobody called it any more


def test_all_circuits_open_is_told_with_the_soonest(start_gateway, upstream):
    g = start_gateway(expert="retries: 0\nbreaker: {failures: 1, pause: 30s}")
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, status(500))
    assert g.chat(HARD).status_code == 502
    assert len(upstream.requests) == 3
    r = g.chat(HARD)
    assert r.status_code == 503 and 25 < int(r.headers["retry-after"]) <= 30 and len(upstream.requests) == 3
    assert all(f"{name}: circuit open" in r.json()["error"]["message"] for name in ("cheap", "mid", "dear"))
    line = g.access(r.headers["x-leeroo-request-id"])
    assert line["attempts"] == "0" and line["cost_usd"] == "0.000000000"


def test_one_probe_then_all(start_gateway, upstream):
    g = start_gateway(expert=QUICK)
    upstream.on("dear", status(500), status(500), answer("back", delay=0.5))
    for _ in range(2):
        g.chat(HARD)
    assert experts(g)["dear"]["state"] == "open"
    wait_for(lambda: experts(g)["dear"]["state"] == "half-open")
    results = together(6, lambda i: g.chat(HARD))
    assert sorted(r.headers["x-leeroo-expert"] == "dear" for r in results) == [False] * 5 + [True]
    assert len(upstream.of("dear")) == 3 and experts(g)["dear"]["state"] == "closed"
    assert g.chat(HARD).headers["x-leeroo-expert"] == "dear"


def test_a_failed_probe_doubles_the_pause(start_gateway, upstream):
    g = start_gateway(expert="retries: 0\nbreaker: {failures: 1, pause: 300ms}")
    upstream.on("dear", status(500))
    g.chat(HARD)
    g.wait_line(r"msg=circuit expert=dear state=open failures=1 pause_ms=300\b")
    wait_for(lambda: experts(g)["dear"]["state"] == "half-open")
    g.chat(HARD)
    g.wait_line(r"msg=circuit expert=dear state=open .*pause_ms=600\b")


def test_a_slow_probe_lets_others_in_once_it_speaks(start_gateway, upstream):
    g = start_gateway(expert=QUICK)
    upstream.on("dear", status(500), status(500), stall_mid_stream(), answer("second"))
    for _ in range(2):
        g.chat(HARD)
    wait_for(lambda: experts(g)["dear"]["state"] == "half-open")
    s = connect(g, chat_body(stream=True))
    assert b"one " in s.recv(65536)
    assert experts(g)["dear"]["state"] == "closed" and g.chat(HARD).headers["x-leeroo-expert"] == "dear"
    s.close()


@pytest.mark.parametrize("fault", [
    cut_before_head, status(500), status(401), stall(), error_event(), lambda r: r.whole(200, b"<html>"),
], ids=["cut", "500", "401", "timeout", "in-band", "malformed"])
def test_what_opens_a_circuit(start_gateway, upstream, fault):
    g = start_gateway(expert="retries: 0\nbreaker: {failures: 1}\ntimeouts: {first_token: 200ms, total: 1s}")
    upstream.on("dear", fault)
    assert g.chat(HARD, stream=True).headers["x-leeroo-expert"] != "dear"
    assert experts(g)["dear"]["state"] == "open"


@pytest.mark.parametrize("code", [400, 404, 413, 422])
def test_a_wrong_request_opens_no_circuit(start_gateway, upstream, code):
    g = start_gateway(expert="retries: 0\nbreaker: {failures: 1}")
    upstream.on("dear", status(code))
    for _ in range(3):
        assert g.chat(HARD).status_code == code
    assert experts(g)["dear"]["state"] == "closed" and len(upstream.of("dear")) == 3


def test_a_breaker_can_be_off(start_gateway, upstream):
    g = start_gateway(expert="retries: 0\nbreaker: off")
    upstream.on("dear", status(500))
    for _ in range(8):
        assert g.chat(HARD).headers["x-leeroo-expert"] != "dear"
    assert len(upstream.of("dear")) == 8 and experts(g)["dear"]["state"] == "closed"


# Failing over

@pytest.mark.parametrize("stream", [False, True])
def test_streamed_and_whole_fail_over_alike(start_gateway, upstream, stream):
    """litellm #40404, #6957, #25843: fallbacks worked for one of the two, or not before the first chunk."""
    def ends_at_once(r):
        r.head(content_type="text/event-stream" if stream else "application/json")
        r.end()
    g = start_gateway(expert="retries: 0\nbreaker: off")
    for fault in (status(500), cut_before_head, error_event(), ends_at_once):
        upstream.on("dear", fault)
        r = g.chat(HARD, stream=stream)
        assert r.status_code == 200 and r.headers["x-leeroo-expert"] != "dear" and "hello" in r.text
        log = calls_in_log(g, r)
        assert log.startswith('"dear failed') and "answered" in log


def test_after_the_first_byte_a_cut_is_a_clear_error(start_gateway, upstream):
    """litellm #40404: a stream that broke looked as if it had ended."""
    g = start_gateway()
    upstream.on("dear", cut_mid_stream)
    r = g.chat(HARD, stream=True)
    assert "error" in json.loads(sse(r.text)[-1]) and len(upstream.requests) == 1
    assert "[DONE]" not in r.text


@pytest.mark.parametrize("stream", [False, True])
def test_an_in_band_error_is_no_empty_success(start_gateway, upstream, stream):
    """litellm #40578, #4562: `data: {"error"}` inside a 200 became an empty answer."""
    g = start_gateway(expert="retries: 0\nbreaker: {failures: 2}")
    fault = error_event() if stream else status(200, body={"error": {"message": "overheated"}})
    upstream.on("dear", fault)
    for _ in range(2):
        r = g.chat(HARD, stream=stream)
        assert r.status_code == 200 and r.headers["x-leeroo-expert"] != "dear" and "hello" in r.text
    assert experts(g)["dear"]["state"] == "open"


def test_several_calls_are_listed(start_gateway, upstream):
    g = start_gateway(expert="retries: 0")
    upstream.on("dear", status(500))
    calls = g.chat(HARD).json()["leeroo"]["calls"]
    assert [(c["expert"], c["outcome"]) for c in calls][0] == ("dear", "failed")
    assert calls[-1]["outcome"] == "answered" and len(calls) == 2
    assert "leeroo" not in g.chat().json()  # one call: the expert's own bytes


def test_a_mistyped_upstream_model_goes_to_the_next(start_gateway, upstream):
    g = start_gateway(expert="retries: 3")
    body = {"error": {"message": "The model `x` does not exist", "type": "invalid_request_error",
                      "code": "model_not_found"}}
    upstream.on("dear", status(404, body=body))
    assert g.chat(HARD).headers["x-leeroo-expert"] != "dear" and len(upstream.of("dear")) == 1
    g.wait_line(r"level=warn msg=\"the expert does not have its upstream_model\" .*expert=dear")
    r = g.chat(HARD, model="dear")
    assert r.status_code == 404 and r.json() == body


# Timeouts

def timeouts_expert(text):
    return f"retries: 0\ntimeouts: {{{text}}}"


@pytest.mark.parametrize("text,fault,stream", [
    ("first_token: 300ms, idle: 0, total: 0", stall(), True),
    ("first_token: 0, idle: 0, total: 400ms", stall(), True),
    ("first_token: 0, idle: 0, total: 400ms", stall(), False),
], ids=["first token", "total of a stream", "total of a whole answer"])
def test_every_wait_has_its_timeout_and_fails_over(start_gateway, upstream, text, fault, stream):
    """litellm #19909, #19184, #17991, #4050: no first-token timeout; timeouts of streams were not obeyed."""
    g = start_gateway(expert=timeouts_expert(text))
    upstream.on("dear", fault)
    begin = time.monotonic()
    r = g.chat(HARD, stream=stream)
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] != "dear" and time.monotonic() - begin < 5
    assert g.chat(HARD, model="dear", stream=stream).status_code == 504


def test_an_idle_stream_ends_with_a_timeout(start_gateway, upstream):
    """litellm #19909: a stream that stopped talking hung for ever."""
    g = start_gateway(expert=timeouts_expert("idle: 300ms"))
    upstream.on("dear", stall_mid_stream())
    events = sse(g.chat(HARD, stream=True).text)
    assert json.loads(events[-1])["error"]["code"] == "upstream_timeout"


def test_retries_stay_within_the_total_timeout(start_gateway, upstream):
    g = start_gateway(expert="retries: 10\nbreaker: off\ntimeouts: {total: 1s}")
    upstream.on("dear", status(500))
    begin = time.monotonic()
    assert g.chat(HARD, model="dear").status_code == 502
    assert time.monotonic() - begin < 3 and 2 <= len(upstream.of("dear")) < 6


def test_a_retry_has_what_is_left_of_the_total_timeout(start_gateway, upstream):
    g = start_gateway(expert="retries: 1\nbreaker: off\ntimeouts: {total: 1500ms}")
    upstream.on("dear", lambda r: (time.sleep(0.9), r.whole(500, {"error": {"message": "x"}}))[1], stall())
    begin = time.monotonic()
    assert g.chat(HARD, model="dear").status_code == 504
    assert time.monotonic() - begin < 2.4 and len(upstream.of("dear")) == 2


# Configuration

@pytest.mark.parametrize("text,says", [
    ("breaker: {failures: 0}", "failures must be between 1"),
    ("breaker: sometimes", "breaker must be off, or a section"),
    ("breaker: {pauses: 1s}", "did you mean 'pause'"),
    ("queue: {length: -1}", "length must be between 0"),
    ("concurrency: 0", "concurrency must be between 1"),
])
def test_mistakes_are_named(leeroo, model_file, tmp_path, text, says):
    path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1", expert=text)
    run = subprocess.run([leeroo, "serve", "-c", str(path)], capture_output=True, text=True, timeout=20,
                         env={"UP_KEY": "sk-something"})
    assert run.returncode == 1 and says in run.stderr


# A reload

def test_a_reload_forgets_no_circuit(start_gateway, upstream):
    g = start_gateway(expert="retries: 0\nbreaker: {failures: 1, pause: 1h, pause_max: 1h}")
    upstream.on("dear", status(500))
    g.chat(HARD)
    assert experts(g)["dear"]["state"] == "open"
    g.popen.send_signal(signal.SIGHUP)
    g.wait_line("msg=reloaded")
    assert experts(g)["dear"]["state"] == "open" and g.chat(HARD).status_code == 200
    assert len(upstream.of("dear")) == 1
