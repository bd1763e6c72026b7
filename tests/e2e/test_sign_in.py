"""The admin API's door: who is let in, and how a browser signs in."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from conftest import wait_for

from test_door import asked
from test_keys import STATE, bearer, desk  # noqa: F401
from test_tls import context, start_tls  # noqa: F401


def test_where_nobody_is_asked_for_keys_the_admin_api_is_open(start_gateway):
    g = start_gateway()
    r = g.client.get("/v1/admin/session")
    assert r.status_code == 200, r.text
    said = r.json()
    assert said["auth"] == "open" and said["key"] is None and said["version"]
    assert g.client.head("/v1/admin/session").status_code == 200
    assert g.client.get("/v1/admin/nothing").status_code == 404


def test_a_page_under_a_name_of_its_own_is_turned_away(start_gateway):
    g = start_gateway()
    for headers in ({"host": "evil.example"}, {"origin": "https://evil.example"}, {"origin": "null"}):
        r = g.client.get("/v1/admin/session", headers=headers)
        assert r.status_code == 403, (headers, r.text)


def test_a_path_says_which_methods_it_takes(start_gateway):
    g = start_gateway()
    r = g.client.put("/v1/admin/session")
    assert r.status_code == 405 and "GET, HEAD" in r.headers["allow"]
    assert r.headers["allow"] in r.json()["error"]["message"]


def test_a_user_key_is_no_admin_key(desk, start_gateway):  # noqa: F811
    key = desk.create("a")
    g = start_gateway(top=STATE)
    assert g.client.get("/v1/admin/session").status_code == 401
    assert g.client.get("/v1/admin/session", headers=bearer(key)).status_code == 403


def test_what_each_role_may(desk, start_gateway):  # noqa: F811
    keys = {"user": desk.create("u"), "admin": desk.create("a", "--role", "admin"), "metrics": desk.create("m", "--role", "metrics")}
    g = start_gateway(top=STATE)
    wanted = {("GET", "/v1/models"): "user admin", ("POST", "/v1/route"): "user admin", ("GET", "/metrics"): "metrics admin",
              ("GET", "/v1/admin/session"): "admin", ("GET", "/healthz"): "user admin metrics none"}
    body = {"model": "leeroo", "messages": [{"role": "user", "content": "hello cat"}]}
    for (method, path), roles in wanted.items():
        for role in ("user", "admin", "metrics", "none"):
            r = g.client.request(method, path, json=body if method == "POST" else None, headers=bearer(keys[role]) if role in keys else {})
            expected = 200 if role in roles.split() else 401 if role == "none" else 403
            assert r.status_code == expected, (method, path, role, r.text)
    refused = g.client.get("/v1/admin/session", headers=bearer(keys["user"])).json()["error"]
    assert "leeroo keys create --role admin" in refused["message"] and refused["type"] == "permission_error"
    said = g.client.get("/v1/admin/session", headers=bearer(keys["admin"])).json()
    assert said["auth"] == "key" and said["key"]["id"] == desk.list()["a"]["id"]


def test_the_command_shows_roles(desk):  # noqa: F811
    desk.create("u"), desk.create("a", "--role", "admin", "--budget-day", "1"), desk.create("m", "--metrics")
    assert {name: key["role"] for name, key in desk.list().items()} == {"u": "user", "a": "admin", "m": "metrics"}
    rows = [row.split() for row in desk.do("list").stdout.splitlines()[1:]]
    assert {row[1]: row[2] for row in rows} == {"u": "user", "a": "admin", "m": "metrics"}
    for wrong in (["create", "--name", "x", "--role", "root"], ["create", "--name", "x", "--role", "admin", "--metrics"],
                  ["create", "--name", "x", "--role", "metrics", "--experts", "cheap"], ["change", "u", "--role", "admin"]):
        done = desk.do(*wrong, check=False)
        assert done.returncode == 2, (wrong, done.stderr)
    assert set(desk.list()) == {"u", "a", "m"}


# Browsers


class Browser:
    """Keeps its cookie and its token, as the page does; what it sends says where it comes from."""

    def __init__(self, gateway, key=None):
        self.gateway, self.cookie, self.csrf = gateway, None, None
        self.origin = gateway.url
        if key:
            r = self.sign_in(key)
            assert r.status_code == 200, r.text

    def send(self, method, path, csrf=True, **more):
        headers = {"origin": self.origin} if method not in ("GET", "HEAD") else {}
        if self.cookie:
            headers["cookie"] = f"theme=dark; leeroo_session={self.cookie}; other=1"
        if csrf and self.csrf:
            headers["x-leeroo-csrf"] = self.csrf
        headers.update(more.pop("headers", {}))
        return self.gateway.client.request(method, path, headers=headers, **more)

    def sign_in(self, key):
        r = self.send("POST", "/v1/admin/session", json={"key": key})
        self.gateway.client.cookies.clear()  # this client is several browsers
        if r.status_code == 200:
            self.set_cookie = r.headers["set-cookie"]
            self.cookie = re.match(r"leeroo_session=([\w-]{43});", self.set_cookie).group(1)
            self.csrf = r.json()["csrf"]
        return r

    def status(self, method="GET", path="/v1/admin/session", **more):
        return self.send(method, path, **more).status_code


@pytest.fixture
def guarded(desk, start_gateway):  # noqa: F811
    """A gateway that asks for keys, with its admin key and a user's."""
    g = start_gateway(top=STATE + "\ncors: {origins: ['*', 'null', 'https://ops.example']}")
    g.admin, g.user = desk.create("ann", "--role", "admin"), desk.create("ci")
    wait_for(lambda: g.client.get("/v1/models").status_code == 401)
    return g


