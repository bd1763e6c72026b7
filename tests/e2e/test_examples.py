"""The configurations of examples/ for providers: leeroo check accepts them as they are, prices are the catalogue's, and an
answer comes through each from a stub that speaks as that provider does: paths, headers, api-version, lists, errors."""

import csv
import json
import os
import re
import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from conftest import ROOT, Gateway
from serving import JsonServer, completion

KEY = "sk-of-the-provider-7d11"


class Provider(JsonServer):
    """One provider: where its API begins, how a key is sent, how it lists models and says no."""

    prefix, variable, header, before = "/v1", None, "authorization", "Bearer "
    chat = "/chat/completions"

    def __init__(self, models):
        self.models, self.calls = models, []
        super().__init__()

    def refusal(self):
        return 401, {"error": {"message": "Incorrect API key provided", "type": "invalid_request_error", "code": "invalid_api_key"}}

    def unknown(self, model):
        return 404, {"error": {"message": f"The model `{model}` does not exist", "type": "invalid_request_error",
                               "code": "model_not_found"}}

    def listed(self):
        return {"object": "list", "data": [{"id": m, "object": "model"} for m in self.models]}

    def needs_key(self, model):
        return self.variable is not None

    def answer(self, body):
        return {"id": "c1", "object": "chat.completion", "created": 1, "model": body["model"], **completion("forty-two", 11, 3)}

    def reply(self, method, path, headers, body):
        path, model = urlsplit(path).path, (body or {}).get("model")
        self.calls.append((method, path, headers))
        if self.needs_key(model) and headers.get(self.header) != self.before + KEY:
            return self.refusal()
        if method == "GET" and path == self.prefix + "/models":
            return 200, self.listed()
        if method != "POST" or path != self.prefix + self.chat:
            return 404, {"error": {"message": f"no route {method} {path}"}}
        if model not in self.models:
            return self.unknown(model)
        return 200, self.answer(body)


class Anthropic(Provider):
    variable, header, before, chat = "ANTHROPIC_API_KEY", "x-api-key", "", "/messages"

    def refusal(self):
        return 401, {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}

    def unknown(self, model):
        return 404, {"type": "error", "error": {"type": "not_found_error", "message": f"model: {model}"}}

    def listed(self):
        return {"data": [{"type": "model", "id": m} for m in self.models], "has_more": False}

    def answer(self, body):
        assert body["max_tokens"] > 0, "Anthropic wants a limit"
        return {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "stop_reason": "end_turn",
                "content": [{"type": "text", "text": "forty-two"}], "usage": {"input_tokens": 11, "output_tokens": 3}}

    def reply(self, method, path, headers, body):
        if headers.get("anthropic-version") != "2023-06-01":
            return 400, {"type": "error", "error": {"type": "invalid_request_error", "message": "anthropic-version: header is required"}}
        return super().reply(method, path, headers, body)


