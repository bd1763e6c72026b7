"""leeroo play from outside: rounds within a cap, a data set at the end, and runs that are killed and go on."""

import csv
import hashlib
import json
import random
import re
import shutil
import signal
import subprocess
import time
from xml.etree import ElementTree

import pytest

from conftest import Gateway, Process
from serving import JsonServer, completion, serving

PRICES = {"small": (0.1, 0.4), "middle": (1.0, 4.0), "large": (10.0, 40.0)}
SKILL = {"small": 0.4, "middle": 0.6, "large": 0.9}
WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa".split()


def draw(*parts):
    """A number in [0, 1) that hangs on the words alone."""
    return int.from_bytes(hashlib.sha256("/".join(parts).encode()).digest()[:6], "big") / 2**48


def nano_usd(model, tokens_in, tokens_out):
    price_in, price_out = PRICES[model]
    return round(1000 * (tokens_in * price_in + tokens_out * price_out))


class Experts(JsonServer):
    """Three models whose answers hang on the question alone; everything that was asked is written down."""

    def __init__(self, delay=0.0, broken=(), tokens=80):
        self.delay, self.broken, self.tokens = delay, set(broken), tokens
        self.asked, self.epoch = [], 0
        super().__init__()
        self.url += "/v1"

    def reply(self, method, path, headers, body):
        model, prompt = body["model"], body["messages"][-1]["content"]
        tokens = (20 + len(prompt) // 4, 10 + int(self.tokens * draw("tokens", model, prompt)))
        time.sleep(self.delay * draw("delay", model, prompt))
        with self.lock:
            self.asked.append((self.epoch, model, prompt, 0 if model in self.broken else nano_usd(model, *tokens)))
        if model in self.broken:
            return 500, {"error": {"message": "broken"}}
        right = draw("right", model, prompt) < SKILL[model]
        return 200, completion(f"The answer is {prompt.split()[-1] if right else 'unknown'}.", *tokens)


@pytest.fixture
def experts():
    yield from serving(Experts)


def write_questions(path, count, answers=True):
    rng = random.Random(5)
    with open(path, "w", encoding="utf-8") as out:
        for i in range(count):
            text = " ".join(rng.choices(WORDS, k=6) + [str(rng.randrange(1000)), f"number{i}"])
            answer = {"answer": f"number{i}"} if answers else {}
            out.write(json.dumps({"id": f"q{i}", "text": text, **answer}) + "\n")
    return path


def write_config(folder, url, more="", top=""):
    folder.mkdir(exist_ok=True)
    lines = [top, "experts:"]
    for name, (price_in, price_out) in PRICES.items():
        lines.append(f"  - {{name: {name}, url: \"{url}\", price: {{input: {price_in}, output: {price_out}}}{more}}}")
    path = folder / "leeroo.yaml"
    path.write_text("\n".join([*lines, "policies:", "  default: {lambda: 100}"]) + "\n")
    return path


@pytest.fixture
def play(leeroo, tmp_path):
    def run(*arguments, status=0, timeout=120, cwd=tmp_path):
        done = subprocess.run([leeroo, "play", *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                              cwd=cwd, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr
    return run


def journal(run):
    """Answers, failures and what was lost, of a run's calls.jsonl; a last line that is cut is no line."""
    answers, failures, open_calls, lost = {}, [], {}, 0
    for line in (run / "calls.jsonl").read_bytes().split(b"\n")[:-1]:
        entry = json.loads(line)
        if "intent" in entry:
            lost += open_calls.get(entry["intent"], 0)
            open_calls[entry["intent"]] = entry["reserved_nano_usd"]
        elif "more" in entry:
            open_calls[entry["more"]] += entry["reserved_nano_usd"]
        elif "key" in entry:
            assert entry["key"] not in answers, "answered twice"
            answers[entry["key"]] = entry
            del open_calls[entry["key"]]
        else:
            failures.append(entry)
            del open_calls[entry["failed"]]
    return answers, failures, lost + sum(open_calls.values())


def outcomes(run):
    with open(run / "outcomes.csv", encoding="utf-8") as file:
        return sorted(tuple(row.items()) for row in csv.DictReader(file))


def rounds(run):
    return [json.loads((run / f"round-{k}" / "round.json").read_text())
            for k in range(1, 1 + len(list(run.glob("round-*"))))]


def test_rounds_within_a_cap(leeroo, play, experts, tmp_path):
    server = experts()
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 300)
    said = play("run", "--questions", "questions.jsonl", "--spend", "0.2", "--rounds", "3", "--workers", "8",
                "--max-output", "100")
    assert len(re.findall(r"^round \d/3  .* USD .*\n +area ", said, re.M)) == 3, said
    run = tmp_path / "run"
    answers, failures, lost = journal(run)
    served = sum(cost for _, _, _, cost in server.asked)
    assert not failures and lost == 0
    assert sum(a["cost_nano_usd"] for a in answers.values()) == served, "what was served was booked"
    assert served <= 200_000_000
    assert len(server.asked) == len(set(server.asked)) == len(answers), "nobody was asked the same twice"
    rows = [dict(row) for row in outcomes(run)]
    assert len(rows) == len(answers)
    assert sum(round(1e9 * float(row["cost_usd"])) for row in rows) == served
    for row in rows:
        text = f"number{row['id'][1:]}"
        assert (row["score"] == "1") == (f"The answer is {text}." == answers[f"cell/{row['id']}/{row['model']}"]["text"])
    figures = rounds(run)
    assert [r["round"] for r in figures] == [1, 2, 3]
    assert figures[-1]["spent_all_nano_usd"] == served
    assert figures[0]["spent_nano_usd"] < figures[1]["spent_nano_usd"] < figures[2]["spent_nano_usd"]
    assert figures[-1]["area"] is not None and figures[-1]["validation"] >= 10
    assert 0 < figures[-1]["area_error"] < 0.2 and 0 < figures[-1]["area_prior"] < 1
    for r in figures:
        assert sum(row["cost_nano_usd"] for row in r["spending"]) == r["spent_nano_usd"]
        assert {row["purpose"] for row in r["spending"]} == {"cell"}
        assert {m: x["count"] for m, x in r["evaluation"]["methods"].items() if x["count"]} == {"text": r["cells"]}
        with open(run / f"round-{r['round']}" / "cells.csv", encoding="utf-8") as file:
            cells = list(csv.DictReader(file))
        assert sum(int(c["answered"]) for c in cells) == sum(row["calls"] for row in r["spending"]) == r["cells"]
        assert all(0 <= float(c["quality"]) <= 1 and 0 < float(c["quality_sd"]) < 1 for c in cells)
        assert all(0 <= float(c["tie"]) <= 1 for c in cells) and any(float(c["tie"]) > 0 for c in cells)
    subprocess.run([leeroo, "train", str(run), "-o", str(tmp_path / "m.safetensors")], check=True, capture_output=True,
                   timeout=60)
    done = subprocess.run([leeroo, "select", str(run), "-k", "2", "--json"], check=True, capture_output=True, timeout=60)
    said = json.loads(done.stdout)
    asked = {row["id"] for row in rows}
    whole = [q for q in asked if len({row["model"] for row in rows if row["id"] == q and row["score"]}) == len(PRICES)]
    assert said["questions"] == len(whole) > 0 and said["optimal"] and len(said["set"]) <= 2


def report_of(run):
    """The run's page, after a look at what every one must have, and must not."""
    page = (run / "report.html").read_text(encoding="utf-8")
    ElementTree.fromstring(page.split("\n", 1)[1])
    for section in ("curve", "money", "experts", "trust", "questions"):
        assert f'<section id="{section}">' in page
    assert not re.search(r"<script|<link|<img|<iframe|\bsrc=|\bhref=|url\(|@import|https?://(?!www\.w3\.org/)", page)
    return page


def test_each_round_writes_the_report_anew(play, experts, tmp_path):
    write_config(tmp_path, experts().url)
    write_questions(tmp_path / "questions.jsonl", 200)
    with open(tmp_path / "questions.jsonl", "a", encoding="utf-8") as out:
        out.write('{"id": "evil", "text": "<script>alert(1)</script> & more", "answer": "x"}\n')
        out.write('{"id": "twice", "text": "<script>alert(1)</script> & more", "answer": "x"}\n')
    run, pages = tmp_path / "run", []
    for rounds in (1, 2, 3):
        said = play("run", "--questions", "questions.jsonl", "--spend", "0.2", "--rounds", rounds, "--max-output", "100")
        assert "the report run/report.html" in said
        pages.append(report_of(run))
        assert f"After {rounds} round" in pages[-1]
        assert f"round {rounds} of {rounds}" in pages[-1]
    last = json.loads((run / "round-3" / "round.json").read_text())
    assert f'<em>{100 * last["area"]:.1f}</em>' in pages[-1]
    assert '<section id="lessons">' in pages[-1] and "number" in pages[-1]
    assert "duplicate" in pages[-1] and "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in pages[-1]
    (run / "report.html").unlink()
    play("run")  # over: the page is made of its files alone
    assert report_of(run) == pages[-1]
    for _ in range(2):  # over, with rounds left: all is asked
        play("run", "--rounds", 12, "--spend", 9)
    assert not (run / "round-12").exists()
    page = report_of(run)
    (run / "report.html").unlink()
    play("run")
    assert report_of(run) == page


def test_a_cap_that_binds_is_kept_and_said(play, experts, tmp_path):
    server = experts(delay=0.01, tokens=1200)  # longer than anybody would guess
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 100)
    said = play("run", "--questions", "questions.jsonl", "--spend", "0.1", "--rounds", "1", "--max-output", "1300")
    served = sum(cost for _, _, _, cost in server.asked)
    assert served <= 100_000_000
    assert served > 100_000_000 - nano_usd("large", 250, 1300), "what is left would not have paid for another"
    assert "cap reached" in said
    asked = len(server.asked)
    less = play("run", "--spend", "0.05", "--rounds", "2")
    assert re.search(r"^--spend 0\.0500 is less than the 0\.\d+ USD that are booked already: nobody is asked$", less, re.M), less
    assert len(server.asked) == asked
    again = play("run", "--spend", "0.15", "--rounds", "2")
    assert sum(cost for _, _, _, cost in server.asked) <= 150_000_000, again
    assert len(server.asked) == len(set(server.asked))


def test_a_cap_too_small_for_any_call_is_said(play, experts, tmp_path):
    server = experts()
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 40)
    for spend in ("0", "0.000001"):
        said = play(f"run{spend}", "--questions", "questions.jsonl", "--spend", spend)
        assert "cap reached" in said and "nothing is left" not in said
    assert not server.asked


