"""leeroo judge from outside: a data set rescored from its texts is a data set like any other."""

import csv
import gzip
import json
import os
import random
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("LEEROO_DATA", ROOT.parent / "shared" / "data")) / "mmlu_pro"
LETTERS = "ABCD"
PHRASES = ["The answer is ({}).", "So **Answer: {}**", "Thus \\[ \\boxed{{{}}} \\]", "{}"]


def run(leeroo, *argv, timeout=120):
    return subprocess.run([leeroo, *map(str, argv)], capture_output=True, text=True, timeout=timeout, check=False)


def write_dataset(folder, queries=300):
    """Two experts; the recorded scores are all 0, so that every right answer must come from the texts."""
    rng = random.Random(3)
    (folder / "responses").mkdir(parents=True)
    lines, rows, texts = [], ["model,id,score,cost_usd,input_tokens,output_tokens"], {"weak": [], "org/strong": []}
    truth = {"weak": {}, "org/strong": {}}
    for i in range(queries):
        key = rng.choice(LETTERS)
        lines.append({"id": f"q{i}", "text": f"Question {i} about {rng.choice(['birds', 'sums'])}?",
                      "choices": ["red", "green", "blue", "grey"], "answer": key})
        for name, chance in (("weak", 0.4), ("org/strong", 0.9)):
            said = key if rng.random() < chance else rng.choice(LETTERS.replace(key, ""))
            text = rng.choice(PHRASES).format(said)
            if rng.random() < 0.1:
                said, text = "", "I cannot tell."
            truth[name][f"q{i}"] = (said, key)
            texts[name].append({"id": f"q{i}", "text": text})
            rows.append(f"{name},q{i},0,0.00{1 + len(said)},10,2")
    (folder / "queries.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    (folder / "outcomes.csv").write_text("\n".join(rows) + "\n")
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\nweak,0.1,0.2\norg/strong,5,15\n")
    (folder / "responses" / "weak.jsonl").write_text("".join(json.dumps(x) + "\n" for x in texts["weak"]))
    (folder / "responses" / "org").mkdir()
    with gzip.open(folder / "responses" / "org" / "strong.jsonl.gz", "wt") as f:
        f.writelines(json.dumps(x) + "\n" for x in texts["org/strong"])
    return truth


def outcomes(folder):
    with open(folder / "outcomes.csv", newline="") as f:
        return {(r["model"], r["id"]): r for r in csv.DictReader(f)}


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data", write_dataset(tmp_path / "data")


def test_every_outcome_is_scored_from_its_text(leeroo, data, tmp_path):
    folder, truth = data
    done = run(leeroo, "judge", folder, "-o", tmp_path / "new" / "judged", "--json")
    assert done.returncode == 0, done.stderr
    before, after = outcomes(folder), outcomes(tmp_path / "new" / "judged")
    assert before.keys() == after.keys()
    for (model, query), row in after.items():
        said, key = truth[model][query]
        assert row["answer"] == said and row["score"] == str(int(said == key))
        assert float(row["cost_usd"]) == float(before[model, query]["cost_usd"])
        assert (row["input_tokens"], row["output_tokens"]) == ("10", "2")
    report = json.loads(done.stdout)
    assert report["rule"] == "auto" and [e["name"] for e in report["experts"]] == ["weak", "org/strong"]
    for figures in report["experts"]:
        answers = truth[figures["name"]].values()
        right = sum(said == key for said, key in answers)
        assert figures["questions"] == figures["scored"] == 300 and figures["recorded"] == 0
        assert figures["judged"] == pytest.approx(right / 300) and figures["agreement"] == pytest.approx(1 - right / 300)
        assert figures["unanswered"] == sum(said == "" for said, _ in answers)


def test_it_is_a_data_set_like_any_other(leeroo, data, tmp_path):
    judged, again, model = tmp_path / "judged", tmp_path / "again", tmp_path / "m.safetensors"
    assert run(leeroo, "judge", data[0], "-o", judged).returncode == 0
    assert run(leeroo, "train", judged, "-o", model).returncode == 0
    done = run(leeroo, "eval", model, judged, "--json", "--bootstrap", "0")
    assert done.returncode == 0, done.stderr
    assert run(leeroo, "judge", judged, "-o", again, "-q").stdout == ""
    for name in ("queries.jsonl", "experts.csv", "outcomes.csv", "responses/weak.jsonl", "responses/org/strong.jsonl.gz"):
        assert (judged / name).read_bytes() == (again / name).read_bytes()


def test_only_some_experts(leeroo, data, tmp_path):
    done = run(leeroo, "judge", data[0], "-o", tmp_path / "one", "--experts", "org/strong")
    assert done.returncode == 0, done.stderr
    assert "org/strong" in done.stdout and "weak" not in done.stdout
    assert {model for model, _ in outcomes(tmp_path / "one")} == {"org/strong"}
    assert not (tmp_path / "one" / "responses" / "weak.jsonl").exists()


def test_what_is_there_is_kept_unless_forced(leeroo, data, tmp_path):
    target = tmp_path / "judged"
    assert run(leeroo, "judge", data[0], "-o", target).returncode == 0
    (target / "outcomes.csv").write_text("old")
    done = run(leeroo, "judge", data[0], "-o", target)
    assert done.returncode == 1 and "--force" in done.stderr
    assert (target / "outcomes.csv").read_text() == "old"
    assert run(leeroo, "judge", data[0], "-o", f"{target}/", "--force", "--experts", "weak").returncode == 0
    assert len(outcomes(target)) == 300 and not (target / "responses" / "org").exists()
    (target / "thesis.tex").write_text("precious")
    done = run(leeroo, "judge", data[0], "-o", target, "--force")
    assert done.returncode == 1 and "thesis.tex" in done.stderr
    done = run(leeroo, "judge", data[0], "-o", data[0], "--force")
    assert done.returncode == 1 and (data[0] / "outcomes.csv").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "judged"], "a temporary folder was left behind"


