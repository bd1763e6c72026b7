"""POST /v1/embeddings: passed to the model that is asked for, accounted, retried; nothing is routed."""

import json

import openai
import pytest
from conftest import KEY

VECTOR = [0.25, -0.5, 0.75]


def vectors(usage=7):
    def behave(r):
        assert r.target.split()[1] == "/v1/embeddings"
        inputs = r.json["input"] if isinstance(r.json["input"], list) else [r.json["input"]]
        body = {"object": "list", "model": r.json["model"], "data": [
            {"object": "embedding", "index": i, "embedding": VECTOR} for i in range(len(inputs))]}
        if usage is not None:
            body["usage"] = {"prompt_tokens": usage, "total_tokens": usage}
        r.whole(200, body)
    return behave


@pytest.fixture
def gateway(start_gateway, upstream):
    upstream.on("embed-v1", vectors())
    return start_gateway(top="embeddings:\n  - name: embedder\n    upstream_model: embed-v1\n    api_key: env:UP_KEY\n    retries: 1\n"
                             f"    url: {upstream.url}\n    price: {{input: 0.02}}\n")


@pytest.fixture
def oa(gateway):
    return openai.OpenAI(base_url=gateway.url + "/v1", api_key="client-key", max_retries=0, timeout=20)


def test_the_official_client_gets_vectors_and_a_bill(gateway, oa, upstream):
    raw = oa.embeddings.with_raw_response.create(model="embedder", input=["hello", "cat"], encoding_format="float", dimensions=3,
                                                 extra_body={"leeroo": {"x": 1}})
    answer = raw.parse()
    assert [d.embedding for d in answer.data] == [VECTOR, VECTOR] and answer.usage.prompt_tokens == 7
    sent = upstream.requests[-1]
    assert sent.json == {"model": "embed-v1", "input": ["hello", "cat"], "encoding_format": "float", "dimensions": 3}
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert raw.headers["x-leeroo-cost-usd"] == "0.000000140" and raw.headers["x-leeroo-cost-basis"] == "usage"
    line = gateway.access(raw.headers["x-leeroo-request-id"])
    assert line["expert"] == "embedder" and line["cost_usd"] == "0.000000140" and line["input_tokens"] == "7"


def test_usage_that_is_missing_is_estimated_and_zero_is_zero(gateway, upstream):
    upstream.on("embed-v1", vectors(None))
    r = gateway.client.post("/v1/embeddings", json={"model": "embedder", "input": "x" * 400})
    assert r.headers["x-leeroo-cost-basis"] == "estimated" and r.headers["x-leeroo-cost-usd"] == "0.000002000"
    upstream.on("embed-v1", vectors(0))
    r = gateway.client.post("/v1/embeddings", json={"model": "embedder", "input": "x" * 400})
    assert r.headers["x-leeroo-cost-basis"] == "usage" and r.headers["x-leeroo-cost-usd"] == "0.000000000"


def test_errors_and_retries(gateway, oa, upstream):
    upstream.on("embed-v1", lambda r: r.whole(503, {"error": {"message": "busy", "type": "server_error"}}), vectors())
    assert oa.embeddings.create(model="embedder", input="hello", encoding_format="float").data[0].embedding == VECTOR
    assert len(upstream.requests) == 2
    upstream.on("embed-v1", lambda r: r.whole(400, {"error": {"message": "too odd", "type": "invalid_request_error"}}))
    with pytest.raises(openai.BadRequestError, match="too odd"):
        oa.embeddings.create(model="embedder", input="hello")
    upstream.on("embed-v1", lambda r: r.whole(200, {"hello": "cat"}))
    with pytest.raises(openai.InternalServerError, match="no embeddings"):
        oa.embeddings.create(model="embedder", input="hello")
    with pytest.raises(openai.NotFoundError, match="no embedding model") as unknown:
        oa.embeddings.create(model="cheap", input="hello")
    assert unknown.value.code == "model_not_found" and unknown.value.param == "model"
    with pytest.raises(openai.BadRequestError, match="input"):
        oa.post("/embeddings", body={"model": "embedder"}, cast_to=object)
    assert KEY not in gateway.text


def test_all_tries_share_one_deadline(start_gateway, upstream):
    """A try that could only begin after total_timeout is not made; before, each had all of it."""
    busy = {"error": {"message": "busy", "type": "server_error"}}
    upstream.on("embed-v1", lambda r: r.whole(503, busy, headers=[("retry-after", "2")]), vectors())
    gateway = start_gateway(top="embeddings:\n  - name: embedder\n    upstream_model: embed-v1\n    retries: 1\n"
                                f"    timeouts: {{total: 1s}}\n    url: {upstream.url}\n    price: {{input: 0.02, output: 0}}\n")
    r = gateway.client.post("/v1/embeddings", json={"model": "embedder", "input": "hello"})
    assert r.status_code == 502 and len(upstream.requests) == 1
    assert gateway.access(r.headers["x-leeroo-request-id"])["attempts"] == "1"


def test_the_client_leaves(gateway, upstream):
    import httpx
    from upstream import stall
    upstream.on("embed-v1", stall())
    with pytest.raises(httpx.TimeoutException):
        gateway.client.post("/v1/embeddings", json={"model": "embedder", "input": "hello"}, timeout=0.5)
    assert upstream.requests[0].cancelled.wait(10)
    gateway.wait_line(r"status=499")


def test_the_configuration_and_the_list(gateway, leeroo, tmp_path, start_gateway, upstream):
    names = [m["id"] for m in gateway.client.get("/v1/models").json()["data"]]
    assert "embedder" in names and gateway.client.get("/v1/models/embedder").status_code == 200
    with pytest.raises(AssertionError, match="price is missing"):
        start_gateway(top=f"embeddings: [{json.dumps({'name': 'e', 'url': upstream.url})}]")