def test_rounds_whose_share_buys_nothing_go_on(play, experts, tmp_path):
    """A first round of 1/31 of the money pays for no answer of a dear expert; more rounds than once were asked for
    find their shares spent."""
    server = experts()
    PRICES["dear"], SKILL["dear"] = (100, 400), 0.9
    try:
        config = write_config(tmp_path, server.url)
        text = config.read_text()
        config.write_text("\n".join(line for line in text.splitlines() if not re.search("small|middle|large", line)) + "\n")
        write_questions(tmp_path / "questions.jsonl", 40)
        said = play("run", "--questions", "questions.jsonl", "--spend", "0.7", "--max-output", "100")
        assert len(server.asked) > 5, said
        spent = sum(cost for _, _, _, cost in server.asked)
        assert 300_000_000 < spent <= 700_000_000
        before = len(rounds(tmp_path / "run"))
        said = play("run", "--rounds", str(before + 3), "--spend", "1")
        assert len(rounds(tmp_path / "run")) > before, said
        assert spent < sum(cost for _, _, _, cost in server.asked) <= 1_000_000_000
    finally:
        del PRICES["dear"], SKILL["dear"]


def test_a_dry_run_asks_nobody(play, experts, tmp_path):
    server = experts()
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 100)
    said = play("run", "--questions", "questions.jsonl", "--spend", "0.1", "--dry-run")
    assert re.search(r"^1 +answers +small +\d+ ", said, re.M), said
    expected = float(re.search(r"^all +\d+ +([\d.]+) ", said, re.M).group(1))
    assert 0.05 < expected <= 0.1
    said = play("run", "--generate", "large", "--new", "20", "--judge", "middle", "--spend", "1", "--dry-run")
    assert re.search(r"^5 +questions +large +\d+ ", said, re.M) and re.search(r"^5 +scores +middle +\d+ ", said, re.M), said
    assert 0.3 < float(re.search(r"^all +\d+ +([\d.]+) ", said, re.M).group(1)) <= 1
    said = play("run", "--questions", "questions.jsonl", "--spend", "0.1", "--max-output", "8", "--dry-run")
    cells = re.findall(r"^\d +answers +\w+ +\d+ +([\d.]+) +([\d.]+)$", said, re.M)
    assert cells and all(float(usd) <= float(most) for usd, most in cells), said
    assert not server.asked and not (tmp_path / "run").exists()


