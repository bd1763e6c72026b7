"""The gateway from outside: what clients see when all is well."""

import json
from decimal import Decimal

import openai
import pytest

from conftest import EXPERTS, KEY
from upstream import answer, delta


EASY = [{"role": "user", "content": "two hello sum cat colour hello"}]


def price(name, usage):
    inp, out = (Decimal(p) for p in EXPERTS[name])
    return (inp * usage[0] + out * usage[1]) / 1_000_000


def sse(text):
    return [line[6:] for line in text.splitlines() if line.startswith("data: ")]


@pytest.fixture
def client(gateway):
    with openai.OpenAI(base_url=gateway.url + "/v1", api_key="client-secret", max_retries=0) as c:
        yield c


def test_official_client(gateway, upstream, client):
    upstream.on("cheap", answer("hello cat", (11, 7)))
    raw = client.chat.completions.with_raw_response.create(
        model="leeroo", messages=EASY)
    reply = raw.parse()
    assert reply.choices[0].message.content == "hello cat"
    assert raw.headers["x-leeroo-expert"] == "cheap"
    assert raw.headers["x-leeroo-plan"] == "single"
    assert raw.headers["x-leeroo-cost-basis"] == "usage"
    assert raw.headers["x-leeroo-cost-usd"] == f"{price('cheap', (11, 7)):.9f}"
    assert float(raw.headers["x-leeroo-lambda"]) == 1000
    assert raw.headers["x-leeroo-request-id"].startswith("req_")
    assert reply._request_id == raw.headers["x-leeroo-request-id"]
    line = gateway.access(raw.headers["x-leeroo-request-id"])
    assert line["expert"] == "cheap" and line["policy"] == "default" and line["status"] == "200"
    assert line["cost_usd"] == raw.headers["x-leeroo-cost-usd"] and line["basis"] == "usage"
    assert (line["input_tokens"], line["output_tokens"], line["attempts"]) == ("11", "7", "1")


def test_official_client_streaming(gateway, upstream, client):
    upstream.on("cheap", answer("one two three", (11, 7)))
    stream = client.chat.completions.create(model="leeroo", messages=EASY,
                                            stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "one two three "
    last = chunks[-1]
    assert last.usage.prompt_tokens == 11 and last.usage.completion_tokens == 7
    assert last.leeroo["expert"] == "cheap" and last.leeroo["plan"] == "single"
    assert Decimal(str(last.leeroo["cost_usd"])) == price("cheap", (11, 7))


def test_official_client_lists_models(client):
    names = [m.id for m in client.models.list()]
    assert names == ["leeroo", "leeroo/default", "leeroo/best", "leeroo/thrift", "leeroo/cheapest", "cheap", "mid",
                     "dear"]
    assert client.models.retrieve("dear").id == "dear"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")


def test_official_client_errors(gateway, client):
    with pytest.raises(openai.NotFoundError) as e:
        client.chat.completions.create(model="gpt-x", messages=[{"role": "user", "content": "x"}])
    assert e.value.code == "model_not_found" and e.value.param == "model"
    with pytest.raises(openai.BadRequestError) as e:
        client.chat.completions.create(model="leeroo", messages=[])
    assert e.value.param == "messages"


def test_streamed_and_whole_cost_the_same(gateway, upstream):
    usage = (12345, 6789)
    upstream.on("mid", answer("x y", usage))
    whole = gateway.chat(model="mid")
    streamed = gateway.chat(model="mid", stream=True, stream_options={"include_usage": True})
    event = json.loads(sse(streamed.text)[-2], parse_float=Decimal)
    assert whole.headers["x-leeroo-cost-usd"] == f"{price('mid', usage):.9f}"
    assert f"{event['leeroo']['cost_usd']:.9f}" == whole.headers["x-leeroo-cost-usd"]
    assert streamed.headers["x-leeroo-cost-basis"] == "predicted"
    line = gateway.access(streamed.headers["x-leeroo-request-id"])
    assert line["cost_usd"] == whole.headers["x-leeroo-cost-usd"] and line["basis"] == "usage"


def raw_exchange(gateway, body, head=b""):
    import socket
    host, port = gateway.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as s:
        s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                  b"connection: close\r\n" + head + b"content-length: %d\r\n\r\n%s" % (len(body), body))
        data = b""
        while more := s.recv(65536):
            data += more
    return data.decode()


