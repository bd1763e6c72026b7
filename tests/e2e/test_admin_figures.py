"""The figures of the admin API: now, history, events; that they agree with the ledger, and what they cost nobody."""

import json
import os
import shutil
import socket
import time
from decimal import Decimal

import pytest

from conftest import DEFAULT_POLICIES, Gateway, wait_for, write_config
from postgres import Postgres
from test_keys import bearer, desk  # noqa: F401
from test_rollback import models  # noqa: F401
from test_spend import as_json, spend  # noqa: F401
from upstream import answer, status

STATE = "state_dir: state\ndrain: {delay: 0}\nreference: dear"
BUDGET = DEFAULT_POLICIES + "  thrifty: {budget: 0.5}\n"


def get(g, path, code=200, **params):
    r = g.client.get(f"/v1/admin/{path}", params=params)
    assert r.status_code == code, (path, params, r.text)
    return json.loads(r.text, parse_float=Decimal)


def get_now(g, check=lambda now: True):
    """The object, once it is as wanted: the sampler comes by once a second."""
    def look():
        now = get(g, "now")
        return now if check(now) else None
    return wait_for(look, "figures")


def ask_some(g, upstream):
    """Eight requests: five answered by cheap, two by dear, one failed."""
    upstream.on("cheap", *[answer(usage=(1234, 77))] * 5, status(500, "<b>it's \"down\"</b>"))
    upstream.on("dear", answer(usage=(100003, 1)))
    for i in range(5):
        assert g.chat(model="leeroo/cheapest", stream=bool(i % 2)).status_code == 200
    for _ in range(2):
        assert g.chat(model="dear").status_code == 200
    assert g.chat(model="cheap").status_code == 502
    assert g.client.post("/v1/chat/completions", content="{").status_code == 400


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request, monkeypatch):
    """Top-level settings with a ledger of each kind."""
    if request.param == "sqlite":
        yield STATE
        return
    server = Postgres()
    monkeypatch.setenv("LEDGER_URL", server.url)
    yield f"{STATE}\nledger: {{store: env:LEDGER_URL}}"
    server.close()


def test_now_says_what_runs(start_gateway, upstream):
    g = start_gateway(top=STATE, expert="retries: 0\nconcurrency: 7", policies=BUDGET)
    now = get(g, "now")
    assert now["version"] and now["start_ms"] <= now["at_ms"] <= time.time() * 1000 + 1
    assert len(now["model"]["checksum"]) == 16 and now["model"]["loaded_ms"] > 0
    assert now["ledger"] is True and now["in_flight"] == 1 and now["connections"] >= 1
    assert now["today"] == {"requests": 0, "usd": 0, "reference_usd": 0, "errors": 0} == now["month"]
    assert now["latency"] == {"p50_ms": None, "p95_ms": None, "p99_ms": None} == now["first_token"]
    assert [e["name"] for e in now["experts"]] == ["cheap", "mid", "dear"]
    assert now["experts"][0] == {"name": "cheap", "state": "closed", "in_flight": 0, "queued": 0, "limit": 7, "why": None,
                                 "requests_per_s": 0, "errors_per_s": 0, "p50_ms": None}
    assert now["budgets"][0]["policy"] == "thrifty" and now["budgets"][0]["per_query_usd"] == Decimal("0.0005")
    assert now["budgets"][0]["lambda"] > 0 and now["errors"] == []
    ask_some(g, upstream)
    now = get_now(g, lambda now: now["today"]["requests"] == 8)
    assert now["rates"]["requests_per_s"] > 0 and now["rates"]["errors_per_s"] > 0
    assert now["rates"]["tokens_per_s"] > 0 and now["rates"]["usd_per_hour"] > 0
    assert now["latency"]["p50_ms"] > 0 and now["first_token"]["p99_ms"] > 0
    assert now["experts"][0]["errors_per_s"] > 0 and now["experts"][0]["p50_ms"] > 0
    assert now["experts"][1]["requests_per_s"] == 0