def test_a_dry_run_of_more_than_any_number_holds(play, experts, tmp_path):
    config = write_config(tmp_path, experts().url)
    config.write_text(config.read_text().replace("output: 40.0", "output: 1000000000"))
    write_questions(tmp_path / "questions.jsonl", 40)
    said = play("--questions", "questions.jsonl", "--spend", "1000000000", "--dry-run", "--max-output", "1000000")
    most = [float(line.split()[-1]) for line in said.splitlines() if re.match(r"1 .* large |all ", line)]
    assert most and all(m > 9e9 for m in most), said


def test_a_dry_run_is_at_home_where_temporary_files_are(play, experts, tmp_path, monkeypatch):
    write_config(tmp_path, experts().url)
    write_questions(tmp_path / "questions.jsonl", 10)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    said = play("--questions", "questions.jsonl", "--spend", "0.1", "--dry-run", status=1)
    assert "nowhere" in said and "TMPDIR" in said and "No such file" in said
    (tmp_path / "nowhere").mkdir()
    play("--questions", "questions.jsonl", "--spend", "0.1", "--dry-run")
    assert not list((tmp_path / "nowhere").iterdir()), "nothing is left behind"


def test_a_dry_run_of_a_run_that_is_there_says_what_is_left(play, collect, experts, tmp_path):
    server = experts()
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 60)

    def forecast(said):
        calls, usd = re.search(r"^all +(\d+) +([\d.]+) ", said, re.M).groups()
        return int(calls), float(usd)
    collect("questions.jsonl", "-o", "mine", "--max-output", "100")
    assert forecast(collect("questions.jsonl", "-o", "mine", "--dry-run")) == (0, 0)
    play("run", "--questions", "questions.jsonl", "--spend", "0.02", "--rounds", "2", "--max-output", "100")
    asked, before = len(server.asked), len(outcomes(tmp_path / "run"))
    assert forecast(play("run", "--dry-run")) == (0, 0)
    said = play("run", "--dry-run", "--rounds", "3", "--spend", "5")
    assert forecast(said)[0] == 180 - before and re.search(r"^3 +answers", said, re.M) and not re.search("^[12] ", said, re.M)
    assert len(server.asked) == asked and len(rounds(tmp_path / "run")) == 2


