"""leeroo check: what serve would run on, and with --connect whether the experts can be asked."""

import json
import os
import re
import subprocess

import pytest

from conftest import KEY, free_port, write_config
from serving import JsonServer


# where all have one price
NEVER_ASKED = "cheap is never worth asking by any policy ({} is no dearer and better)"


class Models(JsonServer):
    """An endpoint with a list of models; what it answers depends on the first part of the path."""

    def __init__(self):
        self.seen = {}
        super().__init__()

    def reply(self, method, path, headers, body):
        kind = path.split("/")[1] if method == "GET" else method
        self.seen[kind] = (path, headers)
        status = {"refuses": 401, "broken": 500, "loading": 503, "nolist": 404}.get(kind, 200)
        names = ["other"] if kind == "others" else ["cheap", "mid", "dear"]
        return status, {"data": [{"id": n} for n in names]} if status == 200 else {"error": {"message": f"no {KEY}"}}


@pytest.fixture
def models():
    m = Models()
    yield m
    m.close()


@pytest.fixture
def check(leeroo):
    def run(path, *more, **env):
        done = subprocess.run([leeroo, "check", "-c", str(path), *more], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "UP_KEY": KEY, **env})
        assert KEY not in done.stdout + done.stderr, "keys are never shown"
        return done
    return run


def test_a_good_configuration_is_described(check, model_file, tmp_path):
    path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1", top="state_dir: state",
                        expert="price: {input: 0.25, output: 1.5}\ncontext: 8000",
                        policies="policies:\n  default: {lambda: 20}\n  thrifty: {budget: 0.5, experts: [cheap, mid]}\n")
    done = check(path)
    assert done.returncode == 0 and done.stderr == ""
    for part in ("127.0.0.1:0", "plain HTTP", "3 experts", "openai", "set", "0.25", "1.5", "8000",
                 "budget 0.5 USD per 1,000 requests; only cheap, mid", "lambda 20  (default)", "all well"):
        assert part in done.stdout, f"{part}\n{done.stdout}"
    assert re.findall("warning: (.*)", done.stdout) == [NEVER_ASKED.format("dear") + "; leave it out, or give a policy that would ask it"]
    assert not (tmp_path / "state").exists(), "it only looks"


def test_the_same_as_json(check, model_file, tmp_path):
    path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1", expert="price: {input: 0.25, output: 1.5}",
                        policies="policies:\n  thrifty: {budget: 0.5, experts: [cheap, mid]}\n")
    found = json.loads(check(path, "--json").stdout)
    assert found["fine"] is True and found["listen"] == "127.0.0.1:0" and found["model"]["experts"] == 3
    assert [(e["name"], e["key"], e["price"]["output"]) for e in found["experts"]] == [
        (name, True, 1.5) for name in ("cheap", "mid", "dear")]
    assert found["policies"][0]["budget"] == 0.5 and found["policies"][0]["experts"] == ["cheap", "mid"]
    assert [w["what"] for w in found["warnings"]] == ["budgets begin anew at every start", NEVER_ASKED.format("mid")]
    assert found["warnings"][1]["expert"] == "cheap"
    assert "connect" not in found["experts"][0]


def test_how_the_page_is_reached(check, leeroo, model_file, tmp_path):
    path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1", top="state_dir: state")

    def page():
        line = next(line for line in check(path).stdout.splitlines() if line.startswith("page "))
        return line, json.loads(check(path, "--json").stdout)["page"]
    line, found = page()
    assert "http://127.0.0.1:0/, open on this machine" in line and found == {"url": "http://127.0.0.1:0/", "opens": "this machine", "admin_keys": 0}
    for role, part in (("user", "leeroo keys create --role admin"), ("admin", "for admin keys")):
        subprocess.run([leeroo, "keys", "create", "--role", role, "--name", role, "-c", str(path)], check=True, capture_output=True)
        line, found = page()
        assert part in line and found["opens"] == "admin key" and found["admin_keys"] == (role == "admin")
    path.write_text("page: false\n" + path.read_text())
    line, found = page()
    assert "off" in line and found["opens"] == "off" and found["url"] == ""


