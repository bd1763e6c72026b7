"""What packages are made of: the image, compose.yaml, the dashboard, the alerts, the chart, Debian's files, the SBOM.

The packages themselves are made and tried in tests/packages; here is what can be held against the sources."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "packages"))
from readme import ways  # noqa: E402

DIST = ROOT / "dist"
LEEROO = os.environ.get("LEEROO_BIN", str(ROOT / "build" / "leeroo"))
VERSION = re.search(r"version: '([\d.]+)'", (ROOT / "meson.build").read_text())[1]
DASHBOARD = json.loads((DIST / "grafana" / "leeroo.json").read_text())
ALERTS = yaml.safe_load((DIST / "compose" / "alerts.yaml").read_text())
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())


def known_metrics():
    """Names in the first column of the table of docs/running.md."""
    rows = re.findall(r"^\| (`leeroo_[^|]*|`process[^|]*) \|", (ROOT / "docs" / "running.md").read_text(), re.M)
    return {name for row in rows for name in re.findall(r"`([a-z_*]+)`", row)}


def metrics_in(query):
    """What a PromQL expression reads, without what a histogram adds to its name."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}', "", query)
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\b(?:leeroo|process)_\w+", bare)}


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def test_the_dashboard_asks_for_metrics_that_there_are():
    known = known_metrics()
    assert len(known) > 40 and "process_*" in known
    queries = [target["expr"] for panel in panels() for target in panel["targets"]]
    queries += [variable["query"]["query"] for variable in DASHBOARD["templating"]["list"] if variable["type"] == "query"]
    assert len(queries) > 40
    for query in queries:
        names = {name for name in metrics_in(query) if not name.startswith("process_")}
        assert metrics_in(query) and names <= known, query


def test_the_dashboard_is_whole():
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", " ".join(t["expr"] for p in panels() for t in p["targets"]))) - {"__rate_interval"}
    assert used == {"instance", "policy"} and used < variables
    assert all(target["datasource"]["uid"] == "${datasource}" for panel in panels() for target in panel["targets"])


def test_alerts_are_those_of_the_documentation():
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    worth = re.search(r"Worth an alert:(.*?)\n\n", (ROOT / "docs" / "running.md").read_text(), re.S)[1]
    for name in re.findall(r"`(leeroo_\w+)", worth):
        assert any(name in rule["expr"] for rule in rules), name
    assert all(metrics_in(rule["expr"]) <= known_metrics() for rule in rules)


def test_compose_names_what_there_is():
    services = COMPOSE["services"]
    assert set(services) == {"leeroo", "postgres", "prometheus", "grafana"}
    for name, service in services.items():
        assert name == "leeroo" or re.fullmatch(r"docker\.io/\S+:v?\d[\d.]*", service["image"]), service["image"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], volume
    own = services["leeroo"]
    assert own["read_only"] and own["cap_drop"] == ["ALL"] and "LEDGER_URL" in own["environment"]
    assert (DIST / "compose" / Path(own["command"][2]).name).exists()
    scrape = yaml.safe_load((DIST / "compose" / "prometheus.yaml").read_text())["scrape_configs"][0]
    assert scrape["static_configs"] == [{"targets": ["leeroo:8080"]}]
    assert Path(scrape["authorization"]["credentials_file"]).name in services["prometheus"]["secrets"]


def test_the_image_gives_away_little():
    lines = (ROOT / "Dockerfile").read_text().split("\nFROM ")[-1]
    assert re.search(r"^USER 10001:10001$", lines, re.M) and re.search(r"^VOLUME /var/lib/leeroo$", lines, re.M)
    check = json.loads(re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", lines, re.M)[1])
    assert check[:2] == ["/usr/bin/leeroo", "health"]
    assert json.loads(re.search(r"^ENTRYPOINT (\[.*\])$", lines, re.M)[1]) == ["/usr/bin/leeroo"]
    assert "10001" in (DIST / "helm" / "leeroo" / "templates" / "deployment.yaml").read_text()


@pytest.mark.parametrize("path", ["docker/leeroo.yaml", "compose/gateway.yaml", "debian/leeroo.yaml"])
def test_configurations_are_accepted(path, tmp_path):
    """As they come, and with the experts that they suggest; the state is looked for here."""
    text = (DIST / path).read_text().replace("/var/lib/leeroo", str(tmp_path))
    suggested = re.sub(r"^#(  (?:- |  ))", r"\1", text, flags=re.M)
    subprocess.run([LEEROO, "keys", "create", "--name", "a", "--file", tmp_path / "keys.json"], check=True, timeout=60,
                   capture_output=True)
    for name, content in (("as-it-comes", text), ("suggested", suggested)):
        config = tmp_path / f"{name}.yaml"
        config.write_text(re.sub(r"^listen: (\S+):8080", r"listen: \1:0", content, flags=re.M))
        done = subprocess.run([LEEROO, "check", "-c", config], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "OPENAI_API_KEY": "x" * 20, "ANTHROPIC_API_KEY": "y" * 20,
                                   "LEDGER_URL": "none" if "compose" not in path else "postgresql://nobody@127.0.0.1:1/leeroo"})
        assert "llama3.2:3b" in done.stdout, done.stdout + done.stderr
        assert "unknown" not in done.stderr and (done.returncode == 0 or "compose" in path), done.stderr
    assert path == "docker/leeroo.yaml" or "claude-sonnet-4-5" in done.stdout


def test_the_chart_has_the_version_and_the_dashboard():
    chart = yaml.safe_load((DIST / "helm" / "leeroo" / "Chart.yaml").read_text())
    assert chart["version"] == VERSION and chart["appVersion"] == VERSION
    assert json.loads((DIST / "helm" / "leeroo" / "leeroo.json").read_text()) == DASHBOARD


def test_debian_files_fit_the_program():
    rules = (DIST / "debian" / "rules").read_text()
    assert "--no-enable --no-start" in rules and "--fail-missing" in rules
    installed = (DIST / "debian" / "leeroo.install").read_text().split()
    assert {"usr/bin/leeroo", "usr/share/man/man5", "usr/share/bash-completion"} <= set(installed)
    assert f"leeroo_{VERSION}-1_amd64.deb" in (ROOT / "README.md").read_text()


def test_three_ways_of_three_commands():
    assert len(ways()) == 3 and all(len(way) == 3 for way in ways())
    assert [way[0].split()[0] for way in ways()] == ["docker", "sudo", "make"]
    assert len({way[2] for way in ways()}) == 1


def test_the_bill_of_materials_lists_what_is_linked(tmp_path):
    path = tmp_path / "sbom.json"
    subprocess.run([ROOT / "scripts" / "sbom", LEEROO, path], check=True, timeout=300)
    bill = json.loads(path.read_text())
    assert bill["bomFormat"] == "CycloneDX" and bill["metadata"]["component"]["version"] == VERSION
    sonames = {p["value"] for c in bill["components"] for p in c["properties"] if p["name"] == "leeroo:soname"}
    dynamic = subprocess.run(["readelf", "-d", LEEROO], capture_output=True, text=True, timeout=60, check=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(\S+)\]", dynamic))
    assert len(needed) > 5 and needed <= sonames
    names = {component["name"] for component in bill["components"]}
    said = subprocess.run([LEEROO, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    assert ("llama.cpp" in names) == ("without llama.cpp" not in said)
    references = [component["bom-ref"] for component in bill["components"]]
    assert len(references) == len(set(references)) and bill["dependencies"][0]["dependsOn"] == references
