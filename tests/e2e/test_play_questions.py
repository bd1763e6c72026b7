"""leeroo play with an expert that makes questions up: good, malformed, duplicate, contaminated and unanswerable items
are handled item by item, counted, named in dropped.jsonl, and none of it is paid twice."""

import collections
import json
import random
import re
import shutil
import subprocess

import pytest
from upstream import answer

PROTECTED = "Which chemical element has the symbol Au in the periodic table of the elements?"


def item(question, reference, choices=None, **more):
    kind = {"kind": "choice", "choices": choices} if choices else {"kind": "short"}
    return {"question": question, **kind, "reference": reference, "rationale": "so it is", "difficulty": 3, **more}


def number(question, reference):
    return {"question": question, "kind": "number", "reference": reference}


MOON = item("Which of these is the largest moon of Saturn?", "B", ["Rhea", "Titan", "Dione"], difficulty=2)
SUM = number("What is 17 * 23 + 4?", 395)
FIRST = "Who was the first woman that won a Nobel prize?"
# What the first request brings, wrapped as models wrap it. Behind each item: its fate.
REPLY = "<think>Let me see {...}</think>Here are your questions:\n```json\n[\n" + ",\n".join([
    json.dumps(MOON),                                                                      # g1-1: stays
    '{"question": "This one is broken" "reference": "1"}',                                 # malformed
    json.dumps(item("Which letter comes first?", "D", ["p", "q"])),                        # not a choice
    json.dumps({"question": "What is missing here?", "kind": "short"}),                    # no reference
    json.dumps(number("How many legs has a spider?", "some")),                             # no number
    json.dumps(item("Who wrote Hamlet? The answer is Shakespeare.", "Shakespeare")),       # given away
    json.dumps(item("x" * 9000, "y")),                                                     # too long
    json.dumps(SUM),                                                                       # g1-2: stays
    json.dumps(item(PROTECTED.replace("of the elements", "of elements"), "gold")),         # g1-3: contaminated
    json.dumps(item("which of these is the LARGEST  moon of Saturn", "B", MOON["choices"])),  # g1-4: duplicate
    json.dumps(number("How many grains of sand are there in a heap?", 10000)),             # g1-5: unanswerable
    json.dumps(item("Which colour has a clear sky at noon?", "blue")),                     # g1-6: all say so
    '{"question": "The reply is cut off amid this one',                                    # malformed
])
LATER = json.dumps({"questions": [item(FIRST, "Marie Curie")]})
SEED = "5"  # by which the question that all answer alike is in the sample that is put to the cheap experts
DROPPED = {
    "malformed": 2, "reference is not among the choices": 1, "a field is missing": 1, "reference is no number": 1,
    "reference is given away": 1, "too long": 1, "contaminated": 1, "duplicate": 1,
    "generator disagrees with itself": 1, "pool is unanimous": 1,
}
KNOWS = {  # what the maker, and the two cheap experts, say to a question
    "largest moon": ("It is Titan. The answer is B.", "The answer is B.", "The answer is A."),
    "17 * 23": ("So the answer is 395.", "The answer is 395.", "The answer is 391."),
    "grains of sand": ("This cannot be answered.", "The answer is 12.", "The answer is 13."),
    "clear sky": ("Blue.", "The answer is blue.", "blue"),
    "first woman": ("Marie Curie", "The answer is Marie Curie.", "The answer is Bertha von Suttner."),
}


def prompt_of(request):
    return request.json["messages"][-1]["content"]


def expert(index, text):
    """What an expert says; the maker is index 0 and is also asked to make questions."""
    def behave(request):
        if "You write examination questions" in request.json["messages"][0]["content"]:
            first = "Set number 1." in prompt_of(request)
            return answer(REPLY if first else LATER, usage=(300, 900))(request)
        for fragment, says in KNOWS.items():
            if fragment in prompt_of(request):
                return answer(says[index])(request)
        return answer(text)(request)
    return behave


