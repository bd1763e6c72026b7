"""How certain an expert was of its words: asked for where the gateway reads the answer, shown to nobody who did not ask,
and the same when plans are learnt, measured and run. The upstream tells log-probabilities to whoever asks for them."""

import concurrent.futures
import csv
import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from conftest import Gateway
from upstream import delta, usage_of

NAMES = {"cheap": ("1", "1"), "dear": ("50", "100")}
PLAN = "cascade(cheap->dear)"
USAGE = (30, 4)
CHOICES = ["red", "green", "blue", "white"]


def prompt_of(query):
    return query["text"] + "".join(f"\n{'ABCD'[i]}. {c}" for i, c in enumerate(query["choices"]))


def tokens_of(texts, margins):
    return [{"token": t, "logprob": -0.25, "bytes": list(t.encode()),
             "top_logprobs": [{"token": t, "logprob": -0.25, "bytes": None},
                              {"token": "?", "logprob": -0.25 - m, "bytes": None}]} for t, m in zip(texts, margins)]


def words(letter):
    return ["The answer is ", f"({letter})", "."]


def draw(count, seed, told="right"):
    """Questions, each with what the two say of it and how certain the cheap one is: by whether it is right, or by chance.
    Margins are quarters, so that sums and means of them are exact."""
    rng, of_certainty = random.Random(seed), random.Random(seed + 1000)
    rows = []
    for i in range(count):
        key = rng.choice("ABCD")
        says = {}
        for name, right in (("cheap", 0.7), ("dear", 0.9)):
            says[name] = key if rng.random() < right else rng.choice([c for c in "ABCD" if c != key])
        sure = says["cheap"] == key if told == "right" else of_certainty.random() < 0.7
        least = of_certainty.randrange(4 if sure else 0, 10 if sure else 6) / 4
        last = least + of_certainty.randrange(4) / 4
        query = {"id": f"{seed}-{i}", "text": f"Which colour has number {rng.randrange(10 ** 9)}?", "choices": CHOICES,
                 "answer": key}
        rows.append((query, says, [(least * 4 + last) / 3, least, last]))
    return rows


def write(folder, rows, told=True):
    (folder / "responses").mkdir(parents=True)
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q, _, _ in rows))
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\n"
                                        + "".join(f"{n},{i},{o}\n" for n, (i, o) in NAMES.items()))
    outcomes = ["id,model,score,cost_usd,input_tokens,output_tokens"]
    for name, (inp, out) in NAMES.items():
        cost = (float(inp) * USAGE[0] + float(out) * USAGE[1]) / 1e6
        lines = []
        for query, says, certainty in rows:
            more = {"certainty": certainty} if told and name == "cheap" else {}
            lines.append(json.dumps({"id": query["id"], "text": "".join(words(says[name]))} | more) + "\n")
            outcomes.append(f"{query['id']},{name},{int(says[name] == query['answer'])},{cost:.9f},{USAGE[0]},{USAGE[1]}")
        (folder / "responses" / f"{name}.jsonl").write_text("".join(lines))
    (folder / "outcomes.csv").write_text("\n".join(outcomes) + "\n")
    return folder


def behave(rows):
    """Answers as recorded, with log-probabilities where they are asked for."""
    known = {prompt_of(q): (says, certainty) for q, says, certainty in rows}

    def answer(r):
        name = r.json["model"]
        says, certainty = known[r.json["messages"][-1]["content"]]
        texts = words(says[name])
        mean, least, last = certainty
        told = tokens_of(texts, [3 * mean - least - last, least, last])
        told = told if r.json.get("logprobs") else None
        if not r.json.get("stream"):
            r.whole(200, {"id": "c1", "object": "chat.completion", "created": 1, "model": name, "usage": usage_of(USAGE),
                          "choices": [{"index": 0, "finish_reason": "stop",
                                       "message": {"role": "assistant", "content": "".join(texts)},
                                       "logprobs": told and {"content": told, "refusal": None}}]})
            return
        r.head(content_type="text/event-stream")
        for i, text in enumerate(texts):
            chunk = delta(text)
            chunk["choices"][0]["logprobs"] = told and {"content": told[i:i + 1], "refusal": None}
            r.event(chunk)
        r.event(delta(finish="stop"))
        r.event({**delta(), "choices": [], "usage": usage_of(USAGE)})
        r.event(b"[DONE]")
        r.end()
    return answer