def test_a_failing_expert_is_left_out_of_the_round_alone(play, experts, tmp_path):
    server = experts(broken=["middle"])
    write_config(tmp_path, server.url, more=", retries: 0")
    write_questions(tmp_path / "questions.jsonl", 200)
    play("run", "--questions", "questions.jsonl", "--spend", "0.1", "--rounds", "1", "--workers", "1")
    (first,) = rounds(tmp_path / "run")
    assert 1 <= first["broken"] <= 6 and first["left_out"] > 0
    assert not [row for row in outcomes(tmp_path / "run") if dict(row)["model"] == "middle"]
    server.broken.clear()
    play("run", "--rounds", "2", "--spend", "0.3")
    assert [row for row in outcomes(tmp_path / "run") if dict(row)["model"] == "middle"]
    assert rounds(tmp_path / "run")[1]["left_out"] == 0


def test_an_expert_that_never_answers_does_not_end_the_run(play, experts, tmp_path):
    server = experts(broken=["middle"])
    write_config(tmp_path, server.url, more=", retries: 0")
    write_questions(tmp_path / "questions.jsonl", 40)
    said = play("run", "--questions", "questions.jsonl", "--spend", "1", "--rounds", "3", "--max-output", "100")
    assert "nothing is left to ask but 1 that keep failing" in said
    assert len(outcomes(tmp_path / "run")) == 80
    said = play("run")
    assert "keep failing" in said and len(rounds(tmp_path / "run")) == 1, "no round of nothing"
    server.broken.clear()
    play("run")
    assert len(outcomes(tmp_path / "run")) == 120


def test_nobody_answers(play, experts, tmp_path):
    server = experts(broken=PRICES)
    write_config(tmp_path, server.url, more=", retries: 0")
    write_questions(tmp_path / "questions.jsonl", 50)
    said = play("run", "--questions", "questions.jsonl", "--spend", "0.1", status=1)
    assert "no expert has answered" in said and "leeroo play run" in said


def test_what_is_missing_is_said(play, experts, tmp_path):
    server = experts()
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 10)
    assert "large makes them up" in play("run", "--spend", "1", "--dry-run")
    assert "--spend USD" in play("run", "--questions", "questions.jsonl", status=2)
    assert "nowhere" in play("run", "--questions", "nowhere", "--spend", "1", status=1)
    assert not server.asked