@pytest.fixture
def scene(leeroo, upstream, tmp_path):
    """A function that runs `leeroo play` in a folder with three experts and a protected set."""
    prices = {"maker": 3, "one": 1, "two": 1}
    for index, name in enumerate(prices):
        upstream.on(name, expert(index, "I do not know."))
    rows = [f"  - {{name: {n}, url: \"{upstream.url}\", price: {{input: {p}, output: {p}}}}}"
            for n, p in prices.items()]
    (tmp_path / "leeroo.yaml").write_text("\n".join(["model: m.safetensors", "experts:", *rows, "policies:",
                                                     "  default: {lambda: 100}"]) + "\n")
    (tmp_path / "exam").mkdir()
    (tmp_path / "exam" / "queries.jsonl").write_text(json.dumps({"id": "exam1", "text": PROTECTED}) + "\n")

    def run(*arguments, status=0):
        done = subprocess.run([leeroo, "play", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                              check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr
    return run


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


GENERATE = ("--generate", "maker", "--protect", "exam", "--new", "3", "--spend", "1", "--seed", SEED)


def test_every_item_is_handled_counted_and_named(scene, upstream, tmp_path):
    said = scene("run", *GENERATE, "--rounds", "1")
    assert "11 dropped: 2 malformed, " in said
    dropped = lines_of(tmp_path / "run" / "dropped.jsonl")
    assert collections.Counter(d["reason"] for d in dropped) == DROPPED
    fates = {d["id"]: d["reason"] for d in dropped if d["id"].startswith("g1-")}
    assert fates == {"g1-3": "contaminated", "g1-4": "duplicate", "g1-5": "generator disagrees with itself",
                     "g1-6": "pool is unanimous"}
    assert {d["id"] for d in dropped} - set(fates) == {"generate/1/0"}
    assert "exam1" in next(d["why"] for d in dropped if d["reason"] == "contaminated")
    assert all(d["round"] == 1 for d in dropped)

    queries = {q["id"]: q for q in lines_of(tmp_path / "run" / "queries.jsonl")}
    assert set(queries) == {"g1-1", "g1-2", "g1-7"}
    assert queries["g1-1"]["choices"] == MOON["choices"] and queries["g1-1"]["answer"] == "B"
    assert queries["g1-2"]["answer"] == "395"
    assert queries["g1-7"]["text"] == FIRST
    posed = {p["id"]: p for p in lines_of(tmp_path / "run" / "posed.jsonl")}
    assert posed["g1-1"] == {"round": 1, "id": "g1-1", "source": "generator", "kind": "choice", "level": 2,
                             "rationale": "so it is"}

    figures = json.loads((tmp_path / "run" / "round-1" / "round.json").read_text())
    assert figures["posed"]["dropped"] == DROPPED
    assert figures["posed"]["generated"] == 7


def test_only_what_passed_is_asked_again(scene, upstream):
    scene("run", *GENERATE, "--rounds", "1")
    asked = [prompt_of(r) for r in upstream.of("maker")]
    assert sum("Write 5 new questions" in text for text in asked) >= 2
    for text in ("symbol Au", "Hamlet", "This one is broken", "Which letter", "xxxx"):
        everything = [prompt_of(r) for r in upstream.requests]
        assert not any(text in prompt for prompt in everything), f"{text!r} went to an expert"
    assert sum("LARGEST" in prompt for prompt in asked) == 0
    reference = [r for r in upstream.requests if re.search(r"reference\W*395", json.dumps(r.json))]
    assert reference == [], "the reference is not told to whoever is asked"


def test_answers_that_are_compared_are_told_how_to_end(scene, upstream):
    scene("run", *GENERATE, "--rounds", "1")
    for request in upstream.of("one"):
        roles = [m["role"] for m in request.json["messages"]]
        if "largest moon" in prompt_of(request):
            assert roles == ["user"], "a letter is read out of any answer"
        else:
            assert roles == ["system", "user"]
            assert 'End with "The answer is X."' in request.json["messages"][0]["content"]


def test_domains_are_asked_for(scene, upstream, tmp_path):
    scene("run", *GENERATE, "--rounds", "1", "--domain", "tide tables", "--domain", "knots")
    wanted = [re.search(r"Domain: (.*)", prompt_of(r)) for r in upstream.of("maker")]
    named = {found.group(1) for found in wanted if found}
    assert named and named <= {"tide tables", "knots"}
    assert {q["domain"] for q in lines_of(tmp_path / "run" / "queries.jsonl")} <= named


def test_nothing_is_paid_twice(scene, upstream, tmp_path):
    scene("run", *GENERATE, "--rounds", "2")
    keys = [line["key"] for line in lines_of(tmp_path / "run" / "calls.jsonl") if "key" in line]
    assert len(keys) == len(set(keys))
    before = len(upstream.requests)
    assert len(keys) == before
    scene("run")
    assert len(upstream.requests) == before


def test_a_round_that_was_lost_comes_out_the_same(scene, upstream, tmp_path):
    run = tmp_path / "run"
    scene("run", *GENERATE, "--rounds", "2")
    names = ["queries.jsonl", "dropped.jsonl", "posed.jsonl", "outcomes.csv"]
    before, asked = [(run / name).read_bytes() for name in names], len(upstream.requests)
    for folder in ("round-1", "round-2"):
        shutil.rmtree(run / folder, ignore_errors=True)
    for name in ("queries.jsonl", "outcomes.csv"):
        (run / name).unlink()
    scene("run")
    assert [(run / name).read_bytes() for name in names] == before
    assert len(upstream.requests) == asked


def test_questions_of_files_and_the_sandbox(scene, tmp_path):
    (tmp_path / "mine.txt").write_text(f"Is water wet?\tyes\nis  water WET?\n{PROTECTED}\n")
    scene("run", "--questions", "mine.txt", "--sandbox", "--protect", "exam", "--new", "10", "--spend", "1", "--rounds",
          "1")
    ids = [q["id"] for q in lines_of(tmp_path / "run" / "queries.jsonl")]
    assert ids[0] == "f1-1" and len(ids) == 11
    assert {i[:3] for i in ids[1:]} == {"s1-"}
    figures = json.loads((tmp_path / "run" / "round-1" / "round.json").read_text())
    assert figures["posed"]["dropped"] == {"duplicate": 1, "contaminated": 1}
    dropped = lines_of(tmp_path / "run" / "dropped.jsonl")
    assert [(d["round"], d["id"], d["reason"]) for d in dropped] == [(0, "f1-2", "duplicate"),
                                                                     (0, "f1-3", "contaminated")]


def test_what_a_file_lost_is_written_down(scene, tmp_path):
    (tmp_path / "mine.txt").write_text(f"Is water wet?\tyes\nis  water WET?\n{PROTECTED}\n")
    said = scene("run", "--questions", "mine.txt", "--protect", "exam", "--spend", "1", "--rounds", "1")
    assert "questions: 2 dropped: 1 duplicate, 1 contaminated" in said
    assert [d["id"] for d in lines_of(tmp_path / "run" / "dropped.jsonl")] == ["f1-2", "f1-3"]
    assert [q["id"] for q in lines_of(tmp_path / "run" / "queries.jsonl")] == ["f1-1"]


def test_a_file_that_holds_no_question_is_named(scene, tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"text": "a"\n')
    said = scene("run", "--questions", "bad.jsonl", "--spend", "1", status=1)
    assert "bad.jsonl:1:" in said


WORDS = [a + b for a in "bra clo dre fla gru pli sko tre wu za".split() for b in "bett dink gorm lask".split()]
PLACES = "hall barn school theatre chapel stadium cinema library tent ferry museum market".split()
THINGS = ["rows of seats", "crates of apples", "sheets of stamps", "bags of marbles", "shelves of books"]


def sums(index, seconds):
    """A maker of sums, each request's its own, and experts of whom some err now and then."""
    def behave(request):
        prompt = prompt_of(request)
        found = re.search(r"Set number (\d+)\.", prompt)
        if found:
            rng, items = random.Random(int(found.group(1))), []
            for _ in range(5):
                a, b, names = rng.randrange(100, 999), rng.randrange(11, 99), rng.sample(WORDS, 6)
                items.append(number(f"{' '.join(names)}: {a} {rng.choice(THINGS)} in the {rng.choice(PLACES)}, each of "
                                    f"{b}. How many in all?", a * b))
            text = json.dumps(items)
        else:
            a, b = map(int, re.findall(r"\d+", prompt)[:2])
            text = f"The answer is {a * b + (index * a % 3 == 1)}."
        return answer(text, delay=seconds)(request)
    return behave


def test_the_first_request_is_made_where_the_first_round_s_share_is_less(scene, upstream, tmp_path):
    """Of five rounds, the first may spend a 31st, and a third of that on questions: less than one request costs."""
    for index, name in enumerate(("maker", "one", "two")):
        upstream.on(name, sums(index, 0))
    said = scene("run", "--generate", "maker", "--new", "5", "--spend", "0.3", "--max-output", "200")
    assert len(re.findall(r"^round \d/5  \+[5-9] questions", said, re.M)) == 5 and "nothing is left" not in said
    assert len(lines_of(tmp_path / "run" / "queries.jsonl")) >= 25
    forecast = scene("other", "--generate", "maker", "--new", "5", "--spend", "0.3", "--max-output", "200", "--dry-run")
    assert "\n1     questions  maker " in forecast
    said = scene("poor", "--generate", "maker", "--new", "5", "--spend", "0.01")
    assert "cap reached: 0.0000 of 0.0100 USD are booked" in said and "nothing is left" not in said


def test_killed_while_questions_are_made_up(scene, leeroo, upstream, tmp_path):
    for index, name in enumerate(("maker", "one", "two")):
        upstream.on(name, sums(index, 0.01))
    command = ["--generate", "maker", "--new", "20", "--spend", "1", "--rounds", "2"]
    names = ["queries.jsonl", "dropped.jsonl", "posed.jsonl", "outcomes.csv"]
    scene("whole", *command)
    rng, kills = random.Random(4), 0
    for _ in range(60):
        process = subprocess.Popen([leeroo, "play", "killed", *command], cwd=tmp_path, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            assert process.wait(rng.uniform(0.05, 0.6)) == 0
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    else:
        scene("killed", *command)
    assert kills > 0
    for name in names:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    keys = [line["key"] for line in lines_of(tmp_path / "killed" / "calls.jsonl") if "key" in line]
    assert len(keys) == len(set(keys))


def test_a_generator_that_makes_nothing_of_it(scene, upstream):
    upstream.on("maker", answer("I would rather not.", usage=(300, 900)))
    said = scene("run", "--generate", "maker", "--new", "5", "--spend", "1", "--rounds", "2")
    told = re.search(r"no new question came of (\d+) requests? to generators, 0 of which failed: .*malformed", said)
    assert told and int(told.group(1)) >= 1, said
    booked = float(re.search(r"([\d.]+) USD are booked", said).group(1))
    assert abs(booked - int(told.group(1)) * 1200 * 3e-6) < 6e-5, "what that cost is said"
