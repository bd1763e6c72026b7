"""The cache of answers: off unless asked for, never across tenants or parameters, honest about what it gave."""

import json
import re
import subprocess
import time

import openai
import pytest

from upstream import answer, cut_mid_stream, delta, error_event, status

ONE = "policies:\n  default: {experts: [cheap]}\n  other: {experts: [cheap]}\n  dear: {experts: [dear]}\n"
CACHE = "cache: {size: 1MiB, ttl: 1h}\n"
PRICED = "price: {input: 1, output: 2}"


@pytest.fixture
def start(start_gateway, upstream):
    def begin(top=CACHE, **options):
        options.setdefault("policies", ONE)
        options.setdefault("expert", PRICED)
        upstream.on("cheap", *(answer(f"answer {i}", (10, 5)) for i in range(1, 200)))
        return start_gateway(top=top, **options)
    return begin


def said(r):
    return r.json()["choices"][0]["message"]["content"]


def test_off_by_default(start, upstream):
    g = start(top="")
    first, second = g.chat(), g.chat()
    assert "x-leeroo-cache" not in first.headers
    assert said(first) != said(second) and len(upstream.of("cheap")) == 2


def test_a_hit_says_so_and_costs_nothing(start, upstream):
    g = start()
    first, second = g.chat(), g.chat()
    assert first.headers["x-leeroo-cache"] == "miss" and "age" not in first.headers
    assert float(first.headers["x-leeroo-cost-usd"]) == 20e-6
    assert second.headers["x-leeroo-cache"] == "hit" and int(second.headers["age"]) < 60
    assert said(first) == said(second) == "answer 1" and len(upstream.of("cheap")) == 1
    assert float(second.headers["x-leeroo-cost-usd"]) == 0 and second.headers["x-leeroo-cost-basis"] == "cached"
    assert second.headers["x-leeroo-expert"] == "cheap" and second.headers["x-leeroo-plan"] == "single"
    assert second.headers["x-leeroo-request-id"] != first.headers["x-leeroo-request-id"]
    member = second.json()["leeroo"]
    assert member == {"expert": "cheap", "plan": "single", "cost_usd": 0, "cost_basis": "cached", "cached": True}
    line = g.access(second.headers["x-leeroo-request-id"])
    assert line["cost_usd"] in ("0", "0.000000000") and line["basis"] == "cached" and line["attempts"] == "0"
    assert line["policy"] == "default" and line["status"] == "200"


@pytest.mark.parametrize("text", ["one two three", "Zoë \"quoted\" \\ \n😀"])
def test_streamed_hits_are_well_formed(start, upstream, text):
    g = start()
    upstream.on("cheap", answer(text, (11, 7)), answer("another", (1, 1)))
    with openai.OpenAI(base_url=g.url + "/v1", api_key="x", max_retries=0) as client:
        def ask():
            stream = client.chat.completions.create(
                model="leeroo", stream=True, stream_options={"include_usage": True},
                messages=[{"role": "user", "content": "hello cat"}])
            return list(stream)
        first, second = ask(), ask()
        assert len(upstream.of("cheap")) == 1

        def texts(chunks):
            return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert texts(first) == texts(second) == " ".join(text.split(" ")) + " "
        assert [c.choices[0].finish_reason for c in second if c.choices][-1] == "stop"
        assert second[-1].usage.prompt_tokens == 11 and second[-1].leeroo["cached"] is True
        assert second[-1].leeroo["cost_usd"] == 0 and first[-1].leeroo["cost_usd"] > 0
        raw = client.chat.completions.with_raw_response.create(
            model="leeroo", stream=True, stream_options={"include_usage": True},
            messages=[{"role": "user", "content": "hello cat"}])
        assert raw.headers["x-leeroo-cache"] == "hit"
        assert raw.headers["content-type"].startswith("text/event-stream")
        raw.http_response.read()


def test_whole_and_streamed_are_kept_apart(start, upstream):
    g = start()
    assert g.chat().headers["x-leeroo-cache"] == "miss"
    assert g.chat(stream=True).headers["x-leeroo-cache"] == "miss"
    r = g.chat(stream=True)
    assert r.headers["x-leeroo-cache"] == "hit" and r.text.rstrip().endswith("data: [DONE]")
    assert g.chat().headers["x-leeroo-cache"] == "hit"
    assert len(upstream.of("cheap")) == 2


def test_every_front_plays_it_back_in_its_own_words(start, upstream):
    g = start()
    for path, body, text in [
            ("/v1/completions", {"model": "leeroo", "prompt": "hello cat"},
             lambda j: j["choices"][0]["text"]),
            ("/v1/responses", {"model": "leeroo", "input": "hello cat"},
             lambda j: j["output"][0]["content"][0]["text"]),
            ("/v1/messages", {"model": "leeroo", "max_tokens": 50, "messages": [{"role": "user", "content": "hello cat"}]},
             lambda j: j["content"][0]["text"])]:
        first, second = (g.client.post(path, json=body) for _ in range(2))
        assert first.status_code == 200, first.text
        assert (first.headers["x-leeroo-cache"], second.headers["x-leeroo-cache"]) == ("miss", "hit")
        assert text(first.json()) == text(second.json())
        streamed = [g.client.post(path, json={**body, "stream": True}) for _ in range(2)]
        assert [r.headers["x-leeroo-cache"] for r in streamed] == ["miss", "hit"]
        kinds = [re.findall(r"^event: (.*)$", r.text, re.M) for r in streamed]
        assert kinds[0] == kinds[1]


