"""leeroo spend: sums that agree with an independent count, exact to the nano-dollar; groups, times, mistakes."""

import json
import re
import sqlite3
import subprocess
import time
from decimal import Decimal

import pytest

from conftest import write_config
from upstream import answer, status

PRICES = {"cheap": ("0.1", "0.2"), "mid": ("0.5", "1.0"), "dear": ("5.0", "15.0")}


def usd(expert, usage):
    return sum(n * Decimal(p) for n, p in zip(usage, PRICES[expert])) / 1_000_000


@pytest.fixture
def spend(leeroo, tmp_path):
    def run(*options, check=True, **env):
        done = subprocess.run([leeroo, "spend", "-c", str(tmp_path / "leeroo.yaml"), *options], capture_output=True,
                              text=True, timeout=30, check=False, env={"PATH": "/bin", **env})
        if check:
            assert done.returncode == 0, done.stderr
        return done
    return run


def as_json(done):
    return json.loads(done.stdout, parse_float=Decimal)


def wait_for_rows(path, count):
    deadline, found = time.monotonic() + 10, 0
    while time.monotonic() < deadline:
        if path.exists():
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
                try:
                    found = db.execute("SELECT COUNT(*) FROM requests WHERE outcome <> 'open'").fetchone()[0]
                except sqlite3.OperationalError:
                    found = 0
            if found >= count:
                return
        time.sleep(0.05)
    raise AssertionError(f"{found} rows instead of {count}")


