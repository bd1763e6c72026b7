"""`parameters` of an expert: what it is always asked with, on every front and dialect, whole and streamed, in turns of agents,
in panels, by `leeroo ask` and `leeroo collect`; and two efforts of one model are two experts."""

import csv
import json
import re
import subprocess

import pytest

import test_turns
from conftest import KEY, write_config
from speakers import speak
from test_gateway_plans import QUESTION, lambdas, plan_model, says, start  # noqa: F401 fixtures
from test_gateway_refusals import PATHS, ask
from test_reload import reload, rewrite
from test_turns import CHEAP, DEAR, HARD, result_of, user, works
from upstream import answer

GIVEN = {"reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": False, "budgets": [1, 2.50]}}
SPELT = '{reasoning_effort: low, chat_template_kwargs: {enable_thinking: false, budgets: [1, 2.50]}}'


def entry(upstream, parameters=SPELT, dialect="openai", more=""):
    return f"{upstream.url}\n    dialect: {dialect}\n    parameters: {parameters}{more}"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("front", PATHS)
@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_they_reach_the_endpoint_whatever_the_client_speaks(start_gateway, upstream, dialect, front, stream):
    g = start_gateway(urls={"dear": entry(upstream, dialect=dialect)})
    for name in ("dear", "mid"):
        upstream.on(name, speak())
    r = ask(g, front, "prove quantum lemma", model="dear", stream=stream)
    assert r.status_code == 200 and "x-leeroo-dropped" not in r.headers, r.text
    sent = upstream.of("dear")[0]
    assert {k: sent.json[k] for k in GIVEN} == GIVEN and b"2.50" in sent.body, "as it is spelled"
    assert sent.json["model"] == "dear" and bool(sent.json.get("stream")) == stream and sent.json["messages"]
    assert ask(g, front, "prove quantum lemma", model="mid", stream=stream).status_code == 200
    assert not set(GIVEN) & set(upstream.of("mid")[0].json), "others are asked as before"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_the_client_hears_what_it_did_not_get(start_gateway, upstream, stream):
    g = start_gateway(urls={"dear": entry(upstream)})
    upstream.on("dear", answer())
    r = g.chat(HARD, model="dear", stream=stream, reasoning_effort="high",
               chat_template_kwargs={"enable_thinking": True, "x": 1})
    assert r.headers["x-leeroo-dropped"] == "reasoning_effort, chat_template_kwargs.enable_thinking"
    g.wait_line(r"msg=request .*dropped=\"?reasoning_effort,chat_template_kwargs.enable_thinking")
    sent = upstream.of("dear")[0].json
    assert sent["reasoning_effort"] == "low" and sent["chat_template_kwargs"] == {**GIVEN["chat_template_kwargs"], "x": 1}
    r = g.chat(HARD, model="dear", stream=stream, reasoning_effort="low")
    assert "x-leeroo-dropped" not in r.headers, "it got what it wished for"