@pytest.mark.parametrize("file, text, said", [
    ("responses/weak.jsonl", '{"id": "q1", "text": "A"}\n{"id": "q2"\n', "responses/weak.jsonl:2"),
    ("responses/weak.jsonl", '{"id": "q1"}\n', "responses/weak.jsonl:1"),
    ("outcomes.csv", "id,model,score\nq1,weak,7\n", "outcomes.csv:2:9"),
    ("queries.jsonl", '{"id": "q1", "text": 5}\n', "queries.jsonl:1"),
    ("queries.jsonl", '{"id": "q1", "text": "?"}\n', "queries.jsonl"),
])
def test_malformed_input_is_named_and_nothing_is_written(leeroo, data, tmp_path, file, text, said):
    if file == "queries.jsonl":
        (data[0] / "outcomes.csv").write_text("id,model,score\n")
    (data[0] / file).write_text(text)
    done = run(leeroo, "judge", data[0], "-o", tmp_path / "judged")
    assert done.returncode == 1 and said in done.stderr and done.stdout == ""
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_missing_texts_are_named(leeroo, data, tmp_path):
    (data[0] / "responses" / "weak.jsonl").unlink()
    done = run(leeroo, "judge", data[0], "-o", tmp_path / "judged")
    assert done.returncode == 1 and "responses/weak.jsonl" in done.stderr
    assert run(leeroo, "judge", data[0], "-o", tmp_path / "judged", "--experts", "org/strong").returncode == 0


@pytest.mark.parametrize("argv", [[], ["a", "b", "-o", "c"], ["a"], ["a", "-o", "b", "--rule", "vibes"], ["--nope"]])
def test_wrong_usage(leeroo, argv):
    done = run(leeroo, "judge", *argv)
    assert done.returncode == 2 and done.stderr.startswith("leeroo judge: ")


def test_rules(leeroo, tmp_path):
    folder = tmp_path / "data"
    (folder / "responses").mkdir(parents=True)
    (folder / "queries.jsonl").write_text('{"id": "n", "text": "2+2?", "answer": "4"}\n'
                                          '{"id": "w", "text": "Capital?", "answer": "Paris"}\n'
                                          '{"id": "c", "text": "A. x or B. y?", "answer": "B"}\n')
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\nm,1,1\n")
    (folder / "outcomes.csv").write_text("id,model,score\n")
    (folder / "responses" / "m.jsonl").write_text('{"id": "n", "text": "2 + 2 = 4.0, which is even"}\n'
                                                  '{"id": "w", "text": "The answer is **Paris**."}\n'
                                                  '{"id": "c", "text": "The correct option is (B), not 7."}\n')
    answers = {}
    for rule in ("auto", "choice", "number", "text"):
        done = run(leeroo, "judge", folder, "-o", tmp_path / rule, "--rule", rule)
        assert done.returncode == 0, done.stderr
        answers[rule] = [(outcomes(tmp_path / rule)["m", i]["answer"], outcomes(tmp_path / rule)["m", i]["score"])
                         for i in "nwc"]
    assert answers["auto"] == [("4.0", "1"), ("paris", "1"), ("7", "0")]
    assert answers["choice"] == [("", "0"), ("", "0"), ("B", "1")]
    assert answers["number"] == [("4.0", "1"), ("", "0"), ("7", "0")]
    assert answers["text"] == [("", "0"), ("paris", "1"), ("", "0")]