def test_stream_ends_with_cost_trailers(gateway, upstream):
    upstream.on("cheap", answer("a b", (8, 4)))
    body = json.dumps({"model": "cheap", "stream": True, "messages": [{"role": "user", "content": "hi"}]}).encode()
    text = raw_exchange(gateway, body)
    head, rest = text.split("\r\n\r\n", 1)
    assert "trailer: x-leeroo-cost-usd, x-leeroo-cost-basis" in head
    assert rest.endswith(f"0\r\nx-leeroo-cost-usd: {price('cheap', (8, 4)):.9f}\r\nx-leeroo-cost-basis: usage\r\n\r\n")


def test_usage_chunk_only_for_those_who_asked(gateway, upstream):
    upstream.on("cheap", answer("a b", (8, 4)))
    plain = sse(gateway.chat(model="cheap", stream=True).text)
    assert plain[-1] == "[DONE]" and not any('"usage"' in d for d in plain)
    asked = sse(gateway.chat(model="cheap", stream=True, stream_options={"include_usage": True}).text)
    assert json.loads(asked[-2])["usage"]["completion_tokens"] == 4
    for r in upstream.of("cheap"):
        assert r.json["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("stream", [False, True])
def test_missing_usage_is_estimated_and_flagged(gateway, upstream, stream):
    upstream.on("dear", answer("abcdefgh", usage=None))
    r = gateway.chat("x" * 40, model="dear", stream=stream)
    line = gateway.access(r.headers["x-leeroo-request-id"])
    assert line["basis"] == "estimated"
    assert line["input_tokens"] == "10"
    assert line["output_tokens"] == ("3" if stream else "2")  # the stream's words end in a blank


def test_zero_usage_is_zero(gateway, upstream):
    upstream.on("dear", answer("abcdefgh", usage=(0, 0)))
    r = gateway.chat(model="dear")
    assert r.headers["x-leeroo-cost-usd"] == "0.000000000" and r.headers["x-leeroo-cost-basis"] == "usage"


def test_unknown_fields_pass_byte_for_byte(gateway, upstream):
    body = ('{ "x_vendor" : {"b":1.50e+3,"a":[1, 2,\t3],"big":123456789012345678901234567890},\n'
            '  "model"\t: "cheap", "messages":[{"role":"user","content":"h\\u0069 \\ud83d\\ude00"}],'
            '"seed":-0,"logit_bias":{"50256":-100} }').encode()
    assert "200 OK" in raw_exchange(gateway, body)
    assert upstream.of("cheap")[0].body == body
    streamed = body.replace(b'"seed"', b'"stream":true,"seed"')
    raw_exchange(gateway, streamed)
    assert upstream.of("cheap")[1].body == streamed[:-1] + b',"stream_options":{"include_usage":true}}'


def test_events_pass_byte_for_byte(gateway, upstream):
    odd = b'{ "choices":[{"delta":{"content":"\\u00e9 1"},"logprobs":null}],"x":1.0e1}'

    def behave(r):
        r.head(content_type="text/event-stream")
        r.chunk(b": a comment\r\n\r\ndata:" + odd + b"\r\n")
        r.chunk(b"\r\ndata: " + json.dumps(delta(finish="stop")).encode() + b"\n\ndata: [DONE]\n\n")
        r.end()
    upstream.on("cheap", behave)
    got = gateway.chat(model="cheap", stream=True).content
    assert got.startswith(b"data: " + odd + b"\n\n") and got.endswith(b"data: [DONE]\n\n")


def test_upstream_model_and_headers(start_gateway, upstream):
    g = start_gateway(expert="upstream_model: vendor/big-1")
    r = g.client.post("/v1/chat/completions",
                      json={"model": "mid", "messages": [{"role": "user", "content": "x"}]},
                      headers={"authorization": "Bearer client-secret", "cookie": "a=b", "x-evil": "1",
                               "idempotency-key": "k1", "openai-organization": "org"})
    assert r.status_code == 200
    seen = upstream.of("vendor/big-1")[0]
    assert seen.target == "POST /v1/chat/completions HTTP/1.1"
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["idempotency-key"].startswith("lr-")  # bound to client and expert, see test_keys.py
    for name in ("cookie", "x-evil", "openai-organization"):
        assert name not in seen.headers
    assert "client-secret" not in str(seen.headers) and "client-secret" not in g.text


def test_policies_choose_differently(gateway):
    easy, hard = "hello cat two", "prove quantum lemma"
    assert gateway.route(easy)["expert"] == "cheap"
    assert gateway.route(hard)["expert"] == "dear"
    assert gateway.route(hard, "leeroo/thrift")["expert"] == "cheap"
    decision = gateway.route(hard, "leeroo/cheapest")
    assert decision["expert"] == "cheap"
    assert decision["ruled_out"] == {"mid": "not in this policy", "dear": "not in this policy"}
    assert gateway.chat(hard).headers["x-leeroo-expert"] == "dear"
    assert gateway.chat(hard, model="leeroo/thrift").headers["x-leeroo-expert"] == "cheap"
    assert gateway.chat(easy, model="dear").headers["x-leeroo-expert"] == "dear"


def test_route_makes_no_call(gateway, upstream):
    d = gateway.route("prove quantum lemma")
    assert set(d["estimates"]) == set(EXPERTS)
    assert d["estimates"]["dear"] == [d["quality"], d["cost_usd"]]
    assert d["plan"] == "single" and d["policy"] == "default" and d["lambda"] == 1000
    assert [d["expert"], *d["fallbacks"]] and len(d["fallbacks"]) == 2
    assert gateway.client.post("/v1/route", json={"text": "prove quantum lemma"}).json()["estimates"] == d["estimates"]
    assert gateway.client.post("/v1/route", json={"prompt": "prove quantum lemma"}).json()["expert"] == "dear"
    assert not upstream.requests


def test_capabilities_and_context_rule_out(start_gateway, upstream, tmp_path):
    g = start_gateway(expert="capabilities: [tools]\ncontext: 100")
    user = [{"role": "user", "content": "hello cat"}]
    assert g.chat(tools=[{"type": "function", "function": {"name": "f"}}], messages=user).status_code == 200
    for more, why in [({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]},
                       "no images"),
                      ({"messages": user, "response_format": {"type": "json_object"}}, "no JSON mode"),
                      ({"messages": user, "max_tokens": 99}, "context too short"),
                      ({"messages": [{"role": "user", "content": "x" * 500}]}, "context too short")]:
        r = g.chat(**more)
        assert r.status_code == 400 and why in r.json()["error"]["message"], r.text
    assert len(upstream.requests) == 1


