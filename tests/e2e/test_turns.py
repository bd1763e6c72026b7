"""Turns of agents: who began one goes on with it; and when that is not to be had, nobody gets what only its maker can read."""

import json
import signal
import threading

import pytest

from conftest import Gateway
from speakers import named
from upstream import delta, status

HARD = "prove integral quantum lemma tensor prove"
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
DEAR, CHEAP = {"x-leeroo-lambda": "0"}, {"x-leeroo-lambda": "1e9"}


def signature(r, n):
    return f"{r.json['model']}-signed-this-{n}-" + "x" * 60


def made_by_others(r):
    """State in the request that this model did not make."""
    text = json.dumps(r.json["messages"])
    return [name for name in ("cheap", "mid", "dear") if name != r.json["model"] and f"{name}-signed-this" in text]


def works(state="thinking_blocks", call_id="call_{model}_{n}"):
    """Asks for a tool until it has two results since the user's last words; each answer has state of its own."""
    made, lock = [0], threading.Lock()

    def behave(r):
        with lock:
            made[0] += 1
            n = made[0]
        assert not made_by_others(r), r.json
        roles = [m["role"] for m in r.json["messages"]]
        done = roles[::-1].index("user") >= 4
        message = {"role": "assistant", "content": "done" if done else None}
        call = {"id": call_id.format(model=r.json["model"], n=n), "type": "function", "function": {"name": "look", "arguments": "{}"}}
        if state == "extra_content":
            call["extra_content"] = {"google": {"thought_signature": signature(r, n)}}
        else:
            message["thinking_blocks"] = [{"type": "thinking", "thinking": "hm", "signature": signature(r, n)}]
            message["reasoning_content"] = "hm"
        if not done:
            message["tool_calls"] = [call]
        finish, usage = "stop" if done else "tool_calls", {"prompt_tokens": 30, "completion_tokens": 5, "total_tokens": 35}
        if not r.json.get("stream"):
            r.whole(200, {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
                          "choices": [{"index": 0, "message": message, "finish_reason": finish}]})
            return
        r.head(content_type="text/event-stream")
        calls = [{"index": 0, **call}] if not done else None
        r.event({**delta(), "choices": [{"index": 0, "finish_reason": None,
                                         "delta": {**message, **({"tool_calls": calls} if calls else {})}}]})
        r.event(delta(finish=finish))
        r.event({**delta(), "choices": [], "usage": usage})
        r.event(b"[DONE]")
        r.end()
    return behave


@pytest.fixture
def start(leeroo, model_file, upstream, tmp_path):
    running = []

    def begin(experts, more=""):
        lines = ["listen: 127.0.0.1:0", f"model: {model_file}", "threads: 2", *more.splitlines(), "experts:"]
        for name, given in experts.items():
            lines.append(f"  - {{name: {name}, url: {upstream.url}, retries: 0{given}}}")
        path = tmp_path / "leeroo.yaml"
        path.write_text("\n".join(lines) + "\npolicies: {default: {lambda: 0}, frugal: {lambda: 1e9}}\n")
        running.append(Gateway(leeroo, path))
        return running[-1]
    yield begin
    for g in running:
        g.client.close()
        assert g.stop() == 0, g.text


def ask(g, messages, headers, stream=False, **more):
    body = {"model": "leeroo", "tools": TOOLS, "messages": messages, "stream": stream, **more}
    r = g.client.post("/v1/chat/completions", json=body, headers=headers)
    assert r.status_code == 200, r.text
    if not stream:
        return r, r.json()["choices"][0]["message"]
    message = {}
    for line in r.text.splitlines():
        if line.startswith("data: {") and json.loads(line[6:])["choices"]:
            message.update(json.loads(line[6:])["choices"][0]["delta"])
    return r, message


def result_of(message):
    return [message, {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "nothing"}]


def user(text):
    return {"role": "user", "content": text}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("state", ["thinking_blocks", "extra_content"])
