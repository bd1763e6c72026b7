"""Walls between tenants: what a key may not use it cannot see, count, read or be served from the cache."""

import pytest
from conftest import wait_for
from test_keys import STATE, Desk, ask, bearer

CHAT = [{"role": "user", "content": "prove integral quantum lemma"}]


@pytest.fixture
def desk(leeroo, tmp_path):
    return Desk(leeroo, tmp_path)


def test_a_key_learns_nothing_of_experts_it_may_not_use(desk, start_gateway):
    key = desk.create("a", "--experts", "cheap", "--policies", "default,best")
    g = start_gateway(top=STATE)
    for path, body in (("/v1/messages/count_tokens", {"model": "leeroo/best", "messages": CHAT}),
                       ("/v1/route", {"model": "leeroo/best", "messages": CHAT})):
        r = g.client.post(path, json=body, headers=bearer(key))
        assert r.status_code == 200 and r.headers.get("x-leeroo-expert", "cheap") == "cheap", (path, r.headers)
        assert '"dear"' not in r.text or "not" in r.text, r.text
        r = g.client.post(path, json={**body, "model": "dear"}, headers=bearer(key))
        assert r.status_code == 403, (path, r.text)
    for path in ("/v1/models", "/v1/experts"):
        text = g.client.get(path, headers=bearer(key)).text
        assert "cheap" in text and "dear" not in text, (path, text)


def test_what_one_tenant_asked_no_other_sees(desk, start_gateway, upstream):
    one, other = desk.create("a"), desk.create("b")
    g = start_gateway(top=STATE + "\ncache: {size: 1MiB, ttl: 1h}")
    first = ask(g, one)
    assert first.headers["x-leeroo-cache"] == "miss" and ask(g, one).headers["x-leeroo-cache"] == "hit"
    assert ask(g, other).headers["x-leeroo-cache"] == "miss"
    request_id = first.headers["x-leeroo-request-id"]
    nobody = g.client.get("/v1/requests/req_6b02705f1fe458cb481424b9", headers=bearer(other))
    seen = g.client.get(f"/v1/requests/{request_id}", headers=bearer(other))
    assert seen.status_code == nobody.status_code == 404 and seen.json() == nobody.json()  # no difference tells that it is there
    score = {"request_id": request_id, "score": 1}
    assert g.client.post("/v1/feedback", json=score, headers=bearer(other)).status_code == 404
    assert g.client.get(f"/v1/requests/{request_id}", headers=bearer(one)).status_code == 200
    scraper = bearer(desk.create("m", "--metrics"))
    wait_for(lambda: g.client.get("/metrics", headers=scraper).status_code == 200)
    for key in (one, other):
        assert g.client.get("/v1/models", params={"key": key, "api_key": key}).status_code == 401
        assert key not in g.text and key not in g.client.get("/metrics", headers=scraper).text
