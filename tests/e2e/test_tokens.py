"""What a text is taken for in tokens: by script, on every front, for the context, the cap and the client's own count."""

import json
import random
import subprocess

import httpx
import pytest

from conftest import EXPERTS, ROOT, Gateway, write_config
from scripts import BASE, WORDS, expected, write_scripts, written
from upstream import answer

CHINESE = ("请证明这个引理并且解释每一步的推理过程。" * 55)[:1100]
TEXTS = {  # name: text, tokens at least and at most
    "han": (CHINESE, 600, 1700),
    "kana": ("すべての人間は、生まれながらにして自由であり、かつ、" * 40, 500, 1300),
    "hangul": ("모든 인간은 태어날 때부터 자유로우며 " * 50, 500, 1100),
    "cyrillic": ("Все люди рождаются свободными и равными " * 30, 400, 800),
    "arabic": ("يولد جميع الناس أحرارا متساوين في الكرامة " * 30, 400, 900),
    "thai": ("มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกัน" * 30, 500, 1300),
    "emoji": ("😀😂" * 200, 600, 1100),
    "latin": ("All human beings are born free and equal. " * 30, 300, 330),
}


def said(text):
    return [{"role": "user", "content": text}]


def count(g, messages):
    return g.client.post("/v1/messages/count_tokens", json={"model": "cheap", "messages": messages}).json()["input_tokens"]


@pytest.mark.parametrize("name", TEXTS)
def test_every_script_is_counted_for_what_it_is(gateway, name):
    """headroomlabs-ai/headroom PR #1093, volcengine/OpenViking PR #661, NousResearch/hermes-agent PR #59121"""
    text, least, most = TEXTS[name]
    assert least <= count(gateway, said(text)) <= most
    body = {"model": "cheap", "messages": said(text)}  # httpx sends UTF-8, others send escapes
    escaped = httpx.post(gateway.url + "/v1/messages/count_tokens", content=json.dumps(body, ensure_ascii=True))
    assert escaped.json()["input_tokens"] == count(gateway, said(text))


def test_context_and_cap_follow_the_script(start_gateway, upstream):
    g = start_gateway(expert="context: 500\nprice: {input: 10, output: 10}\nretries: 0")
    for model in ("cheap", "mid", "dear"):
        upstream.on(model, answer())
    r = g.client.post("/v1/route", json={"model": "leeroo", "messages": said(CHINESE)})
    assert "context too short" in r.text
    latin = said("All human beings are born free and equal. " * 26)
    assert g.chat(messages=latin).status_code == 200
    for messages, code in ((said(CHINESE), 402), (latin, 200)):
        r = g.chat(model="cheap", messages=messages, max_tokens=1, leeroo={"max_cost": "0.005"})
        assert r.status_code == code, r.text


