"""leeroo play on several machines at once, through a real Redis: the same outcomes, claims that outlive their owners, a
cap that holds, and nothing paid for twice that need not be."""

import json
import re
import signal
import subprocess
import threading
import time

import pytest
from redis_server import Redis
from test_play import Experts, nano_usd, outcomes, rounds, write_config, write_questions

OPTIONS = ("--questions", "questions.jsonl", "--rounds", "1", "--max-output", "100")


class Machine:
    """A process of `leeroo play` whose words are collected."""

    def __init__(self, program, folder, *arguments, **env):
        self.lines = []
        self.popen = subprocess.Popen([program, "play", *map(str, arguments)], cwd=folder, text=True, env=env or None,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.popen.stdout:
            self.lines.append(line)

    @property
    def said(self):
        return "".join(self.lines)

    def wait(self, status=0, timeout=120):
        self.popen.wait(timeout)
        self.reader.join(10)
        assert self.popen.returncode == status, self.said
        return self.said

    def kill(self):
        self.popen.kill()
        self.popen.wait()


@pytest.fixture
def place(leeroo, tmp_path):
    """Starts experts, Redis servers and machines, and ends what is left of them."""

    class Place:
        folder = tmp_path

        def __init__(self):
            self.ends = []

        def experts(self, folder="leader", **options):
            server = Experts(**options)
            self.ends += [server.shutdown, server.server_close]
            (tmp_path / folder).mkdir(exist_ok=True)
            write_config(tmp_path / folder, server.url)
            return server

        def redis(self, **options):
            server = Redis(**options)
            self.ends.append(server.close)
            return server

        def machine(self, folder, *arguments):
            m = Machine(leeroo, tmp_path / folder, *arguments)
            self.ends.append(m.kill)
            return m

    p = Place()
    yield p
    for end in reversed(p.ends):
        end()


def until(what, seconds=60):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "nothing comes of it"
        time.sleep(0.05)


def entries(run):
    """A run's calls.jsonl: answers by key, and what else was booked."""
    answers, again, failures, lost, reserved = {}, [], [], 0, {}
    for line in (run / "calls.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if "intent" in entry:
            lost += reserved.get(entry["intent"], 0)
            reserved[entry["intent"]] = entry["reserved_nano_usd"]
        elif "key" in entry:
            assert entry["key"] not in answers, "stored twice"
            answers[entry["key"]] = entry
            del reserved[entry["key"]]
        elif "again" in entry:
            again.append(entry)
        elif "failed" in entry:
            failures.append(entry)
            del reserved[entry["failed"]]
    return answers, again, failures, lost + sum(reserved.values())


def asked(*servers):
    return [a for server in servers for a in server.asked]


def test_two_workers_share_a_run(leeroo, place):
    alone = place.experts("alone")
    write_questions(place.folder / "alone" / "questions.jsonl", 120)
    place.machine("alone", "run", *OPTIONS, "--spend", "1").wait()
    redis = place.redis(password="s3cret word%")
    url = f"redis://:s3cret%20word%25@127.0.0.1:{redis.port}"
    server = place.experts(delay=0.02)
    write_questions(place.folder / "leader" / "questions.jsonl", 120)
    machines = [place.experts(f"worker{i}", delay=0.02) for i in range(2)]
    workers = [place.machine(f"worker{i}", "--join", url, "--workers", 4) for i in range(2)]
    until(lambda: all("no run is there yet" in w.said for w in workers))
    leader = place.machine("leader", "run", *OPTIONS, "--spend", "1", "--redis", url, "--workers", 0)
    leader.wait()
    for w in workers:
        said = w.wait()
        assert re.search(r"^\d+ calls answered, 0 failed, for 0\.\d+ USD$", said, re.M), said
        assert "joined run-" in said
    run = place.folder / "leader" / "run"
    assert outcomes(run) == outcomes(place.folder / "alone" / "run"), "the same as alone"
    assert not server.asked and all(len(m.asked) > 50 for m in machines), "workers asked, both of them"
    answers, again, failures, lost = entries(run)
    assert len(asked(*machines)) == len(set(asked(*machines))) == len(answers) == len(alone.asked)
    assert not again and not failures and lost == 0
    assert sum(a["cost_nano_usd"] for a in answers.values()) == sum(a[3] for a in asked(*machines))
    left = redis.command("keys", "leeroo*").split()
    assert len(left) == 1 and left[0].endswith(":over"), "Redis has forgotten the run"
    wrong = place.machine("worker0", "--join", url.replace("s3cret", "0ther"))
    assert "AUTH" in wrong.wait(1) and "0ther" not in wrong.said


def test_a_socket_and_a_leader_who_asks_too(place):
    redis = place.redis()
    url = f"unix:{redis.folder}/socket"
    server, other = place.experts(delay=0.05), place.experts("worker", delay=0.05)
    config = place.folder / "worker" / "leeroo.yaml"
    config.write_text(config.read_text().replace("name: middle", "name: other").replace("input: 10.0", "input: 9.0"))
    write_questions(place.folder / "leader" / "questions.jsonl", 60)
    leader = place.machine("leader", "run", *OPTIONS, "--spend", "1", "--redis", url, "--workers", 2)
    worker = place.machine("worker", "--join", url, "--workers", 2)
    leader.wait()
    said = worker.wait()
    assert "middle is not in the configuration here" in said and "large has another price here" in said, said
    assert {a[1] for a in other.asked} == {"small"}
    assert {a[1] for a in server.asked} >= {"middle", "large"}
    answers, again, _, lost = entries(place.folder / "leader" / "run")
    assert len(answers) == len(asked(server, other)) == len(set(asked(server, other)))
    assert not again and lost == 0


def test_a_worker_that_dies_is_taken_over_from(place):
    redis = place.redis()
    slow, good = place.experts("dies", delay=3000), place.experts("lives")
    place.experts()
    write_questions(place.folder / "leader" / "questions.jsonl", 60)
    dies = place.machine("dies", "--join", redis.url, "--workers", 3)
    leader = place.machine("leader", "run", *OPTIONS, "--spend", "1", "--redis", redis.url, "--workers", 0)
    until(lambda: redis.command("hlen", "leeroo:runs") == "1" and "joined" in dies.said)
    stream = f"leeroo:{{{redis.command('hkeys', 'leeroo:runs')}}}:calls"
    until(lambda: sum(int(redis.command("xpending", f"{stream}:{e}", "experts").split()[0])
                      for e in ("small", "middle", "large")) == 3)
    dies.kill()
    lives = place.machine("lives", "--join", redis.url, "--workers", 8)
    leader.wait()
    lives.wait()
    run = place.folder / "leader" / "run"
    answers, again, failures, lost = entries(run)
    assert not again and not failures
    assert len(answers) == len(good.asked) == len(set(good.asked)), "whatever was claimed by the dead was asked again"
    (figures,) = rounds(run)
    assert figures["cells"] == len(answers) and figures["broken"] == 0
    assert lost > 0, "what the dead may have paid stays booked"
    assert figures["booked_nano_usd"] == lost + sum(a["cost_nano_usd"] for a in answers.values())
    assert not slow.asked


def test_a_leader_that_is_killed_goes_on(place):
    redis = place.redis()
    good = place.experts("worker", delay=0.3)
    place.experts()
    place.experts("alone")
    for folder in ("leader", "alone"):
        write_questions(place.folder / folder / "questions.jsonl", 80)
    worker = place.machine("worker", "--join", redis.url, "--workers", 4)
    command = ("run", *OPTIONS, "--spend", "1", "--redis", redis.url, "--workers", 0)
    for goal in (15, 40, 70):
        leader = place.machine("leader", *command)
        until(lambda count=goal: len(good.asked) >= count)
        leader.kill()
    time.sleep(2)  # the worker goes on meanwhile
    leader = place.machine("leader", *command)
    leader.wait()
    worker.wait()
    run = place.folder / "leader" / "run"
    answers, again, _, lost = entries(run)
    assert len(good.asked) == len(set(good.asked)) == len(answers), "no answer is lost or paid twice"
    assert not again and lost == 0
    place.machine("alone", "run", *OPTIONS, "--spend", "1").wait()
    assert outcomes(run) == outcomes(place.folder / "alone" / "run")


def test_the_cap_holds(place):
    redis = place.redis()
    workers = [place.experts(f"worker{i}", delay=0.05, tokens=1200) for i in range(2)]
    place.experts()
    write_questions(place.folder / "leader" / "questions.jsonl", 100)
    machines = [place.machine(f"worker{i}", "--join", redis.url, "--workers", 8) for i in range(2)]
    said = place.machine("leader", "run", "--questions", "questions.jsonl", "--rounds", "1", "--max-output", "1300",
                         "--spend", "0.1", "--redis", redis.url, "--workers", 0).wait()
    for m in machines:
        m.wait()
    served = sum(a[3] for a in asked(*workers))
    assert 100_000_000 - nano_usd("large", 250, 1300) < served <= 100_000_000
    assert "cap reached" in said


@pytest.mark.parametrize("how", ["frozen", "restarted", "forgetful"])
def test_redis_goes_and_comes(place, how):
    redis = place.redis(keep=how == "restarted")
    good = place.experts("worker", delay=0.2)
    place.experts()
    write_questions(place.folder / "leader" / "questions.jsonl", 80)
    worker = place.machine("worker", "--join", redis.url, "--workers", 4)
    leader = place.machine("leader", "run", *OPTIONS, "--spend", "1", "--redis", redis.url, "--workers", 0)
    until(lambda: len(good.asked) >= 30)
    (redis.freeze if how == "frozen" else redis.stop)()
    until(lambda: "Redis is away" in leader.said and "Redis is away" in worker.said)
    (redis.thaw if how == "frozen" else redis.start)()
    leader.wait()
    worker.wait()
    assert "Redis is back" in leader.said
    answers, again, failures, _ = entries(place.folder / "leader" / "run")
    assert not failures and len(answers) + len(again) == len(good.asked)
    (figures,) = rounds(place.folder / "leader" / "run")
    assert figures["cells"] == len(answers) and figures["broken"] == 0
    if how != "forgetful":
        assert not again


def test_ctrl_c_loses_nothing(place):
    redis = place.redis()
    good = place.experts("worker", delay=0.5)
    server = place.experts(delay=0.5)
    write_questions(place.folder / "leader" / "questions.jsonl", 60)
    worker = place.machine("worker", "--join", redis.url, "--workers", 4)
    command = ("run", *OPTIONS, "--spend", "1", "--redis", redis.url, "--workers", 2)
    leader = place.machine("leader", *command)
    until(lambda: len(asked(good, server)) >= 20)
    leader.popen.send_signal(signal.SIGINT)
    leader.wait(1, timeout=10)
    worker.popen.send_signal(signal.SIGINT)
    worker.wait(0, timeout=10)
    place.machine("leader", *command).wait()
    answers, again, _, lost = entries(place.folder / "leader" / "run")
    assert len(asked(good, server)) == len(set(asked(good, server))) == len(answers)
    assert not again and lost == 0


def test_what_is_wrong_is_said(place):
    redis = place.redis()
    place.experts()
    write_questions(place.folder / "leader" / "questions.jsonl", 10)
    run = ("run", *OPTIONS, "--spend", "1")
    assert "it goes with --redis" in place.machine("leader", *run, "--workers", 0).wait(2)
    assert "begins with redis://" in place.machine("leader", *run, "--redis", "localhost").wait(1)
    assert "TLS tunnel" in place.machine("leader", *run, "--redis", "rediss://localhost").wait(1)
    assert "127.0.0.1:1" in place.machine("leader", *run, "--redis", "redis://u:s3cret@127.0.0.1:1").wait(1)
    assert "are the other machine's" in place.machine("leader", "run", "--join", redis.url).wait(2)
    redis.command("hset", "leeroo:runs", "one", "1", "two", "2")
    assert "2 runs are there" in place.machine("leader", "--join", redis.url).wait(2)


def test_what_others_write_there_is_passed_over(place):
    redis = place.redis()
    good = place.experts("worker", delay=0.1)
    place.experts()
    write_questions(place.folder / "leader" / "questions.jsonl", 40)
    leader = place.machine("leader", "run", *OPTIONS, "--spend", "1", "--redis", redis.url, "--workers", 0)
    until(lambda: redis.command("hlen", "leeroo:runs") == "1")
    run = redis.command("hkeys", "leeroo:runs")
    call = ["key", "cell/other/small", "expert", "small", "asked", "0" * 16, "system", "", "user", "?", "output_tokens", "9",
            "most_nano_usd", "99"]
    result = [*call[:6], "paid", "p1", "end", "answered", "text", "mine", "http_status", "200", "basis", "usage",
              "input_tokens", "1", "output_tokens", "1", "cost_nano_usd", "7", "latency_ms", "1"]
    for _ in range(2):
        for stream, words in (("calls:small", ["a", "b"]), ("calls:small", call), ("calls:large", call),
                              ("results", ["text", "b"]), ("results", call), ("results", result)):
            redis.command("xadd", f"leeroo:{{{run}}}:{stream}", "*", *words)
    worker = place.machine("worker", "--join", redis.url, "--workers", 4)
    leader.wait()
    assert "a call that is none is passed over" in worker.wait()
    assert "a result that is none is passed over" in leader.said
    answers, again, failures, lost = entries(place.folder / "leader" / "run")
    assert len(answers) == 120 and not failures and lost == 0
    assert [(e["again"], e["paid"], e["cost_nano_usd"]) for e in again if e["paid"] == "p1"] == [("cell/other/small", "p1", 7)]
    assert len({a for a in good.asked if a[2] != "?"}) == 120
