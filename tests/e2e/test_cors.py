"""Web pages: which may call, what their browsers are told, and names that pages point here (DNS rebinding)."""

import re

from conftest import ROOT, wait_for
from test_door import BODY, CHAT, asked, head
from test_keys import STATE, bearer, desk  # noqa: F401
from upstream import status

PAGE = "http://chat.example:5173"
CORS = f'cors: {{origins: ["{PAGE}"]}}'
PREFLIGHT = {"origin": PAGE, "access-control-request-method": "POST",
             "access-control-request-headers": "authorization,content-type,x-stainless-os"}


def call(gateway, host, path="/v1/models", method="GET", **headers):
    return gateway.client.request(method, path, headers={"host": host, **headers},
                                  content=BODY if method == "POST" else None)


def test_without_keys_only_loopback_names_are_answered(upstream, start_gateway):
    """A page that points its own name here (DNS rebinding) gets nothing. hermes-agent #21939, gptme #3324."""
    g = start_gateway()
    port = g.address.rsplit(":", 1)[1]
    for host in ("localhost", f"localhost:{port}", "127.0.0.1", g.address, f"[::1]:{port}", "leeroo.localhost", "gateway"):
        assert call(g, host).status_code == 200, host
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"):
        for method, path in (("GET", "/v1/models"), ("GET", "/metrics"), ("POST", CHAT), ("POST", "/v1/messages"), ("GET", "/nowhere")):
            r = call(g, host, path, method, **{"content-type": "application/json"})
            assert r.status_code == 403 and "`hosts`" in r.text and "leeroo keys create" in r.text, (host, path)
    absolute = head("GET", f"http://evil.example:{port}/v1/models")
    assert asked(g, absolute).startswith("HTTP/1.1 403 ")
    assert asked(g, b"GET /v1/models HTTP/1.0\r\n\r\n").startswith("HTTP/1.1 200 "), "no browser"
    assert call(g, "evil.example", "/healthz").status_code == 200
    assert not upstream.requests


def test_hosts_lets_a_proxy_in_front_keep_the_name(desk, start_gateway):
    g = start_gateway(top=STATE + "\nhosts: [leeroo.example]")
    assert call(g, "leeroo.example").status_code == call(g, "LEEROO.example:443").status_code == 200
    assert call(g, "evil.example").status_code == 403
    key = desk.create("a")
    wait_for(lambda: call(g, "localhost").status_code == 401)
    assert call(g, "evil.example", **bearer(key)).status_code == 200, "who has a key is no page"


def test_without_keys_pages_are_refused(upstream, start_gateway):
    """Also with what a browser sends without asking first."""
    g = start_gateway()
    for origin in (PAGE, "null", "https://localhost:3000"):
        for kind in ("text/plain", "application/json"):
            r = call(g, "localhost", CHAT, "POST", origin=origin, **{"content-type": kind})
            assert r.status_code == 403 and "cors" in r.text and "access-control-allow-origin" not in r.headers
        assert call(g, "localhost", origin=origin).status_code == 403
    assert g.client.options(CHAT, headers=PREFLIGHT).status_code == 403
    assert not upstream.requests
    assert call(g, g.address, origin=g.url).status_code == 200, "its own"


def test_a_page_that_is_listed_may_call(desk, upstream, start_gateway):
    """Permission without a key, headers on answers, errors and streams. BricksLLM #45, llama.cpp #6544."""
    g = start_gateway(top=STATE + "\n" + CORS + "\nauth: required\nlimits: {body: 1KiB}", expert="retries: 0")
    key = desk.create("a")
    wait_for(lambda: g.client.get("/v1/models", headers=bearer(key)).status_code == 200)
    for path in (CHAT, "/v1/messages", "/v1/models", "/nowhere"):
        r = g.client.options(path, headers={**PREFLIGHT, "access-control-request-private-network": "true"})
        assert r.status_code == 204 and r.headers["access-control-allow-origin"] == PAGE, path
        assert "POST" in r.headers["access-control-allow-methods"] and r.headers["access-control-max-age"] == "600"
        assert r.headers["access-control-allow-headers"] == PREFLIGHT["access-control-request-headers"]
        assert "Origin" in r.headers.get_list("vary", split_commas=True)
        assert r.headers["access-control-allow-private-network"] == "true"
    upstream.on("dear", status(400))

    def ask(content="hello", **more):
        headers = {"origin": PAGE, **bearer(key), **more.pop("headers", {})}
        return g.client.post(CHAT, json={"model": "mid", "messages": [{"role": "user", "content": content}], **more}, headers=headers)
    answers = [ask(), ask(stream=True), ask(model="none"), ask(model="dear"), ask("x" * 2000), ask(leeroo=1),
               ask(headers={"authorization": "Bearer lr-x"}), ask(headers={"content-type": "text/plain"})]
    assert [r.status_code for r in answers] == [200, 200, 404, 400, 413, 400, 401, 415]
    for r in answers:
        assert r.headers["access-control-allow-origin"] == PAGE and "Origin" in r.headers.get_list("vary", split_commas=True)
        assert "x-leeroo-expert" in r.headers["access-control-expose-headers"]
    bad = asked(g, head("POST", CHAT, f"Origin: {PAGE}", "Content-Length: 99999"))
    assert bad.startswith("HTTP/1.1 413 ") and f"access-control-allow-origin: {PAGE}\r\n" in bad
    other = g.client.get("/v1/models", headers={**bearer(key), "origin": "https://evil.example"})
    assert other.status_code == 200 and "access-control-allow-origin" not in other.headers and other.headers["vary"] == "Origin"
    assert g.client.options(CHAT, headers={**PREFLIGHT, "origin": "https://evil.example"}).status_code == 401


def test_every_page_may_be_let_in(start_gateway):
    g = start_gateway(top='cors: {origins: "*", max_age: 1m}')
    for origin in (PAGE, "null"):
        r = g.client.get("/v1/models", headers={"origin": origin})
        assert r.status_code == 200 and r.headers["access-control-allow-origin"] == "*"
        r = g.client.options(CHAT, headers={**PREFLIGHT, "origin": origin})
        assert r.status_code == 204 and r.headers["access-control-max-age"] == "60"
    assert call(g, "evil.example", origin=PAGE).status_code == 403, "a name that is pointed here is another matter"


def test_without_cors_nothing_is_said(start_gateway):
    g = start_gateway(top="auth: required")
    r = g.client.get("/v1/models", headers={"origin": PAGE})
    assert r.status_code == 401 and not [h for h in r.headers if h.startswith("access-control") or h == "vary"]
    assert g.client.options(CHAT, headers=PREFLIGHT).status_code == 401


def test_cors_can_be_reloaded(start_gateway, tmp_path):
    g = start_gateway()
    config = tmp_path / "leeroo.yaml"
    assert g.client.get("/v1/models", headers={"origin": PAGE}).status_code == 403
    config.write_text(CORS + "\n" + config.read_text())
    wait_for(lambda: g.client.get("/v1/models", headers={"origin": PAGE}).status_code == 200)


def test_every_header_of_ours_is_exposed():
    said = set()
    for file in (ROOT / "src/serve").glob("*.c"):
        said |= set(re.findall(r'\{STR\("(x-leeroo-[a-z-]+)"\)', file.read_text()))
    exposed = (ROOT / "src/net/http_cors.c").read_text()
    assert len(said) > 6 and not [name for name in said if name not in exposed]
