"""The ledger from outside: every request that asked an expert is a row, whatever happened to it, and what it cost is
exact; GET /v1/requests/ID and POST /v1/feedback."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from decimal import Decimal

import pytest

from conftest import Gateway, write_config
from upstream import answer, cut_mid_stream, stall, stall_mid_stream, status, usage_of

CHEAP = (Decimal("0.1"), Decimal("0.2"))  # USD per million, as in conftest.EXPERTS


def nano(usage, price=CHEAP):
    return int((usage[0] * price[0] + usage[1] * price[1]) * 1000)


class Ledger:
    """A SQLite ledger, read beside the gateway."""

    def __init__(self, path):
        self.path = path

    def query(self, sql, *values):
        db = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)
        db.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in db.execute(sql, values)]
        finally:
            db.close()

    def query_early(self, sql, *values):
        """As long as there is no file, or no table in it, there are no rows."""
        try:
            return self.query(sql, *values)
        except sqlite3.OperationalError:
            return []

    def row(self, request_id, seconds=10):
        """The request's row once it is closed."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            rows = self.query_early("SELECT * FROM requests WHERE id = ?", request_id)
            if rows and rows[0]["outcome"] != "open":
                return rows[0]
            time.sleep(0.02)
        raise AssertionError(f"no closed row for {request_id}: {rows}")

    def total(self):
        return self.query("SELECT COUNT(*) AS rows, SUM(cost_nano_usd) AS cost FROM requests")[0]


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "state" / "ledger.sqlite")


@pytest.fixture
def keeping(start_gateway):
    """A gateway with a ledger."""
    def start(top="", **options):
        return start_gateway(top="state_dir: state\nledger: {journal: 1MiB}\n" + top, **options)
    return start


def stream(gateway, content="hello cat", model="cheap", **more):
    """A streamed chat, read to its end: its request id and events."""
    body = {"model": model, "messages": [{"role": "user", "content": content}], "stream": True, **more}
    with gateway.client.stream("POST", "/v1/chat/completions", json=body) as r:
        events = [line[6:] for line in r.iter_lines() if line.startswith("data: ")]
    return r.headers["x-leeroo-request-id"], events


def test_a_request_is_a_row_with_everything(keeping, ledger, upstream):
    g = keeping()
    upstream.on("cheap", answer(usage=(1000, 70)))
    r = g.chat(model="leeroo/cheapest")
    row = ledger.row(r.headers["x-leeroo-request-id"])
    assert row["outcome"] == "answered" and row["http_status"] == 200 and row["basis"] == "usage"
    assert row["expert"] == "cheap" and row["policy"] == "cheapest" and row["model"] == "leeroo/cheapest"
    assert row["cost_nano_usd"] == nano((1000, 70))
    assert (row["input_tokens"], row["output_tokens"]) == (1000, 70)
    assert row["front"] == "chat" and row["plan"] == "single" and row["stream"] == 0 and row["attempts"] == 1
    assert abs(row["begin_ms"] - time.time() * 1000) < 60000
    decision = json.loads(row["decision"])
    assert decision["members"] == ["cheap"] and set(decision["estimates"]) == {"cheap", "mid", "dear"}
    assert set(decision["ruled_out"]) == {"mid", "dear"}


def test_a_refused_request_has_no_row(keeping, ledger):
    g = keeping()
    assert g.chat(model="nobody").status_code == 404
    done = g.chat(model="cheap").headers["x-leeroo-request-id"]
    ledger.row(done)
    assert ledger.total()["rows"] == 1


@pytest.mark.parametrize("usage", [(1000, 70), (3, 1), (123457, 9871), (0, 0)])
def test_streamed_and_whole_cost_the_same(keeping, ledger, upstream, usage):
    """litellm #37923, #40100: streams cost $0. litellm and tensorzero #3751: zero usage is not missing usage."""
    g = keeping()
    upstream.on("cheap", answer(usage=usage))
    whole = ledger.row(g.chat(model="cheap").headers["x-leeroo-request-id"])
    streamed = ledger.row(stream(g)[0])
    assert whole["cost_nano_usd"] == streamed["cost_nano_usd"] == nano(usage)
    assert whole["basis"] == streamed["basis"] == "usage"
    assert streamed["stream"] == 1 and streamed["first_token_ms"] is not None
    for name in ("input_tokens", "output_tokens"):
        assert whole[name] == streamed[name]