def test_the_last_errors_are_told_as_they_are(start_gateway, upstream):
    g = start_gateway(expert="retries: 0")
    upstream.on("cheap", *[status(500)] * 25, answer())
    for _ in range(25):
        r = g.chat(model="cheap")
        assert r.status_code in (502, 503), r.text
    now = get(g, "now")
    assert len(now["errors"]) == 20 and now["ledger"] is False and now["sums_complete"] is True
    assert now["errors"][0]["id"] == r.headers["x-leeroo-request-id"] and now["errors"][0]["status"] == r.status_code
    assert now["errors"][0]["message"] and now["errors"][-1]["expert"] == "cheap"
    assert [e["at_ms"] for e in now["errors"]] == sorted([e["at_ms"] for e in now["errors"]], reverse=True)
    assert next(e for e in now["experts"] if e["name"] == "cheap")["state"] in ("open", "half-open", "cooling")


def check_sums(now, total):
    for period in ("today", "month"):
        assert now[period] == {"requests": total["requests"], "usd": total["spent_usd"], "errors": total["failed"],
                               "reference_usd": total["reference_usd"]}, period


def test_sums_are_those_of_spend_also_after_a_restart(start_gateway, upstream, spend, ledger):  # noqa: F811
    top = f"{ledger}\ncache: {{size: 1MiB}}"

    def spent():
        return as_json(spend("--json", LEDGER_URL=os.environ.get("LEDGER_URL", "")))["total"]
    g = start_gateway(top=top, expert="retries: 0")
    upstream.on("cheap", answer(usage=(1234, 77)), answer(usage=None), status(500), answer(usage=(1, 2)))
    upstream.on("dear", answer(usage=(100003, 1)))
    for i, (model, code) in enumerate((("leeroo/cheapest", 200), ("leeroo/cheapest", 200), ("cheap", 502), ("dear", 200), ("dear", 200))):
        assert g.chat(f"hello {i}", model=model, stream=bool(i % 2)).status_code == code
    for _ in range(2):  # the second is out of the cache
        assert g.chat("hello again", model="dear", temperature=0).status_code == 200
    now = get_now(g, lambda now: now["today"]["requests"] == 7)
    check_sums(now, spent())
    assert g.stop() == 0
    g = start_gateway(top=top, expert="retries: 0")
    get_now(g, lambda now: now["sums_complete"])
    upstream.on("cheap", answer(usage=(11, 22)))
    assert g.chat(model="leeroo/cheapest").status_code == 200
    now = get_now(g, lambda now: now["today"]["requests"] == 8)
    wait_for(lambda: spent()["requests"] == 8)
    check_sums(now, spent())


def test_history_has_what_was_answered_by_whom(start_gateway, upstream):
    g = start_gateway(top=STATE, expert="retries: 0")
    empty = get(g, "history", step_s=60, points=10)
    assert empty["step_s"] == 60 and empty["experts"] == [] and empty["answered"] == [] and empty["p50_ms"] == []
    ask_some(g, upstream)
    history = wait_for(lambda: (h := get(g, "history", step_s=5, points=720)) and sum(h["requests"]) >= 8 and h)
    count = len(history["requests"])
    for name in ("answered", "errors", "usd", "reference_usd", "p50_ms", "p95_ms", "first_token_p50_ms"):
        assert len(history[name]) == count, name
    sums = dict(zip(history["experts"], map(sum, zip(*history["answered"]))))
    assert sums == {"cheap": 5, "dear": 2} and sum(history["requests"]) == 8 and sum(history["errors"]) == 1
    assert sum(history["usd"]) == get(g, "now")["today"]["usd"]
    assert abs(history["from_ms"] + 5000 * count - time.time() * 1000) < 10000
    assert get(g, "history", points=1)["step_s"] == 5


@pytest.mark.parametrize("query, word", [("step_s=7", "step_s"), ("points=0", "points"), ("points=x", "points"), ("a=1", "unknown"),
                                         ("step_s=5&step_s=5", "twice"), ("points=99999999999999999999", "points"),
                                         ("=1", "name"), ("points=1%00", "NUL"), ("%ff=1", "UTF-8")])
def test_a_query_that_is_wrong_is_told_so(gateway, query, word):
    r = gateway.client.get(f"/v1/admin/history?{query}")
    assert r.status_code == 400 and word in r.json()["error"]["message"], r.text


