"""Answers that are verified in the gateway: who is asked when a check says no, what stands when it is down, what headers,
body, ledger and metrics say of it, and what is learnt. The checks are real: a command in its sandbox, an HTTP service,
JSON schemas, another expert."""

import json
import os
import shutil
import subprocess
import tempfile
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import httpx
from conftest import KEY, wait_for, write_config
from speakers import speak
from upstream import answer, status

CHECK = """if grep -q '"answer": *"[^"]*good'; then
    echo "it says good"
else
    echo "no good in it"
    exit 1
fi
"""
NAMES = ("cheap", "dear")
MESSAGES = [{"role": "user", "content": "hello cat"}]


def policies(verify, more=""):
    return f"policies:\n  default: {{lambda: 0, verify: {verify}{more}}}\n  plain: {{lambda: 0}}\n"


@pytest.fixture
def script():
    """A command in a folder that everybody may read: started by root, checks run as nobody."""
    folder = Path(tempfile.mkdtemp(prefix="leeroo-check-"))
    folder.chmod(0o755)

    def write(text=CHECK):
        path = folder / "check.sh"
        path.write_text(text)
        path.chmod(0o755)
        return f"command: [sh, {path}]"
    yield write
    shutil.rmtree(folder)


@pytest.fixture
def command(script):
    return f"{{{script()}, name: tests, price: 0.0001}}"


def told(r):
    if not r.headers["content-type"].startswith("text/event-stream"):
        return json.loads(r.text, parse_float=Decimal)["leeroo"]
    lines = [line[6:] for line in r.text.splitlines() if line.startswith("data: ")]
    return json.loads(lines[-2], parse_float=Decimal)["leeroo"]


def text_of(r):
    if not r.headers["content-type"].startswith("text/event-stream"):
        return r.json()["choices"][0]["message"]["content"]
    events = [line[6:] for line in r.text.splitlines() if line.startswith("data: ")]
    return "".join((c["delta"].get("content") or "") for e in events[:-1] for c in json.loads(e)["choices"])


def ask(g, stream=False, **more):
    if stream:
        more |= {"stream": True, "stream_options": {"include_usage": True}}
    return g.chat("hello cat", **more)


def verdicts(r):
    return [(c["checked"], c["verdict"]) for c in told(r)["calls"] if "verdict" in c]


both = pytest.mark.parametrize("stream", [False, True])


@both
def test_the_first_that_passes_answers(start_gateway, upstream, command, stream, tmp_path):
    upstream.on("cheap", answer("bad"))
    upstream.on("dear", answer("very good"))
    g = start_gateway(names=NAMES, policies=policies(command), top=f"ledger: {{store: {tmp_path}/ledger.db}}")
    r = ask(g, stream)
    assert r.status_code == 200, r.text
    assert text_of(r).strip() == "very good"
    order = [c["checked"] for c in told(r)["calls"] if "verdict" in c]
    first = order[0]
    assert r.headers["x-leeroo-expert"] == "dear" and r.headers["x-leeroo-verified"] == "passed"
    assert r.headers["x-leeroo-verified-by"] == "tests"
    assert r.headers["x-leeroo-plan"].startswith("verified(" + first)
    expected = [("cheap", "rejected"), ("dear", "passed")] if first == "cheap" else [("dear", "passed")]
    assert verdicts(r) == expected
    assert Decimal(r.headers["x-leeroo-check-cost-usd"]) == Decimal("0.0001") * len(expected)
    assert told(r)["cost_usd"] == sum(c["cost_usd"] for c in told(r)["calls"])
    assert told(r)["verified"] == "passed" and told(r)["verified_by"] == "tests"
    line = g.access(r.headers["x-leeroo-request-id"])
    assert line["verified"] == "passed" and Decimal(line["cost_usd"]) == told(r)["cost_usd"]
    url = "/v1/requests/" + r.headers["x-leeroo-request-id"]
    wait_for(lambda: g.client.get(url).status_code == 200)
    row = json.loads(g.client.get(url).text, parse_float=Decimal)
    assert row["cost_usd"] == told(r)["cost_usd"] == sum(c["cost_usd"] for c in row["calls"])
    checks = [c for c in row["calls"] if "verdict" in c]
    assert [(c["checked"], c["verdict"]) for c in checks] == expected
    assert checks[-1]["why"] == "it says good" and checks[-1]["expert"] == "tests"
    metrics = g.client.get("/metrics").text
    assert 'leeroo_checks_total{policy="default",check="tests",expert="dear",verdict="passed"} 1' in metrics


