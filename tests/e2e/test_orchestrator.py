"""A language model as orchestrator: one of the experts is asked whom to ask, from training to a decision."""

import json
import os
import re
import subprocess
import threading

import pytest

from conftest import EXPERTS, KEY, Gateway, write_config, write_dataset
from serving import JsonServer, completion, serving
from test_encoders import data, encoders_of, is_hard, new_text  # noqa: F401
from test_gguf import file  # noqa: F401
from tiny_gguf import write_lora

NAME = "orchestrator"
TAIL = "\n\nReply with the letter of the best expert alone.\nAnswer:"


def letters_of(asked):
    """Its letter by an expert's name."""
    return {m[2]: m[1] for m in re.finditer(r"^([A-Z]): (\w+), ", asked, re.M)}


class Adviser(JsonServer):
    """An expert that knows who is needed, and says so where log-probabilities are asked for."""

    def __init__(self):
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.tells = True
        self.asked = []

    def reply(self, method, path, headers, body):
        if "logprobs" not in body:
            return 200, completion("hello", 10, 2)
        assert path == "/v1/chat/completions" and body["max_tokens"] == 1 and body["top_logprobs"] == 20
        (message,) = body["messages"]
        asked = message["content"]
        with self.lock:
            self.asked.append(asked)
        assert self.gate.wait(60)
        whole = completion("?", 10, 1)
        if self.tells:
            letters = letters_of(asked)
            question = asked.split("\nQuestion:\n", 1)[1].removesuffix(TAIL)
            first, second = ("dear", "cheap") if is_hard(question) else ("cheap", "dear")
            top = [{"token": letters[first], "logprob": -0.2}, {"token": " " + letters[second], "logprob": -2.5},
                   {"token": "The", "logprob": -3.0}]
            whole["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
        return 200, whole


@pytest.fixture
def start_adviser():
    yield from serving(Adviser)


def train(leeroo, data, path, url, code=0):  # noqa: F811
    config = write_config(path.parent, path, url, top=f"{NAME}: {{expert: cheap}}\n")
    done = subprocess.run([leeroo, "train", str(data), "-o", str(path), "-c", str(config)], capture_output=True, text=True,
                          timeout=300, env={**os.environ, "XDG_CACHE_HOME": str(path.parent / "cache"), "UP_KEY": KEY}, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr


def nano(expert, tokens_in, tokens_out):
    price = [round(float(usd) * 1000) for usd in EXPERTS[expert]]
    return tokens_in * price[0] + tokens_out * price[1]


def usd(text):
    return round(float(text) * 1e9)


READING, ANSWER = (10, 1), (10, 2)  # tokens of the adviser's two kinds of reply


@pytest.fixture(scope="module")
def trained(leeroo, data, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("orchestrated")
    adviser = Adviser()
    said = train(leeroo, data, folder / "model", adviser.url + "/v1")
    assert re.search(rf"^{NAME}: reads 600 questions for some 0.0\d USD, ", said, re.M), said
    cost = 600 * nano("cheap", *READING)
    assert f"{NAME}: 600 texts for {cost / 1e9:.6f} USD (6000 input + 600 output tokens)\n" in said, said
    adviser.close()
    return folder / "model", adviser.asked


def test_it_is_told_of_the_experts_as_export_tells_whom_it_teaches(leeroo, data, trained):  # noqa: F811
    _, asked = trained
    done = subprocess.run([leeroo, "export", str(data), "--format", "sft", "--lambda", "0", "-q"], capture_output=True,
                          text=True, timeout=60, check=True)
    taught = {json.loads(line)["prompt"][0]["content"] for line in done.stdout.splitlines()}
    assert len(taught) == 600 and taught <= set(asked)
    assert set(letters_of(asked[-1])) == set(EXPERTS)


def test_the_model_keeps_what_it_was_told(trained):
    model, asked = trained
    spec = encoders_of(model)[NAME]["spec"]
    assert asked[-1].startswith(spec["head"]) and spec["labels"] == len(EXPERTS)


@pytest.fixture
def start(leeroo, trained, tmp_path):
    running = []

    def go(url, more="max_wait: 20s"):
        folder = tmp_path / f"gateway{len(running)}"
        folder.mkdir()
        running.append(Gateway(leeroo, write_config(folder, trained[0], url, top=f"{NAME}: {{expert: cheap, {more}}}\n")))
        return running[-1]
    yield go
    for g in running:
        g.client.close()
        assert g.stop() == 0, g.text
        assert "ERROR: " not in g.text and "runtime error" not in g.text, g.text


def test_a_gateway_decides_by_what_it_would_choose(start, start_adviser):
    adviser = start_adviser()
    g = start(adviser.url + "/v1")
    easy, hard = g.route(new_text(False, 10000)), g.route(new_text(True, 10000))
    assert easy["encoders"] == hard["encoders"] == {NAME: "spoke"}
    assert easy["estimates"]["cheap"][0] > hard["estimates"]["cheap"][0] + 0.2
    assert hard["estimates"]["dear"][0] > hard["estimates"]["cheap"][0] + 0.2
    assert len(adviser.asked) == 2
    assert hard.pop("reading_usd") == {NAME: pytest.approx(1.2e-6)}
    assert g.route(new_text(True, 10000)) | {"id": 0} == hard | {"id": 0}
    assert len(adviser.asked) == 2  # what it said is kept, and paid for once
    page = g.client.get("/metrics").text
    for side, count in (("input", 20), ("output", 2)):
        assert re.search(rf'^leeroo_encoder_{side}_tokens_total{{encoder="{NAME}",place="0"}} {count}$', page, re.M), page


def test_what_it_is_paid_is_part_of_the_request(start, start_adviser):
    adviser = start_adviser()
    g = start(adviser.url + "/v1")
    text = new_text(False, 40000)
    first, again = g.chat(text, model="leeroo/cheapest"), g.chat(text, model="leeroo/cheapest")
    reading, answer = nano("cheap", *READING), nano("cheap", *ANSWER)
    assert usd(first.headers["x-leeroo-cost-usd"]) == reading + answer
    streamed = g.chat(new_text(False, 45000), model="leeroo/cheapest", stream=True, stream_options={"include_usage": True}).text
    assert usd(re.search(r'"leeroo":{[^}]*"cost_usd":([0-9.]+)', streamed).group(1)) == reading + answer
    assert usd(again.headers["x-leeroo-cost-usd"]) == answer  # what it said is kept
    lines = [g.access(r.headers["x-leeroo-request-id"]) for r in (first, again)]
    assert [usd(line["cost_usd"]) for line in lines] == [reading + answer, answer]
    assert f"{NAME} answered {reading / 1e9:.9f}" in lines[0]["calls"] and "calls" not in lines[1]
    assert [usd(line["reference_usd"]) for line in lines][0] != reading + answer  # a saving is what routing saves
    routed = g.route(new_text(True, 41000))
    assert usd(routed["reading_usd"][NAME]) == reading
    page = g.client.get("/metrics").text
    assert re.search(rf'^leeroo_cost_usd_total{{expert="{NAME}",policy="cheapest"}} {2 * reading / 1e9:.9f}$', page, re.M), page


def test_a_client_s_key_is_charged_for_it_whoever_asks(leeroo, start, trained, start_adviser, tmp_path):
    adviser = start_adviser()
    keys = tmp_path / "state" / "keys.json"
    keys.parent.mkdir()

    def key_command(*argv):
        return subprocess.run([leeroo, "keys", *argv, "--file", str(keys)], capture_output=True, text=True, timeout=30, check=True).stdout
    key = key_command("create", "--name", "ann").strip()
    g = Gateway(leeroo, write_config(tmp_path, trained[0], adviser.url + "/v1",
                                     top=f"state_dir: state\n{NAME}: {{expert: cheap, max_wait: 20s}}\n"))
    for i, path in enumerate(("/v1/route", "/v1/messages/count_tokens", "/v1/chat/completions")):
        done = g.client.post(path, headers={"authorization": f"Bearer {key}"}, json={
            "model": "leeroo/cheapest", "messages": [{"role": "user", "content": new_text(True, 46000 + 1000 * i)}]})
        assert done.status_code == 200, done.text
    g.client.close()
    assert g.stop() == 0, g.text
    (ann,) = json.loads(key_command("list", "--json"))
    assert usd(ann["spent_usd"]["total"]) == 3 * nano("cheap", *READING) + nano("cheap", *ANSWER)


def test_it_is_paid_out_of_the_request_s_own_cap_and_late_words_by_the_next(start, start_adviser):
    adviser = start_adviser()
    g = start(adviser.url + "/v1")
    headers = {"x-leeroo-max-cost": f"{(nano('cheap', *READING) + 1) / 1e9:.9f}"}
    refused = g.client.post("/v1/chat/completions", headers=headers, json={
        "model": "leeroo/cheapest", "messages": [{"role": "user", "content": new_text(True, 42000)}]})
    assert refused.status_code == 402, refused.text
    hasty = start(adviser.url + "/v1", more="max_wait: 30ms")
    adviser.gate.clear()
    late = hasty.chat(new_text(True, 43000), model="leeroo/cheapest")
    assert late.headers["x-leeroo-silent"] == f"{NAME}=late"
    assert usd(late.headers["x-leeroo-cost-usd"]) == nano("cheap", *ANSWER)
    adviser.gate.set()
    while 'leeroo_encoder_cached{encoder="orchestrator",place="0"} 1\n' not in hasty.client.get("/metrics").text:
        pass
    after = hasty.chat(new_text(True, 44000), model="leeroo/cheapest")
    spoke = "x-leeroo-silent" not in after.headers
    assert usd(after.headers["x-leeroo-cost-usd"]) == nano("cheap", *ANSWER) + (1 + spoke) * nano("cheap", *READING)


def test_who_is_late_or_tells_nothing_is_gone_without(start, start_adviser):
    adviser = start_adviser()
    g = start(adviser.url + "/v1", more="max_wait: 30ms")
    adviser.gate.clear()
    assert g.route(new_text(True, 20000))["encoders"] == {NAME: "late"}
    adviser.gate.set()
    patient = start(adviser.url + "/v1")
    adviser.tells = False
    assert patient.route(new_text(True, 21000))["encoders"] == {NAME: "failed"}


def test_an_expert_without_log_probabilities_is_refused_in_training(leeroo, data, start_adviser, tmp_path):  # noqa: F811
    adviser = start_adviser()
    adviser.tells = False
    said = train(leeroo, data, tmp_path / "model", adviser.url + "/v1", code=1)
    assert "tells no log-probabilities" in said and len(adviser.asked) == 1


def test_a_file_is_asked_in_this_process(leeroo, file, tmp_path):  # noqa: F811
    """A real model reads the prompt; what it makes of 24 questions is worth nothing, and training goes on without it."""
    folder = write_dataset(tmp_path / "data")
    for name, kept in (("queries.jsonl", 24), ("outcomes.csv", 1 + 24 * len(EXPERTS))):
        lines = (folder / name).read_text().splitlines()[:kept]
        (folder / name).write_text("\n".join(lines) + "\n")
    config = write_config(tmp_path, tmp_path / "model", "http://127.0.0.1:9",
                          top=f"{NAME}: {{gguf: '{file}', choices: no, max_wait: 2s}}\n")

    def command(*argv):
        return subprocess.run([leeroo, *map(str, argv)], capture_output=True, text=True, timeout=600, check=False,
                              env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "UP_KEY": KEY})
    done = command("train", folder, "-o", tmp_path / "model", "-c", config)
    assert done.returncode == 0, done.stderr
    assert NAME not in encoders_of(tmp_path / "model")
    said = command("check", "-c", config)
    assert re.search(rf"^{NAME} .*, {len(EXPERTS) + 7} numbers in [0-9.]+ ms, a file of \d+ MB$", said.stdout, re.M), said
    assert re.search(rf"^warning: {NAME} is not asked: the model knows nothing of it; ", said.stdout, re.M), said
    config.write_text(config.read_text().replace(str(file), str(folder / "queries.jsonl")))
    done = command("train", folder, "-o", tmp_path / "model", "-c", config)
    assert done.returncode == 1 and "queries.jsonl" in done.stderr


def test_adapters_change_what_a_file_says_and_fit_it(leeroo, file, tmp_path):  # noqa: F811
    """SmolLM2-135M has 30 layers of 576 numbers."""
    fits, other = write_lora(tmp_path / "fits.gguf", 576, 30), write_lora(tmp_path / "other.gguf", 64, 30)
    queries = tmp_path / "queries.jsonl"
    queries.write_text("".join(json.dumps({"id": f"q{i}", "text": f"What is {i} and {i}?"}) + "\n" for i in range(20)))
    (tmp_path / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\na,1,1\nb,2,2\n")
    (tmp_path / "outcomes.csv").write_text("id,model,score,cost_usd,input_tokens,output_tokens\n" + "".join(
        f"q{i},{name},{(i + k) % 2},0.00002,10,10\n" for i in range(20) for k, name in enumerate("ab")))
    said = {}

    def command(*argv):
        return subprocess.run([leeroo, *map(str, argv)], capture_output=True, text=True, timeout=600, check=False,
                              env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "UP_KEY": KEY})
    for name, lora in (("plain", ""), ("adapted", f", lora: {fits}"), ("refused", f", lora: [{fits}, {other}]")):
        config = write_config(tmp_path, tmp_path / "model", "http://127.0.0.1:9", names=["a", "b"],
                              top=f"{NAME}: {{gguf: '{file}', choices: no{lora}}}\n",
                              policies="policies: {default: {lambda: 0}}\n")
        done = command("train", tmp_path, "-o", tmp_path / "model", "-c", config)
        assert (done.returncode == 0) == (name != "refused"), done.stderr
        said[name] = {path.name: path.read_bytes() for path in (tmp_path / "cache" / "leeroo" / "encodings").iterdir()}
    assert "other.gguf" in done.stderr, done.stderr
    assert len(said["plain"]) == 1 and len(said["adapted"]) == 2 and said["refused"] == said["adapted"]
    rows = [raw[-8 - 20 * 9 * 4:-8] for raw in said["adapted"].values()]  # two letters and seven figures of certainty
    assert rows[0] != rows[1]
    config.write_text(config.read_text().replace(f"[{fits}, {other}]", str(fits)))
    done = command("check", "-c", config)
    assert done.returncode == 0 and re.search(rf"^{NAME} .*, 9 numbers in ", done.stdout, re.M), done.stdout + done.stderr
