"""Client keys: who is let in, how much each may ask and spend, and what never leaves the gateway."""

import json
import re
import signal
import stat
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import anthropic
import openai
import pytest

from conftest import DEFAULT_POLICIES, KEY, ROOT, Gateway, Process, wait_for, write_config
from upstream import Upstream, answer, stall, status

STATE = "state_dir: state\ndrain: {delay: 0}"
NANO = Decimal("0.000000001")


def run(leeroo, *arguments, check=True):
    done = subprocess.run([leeroo, "keys", *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


class Desk:
    """`leeroo keys` for one configuration."""

    def __init__(self, leeroo, folder):
        self.leeroo, self.folder = leeroo, folder
        self.state = folder / "state"

    def create(self, name, *limits):
        self.state.mkdir(exist_ok=True)
        return run(self.leeroo, "create", "--name", name, "--file", str(self.state / "keys.json"), *limits).stdout.strip()

    def do(self, *arguments, check=True):
        return run(self.leeroo, *arguments, "--file", str(self.state / "keys.json"), check=check)

    def list(self):
        return {k["name"]: k for k in json.loads(self.do("list", "--json").stdout, parse_float=Decimal)}

    def spent(self, name):
        return self.list()[name]["spent_usd"]["total"]


@pytest.fixture
def desk(leeroo, tmp_path):
    return Desk(leeroo, tmp_path)


def bearer(key):
    return {"authorization": f"Bearer {key}"}


def ask(gateway, key, content="hello cat", model="leeroo", headers=(), **more):
    body = {"model": model, "messages": [{"role": "user", "content": content}], **more}
    return gateway.client.post("/v1/chat/completions", json=body, headers={**bearer(key), **dict(headers)})


def tables():
    return "".join((ROOT / "src" / name).read_text() for name in ("serve/path.c", "admin/admin.c"))


def routes():
    """The tables of routes in the gateway's source, so that a new one is asked for, too."""
    found = re.findall(r'\{"(/[^"]*)", (true|false), "([A-Z]+)", (?!ADMISSION_PAGE)', tables())
    assert len(found) >= 10
    return [(path + ("x" if prefix == "true" else ""), method) for path, prefix, method in found]


# The door


def test_every_route_asks_for_a_key(desk, start_gateway):
    desk.create("a")
    g = start_gateway(top=STATE)
    everything = routes() + [("/x", "GET"), ("/v1/unknown", "POST"), ("/v1/chat/completions/", "POST"),
                             ("/metrics/x", "GET"), ("/v1/models", "HEAD"), ("/healthz/", "GET")]
    for path, method in everything:
        for headers in ({}, bearer("lr-" + "A" * 43), {"authorization": "Bearer"}, {"x-api-key": "x"}, {"api-key": KEY}):
            r = g.client.request(method, path, headers=headers, content=b"{}" if method == "POST" else None)
            if path in ("/healthz", "/readyz"):
                assert r.status_code == 200, path
            else:
                assert r.status_code == 401, (path, method, headers, r.text)
                assert r.headers["www-authenticate"] == "Bearer"
                assert method == "HEAD" or r.json()["error"]["message"]
    g.wait_line(r'msg="turned away" .*wrong_key=\d')
    assert g.client.get("/v1/unknown", headers=bearer(desk.create("b"))).status_code in (401, 404)


def test_each_library_gives_its_key(desk, start_gateway):
    key = desk.create("a")
    g = start_gateway(top=STATE)
    for headers in (bearer(key), {"authorization": f"bearer   {key}"}, {"x-api-key": key}, {"api-key": key},
                    {"authorization": "Basic Zm9v", "x-api-key": key}):
        assert g.client.get("/v1/models", headers=headers).status_code == 200, headers
    with openai.OpenAI(base_url=g.url + "/v1", api_key=key, max_retries=0) as client:
        assert client.models.list().data
    with openai.OpenAI(base_url=g.url + "/v1", api_key="lr-wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as e:
            client.models.list()
        assert e.value.code == "invalid_api_key"
    with anthropic.Anthropic(base_url=g.url, api_key="lr-wrong", max_retries=0) as client:
        with pytest.raises(anthropic.AuthenticationError) as e:
            client.messages.create(model="leeroo", max_tokens=5, messages=[{"role": "user", "content": "hello cat"}])
        assert e.value.body["type"] == "error" and e.value.body["error"]["type"] == "authentication_error"


def test_on_loopback_nobody_is_asked_until_there_are_keys(desk, upstream, start_gateway):
    g = start_gateway(top=STATE)
    assert g.chat().status_code == 200
    key = desk.create("a")
    wait_for(lambda: g.chat().status_code == 401)
    assert ask(g, key).status_code == 200
    upstream.on("cheap", answer("hello world", delay=1.5))
    before = len(upstream.of("cheap"))
    with ThreadPoolExecutor() as pool:
        running = pool.submit(ask, g, key)
        wait_for(lambda: len(upstream.of("cheap")) > before)
        desk.do("revoke", "a")
        began = time.monotonic()
        wait_for(lambda: g.client.get("/v1/models", headers=bearer(key)).status_code == 401)
        assert time.monotonic() - began < 5
        assert running.result().status_code == 200, "what was in flight finishes"
    desk.do("create", "--name", "b", "--expires", "2020-01-01")
    assert g.chat().status_code == 401, "revoked keys are keys, too"


def test_beyond_loopback_there_must_be_keys(leeroo, desk, tmp_path, model_file, upstream):
    config = write_config(tmp_path, model_file, upstream.url, top=STATE + "\nallow_remote: true")
    config.write_text(config.read_text().replace("127.0.0.1:0", "0.0.0.0:0"))
    refused = Process([leeroo, "serve", "-c", str(config)], UP_KEY=KEY)
    assert refused.popen.wait(20) == 1
    refused.wait_line(r"there are no keys in .*keys.json; make one with `leeroo keys create --name NAME")
    key = desk.create("a")
    g = Gateway(leeroo, config)
    port = g.address.rsplit(":", 1)[1]
    g.client.base_url = f"http://127.0.0.1:{port}"
    assert g.chat().status_code == 401 and ask(g, key).status_code == 200
    assert g.stop() == 0
    (tmp_path / "state/keys.json").unlink()
    config.write_text(config.read_text() + "\nauth: off\n")
    g = Gateway(leeroo, config)
    g.wait_line('msg="nobody is asked for a key"')
    g.client.base_url = f"http://127.0.0.1:{g.address.rsplit(':', 1)[1]}"
    assert g.chat().status_code == 200
    assert g.stop() == 0


def test_a_damaged_file_changes_nothing(desk, start_gateway):
    key = desk.create("a")
    g = start_gateway(top=STATE)
    file = desk.state / "keys.json"
    good = file.read_text()
    file.write_text(good[:40])
    g.wait_line('msg="keys not read, those before stay"')
    assert ask(g, key).status_code == 200 and g.chat().status_code == 401
    file.unlink()
    time.sleep(0.7)
    assert ask(g, key).status_code == 200 and g.chat().status_code == 401
    file.write_text(good)
    assert ask(g, desk.create("b")).status_code in (200, 401)
    wait_for(lambda: len(re.findall("msg=\"keys read\"", g.text)) >= 2)


def test_who_asked_for_keys_once_goes_on_asking(desk, start_gateway):
    """A list of keys that became empty, a file that is damaged or gone: none opens the gateway. ai-gateway #307, future-agi #946."""
    g = start_gateway(top=STATE)
    key = desk.create("a")
    wait_for(lambda: g.chat().status_code == 401)
    for text in ('{"format": "leeroo-keys", "version": 1, "keys": []}', ""):
        (desk.state / "keys.json").write_text(text)
        wait_for(lambda: g.text.count("nobody is let in" if text else "keys not read") == 1)
        assert g.chat().status_code == 401
    (desk.state / "keys.json").unlink()
    wait_for(lambda: g.text.count("keys not read") == 2)
    assert g.chat().status_code == 401 and ask(g, key).status_code == 401
    key = desk.create("b")
    wait_for(lambda: ask(g, key).status_code == 200)
    assert g.chat().status_code == 401


def test_ask_needs_no_key(leeroo, desk, tmp_path, model_file, upstream, start_gateway):
    """Whoever can read the configuration is its owner; a running gateway has the file of what was spent."""
    desk.create("a", "--budget-total", "0")
    start_gateway(top=STATE)
    upstream.on("cheap", answer("hello from cheap"))
    config = write_config(tmp_path, model_file, upstream.url, top=STATE)
    done = subprocess.run([leeroo, "ask", "hello cat", "-c", str(config)], capture_output=True, text=True, timeout=30,
                          env={"UP_KEY": KEY}, check=False)
    assert done.returncode == 0 and "hello from cheap" in done.stdout, done.stderr


def test_a_required_key_is_required_without_any(start_gateway):
    g = start_gateway(top="auth: required")
    assert g.chat().status_code == 401 and g.client.get("/healthz").status_code == 200


# The command


def test_the_secret_is_shown_once_and_kept_by_nobody(leeroo, desk, tmp_path, model_file, upstream):
    config = write_config(tmp_path, model_file, upstream.url, top=STATE)  # UP_KEY is not in the environment
    made = run(leeroo, "create", "--name", "ci", "-c", str(config), "--experts", "cheap", "--json")
    key = json.loads(made.stdout)["key"]
    assert re.fullmatch(r"lr-[\w-]{43}", key) and key not in made.stderr
    for file in desk.state.iterdir():
        assert key not in file.read_text() and key[3:] not in file.read_text()
    assert stat.S_IMODE((desk.state / "keys.json").stat().st_mode) == 0o600
    for arguments in (("list",), ("list", "--json")):
        shown = run(leeroo, *arguments, "-c", str(config)).stdout
        assert "ci" in shown and key not in shown and "sha256" not in shown
    wrong = run(leeroo, "create", "--name", "x", "-c", str(config), "--experts", "cheep", check=False)
    assert wrong.returncode == 2 and "it has cheap, mid, dear" in wrong.stderr
    again = run(leeroo, "create", "--name", "ci", "-c", str(config), check=False)
    assert again.returncode == 1 and "there is a key 'ci'" in again.stderr


def test_keys_made_at_the_same_time_are_all_there(desk):
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda i: desk.create(f"k{i}"), range(16)))
    assert len(set(keys)) == 16 and len(desk.list()) == 16


@pytest.mark.parametrize("arguments, words", [
    ((), "say what to do"), (("destroy",), "say what to do"), (("create",), "--name NAME"), (("revoke",), "which one"),
    (("list", "x"), "unexpected"), (("create", "--name", "a", "--budget-day", "much"), "neither an amount"),
    (("create", "--name", "a", "--requests-per-minute", "0"), "whole number from 1"),
    (("create", "--name", "a", "--expires", "soon"), "2026-12-31"), (("create", "--name", "a", "--experts", ","), "list of names"),
])
def test_wrong_usage_is_explained(desk, arguments, words):
    desk.state.mkdir()
    done = desk.do(*arguments, check=False)
    assert done.returncode == 2 and words in done.stderr, done.stderr


# Rates


def test_requests_per_minute(desk, start_gateway):
    """envoy ai-gateway #1866: limits per key that do nothing."""
    key = desk.create("a", "--requests-per-minute", "2")
    g = start_gateway(top=STATE)
    first = ask(g, key)
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert re.fullmatch(r"[\d.]+m?s", first.headers["x-ratelimit-reset-requests"])
    assert "x-ratelimit-limit-tokens" not in first.headers
    assert ask(g, key, stream=True).headers["x-ratelimit-remaining-requests"] == "0"
    refused = ask(g, key)
    assert refused.status_code == 429 and refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert 1 <= int(refused.headers["retry-after"]) <= 30 and "x-should-retry" not in refused.headers
    assert g.access(refused.headers["x-request-id"])["status"] == "429"
    assert g.client.get("/v1/models", headers=bearer(key)).status_code == 200, "that counts for nothing"
    with openai.OpenAI(base_url=g.url + "/v1", api_key=key, max_retries=0) as client:
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="leeroo", messages=[{"role": "user", "content": "hello cat"}])
    with anthropic.Anthropic(base_url=g.url, api_key=key, max_retries=0) as client:
        with pytest.raises(anthropic.RateLimitError):
            client.messages.create(model="leeroo", max_tokens=5, messages=[{"role": "user", "content": "hello cat"}])
    desk.do("change", "a", "--requests-per-minute", "none")
    wait_for(lambda: ask(g, key).status_code == 200)


