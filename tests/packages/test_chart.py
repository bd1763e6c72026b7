"""The Helm chart: linted, rendered in its variants, held to Kubernetes' schemas, and its configuration to the program.

helm and kubeconform come by Go's module proxy, schemas out of PyPI's kubernetes-validate. kubeconform is not told of the
ServiceMonitor, which is the Prometheus operator's kind."""

import json
import os
import re
import shutil
import subprocess
from importlib import resources

import pytest
import yaml
from conftest import ROOT, go_tool, run

CHART = ROOT / "dist" / "helm" / "leeroo"
LEEROO = os.environ.get("LEEROO_BIN", str(ROOT / "build" / "leeroo"))
RELEASES = ["v1.25.0", "v1.37.0"]
KINDS = ["deployment-apps-v1", "service-v1", "configmap-v1", "persistentvolumeclaim-v1", "poddisruptionbudget-policy-v1",
         "ingress-networking-v1"]
VARIANTS = {
    "as-it-comes": [],
    "everything": ["ingress.enabled=true", "ingress.tlsSecret=tls", "podDisruptionBudget.enabled=true", "expertKeysSecret=experts",
                   "metrics.serviceMonitor.enabled=true", "metrics.serviceMonitor.keySecret=m", "metrics.dashboard.enabled=true",
                   "ledgerSecret=ledger", "clientKeysSecret=clients", "persistence.storageClass=fast"],
    "no-volume": ["persistence.enabled=false", "replicas=3", "auth=off"],
}


def rendered(variant):
    settings = [word for each in VARIANTS[variant] for word in ("--set", each)]
    return run(go_tool("helm"), "template", "try", CHART, *settings).stdout


@pytest.fixture(scope="session", params=RELEASES)
def schemas(request, tmp_path_factory):
    """Schemas of one release of Kubernetes, each in a file of its own with what it refers to."""
    package = resources.files(pytest.importorskip("kubernetes_validate"))
    source = package / "kubernetes-json-schema" / f"{request.param}-local-strict"
    if not source.is_dir():
        pytest.skip(f"skipped: kubernetes-validate has no schemas of {request.param}")
    folder = tmp_path_factory.mktemp(request.param)
    parts = json.loads((source / "_definitions.json").read_text())["$defs"]
    for kind in KINDS:
        schema = json.loads((source / f"{kind}.json").read_text()) | {"$defs": parts}
        (folder / f"{kind}.json").write_text(json.dumps(schema).replace("/api/_definitions.json#/", "#/"))
    return folder


def conforms(schemas, text):
    return subprocess.run([go_tool("kubeconform"), "-strict", "-summary", "-skip", "ServiceMonitor", "-schema-location",
                           f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json", "-"], input=text, capture_output=True,
                          text=True, timeout=120, check=False)


def test_helm_finds_nothing_wrong():
    assert "0 chart(s) failed" in run(go_tool("helm"), "lint", "--strict", CHART).stdout


@pytest.mark.parametrize("variant", VARIANTS)
def test_kubernetes_takes_it(schemas, variant):
    done = conforms(schemas, rendered(variant))
    assert done.returncode == 0 and "Invalid: 0, Errors: 0" in done.stdout, done.stdout


def test_a_mistake_is_found(schemas):
    done = conforms(schemas, rendered("as-it-comes").replace("runAsNonRoot", "runAsNoRoot"))
    assert done.returncode == 1 and "runAsNoRoot" in done.stdout


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_gateway_takes_its_configuration(variant, tmp_path):
    documents = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(rendered(variant)) if each}
    text = documents["ConfigMap", "try-leeroo"]["data"]["leeroo.yaml"]
    assert yaml.safe_load(text)["listen"] == "0.0.0.0:8080"
    config = tmp_path / "leeroo.yaml"
    keys = tmp_path / "keys.json"
    run(LEEROO, "keys", "create", "--name", "a", "--file", keys)
    config.write_text(text.replace("0.0.0.0:8080", "0.0.0.0:0").replace("/var/lib/leeroo", str(tmp_path))
                      .replace("/etc/leeroo-keys/keys.json", str(keys)))
    done = run(LEEROO, "check", "-c", config, check=False, env={**os.environ, "LEDGER_URL": "postgresql://n@127.0.0.1:1/leeroo"})
    assert "llama3.2:3b" in done.stdout and ("PostgreSQL" in done.stdout + done.stderr) == (variant == "everything")
    assert done.returncode == 0 or variant == "everything", done.stderr
    if variant == "everything":
        assert json.loads(documents["ConfigMap", "try-leeroo-dashboard"]["data"]["leeroo.json"])["title"] == "Leeroo"


def test_the_notes_tell_how_the_first_key_is_made(tmp_path):
    """helm renders notes for a cluster only, so they are made a document of here."""
    chart = tmp_path / "leeroo"
    shutil.copytree(CHART, chart)
    notes = (chart / "templates" / "NOTES.txt").read_text()
    (chart / "templates" / "notes.yaml").write_text(
        '{{ define "notes" }}' + notes + '{{ end }}\nkind: Notes\ntext: {{ include "notes" . | quote }}\n')
    text = next(each["text"] for each in yaml.safe_load_all(run(go_tool("helm"), "template", "try", chart).stdout)
                if each and each["kind"] == "Notes")
    overrides = json.loads(re.search(r"--overrides='(.*)'", text)[1])["spec"]
    assert overrides["containers"][0]["args"][:2] == ["keys", "create"]
    assert overrides["volumes"][0]["persistentVolumeClaim"] == {"claimName": "try-leeroo"}
    assert "service/try-leeroo 8080:8080" in text
