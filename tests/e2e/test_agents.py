"""What agents send: long conversations with tools, in whatever form, to experts that are particular about it."""

import json
import signal

import anthropic
import openai
import pytest

import speakers
from conftest import Gateway, write_config
from upstream import answer, delta

HELLO = {"role": "user", "content": "hello cat"}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=="


@pytest.fixture(params=["openai", "anthropic"])
def dialect(request):
    return request.param


@pytest.fixture
def pool(start_gateway, upstream, dialect):
    """All experts speak one dialect, and answer in it."""
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, speakers.speak())
    return start_gateway(expert=f"dialect: {dialect}\nretries: 0")


def post(gateway, path, body, status=200, headers=None):
    r = gateway.client.post(path, json={"model": "leeroo", **body}, headers=headers)
    assert r.status_code == status, r.text
    return r


def call(arguments):
    return {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}]}


RESULT = {"role": "tool", "tool_call_id": "c1", "content": "no JSON"}


@pytest.mark.parametrize("arguments", ['{"path": "/tm', "[1]", '{"a": NaN}', "", "null"])
def test_a_call_that_was_cut_off_does_not_end_the_conversation(pool, upstream, dialect, arguments):
    """CLIProxyAPI #2001, livekit/agents #6308, openai-agents-python #2061: its arguments are no JSON, and the client sends them back."""
    post(pool, "/v1/chat/completions", {"messages": [HELLO, call(arguments), RESULT]})
    post(pool, "/v1/responses", {"input": [
        HELLO, {"type": "function_call", "call_id": "c1", "name": "f", "arguments": arguments},
        {"type": "function_call_output", "call_id": "c1", "output": "no JSON"}]})
    want = {"invalid_json": arguments} if arguments else {}
    for r in upstream.requests:
        sent = r.json["messages"][1]
        if dialect == "anthropic":
            assert sent["content"][0]["input"] == want
        else:
            assert json.loads(sent["tool_calls"][0]["function"]["arguments"]) == want


def test_ids_that_come_again_do_not_end_the_conversation(pool, upstream, dialect):
    """Servers that count the calls of each answer from 0; Anthropic takes an id once."""
    turn = [HELLO, call("{}"), RESULT]
    post(pool, "/v1/chat/completions", {"messages": turn + turn})
    post(pool, "/v1/responses", {"input": 2 * [
        HELLO, {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "fine"}]})
    for r in upstream.requests:
        blocks = [b for m in r.json["messages"] for b in m["content"]] if dialect == "anthropic" else []
        for kind, key in (("tool_use", "id"), ("tool_result", "tool_use_id")):
            ids = [b[key] for b in blocks if b["type"] == kind]
            assert ids == (["c1", "c1_2"] if dialect == "anthropic" else [])


@pytest.mark.parametrize("given, note", [([1], "[1]"), ('{"path": "/tm', '{"path": "/tm'), (None, None)])
def test_input_of_a_tool_that_is_no_object(pool, upstream, dialect, given, note):
    post(pool, "/v1/messages", {"max_tokens": 9, "messages": [
        HELLO, {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": given}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "no"}]}]})
    said = upstream.requests[-1].json["messages"][1]
    sent = said["content"][0]["input"] if dialect == "anthropic" else json.loads(said["tool_calls"][0]["function"]["arguments"])
    assert sent == ({"invalid_json": note} if note else {})


def strict(r):
    """As chat templates of open models: one system message, the first; user and assistant by turns."""
    roles = [m["role"] for m in r.json["messages"]]
    turns = [role for role in roles if role != "system"]
    if "system" in roles[1:] or "developer" in roles or any(a == b == "user" for a, b in zip(turns, turns[1:])):
        r.whole(400, {"error": {"message": "System message must be at the beginning.", "type": "BadRequestError"}})
    else:
        answer()(r)


LATE = {"role": "system", "content": "agents: none"}
SAID = "<system-reminder>\nagents: none\n</system-reminder>"


def test_a_system_message_amid_the_conversation_reaches_strict_templates(start_gateway, upstream):
    """CLIProxyAPI #3608, ollama #17774, claude-code #77698: it is refused because it is not the first."""
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, strict)
    g = start_gateway(expert="retries: 0")
    post(g, "/v1/messages", {"max_tokens": 9, "system": "You help.", "messages": [HELLO, LATE]})
    assert upstream.requests[-1].json["messages"] == [{"role": "system", "content": "You help."},
                                                      {"role": "user", "content": f"hello cat\n\n{SAID}"}]
    first = {"role": "system", "content": "s"}
    for late in (LATE, {"role": "developer", "content": [{"type": "text", "text": "agents: none"}]}):
        said = {"role": "assistant", "content": "b"}
        post(g, "/v1/chat/completions", {"messages": [first, first, HELLO, said, late, HELLO]})
        assert upstream.requests[-1].json["messages"] == [{"role": "system", "content": "s\n\ns"}, HELLO, said,
                                                          {"role": "user", "content": f"{SAID}\n\nhello cat"}]
        post(g, "/v1/chat/completions", {"messages": [late, HELLO, call("{}"), late, RESULT]})
        assert [m["role"] for m in upstream.requests[-1].json["messages"]] == ["system", "user", "assistant", "tool", "user"]
    post(g, "/v1/responses", {"instructions": "s", "input": [{"role": "developer", "content": "d"}, HELLO, {
        "role": "developer", "content": "agents: none"}]})
    assert upstream.requests[-1].json["messages"] == [{"role": "system", "content": "s\n\nd"},
                                                      {"role": "user", "content": f"hello cat\n\n{SAID}"}]


def test_a_system_message_amid_the_conversation_stays_at_its_place_for_anthropic(start_gateway, upstream):
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, speakers.speak())
    g = start_gateway(expert="dialect: anthropic")
    post(g, "/v1/chat/completions", {"messages": [{"role": "system", "content": "s"}, HELLO, LATE]})
    sent = upstream.requests[-1].json
    assert sent["system"] == [{"type": "text", "text": "s"}]
    assert sent["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hello cat"},
                                                             {"type": "text", "text": SAID}]}]


