"""A pool changed by hand while the gateway runs: who is added, removed or repriced, without training anything again."""

import json
import os
import re
import subprocess

import pytest

from conftest import EXPERTS, KEY, Gateway, wait_for, write_dataset
from test_reload import config_path, reload

POLICIES = "policies:\n  default: {lambda: 300}\n  thrifty: {budget: 0.05}\n"
PANEL = r"panel\(cheap,mid->dear"


def entry(name, url, **keys):
    lines = [f"  - name: {name}", f"    url: {url}", "    api_key: env:UP_KEY"]
    return "\n".join(lines + [f"    {key}: {value}" for key, value in keys.items()]) + "\n"


def write(tmp_path, model, entries, policies=POLICIES, top=""):
    config_path(tmp_path).write_text(f"listen: 127.0.0.1:0\nmodel: {model}\nthreads: 2\n{top}experts:\n" + "".join(entries) + policies)
    return config_path(tmp_path)


@pytest.fixture(scope="session")
def plan_model(leeroo, tmp_path_factory):
    """The same three experts with texts, so that there are plans over them."""
    folder = tmp_path_factory.mktemp("plan-model")
    data = write_dataset(folder / "data")
    (data / "responses").mkdir()
    keys = {json.loads(line)["id"]: "ABCD"[i % 4] for i, line in enumerate((data / "queries.jsonl").read_text().splitlines())}
    scores = {}
    for line in (data / "outcomes.csv").read_text().splitlines()[1:]:
        id, name, score = line.split(",")[:3]
        scores[name, id] = score == "1"
    queries = []
    for line in (data / "queries.jsonl").read_text().splitlines():
        q = json.loads(line)
        queries.append(json.dumps({**q, "choices": ["red", "green", "blue", "grey"], "answer": keys[q["id"]]}))
    (data / "queries.jsonl").write_text("\n".join(queries) + "\n")
    for e, name in enumerate(EXPERTS):
        texts = [{"id": id, "text": f"The answer is ({key if scores[name, id] else 'ABCD'[('ABCD'.index(key) + 1 + e) % 4]})."}
                 for id, key in keys.items()]
        (data / "responses" / f"{name}.jsonl").write_text("".join(json.dumps(t) + "\n" for t in texts))
    path = folder / "m.leeroo"
    subprocess.run([leeroo, "train", str(data), "-o", str(path), "--plans", "panel(cheap,mid->dear)"], check=True,
                   capture_output=True, timeout=120)
    return path


@pytest.fixture
def begin(leeroo):
    """Starts a gateway on a configuration; it must end well."""
    running = []

    def start(path):
        running.append(Gateway(leeroo, path))
        return running[-1]
    yield start
    for g in running:
        g.client.close()
        assert g.stop() == 0, g.text


def estimates(g, text):
    """By arm: [quality, cost]."""
    return g.route(text)["estimates"]


def check(leeroo, tmp_path):
    return subprocess.run([leeroo, "check", "-c", str(config_path(tmp_path))], capture_output=True, text=True, timeout=60,
                          check=True, env={**os.environ, "UP_KEY": KEY}).stdout


def test_who_is_removed_is_not_chosen_and_its_plans_fall_away(leeroo, begin, plan_model, upstream, tmp_path):
    all_three = [entry(name, upstream.url) for name in EXPERTS]
    g = begin(write(tmp_path, plan_model, all_three))
    before = estimates(g, "prove lemma")
    assert any(re.match(PANEL, arm.replace("→", "->")) for arm in before)
    reload(g, lambda: write(tmp_path, plan_model, all_three[:1] + all_three[2:]))
    assert re.search(r"3 experts, (\d) plans \(\1 over experts that are not configured\)", check(leeroo, tmp_path))
    after = estimates(g, "prove lemma")
    assert after == {name: before[name] for name in ("cheap", "dear")}, "nobody else's have moved"
    assert g.chat(model="mid").status_code == 404
    assert len(re.findall(r'msg="the pool has changed" removed=mid', g.text)) == 1
    assert len(re.findall(r'level=warn msg="plans fall away with a member" plans="?panel\(cheap,mid->dear', g.text)) == 1
    reload(g, lambda: write(tmp_path, plan_model, all_three))
    assert estimates(g, "prove lemma") == before
    assert len(re.findall(r'msg="the pool has changed" added=mid', g.text)) == 1


def test_who_is_retired_from_the_file_loses_its_plans(leeroo, begin, plan_model, upstream, tmp_path):
    """The gateway sees the file by itself. Still configured, the expert is placed by a prior; nobody else has moved."""
    model = tmp_path / "m.leeroo"
    model.write_bytes(plan_model.read_bytes())
    g = begin(write(tmp_path, model, [entry(name, upstream.url, price="{input: 1, output: 2}") for name in EXPERTS]))
    before = estimates(g, "prove lemma")

    def change():
        subprocess.run([leeroo, "retire", str(model), "--expert", "mid", "-q"], check=True, timeout=60)
    reload(g, change, sig=None)
    after = estimates(g, "prove lemma")
    assert set(after) == set(EXPERTS) and all(after[name] == before[name] for name in ("cheap", "dear"))
    assert len(re.findall(r'level=warn msg="plans fall away with a member" plans="?panel\(cheap,mid->dear', g.text)) == 1
    assert re.search(r"mid +no outcomes yet", check(leeroo, tmp_path))


def test_a_plan_that_a_policy_names_keeps_its_members(begin, plan_model, upstream, tmp_path):
    """Named, it is an error to miss a member: the old configuration stays, and the line says where."""
    policies = 'policies:\n  default: {lambda: 300, plans: "panel(cheap,mid->dear)"}\n'
    all_three = [entry(name, upstream.url) for name in EXPERTS]
    g = begin(write(tmp_path, plan_model, all_three, policies))
    reload(g, lambda: write(tmp_path, plan_model, all_three[:2], policies), "reload refused.*")
    assert re.search(r"reload refused.*leeroo.yaml:\d+:\d+.*panel", g.text)
    assert g.chat(model="dear").status_code == 200


