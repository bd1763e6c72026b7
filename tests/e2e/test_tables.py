"""Tables of results as others write them, through train, eval and split."""

import csv
import json
import random
import subprocess

import pytest

EASY, HARD = ["hello", "sum", "two", "colour", "cat"], ["prove", "integral", "quantum", "lemma", "tensor"]
COST = {"org/small-7b": 2e-06, "large": 4e-04}


def run(leeroo, *argv):
    return subprocess.run([leeroo, *map(str, argv)], capture_output=True, text=True, timeout=120, check=False)


def results(count=200):
    rng = random.Random(5)
    for i in range(count):
        words = rng.choices(HARD if i % 2 else EASY, k=6)
        for model, cost in COST.items():
            score = int(model == "large" or not i % 2 or rng.random() < 0.1)
            yield {"id": f"q{i}", "model": model, "score": score, "cost": cost, "prompt": " ".join(words) + f"\n{i}?"}


def long_csv(folder):
    with (folder / "t.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, ["id", "model", "score", "cost", "prompt"])
        rows.writeheader()
        rows.writerows(results())
    return folder / "t.csv"


def json_lines(folder):
    (folder / "t.jsonl").write_text("".join(json.dumps(r) + "\n" for r in results()))
    return folder / "t.jsonl"


def zeroeval(folder):
    (folder / "zebra").mkdir()
    for model in COST:
        items = [{"session_id": r["id"], "chat_history": [r["prompt"]], "output": ["..."], "generator": model, "model_input": "n/a",
                  "correct": bool(r["score"]), "cost": r["cost"], "solution": {"x": 1}} for r in results() if r["model"] == model]
        (folder / "zebra" / f"{model.replace('/', '_')}.json").write_text(json.dumps(items, indent=2))
    return folder / "zebra"


def routerbench(folder):
    rows = {}
    for r in results():
        row = rows.setdefault(r["id"], {"sample_id": r["id"], "prompt": str([r["prompt"]]), "eval_name": "e"})
        row |= {r["model"]: float(r["score"]), r["model"] + "|model_response": "['a,\nb']", r["model"] + "|total_cost": r["cost"]}
    with (folder / "rb.csv").open("w", newline="") as file:
        out = csv.DictWriter(file, [*next(iter(rows.values())), "oracle_model_to_route_to"])
        out.writeheader()
        out.writerows(row | {"oracle_model_to_route_to": "large"} for row in rows.values())
    return folder / "rb.csv"


@pytest.mark.parametrize("form", [long_csv, json_lines, zeroeval, routerbench])
def test_a_table_is_trained_evaluated_and_split_as_it_is(leeroo, tmp_path, form):
    table, model = form(tmp_path), tmp_path / "m"
    done = run(leeroo, "train", table, "-o", model, "--json")
    assert done.returncode == 0, done.stderr
    figures = {e["name"]: e for e in json.loads(done.stdout)["experts"]}
    wanted = {m: [r["score"] for r in results() if r["model"] == m] for m in COST}
    assert {m: e["outcomes"] for m, e in figures.items()} == {"org/small-7b": 200, "large": 200}
    assert all(figures[m]["accuracy"] == pytest.approx(sum(s) / 200) for m, s in wanted.items())
    assert all(figures[m]["usd_per_1k"] == pytest.approx(1000 * c) for m, c in COST.items())
    assert "least squares of its 200 recorded costs" in done.stderr and "experts.csv" not in done.stderr
    routed = [json.loads(subprocess.run([leeroo, "route", model, "--lambda", "100"], input=json.dumps({"text": text}) + "\n",
                                        capture_output=True, text=True, check=True).stdout)["expert"]
              for text in ("hello cat two sum 7?", "prove lemma tensor quantum 7?")]
    assert routed == ["org/small-7b", "large"]
    done = run(leeroo, "eval", "--folds", 3, table, "--json", "--bootstrap", 0)
    assert done.returncode == 0 and json.loads(done.stdout)["queries"] == 200
    assert run(leeroo, "split", table, "-o", tmp_path / "parts").returncode == 0
    texts = [json.loads(line)["text"] for part in ("train", "test")
             for line in (tmp_path / "parts" / part / "queries.jsonl").read_text().splitlines()]
    assert sorted(texts) == sorted({r["prompt"] for r in results()})


def test_all_forms_give_the_same_model(leeroo, tmp_path):
    models = []
    for form in (long_csv, json_lines, routerbench):
        assert run(leeroo, "train", form(tmp_path), "-o", tmp_path / form.__name__, "-q").returncode == 0
        models.append((tmp_path / form.__name__).read_bytes())
    assert models[0] == models[1] == models[2]


def test_what_is_wrong_is_named(leeroo, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("id,model,score,prompt\nq1,a,1,One?\nq2,a,yes indeed,Two?\n")
    done = run(leeroo, "train", table, "-o", tmp_path / "m")
    assert done.returncode == 1 and "t.csv:3:6: 'yes indeed' is not a score between 0 and 1" in done.stderr
    table.write_text("question,answer\nx,y\n")
    done = run(leeroo, "train", table, "-o", tmp_path / "m")
    assert done.returncode == 1 and "needs a column model, model_name" in done.stderr
    table.write_text("id,model,score,prompt\n" + "".join(f"q{i},nobody-knows-it,1,Q{i}\n" for i in range(30)))
    done = run(leeroo, "train", table, "-o", tmp_path / "m")
    assert done.returncode == 1 and "add a column cost_usd" in done.stderr


@pytest.mark.parametrize("write", [long_csv, json_lines, zeroeval])
def test_a_table_is_not_written_over(leeroo, tmp_path, write):
    table = write(tmp_path)
    file = next(table.iterdir()) if table.is_dir() else table
    before = file.read_bytes()
    for argv in (["train", table, "-o", file], ["eval", "--folds", 2, table, "--decisions", file]):
        done = run(leeroo, *argv)
        assert done.returncode == 2 and f"{file} is read here and would be written over" in done.stderr
    assert file.read_bytes() == before


def test_a_table_with_a_comma_in_its_name(leeroo, tmp_path):
    table = long_csv(tmp_path).rename(tmp_path / "a,b.csv")
    done = run(leeroo, "split", table)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a,b.csv-train" / "queries.jsonl").exists()