def test_tokens_per_minute_are_what_was_really_used(desk, upstream, start_gateway):
    key = desk.create("a", "--tokens-per-minute", "1000")
    g = start_gateway(top=STATE)
    upstream.on("cheap", answer("hello world", (100, 300)))
    assert ask(g, key).headers["x-ratelimit-limit-tokens"] == "1000"
    upstream.on("cheap", answer("hello world", (100, 700)))
    left = int(ask(g, key).headers["x-ratelimit-remaining-tokens"])
    assert 540 < left < 640, "600, less what the second is predicted to take, and what has been filled"
    refused = ask(g, key)
    assert refused.status_code == 429 and "1000 tokens per minute" in refused.json()["error"]["message"]
    assert 5 <= int(refused.headers["retry-after"]) <= 13


# Money


def predicted(g, key, expert="cheap"):
    r = g.client.post("/v1/route", json={"text": "hello cat"}, headers=bearer(key))
    return Decimal(str(r.json()["estimates"][expert][1]))


def test_a_budget_ends_to_the_nano_dollar(desk, upstream, start_gateway):
    free, key = desk.create("free"), desk.create("a", "--budget-day", "0.00001")
    g = start_gateway(top=STATE)
    upstream.on("cheap", answer("hello world", (10, 5)))  # 0.000002 USD
    cost, budget, guess = 2000 * NANO, Decimal("0.00001"), predicted(g, free)
    answered = 0
    while (r := ask(g, key)).status_code == 200:
        answered += 1
        assert desk.spent("a") == answered * cost
        assert answered < 20
    assert (answered - 1) * cost + guess <= budget < answered * cost + guess
    error = r.json()["error"]
    assert r.status_code == 429 and error["code"] == "insufficient_quota" and error["type"] == "insufficient_quota"
    assert "0.00001 USD for the day" in error["message"] and re.search(r"at \d{4}-\d\d-\d\dT00:00:00Z", error["message"])
    assert r.headers["x-should-retry"] == "false" and 0 < int(r.headers["retry-after"]) <= 86400
    asked = len(upstream.of("cheap"))
    with openai.OpenAI(base_url=g.url + "/v1", api_key=key, max_retries=3) as client:
        with pytest.raises(openai.RateLimitError) as e:
            client.chat.completions.create(model="leeroo", messages=[{"role": "user", "content": "hello cat"}])
        assert e.value.code == "insufficient_quota"
    assert len(upstream.of("cheap")) == asked == answered
    assert ask(g, free).status_code == 200
    desk.do("change", "a", "--budget-day", "1")
    wait_for(lambda: ask(g, key).status_code == 200)


