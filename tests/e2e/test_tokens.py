"""What a text is taken for in tokens: by script, on every front, for the context, the cap and the client's own count."""

import json
import subprocess

import httpx
import pytest

from conftest import ROOT, write_config
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