def test_max_cost_is_a_hard_cap(start_gateway):
    g = start_gateway(policies="policies: {default: {lambda: 0, max_cost: 0.000000001}}\n")
    r = g.chat()
    assert r.status_code == 402 and r.json()["error"]["code"] == "over_max_cost"


def test_health_and_unknown_paths(gateway):
    assert gateway.client.get("/healthz").json() == {"status": "ok"}
    assert gateway.client.get("/readyz").status_code == 200
    for path in ("/index.html", "/ui", "/v1", "/v1/completion", "/v1/chat/completions/", "/../etc/passwd", "/v1/routes"):
        r = gateway.client.get(path)
        assert r.status_code == 404 and set(r.json()["error"]) == {"message", "type", "param", "code"}, path
    for method, path, allow in [("GET", "/v1/chat/completions", "POST"), ("GET", "/v1/route", "POST"),
                                ("POST", "/v1/models", "GET, HEAD"), ("DELETE", "/healthz", "GET, HEAD")]:
        r = gateway.client.request(method, path)
        assert r.status_code == 405 and r.headers["allow"] == allow
        assert r.json()["error"]["code"] == "method_not_allowed"
    assert gateway.client.head("/healthz").status_code == 200


def test_a_web_page_cannot_spend_money(gateway, upstream):
    r = gateway.client.post("/v1/chat/completions", content=b'{"model":"cheap","messages":[]}',
                            headers={"origin": "https://evil.example", "content-type": "text/plain"})
    assert r.status_code == 403 and not upstream.requests


def test_clients_cannot_choose_the_upstream(gateway, upstream):
    other = {"url": "http://169.254.169.254/", "base_url": "http://127.0.0.1:1/", "api_base": "http://127.0.0.1:1/"}
    r = gateway.client.post("/v1/chat/completions?url=http://127.0.0.1:1/", headers={
        "x-portkey-custom-host": "http://127.0.0.1:1", "x-base-url": "http://127.0.0.1:1", "host": "evil"},
        json={"model": "cheap", "messages": [{"role": "user", "content": "x"}], **other})
    assert r.status_code == 200 and len(upstream.requests) == 1
    for model in ("http://127.0.0.1:1/v1", "leeroo/../cheap", "cheap@http://127.0.0.1:1", "leeroo/"):
        assert gateway.chat(model=model).status_code == 404


def test_redirects_are_not_followed(start_gateway, upstream):
    g = start_gateway(expert="retries: 0")
    upstream.on("cheap", lambda r: r.whole(302, {}, [("location", f"{upstream.url}/secret")]))
    r = g.chat(model="cheap")
    assert r.status_code == 502 and "redirects are not followed" in r.json()["error"]["message"]
    assert len(upstream.requests) == 1
