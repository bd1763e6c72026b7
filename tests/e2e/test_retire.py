"""leeroo retire from outside: who is taken out is gone with its plans, and nothing else is otherwise."""

import datetime
import hashlib
import json
import shutil

import pytest

from routing import estimates, route, run, train
from test_plans import EXPERTS, write_dataset
from test_train import read_header


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("retire") / "data", 600, 1)


@pytest.fixture(scope="module")
def trained(leeroo, dataset):
    return train(leeroo, dataset, dataset.parent / "m.leeroo")


@pytest.fixture
def model(trained, tmp_path):
    return shutil.copy2(trained, tmp_path / "m.leeroo")


def retire(leeroo, *arguments):
    return run(leeroo, "retire", *arguments)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def metadata(path):
    return read_header(path)[0]["__metadata__"]


def without(row, name):
    return {key: value for key, value in row.items() if name not in key}


@pytest.mark.parametrize("name", EXPERTS)
def test_the_others_are_estimated_as_before(leeroo, model, dataset, tmp_path, name):
    before = estimates(leeroo, model, dataset)
    assert all(name in row for row in before)
    out = tmp_path / "out.leeroo"
    done = retire(leeroo, model, "--expert", name, "-o", out)
    assert done.returncode == 0, done.stderr
    after = estimates(leeroo, out, dataset)
    assert after == [without(row, name) for row in before]
    evaluated = run(leeroo, "eval", out, dataset, "--json")
    assert evaluated.returncode == 0, evaluated.stderr
    assert name not in [e["name"] for e in json.loads(evaluated.stdout)["experts"]]


def test_plans_that_fall_away_are_named(leeroo, model, tmp_path):
    plans = [plan["members"] for plan in json.loads(metadata(model)["plans"])]
    assert any("weak-b" in members for members in plans), "the data make no plan to lose"
    done = retire(leeroo, model, "--expert", "weak-b", "-o", tmp_path / "out", "--json")
    said = json.loads(done.stdout)
    assert said["retired"] == ["weak-b"]
    assert len(said["plans_gone"]) == sum("weak-b" in members for members in plans)
    assert (said["experts"], said["plans"]) == (2, sum("weak-b" not in members for members in plans))
    done = retire(leeroo, model, "--expert", "weak-b", "-o", tmp_path / "out")
    assert "weak-b is taken out" in done.stdout
    assert all(f"{plan} falls away" in done.stdout for plan in said["plans_gone"])
    assert retire(leeroo, model, "--expert", "weak-b", "-o", tmp_path / "out", "-q").stdout == ""


def test_in_place_the_one_before_is_kept(leeroo, model, trained):
    done = retire(leeroo, model, "--expert", "weak-b")
    assert done.returncode == 0, done.stderr
    assert "rollback" in done.stdout
    previous = model.with_name("m.leeroo.previous")
    assert digest(previous) == digest(trained) != digest(model)
    assert sorted(path.name for path in model.parent.iterdir()) == ["m.leeroo", "m.leeroo.previous"]
    assert run(leeroo, "rollback", model).returncode == 0
    assert digest(model) == digest(trained)


def test_the_file_says_who_left_when(leeroo, model):
    """By when the others were trained is the day of the file that training wrote, and stays so."""
    assert "trained_by" not in metadata(model)
    trained_by = datetime.datetime.fromtimestamp(model.stat().st_mtime, datetime.timezone.utc).date().isoformat()
    assert retire(leeroo, model, "--expert", "weak-b").returncode == 0
    assert metadata(model)["trained_by"] == trained_by
    gone = next(e for e in json.loads(metadata(model)["experts"]) if e["name"] == "weak-b")
    today = datetime.datetime.now(datetime.timezone.utc).date()
    assert gone["hidden"] and gone["until"] in (today.isoformat(), (today - datetime.timedelta(1)).isoformat())
    model.touch()
    assert retire(leeroo, model, "--expert", "weak-a").returncode == 0
    assert metadata(model)["trained_by"] == trained_by


@pytest.mark.parametrize("arguments, status, words", [
    (["--expert", "weak-c"], 1, "did you mean 'weak-a'?"),
    (["--expert", "something-else"], 1, "it has weak-a, weak-b, strong"),
    (["--expert", "weak-a,weak-b,strong"], 1, "nobody would be left"),
    (["--expert", "strong,,weak-a"], 2, "a name is empty"),
    ([], 2, "--expert is missing"),
])
def test_what_cannot_be(leeroo, model, trained, arguments, status, words):
    done = retire(leeroo, model, *arguments)
    assert (done.returncode, words in done.stderr) == (status, True), done.stderr
    assert digest(model) == digest(trained)
    assert not model.with_name("m.leeroo.previous").exists()


def test_neither_twice_nor_over_itself(leeroo, model, tmp_path):
    done = retire(leeroo, model, "--expert", "weak-b", "-o", tmp_path / "." / "m.leeroo")
    assert done.returncode == 2 and "without -o" in done.stderr
    assert retire(leeroo, model, "--expert", "weak-b,weak-b").returncode == 0
    done = retire(leeroo, model, "--expert", "weak-b")
    assert done.returncode == 1 and "taken out of this model already, on 20" in done.stderr
    assert retire(leeroo).returncode == 2


def decisions(leeroo, model, dataset, *policy):
    """What is decided of every query, but for the estimates."""
    return [{key: value for key, value in row.items() if key != "estimates"}
            for row in route(leeroo, model, dataset / "queries.jsonl", *policy)]


@pytest.mark.parametrize("policy", [("--lambda", "0"), ("--lambda", "300"), ("--budget", "2"), ("--min-quality", "0.8")])
def test_who_joins_and_leaves_again_has_changed_nothing(leeroo, model, dataset, tmp_path, policy):
    """Not even the calibration of a budget or a floor. Two days are in the file."""
    few = tmp_path / "few"
    shutil.copytree(dataset, few)
    lines = (few / "outcomes.csv").read_text().splitlines()
    rows = [line.replace(",strong,", ",newcomer,") for line in lines if ",strong," in line][:100]
    (few / "outcomes.csv").write_text("\n".join([lines[0], *rows]) + "\n")
    (few / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\nnewcomer,2,4\n")
    before = estimates(leeroo, model, dataset), decisions(leeroo, model, dataset, *policy)
    done = run(leeroo, "enroll", model, "--expert", "newcomer", few, "-q")
    assert done.returncode == 0, done.stderr
    assert all("newcomer" in row for row in estimates(leeroo, model, dataset))
    assert retire(leeroo, model, "--expert", "newcomer").returncode == 0
    assert (estimates(leeroo, model, dataset), decisions(leeroo, model, dataset, *policy)) == before
    gone = next(e for e in json.loads(metadata(model)["experts"]) if e["name"] == "newcomer")
    assert gone["hidden"] and gone["apart"] and gone["since"] and gone["until"]
    joined = run(leeroo, "enroll", model, "--expert", "newcomer", few, "-q")
    assert joined.returncode == 0, "and may come back"
    said = json.loads(run(leeroo, "models", model, "--json").stdout)
    assert next(e for e in said["experts"] if e["expert"] == "newcomer")["since"] == gone["since"]