def run(leeroo, *argv):
    done = subprocess.run([leeroo, *map(str, argv)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def learnt(leeroo, tmp_path_factory):
    """Model and questions of its own, by what the data tell of the cheap one's certainty."""
    folder = tmp_path_factory.mktemp("certainty")
    found = {}
    for kind, told in (("right", True), ("none", False), ("chance", True)):
        path = folder / kind
        train = write(path / "train", draw(900, 3, "chance" if kind == "chance" else "right"), told)
        write(path / "test", draw(400, 4, "chance" if kind == "chance" else "right"), told)
        run(leeroo, "train", train, "-o", path / "m.leeroo", "--plans", PLAN)
        run(leeroo, "eval", path / "m.leeroo", path / "test", "--bootstrap", "0", "--decisions", path / "decisions.csv",
            "--at", "0.5")
        with open(path / "decisions.csv", newline="") as f:
            found[kind] = [row for row in csv.DictReader(f)]
    return folder, found


def at(rows, point="0.5"):
    """Mean score and cost, and the share of questions on which the dear one was asked."""
    rows = [row for row in rows if row["operating_point"] == point]
    total = sum(float(row["weight"]) for row in rows)
    return [sum(float(row["weight"]) * x for row, x in zip(rows, values)) / total for values in (
        [float(row["score"]) for row in rows], [float(row["cost_usd"]) for row in rows],
        ["dear" in row["calls"].split("+") for row in rows])]


def test_a_cascade_that_knows_scores_more_for_the_same_money(learnt):
    _, found = learnt
    told, none, chance = (at(found[kind]) for kind in ("right", "none", "chance"))
    assert told[1] <= none[1] * 1.01 and chance[1] <= none[1] * 1.01
    assert told[0] > none[0] + 0.05 and told[2] <= none[2] + 0.01
    assert chance[0] < none[0] + 0.03


def start(leeroo, folder, upstream, logprobs="logprobs: true", lam="1"):
    path = folder / "leeroo.yaml"
    experts = "".join(f"  - {{name: {name}, url: {upstream.url}, retries: 0{', ' + logprobs if name == 'cheap' else ''}}}\n"
                      for name in NAMES)
    path.write_text(f"listen: 127.0.0.1:0\nmodel: m.leeroo\nthreads: 2\nexperts:\n{experts}"
                    f"policies:\n  default: {{lambda: {lam}}}\n")
    return Gateway(leeroo, path)


@pytest.fixture
def gateway(leeroo, learnt, upstream):
    folder, found = learnt
    rows = [row for row in found["right"] if row["operating_point"] == "0.5"]
    upstream.on("cheap", behave(draw(400, 4)))
    upstream.on("dear", behave(draw(400, 4)))
    g = start(leeroo, folder / "right", upstream, lam=rows[0]["lambda"])
    yield g, {row["id"]: row for row in rows if row["weight"] == "1"}
    g.client.close()
    assert g.stop() == 0 and "ERROR: " not in g.text and "runtime error" not in g.text, g.text


def events_of(r):
    return [json.loads(line[6:]) for line in r.text.splitlines() if line.startswith("data: {")]


def told_in(r):
    """The log-probabilities that a client sees."""
    bodies = events_of(r) if r.headers["content-type"].startswith("text/event-stream") else [r.json()]
    return [c["logprobs"] for body in bodies for c in body.get("choices", []) if c.get("logprobs")]


def test_gateway_and_eval_agree_and_nobody_sees_what_was_asked_for(gateway, upstream):
    g, rows = gateway
    queries = [q for q, _, _ in draw(400, 4) if q["id"] in rows and rows[q["id"]]["plan"] not in NAMES][:100]
    assert len(queries) == 100

    def ask(job):
        i, query = job
        more = {"stream": True, "stream_options": {"include_usage": True}} if i % 2 else {}
        r = g.chat(prompt_of(query), **more)
        assert r.status_code == 200 and told_in(r) == [], r.text
        leeroo = (events_of(r)[-1] if i % 2 else r.json())["leeroo"]
        return leeroo["plan"], sorted(c["expert"] for c in leeroo["calls"]), leeroo["expert"]

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        got = list(threads.map(ask, enumerate(queries)))
    wanted = [(rows[q["id"]]["plan"], sorted(rows[q["id"]]["calls"].split("+")), rows[q["id"]]["answered"])
              for q in queries]
    assert got == wanted
    assert 10 < sum("dear" in calls for _, calls, _ in got) < 90
    assert all(r.json["logprobs"] is True and r.json["top_logprobs"] == 2 for r in upstream.of("cheap"))
    assert all("logprobs" not in r.json for r in upstream.of("dear"))


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_s_own_are_shown(gateway, upstream, stream):
    g, _ = gateway
    query = draw(400, 4)[0][0]
    r = g.chat(prompt_of(query), model="cheap", logprobs=True, top_logprobs=3, stream=stream)
    assert r.status_code == 200, r.text
    assert sum(len(x["content"]) for x in told_in(r)) == 3
    assert upstream.of("cheap")[-1].json["top_logprobs"] == 3


def test_collect_writes_them_and_asks_nobody_who_may_refuse(leeroo, upstream, tmp_path):
    rows = draw(6, 5)
    known = {q["text"]: (says, certainty) for q, says, certainty in rows}

    def answer(r):
        text = next(t for t in known if t in r.json["messages"][-1]["content"])
        said = behave([({"text": r.json["messages"][-1]["content"], "choices": []}, *known[text])])
        said(r)
    upstream.on("cheap", answer)
    upstream.on("dear", answer)
    (tmp_path / "leeroo.yaml").write_text("experts:\n" + "".join(
        f"  - {{name: {n}, url: {upstream.url}, price: {{input: {i}, output: {o}}}"
        f"{', logprobs: true' if n == 'cheap' else ''}}}\n" for n, (i, o) in NAMES.items()))
    for count in (4, 6):  # a run that goes on knows of the first four from its journal
        (tmp_path / "q.jsonl").write_text("".join(json.dumps(q) + "\n" for q, _, _ in rows[:count]))
        run(leeroo, "collect", tmp_path / "q.jsonl", "-o", tmp_path / "out", "-c", tmp_path / "leeroo.yaml", "--spend", "1")
    lines = {n: [json.loads(x) for x in (tmp_path / "out" / "responses" / f"{n}.jsonl").open()] for n in NAMES}
    assert len(upstream.of("cheap")) == 6
    wanted = {q["id"]: certainty for q, _, certainty in rows}
    assert {x["id"]: pytest.approx(x["certainty"], abs=1e-6) for x in lines["cheap"]} == wanted
    assert len(lines["dear"]) == 6 and not any("certainty" in x for x in lines["dear"])
    assert all("logprobs" not in r.json for r in upstream.of("dear"))


def test_a_model_in_this_process_tells_them(leeroo, tmp_path):
    if "built without llama.cpp" in Path(leeroo).read_bytes().decode("latin-1"):
        pytest.skip("skipped: no llama.cpp")
    if not os.environ.get("LEEROO_MODELS"):
        pytest.skip("skipped: no models")
    file = Path(os.environ["LEEROO_MODELS"]) / "SmolLM2-135M-Instruct.Q4_1.gguf"
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(q) + "\n" for q, _, _ in draw(2, 6)))
    (tmp_path / "leeroo.yaml").write_text(f"experts:\n  - {{name: tiny, dialect: gguf, gguf: '{file}', context: 512}}\n")
    run(leeroo, "collect", tmp_path / "q.jsonl", "-o", tmp_path / "out", "-c", tmp_path / "leeroo.yaml", "--spend", "1",
        "--max-output", "24")
    lines = [json.loads(x) for x in (tmp_path / "out" / "responses" / "tiny.jsonl").open()]
    assert len(lines) == 2
    for line in lines:
        mean, least, last = line["certainty"]
        assert 0 <= least <= last and least <= mean <= 100