def test_a_turn_stays_with_the_expert_that_began_it(start, upstream, state, stream):
    """UncommonRoute #19, #20, #24: models are switched from request to request of one turn, amid signed thoughts."""
    g = start({"cheap": "", "dear": ""})
    for name in ("cheap", "dear"):
        upstream.on(name, works(state))
    messages = [user(HARD)]
    r, said = ask(g, messages, DEAR, stream)
    assert r.headers["x-leeroo-expert"] == "dear" and "x-leeroo-session" not in r.headers
    messages += result_of(said)
    r, said = ask(g, messages, CHEAP, stream)
    assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == ("dear", "stayed")
    assert g.wait_line(f"req={r.headers['x-leeroo-request-id']} .* session=stayed")
    messages += result_of(said)
    d = g.client.post("/v1/route", json={"model": "leeroo", "tools": TOOLS, "messages": messages}, headers=CHEAP).json()
    assert (d["expert"], d["turn_of"]) == ("dear", "dear")
    r, said = ask(g, messages, CHEAP, stream)
    assert r.headers["x-leeroo-expert"] == "dear" and said["content"] == "done"
    r, said = ask(g, [*messages, said, user(HARD)], CHEAP, stream)
    assert r.headers["x-leeroo-expert"] == "cheap" and "x-leeroo-session" not in r.headers, "the next turn is free"
    assert "signed-this" not in json.dumps(upstream.of("cheap")[-1].json), "and gets no state of others"


def test_two_agents_of_one_session_do_not_mix_up(start, upstream):
    """9router #4136: state kept by the id of a call alone goes to the wrong model; Kimi's ids are the same in each agent."""
    g = start({"cheap": "", "dear": ""})
    for name in ("cheap", "dear"):
        upstream.on(name, works(call_id="call_0"))
    one, two = [user("one: " + HARD)], [user("two: " + HARD)]
    named_alike = {"x-session-id": "s1"}
    for agent, wish in ((one, DEAR), (two, CHEAP)):
        agent += result_of(ask(g, agent, {**wish, **named_alike})[1])
    for agent, wish, expert in ((one, CHEAP, "dear"), (two, DEAR, "cheap"), (one, CHEAP, "dear"), (two, DEAR, "cheap")):
        r, said = ask(g, agent, {**wish, **named_alike})
        assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == (expert, "stayed")
        agent += result_of(said) if said.get("tool_calls") else []


@pytest.mark.parametrize("mark", [("session_id", None), ("x-session-id", None), (None, "prompt_cache_key"), (None, "user")])
def test_calls_that_a_client_renumbers_are_known_by_the_session(start, upstream, mark):
    g = start({"cheap": "", "dear": ""})
    for name in ("cheap", "dear"):
        upstream.on(name, works())
    header, member = mark
    headers, more = {header: "s1"} if header else {}, {member: "s1"} if member else {}
    messages = [user(HARD)]
    messages += result_of(ask(g, messages, {**DEAR, **headers}, **more)[1])
    text = json.dumps(messages).replace("call_dear_1", "renamed")
    r, _ = ask(g, json.loads(text), {**CHEAP, **headers}, **more)
    assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == ("dear", "stayed")


@pytest.mark.parametrize("state", ["thinking_blocks", "extra_content"])
def test_when_the_expert_fails_the_next_one_gets_a_portable_history(start, upstream, state):
    """CLIProxyAPI PR #994, hermes-agent #24401: after a switch the next provider refuses signatures that it did not make."""
    g = start({"cheap": "", "dear": ""})
    upstream.on("dear", works(state), status(503))
    upstream.on("cheap", works(state))
    messages = [user(HARD)]
    messages += result_of(ask(g, messages, DEAR)[1])
    r, said = ask(g, messages, DEAR)
    assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == ("cheap", "moved")
    sent = upstream.of("cheap")[-1].json["messages"]
    assert "signed-this" not in json.dumps(sent) and "extra_content" not in json.dumps(sent)
    assert [m["role"] for m in sent] == ["user", "assistant", "tool"] and sent[1]["tool_calls"][0]["id"] == "call_dear_1"
    if state == "thinking_blocks":
        assert sent[1]["reasoning_content"] == "hm", "plain text stays"
    upstream.on("dear", works(state))
    r, said = ask(g, messages + result_of(said), DEAR)
    assert r.headers["x-leeroo-expert"] == "cheap", "the turn is now the other's"