@pytest.mark.parametrize("front", ["chat", "messages"])
def test_an_effort_of_anthropic_leaves_the_rest_of_its_section(start_gateway, upstream, front):
    """output_config has the schema of the answer, too; and a thinking of another type is no half of the client's."""
    g = start_gateway(urls={"dear": entry(upstream, "{output_config: {effort: low}, thinking: {type: disabled}}", "anthropic")})
    upstream.on("dear", speak())
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
    if front == "chat":
        more = {"reasoning_effort": "high", "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}
        lost = "output_config.effort"
    else:
        more = {"output_config": {"effort": "high", "format": {"type": "json_schema", "schema": schema}},
                "thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 4000}
        lost = "output_config.effort, thinking"
    r = ask(g, front, HARD, model="dear", **more)
    assert r.status_code == 200 and r.headers["x-leeroo-dropped"] == lost, r.text
    sent = upstream.of("dear")[0].json
    assert sent["output_config"]["effort"] == "low" and sent["output_config"]["format"]["schema"] == schema
    assert sent["thinking"] == {"type": "disabled"}


def test_beside_drop_rename_and_a_limit(start_gateway, upstream):
    more = "\n    drop: [temperature]\n    rename: {top_p: nucleus}\n    output_limit: 7"
    g = start_gateway(urls={"dear": entry(upstream, "{reasoning_effort: low}", more=more)})
    upstream.on("dear", answer())
    r = g.chat(HARD, model="dear", temperature=0.5, top_p=0.25, max_tokens=900)
    sent = upstream.of("dear")[0].json
    assert r.headers["x-leeroo-dropped"] == "temperature"
    assert (sent["reasoning_effort"], sent["nucleus"], sent["max_tokens"]) == ("low", 0.25, 7)
    assert not {"temperature", "top_p"} & set(sent)


def test_in_a_turn_of_an_agent(start_gateway, upstream):
    g = start_gateway(urls={name: entry(upstream, f"{{reasoning_effort: {effort}}}")
                            for name, effort in (("cheap", "low"), ("dear", "high"))}, names=["cheap", "dear"],
                      policies="policies: {default: {lambda: 0}}\n")
    for name in ("cheap", "dear"):
        upstream.on(name, works())
    _, said = test_turns.ask(g, [user(HARD)], DEAR)
    r, _ = test_turns.ask(g, [user(HARD), *result_of(said)], CHEAP, True)
    assert r.headers["x-leeroo-session"] == "stayed"
    assert [q.json["reasoning_effort"] for q in upstream.requests] == ["high", "high"]


def test_each_member_of_a_panel_has_its_own(start, upstream):
    g = start(urls={name: entry(upstream, f"{{reasoning_effort: {effort}}}")
                    for name, effort in (("cheap", "low"), ("mid", "high"))})
    upstream.on("cheap", says("B"))
    upstream.on("mid", says("B"))
    assert g.chat(QUESTION).status_code == 200
    assert {q.json["model"]: q.json["reasoning_effort"] for q in upstream.requests} == {"cheap": "low", "mid": "high"}


EFFORTS = """
experts:
  - {{name: think-low, url: {url}, upstream_model: think, parameters: {{reasoning_effort: low}}, price: {{input: 1, output: 2}}}}
  - {{name: think-high, url: {url}, upstream_model: think, parameters: {{reasoning_effort: high}}, price: {{input: 1, output: 2}}}}
policies: {{default: {{lambda: 100}}}}
"""


def by_effort(r):
    """Thinks better, and longer, with more effort."""
    high = r.json["reasoning_effort"] == "high"
    answer(f"The answer is {'4' if high else '5'}", (20, 40 if high else 4))(r)


def test_two_efforts_of_one_model_are_two_experts_of_a_data_set(leeroo, upstream, tmp_path):
    upstream.on("think", by_effort)
    (tmp_path / "leeroo.yaml").write_text(EFFORTS.format(url=upstream.url))
    (tmp_path / "questions.jsonl").write_text("".join(
        json.dumps({"id": f"q{i}", "text": f"What is 2 + 2, asked for the {i}th time, word{i}?", "answer": "4"}) + "\n" for i in range(6)))
    done = subprocess.run([leeroo, "collect", "questions.jsonl", "-o", "data"], capture_output=True, text=True, timeout=120,
                          cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "data" / "outcomes.csv").open() as file:
        found = {(row["model"], row["score"], row["output_tokens"]) for row in csv.DictReader(file)}
    assert found == {("think-low", "0", "4"), ("think-high", "1", "40")}
    done = subprocess.run([leeroo, "ask", "-c", "leeroo.yaml", "--expert", "think-high", "What is 2 + 2?"], capture_output=True,
                          text=True, timeout=60, cwd=tmp_path, check=False)
    assert "answer is 4" in done.stdout, done.stderr


def test_an_idempotency_key_is_of_one_effort(start_gateway, upstream, tmp_path):
    """Under one key, an endpoint would give the other effort's answer."""
    urls = {"cheap": entry(upstream, "{reasoning_effort: low}", more="\n    upstream_model: think"),
            "dear": entry(upstream, "{reasoning_effort: high}", more="\n    upstream_model: think")}
    g = start_gateway(urls=urls)
    upstream.on("think", answer())

    def key_of(model):
        g.client.post("/v1/chat/completions", headers={"idempotency-key": "k"},
                      json={"model": model, "messages": [{"role": "user", "content": "x"}]})
        return upstream.requests[-1].headers["idempotency-key"]
    keys = [key_of("cheap"), key_of("dear"), key_of("cheap")]
    assert keys[0] == keys[2] != keys[1]
    reload(g, lambda: rewrite(tmp_path, ("reasoning_effort: low", "reasoning_effort: medium")))
    assert key_of("cheap") not in keys and upstream.requests[-1].json["reasoning_effort"] == "medium"


def test_a_reload_changes_them_and_the_cache_forgets(start_gateway, upstream, tmp_path):
    g = start_gateway(urls={"dear": entry(upstream, "{reasoning_effort: low}")}, top="cache: {size: 1MiB}")
    upstream.on("dear", answer())

    def asked():
        return g.chat(HARD, model="dear", temperature=0).headers.get("x-leeroo-cache"), len(upstream.requests)
    assert asked()[1] == 1 and asked()[1] == 1, "the second is the cache's"
    reload(g, lambda: rewrite(tmp_path, ("reasoning_effort: low", "reasoning_effort: high")))
    assert asked()[1] == 2 and upstream.requests[-1].json["reasoning_effort"] == "high"


def test_check_shows_them(leeroo, model_file, upstream, tmp_path):
    path = write_config(tmp_path, model_file, upstream.url, urls={"dear": entry(upstream)})
    env = {"UP_KEY": KEY}
    shown = subprocess.run([leeroo, "check", "-c", path], capture_output=True, text=True, timeout=60, env=env, check=False)
    assert re.search(r'^dear .* with \{"reasoning_effort":"low",.*2\.50\]\}\}', shown.stdout, re.M), shown.stdout + shown.stderr
    shown = subprocess.run([leeroo, "check", "-c", path, "--json"], capture_output=True, text=True, timeout=60, env=env, check=False)
    assert {e["name"]: e.get("parameters") for e in json.loads(shown.stdout)["experts"]} == {"cheap": None, "mid": None, "dear": GIVEN}


def test_embeddings_have_them_too(start_gateway, upstream):
    g = start_gateway(top=f"embeddings:\n  - {{name: vec, url: {upstream.url}, price: {{input: 1, output: 0}}, parameters: {{dimensions: 2}}}}")
    upstream.on("vec", lambda r: r.whole(200, {"object": "list", "model": "vec", "usage": {"prompt_tokens": 1, "total_tokens": 1},
                                               "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 1]}]}))
    assert g.client.post("/v1/embeddings", json={"model": "vec", "input": "x", "dimensions": 9}).status_code == 200
    assert upstream.of("vec")[0].json["dimensions"] == 2
