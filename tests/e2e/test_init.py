"""leeroo init: what it finds at keys and ports, whom it asks, and the configuration that it writes."""

import json
import os
import pty
import re
import select
import subprocess
import threading
import time

import pytest

from conftest import free_port
from serving import JsonServer, serving

OPENAI = {"object": "list", "data": [
    {"id": "gpt-4o", "object": "model", "created": 1715367049, "owned_by": "system"},
    {"id": "gpt-4o-2024-08-06", "object": "model", "created": 1722814719, "owned_by": "system"},
    {"id": "gpt-4o-mini", "object": "model", "created": 1721172741, "owned_by": "system"},
    {"id": "o3", "object": "model", "created": 1744225308, "owned_by": "system"},
    {"id": "o1-pro", "object": "model", "created": 1744225309, "owned_by": "system"},
    {"id": "ft:gpt-4o:me::1", "object": "model", "created": 1744225310, "owned_by": "me"},
    {"id": "text-embedding-3-small", "object": "model", "owned_by": "system"},
    {"id": "dall-e-3", "object": "model", "owned_by": "system"}]}
ANTHROPIC = {"data": [{"type": "model", "id": "claude-opus-4-5-20251101", "display_name": "Claude Opus 4.5",
                       "created_at": "2025-11-01T00:00:00Z"},
                      {"type": "model", "id": "claude-haiku-4-5-20251001", "created_at": "2025-10-01T00:00:00Z"}],
             "has_more": False, "first_id": "x", "last_id": "y"}
OLLAMA = {"object": "list", "data": [{"id": "llama3.1:8b", "object": "model", "created": 1, "owned_by": "library"},
                                     {"id": "nomic-embed-text:latest", "object": "model", "created": 1, "owned_by": "library"}]}
LLAMA_SERVER = {"models": [{"name": "m", "type": "model"}], "object": "list", "data": [
    {"id": "/models/SmolLM2-135M-Instruct-Q8_0.gguf", "object": "model", "created": 1, "owned_by": "llamacpp",
     "meta": {"vocab_type": 2, "n_vocab": 49152, "n_ctx_train": 8192, "n_embd": 576, "n_params": 134515008}}]}
VLLM = {"object": "list", "data": [{"id": "Qwen/Qwen2.5-7B-Instruct", "object": "model", "created": 1, "owned_by": "vllm",
                                    "root": "Qwen/Qwen2.5-7B-Instruct", "parent": None, "max_model_len": 32768}]}
LM_STUDIO = {"object": "list", "data": [{"id": "llama3.1:8b", "object": "model", "owned_by": "organization_owner"}]}
OPENROUTER = {"data": [{"id": "openai/gpt-4o-mini", "created": 5, "context_length": 128000,
                        "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
                        "pricing": {"prompt": "0.0000002", "completion": "0.0000007", "input_cache_read": "0.0000001"},
                        "top_provider": {"max_completion_tokens": 16384}, "supported_parameters": ["tools"]}]}


class Endpoints(JsonServer):
    """Lists of models, each under a path of its own; `hang` never answers, and numbers are HTTP statuses."""

    def __init__(self, routes):
        self.routes, self.asked, self.free = routes, {}, threading.Event()
        super().__init__()

    def reply(self, method, path, headers, body):
        self.asked[path if method == "GET" else method] = headers
        answer = self.routes.get(path, 404)
        if answer == "hang":
            self.free.wait(30)
            return None
        return (answer, answer) if isinstance(answer, int) else (200, answer)

    def close(self):
        assert "POST" not in self.asked, "nothing that costs money is asked"
        self.free.set()
        super().close()


@pytest.fixture
def endpoints():
    yield from serving(Endpoints)


def clean(env):
    """No key of this machine's, and `env`."""
    kept = {k: v for k, v in os.environ.items() if not re.search(r"API_KEY|BASE_URL|API_BASE|AZURE_|OPENAI", k)}
    return {**kept, **env}