@pytest.mark.skipif(not DATA.is_dir(), reason="skipped: no data")
def test_recorded_texts_of_33_models(leeroo, tmp_path):
    done = run(leeroo, "judge", DATA, "-o", tmp_path / "pro", "--json", timeout=900)  # seconds; sanitizers take their time
    assert done.returncode == 0, done.stderr
    figures = {e["name"]: e for e in json.loads(done.stdout)["experts"]}
    assert len(figures) == 33
    assert figures["gpt-4o-2024-05-13"]["judged"] == pytest.approx(0.74, abs=0.01)
    assert figures["gpt-4o-2024-05-13"]["unanswered"] < 0.02 * figures["gpt-4o-2024-05-13"]["questions"]
    assert all(e["judged"] > e["recorded"] - 0.01 for e in figures.values())


SETTLES = {
    "<think>\nPerhaps A. But wait.\n</think>\nThe answer is (C).": "C",
    "Maybe the answer is B? No.\n</think>\n\nThe answer is C.": "C",
    "<thinking>I guess the answer is B</thinking>Answer: C": "C",
    "<think>So the answer is A, or is it": "",
    "C is the correct answer.": "C",
    '{"answer": "C"}': "C",
    "The answer is not A. It is C.": "C",
    "Die richtige Antwort ist C.": "C",
    "La réponse est C.": "C",
    "La respuesta correcta es la C.": "C",
    "答案：C": "C",
    "正解はCです。": "C",
}


def test_the_answer_is_judged_and_not_the_thoughts_before_it(leeroo, tmp_path):
    """tpu-inference PR #3518: what was thought and taken back was scored as the answer."""
    given, judged = tmp_path / "given", tmp_path / "judged"
    (given / "responses").mkdir(parents=True)
    lines = [{"id": f"q{i}", "text": f"Which metal is in batteries, {i}?", "answer": "C",
              "choices": ["iron", "gold", "lead", "zinc"]} for i in range(len(SETTLES))]
    texts = [{"id": f"q{i}", "text": text} for i, text in enumerate(SETTLES)]
    (given / "queries.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (given / "responses" / "ada.jsonl").write_text("".join(json.dumps(line) + "\n" for line in texts))
    (given / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\nada,1,2\n")
    (given / "outcomes.csv").write_text("id,model,score\n" + "".join(f"{line['id']},ada,0\n" for line in lines))
    done = run(leeroo, "judge", given, "-o", judged)
    assert done.returncode == 0, done.stderr
    with (judged / "outcomes.csv").open() as rows:
        assert [row["answer"] for row in csv.DictReader(rows)] == list(SETTLES.values())


def test_a_check_of_a_query_scores_it_and_commands_need_leave(leeroo, data, tmp_path):
    folder, _ = data
    rows = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]
    for i, row in enumerate(rows):
        row["check"] = {"regex": r"\\boxed"} if i % 2 else {"command": ["grep", "-q", "cannot"]}
    (folder / "queries.jsonl").write_text("".join(json.dumps(x) + "\n" for x in rows))
    done = run(leeroo, "judge", folder, "-o", tmp_path / "plain", "-q")
    assert done.returncode == 0 and "300 answers are scored by commands, which were not run" in done.stderr
    texts = {x["id"]: x["text"] for x in map(json.loads, (folder / "responses" / "weak.jsonl").read_text().splitlines())}
    done = run(leeroo, "judge", folder, "-o", tmp_path / "all", "-q", "--allow-commands", "--experts", "weak")
    assert done.returncode == 0, done.stderr
    for (_, name), row in outcomes(tmp_path / "all").items():
        if int(name[1:]) % 2:
            assert (row["method"], float(row["score"])) == ("regex", "\\boxed" in texts[name])
        else:
            assert (row["method"], float(row["score"])) == ("command", "cannot" in texts[name])
