"""Routing of real requests: what a request may say itself, conversations, prompt caches, prices of every kind of token."""

import json
import random
import subprocess
from decimal import ROUND_HALF_UP, Decimal

import pytest

from conftest import Gateway
from speakers import named
from upstream import answer, delta

EASY, HARD = "hello sum two colour cat cat hello", "prove integral quantum lemma tensor prove"
NANO = Decimal("0.000000001")


def config(folder, model, url, experts, policies):
    lines = ["listen: 127.0.0.1:0", f"model: {model}", "threads: 2", "experts:"]
    for name, more in experts.items():
        lines.append(f"  - {{name: {name}, url: {url}, retries: 0{more}}}")
    path = folder / "leeroo.yaml"
    path.write_text("\n".join(lines) + "\npolicies:\n" + policies + "\n")
    return path


@pytest.fixture
def start(leeroo, model_file, upstream, tmp_path):
    running = []

    def begin(experts, policies, model=None, url=None):
        g = Gateway(leeroo, config(tmp_path, model or model_file, url or upstream.url, experts, policies))
        running.append(g)
        return g
    yield begin
    for g in running:
        g.client.close()
        assert g.stop() == 0, g.text


def user(text):
    return {"role": "user", "content": text}


# What a request says itself

def test_the_body_chooses_otherwise_and_nothing_of_it_goes_up(start_gateway, upstream):
    g = start_gateway()
    assert g.chat(EASY).headers["x-leeroo-expert"] != "dear"
    r = g.chat(EASY, leeroo={"experts": ["dear"], "lambda": 0})
    assert r.status_code == 200 and r.headers["x-leeroo-expert"] == "dear"
    assert "leeroo" not in upstream.requests[-1].json
    r = g.chat(HARD, model="leeroo/thrift", leeroo={"policy": "best"})
    assert r.headers["x-leeroo-expert"] == "dear"
    r = g.chat(HARD, model="leeroo/best", leeroo={"lambda": 1e9})
    assert r.headers["x-leeroo-expert"] != "dear" and float(r.headers["x-leeroo-lambda"]) == 1e9
    r = g.chat(HARD, model="leeroo/thrift", leeroo={"min_quality": 0.8})
    assert r.headers["x-leeroo-expert"] == "dear"
    r = g.chat(HARD, model="leeroo/best", leeroo={"max_cost": "0.00005"})
    assert r.headers["x-leeroo-expert"] != "dear" and 1 <= upstream.requests[-1].json["max_tokens"]


def test_headers_choose_too_and_stay_here(start_gateway, upstream):
    g = start_gateway()
    ask = {"model": "leeroo/thrift", "messages": [user(HARD)]}
    r = g.client.post("/v1/chat/completions", json=ask, headers={"x-leeroo-policy": "best"})
    assert r.headers["x-leeroo-expert"] == "dear"
    r = g.client.post("/v1/chat/completions", json=ask, headers={"X-Leeroo-Experts": "mid, dear", "x-leeroo-lambda": "1e9"})
    assert r.headers["x-leeroo-expert"] == "mid"
    r = g.client.post("/v1/chat/completions", json={**ask, "leeroo": {"experts": ["cheap"]}},
                      headers={"x-leeroo-experts": "dear", "x-leeroo-plan": "none"})
    assert r.headers["x-leeroo-expert"] == "cheap", "the body wins"
    assert not [h for q in upstream.requests for h in q.headers if h.startswith("x-leeroo")]


def test_mistakes_name_the_field(start_gateway, upstream):
    g = start_gateway()
    for leeroo, param, words in (({"lamda": 3}, "leeroo", "did you mean 'lambda'"),
                                 ({"experts": ["gpt"]}, "leeroo.experts", "no expert 'gpt'"),
                                 ({"min_quality": 2}, "leeroo.min_quality", "at most 1"),
                                 ({"lambda": 1, "min_quality": 0.5}, "leeroo.min_quality", "exclude"),
                                 ({"max_cost": 0}, "leeroo.max_cost", "above 0"),
                                 ({"policy": "none"}, "leeroo.policy", "no policy")):
        for path in ("/v1/chat/completions", "/v1/route"):
            r = g.client.post(path, json={"model": "leeroo", "messages": [user("hi")], "leeroo": leeroo})
            assert r.status_code == 400, r.text
            assert r.json()["error"]["param"] == param and words in r.json()["error"]["message"], r.text
    r = g.client.post("/v1/chat/completions", json={"model": "leeroo", "messages": [user("hi")]},
                      headers={"x-leeroo-lambda": "nan"})
    assert r.status_code == 400 and r.json()["error"]["param"] == "x-leeroo-lambda"
    r = g.chat("hi", model="mid", leeroo={"experts": ["cheap"]})
    assert r.status_code == 400 and "not in this request" in r.json()["error"]["message"]
    assert not upstream.requests