def test_one_process_at_a_time(leeroo, play, experts, tmp_path):
    server = experts(delay=0.2)
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 200)
    command = [leeroo, "play", "run", "--questions", "questions.jsonl", "--spend", "1", "--workers", "2"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        deadline = time.monotonic() + 20
        while not server.asked and time.monotonic() < deadline:
            time.sleep(0.01)
        said = play("run", status=1)
        first.kill()
    assert "another process" in said


@pytest.fixture
def collect(leeroo, tmp_path):
    def run(*arguments, status=0):
        done = subprocess.run([leeroo, "collect", *map(str, arguments)], capture_output=True, text=True, timeout=120,
                              cwd=tmp_path, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr
    return run


def test_collect_asks_everybody_everything(leeroo, collect, experts, tmp_path):
    server = experts()
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 40)
    said = collect("questions.jsonl", "-o", "mine", "--dry-run")
    assert re.search(r"^1 +answers +large +40 ", said, re.M) and not server.asked
    collect("questions.jsonl", "-o", "mine", "--spend", "0.02", "--max-output", "100")
    some = len(server.asked)
    assert 0 < some < 120
    assert sum(cost for _, _, _, cost in server.asked) <= 20_000_000
    said = collect("questions.jsonl", "-o", "mine", "--spend", "5")
    assert f"40 questions  {120 - some} answers" in said and "round" not in said, "there are no rounds to be told of"
    assert len(server.asked) == len(set(server.asked)) == 120, "the same command goes on and pays for nothing twice"
    rows = [dict(row) for row in outcomes(tmp_path / "mine")]
    assert len(rows) == 120 and all(row["score"] in "01" for row in rows)
    assert "nothing is left to ask: every expert has been asked every question" in collect("questions.jsonl", "-o", "mine")
    assert len(server.asked) == 120
    subprocess.run([leeroo, "train", str(tmp_path / "mine"), "-o", str(tmp_path / "m.safetensors")], check=True,
                   capture_output=True, timeout=60)


def test_collect_asks_only_those_that_are_named(leeroo, collect, experts, tmp_path):
    server = experts()
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 20)
    assert "has no expert 'midle'; did you mean 'middle'?" in collect("questions.jsonl", "--experts", "midle", "-o", "mine", status=2)
    assert "'small' is named twice" in collect("questions.jsonl", "--experts", "small,small", "-o", "mine", status=2)
    said = collect("questions.jsonl", "--experts", "middle", "-o", "mine", "--dry-run")
    assert re.search(r"^1 +answers +middle +20 ", said, re.M) and "large" not in said and not server.asked
    collect("questions.jsonl", "--experts", "middle", "-o", "mine", "--max-output", "100")
    assert {model for _, model, _, _ in server.asked} == {"middle"} and len(server.asked) == 20
    assert [line.split(",")[0] for line in (tmp_path / "mine" / "experts.csv").read_text().splitlines()[1:]] == ["middle"]
    assert len(outcomes(tmp_path / "mine")) == 20
    collect("questions.jsonl", "-o", "mine")
    assert len(server.asked) == 20, "the run remembers whom it asks"
    said = collect("questions.jsonl", "--experts", "large", "-o", "mine", status=1)
    assert "outcomes of expert middle" in said and "--experts" in said
    collect("questions.jsonl", "--experts", "large, middle", "-o", "mine", "--max-output", "100")
    assert len(server.asked) == 40 and len(outcomes(tmp_path / "mine")) == 40


def test_a_teacher_need_not_be_among_those_that_are_asked(leeroo, collect, experts, tmp_path):
    server = experts()
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "known.jsonl", 4)
    write_questions(tmp_path / "open.jsonl", 4, answers=False)
    collect("known.jsonl", "--experts", "small", "--teacher", "large", "-o", "known")
    assert [model for _, model, _, _ in server.asked] == ["small"] * 4, "where there are references nobody teaches"
    server.asked.clear()
    collect("open.jsonl", "--experts", "small", "--teacher", "large", "-o", "open")
    assert sorted(model for _, model, _, _ in server.asked) == ["large"] * 4 + ["small"] * 4
    scores = [row["score"] for row in map(dict, outcomes(tmp_path / "open")) if row["model"] == "small"]
    assert len(scores) == 4 and all(scores), "the teacher's answers are the references"


def test_lines_that_are_no_questions_are_named(play, collect, experts, tmp_path):
    write_config(tmp_path, experts().url)
    write_questions(tmp_path / "questions.jsonl", 3)
    with (tmp_path / "questions.jsonl").open("a") as file:
        file.write('{"text": ""}\n{\n')
    for said in (collect("questions.jsonl", "-o", "mine", "--dry-run"), collect("questions.jsonl", "-o", "mine", "--max-output", "100"),
                 play("run", "--questions", "questions.jsonl", "--rounds", "1", "--spend", "1")):
        assert "questions: 2 dropped: 1 malformed, 1 a field is missing\n" in said
        assert re.search(r"the first: \S*questions.jsonl:4: the question's text is empty\n", said)


def test_collect_keeps_questions_that_are_much_alike(collect, experts, tmp_path):
    server = experts()
    write_config(tmp_path, server.url)
    text = "A train leaves the station at noon and travels for three hours at eighty kilometres per hour, how far is {}"
    lines = [{"id": f"q{i}", "text": text.format("it" if i else "that"), "answer": "240"} for i in range(2)]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    collect("questions.jsonl", "-o", "mine")
    assert len(outcomes(tmp_path / "mine")) == 6