@pytest.mark.parametrize("key, want", [("", LATE), ("system_messages: first", {"role": "user", "content": [{"type": "text", "text": SAID}]})])
def test_endpoints_that_resemble_anthropics_may_know_no_system_messages(start_gateway, upstream, key, want):
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, speakers.speak())
    g = start_gateway(expert=f"dialect: anthropic\n{key}")
    post(g, "/v1/messages", {"max_tokens": 9, "messages": [HELLO, LATE]})
    assert upstream.requests[-1].json["messages"] == [HELLO, want]


def test_an_expert_may_take_system_messages_anywhere(start_gateway, upstream):
    g = start_gateway(expert="system_messages: anywhere")
    post(g, "/v1/chat/completions", {"messages": [HELLO, LATE]})
    assert upstream.requests[-1].json["messages"] == [HELLO, LATE]


def test_functions_without_properties(start_gateway, upstream):
    g = start_gateway()
    empty = {"type": "object", "properties": {}}
    for parameters in ({"parameters": {"type": "object"}}, {"parameters": None}, {}):
        post(g, "/v1/chat/completions", {"messages": [HELLO], "tools": [{"type": "function", "function": {"name": "f", **parameters}}]})
        assert upstream.requests[-1].json["tools"][0]["function"]["parameters"] == empty
    post(g, "/v1/messages", {"max_tokens": 9, "messages": [HELLO], "tools": [{"name": "f", "input_schema": {"type": "object"}}]})
    assert upstream.requests[-1].json["tools"][0]["function"]["parameters"] == empty