def test_people_with_a_key_of_their_own_see_no_figures(desk, start_gateway):  # noqa: F811
    keys = {role: desk.create(role, "--role", role) for role in ("user", "metrics", "admin")}
    g = start_gateway(top=STATE)
    for path in ("now", "history", "events", "requests", "requests/req_1", "model", "runs", "runs/a/page"):
        assert g.client.get(f"/v1/admin/{path}").status_code == 401, path
        for role in ("user", "metrics"):
            assert g.client.get(f"/v1/admin/{path}", headers=bearer(keys[role])).status_code == 403, (path, role)
    assert g.client.get("/v1/admin/now", headers=bearer(keys["admin"])).status_code == 200


# Events

class Listener:
    """A raw socket that reads server-sent events, or does not."""

    def __init__(self, g, receive_bytes=None):
        host, port = g.address.rsplit(":", 1)
        self.sock = socket.socket()
        if receive_bytes:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.sock.settimeout(20)
        self.sock.connect((host, int(port)))
        self.sock.sendall(f"GET /v1/admin/events HTTP/1.1\r\nhost: {g.address}\r\n\r\n".encode())
        self.data = b""

    def read_until(self, needle, count=1):
        while self.data.count(needle) < count:
            more = self.sock.recv(65536)
            if not more:
                raise EOFError(self.data)
            self.data += more
        return self.data

    def read_all(self):
        while more := self.sock.recv(65536):
            self.data += more
        return self.data

    def close(self):
        self.sock.close()


def events_of(lines):
    """Objects of the events, as they come."""
    name = None
    for line in lines:
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield name, json.loads(line[6:], parse_float=Decimal)


def test_events_come_at_once_and_every_second(start_gateway, upstream):
    g = start_gateway(top=STATE)
    with g.client.stream("GET", "/v1/admin/events") as r:
        assert r.headers["content-type"].startswith("text/event-stream") and r.headers["cache-control"] == "no-store"
        events = events_of(r.iter_lines())
        name, first = next(events)
        assert name == "now" and first["today"]["requests"] == 0 and first["experts"]
        upstream.on("cheap", answer())
        assert g.chat(model="cheap").status_code == 200
        times = []
        for name, now in events:
            times.append(time.monotonic())
            assert name == "now" and now["in_flight"] == 0  # who listens is none
            if now["today"]["requests"] == 1 and len(times) > 3:
                break
        assert 0.3 < (times[-1] - times[0]) / (len(times) - 1) < 3
    assert get(g, "now")["in_flight"] == 1
    assert g.client.head("/v1/admin/events").status_code == 200


def test_a_listener_who_does_not_read_is_cut_off(leeroo, upstream, tmp_path):
    names = [f"{i:03}-{'x' * 110}" for i in range(250)]  # each event is some 70 KB
    experts = "\n".join(f'  - {{name: {n}, url: "{upstream.url}", price: {{input: 1, output: 2}}}}' for n in names)
    config = tmp_path / "leeroo.yaml"
    config.write_text(f"listen: 127.0.0.1:0\nthreads: 2\ndrain: {{delay: 0}}\nexperts:\n{experts}\n")
    g = Gateway(leeroo, config)
    reading, deaf = Listener(g), Listener(g, receive_bytes=2048)
    reading.read_until(b"event: now")
    assert get(g, "now")["connections"] == 3
    wait_for(lambda: get(g, "now")["connections"] == 2, "the deaf one is cut off", 60)
    with pytest.raises((ConnectionError, EOFError)):
        deaf.read_until(b"never")
    reading.data = b""
    reading.read_until(b"event: now", 2)
    reading.close()
    deaf.close()
    g.client.close()
    assert g.stop() == 0, g.text


def test_only_so_many_may_listen(start_gateway):
    g = start_gateway(top=STATE)
    listeners = [Listener(g) for _ in range(200)]
    for one in listeners:
        one.read_until(b"event: now")
    r = g.client.get("/v1/admin/events")
    assert r.status_code == 503 and r.json()["error"]["code"] == "too_many_listeners"
    assert get(g, "now")["in_flight"] == 1
    memory = g.memory_kib()
    for one in listeners:
        one.read_until(b"event: now", 4)
    assert g.memory_kib() < memory + 8192
    for one in listeners:
        one.close()
    wait_for(lambda: get(g, "now")["connections"] <= 2)
    with g.client.stream("GET", "/v1/admin/events") as r:
        assert r.status_code == 200


