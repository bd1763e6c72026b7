"""Budgets and caps from outside: what survives a restart, what max_cost does to the request that goes upstream."""

import json
import signal
import time
from decimal import Decimal

import pytest

from conftest import EXPERTS, Gateway, write_config
from routing import run, write_dataset
from upstream import answer, delta, usage_of

BUDGET = "policies:\n  default: {budget: 0.05}\n"


def state_of(folder):
    return json.loads((folder / "state" / "budgets.json").read_text())["budgets"]


def spend(gateway, upstream, count):
    upstream.on("cheap", answer("x", (1000, 1000)))
    upstream.on("dear", answer("x", (10, 20)))
    upstream.on("mid", answer("x", (10, 20)))
    total = Decimal(0)
    for _ in range(count):
        total += Decimal(gateway.chat().headers["x-leeroo-cost-usd"])
    return total


@pytest.fixture
def serve(leeroo, model_file, upstream, tmp_path):
    """serve(policies) runs a gateway with a state_dir beside its configuration."""
    running = []

    def start(policies=BUDGET, top="state_dir: state"):
        g = Gateway(leeroo, write_config(tmp_path, model_file, upstream.url, top=top, policies=policies))
        running.append(g)
        return g
    yield start
    for g in running:
        g.client.close()
        g.stop()


def test_a_budget_goes_on_after_a_restart(serve, upstream, tmp_path):
    g = serve()
    first = g.route()["lambda"]
    total = spend(g, upstream, 60)
    assert g.stop() == 0
    kept = state_of(tmp_path)["default"]
    assert kept["queries"] == 60 and kept["usd_per_1k"] == 0.05
    assert abs(Decimal(str(kept["spent_usd"])) - total) < Decimal("1e-9")
    again = serve()
    again.wait_line(r"msg=\"budget resumed\" policy=default queries=60")
    assert again.route()["lambda"] > first * 1.5  # cheap turned out dear
    spend(again, upstream, 5)
    assert again.stop() == 0
    assert state_of(tmp_path)["default"]["queries"] == 65


def test_a_kill_loses_seconds_only(serve, upstream, tmp_path):
    g = serve()
    spend(g, upstream, 20)
    deadline = time.monotonic() + 20
    while state_of(tmp_path)["default"]["queries"] < 20 and time.monotonic() < deadline:
        time.sleep(0.1)
    g.stop(signal.SIGKILL)
    assert state_of(tmp_path)["default"]["queries"] == 20
    serve().wait_line(r"queries=20")


def test_another_target_begins_anew(serve, upstream, tmp_path):
    g = serve()
    spend(g, upstream, 5)
    g.stop()
    g = serve("policies:\n  default: {budget: 0.06}\n  other: {budget: 0.05}\n")
    g.stop()
    assert "budget resumed" not in g.text
    assert {k: v["queries"] for k, v in state_of(tmp_path).items()} == {"default": 0, "other": 0}


def test_a_damaged_state_is_kept_and_said(serve, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "budgets.json").write_text('{"format": "leeroo-budgets", "versi')
    g = serve()
    g.wait_line(r"level=warn.*budgets begin anew")
    assert (tmp_path / "state" / "budgets.json.damaged").read_text().endswith('"versi')
    assert state_of(tmp_path)["default"]["queries"] == 0


def test_without_a_folder_the_log_says_so(serve):
    serve(top="").wait_line(r"level=warn.*state_dir")
    quiet = serve(policies="policies:\n  default: {lambda: 1}\n", top="")
    assert "level=warn msg=\"budgets begin anew" not in quiet.text


def test_a_folder_that_cannot_be_written_is_refused(leeroo, model_file, upstream, tmp_path, monkeypatch):
    monkeypatch.setenv("UP_KEY", "k")
    (tmp_path / "state").write_text("a file")
    config = write_config(tmp_path, model_file, upstream.url, top="state_dir: state", policies=BUDGET)
    done = run(leeroo, "serve", "-c", config)
    assert done.returncode == 1 and "budgets.json" in done.stderr


# max_cost

MAX_COST = Decimal("0.000321")
CAPPED = f"policies:\n  default: {{max_cost: {MAX_COST}}}\n  tiny: {{max_cost: 0.000001}}\n  open: {{lambda: 0}}\n"


def limit_of(r):
    return min(r.json[k] for k in ("max_tokens", "max_completion_tokens") if r.json.get(k) is not None)