def test_a_picture_that_a_tool_gave_back_is_seen(pool, upstream, dialect):
    """litellm PR #34462: with chat experts the conversation was refused from then on."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    messages = [HELLO, {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Read", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [image]}]}]
    post(pool, "/v1/messages", {"max_tokens": 9, "messages": messages})
    sent = upstream.requests[-1].json["messages"]
    if dialect == "anthropic":
        assert sent == messages
        return
    assert sent[2] == {"role": "tool", "tool_call_id": "t1", "content": "(in the next message)"}
    assert sent[3]["role"] == "user"
    assert sent[3]["content"][1] == {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}


def test_a_picture_that_nobody_can_see_does_not_end_the_conversation(start_gateway, upstream):
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    messages = [HELLO, {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Read", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [image]}]}]
    g = start_gateway(expert="capabilities: [tools]")
    r = post(g, "/v1/messages", {"max_tokens": 9, "messages": messages})
    assert r.headers["x-leeroo-dropped"] == "tool_result.image"
    assert upstream.requests[-1].json["messages"][2:] == [
        {"role": "tool", "tool_call_id": "t1", "content": "(an image, which you cannot see)"}]
    asked = {"max_tokens": 9, "messages": [{"role": "user", "content": [image, {"type": "text", "text": "what is it?"}]}]}
    assert "no images" in post(g, "/v1/messages", asked, status=400).text


def test_a_picture_goes_to_who_can_see_it(start_gateway, upstream, tmp_path):
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    g = start_gateway()
    config = tmp_path / "leeroo.yaml"
    config.write_text(config.read_text().replace("- name: cheap\n", "- name: cheap\n    capabilities: [tools]\n"))
    g.popen.send_signal(signal.SIGHUP)
    g.wait_line("msg=reloaded")
    messages = [HELLO, call("{}"), {**RESULT, "content": [part]}]
    assert post(g, "/v1/chat/completions", {"messages": messages[:2] + [RESULT]}).headers["x-leeroo-expert"] == "cheap"
    assert post(g, "/v1/chat/completions", {"messages": messages}).headers["x-leeroo-expert"] == "mid"


def test_a_picture_in_a_chat_tool_message(pool, upstream, dialect):
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    post(pool, "/v1/chat/completions", {"messages": [HELLO, call("{}"), {**RESULT, "content": [part]}, HELLO]})
    sent = upstream.requests[-1].json["messages"]
    assert PIXEL in json.dumps(sent[2 if dialect == "anthropic" else 3])
    assert [m["role"] for m in sent] == ["user", "assistant", "user"] if dialect == "anthropic" else [
        "user", "assistant", "tool", "user"]


# Wishes

CLAUDE_CODE = {"max_tokens": 32000, "system": [{"type": "text", "text": "You help.", "cache_control": {"type": "ephemeral"}}],
               "metadata": {"user_id": "u" * 200}, "output_config": {"effort": "high"}, "thinking": {"type": "adaptive"},
               "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
               "messages": [{"role": "user", "content": [{"type": "text", "text": "hello cat"}]}],
               "tools": [{"name": "Bash", "description": "runs", "input_schema": {"type": "object", "properties": {}}}]}
BETA = {"anthropic-beta": "context-management-2025-06-27,effort-2025-11-24"}


@pytest.mark.parametrize("stream", [False, True])
def test_claude_codes_requests_are_served_by_chat_experts(start_gateway, upstream, stream):
    """9router #1468, litellm #26240, claude-code #21612: thinking, edits of context and effort are refused."""
    g = start_gateway()
    r = post(g, "/v1/messages?beta=true", {**CLAUDE_CODE, "stream": stream}, headers=BETA)
    dropped = ["context_management", "thinking", "output_config.effort"]
    assert r.headers["x-leeroo-dropped"] == ", ".join(dropped)
    assert g.access(r.headers["request-id"])["dropped"] == ",".join(dropped)
    sent = upstream.requests[-1].json
    assert set(sent) - {"stream", "stream_options"} == {"model", "messages", "tools", "max_tokens", "user"}
    assert len(sent["user"]) == 16
    r = post(g, "/v1/messages/count_tokens?beta=true", {k: v for k, v in CLAUDE_CODE.items() if k != "max_tokens"}, headers=BETA)
    assert r.json()["input_tokens"] > 0


def test_an_expert_that_knows_efforts_is_told(start_gateway, upstream):
    g = start_gateway(expert="capabilities: [tools, effort]")
    r = post(g, "/v1/messages", CLAUDE_CODE)
    assert upstream.requests[-1].json["reasoning_effort"] == "high"
    assert r.headers["x-leeroo-dropped"] == "context_management"


def test_an_anthropic_expert_gets_all_of_it(start_gateway, upstream):
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, speakers.speak())
    g = start_gateway(expert="dialect: anthropic")
    r = post(g, "/v1/messages?beta=true", CLAUDE_CODE, headers=BETA)
    sent = upstream.requests[-1]
    assert {k: v for k, v in sent.json.items() if k != "model"} == CLAUDE_CODE
    assert sent.headers["anthropic-beta"] == BETA["anthropic-beta"] and "x-leeroo-dropped" not in r.headers


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_no_longer_answer_is_asked_for_than_an_expert_allows(start_gateway, upstream, dialect):
    """Agents ask for 32,000 tokens, which models of shorter answers refuse."""
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, speakers.speak())
    g = start_gateway(expert=f"dialect: {dialect}\noutput_limit: 8192\ncontext: 16000")
    for limit, want in ((32000, 8192), (8192, 8192), (99, 99)):
        post(g, "/v1/messages", {"max_tokens": limit, "messages": [HELLO]})
        assert upstream.requests[-1].json["max_tokens"] == want
    post(g, "/v1/chat/completions", {"max_completion_tokens": 32000, "messages": [HELLO]})
    sent = upstream.requests[-1].json
    assert sent.get("max_completion_tokens", sent.get("max_tokens")) == 8192


SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}