@pytest.fixture
def init(leeroo, tmp_path):
    def run(*arguments, local=None, **env):
        local = local or f"127.0.0.1:{free_port()}"
        done = subprocess.run([leeroo, "init", "--local", local, *arguments], capture_output=True, text=True, timeout=60,
                              cwd=tmp_path, env=clean(env), stdin=subprocess.DEVNULL)
        for name, value in env.items():
            if name.endswith("_KEY"):
                assert value not in done.stdout + done.stderr, "keys are never shown"
        assert not list(tmp_path.glob("*.tmp*")), "nothing is left behind"
        return done
    return run


def value(text):
    """Of the forms that the file has; a comment may follow."""
    quoted = re.match(r'"(?:[^"\\]|\\.)*"', text)
    if quoted:
        return json.loads(quoted.group(0))
    text = text.split("  #")[0].strip()
    if text.startswith("{"):
        return {k: float(v) for k, v in (pair.split(": ") for pair in text.strip("{}").split(", "))}
    if text.startswith("["):
        return text.strip("[]").split(", ")
    return int(text) if text.isdigit() else text


def experts(text):
    """The experts of a file as init writes it, by name."""
    found = []
    for line in re.search(r"^experts:.*?(?=^\S)", text, re.M | re.S).group(0).splitlines()[1:]:
        item = re.fullmatch(r"  (- |  )(\w+): (.*)", line)
        if not item:
            assert not line or line.lstrip().startswith("#"), line
            continue
        if item.group(1) == "- ":
            found.append({})
        found[-1][item.group(2)] = value(item.group(3))
    return {e["name"]: e for e in found}


@pytest.fixture
def written(leeroo, tmp_path):
    """What stands in the file that was written, which `leeroo check` finds in order."""
    def read(name="leeroo.yaml", **env):
        done = subprocess.run([leeroo, "check", "-c", name, "--json"], capture_output=True, text=True, timeout=60, cwd=tmp_path,
                              env=clean(env))
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["fine"] and {e["price"]["from"] for e in found["experts"]} == {"config"}
        text = (tmp_path / name).read_text()
        assert [e["name"] for e in found["experts"]] == list(experts(text))
        return text
    return read


def test_nothing_is_found(init, tmp_path):
    done = init("--yes")
    assert done.returncode == 1
    assert "no models were found; set a key such as OPENAI_API_KEY, or start a local server" in done.stderr
    assert not (tmp_path / "leeroo.yaml").exists()


def test_local_servers(init, endpoints, written):
    e = endpoints({"/ollama/v1/models": OLLAMA, "/llama/v1/models": LLAMA_SERVER, "/vllm/v1/models": VLLM,
                   "/llama/props": {"default_generation_settings": {"n_ctx": 2048}, "total_slots": 1},
                   "/studio/v1/models": LM_STUDIO})
    done = init("--yes", local=",".join(f"{e.url}/{name}/v1" for name in ("ollama", "llama", "vllm", "studio")))
    assert done.returncode == 0, done.stderr
    assert f"Ollama at {e.host} ({e.url}/ollama/v1): 1 model to chat with, and 1 other\n" in done.stderr
    assert "leeroo.yaml: 4 experts. Next:\n  leeroo check --connect\n  leeroo serve\n  leeroo play --spend 2\n" == done.stdout
    found = experts(written())
    assert list(found) == ["llama3.1:8b", "SmolLM2-135M-Instruct-Q8_0", "Qwen2.5-7B-Instruct", "lm-studio/llama3.1:8b"]
    for expert in found.values():
        assert expert["price"] == {"input": 0, "output": 0} and "api_key" not in expert
    assert found["SmolLM2-135M-Instruct-Q8_0"]["context"] == 2048
    assert found["SmolLM2-135M-Instruct-Q8_0"]["upstream_model"] == "/models/SmolLM2-135M-Instruct-Q8_0.gguf"
    assert found["Qwen2.5-7B-Instruct"]["context"] == 32768
    assert found["lm-studio/llama3.1:8b"]["upstream_model"] == "llama3.1:8b"
    text = written()
    assert "num_ctx" in text and "runs on a machine of one's own" in text


