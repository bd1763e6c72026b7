"""One amount in five places: what the client is told, the access log, the ledger, the metrics, `leeroo spend`, for every way
a request can go; and what 50 requests at once can do to a budget."""

import concurrent.futures
import json
import re
import socket
import subprocess
import time
from decimal import Decimal

import httpx
from conftest import DEFAULT_POLICIES
from test_ledger import Ledger
from upstream import answer, cut_mid_stream, delta, stall, status, usage_of

TOP = "state_dir: state\ncache: {size: 1MiB, ttl: 1h}\ndrain: {delay: 0}\nembeddings:\n  - {name: embedder, api_key: env:UP_KEY, " \
      "price: {input: 0.0333, output: 0}, url: URL}\n"
HEDGED = DEFAULT_POLICIES.rstrip() + "\n  hedge: {lambda: 1000, hedge_after: 100ms}\n"
TOOL = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
PLAIN = {"model": "leeroo", "messages": [{"role": "user", "content": "hello cat"}]}
NANO = Decimal(10) ** 9


def ways(upstream):
    """Name, what the expert does, path, body; each content is its own, so that only `cached` hits the cache."""
    def chat(**more):
        chat.n += 1
        return "/v1/chat/completions", {**PLAIN, "messages": [{"role": "user", "content": f"hello cat {chat.n}"}], **more}
    chat.n = 0
    good, slow = answer(usage=(123457, 65433)), answer(usage=(11, 13), delay=1.0)
    yield "plain", [good], chat()
    yield "streamed", [good], chat(stream=True)
    yield "streamed with usage", [good], chat(stream=True, stream_options={"include_usage": True})
    yield "no usage", [answer(usage=None)], chat()
    yield "tools", [good], chat(tools=TOOL)
    yield "n", [good], chat(n=2)
    yield "tried again", [status(503), good], chat()
    yield "failed", [status(400)], chat(model="cheap")
    yield "cut", [cut_mid_stream], chat(model="cheap", stream=True)
    yield "cancelled", [stall()], chat(model="cheap", stream=True)
    yield "hedged", [slow], chat(model="leeroo/hedge")
    yield "completions", [good], ("/v1/completions", {"model": "cheap", "prompt": "hello", "max_tokens": 70000})
    yield "responses", [good], ("/v1/responses", {"model": "cheap", "input": "hello", "stream": True})
    yield "messages", [good], ("/v1/messages", {"model": "cheap", "max_tokens": 70000, "messages": PLAIN["messages"]})
    yield "to be cached", [good], ("/v1/chat/completions", PLAIN)
    yield "cached", [good], ("/v1/chat/completions", PLAIN)
    yield "embeddings", [], ("/v1/embeddings", {"model": "embedder", "input": "hello"})


def raw_call(g, path, body, cut):
    """Headers and trailers as one dictionary; `cut`: leaves after the request was sent."""
    host, port = g.address.rsplit(":", 1)
    data = json.dumps(body).encode()
    with socket.create_connection((host, int(port)), timeout=20) as s:
        s.sendall((f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n"
                   f"content-length: {len(data)}\r\n\r\n").encode() + data)
        if cut:
            time.sleep(0.3)
            return {}
        got = b""
        try:
            while more := s.recv(65536):
                got += more
        except ConnectionError:
            pass
    head, rest = got.decode().split("\r\n\r\n", 1)
    found = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    if "\r\n0\r\n" in rest:
        found |= dict(line.split(": ", 1) for line in rest.rsplit("\r\n0\r\n", 1)[1].split("\r\n") if ": " in line)
    found["body"] = rest
    return found


def metric(g, name):
    text = g.client.get("/metrics").text
    return sum(Decimal(v) for v in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.M))


