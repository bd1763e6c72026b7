"""The ledger when things break: kill -9 under load, a locked database, a full disk, PostgreSQL that goes and comes back.
Answers go on, memory stays flat, and every nano-dollar is in the ledger or counted as lost."""

import errno
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import threading
import time
from decimal import Decimal

import httpx
import pytest

from conftest import KEY, Gateway, wait_for, write_config
from postgres import Postgres
from upstream import answer, stall_mid_stream

USAGE = (1000, 70)
NANO = int((USAGE[0] * Decimal("0.1") + USAGE[1] * Decimal("0.2")) * 1000)  # of a call of "cheap"
BODY = {"model": "cheap", "messages": [{"role": "user", "content": "hello cat"}]}


def read(path, sql, *values):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return db.execute(sql, values).fetchall()
    except sqlite3.OperationalError as e:
        if "no such table" not in str(e):
            raise
        return []  # the file is a moment older than its tables
    finally:
        db.close()


def ended(path):
    try:
        return len(read(path, "SELECT 1 FROM requests WHERE outcome <> 'open'"))
    except sqlite3.OperationalError:  # the file is there, its tables are not yet
        return 0


class Clients:
    """Threads that ask until the gateway is gone; remembers whose last byte came."""

    def __init__(self, url, count):
        self.url, self.whole, self.lock = url, [], threading.Lock()
        self.threads = [threading.Thread(target=self.ask, args=(i % 2 == 1,)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def ask(self, streamed):
        with httpx.Client(base_url=self.url, timeout=30) as client:
            while True:
                try:
                    with client.stream("POST", "/v1/chat/completions", json={**BODY, "stream": streamed}) as r:
                        text = r.read().decode()
                except httpx.HTTPError:
                    return
                assert r.status_code == 200 and (not streamed or "data: [DONE]" in text)
                with self.lock:
                    self.whole.append(r.headers["x-leeroo-request-id"])

    def join(self):
        for thread in self.threads:
            thread.join(30)


def test_kill_9_under_load_loses_no_answer(leeroo, model_file, upstream, tmp_path):
    """litellm #13280, #36426, #25705"""
    upstream.on("cheap", answer(usage=USAGE, pause=0.001))
    upstream.on("mid", stall_mid_stream(30))
    config = write_config(tmp_path, model_file, upstream.url, top="state_dir: state\nledger: {journal: 4MiB}")
    ledger = tmp_path / "state" / "ledger.sqlite"
    told, open_ids = [], []
    for _ in range(2):
        g = Gateway(leeroo, config)
        hanging = httpx.Client(base_url=g.url, timeout=30)
        hung = hanging.send(hanging.build_request("POST", "/v1/chat/completions",
                                                  json={**BODY, "model": "mid", "stream": True}), stream=True)
        open_ids.append(hung.headers["x-leeroo-request-id"])
        clients = Clients(g.url, 8)
        wait_for(lambda: len(clients.whole) >= 60, "60 answers")
        g.popen.send_signal(signal.SIGKILL)
        g.popen.wait(10)
        clients.join()
        hanging.close()
        told += clients.whole
    g = Gateway(leeroo, config)
    seen = g.client.get(f"/v1/requests/{told[-1]}").json()  # at once: the journal is replayed first
    assert seen["outcome"] == "answered", seen
    g.client.close()
    assert g.stop() == 0
    rows = dict((row[0], row[1:]) for row in read(ledger, "SELECT id, outcome, cost_nano_usd, basis FROM requests"))
    assert [i for i in told if rows.get(i) != ("answered", NANO, "usage")] == []
    for request_id in open_ids:
        outcome, cost, basis = rows[request_id]
        assert (outcome, basis) == ("interrupted", "estimated") and cost > 0
    assert not [i for i, row in rows.items() if row[0] == "open"]


@pytest.fixture
def keeping(start_gateway):
    def start(journal="1MiB", **options):
        return start_gateway(top=f"state_dir: state\nledger: {{journal: {journal}}}", **options)
    return start


class Lock:
    """Another process holds the database."""

    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None, timeout=10)
        self.db.execute("BEGIN EXCLUSIVE")

    def release(self):
        self.db.execute("ROLLBACK")
        self.db.close()


def ask_many(g, count):
    ids = []
    for i in range(count):
        r = g.client.post("/v1/chat/completions", json={**BODY, "stream": i % 4 == 0})
        assert r.status_code == 200
        ids.append(r.headers["x-leeroo-request-id"])
    return ids


def ask_in_parallel(g, count, threads=4):
    ids = []

    def work():
        with httpx.Client(base_url=g.url, timeout=30) as client:
            for _ in range(count // threads):
                r = client.post("/v1/chat/completions", json=BODY)
                assert r.status_code == 200
                ids.append(r.headers["x-leeroo-request-id"])
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    return ids


def test_a_locked_database_loses_nothing_while_the_journal_lasts(keeping, upstream, tmp_path):
    """litellm #18708, #15536: database down means gateway down."""
    g, ledger = keeping("32MiB"), tmp_path / "state" / "ledger.sqlite"
    upstream.on("cheap", answer(usage=USAGE))
    ids = ask_many(g, 5)
    wait_for(lambda: ledger.exists() and ended(ledger) == 5, "5 rows")
    lock = Lock(ledger)
    slowest, began = 0, time.monotonic()
    while time.monotonic() - began < 2.5:
        at = time.monotonic()
        ids += ask_many(g, 1)
        slowest = max(slowest, time.monotonic() - at)
    assert slowest < 1, f"an answer took {slowest} s"
    g.wait_line(r'level=warn msg="ledger storage is away" .*problem=".*locked')
    assert g.client.get(f"/v1/requests/{ids[-1]}").status_code == 503
    assert g.client.get(f"/v1/requests/{ids[0]}").status_code == 200, "what is there can be read"
    lock.release()
    wait_for(lambda: len(read(ledger, "SELECT 1 FROM requests WHERE cost_nano_usd = ?", NANO)) == len(ids), "all rows")
    g.wait_line(r'msg="ledger storage is back" lost_rows=0 ')


def test_a_long_outage_is_counted_and_memory_stays_flat(keeping, upstream, tmp_path, leeroo):
    """litellm #12685, #27954, #38193: memory grows, worst when storage fails."""
    g, ledger = keeping(policies="policies:\n  default: {lambda: 1000}\n"), tmp_path / "state" / "ledger.sqlite"
    upstream.on("cheap", answer(usage=USAGE))
    ask_in_parallel(g, 200)
    wait_for(lambda: ledger.exists() and len(read(ledger, "SELECT 1 FROM requests WHERE outcome <> 'open'")) == 200, "rows")
    before = g.memory_kib()
    lock, asked, lost = Lock(ledger), 200, None
    while lost is None and asked < 12000:
        ask_in_parallel(g, 400)
        asked += 400
        lost = next((line for line in g.lines if 'msg="ledger loses rows"' in line), None)
    assert lost and re.search(r"level=warn .*lost_rows=[1-9]\d* lost_usd=0\.\d{9} ", lost)
    assert g.memory_kib() < before * 1.05 + 1024 + 1024, "the journal's one MiB, and five percent"
    lock.release()
    wait_for(lambda: read(ledger, "SELECT 1 FROM losses"), "the loss written down")
    ask_many(g, 1)
    assert g.client.get(f"/v1/requests/{ask_many(g, 1)[0]}").status_code == 200
    asked += 2
    config = tmp_path / "leeroo.yaml"
    told = json.loads(subprocess.run([leeroo, "spend", "-c", str(config), "--json"], capture_output=True, check=True,
                                     timeout=30).stdout, parse_float=Decimal)
    assert told["total"]["requests"] + told["lost"]["rows"] == asked
    assert told["total"]["spent_usd"] + told["lost"]["usd"] == asked * NANO * Decimal("0.000000001")
    assert told["lost"]["rows"] > 0 and told["total"]["open"] == 0


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 6 MiB, where that is allowed."""
    path = tmp_path / "disk"
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(path)], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("cannot mount a tmpfs here")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk_is_survived(start_gateway, upstream, small_disk, tmp_path):
    g = start_gateway(top=f"ledger: {{store: {small_disk}/ledger.sqlite, journal: 1MiB}}")
    upstream.on("cheap", answer(usage=USAGE))
    ids = ask_many(g, 3)
    filler = small_disk / "filler"
    fd = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(fd, b"x" * 4096)
    except OSError as e:
        assert e.errno == errno.ENOSPC
    os.close(fd)
    while not any("ledger storage is away" in line for line in g.lines):
        ids += ask_many(g, 20)
        time.sleep(0.05)  # the ledger is written by a thread, which must come to it
        assert len(ids) < 5000
    ids += ask_many(g, 20)
    filler.unlink()
    wait_for(lambda: len(read(small_disk / "ledger.sqlite", "SELECT 1 FROM requests WHERE cost_nano_usd = ?", NANO))
             == len(ids), "all rows")


def test_a_file_that_may_not_grow_is_survived(keeping, upstream, tmp_path):
    """As a full disk, but without the rights to make one."""
    g, ledger = keeping("32MiB"), tmp_path / "state" / "ledger.sqlite"
    upstream.on("cheap", answer(usage=USAGE))
    ids = ask_many(g, 3)
    wait_for(lambda: ledger.exists() and len(read(ledger, "SELECT 1 FROM requests")) == 3, "3 rows")
    _, hard = resource.prlimit(g.popen.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(g.popen.pid, resource.RLIMIT_FSIZE, (4096, hard))
    while not any("ledger storage is away" in line for line in g.lines):
        ids += ask_many(g, 20)
        time.sleep(0.05)  # the ledger is written by a thread, which must come to it
        assert len(ids) < 20000
    resource.prlimit(g.popen.pid, resource.RLIMIT_FSIZE, (hard, hard))
    wait_for(lambda: len(read(ledger, "SELECT 1 FROM requests WHERE cost_nano_usd = ?", NANO)) == len(ids), "all rows")


def test_a_disk_without_room_for_the_journal_is_found_at_the_start(leeroo, model_file, small_disk, tmp_path):
    config = write_config(tmp_path, model_file, "http://127.0.0.1:9/v1",
                          top=f"ledger: {{store: {small_disk}/ledger.sqlite, journal: 8MiB}}")
    done = subprocess.run([leeroo, "serve", "-c", str(config)], capture_output=True, text=True, timeout=30, check=False,
                          env={**os.environ, "UP_KEY": "k"})
    assert done.returncode == 1 and "no room for a journal of 8 MiB" in done.stderr


def test_a_second_gateway_on_the_same_journal_is_refused(keeping, leeroo, tmp_path):
    keeping()
    done = subprocess.run([leeroo, "serve", "-c", str(tmp_path / "leeroo.yaml")], capture_output=True, text=True,
                          timeout=30, check=False, env={**os.environ, "UP_KEY": "k"})
    assert done.returncode == 1 and "another process uses this journal" in done.stderr


def test_an_unreadable_store_does_not_stop_answers(start_gateway, upstream, tmp_path):
    (tmp_path / "no-db").write_text("this is no database, and long enough to be looked at as one" * 20)
    g = start_gateway(top="ledger: {store: no-db, journal: 1MiB}")
    assert g.chat(model="cheap").status_code == 200
    g.wait_line(r'level=warn msg="ledger storage is away" .*not a database')


# PostgreSQL

@pytest.fixture(scope="module")
def postgres():
    p = Postgres()
    yield p
    p.close()


def test_postgres_goes_and_comes_back(leeroo, model_file, upstream, tmp_path, postgres):
    """litellm #18708, #15536: down at the start, there, gone in the middle, frozen; no answer waits, no row is lost."""
    upstream.on("cheap", answer(usage=USAGE))
    config = write_config(tmp_path, model_file, upstream.url,
                          top="state_dir: state\nledger: {store: env:LEDGER_URL, journal: 1MiB}")
    os.environ["LEDGER_URL"] = postgres.url
    try:
        postgres.stop()
        g = Gateway(leeroo, config)
        ids = ask_many(g, 3)
        assert postgres.folder not in g.text, "a URL may hold a password"
        g.wait_line(r'msg="ledger storage is away"')
        postgres.start()
        count = "SELECT COUNT(*) FROM leeroo.requests WHERE outcome = 'answered'"
        wait_for(lambda: "leeroo" in str(postgres.query("SELECT nspname FROM pg_namespace")) and
                 postgres.query(count) == [["3"]], "3 rows")
        ids += ask_many(g, 20)
        seen = g.client.get(f"/v1/requests/{ids[-1]}").json()
        assert seen["outcome"] == "answered" and seen["decision"]["members"] == ["cheap"]
        assert g.client.post("/v1/feedback", json={"request_id": ids[0], "score": 0.5}).status_code == 200
        postgres.stop()
        ids += ask_many(g, 20)
        postgres.start()
        ids += ask_many(g, 5)
        wait_for(lambda: postgres.query(count) == [[str(len(ids))]], "all rows")
        postgres.freeze()
        try:
            at = time.monotonic()
            ids += ask_many(g, 10)
            assert time.monotonic() - at < 5
        finally:
            postgres.thaw()
        wait_for(lambda: postgres.query(count) == [[str(len(ids))]], "all rows again")
        assert postgres.query("SELECT SUM(cost_nano_usd) FROM leeroo.requests") == [[str(len(ids) * NANO)]]
        told = json.loads(subprocess.run([leeroo, "spend", "-c", str(config), "--json"], capture_output=True, check=True,
                                         timeout=30).stdout, parse_float=Decimal)
        assert told["total"]["spent_usd"] == len(ids) * NANO * Decimal("0.000000001")
        g.client.close()
        assert g.stop() == 0
    finally:
        del os.environ["LEDGER_URL"]


def test_files_that_are_cut_under_the_gateway_do_not_end_it(leeroo, start_gateway, upstream, tmp_path):
    """annoy #335, libtorrent #5118: whoever touches a mapped page behind the end of its file is killed (SIGBUS)."""
    (tmp_path / "state").mkdir(mode=0o700)
    config = write_config(tmp_path, tmp_path / "m", upstream.url, top="state_dir: state\nkeys: keys.json")
    env = {**os.environ, "UP_KEY": KEY}
    made = subprocess.run([leeroo, "keys", "create", "--name", "a", "-c", str(config)], env=env, capture_output=True, text=True,
                          check=True)
    g = start_gateway(top="state_dir: state\nkeys: keys.json")
    g.client.headers["authorization"] = f"Bearer {made.stdout.strip()}"
    for _ in range(20):
        assert g.chat(model="mid").status_code == 200
    for name, size in (("ledger.journal", 0), ("keys.spend", 0)):
        os.truncate(tmp_path / "state" / name, size)
    answered = 0
    for _ in range(300):
        answered += g.chat(model="mid").status_code == 200
    assert answered == 300 and g.popen.poll() is None
    for name in ("ledger.journal", "keys.spend"):
        g.wait_line(rf"level=error msg=\"a file in use was cut.* file=\S*{name}")
    deadline = time.monotonic() + 20
    while rows(tmp_path) < 320 - 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert rows(tmp_path) >= 300, "what comes after it still reaches the database"


def rows(tmp_path):
    with sqlite3.connect(f"file:{tmp_path}/state/ledger.sqlite?mode=ro", uri=True) as db:
        return db.execute("SELECT COUNT(*) FROM requests WHERE outcome = 'answered'").fetchone()[0]