def test_a_stream_costs_what_a_whole_answer_costs(desk, upstream, start_gateway):
    """litellm #37923, #40100: streams that cost nothing, budgets that never fire."""
    key = desk.create("a", "--budget-total", "0.0001")
    g = start_gateway(top=STATE)
    upstream.on("cheap", answer("hello world", (100, 200)))  # 0.00005 USD
    assert ask(g, key, stream=True).status_code == 200
    wait_for(lambda: desk.spent("a") == 50000 * NANO)
    assert ask(g, key).status_code == 200
    assert desk.spent("a") == 100000 * NANO
    r = ask(g, key, stream=True)
    assert r.status_code == 429 and "in total" in r.json()["error"]["message"] and "retry-after" not in r.headers


def test_no_fallback_gets_around_a_budget(desk, upstream, start_gateway):
    """litellm #26672, #11083, PR #41379; bifrost #2873"""
    bodies = {"/v1/chat/completions": {"messages": [{"role": "user", "content": "hello cat"}]},
              "/v1/completions": {"prompt": "hello cat"}, "/v1/responses": {"input": "hello cat"},
              "/v1/messages": {"messages": [{"role": "user", "content": "hello cat"}], "max_tokens": 9}}
    cases = [(path, stream) for path in bodies for stream in (False, True)]
    # cheap is predicted at half of it, the others above
    keys = [desk.create(f"k{i}", "--budget-total", "0.00001") for i in range(len(cases))]
    g = start_gateway(top=STATE, expert="retries: 0")
    for i, ((path, stream), key) in enumerate(zip(cases, keys)):
        upstream.on("cheap", status(500))
        body = {"stream": stream, **bodies[path]}
        r = g.client.post(path, json={"model": "leeroo", **body}, headers=bearer(key))
        assert r.status_code == 429 and "budget" in r.json()["error"]["message"], r.text
        assert len(upstream.of("cheap")) == 2 * i + 1 and upstream.of("mid") == upstream.of("dear") == []
        assert r.headers["x-should-retry"] == "false"
        named = g.client.post(path, json={"model": "dear", **body}, headers=bearer(key))
        assert named.status_code == 429 and upstream.of("dear") == []
        upstream.on("cheap", answer())
        assert ask(g, key).status_code == 200, "the reservation was given back"


