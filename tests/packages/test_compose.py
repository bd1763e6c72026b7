"""compose.yaml as Docker Compose reads it: by the library that Compose itself is made with."""

import json
import subprocess

from conftest import ROOT, go_tool


def composed(path):
    return subprocess.run([go_tool("compose-go"), "-format", "json", path], capture_output=True, text=True, timeout=120,
                          check=False)


def test_compose_takes_it():
    done = composed(ROOT / "compose.yaml")
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert services["leeroo"]["environment"]["LEDGER_URL"] == "postgresql://leeroo:leeroo@postgres/leeroo"
    assert services["leeroo"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert {port["host_ip"] for service in services.values() for port in service.get("ports", [])} == {"127.0.0.1"}


def test_a_mistake_is_found(tmp_path):
    path = tmp_path / "compose.yaml"
    path.write_text((ROOT / "compose.yaml").read_text().replace("read_only:", "readonly:"))
    done = composed(path)
    assert done.returncode != 0 and "readonly" in done.stdout + done.stderr
