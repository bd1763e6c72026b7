"""What leeroo eval writes: the page, the decisions, a second model. Figures are recomputed from the decisions alone."""

import csv
import json
import random
import re
import xml.etree.ElementTree as ElementTree

import pytest

from routing import EXPERTS, read_outcomes, run, write_dataset

HOSTILE = '<script>alert("x")</script> & \'co\''


@pytest.fixture(scope="module")
def files(leeroo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    models = []
    for name, seed, count in [("first", 1, 2000), ("second", 7, 150)]:
        models.append(folder / name)
        done = run(leeroo, "train", write_dataset(folder / f"data-{name}", count, seed), "-o", models[-1])
        assert done.returncode == 0, done.stderr
    return models[0], models[1], write_dataset(folder / "test", 900, 2, holes=0.05)


def evaluate(leeroo, *argv):
    done = run(leeroo, "eval", *argv, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def read_page(path):
    """The page as a tree: it is XML behind its first line."""
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition("\n")
    assert head == "<!DOCTYPE html>"
    return text, ElementTree.fromstring(rest)


def plain(tree):
    return re.sub(r"\s+", " ", "".join(tree.itertext()))


SVG = "{http://www.w3.org/2000/svg}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def sums(path):
    """{operating point: (rows, accuracy, USD per 1,000)}"""
    totals = {}
    with open(path, newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            t = totals.setdefault(row["operating_point"], [0, 0.0, 0.0, 0.0])
            weight = float(row["weight"])
            t[0] += 1
            t[1] += weight
            t[2] += weight * float(row["score"])
            t[3] += weight * float(row["cost_usd"])
    return {point: (n, s / w, 1000 * usd / w) for point, (n, w, s, usd) in totals.items()}


def test_every_figure_comes_out_of_the_decisions(leeroo, files, tmp_path):
    model, _, data = files
    rows = tmp_path / "decisions.csv"
    got = evaluate(leeroo, model, data, "--reference", "large", "--decisions", rows, "--bootstrap", 0)
    totals = sums(rows)
    assert len(got["at_cost"]) == 5 and set(totals) == {"0.35", "0.5", "0.666667", "0.75", "1", "lambda=0", "reference"}
    for at in got["at_cost"]:
        count, accuracy, usd = totals[f"{at['fraction']:.6g}"]
        assert count in (got["queries"], got["queries"] + 1)
        assert accuracy == pytest.approx(at["accuracy"], abs=1e-9)
        assert usd == pytest.approx(at["spent_usd_per_1k"], abs=1e-9)
        assert at["spent_usd_per_1k"] <= at["usd_per_1k"] + 1e-9
    large = next(e for e in got["experts"] if e["name"] == "large")
    assert totals["reference"][1:] == pytest.approx((large["accuracy"], large["usd_per_1k"]), abs=1e-9)
    end = got["curve"][-1]
    assert totals["lambda=0"][1:] == pytest.approx((end["accuracy"], end["usd_per_1k"]), abs=1e-9)


def test_decisions_hold_what_was_recorded_and_who_answered(leeroo, files, tmp_path):
    model, _, data = files
    rows = tmp_path / "decisions.csv"
    got = evaluate(leeroo, model, data, "--reference", "large", "--decisions", rows, "--at", "0.3,0.6", "--bootstrap", 0)
    outcomes = read_outcomes(data)
    shares = {}
    with open(rows, newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            assert row["calls"] == row["answered"] == row["plan"] and row["plan"] in EXPERTS
            score, nano_usd = outcomes[row["id"]][row["answered"]]
            assert float(row["score"]) == score and round(float(row["cost_usd"]) * 1e9) == nano_usd
            by_name = shares.setdefault(row["operating_point"], {})
            by_name[row["plan"]] = by_name.get(row["plan"], 0) + float(row["weight"]) / got["queries"]
    assert [at["fraction"] for at in got["at_cost"]] == [0.3, 0.6]
    for at in got["at_cost"]:
        assert shares[f"{at['fraction']:.6g}"] == pytest.approx(at["shares"], abs=1e-9)
    assert set(shares["reference"]) == {"large"}


def write_answers(folder, count, seed):
    """Questions with recorded letters: two cheap experts that are right when they agree, and a dear one."""
    rng = random.Random(seed)
    skill, price = {"a": 0.7, "b": 0.7, "c": 0.85}, {"a": 1, "b": 2, "c": 60}
    queries, rows, texts = [], ["id,model,score,cost_usd"], {name: [] for name in skill}
    for i in range(count):
        right = rng.choice("ABCD")
        text = " ".join(rng.choices("cat king treaty ring sum".split(), k=6)) + f" {seed}-{i}?"
        queries.append({"id": f"q{i}", "text": text, "choices": list("wxyz"), "answer": right})
        for name in skill:
            good = rng.random() < skill[name]
            says = right if good else rng.choice([c for c in "ABCD" if c != right])
            rows.append(f"q{i},{name},{int(good)},{price[name] * rng.randint(50, 150) / 1e6:.9f}")
            texts[name].append(json.dumps({"id": f"q{i}", "text": f"The answer is ({says})."}) + "\n")
    (folder / "responses").mkdir(parents=True)
    for name, lines in texts.items():
        (folder / "responses" / f"{name}.jsonl").write_text("".join(lines))
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    (folder / "outcomes.csv").write_text("\n".join(rows) + "\n")
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\na,1,1\nb,2,2\nc,60,60\n")
    return folder


@pytest.fixture(scope="module")
def with_plans(leeroo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plans")
    model = folder / "m"
    done = run(leeroo, "train", write_answers(folder / "train", 900, 11), "-o", model, "--plans", "panel(a,b->c)")
    assert done.returncode == 0, done.stderr
    return model, write_answers(folder / "test", 600, 12)


def test_all_calls_of_a_plan_are_paid(leeroo, with_plans, tmp_path):
    model, data = with_plans
    rows, page = tmp_path / "decisions.csv", tmp_path / "report.html"
    got = evaluate(leeroo, model, data, "--reference", "c", "--decisions", rows, "--report", page, "--bootstrap", 0)
    assert len(got["plans"]) >= 1 and len(got["experts"]) == 3
    outcomes, asked_on = read_outcomes(data), {False: 0, True: 0}
    with open(rows, newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            calls = row["calls"].split("+")
            paid = sum(outcomes[row["id"]][name][1] for name in calls)
            assert paid == round(float(row["cost_usd"]) * 1e9)
            assert row["answered"] in calls and outcomes[row["id"]][row["answered"]][0] == float(row["score"])
            if row["plan"].startswith("panel"):
                assert calls in (["a", "b"], ["b", "a"], ["a", "b", "c"], ["b", "a", "c"])
                asked_on["c" in calls] += 1
            else:
                assert calls == [row["plan"]]
    assert asked_on[False] > 100 and asked_on[True] > 100
    totals = sums(rows)
    for at in got["at_cost"]:
        if at["accuracy"] is not None:
            want = (at["accuracy"], at["spent_usd_per_1k"])
            assert totals[f"{at['fraction']:.6g}"][1:] == pytest.approx(want, abs=1e-9)
    _, tree = read_page(page)
    experts = plain(next(s for s in tree.iter(f"{XHTML}section") if s.get("id") == "experts"))
    assert got["plans"][0]["name"] in experts and "P1" in experts
    without = evaluate(leeroo, model, data, "--reference", "c", "--plans", "none", "--bootstrap", 0)
    assert without["plans"] == [] and without["baselines"] == got["baselines"], "plans are no experts"


def test_the_lambda_of_an_operating_point_routes_like_it(leeroo, files, tmp_path):
    model, _, data = files
    rows = tmp_path / "decisions.csv"
    got = evaluate(leeroo, model, data, "--reference", "large", "--decisions", rows, "--at", "0.5", "--bootstrap", 0)
    done = run(leeroo, "route", model, data / "queries.jsonl", "--lambda", repr(got["at_cost"][0]["lambda"]))
    assert done.returncode == 0, done.stderr
    chosen = {r["id"]: r["expert"] for r in map(json.loads, done.stdout.splitlines())}
    with open(rows, newline="", encoding="utf-8") as f:
        differ = sum(chosen[r["id"]] != r["plan"] for r in csv.DictReader(f) if r["operating_point"] == "0.5")
    assert differ <= 2, "but for the query that sits on its own lambda, the same"


def test_the_page_stands_alone_and_says_what_the_figures_say(leeroo, files, tmp_path):
    model, _, data = files
    page = tmp_path / "report.html"
    got = evaluate(leeroo, model, data, "--reference", "large", "--report", page, "--bootstrap", 40)
    text, tree = read_page(page)
    assert len(text) < 400_000
    for word in ["<script", " src=", "href=", "url(", "@import", "javascript:"]:
        assert word not in text, word
    assert set(re.findall(r"https?://[^\"' <]+", text)) == {"http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"}
    sections = {s.get("id"): s for s in tree.iter(f"{XHTML}section")}
    assert set(sections) == {"offers", "plane", "shares", "claims", "domains", "experts", "calibration"}
    claims = plain(sections["claims"])
    by_fraction = {round(a["fraction"], 2): a for a in got["at_cost"]}
    for fraction in [0.5, 0.67, 0.75, 1]:
        assert f"{100 * by_fraction[fraction]['accuracy']:.1f}" in claims
    assert f"{100 * by_fraction[0.5]['relative']:.1f}" in claims
    for topic in ["greeting", "history", "algebra"]:
        assert topic in plain(sections["domains"])
    for expert in got["experts"]:
        assert f"{100 * expert['accuracy']:.1f}" in plain(sections["experts"])
        assert f"ECE {expert['ece']:.3f}" in plain(sections["calibration"])
    headline = plain(next(tree.iter(f"{XHTML}h1")))
    assert "per 1,000 queries" in headline and "large" in headline
    ids = [e.get("id") for e in tree.iter() if e.get("id")]
    assert len(ids) == len(set(ids)), "ids are unique"
    for svg in tree.iter(f"{SVG}svg"):
        if svg.get("aria-hidden") != "true":
            assert svg.find(f"{SVG}title") is not None and svg.find(f"{SVG}desc") is not None


def test_names_cannot_break_the_page(leeroo, tmp_path):
    data = write_dataset(tmp_path / "data", 300, 5)
    text = (data / "queries.jsonl").read_text()
    (data / "queries.jsonl").write_text(text.replace('"domain": "history"', '"domain": ' + json.dumps(HOSTILE)))
    model, page = tmp_path / "m", tmp_path / "r.html"
    assert run(leeroo, "train", data, "-o", model).returncode == 0
    evaluate(leeroo, model, data, "--report", page, "--bootstrap", 5)
    text, tree = read_page(page)
    assert "<script" not in text and HOSTILE in plain(tree)


def test_an_experts_name_is_plain_or_refused(leeroo, tmp_path):
    data = write_dataset(tmp_path / "data", 300, 5)
    for name in ["outcomes.csv", "experts.csv"]:
        quoted = '"' + HOSTILE.replace('"', '""') + '"'
        (data / name).write_text(re.sub(r"\bmiddle\b", lambda _: quoted, (data / name).read_text()))
    done = run(leeroo, "train", data, "-o", tmp_path / "m")
    assert done.returncode == 1 and "experts.csv:" in done.stderr and "letters, digits" in done.stderr
    assert not (tmp_path / "m").exists()


def test_a_second_model_side_by_side(leeroo, files, tmp_path):
    first, second, data = files
    page = tmp_path / "report.html"
    argv = (data, "--reference", "large", "--bootstrap", 60)
    got = evaluate(leeroo, first, *argv, "--compare", second, "--report", page)
    alone = evaluate(leeroo, second, *argv)
    other = got["compare"]
    assert other["model"] == str(second) and other["at_cost"] == alone["at_cost"] and other["curve"] == alone["curve"]
    for a, b, d in zip(got["at_cost"], other["at_cost"], other["difference"]):
        assert d["fraction"] == a["fraction"]
        assert d["accuracy"] == pytest.approx(b["accuracy"] - a["accuracy"], abs=1e-12)
        assert 0 < d["accuracy_se"] < a["accuracy_se"] + b["accuracy_se"]
    text, tree = read_page(page)
    assert 'class="two"' in text
    assert "second" in plain(next(s for s in tree.iter(f"{XHTML}section") if s.get("id") == "compare"))
    table = run(leeroo, "eval", first, *argv, "--compare", second).stdout
    assert "compared with" in table and f"{100 * (other['difference'][1]['accuracy']):+.2f}" in table


def test_a_second_model_of_fewer_experts_is_measured_on_common_queries(leeroo, files, tmp_path):
    first, _, data = files
    small = tmp_path / "small"
    train = write_dataset(tmp_path / "train", 200, 9)
    assert run(leeroo, "train", train, "--experts", "small,large", "-o", small).returncode == 0
    got = evaluate(leeroo, first, data, "--compare", small, "--bootstrap", 0)
    assert got["queries"] == got["compare"]["queries"]
    assert got["left_out"] == got["compare"]["left_out"] > 0
    assert got["reference"] == got["compare"]["reference"]


def test_outputs_are_whole_or_absent(leeroo, files, tmp_path):
    model, _, data = files
    for option in ["--report", "--decisions"]:
        done = run(leeroo, "eval", model, data, "--bootstrap", 0, option, tmp_path / "none" / "x")
        assert done.returncode == 1 and "none" in done.stderr and done.stdout == ""
    done = run(leeroo, "eval", model, data, "--bootstrap", 0, "--report", tmp_path / "r.html")
    assert done.returncode == 0 and [p.name for p in tmp_path.iterdir()] == ["r.html"]


@pytest.mark.parametrize("at", ["", "x", "0", "-1", "0.5,", "0.5,,1", "nan", "1e9", ",".join(["0.5"] * 17)])
def test_bad_fractions_are_refused(leeroo, files, at):
    model, _, data = files
    done = run(leeroo, "eval", model, data, "--at", at)
    assert done.returncode == 2 and "--at" in done.stderr and done.stdout == ""


def test_what_is_read_is_not_written_over(leeroo, files, tmp_path):
    model, _, data = files
    before = open(model, "rb").read()
    for option, path in (("--decisions", model), ("--report", f"{data}/outcomes.csv")):
        done = run(leeroo, "eval", model, data, option, path, "--bootstrap", 0)
        assert done.returncode == 2 and "written over" in done.stderr and done.stdout == ""
    same = tmp_path / "one"
    done = run(leeroo, "eval", model, data, "--report", same, "--decisions", same)
    assert done.returncode == 2 and "the same file" in done.stderr
    assert open(model, "rb").read() == before and not list(tmp_path.iterdir())
