"""leeroo health from outside: ready, not there, shutting down, waited for, and whom it asks."""

import subprocess
import threading

import httpx
import pytest
from conftest import free_port
from serving import JsonServer, serving


class Readiness(JsonServer):
    """Says 503 for so many requests, then 200."""

    def __init__(self, refusals=0, status=503):
        super().__init__()
        self.refusals, self.status, self.paths = refusals, status, []

    def reply(self, method, path, headers, body):
        with self.lock:
            self.paths.append(path)
            self.refusals -= 1
            return (self.status if self.refusals >= 0 else 200), {}


@pytest.fixture
def readiness():
    yield from serving(Readiness)


def health(leeroo, *words, cwd=None):
    return subprocess.run([leeroo, "health", *map(str, words)], capture_output=True, text=True, timeout=60, check=False,
                          cwd=cwd)


def test_a_gateway_that_is_ready(leeroo, gateway):
    url = gateway.url.removesuffix("/v1")
    done = health(leeroo, url)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{url} is ready\n", "")
    assert health(leeroo, url + "/", "-q").stdout == ""
    assert httpx.get(url + "/readyz").status_code == 200


def test_it_asks_for_readiness_alone(leeroo, readiness):
    server = readiness()
    assert health(leeroo, server.url).returncode == 0
    assert server.paths == ["/readyz"]


def test_nobody_there(leeroo):
    url = f"http://127.0.0.1:{free_port()}"
    done = health(leeroo, url)
    assert done.returncode == 1 and done.stdout == ""
    assert f"nobody answers at {url}: " in done.stderr and "Connection refused" in done.stderr


def test_one_that_shuts_down_and_one_that_is_no_gateway(leeroo, readiness):
    done = health(leeroo, readiness(refusals=1).url)
    assert done.returncode == 1 and "shutting down" in done.stderr
    done = health(leeroo, readiness(refusals=1, status=404).url)
    assert done.returncode == 1 and "/readyz answers 404" in done.stderr


def test_it_waits(leeroo, readiness):
    server = readiness(refusals=3)
    assert health(leeroo, server.url, "--wait", "30").returncode == 0
    assert len(server.paths) == 4
    never = readiness(refusals=10**6)
    assert health(leeroo, never.url, "--wait", "0.7").returncode == 1
    assert 2 <= len(never.paths) <= 5


def test_it_waits_for_one_that_is_not_there_yet(leeroo, tmp_path):
    done = []
    port = free_port()
    waiting = threading.Thread(target=lambda: done.append(health(leeroo, f"http://127.0.0.1:{port}", "--wait", "2")))
    waiting.start()
    waiting.join()
    assert done[0].returncode == 1 and "nobody answers" in done[0].stderr


def config(folder, listen, more=""):
    path = folder / "leeroo.yaml"
    path.write_text(f"listen: {listen}\n{more}experts:\n  - {{name: a, url: http://127.0.0.1:9/v1, api_key: env:NOBODY_HAS}}\n")
    return path


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_address_is_that_of_the_configuration(leeroo, readiness, tmp_path, host):
    server = readiness()
    path = config(tmp_path, f"{host}:{server.server_port}", "" if host == "127.0.0.1" else "allow_remote: true\n")
    for done in (health(leeroo, cwd=tmp_path), health(leeroo, "-c", path)):
        assert (done.returncode, done.stdout) == (0, f"{server.url} is ready\n"), done.stderr


def test_tls_wants_a_name(leeroo, tmp_path):
    path = config(tmp_path, "127.0.0.1:8443", "tls: {certificate: c.pem, key: k.pem}\n")
    done = health(leeroo, "-c", path)
    assert done.returncode == 2
    assert "https://gateway.example:8443" in done.stderr


def test_what_is_wrong_is_said(leeroo, tmp_path):
    assert "'127.0.0.1:8080' is no URL" in health(leeroo, "127.0.0.1:8080").stderr
    assert "expected one URL" in health(leeroo, "http://a", "http://b").stderr
    done = health(leeroo, "-c", tmp_path / "none.yaml")
    assert done.returncode == 1 and "none.yaml: No such file" in done.stderr