def test_gemini_gets_calls_of_others_in_the_form_that_it_takes(start, upstream):
    """hermes-agent #66587, bifrost PR #2226: Gemini refuses a turn's calls without its thought signature."""
    g = start({"dear": "", "cheap": ", upstream_model: gemini-3-flash"})
    upstream.on("dear", works(), status(503))
    upstream.on("gemini-3-flash", works("extra_content"))
    messages = [user(HARD)]
    messages += result_of(ask(g, messages, DEAR)[1])
    r, _ = ask(g, messages, DEAR)
    assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == ("cheap", "moved")
    call = upstream.of("gemini-3-flash")[-1].json["messages"][1]["tool_calls"][0]
    assert call["extra_content"] == {"google": {"thought_signature": "skip_thought_signature_validator"}}
    assert call["id"] == "call_dear_1" and call["function"]["name"] == "look"


def test_whose_turn_it_is_may_be_forgotten(start, upstream):
    """better-ccflare #52: after a restart nobody knows who signed; an expert that refuses is followed by another."""
    g = start({"cheap": "", "dear": ""})
    upstream.on("dear", works())
    messages = [user(HARD)]
    messages += result_of(ask(g, messages, DEAR)[1])
    g = start({"cheap": "", "mid": ""})
    upstream.on("cheap", status(400, "messages.1.content.0: Invalid `signature` in `thinking` block"))
    upstream.on("mid", works())
    r, said = ask(g, messages, CHEAP)
    assert r.headers["x-leeroo-expert"] == "mid" and "x-leeroo-session" not in r.headers
    r, _ = ask(g, messages + result_of(said), CHEAP)
    assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == ("mid", "stayed")


@pytest.mark.parametrize("seconds,expert,says", [("1", "dear", "stayed"), ("60", "cheap", "moved")])
def test_a_short_cooldown_is_no_reason_to_leave_a_turn(start, upstream, seconds, expert, says):
    g = start({"cheap": "", "dear": ""})
    upstream.on("dear", works(), status(429, headers=[("retry-after", seconds)]), works())
    upstream.on("cheap", works())
    messages = [user(HARD)]
    messages += result_of(ask(g, messages, DEAR)[1])
    assert g.client.post("/v1/chat/completions", json={"model": "dear", "messages": [user("x")]}).status_code == 429
    r, _ = ask(g, messages, DEAR)
    assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == (expert, says)


def test_a_reload_keeps_turns_and_moves_those_of_who_is_gone(start, upstream, tmp_path):
    g = start({"cheap": "", "mid": "", "dear": ""})
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, works())
    messages = [user(HARD)]
    messages += result_of(ask(g, messages, DEAR)[1])
    file = tmp_path / "leeroo.yaml"
    text = file.read_text()
    for change, expert, says in ((lambda: text.replace("  - {name: cheap", "  - {name: cheap, context: 9999"), "dear", "stayed"),
                                 (lambda: "\n".join(line for line in text.splitlines() if "name: dear" not in line) + "\n", "cheap", "moved")):
        before = len(g.lines)
        file.write_text(change())
        g.popen.send_signal(signal.SIGHUP)
        with g.seen:
            g.seen.wait_for(lambda: any("msg=reloaded" in line for line in g.lines[before:]), 20)
        r, _ = ask(g, messages, CHEAP)
        assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == (expert, says)


