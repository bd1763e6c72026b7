"""leeroo check: what serve would meet on this machine, each thing that is wrong, all at once, and nothing changed by it."""

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from conftest import KEY, free_port, write_config
from postgres import Postgres
from test_tls import make_pair


@pytest.fixture
def check(leeroo):
    def run(path, *more, **env):
        return subprocess.run([leeroo, "check", "-c", str(path), *more], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "UP_KEY": KEY, **env})
    return run


@pytest.fixture
def config(model_file, tmp_path):
    def write(top="", listen=None):
        path = write_config(tmp_path, model_file, "http://127.0.0.1:1/v1", top=top)
        if listen:
            path.write_text(path.read_text().replace("listen: 127.0.0.1:0", f"listen: {listen}"))
        return path
    return write


def start_of(done):
    return json.loads(done.stdout)["start"]


def test_what_is_fine_is_said_of_each(check, config, tmp_path):
    port = free_port()
    path = config("state_dir: state", f"127.0.0.1:{port}")
    done = check(path)
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    assert f"\nport      {port} is free\n" in done.stdout
    assert f"\nstate     {tmp_path}/state, made at the start, " in done.stdout and " GB free\n" in done.stdout
    assert f"\nledger    {tmp_path}/state/ledger.sqlite, made at the start\n" in done.stdout
    assert not (tmp_path / "state").exists(), "nothing is made"
    found = start_of(check(path, "--json"))
    assert set(found) == {"port", "state", "ledger"} and all(part["fine"] for part in found.values())


def test_a_port_that_another_program_has(check, leeroo, config):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = config("", f"127.0.0.1:{port}")
        done = check(path)
        assert done.returncode == 1 and "1 problem\n" in done.stdout
        assert f"leeroo check: listen: cannot listen on 127.0.0.1:{port}, taken by " in done.stderr
        assert f"(process {os.getpid()}): Address already in use; stop that program, or give another port" in done.stderr
        found = json.loads(check(path, "--json").stdout)
        assert found["fine"] is False and found["start"]["port"]["fine"] is False and len(found["problems"]) == 1
        serve = subprocess.run([leeroo, "serve", "-c", str(path)], capture_output=True, text=True, timeout=60,
                               env={**os.environ, "UP_KEY": KEY})
        assert serve.returncode == 1 and f"(process {os.getpid()}): Address already in use" in serve.stderr