def test_keys_of_providers(init, endpoints, written):
    e = endpoints({"/openai/v1/models": OPENAI, "/claude/v1/models?limit=1000": ANTHROPIC})
    env = {"OPENAI_API_KEY": "sk-0123456789", "OPENAI_BASE_URL": f"{e.url}/openai/v1/",
           "ANTHROPIC_API_KEY": "ak-0123456789", "ANTHROPIC_BASE_URL": f"{e.url}/claude"}
    done = init("--yes", **env)
    assert done.returncode == 0, done.stderr
    asked = e.asked
    assert asked["/openai/v1/models"]["authorization"] == "Bearer sk-0123456789"
    assert asked["/claude/v1/models?limit=1000"]["x-api-key"] == "ak-0123456789"
    assert "anthropic-version" in asked["/claude/v1/models?limit=1000"]
    found = experts(written(**env))
    assert list(found) == ["gpt-4o", "gpt-4o-mini", "o3", "claude-opus-4-5-20251101", "claude-haiku-4-5-20251001"]
    assert found["gpt-4o"]["api_key"] == "env:OPENAI_API_KEY"
    assert found["gpt-4o"]["price"] == {"input": 2.5, "output": 10, "cached_input": 1.25}
    assert found["claude-opus-4-5-20251101"]["dialect"] == "anthropic"
    assert found["claude-opus-4-5-20251101"]["price"]["cache_write"] == 6.25
    assert found["claude-opus-4-5-20251101"]["context"] == 200000
    text = written(**env)
    assert "0123456789" not in text and re.search(r"# LiteLLM [\d.]+, 20\d\d-\d\d-\d\d", text)


def test_prices_that_an_endpoint_lists(init, endpoints, written):
    e = endpoints({"/v1/models": OPENROUTER})
    done = init("--yes", "--experts", "gpt-4o-mini", OPENROUTER_API_KEY="rk-0123456789", OPENROUTER_BASE_URL=f"{e.url}/v1")
    assert done.returncode == 0, done.stderr
    (expert,) = experts(written(OPENROUTER_API_KEY="rk-0123456789")).values()
    assert expert["price"] == {"input": 0.2, "output": 0.7, "cached_input": 0.1}
    assert expert["upstream_model"] == "openai/gpt-4o-mini" and expert["output_limit"] == 16384
    assert "as its endpoint said on 20" in written(OPENROUTER_API_KEY="rk-0123456789")


def test_azure_deployments(init, endpoints, written):
    path = "/openai/deployments?api-version=2023-03-15-preview"
    e = endpoints({path: {"data": [{"id": "mine", "model": "gpt-4o", "status": "succeeded", "object": "deployment"}]}})
    env = {"AZURE_OPENAI_API_KEY": "zk-0123456789", "AZURE_OPENAI_ENDPOINT": e.url}
    done = init("--yes", **env)
    assert done.returncode == 0, done.stderr
    assert e.asked[path]["api-key"] == "zk-0123456789"
    (expert,) = experts(written(**env)).values()
    assert expert["url"] == f"{e.url}/openai/deployments/mine" and expert["dialect"] == "azure"
    assert expert["price"]["input"] == 2.5 and expert["api_version"] == "2024-10-21"
    done = init("--yes", "--experts", "o3", "-o", "named.yaml", **env, AZURE_OPENAI_DEPLOYMENTS="o3,other")
    assert done.returncode == 0, done.stderr
    assert experts(written("named.yaml", **env))["o3"]["limit_name"] == "max_completion_tokens"


def test_failures_stand_alone(init, endpoints, written):
    e = endpoints({"/refuses/models": 401, "/broken/models": 500, "/loading/models": 503, "/page/models": b"<html>", "/other/models": {"error": {}},
                   "/hangs/models": "hang", "/fine/models": VLLM})
    gone = f"127.0.0.1:{free_port()}"
    began = time.monotonic()
    done = init("--yes", local=",".join([f"{e.url}/{n}" for n in ("refuses", "broken", "loading", "page", "other", "hangs", "none", "fine")]
                                        + [gone]))
    assert time.monotonic() - began < 10
    assert done.returncode == 0, done.stderr
    told = {re.search(rf"{e.url}/(\w+)\): (.*)", line) for line in done.stderr.splitlines()} - {None}
    told = {m.group(1): m.group(2) for m in told}
    assert told["refuses"] == "wants a key (HTTP 401)" and told["broken"].startswith("broken (HTTP 500)")
    assert told["loading"].startswith("not ready (HTTP 503): it is loading")
    assert "the list of models" in told["page"] and told["other"].endswith("the reply is no list of models")
    assert told["none"] == "has no list of models (HTTP 404)"
    assert told["hangs"].startswith("broken:") and told["fine"] == "1 model to chat with"
    assert f"{gone} (http://{gone}/v1): not reached" in done.stderr
    assert list(experts(written())) == ["Qwen2.5-7B-Instruct"]