def test_streams_end_when_the_gateway_drains(leeroo, model_file, upstream, tmp_path):
    g = Gateway(leeroo, write_config(tmp_path, model_file, upstream.url, top="drain: {delay: 0, timeout: 10s}"))
    listeners = [Listener(g) for _ in range(5)]
    for one in listeners:
        one.read_until(b"event: now")
    assert g.stop(seconds=10) == 0
    for one in listeners:
        assert one.read_all().endswith(b"0\r\n\r\n")
        one.close()
    g.client.close()


# Requests

def pages(g, **params):
    """All rows, page by page."""
    rows, cursor = [], None
    while True:
        page = get(g, "requests", **params, **({"before": cursor} if cursor else {}))
        assert len(page["requests"]) <= params.get("limit", 50)
        rows += page["requests"]
        cursor = page["next"]
        if cursor is None:
            return rows


XSS = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "javascript:alert(1)",
       "{{7*7}}${7*7}", "' OR 1=1 --", "\u2028\u2029\u202e", "\x1b[31mred", "<!--", "&lt;b&gt;", "\\u003cscript\\u003e", "\U0001f600", "%3Cscript%3E"]


def test_requests_are_found(start_gateway, upstream, spend, ledger):  # noqa: F811
    g = start_gateway(top=ledger, expert="retries: 0")
    ask_some(g, upstream)
    rows = wait_for(lambda: (r := pages(g)) and len(r) == 8 and all(x["outcome"] != "open" for x in r) and r)
    assert [r["begin_ms"] for r in rows] == sorted([r["begin_ms"] for r in rows], reverse=True)
    assert [r["outcome"] for r in rows] == ["failed"] + ["answered"] * 7
    last, failed = rows[1], rows[0]
    assert last["expert"] == "dear" and last["policy"] is None and last["plan"] == "single" and last["attempts"] == 1
    assert last["input_tokens"] == 100003 and last["output_tokens"] == 1 and last["cost_usd"] == Decimal("0.500030000")
    assert last["key"] is None and last["key_name"] is None and last["http_status"] == 200 and last["verified"] is None
    assert last["stream"] is False and rows[4]["stream"] is True and rows[4]["first_token_ms"] >= 0
    assert failed["http_status"] == 502 and failed["problem"] and failed["total_ms"] >= 0
    total = as_json(spend("--json", LEDGER_URL=os.environ.get("LEDGER_URL", "")))["total"]
    assert sum(r["cost_usd"] for r in rows) == total["spent_usd"]
    assert sum(r["input_tokens"] for r in rows) == total["input_tokens"]
    for limit in (1, 3, 8, 200):
        assert [r["id"] for r in pages(g, limit=limit)] == [r["id"] for r in rows], limit
    ids = {r["id"] for r in rows}
    for params, count in (({"id": last["id"]}, 1), ({"expert": "dear"}, 2), ({"policy": "cheapest"}, 5), ({"outcome": "failed"}, 1),
                          ({"min_usd": "0.1"}, 2), ({"max_usd": "0.1"}, 6), ({"from_ms": last["begin_ms"] + 10 ** 6}, 0),
                          ({"to_ms": last["begin_ms"] + 10 ** 6}, 8), ({"q": "CHEAPEST"}, 5), ({"q": last["id"][4:]}, 1), ({"key": "key_x"}, 0),
                          ({"expert": "dear", "outcome": "failed"}, 0), ({"q": ""}, 8)):
        found = pages(g, **params)
        assert len(found) == count and {r["id"] for r in found} <= ids, params
    for word in XSS + ["%", "_", "\\"]:
        for name in ("q", "key", "expert", "id", "policy"):
            assert pages(g, **{name: word}) == [] or (name == "q" and word in "_\\"), (name, word)
    for query in ("limit=0", "before=x", "outcome=x", "nothing=1", "min_usd=x", f"q={'x' * 300}", "id=%ff", f"q={'x' * 5000}"):
        assert g.client.get(f"/v1/admin/requests?{query}").status_code == 400, query