def test_no_hedge_gets_around_a_budget(desk, upstream, start_gateway):
    key, rich = desk.create("a", "--budget-total", "0.00001"), desk.create("rich")
    g = start_gateway(top=STATE, policies="policies: {default: {lambda: 1000, hedge_after: 100ms}}")
    upstream.on("cheap", answer("hello", (10, 5), delay=0.6))
    assert ask(g, key).status_code == 200
    assert upstream.of("mid") == upstream.of("dear") == []
    assert ask(g, rich).status_code == 200
    assert len(upstream.of("mid")) + len(upstream.of("dear")) == 1, "else there is one"


def test_parallel_requests_share_a_budget(desk, upstream, start_gateway):
    key, free = desk.create("a", "--budget-month", "0.00003"), desk.create("free")
    g = start_gateway(top=STATE)
    guess = predicted(g, free)
    upstream.on("cheap", answer("hello", (10, 5), delay=0.5))
    with ThreadPoolExecutor(24) as pool:
        codes = list(pool.map(lambda _: ask(g, key, max_tokens=10).status_code, range(24)))
    assert set(codes) == {200, 429}
    assert codes.count(200) == Decimal("0.00003") // guess
    assert desk.spent("a") == codes.count(200) * 2000 * NANO


def test_without_a_budget_nobody_is_blocked(desk, upstream, start_gateway):
    """litellm #22726, #20615"""
    key, none = desk.create("a"), desk.create("none", "--budget-total", "0")
    g = start_gateway(top=STATE)
    upstream.on("dear", answer("hello", (100000, 100000)))
    for _ in range(5):
        assert ask(g, key, model="dear").status_code == 200
    assert desk.spent("a") == 10
    refused = ask(g, none)
    assert refused.status_code == 429 and refused.json()["error"]["code"] == "insufficient_quota"
    desk.do("change", "none", "--budget-total", "none")
    wait_for(lambda: ask(g, none).status_code == 200)


