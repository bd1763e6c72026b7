"""Plans from outside: found by train, named, chosen by route, measured by eval."""

import csv
import io
import json
import random

import pytest

from routing import route, run

EXPERTS = {"weak-a": ("1.5", "1.5"), "weak-b": ("1", "1"), "strong": ("12", "12")}
PANEL = "panel(weak-b,weak-a→strong)"  # the least accurate first


def write_dataset(folder, count, seed, texts=True):
    """The weak agree on 60 % of the questions and just there both are right; the strong one is right on all others."""
    rng = random.Random(seed)
    folder.mkdir(parents=True)
    queries, rows, responses = [], [], {name: [] for name in EXPERTS}
    for i in range(count):
        agree, key, id = rng.random() < 0.6, rng.randrange(4), f"{seed}-{i}"
        queries.append({"id": id, "text": f"question {rng.randrange(10**6)} of {seed}-{i}?", "answer": "ABCD"[key],
                        "choices": ["red", "green", "blue", "grey"]})
        right = [agree or rng.random() < 0.4, agree, not agree or rng.random() < 0.7]
        for e, (name, (inp, out)) in enumerate(EXPERTS.items()):
            tokens = rng.randint(80, 120), rng.randint(80, 120)
            cost = tokens[0] * float(inp) + tokens[1] * float(out)
            rows.append([id, name, int(right[e]), f"{cost / 1e6:.9f}", *tokens])
            letter = "ABCD"[key if right[e] else (key + 1 + e) % 4]
            responses[name].append({"id": id, "text": f"So {'well ' * rng.randrange(9)}the answer is ({letter})."})
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    (folder / "experts.csv").write_text(
        "model,usd_per_m_input,usd_per_m_output\n" + "".join(f"{n},{i},{o}\n" for n, (i, o) in EXPERTS.items()))
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([["id", "model", "score", "cost_usd", "input_tokens",
                                                       "output_tokens"], *rows])
    (folder / "outcomes.csv").write_text(table.getvalue())
    if texts:
        (folder / "responses").mkdir()
        for name, lines in responses.items():
            (folder / "responses" / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in lines))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("plans")


@pytest.fixture(scope="module")
def dataset(folder):
    return write_dataset(folder / "data", 600, 1)


@pytest.fixture(scope="module")
def held_out(folder):
    return write_dataset(folder / "held-out", 300, 2)


def train(leeroo, dataset, path, *options):
    done = run(leeroo, "train", dataset, "-o", path, *options)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def found(leeroo, dataset, folder):
    """The model and what train printed."""
    done = train(leeroo, dataset, folder / "found")
    return folder / "found", done.stderr


def arms(leeroo, model, dataset):
    return set(route(leeroo, model, dataset / "queries.jsonl")[0]["estimates"])


def test_train_finds_the_panel_and_prints_it(found):
    _, text = found
    lines = text.split("combinations tried")[1].splitlines()
    row = next(line for line in lines if line.startswith(PANEL + " "))
    agree, right = [float(share) / 100 for share in row.split("%")[0:2] for share in [share.split()[-1]]]
    assert agree == pytest.approx(0.6, abs=0.06) and right == 1
    shares = [line for line in lines if line.startswith(PANEL[:-1] + " ~")]
    assert shares and all(line.count("%") == 3 for line in shares)


def test_columns_are_as_wide_as_the_longest_name(found):
    _, text = found
    table = text.split("combinations tried")[1].split("\n\n")[2].splitlines()
    head, rows = table[0], [line for line in table[1:] if line]
    assert rows and len({len(line.encode().decode()) for line in [head, *rows]}) == 1, text


def test_the_same_seed_gives_the_same_plans(leeroo, dataset, found, tmp_path):
    train(leeroo, dataset, tmp_path / "again", "-q")
    assert (tmp_path / "again").read_bytes() == found[0].read_bytes()