def test_cached_and_reasoning_tokens_have_columns(keeping, ledger, upstream):
    """litellm #6215, #14849, #31714, #11364"""
    usage = {**usage_of((1000, 70)), "prompt_tokens_details": {"cached_tokens": 600},
             "completion_tokens_details": {"reasoning_tokens": 30}}
    upstream.on("cheap", lambda r: r.whole(200, {
        "id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}]}))
    row = ledger.row(keeping().chat(model="cheap").headers["x-leeroo-request-id"])
    assert (row["input_tokens"], row["cached_tokens"], row["output_tokens"], row["reasoning_tokens"]) == (
        1000, 600, 70, 30)


def test_missing_usage_is_estimated_and_flagged(keeping, ledger, upstream):
    """tensorzero #3751"""
    g = keeping()
    upstream.on("cheap", answer("hello world", usage=None))
    row = ledger.row(g.chat(model="cheap").headers["x-leeroo-request-id"])
    assert row["basis"] == "estimated" and row["output_tokens"] > 0 and row["cost_nano_usd"] > 0


def test_hang_ups_are_accounted(keeping, ledger, upstream):
    """litellm #35958, #37992"""
    g = keeping()
    upstream.on("cheap", stall_mid_stream())
    body = {"model": "cheap", "messages": [{"role": "user", "content": "hello cat"}], "stream": True}
    with g.client.stream("POST", "/v1/chat/completions", json=body) as r:
        next(r.iter_lines())
    row = ledger.row(r.headers["x-leeroo-request-id"])
    assert row["outcome"] == "cancelled" and row["basis"] == "estimated"
    assert row["cost_nano_usd"] > 0 and row["output_tokens"] > 0


def test_what_failed_is_a_row_with_its_cost(keeping, ledger, upstream):
    g = keeping(expert="retries: 0")
    upstream.on("cheap", status(500))
    refused = ledger.row(g.chat(model="cheap").headers["x-leeroo-request-id"])
    assert refused["outcome"] == "failed" and refused["cost_nano_usd"] == 0 and refused["http_status"] == 502
    assert refused["problem"]
    upstream.on("cheap", cut_mid_stream)
    cut = ledger.row(stream(g)[0])
    assert cut["outcome"] == "failed" and cut["cost_nano_usd"] > 0 and cut["basis"] == "estimated"


def test_a_row_is_there_before_the_expert_answers(keeping, ledger, upstream):
    """litellm #13280, #36426, #25705: the row exists before the upstream call."""
    g = keeping()
    upstream.on("cheap", answer(delay=2.0))
    asked = threading.Thread(target=g.chat, kwargs={"model": "cheap"})
    asked.start()
    deadline, rows = time.monotonic() + 10, []
    while not rows and time.monotonic() < deadline:
        time.sleep(0.05)
        rows = ledger.query_early("SELECT * FROM requests WHERE outcome = 'open'")
    asked.join()
    assert len(rows) == 1 and rows[0]["expert"] == "cheap" and rows[0]["predicted_nano_usd"] > 0
    assert ledger.row(rows[0]["id"])["outcome"] == "answered"


# GET /v1/requests/ID

def test_a_request_is_explained_at_once(keeping, upstream):
    g = keeping()
    upstream.on("cheap", answer(usage=(1000, 70)))
    r = g.chat(model="leeroo/cheapest")
    told = g.client.get(f"/v1/requests/{r.headers['x-leeroo-request-id']}")
    assert told.status_code == 200
    seen = json.loads(told.text, parse_float=Decimal)
    assert seen["outcome"] == "answered" and seen["expert"] == "cheap" and seen["cost_basis"] == "usage"
    assert seen["cost_usd"] == Decimal(nano((1000, 70))).scaleb(-9)
    assert seen["usage"]["input_tokens"] == 1000 and seen["error"] is None and seen["feedback"] is None
    assert seen["decision"]["members"] == ["cheap"] and "mid" in seen["decision"]["ruled_out"]
    assert [c["expert"] for c in seen["calls"]] == ["cheap"]
    assert seen["reference_cost_usd"] > seen["cost_usd"]


def test_fail_over_lists_its_calls(keeping, ledger, upstream):
    g = keeping(expert="retries: 0", policies="policies:\n  default: {lambda: 1e9}\n")
    upstream.on("cheap", status(500))
    upstream.on("mid", answer(usage=(10, 5)))
    r = g.chat()
    assert r.headers["x-leeroo-expert"] == "mid"
    seen = g.client.get(f"/v1/requests/{r.headers['x-leeroo-request-id']}").json()
    assert [(c["expert"], c["outcome"]) for c in seen["calls"]] == [("cheap", "failed"), ("mid", "answered")]
    assert sum(Decimal(str(c["cost_usd"])) for c in seen["calls"]) == Decimal(str(seen["cost_usd"]))
    assert seen["attempts"] == 2


def test_an_unknown_request_is_not_found(keeping):
    g = keeping()
    for path in ("req_0000000000000000", "", "a" * 300, "%27%20OR%201=1"):
        r = g.client.get(f"/v1/requests/{path}")
        assert r.status_code == 404 and r.json()["error"]["message"], path
    assert g.client.post("/v1/requests/req_1").status_code == 405


def test_a_key_sees_its_own_requests_only(keeping, ledger, leeroo, tmp_path):
    """vLLM semantic-router #2134, litellm #29955: nothing of another tenant's."""
    (tmp_path / "state").mkdir()
    secrets = [subprocess.run([leeroo, "keys", "create", "--name", name, "--file", str(tmp_path / "state" / "keys.json")],
                              check=True, capture_output=True, text=True, timeout=30).stdout.strip() for name in "ab"]
    g = keeping()
    mine, other = ({"authorization": f"Bearer {secret}"} for secret in secrets)
    body = {"model": "cheap", "messages": [{"role": "user", "content": "hello cat"}]}
    request_id = g.client.post("/v1/chat/completions", json=body, headers=mine).headers["x-leeroo-request-id"]
    path, score = f"/v1/requests/{request_id}", {"request_id": request_id, "score": 1}
    seen = g.client.get(path, headers=mine)
    assert seen.status_code == 200 and seen.json()["key"].startswith("key_")
    assert g.client.get(path, headers=other).status_code == 404
    assert g.client.get(path).status_code == 401
    assert g.client.post("/v1/feedback", json=score, headers=other).status_code == 404
    assert g.client.post("/v1/feedback", json=score).status_code == 401
    assert g.client.post("/v1/feedback", json=score, headers=mine).status_code == 200
    row = ledger.row(request_id)
    assert row["key_id"] == seen.json()["key"] and not [s for s in secrets if s in json.dumps(dict(row))]


def test_without_a_ledger_there_is_nothing_to_ask(start_gateway):
    g = start_gateway()
    g.wait_line(r'msg="no ledger"')
    r = g.chat(model="cheap")
    assert r.status_code == 200
    assert g.client.get(f"/v1/requests/{r.headers['x-leeroo-request-id']}").status_code == 404
    assert g.client.post("/v1/feedback", json={"request_id": "req_1", "score": 1}).status_code == 404


# POST /v1/feedback

def test_feedback_lands_beside_the_request(keeping, ledger):
    g = keeping()
    request_id = g.chat(model="cheap").headers["x-leeroo-request-id"]
    for score, comment in ((0.25, "meh"), (1, "good \u2192 \"after all\"")):
        r = g.client.post("/v1/feedback", json={"request_id": request_id, "score": score, "comment": comment})
        assert r.status_code == 200 and r.json() == {"request_id": request_id, "score": score}
    seen = g.client.get(f"/v1/requests/{request_id}").json()
    assert seen["feedback"]["score"] == 1 and seen["feedback"]["comment"] == "good \u2192 \"after all\""
    assert len(ledger.query("SELECT * FROM feedback")) == 1


@pytest.mark.parametrize("body, param", [
    ({"score": 1}, "request_id"),
    ({"request_id": "req_1"}, "score"),
    ({"request_id": "req_1", "score": 1.5}, "score"),
    ({"request_id": "req_1", "score": -0.1}, "score"),
    ({"request_id": "req_1", "score": "1"}, "score"),
    ({"request_id": 7, "score": 1}, "request_id"),
    ({"request_id": "req_1", "score": 1, "comment": 5}, "comment"),
    ({"request_id": "req_1", "score": 1, "comment": "x" * 4097}, "comment"),
    ({"request_id": "req_1", "score": 1, "stars": 5}, None),
])
def test_feedback_is_read_strictly(gateway_with_ledger, body, param):
    r = gateway_with_ledger.client.post("/v1/feedback", json=body)
    assert r.status_code == 400 and r.json()["error"]["param"] == param, r.text


@pytest.fixture(scope="module")
def gateway_with_ledger(leeroo, model_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    g = Gateway(leeroo, write_config(folder, model_file, "http://127.0.0.1:9/v1", top="state_dir: state"))
    yield g
    g.client.close()
    assert g.stop() == 0


def test_feedback_that_is_no_object_is_refused(gateway_with_ledger):
    for body in ("[]", "1", "{", '{"request_id":"a","request_id":"b","score":1}'):
        r = gateway_with_ledger.client.post("/v1/feedback", content=body)
        assert r.status_code == 400, body


def test_feedback_on_an_unknown_request_is_refused(gateway_with_ledger):
    r = gateway_with_ledger.client.post("/v1/feedback", json={"request_id": "req_0", "score": 1})
    assert r.status_code == 404 and r.json()["error"]["param"] == "request_id"


def test_a_file_that_is_deleted_under_the_gateway_is_said_and_begun_anew(keeping, tmp_path):
    g, state = keeping(), tmp_path / "state"
    assert g.chat().status_code == 200
    first = Ledger(state / "ledger.sqlite")
    first.row(g.chat().headers["x-leeroo-request-id"])
    for f in state.glob("ledger.sqlite*"):
        f.unlink()
    assert g.chat().status_code == 200
    g.wait_line('msg="ledger file was moved or deleted, a new one is begun"')
    kept = g.chat().headers["x-leeroo-request-id"]
    assert Ledger(state / "ledger.sqlite").row(kept)["outcome"] == "answered"
    page = g.client.get("/metrics").text
    assert "leeroo_ledger_gone_files_total 1" in page and "leeroo_ledger_lost_rows_total 2" in page