def test_one_request_is_told_whole(start_gateway, upstream, ledger):
    g = start_gateway(top=ledger + "\nkeep: {share: 1}")
    upstream.on("cheap", answer())
    words = "hello <script>alert(1)</script> cat"
    r = g.chat(words, model="leeroo/cheapest")
    assert r.status_code == 200
    found = wait_for(lambda: (f := get(g, f"requests/{r.headers['x-leeroo-request-id']}"))["prompt"] and f)
    told = json.loads(g.client.get(f"/v1/requests/{r.headers['x-leeroo-request-id']}").text, parse_float=Decimal)
    assert {k: v for k, v in found.items() if k in told} == told
    assert set(found) - set(told) == {"key_name", "trace_id", "prompt"}
    assert found["prompt"] == words and found["trace_id"] is None and found["key_name"] is None
    assert found["decision"]["estimates"] and found["outcome"] == "answered"
    for name in ("req_nobody", "%00", "..%2f..", "%ff", "x" * 80, "a%27%20OR%201=1"):
        assert g.client.get(f"/v1/admin/requests/{name}").status_code == 404, name


def test_what_is_hostile_travels_unharmed(start_gateway, upstream):
    g = start_gateway(top=STATE + "\nkeep: {share: 1}", expert="retries: 0")
    upstream.on("cheap", answer())
    asked = {}
    for words in XSS:
        r = g.chat(f"say {words}", model="leeroo/cheapest")
        asked[r.headers["x-leeroo-request-id"]] = f"say {words}"
        r = g.client.post("/v1/feedback", json={"request_id": r.headers["x-leeroo-request-id"], "score": 0.5, "comment": words})
        assert r.status_code == 200, r.text
    for request_id, prompt in asked.items():
        found = wait_for(lambda i=request_id: (f := get(g, f"requests/{i}"))["prompt"] and f["feedback"] and f)
        assert found["prompt"] == prompt and found["feedback"]["comment"] == prompt[4:]
    upstream.on("mid", *[status(500, words) for words in XSS])
    for words in XSS:
        assert g.chat(words, model=words).status_code == 404
        assert g.chat(words, model="mid", user=words).status_code in (502, 503)
    assert get(g, "now")["errors"] and len(pages(g, expert="mid", outcome="failed")) > 1
    for path in ("now", "requests", "history", f"requests/{request_id}"):
        r = g.client.get(f"/v1/admin/{path}")
        assert r.headers["content-type"] == "application/json" and r.headers["x-content-type-options"] == "nosniff", path
        assert r.headers["cache-control"] == "no-store" and r.json() is not None


def test_requests_of_all_keys_are_an_admins_to_see(desk, start_gateway, upstream):  # noqa: F811
    ann, bob, admin = desk.create("ann"), desk.create("<b>bob</b>"), desk.create("root", "--role", "admin")
    g = start_gateway(top=STATE)
    upstream.on("cheap", answer())
    ids = {}
    for name, key in (("ann", ann), ("<b>bob</b>", bob)):
        r = g.client.post("/v1/chat/completions", headers=bearer(key),
                          json={"model": "cheap", "messages": [{"role": "user", "content": "hello"}]})
        assert r.status_code == 200
        ids[name] = r.headers["x-leeroo-request-id"]
    assert g.client.get(f"/v1/requests/{ids['<b>bob</b>']}", headers=bearer(ann)).status_code == 404
    g.client.headers.update(bearer(admin))
    rows = wait_for(lambda: (r := pages(g)) and len(r) == 2 and r)
    assert {r["key_name"]: r["id"] for r in rows} == ids
    for name, request_id in ids.items():
        found = get(g, f"requests/{request_id}")
        assert found["key_name"] == name
        assert [r["id"] for r in pages(g, key=found["key"])] == [request_id]


def test_a_ledger_that_is_away_is_said_and_nobody_waits(start_gateway, upstream, monkeypatch):
    server = Postgres()
    try:
        monkeypatch.setenv("LEDGER_URL", server.url)
        g = start_gateway(top=f"{STATE}\nledger: {{store: env:LEDGER_URL}}")
        upstream.on("cheap", answer())
        assert g.chat(model="cheap").status_code == 200
        wait_for(lambda: len(pages(g)) == 1)
        server.stop()
        for path in ("requests", "requests/req_1", "model"):
            r = g.client.get(f"/v1/admin/{path}")
            assert r.status_code == 503 and "ledger" in r.json()["error"]["message"], r.text
        assert g.chat(model="cheap").status_code == 200 and get(g, "now")["ledger"] is True
        server.start()
        wait_for(lambda: g.client.get("/v1/admin/requests").status_code == 200 and len(pages(g)) == 2, seconds=40)
    finally:
        server.close()