class Azure(Provider):
    """A path for each deployment, no list of models below it, and a version with every call."""

    variable, header, before = "AZURE_OPENAI_API_KEY", "api-key", ""

    def refusal(self):
        return 401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key or wrong API endpoint."}}

    def reply(self, method, path, headers, body):
        parts, found = urlsplit(path), re.fullmatch(r"/openai/deployments/([^/]+)/chat/completions", urlsplit(path).path)
        self.calls.append((method, parts.path, headers))
        if headers.get(self.header) != KEY:
            return self.refusal()
        if parse_qs(parts.query).get("api-version") != ["2024-10-21"]:
            return 404, {"error": {"code": "404", "message": "Resource not found"}}
        if method != "POST" or not found:
            return 404, {"error": {"code": "404", "message": "Resource not found"}}
        if found.group(1) not in self.models:
            return 404, {"error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}}
        if not (body or {}).get("messages"):
            return 400, {"error": {"code": None, "message": "Missing required parameter: 'messages'.", "type": "invalid_request_error"}}
        return 200, self.answer(body)


class Vllm(Provider):
    variable = "VLLM_API_KEY"

    def needs_key(self, model):
        return model is not None and "70B" in model

    def refusal(self):
        return 401, {"error": "Unauthorized"}

    def unknown(self, model):
        return 404, {"object": "error", "message": f"The model `{model}` does not exist.", "type": "NotFoundError", "param": None,
                     "code": 404}

    def listed(self):
        return {"object": "list", "data": [{"id": m, "object": "model", "owned_by": "vllm", "max_model_len": 32768} for m in self.models]}


class Ollama(Provider):
    def unknown(self, model):
        return 404, {"error": {"message": f'model "{model}" not found, try pulling it first', "type": "api_error", "param": None,
                               "code": None}}


class OpenRouter(Provider):
    prefix, variable = "/api/v1", "OPENROUTER_API_KEY"

    def refusal(self):
        return 401, {"error": {"message": "No auth credentials found", "code": 401}}

    def unknown(self, model):
        return 400, {"error": {"message": f"{model} is not a valid model ID", "code": 400}, "user_id": "u"}


class Groq(Provider):
    prefix, variable = "/openai/v1", "GROQ_API_KEY"

    def refusal(self):
        return 401, {"error": {"message": "Invalid API Key", "type": "invalid_request_error", "code": "invalid_api_key"}}


class Together(Provider):
    variable = "TOGETHER_API_KEY"

    def refusal(self):
        return 401, {"id": "o1", "error": {"message": "Invalid API key provided.", "type": "invalid_request_error", "param": None,
                                           "code": "invalid_api_key"}}

    def listed(self):
        return [{"id": m, "object": "model", "type": "chat"} for m in self.models]  # no object around it


PROVIDERS = {"anthropic": Anthropic, "azure": Azure, "groq": Groq, "ollama": Ollama, "openrouter": OpenRouter,
             "together": Together, "vllm": Vllm}
REFUSED = sorted(name for name, kind in PROVIDERS.items() if kind.variable)


def example(name):
    return (ROOT / "examples" / f"{name}.yaml").read_text()


def models_of(name):
    """What the upstream calls its models, as the example says."""
    return [e.get("upstream_model", e["name"]) for e in yaml.safe_load(example(name))["experts"]]


@pytest.fixture
def stub(tmp_path):
    made = []

    def make(name, models=None):
        """The example with the provider's address replaced by that of a stub, and any free port."""
        server = PROVIDERS[name](models if models is not None else models_of(name))
        made.append(server)
        text = example(name).replace("listen: 127.0.0.1:8080", "listen: 127.0.0.1:0")
        text, n = re.subn(r"url: https?://[^/\s]+", f"url: {server.url}", text)
        assert n == len(yaml.safe_load(text)["experts"])
        path = tmp_path / f"{name}.yaml"
        path.write_text(text)
        return server, path
    yield make
    for server in made:
        server.close()


@pytest.fixture
def check(leeroo):
    def run(path, *more, key=KEY):
        env = {**os.environ, **{kind.variable: key for kind in PROVIDERS.values() if kind.variable}}
        return subprocess.run([leeroo, "check", "-c", str(path), *more], capture_output=True, text=True, timeout=60, env=env)
    return run


@pytest.mark.parametrize("name", PROVIDERS)
def test_check_accepts_it_as_it_is(check, tmp_path, name):
    path = tmp_path / f"{name}.yaml"
    path.write_text(example(name).replace("listen: 127.0.0.1:8080", "listen: 127.0.0.1:0"))
    done = check(path)
    assert done.returncode == 0 and "all well" in done.stdout, done.stdout + done.stderr
    config = yaml.safe_load(example(name))
    assert all(str(e.get("api_key", "env:")).startswith("env:") for e in config["experts"])
    assert f"leeroo check -c {name}.yaml --connect" in example(name)


@pytest.mark.parametrize("name", sorted(set(PROVIDERS) - {"ollama", "vllm"}))
def test_prices_are_those_of_the_catalogue(name):
    """With the date and the source that the page names, so that neither is changed alone."""
    with open(ROOT / "data" / "prices.csv", newline="") as f:
        known = [r for r in csv.DictReader(f) if r["provider"] == name]
    stated = re.search(r"# prices: USD per million tokens on (\S+), as (.+) has them", example(name)).groups()
    for e in yaml.safe_load(example(name))["experts"]:
        called = {m.lower() for m in (e["name"], e.get("upstream_model", e["name"]).split("/")[-1])}
        row = next(r for r in known if called & {n.lower() for n in [r["model"], *r["aliases"].split("|")]})
        assert (row["date"], row["source"]) == stated, e["name"]
        for ours, theirs in (("input", "input"), ("output", "output"), ("cached_input", "cached_input"),
                             ("cache_write", "cache_write"), ("cache_write_1h", "cache_write_1h")):
            if ours in e["price"]:
                assert float(row[theirs]) == e["price"][ours], (e["name"], ours)


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_answer_comes_through(leeroo, check, stub, monkeypatch, name):
    server, path = stub(name)
    if server.variable:
        monkeypatch.setenv(server.variable, KEY)
    asked = check(path, "--connect", "--json")
    assert asked.returncode == 0, asked.stdout
    assert all(e["connect"]["fine"] for e in json.loads(asked.stdout)["experts"])
    if name != "azure":
        assert {e["connect"]["result"] for e in json.loads(asked.stdout)["experts"]} == {"ok"}
    gateway = Gateway(leeroo, path)
    try:
        for expert in [e["name"] for e in yaml.safe_load(path.read_text())["experts"]] + ["leeroo", "leeroo/best"]:
            r = gateway.chat("What is six times seven?", model=expert)
            assert r.status_code == 200, r.text
            assert r.json()["choices"][0]["message"]["content"] == "forty-two" and r.json()["usage"]["prompt_tokens"] == 11
    finally:
        gateway.client.close()
        assert gateway.stop() == 0


@pytest.mark.parametrize("name", REFUSED)
def test_a_key_that_is_refused(leeroo, check, stub, monkeypatch, name):
    server, path = stub(name)
    monkeypatch.setenv(server.variable, "sk-wrong")
    asked = check(path, "--connect", key="sk-wrong")
    if name != "vllm":  # which asks for it with every call but the list
        assert asked.returncode == 1 and "refused, HTTP 401" in asked.stdout, asked.stdout
    gateway = Gateway(leeroo, path)
    try:
        r = gateway.chat("hello", model=yaml.safe_load(path.read_text())["experts"][-1]["name"])
        assert r.status_code == 502 and "sk-wrong" not in r.text, r.text
    finally:
        gateway.client.close()
        assert gateway.stop() == 0


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_model_that_is_not_there(leeroo, check, stub, monkeypatch, name):
    server, path = stub(name, models=["another"])
    if server.variable:
        monkeypatch.setenv(server.variable, KEY)
    asked = check(path, "--connect")
    if name != "azure":
        assert "is not among the 1 that it lists" in asked.stdout, asked.stdout
    gateway = Gateway(leeroo, path)
    try:
        last = yaml.safe_load(path.read_text())["experts"][-1]
        r = gateway.chat("hello", model=last["name"])
        assert r.status_code in (400, 404, 502), r.text
        _, said = server.unknown(last.get("upstream_model", last["name"])) if name != "azure" else (
            0, {"error": {"message": "The API deployment for this resource does not exist."}})
        message = said.get("message") or said["error"]["message"]
        assert message in r.json()["error"]["message"], "in the provider's own words"
    finally:
        gateway.client.close()
        assert gateway.stop() == 0
