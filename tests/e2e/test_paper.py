"""bench_paper from outside: its pools file, its figures on made-up data, and that it says what fails and why."""

import json
import random
import re
from pathlib import Path

import pytest

from routing import read_outcomes, run, write_dataset

ROOT = Path(__file__).resolve().parents[2]
POOL = """pools:
  - name: {name}
    dataset: made-up
    experts: [{experts}]
    reference: {reference}
    claims: [{claims}]
    why: to test
"""


@pytest.fixture(scope="session")
def paper(leeroo):
    path = Path(leeroo).parent / "bench" / "bench_paper"
    if not path.exists():
        pytest.skip(f"{path} is not built")
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    write_dataset(folder / "made-up", 600, 3)
    return folder


@pytest.fixture
def pools(tmp_path):
    def write(text=None, name="all", experts="small, middle, large", reference="large",
              claims="half, three-quarters"):
        path = tmp_path / "pools.yaml"
        path.write_text(text or POOL.format(name=name, experts=experts, reference=reference, claims=claims))
        return path
    return write


def measure(paper, pools, data):
    done = run(paper, "--json", "--pools", pools, data)
    assert done.returncode == 0, done.stderr
    (pool,) = json.loads(done.stdout)["pools"]
    return pool, {c["claim"]: c for c in pool["claims"]}


def test_figures_fit_the_outcomes(paper, pools, data):
    """Every question is held out once, and the reference's figures are those of the outcomes."""
    pool, claims = measure(paper, pools(), data)
    outcomes = read_outcomes(data / "made-up")
    scores = [row["large"][0] for row in outcomes.values()]
    assert pool["queries"] == len(outcomes) and pool["left_out"] == 0
    assert pool["reference_accuracy"]["value"] == pytest.approx(sum(scores) / len(scores))
    assert pool["reference_usd_per_1k"] == pytest.approx(
        sum(row["large"][1] for row in outcomes.values()) / len(outcomes) / 1e6)
    assert set(claims) == {"half", "three-quarters"}
    for c in claims.values():
        assert c["accuracy"] - pool["reference_accuracy"]["value"] == pytest.approx(c["difference"]["value"])
        assert c["won"] - c["lost"] == pytest.approx(c["difference"]["value"])
        assert c["won"] <= c["could_win"] and c["lost"] <= c["elsewhere"] <= 1
        assert 0 < c["difference"]["error"] < 0.1
        judged = c[c["judged_by"]]["value"]
        assert c["reproduced"] == (judged >= c["bar"]) and ("reason" in c) != c["reproduced"]


def test_topics_are_learnt(paper, pools, data):
    """Greetings need no large expert, algebra does; blind mixing does not know which is which."""
    _, claims = measure(paper, pools(), data)
    assert claims["half"]["accuracy"] > claims["half"]["blind_mix"] + 0.02


def test_a_reference_outside_the_pool(paper, pools, data):
    pool, claims = measure(paper, pools(experts="small", reference="large", claims="equal-cost"), data)
    scores = [row["small"][0] for row in read_outcomes(data / "made-up").values()]
    assert claims["equal-cost"]["accuracy"] == pytest.approx(sum(scores) / len(scores))
    assert claims["equal-cost"]["elsewhere"] == pytest.approx(1)
    assert not claims["equal-cost"]["reproduced"]
    assert pool["best_other"] == "small"


def test_no_policy_is_that_cheap(paper, pools, data):
    _, claims = measure(paper, pools(experts="large", reference="small", claims="two-thirds"), data)
    assert claims["two-thirds"]["accuracy"] is None and not claims["two-thirds"]["reproduced"]
    assert "no policy is that cheap" in claims["two-thirds"]["reason"]


def test_the_table_says_what_fails(paper, pools, data):
    done = run(paper, "--pools", pools(experts="small, middle", claims="half, equal-cost"), data)
    assert done.returncode == 0, done.stderr
    assert re.search(r"over 5 points more at equal cost +\+5\.3 points +-\d+\.\d ± \d+\.\d points +not reproduced",
                     done.stdout)
    assert "whoever knew who is right could win" in done.stdout
    assert "reproduced on 0 of 1 pools" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120


def test_the_same_again(paper, pools, data):
    first, again = (run(paper, "--json", "--pools", pools(), data).stdout for _ in range(2))
    assert first == again != ""


