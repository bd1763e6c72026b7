"""What a text is taken for in tokens: by script, on every front, for the context, the cap and the client's own count."""

import json

import httpx
import pytest

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