def test_parameters_that_differ_never_share(start, upstream):
    """vllm semantic-router #1448, litellm #29955: whatever an answer may depend on is in the key."""
    g = start()
    messages = [{"role": "user", "content": "hello cat"}]
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    bodies = [
        {"messages": messages}, {"messages": messages, "temperature": 0}, {"messages": messages, "temperature": 0.0},
        {"messages": messages, "max_tokens": 5}, {"messages": messages, "max_tokens": 6},
        {"messages": messages, "seed": 1}, {"messages": messages, "user": "a"}, {"messages": messages, "user": "b"},
        {"messages": messages, "tools": tools}, {"messages": messages, "tools": tools, "tool_choice": "none"},
        {"messages": messages, "response_format": {"type": "json_object"}}, {"messages": messages, "n": 1},
        {"messages": messages, "unknown_parameter": [1, {"a": None}]},
        {"messages": messages, "unknown_parameter": [1, {"a": 0}]},
        {"messages": [{"role": "system", "content": "hello cat"}, *messages]},
        {"messages": [{"role": "user", "content": "hello cat "}]}, {"messages": [{"role": "user", "content": "Hello cat"}]},
        {"messages": messages, "leeroo": {"lambda": 5}}, {"messages": messages, "leeroo": {"lambda": 6}},
        {"messages": messages, "model": "leeroo/other"}, {"messages": messages, "model": "cheap"},
    ]
    answers = [said(g.client.post("/v1/chat/completions", json={"model": "leeroo", **b})) for b in bodies]
    assert len(set(answers)) == len(bodies)
    for header in ({"x-leeroo-lambda": "7"}, {"x-leeroo-lambda": "8"}, {"X-Leeroo-Policy": "other"}):
        r = g.client.post("/v1/chat/completions", json={"model": "leeroo", "messages": messages}, headers=header)
        assert r.headers["x-leeroo-cache"] == "miss" and said(r) not in answers
        answers.append(said(r))
    for b, text in zip(bodies, answers):  # and each finds its own
        r = g.client.post("/v1/chat/completions", json={"model": "leeroo", **b})
        assert r.headers["x-leeroo-cache"] == "hit" and said(r) == text


def test_spelling_does_not_matter(start, upstream):
    g = start()
    a = '{"model":"leeroo","temperature":0,"messages":[{"role":"user","content":"Z\\u00fcrich\\/\\n"}]}'
    b = '{ "messages" : [ {"content": "Zürich/\\u000a", "role":"user"} ],\n "temperature":0, "model":"l\\u0065eroo" }'
    replies = [g.client.post("/v1/chat/completions", content=t.encode(), headers={"content-type": "application/json"})
               for t in (a, b)]
    assert [r.headers["x-leeroo-cache"] for r in replies] == ["miss", "hit"]


def test_another_tenants_answer_is_never_given(start, leeroo, upstream, tmp_path):
    """vllm semantic-router #2134, #1448; litellm #29955: the same question by another key is asked again."""
    g = start(top=CACHE + "state_dir: state\n")
    file = tmp_path / "state" / "keys.json"
    keys = [subprocess.run([leeroo, "keys", "create", "--name", name, "--file", str(file)], check=True,
                           capture_output=True, text=True, timeout=20).stdout.strip() for name in ("ann", "bob")]
    body = {"model": "leeroo", "messages": [{"role": "user", "content": "what is my secret?"}]}

    def ask(key):
        return g.client.post("/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"})
    deadline = time.monotonic() + 10
    known = [g.client.get("/v1/models", headers={"authorization": f"Bearer {key}"}).status_code for key in keys]
    while ask("wrong").status_code != 401 or known != [200, 200]:  # until the gateway knows of both keys
        assert time.monotonic() < deadline
        time.sleep(0.1)
        known = [g.client.get("/v1/models", headers={"authorization": f"Bearer {key}"}).status_code for key in keys]
    before = len(upstream.of("cheap"))
    first = [ask(k) for k in keys]
    second = [ask(k) for k in keys]
    assert [r.headers["x-leeroo-cache"] for r in first + second] == ["miss", "miss", "hit", "hit"]
    assert said(first[0]) != said(first[1])
    assert [said(r) for r in second] == [said(r) for r in first]
    assert len(upstream.of("cheap")) == before + 2
    assert ask("wrong").status_code == 401