BODY = {"model": "leeroo", "messages": [{"role": "user", "content": "hello cat"}]}


def test_a_browser_signs_in_and_out(guarded):
    browser = Browser(guarded)
    assert browser.status() == 401
    r = browser.sign_in(guarded.admin)
    assert r.status_code == 200 and r.json()["key"]["name"] == "ann", r.text
    assert r.json()["expires_ms"] > time.time() * 1000 + 40_000_000
    assert [part.strip() for part in browser.set_cookie.split(";")[1:]] == ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"]
    assert r.headers["cache-control"] == "no-store"
    said = browser.send("GET", "/v1/admin/session").json()
    assert said["auth"] == "cookie" and said["csrf"] == browser.csrf != browser.cookie and said["key"]["name"] == "ann"
    out = browser.send("DELETE", "/v1/admin/session")
    assert out.status_code == 204 and out.headers["set-cookie"].startswith("leeroo_session=; ") and "Max-Age=0" in out.headers["set-cookie"]
    assert browser.status() == 401, "the token is worth nothing any more"
    assert guarded.admin not in guarded.text and browser.cookie not in guarded.text and browser.csrf not in guarded.text


def test_with_the_cookie_the_whole_api_works_as_with_the_key(guarded):
    browser = Browser(guarded, guarded.admin)
    r = browser.send("POST", "/v1/chat/completions", json=BODY)
    assert r.status_code == 200, r.text
    assert browser.status("POST", "/v1/route", json=BODY) == 200
    assert browser.status("POST", "/v1/feedback", json={"request_id": r.headers["x-leeroo-request-id"], "score": 1}) != 401
    for path in ("/v1/models", "/v1/experts", "/metrics", "/v1/admin/session"):
        assert browser.status("GET", path) == 200, path


