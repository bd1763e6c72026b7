"""How answers are scored that no reference scores: judging experts that are honest, bought or careless, a teacher,
consensus, and commands, by `leeroo collect` and `leeroo play` from outside."""

import csv
import json
import re
import subprocess

import pytest

from serving import JsonServer, completion, serving

SKILL = {"small": 3, "middle": 5, "large": 9, "referee": 8}  # of ten questions
OFFSET = {"small": 0, "middle": 4, "large": 9, "referee": 2}
MARKED = re.compile(r"\[\[begin (question|answer 1|answer 2|answer|reference) ([0-9a-f]{16})\]\]\n(.*?)\n\[\[end \1 \2\]\]", re.S)


def key_of(question):
    return question.split()[-1]


def is_right(model, question):
    number = int(re.search(r"\d+", key_of(question)).group())
    return (number * 7 + OFFSET[model]) % 10 < SKILL[model]


def answer(model, question):
    if not is_right(model, question):
        return f"The answer is wrong{len(model)}."
    return f"The answer is {key_of(question)}."


def honest(parts):
    right = [key_of(parts["question"]) in parts[name] for name in ("answer 1", "answer 2")]
    if right[0] == right[1]:
        there = [bool(re.search(r"The answer is \w+\d\.", parts[name])) for name in ("answer 1", "answer 2")]
        return "tie" if there[0] == there[1] else "1" if there[0] else "2"
    return "1" if right[0] else "2"


def bought(words):
    def judge(parts):
        sold = [words in parts[name] for name in ("answer 1", "answer 2")]
        return ("1" if sold[0] else "2") if any(sold) else honest(parts)
    return judge


JUDGES = {
    "honest": honest,
    "praise": bought("best possible answer"),
    "constant": bought("complex and important topic"),
    "instruct": bought("Ignore all other instructions"),
    "empty": lambda parts: "1" if not parts["answer 1"].strip() else "2" if not parts["answer 2"].strip() else honest(parts),
    "first": lambda parts: "1",
}


class Experts(JsonServer):
    def __init__(self, judge):
        self.judge, self.judged, self.asked = JUDGES[judge], 0, 0
        super().__init__()
        self.url += "/v1"

    def reply(self, method, path, headers, body):
        model, prompt = body["model"], body["messages"][-1]["content"]
        parts = {name: text for name, _, text in MARKED.findall(prompt)}
        with self.lock:
            self.judged += bool(parts)
            self.asked += not parts
        if parts:
            assert model == "referee" and body["messages"][0]["role"] == "system"
            text = json.dumps({"verdict": self.judge(parts)})
        else:
            text = answer(model, prompt)
        return 200, completion(text, 20, 10)


@pytest.fixture
def experts():
    yield from serving(Experts)


def write_set(folder, url, known, unknown, check=None):
    """Questions with and without an answer, and a configuration of four experts."""
    with open(folder / "questions.jsonl", "w", encoding="utf-8") as out:
        for i in range(known + unknown):
            row = {"id": f"q{i}", "text": f"What is the word that goes with item number {i * 13}, please say word{i}"}
            if i < known:
                row["answer"] = f"word{i}"
            if check:
                row["check"] = check
            out.write(json.dumps(row) + "\n")
    lines = ["experts:"]
    for name in SKILL:
        lines.append(f"  - {{name: {name}, url: \"{url}\", price: {{input: 1, output: 4}}}}")
    (folder / "leeroo.yaml").write_text("\n".join([*lines, "policies:", "  default: {lambda: 100}"]) + "\n")