def test_a_gateway_is_no_expert(init, endpoints):
    e = endpoints({"/v1/models": {"data": [{"id": "leeroo", "owned_by": "leeroo"}, {"id": "gpt-4o", "owned_by": "leeroo"}]}})
    done = init("--list", local=e.host)
    assert done.returncode == 1 and "a Leeroo gateway; its experts are not asked through it" in done.stderr


def test_a_key_that_is_refused(init, endpoints):
    e = endpoints({"/v1/models": 403})
    done = init("--yes", OPENAI_API_KEY="sk-0123456789", OPENAI_BASE_URL=f"{e.url}/v1")
    assert done.returncode == 1 and "OPENAI_API_KEY): does not take the key (HTTP 403)" in done.stderr


def test_a_key_with_a_line_end_hinders_nobody_else(init, endpoints, written):
    e = endpoints({"/v1/models": VLLM, "/claude/v1/models?limit=1000": ANTHROPIC})
    for key in ("sk-0123\nX-Other: 1", "sk-" + "0" * 5000):
        done = init("--list", local=e.host, OPENAI_API_KEY=key, OPENAI_BASE_URL=f"{e.url}/openai/v1",
                    ANTHROPIC_API_KEY="sk-ant-0123456789", ANTHROPIC_BASE_URL=f"{e.url}/claude")
        assert done.returncode == 0, done.stderr
        assert "OPENAI_API_KEY holds no key" in done.stderr
        assert "Qwen2.5-7B-Instruct" in done.stdout and "claude-haiku" in done.stdout
        assert "/openai/v1/models" not in e.asked


def test_an_endpoint_that_plays_the_key_back(init, endpoints):
    key = "sk-0123456789"
    e = endpoints({"/v1/models": {"data": [{"id": key}, {"id": f"org/{key}"}, {"id": "mine"}]}})
    done = init("--list", OPENAI_API_KEY=key, OPENAI_BASE_URL=f"{e.url}/v1")
    assert "1 model to chat with" in done.stderr and "mine" in done.stdout


def test_names_that_yaml_takes_for_something_else(init, endpoints, written):
    names = ["null", "true", "123", "1.5", "no", "-"]
    e = endpoints({"/v1/models": {"data": [{"id": name} for name in names]}})
    done = init("--yes", "--experts", ",".join(names), local=e.host)
    assert done.returncode == 0, done.stderr
    text = written()
    for name in names:
        assert f'- name: "{name}"' in text


def test_nobody_beyond_this_machine_is_asked_without_consent(init, endpoints, tmp_path):
    e = endpoints({"/v1/models": VLLM})
    done = init("--list", local=f"{e.host},192.0.2.1:9", OPENAI_API_KEY="sk-0123456789", OPENAI_BASE_URL="https://192.0.2.2/v1")
    assert done.returncode == 0, done.stderr
    assert "192.0.2.2 (https://192.0.2.2/v1, OPENAI_API_KEY): not asked; --yes asks it\n" in done.stderr
    assert "192.0.2.1:9 (http://192.0.2.1:9/v1): not asked; --yes asks it\n" in done.stderr
    assert "Qwen2.5-7B-Instruct" in done.stdout and not (tmp_path / "leeroo.yaml").exists()