def test_json_lists_the_plans(leeroo, dataset, found, tmp_path):
    report = json.loads(train(leeroo, dataset, tmp_path / "m", "--json").stdout)
    assert {p["name"] for p in report["plans"]} | set(EXPERTS) == arms(leeroo, tmp_path / "m", dataset)
    by_name = {p["name"]: p for p in report["plans"]}
    for p in report["plans"]:
        assert p.keys() == {"name", "accuracy", "usd_per_1k", "calls", "escalated", "gain"}
        assert 0 <= p["accuracy"] <= 1 and 0 <= p["escalated"] <= 1 and p["usd_per_1k"] > 0
    assert by_name[PANEL]["accuracy"] == 1
    # every call paid: the two weak ones always, the strong one where they differ
    rows = list(csv.DictReader((dataset / "outcomes.csv").open()))
    table = {}
    for row in rows:
        table.setdefault(row["id"], {})[row["model"]] = row
    cost = sum(sum(float(q[n]["cost_usd"]) for n in EXPERTS if n != "strong" or q["weak-b"]["score"] == "0")
               for q in table.values())
    assert by_name[PANEL]["usd_per_1k"] == pytest.approx(1000 * cost / len(table), rel=1e-6)


def test_none_learns_none(leeroo, dataset, tmp_path):
    done = train(leeroo, dataset, tmp_path / "m", "--plans", "none")
    assert "combinations" not in done.stderr
    assert arms(leeroo, tmp_path / "m", dataset) == set(EXPERTS)
    report = json.loads(train(leeroo, dataset, tmp_path / "m", "--plans", "none", "--json").stdout)
    assert report["plans"] == []


@pytest.mark.parametrize("arrow", ["->", "→"])
def test_named_plans_are_learnt(leeroo, dataset, tmp_path, arrow):
    train(leeroo, dataset, tmp_path / "m", "--plans", f"cascade( weak-b {arrow} strong )", "-q")
    names = arms(leeroo, tmp_path / "m", dataset) - set(EXPERTS)
    assert names and all(name.startswith("cascade(weak-b→strong ~") for name in names)


@pytest.mark.parametrize("plans, words", [
    ("panel(weak-a,huge->strong)", "there is no expert 'huge'"),
    ("panel(weak-a->strong)", "is no plan"),
    ("cascade(strong->strong)", "twice"),
    ("all", "is no plan"),
])
def test_a_bad_name_is_refused(leeroo, dataset, tmp_path, plans, words):
    done = run(leeroo, "train", dataset, "-o", tmp_path / "m", "--plans", plans)
    assert done.returncode == 1 and words in done.stderr and done.stdout == ""
    assert not (tmp_path / "m").exists()


def test_plans_need_texts(leeroo, tmp_path):
    bare = write_dataset(tmp_path / "bare", 200, 3, texts=False)
    done = run(leeroo, "train", bare, "-o", tmp_path / "m", "--plans", "panel(weak-a,weak-b->strong)")
    assert done.returncode == 1 and "responses/" in done.stderr and not (tmp_path / "m").exists()
    train(leeroo, bare, tmp_path / "m")
    assert arms(leeroo, tmp_path / "m", bare) == set(EXPERTS)
    (bare / "responses").mkdir()
    for name in EXPERTS:
        (bare / "responses" / f"{name}.jsonl").write_text('{"id": "3-1", "text": "The answer is (A)."}\n')
    done = run(leeroo, "train", bare, "-o", tmp_path / "n", "--plans", "panel(weak-a,weak-b->strong)")
    assert done.returncode == 1 and "only 1 queries" in done.stderr and not (tmp_path / "n").exists()


def test_answers_without_texts_give_no_plans(leeroo, dataset, tmp_path):
    """`leeroo judge` writes the column `answer`; an escalation needs the texts, too."""
    done = run(leeroo, "judge", dataset, "-o", tmp_path / "judged")
    assert done.returncode == 0, done.stderr
    for file in (tmp_path / "judged").glob("responses/*"):
        file.unlink()
    train(leeroo, tmp_path / "judged", tmp_path / "m")
    assert arms(leeroo, tmp_path / "m", dataset) == set(EXPERTS)