def test_a_newcomer_is_placed_by_a_prior(begin, model_file, upstream, tmp_path):
    known = [entry(name, upstream.url) for name in EXPERTS]
    newcomer = entry("newcomer", upstream.url, like="mid", price="{input: 1, output: 2}")
    g = begin(write(tmp_path, model_file, known))
    before = estimates(g, "prove lemma")
    reload(g, lambda: write(tmp_path, model_file, [*known, newcomer]))
    after = estimates(g, "prove lemma")
    assert set(after) == {*EXPERTS, "newcomer"}
    assert all(after[name][0] == before[name][0] for name in EXPERTS), "nobody else's have moved"
    assert after["newcomer"][0] == pytest.approx(after["mid"][0], abs=0.05)
    assert re.search(r'msg="the pool has changed" added="newcomer \(no outcomes yet: placed as mid', g.text), g.text
    assert g.chat(model="newcomer").headers["x-leeroo-expert"] == "newcomer"


def test_a_newcomer_with_outcomes_is_moved_by_them(begin, model_file, upstream, tmp_path):
    """As good as the dear one in its outcomes, and taken for the mid one without them."""
    data = write_dataset(tmp_path / "outcomes")
    lines = (data / "outcomes.csv").read_text().splitlines()
    rows = [line.replace(",dear,", ",newcomer,") for line in lines if ",dear," in line]
    (data / "outcomes.csv").write_text("\n".join([lines[0], *rows]) + "\n")
    (data / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\nnewcomer,1,2\n")
    known = [entry(name, upstream.url) for name in EXPERTS]
    newcomer = entry("newcomer", upstream.url, like="mid", price="{input: 1, output: 2}")
    g = begin(write(tmp_path, model_file, [*known, newcomer]))
    before = estimates(g, "prove lemma")
    reload(g, lambda: write(tmp_path, model_file, [*known, newcomer], top="outcomes: outcomes\n"))
    after = estimates(g, "prove lemma")
    assert after["newcomer"][0] > before["newcomer"][0] + 0.3
    assert all(after[name][0] == before[name][0] for name in EXPERTS)


def test_prices_are_exact_in_estimates_costs_and_lambda(begin, model_file, upstream, tmp_path):
    """Ten times the price costs ten times as much, as predicted and as charged; a budget of ten times the money then
    begins at a tenth of the lambda, and so decides as before."""
    def entries(times):
        return [entry(name, upstream.url, price=f"{{input: {float(i) * times:.6f}, output: {float(o) * times:.6f}}}")
                for name, (i, o) in EXPERTS.items()]

    def lambda_of(policy):
        return g.route("prove lemma", model=f"leeroo/{policy}")["lambda"]
    policies = "policies:\n  default: {lambda: 0}\n  thrifty: {budget: 0.04}\n"
    g = begin(write(tmp_path, model_file, entries(1), policies))
    before, lambda_before = estimates(g, "prove lemma"), lambda_of("thrifty")
    cost_before = float(g.chat(model="dear").headers["x-leeroo-cost-usd"])
    reload(g, lambda: write(tmp_path, model_file, entries(10), policies.replace("thrifty: {budget: 0.04}", "rich: {budget: 0.4}")))
    after = estimates(g, "prove lemma")
    for name in EXPERTS:
        assert after[name][1] == pytest.approx(10 * before[name][1], rel=1e-6, abs=1e-8)
        assert after[name][0] == before[name][0]
    assert float(g.chat(model="dear").headers["x-leeroo-cost-usd"]) == pytest.approx(10 * cost_before)
    assert lambda_before > 0 and lambda_of("rich") == pytest.approx(lambda_before / 10, rel=1e-3)
    assert re.search(r'msg="the pool has changed" repriced="cheap; mid; dear"', g.text)


def test_a_budget_that_goes_on_is_calibrated_anew(begin, model_file, upstream, tmp_path):
    """The same policy and the same money at ten times the prices: a dollar buys less, so it is worth more."""
    def entries(times):
        return [entry(name, upstream.url, price=f"{{input: {float(i) * times:.6f}, output: {float(o) * times:.6f}}}")
                for name, (i, o) in EXPERTS.items()]
    policies = "policies:\n  thrifty: {budget: 0.2}\n"
    g = begin(write(tmp_path, model_file, entries(1), policies))
    before = g.route("prove lemma")["lambda"]
    reload(g, lambda: write(tmp_path, model_file, entries(10), policies))
    assert g.route("prove lemma")["lambda"] != before


def test_who_is_never_worth_asking_is_said_once(leeroo, begin, model_file, upstream, tmp_path):
    """At start and at each reload, not at each request; check says the same."""
    def entries(mid):
        return [entry(name, upstream.url, **({"price": mid} if name == "mid" else {})) for name in EXPERTS]
    never = r'level=warn msg="never worth asking by any policy" experts="?mid \((cheap|dear) is no dearer and better\)'
    path = write(tmp_path, model_file, entries("{input: 1000, output: 1000}"))
    assert re.search(r"warning: mid is never worth asking by any policy \(dear is no dearer and better\)", check(leeroo, tmp_path))
    g = begin(path)
    for _ in range(5):
        g.chat()
    reload(g, None)
    wait_for(lambda: len(re.findall(never, g.text)) == 2, g.text)
    reload(g, lambda: write(tmp_path, model_file, entries("{input: 0.3, output: 0.3}")))
    for _ in range(5):
        g.chat()
    assert len(re.findall(never, g.text)) == 2