@pytest.fixture
def mixed(leeroo, model_file, upstream, tmp_path):
    """The dear expert speaks Messages, the others chat."""
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, speakers.speak())
    config = write_config(tmp_path, model_file, upstream.url)
    config.write_text(config.read_text().replace("- name: dear\n", "- name: dear\n    dialect: anthropic\n"))
    g = Gateway(leeroo, config)
    yield g
    g.client.close()
    assert g.stop() == 0


def test_an_expert_that_has_the_servers_tool_is_asked_rather(mixed, upstream):
    ask = {"max_tokens": 99, "messages": [HELLO]}
    assert post(mixed, "/v1/messages", ask).headers["x-leeroo-expert"] == "cheap"
    assert post(mixed, "/v1/messages", {**ask, "tools": [SEARCH]}).headers["x-leeroo-expert"] == "dear"
    assert upstream.of("dear")[-1].json["tools"] == [SEARCH]
    r = post(mixed, "/v1/messages", {**ask, "tools": [SEARCH], "leeroo": {"experts": ["cheap", "mid"]}})
    assert r.headers["x-leeroo-dropped"] == "tools.web_search_20250305"


def test_a_servers_own_tool_is_left_out_unless_it_is_demanded(start_gateway, upstream):
    g = start_gateway()
    ask = {"max_tokens": 99, "messages": [HELLO], "tools": [SEARCH, *CLAUDE_CODE["tools"]]}
    r = post(g, "/v1/messages", ask)
    assert r.headers["x-leeroo-dropped"] == "tools.web_search_20250305"
    assert [t["function"]["name"] for t in upstream.requests[-1].json["tools"]] == ["Bash"]
    r = post(g, "/v1/messages", {**ask, "tool_choice": {"type": "tool", "name": "web_search"}}, status=400)
    assert "web_search" in r.json()["error"]["message"]


def test_what_a_client_runs_itself_is_a_function(start_gateway, upstream):
    g = start_gateway()
    tools = [{"type": "bash_20250124", "name": "bash"}, {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}]
    r = post(g, "/v1/messages", {"max_tokens": 99, "messages": [HELLO], "tools": tools})
    assert "x-leeroo-dropped" not in r.headers
    sent = [t["function"] for t in upstream.requests[-1].json["tools"]]
    assert [f["name"] for f in sent] == ["bash", "str_replace_based_edit_tool"]
    assert "command" in sent[0]["parameters"]["properties"]


# Reasoning

def deepseek(member):
    """Wants its reasoning back with the calls that it led to."""
    def behave(r):
        messages = r.json["messages"]
        calls = [m for m in messages if m.get("tool_calls")]
        if any(m.get(member) != "I call f" for m in calls):
            r.whole(400, {"error": {"message": "The `reasoning_content` in the thinking mode must be passed back.",
                                    "type": "invalid_request_error"}})
            return
        if calls:
            answer("done")(r)
            return
        called = [{"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
        if not r.json.get("stream"):
            r.whole(200, {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [
                {"index": 0, "finish_reason": "tool_calls",
                 "message": {"role": "assistant", "content": None, member: "I call f", "tool_calls": called}}]})
            return
        r.head(content_type="text/event-stream")
        for d, finish in (({"role": "assistant", member: "I call "}, None), ({member: "f"}, None),
                          ({"tool_calls": called}, None), ({}, "tool_calls")):
            r.event({**delta(), "choices": [{"index": 0, "delta": d, "finish_reason": finish}]})
        r.event(b"[DONE]")
        r.end()
    return behave


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("member", ["reasoning_content", "reasoning"])
def test_reasoning_goes_back_to_who_made_it(start_gateway, upstream, member, stream):
    """claude-code-router #1378, 9router #355, cc-switch #2331: DeepSeek refuses a tool's result without its reasoning."""
    upstream.on("cheap", deepseek(member))
    g = start_gateway(expert="retries: 0")
    with anthropic.Anthropic(base_url=g.url, api_key="k", max_retries=0) as client:
        ask = {"model": "cheap", "max_tokens": 99, "tools": [{"name": "f", "input_schema": {"type": "object"}}]}
        if stream:
            with client.messages.stream(**ask, messages=[HELLO]) as s:
                first = s.get_final_message()
        else:
            first = client.messages.create(**ask, messages=[HELLO])
        assert first.content[0].type == "thinking" and first.content[0].thinking == "I call f"
        back = [HELLO, {"role": "assistant", "content": [b.model_dump() for b in first.content]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "ok"}]}]
        assert client.messages.create(**ask, messages=back).content[0].text == "done"
        client.messages.create(**{**ask, "model": "mid"}, messages=back)
    assert "reason" not in json.dumps(upstream.of("mid")[-1].json)