def test_names_with_slashes_are_not_mixed_up(collect, experts, tmp_path):
    """a, asked b/large, is not a/b, asked large."""
    server = experts()
    for name in ("b/large", "large"):
        PRICES[name], SKILL[name] = (1, 4), 0.9
    try:
        config = write_config(tmp_path, server.url)
        config.write_text("\n".join(line for line in config.read_text().splitlines() if not re.search("small|middle", line)) + "\n")
        lines = [{"id": i, "text": f"{i} one number1", "answer": "number1"} for i in ("a", "a/b", "a%2Fb")]
        (tmp_path / "questions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        for _ in range(2):
            collect("questions.jsonl", "-o", "mine", "--max-output", "100")
            assert len(journal(tmp_path / "mine")[0]) == len(server.asked) == 6
            for name in ("b/large", "large"):
                assert len((tmp_path / "mine" / "responses" / f"{name}.jsonl").read_text().splitlines()) == 3
    finally:
        PRICES["large"], SKILL["large"] = (10.0, 40.0), 0.9
        del PRICES["b/large"], SKILL["b/large"]


def test_a_data_set_of_somebody_is_not_written_over(play, collect, experts, tmp_path):
    server = experts()
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 10)
    theirs = write_recorded(tmp_path / "theirs")
    before = {path: path.read_bytes() for path in theirs.rglob("*") if path.is_file()}
    for said in (collect("questions.jsonl", "-o", "theirs", status=1),
                 play("theirs", "--questions", "theirs", "--spend", "1", status=1)):
        assert "no run has made" in said and "the run is" not in said and "goes on" not in said
    assert {path: path.read_bytes() for path in theirs.rglob("*") if path.is_file()} == before
    assert not server.asked


def test_collect_says_what_is_missing(collect, tmp_path):
    assert "-o DATASET" in collect("questions.jsonl", status=2)
    assert "name the questions" in collect("-o", "mine", status=2)


def test_without_references_the_experts_agree_or_a_teacher_knows(play, experts, tmp_path):
    server = experts()
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 60, answers=False)
    play("run", "--questions", "questions.jsonl", "--spend", "5", "--rounds", "1", "--max-output", "100")
    rows = [dict(row) for row in outcomes(tmp_path / "run")]
    scored = [row for row in rows if row["score"]]
    assert len(rows) == 180 and {row["method"] for row in scored} == {"consensus"}
    assert all(0 < float(row["confidence"]) < 1 for row in scored)
    server.asked.clear()
    play("taught", "--questions", "questions.jsonl", "--spend", "5", "--rounds", "1", "--max-output", "100",
         "--teacher", "large")
    rows = [dict(row) for row in outcomes(tmp_path / "taught")]
    assert {row["method"] for row in rows if row["score"] and row["model"] != "large"} == {"teacher"}
    answers, _, lost = journal(tmp_path / "taught")
    assert sum(a["cost_nano_usd"] for a in answers.values()) + lost == sum(cost for _, _, _, cost in server.asked)
    (figures,) = rounds(tmp_path / "taught")
    assert figures["spent_nano_usd"] == sum(cost for _, _, _, cost in server.asked), "what the teacher is asked for is paid, too"


def test_a_judge_that_knows_nothing_is_refused(play, experts, tmp_path):
    server = experts()
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 60, answers=False)
    said = play("run", "--questions", "questions.jsonl", "--spend", "5", "--rounds", "1", "--max-output", "100",
                "--judge", "small")
    judge = json.loads((tmp_path / "run" / "round-1" / "judge.json").read_text())
    assert re.search(r"^ +.*small.*refused|^ +.*small.*not", said, re.M), said
    assert judge["judges"] and not judge["judges"][0]["trusted"]
    assert not [row for row in map(dict, outcomes(tmp_path / "run")) if row["method"] == "judge"]
    assert "no such expert" in play("other", "--questions", "questions.jsonl", "--spend", "1", "--judge", "nobody", status=2)


def test_questions_of_the_sandbox(play, experts, tmp_path):
    server = experts()
    write_config(tmp_path, server.url)
    play("run", "--sandbox", "--new", "40", "--spend", "1", "--rounds", "2", "--max-output", "100")
    assert [r["questions_new"] for r in rounds(tmp_path / "run")] == [40, 40]
    assert len(server.asked) == len(set(server.asked)) > 80


def test_control_c_waits_for_what_is_in_flight(leeroo, play, experts, tmp_path):
    server = experts(delay=0.5)
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 100)
    command = [leeroo, "play", "run", "--questions", "questions.jsonl", "--spend", "1", "--workers", "4"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 20
        while len(server.asked) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=20)[1]
    assert process.returncode == 1 and "stopped" in said and "goes on" in said
    answers, failures, lost = journal(tmp_path / "run")
    assert lost == 0 and not failures
    assert len(answers) == len(server.asked) < 50


