"""Spans at a collector: OTLP over HTTP in JSON, with the GenAI semantic conventions."""

import json
import re
import threading
import time

import pytest

from conftest import free_port
from serving import JsonServer
from test_metrics import page
from upstream import answer, status

SECRET = "collector-canary-77"
PARENT = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


class Collector(JsonServer):
    def __init__(self):
        self.posts, self.spans, self.status, self.changed = [], [], 200, threading.Condition()
        super().__init__()
        self.url += "/v1/traces"

    def reply(self, method, path, headers, body):
        with self.changed:
            self.take(path, headers, body)
        return self.status, {}

    def take(self, path, headers, body):
        self.posts.append((path, headers, body))
        for resource in body["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                self.spans += scope["spans"]
        self.changed.notify_all()

    def wait(self, count, seconds=15):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.spans) >= count, seconds), self.spans
            return list(self.spans)


@pytest.fixture
def collector():
    c = Collector()
    yield c
    c.close()


def traces(collector, more=""):
    return f"traces: {{endpoint: '{collector if isinstance(collector, str) else collector.url}'{more}}}"


def attributes(span):
    kinds = {"stringValue": str, "intValue": int, "doubleValue": float, "boolValue": bool}
    found = {}
    for a in span["attributes"]:
        (kind, value), = a["value"].items()
        assert kind != "intValue" or isinstance(value, str), "64-bit integers are strings"
        assert a["key"] not in found, a["key"]
        found[a["key"]] = kinds[kind](value)
    return found


def check_shape(span):
    assert re.fullmatch(r"[0-9a-f]{32}", span["traceId"]) and set(span["traceId"]) != {"0"}
    assert re.fullmatch(r"[0-9a-f]{16}", span["spanId"]) and set(span["spanId"]) != {"0"}
    begin, end = (int(span[k]) for k in ("startTimeUnixNano", "endTimeUnixNano"))
    assert isinstance(span["startTimeUnixNano"], str) and begin <= end
    assert abs(begin / 1e9 - time.time()) < 60
    assert span["kind"] in (2, 3) and set(span["status"]) <= {"code"}
    return attributes(span)


def test_a_request_and_the_experts_it_asked(start_gateway, upstream, collector, monkeypatch):
    monkeypatch.setenv("COLLECTOR_KEY", SECRET)
    upstream.on("dear", answer("answer canary", usage=(11, 13)))
    g = start_gateway(top=traces(collector, ", service_name: shop, headers: {x-key: env:COLLECTOR_KEY}"),
                      expert="price: {input: 1, output: 2}")
    r = g.chat("prompt canary", model="dear")
    assert r.status_code == 200
    spans = {s["kind"]: s for s in collector.wait(2)}
    path, headers, body = collector.posts[0]
    assert path == "/v1/traces" and headers["content-type"] == "application/json" and headers["x-key"] == SECRET
    assert "canary" not in json.dumps(body), "neither prompts nor answers"
    resource = attributes(body["resourceSpans"][0]["resource"])
    assert resource["service.name"] == "shop"
    assert body["resourceSpans"][0]["scopeSpans"][0]["scope"]["name"] == "leeroo"
    server, client = spans[2], spans[3]
    a, b = check_shape(server), check_shape(client)
    assert server["name"] == client["name"] == "chat dear"
    assert server["traceId"] == client["traceId"] and client["parentSpanId"] == server["spanId"]
    assert "parentSpanId" not in server
    assert a["gen_ai.operation.name"] == "chat" and a["gen_ai.response.model"] == "dear"
    assert (a["gen_ai.usage.input_tokens"], a["gen_ai.usage.output_tokens"]) == (11, 13)
    assert a["http.response.status_code"] == 200 and "error.type" not in a
    assert a["leeroo.request_id"] == r.headers["x-leeroo-request-id"] and a["leeroo.plan"] == "single"
    assert a["leeroo.cost_usd"] == b["leeroo.cost_usd"] == float(r.headers["x-leeroo-cost-usd"]) == 0.000037
    assert b["server.address"] == "127.0.0.1" and b["server.port"] == upstream.port
    assert b["gen_ai.provider.name"] == "openai" and b["gen_ai.request.model"] == "dear"
    assert SECRET not in g.text


