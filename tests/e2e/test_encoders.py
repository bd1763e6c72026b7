"""Language models that read the question: an endpoint that knows what words do not tell, from training to a decision."""

import hashlib
import json
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from conftest import EXPERTS, KEY, ROOT, Gateway, wait_for, write_config, write_dataset
from serving import JsonServer, completion, serving

sys.path.insert(0, str(ROOT / "bench"))
import encoders_toy  # noqa: E402

WIDTH = 4
SECRET = "sk-encoder-0d4f"
NAME = "oracle"


def is_hard(text):
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 1


def vector(text):
    """What only the endpoint knows, beside noise."""
    noise = hashlib.sha256(b"noise" + text.encode()).digest()
    return [1.0 if is_hard(text) else -1.0] + [byte / 1024 for byte in noise[:WIDTH - 1]]


class Oracle(JsonServer):
    """POST /v1/embeddings, held while `gate` is not set; `wrong` is what it answers instead."""

    def __init__(self):
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.wrong = None
        self.texts, self.calls, self.keys = [], 0, set()

    def reply(self, method, path, headers, body):
        with self.lock:
            self.calls += 1
            self.texts += body["input"]
            self.keys.add(headers.get("authorization"))
        assert self.gate.wait(60)
        if self.wrong:
            return self.wrong
        rows = [{"object": "embedding", "index": i, "embedding": vector(t)} for i, t in enumerate(body["input"])]
        return 200, {"object": "list", "data": rows[::-1], "model": body["model"]}


@pytest.fixture
def start_oracle():
    yield from serving(Oracle)