def test_sums_agree_with_what_was_asked(start_gateway, spend, upstream, tmp_path):
    g = start_gateway(top="state_dir: state\nreference: dear", expert="retries: 0")
    usages = {"cheap": (1234, 77), "mid": (3, 991), "dear": (100003, 1)}
    asked = {"cheap": 3, "mid": 2, "dear": 1}
    for name, usage in usages.items():
        upstream.on(name, answer(usage=usage))
    for name, count in asked.items():
        for i in range(count):
            assert g.chat(model=name, stream=bool(i % 2)).status_code == 200
    upstream.on("cheap", status(500))
    assert g.chat(model="cheap").status_code == 502
    upstream.on("cheap", answer(usage=None))
    estimated = g.chat(model="leeroo/cheapest")
    assert estimated.status_code == 200
    wait_for_rows(tmp_path / "state" / "ledger.sqlite", 8)
    by_expert = as_json(spend("--json"))
    groups = {row["name"]: row for row in by_expert["groups"]}
    estimated_usd = Decimal(estimated.headers["x-leeroo-cost-usd"])
    expected = {name: asked[name] * usd(name, usages[name]) for name in asked}
    expected["cheap"] += estimated_usd
    assert {name: row["spent_usd"] for name, row in groups.items()} == expected
    assert {name: row["requests"] for name, row in groups.items()} == {"cheap": 5, "mid": 2, "dear": 1}
    assert groups["cheap"]["failed"] == 1 and groups["cheap"]["estimated_usd"] == estimated_usd
    assert groups["mid"]["input_tokens"] == 6 and groups["mid"]["output_tokens"] == 1982
    total = by_expert["total"]
    assert total["spent_usd"] == sum(expected.values()) and total["requests"] == 8
    assert total["saved_usd"] == total["reference_usd"] - total["spent_usd"]
    assert by_expert["lost"] == {"rows": 0, "usd": 0}
    for by in ("key", "day", "policy", "front"):
        told = as_json(spend("--by", by, "--json"))
        assert sum(row["spent_usd"] for row in told["groups"]) == total["spent_usd"], by
        assert told["total"] == total, by
    policies = {row["name"]: row["requests"] for row in as_json(spend("--by", "policy", "--json"))["groups"]}
    assert policies == {"": 7, "cheapest": 1}
    days = as_json(spend("--by", "day", "--json"))["groups"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", row["name"]) for row in days)


def test_calls_of_a_request_count_for_who_was_asked(start_gateway, spend, upstream, tmp_path):
    g = start_gateway(top="state_dir: state", expert="retries: 0", policies="policies:\n  default: {lambda: 1e9}\n")
    upstream.on("cheap", lambda r: (r.head(content_type="text/event-stream"), r.event({"error": {"message": "x"}})))
    upstream.on("mid", answer(usage=(10, 5)))
    r = g.chat()
    assert r.headers["x-leeroo-expert"] == "mid"
    wait_for_rows(tmp_path / "state" / "ledger.sqlite", 1)
    groups = {row["name"]: row for row in as_json(spend("--json"))["groups"]}
    assert groups["mid"]["spent_usd"] == usd("mid", (10, 5)) and groups["mid"]["requests"] == 1
    assert groups["cheap"]["requests"] == 0


@pytest.fixture
def written(model_file, tmp_path, spend, leeroo):
    """A ledger with rows at known times."""
    config = write_config(tmp_path, model_file, "http://127.0.0.1:9/v1", top="state_dir: state")
    del config
    (tmp_path / "state").mkdir()
    path = tmp_path / "state" / "ledger.sqlite"
    with sqlite3.connect(path) as db:
        db.executescript("""
            CREATE TABLE requests (id TEXT PRIMARY KEY, instance TEXT, begin_ms BIGINT, front TEXT, key_id TEXT, policy TEXT,
              model TEXT, plan TEXT, expert TEXT, stream BIGINT, quality REAL, lambda REAL, predicted_nano_usd BIGINT,
              reference_nano_usd BIGINT, decision TEXT, outcome TEXT, http_status BIGINT, basis TEXT, cost_nano_usd BIGINT,
              input_tokens BIGINT, cached_tokens BIGINT, cache_write_tokens BIGINT, output_tokens BIGINT,
              reasoning_tokens BIGINT, attempts BIGINT, cached BIGINT, first_token_ms BIGINT, total_ms BIGINT, problem TEXT,
              calls TEXT);
            CREATE TABLE losses (instance TEXT, from_ms BIGINT, to_ms BIGINT, lost_rows BIGINT, nano_usd BIGINT);
            PRAGMA application_id = 1281713522; PRAGMA user_version = 1;""")
        day = 86_400_000
        for i, (begin, outcome, cost) in enumerate([(20_000 * day, "answered", 1), (20_000 * day + day - 1, "answered", 10),
                                                    (20_001 * day, "failed", 100), (20_002 * day, "open", 0),
                                                    (int(time.time() * 1000) - 5000, "answered", 1000)]):
            db.execute("INSERT INTO requests (id, begin_ms, front, key_id, policy, expert, outcome, basis, cost_nano_usd, "
                       "reference_nano_usd, input_tokens, cached_tokens, output_tokens) "
                       "VALUES (?, ?, 'chat', 'key_1', 'p', 'e', ?, 'usage', ?, 5000, 0, 0, 0)",
                       (f"r{i}", begin, outcome, cost))
        db.execute("INSERT INTO losses VALUES ('i', ?, ?, 7, 123456789)", (20_001 * day, 20_001 * day + 5))
    return spend


def test_times_bound_what_is_summed(written):
    def spent(*options):
        return as_json(written("--json", *options))["total"]["spent_usd"]
    nano = Decimal("0.000000001")
    assert spent() == 1111 * nano
    assert spent("--since", "2024-10-04", "--until", "2024-10-05") == 11 * nano
    assert spent("--since", "2024-10-05T00:00:00Z") == 1100 * nano
    assert spent("--since", "1h") == spent("--since", "7d") == 1000 * nano
    days = as_json(written("--json", "--by", "day"))["groups"]
    assert [row["name"] for row in days][:3] == ["2024-10-04", "2024-10-05", "2024-10-06"]
    assert days[0]["spent_usd"] == 11 * nano


def test_what_failed_or_runs_saves_nothing(written):
    days = {row["name"]: row for row in as_json(written("--json", "--by", "day"))["groups"]}
    assert days["2024-10-04"]["saved_usd"] == Decimal("0.000009989")
    assert days["2024-10-05"]["saved_usd"] == 0 and days["2024-10-05"]["failed"] == 1
    assert days["2024-10-06"]["open"] == 1 and days["2024-10-06"]["spent_usd"] == 0


def test_losses_are_told(written):
    assert as_json(written("--json"))["lost"] == {"rows": 7, "usd": Decimal("0.123456789")}
    assert as_json(written("--json", "--since", "2025-01-01"))["lost"]["rows"] == 0
    assert "7 rows were lost" in written().stdout


def test_the_table_is_aligned_and_has_a_total(written):
    lines = written("--by", "key").stdout.splitlines()
    assert lines[0].split()[0] == "key" and lines[1].split()[0] == "key_1" and lines[2].split()[0] == "total"
    assert len({len(line) for line in lines[:3]}) == 1


@pytest.mark.parametrize("options", [("--by", "colour"), ("--since", "yesterday"), ("--until", "2024-02-30"),
                                     ("--since", "-3d"), ("extra",)])
def test_wrong_use_is_refused(written, options):
    done = written(*options, check=False)
    assert done.returncode == 2 and done.stderr.startswith("leeroo spend: ")


def test_without_a_ledger_it_says_what_to_do(spend, model_file, tmp_path):
    write_config(tmp_path, model_file, "http://127.0.0.1:9/v1")
    done = spend(check=False)
    assert done.returncode == 1 and "names no ledger" in done.stderr
    done = spend("--ledger", str(tmp_path / "none.sqlite"), check=False)
    assert done.returncode == 1 and "none.sqlite: No such file or directory; `leeroo serve` makes it" in done.stderr
    assert not (tmp_path / "none.sqlite").exists()


def test_another_database_is_no_ledger(spend, tmp_path):
    with sqlite3.connect(tmp_path / "other.sqlite") as db:
        db.execute("CREATE TABLE requests (id TEXT)")
    done = spend("--ledger", str(tmp_path / "other.sqlite"), check=False)
    assert done.returncode == 1 and "not a ledger" in done.stderr


def test_sums_beyond_all_money_are_the_largest_number(start_gateway, spend, upstream, tmp_path):
    """Costs whose sum does not fit in the database's integers: no error, and what fits stays exact."""
    g = start_gateway(top="state_dir: state\nreference: dear")
    for _ in range(3):
        assert g.chat(model="mid").status_code == 200
    path = tmp_path / "state" / "ledger.sqlite"
    wait_for_rows(path, 3)
    g.stop()
    for each, shown in ((10**18 + 1, Decimal("3000000000.000000003")), (2**62, Decimal(2**63 - 1) / 10**9)):
        with sqlite3.connect(path) as db:
            db.execute("UPDATE requests SET cost_nano_usd = ?, calls = NULL", (each,))
        db.close()
        for by in ("expert", "key", "day", "policy", "front"):
            rows = as_json(spend("--json", "--by", by))["groups"]
            assert [row["spent_usd"] for row in rows] == [shown], (by, rows)


def test_where_the_reference_answers_nothing_is_saved(start_gateway, upstream):
    """What it was predicted to cost is no saving: it has cost what it has cost."""
    upstream.on("dear", answer("four", (10, 3)))
    gateway = start_gateway(top="reference: dear")
    line = gateway.access(gateway.chat(model="dear").headers["x-leeroo-request-id"])
    assert line["reference_usd"] == line["cost_usd"] != line["predicted_usd"]
    upstream.on("cheap", answer("four", (10, 3)))
    line = gateway.access(gateway.chat(model="cheap").headers["x-leeroo-request-id"])
    assert float(line["reference_usd"]) > float(line["cost_usd"])