def test_reasoning_of_a_chat_expert_is_cut_before_anthropic_sees_it(start_gateway, upstream):
    upstream.on("cheap", speakers.speak())
    g = start_gateway(expert="dialect: anthropic")
    thought = {"type": "thinking", "thinking": "h", "signature": "leeroo:3:mid"}
    signed = {"type": "thinking", "thinking": "i", "signature": "EqQB"}
    said = {"type": "text", "text": "a"}
    post(g, "/v1/messages", {"model": "cheap", "max_tokens": 9, "messages": [
        HELLO, {"role": "assistant", "content": [thought, signed, said]}, HELLO]})
    assert upstream.requests[-1].json["messages"][1]["content"] == [signed, said]


def test_thinking_that_anthropic_signed_does_not_bind_a_conversation(start_gateway, upstream):
    g = start_gateway()
    post(g, "/v1/messages", {"max_tokens": 9, "messages": [HELLO, {"role": "assistant", "content": [
        {"type": "thinking", "thinking": "i", "signature": "EqQB"}, {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "a"}]}, HELLO]})
    assert upstream.requests[-1].json["messages"][1] == {"role": "assistant", "content": "a"}


@pytest.mark.parametrize("stream", [False, True])
def test_messages_are_of_the_model_that_was_asked_for(pool, upstream, stream):
    """Claude Code takes the thinking out of messages that are of another model."""
    with anthropic.Anthropic(base_url=pool.url, api_key="k", max_retries=0) as client:
        ask = {"model": "leeroo/best", "max_tokens": 99, "messages": [HELLO]}
        if stream:
            with client.messages.stream(**ask) as s:
                message = s.get_final_message()
        else:
            message = client.messages.create(**ask)
    assert message.model == "leeroo/best"


# Names of models

ALIASES = """
aliases:
  "claude-*": leeroo/best
  "claude-opus-*": dear
  claude-opus-4-8: mid
  gpt-5: leeroo/thrift
"""


def test_names_that_clients_send_by_themselves_have_a_place_to_go(start_gateway, upstream):
    """Also such as come with a date, of models that are not out yet."""
    g = start_gateway(top=ALIASES)
    for name, expert, policy in (("claude-opus-4-8", "mid", None), ("claude-opus-4-8-20260101", "dear", None),
                                 ("gpt-5", "cheap", "thrift"), ("claude-haiku-4-5", None, "best")):
        r = post(g, "/v1/messages", {"model": name, "max_tokens": 9, "messages": [HELLO]})
        assert r.json()["model"] == name
        assert expert in (None, r.headers["x-leeroo-expert"])
        assert g.access(r.headers["request-id"])["policy"] == (policy or "-")
        assert post(g, "/v1/chat/completions", {"model": name, "messages": [HELLO]}).headers["x-leeroo-expert"] == r.headers["x-leeroo-expert"]
        assert post(g, "/v1/messages/count_tokens", {"model": name, "messages": [HELLO]}).json()["input_tokens"] > 0
    r = post(g, "/v1/messages", {"model": "gemini-3", "max_tokens": 9, "messages": [HELLO]}, status=404)
    assert "gemini-3" in r.json()["error"]["message"] and "aliases" in r.json()["error"]["message"]


def test_lists_of_models_are_read_by_both_vendors_clients(start_gateway):
    """Each finds the members that it demands: created_at, has_more and their like beside OpenAI's."""
    g = start_gateway(top=ALIASES, expert="context: 9000")
    want = ["leeroo", "leeroo/default", "leeroo/best", "leeroo/thrift", "leeroo/cheapest", "cheap", "mid", "dear",
            "claude-opus-4-8", "gpt-5"]
    with openai.OpenAI(base_url=g.url + "/v1", api_key="k") as client:
        listed = client.models.list().data
        assert [m.id for m in listed] == want and all(m.object == "model" and m.owned_by == "leeroo" for m in listed)
        assert client.models.retrieve("claude-opus-4-8").id == "claude-opus-4-8"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("gemini-3")
    with anthropic.Anthropic(base_url=g.url, api_key="k") as client:
        first = client.models.list(limit=3)
        assert [m.id for m in first.data] == want[:3] and first.has_more and (first.first_id, first.last_id) == (want[0], want[2])
        assert [m.id for m in client.models.list(limit=3)] == want  # page after page
        one = client.models.retrieve("claude-haiku-4-5")
        assert (one.type, one.display_name, one.created_at.year) == ("model", "claude-haiku-4-5", 1970)
        assert client.models.retrieve("cheap").max_input_tokens == 9000
        with pytest.raises(anthropic.NotFoundError) as e:
            client.models.retrieve("gemini-3")
        assert e.value.body["error"]["type"] == "not_found_error"