def text_of(i):
    """Words that never come again."""
    rng = random.Random(i)
    return " ".join("".join(rng.choices("bcdfgklmnprstvz", k=6)) for _ in range(6))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Questions of four domains, of which n-grams tell nothing; the dear expert alone answers the hard ones."""
    folder = write_dataset(tmp_path_factory.mktemp("encoders") / "data")
    queries, outcomes = [], ["id,model,score,cost_usd,input_tokens,output_tokens"]
    for i in range(600):
        queries.append(json.dumps({"id": f"q{i}", "text": text_of(i), "domain": "abcd"[i % 4]}))
        for k, (name, (inp, out)) in enumerate(EXPERTS.items()):
            good = name == "dear" or not is_hard(text_of(i))
            if random.Random(i * 7 + k).random() < 0.04:
                good = not good
            cost = (10 * float(inp) + 20 * float(out)) / 1e6
            outcomes.append(f"q{i},{name},{int(good)},{cost:.9f},10,20")
    (folder / "queries.jsonl").write_text("\n".join(queries) + "\n")
    (folder / "outcomes.csv").write_text("\n".join(outcomes) + "\n")
    return folder


def train(leeroo, data, path, *options, code=0, **environment):
    done = subprocess.run([leeroo, "train", str(data), "-o", str(path), *options], capture_output=True, text=True, timeout=300,
                          env={**os.environ, "XDG_CACHE_HOME": str(path.parent / "cache"), **environment})
    assert done.returncode == code, done.stderr
    return done.stderr


def metadata(path):
    raw = path.read_bytes()
    return json.loads(raw[8:8 + int.from_bytes(raw[:8], "little")])["__metadata__"]


@pytest.fixture(scope="module")
def trained(leeroo, data, tmp_path_factory):
    """The model with the oracle, and the one of the n-grams alone."""
    folder = tmp_path_factory.mktemp("trained")
    oracle = Oracle()
    spec = f"url={oracle.url}/v1/embeddings,model=org/{NAME},api_key=env:ORACLE_KEY"
    train(leeroo, data, folder / "with", "--encoder", spec, ORACLE_KEY=SECRET)
    train(leeroo, data, folder / "without")
    oracle.close()
    assert oracle.keys == {f"Bearer {SECRET}"}
    assert oracle.calls < 600  # several texts a call
    assert set(oracle.texts) >= {text_of(i) for i in range(600)}
    return folder


def encoders_of(path):
    return {e["name"]: e for e in json.loads(metadata(path)["encoders"])}


def test_the_model_file_keeps_how_it_was_opened_and_no_key(trained):
    oracle = encoders_of(trained / "with")[NAME]
    assert oracle["spec"]["model"] == f"org/{NAME}" and oracle["spec"]["width"] == WIDTH
    assert oracle["spec"]["api_key"] == "env:ORACLE_KEY"
    assert SECRET.encode() not in (trained / "with").read_bytes()
    assert set(encoders_of(trained / "without")) == {"ngram"}


def test_a_key_is_missed_by_who_asks_and_by_nobody_else(leeroo, data, trained, upstream, tmp_path):
    model = tmp_path / "model"
    shutil.copy(trained / "with", model)
    shutil.copy(trained / "with", f"{model}.previous")
    config = write_config(tmp_path, model, upstream.url, top=(
        f"encoders: [{{name: {NAME}, url: 'http://127.0.0.1:9/v1/embeddings', model: org/{NAME}, api_key: env:NO_SUCH_KEY}}]"))
    for argv in (["models", model], ["models", "-c", config], ["rollback", model], ["rollback", "-c", config]):
        done = run(leeroo, *argv)
        assert done.returncode == 0, done.stderr
    done = run(leeroo, "route", model, data / "queries.jsonl")
    assert done.returncode == 1 and "LEEROO_ENCODER_KEY is not set" in done.stderr, done.stderr


@pytest.fixture
def start(leeroo, trained, upstream, tmp_path):
    """A gateway by one of the two models, and the oracle where `encoders:` says."""
    running = []

    def go(url=None, model="with", more="max_wait: 20s"):
        os.environ["ORACLE_KEY"] = SECRET
        top = "" if url is None else (f"encoders:\n  - name: {NAME}\n    url: {url}/v1/embeddings\n    model: org/{NAME}\n"
                                      f"    api_key: env:ORACLE_KEY\n" + "".join(f"    {line}\n" for line in more.splitlines()))
        folder = tmp_path / f"gateway{len(running)}"
        folder.mkdir()
        running.append(Gateway(leeroo, write_config(folder, trained / model, upstream.url, top=top)))
        return running[-1]
    yield go
    for g in running:
        g.client.close()
        assert g.stop() == 0, g.text
        assert "ERROR: " not in g.text and "runtime error" not in g.text, g.text
        assert SECRET not in g.text


def new_text(hard, begin):
    return next(t for t in map(text_of, range(begin, begin + 100)) if is_hard(t) == hard)


def test_a_gateway_decides_by_what_the_encoder_says(start, start_oracle):
    oracle = start_oracle()
    g = start(oracle.url)
    easy, hard = g.route(new_text(False, 10000)), g.route(new_text(True, 10000))
    assert easy["encoders"] == hard["encoders"] == {NAME: "spoke"}
    assert easy["estimates"]["cheap"][0] > hard["estimates"]["cheap"][0] + 0.2
    calls = oracle.calls
    assert g.route(new_text(True, 10000)) | {"id": 0} == hard | {"id": 0}
    assert oracle.calls == calls  # it was in memory
    page = g.client.get("/metrics").text
    assert re.search(rf'leeroo_encoder_asked_total{{encoder="{NAME}",place="0",end="spoke"}} 2\n', page), page
    assert re.search(rf'leeroo_encoder_asked_total{{encoder="{NAME}",place="0",end="cached"}} 1\n', page)


def test_who_is_late_is_not_waited_for_and_the_n_grams_decide_alone(start, start_oracle):
    oracle = start_oracle()
    g, plain = start(oracle.url, more="max_wait: 30ms"), start(model="without")
    text = new_text(True, 20000)
    oracle.gate.clear()
    late = g.route(text)
    assert late["encoders"] == {NAME: "late"}
    assert late["estimates"] == plain.route(text)["estimates"]
    r = g.chat(new_text(True, 21000))
    assert r.status_code == 200 and r.headers["x-leeroo-silent"] == f"{NAME}=late"
    assert re.search(rf"decided without an encoder.* encoder={NAME} late=\d+ full=0 failed=0", g.wait_line("decided without.*").group(0))
    oracle.gate.set()
    while g.route(text)["encoders"] != {NAME: "spoke"}:  # what came late is kept
        pass
    assert g.route(text)["estimates"] != late["estimates"]
    assert oracle.texts.count(text) == 1


def test_a_full_queue_and_an_endpoint_that_fails_cost_nothing(start, start_oracle):
    oracle = start_oracle()
    g = start(oracle.url, more="max_wait: 20s\nqueue: 1\ncalls: 1")
    oracle.gate.clear()
    ends = queue.Queue()
    for i in range(3):
        threading.Thread(target=lambda i=i: ends.put(g.route(text_of(30000 + i))["encoders"][NAME])).start()
    assert ends.get(timeout=20) == "full"  # one is computed and one waits, if the worker was quick
    oracle.gate.set()
    assert sorted(ends.get(timeout=20) for _ in range(2)) in (["spoke", "spoke"], ["full", "spoke"])
    oracle.wrong = 500, {"error": {"message": f"no such key {SECRET}"}}
    seen = [g.route(text_of(31000 + i))["encoders"][NAME] for i in range(3)]
    assert seen == ["failed"] * 3
    calls = oracle.calls
    assert g.route(text_of(31500))["encoders"][NAME] == "failed"
    assert oracle.calls == calls  # it is left alone
    assert f'leeroo_encoder_left_alone{{encoder="{NAME}",place="0"}} 1\n' in g.client.get("/metrics").text


def test_wrong_vectors_are_failures(start, start_oracle):
    oracle = start_oracle()
    g = start(oracle.url)
    for i, answer in enumerate(({"data": [{"index": 0, "embedding": [1, 2]}]}, {"data": []}, b"<html>")):
        oracle.wrong = 200, answer
        assert g.route(text_of(40000 + i))["encoders"][NAME] == "failed"


def test_a_client_that_leaves_ends_the_waiting(start, start_oracle):
    oracle = start_oracle()
    g = start(oracle.url)
    oracle.gate.clear()
    with pytest.raises(Exception):
        g.client.post("/v1/chat/completions", json={"model": "leeroo", "messages": [{"role": "user", "content": text_of(50000)}]},
                      timeout=0.3)
    g.wait_line("msg=request .*status=499.*")
    oracle.gate.set()
    assert g.route(text_of(50001))["encoders"] == {NAME: "spoke"}


def test_a_reload_keeps_what_is_open(start, start_oracle):
    oracle = start_oracle()
    g = start(oracle.url)
    text = text_of(60000)
    assert g.route(text)["encoders"] == {NAME: "spoke"}
    g.popen.send_signal(1)
    g.wait_line("msg=reloaded")
    calls = oracle.calls
    assert g.route(text)["encoders"] == {NAME: "spoke"}
    assert oracle.calls == calls


def test_what_no_model_wants_any_more_is_closed(start, start_oracle):
    oracle = start_oracle()
    g = start(oracle.url, more="timeout: 30s")
    config = Path(g.popen.args[-1])
    for seconds in (31, 32, 33):  # each time another encoder, and another model with it
        config.write_text(config.read_text().replace(f"timeout: {seconds - 1}s", f"timeout: {seconds}s"))
        g.lines.clear()
        g.popen.send_signal(1)
        g.wait_line("msg=reloaded")
        assert g.route(text_of(61000 + seconds))["encoders"].keys() == {NAME}

    def places():
        return set(re.findall(r'leeroo_encoder_cached{encoder="oracle",place="(\d+)"}', g.client.get("/metrics").text))
    wait_for(lambda: places() == {"2", "3"})  # what was in force before goes when each thread has seen what follows


def run(leeroo, *arguments, **environment):
    return subprocess.run([leeroo, *map(str, arguments)], capture_output=True, text=True, timeout=120, env={**os.environ, "UP_KEY": KEY, **environment})


def test_questions_go_only_where_the_configuration_says(leeroo, trained, upstream, tmp_path):
    config = write_config(tmp_path, trained / "with", upstream.url)
    for command in ("serve", "check"):
        done = run(leeroo, command, "-c", config)
        assert done.returncode == 1
        assert f"encoder '{NAME}'" in done.stderr and "says where questions go" in done.stderr, done.stderr


def test_commands_of_a_model_file_ask_its_endpoint_and_wait(leeroo, data, trained, start_oracle, tmp_path):
    oracle = start_oracle()
    moved = tmp_path / "moved"
    raw = (trained / "with").read_bytes()
    url = encoders_of(trained / "with")[NAME]["spec"]["url"]
    assert len(oracle.url) + len("/v1/embeddings") == len(url)  # ports have five digits
    train(leeroo, data, moved, "--encoder", f"url={oracle.url}/v1/embeddings,model=org/{NAME}")
    assert raw != moved.read_bytes()
    queries = tmp_path / "q.jsonl"
    queries.write_text(json.dumps({"id": "a", "text": text_of(70000)}) + "\n")
    calls = oracle.calls
    done = run(leeroo, "route", moved, queries)
    assert done.returncode == 0 and oracle.calls == calls + 1, done.stderr
    oracle.wrong = 503, {"error": "gone"}
    queries.write_text(json.dumps({"id": "a", "text": text_of(70001)}) + "\n")
    done = run(leeroo, "route", moved, queries)
    assert done.returncode == 1 and "it answers 503" in done.stderr, done.stderr


def test_training_says_what_is_wrong_with_an_encoder(leeroo, data, start_oracle, tmp_path):
    oracle = start_oracle()
    said = train(leeroo, data, tmp_path / "m", "--encoder", "url=ftp://h,model=m", code=2)
    assert "http:// or https://" in said
    said = train(leeroo, data, tmp_path / "m", "--encoder", "gguf=/no/such.gguf", code=1)
    assert "/no/such.gguf" in said
    oracle.wrong = 401, {"error": f"bad key {SECRET}"}
    said = train(leeroo, data, tmp_path / "m", "--encoder", f"url={oracle.url}/e,model=m,api_key=env:ORACLE_KEY", code=1,
                 ORACLE_KEY=SECRET)
    assert "it answers 401" in said and SECRET not in said
    said = train(leeroo, data, tmp_path / "m", "--encoder", f"url={oracle.url}/e,model=m,api_key=env:NO_SUCH_KEY", code=1)
    assert "NO_SUCH_KEY is not set" in said


def check(leeroo, config, *options):
    done = run(leeroo, "check", "-c", config, *options, ORACLE_KEY=SECRET)
    return done.returncode, done.stdout + done.stderr


def test_check_tries_what_is_configured(leeroo, trained, upstream, start_oracle, tmp_path):
    oracle = start_oracle()
    top = f"encoders:\n  - {{name: {NAME}, url: '{oracle.url}/v1/embeddings', model: org/{NAME}, api_key: env:ORACLE_KEY}}\n"
    config = write_config(tmp_path, trained / "with", upstream.url, top=top)
    code, said = check(leeroo, config)
    assert code == 0 and "not asked (--connect asks it)" in said and oracle.calls == 0, said
    code, said = check(leeroo, config, "--connect")
    assert re.search(rf"{NAME} +{oracle.url}/v1/embeddings, {WIDTH} numbers in [0-9.]+ ms\n", said), said
    oracle.wrong = 200, {"data": [{"embedding": [1]}]}
    code, said = check(leeroo, config, "--connect", "--json")
    found = json.loads(said.splitlines()[0])["encoders"][0]
    assert code == 1 and found["used"] and not found["fine"] and "1 numbers long" in found["error"], said
    config.write_text(config.read_text().replace(f"model: org/{NAME}", "model: another"))
    code, said = check(leeroo, config)
    assert code == 1 and "is not what the model was trained with" in said, said
    config.write_text(config.read_text().replace("encoders:", "encoder:"))
    assert "did you mean 'encoders'" in check(leeroo, config)[1]


def minilm():
    """A file of it that scripts/test-models has put where LEEROO_MODELS says."""
    folder = os.environ.get("LEEROO_MODELS")
    if not folder:
        pytest.skip("skipped: no models (LEEROO_MODELS)")
    return next(Path(folder).glob("*[mM]ini[lL][mM]*f16.gguf"))


def test_a_file_reads_what_words_do_not_tell_and_no_other_file_will_do(leeroo, upstream, tmp_path):
    """Places and things, each named once: all-MiniLM-L6-v2 tells them apart, n-grams do not."""
    if "without llama.cpp" in run(leeroo, "--version").stdout:
        pytest.skip("skipped: no llama.cpp")
    file, model = tmp_path / "reader.gguf", tmp_path / "model"
    shutil.copy(minilm(), file)
    train(leeroo, encoders_toy.write(tmp_path / "data"), model, "--encoder", f"gguf={file},pooling=mean")
    assert encoders_of(model)["reader"]["fingerprint"].startswith("gguf ")
    top = "encoders:\n  - {gguf: reader.gguf, max_wait: 20s}\n"
    config = write_config(tmp_path, model, upstream.url, top=top, names=encoders_toy.EXPERTS)
    config.write_text(config.read_text().replace("{experts: [cheap]}", "{lambda: 1}"))
    g = Gateway(leeroo, config)
    place, thing = (g.route(f"What do you know about {word}?") for word in ("luxembourg", "ostrich"))
    assert place["encoders"] == thing["encoders"] == {"reader": "spoke"}
    assert thing["estimates"]["cheap"][0] > place["estimates"]["cheap"][0] + 0.1
    assert g.stop() == 0
    code, said = check(leeroo, config)
    assert code == 0 and re.search(r"reader +\S+/reader.gguf, 384 numbers in [0-9.]+ ms, a file of 4\d MB\n", said), said
    memory = int(re.search(r"^(\d+) MB of memory with all models loaded$", said, re.M).group(1))
    assert memory > 46 and "warning: encoder" not in said, said
    config.write_text(config.read_text().replace("encoders:\n", "encoders:\n  - {gguf: none.gguf}\n"))
    code, said = check(leeroo, config)
    assert code == 1 and re.search(rf"^none +{tmp_path}/none.gguf: No such file or directory$", said, re.M), said
    assert "not all encoders can be asked" in said and "encoder 'none' is not asked" in said, said
    config.write_text(config.read_text().replace("  - {gguf: none.gguf}\n", ""))
    queries = tmp_path / "q.jsonl"
    queries.write_text(json.dumps({"id": "a", "text": "What do you know about luxembourg?"}) + "\n")
    assert run(leeroo, "route", model, queries).returncode == 0
    raw = bytearray(file.read_bytes())
    raw[-1000] ^= 1
    file.write_bytes(raw)
    for done in (run(leeroo, "check", "-c", config), run(leeroo, "serve", "-c", config), run(leeroo, "route", model, queries)):
        assert done.returncode == 1 and "is not what the model was trained with" in done.stderr, done.stderr
    file.unlink()
    done = run(leeroo, "route", model, queries)
    assert done.returncode == 1 and "reader.gguf" in done.stderr, done.stderr


class Experts(JsonServer):
    """One that knows what is easy, and one that knows everything; the answer is the question's last word."""

    def reply(self, method, path, headers, body):
        text = body["messages"][-1]["content"]
        right = body["model"] == "large" or not is_hard(text)
        return 200, completion(f"The answer is {text.split()[-1] if right else 'unknown'}.", 20, 30)