def write_recorded(folder):
    """A data set with texts, as `leeroo replay` serves it."""
    rng = random.Random(9)
    (folder / "responses").mkdir(parents=True)
    rows, texts, queries = ["id,model,score,cost_usd,input_tokens,output_tokens"], {m: [] for m in PRICES}, []
    for i in range(240):
        text = " ".join(rng.choices(WORDS, k=5)) + f" number{i}"
        queries.append({"id": f"q{i}", "text": text, "answer": f"number{i}"})
        for model in PRICES:
            right, tokens = rng.random() < SKILL[model], (30, rng.randrange(5, 60))
            texts[model].append({"id": f"q{i}", "text": f"The answer is {f'number{i}' if right else 'unknown'}."})
            rows.append(f"q{i},{model},{int(right)},{nano_usd(model, *tokens) / 1e9:.9f},{tokens[0]},{tokens[1]}")
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    (folder / "outcomes.csv").write_text("\n".join(rows) + "\n")
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\n" +
                                        "".join(f"{m},{a},{b}\n" for m, (a, b) in PRICES.items()))
    for model, lines in texts.items():
        (folder / "responses" / f"{model}.jsonl").write_text("".join(json.dumps(t) + "\n" for t in lines))
    return folder


def test_recorded_answers_come_out_as_they_were(leeroo, play, tmp_path):
    recorded = write_recorded(tmp_path / "recorded")
    upstream = Process([leeroo, "replay", str(recorded), "--listen", "127.0.0.1:0"])
    address = upstream.wait_line(r"msg=listening.* addr=(\S+)", 60).group(1)
    write_config(tmp_path, f"http://{address}/v1")
    play("run", "--questions", "recorded", "--spend", "0.15", "--rounds", "2", "--max-output", "60")
    upstream.stop()
    was = {(row["id"], row["model"]): row for row in map(dict, outcomes(recorded))}
    rows = [dict(row) for row in outcomes(tmp_path / "run")]
    assert 100 < len(rows) < 720
    assert sum(float(row["cost_usd"]) for row in rows) <= 0.15
    for row in rows:
        for column in ("score", "cost_usd", "input_tokens", "output_tokens"):
            assert row[column] == was[row["id"], row["model"]][column], row
    subprocess.run([leeroo, "train", str(tmp_path / "run"), "-o", str(tmp_path / "m.safetensors")], check=True,
                   capture_output=True, timeout=60)


def test_prompts_that_the_gateway_has_kept(leeroo, play, experts, tmp_path):
    server = experts()
    config = write_config(tmp_path, server.url, top="listen: 127.0.0.1:0\nstate_dir: state\nkeep: {share: 1}")
    gateway = Gateway(leeroo, config)
    for i in range(12):
        answer = gateway.chat(f"{WORDS[i % 10]} {WORDS[i // 2]} number{i}", model="small")
        assert answer.status_code == 200
        praise = {"request_id": answer.headers["x-leeroo-request-id"], "score": 1}
        assert gateway.client.post("/v1/feedback", json=praise).status_code in (200, 202, 204)
    gateway.client.close()
    assert gateway.stop() == 0
    server.asked.clear()
    play("run", "--from", "ledger", "--spend", "1", "--rounds", "1")
    texts = {json.loads(line)["text"] for line in (tmp_path / "run" / "queries.jsonl").read_text().splitlines()}
    assert texts == {f"{WORDS[i % 10]} {WORDS[i // 2]} number{i}" for i in range(12)}
    assert {prompt for _, _, prompt, _ in server.asked} == texts


def test_nothing_is_kept(play, experts, tmp_path):
    write_config(tmp_path, experts().url)
    assert "needs `keep`" in play("run", "--from", "ledger", "--spend", "1", status=2)
    assert "expected ledger" in play("run", "--from", "kept", "--spend", "1", status=2)
    write_config(tmp_path, experts().url, top="state_dir: state")
    said = play("run", "--from", "ledger", "--spend", "1", status=1)
    assert "`keep: {share: 0.05}` keeps some" in said and "goes on" not in said