@pytest.mark.parametrize("text, place, message", [
    ("pools: [", "2:1", ""),
    ("pools:\n  - name: a\n    colour: red\n", "3:5", "unknown key 'colour'"),
    ("pools: []\n", "1:8", "must be a list"),
    (POOL.format(name="a", experts="small", reference="large", claims="half") + "    scores: new\n", "8:13",
     "recorded, rescored"),
    (POOL.format(name="a", experts="small", reference="large", claims="half, thirds"), "6:20", "two-thirds"),
    (POOL.format(name="a", experts="small, small", reference="large", claims="half"), "4:22", "named twice"),
    (POOL.format(name="a", experts="large", reference="large", claims="half"), "4:14", "nothing to choose"),
    (POOL.format(name="a", experts="small, tiny", reference="large", claims="half"), "4:22", "no expert 'tiny'"),
    (POOL.format(name="a", experts="small", reference="tiny", claims="half"), "5:16", "no expert 'tiny'"),
    (POOL.format(name="a", experts="small", reference="large", claims="half").replace("    why: to test\n", ""),
     "2:5", "lacks the key 'why'"),
])
def test_bad_pools_name_the_place(paper, pools, data, text, place, message):
    path = pools(text)
    done = run(paper, "--pools", path, data)
    assert done.returncode == 1
    assert f"{path}:{place}: " in done.stderr and message in done.stderr, done.stderr


def test_plans_need_texts(paper, pools, data):
    path = pools()
    path.write_text(path.read_text() + "    plans: true\n")
    done = run(paper, "--pools", path, data)
    assert done.returncode == 1 and "responses/" in done.stderr
    assert run(paper, "--pools", path, "--plans", "none", data).returncode == 0


def write_texts(folder, count):
    """Choices, and answers in words: two cheap experts that err apart from each other, and a dear one."""
    rng = random.Random(5)
    right = {"cheap": 0.7, "other": 0.7, "dear": 0.8}
    queries, outcomes = [], ["id,model,score,cost_usd,input_tokens,output_tokens"]
    texts = {name: [] for name in right}
    for i in range(count):
        key = rng.choice("ABCDEF")
        queries.append({"id": f"q{i}", "text": f"Which of these is number {i}?", "answer": key,
                        "choices": [f"thing {i} {letter}" for letter in "abcdef"]})
        for name in right:
            said = key if rng.random() < right[name] else rng.choice([x for x in "ABCDEF" if x != key])
            texts[name].append({"id": f"q{i}", "text": f"Let us see. The answer is ({said})."})
            outcomes.append(f"q{i},{name},{int(said == key)},{0.001 if name == 'dear' else 0.00001},20,10")
    (folder / "responses").mkdir(parents=True)
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    (folder / "outcomes.csv").write_text("\n".join(outcomes) + "\n")
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\n"
                                        "cheap,0.1,0.1\nother,0.1,0.1\ndear,10,10\n")
    for name, lines in texts.items():
        (folder / "responses" / f"{name}.jsonl").write_text("".join(json.dumps(t) + "\n" for t in lines))


@pytest.mark.parametrize("scores", ["recorded", "rescored"])
def test_plans_do_what_single_experts_cannot(paper, pools, tmp_path, scores):
    """Two that agree are right in 95 of 100 cases; no text tells who errs."""
    write_texts(tmp_path / "made-up", 1000)
    path = pools(experts="cheap, other, dear", reference="dear", claims="three-quarters")
    path.write_text(path.read_text() + f"    plans: true\n    scores: {scores}\n")
    pool, claims = measure(paper, path, tmp_path)
    assert pool["plans"] and pool["scores"] == scores and pool["queries"] == 1000
    c = claims["three-quarters"]
    assert c["reproduced"] and c["difference"]["value"] > 0.03
    assert c["without_plans"]["value"] < 0.01
    assert c["won"] - c["lost"] == pytest.approx(c["difference"]["value"])


def test_the_pools_that_are_shipped_are_well_formed(paper, data):
    done = run(paper, "--pools", ROOT / "examples" / "pools.yaml", "--only", "nobody", data)
    assert done.returncode == 1 and "has no pool 'nobody'" in done.stderr


def test_usage(paper, tmp_path):
    assert run(paper, "--help").stdout.startswith("usage: bench_paper")
    for wrong in (["--plans", "some"], ["--colour"], ["a", "b"]):
        assert run(paper, *wrong).returncode == 2
    done = run(paper, tmp_path / "none")
    assert done.returncode == 1 and "no recorded outcomes in" in done.stderr and done.stdout == ""
