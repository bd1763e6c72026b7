"""leeroo route from outside: its lines, its policies, its errors."""

import gzip
import json
import math
import os
import re
import subprocess

import pytest

from routing import EXPERTS, read_outcomes, route, run, write_dataset


@pytest.fixture(scope="module")
def trained(leeroo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("route")
    model = folder / "m.leeroo"
    done = run(leeroo, "train", write_dataset(folder / "train", 3000, 1), "-o", model)
    assert done.returncode == 0, done.stderr
    return model


@pytest.fixture(scope="module")
def queries(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("queries"), 2000, 2) / "queries.jsonl"


def test_fields_are_exact_and_in_order(leeroo, trained, queries):
    done = run(leeroo, "route", trained, queries, "--lambda", "12.5")
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    ids = [json.loads(line)["id"] for line in open(queries)]
    assert len(lines) == len(ids)
    for line, query_id in zip(lines, ids):
        pairs = json.loads(line, object_pairs_hook=list)
        row = json.loads(line)
        assert 0 < row.get("unfamiliar", 1) <= 1
        assert [k for k, _ in pairs if k not in ("unfamiliar", "weighed_usd")] == ["id", "plan", "expert", "quality", "cost_usd", "lambda", "estimates"]
        assert row["id"] == query_id and row["plan"] == "single" and row["lambda"] == 12.5
        assert set(row["estimates"]) == set(EXPERTS)
        assert row["estimates"][row["expert"]] == [row["quality"], row["cost_usd"]]
        assert all(0 <= q <= 1 and c >= 0 for q, c in row["estimates"].values())
        assert len(re.findall(r"[0-9]\.[0-9]{9}(?=[,\]])", line)) >= 1 + len(EXPERTS)


@pytest.mark.parametrize("weight", [0, 10, 100, 1000, 1e6])
def test_the_choice_has_the_highest_utility(leeroo, trained, queries, weight):
    for row in route(leeroo, trained, queries, "--lambda", weight):
        utility = {n: q - weight * c for n, (q, c) in row["estimates"].items()}
        assert utility[row["expert"]] >= max(utility.values()) - 1e-6


def test_lambda_trades_quality_for_money(leeroo, trained, queries):
    means = []
    for weight in [0, 30, 300, 1e7]:
        rows = route(leeroo, trained, queries, "--lambda", weight)
        means.append((sum(r["quality"] for r in rows), sum(r["cost_usd"] for r in rows)))
    assert all(a[0] >= b[0] and a[1] >= b[1] for a, b in zip(means, means[1:]))
    assert means[0][1] > 5 * means[-1][1]
    assert route(leeroo, trained, queries) == route(leeroo, trained, queries, "--lambda", 0)


def test_it_learned_something(leeroo, trained, queries):
    rows = route(leeroo, trained, queries)
    domains = [json.loads(line)["domain"] for line in open(queries)]
    for topic, skill in [("greeting", 0.95), ("algebra", 0.15)]:
        got = [r["estimates"]["small"][0] for r, d in zip(rows, domains) if d == topic]
        assert abs(sum(got) / len(got) - skill) < 0.08


def test_min_quality_takes_the_cheapest_good_enough(leeroo, trained, queries):
    for wanted in [0, 0.3, 0.8, 1]:
        for row in route(leeroo, trained, queries, "--min-quality", wanted):
            good = {n: c for n, (q, c) in row["estimates"].items() if q >= wanted}
            if good:
                assert row["cost_usd"] == min(good.values())
            else:
                assert row["quality"] == max(q for q, _ in row["estimates"].values())


def test_max_cost_is_a_hard_cap(leeroo, trained, queries):
    cap = sorted(r["cost_usd"] for r in route(leeroo, trained, queries))[1000]
    for policy in [(), ("--lambda", 20), ("--min-quality", 0.9), ("--budget", 0.1)]:
        rows = route(leeroo, trained, queries, "--max-cost", f"{cap:.9f}", *policy)
        assert max(r["cost_usd"] for r in rows) <= cap


def test_nobody_affordable_is_said_and_not_dropped(leeroo, trained, queries):
    done = run(leeroo, "route", trained, queries, "--max-cost", "0.000000001")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and len(rows) == 2000 and "2000 of the queries" in done.stderr
    assert {(r["plan"], r["expert"], r["quality"], r["cost_usd"]) for r in rows} == {("none", None, None, None)}


def test_budget_holds_the_mean_predicted_cost(leeroo, trained, queries):
    dear = sum(r["estimates"]["large"][1] for r in route(leeroo, trained, queries)) / 2000 * 1000
    for share in [0.15, 0.3, 0.5, 0.7]:
        rows = route(leeroo, trained, queries, "--budget", dear * share)
        spent = sum(r["cost_usd"] for r in rows) / len(rows) * 1000
        assert abs(spent / (dear * share) - 1) < 0.02, share
        assert all(math.isfinite(r["lambda"]) and r["lambda"] >= 0 for r in rows)


def test_budget_beyond_what_can_be_spent_is_best_quality(leeroo, trained, queries):
    rich = route(leeroo, trained, queries, "--budget", 1e6)
    best = route(leeroo, trained, queries)
    assert [r["expert"] for r in rich] == [r["expert"] for r in best]


def test_experts_restricts_the_choice(leeroo, trained, queries):
    for row in route(leeroo, trained, queries, "--experts", "large,small"):
        assert set(row["estimates"]) == {"small", "large"} and row["expert"] in row["estimates"]


def test_file_gzip_dash_and_pipe_are_alike(leeroo, trained, queries, tmp_path):
    text = queries.read_text()
    packed = tmp_path / "queries.jsonl.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    want = run(leeroo, "route", trained, queries).stdout
    assert run(leeroo, "route", trained, packed).stdout == want
    assert run(leeroo, "route", trained, "-", stdin=text).stdout == want
    assert run(leeroo, "route", trained, stdin=text).stdout == want


def test_answers_come_line_by_line(leeroo, trained):
    with subprocess.Popen([leeroo, "route", str(trained)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as p:
        for i in range(3):
            p.stdin.write(json.dumps({"id": str(i), "text": f"hello {i}"}) + "\n")
            p.stdin.flush()
            assert json.loads(p.stdout.readline())["id"] == str(i)
        p.stdin.close()
        assert p.wait(20) == 0


def test_choices_are_part_of_the_prompt(leeroo, trained):
    lines = [{"text": "prove it", "choices": ["ring", "field"]}, {"text": "prove it\nA. ring\nB. field"},
             {"text": "prove it"}]
    done = run(leeroo, "route", trained, stdin="\n".join(map(json.dumps, lines)) + "\n\n")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["id"] for r in rows] == ["1", "2", "3"], "the number of the line stands in for an id"
    assert rows[0]["estimates"] == rows[1]["estimates"] != rows[2]["estimates"]


@pytest.mark.parametrize("bad,place", [
    ('{"id": "x", "text": 1}', "queries.jsonl:3:21:"),
    ('{"id": "x"}', "queries.jsonl:3:1:"),
    ('{"id": "x", "text": "t"', "queries.jsonl:3:24:"),
    ("[]", "queries.jsonl:3:1:"),
    ('{"text": "t", "choices": [1]}', "queries.jsonl:3:27:"),
])
def test_a_bad_line_is_named_and_ends_the_run(leeroo, trained, tmp_path, bad, place):
    path = tmp_path / "queries.jsonl"
    path.write_text('{"id": "a", "text": "one"}\n\n' + bad + '\n{"id": "b", "text": "two"}\n')
    done = run(leeroo, "route", trained, path)
    assert done.returncode == 1 and place in done.stderr, done.stderr
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["a"]


def test_wrong_usage(leeroo, trained, queries):
    for options in [("--lambda", 1, "--budget", 1), ("--budget", 1, "--min-quality", 0.5),
                    ("--lambda", 1, "--min-quality", 0.5), ("--lambda", -1), ("--lambda", "nan"), ("--lambda", "x"),
                    ("--min-quality", 1.5), ("--budget", 0), ("--max-cost", -1), ("--what", 1), ("--lambda",)]:
        done = run(leeroo, "route", trained, queries, *options)
        assert done.returncode == 2 and done.stdout == "" and done.stderr, options
    assert run(leeroo, "route").returncode == 2
    assert run(leeroo, "route", trained, queries, "more").returncode == 2
    done = run(leeroo, "route", "-h")
    assert done.returncode == 0 and "--min-quality" in done.stdout


def test_what_is_not_there(leeroo, trained, queries, tmp_path):
    done = run(leeroo, "route", trained, queries, "--experts", "small,huge")
    assert done.returncode == 1 and "'huge'" in done.stderr and "middle" in done.stderr
    assert run(leeroo, "route", tmp_path / "none", queries).returncode == 1
    assert run(leeroo, "route", trained, tmp_path / "none").returncode == 1
    assert run(leeroo, "route", queries, queries).returncode == 1


def test_a_full_disk_is_an_error(leeroo, trained, queries):
    with open("/dev/full", "w") as full:
        done = subprocess.run([leeroo, "route", str(trained), str(queries)], stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=60)
    assert done.returncode == 1 and "standard output" in done.stderr


def test_a_model_that_is_cut_meanwhile_decides_on(leeroo, trained, tmp_path):
    """What decides is a copy: whatever is done to the file, a run that has begun is not ended (SIGBUS) nor misled."""
    model = tmp_path / "m"
    model.write_bytes(trained.read_bytes())
    p = subprocess.Popen([leeroo, "route", str(model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = '{"id": "a", "text": "prove the lemma"}\n'
    answers = []
    for change in (lambda: None, lambda: model.write_bytes(b"\xff" * 5_000_000), lambda: os.truncate(model, 0)):
        change()
        p.stdin.write(line)
        p.stdin.flush()
        answers.append(p.stdout.readline())
    p.stdin.close()
    assert p.wait(20) == 0 and answers[0] and len(set(answers)) == 1


def test_far_from_training_it_decides_as_a_mix_of_experts(leeroo, trained, queries, tmp_path):
    """Foreign texts all have the experts' averages, whatever they say; known ones are estimated one by one."""
    texts = ["def f(x):\\n    return [y ** 2 for y in x if y % 3 == 0]  # TODO: f(None) -> []", "Qwzx ploomf! Grrbl, snarfk? Vexomun; trizzle-pnakt",
             "SELECT a, b FROM t WHERE c > 17 AND d LIKE '%e%' GROUP BY a, b HAVING COUNT(*) > 1;"]
    foreign = tmp_path / "foreign.jsonl"
    foreign.write_text("".join(json.dumps({"id": f"f{i}", "text": t}) + "\n" for i, t in enumerate(texts)))
    rows = route(leeroo, trained, foreign, "--lambda", 0)
    assert [row["unfamiliar"] for row in rows] == [1] * len(texts)
    scores = list(read_outcomes(trained.parent / "train").values())
    for row in rows:
        for name, (quality, _) in row["estimates"].items():
            assert quality == pytest.approx(sum(score[name][0] for score in scores) / len(scores), abs=1e-4)
    assert len({json.dumps(row["weighed_usd"]) for row in rows}) == 1 < len({row["estimates"]["small"][1] for row in rows})
    known = route(leeroo, trained, queries)
    assert sum("unfamiliar" in row for row in known) < len(known) / 25
    assert len({row["estimates"]["small"][0] for row in known}) > len(known) / 2