def test_cache_control(start, upstream):
    g = start()
    body = {"model": "leeroo", "messages": [{"role": "user", "content": "hello cat"}]}

    def ask(control=None):
        headers = {"cache-control": control} if control else {}
        return g.client.post("/v1/chat/completions", json=body, headers=headers)
    absent = ask("only-if-cached")
    assert absent.status_code == 504 and absent.json()["error"]["code"] == "not_cached"
    assert len(upstream.of("cheap")) == 0
    r = ask("no-store")
    assert r.headers["x-leeroo-cache"] == "bypass" and said(r) == "answer 1"
    assert said(ask("no-store")) == "answer 2"
    assert (ask().headers["x-leeroo-cache"], said(ask())) == ("miss", "answer 3")
    assert said(ask("private, No-Cache")) == "answer 4"  # not read, but written
    assert said(ask("only-if-cached")) == said(ask("max-age=60")) == "answer 4"
    time.sleep(1.1)
    assert said(ask("max-age=3600")) == "answer 4" and int(ask().headers["age"]) >= 1
    assert said(ask("max-age=1")) == "answer 5"
    assert ask("max-age=0, only-if-cached").status_code in (200, 504)


def test_time_to_live_and_reload(start, upstream, tmp_path):
    g = start(top="cache: {size: 1MiB, ttl: 700ms}\n")
    assert said(g.chat()) == said(g.chat()) == "answer 1"
    time.sleep(0.8)
    assert said(g.chat()) == "answer 2"
    path = tmp_path / "leeroo.yaml"
    path.write_text(path.read_text().replace("ttl: 700ms", "ttl: 2h"))
    g.wait_line("msg=reloaded")
    assert said(g.chat()) == "answer 3", "an answer of another configuration"
    time.sleep(0.8)
    assert said(g.chat()) == "answer 3"


def test_size_bounds_it(start, upstream):
    g = start(top="cache: {size: 64KiB, entry: 16KiB}\n")
    text = "x" * 8000
    upstream.on("cheap", answer(text, (10, 5)))
    for i in range(20):
        assert g.chat(f"question {i}").headers["x-leeroo-cache"] == "miss"
    assert g.chat("question 19").headers["x-leeroo-cache"] == "hit"
    assert g.chat("question 15").headers["x-leeroo-cache"] == "hit"
    assert g.chat("question 0").headers["x-leeroo-cache"] == "miss"
    upstream.on("cheap", answer("x" * 20000, (10, 5)))
    assert [g.chat("large").headers["x-leeroo-cache"] for _ in range(2)] == ["miss", "miss"]
    assert [g.chat("large", stream=True).headers["x-leeroo-cache"] for _ in range(2)] == ["miss", "miss"]


def filtered(r):
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": {"prompt_tokens": 1, "completion_tokens": 1},
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "no"}, "finish_reason": "content_filter"}]}
    r.whole(200, body)


def endless(r):
    r.head(content_type="text/event-stream")
    r.event(delta("no end"))
    r.end()


@pytest.mark.parametrize("behave,stream", [(status(400), False), (filtered, False), (cut_mid_stream, True),
                                           (error_event("half "), True), (endless, True)])
def test_only_what_ended_well_is_kept(start, upstream, behave, stream):
    g = start()
    upstream.on("cheap", behave, answer("good", (10, 5)), answer("third", (10, 5)))
    g.chat(stream=stream)
    second, third = g.chat(stream=stream), g.chat(stream=stream)
    assert second.headers["x-leeroo-cache"] == "miss" and "good" in second.text
    assert third.headers["x-leeroo-cache"] == "hit" and "good" in third.text


def test_a_client_that_left_leaves_no_half_answer(start, upstream):
    g = start()
    upstream.on("cheap", answer("one two three four five six", (10, 5), pause=0.1), answer("good", (10, 5)))
    body = {"model": "leeroo", "stream": True, "messages": [{"role": "user", "content": "hello cat"}]}
    with g.client.stream("POST", "/v1/chat/completions", json=body) as r:
        next(r.iter_lines())
    assert "good" in g.chat(stream=True).text


def test_hits_do_not_move_budgets(start, upstream, tmp_path):
    g = start(top=CACHE + "state_dir: state\n", policies="policies:\n  default: {budget: 1000, experts: [cheap]}\n")
    for _ in range(5):
        g.chat()
    g.stop()
    kept = json.loads((tmp_path / "state" / "budgets.json").read_text())["budgets"]["default"]
    assert kept["queries"] == 1


def test_a_hit_counts_as_a_request_of_its_key(start, leeroo, upstream, tmp_path):
    file = tmp_path / "keys.json"
    key = subprocess.run([leeroo, "keys", "create", "--name", "ann", "--file", str(file), "--requests-per-minute", "3"],
                         check=True, capture_output=True, text=True, timeout=20).stdout.strip()
    g = start(top=CACHE + "keys: keys.json\n")
    body = {"model": "leeroo", "messages": [{"role": "user", "content": "hello cat"}]}
    replies = [g.client.post("/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"})
               for _ in range(4)]
    assert [r.status_code for r in replies] == [200, 200, 200, 429]
    assert [r.headers.get("x-leeroo-cache") for r in replies[:3]] == ["miss", "hit", "hit"]
    assert len(upstream.of("cheap")) == 1