@both
def test_where_none_passes_one_stands_and_says_so(start_gateway, upstream, command, stream):
    for name in NAMES:
        upstream.on(name, answer("bad"))
    r = ask(start_gateway(names=NAMES, policies=policies(command)), stream)
    assert r.status_code == 200 and text_of(r).strip() == "bad"
    assert {v for _, v in verdicts(r)} == {"rejected"} and len(verdicts(r)) == 2
    if not stream:
        assert r.headers["x-leeroo-verified"] == "rejected"
    assert told(r)["verified"] == "rejected"


@both
def test_strict_gives_no_answer_that_has_not_passed(start_gateway, upstream, script, stream):
    for name in NAMES:
        upstream.on(name, answer("bad"))
    r = ask(start_gateway(names=NAMES, policies=policies(f"{{{script()}, strict: true}}")), stream)
    assert r.status_code == 502, r.text
    message = r.json()["error"]["message"]
    assert "no answer has passed the policy's check" in message and "cheap: rejected, no good in it" in message
    assert r.headers["x-should-retry"] == "false"
    assert Decimal(r.headers["x-leeroo-cost-usd"]) > 0


def test_a_check_that_is_down_is_no_no(start_gateway, upstream, script):
    r = ask(start_gateway(names=NAMES, policies=policies(f"{{{script('exit 3')}}}")))
    assert r.status_code == 200 and text_of(r) == "hello world"
    assert r.headers["x-leeroo-verified"] == "down" and len(upstream.requests) == 1
    assert [v for _, v in verdicts(r)] == ["down"]


class Service:
    def __init__(self, reply):
        self.bodies, service = [], self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                service.bodies.append((json.loads(self.rfile.read(int(self.headers["content-length"]))),
                                       self.headers.get("authorization")))
                code, body = reply(service.bodies[-1][0])
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/check"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def test_a_configuration_named_from_elsewhere_finds_its_check(leeroo, model_file, tmp_path):
    """A command starts in a folder of its own, so its files are named whole, however the configuration was named."""
    folder = Path(tempfile.mkdtemp(prefix="leeroo-conf-"))
    folder.chmod(0o755)
    (folder / "sub").mkdir()
    (folder / "sub" / "check.sh").write_text(CHECK)
    config = write_config(folder / "sub", model_file, "http://127.0.0.1:1", policies=policies("{command: [sh, check.sh]}"))
    for cwd, name in ((folder, "sub/leeroo.yaml"), (folder / "sub", "leeroo.yaml"), (tmp_path, str(config))):
        done = subprocess.run([leeroo, "check", "-c", name], cwd=cwd, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "UP_KEY": KEY}, check=False)
        assert done.returncode == 0 and "cannot be asked" not in done.stdout, done.stdout + done.stderr
    shutil.rmtree(folder)


def test_a_service_checks(start_gateway, upstream):
    service = Service(lambda d: (200, {"pass": "good" in d["answer"], "reason": "by a service", "cost_usd": 0.002}))
    upstream.on("cheap", answer("bad"))
    upstream.on("dear", answer("good"))
    g = start_gateway(names=NAMES, policies=policies(f"{{http: \"{service.url}\", key: env:UP_KEY, name: service}}"))
    r = ask(g)
    assert text_of(r) == "good" and r.headers["x-leeroo-verified"] == "passed"
    assert service.bodies[-1][0]["question"] == "hello cat" and service.bodies[-1][1] == "Bearer " + KEY
    assert Decimal(r.headers["x-leeroo-check-cost-usd"]) == Decimal("0.002") * len(service.bodies)
    assert KEY not in g.text
    service.server.shutdown()
    service.server.server_close()
    r = ask(g)
    assert r.status_code == 200 and r.headers["x-leeroo-verified"] == "down"