def test_every_place_says_the_same(start_gateway, upstream, leeroo, tmp_path):
    upstream.on("embedder", lambda r: r.whole(200, {"object": "list", "data": [], "usage": {"prompt_tokens": 777}}))
    g = start_gateway(top=TOP.replace("URL", upstream.url), policies=HEDGED, expert="retries: 1\nbreaker: off\nprice: {input: 0.1111, output: 0.7777}")
    ledger, told, rows = Ledger(tmp_path / "state" / "ledger.sqlite"), {}, {}
    for name, behaviours, (path, body) in ways(upstream):
        for expert in ("cheap", "mid", "dear"):
            upstream.on(expert, *behaviours or [answer()])
        if name == "hedged":
            upstream.on("mid", answer(usage=(17, 19)))
            upstream.on("cheap", answer(usage=(17, 19)))
        before = metric(g, "leeroo_cost_usd_total")
        seen = set(re.findall(r"msg=request req=(\S+)", g.text))
        h = raw_call(g, path, body, name == "cancelled")
        request_id = h.get("x-leeroo-request-id")
        deadline = time.monotonic() + 10
        while not request_id and time.monotonic() < deadline:
            request_id = next(iter(set(re.findall(r"msg=request req=(\S+)", g.text)) - seen), None)
        line, row = g.access(request_id), ledger.row(request_id)
        logged, kept = Decimal(line["cost_usd"]), Decimal(row["cost_nano_usd"]) / NANO
        counted = metric(g, "leeroo_cost_usd_total") - before
        assert logged == kept, (name, line, row)
        assert counted == logged, (name, counted, logged)
        calls = json.loads(row["calls"] or "[]", parse_float=Decimal)
        calls = json.loads(row["calls"] or "null")
        assert calls is None or sum(c["cost_nano_usd"] for c in calls) == row["cost_nano_usd"], (name, row)
        assert name != "hedged" or len(calls) == 2, row
        if name not in ("cancelled", "cut", "responses", "failed"):  # a cut answer has no end that could tell
            assert Decimal(h["x-leeroo-cost-usd"]) == kept, (name, h, row)
            assert h["x-leeroo-cost-basis"] == line["basis"] == row["basis"], (name, h, row)
        told[name], rows[name] = kept, row
    exact = (123457 * Decimal("0.1111") + 65433 * Decimal("0.7777")) / 10**6
    for name in ("plain", "streamed", "streamed with usage", "tools", "completions", "responses", "messages", "to be cached"):
        assert told[name] == exact.quantize(Decimal("1e-9")), (name, told[name], exact)
    assert told["cached"] == 0 and told["failed"] == 0 and rows["cached"]["cached"] == 1
    assert told["embeddings"] == (777 * Decimal("0.0333") / 10**6).quantize(Decimal("1e-9"))
    total = sum(told.values())
    assert metric(g, "leeroo_cost_usd_total") == total
    out = subprocess.run([leeroo, "spend", "-c", str(tmp_path / "leeroo.yaml"), "--json"], capture_output=True, text=True, timeout=30, check=True).stdout
    spend = json.loads(out, parse_float=Decimal)
    assert total in [v for v in walk(spend) if isinstance(v, Decimal)], (total, spend)


def walk(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from walk(item)
    else:
        yield value


def test_fifty_at_once_cannot_pass_a_budget(start_gateway, upstream, leeroo, tmp_path):
    (tmp_path / "state").mkdir()
    key = subprocess.run([leeroo, "keys", "create", "--name", "a", "--budget-total", "0.0005", "--file", str(tmp_path / "state" / "keys.json")],
                         capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    g = start_gateway(top="state_dir: state\ndrain: {delay: 0}", expert="price: {input: 1, output: 1}")
    upstream.on("cheap", answer(usage=(10, 20), delay=0.2))
    def one(i):
        with httpx.Client(base_url=g.url, timeout=60) as c:
            body = {"model": "cheap", "max_tokens": 20, "messages": [{"role": "user", "content": "hello cat"}]}
            if i % 2:
                body["stream"] = True
            return c.post("/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"}).status_code
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        codes = list(pool.map(one, range(50)))
    assert set(codes) == {200, 429}, codes
    listed = json.loads(subprocess.run([leeroo, "keys", "list", "--json", "--file", str(tmp_path / "state" / "keys.json")], capture_output=True,
                                       text=True, timeout=30, check=True).stdout, parse_float=Decimal)
    spent = listed[0]["spent_usd"]["total"] if isinstance(listed, list) else listed["keys"][0]["spent_usd"]["total"]
    assert spent == Decimal("0.00003") * codes.count(200) and spent <= Decimal("0.0005"), (spent, codes.count(200))


# Reports that are odd

def told_usage(usage):
    """Whole or streamed, as asked, with these members as its usage."""
    def behave(r):
        body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
                "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}
        if not r.json.get("stream"):
            return r.whole(200, body)
        r.head(content_type="text/event-stream")
        r.event(delta("hi"))
        r.event(delta(finish="stop"))
        r.event({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage})
        r.event(b"[DONE]")
        r.end()
    return behave


def cost_line(g, path="/v1/chat/completions", stream=False, **more):
    body = {"model": "cheap", "max_tokens": 500, "messages": PLAIN["messages"], "stream": stream, **more}
    r = g.client.post(path, json=body)
    assert r.status_code == 200, r.text
    return g.access(r.headers["x-leeroo-request-id"])


BESIDE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115}


