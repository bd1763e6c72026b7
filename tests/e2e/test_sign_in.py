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