def test_route_chooses_among_plans(leeroo, dataset, held_out, found):
    queries = held_out / "queries.jsonl"
    every = route(leeroo, found[0], queries, "--lambda", "20")
    assert {d["plan"] for d in every} - {"single"}
    for d in every:
        if d["plan"] != "single":
            assert d["expert"] in EXPERTS and [d["quality"], d["cost_usd"]] == d["estimates"][d["plan"]]
    single = route(leeroo, found[0], queries, "--lambda", "20", "--plans", "none")
    assert {d["plan"] for d in single} == {"single"}
    assert all(set(d["estimates"]) == set(EXPERTS) for d in single)
    named = route(leeroo, found[0], queries, "--plans", "panel( weak-b, weak-a -> strong )")
    assert all(set(d["estimates"]) - set(EXPERTS) and
               all(n.startswith(PANEL[:-1]) for n in set(d["estimates"]) - set(EXPERTS)) for d in named)
    pair = route(leeroo, found[0], queries, "--experts", "weak-a,strong", "--plans", "panel")
    assert all(set(d["estimates"]) == {"weak-a", "strong"} for d in pair)


def test_route_names_the_plans_there_are(leeroo, held_out, found):
    done = run(leeroo, "route", found[0], held_out / "queries.jsonl", "--plans", "panel(weak-a,strong->weak-b)")
    assert done.returncode == 1 and "no plan 'panel(weak-a,strong->weak-b)'" in done.stderr and PANEL[:-1] in done.stderr
    assert done.stdout == ""


def test_eval_with_and_without_plans(leeroo, held_out, found):
    done = run(leeroo, "eval", found[0], held_out, "--bootstrap", "0")
    assert done.returncode == 0 and PANEL[:-1] in done.stdout and "note:" not in done.stderr
    done = run(leeroo, "eval", found[0], held_out, "--bootstrap", "0", "--plans", "none")
    assert done.returncode == 0 and "panel(" not in done.stdout
    done = run(leeroo, "eval", found[0], held_out, "--plans", "panel(strong,weak-a->weak-b)")
    assert done.returncode == 1 and "no plan" in done.stderr


def decided(leeroo, model, data, path, *options):
    """Mean score and cost of the decisions at three quarters of the strong one's cost."""
    done = run(leeroo, "eval", model, data, "--bootstrap", "0", "--decisions", path, "--at", "0.75", *options)
    assert done.returncode == 0, done.stderr
    rows = [row for row in csv.DictReader(path.open()) if row["operating_point"] == "0.75"]
    total = sum(float(row["weight"]) for row in rows)
    return [sum(float(row["weight"]) * float(row[key]) for row in rows) / total for key in ["score", "cost_usd"]]


def test_plans_are_worth_it_on_questions_kept_elsewhere(leeroo, held_out, found, tmp_path):
    """The panel is right on all questions for less than three quarters of the strong one, who is right on 82 %."""
    score, cost = decided(leeroo, found[0], held_out, tmp_path / "plans.csv")
    assert score > 0.97
    alone, cost_alone = decided(leeroo, found[0], held_out, tmp_path / "none.csv", "--plans", "none")
    assert alone < 0.87 and cost <= cost_alone * 1.01
    # every call of a panel is paid, as recorded
    recorded = {}
    for row in csv.DictReader((held_out / "outcomes.csv").open()):
        recorded[row["id"], row["model"]] = row
    seen = 0
    for row in csv.DictReader((tmp_path / "plans.csv").open()):
        if row["plan"] == PANEL:
            agree = recorded[row["id"], "weak-b"]["score"] == "1"
            calls = ["weak-b", "weak-a"] + ([] if agree else ["strong"])
            paid = sum(float(recorded[row["id"], name]["cost_usd"]) for name in calls)
            assert float(row["cost_usd"]) == pytest.approx(paid, abs=2e-9)
            assert row["answered"] == ("weak-b" if agree else "strong")
            seen += 1
    assert seen


def test_eval_says_when_texts_are_missing(leeroo, found, tmp_path):
    bare = write_dataset(tmp_path / "bare", 100, 4, texts=False)
    done = run(leeroo, "eval", found[0], bare, "--bootstrap", "0")
    assert done.returncode == 0, done.stderr
    assert "plans of" in done.stderr and "are left out" in done.stderr and "responses/" in done.stderr
    assert "panel(" not in done.stdout
