"""leeroo export from outside: the rows as the `datasets` library loads them, and the labels as they are found here again."""

import csv
import json
import os
import random
import re
import string
import subprocess
from collections import Counter
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
import datasets  # noqa: E402

from conftest import EXPERTS, write_dataset  # noqa: E402

DATA = Path(os.environ.get("LEEROO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
FORMATS = ["sft", "dpo", "preference", "openai"]
COLUMNS = {"sft": ["completion", "prompt"], "dpo": ["chosen", "prompt", "rejected"], "preference": ["chosen", "rejected"],
           "openai": ["messages"]}
ODD = ["", " spaced ", 'quoted "', "back\\slash", "line\nbreak\r\n\ttab", "é ß 漢字 😀", "\u2028\u0000\u001f\u007f", "</s>"]


def run(leeroo, *argv, **more):
    return subprocess.run([leeroo, "export", *map(str, argv)], capture_output=True, text=True, timeout=120, check=False, **more)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Questions of odd characters, some with choices, some asked twice, outcomes with holes; answers of all but one."""
    rng = random.Random(3)
    folder = write_dataset(tmp_path_factory.mktemp("data"))
    queries = objects(folder / "queries.jsonl")
    for i, q in enumerate(queries):
        q["text"] += " " + ODD[i % len(ODD)]
        if i % 3 == 0:
            q["choices"] = ["one", f"two {ODD[i % len(ODD)]}"]
        if i % 50 == 49:
            q["text"] = queries[i - 1]["text"].upper()
            q.pop("choices", None)
            if "choices" in queries[i - 1]:
                q["choices"] = queries[i - 1]["choices"]
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    with (folder / "outcomes.csv").open() as file:
        outcomes = list(csv.DictReader(file))
    for row in outcomes:
        row["confidence"] = rng.choice(["", "1", "0.9", "0.3"])
        if rng.random() < 0.1:
            row["score"] = ""
    with (folder / "outcomes.csv").open("w") as file:
        writer = csv.DictWriter(file, list(outcomes[0]))
        writer.writeheader()
        writer.writerows(row for row in outcomes if rng.random() > 0.05)
    (folder / "responses").mkdir()
    for name in list(EXPERTS)[:2]:
        with (folder / "responses" / f"{name}.jsonl").open("w") as file:
            file.writelines(json.dumps({"id": q["id"], "text": f"{name} says {ODD[i % len(ODD)]}"}) + "\n"
                            for i, q in enumerate(queries) if rng.random() > 0.1)
    return folder


def objects(path):
    """Of a file of JSON lines, in which other ends of lines may stand in strings."""
    return [json.loads(line) for line in path.read_text().split("\n") if line]


def prompt_of(q):
    """As docs/datasets.md says."""
    return "\n".join([q["text"]] + [f"{chr(65 + i)}. {c}" for i, c in enumerate(q.get("choices", []))])


def cells_of(folder):
    """{id: {expert: (score, cost)}} of what counts."""
    cells = {}
    with (folder / "outcomes.csv").open() as file:
        for row in csv.DictReader(file):
            if row["score"] and row["cost_usd"] and float(row.get("confidence") or 1) >= 0.5:
                cells.setdefault(row["id"], {})[row["model"]] = (float(row["score"]), float(row["cost_usd"]))
    return cells


def load(path, tmp_path):
    return datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))


def conversation(form, row):
    """Of a row: what the user says, and the one or two replies."""
    if form == "openai":
        return row["messages"][0]["content"], [row["messages"][1]["content"]]
    if form == "preference":
        assert row["chosen"][0] == row["rejected"][0]
        return row["chosen"][0]["content"], [row[k][1]["content"] for k in ("chosen", "rejected")]
    return row["prompt"][0]["content"], [row[k][0]["content"] for k in ("completion", "chosen", "rejected") if k in row]


TAIL = "\n\nReply with the letter of the best expert alone.\nAnswer:"


def question_of(asked):
    assert asked.endswith(TAIL)
    return asked.split("\nQuestion:\n", 1)[1].removesuffix(TAIL)


def labels_of(asked):
    """The experts of a prompt by their letters, which are the last of the alphabet."""
    lines = asked.split("how often each was right:\n", 1)[1].split("\n\nQuestion:", 1)[0].splitlines()
    letters = string.ascii_uppercase
    letters = letters[-len(lines):] if len(lines) <= 26 else (letters + string.ascii_lowercase)[:len(lines)]
    assert "".join(line[0] for line in lines) == letters
    return {line[0]: re.split(r", (?:[0-9.]+ in|price not known)", line[3:])[0] for line in lines}


def check_messages(form, row):
    """Roles and contents, as TRL's conversational rows and OpenAI's examples have them."""
    for member, messages in row.items():
        roles = [m["role"] for m in messages]
        assert all(set(m) == {"role", "content"} and isinstance(m["content"], str) and m["content"] for m in messages)
        assert roles == {"prompt": ["user"], "completion": ["assistant"], "messages": ["user", "assistant"]}.get(
            member, ["assistant"] if form == "dpo" else ["user", "assistant"])


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("subject", ["routing", "answers"])
def test_every_format_loads_with_the_datasets_library(leeroo, data, tmp_path, form, subject):
    path = tmp_path / "rows.jsonl"
    done = run(leeroo, data, "--format", form, "--of", subject, "--lambda", "20", "-o", path)
    assert done.returncode == 0 and done.stdout == "", done.stderr
    rows = load(path, tmp_path)
    assert sorted(rows.column_names) == COLUMNS[form] and len(rows) > 20
    assert done.stderr.startswith(f"{len(rows)} rows ({form}, {subject}) of ")
    assert list(rows) == objects(path)
    queries = objects(data / "queries.jsonl")
    prompts = {prompt_of(q): q["id"] for q in reversed(queries)}
    cells = cells_of(data)
    texts = {e: {r["id"]: r["text"] for r in objects(data / "responses" / f"{e}.jsonl")}
             for e in list(EXPERTS)[:2]}
    for row in rows:
        check_messages(form, row)
        asked, replies = conversation(form, row)
        q = prompts[question_of(asked) if subject == "routing" else asked]
        known = cells[q]
        if subject == "answers":
            known = {e: c for e, c in known.items() if q in texts.get(e, {})}
        worth = {e: s - 20 * c for e, (s, c) in known.items()}
        pool = [e for e in worth if subject == "routing" or known[e][0] >= 0.5]
        best = min(pool, key=lambda e: (-worth[e], known[e][1]))
        others = [e for e in worth if (worth[best] - worth[e] > 0.05 if subject == "routing" else known[e][0] < 0.5)]
        if subject == "routing":
            names = labels_of(asked)
            assert "lambda is 20." in asked and ": dear, 5.00 in, 15.00 out, right on " in asked
            assert names[replies[0]] == best and {names[r] for r in replies[1:]} <= set(others)
        else:
            assert replies[0] == texts[best][q] and set(replies[1:]) <= {texts[e][q] for e in others}


def test_the_labels_of_all_of_mmlu_pro(leeroo, tmp_path):
    """Every label is found again by other code, and the budget by what the labels cost."""
    folder = DATA / "mmlu_pro"
    if not folder.is_dir():
        pytest.skip("no data")
    done = run(leeroo, folder, "--format", "sft", "--budget", "0.05", "-o", tmp_path / "rows.jsonl")
    assert done.returncode == 0, done.stderr
    value = float(done.stderr.split("lambda ")[1].split(":")[0])
    cells = cells_of(folder)
    prompts = {}
    for q in objects(folder / "queries.jsonl"):
        prompts.setdefault(prompt_of(q), q["id"])
    names = [row["model"] for row in csv.DictReader((folder / "experts.csv").open())]
    costs, lower = [], []
    for row in load(tmp_path / "rows.jsonl", tmp_path):
        asked, (label,) = conversation("sft", row)
        label = labels_of(asked)[label]
        known = cells[prompts[question_of(asked)]]
        worth = {e: s - value * c for e, (s, c) in known.items()}
        best = min(known, key=lambda e: (-worth[e], known[e][1], names.index(e)))
        assert label == best or abs(worth[label] - worth[best]) < 1e-9
        costs.append(known[label][1])
        lower.append(known[max(known, key=lambda e: (known[e][0] - value * (1 - 1e-6) * known[e][1], -known[e][1]))][1])
    mean = 1000 * sum(costs) / len(costs)
    assert mean <= 0.05 * (1 + 1e-9) < 1000 * sum(lower) / len(lower), "no lower lambda keeps the budget"
    assert f"at {mean:.6g} USD" in done.stderr or abs(float(done.stderr.split(" at ")[1].split()[0]) - mean) < 1e-6


def test_the_summary_adds_up(leeroo, data, tmp_path):
    done = run(leeroo, data, "--format", "sft", "-o", tmp_path / "rows.jsonl")
    lines = done.stderr.splitlines()
    rows, of, queries = [int(w) for w in lines[0].split() if w.isdigit()]
    left = {line.split(" queries ")[1]: int(line.split()[2]) for line in lines if line.startswith("left out") and "queries" in line}
    assert rows == of and queries == 400 == of + sum(left.values())
    assert left["asked before in the same words"] > 0
    shares = [float(line.split()[0]) for line in lines if " %  " in line]
    assert abs(sum(shares) - 100) < 0.05
    labels = Counter(row["completion"][0]["content"] for row in objects(tmp_path / "rows.jsonl"))
    assert f"{100 * max(labels.values()) / rows:.2f} %" in done.stderr
    assert "scores that are believed less" in done.stderr
    quiet = run(leeroo, data, "--format", "sft", "-q", "-o", tmp_path / "again.jsonl")
    assert quiet.stderr == "" and (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "rows.jsonl").read_bytes()


def test_rows_to_standard_output_of_a_table(leeroo, tmp_path):
    table = tmp_path / "results.csv"
    table.write_bytes(b"id,model,score,cost,prompt\n1,a,1,0.001,Caf\xe9 \xff?\n1,b,0,0.002,\n")
    done = subprocess.run([leeroo, "export", str(table), "--format", "openai", "--of", "routing"], capture_output=True,
                          timeout=60, check=False)
    if done.returncode == 0:  # a table of other bytes may also be refused, with its place
        row = json.loads(done.stdout.decode())
        assert row["messages"][1]["content"] == "Y" and b"at least" not in done.stdout
        assert b"fewer than 10 examples" in done.stderr
    else:
        assert b"results.csv:2" in done.stderr
    table.write_text("id,model,score,cost,prompt\n1,a,1,0.001,Café?\n1,b,0,0.002,\n")
    done = run(leeroo, table, "--format", "openai", "--of", "routing", "-q")
    assert json.loads(done.stdout)["messages"][0]["content"].endswith(f"Question:\nCafé?{TAIL}")
    assert "fewer than 10 examples" in done.stderr
    done = run(leeroo, table, "--format", "openai")
    assert done.returncode == 1 and "no texts of these experts in responses/" in done.stderr


def test_a_failure_leaves_what_was_there(leeroo, data, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("before\n")
    for argv in (["--experts", "nobody"], ["--budget", "0.0000001"], ["--experts", "dear", "--of", "answers"]):
        assert run(leeroo, data, "--format", "sft", *argv, "-o", path).returncode == 1
        assert path.read_text() == "before\n" and list(tmp_path.iterdir()) == [path]
    done = run(leeroo, data, "--format", "sft", "-o", data / "outcomes.csv")
    assert done.returncode == 2 and "would be written over" in done.stderr
    done = run(leeroo, data, "--format", "sft", "--experts", "cheap,dear", "-o", path)
    assert done.returncode == 0 and "- mid: " not in path.read_text()


@pytest.mark.parametrize("argv", [[], ["a"], ["a", "b", "--format", "sft"], ["a", "--format", "kto"],
                                  ["a", "--format", "sft", "--of", "x"], ["a", "--format", "sft", "--pairs", "2"],
                                  ["a", "--format", "openai", "--margin", "0.1"],
                                  ["a", "--format", "sft", "--lambda", "1", "--budget", "1"],
                                  ["a", "--format", "dpo", "--pairs", "0"]])
def test_wrong_usage(leeroo, argv):
    done = run(leeroo, *argv)
    assert done.returncode == 2 and done.stderr.startswith("leeroo export: ")