def test_what_asks_or_changes_something_needs_the_token_of_this_session(guarded):
    browser, other = Browser(guarded, guarded.admin), Browser(guarded, guarded.admin)
    assert browser.cookie != other.cookie and browser.csrf != other.csrf
    for wrong in ({}, {"x-leeroo-csrf": ""}, {"x-leeroo-csrf": other.csrf}, {"x-leeroo-csrf": browser.cookie},
                  {"x-leeroo-csrf": browser.csrf[:-1]}, {"x-leeroo-csrf": browser.csrf + "A"}, {"x-leeroo-csrf": "A" * 5000}):
        for method, path, body in (("POST", "/v1/chat/completions", BODY), ("POST", "/v1/route", BODY), ("DELETE", "/v1/admin/session", None)):
            r = browser.send(method, path, csrf=False, json=body, headers=wrong)
            assert r.status_code == 403 and "x-leeroo-csrf" in r.json()["error"]["message"], (wrong, path, r.text)
    assert browser.status() == 200, "nobody else signed it out"
    assert browser.status("HEAD") == 200


def test_a_key_in_a_header_needs_no_token_and_wins_over_the_cookie(guarded):
    browser = Browser(guarded, guarded.admin)
    assert browser.status("POST", "/v1/route", csrf=False, json=BODY, headers=bearer(guarded.user)) == 200
    assert browser.status(headers=bearer(guarded.user)) == 403
    assert browser.status(headers=bearer("lr-wrong")) == 401


def test_who_may_not_sign_in(guarded):
    browser = Browser(guarded)
    start = time.monotonic()
    for body, status in (({"key": "lr-" + "A" * 43}, 401), ({"key": guarded.admin + "A"}, 401), ({"key": ""}, 401)):
        r = browser.send("POST", "/v1/admin/session", json=body)
        assert r.status_code == status and "set-cookie" not in r.headers, (body, r.text)
    assert time.monotonic() - start > 2.9, "each hears of it after a second"
    for body in ({}, {"key": None}, {"key": 7}, {"key": [guarded.admin]}, [], "x"):
        assert browser.status("POST", json=body) == 400, body
    refused = browser.send("POST", "/v1/admin/session", json={"key": guarded.user})
    assert refused.status_code == 403 and "--role admin" in refused.json()["error"]["message"]
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"host": "evil.example"}):
        r = browser.send("POST", "/v1/admin/session", json={"key": guarded.admin}, headers=headers)
        assert r.status_code == 403 and "set-cookie" not in r.headers, headers
    assert browser.send("POST", "/v1/admin/session", content=b"key=" + guarded.admin.encode()).status_code == 415
    guarded.wait_line(r'msg="turned away" .*wrong_key=\d')


def test_a_strangers_body_is_small(guarded):
    """Nobody has shown a key yet, so nothing large is taken in."""
    def told(*headers):
        lines = ["POST /v1/admin/session HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
        return asked(guarded, ("\r\n".join(lines) + "\r\n\r\n").encode())
    for headers in (["Content-Length: 4097"], ["Content-Length: 9000000"], ["Transfer-Encoding: chunked"],
                    ["Content-Length: 100", "Content-Encoding: gzip"]):
        assert told(*headers).split()[1] == "413", "at once, before any of it has come"
    assert Browser(guarded).send("POST", "/v1/admin/session", json={"key": "x", "more": "y" * 3000}).status_code == 401
    assert Browser(guarded).sign_in(guarded.admin).status_code == 200


def test_guesses_wait_and_the_right_key_does_not(guarded):
    def guess(i):
        return httpx.post(guarded.url + "/v1/admin/session", json={"key": f"lr-{i}"}, timeout=60).status_code
    with ThreadPoolExecutor(100) as pool:
        wrong = [pool.submit(guess, i) for i in range(100)]
        good = [Browser(guarded).sign_in(guarded.admin).status_code for _ in range(5)]
        said = [f.result() for f in wrong]
    assert good == [200] * 5 and set(said) <= {401, 429} and said.count(401) >= 32 > 0, said
    assert 429 in said, "a hundred at once are too many"


def test_foreign_pages_and_names_get_nothing_by_the_cookie(guarded):
    browser = Browser(guarded, guarded.admin)
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"host": "evil.example:80"},
                    {"origin": "http://localhost:1"}, {"origin": "http://evil.example", "host": "evil.example"}):
        for method, path, body in (("GET", "/v1/admin/session", None), ("GET", "/v1/models", None), ("POST", "/v1/chat/completions", BODY)):
            r = browser.send(method, path, json=body, headers=headers)
            assert r.status_code == 403, (headers, path, r.text)
    assert browser.status(headers={"origin": "https://ops.example"}) == 200, "it is named in cors"
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):  # a picture has no origin
        assert browser.status(headers={"sec-fetch-site": site}) == browser.status("GET", "/v1/models", headers={"sec-fetch-site": site}) == status
        assert browser.status("GET", "/", headers={"sec-fetch-site": site}) == 200, "others may link to the page"
        assert guarded.client.get("/v1/models", headers={**bearer(guarded.user), "sec-fetch-site": site}).status_code == 200
    r = guarded.client.get("/v1/models", headers={**bearer(guarded.user), "origin": "https://evil.example"})
    assert r.status_code == 200 and "access-control-allow-credentials" not in r.headers, "cors says that all pages may, with a key"
    r = guarded.client.get("/v1/admin/session", headers={**bearer(guarded.admin), "origin": "https://evil.example"})
    assert r.status_code == 403, "but not act for an operator"


