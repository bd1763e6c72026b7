"""leeroo enroll from outside: an expert joins by few outcomes, nobody else changes, and what to ask is said."""

import csv
import hashlib
import json
import shutil

import pytest

from routing import estimates, route, run, train
from test_plans import write_dataset
from test_train import read_header

NEW = "newcomer"


def read(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("enroll")


@pytest.fixture(scope="module")
def dataset(folder):
    return write_dataset(folder / "data", 600, 1)


@pytest.fixture(scope="module")
def trained(leeroo, dataset, folder):
    return train(leeroo, dataset, folder / "m.leeroo")


@pytest.fixture(scope="module")
def few(dataset, folder):
    """120 outcomes of a newcomer that does as `strong` does, at another price, beside those of the others."""
    path = folder / "few"
    path.mkdir()
    shutil.copy(dataset / "queries.jsonl", path)
    rows = read(dataset / "outcomes.csv")
    of = [row for row in rows if row["model"] == "strong"][:120]
    ids = {row["id"] for row in of}
    with open(path / "outcomes.csv", "w") as f:
        f.write("id,model,score,cost_usd\n")
        for row in [row for row in rows if row["id"] in ids]:
            f.write(f"{row['id']},{row['model']},{row['score']},{row['cost_usd']}\n")
        for row in of:
            f.write(f"{row['id']},{NEW},{row['score']},{row['cost_usd']}\n")
    with open(path / "experts.csv", "w") as f:
        f.write((dataset / "experts.csv").read_text() + f"{NEW},2,4\n")
    return path


@pytest.fixture
def model(trained, tmp_path):
    return shutil.copy2(trained, tmp_path / "m.leeroo")


def enroll(leeroo, *arguments):
    return run(leeroo, "enroll", *arguments)


def plans(path):
    return len(json.loads(read_header(path)[0]["__metadata__"]["plans"]))


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_joins_and_the_others_stay_as_they_are(leeroo, model, trained, dataset, few, tmp_path):
    before = estimates(leeroo, model, dataset)
    done = enroll(leeroo, model, "--expert", NEW, few, "-o", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["outcomes"], said["compared"], said["replaced"]) == (120, 120, False)
    assert 0.5 < said["accuracy"] < 0.99 and 0 < said["accuracy_sd"] < 0.1
    assert digest(model) == digest(trained)
    after = estimates(leeroo, tmp_path / "out", dataset)
    assert [{k: v for k, v in row.items() if k != NEW} for row in after] == before
    assert all(NEW in row for row in after)
    mean = sum(row[NEW][0] - row["strong"][0] for row in after) / len(after)
    assert abs(mean) < 0.12, "a copy of `strong` is estimated as that is"


def test_in_place_and_back(leeroo, model, trained, few):
    done = enroll(leeroo, model, "--expert", NEW, few)
    assert done.returncode == 0, done.stderr
    assert f"{NEW} joins 3 experts" in done.stdout and "120 outcomes of its own" in done.stdout
    assert "\n  before       placed by" in done.stdout and max(map(len, done.stdout.splitlines()[:7])) <= 80
    assert "rollback" in done.stdout and "decisions" in done.stdout
    assert digest(model.with_name("m.leeroo.previous")) == digest(trained)
    assert run(leeroo, "rollback", model).returncode == 0
    assert digest(model) == digest(trained)


def test_retired_again_the_decisions_are_the_old_ones(leeroo, model, dataset, few):
    before = route(leeroo, model, dataset / "queries.jsonl", "--lambda", "30")
    assert enroll(leeroo, model, "--expert", NEW, few, "-q").stdout == ""
    assert run(leeroo, "retire", model, "--expert", NEW).returncode == 0
    after = route(leeroo, model, dataset / "queries.jsonl", "--lambda", "30")
    assert [row["estimates"] for row in after] == [row["estimates"] for row in before]


def test_who_is_known_is_replaced_only_when_told(leeroo, model, few, trained):
    done = enroll(leeroo, model, "--expert", "strong", few)
    assert done.returncode == 1 and "--replace" in done.stderr
    assert digest(model) == digest(trained)
    done = enroll(leeroo, model, "--expert", "strong", few, "--replace", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["replaced"] and said["experts"] == 3 and said["outcomes"] == 120
    shutil.copy2(trained, model.with_name("again.leeroo"))
    told = enroll(leeroo, model.with_name("again.leeroo"), "--expert", "strong", few, "--replace")
    gone = plans(trained) - plans(model)
    assert gone > 0 and f"{gone} that asked it as it was fall" in told.stdout, told.stdout
    listed = enroll(leeroo, model, "--expert", "strong", few, "--replace", "--json")
    assert json.loads(listed.stdout)["experts"] == 3, "once more is no one more"


def test_who_is_enrolled_anew_is_asked_what_it_has_answered(leeroo, model, dataset):
    arguments = (model, "--expert", "strong", "--suggest", "20", "--from", dataset)
    done = enroll(leeroo, *arguments)
    assert done.returncode == 1 and "no question left to ask" in done.stderr, "its outcomes stand"
    done = enroll(leeroo, *arguments, "--replace")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 20, done.stderr


def test_a_name_that_is_nearly_right_is_not_placed_by_the_prior(leeroo, model, trained, few):
    done = enroll(leeroo, model, "--expert", "newcomr", few, "--price", "1/2")
    assert done.returncode == 1 and f"did you mean '{NEW}'?" in done.stderr
    assert digest(model) == digest(trained)


def test_a_question_of_one_choice_is_not_suggested(leeroo, model, tmp_path):
    lines = [{"id": f"q{n}", "text": f"What is {n} and {n}?", "choices": ["one", "two"][:2 - (n == 1)]} for n in range(3)]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = enroll(leeroo, model, "--expert", "other", "--price", "1/1", "--suggest", "3", "--from", tmp_path / "q.jsonl")
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(line)["id"] for line in done.stdout.splitlines()) == ["q0", "q2"]
    assert "only 2 of 3 questions are left to ask" in done.stderr


@pytest.mark.parametrize("name", ["queries.jsonl", "outcomes.csv", "experts.csv"])
def test_the_data_set_is_not_written_over(leeroo, model, few, name):
    before = digest(few / name)
    done = enroll(leeroo, model, "--expert", NEW, few, "-o", few / name)
    assert done.returncode == 2 and "is read here and would be written over" in done.stderr
    assert digest(few / name) == before


def test_without_outcomes_the_prior_says(leeroo, model, dataset, tmp_path):
    done = enroll(leeroo, model, "--expert", "gpt-4o-2024-05-13", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "no outcomes yet: placed" in done.stdout
    done = enroll(leeroo, model, "--expert", "unheard-of", dataset, "--price", "0.5/1.5", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "has no outcome of 'unheard-of'" in done.stderr and "placed by price" in done.stdout
    assert "0.5 and 1.5 USD" in done.stdout
    done = enroll(leeroo, model, "--expert", "unheard-of", "-o", tmp_path / "out")
    assert done.returncode == 1 and "--price" in done.stderr
    done = enroll(leeroo, model, "--expert", "unheard-of", "--price", "1/1", "--like", "strong", "-o",
                  tmp_path / "like")
    assert done.returncode == 0, done.stderr
    for row in estimates(leeroo, tmp_path / "like", dataset)[:20]:
        assert row["unheard-of"][0] == pytest.approx(row["strong"][0], abs=1e-4)


def test_what_to_ask(leeroo, model, dataset, few, tmp_path):
    ask = tmp_path / "ask.jsonl"
    done = enroll(leeroo, model, "--expert", NEW, few, "--price", "1/1", "--suggest", "50", "-o", ask, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    lines = [json.loads(line) for line in ask.read_text().splitlines()]
    assert [line["id"] for line in lines] == said["suggested"] and len(set(said["suggested"])) == 50
    asked = {row["id"] for row in read(few / "outcomes.csv") if row["model"] == NEW}
    assert not asked & set(said["suggested"]), "what it has answered is not asked again"
    assert not {item["id"] for item in said["broken"]} & set(said["suggested"])
    assert all(item["why"] in ("nobody", "backwards") for item in said["broken"])
    done = enroll(leeroo, model, "--expert", "other", "--price", "1/1", "--suggest", "5", "--from",
                  dataset / "queries.jsonl")
    assert done.returncode == 0, done.stderr
    assert [set(json.loads(line)) >= {"id", "text"} for line in done.stdout.splitlines()] == [True] * 5


@pytest.mark.parametrize("arguments, words", [
    ([], "--expert is missing"),
    (["--expert", "a b", "--price", "1/1"], "--expert 'a b'"),
    (["--expert", "x", "--price", "cheap"], "as in 0.15/0.6"),
    (["--expert", "x", "--from", "y"], "--from is for --suggest"),
    (["--expert", "x", "--suggest", "5"], "questions to choose from"),
])
def test_what_cannot_be(leeroo, model, trained, arguments, words):
    done = enroll(leeroo, model, *arguments)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    assert digest(model) == digest(trained)


def test_never_over_what_is_read(leeroo, model, few, trained):
    done = enroll(leeroo, model, "--expert", NEW, few, "-o", model)
    assert done.returncode == 2 and "without -o" in done.stderr
    queries = few / "queries.jsonl"
    before = queries.read_text()
    done = enroll(leeroo, model, "--expert", NEW, few, "--suggest", "5", "-o", queries)
    assert done.returncode == 2 and queries.read_text() == before
