"""GET /metrics against a parser of Prometheus' own, and against what was really asked and answered."""

import re
import signal
import threading
import time
from collections import Counter
from decimal import Decimal

from prometheus_client.parser import text_string_to_metric_families

from conftest import EXPERTS
from upstream import answer, stall, status

PRICES = "price: {input: 1, output: 2}"


class Page:
    def __init__(self, text):
        self.text = text
        self.families = {f.name: f for f in text_string_to_metric_families(text)}
        self.samples = [s for f in self.families.values() for s in f.samples]

    def sum(self, name, **labels):
        return sum(s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items())

    def usd(self, name, **labels):
        """Exact: from the text, not through a float."""
        total = Decimal(0)
        for line in re.findall(rf"^{name}\{{.*$", self.text, re.M):
            if all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += Decimal(line.rsplit(" ", 1)[1])
        return total


def page(g):
    r = g.client.get("/metrics")
    assert r.status_code == 200
    assert r.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Page(r.text)


def test_the_page_is_well_formed(gateway):
    gateway.chat()
    p = page(gateway)
    names = re.findall(r"^# TYPE (\S+) (\S+)$", p.text, re.M)
    assert len(names) == len(set(names)) == len(p.families) > 30
    for name, kind in names:
        assert re.fullmatch(r"(leeroo|process)_[a-z0-9_]+", name), name
        assert (kind == "counter") == name.endswith("_total"), f"{name} is a {kind}"
        assert re.search(rf"^# HELP {name} [A-Z0-9].*\.$", p.text, re.M), name
    keys = [(s.name, tuple(sorted(s.labels.items()))) for s in p.samples]
    assert len(keys) == len(set(keys)), "each series once"
    for s in p.samples:
        if s.name.endswith("_bucket"):
            base = {k: v for k, v in s.labels.items() if k != "le"}
            assert s.value <= p.sum(s.name[:-7] + "_count", **base)
    assert [s for s in p.samples if s.name == "leeroo_survivable_total"] == []
    assert gateway.client.head("/metrics").status_code == 200
    assert gateway.client.post("/metrics", json={}).status_code == 405


def test_sums_agree_with_the_requests_sent(start_gateway, upstream):
    upstream.on("mid", answer(usage=(7, 3)))
    upstream.on("dear", answer("a b c", usage=(11, 13)))
    g = start_gateway(expert=PRICES)
    asked = [g.chat(model="mid") for _ in range(3)]
    asked += [g.chat(model="dear", stream=True, stream_options={"include_usage": True}) for _ in range(2)]
    asked.append(g.chat(model="leeroo/cheapest"))
    assert {r.status_code for r in asked} == {200}
    assert g.chat(model="nobody").status_code == 404
    p = page(g)
    assert p.sum("leeroo_requests_total") == 7
    assert p.sum("leeroo_requests_total", expert="mid", code="200", outcome="answered", front="chat", plan="single") == 3
    assert p.sum("leeroo_requests_total", policy="cheapest", expert="cheap") == 1
    assert p.sum("leeroo_rejected_requests_total", code="404") == 1
    assert p.sum("leeroo_expert_calls_total", outcome="answered") == 6
    assert p.sum("leeroo_tokens_total", expert="mid", type="input") == 21
    assert p.sum("leeroo_tokens_total", expert="dear", type="output") == 26
    assert p.usd("leeroo_cost_usd_total", expert="mid") == Decimal("0.000039")
    assert p.usd("leeroo_cost_usd_total", expert="dear") == Decimal("0.000074")
    assert p.sum("leeroo_request_duration_seconds_count") == 6
    assert p.sum("leeroo_time_to_first_token_seconds_count", expert="dear") == 2
    logged = [g.access(r.headers["x-leeroo-request-id"]) for r in asked]
    assert p.usd("leeroo_cost_usd_total") == sum(Decimal(line["cost_usd"]) for line in logged)
    assert {(line["front"], line["key"], line["hedged"]) for line in logged} == {("chat", "-", "0")}
    assert [line["model"] for line in logged] == ["mid"] * 3 + ["dear"] * 2 + ["leeroo/cheapest"]