def test_without_a_terminal_a_choice_is_wanted(init, endpoints, tmp_path):
    e = endpoints({"/v1/models": VLLM})
    done = init(local=e.host)
    assert done.returncode == 1 and "nothing was chosen; --yes takes what is marked" in done.stderr
    assert "   1 * Qwen2.5-7B-Instruct" in done.stdout
    assert not (tmp_path / "leeroo.yaml").exists()
    done = init("--experts", "Qwen/Qwen2.5-7B-Instruct", local=e.host)
    assert done.returncode == 0, done.stderr


def test_nothing_is_overwritten(init, endpoints, tmp_path, leeroo):
    e = endpoints({"/v1/models": VLLM})
    (tmp_path / "leeroo.yaml").write_text("mine")
    done = init("--yes", local=e.host)
    assert done.returncode == 1 and "leeroo.yaml is there already and stays as it is; -o FILE writes another" in done.stderr
    assert (tmp_path / "leeroo.yaml").read_text() == "mine" and e.asked == {}
    (tmp_path / "link.yaml").symlink_to("nowhere")
    assert init("--yes", "-o", "link.yaml", local=e.host).returncode == 1
    done = init("--yes", "-o", "other.yaml", local=e.host)
    assert done.returncode == 0 and "  leeroo serve -c other.yaml\n" in done.stdout
    done = subprocess.run([leeroo, "check", "-c", "other.yaml"], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert "other.yaml: 1 expert, 3 policies, all well" in done.stdout
    done = init("--yes", "-o", "-", local=e.host)
    assert done.returncode == 0 and list(experts(done.stdout)) == ["Qwen2.5-7B-Instruct"]
    done = init("--yes", "-o", "no/such/folder.yaml", local=e.host)
    assert done.returncode == 1 and "no/such/folder.yaml" in done.stderr


def test_choices_and_prices(init, endpoints, written):
    e = endpoints({"/v1/models": OPENAI})
    env = {"OPENAI_API_KEY": "sk-0123456789", "OPENAI_BASE_URL": f"{e.url}/v1"}
    done = init("--experts", "gpt-4o,gpt-9", **env)
    assert done.returncode == 1 and "--experts: there is no 'gpt-9' among what was found" in done.stderr
    done = init("--experts", "o1-pro", **env)
    assert done.returncode == 1, "its provider has no chat for it"
    assert "       1 model left out, which is behind /responses only\n" in init("--list", **env).stdout
    done = init("--experts", "ft:gpt-4o:me::1", **env)
    assert done.returncode == 1
    assert "no price is known for 'ft:gpt-4o:me::1'; say what it costs: --price ft:gpt-4o:me::1=INPUT/OUTPUT" in done.stderr
    done = init("--experts", "ft:gpt-4o:me::1,o3", "--price", "ft:gpt-4o:me::1=3.75/15", **env)
    assert done.returncode == 0, done.stderr
    found = experts(written(**env))
    assert found["ft:gpt-4o:me::1"]["price"] == {"input": 3.75, "output": 15} and list(found) == ["o3", "ft:gpt-4o:me::1"]
    done = init("--experts", "o3", "--price", "o3", "-o", "x.yaml", **env)
    assert done.returncode == 1 and "--price: 'o3' is no price; right is NAME=INPUT/OUTPUT" in done.stderr


def test_what_was_found_as_json(init, endpoints):
    e = endpoints({"/v1/models": OPENAI})
    done = init("--json", OPENAI_API_KEY="sk-0123456789", OPENAI_BASE_URL=f"{e.url}/v1")
    assert done.returncode == 0 and done.stderr == ""
    found = json.loads(done.stdout)
    openai = found["endpoints"][0]
    assert (openai["key"], openai["state"], openai["models"], openai["others"]) == ("OPENAI_API_KEY", "listed", 6, 2)
    assert found["endpoints"][1]["state"] == "not reached" and found["endpoints"][1]["error"]
    by_name = {x["name"]: x for x in found["experts"]}
    assert by_name["gpt-4o"]["price"] == {"input": 2.5, "output": 10, "from": "catalogue"} and by_name["gpt-4o"]["marked"]
    assert by_name["ft:gpt-4o:me::1"]["price"] is None and not by_name["ft:gpt-4o:me::1"]["marked"]
    assert "o1-pro" not in by_name


def test_mistakes(init, leeroo, tmp_path):
    done = init("--list", local="nowhere")
    assert done.returncode == 1 and "--local: 'nowhere' is neither HOST:PORT nor the base URL of an API" in done.stderr
    done = init("--list", OPENAI_BASE_URL="localhost:8000")
    assert done.returncode == 1 and "OPENAI_BASE_URL is no URL: it must be like https://api.openai.com/v1" in done.stderr
    done = subprocess.run([leeroo, "init", "x.yaml"], capture_output=True, text=True, timeout=30, cwd=tmp_path)
    assert done.returncode == 2 and "-o" in done.stderr


class Terminal:
    """The command with a person in front of it."""

    def __init__(self, arguments, cwd, env):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(arguments, stdin=slave, stdout=subprocess.PIPE, stderr=slave, cwd=cwd, env=env, text=True)
        os.close(slave)
        self.text = ""

    def expect(self, words, seconds=20):
        end = time.monotonic() + seconds
        while words not in self.text:
            assert select.select([self.master], [], [], max(0, end - time.monotonic()))[0], f"no '{words}' in\n{self.text}"
            try:
                self.text += os.read(self.master, 65536).decode().replace("\r\n", "\n")
            except OSError:
                raise AssertionError(f"no '{words}' in\n{self.text}") from None
        before, self.text = self.text.split(words, 1)
        return before

    def say(self, line):
        os.write(self.master, line.encode() + b"\n")

    def end(self):
        out = self.process.communicate(timeout=20)[0]
        os.close(self.master)
        return self.process.returncode, out


@pytest.fixture
def terminal(leeroo, tmp_path):
    def start(*arguments, **env):
        return Terminal([leeroo, "init", *arguments], tmp_path, clean(env))
    return start


def test_a_choice_on_a_terminal(terminal, endpoints, written):
    e = endpoints({"/v1/models": OPENAI, "/local/models": VLLM})
    t = terminal("--local", f"{e.url}/local", OPENAI_API_KEY="sk-0123456789", OPENAI_BASE_URL=f"{e.url}/v1")
    table = t.expect("Which? Numbers (1,3-5) or names; empty: those with a *. ")
    assert "   1 * gpt-4o " in table and "   2   gpt-4o-2024-08-06" in table and "vLLM at" in table
    t.say("99")
    t.expect("there is no '99' among what was found\nWhich?")
    t.say("5")
    t.expect("no price is known for 'ft:gpt-4o:me::1'")
    t.expect("Which?")
    t.say("3, Qwen2.5-7B-Instruct")
    code, out = t.end()
    assert code == 0 and re.search(r"leeroo.yaml: 2 experts, of \d+ models that were found; --experts takes others. Next:", out)
    assert list(experts(written(OPENAI_API_KEY="sk-0123456789"))) == ["gpt-4o-mini", "Qwen2.5-7B-Instruct"]


def test_an_empty_line_takes_what_is_marked(terminal, endpoints, written):
    e = endpoints({"/v1/models": OPENAI})
    t = terminal("--local", f"127.0.0.1:{free_port()}", OPENAI_API_KEY="sk-0123456789", OPENAI_BASE_URL=f"{e.url}/v1")
    t.expect("Which?")
    t.say("")
    assert t.end()[0] == 0
    assert list(experts(written(OPENAI_API_KEY="sk-0123456789"))) == ["gpt-4o", "gpt-4o-mini", "o3"]


def test_consent_on_a_terminal(terminal, endpoints, tmp_path):
    e = endpoints({"/v1/models": VLLM})
    t = terminal("--local", e.host, GROQ_API_KEY="qk-0123456789", GROQ_BASE_URL="https://192.0.2.2/v1")
    asked = t.expect("Ask them for their lists of models? That costs nothing. [Y/n] ")
    assert "192.0.2.2 (https://192.0.2.2/v1, GROQ_API_KEY)" in asked
    t.say("n")
    assert "192.0.2.2 (https://192.0.2.2/v1, GROQ_API_KEY): not asked" in t.expect("Which?")
    os.write(t.master, b"\x04")  # the end of the input
    code, _ = t.end()
    assert code == 1 and not (tmp_path / "leeroo.yaml").exists()
