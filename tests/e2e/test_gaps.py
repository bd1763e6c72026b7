"""leeroo gaps from outside: planted gaps, held-out questions, data sets of every kind."""

import csv
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from routing import WORDS, run, write_dataset

DATA = Path(os.environ.get("LEEROO_DATA", "../shared/data"))
SURE = 2.0  # standard errors


def gaps(leeroo, *argv):
    done = run(leeroo, "gaps", *argv, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def train(leeroo, data, model):
    done = run(leeroo, "train", data, "-o", model, "--plans", "none")
    assert done.returncode == 0, done.stderr
    return model


@pytest.fixture(scope="module")
def files(leeroo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gaps")
    model = train(leeroo, write_dataset(folder / "train", 1500, 1), folder / "m.leeroo")
    return model, write_dataset(folder / "test", 1200, 2)


def strip(data, to, keep=("id", "text"), outcomes=True, change=None):
    """The data set with fewer members of its queries."""
    to.mkdir()
    with open(to / "queries.jsonl", "w", encoding="utf-8") as f:
        for line in open(data / "queries.jsonl", encoding="utf-8"):
            q = {k: v for k, v in json.loads(line).items() if k in keep}
            if change:
                change(q)
            f.write(json.dumps(q) + "\n")
    for name in ("experts.csv", "outcomes.csv") if outcomes else ():
        (to / name).write_bytes((data / name).read_bytes())
    return to


def test_figures_come_out_of_the_outcomes(leeroo, files):
    model, data = files
    got = gaps(leeroo, model, data, "--topics", 1000)
    scores = {}
    for row in csv.DictReader(open(data / "outcomes.csv", newline="")):
        scores.setdefault(row["id"], {})[row["model"]] = float(row["score"])
    rows = [json.loads(line) for line in run(leeroo, "route", model, data / "queries.jsonl", "--lambda", 0,
                                             "--plans", "none").stdout.splitlines()]
    achieved = [scores[r["id"]][r["expert"]] for r in rows]
    best = [max(scores[r["id"]].values()) for r in rows]
    every = got["all"]
    assert every["measured"] == pytest.approx(sum(achieved) / len(rows))
    assert every["recorded"] == every["compared"] == len(rows)
    assert every["nobody_per_1k"] == pytest.approx(1000 * (1 - sum(best) / len(rows)), rel=0.05)
    assert every["routing_per_1k"] + every["nobody_per_1k"] == pytest.approx(every["adds_per_1k"])
    for domain in WORDS:
        here = [t for t in got["topics"] if t["domain"] == domain]
        of = [a for a, r in zip(achieved, rows) if r["id"] in ids_of(data, domain)]
        assert sum(t["queries"] for t in here) == len(of)
        assert sum(t["measured"] * t["queries"] for t in here) == pytest.approx(sum(of))
        for t in here:
            assert set(t["words"]) <= set(WORDS[domain]) and t["words"]


def ids_of(data, domain):
    return {q["id"] for q in map(json.loads, open(data / "queries.jsonl")) if q.get("domain") == domain}


def test_algebra_is_the_gap_with_and_without_domains_and_outcomes(leeroo, files, tmp_path):
    """All three experts are worst at algebra, and "large" is alone there."""
    model, data = files
    sets = [data, strip(data, tmp_path / "texts"), strip(data, tmp_path / "only", outcomes=False),
            strip(data, tmp_path / "pool") / "queries.jsonl"]
    for d in sets:
        got = gaps(leeroo, model, d, "--topics", 100, "--experts", "small,middle")
        sure = [t for t in got["topics"] if t["sure"]]
        assert sure
        for t in sure:
            assert len(set(t["words"]) & set(WORDS["algebra"])) >= len(t["words"]) - 1
    got = gaps(leeroo, model, data, "--topics", 100)
    alone = [a for a in got["stands_alone"] if a["domain"] == "algebra"]
    assert alone and all(a["expert"] == "large" for a in alone)


def test_a_new_expert_may_be_less_than_perfect(leeroo, files):
    model, data = files
    full, less = gaps(leeroo, model, data), gaps(leeroo, model, data, "--level", 0.9)
    for t in less["topics"]:
        assert t["adds_per_1k"] == pytest.approx(max(0, (0.9 - t["achieved"])) * t["queries"] / 1.2, abs=1e-6)
    assert less["all"]["adds_per_1k"] < full["all"]["adds_per_1k"]


def test_the_table_shows_topics_words_and_questions(leeroo, files):
    model, data = files
    done = run(leeroo, "gaps", model, data, "--experts", "small,middle", "--topics", 3, "--examples", 2)
    assert done.returncode == 0 and done.stderr == ""
    assert len(re.findall(r"^ +- ", done.stdout, re.M)) == 6
    assert re.search(r"\d ±\d.*algebra", done.stdout) and "topics more" in done.stdout
    quiet = run(leeroo, "gaps", model, data, "-q")
    assert quiet.returncode == 0 and quiet.stdout == ""


def page(leeroo, tmp_path, *argv):
    """The page as text, and as a tree: it is XML behind its first line."""
    done = run(leeroo, "gaps", *argv, "-q", "--html", tmp_path / "gaps.html")
    assert done.returncode == 0 and done.stdout == "", done.stderr
    text = (tmp_path / "gaps.html").read_text(encoding="utf-8")
    head, _, rest = text.partition("\n")
    assert head == "<!DOCTYPE html>"
    return text, ElementTree.fromstring(rest)


XHTML = "{http://www.w3.org/1999/xhtml}"


def test_the_page_shows_what_the_json_says(leeroo, files, tmp_path):
    model, data = files
    again = write_dataset(tmp_path / "again", 600, 3)
    options = [model, data, "--again", again, "--topics", 4, "--examples", 2]
    got = gaps(leeroo, *options)
    text, tree = page(leeroo, tmp_path, *options)
    assert [s.get("id") for s in tree.iter(XHTML + "section")] == ["ranks", "topics", "alone", "again"]
    articles = list(tree.iter(XHTML + "article"))
    assert len(articles) == 4
    for topic, article in zip(got["topics"], articles):
        words = [li.text for li in article.iter(XHTML + "li") if li.text in topic["words"]]
        assert words[:len(topic["words"])] == topic["words"]
        said = " ".join("".join(article.itertext()).split())
        assert f"adds {topic['adds_per_1k']:.1f} right answers" in said
        assert len([d for d in article.iter(XHTML + "details") if d.get("class") == "ask"]) == len(topic["examples"])
        rows = {tr[0].text: "".join(tr[2].itertext()) for tr in article.iter(XHTML + "tr") if tr[0].get("scope") == "row"}
        assert rows == {e["name"]: f"{100 * e['score']:.1f}" for e in topic["experts"]}
    assert "default-src 'none'" in text and "<script" not in text


def test_a_page_of_estimates_and_of_hostile_texts(leeroo, files, tmp_path):
    model, data = files

    def hostile(q):
        q["text"] = "<script>alert(1)</script> & \"x\" \x07" + q["text"]
        q["domain"] = "<b>" + q["domain"] + "</b>"
    odd = strip(data, tmp_path / "odd", ("id", "text", "domain"), outcomes=False, change=hostile)
    text, tree = page(leeroo, tmp_path, model, odd)
    assert "<script" not in text and "<b>algebra" not in text and "&lt;script&gt;alert(1)" in text
    assert "expected to be missed" in text and "nobody had" not in text


def test_nothing_that_is_read_is_written_over(leeroo, files):
    model, data = files
    for path in model, data / "queries.jsonl", data / "outcomes.csv":
        before = path.read_bytes()
        done = run(leeroo, "gaps", model, data, "--html", path)
        assert done.returncode == 2 and "written over" in done.stderr and path.read_bytes() == before


def test_same_seed_same_bytes(leeroo, files):
    model, data = files
    one, two = (run(leeroo, "gaps", model, data, "--json").stdout for _ in range(2))
    assert one == two


def test_hostile_texts_do_not_reach_the_terminal(leeroo, files, tmp_path):
    model, data = files

    def hostile(q):
        q["text"] = "\x1b[2J<script>" + q["text"]
        q["domain"] = "\x1b[31m" + q["domain"]
    odd = strip(data, tmp_path / "odd", ("id", "text", "domain"), change=hostile)
    done = run(leeroo, "gaps", model, odd)
    assert done.returncode == 0 and "\x1b" not in done.stdout


def test_other_languages_have_words(leeroo, files, tmp_path):
    model, data = files
    words = {"greeting": "合同法规定债权人", "history": "энергия масса скорость", "algebra": "Größe Fläche Körper"}

    def foreign(q):
        q["text"] = " ".join([words[q.pop("domain")]] * 3)
    got = gaps(leeroo, model, strip(data, tmp_path / "lang", ("id", "text", "domain"), change=foreign),
               "--topics", 100)
    told = {w for t in got["topics"] for w in t["words"]}
    assert {"合同", "债权", "энергия", "größe"} <= told


@pytest.mark.parametrize("count", [1, 7, 30])
def test_few_and_long_questions(leeroo, files, tmp_path, count):
    model, data = files
    few = strip(data, tmp_path / "few", ("id", "text", "domain"))
    lines = (few / "queries.jsonl").read_text().splitlines()[:count]
    ids = {json.loads(line)["id"] for line in lines}
    first = json.loads(lines[0])
    first["text"] *= 5000
    lines[0] = json.dumps(first)
    (few / "queries.jsonl").write_text("\n".join(lines) + "\n")
    rows = (few / "outcomes.csv").read_text().splitlines()
    (few / "outcomes.csv").write_text("\n".join(r for r in rows if r.split(",")[0] in ids | {"id"}) + "\n")
    got = gaps(leeroo, model, few, "--topics", 100)
    assert sum(t["queries"] for t in got["topics"]) == count
    assert run(leeroo, "gaps", model, few).returncode == 0


def test_the_folder_of_a_run_of_self_play(leeroo, tmp_path):
    """Its questions were put to some experts each, and most were learnt from."""
    done = run(leeroo, "demo", "--dir", tmp_path / "demo")
    assert done.returncode == 0, done.stderr
    model = tmp_path / "demo/orchestrator.safetensors"
    got = gaps(leeroo, model, tmp_path / "demo/play", "--again", tmp_path / "demo/exam")
    assert 0 < got["trained_on"] < got["all"]["queries"] and 0 < got["all"]["recorded"] < got["all"]["queries"]
    assert got["all"]["routing_per_1k"] + got["all"]["nobody_per_1k"] == pytest.approx(got["all"]["adds_per_1k"])
    assert ("sage", "mixed") in [(a["expert"], a["domain"]) for a in got["stands_alone"]]
    assert got["again"]["queries"] == sum(1 for _ in open(tmp_path / "demo/exam/queries.jsonl"))
    only = gaps(leeroo, model, tmp_path / "demo/questions")
    assert only["all"]["recorded"] == 0 and only["all"]["nobody_per_1k"] is None


def test_what_cannot_be_is_said(leeroo, files, tmp_path):
    model, data = files
    for argv, code, word in [([model], 2, "MODEL DATASET"), ([model, data, "--experts", "x"], 1, "no expert 'x'; it has "),
                             ([model, data, "--level", "0"], 2, "--level"), ([data / "queries.jsonl", data], 1, ""),
                             ([model, tmp_path / "none"], 1, "none")]:
        done = run(leeroo, "gaps", *argv)
        assert done.returncode == code and word in done.stderr and done.stdout == ""


# Recorded outcomes


@pytest.fixture(scope="module")
def mmlu_pro():
    if not (DATA / "mmlu_pro").is_dir():
        pytest.skip("no data")
    return DATA / "mmlu_pro"


@pytest.fixture(scope="module")
def domains(mmlu_pro):
    return {q["id"]: q["domain"] for q in map(json.loads, open(mmlu_pro / "queries.jsonl"))}


def zeroed(mmlu_pro, domains, domain, to):
    """The data set in which nobody knows one domain."""
    to.mkdir()
    for name in ("queries.jsonl", "experts.csv"):
        (to / name).symlink_to((mmlu_pro / name).resolve())
    with open(mmlu_pro / "outcomes.csv", newline="") as f, open(to / "outcomes.csv", "w", newline="") as out:
        rows = csv.reader(f)
        head = next(rows)
        score = head.index("score")
        writer = csv.writer(out)
        writer.writerow(head)
        for row in rows:
            if domains[row[0]] == domain:
                row[score] = "0"
            writer.writerow(row)
    return to


DOMAINS = ["biology", "business", "chemistry", "computer science", "economics", "engineering", "health", "history",
           "law", "math", "other", "philosophy", "physics", "psychology"]


@pytest.fixture(scope="module")
def untouched(leeroo, mmlu_pro, tmp_path_factory):
    return train(leeroo, mmlu_pro, tmp_path_factory.mktemp("untouched") / "m")


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_that_nobody_knows_comes_first(leeroo, mmlu_pro, domains, untouched, tmp_path, domain):
    data = zeroed(mmlu_pro, domains, domain, tmp_path / "zero")
    for model in untouched, train(leeroo, data, tmp_path / "m"):
        topics = gaps(leeroo, model, data, "--topics", 100, "--examples", 1)["topics"]
        mine = [t for t in topics if t["domain"] == domain]
        assert topics[:len(mine)] == mine
        assert mine[0]["routing_per_1k"] == 0 and mine[0]["words"]
        texts = {True: [], False: []}
        for q in map(json.loads, open(mmlu_pro / "queries.jsonl")):
            texts[q["domain"] == domain].append(" ".join([q["text"], *q["choices"]]).lower())
        for word in mine[0]["words"]:
            inside, outside = (sum(word in t for t in texts[k]) / len(texts[k]) for k in (True, False))
            assert inside > outside, word


def test_the_first_topics_are_gaps_on_other_questions(leeroo, mmlu_pro, tmp_path):
    """Found where the model has learnt, measured where it has not: bench/universe.md has the figures of 20 splits."""
    held = 0
    for seed in range(20, 25):
        parts = tmp_path / str(seed)
        done = run(leeroo, "split", mmlu_pro, "--test", "0.5", "--seed", seed, "-o", parts, "-q")
        assert done.returncode == 0, done.stderr
        model = train(leeroo, parts / "train", parts / "m")
        got = gaps(leeroo, model, parts / "train", "--again", parts / "test", "--topics", 3, "--examples", 0)
        assert got["again_known"] == 0
        for topic in got["topics"]:
            again = topic["again"]
            assert again["difference"] < 0
            held += again["difference"] < -SURE * again["difference_se"]
    assert held >= 14


def test_without_domains_law_is_still_the_gap(leeroo, mmlu_pro, untouched, tmp_path):
    bare = strip(mmlu_pro, tmp_path / "bare", ("id", "text", "choices", "answer"))
    topics = gaps(leeroo, untouched, bare)["topics"]
    law = {"law", "court", "property", "contract", "trial", "evidence", "defendant", "murder", "landlord", "tenant"}
    assert all(t["domain"] is None for t in topics)
    assert law & set(topics[0]["words"]) and law & set(topics[1]["words"])


@pytest.mark.parametrize("name", ["bfcl", "livecodebench", "mmlu"])
def test_other_recorded_outcomes(leeroo, tmp_path, name):
    if not (DATA / name).is_dir():
        pytest.skip("no data")
    model = train(leeroo, DATA / name, tmp_path / "m")
    got = gaps(leeroo, model, DATA / name, "--topics", 1000)
    assert sum(t["queries"] for t in got["topics"]) == got["all"]["queries"]
    first = got["topics"][0]
    assert first["examples"] and first["words"] and first["achieved"] < got["all"]["achieved"]