def test_the_gateway_that_runs_is_no_problem(check, start_gateway, config, tmp_path):
    gateway = start_gateway(top="state_dir: state")
    path = config("state_dir: state", gateway.address)
    done = check(path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"is taken by a gateway that runs (process {gateway.popen.pid})" in done.stdout
    assert "ledger.sqlite, 0 requests, " in done.stdout


def as_nobody(leeroo, path, *files):
    """check as a user who owns nothing here, but may read these files."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("skipped: needs root and setpriv")
    for file in files:
        for part in [file, *file.parents][:-2]:
            part.chmod(part.stat().st_mode | 0o055)
    path.chmod(0o644)
    return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", leeroo, "check", "-c", str(path)],
                          capture_output=True, text=True, timeout=60, env={**os.environ, "UP_KEY": KEY})


def test_the_gateway_of_another_user_is_told_by_its_name(leeroo, start_gateway, config, model_file, tmp_path):
    gateway = start_gateway()
    done = as_nobody(leeroo, config("", gateway.address), tmp_path, model_file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is taken by a gateway that runs (process " in done.stdout


def test_a_ledger_that_is_none(check, config, tmp_path):
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "ledger.sqlite").write_text("no database at all " * 100)
    done = check(config("state_dir: state"))
    assert done.returncode == 1 and "leeroo check: ledger " in done.stderr and "file is not a database" in done.stderr
    gone = check(config("ledger: {store: nowhere/l.sqlite}"))
    assert gone.returncode == 1 and "its folder: No such file or directory" in gone.stderr


def test_a_folder_of_runs_is_looked_for(check, config, tmp_path):
    done = check(config("runs: runs"))
    assert done.returncode == 0 and f"{tmp_path}/runs, no such folder" in done.stdout
    assert "is no folder, so the admin API has no runs to show" in done.stdout + done.stderr
    (tmp_path / "runs").mkdir()
    done = check(config("runs: runs"))
    assert done.returncode == 0 and "no such folder" not in done.stdout and "no runs to show" not in done.stdout + done.stderr


def test_a_state_dir_that_cannot_be(check, config, tmp_path):
    (tmp_path / "file").write_text("")
    done = check(config("state_dir: file"))
    assert done.returncode == 1 and f"leeroo check: state_dir: {tmp_path}/file is no folder" in done.stderr
    done = check(config("state_dir: a/b/c"))
    assert done.returncode == 1 and "a/b/c cannot be made in " in done.stderr and "`mkdir -p` it" in done.stderr
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    done = check(config("state_dir: open"))
    assert done.returncode == 0 and "warning: others may write in state_dir" in done.stdout and "`chmod 700` it" in done.stdout


def test_rights_of_another_user(leeroo, config, model_file, tmp_path):
    (tmp_path / "state").mkdir(mode=0o700)
    done = as_nobody(leeroo, config("state_dir: state"), tmp_path, model_file)
    assert done.returncode == 1 and "(it belongs to user 0, this is user 65534); `chown` it" in done.stderr, done.stderr


def test_a_ledger_of_another_user(leeroo, config, model_file, tmp_path):
    (tmp_path / "l.sqlite").write_text("")
    (tmp_path / "l.sqlite").chmod(0o600)
    done = as_nobody(leeroo, config("ledger: {store: l.sqlite}"), tmp_path, model_file)
    assert done.returncode == 1 and "it cannot be written; it belongs to another user: Permission denied" in done.stderr


def test_certificates(check, config, tmp_path):
    top = "tls: {certificate: cert.pem, key: key.pem}"
    make_pair(tmp_path, days=90)
    fine = check(config(top))
    assert fine.returncode == 0 and "\ntls       the certificate of localhost ends on 20" in fine.stdout
    assert "warning: the certificate" not in fine.stdout
    make_pair(tmp_path, days=20)
    soon = check(config(top))
    assert soon.returncode == 0 and "warning: the certificate of localhost ends on 20" in soon.stdout
    assert start_of(check(config(top), "--json"))["tls"]["fine"] is True
    key = (tmp_path / "key.pem").read_bytes()
    make_pair(tmp_path, days=90)
    (tmp_path / "key.pem").write_bytes(key)
    other = check(config(top))
    assert other.returncode == 1 and "leeroo.yaml: tls: " in other.stderr and "is not the key of the certificate" in other.stderr, other.stderr


CA = """[ca]
default_ca = d
[d]
database = db
new_certs_dir = .
default_md = sha256
policy = p
rand_serial = yes
[p]
commonName = supplied
"""


def test_a_certificate_that_has_ended(check, config, tmp_path):
    make_pair(tmp_path)  # its key; then a certificate of the past, which only `openssl ca` makes
    (tmp_path / "ca.conf").write_text(CA)
    (tmp_path / "db").write_text("")
    for command in (["req", "-new", "-key", "key.pem", "-subj", "/CN=old.example", "-out", "r.csr"],
                    ["ca", "-batch", "-selfsign", "-keyfile", "key.pem", "-in", "r.csr", "-out", "cert.pem", "-startdate",
                     "20200101000000Z", "-enddate", "20210101000000Z", "-config", "ca.conf", "-notext"]):
        subprocess.run(["openssl", *command], check=True, capture_output=True, timeout=60, cwd=tmp_path)
    done = check(config("tls: {certificate: cert.pem, key: key.pem}"))
    assert done.returncode == 1, done.stdout
    assert "leeroo check: tls: the certificate of old.example ended on 2021-01-01; renew " in done.stderr, done.stderr


def test_all_of_it_at_once(check, config, tmp_path):
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        path = config("state_dir: file\nledger: {store: nowhere/l.sqlite}\ntls: {certificate: none.pem, key: none.pem}",
                      f"127.0.0.1:{taken.getsockname()[1]}")
        path.write_text(path.read_text().replace("- name: dear", "- name: stranger"))
        done = check(path)
    assert done.returncode == 1
    for part in ("tls: ", "listen: ", "state_dir: ", "ledger nowhere", "stranger"):
        assert sum(part in line.replace(f"{tmp_path}/", "") for line in done.stderr.splitlines()) >= 1, (part, done.stderr)


def test_postgresql(check, config, tmp_path):
    path = config("state_dir: state\nledger: {store: env:LEDGER_URL}")
    away = check(path, LEDGER_URL="postgresql://u:canary-pw@127.0.0.1:1/x")
    assert away.returncode == 1 and "canary-pw" not in away.stdout + away.stderr
    assert "`serve` would start, and keep requests in its journal until it is there" in away.stderr
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("skipped: no PostgreSQL")
    server = Postgres()
    try:
        there = check(path, LEDGER_URL=server.url)
        assert there.returncode == 0 and "\nledger    PostgreSQL can be reached, its schema is made at the start\n" in there.stdout
        assert server.query("SELECT COUNT(*) FROM pg_namespace WHERE nspname = 'leeroo'") == [["0"]], "nothing is made"
    finally:
        server.close()
