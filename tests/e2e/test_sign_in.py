"""The admin API's door: who is let in, and how a browser signs in."""

from test_keys import STATE, bearer, desk  # noqa: F401


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
