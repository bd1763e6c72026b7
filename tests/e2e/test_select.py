"""leeroo select from outside. What it says is optimal is held to enumeration by numpy, on recorded outcomes."""

import csv
import itertools
import json
import os
import subprocess
import xml.etree.ElementTree
from pathlib import Path

import numpy
import pytest

from conftest import write_dataset

DATA = Path(os.environ.get("LEEROO_DATA", "../shared/data"))
NANO = 10**9


def run(leeroo, *argv):
    return subprocess.run([leeroo, "select", *map(str, argv)], capture_output=True, text=True, timeout=300, check=False)


def select(leeroo, *argv):
    done = run(leeroo, *argv, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def read(folder):
    """Names, scores [questions, candidates] of questions whose scores are all known, costs in nano-USD per 1,000."""
    rows = list(csv.DictReader((folder / "outcomes.csv").open()))
    names = list(dict.fromkeys(row["model"] for row in csv.DictReader((folder / "experts.csv").open())))
    cells = {}
    for row in rows:
        if row["score"] != "":
            cells.setdefault(row["id"], {})[row["model"]] = (float(row["score"]), float(row["cost_usd"]))
    full = [cell for cell in cells.values() if len(cell) == len(names)]
    scores = numpy.array([[cell[name][0] for name in names] for cell in full])
    costs = numpy.array([[cell[name][1] for name in names] for cell in full])
    return names, scores, numpy.rint(costs.mean(axis=0) * 1000 * NANO).astype(numpy.int64)


def covers(scores, members):
    return scores[:, list(members)].max(axis=1).mean()


def best_of_number(scores, k):
    """The best set of exactly k, by all sets of k - 1 and one more: what one more adds to all of them at once."""
    units = 10 if (scores % 1).any() else 1
    scores = numpy.rint(scores * units).astype(numpy.uint8)
    best = 0
    for some in itertools.combinations(range(scores.shape[1]), k - 1):
        has = scores[:, list(some)].max(axis=1) if some else numpy.zeros(len(scores), numpy.uint8)
        after = some[-1] + 1 if some else 0
        if after < scores.shape[1]:
            best = max(best, numpy.maximum(scores[:, after:], has[:, None]).sum(axis=0, dtype=numpy.int32).max())
    return best / units / len(scores)


def best_of_cost(scores, costs, limit):
    """The most that any set within the limit covers: depth first, cut where even all that still fit add no more."""
    order = numpy.argsort(-scores.mean(axis=0) / numpy.maximum(costs, 1))
    scores, costs = scores[:, order].T.copy(), costs[order]
    best = 0.0

    def go(at, has, left):
        nonlocal best
        best = max(best, has.mean())
        fits = [i for i in range(at, len(costs)) if costs[i] <= left]
        if not fits:
            return
        gains = numpy.maximum(scores[fits] - has, 0).mean(axis=1)
        if has.mean() + fractional(gains, costs[fits], left) <= best + 1e-12:
            return
        if numpy.maximum(scores[fits].max(axis=0), has).mean() <= best + 1e-12:
            return
        first = fits[int(numpy.argmax(gains / numpy.maximum(costs[fits], 1)))]
        scores[[at, first]], costs[[at, first]] = scores[[first, at]], costs[[first, at]]
        go(at + 1, numpy.maximum(has, scores[at]), left - costs[at])
        go(at + 1, has, left)
        scores[[at, first]], costs[[at, first]] = scores[[first, at]], costs[[first, at]]

    go(0, numpy.zeros(scores.shape[1]), limit)
    return best


def fractional(gains, costs, left):
    total = 0.0
    for i in numpy.argsort(-gains / numpy.maximum(costs, 1)):
        part = min(1.0, left / costs[i]) if costs[i] else 1.0
        total += part * gains[i]
        left -= costs[i]
        if left <= 0:
            break
    return total


def check_said(said, names, scores, costs):
    """What is said of the set is so."""
    members = [names.index(name) for name in said["set"]]
    assert said["optimal"] and said["questions"] == len(scores)
    assert said["achieves"] == pytest.approx(covers(scores, members), abs=1e-4)
    assert said["usd_per_1k"] == pytest.approx(costs[members].sum() / NANO, rel=1e-6)
    assert said["all"] == pytest.approx(scores.max(axis=1).mean(), abs=1e-4)
    for candidate in said["candidates"]:
        at = names.index(candidate["name"])
        assert candidate["score"] == pytest.approx(scores[:, at].mean(), abs=1e-4)
        if candidate["member"]:
            rest = [m for m in members if m != at]
            without = covers(scores, rest) if rest else 0
            assert -candidate["without"] == pytest.approx(covers(scores, members) - without, abs=1e-4)
            lost = scores[:, members].max(axis=1) - (scores[:, rest].max(axis=1) if rest else 0)
            assert candidate["without_se"] == pytest.approx(lost.std(ddof=1) / len(scores) ** 0.5, rel=1e-3)
        else:
            assert candidate["adds"] == pytest.approx(covers(scores, [*members, at]) - covers(scores, members), abs=1e-4)
        if candidate["dominated_by"]:
            other = names.index(candidate["dominated_by"])
            difference = scores[:, other] - scores[:, at]
            error = difference.std(ddof=1) / len(scores) ** 0.5
            assert costs[other] <= costs[at] and difference.mean() > 2 * error * 0.999
            assert candidate["behind"] == pytest.approx(difference.mean(), abs=1e-4)
            assert candidate["behind_se"] == pytest.approx(error, rel=1e-3)


def recorded(name):
    if not (DATA / name).exists():
        pytest.skip("no data")
    return read(DATA / name)


@pytest.mark.parametrize("name, most", [("mmlu_pro", 5), ("livecodebench", 5)])
def test_a_number_gives_the_exact_optimum(leeroo, name, most):
    names, scores, costs = recorded(name)
    for k in range(1, most + 1):
        said = select(leeroo, DATA / name, "-k", k)
        check_said(said, names, scores, costs)
        assert said["achieves"] == pytest.approx(best_of_number(scores, k), abs=1e-6)


@pytest.mark.parametrize("name, limits", [("mmlu_pro", [0.1, 0.2, 0.3, 0.45, 0.6]), ("livecodebench", [2, 5, 20, 60, 150])])
def test_a_cost_gives_the_exact_optimum(leeroo, name, limits):
    names, scores, costs = recorded(name)
    for limit in limits:
        said = select(leeroo, DATA / name, "--max-cost", limit)
        check_said(said, names, scores, costs)
        assert said["usd_per_1k"] <= limit
        assert said["achieves"] == pytest.approx(best_of_cost(scores, costs, round(limit * NANO)), abs=1e-6)


def test_the_frontier_is_made_of_best_sets(leeroo):
    names, scores, costs = recorded("livecodebench")
    said = select(leeroo, DATA / "livecodebench")
    for points in said["frontier"].values():
        assert len(points) > 4 and all(point["optimal"] for point in points)
        assert all(a["achieves"] < b["achieves"] for a, b in itertools.pairwise(points))
    for point in said["frontier"]["by_number"][:4]:
        assert point["achieves"] == pytest.approx(best_of_number(scores, len(point["set"])), abs=1e-6)
    for point in said["frontier"]["by_cost"]:
        assert point["achieves"] == pytest.approx(covers(scores, [names.index(name) for name in point["set"]]), abs=1e-6)
        alone = [s for s, c in zip(scores.mean(axis=0), costs / NANO, strict=True) if c <= point["usd_per_1k"]]
        assert point["achieves"] >= max(alone) - 1e-6


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    write_dataset(folder)
    return folder


def edit_outcomes(folder, change):
    rows = list(csv.DictReader((folder / "outcomes.csv").open()))
    rows = [row for row in map(change, rows) if row]
    with (folder / "outcomes.csv").open("w", newline="") as out:
        table = csv.DictWriter(out, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def test_the_tables_say_what_a_person_wants_to_know(leeroo, data):
    done = run(leeroo, data, "-k", 2)
    assert done.returncode == 0, done.stderr
    for words in ("optimal (proved)", "the best single", "points of coverage lost without it"):
        assert words in done.stdout
    assert run(leeroo, data, "-q").stdout == ""


def test_who_is_kept_is_in_the_set(leeroo, data):
    names = [c["name"] for c in select(leeroo, data)["candidates"]]
    for name in names:
        said = select(leeroo, data, "-k", 1, "--keep", name)
        assert said["set"] == [name] and said["greedy_share"] is None


def test_a_hole_leaves_its_question_out(leeroo, data):
    whole = select(leeroo, data)
    first = next(csv.DictReader((data / "outcomes.csv").open()))
    edit_outcomes(data, lambda row: None if (row["id"], row["model"]) == (first["id"], first["model"]) else row)
    less = select(leeroo, data)
    assert less["questions"] == whole["questions"] - 1 and less["questions_left_out"] == 1
    assert "of which every candidate's score is known" in run(leeroo, data).stdout


def test_a_candidate_that_nobody_asked_is_named(leeroo, data):
    name = select(leeroo, data)["candidates"][0]["name"]
    edit_outcomes(data, lambda row: None if row["model"] == name else row)
    done = run(leeroo, data)
    assert done.returncode == 1 and name in done.stderr and "--experts" in done.stderr


def test_domains_have_sets_of_their_own(leeroo, data):
    queries = [json.loads(line) for line in (data / "queries.jsonl").read_text().splitlines()]
    lines = [json.dumps({**q, "domain": f"d{i % 3}"}) for i, q in enumerate(queries)]
    (data / "queries.jsonl").write_text("\n".join(lines) + "\n")
    said = select(leeroo, data, "-k", 1, "--per-domain")
    assert [d["domain"] for d in said["domains"]] == ["d0", "d1", "d2"]
    assert sum(d["questions"] for d in said["domains"]) == said["questions"]
    assert all(len(d["set"]) == 1 and d["achieves"] == pytest.approx(d["best_single_score"]) for d in said["domains"])
    assert set(said["union"]["set"]) == {name for d in said["domains"] for name in d["set"]}
    assert said["union"]["achieves"] >= said["achieves"] - 1e-9


def test_the_page_is_whole_and_names_everybody(leeroo, data, tmp_path):
    page = tmp_path / "page.html"
    said = select(leeroo, data, "-k", 2, "--html", page)
    text = page.read_text()
    xml.etree.ElementTree.fromstring(text.replace("<!DOCTYPE html>", ""))
    assert all(c["name"] in text for c in said["candidates"] if c["member"])
    assert "optimal (proved)" in text and 'id="frontier"' in text and "nan" not in text.lower()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "page.html"]


def test_a_page_never_goes_over_its_data(leeroo, data):
    before = (data / "outcomes.csv").read_text()
    done = run(leeroo, data, "--html", data / "outcomes.csv")
    assert done.returncode == 2 and "written over" in done.stderr
    assert (data / "outcomes.csv").read_text() == before


def test_a_routed_set_says_that_there_is_no_bound(leeroo, data, tmp_path):
    done = run(leeroo, data, "-k", 2, "--routed", "--html", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    assert "no bound" in done.stdout and "(taken)" in done.stdout and "proved" not in done.stdout
    assert "no bound" in (tmp_path / "page.html").read_text()


def test_a_domain_cannot_steer_a_terminal(leeroo, data):
    rows = [json.loads(line) for line in (data / "queries.jsonl").read_text().splitlines()]
    for row in rows:
        row["domain"] = "a\x1b[31mred\nline"
    (data / "queries.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    done = run(leeroo, data, "--per-domain")
    assert done.returncode == 0 and "a [31mred line\n            " in done.stdout and "\x1b" not in done.stdout


@pytest.mark.parametrize("argv, code, words", [
    (["-k", "0"], 2, "from 1 to"),
    (["-k", "99"], 2, "candidates"),
    (["-k", "nan"], 2, "from 1 to"),
    (["--max-cost", "nan"], 2, "USD per 1,000"),
    (["--max-cost", "0"], 2, "USD per 1,000"),
    (["--max-cost", "0.000000001"], 1, "cheapest candidate"),
    (["--keep", "nobody"], 1, "nobody"),
    (["--experts", "nobody"], 1, "nobody"),
    (["--plans"], 2, "--routed"),
    (["--routed", "--per-domain"], 2, "--per-domain"),
    (["--routed", "--html", "/dev/null/page.html"], 1, "cannot write there"),
])
def test_what_cannot_be_is_said(leeroo, data, argv, code, words):
    done = run(leeroo, data, *argv)
    assert done.returncode == code and words in done.stderr and done.stdout == ""


def test_a_data_set_without_outcomes_is_refused(leeroo, data):
    (data / "outcomes.csv").write_text("id,model,score,cost_usd,input_tokens,output_tokens\n")
    done = run(leeroo, data)
    assert done.returncode == 1 and done.stderr
