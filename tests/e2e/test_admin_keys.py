"""Keys by the admin API: what the command does, from a program, and seen by the running gateway at once."""

import json
import os
import re
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx
import pytest
from conftest import wait_for

from test_keys import STATE, ask, bearer, desk  # noqa: F401
from test_sign_in import Browser

PATH = "/v1/admin/keys"
LIMITS = {"budget_day_usd": None, "budget_month_usd": None, "budget_total_usd": None, "requests_per_minute": None,
          "tokens_per_minute": None, "experts": None, "policies": None, "expires_ms": None}


class Admin:
    """A program with an admin key; without one where nobody is asked."""

    def __init__(self, gateway, key=None):
        self.gateway, self.headers = gateway, bearer(key) if key else {}

    def send(self, method, path=PATH, **body):
        return self.gateway.client.request(method, path, headers=self.headers, json=body if method in ("POST", "PATCH") else None)

    def refused(self, status, code, method, path=PATH, **body):
        r = self.send(method, path, **body)
        assert r.status_code == status and r.json()["error"]["code"] == code, (method, path, body, r.text)
        return r.json()["error"]["message"]

    def create(self, name, **limits):
        r = self.send("POST", name=name, **limits)
        assert r.status_code == 201, r.text
        return json.loads(r.text, parse_float=Decimal)

    def list(self):
        r = self.send("GET")
        assert r.status_code == 200, r.text
        return {key["name"]: key for key in json.loads(r.text, parse_float=Decimal)["keys"]}


@pytest.fixture
def admin(desk, start_gateway):  # noqa: F811
    key = desk.create("ann", "--role", "admin")
    return Admin(start_gateway(top=STATE), key)


def test_a_key_works_when_its_maker_hears_of_it_and_not_when_it_is_revoked(admin, desk):  # noqa: F811
    made = admin.create("ci")
    secret, g = made["key"], admin.gateway
    assert re.fullmatch(r"lr-[\w-]{43}", secret) and re.fullmatch(r"key_\w{10}", made["id"])
    assert ask(g, secret).status_code == 200, "at once"
    assert made["role"] == "user" and made["revoked"] is False and abs(made["created_ms"] - time.time() * 1000) < 60_000
    assert {name: made[name] for name in LIMITS} == LIMITS
    assert secret not in admin.send("GET").text and secret not in g.text
    assert desk.list()["ci"]["id"] == made["id"], "the command sees the same"
    gone = admin.send("DELETE", f"{PATH}/{made['id']}")
    assert gone.status_code == 200 and gone.json()["revoked"] is True, gone.text
    assert ask(g, secret).status_code == 401, "at once"
    admin.refused(409, "key_is_revoked", "DELETE", f"{PATH}/{made['id']}")
    admin.refused(409, "key_is_revoked", "PATCH", f"{PATH}/{made['id']}", requests_per_minute=1)
    assert admin.list()["ci"]["revoked"] is True
    file = desk.state / "keys.json"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600 and secret not in file.read_text()
    g.wait_line(rf'msg="key made" key={made["id"]} by=key_\w+')
    g.wait_line(rf'msg="key revoked" key={made["id"]} by=key_\w+')


def test_all_limits_are_set_shown_changed_and_lifted(admin, desk):  # noqa: F811
    end = int(time.time()) * 1000 + 86_400_000
    limits = {"budget_day_usd": Decimal("2.5"), "budget_month_usd": Decimal(0), "budget_total_usd": Decimal("0.000000001"), "requests_per_minute": 60,
              "tokens_per_minute": 100_000, "experts": ["cheap", "mid"], "policies": ["thrift"], "expires_ms": end}
    made = admin.create("ci", **{name: float(v) if isinstance(v, Decimal) else v for name, v in limits.items()})
    assert {name: made[name] for name in limits} == limits and admin.list()["ci"]["budget_total_usd"] == Decimal("0.000000001")
    by_command = desk.list()["ci"]
    assert by_command["budget_day_usd"] == Decimal("2.5") and by_command["experts"] == ["cheap", "mid"]
    path = f"{PATH}/{made['id']}"
    changed = admin.send("PATCH", path, requests_per_minute=None, budget_day_usd=7, experts=None).json()
    assert (changed["requests_per_minute"], changed["budget_day_usd"], changed["experts"]) == (None, 7, None)
    assert changed["policies"] == ["thrift"] and changed["tokens_per_minute"] == 100_000 and "key" not in changed, "what is not said stays"
    assert admin.send("PATCH", path, **LIMITS).status_code == 200
    assert {name: admin.list()["ci"][name] for name in LIMITS} == LIMITS


def test_limits_hold_at_once(admin):
    made = admin.create("ci", requests_per_minute=1)
    g, path = admin.gateway, f"{PATH}/{made['id']}"
    assert [ask(g, made["key"]).status_code for _ in range(2)] == [200, 429]
    admin.send("PATCH", path, requests_per_minute=None)
    assert ask(g, made["key"]).status_code == 200
    admin.send("PATCH", path, budget_total_usd=0)
    assert ask(g, made["key"]).json()["error"]["code"] == "insufficient_quota"
    admin.send("PATCH", path, budget_total_usd=None, policies=["thrift"])
    assert ask(g, made["key"], model="leeroo/best").status_code == 403
    admin.send("PATCH", path, expires_ms=1000)
    assert ask(g, made["key"]).status_code == 401