def test_without_a_ledger_it_is_said(gateway):
    for path in ("requests", "requests/req_1"):
        r = gateway.client.get(f"/v1/admin/{path}")
        assert r.status_code == 409 and r.json()["error"]["code"] == "no_ledger", r.text


def test_a_traced_request_tells_its_trace(start_gateway, upstream):
    g = start_gateway(top=STATE + "\ntraces: {endpoint: \"http://127.0.0.1:9/v1/traces\"}")
    upstream.on("cheap", answer())
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    r = g.client.post("/v1/chat/completions", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"},
                      json={"model": "cheap", "messages": [{"role": "user", "content": "hello"}]})
    assert r.status_code == 200
    found = wait_for(lambda: g.client.get(f"/v1/admin/requests/{r.headers['x-leeroo-request-id']}").json())
    assert found["trace_id"] == trace and found["decision"]["trace_id"] == trace


# The model

def test_the_model_says_what_decides_and_how(start_gateway, upstream, ledger):
    g = start_gateway(top=ledger, policies=BUDGET + "  picky: {min_quality: 0.5}\n")
    empty = get(g, "model")
    assert empty["curve"] == empty["calibration"] == empty["doubt"] == [] and empty["basis"]["requests"] == 0
    assert empty["model"]["checksum"] == get(g, "now")["model"]["checksum"] and empty["model"]["kind"] == "outcomes"
    assert empty["model"]["rows"] == 400 and empty["model"]["file"].endswith("m.leeroo")
    assert 0 < empty["model"]["trained_ms"] <= time.time() * 1000 and empty["reference"] == "dear"
    experts = {e["name"]: e for e in empty["experts"]}
    assert list(experts) == ["cheap", "mid", "dear"] and all(e["placed"] == "outcomes" for e in experts.values())
    assert experts["cheap"]["quality"] < experts["mid"]["quality"] < experts["dear"]["quality"]
    assert 0 < experts["cheap"]["cost_usd"] < experts["mid"]["cost_usd"] < experts["dear"]["cost_usd"]
    assert experts["cheap"]["outcomes"] == 400 and experts["cheap"]["answered_share"] is None
    asked = {"hello cat two": 3, "prove quantum lemma tensor": 2}
    upstream.on("cheap", answer(usage=(10, 20)))
    upstream.on("mid", answer(usage=(10, 20)))
    upstream.on("dear", answer(usage=(10, 20)))
    decided = []
    for words, times in asked.items():
        for i in range(times):
            r = g.chat(words, model="leeroo/best" if i else "leeroo/thrift")
            assert r.status_code == 200
            decided.append(r.headers["x-leeroo-request-id"])
            score = {"request_id": decided[-1], "score": 1 if i else 0}
            assert g.client.post("/v1/feedback", json=score).status_code == 200
    model = wait_for(lambda: (m := get(g, "model")) and m["basis"]["requests"] == m["basis"]["feedback"] == 5 and m)
    assert model["basis"]["of_this_model"] == 5 and model["basis"]["from_ms"] <= model["basis"]["to_ms"]
    lambdas, qualities, costs = ([p[k] for p in model["curve"]] for k in ("lambda", "quality", "cost_usd"))
    assert lambdas == sorted(lambdas) and lambdas[0] == 0 and len(lambdas) > 1
    assert qualities == sorted(qualities, reverse=True) and costs == sorted(costs, reverse=True)
    decisions = [get(g, f"requests/{i}")["decision"] for i in decided]
    best = sum(max(e[0] for e in d["estimates"].values()) for d in decisions) / 5
    assert abs(qualities[0] - best) < Decimal("0.001")
    least = sum(min(e[1] for e in d["estimates"].values()) for d in decisions) / 5
    assert abs(costs[-1] - least) < Decimal("1e-9")
    assert sum(b["n"] for b in model["doubt"]) == 5 == sum(b["n"] for b in model["calibration"])
    assert abs(sum(b["observed"] * b["n"] for b in model["calibration"]) - 3) < Decimal("1e-9")
    policies = {p["name"]: p for p in model["policies"]}
    assert policies["best"]["requests"] == 3 and policies["thrift"]["requests"] == 2 and policies["default"]["requests"] == 0
    assert policies["best"]["lambda"] == 0 and policies["thrift"]["lambda"] == 10 ** 9 and policies["thrifty"]["lambda"] > 0
    assert policies["best"]["quality"] > policies["thrift"]["quality"] and policies["best"]["cost_usd"] > 0
    assert policies["default"]["quality"] is None and policies["picky"]["lambda"] is None
    shares = wait_for(lambda: (s := {e["name"]: e["answered_share"] for e in get(g, "model")["experts"]})["cheap"] and s)
    assert abs(sum(shares.values()) - 1) < Decimal("1e-9")