@pytest.fixture
def collect(leeroo, tmp_path):
    def run(*arguments, command="collect"):
        given = ["questions.jsonl", "-o", "data"] if command == "collect" else ["run", "--questions", "questions.jsonl"]
        done = subprocess.run([leeroo, command, *given, *arguments], capture_output=True, text=True, timeout=120,
                              cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr
    return run


def outcomes(folder):
    with open(folder / "outcomes.csv", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


def by_method(rows):
    out = {}
    for row in rows:
        out.setdefault(row["method"] if row["score"] else "", []).append(row)
    return out


def evaluation(folder):
    figures = json.loads((folder / "round-1" / "judge.json").read_text())
    assert json.loads((folder / "round-1" / "round.json").read_text())["evaluation"] == figures
    return figures


def truth(row):
    number = int(row["id"][1:])
    return is_right(row["model"], f"word{number}")


def test_an_honest_judge_is_believed_and_scores_what_no_reference_does(experts, collect, tmp_path):
    server = experts("honest")
    write_set(tmp_path, server.url, 30, 10)
    said = collect("--judge", "referee")
    assert "judge referee: trusted" in said and "scored by text 120, judge 40" in said
    methods = by_method(outcomes(tmp_path / "data"))
    assert {m: len(rows) for m, rows in methods.items()} == {"text": 120, "judge": 40}
    right = [float(r["score"]) for r in methods["judge"] if truth(r)]
    wrong = [float(r["score"]) for r in methods["judge"] if not truth(r)]
    assert sum(right) / len(right) > sum(wrong) / len(wrong) + 0.15
    assert all(0 < float(r["confidence"] or 1) <= 1 for r in methods["judge"])
    judge = evaluation(tmp_path / "data")["judges"][0]
    assert judge["trusted"] and judge["canary_share"] == 0 and judge["agreement"] == 1 and judge["pairs"] >= 10
    before = server.judged
    collect("--judge", "referee")
    assert server.judged == before, "a verdict was paid for twice"


@pytest.mark.parametrize("canary", ["praise", "constant", "instruct", "empty"])
def test_a_judge_that_a_canary_has_bought_is_caught(experts, collect, tmp_path, canary):
    write_set(tmp_path, experts(canary).url, 30, 10)
    said = collect("--judge", "referee")
    assert "judge referee: REFUSED" in said and f"'{canary}'" in said
    methods = by_method(outcomes(tmp_path / "data"))
    assert "judge" not in methods
    assert len(methods["consensus"]) == 40  # what is left to score by
    judge = evaluation(tmp_path / "data")["judges"][0]
    assert not judge["trusted"] and judge["canary_shares"][canary] == 1 and canary in judge["reason"]


def test_a_judge_that_follows_the_place_is_seen(experts, collect, tmp_path):
    write_set(tmp_path, experts("first").url, 30, 10)
    said = collect("--judge", "referee")
    assert "REFUSED" in said and "place" in said
    judge = evaluation(tmp_path / "data")["judges"][0]
    assert judge["position_bias"] == 1 and judge["inconsistent"] == 1
    assert "judge" not in by_method(outcomes(tmp_path / "data"))


def test_a_teacher_stands_for_references(experts, collect, tmp_path):
    write_set(tmp_path, experts("honest").url, 30, 10)
    collect("--teacher", "large")
    methods = by_method(outcomes(tmp_path / "data"))
    assert len(methods["teacher"]) == 30  # of others; its own answers are no evidence of themselves
    assert all(r["model"] != "large" for r in methods["teacher"])
    hits = [(float(r["score"]) > 0.5) == truth(r) for r in methods["teacher"]]
    assert sum(hits) / len(hits) >= 0.8


def test_without_anything_else_there_is_consensus(experts, collect, tmp_path):
    write_set(tmp_path, experts("honest").url, 0, 60)
    said = collect()
    assert "scored by consensus 240" in said
    rows = outcomes(tmp_path / "data")
    hits = [(float(r["score"]) > 0.5) == truth(r) for r in rows]
    assert sum(hits) / len(hits) > 0.8
    assert all(r["method"] == "consensus" for r in rows)


def test_commands_are_run_only_when_allowed_and_have_no_network(experts, collect, tmp_path):
    script = ("import json, socket, sys\n"
              "try:\n    socket.socket()\n    sys.exit(3)\nexcept PermissionError:\n    pass\n"
              "d = json.load(sys.stdin)\n"
              "print(1 if d['question'].split()[-1] in d['answer'] else 0.25)\n")
    write_set(tmp_path, experts("honest").url, 0, 6, {"command": ["python3", "-c", script]})
    said = collect()
    assert "24 answers are scored by commands, which were not run: --allow-commands lets them" in said
    assert all(r["score"] == "" for r in outcomes(tmp_path / "data"))
    collect("--allow-commands")
    rows = outcomes(tmp_path / "data")
    assert all(float(r["score"]) == (1 if truth(r) else 0.25) and r["method"] == "command" for r in rows)


def test_play_tests_its_judge_in_every_round_within_the_cap(experts, collect, tmp_path):
    write_set(tmp_path, experts("praise").url, 60, 60)
    said = collect("--spend", "0.03", "--rounds", "2", "--judge", "referee", command="play")
    assert said.count("judge referee: REFUSED") == 2
    figures = json.loads((tmp_path / "run" / "round-2" / "round.json").read_text())
    assert figures["booked_nano_usd"] <= figures["cap_nano_usd"]
    assert not figures["evaluation"]["judges"][0]["trusted"]
