"""The log as JSON: every line of standard error is one object, with the fields that the text has."""

import json
import os
import re
import subprocess

import httpx
import pytest

from conftest import KEY, Process, write_config

HOSTILE = 'evil"} {"level":"error" a=b \\ \n\x01\u202e€'


class JsonGateway(Process):
    def __init__(self, leeroo, config, *options):
        super().__init__([leeroo, "serve", "-c", str(config), *options], UP_KEY=KEY)
        self.url = "http://" + self.wait_line(r'"msg":"listening","addr":"([^"]+)"').group(1)

    def ask(self, model):
        return httpx.post(f"{self.url}/v1/chat/completions", timeout=30,
                          json={"model": model, "messages": [{"role": "user", "content": "hello cat"}]})

    def objects(self):
        return [json.loads(line) for line in self.lines if line]


@pytest.fixture
def start(leeroo, model_file, upstream, tmp_path):
    running = []

    def run(*options, **config):
        running.append(JsonGateway(leeroo, write_config(tmp_path, model_file, upstream.url, **config), *options))
        return running[-1]
    yield run
    for g in running:
        assert g.stop() == 0, g.text


@pytest.mark.parametrize("options,top", [((), "log: json"), (("--log-format", "json"), ""),
                                         (("--log-format", "json"), "log: text")])
def test_each_line_is_one_object(start, options, top):
    gateway = start(*options, top=top)
    answer = gateway.ask("leeroo")
    assert answer.status_code == 200
    gateway.wait_line(rf'"req":"{answer.headers["x-leeroo-request-id"]}"')
    assert gateway.stop() == 0
    lines = gateway.objects()
    assert {"listening", "request", "stopped"} <= {line["msg"] for line in lines}
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"]) for line in lines)
    (line,) = [line for line in lines if line["msg"] == "request"]
    assert (line["status"], line["plan"], line["model"], line["attempts"]) == (200, "single", "leeroo", 1)
    assert isinstance(line["cost_usd"], float) and isinstance(line["lambda"], (int, float))


def test_what_a_client_sends_stays_in_its_field(start):
    gateway = start(top="log: json")
    assert gateway.ask(HOSTILE).status_code == 404
    assert gateway.ask("1234").status_code == 404
    gateway.wait_line(r'"model":"1234"')
    lines = [line for line in gateway.objects() if line["msg"] == "request"]
    assert [line["status"] for line in lines] == [404, 404] and all(line["level"] == "info" for line in lines)
    assert lines[0]["model"].startswith('evil"} {"level":"error" a=b \\ ') and "€" in lines[0]["model"]
    assert lines[1]["model"] == "1234", "names are strings"


def test_a_reload_takes_the_format_up(start, leeroo, model_file, upstream, tmp_path):
    gateway = start(top="log: json")
    write_config(tmp_path, model_file, upstream.url, top="log: text")
    gateway.wait_line("^ts=.* msg=reloaded ")
    write_config(tmp_path, model_file, upstream.url, top="log: json")
    gateway.wait_line('"msg":"reloaded"')


def test_that_it_cannot_serve_is_such_a_line_too(leeroo, tmp_path):
    (tmp_path / "leeroo.yaml").write_text("experts: []\ntreads: 1\n")
    run = subprocess.run([leeroo, "serve", "-c", "leeroo.yaml", "--log-format", "json"], capture_output=True, text=True,
                         cwd=tmp_path, timeout=60, env={**os.environ})
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert run.returncode == 1 and [line["msg"] for line in lines] == ["cannot serve"] * 2
    assert [line["err"].split(" ")[0] for line in lines] == ["leeroo.yaml:1:10:", "leeroo.yaml:2:1:"]
    wrong = subprocess.run([leeroo, "serve", "--log-format", "xml"], capture_output=True, text=True, timeout=60)
    assert wrong.returncode == 2 and "--log-format must be text or json, not 'xml'" in wrong.stderr