def test_a_session_ends_with_its_key(guarded, desk):  # noqa: F811
    eve = desk.create("eve", "--role", "admin")
    wait_for(lambda: guarded.client.get("/v1/admin/session", headers=bearer(eve)).status_code == 200)
    second = Browser(guarded, eve)
    first = Browser(guarded, guarded.admin)
    desk.do("revoke", "eve")
    wait_for(lambda: second.status() == 401)
    assert second.status("POST", "/v1/route", json=BODY) == 401 and first.status() == 200
    desk.do("change", "ann", "--expires", "2020-01-01")
    wait_for(lambda: first.status() == 401)
    assert first.sign_in(guarded.admin).status_code == 401


def test_signing_in_ends_the_session_before(guarded):
    """A token that somebody else put into the browser is none after it."""
    browser = Browser(guarded, guarded.admin)
    before = browser.cookie
    assert browser.sign_in(guarded.admin).status_code == 200 and browser.cookie != before
    planted = Browser(guarded)
    planted.cookie = before
    assert planted.status() == 401
    planted.cookie = "A" * 43
    assert planted.sign_in(guarded.admin).status_code == 200 and planted.cookie != "A" * 43


def test_of_three_hundred_sessions_the_newest_remain(guarded):
    browsers = [Browser(guarded, guarded.admin) for _ in range(300)]
    assert len({b.cookie for b in browsers}) == 300
    alive = [b.status() == 200 for b in browsers]
    assert alive == [False] * 44 + [True] * 256


def test_odd_cookies_are_no_session(guarded):
    browser = Browser(guarded, guarded.admin)
    good, other = browser.cookie, Browser(guarded, guarded.admin).cookie
    assert guarded.client.get("/v1/admin/session", headers={"cookie": f"leeroo_session={good}"}).status_code == 200
    yes = [f"a=b; leeroo_session={good}", f"leeroo_session={good};", f"leeroo_session={good}; leeroo_session={good}",
           f"leeroo_session=; leeroo_session={good}", f"leeroo_session=short; leeroo_session={good}"]
    no = ["", ";", "=", "leeroo_session", "leeroo_session=", f"leeroo_session={good}x", f"leeroo_session={good[:-1]}",
          f"Leeroo_Session={good}", f"xleeroo_session={good}", f"leeroo_session =  {good}", f'leeroo_session="{good}"',
          f"leeroo_session={good}; leeroo_session={other}", f"leeroo_session={good},leeroo_session={good}",
          f"a=leeroo_session={good}", "leeroo_session=" + "A" * 20000, "x;" * 5000 + "x", f"leeroo_session={good.swapcase()}"]
    for cookie in yes:
        assert guarded.client.get("/v1/admin/session", headers={"cookie": cookie}).status_code == 200, cookie
    for cookie in no:
        assert guarded.client.get("/v1/admin/session", headers={"cookie": cookie}).status_code == 401, cookie[:80]
    two = [("cookie", f"leeroo_session={good}"), ("cookie", f"leeroo_session={other}")]
    assert guarded.client.get("/v1/admin/session", headers=two).status_code == 401
    raw = b"GET /v1/admin/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: leeroo_session=" + b"\x80\xff\x01" * 20 + b"\r\n\r\n"
    assert asked(guarded, raw).split()[1] in ("400", "401")