def test_a_turn_gets_past_no_right_and_no_name(start, upstream):
    g = start({"cheap": "", "dear": ""})
    for name in ("cheap", "dear"):
        upstream.on(name, works())
    messages = [user(HARD)]
    messages += result_of(ask(g, messages, DEAR)[1])
    r, _ = ask(g, messages, {}, model="cheap")
    assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == ("cheap", "moved")
    assert "signed-this" not in json.dumps(upstream.of("cheap")[-1].json)
    r, _ = ask(g, messages, {"x-leeroo-experts": "cheap"})
    assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == ("cheap", "moved")
    r, _ = ask(g, messages, {"x-leeroo-max-cost": "0.0001"})
    assert r.headers["x-leeroo-expert"] == "cheap"


def test_it_can_be_switched_off(start, upstream):
    g = start({"cheap": "", "dear": ""}, "sessions: {ttl: 0s}")
    upstream.on("dear", works(state="extra_content"))
    messages = [user(HARD)]
    messages += result_of(ask(g, messages, DEAR)[1])
    upstream.on("cheap", lambda r: r.whole(200, {"id": "c1", "choices": [{"index": 0, "finish_reason": "stop", "message": {
        "role": "assistant", "content": "x"}}]}))
    r, _ = ask(g, messages, CHEAP)
    assert r.headers["x-leeroo-expert"] == "cheap" and "x-leeroo-session" not in r.headers


# Clients of Messages