def test_a_client_that_leaves_pays_what_it_had(desk, upstream, start_gateway):
    key = desk.create("a", "--budget-total", "1")
    g = start_gateway(top=STATE)
    upstream.on("cheap", answer("one two three four five six", pause=0.3))
    body = {"model": "leeroo", "stream": True, "messages": [{"role": "user", "content": "hello cat"}]}
    with g.client.stream("POST", "/v1/chat/completions", json=body, headers=bearer(key)) as r:
        next(r.iter_bytes())
    wait_for(lambda: desk.spent("a") > 0)
    g.wait_line('msg=request .*error="client gone"')


def test_what_was_spent_outlives_a_kill(leeroo, desk, tmp_path, model_file, upstream):
    key = desk.create("a", "--budget-total", "0.00002")
    config = write_config(tmp_path, model_file, upstream.url, top=STATE)
    g = Gateway(leeroo, config)
    guess = predicted(g, key)
    upstream.on("cheap", answer("hello", (10, 5)), answer("hello", (10, 5)), stall())
    assert ask(g, key).status_code == ask(g, key).status_code == 200
    threading.Thread(target=lambda: pytest.raises(Exception, ask, g, key), daemon=True).start()
    wait_for(lambda: len(upstream.of("cheap")) == 3)
    g.stop(signal.SIGKILL)
    g = Gateway(leeroo, config)
    g.wait_line('msg="requests in flight were cut off, their keys are charged as predicted"')
    assert desk.spent("a") == 4000 * NANO + guess
    upstream.on("cheap", answer("hello", (10, 5)))
    answered = 0
    while ask(g, key).status_code == 200:
        answered += 1
    assert desk.spent("a") == (4000 + 2000 * answered) * NANO + guess
    other = Process([leeroo, "serve", "-c", str(config)], UP_KEY=KEY)
    assert other.popen.wait(20) == 1
    other.wait_line("in use by another gateway")
    assert g.stop() == 0
    g = Gateway(leeroo, config)
    assert ask(g, key).status_code == 429
    assert g.stop() == 0


# Experts and policies


def test_only_the_experts_of_the_key(desk, upstream, start_gateway):
    key = desk.create("a", "--experts", "cheap,mid")
    g = start_gateway(top=STATE, expert="retries: 0")
    names = {m["id"] for m in g.client.get("/v1/models", headers=bearer(key)).json()["data"]}
    assert {"leeroo", "cheap", "mid"} <= names and "dear" not in names
    assert g.client.get("/v1/models/dear", headers=bearer(key)).status_code == 404
    refused = ask(g, key, model="dear")
    assert refused.status_code == 403 and refused.json()["error"]["code"] == "not_allowed"
    hard = "prove lemma tensor quantum integral"
    assert ask(g, key, hard, model="leeroo/best").headers["x-leeroo-expert"] == "mid"
    upstream.on("cheap", status(500))
    upstream.on("mid", status(500))
    assert ask(g, key, hard).status_code == 502
    assert upstream.of("dear") == []
    assert ask(g, key, headers={"x-leeroo-experts": "dear"}).status_code in (400, 403)
    assert ask(g, key, leeroo={"experts": ["dear"]}).status_code in (400, 403)
    assert upstream.of("dear") == []


def test_an_alias_is_worth_what_it_leads_to(desk, upstream, start_gateway):
    key = desk.create("a", "--policies", "thrift", "--experts", "cheap,mid")
    aliases = 'aliases: {claude-x: leeroo/best, claude-y: leeroo/thrift, claude-z: dear, "claude-*": mid}'
    g = start_gateway(top=f"{STATE}\n{aliases}", policies=DEFAULT_POLICIES)
    want = {"claude-x": 403, "claude-y": 200, "claude-z": 403, "claude-other": 200}
    for name, code in want.items():
        assert ask(g, key, model=name).status_code == code, name
        shown = g.client.get(f"/v1/models/{name}", headers=bearer(key)).status_code
        assert shown == (200 if code == 200 else 404), name
    listed = [m["id"] for m in g.client.get("/v1/models", headers=bearer(key)).json()["data"]]
    assert listed == ["leeroo/thrift", "cheap", "mid", "claude-y"]


