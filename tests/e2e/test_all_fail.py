"""When all experts fail the client hears of each, the chosen one first: name, status, reason, and no secrets."""

import json
import subprocess

import pytest
from conftest import KEY, wait_for
from test_gateway_faults import HARD
from upstream import answer, cut_before_head, stall, status

EXPERT = "retries: 0\ntimeouts: {first_token: 200ms, total: 400ms}"
LEAKY = {"error": {"message": f"the engine at http://10.1.2.3:9000/internal?key={KEY} is down", "type": "server_error"}}


def three_ways(upstream):
    upstream.on("dear", status(500, body=LEAKY))
    upstream.on("mid", status(401, body={"error": {"message": f"Incorrect API key provided: {KEY[:9]}***. See http://x"}}))
    upstream.on("cheap", stall())


def said(r, url="127.0.0.1"):
    """The message; in whichever shape it is free of secrets and addresses."""
    assert KEY not in r.text and KEY[:9] not in r.text and "10.1.2.3" not in r.text and url not in r.text
    body = r.json()
    return body["error"]["message"]


TOLD = ("no expert answered (dear: answered 500: the engine at [address] is down; "
        "mid: answered 401: it refuses this gateway's own key or account; "
        "cheap: no complete answer within 400 ms)")


@pytest.mark.parametrize("stream", [False, True])
def test_openais_clients_hear_of_each(start_gateway, upstream, stream):
    g = start_gateway(expert=EXPERT)
    three_ways(upstream)
    r = g.chat(HARD, stream=stream)
    assert r.status_code == 504 and said(r) in (TOLD, TOLD.replace("complete answer", "content").replace("400", "200"))
    assert r.json()["error"]["type"] == "server_error" and r.json()["error"]["code"] == "upstream_timeout"
    assert r.headers["content-type"] == "application/json"


@pytest.mark.parametrize("stream", [False, True])
def test_anthropics_clients_hear_of_each(start_gateway, upstream, stream):
    g = start_gateway(expert=EXPERT)
    three_ways(upstream)
    r = g.client.post("/v1/messages", json={"model": "leeroo", "max_tokens": 9, "stream": stream,
                                            "messages": [{"role": "user", "content": HARD}]})
    assert r.status_code == 504 and r.json()["type"] == "error" and r.json()["error"]["type"] in ("api_error", "timeout_error")
    told = said(r)
    assert told.startswith("no expert answered (dear: answered 500") and "; mid: " in told and "; cheap: no " in told


def test_the_ledger_and_the_log_have_it_too(start_gateway, upstream):
    g = start_gateway(expert=EXPERT, top="state_dir: state")
    three_ways(upstream)
    r = g.chat(HARD)
    name = r.headers["x-leeroo-request-id"]
    line = g.access(name)
    assert line["error"].strip('"') == TOLD and "dear failed" in line["calls"] and "cheap failed" in line["calls"]
    row = wait_for(lambda: (lambda x: x.json() if x.status_code == 200 and x.json()["outcome"] == "failed" else None)(
        g.client.get(f"/v1/requests/{name}")))
    assert row["error"] == TOLD
    assert [c["expert"] for c in row["calls"]] == ["dear", "mid", "cheap"]


def test_who_was_no_candidate_is_not_named(start_gateway, upstream):
    g = start_gateway(expert=EXPERT + "\nbreaker: {failures: 1, pause: 1h, pause_max: 1h}")
    upstream.on("dear", status(503))
    upstream.on("mid", answer("fine"))
    assert g.chat(HARD).status_code == 200
    upstream.on("mid", cut_before_head)
    upstream.on("cheap", status(429, message="too many"))
    r = g.chat(HARD)
    told = said(r)
    assert told.startswith("no expert answered (mid: the connection was closed without an answer")
    assert told.endswith("; cheap: answered 429: too many)") and r.status_code == 429


def test_one_alone_speaks_for_itself(start_gateway, upstream):
    """As before: its own words, in its own shape."""
    g = start_gateway(expert=EXPERT)
    own = {"error": {"message": "slow down", "type": "rate_limit_error", "param": None, "code": "rate_limit_exceeded"}}
    upstream.on("dear", status(429, body=own))
    r = g.chat(HARD, model="dear")
    assert r.status_code == 429 and r.json() == own


def test_a_fault_of_the_request_is_told_in_its_own_words(start_gateway, upstream):
    g = start_gateway(expert=EXPERT)
    own = {"error": {"message": "messages[0] is odd", "type": "invalid_request_error", "param": None, "code": None}}
    upstream.on("dear", status(500))
    upstream.on("mid", status(422, body=own))
    r = g.chat(HARD)
    assert r.status_code == 422 and r.json() == own


def test_other_faults_of_experts_are_no_fault_of_the_client(start_gateway, upstream):
    """The last one's 404 is about its own model: the client's request is well."""
    g = start_gateway(expert=EXPERT)
    upstream.on("dear", status(500))
    upstream.on("mid", status(500))
    upstream.on("cheap", status(404, body={"error": {"message": "The model `cheap` does not exist", "type": "invalid_request_error",
                                                     "code": "model_not_found"}}))
    r = g.chat(HARD)
    assert r.status_code == 502 and "cheap: answered 404: The model `cheap` does not exist" in said(r)


def test_a_key_hears_of_its_experts_alone(leeroo, start_gateway, upstream, tmp_path):
    g = start_gateway(expert=EXPERT, top="state_dir: state")
    made = subprocess.run([leeroo, "keys", "create", "-c", str(tmp_path / "leeroo.yaml"), "--name", "few", "--experts", "cheap,mid"],
                          capture_output=True, text=True, timeout=30, check=True)
    wait_for(lambda: g.client.get("/v1/models").status_code == 401)
    three_ways(upstream)
    r = g.client.post("/v1/chat/completions", json={"model": "leeroo", "messages": [{"role": "user", "content": HARD}]},
                      headers={"authorization": f"Bearer {made.stdout.split()[-1]}"})
    told = said(r)
    assert told.startswith("no expert answered (mid: answered 401") and "dear" not in told
    assert len(upstream.of("dear")) == 0


def test_it_stays_short(start_gateway, upstream):
    g = start_gateway(expert=EXPERT)
    long = "why " * 2000
    for name in ("dear", "mid", "cheap"):
        upstream.on(name, status(500, message=long))
    told = said(g.chat(HARD))
    assert told.count("why") > 30 and len(told) < 700 and json.dumps(told)