def kill_at_random(leeroo, folder, server, arguments, rng, times):
    """Runs and kills; returns, for each epoch, which cells had an answer in the journal when it began."""
    known, run = [], folder / "run"
    for epoch in range(times):
        known.append(set(journal(run)[0]) if (run / "calls.jsonl").exists() else set())
        with server.lock:
            server.epoch = epoch
        with subprocess.Popen([leeroo, "play", "run", *arguments], cwd=folder, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            time.sleep(rng.uniform(0.02, 0.5))
            process.send_signal(signal.SIGKILL)
        time.sleep(0.05)  # what is still on its way to the server
    known.append(set(journal(run)[0]))
    with server.lock:
        server.epoch = times
    return known


def test_killed_at_twenty_moments_it_ends_the_same(leeroo, play, experts, tmp_path):
    server = experts(delay=0.02)
    questions = write_questions(tmp_path / "questions.jsonl", 240)
    options = ["--questions", str(questions), "--spend", "2.5", "--rounds", "3", "--workers", "8", "--max-output", "200"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        write_config(folder, server.url)
    play("run", *options, cwd=whole)
    server.asked.clear()
    known = kill_at_random(leeroo, killed, server, options, random.Random(11), 20)
    play("run", cwd=killed)
    assert outcomes(killed / "run") == outcomes(whole / "run")
    assert len(outcomes(whole / "run")) == 720
    for name in ("run/queries.jsonl", "run/outcomes.csv", "run/experts.csv", "run/responses/large.jsonl",
                 "leeroo-model.safetensors"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name
    prompts = {q["text"]: q["id"] for q in map(json.loads, questions.read_text().splitlines())}
    for epoch, model, prompt, _ in server.asked:
        assert f"cell/{prompts[prompt]}/{model}" not in known[epoch], "paid twice"
    answers, _, lost = journal(killed / "run")
    booked = sum(a["cost_nano_usd"] for a in answers.values()) + lost
    assert sum(cost for _, _, _, cost in server.asked) <= booked <= 2_500_000_000
    assert lost > 0, "no kill hit a call: the test proves nothing"
    for a, b in zip(rounds(killed / "run"), rounds(whole / "run"), strict=True):
        del a["booked_nano_usd"], b["booked_nano_usd"]
        assert a == b
    assert "first" in [r["publication"] for r in rounds(whole / "run")]


def test_a_round_that_is_done_again_says_the_same(play, experts, tmp_path):
    """As after a kill between publishing and the end of the round."""
    server = experts()
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 240)
    options = ["--questions", "questions.jsonl", "--spend", "2.5", "--rounds", "3", "--workers", "8", "--max-output", "200"]
    play("run", *options)
    before, model = rounds(tmp_path / "run"), (tmp_path / "leeroo-model.safetensors").read_bytes()
    published = [r["round"] for r in before if r["publication"] in ("first", "published")]
    last = published[-1]
    for r in (r for r in before if r["confidence"] is not None):
        is_earlier, few = r["round"] > published[0], r["compared"] < 20
        assert r["confidence_min"] == ([0.8, 0.5] if is_earlier else [0.95, 0.8])[not few], "an earlier round's model"
    for k in range(last, len(before) + 1):
        shutil.rmtree(tmp_path / "run" / f"round-{k}")
    server.asked.clear()
    play("run")
    assert rounds(tmp_path / "run") == before
    assert (tmp_path / "leeroo-model.safetensors").read_bytes() == model
    assert not server.asked


@pytest.mark.parametrize("name", ["round.json", "outcomes.csv", "queries.jsonl", "model.safetensors"])
def test_a_damaged_round_is_done_again_without_its_folder(play, experts, tmp_path, name):
    server = experts()
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 60)
    play("run", "--questions", "questions.jsonl", "--spend", "5", "--rounds", "1", "--max-output", "100")
    folder, before = tmp_path / "run" / "round-1", outcomes(tmp_path / "run")
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:len(whole) // 2 - 3])
    server.asked.clear()
    said = play("run", status=1)
    assert "without the folder round-1 it is done again" in said
    assert "goes on" not in said, "the same command would be refused again"
    shutil.rmtree(folder)
    play("run")
    assert not server.asked and outcomes(tmp_path / "run") == before and (folder / name).read_bytes() == whole


def test_killed_at_a_binding_cap_it_is_kept(leeroo, play, experts, tmp_path):
    server = experts(delay=0.02)
    write_config(tmp_path, server.url)
    write_questions(tmp_path / "questions.jsonl", 200)
    options = ["--questions", "questions.jsonl", "--spend", "0.15", "--rounds", "2", "--workers", "8", "--max-output", "200"]
    kill_at_random(leeroo, tmp_path, server, options, random.Random(3), 6)
    play("run")
    answers, _, lost = journal(tmp_path / "run")
    assert sum(a["cost_nano_usd"] for a in answers.values()) + lost <= 150_000_000
    assert sum(cost for _, _, _, cost in server.asked) <= 150_000_000


def test_without_policies_a_model_must_be_good_at_any_trade(play, experts, tmp_path):
    """At lambda 0 alone nothing would be won by knowing who is cheap, and nothing published."""
    server = experts()
    path = write_config(tmp_path, server.url)
    path.write_text(path.read_text().split("policies:")[0])
    write_questions(tmp_path / "questions.jsonl", 400)
    play("run", "--questions", "questions.jsonl", "--spend", "3", "--max-output", "100")
    figures = rounds(tmp_path / "run")
    first = [r["publication"] for r in figures].index("first")
    assert figures[first]["confidence_min"] in (0.8, 0.95)
    assert all(r["confidence_min"] in (0.5, 0.8) for r in figures[first + 1:] if r["confidence"] is not None)