def test_where_prices_come_from(check, model_file, tmp_path):
    path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1")
    path.write_text(path.read_text().replace("- name: cheap", "- name: cheap\n    price: {input: 0, output: 0}"))
    assert [e["price"]["from"] for e in json.loads(check(path, "--json").stdout)["experts"]] == ["config", "model", "model"]
    cheap, mid = (line for line in check(path).stdout.splitlines() if line.startswith(("cheap ", "mid ")))
    assert cheap.endswith("; price of the configuration") and mid.endswith("; price of the model file")


def test_where_all_prices_are_of_the_file_none_says_so(check, model_file, tmp_path):
    path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1")
    path.write_text(re.sub(r"- name: (\w+)", r"- name: \1\n    price: {input: 1, output: 2}", path.read_text()))
    done = check(path)
    assert done.returncode == 0 and "price of" not in done.stdout and " at http://127.0.0.1:1/v1\n" in done.stdout


def test_prices_of_the_catalogue(check, tmp_path):
    path = tmp_path / "leeroo.yaml"
    path.write_text("experts:\n  - {name: gpt-4o, url: 'https://api.openai.com/v1'}\n")
    done = check(path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^gpt-4o .* 2.5  +10  +128000 .*; price of the catalogue \(openai, 20\d\d-\d\d-\d\d\)$", done.stdout, re.M)
    price = json.loads(check(path, "--json").stdout)["experts"][0]["price"]
    assert (price["from"], price["provider"], price["input"]) == ("catalogue", "openai", 2.5)
    path.write_text("experts:\n  - {name: gpt-4o, url: 'http://127.0.0.1:1/v1'}\n")
    done = check(path)
    assert done.returncode == 1 and "leeroo.yaml:2:12: expert 'gpt-4o': no price is known for model 'gpt-4o'" in done.stderr
    assert "add price: {input: 0, output: 0}, or what it costs you" in done.stderr


def test_a_limit_that_another_makes_useless_is_warned_of(check, model_file, tmp_path):
    path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1", top="limits: {body: 4MiB, bodies: 2MiB}")
    done = check(path)
    assert done.returncode == 0 and "warning: limits.bodies is less than limits.body" in done.stdout
    path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1", top="limits: {body: 2MiB, bodies: 2MiB}")
    assert "warning" not in check(path).stdout


def test_experts_of_embeddings_are_told(check, model_file, tmp_path):
    path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1", top="""embeddings:
  - {name: a-long-embedder, url: "http://127.0.0.1:2/v1", upstream_model: embed-v1, price: {input: 0.02}}""")
    done = check(path)
    assert done.returncode == 0 and "\nembeds " in done.stdout and "embed-v1 at http://127.0.0.1:2/v1\n" in done.stdout
    (found,) = json.loads(check(path, "--json").stdout)["embeddings"]
    assert (found["name"], found["upstream_model"], found["key"]) == ("a-long-embedder", "embed-v1", False)


def test_aliases_are_told_with_what_they_lead_to(check, model_file, tmp_path):
    path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1", top='aliases: {"claude-*": leeroo, gpt-5: dear}')
    done = check(path)
    assert done.returncode == 0
    assert "alias claude-* is leeroo/default\n" in done.stdout and "alias gpt-5 is dear\n" in done.stdout
    assert json.loads(check(path, "--json").stdout)["aliases"] == {"claude-*": "leeroo/default", "gpt-5": "dear"}
    path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1", top='aliases: {"claude-*": none}')
    failed = check(path)
    assert failed.returncode != 0 and "leeroo.yaml:4:23: an alias must lead to leeroo, leeroo/POLICY or an expert" in failed.stdout + failed.stderr


def test_mistakes_are_those_of_serve(check, leeroo, model_file, tmp_path):
    path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1", top="treads: 1")
    done = check(path)
    serve = subprocess.run([leeroo, "serve", "-c", str(path)], capture_output=True, text=True, timeout=60,
                           env={**os.environ, "UP_KEY": KEY})
    assert done.returncode == serve.returncode == 1
    assert done.stderr.replace("leeroo check:", "") == serve.stderr.replace("leeroo serve:", "")
    found = json.loads(check(path, "--json").stdout)
    assert found["fine"] is False and found["error"]["line"] == 4 and "treads" in found["error"]["message"]
    assert found["problems"] == [found["error"]]


def test_all_mistakes_are_told_at_once(check, leeroo, model_file, tmp_path):
    path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1", top="treads: 1\nkeep: {share: 2}",
                        urls={"mid": "mid.example"}, policies="policies:\n  default: {lambda: -1}\n  some: {experts: [mid, nobody]}\n")
    done = check(path)
    serve = subprocess.run([leeroo, "serve", "-c", str(path)], capture_output=True, text=True, timeout=60,
                           env={**os.environ, "UP_KEY": KEY})
    assert done.returncode == serve.returncode == 1 and done.stdout == ""
    assert done.stderr.replace("leeroo check:", "") == serve.stderr.replace("leeroo serve:", "")
    said = [re.search(r"leeroo.yaml:(\d+):\d+: (\w+(?: \w+)?)", line).groups() for line in done.stderr.splitlines()]
    assert [what for _, what in said] == ["unknown key", "share must", "url", "lambda must", "no expert"], done.stderr
    assert [int(line) for line, _ in said] == sorted(int(line) for line, _ in said)
    assert [p["line"] for p in json.loads(check(path, "--json").stdout)["problems"]] == [int(line) for line, _ in said]
    assert "UP_KEY" in check(path, UP_KEY="").stderr, "and the key that is missing, beside them"


def test_what_only_the_model_can_tell_is_told_of_all(check, tmp_path):
    path = tmp_path / "leeroo.yaml"
    path.write_text("experts:\n" + "".join(f"  - {{name: {n}, url: 'http://127.0.0.1:1/v1'}}\n" for n in "ab"))
    done = check(path)
    assert done.returncode == 1 and done.stderr.count("no price is known for model") == 2, done.stderr


def test_wrong_usage(check):
    assert check("x", "--conect").returncode == 2
    assert check("x", "more").returncode == 2
    assert check("none.yaml").returncode == 1


def test_experts_are_asked_for_their_models(check, model_file, models, tmp_path):
    path = write_config(tmp_path, model_file, f"{models.url}/fine/v1")
    done = check(path, "--connect")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok, HTTP 200 in ") == 3 and "all well" in done.stdout
    path, headers = models.seen["fine"]
    assert path == "/fine/v1/models" and headers["authorization"] == f"Bearer {KEY}"
    assert "POST" not in models.seen, "nothing that costs"


@pytest.mark.parametrize("kind,code,says", [
    ("refuses", 1, "refused, HTTP 401 in"),
    ("broken", 1, "broken, HTTP 500 in"),
    ("loading", 1, "not ready, HTTP 503 in"),
    ("nolist", 0, "ok, no list of models, HTTP 404 in"),
    ("others", 0, "'mid' is not among the 1 that it lists"),
])
def test_each_expert_has_its_own_line(check, model_file, models, tmp_path, kind, code, says):
    path = write_config(tmp_path, model_file, f"{models.url}/fine/v1", urls={"mid": f"{models.url}/{kind}/v1"})
    done = check(path, "--connect")
    assert done.returncode == code
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if " in " in line and "HTTP" in line and
             line.split()[0] in ("cheap", "mid", "dear")}
    assert says in lines["mid"], done.stdout
    assert "ok, HTTP 200" in lines["cheap"] and "ok, HTTP 200" in lines["dear"]
    found = {e["name"]: e["connect"] for e in json.loads(check(path, "--connect", "--json").stdout)["experts"]}
    assert found["cheap"]["result"] == "ok" and found["mid"]["fine"] is (code == 0)


class Base(JsonServer):
    """An API below /v1 alone, as Ollama, vLLM and llama-server have it; with a list of models or without."""

    def __init__(self, prefix="/v1", lists=True):
        self.prefix, self.lists, self.posted = prefix, lists, []
        super().__init__()

    def reply(self, method, path, headers, body):
        if method == "POST":
            self.posted.append((path, body))
        if method == "GET" and self.lists and path == self.prefix + "/models":
            return 200, {"data": [{"id": n} for n in ("cheap", "mid", "dear")]}
        if method == "POST" and path == self.prefix + "/chat/completions":
            return 400, {"error": {"message": "messages: field required"}}
        return 404, {"error": {"message": "404 page not found"}}


@pytest.mark.parametrize("prefix,wrong,right", [("/v1", "", "/v1"), ("/v1", "/api", "/v1"), ("/openai/v1", "", "/openai/v1"),
                                                ("/api/v1", "/v1", "/api/v1"), ("/a/b/v1", "/a/b", "/a/b/v1")])
def test_a_base_url_that_is_wrong_is_told_with_the_right_one(check, model_file, tmp_path, prefix, wrong, right):
    server = Base(prefix)
    try:
        done = check(write_config(tmp_path, model_file, server.url + wrong), "--connect")
        assert done.returncode == 1 and "not all experts can be asked" in done.stdout
        assert ("wrong url, HTTP 404 in " in done.stdout and
                f": there is nothing at {server.url}{wrong}/chat/completions, but models are listed below url: {server.url}{right}\n" in done.stdout), done.stdout
        assert all(body == {} for _, body in server.posted), "nothing that could cost"
        right_one = check(write_config(tmp_path, model_file, server.url + right), "--connect")
        assert right_one.returncode == 0 and right_one.stdout.count("ok, HTTP 200 in ") == 3
    finally:
        server.close()


def test_an_endpoint_without_a_list_is_told_from_a_wrong_url(check, model_file, tmp_path):
    server = Base(lists=False)
    try:
        fine = check(write_config(tmp_path, model_file, f"{server.url}/v1"), "--connect")
        assert fine.returncode == 0 and fine.stdout.count("ok, no list of models, HTTP 404 in ") == 3
        path = write_config(tmp_path, model_file, server.url)
        done = check(path, "--connect")
        assert done.returncode == 1
        assert "url must be what stands before /chat/completions, mostly with /v1 at its end, like" in done.stdout
        found = json.loads(check(path, "--connect", "--json").stdout)["experts"][0]["connect"]
        assert (found["result"], found["fine"], found["http_status"]) == ("wrong url", False, 404)
    finally:
        server.close()


def test_nobody_is_there(check, model_file, models, tmp_path):
    path = write_config(tmp_path, model_file, f"{models.url}/fine/v1",
                        urls={"mid": f"http://127.0.0.1:{free_port()}/v1"})
    done = check(path, "--connect")
    assert done.returncode == 1
    assert re.search("^mid +not reached: ", done.stdout, re.M) and "not all experts can be asked" in done.stdout


def test_dialects_have_their_own_credentials(check, model_file, models, tmp_path):
    path = write_config(tmp_path, model_file, f"{models.url}/fine/v1")
    text = path.read_text()
    text = text.replace(f"name: cheap\n    url: {models.url}/fine/v1",
                        f"name: cheap\n    dialect: anthropic\n    url: {models.url}/claude/v1")
    text = text.replace(f"name: mid\n    url: {models.url}/fine/v1",
                        f"name: mid\n    dialect: azure\n    api_version: 2024-10-21\n    url: {models.url}/azure/v1")
    path.write_text(text)
    assert check(path, "--connect").returncode == 0
    assert models.seen["claude"][1]["x-api-key"] == KEY and "anthropic-version" in models.seen["claude"][1]
    assert models.seen["azure"][0].endswith("?api-version=2024-10-21") and models.seen["azure"][1]["api-key"] == KEY
