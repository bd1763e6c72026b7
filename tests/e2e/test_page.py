"""The page's files from outside: whole, fenced, asked for again only when they have changed."""

from pathlib import Path

import pytest

from test_keys import STATE, desk  # noqa: F401

FILES = Path(__file__).resolve().parents[2] / "src" / "web" / "files"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".svg": "image/svg+xml"}


def path_of(file):
    return "/" if file.name == "index.html" else f"/ui/{file.name}"


@pytest.fixture(name="gateway")
def one(start_gateway):
    return start_gateway()


def test_every_file_of_the_folder_is_served_as_it_is(gateway):
    files = sorted(FILES.iterdir())
    assert len(files) > 10
    for file in files:
        r = gateway.client.get(path_of(file))
        assert r.status_code == 200 and r.content == file.read_bytes(), file.name
        assert r.headers["content-type"] == TYPES[file.suffix], file.name


def test_nothing_of_another_origin_and_nothing_inline_runs_on_it(gateway):
    r = gateway.client.get("/")
    policy = {part.split()[0]: part.split()[1:] for part in r.headers["content-security-policy"].split(";")}
    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == ["'self'"]
    assert r.headers["x-content-type-options"] == "nosniff" and r.headers["referrer-policy"] == "no-referrer"
    for word in ("style=", "onclick=", "onload=", "<style", "http://", "https://"):
        assert word not in r.text
    for file in FILES.glob("*.js"):
        text = file.read_text()
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "https://"):
            assert word not in text, (file.name, word)


def test_an_unchanged_file_is_not_sent_again(gateway):
    first = gateway.client.get("/ui/app.js")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    for known in (tag, f'"other", W/{tag}', "*"):
        r = gateway.client.get("/ui/app.js", headers={"if-none-match": known})
        assert r.status_code == 304 and not r.content and r.headers["etag"] == tag
        assert "content-security-policy" in r.headers
    assert gateway.client.get("/ui/app.js", headers={"if-none-match": '"0"'}).content == first.content
    assert gateway.client.get("/ui/app.css").headers["etag"] != tag


def test_head_says_what_get_would(gateway):
    get, head = gateway.client.get("/"), gateway.client.head("/")
    assert head.status_code == 200 and not head.content
    for name in ("content-length", "content-type", "etag", "content-security-policy"):
        assert head.headers[name] == get.headers[name], name


def test_other_paths_and_methods_are_refused(gateway):
    for path in ("/ui/", "/ui/nothing.js", "/ui/%2e%2e/app.js", "/index.html"):
        assert gateway.client.get(path).status_code == 404, path
    r = gateway.client.post("/", json={})
    assert r.status_code == 405 and r.headers["allow"] == "GET, HEAD"


def test_the_files_are_there_where_keys_are_asked_for_and_the_figures_are_not(desk, start_gateway):  # noqa: F811
    desk.create("a")
    g = start_gateway(top=STATE)
    assert g.client.get("/").status_code == 200 and g.client.get("/ui/app.js").status_code == 200
    assert g.client.get("/v1/admin/session").status_code == 401


def test_a_name_of_a_stranger_gets_no_page(gateway):
    assert gateway.client.get("/", headers={"host": "evil.example"}).status_code == 403