@pytest.fixture
def start_experts():
    yield from serving(Experts)


def test_self_play_learns_with_the_encoders_of_its_configuration(leeroo, start_experts, start_oracle, tmp_path):
    oracle, experts = start_oracle(), start_experts()
    with open(tmp_path / "questions.jsonl", "w", encoding="utf-8") as out:
        for i in range(500):
            out.write(json.dumps({"id": f"q{i}", "text": text_of(i), "answer": text_of(i).split()[-1]}) + "\n")
    (tmp_path / "leeroo.yaml").write_text(
        f"encoders:\n  - {{name: {NAME}, url: '{oracle.url}/v1/embeddings', model: m}}\n"
        f"  - {{name: dear, url: '{oracle.url}/paid', model: m, price: {{input: 1}}}}\norchestrator: {{expert: small}}\n"
        f"experts:\n  - {{name: small, url: '{experts.url}/v1', price: {{input: 0.1, output: 0.4}}}}\n"
        f"  - {{name: large, url: '{experts.url}/v1', price: {{input: 10, output: 40}}}}\n")
    done = run(leeroo, "play", tmp_path / "run", "-c", tmp_path / "leeroo.yaml", "--questions", tmp_path / "questions.jsonl",
               "--spend", "1", "--rounds", "1", "--max-output", "100")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dear" not in encoders_of(tmp_path / "run" / "round-1" / "model.safetensors")
    for name in ("dear", "orchestrator"):  # the cap holds what answers cost, and nobody knows what these will
        assert f"note: {name} is not asked, for it is paid for; `leeroo train -c` learns with it" in done.stderr, done.stderr
    assert NAME in encoders_of(tmp_path / "run" / "round-1" / "model.safetensors")
    assert oracle.calls > 0
