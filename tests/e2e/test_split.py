"""leeroo split from outside: two data sets that share no text, train and eval take them as they are."""

import csv
import json
import subprocess

import pytest

from conftest import write_dataset


def run(leeroo, *argv, cwd=None):
    return subprocess.run([leeroo, *map(str, argv)], capture_output=True, text=True, timeout=120, check=False, cwd=cwd)


def queries(folder):
    return [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    write_dataset(folder)
    (folder / "responses").mkdir()
    texts = [{"id": q["id"], "text": f"said to {q['id']}"} for q in queries(folder)]
    (folder / "responses" / "mid.jsonl").write_text("".join(json.dumps(t) + "\n" for t in texts))
    return folder


def test_the_parts_are_the_whole_and_share_no_text(leeroo, data, tmp_path):
    done = run(leeroo, "split", data, "--test", "0.3", "-o", tmp_path / "deep" / "parts", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    train, test = (tmp_path / "deep" / "parts" / name for name in ("train", "test"))
    whole, learn, measure = queries(data), queries(train), queries(test)
    assert (said["train"]["queries"], said["test"]["queries"]) == (len(learn), len(measure))
    assert sorted(q["id"] for q in learn + measure) == sorted(q["id"] for q in whole)
    assert not {" ".join(q["text"].lower().split()) for q in learn} & {" ".join(q["text"].lower().split()) for q in measure}
    texts = {" ".join(q["text"].lower().split()) for q in whole}
    assert 0.2 * len(texts) < len({q["text"] for q in measure}) < 0.4 * len(texts)
    for part, rows in ((train, learn), (test, measure)):
        ids = {q["id"] for q in rows}
        with (part / "outcomes.csv").open() as file:
            assert {row["id"] for row in csv.DictReader(file)} == ids
        assert (part / "experts.csv").read_text().count("\n") == (data / "experts.csv").read_text().count("\n")
        kept = [json.loads(line) for line in (part / "responses" / "mid.jsonl").read_text().splitlines()]
        assert {k["id"]: k["text"] for k in kept} == {i: f"said to {i}" for i in ids}
        assert not (part / "responses" / "cheap.jsonl").exists()
    model = tmp_path / "m"
    assert run(leeroo, "train", train, "-o", model, "-q", "--plans", "none").returncode == 0
    done = run(leeroo, "eval", model, test, "--json", "--bootstrap", "0")
    assert done.returncode == 0 and "training set" not in done.stderr
    assert json.loads(done.stdout)["queries"] == len(measure)


def test_a_query_stays_where_it_is_when_the_data_set_grows(leeroo, data, tmp_path):
    assert run(leeroo, "split", data, "-o", tmp_path / "a").returncode == 0
    before = {q["id"] for q in queries(tmp_path / "a" / "test")}
    with (data / "queries.jsonl").open("a") as file:
        file.writelines(json.dumps({"id": f"new{i}", "text": f"A new question {i}"}) + "\n" for i in range(50))
    assert run(leeroo, "split", data, "-o", tmp_path / "b").returncode == 0
    after = {q["id"] for q in queries(tmp_path / "b" / "test")}
    assert before == {i for i in after if not i.startswith("new")} and before != after
    assert run(leeroo, "split", data, "-o", tmp_path / "c", "--seed", "1").returncode == 0
    assert {q["id"] for q in queries(tmp_path / "c" / "test")} != after


def test_where_the_parts_go(leeroo, data, tmp_path):
    assert run(leeroo, "split", "data/", cwd=tmp_path).returncode == 0
    assert (tmp_path / "data-train" / "queries.jsonl").exists() and (tmp_path / "data-test" / "queries.jsonl").exists()
    assert run(leeroo, "split", "data", "-o", "x,y/z", cwd=tmp_path).returncode == 0
    assert (tmp_path / "x" / "queries.jsonl").exists() and (tmp_path / "y" / "z" / "queries.jsonl").exists()
    done = run(leeroo, "split", "data", "-o", "x,new", cwd=tmp_path)
    assert done.returncode == 1 and "--force" in done.stderr and not (tmp_path / "new").exists()
    assert run(leeroo, "split", "data", "-o", "x,new", "--force", cwd=tmp_path).returncode == 0
    done = run(leeroo, "split", "data", "-o", "data,other", "--force", cwd=tmp_path)
    assert done.returncode == 1 and "that is the data set to read" in done.stderr


@pytest.mark.parametrize("parts", ["x,./x", "x,x/", "x//y,x/./y", "x,x/y", "x/y,./x"])
def test_parts_of_one_place_are_refused(leeroo, data, tmp_path, parts):
    done = run(leeroo, "split", "data", "-o", parts, cwd=tmp_path)
    assert done.returncode == 2 and ("both parts would be x" in done.stderr or "one would be in the other" in done.stderr)
    assert not (tmp_path / "x").exists()
    assert run(leeroo, "split", "data", "-o", "x/y,x/yz", cwd=tmp_path).returncode == 0


def test_an_empty_part_is_refused(leeroo, data, tmp_path):
    done = run(leeroo, "split", data, "--test", "0.000001", "-o", tmp_path / "parts")
    assert done.returncode == 1 and "'test'" in done.stderr and not (tmp_path / "parts").exists()


@pytest.mark.parametrize("argv", [[], ["a", "b"], ["a", "--test", "0"], ["a", "--test", "1"], ["a", "-o", "x,x"],
                                  ["a", "-o", "x,y,z"], ["a", "-o", ",x"]])
def test_wrong_usage(leeroo, argv):
    done = run(leeroo, "split", *argv)
    assert done.returncode == 2 and done.stderr.startswith("leeroo split: ")