def test_only_the_policies_of_the_key(desk, upstream, start_gateway):
    key = desk.create("a", "--policies", "thrift")
    g = start_gateway(top=STATE, policies=DEFAULT_POLICIES)
    names = [m["id"] for m in g.client.get("/v1/models", headers=bearer(key)).json()["data"]]
    assert names == ["leeroo/thrift"]
    assert ask(g, key, model="leeroo/thrift").status_code == 200
    for model in ("leeroo", "leeroo/best", "dear", "cheap"):
        r = ask(g, key, model=model)
        assert r.status_code == 403 and "may not use" in r.json()["error"]["message"], model
    assert ask(g, key, model="leeroo/thrift", leeroo={"policy": "best"}).status_code == 403
    assert ask(g, key, model="leeroo/thrift", headers={"x-leeroo-policy": "best"}).status_code == 403
    assert g.client.post("/v1/route", json={"text": "hello", "model": "leeroo/best"}, headers=bearer(key)).status_code == 403


OVERRIDES = {"lambda": 0, "min_quality": 0.9, "experts": ["dear"], "policy": "best"}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/route",
                                  "/v1/messages/count_tokens"])
def test_a_keys_policies_hold_against_every_override(desk, upstream, start_gateway, path):
    """In the body, in a header, by name; what only narrows is allowed. litellm #41810, bifrost #4243."""
    key = desk.create("a", "--policies", "thrift")
    both = desk.create("b", "--policies", "thrift", "--experts", "cheap,mid")
    g = start_gateway(top=STATE, policies=DEFAULT_POLICIES)
    hard = "prove lemma tensor quantum integral"
    said = {"/v1/completions": {"prompt": hard}, "/v1/responses": {"input": hard}}.get(
        path, {"messages": [{"role": "user", "content": hard}]})
    if path == "/v1/messages":
        said["max_tokens"] = 9

    def status_of(leeroo=None, headers=(), model="leeroo/thrift", key=key):
        body = {"model": model, **said, **({"leeroo": leeroo} if leeroo else {})}
        r = g.client.post(path, json=body, headers={**bearer(key), **dict(headers)})
        if r.status_code == 403:
            assert "this key" in r.text, r.text
        return r.status_code
    translated = path in ("/v1/responses", "/v1/messages", "/v1/messages/count_tokens")  # their bodies have no such member
    assert status_of() == 200
    for name, value in OVERRIDES.items():
        header = {"x-leeroo-" + name.replace("_", "-"): value[0] if name == "experts" else str(value)}
        assert status_of(headers=header) == 403, name
        assert translated or status_of({name: value}) == 403, name
    for model in ("leeroo", "leeroo/best", "dear", "cheap"):
        assert status_of(model=model) == 403
    assert {r.json["model"] for r in upstream.requests} <= {"cheap"}
    assert status_of(headers={"x-leeroo-max-cost": "1", "x-leeroo-plans": "none"}) == 200
    assert status_of(headers={"x-leeroo-experts": "mid"}, key=both) == status_of(model="mid", key=both) == 200
    assert status_of(headers={"x-leeroo-experts": "mid,dear"}, key=both) == 403


def test_a_key_is_shown_only_what_it_may_use(desk, upstream, start_gateway):
    key, everybody = desk.create("a", "--experts", "cheap,mid"), desk.create("b")
    g = start_gateway(top=STATE + "\nledger: {store: l.db}")

    def shown(key):
        got = []
        for path in ("/v1/models", "/v1/experts"):
            got.append(g.client.get(path, headers=bearer(key)).text)
        got.append(g.client.post("/v1/route", json={"text": "prove lemma"}, headers=bearer(key)).text)
        got.append(ask(g, key, "prove lemma", headers={"x-leeroo-experts": "nobody"}).text)
        done = ask(g, key, "prove lemma")
        assert done.status_code == 200
        got.append(json.dumps(dict(done.headers)))
        wait_for(lambda: g.client.get("/v1/requests/" + done.headers["x-leeroo-request-id"], headers=bearer(key)).status_code == 200)
        got.append(g.client.get("/v1/requests/" + done.headers["x-leeroo-request-id"], headers=bearer(key)).text)
        return got
    for text in shown(key):
        assert "dear" not in text and "mid" in text
    assert all("dear" in text for text in shown(everybody))