def test_what_each_has_spent(admin):
    made = admin.create("ci")
    cost = Decimal(ask(admin.gateway, made["key"]).headers["x-leeroo-cost-usd"])
    shown = admin.list()["ci"]
    assert cost > 0 and [shown[f"spent_{p}_usd"] for p in ("today", "month", "total")] == [cost] * 3
    assert shown["spent_lost"] is False


def test_what_is_wrong_is_named_and_changes_nothing(admin, desk):  # noqa: F811
    made = admin.create("ci")
    path, before = f"{PATH}/{made['id']}", (desk.state / "keys.json").read_bytes()
    wrong = [({"name": ""}, "whose key"), ({}, "says nothing"), ({"name": "a\nb"}, "control"), ({"name": "x" * 101}, "100 bytes"),
             ({"name": 7}, "name must be a text"), ({"name": "a", "role": "root"}, '"admin"'), ({"name": "a", "rolle": "user"}, "rolle"),
             ({"name": "a", "sha256": "00"}, "sha256"), ({"name": "a", "id": "key_a"}, "id"), ({"name": "a", "spent_anew": True}, "spent_anew"),
             ({"name": "a", "budget_day_usd": -1}, "budget_day_usd"), ({"name": "a", "budget_day_usd": "5"}, "budget_day_usd"),
             ({"name": "a", "requests_per_minute": 0}, "requests_per_minute"), ({"name": "a", "requests_per_minute": 1.5}, "whole number"),
             ({"name": "a", "experts": "cheap"}, "list"), ({"name": "a", "experts": ["cheep"]}, "it has cheap, mid, dear"),
             ({"name": "a", "policies": ["nope"]}, "nope"), ({"name": "a", "experts": ["x"] * 257}, "256"),
             ({"name": "a", "expires_ms": "soon"}, "milliseconds"), ({"name": "a", "expires_ms": -5}, "milliseconds"),
             ({"name": "a", "expires_ms": 10 ** 18}, "milliseconds"), ({"name": "a", "role": "metrics", "budget_day_usd": 1}, "without limits")]
    for body, part in wrong:
        assert part in admin.refused(400, "invalid_request", "POST", **body), body
    for body, part in ([{}, "says nothing"], [{"name": "b"}, "name"], [{"role": "admin"}, "role"], [{"revoked": True}, "revoked"],
                       [{"spent_anew": False}, "spent_anew"], [{"experts": ["cheep"]}, "cheep"]):
        assert part in admin.refused(400, "invalid_request", "PATCH", path, **body), body
    assert "another name" in admin.refused(409, "name_is_taken", "POST", name="ci")
    for odd in ("/key_nobody", "/ci", "/", "/" + "a" * 500, f"/{made['id']}/x", f"/{made['id'].upper()}", "/%00"):
        admin.refused(404, "not_found", "DELETE", PATH + odd)
    send = admin.gateway.client.post
    for raw in (b"", b"{", b"[]", b"null", b'{"name": "a", "name": "b"}', b'{"name": "a"} x', b'\xff', b'{"name": "\\ud800"' + b"x" * 10, b"{" * 100):
        assert send(PATH, content=raw, headers={**admin.headers, "content-type": "application/json"}).status_code == 400, raw
    large = json.dumps({"name": "a", "experts": ["x" * 1000] * 60}).encode()
    assert send(PATH, content=large, headers={**admin.headers, "content-type": "application/json"}).status_code in (400, 413)
    assert (desk.state / "keys.json").read_bytes() == before


def test_methods(admin):
    for method, path, allow in (("PUT", PATH, "GET, HEAD, POST"), ("DELETE", PATH, "GET, HEAD, POST"), ("GET", PATH + "/key_a", "PATCH, DELETE")):
        r = admin.send(method, path)
        assert r.status_code == 405 and r.headers["allow"] == allow, (method, r.text)


def test_only_admins(admin):
    user, scraper = admin.create("u")["key"], admin.create("m", role="metrics")["key"]
    for key, status in ((user, 403), (scraper, 403), ("lr-x", 401), (None, 401)):
        stranger = Admin(admin.gateway, key)
        for method, path, body in (("GET", PATH, {}), ("POST", PATH, {"name": "x", "role": "admin"}), ("PATCH", PATH + "/key_a", {"budget_day_usd": 1}),
                                   ("DELETE", PATH + "/key_a", {})):
            assert stranger.send(method, path, **body).status_code == status, (key, method)
    assert set(admin.list()) == {"ann", "u", "m"}