def test_a_model_that_is_none_yet_is_a_prior(leeroo, upstream, tmp_path):
    config = tmp_path / "leeroo.yaml"
    config.write_text("listen: 127.0.0.1:0\ndrain: {delay: 0}\nexperts:\n" + "\n".join(
        f'  - {{name: {n}, url: "{upstream.url}", price: {{input: {p}, output: {p}}}}}' for n, p in (("gpt-4o", 2), ("gpt-4o-mini", 1))))
    g = Gateway(leeroo, config)
    model = get(g, "model")
    assert model["model"]["kind"] == "prior" and model["model"]["file"] is None and get(g, "now")["model"] is None
    assert all(e["placed"] == "prior" and e["outcomes"] is None and e["why"] for e in model["experts"])
    assert model["curve"] == [] and all(p["requests"] == 0 for p in model["policies"])
    g.client.close()
    assert g.stop() == 0


# Runs

PAGE = "<!doctype html><title>a run</title><script>alert(1)</script>"


def write_run(folder, rounds, model=None, page=None):
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    for k, more in enumerate(rounds, 1):
        (folder / f"round-{k}").mkdir()
        round_file = {"round": k, "rounds": len(rounds), "spent_nano_usd": 25 * 10 ** 7, "spent_all_nano_usd": 25 * 10 ** 7 * k,
                      "questions": 100 * k, **more}
        (folder / f"round-{k}" / "round.json").write_text(json.dumps(round_file))
    if model:
        shutil.copy(model, folder / f"round-{len(rounds)}" / "model.safetensors")
    if page:
        (folder / "report.html").write_text(page)


@pytest.fixture
def runs(tmp_path, models):  # noqa: F811
    """Three runs, and what only looks like one."""
    folder = tmp_path / "runs"
    judge = {"judge": "<i>judge</i>", "trusted": True, "reason": "it <b>agrees</b>", "agreement": 0.9}
    write_run(folder / "learnt", [{"area": 0.5, "publication": "kept"}, {"area": 0.625, "publication": "published", "evaluation": {"judges": [judge]}}],
              models[1], PAGE)
    write_run(folder / "early", [])
    write_run(folder / "broken", [{"area": 0.25, "publication": "no model"}])
    (folder / "broken" / "round-2").mkdir()
    (folder / "broken" / "round-2" / "round.json").write_text("{")
    (folder / "data").mkdir()
    (folder / "<b>").mkdir()
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "run.json").write_text("{}")
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "report.html").write_text("secret")
    (folder / "file").write_text("")
    return folder


def test_runs_are_told_round_by_round(start_gateway, runs):
    g = start_gateway(top="runs: runs")
    told = get(g, "runs")
    assert told["folder"] == str(runs)
    named = {r["name"]: r for r in told["runs"]}
    assert set(named) == {"learnt", "early", "broken"}
    learnt, broken = named["learnt"], named["broken"]
    assert [(r["round"], r["area"], r["published"], r["questions"]) for r in learnt["rounds"]] == [
        (1, Decimal("0.5"), False, 100), (2, Decimal("0.625"), True, 200)]
    assert learnt["rounds"][1]["spent_usd"] == Decimal("0.25") and learnt["rounds"][1]["publication"] == "published"
    assert learnt["judge"]["trusted"] is True and learnt["judge"]["name"] == "<i>judge</i>"
    assert learnt["has_model"] is True and learnt["problem"] is None and learnt["changed_ms"] > 0
    assert named["early"]["rounds"] == [] and named["early"]["judge"] is None and named["early"]["page"] is None
    assert len(broken["rounds"]) == 1 and "round.json" in broken["problem"] and broken["has_model"] is False
    r = g.client.get(learnt["page"])
    assert r.status_code == 200 and r.text == PAGE and r.headers["content-type"].startswith("text/html")
    policy = r.headers["content-security-policy"]
    assert policy.startswith("sandbox;") and "script-src" not in policy and "allow-scripts" not in policy
    for name in ("..", "%2e%2e", ".hidden", "%2fetc", "..%2f..", "data", "early", "nobody", "%00", "learnt%2f..", ""):
        assert g.client.get(f"/v1/admin/runs/{name}/page").status_code == 404, name
    assert g.client.get("/v1/admin/runs/learnt").status_code == 404