def test_only_a_key_for_metrics_sees_the_sums_of_all(desk, upstream, start_gateway):
    """And it sees nothing else. litellm #24530, any-llm #955."""
    g = start_gateway(top=STATE)
    assert g.client.get("/metrics").status_code == 200, "nobody is asked for anything"
    key, scraper = desk.create("a"), desk.create("prometheus", "--metrics")
    wait_for(lambda: g.chat().status_code == 401)
    assert g.client.get("/metrics").status_code == 401
    refused = g.client.get("/metrics", headers=bearer(key))
    assert refused.status_code == 403 and "leeroo keys create --role metrics" in refused.json()["error"]["message"]
    assert ask(g, key).status_code == 200
    page = g.client.get("/metrics", headers=bearer(scraper))
    assert page.status_code == 200 and "leeroo_requests_total" in page.text and key not in page.text
    assert g.client.head("/metrics", headers=bearer(scraper)).status_code == 200
    for path, method in routes():
        if path not in ("/metrics", "/healthz", "/readyz"):
            assert g.client.request(method, path, headers=bearer(scraper), json=None).status_code == 403, path
    assert desk.list()["prometheus"]["metrics"] is True and "metrics" not in desk.list()["a"]
    assert [row.split()[0] for row in desk.do("list").stdout.splitlines() if row.split()[2] == "metrics"] == [desk.list()["prometheus"]["id"]]
    assert desk.do("create", "--name", "c", "--metrics", "--experts", "cheap", check=False).returncode == 2
    assert desk.do("change", "a", "--metrics", check=False).returncode == 2


def test_a_change_says_what_it_changes(desk):
    desk.create("a", "--budget-day", "1")
    nothing = desk.do("change", "a", check=False)
    assert nothing.returncode == 2 and "say what" in nothing.stderr and "is changed" not in nothing.stderr
    desk.do("change", "a", "--expires", "9d")
    assert "expires" in desk.list()["a"]


# Secrets and addresses


def echo(code):
    """All that the request had, in an error."""
    def behave(r):
        r.whole(code, {"error": {"message": json.dumps(r.headers), "type": "t", "param": None, "code": None}},
                [("x-seen", json.dumps(r.headers))])
    return behave


def test_keys_stay_where_they_belong(desk, upstream, start_gateway):
    """litellm #5762, #1706; bifrost #4353: keys in errors and logs."""
    key = desk.create("a")
    g = start_gateway(top=STATE, expert="retries: 0")
    both = {"x-api-key": key, "api-key": key, "cookie": f"k={key}", "openai-organization": key}
    for code, stream in [(400, False), (400, True), (401, False), (422, True), (429, False), (500, True)]:
        for name in ("cheap", "mid", "dear"):
            upstream.on(name, echo(code))
        before = len(upstream.requests)
        r = ask(g, key, headers=both, stream=stream)
        assert len(upstream.requests) > before, code
        assert r.status_code >= 400
        assert KEY not in r.text and KEY not in str(r.headers), "the expert's key never comes down"
    assert upstream.requests
    for request in upstream.requests:
        assert KEY in request.headers["authorization"]
        assert key not in json.dumps(request.headers) and key not in request.body.decode(), "the client's never goes up"
    scraper = bearer(desk.create("m", "--metrics"))
    wait_for(lambda: g.client.get("/metrics", headers=scraper).status_code == 200)
    metrics = g.client.get("/metrics", headers=scraper).text
    wrong = "lr-" + "B" * 43
    assert g.client.get("/v1/models", headers=bearer(wrong)).status_code == 401
    g.wait_line('msg="turned away"')
    for secret in (key, wrong, KEY):
        assert secret not in g.text and secret not in metrics


def test_an_idempotency_key_belongs_to_one_client_and_one_expert(desk, upstream, start_gateway):
    """Two clients send the same one; retries repeat it, another expert gets another. suna #5267, nestjs-agentic #126."""
    g = start_gateway(top=STATE, expert="retries: 1")
    keys = [desk.create(name) for name in ("a", "b")]
    wait_for(lambda: g.chat().status_code == 401)

    def sent(key, model, path="/v1/chat/completions", **more):
        before = len(upstream.requests)
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9, **more}
        r = g.client.post(path, json=body, headers={**bearer(key), "idempotency-key": "1"})
        assert r.status_code == 200, r.text
        return [r.headers["idempotency-key"] for r in upstream.requests[before:]]
    a = sent(keys[0], "mid")
    for more in ({}, {"stream": True}):
        assert sent(keys[0], "mid", **more) == sent(keys[0], "mid", "/v1/messages", **more) == a != ["1"]
    assert len({a[0], *sent(keys[1], "mid"), *sent(keys[0], "dear")}) == 3
    upstream.on("mid", status(500), answer("hello"))
    assert sent(keys[0], "mid") == 2 * a


