"""TLS from outside: the official client over https, old protocols, odd clients, and certificates that are renewed."""

import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import httpx
import openai
import pytest

from conftest import has_sanitizer, write_config
from upstream import answer, delta

ONE = "policies:\n  default: {experts: [cheap]}\n"


def make_pair(folder, name="localhost", days=30, kind="ec"):
    """cert.pem and key.pem, self-signed; written beside and renamed, as renewing programs do."""
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["-newkey", "rsa:2048"]
    subprocess.run(["openssl", "req", "-x509", *new, "-nodes", "-days", str(days), "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{name},DNS:localhost,IP:127.0.0.1",
                    "-keyout", str(folder / "key.new"), "-out", str(folder / "cert.new")],
                   check=True, capture_output=True, timeout=60)
    os.replace(folder / "key.new", folder / "key.pem")
    os.replace(folder / "cert.new", folder / "cert.pem")


@pytest.fixture
def start_tls(start_gateway, tmp_path):
    def start(**options):
        make_pair(tmp_path)
        options.setdefault("policies", ONE)
        top = options.pop("top", "")
        g = start_gateway(top="tls: {certificate: cert.pem, key: key.pem}\n" + top, **options)
        g.url = f"https://{g.address}"
        g.client.close()
        g.client = httpx.Client(base_url=g.url, timeout=30, verify=context(tmp_path))
        return g
    return start


def context(tmp_path, **settings):
    c = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    for name, value in settings.items():
        setattr(c, name, value)
    return c


def connect(g, c):
    host, port = g.address.rsplit(":", 1)
    return c.wrap_socket(socket.create_connection((host, int(port)), timeout=20), server_hostname="localhost")


def shown_name(g):
    """The common name in the certificate that a new connection is shown."""
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    with connect(g, c) as s:
        der = s.getpeercert(binary_form=True)
    text = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject"], input=der, check=True,
                          capture_output=True, timeout=20).stdout.decode()
    return re.search(r"CN ?= ?(\S+)", text).group(1)


def test_official_client(start_tls, upstream, tmp_path):
    upstream.on("cheap", answer("one two three", (11, 7)))
    g = start_tls()
    http = httpx.Client(verify=context(tmp_path))
    with openai.OpenAI(base_url=g.url + "/v1", api_key="x", max_retries=0, http_client=http) as client:
        body = {"model": "leeroo", "messages": [{"role": "user", "content": "hello cat"}]}
        whole = client.chat.completions.create(**body)
        assert whole.choices[0].message.content == "one two three"
        stream = client.chat.completions.create(stream=True, **body)
        assert "".join(c.choices[0].delta.content or "" for c in stream if c.choices) == "one two three "
    with openai.OpenAI(base_url=g.url + "/v1", api_key="x", max_retries=0) as stranger:
        with pytest.raises(openai.APIConnectionError):
            stranger.models.list()


def test_big_bodies_and_slow_readers(start_tls, upstream):
    text = " ".join(["word" * 5000] * 50)
    upstream.on("cheap", answer(text, (10, 5)))
    g = start_tls(top="limits: {body: 20MiB}\n")
    big = "x" * 4_000_000
    r = g.chat(big)
    assert r.status_code == 200 and r.json()["choices"][0]["message"]["content"] == text
    assert upstream.of("cheap")[0].json["messages"][0]["content"] == big
    with g.client.stream("POST", "/v1/chat/completions",
                         json={"model": "leeroo", "stream": True,
                               "messages": [{"role": "user", "content": "hello"}]}) as r:
        time.sleep(1)
        got = b"".join(r.iter_bytes())
    assert got.count(b"word") == 250_000 and got.rstrip().endswith(b"data: [DONE]")


