"""leeroo eval --verify-column from outside: every verified plan walked again from outcomes.csv."""

import csv
import json
import random

import pytest

from routing import run

AGENTS = {"tiny": (0.35, 0.02), "small": (0.45, 0.05), "middle": (0.6, 0.2), "large": (0.72, 1.0)}  # right, USD


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Tasks whose texts tell nothing, with a difficulty that all agents share, and what tests said of each answer."""
    folder, rng = tmp_path_factory.mktemp("checked") / "data", random.Random(7)
    folder.mkdir()
    rows = [["id", "model", "score", "cost_usd", "input_tokens", "output_tokens", "tests"]]
    with open(folder / "queries.jsonl", "w") as f:
        for i in range(600):
            f.write(json.dumps({"id": f"t{i}", "text": " ".join(str(rng.randrange(10**6)) for _ in range(12))}) + "\n")
            ease = rng.uniform(-0.35, 0.35)
            for name, (right, usd) in AGENTS.items():
                score = int(rng.random() < right + ease)
                tests = "" if rng.random() < 0.03 else score if rng.random() > 0.1 else 1 - score
                rows.append([f"t{i}", name, score, f"{usd * rng.uniform(0.7, 1.3):.6f}", 100, 50, tests])
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\n" +
                                        "".join(f"{n},{usd * 5000},{usd * 10000}\n" for n, (_, usd) in AGENTS.items()))
    with open(folder / "outcomes.csv", "w", newline="") as f:
        csv.writer(f).writerows(rows)
    return folder


def outcomes(data):
    with open(data / "outcomes.csv", newline="") as f:
        return {(r["id"], r["model"]): r for r in csv.DictReader(f)}


def evaluate(leeroo, data, *argv):
    done = run(leeroo, "eval", "--folds", "2", data, "--bootstrap", "0", "--json", *argv)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def decisions(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def walk(rows, recorded, price, says):
    """Holds each verified plan to the answers and the check; returns how many there were."""
    count = 0
    for row in rows:
        if not row["plan"].startswith("verified("):
            assert row["passed"] == ""
            continue
        count += 1
        members, asked, stood, cost = row["plan"][9:-1].split("→"), [], None, 0.0
        assert len(set(members)) == len(members)
        for name in members:
            asked.append(name)
            cost += float(recorded[row["id"], name]["cost_usd"]) + price
            verdict = says(row["id"], name)
            if verdict != "0":
                stood = (name, verdict)
                break
        assert row["calls"] == "+".join(asked)
        assert float(row["cost_usd"]) == pytest.approx(cost, abs=1e-9)
        assert float(row["score"]) == float(recorded[row["id"], row["answered"]]["score"])
        assert row["passed"] == (stood[0] if stood and stood[1] == "1" else "")
        if stood:
            assert row["answered"] == stood[0]
    return count


def test_a_perfect_check_is_many_times_cheaper_than_the_best_single(leeroo, data, tmp_path):
    out = tmp_path / "d.csv"
    report = evaluate(leeroo, data, "--verify-column", "score", "--decisions", out, "--at", "0.05,0.1,0.3,1")
    recorded = outcomes(data)
    assert walk(decisions(out), recorded, 0, lambda i, e: recorded[i, e]["score"]) > 1000
    verified = report["verified"]
    assert verified["believed"] == [{"false_pass": 0, "false_alarm": 0}] * 2
    single = verified["best_single"]
    assert single["accuracy"] == pytest.approx(report["baselines"]["best_single"]["accuracy"])
    assert single["times_cheaper"] == pytest.approx(single["usd"] / single["reached_at_usd"])
    assert single["times_cheaper"] > 3
    assert single["wrong_of_passed"] == 0
    for at in verified["at_cost"]:
        rows = [r for r in decisions(out) if r["operating_point"] == f"{at['fraction']:.6g}"]
        weight = sum(float(r["weight"]) for r in rows)
        calls = sum(float(r["weight"]) * (r["calls"].count("+") + 1) for r in rows)
        passed = sum(float(r["weight"]) * bool(r["passed"]) for r in rows)
        assert at["calls"] == pytest.approx(calls / weight)
        assert at["passed"] == pytest.approx(passed / weight)
    plans = [p["name"] for p in report["plans"]]
    assert plans == [f"verified {n}" for n in range(1, 11)]


def test_a_column_says_what_passes_and_checks_cost(leeroo, data, tmp_path):
    out = tmp_path / "d.csv"
    report = evaluate(leeroo, data, "--verify-column", "tests", "--verify-price", "0.01", "--decisions", out)
    recorded = outcomes(data)
    assert walk(decisions(out), recorded, 0.01, lambda i, e: recorded[i, e]["tests"]) > 500
    verified = report["verified"]
    assert verified["check_usd"] == 0.01
    for half in verified["believed"]:
        assert half["false_pass"] == pytest.approx(0.1, abs=0.03)
        assert half["false_alarm"] == pytest.approx(0.1, abs=0.03)
    assert any(at["check_down"] > 0 for at in verified["at_cost"])
    assert any(at["wrong_of_passed"] > 0.02 for at in verified["at_cost"])


def test_errors_are_turned_by_the_seed_and_cost_accuracy(leeroo, data, tmp_path):
    out = tmp_path / "d.csv"
    reports = {p: evaluate(leeroo, data, "--verify-column", "score", "--verify-errors", p, "--seed", "3",
                           "--decisions", out) for p in ("0", "0.05", "0.2")}
    assert evaluate(leeroo, data, "--verify-column", "score", "--verify-errors", "0.2", "--seed", "3") == reports["0.2"]
    at_all = {p: r["curve"][-1]["accuracy"] for p, r in reports.items()}
    assert at_all["0"] > at_all["0.05"] > at_all["0.2"]
    recorded, said = outcomes(data), {}
    for row in decisions(out):  # of 0.2: what the check says of an answer is the same wherever it is asked
        if row["plan"].startswith("verified("):
            for name in row["calls"].split("+"):
                passes = name == row["passed"]
                assert said.setdefault((row["id"], name), passes) == passes
    wrong = [k for k, passes in said.items() if passes != (recorded[k]["score"] == "1")]
    assert len(wrong) / len(said) == pytest.approx(0.2, abs=0.03)
    apart = evaluate(leeroo, data, "--verify-column", "score", "--verify-errors", "0,0.3")
    assert [b["false_pass"] for b in apart["verified"]["believed"]] == [0, 0]
    assert apart["verified"]["believed"][0]["false_alarm"] == pytest.approx(0.3, abs=0.04)


def test_with_a_model_file_in_words_and_on_the_page(leeroo, data, tmp_path):
    model, page = tmp_path / "m.leeroo", tmp_path / "r.html"
    done = run(leeroo, "train", data, "-o", model, "-q")
    assert done.returncode == 0, done.stderr
    done = run(leeroo, "eval", model, data, "--bootstrap", "0", "--verify-column", "score", "--report", page)
    assert done.returncode == 0, done.stderr
    assert "times cheaper" in done.stdout and "verified 10" in done.stdout
    text = page.read_text()
    assert "Answers that are checked" in text and "times cheaper" in text
    done = run(leeroo, "eval", model, data, "--bootstrap", "0")
    assert "verified" not in done.stdout
    assert json.loads(run(leeroo, "eval", model, data, "--bootstrap", "0", "--json").stdout)["verified"] is None


@pytest.mark.parametrize("argv, code, words", [
    (["--verify-column", "lint"], 1, "no column 'lint'; the header is: id,model,score"),
    (["--verify-column", "model"], 1, "outcomes.csv:2:4: 'tiny' is not what a check says: 1 (it passes)"),
    (["--verify-errors", "0.1"], 2, "name its column, --verify-column score"),
    (["--verify-price", "0.1"], 2, "name its column, --verify-column score"),
    (["--verify-column", "score", "--verify-errors", "20%"], 2, "a share up to 0.5"),
    (["--verify-column", "score", "--verify-errors", "0.1,0.7"], 2, "0.05,0.2"),
    (["--verify-column", "score", "--verify-price", "free"], 2, "USD for one check"),
    (["--verify-column", "score", "--experts", "tiny"], 1, "name more with --experts"),
])
def test_what_will_not_do_is_said_with_the_mend(leeroo, data, argv, code, words):
    done = run(leeroo, "eval", "--folds", "2", data, "--bootstrap", "0", *argv)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