def test_a_browser_makes_keys_with_its_token_and_not_without(admin):
    browser = Browser(admin.gateway, admin.headers["authorization"].split()[1])
    assert browser.status("POST", PATH, csrf=False, json={"name": "x"}) == 403
    assert browser.status("POST", PATH, json={"name": "x"}, headers={"origin": "http://localhost:1"}) == 403
    made = browser.send("POST", PATH, json={"name": "x"})
    assert made.status_code == 201 and made.headers["cache-control"] == "no-store"
    path = f"{PATH}/{made.json()['id']}"
    for method, body in (("PATCH", {"budget_day_usd": 1}), ("DELETE", None)):
        assert browser.status(method, path, csrf=False, json=body) == 403 and browser.status(method, path, json=body) == 200
    assert set(admin.list()) == {"ann", "x"}


def test_the_last_admin_key_stays(admin):
    ann = admin.list()["ann"]["id"]
    for method, body in (("DELETE", {}), ("PATCH", {"expires_ms": 1000})):
        assert "another one first" in admin.refused(409, "last_admin_key", method, f"{PATH}/{ann}", **body)
    eve = admin.create("eve", role="admin")
    assert admin.send("DELETE", f"{PATH}/{ann}").status_code == 200, "its own"
    assert admin.send("GET").status_code == 401
    second = Admin(admin.gateway, eve["key"])
    second.refused(409, "last_admin_key", "DELETE", f"{PATH}/{eve['id']}")
    assert second.send("PATCH", f"{PATH}/{eve['id']}", budget_day_usd=1).status_code == 200


def test_the_first_key_turns_asking_on_and_is_an_admin_key(start_gateway, desk):  # noqa: F811
    g = start_gateway(top=STATE)
    anybody = Admin(g)
    listed = anybody.send("GET").json()
    assert listed == {"keys": [], "auth": "auto", "asked": False}
    assert '"role": "admin"' in anybody.refused(409, "no_admin_key", "POST", name="ci")
    assert not (desk.state / "keys.json").exists() and g.chat().status_code == 200
    made = anybody.create("ann", role="admin")
    assert g.chat().status_code == 401 and anybody.send("GET").status_code == 401, "at once"
    ann = Admin(g, made["key"])
    assert ann.send("GET").json()["asked"] is True and ann.create("ci")["role"] == "user"


def test_where_there_is_no_place_for_keys_or_nobody_is_asked(start_gateway):
    g = start_gateway()
    assert "state_dir" in Admin(g).refused(409, "no_place_for_keys", "POST", name="a", role="admin")
    off = start_gateway(top=STATE + "\nauth: off")
    assert Admin(off).send("GET").json() == {"keys": [], "auth": "off", "asked": False}
    assert "auth: off" in Admin(off).refused(409, "keys_are_off", "POST", name="a", role="admin")


def test_command_and_api_do_not_undo_each_other(admin, desk):  # noqa: F811
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(admin.create, f"api{i}") for i in range(12)] + [pool.submit(desk.create, f"cli{i}") for i in range(12)]
        [job.result() for job in jobs]
    wanted = {"ann"} | {f"api{i}" for i in range(12)} | {f"cli{i}" for i in range(12)}
    wait_for(lambda: set(admin.list()) == wanted)
    assert set(desk.list()) == wanted


def test_a_damaged_file_is_said_and_not_written_over(admin, desk):  # noqa: F811
    file = desk.state / "keys.json"
    file.write_text("{ damaged")
    r = admin.send("POST", name="x")
    assert r.status_code >= 400 and "keys.json" in r.json()["error"]["message"], r.text
    assert file.read_text() == "{ damaged" and admin.send("GET").status_code >= 400


def test_what_was_lost_of_a_keys_spending_is_forgiven(admin):
    made = admin.create("ci")
    r = admin.send("PATCH", f"{PATH}/{made['id']}", spent_anew=True)
    assert r.status_code == 200 and r.json()["spent_lost"] is False


def hear(gateway, headers):
    """Opens the stream of events and reads the first; the thread ends with the stream."""
    first, ended = threading.Event(), threading.Event()

    def listen():
        with httpx.stream("GET", gateway.url + "/v1/admin/events", headers=headers, timeout=30) as r:
            assert r.status_code == 200
            for _ in r.iter_lines():
                first.set()
        ended.set()
    threading.Thread(target=listen, daemon=True).start()
    assert first.wait(20)
    return ended


def test_a_stream_ends_with_what_let_it_in(admin):
    g, eve = admin.gateway, admin.create("eve", role="admin")
    signed_in, leaves = Browser(g, eve["key"]), Browser(g, eve["key"])
    by_key, stays = hear(g, bearer(eve["key"])), hear(g, admin.headers)
    by_cookie, left = (hear(g, {"cookie": f"leeroo_session={b.cookie}"}) for b in (signed_in, leaves))
    assert leaves.status("DELETE") == 204
    assert left.wait(20) and not by_cookie.is_set(), "signed out"
    assert admin.send("DELETE", f"{PATH}/{eve['id']}").status_code == 200
    assert by_key.wait(20) and by_cookie.wait(20) and not stays.is_set(), "revoked"


def test_a_stream_that_was_open_to_all_ends_with_the_first_key(start_gateway, desk):  # noqa: F811
    g = start_gateway(top=STATE)
    ended = hear(g, {})
    Admin(g).create("ann", role="admin")
    assert ended.wait(20)