def counted(r):
    characters = sum(len(m["content"]) for m in r.json["messages"])
    return max(10, -(-characters // 4))


def talkative(r):
    """Generates until it is stopped, and reports what it counted."""
    usage = (counted(r), limit_of(r))
    if not r.json.get("stream"):
        answer("w " * 50, usage)(r)
        return
    r.head(content_type="text/event-stream")
    r.event(delta("w " * 50))
    r.event({**delta(finish="length"), "usage": usage_of(usage)})
    r.event(b"[DONE]")
    r.end()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("content", ["hello cat", "prove integral quantum lemma", "tensor " * 60])
def test_no_answer_costs_more_than_max_cost(start_gateway, upstream, stream, content):
    g = start_gateway(policies=CAPPED)
    for name in EXPERTS:
        upstream.on(name, talkative)
    more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    reply = g.chat(content, **more)
    assert reply.status_code == 200, reply.text
    request = upstream.requests[-1]
    line = g.access(reply.headers["x-leeroo-request-id"])
    cost = Decimal(line["cost_usd"])
    inp, out = (Decimal(p) for p in EXPERTS[line["expert"]])
    assert line["basis"] == "usage" and cost <= MAX_COST
    assert cost > MAX_COST - 2 * out / 1_000_000 - (inp * 12 / 1_000_000)  # and no token less than need be
    assert "max_completion_tokens" not in request.json


@pytest.mark.parametrize("key", ["max_tokens", "max_completion_tokens"])
def test_the_limit_is_never_above_the_clients(start_gateway, upstream, key):
    g = start_gateway(policies=CAPPED)
    for name in EXPERTS:
        upstream.on(name, talkative)
    g.chat(**{key: 3})
    assert upstream.requests[-1].json[key] == 3
    g.chat(**{key: 10**9})
    sent = upstream.requests[-1].json
    assert 3 < sent[key] < 10**9 and len([k for k in sent if k.startswith("max_")]) == 1
    g.chat(model="leeroo/open", **{key: 10**9})
    assert upstream.requests[-1].json[key] == 10**9
    g.chat(model="leeroo/open", max_tokens=5)


def test_n_answers_share_it(start_gateway, upstream):
    g = start_gateway(policies=CAPPED)
    for name in EXPERTS:
        upstream.on(name, talkative)
    g.chat()
    one = upstream.requests[-1].json["max_tokens"]
    g.chat(n=3)
    assert upstream.requests[-1].json["max_tokens"] == one // 3


def test_an_input_that_costs_too_much_is_refused(start_gateway, upstream):
    g = start_gateway(policies=CAPPED)
    upstream.on("cheap", talkative)
    reply = g.chat("long " * 4000)
    assert reply.status_code == 402 and reply.json()["error"]["code"] == "over_max_cost", reply.text
    assert not upstream.requests


# what failed tries cost

def test_a_try_that_broke_off_is_paid_for(start_gateway, upstream):
    g = start_gateway(expert="retries: 0", policies="policies:\n  default: {lambda: 1e9}\n")
    upstream.on("cheap", lambda r: r.whole(200, b"no JSON at all"))
    upstream.on("mid", answer("fine", (10, 5)))
    reply = g.chat("hello cat and some more words")
    assert reply.headers["x-leeroo-expert"] == "mid"
    assert reply.headers["x-leeroo-cost-basis"] == "estimated"
    mid, cheap = (sum(Decimal(p) * n for p, n in zip(EXPERTS[e], u)) / 1_000_000
                  for e, u in (("mid", (10, 5)), ("cheap", (8, 0))))
    assert Decimal(reply.headers["x-leeroo-cost-usd"]) == mid + cheap


# leeroo route --state

def test_route_goes_on_with_its_budget(leeroo, model_file, tmp_path):
    queries = write_dataset(tmp_path / "q", 300, 2) / "queries.jsonl"
    state = tmp_path / "budget.json"

    def lambdas(*options):
        done = run(leeroo, "route", model_file, queries, "--budget", "0.05", *options)
        assert done.returncode == 0, done.stderr
        return [json.loads(line)["lambda"] for line in done.stdout.splitlines()]
    twice = tmp_path / "twice.jsonl"
    twice.write_text(queries.read_text() * 2)
    done = run(leeroo, "route", model_file, twice, "--budget", "0.05")
    whole = [json.loads(line)["lambda"] for line in done.stdout.splitlines()]
    assert lambdas("--state", state) == whole[:300]
    assert lambdas("--state", state) == whole[300:]
    assert json.loads(state.read_text())["budgets"]["route"]["queries"] == 600
    state.write_text("{}")
    done = run(leeroo, "route", model_file, queries, "--budget", "0.05", "--state", state)
    assert done.returncode == 0 and "begins anew" in done.stderr
    assert run(leeroo, "route", model_file, queries, "--state", state).returncode == 2