def test_over_tls_and_behind_it_the_cookie_is_for_tls_alone(guarded):
    browser = Browser(guarded)
    r = browser.send("POST", "/v1/admin/session", json={"key": guarded.admin}, headers={"x-forwarded-proto": "https"})
    assert r.headers["set-cookie"].endswith("; Secure")
    assert "Secure" not in Browser(guarded, guarded.admin).set_cookie


def test_over_tls_a_browser_signs_in(start_tls, desk, tmp_path):  # noqa: F811
    key = desk.create("ann", "--role", "admin")
    g = start_tls(top=STATE)
    url = g.url.replace("127.0.0.1", "localhost")
    assert g.wait_line(r"msg=page url=(\S+)").group(1).startswith("https://")
    with httpx.Client(base_url=url, verify=context(tmp_path)) as browser:
        r = browser.post("/v1/admin/session", json={"key": key}, headers={"origin": url})
        assert r.status_code == 200 and r.headers["set-cookie"].endswith("; Secure"), r.text
        assert browser.get("/v1/admin/session").json()["auth"] == "cookie"


def test_where_nobody_is_asked_for_a_key_there_is_nothing_to_sign_in_to(start_gateway):
    g = start_gateway()
    r = g.client.post("/v1/admin/session", json={"key": "lr-x"})
    assert r.status_code == 409 and r.json()["error"]["code"] == "nothing_to_sign_in_to"
    assert g.client.delete("/v1/admin/session").status_code == 204


def test_by_way_of_a_proxy_the_open_admin_api_is_closed(start_gateway):
    g = start_gateway(top="hosts: [leeroo.example]")
    assert g.client.get("/v1/admin/session").status_code == 200
    for headers in ({"host": "leeroo.example"}, {"x-forwarded-for": "10.1.2.3"}, {"forwarded": "for=10.1.2.3"}, {"x-real-ip": "10.1.2.3"}):
        r = g.client.get("/v1/admin/session", headers=headers)
        assert r.status_code == 403 and "`page: true`" in r.json()["error"]["message"], (headers, r.text)
        assert g.client.get("/v1/models", headers=headers).status_code == 200, "clients may, as before"


def test_the_first_lines_of_serve_say_where_the_page_is(start_gateway, desk):  # noqa: F811
    g = start_gateway(top=STATE)
    said = g.wait_line(r'msg=page url=(\S+) opens="(.*)"')
    assert said.group(1) == g.url + "/" and "open on this machine" in said.group(2)
    desk.create("ci")
    assert "leeroo keys create --role admin" in start_gateway(
        top="state_dir: second\nkeys: state/keys.json").wait_line(r"msg=page .*").group(0)
    off = start_gateway(top="page: false")
    off.chat()
    assert "msg=page" not in off.text


def test_the_page_can_be_switched_on_for_whoever_comes_and_off(start_gateway):
    on = start_gateway(top="hosts: [leeroo.example]\npage: true")
    assert on.client.get("/v1/admin/session", headers={"host": "leeroo.example", "x-forwarded-for": "10.1.2.3"}).status_code == 200
    off = start_gateway(top="page: false")
    assert off.client.get("/v1/admin/session").status_code == 404
    assert off.client.post("/v1/admin/session", json={"key": "x"}).status_code == 404
