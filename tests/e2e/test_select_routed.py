"""leeroo select --routed from outside: what it says of a set is what leeroo eval measures of it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

DATA = Path(os.environ.get("LEEROO_DATA", "../shared/data"))
QUERIES = 240


def run(leeroo, *argv):
    return subprocess.run([leeroo, *map(str, argv)], capture_output=True, text=True, timeout=300, check=False)


def read(leeroo, *argv):
    done = run(leeroo, *argv, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(name="subjects")
def make_subjects(tmp_path):
    """One dear expert, a fair one, and two that know one subject each; the fair one has no outcome for one query."""
    folder = tmp_path / "subjects"
    folder.mkdir()
    queries, outcomes = [], ["id,model,score,cost_usd"]
    for i in range(QUERIES):
        poetry = i % 2
        text = f"{'a poem about autumn' if poetry else 'solve the equation'} number {i}"
        queries.append(json.dumps({"id": str(i), "text": text}))
        outcomes += [f"{i},dear,{int(i % 10 != 3)},0.010", f"{i},mathy,{1 - poetry},0.001", f"{i},poet,{poetry},0.001"]
        if i != 17:
            outcomes.append(f"{i},fair,{int(i * 7 % 10 < 6)},0.001")
    (folder / "queries.jsonl").write_text("\n".join(queries) + "\n")
    (folder / "outcomes.csv").write_text("\n".join(outcomes) + "\n")
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\ndear,9,9\nfair,1,1\nmathy,1,1\npoet,1,1\n")
    return folder


def eval_at(leeroo, data, experts, share, reference, seed=0):
    said = read(leeroo, "eval", "--folds", 5, data, "--experts", ",".join(experts), "--reference", reference,
                "--plans", "none", "--bootstrap", 0, "--at", share, "--seed", seed)
    return said["at_cost"][0]["accuracy"] or 0  # null: even the cheapest use costs more


def proposal(said, name):
    return next(p for p in said["routed"]["proposals"] if p["from"] == name)


def test_those_are_taken_that_complement_each_other(leeroo, subjects):
    said = read(leeroo, "select", subjects, "-k", 2, "--routed")
    assert sorted(said["set"]) == ["mathy", "poet"]
    assert said["achieves"] == pytest.approx(1, abs=1e-4)
    assert said["routed"]["budget_usd_per_1k"] == pytest.approx(5)
    assert said["routed"]["questions"] == QUERIES - 1
    text = run(leeroo, "select", subjects, "-k", 2, "--routed").stdout
    assert "no bound" in text and "optimal" not in text and "5.0000 USD per 1,000" in text


def test_a_proposal_scores_what_eval_says_of_it(leeroo, subjects):
    for share in ("0.5", "0.2"):
        said = read(leeroo, "select", subjects, "-k", 2, "--routed", "--at", share, "--seed", 4)
        plain = proposal(said, "the most accurate")
        assert plain["set"] == ["dear", "fair"]
        assert plain["score"] == pytest.approx(eval_at(leeroo, subjects, plain["set"], share, "dear", 4), abs=1e-6)


def test_a_budget_is_a_share_or_money(leeroo, subjects):
    shared = read(leeroo, "select", subjects, "-k", 3, "--routed", "--at", "0.3")
    paid = read(leeroo, "select", subjects, "-k", 3, "--routed", "--max-cost", "3")
    assert shared["set"] == paid["set"]
    assert shared["routed"] == paid["routed"]


def test_a_kept_member_may_cost_more_than_routing_spends(leeroo, subjects):
    """What is limited is what routing spends, not what asking every member everything costs."""
    said = read(leeroo, "select", subjects, "-k", 2, "--routed", "--max-cost", "3", "--keep", "dear")
    assert said["set"][0] == "dear" and said["usd_per_1k"] > 3
    below = read(leeroo, "select", subjects, "-k", 2, "--routed", "--max-cost", "0.5")
    assert 0 < below["achieves"] <= 0.5 + 1e-6  # half of the questions are paid for


def test_candidates_that_are_never_right_are_no_set(leeroo, subjects):
    rows = (subjects / "outcomes.csv").read_text().splitlines()
    wrong = [r.split(",") for r in rows[1:]]
    (subjects / "outcomes.csv").write_text("\n".join([rows[0], *(f"{r[0]},{r[1]},0,{r[3]}" for r in wrong)]) + "\n")
    done = run(leeroo, "select", subjects, "-k", 2, "--routed")
    assert done.returncode == 1 and "no candidate is right" in done.stderr and "expert ''" not in done.stderr


@pytest.mark.parametrize("argv, code, words", [
    (["--at", "0.3"], 2, "--routed"),
    (["--routed", "--at", "0.3", "--max-cost", "1"], 2, "one of them"),
    (["--routed", "--at", "0"], 2, "--at"),
    (["--routed", "--at", "nan"], 2, "--at"),
    (["--routed", "--plans"], 1, "responses/"),
])
def test_what_cannot_be_is_said(leeroo, subjects, argv, code, words):
    done = run(leeroo, "select", subjects, *argv)
    assert done.returncode == code and words in done.stderr and done.stdout == ""


def test_a_candidate_without_costs_is_no_reason_for_nonsense(leeroo, subjects):
    rows = (subjects / "outcomes.csv").read_text().splitlines()
    (subjects / "outcomes.csv").write_text("\n".join(r.rsplit(",", 1)[0] + "," if ",poet," in r else r for r in rows) + "\n")
    (subjects / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\ndear,9,9\nfair,1,1\nmathy,1,1\npoet,,\n")
    done = run(leeroo, "select", subjects, "--routed", "-k", 2)
    assert done.returncode == 1 and "poet" in done.stderr


def test_recorded_outcomes(leeroo):
    """The chosen set is no worse than the sets that a person would name, by folds that it was not chosen by."""
    data = DATA / "livecodebench"
    if not data.exists():
        pytest.skip("no data")
    said = read(leeroo, "select", data, "-k", 4, "--routed", "--at", "0.35")
    reference = said["best_single"]
    chosen = eval_at(leeroo, data, said["set"], "0.35", reference, 1)
    for name in ("the most accurate", "the cheapest on the frontier"):
        assert chosen > eval_at(leeroo, data, proposal(said, name)["set"], "0.35", reference, 1)
