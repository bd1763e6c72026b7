"""leeroo ledger: old requests go, the rest is copied out and backed up, while the gateway runs; and `ledger.keep`."""

import csv
import io
import json
import os
import re
import sqlite3
import subprocess
from pathlib import Path

import pytest

from conftest import KEY, wait_for
from postgres import Postgres
from upstream import answer

DAY_MS = 86400000


@pytest.fixture
def ledger(leeroo, tmp_path):
    def run(*argv, code=0, **env):
        done = subprocess.run([leeroo, "ledger", *argv], capture_output=True, text=True, timeout=60, cwd=tmp_path,
                              env={**os.environ, **env})
        assert done.returncode == code, done.stdout + done.stderr
        return done
    return run


@pytest.fixture
def gateway(start_gateway, upstream):
    upstream.behaviours = {name: [answer()] for name in ("cheap", "mid", "dear")}
    return start_gateway(top="state_dir: state")


def rows(tmp_path):
    with sqlite3.connect(f"file:{tmp_path}/state/ledger.sqlite?mode=ro", uri=True) as db:
        try:
            return db.execute("SELECT COUNT(*) FROM requests").fetchone()[0]
        except sqlite3.OperationalError:
            return 0  # the gateway is about to make it


def make_older(tmp_path, ids, days):
    with sqlite3.connect(f"{tmp_path}/state/ledger.sqlite", timeout=20) as db:
        db.executemany("UPDATE requests SET begin_ms = begin_ms - ? WHERE id = ?", [(days * DAY_MS, i) for i in ids])


def ask_many(gateway, n, tmp_path):
    ids = [gateway.chat(f"hello cat {i}").headers["x-leeroo-request-id"] for i in range(n)]
    wait_for(lambda: rows(tmp_path) >= n, "all rows in the ledger")
    return ids


def test_old_requests_go(ledger, gateway, tmp_path):
    ids = ask_many(gateway, 6, tmp_path)
    gateway.client.post("/v1/feedback", json={"request_id": ids[0], "score": 1})
    make_older(tmp_path, ids[:4], 100)
    dry = ledger("prune", "--older-than", "90d", "--dry-run").stdout
    assert re.match(r"4 requests would be erased that began before 20\S+Z: from 20\S+Z to 20\S+Z, [01] with feedback, USD 0\.0", dry)
    assert rows(tmp_path) == 6
    found = json.loads(ledger("prune", "--older-than", "90d", "--json").stdout)
    assert (found["erased"], found["requests"], found["dry_run"]) == (4, 4, False)
    assert rows(tmp_path) == 2
    again = ledger("prune", "--before", "2020-01-01", "--compact").stdout
    assert again.startswith("0 requests erased that began before 2020-01-01T00:00:00Z\n") and " MB given back" in again
    assert gateway.chat("hello again").status_code == 200
    wait_for(lambda: rows(tmp_path) == 3, "the gateway goes on writing")
    assert "storage is away" not in gateway.text


def test_it_keeps_for_a_time_by_itself(leeroo, start_gateway, upstream, model_file, tmp_path):
    upstream.behaviours = {name: [answer()] for name in ("cheap", "mid", "dear")}
    first = start_gateway(top="state_dir: state")
    ids = ask_many(first, 5, tmp_path)
    assert first.stop() == 0
    make_older(tmp_path, ids[:3], 91)
    second = start_gateway(top="state_dir: state\nledger: {keep: 90d}")
    second.wait_line(r'msg="ledger pruned" rows=3 before=20')
    assert rows(tmp_path) == 2
    page = second.client.get("/metrics").text
    assert "leeroo_ledger_pruned_rows_total 3\n" in page
    assert second.client.get(f"/v1/requests/{ids[0]}").status_code == 404
    assert second.client.get(f"/v1/requests/{ids[4]}").status_code == 200


