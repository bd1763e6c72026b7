"""A web page on another port, in Chromium: refused, until `cors` lets it chat and stream."""

import json
import os
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from programs import INSTALL, NODE, PACKAGES, ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def missing():
    """Why it cannot run here; empty: it can."""
    if not (PACKAGES / "playwright-core").exists():
        return f"playwright-core is not installed: {INSTALL}"
    if not CHROMIUM:
        return f"chromium is not installed: {INSTALL}"
    return "" if NODE else "playwright-core needs node"


pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def page():
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>A page</title>")

        def log_message(self, *arguments):
            pass
    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def visit(page, gateway, key=""):
    done = subprocess.run([NODE, ROOT / "tests" / "clients" / "browser.mjs", page, gateway.url, key], capture_output=True,
                          text=True, timeout=120, env={**os.environ, "CHROMIUM": CHROMIUM}, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def expect_served(seen, simple=415):
    assert seen["models"]["status"] == 200 and any(m["id"] == "cheap" for m in seen["models"]["body"]["data"])
    assert seen["chat"]["status"] == 200 and seen["chat"]["expert"] == "cheap"
    assert seen["chat"]["body"]["choices"][0]["message"]["content"].startswith("hello")
    assert seen["error"]["status"] == 404 and seen["error"]["body"]["error"]["code"] == "model_not_found"
    assert seen["stream"]["status"] == 200 and seen["stream"]["expert"] == "cheap"
    assert "".join(seen["stream"]["pieces"]).rstrip().endswith("data: [DONE]")
    assert seen["simple"]["status"] == simple, "what a browser sends without asking is not enough"


def test_a_page_is_refused_until_cors_lets_it(page, upstream, start_gateway):
    seen = visit(page, start_gateway())
    assert all("refused" in got for got in seen.values()), seen
    assert not upstream.requests, "not even unread"
    expect_served(visit(page, start_gateway(top=f'cors: {{origins: ["{page}"]}}')))


def test_a_page_with_a_key(page, leeroo, tmp_path, start_gateway):
    made = [leeroo, "keys", "create", "--name", "page", "--file", tmp_path / "keys.json"]
    key = subprocess.run(made, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    gateway = start_gateway(top=f'keys: {tmp_path / "keys.json"}\ncors: {{origins: ["{page}"]}}')
    expect_served(visit(page, gateway, key), simple=401)
    seen = visit(page, gateway)
    assert seen["chat"]["status"] == 401, "the page reads why"