def test_a_cap_is_only_ever_lowered(start, upstream):
    g = start({"cheap": "", "dear": ""}, "  default: {lambda: 0, max_cost: 0.00005}")
    assert g.chat(HARD, leeroo={"max_cost": 1}).headers["x-leeroo-expert"] == "cheap"
    r = g.chat(HARD, leeroo={"max_cost": "0.000000001"})
    assert r.status_code == 402 and r.json()["error"]["code"] == "over_max_cost"


# Seeing why

def test_the_decision_says_why_nobody_else_was_chosen(start_gateway, upstream):
    """manifest #1620, OrcaRouter-Lite #118, otari PR #188: the router always picks one model, and nobody sees why."""
    g = start_gateway()
    seen = set()
    for text in (EASY, HARD):
        d = g.client.post("/v1/route", json={"model": "leeroo", "messages": [user(text)],
                                             "leeroo": {"experts": ["cheap", "dear"], "max_cost": 0.5}}).json()
        seen.add(d["expert"])
        assert set(d["estimates"]) == {"cheap", "mid", "dear"} and d["policy"] == "default"
        assert d["ruled_out"] == {"mid": "not in this request"}
        assert [d["expert"], *d["fallbacks"]] in (["cheap", "dear"], ["dear", "cheap"])
        value = {n: q - d["lambda"] * float(usd) for n, (q, usd) in d["estimates"].items() if n != "mid"}
        assert max(value, key=value.get) == d["expert"], "the numbers shown lead to the choice"
        assert d["asked"] == {"lambda": None, "min_quality": None, "plans": None}
        assert Decimal(str(d["max_cost_usd"])) == Decimal("0.5") and d["cached_tokens"] == {}
    assert seen == {"cheap", "dear"}, "easy and hard questions differ"
    d = g.client.post("/v1/route", json={"text": HARD, "leeroo": {"lambda": 7, "plans": "none"}}).json()
    assert d["asked"] == {"lambda": 7, "min_quality": None, "plans": "none"} and d["lambda"] == 7
    assert not upstream.requests, "to explain calls nobody"