@pytest.fixture(scope="module")
def scripts_model(leeroo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scripts")
    subprocess.run([leeroo, "train", str(write_scripts(folder / "data")), "-o", str(folder / "m"), "-q"], check=True, timeout=120)
    return folder / "m"


@pytest.mark.parametrize("script", WORDS)
def test_what_a_script_costs_an_expert_is_learnt(leeroo, scripts_model, upstream, tmp_path, script):
    """headroomlabs-ai/headroom PR #1093, volcengine/OpenViking PR #661: of an expert's own tokenizer where data tell."""
    config = write_config(tmp_path, scripts_model, upstream.url, expert="price: {input: 1, output: 0}")
    text, before = written(script, 200, random.Random(1)), written(script, 300, random.Random(2))
    talk = [{"role": "user", "content": before}, {"role": "assistant", "content": before}, {"role": "user", "content": text}]
    g = Gateway(leeroo, config)
    try:
        for name in EXPERTS:
            one, all_of_it = expected(script, text, name), expected(script, text, name) + 2 * expected(script, before, name)
            for messages, tokens in ((said(text), one), (talk, all_of_it)):
                body = {"model": name, "messages": messages}
                counted = g.client.post("/v1/messages/count_tokens", json=body).json()["input_tokens"]
                assert abs(counted - tokens - BASE) <= 0.05 * tokens + 4, (name, counted, tokens)
                r = g.client.post("/v1/route", json={**body, "model": "leeroo"}).json()
                assert abs(r["estimates"][name][1] * 1e6 - tokens - BASE) <= 0.05 * tokens + 4, (name, r)
    finally:
        g.client.close()
        assert g.stop() == 0, g.text


def test_context_and_cap_follow_what_was_learnt(leeroo, scripts_model, upstream, tmp_path):
    """450 Russian characters are 140 tokens to cheap, not the 225 that the table takes them for."""
    text = written("cyrillic", 200, random.Random(1))[:450]
    context = int(expected("cyrillic", text, "cheap") * 1.2) + BASE
    config = write_config(tmp_path, scripts_model, upstream.url, expert=f"context: {context}\nretries: 0\nprice: {{input: 1, output: 0}}")
    g = Gateway(leeroo, config)
    upstream.on("cheap", answer())
    try:
        r = g.client.post("/v1/route", json={"model": "leeroo", "messages": said(text), "max_tokens": 1}).json()
        assert r["ruled_out"] == {"mid": "context too short", "dear": "context too short"}, r
        for cap, code in (("0.00018", 200), ("0.00012", 402)):
            r = g.chat(model="cheap", messages=said(text), max_tokens=1, leeroo={"max_cost": cap})
            assert r.status_code == code, r.text
    finally:
        g.client.close()
        assert g.stop() == 0, g.text


TOKENIZERS = ROOT / "tests" / "encode" / "tokenizers"
EXPECTED = json.loads((TOKENIZERS / "expected.json").read_text())
MESSAGE = 4  # tokens that chat templates put around a message


def test_a_tokenizer_file_counts(start_gateway, upstream):
    upstream.on("cheap", answer(usage=None))
    g = start_gateway(expert=f"tokenizer: {TOKENIZERS / 'llama3.json'}\nprice: {{input: 1, output: 0}}")
    for text, tokens in zip(EXPECTED["samples"], EXPECTED["counts"]["llama3"]):
        if text:
            assert count(g, said(text)) == tokens + MESSAGE, text
    text, tokens = EXPECTED["samples"][0], EXPECTED["counts"]["llama3"][0]
    many = [{"role": "user", "content": text}, {"role": "assistant", "content": text}, {"role": "user", "content": text}]
    assert count(g, many) == 3 * (tokens + MESSAGE)
    r = g.client.post("/v1/route", json={"model": "leeroo", "messages": said(text)}).json()
    assert abs(r["estimates"]["cheap"][1] - (tokens + MESSAGE) / 1e6) < 1e-9, "and what is counted is what is priced"


def test_a_long_text_is_counted_at_its_begin_only(start_gateway):
    g = start_gateway(expert=f"tokenizer: {TOKENIZERS / 'gpt2.json'}")
    text = EXPECTED["samples"][0]
    one, many = count(g, said(text)), count(g, said(text * 5000))
    assert abs(many / (5000 * (one - MESSAGE)) - 1) < 0.02


def test_context_follows_the_tokenizer(start_gateway, upstream):
    for model in ("cheap", "mid", "dear"):
        upstream.on(model, answer())
    text = EXPECTED["samples"][0] * 10
    tokens = EXPECTED["counts"]["smollm"][0] * 10
    for context, fits in ((tokens + 300, True), (tokens - 10, False)):
        g = start_gateway(expert=f"tokenizer: {TOKENIZERS / 'smollm.json'}\ncontext: {context}\nretries: 0")
        r = g.client.post("/v1/route", json={"model": "leeroo", "messages": said(text), "max_tokens": 1})
        assert ("context" in r.text and r.status_code != 200) == (not fits), r.text


@pytest.mark.parametrize("content,word", [('{"model": {"type": "Unigram"}}', "Unigram"), ("hello", "neither"), (None, "No such file")])
def test_a_tokenizer_that_is_none_is_refused(leeroo, model_file, tmp_path, content, word):
    if content is not None:
        (tmp_path / "t.json").write_text(content)
    config = write_config(tmp_path, model_file, "http://127.0.0.1:1", expert="tokenizer: t.json")
    for command in ("check", "serve"):
        done = subprocess.run([leeroo, command, "-c", str(config)], capture_output=True, text=True, timeout=30, env={"UP_KEY": "x"})
        assert done.returncode != 0 and word in done.stderr and "tokenizer" in done.stderr and "cheap" in done.stderr, (command, done)