SCHEMA = {"type": "json_schema", "json_schema": {"name": "n", "schema": {
    "type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}}}


def test_a_schema_is_held_to(start_gateway, upstream):
    upstream.on("cheap", answer('{"n": "seven"}'))
    upstream.on("dear", answer('{"n": 7}'))
    g = start_gateway(names=NAMES, policies=policies("{schema: true}"))
    r = ask(g, response_format=SCHEMA)
    assert r.status_code == 200, r.text
    assert json.loads(text_of(r)) == {"n": 7} and r.headers["x-leeroo-verified"] == "passed"
    r = ask(g)
    assert r.headers["x-leeroo-verified"] == "unchecked" and not r.headers["x-leeroo-plan"].startswith("verified")


def test_strict_refuses_what_cannot_be_checked(start_gateway, upstream):
    r = ask(start_gateway(names=NAMES, policies=policies("{schema: true, strict: true}")))
    assert r.status_code == 400 and "cannot be checked" in r.json()["error"]["message"]
    assert not upstream.requests


def test_an_expert_judges(start_gateway, upstream):
    upstream.on("cheap", answer('Looks right. {"verdict": "pass"}', (100, 7)))
    upstream.on("dear", answer("good"))
    g = start_gateway(policies="policies:\n  default: {lambda: 0, experts: [dear], verify: {expert: cheap, rubric: \"Is "
                               "it polite?\"}}\n")
    r = ask(g)
    assert r.status_code == 200, r.text
    assert r.headers["x-leeroo-verified"] == "passed" and r.headers["x-leeroo-verified-by"] == "expert:cheap"
    asked = upstream.of("cheap")[0].json["messages"]
    assert "Is it polite?" in json.dumps(asked) and "good" in json.dumps(asked)
    assert Decimal(r.headers["x-leeroo-check-cost-usd"]) > 0
    assert told(r)["cost_usd"] == sum(c["cost_usd"] for c in told(r)["calls"])
    upstream.on("cheap", status(500))
    assert ask(g).headers["x-leeroo-verified"] == "down"


def test_an_expert_by_name_is_not_checked(start_gateway, upstream, command):
    r = ask(start_gateway(names=NAMES, policies=policies(command)), model="dear")
    assert "x-leeroo-verified" not in r.headers and len(upstream.requests) == 1


def test_a_client_that_leaves_ends_the_check(start_gateway, upstream, script):
    g = start_gateway(names=NAMES, policies=policies(f"{{{script('sleep 60')}, timeout: 30s}}"))
    with pytest.raises(httpx.TimeoutException):
        g.client.post("/v1/chat/completions", json={"model": "leeroo", "messages": MESSAGES}, timeout=1)
    line = g.wait_line(r"msg=request .*verified=\S+.*").group(0)
    assert "status=499" in line and "verified=down" in line


def test_what_a_check_says_is_learnt_and_survives_a_restart(start_gateway, upstream, command, tmp_path):
    """The one that is estimated to be worth asking first, but never passes, is asked later and later on."""
    g = start_gateway(names=NAMES, policies=policies(command), top=f"state_dir: {tmp_path}/state")
    before = {k: v for k, v in g.route()["estimates"].items() if k.startswith("verified(")}
    first = g.route()["members"][0]
    other = next(n for n in NAMES if n != first)
    upstream.on(first, answer("bad"))
    upstream.on(other, answer("good"))
    for _ in range(60):
        assert text_of(ask(g)).strip() == "good"
    after = g.route()
    assert after["estimates"] != before
    assert after["members"][0] == other
    single = [v[0] for k, v in after["estimates"].items() if k == f"verified({first})"]
    assert not single or single[0] < before[f"verified({first})"][0] - 0.05
    g.client.close()
    assert g.stop() == 0
    state = json.loads((tmp_path / "state" / "checks.json").read_text())
    assert state["policies"]["default"]["answers"] >= 60
    again = start_gateway(names=NAMES, policies=policies(command), top=f"state_dir: {tmp_path}/state")
    assert again.route()["estimates"] == after["estimates"]


def test_feedback_tells_how_often_the_check_is_wrong(start_gateway, upstream, command, tmp_path):
    for name in NAMES:
        upstream.on(name, answer("good"))
    g = start_gateway(names=NAMES, policies=policies(command), top=f"state_dir: {tmp_path}/state\nledger: {{store: {tmp_path}/l.db}}")
    before = g.route()["quality"]
    for _ in range(25):
        r = ask(g)
        body = {"request_id": r.headers["x-leeroo-request-id"], "score": 0}
        wait_for(lambda: g.client.post("/v1/feedback", json=body).status_code == 200)
    assert g.route()["quality"] < before - 0.1


@both
def test_only_what_passed_is_cached(start_gateway, upstream, command, stream):
    for name in NAMES:
        upstream.on(name, answer("bad"))
    g = start_gateway(names=NAMES, policies=policies(command), top="cache: {size: 1MiB, ttl: 60s}")
    assert ask(g, stream).headers["x-leeroo-cache"] == "miss"
    assert ask(g, stream).headers["x-leeroo-cache"] == "miss"
    for name in NAMES:
        upstream.on(name, answer("good"))
    ask(g, stream)
    r = ask(g, stream)
    assert r.headers["x-leeroo-cache"] == "hit" and r.headers["x-leeroo-verified"] == "passed"


WEATHER_TOOL = {"name": "get_weather", "description": "Weather", "input_schema": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}}


def messages(g, *more, stream=False, **rest):
    body = {"model": "leeroo", "max_tokens": 100, "tools": [WEATHER_TOOL], "stream": stream,
            "messages": [{"role": "user", "content": "hello cat, the weather?"}, *more], **rest}
    return g.client.post("/v1/messages", json=body)


def events(r):
    return [json.loads(line[6:]) for line in r.text.splitlines() if line.startswith("data: ")]


@both
@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_an_agents_calls_are_held_to_its_tools(start_gateway, upstream, stream, dialect):
    """Over Messages, as Claude Code speaks, to experts of either dialect; the turn stays with the expert that began it."""
    for name in NAMES:
        upstream.on(name, speak("It is sunny."))
    g = start_gateway(names=NAMES, policies=policies("{schema: true}"), dialects={n: dialect for n in NAMES})
    r = messages(g, stream=stream)
    assert r.status_code == 200, r.text
    assert r.headers["x-leeroo-verified"] == "passed"
    if stream:
        start = next(e["content_block"] for e in events(r) if e["type"] == "content_block_start")
        said = "".join(e["delta"]["partial_json"] for e in events(r) if e["type"] == "content_block_delta")
        call = {**start, "input": json.loads(said)}
    else:
        call = r.json()["content"][0]
    assert call["type"] == "tool_use" and call["input"] == {"city": "Paris"}
    first = r.headers["x-leeroo-expert"]
    r = messages(g, {"role": "assistant", "content": [call]},
                 {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"], "content": "sunny"}]},
                 stream=stream)
    assert r.status_code == 200, r.text
    assert r.headers["x-leeroo-session"] == "stayed" and r.headers["x-leeroo-expert"] == first
    assert r.headers["x-leeroo-verified"] == "passed" and "sunny" in r.text


def test_a_call_that_does_not_fit_its_tool_is_rejected(start_gateway, upstream):
    wrong = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{
        "index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": None, "tool_calls": [{
            "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"town\": 1}"}}]}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}}
    upstream.on("cheap", lambda r: r.whole(200, wrong))
    upstream.on("dear", speak())
    r = messages(start_gateway(names=NAMES, policies=policies("{schema: true}")))
    assert r.json()["content"][0]["input"] == {"city": "Paris"}
    assert r.headers["x-leeroo-expert"] == "dear" and r.headers["x-leeroo-verified"] == "passed"