def test_the_router_always_picks_one_model_and_nobody_sees_why(gateway):
    """manifest #1620, OrcaRouter-Lite #118, otari PR #188. The mix of decisions is a metric, by policy, expert and plan;
    /v1/route says why for one request."""
    chosen = Counter()
    for text in ("hello cat", "sum two", "prove lemma", "quantum tensor"):
        for policy in ("best", "thrift"):
            r = gateway.chat(text, model=f"leeroo/{policy}")
            assert r.status_code == 200
            chosen[policy, r.headers["x-leeroo-expert"]] += 1
    assert len({expert for _, expert in chosen}) > 1, "the policies differ"
    p = page(gateway)
    shown = Counter({(s.labels["policy"], s.labels["expert"]): int(s.value) for s in p.samples
                     if s.name == "leeroo_decisions_total"})
    assert shown == chosen and sum(shown.values()) == 8
    assert all(s.labels["plan"] == "single" for s in p.samples if s.name == "leeroo_decisions_total")
    why = gateway.route("prove lemma", model="leeroo/thrift")
    assert why["expert"] == "cheap" and set(EXPERTS) <= set(str(why).replace("'", " ").split())
    assert 0 < p.sum("leeroo_predicted_quality_total", policy="best") <= 4


def test_retries_and_failovers_are_told_apart(start_gateway, upstream):
    upstream.on("cheap", status(500), status(500), status(500), answer())
    g = start_gateway(expert="retries: 1")
    assert g.chat(model="leeroo/thrift").status_code == 200
    p = page(g)
    assert p.sum("leeroo_retries_total", expert="cheap") == 1
    assert p.sum("leeroo_failovers_total", expert="cheap") == 1
    assert p.sum("leeroo_expert_calls_total", expert="cheap", outcome="failed") == 1


def test_labels_come_from_the_configuration_only(gateway):
    for i in range(20):
        gateway.chat(model=f"secret-{i}")
        gateway.client.get(f"/secret-{i}")
        gateway.client.request("GET", "/v1/models", headers={"x-secret": f"secret-{i}"})
    assert "secret" not in gateway.client.get("/metrics").text


def test_what_happens_now(start_gateway, upstream):
    upstream.on("mid", stall(20))
    g = start_gateway()
    gone = threading.Event()

    def ask():
        try:
            with g.client.stream("POST", "/v1/chat/completions", timeout=1.5, json={
                    "model": "mid", "messages": [{"role": "user", "content": "x"}]}):
                pass
        except Exception:
            gone.set()
    t = threading.Thread(target=ask)
    t.start()
    while not upstream.of("mid"):
        time.sleep(0.01)
    p = page(g)
    assert p.sum("leeroo_http_requests_in_flight") == 2
    assert p.sum("leeroo_http_connections") >= 2
    assert p.sum("leeroo_expert_available") == 3
    assert p.sum("leeroo_expert_circuit_state", state="closed") == 3 and p.sum("leeroo_expert_circuit_state") == 3
    assert p.sum("process_open_fds") > 5 and p.sum("process_resident_memory_bytes") > 1e6
    assert abs(p.sum("process_start_time_seconds") - time.time()) < 60
    t.join()
    assert gone.is_set()
    deadline = time.monotonic() + 5
    while page(g).sum("leeroo_requests_total", outcome="cancelled") != 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert page(g).sum("leeroo_http_requests_in_flight") == 1


def test_reloads_are_counted_and_counters_outlive_them(start_gateway, tmp_path):
    g = start_gateway(policies="policies:\n  default: {experts: [cheap]}\n")
    begin = page(g).sum("leeroo_config_last_load_success_timestamp_seconds")
    assert abs(begin - time.time()) < 60
    assert g.chat().status_code == 200
    path = tmp_path / "leeroo.yaml"
    path.write_text(path.read_text().replace("default:", "other:"))
    g.popen.send_signal(signal.SIGHUP)
    g.wait_line("msg=reloaded")
    assert g.chat().status_code == 200
    path.write_text("nonsense: 1\n")
    g.popen.send_signal(signal.SIGHUP)
    g.wait_line("reload refused")
    p = page(g)
    assert p.sum("leeroo_reloads_total", result="done") >= 1 and p.sum("leeroo_reloads_total", result="refused") >= 1
    assert begin < p.sum("leeroo_config_last_load_success_timestamp_seconds") <= time.time()
    assert p.sum("leeroo_requests_total", policy="default") == 1 and p.sum("leeroo_requests_total", policy="other") == 1


def test_budgets_are_shown(start_gateway):
    g = start_gateway(policies="policies:\n  thrifty: {budget: 0.5}\n", expert=PRICES)
    assert g.chat().status_code == 200
    p = page(g)
    assert p.sum("leeroo_budget_target_usd", policy="thrifty") == 0.5
    assert p.sum("leeroo_budget_requests", policy="thrifty") == 1
    assert p.sum("leeroo_budget_spent_usd", policy="thrifty") == float(p.usd("leeroo_cost_usd_total"))


def test_counting_is_cheap_and_memory_stays(start_gateway):
    g = start_gateway()
    for _ in range(30):
        g.chat()
    before = g.memory_kib()
    for _ in range(300):
        page(g)
    assert g.memory_kib() < before + 4096