def thinks(r):
    """Anthropic: thinks, signs it and asks for a tool; refuses thinking that is not its own, as Anthropic does."""
    assert not made_by_others(r), r.json
    answer = [m for m in r.json["messages"] if m["role"] == "assistant"]
    if answer and (r.json.get("thinking") or {}).get("type") == "enabled" and answer[-1]["content"][0]["type"] != "thinking":
        return r.whole(400, {"type": "error", "error": {"type": "invalid_request_error", "message": "Expected `thinking`"}})
    content = [{"type": "thinking", "thinking": "hm", "signature": signature(r, 1)},
               {"type": "tool_use", "id": f"toolu_{len(answer)}", "name": "look", "input": {}}]
    message = {"id": "m1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use", "stop_sequence": None,
               "content": content, "usage": {"input_tokens": 30, "output_tokens": 5}}
    if not r.json.get("stream"):
        return r.whole(200, message)
    r.head(content_type="text/event-stream")
    named(r, "message_start", {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}})
    for i, block in enumerate(content):
        empty = {**block, "thinking": "", "signature": ""} if i == 0 else block
        named(r, "content_block_start", {"type": "content_block_start", "index": i, "content_block": empty})
        deltas = [{"type": "thinking_delta", "thinking": "hm"}, {"type": "signature_delta", "signature": block["signature"]}] if i == 0 else [
            {"type": "input_json_delta", "partial_json": "{}"}]
        for d in deltas:
            named(r, "content_block_delta", {"type": "content_block_delta", "index": i, "delta": d})
        named(r, "content_block_stop", {"type": "content_block_stop", "index": i})
    named(r, "message_delta", {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": 5}})
    named(r, "message_stop", {"type": "message_stop"})
    r.end()
    return None


def message_of(g, messages, headers, stream):
    r = g.client.post("/v1/messages", headers={**headers, "anthropic-version": "2023-06-01"}, json={
        "model": "leeroo", "max_tokens": 4096, "stream": stream, "messages": messages, "thinking": {"type": "enabled", "budget_tokens": 2048},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "tools": [{"name": "look", "input_schema": {"type": "object"}}]})
    assert r.status_code == 200, r.text
    return r


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_signed_thinking_of_messages_stays_and_goes_with_its_maker(start, upstream, stream):
    """better-ccflare #52: signatures of one endpoint sent to another, and thinking demanded that is not there."""
    g = start({"cheap": ", dialect: anthropic", "dear": ", dialect: anthropic"})
    for name in ("cheap", "dear"):
        upstream.on(name, thinks)
    messages = [user(HARD)]
    first = message_of(g, messages, DEAR, stream)
    assert first.headers["x-leeroo-expert"] == "dear"
    said = [{"type": "thinking", "thinking": "hm", "signature": "dear-signed-this-1-" + "x" * 60},
            {"type": "tool_use", "id": "toolu_0", "name": "look", "input": {}}]
    messages += [{"role": "assistant", "content": said},
                 {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_0", "content": "nothing"},
                                              {"type": "text", "text": "<system-reminder>\ngo on\n</system-reminder>"}]}]
    r = message_of(g, messages, CHEAP, stream)
    assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == ("dear", "stayed")
    assert upstream.of("dear")[-1].json["messages"][1]["content"] == said
    upstream.on("dear", status(529))
    r = message_of(g, messages, DEAR, stream)
    assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == ("cheap", "moved")
    sent = upstream.of("cheap")[-1].json
    assert [b["type"] for b in sent["messages"][1]["content"]] == ["tool_use"]
    assert sent["thinking"] == {"type": "disabled"} and "context_management" not in sent


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_signed_thinking_moves_to_an_expert_of_another_dialect_and_back(start, upstream, stream):
    """UncommonRoute #19: a turn of Claude Code whose expert is gone goes on with a chat model, and the next turn anywhere."""
    g = start({"cheap": "", "dear": ", dialect: anthropic"})
    upstream.on("dear", thinks)
    upstream.on("cheap", works())
    messages = [user(HARD)]
    assert message_of(g, messages, DEAR, stream).headers["x-leeroo-expert"] == "dear"
    messages += [{"role": "assistant", "content": [
        {"type": "thinking", "thinking": "hm", "signature": "dear-signed-this-1-" + "x" * 60},
        {"type": "tool_use", "id": "toolu_0", "name": "look", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_0", "content": "nothing"}]}]
    upstream.on("dear", status(529))
    r = message_of(g, messages, DEAR, stream)
    assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == ("cheap", "moved")
    sent = upstream.of("cheap")[-1].json["messages"]
    assert [m["role"] for m in sent] == ["user", "assistant", "tool"] and "signed-this" not in json.dumps(sent)
    said = json.loads(r.content)["content"] if not stream else blocks_of(r.text)
    call = next(b for b in said if b["type"] == "tool_use")
    messages += [{"role": "assistant", "content": said},
                 {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"], "content": "nothing"}]}]
    upstream.on("dear", thinks)
    r = message_of(g, messages, DEAR, stream)
    assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == ("cheap", "stayed")


def blocks_of(text):
    """The blocks of a stream of Messages, as its client collects them."""
    blocks = []
    for line in text.splitlines():
        event = json.loads(line[6:]) if line.startswith("data: {") else {}
        if event.get("type") == "content_block_start":
            blocks.append({**event["content_block"]})
        elif event.get("type") == "content_block_delta":
            d = event["delta"]
            for key, member in (("thinking", "thinking"), ("signature", "signature"), ("text", "text")):
                if key in d:
                    blocks[-1][member] = blocks[-1].get(member, "") + d[key]
    return blocks


def test_a_turn_that_a_chat_model_began_without_thinking_goes_to_one_that_demands_it(start, upstream):
    """better-ccflare #52: Anthropic demands the turn's thinking where thinking is on, and there is none."""
    g = start({"cheap": "", "dear": ", dialect: anthropic"})
    call = {"id": "call_7", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    upstream.on("cheap", lambda r: r.whole(200, {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": None, "tool_calls": [call]}}]}), status(503))
    upstream.on("dear", thinks)
    messages = [user(HARD)]
    said = message_of(g, messages, CHEAP, False).json()["content"]
    messages += [{"role": "assistant", "content": said},
                 {"role": "user", "content": [{"type": "tool_result", "tool_use_id": said[-1]["id"], "content": "nothing"}]}]
    r = message_of(g, messages, CHEAP, False)
    assert (r.headers["x-leeroo-expert"], r.headers["x-leeroo-session"]) == ("dear", "moved")
    assert upstream.of("dear")[-1].json["thinking"] == {"type": "disabled"}