def test_any_number_of_experts_without_asking_anybody(leeroo, start, upstream, tmp_path):
    """RouteLLM #29, #24, #19, #62, #84: only two models, and embeddings from OpenAI for every request."""
    rng, names = random.Random(5), [f"e{i}" for i in range(12)]
    topics = {n: f"topic{i} word{i} thing{i}".split() for i, n in enumerate(names)}
    queries, rows = [], ["id,model,score,cost_usd,input_tokens,output_tokens"]
    for i in range(960):
        best = names[i % 12]
        queries.append(json.dumps({"id": f"q{i}", "text": " ".join(rng.choices(topics[best], k=6 + i // 12 % 5))}))
        for n in names:
            good = rng.random() < (0.95 if n == best else 0.2)
            rows.append(f"q{i},{n},{int(good)},0.00003,10,20")
    data = tmp_path / "data"
    data.mkdir()
    (data / "queries.jsonl").write_text("\n".join(queries) + "\n")
    (data / "outcomes.csv").write_text("\n".join(rows) + "\n")
    (data / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\n" + "".join(f"{n},1,1\n" for n in names))
    subprocess.run([leeroo, "train", data, "-o", tmp_path / "m"], check=True, capture_output=True, timeout=120)
    g = start({n: "" for n in names}, "  default: {lambda: 0}", model=tmp_path / "m")
    for n in names:
        r = g.chat(" ".join(topics[n] * 3))
        assert r.headers["x-leeroo-expert"] == n
    assert len(upstream.requests) == len(names), "one call for each, to the one that was chosen"


# Conversations

NOTE = "<system-reminder>\nContext of this session:\n" + "cat two hello " * 60 + "\n</system-reminder>\n"
AROUND = {  # what clients put around a question in the user's own message
    "claude code": [NOTE, "{}", "<ide_opened_file>The user opened hello.c in the IDE.</ide_opened_file>"],
    "codex": ["# AGENTS.md instructions for /work\n\n<INSTRUCTIONS>\n" + "hello cat colour " * 60 + "\n</INSTRUCTIONS>",
              "<environment_context>\n  <cwd>/work</cwd>\n  <shell>bash</shell>\n</environment_context>", "{}"],
    "cline": ["<task>\n{}\n</task>", "<environment_details>\n# VSCode Open Tabs\nhello.c\n</environment_details>"],
    "cursor": ["<user_info>\nOS: linux\n</user_info>\n<user_query>\n{}\n</user_query>"],
}


@pytest.mark.parametrize("client", AROUND)
def test_what_a_client_puts_around_a_question_is_not_asked(start_gateway, client):
    """litellm PR #35185, PR #40655: agents put reminders into the user's message, and these were judged."""
    g = start_gateway()

    def route(*messages):
        d = g.client.post("/v1/route", json={"model": "leeroo/best", "messages": list(messages)}).json()
        return d["expert"], {name: quality for name, (quality, _) in d["estimates"].items()}
    for question in (EASY, HARD):
        bare = route(user(question))
        parts = [part.format(question) for part in AROUND[client]]
        assert route(user("\n".join(parts))) == bare
        assert route(user([{"type": "text", "text": part} for part in parts])) == bare
        said = {"role": "assistant", "content": "Done."}
        assert route(user(question), said, user(NOTE)) == bare, "a note alone asks nothing"
        assert route(user(NOTE), said, user(question)) == bare
    fenced = f"{HARD}\n```\n{NOTE}```"
    assert route(user(fenced)) != route(user(HARD)), "what the user shows in a fence is the user's"


def test_a_follow_up_goes_where_its_question_goes(start_gateway):
    g = start_gateway()

    def quality(*messages):
        d = g.client.post("/v1/route", json={"model": "leeroo/best", "messages": list(messages)}).json()
        return {n: e[0] for n, e in d["estimates"].items()}
    said = {"role": "assistant", "content": "It is so."}
    assert quality(user(HARD), said, user("Are you sure?")) == quality(user(HARD))
    assert quality({"role": "system", "content": "You are kind. " * 150}, user(EASY)) == quality(user(EASY))
    assert quality(*[m for _ in range(10) for m in (user(EASY), said)], user(HARD)) == quality(user(HARD))
    tool = [{"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function",
                                                                  "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "hello cat " * 30}]
    assert quality(user(HARD), *tool) == quality(user(HARD)), "what a tool says is no question"


def reports(usage, text="hello world"):
    """An OpenAI-compatible answer with this usage, whole or streamed."""
    def behave(r):
        body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
                "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}
        if not r.json.get("stream"):
            r.whole(200, body)
            return
        r.head(content_type="text/event-stream")
        r.event(delta(text))
        r.event(delta(finish="stop"))
        r.event({**delta(), "choices": [], "usage": usage})
        r.event(b"[DONE]")
        r.end()
    return behave


def reports_anthropic(usage, text="hello world"):
    def behave(r):
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
                   "stop_sequence": None, "content": [{"type": "text", "text": text}], "usage": usage}
        if not r.json.get("stream"):
            r.whole(200, message)
            return
        r.head(content_type="text/event-stream")
        named(r, "message_start", {"type": "message_start", "message": {**message, "content": [], "stop_reason": None,
                                                                        "usage": {**usage, "output_tokens": 1}}})
        named(r, "content_block_start", {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        named(r, "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})
        named(r, "content_block_stop", {"type": "content_block_stop", "index": 0})
        named(r, "message_delta", {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                                   "usage": {"output_tokens": usage["output_tokens"]}})
        named(r, "message_stop", {"type": "message_stop"})
        r.end()
    return behave


def details(prompt, cached, completion):
    return {"prompt_tokens": prompt, "completion_tokens": completion, "prompt_tokens_details": {"cached_tokens": cached}}


LONG = {"role": "system", "content": "Consider what the house rules say of this. " * 1400}  # 60 KB
CACHING = {"cheap": ", price: {input: 1, output: 1}", "mid": ", price: {input: 1.2, output: 1, cached_input: 0.12}",
           "dear": ", price: {input: 2, output: 15}"}


def test_a_conversation_stays_with_the_cache_that_holds_it(start, upstream):
    """agentgateway #2572, litellm #38078, plano PR #827: switching models loses the prompt cache."""
    g = start(CACHING, "  default: {lambda: 30}")
    for name in CACHING:
        upstream.on(name, reports(details(6000, 0, 5)))

    def where(messages):
        d = g.client.post("/v1/route", json={"model": "leeroo", "messages": messages})
        assert d.status_code == 200, d.text
        return d.json()
    first = [LONG, user(EASY)]
    assert where(first)["expert"] == "cheap" and where(first)["cached_tokens"] == {}
    r = g.chat(messages=first, leeroo={"experts": ["mid"]})
    said = r.json()["choices"][0]["message"]
    again = [*first, {"role": "assistant", "content": said["content"]}, user("hello colour sum cat two cat")]
    d = where(again)
    assert d["expert"] == "mid" and d["cached_tokens"]["mid"] > 4000, "a bit dearer by list, cheaper by its cache"
    upstream.on("mid", reports(details(6100, 5888, 5)))
    r = g.chat(messages=again, stream=True)
    assert r.headers["x-leeroo-expert"] == "mid"
    alone = where([{**LONG, "content": LONG["content"][::-1]}, user(EASY)])
    assert Decimal(r.headers["x-leeroo-cost-usd"]) < Decimal(str(alone["estimates"]["mid"][1])) / 2, "the saving is predicted"
    assert alone["expert"] == "cheap" and alone["cached_tokens"] == {}, "another conversation is another"
    much_harder = [*again, {"role": "assistant", "content": "x"}, user(HARD)]
    d = where(much_harder)
    assert d["expert"] == "dear" and d["cached_tokens"]["mid"] > 4000, "a switch that is worth it happens"


def test_without_a_price_for_cached_input_nothing_is_held(start, upstream):
    g = start({n: p.replace(", cached_input: 0.12", "") for n, p in CACHING.items()}, "  default: {lambda: 30}")
    upstream.on("mid", reports(details(6000, 0, 5)))
    first = [LONG, user(EASY)]
    g.chat(messages=first, leeroo={"experts": ["mid"]})
    d = g.client.post("/v1/route", json={"model": "leeroo", "messages": [*first, {"role": "assistant", "content": "x"},
                                                                        user(EASY)]}).json()
    assert d["expert"] == "cheap" and d["cached_tokens"] == {}


def test_a_cache_that_reports_no_hits_is_believed_less(start, upstream):
    g = start(CACHING, "  default: {lambda: 30}")
    upstream.on("mid", reports(details(6000, 0, 5)))
    messages, held = [LONG, user(EASY)], []
    for _ in range(6):
        assert g.chat(messages=messages, leeroo={"experts": ["mid"]}).status_code == 200
        messages += [{"role": "assistant", "content": "x"}, user(EASY)]
        d = g.client.post("/v1/route", json={"model": "leeroo", "messages": messages}).json()
        held.append(d["cached_tokens"].get("mid", 0))
    assert held[0] > 4000 and held[-1] < held[0] / 2, held


# Money

PRICE = {"input": "2.5", "output": "10", "cached_input": "1.25", "cache_write": "3.125", "reasoning": "12.345678901"}
PRICED = ", price: {" + ", ".join(f"{k}: {v}" for k, v in PRICE.items()) + "}"


def cost(input_tokens, cached, written, output, reasoning):
    """Independently: every kind of token at its own price, rounded once."""
    p = {k: Decimal(v) for k, v in PRICE.items()}
    usd = ((input_tokens - cached - written) * p["input"] + cached * p["cached_input"] + written * p["cache_write"]
           + (output - reasoning) * p["output"] + reasoning * p["reasoning"]) / 1_000_000
    return usd.quantize(NANO, ROUND_HALF_UP)


OPENAI_SHAPES = [  # usage, (input, cached, written, output, reasoning)
    ({"prompt_tokens": 2006, "completion_tokens": 300, "total_tokens": 2306, "prompt_tokens_details": {"cached_tokens": 1920},
      "completion_tokens_details": {"reasoning_tokens": 0}}, (2006, 1920, 0, 300, 0)),
    ({"prompt_tokens": 262960, "completion_tokens": 1744, "prompt_tokens_details": {"text_tokens": 262960, "cached_tokens": 257955}},
     (262960, 257955, 0, 1744, 0)),
    ({"prompt_tokens": 98805, "completion_tokens": 5120, "cache_read_input_tokens": 66360, "cache_creation_input_tokens": 32435,
      "prompt_tokens_details": {"cached_tokens": 66360, "cache_creation_tokens": 32435},
      "completion_tokens_details": {"reasoning_tokens": 1710}}, (98805, 66360, 32435, 5120, 1710)),
    ({"prompt_tokens": 0, "completion_tokens": 0, "prompt_tokens_details": None}, (0, 0, 0, 0, 0)),
]


@pytest.mark.parametrize("usage,counts", OPENAI_SHAPES)
def test_cached_tokens_are_priced_right(start, upstream, usage, counts):
    """litellm #6215, #14849, #31714, #11364: the reports of three of them, whole and streamed."""
    g = start({"cheap": PRICED}, "  default: {}")
    upstream.on("cheap", reports(usage))
    whole = g.chat(EASY)
    assert Decimal(whole.headers["x-leeroo-cost-usd"]) == cost(*counts)
    streamed = g.chat(EASY, stream=True)
    for r in (whole, streamed):
        line = g.access(r.headers["x-leeroo-request-id"])
        assert Decimal(line["cost_usd"]) == cost(*counts) and line["basis"] == "usage", line


def test_cached_tokens_of_anthropic_are_priced_right(start, upstream):
    """litellm #11364, #14849, #31714: Anthropic counts what is cached beside input_tokens, not in it."""
    g = start({"cheap": PRICED + ", dialect: anthropic"}, "  default: {}")
    upstream.on("cheap", reports_anthropic({"input_tokens": 10, "cache_read_input_tokens": 66360,
                                            "cache_creation_input_tokens": 32435, "output_tokens": 5120}))
    want = cost(98805, 66360, 32435, 5120, 0)
    for path, more in (("/v1/chat/completions", {}), ("/v1/messages", {"max_tokens": 6000})):
        for stream in (False, True):
            r = g.client.post(path, json={"model": "leeroo", "messages": [user(EASY)], "stream": stream, **more})
            assert r.status_code == 200, r.text
            line = g.access(r.headers["x-leeroo-request-id"])
            assert Decimal(line["cost_usd"]) == want and line["basis"] == "usage", (path, stream, line)


# Who can serve

def test_capabilities_and_context_come_before_price(start, upstream):
    g = start({"cheap": ", context: 1000, capabilities: [json]", "mid": ", context: 3000, capabilities: [tools]", "dear": ""},
              "  default: {lambda: 1e9}")
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    image = [{"type": "text", "text": "what?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    for ask, expert in (({"messages": [user(EASY)]}, "cheap"),
                        ({"messages": [user(EASY)], "tools": [tool]}, "mid"),
                        ({"messages": [user(image)]}, "dear"),
                        ({"messages": [user(EASY)], "max_tokens": 999}, "mid"),
                        ({"messages": [user("word " * 1000), {"role": "assistant", "content": "ok"}, user(EASY)]}, "mid"),
                        ({"messages": [LONG, user(EASY)]}, "dear")):
        r = g.chat(**ask)
        assert r.status_code == 200 and r.headers["x-leeroo-expert"] == expert, (str(ask)[:200], r.headers)


def test_what_a_dialect_cannot_say_rules_its_experts_out(start, upstream):
    g = start({"cheap": ", dialect: anthropic", "dear": ""}, "  default: {lambda: 1e9}")
    upstream.on("cheap", reports_anthropic({"input_tokens": 5, "output_tokens": 5}))
    upstream.on("dear", answer())
    assert g.chat(EASY).headers["x-leeroo-expert"] == "cheap"
    r = g.chat(EASY, logprobs=True)
    assert r.headers["x-leeroo-expert"] == "dear"
    r = g.chat(EASY, model="cheap", logprobs=True)
    assert r.status_code == 400 and "'cheap' cannot take" in r.json()["error"]["message"], r.text