def test_the_callers_trace_goes_on_and_reaches_the_expert(start_gateway, upstream, collector):
    g = start_gateway(top=traces(collector, ", sample: 0"))
    g.client.headers["traceparent"] = f"00-{PARENT[0]}-{PARENT[1]}-01"
    assert g.chat(model="dear", stream=True).status_code == 200
    spans = {s["kind"]: s for s in collector.wait(2)}
    assert spans[2]["traceId"] == spans[3]["traceId"] == PARENT[0]
    assert spans[2]["parentSpanId"] == PARENT[1]
    assert upstream.of("dear")[0].headers["traceparent"] == f"00-{PARENT[0]}-{spans[3]['spanId']}-01"
    assert attributes(spans[2])["leeroo.time_to_first_token_ms"] >= 0


def test_who_is_not_sampled_is_not_traced(start_gateway, upstream, collector):
    g = start_gateway(top=traces(collector))
    not_sampled = f"00-{PARENT[0]}-{PARENT[1]}-00"
    r = g.client.post("/v1/chat/completions", headers={"traceparent": not_sampled}, json={
        "model": "dear", "messages": [{"role": "user", "content": "x"}]})
    assert r.status_code == 200
    assert upstream.of("dear")[0].headers["traceparent"] == not_sampled, "it passes as it came"
    assert g.chat(model="mid").status_code == 200
    assert {s["name"] for s in collector.wait(2)} == {"chat mid"}


def test_without_a_collector_headers_pass_as_they_came(gateway, upstream):
    gateway.client.headers["traceparent"] = f"00-{PARENT[0]}-{PARENT[1]}-01"
    assert gateway.chat(model="dear").status_code == 200
    assert upstream.of("dear")[0].headers["traceparent"] == f"00-{PARENT[0]}-{PARENT[1]}-01"


def test_failures_are_errors_and_each_try_of_another_expert_is_a_span(start_gateway, upstream, collector):
    upstream.on("cheap", status(500))
    g = start_gateway(top=traces(collector), expert="retries: 0")
    assert g.chat(model="leeroo/thrift").status_code == 200
    assert g.chat(model="cheap").status_code in (500, 502)
    assert g.chat(model="client text").status_code == 404
    spans = collector.wait(6)
    first = [s for s in spans if s["traceId"] == spans[0]["traceId"]]
    calls = {attributes(s)["leeroo.expert"]: s for s in first if s["kind"] == 3}
    assert calls["cheap"]["status"] == {"code": 2} and attributes(calls["cheap"])["error.type"]
    assert len(calls) == 2 and calls["cheap"]["spanId"] != first[0]["spanId"]
    servers = [s for s in spans if s["kind"] == 2]
    assert [s["status"] for s in servers] == [{}, {"code": 2}, {"code": 2}]
    assert attributes(servers[2])["error.type"] == "404" and servers[2]["name"] == "chat"


def test_what_is_queued_is_sent_before_the_end(start_gateway, collector):
    g = start_gateway(top=traces(collector))
    for _ in range(5):
        assert g.chat(model="dear").status_code == 200
    assert g.stop() == 0
    assert len(collector.spans) == 10


@pytest.mark.parametrize("how", ["nobody there", "refuses"])
def test_a_collector_that_fails_disturbs_nobody(start_gateway, collector, how):
    collector.status = 503
    g = start_gateway(top=traces(collector if how == "refuses" else f"http://127.0.0.1:{free_port()}/v1/traces"))
    for _ in range(3):
        assert g.chat(model="dear").status_code == 200
    deadline = time.monotonic() + 15
    while page(g).sum("leeroo_spans_total", result="dropped") < 6:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert page(g).sum("leeroo_spans_total", result="sent") == 0
    assert g.text.count('msg="spans dropped"') in (1, 2), "once a minute and worker"


def test_spans_sent_are_counted(start_gateway, collector):
    g = start_gateway(top=traces(collector))
    assert g.chat(model="dear").status_code == 200
    collector.wait(2)
    deadline = time.monotonic() + 5
    while page(g).sum("leeroo_spans_total", result="sent") != 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert page(g).sum("leeroo_spans_total", result="dropped") == 0


def test_a_collector_may_be_where_experts_may_not(start_gateway, collector):
    """upstream.private_addresses is about experts; where the collector is, the configuration alone says."""
    g = start_gateway(top=traces(collector) + "\nupstream: {private_addresses: deny}", expert="retries: 0")
    assert g.chat(model="dear").status_code == 502
    assert {s["kind"] for s in collector.wait(2)} == {2, 3}