def test_old_protocols_and_plain_http(start_tls, tmp_path):
    g = start_tls()
    with connect(g, context(tmp_path)) as s:
        assert s.version() == "TLSv1.3"
    with connect(g, context(tmp_path, maximum_version=ssl.TLSVersion.TLSv1_2)) as s:
        assert s.version() == "TLSv1.2"
    host, port = g.address.rsplit(":", 1)
    old = subprocess.run(["openssl", "s_client", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0", "-connect", g.address],
                         input=b"", capture_output=True, timeout=20)
    assert old.returncode != 0 and b"alert protocol version" in old.stderr
    plain = httpx.get(f"http://{g.address}/healthz")
    assert plain.status_code == 400 and "https" in plain.json()["error"]["message"]
    c = context(tmp_path)
    c.set_alpn_protocols(["h2", "http/1.1"])
    with connect(g, c) as s:
        assert s.selected_alpn_protocol() == "http/1.1"


def test_clients_that_leave_in_the_handshake(start_tls, tmp_path):
    g = start_tls()
    host, port = g.address.rsplit(":", 1)
    for sent in (b"", b"\x16", b"\x16\x03\x01\x00\x05abcde", os.urandom(300)):
        for _ in range(20):
            with socket.create_connection((host, int(port)), timeout=20) as s:
                s.sendall(sent)
    assert g.client.get("/healthz").status_code == 200


def test_idle_connections_are_small(leeroo, start_tls, tmp_path):
    g = start_tls()
    c = context(tmp_path)
    kept = [connect(g, c) for _ in range(20)]
    before = g.memory_kib()
    kept += [connect(g, c) for _ in range(300)]
    for s in kept:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
    for s in kept:
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
    if not has_sanitizer(leeroo, "asan", "tsan"):
        assert (g.memory_kib() - before) / 300 < 48, "KiB for each idle connection"
    for s in kept:
        s.close()


def test_a_renewed_certificate_is_taken_up_while_a_stream_runs(start_tls, upstream, tmp_path):
    go_on = threading.Event()

    def slow(r):
        r.head(content_type="text/event-stream")
        r.event(delta("first "))
        assert go_on.wait(20)
        r.event(delta("last", finish="stop"))
        r.event(b"[DONE]")
        r.end()
    upstream.on("cheap", slow)
    g = start_tls()
    assert shown_name(g) == "localhost"
    body = {"model": "leeroo", "stream": True, "messages": [{"role": "user", "content": "hello cat"}]}
    with g.client.stream("POST", "/v1/chat/completions", json=body) as r:
        lines = r.iter_lines()
        assert "first" in next(lines)
        make_pair(tmp_path, "second.example", kind="rsa")
        g.wait_line(r'msg="certificate loaded" name=second.example')
        assert shown_name(g) == "second.example"
        go_on.set()
        assert "last" in "\n".join(lines)


def test_a_bad_renewal_is_refused_and_the_old_pair_stays(start_tls, tmp_path):
    g = start_tls()
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nhalf\n")
    g.wait_line(r'msg="certificate refused, the old one stays" err="[^"]*key.pem')
    assert shown_name(g) == "localhost"
    g.popen.send_signal(signal.SIGHUP)
    g.wait_line(r'msg="reload refused.*key.pem')
    assert shown_name(g) == "localhost"
    make_pair(tmp_path, "third.example")
    g.wait_line(r'msg="certificate loaded" name=third.example')
    assert shown_name(g) == "third.example"


def test_sighup_reads_the_pair_again(start_tls, tmp_path):
    g = start_tls()
    make_pair(tmp_path, "fourth.example")
    g.popen.send_signal(signal.SIGHUP)
    g.wait_line(r'msg="certificate loaded" name=fourth.example')
    assert shown_name(g) == "fourth.example"


@pytest.mark.parametrize("what,why", [
    ("missing", r"tls: \S*key.pem: No such file"),
    ("swapped", r"holds no certificate in PEM form"),
    ("other", r"key.pem is not the key of the certificate \S*cert.pem"),
    ("encrypted", r"key.pem: the key is encrypted"),
    ("half", r"tls lacks the key 'key'"),
])
def test_pairs_that_cannot_be_used(leeroo, model_file, upstream, tmp_path, what, why):
    make_pair(tmp_path)
    tls = "tls: {certificate: cert.pem, key: key.pem}"
    if what == "missing":
        (tmp_path / "key.pem").unlink()
    elif what == "swapped":
        tls = "tls: {certificate: key.pem, key: cert.pem}"
    elif what == "other":
        cert = (tmp_path / "cert.pem").read_bytes()
        make_pair(tmp_path)
        (tmp_path / "cert.pem").write_bytes(cert)
    elif what == "encrypted":
        subprocess.run(["openssl", "pkey", "-in", str(tmp_path / "key.pem"), "-aes256", "-passout", "pass:secret",
                        "-out", str(tmp_path / "e.pem")], check=True, capture_output=True, timeout=20)
        os.replace(tmp_path / "e.pem", tmp_path / "key.pem")
    else:
        tls = "tls: {certificate: cert.pem}"
    config = write_config(tmp_path, model_file, upstream.url, top=tls)
    for argv in (["serve", "--check", "-c", str(config)], ["serve", "-c", str(config)]):
        r = subprocess.run([leeroo, *argv], capture_output=True, text=True, timeout=20, env={**os.environ, "UP_KEY": "k"})
        assert r.returncode == 1 and re.search(why, r.stderr), r.stderr


def test_an_expired_certificate_is_warned_of(start_gateway, tmp_path):
    make_pair(tmp_path, days=3)
    g = start_gateway(top="tls: {certificate: cert.pem, key: key.pem}")
    assert g.wait_line(r'level=warn msg="the certificate expires soon" name=localhost days=(\d)').group(1) in "23"