def test_without_a_folder_of_runs_there_are_none(start_gateway):
    g = start_gateway()
    assert get(g, "runs") == {"folder": None, "runs": []}
    r = g.client.post("/v1/admin/model/publish", json={"run": "learnt"})
    assert r.status_code == 404 and "runs" in r.json()["error"]["message"]
    g.stop()
    g = start_gateway(top="runs: nowhere")
    assert get(g, "runs")["runs"] == []


def in_force(g, checksum):
    return wait_for(lambda: (m := get(g, "now")["model"]) and m["checksum"] == checksum and m)


def test_what_a_run_has_learnt_is_published_and_taken_back(leeroo, upstream, tmp_path, runs, models):  # noqa: F811
    model = tmp_path / "m.leeroo"
    shutil.copy(models[0], model)
    g = Gateway(leeroo, write_config(tmp_path, model, upstream.url, top="runs: runs\ndrain: {delay: 0}"))
    post = lambda what, body: g.client.post(f"/v1/admin/model/{what}", json=body)  # noqa: E731
    was = get(g, "now")["model"]["checksum"]
    r = post("rollback", {})
    assert r.status_code == 409 and r.json()["error"]["code"] == "no_previous", r.text
    r = post("publish", {"run": "learnt"})
    assert r.status_code == 200 and r.json()["was"] == was and r.json()["checksum"] != was, r.text
    new = r.json()["checksum"]
    assert in_force(g, new)["loaded_ms"] > 0 and model.read_bytes() == models[1].read_bytes()
    assert post("publish", {"run": "learnt"}).json() == {"checksum": new, "was": new}
    r = post("rollback", {})
    assert r.status_code == 200 and r.json() == {"checksum": was, "was": new}, r.text
    in_force(g, was)
    assert post("rollback", {}).json() == {"checksum": new, "was": was}
    for body, code in (({"run": "early"}, 409), ({"run": "nobody"}, 404), ({"run": "../learnt"}, 404), ({}, 400), ({"run": 7}, 400),
                       ({"run": "learnt", "a": 1}, 400), ([], 400), ({"run": ""}, 400), ({"run": "x" * 5000}, 400)):
        assert post("publish", body).status_code == code, body
    (runs / "learnt" / "round-2" / "model.safetensors").write_bytes(b"no model")
    r = post("publish", {"run": "learnt"})
    assert r.status_code >= 400 and model.read_bytes() == models[1].read_bytes(), r.text
    assert g.client.get("/v1/admin/model/publish").status_code == 405
    g.wait_line(f"model published.*checksum={new} was={was}")
    g.wait_line(f"model rolled back.*checksum={was} was={new}")
    g.client.close()
    assert g.stop() == 0, g.text


def test_a_model_of_others_is_not_published(leeroo, upstream, tmp_path, runs, models):  # noqa: F811
    model = tmp_path / "m.leeroo"
    shutil.copy(models[0], model)
    config = tmp_path / "leeroo.yaml"
    config.write_text(f"listen: 127.0.0.1:0\nruns: runs\nmodel: {model}\ndrain: {{delay: 0}}\nexperts:\n"
                      f'  - {{name: gpt-4o, url: "{upstream.url}", price: {{input: 1, output: 2}}}}\n')
    g = Gateway(leeroo, config)
    r = g.client.post("/v1/admin/model/publish", json={"run": "learnt"})
    assert r.status_code == 409 and r.json()["error"]["code"] == "unknown_experts", r.text
    assert model.read_bytes() == models[0].read_bytes() and runs.exists()
    g.client.close()
    assert g.stop() == 0