def test_nobody_but_the_configuration_says_where_experts_are(desk, upstream, start_gateway):
    """Portkey #1718, CVE-2025-66405; litellm #37053: client-set upstream addresses."""
    key = desk.create("a")
    g = start_gateway(top=STATE)
    elsewhere = Upstream()
    try:
        headers = {name: elsewhere.url for name in
                   ("x-portkey-custom-host", "x-portkey-base-url", "x-base-url", "x-api-base", "x-leeroo-url",
                    "x-upstream-url", "x-forwarded-host", "forwarded", "helicone-target-url", "helicone-openai-api-base")}
        body = {name: elsewhere.url for name in ("base_url", "api_base", "url", "endpoint", "custom_host", "target")}
        for more in (body, {"user_config": body, "metadata": body, "extra_body": body}):
            assert ask(g, key, headers=headers, **more).status_code == 200
        assert ask(g, key, leeroo=body).status_code == 400, "our own member takes what it knows only"
        assert ask(g, key, model=elsewhere.url).status_code == 404
        path = g.client.post("/http://127.0.0.1:%d/v1/chat/completions" % elsewhere.port, json={}, headers=bearer(key))
        assert path.status_code == 404
        assert elsewhere.requests == [] and len(upstream.requests) == 2
        for request in upstream.requests:
            assert not set(headers) & set(request.headers)
    finally:
        elsewhere.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_addresses_are_looked_at_after_their_names_are_resolved(upstream, start_gateway, host):
    url = f"http://{host}:{upstream.port}/v1"
    g = start_gateway(top="drain: {delay: 0}\nupstream: {private_addresses: deny}", expert="retries: 0", urls=dict.fromkeys(
        ("cheap", "mid", "dear"), url))
    r = g.chat()
    assert r.status_code == 502 and "private" in r.json()["error"]["message"], r.text
    assert upstream.requests == []


@pytest.mark.parametrize("strict", [True, False])
def test_damaged_spending_is_said_and_if_strict_counts_as_spent(leeroo, desk, tmp_path, model_file, upstream, strict):
    key, other = desk.create("a", "--budget-day", "1"), desk.create("b", "--budget-day", "1")
    config = write_config(tmp_path, model_file, upstream.url, top=f"{STATE}\nstrict_budgets: {str(strict).lower()}")
    upstream.on("cheap", answer())
    g = Gateway(leeroo, config)
    assert ask(g, key).status_code == ask(g, other).status_code == 200
    g.stop()
    path = desk.state / "keys.spend"
    data = bytearray(path.read_bytes())
    for copy in (4096, 4096 + 128):  # of the first key
        data[copy + 60] ^= 0x20
    path.write_bytes(data)
    for again in range(2):
        g = Gateway(leeroo, config)
        if not again:
            g.wait_line(r'msg="the file of what keys have spent was damaged" entries=1 unnamed=0')
            reader = bearer(desk.create("m", "--metrics"))
            wait_for(lambda: "leeroo_keys_spend_damaged 1" in g.client.get("/metrics", headers=reader).text)
        r = ask(g, key)
        assert r.status_code == (429 if strict else 200) and ask(g, other).status_code == 200
        if strict:
            assert r.json()["error"]["code"] == "insufficient_quota" and "is lost" in r.json()["error"]["message"]
            g.wait_line(r'msg="what a key has spent is lost.*--spent-anew"')
            assert desk.list()["a"]["spent_lost"] is True
        if again:
            desk.do("change", "a", "--spent-anew")
            wait_for(lambda: ask(g, key).status_code == 200)
        g.stop()


@pytest.mark.parametrize("kept", [0, 4096, None])
def test_wiped_spending_is_damaged_too(leeroo, desk, tmp_path, model_file, upstream, kept):
    """Zeros all over, behind the header, or a file that was emptied (None)."""
    key = desk.create("a", "--budget-day", "1")
    config = write_config(tmp_path, model_file, upstream.url, top=f"{STATE}\nstrict_budgets: true")
    upstream.on("cheap", answer())
    g = Gateway(leeroo, config)
    assert ask(g, key).status_code == 200
    g.stop()
    path = desk.state / "keys.spend"
    data = path.read_bytes()
    path.write_bytes(b"" if kept is None else data[:kept] + bytes(len(data) - kept))
    for _ in range(2):
        g = Gateway(leeroo, config)
        r = ask(g, key)
        assert r.status_code == 429 and "is lost" in r.json()["error"]["message"]
        g.stop()
    g = Gateway(leeroo, config)
    desk.do("change", "a", "--spent-anew")
    wait_for(lambda: ask(g, key).status_code == 200)
    g.stop()
