"""A real Prometheus, as compose.yaml has it, scrapes a gateway: every query of the dashboard and every alert means something.

Grafana is in no registry that is reached here, so the dashboard's form is held to what tests/checks knows of it, and what
it would show is asked of Prometheus itself."""

import json
import os
import re
import subprocess
import time
import urllib.parse

import httpx
import pytest
import stub
import yaml
from conftest import ROOT, need, run

LEEROO = os.environ.get("LEEROO_BIN", str(ROOT / "build" / "leeroo"))
COMPOSE = ROOT / "dist" / "compose"
DASHBOARD = json.loads((ROOT / "dist" / "grafana" / "leeroo.json").read_text())
QUERIES = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
# Nothing of the kind happens in this test: no check, no encoder, no budget, nothing lost.
QUIET = {"Checks", "Tokens that an encoder reads", "Budgets: USD per 1,000 requests", "Answers from the cache", "Lost and dropped",
         "Retries, failovers, hedges", "Failed", "Circuits that opened", "Time to first token, p95", "Calls that fail", "Refused"}
CONFIG = """listen: 127.0.0.1:0
state_dir: {folder}
experts:
  - {{name: stub, url: "{url}/v1", price: {{input: 0.1, output: 0.2}}}}
  - {{name: dear, url: "{url}/v1", price: {{input: 10, output: 20}}}}   # the reference; never worth its price
policies:
  default: {{lambda: 1e6}}
"""


def started(argv, pattern, lines):
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        lines.append(line)
        if found := re.search(pattern, line):
            return process, found[1]
    raise AssertionError("".join(lines))


def ask(base, key, stream=False):
    body = {"model": "leeroo", "messages": [{"role": "user", "content": "What is 17 * 23?"}], "stream": stream}
    r = httpx.post(base + "/v1/chat/completions", headers={"authorization": f"Bearer {key}"}, json=body, timeout=30)
    assert r.status_code == 200, r.text


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """Its URL, a client's key, and the file with the key of the scraper."""
    folder = tmp_path_factory.mktemp("gateway")
    lines, running = [], []
    try:
        data = stub.write(folder / "data")
        process, upstream = started([LEEROO, "replay", data, "--listen", "127.0.0.1:0"], r"msg=listening.* addr=(\S+)", lines)
        running.append(process)
        config = folder / "leeroo.yaml"
        config.write_text(CONFIG.format(folder=folder / "state", url=f"http://{upstream}"))
        keys = [run(LEEROO, "keys", "create", "-c", config, *more).stdout.strip()
                for more in (["--name", "me"], ["--metrics", "--name", "prometheus"])]
        (folder / "metrics_key").write_text(keys[1])
        process, address = started([LEEROO, "serve", "-c", config], r"msg=listening.* addr=(\S+)", lines)
        running.append(process)
        yield f"http://{address}", keys[0], folder / "metrics_key"
    finally:
        for process in running:
            process.terminate()
            process.wait(30)


class Prometheus:
    def __init__(self, folder, gateway_url, key_file):
        config = yaml.safe_load((COMPOSE / "prometheus.yaml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        job = config["scrape_configs"][0]
        job["authorization"]["credentials_file"] = str(key_file)
        job["static_configs"][0]["targets"] = [gateway_url.removeprefix("http://")]
        config["rule_files"] = [str(COMPOSE / "alerts.yaml")]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        run("promtool", "check", "config", folder / "prometheus.yml")
        lines = []
        self.process, address = started(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             "--web.listen-address=127.0.0.1:0"], r'msg="?Listening on"? .*address=(\S+)', lines)
        self.url = f"http://{address}"

    def get(self, path):
        return httpx.get(self.url + "/api/v1/" + path, timeout=30).json()

    def query(self, expression):
        answer = self.get("query?query=" + urllib.parse.quote(expression))
        assert answer["status"] == "success", f"{expression}: {answer}"
        return answer["data"]["result"]


@pytest.fixture(scope="module")
def prometheus(gateway, tmp_path_factory):
    """With what half a minute of requests has left in it."""
    need("prometheus", "promtool")
    url, key, key_file = gateway
    server = Prometheus(tmp_path_factory.mktemp("prometheus"), url, key_file)
    end = time.monotonic() + 60
    try:
        samples = 0
        while samples < 8 and time.monotonic() < end:
            ask(url, key)
            ask(url, key, stream=True)
            time.sleep(0.5)
            found = server.query("count_over_time(leeroo_build_info[1m])")
            samples = int(found[0]["value"][1]) if found else 0
        assert samples >= 8, server.get("targets")
        yield server
    finally:
        server.process.terminate()
        server.process.wait(30)


def as_grafana_asks(expression):
    return expression.replace("$instance", ".*").replace("$policy", ".*").replace("$__rate_interval", "1m")


def test_the_page_is_clean(gateway):
    """promtool's own lint of names, types and help."""
    need("promtool")
    url, _, key_file = gateway
    page = httpx.get(url + "/metrics", headers={"authorization": f"Bearer {key_file.read_text()}"}, timeout=30).text
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 3), done.stderr  # 3: matters of style
    assert "error" not in done.stderr.lower(), done.stderr


def test_it_scrapes_with_a_key_of_its_own(prometheus):
    targets = prometheus.get("targets")["data"]["activeTargets"]
    assert [target["health"] for target in targets] == ["up"], targets


@pytest.mark.parametrize("title, expression", QUERIES)
def test_every_panel_shows_something(prometheus, title, expression):
    found = prometheus.query(as_grafana_asks(expression))
    assert found or title in QUIET, expression
    for series in found:
        assert "leeroo" not in series["metric"].get("__name__", "leeroo") or series["value"]


def test_what_the_panels_show_is_true(prometheus):
    by_title = dict(QUERIES)
    mix = prometheus.query(as_grafana_asks(by_title["The mix"]))
    assert [(series["metric"]["expert"], round(float(series["value"][1]), 6)) for series in mix] == [("stub", 1.0)]
    ledger = prometheus.query(as_grafana_asks(by_title["Ledger"]))
    assert float(ledger[0]["value"][1]) == 1
    assert float(prometheus.query(as_grafana_asks(by_title["Requests a second"]))[0]["value"][1]) > 0.1


def test_alerts_are_evaluated_and_silent(prometheus):
    rules = [rule for group in prometheus.get("rules")["data"]["groups"] for rule in group["rules"]]
    assert len(rules) >= 9
    assert {rule["name"]: rule["health"] for rule in rules if rule["health"] != "ok"} == {}
    assert [rule["name"] for rule in rules if rule["state"] != "inactive"] == []