def test_export(ledger, gateway, tmp_path):
    ids = ask_many(gateway, 5, tmp_path)
    assert gateway.chat("x", model="dear").status_code == 200
    wait_for(lambda: rows(tmp_path) == 6, "the last row")
    found = list(csv.DictReader(io.StringIO(ledger("export").stdout)))
    assert [r["id"] for r in found][:5] == ids and all(r["outcome"] == "answered" for r in found)
    assert all(float(r["cost_usd"]) > 0 and r["cost_basis"] == "usage" and int(r["input_tokens"]) == 10 for r in found)
    assert [r["policy"] for r in found] == ["default"] * 5 + [""]
    lines = [json.loads(line) for line in ledger("export", "--format", "jsonl").stdout.splitlines()]
    assert [r["id"] for r in lines] == [r["id"] for r in found] and lines[0]["decision"] is not None
    shown = gateway.client.get(f"/v1/requests/{ids[0]}").json()
    assert lines[0] == shown, "as the gateway says it"
    by_name = list(csv.DictReader(io.StringIO(ledger("export", "--expert", "dear", "--policy", "").stdout)))
    assert len(by_name) == 1 and by_name[0]["expert"] == "dear"
    assert ledger("export", "--until", "2020-01-01").stdout.count("\n") == 1, "the names alone"
    assert len(ledger("export", "--since", "1h").stdout.splitlines()) == 7
    done = ledger("export", "-o", "out.jsonl")
    assert done.stdout == "" and done.stderr == "6 requests written to out.jsonl\n"
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 6


def test_a_backup_can_be_served(ledger, gateway, leeroo, tmp_path):
    ids = ask_many(gateway, 4, tmp_path)
    done = ledger("backup", "-o", "copy.sqlite").stdout
    assert re.fullmatch(r"4 requests, 0\.\d MB, copied to copy.sqlite and looked through\n", done)
    assert (tmp_path / "copy.sqlite").stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.glob("copy*")) == ["copy.sqlite"]
    assert json.loads(ledger("backup", "-o", "copy.sqlite", "--json").stdout)["requests"] == 4, "a file there is replaced"
    spent = subprocess.run([leeroo, "spend", "--ledger", "copy.sqlite", "--json"], capture_output=True, text=True, cwd=tmp_path,
                           timeout=60, check=True)
    assert json.loads(spent.stdout)["total"]["requests"] == 4
    assert ids[0] in ledger("export", "--ledger", "copy.sqlite").stdout
    damaged = bytearray((tmp_path / "copy.sqlite").read_bytes())
    damaged[4096:8192] = b"\x55" * 4096
    (tmp_path / "bad.sqlite").write_bytes(damaged)
    bad = ledger("backup", "--ledger", "bad.sqlite", "-o", "never.sqlite", code=1)
    assert "leeroo ledger: " in bad.stderr and not list(tmp_path.glob("never*")), bad.stderr


def test_postgresql(ledger, tmp_path):
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("skipped: no PostgreSQL")
    server = Postgres()
    try:
        server.query("CREATE SCHEMA leeroo")
        said = ledger("export", "--ledger", server.url, code=1).stderr
        assert "holds no ledger yet" in said
        how = ledger("backup", "--ledger", server.url, "-o", "x", code=1).stderr
        assert "this ledger is in PostgreSQL: `pg_dump --schema=leeroo --format=custom --file=FILE URL`" in how
        server.query("CREATE TABLE leeroo.requests (id TEXT)")
        server.run("pg_dump", "--schema=leeroo", "--format=custom", f"--file={server.folder}/dump", server.url)
        server.query("DROP SCHEMA leeroo CASCADE")
        server.run("pg_restore", f"--dbname={server.url}", f"{server.folder}/dump")
        assert server.query("SELECT COUNT(*) FROM leeroo.requests") == [["0"]], "as it says"
    finally:
        server.close()


@pytest.mark.parametrize("argv,says", [
    ((), "say one of prune, export and backup"),
    (("prume",), "no `leeroo ledger prume`; there are prune, export and backup"),
    (("prune", "--ledger", "x"), "prune needs --before TIME or --older-than AGE"),
    (("prune", "--ledger", "x", "--before", "soon"), "--before 'soon': expected a date"),
    (("export", "--ledger", "x", "--format", "xml"), "--format must be csv or jsonl"),
    (("backup", "--ledger", "x"), "backup needs -o FILE"),
])
def test_wrong_usage(ledger, argv, says):
    assert f"leeroo ledger: {says}" in ledger(*argv, code=2).stderr


def test_what_is_not_there(ledger, tmp_path):
    assert "No such file or directory" in ledger("prune", "--ledger", "none.sqlite", "--older-than", "1d", code=1).stderr
    assert not (tmp_path / "none.sqlite").exists()
    assert "leeroo.yaml: No such file" in ledger("export", code=1).stderr