def test_reasoning_beside_the_output_is_billed(start_gateway, upstream):
    """sub2api #5771, vercel/ai #12425, inspect_ai #5528: whole and streamed, with and without its details."""
    g = start_gateway(expert="price: {input: 1, output: 2, reasoning: 3}")
    for usage in ({**BESIDE, "completion_tokens_details": {"reasoning_tokens": 100}}, BESIDE):
        upstream.on("cheap", told_usage(usage))
        for path in ("/v1/chat/completions", "/v1/messages"):
            for stream in (False, True):
                line = cost_line(g, path, stream)
                assert (line["cost_usd"], line["output_tokens"], line["reasoning_tokens"]) == ("0.000320000", "105", "100")


def test_counts_are_billed_in_every_form_in_which_servers_write_them(start_gateway, upstream):
    """litellm #33772: doubles, texts, and Moonshot's cached tokens beside the others."""
    g = start_gateway(expert="price: {input: 1, output: 2, cached_input: 0.1}")
    for usage in ({"prompt_tokens": 100.0, "completion_tokens": 5.0, "total_tokens": 105.0, "cached_tokens": 80.0},
                  {"prompt_tokens": "100", "completion_tokens": "5", "prompt_tokens_details": {"cached_tokens": "80"}}):
        upstream.on("cheap", told_usage(usage))
        for path in ("/v1/chat/completions", "/v1/messages"):
            for stream in (False, True):
                line = cost_line(g, path, stream)
                assert (line["cost_usd"], line["basis"], line["cached_tokens"]) == ("0.000038000", "usage", "80")


def anthropic_stream(start_usage, end_usage):
    def behave(r):
        message = {"id": "m", "type": "message", "role": "assistant", "model": "x", "stop_reason": None, "stop_sequence": None}
        r.head(content_type="text/event-stream")
        for e in ({"type": "message_start", "message": {**message, "content": [], "usage": start_usage}},
                  {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                  {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
                  {"type": "content_block_stop", "index": 0},
                  {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": end_usage},
                  {"type": "message_stop"}):
            r.chunk(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode())
        r.end()
    return behave


def test_of_two_reports_of_a_stream_the_larger_counts_stand(start_gateway, upstream):
    """envoyproxy/ai-gateway #1631: a late zero undoes nothing."""
    g = start_gateway(expert="dialect: anthropic\nprice: {input: 1, output: 2, cached_input: 0.1, cache_write: 1.25}")
    begin = {"input_tokens": 100, "cache_read_input_tokens": 5000, "cache_creation_input_tokens": 1000, "output_tokens": 1}
    upstream.on("cheap", anthropic_stream(begin, {**{k: 0 for k in begin}, "output_tokens": 50}))
    for path in ("/v1/chat/completions", "/v1/messages"):
        assert cost_line(g, path, True)["cost_usd"] == "0.001950000"


def test_an_hour_in_the_cache_has_its_price(start_gateway, upstream):
    """litellm #29432, langfuse/claude-observability-plugin #34"""
    usage = {"input_tokens": 100, "output_tokens": 50, "cache_creation_input_tokens": 1000,
             "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 600}}
    for price, usd in (("cache_write: 1.25", "0.001900000"), ("cache_write: 1.25, cache_write_1h: 3", "0.002500000")):
        g = start_gateway(expert="dialect: anthropic\nprice: {input: 1, output: 2, %s}" % price)
        upstream.on("cheap", anthropic_stream(usage, {"output_tokens": 50}))
        for path in ("/v1/chat/completions", "/v1/messages"):
            line = cost_line(g, path, True)
            assert (line["cost_usd"], line["cache_write_1h_tokens"]) == (usd, "600"), (price, path)


def test_a_report_that_cannot_be_is_booked_at_the_limits_and_said(start_gateway, upstream):
    """Of 10^12 tokens, a negative count, one far beyond the context, one far beyond max_tokens."""
    g = start_gateway(expert="context: 1000\nprice: {input: 1, output: 2}")
    for usage, usd in (((10**12, 10**12), "0.002000000"), ((10, -5), None), ((2001, 5), "0.001010000"), ((10, 1001), "0.001010000")):
        upstream.on("cheap", told_usage(usage_of(usage)))
        for stream in (False, True):
            line = cost_line(g, stream=stream)
            assert line["basis"] == "limited" and usd in (None, line["cost_usd"]), (usage, stream, line)
    assert "the expert reports usage that cannot be" in g.text and "told_input=1000000000000" in g.text
    assert 'leeroo_usage_refused_total{expert="cheap"} 8' in g.client.get("/metrics").text
