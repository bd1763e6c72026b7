#!/usr/bin/env python3
"""bench_instructions: what a request, a decision and training cost, in instructions counted by callgrind.

    bench/instructions.py [PROGRAM] [--before PROGRAM|FILE.json] [--json FILE.json] [--keep FOLDER] [--only PART,...]

PROGRAM is a leeroo (default build/leeroo); --before names another one, or the file that --json wrote of it. Both are
given the same inputs; each trains its own models from them, since a model file may change its format. Exits 1 when a
count is more than 2 % above the one before. Instructions, unlike times, do not depend on what else the machine does.

gateway    `leeroo serve` with one event loop, learned routing over four experts and the ledger in SQLite, in front of an
           upstream in this process: requests of 2 KB, one after the other on one connection. Counted between two dumps,
           so that start and warm-up are out. An event of a streamed answer is sent when the one before has arrived. The
           database is locked meanwhile, so that the ledger's writer makes the same few transactions of all rows each
           time, not as many as there is time for. What is left of time (timers, tries while the database is locked) only
           adds: the least of five rounds counts.
decision   `leeroo route` on long.jsonl less the same on short.jsonl, so that loading the model is out.
training   `leeroo train`, whole.

decision and training want recorded outcomes in $LEEROO_DATA (default ../shared/data) and are left out without them.
--keep leaves callgrind's files in FOLDER, one a count: callgrind_annotate tells the functions.
"""

import argparse
import gzip
import json
import os
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "gateway")]
from gateway import WORDS, free_port, made_up_data  # noqa: E402

RATIO_MAX = 1.02
WARM_UP = 100
REQUESTS = 100  # at most 512, the rows of a transaction of the ledger
ROUNDS = 5
EVENTS = 20  # with text, of a streamed answer
TRAIN_QUERIES = 600
PLAN_EXPERTS = ("deepseek-coder-v2", "gemini-1.5-flash-002", "llama-3.1-70b-instruct", "gpt-4o-2024-05-13")  # one plan is taken
DECISIONS = (1000, 3000)
WAIT_S = 120
USAGE = {"prompt_tokens": 512, "completion_tokens": 24, "total_tokens": 536}
TEXT = "The quick brown fox jumps over the lazy dog, again and again, until the dog has had enough and sleeps elsewhere."


# Callgrind

def callgrind(command, out, **more):
    """Starts `command` under callgrind, which writes to the file `out`."""
    return subprocess.Popen(["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}", "--separate-threads=yes",
                             f"--vgdb-prefix={out.parent}/vgdb", *map(str, command)], **more)


def counted(out, dump=None):
    """Instructions of each thread, by callgrind's number of it, in one dump, or at the end of the run."""
    dump = f".{dump}" if dump else ""
    found = {}
    for path in out.parent.glob(f"{out.name}{dump}-*"):
        found[int(path.name.rsplit("-", 1)[1])] = int(re.search(r"^totals: (\d+)", path.read_text(), re.M).group(1))
    if not found:
        raise SystemExit(f"callgrind left no {out}{dump}-*")
    return found


def instructions(command, out):
    """Of a whole run."""
    with open(f"{out}.log", "w") as log:
        if callgrind(command, out, stdout=subprocess.DEVNULL, stderr=log).wait() != 0:
            raise SystemExit(f"{' '.join(map(str, command))}: {Path(log.name).read_text()}")
    return sum(counted(out).values())


# The upstream, in threads of this process

def http_answer(content_type, body):
    return f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


def event(delta, **more):
    choice = {"index": 0, "delta": delta, **more}
    return f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'model': 'm', 'choices': [choice]})}\n\n"


def chunked(text):
    return f"{len(text):x}\r\n{text}\r\n".encode()


class Upstream:
    """Answers what an OpenAI-compatible endpoint answers, always the same; a stream goes on when `more` is told to."""

    CHAT = http_answer("application/json", json.dumps({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "m", "usage": USAGE,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}]}))
    EMBEDDING = http_answer("application/json", json.dumps({
        "object": "list", "model": "m", "usage": {"prompt_tokens": 512, "total_tokens": 512},
        "data": [{"object": "embedding", "index": 0, "embedding": [i / 512 - 0.5 for i in range(256)]}]}))
    STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

    def __init__(self):
        self.more = threading.Semaphore(0)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.listener.accept()
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        with peer, peer.makefile("rb") as requests:
            while line := requests.readline():
                length = 0
                while (header := requests.readline()) not in (b"\r\n", b""):
                    if header.lower().startswith(b"content-length:"):
                        length = int(header.split(b":")[1])
                body = json.loads(requests.read(length))
                if b"/embeddings" in line:
                    peer.sendall(self.EMBEDDING)
                elif body.get("stream"):
                    self.stream(peer)
                else:
                    peer.sendall(self.CHAT)

    def stream(self, peer):
        """Role and first word, the other words one by one, then all that ends it."""
        peer.sendall(self.STREAM_HEAD + chunked(event({"role": "assistant", "content": ""}) + event({"content": "word "})))
        for _ in range(EVENTS - 1):
            self.wait()
            peer.sendall(chunked(event({"content": "word "})))
        self.wait()
        usage = json.dumps({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [], "usage": USAGE})
        peer.sendall(chunked(event({}, finish_reason="stop") + f"data: {usage}\n\ndata: [DONE]\n\n") + b"0\r\n\r\n")

    def wait(self):
        if not self.more.acquire(timeout=WAIT_S):
            raise SystemExit("an event of a stream has not arrived")


# The gateway

class Gateway:
    """`leeroo serve` under callgrind, and a client of it with one connection."""

    def __init__(self, program, folder, upstream):
        self.folder, self.upstream, self.port, self.dumps, self.sent = folder, upstream, free_port(), 0, 0
        self.out = folder / "serve.callgrind"
        data, experts = made_up_data(folder)
        subprocess.run([program, "train", data, "-q", "-o", folder / "model"], check=True, stdout=subprocess.DEVNULL)
        url = f"url: 'http://127.0.0.1:{upstream.port}/v1'"
        config = folder / "leeroo.yaml"
        config.write_text(f"listen: 127.0.0.1:{self.port}\nthreads: 1\nmodel: model\nstate_dir: state\nexperts:\n"
                          + "".join(f"  - {{name: {name}, {url}}}\n" for name in experts)
                          + f"embeddings:\n  - {{name: embedder, {url}, price: {{input: 0.02, output: 0}}}}\n"
                          + "policies: {default: {budget: 0.5}}\n")
        self.log = open(folder / "serve.log", "w")
        self.process = callgrind([program, "serve", "-c", config], self.out, stdout=self.log, stderr=self.log)
        self.connect()

    def connect(self):
        end = time.time() + WAIT_S
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S)
                break
            except ConnectionRefusedError:
                if self.process.poll() is not None or time.time() > end:
                    raise SystemExit(f"leeroo serve did not start: {(self.folder / 'serve.log').read_text()}") from None
                time.sleep(0.1)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answers = self.socket.makefile("rb")
        self.ledger = sqlite3.connect(self.folder / "state/ledger.sqlite", timeout=WAIT_S, isolation_level=None)

    def stop(self):
        self.process.terminate()
        self.process.wait(WAIT_S)
        self.ledger.close()
        self.log.close()

    def send(self, path, body):
        raw = json.dumps(body, separators=(",", ":")).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(raw)}\r\n\r\n"
        self.socket.sendall(head.encode() + raw)
        self.sent += 1

    def head(self):
        """Reads status line and headers: the length of the body, None when it comes in chunks."""
        status, length = self.answers.readline(), None
        while (line := self.answers.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if b" 200 " not in status:
            raise SystemExit(f"the gateway answered {status!r} {self.answers.read(length or 0)!r}")
        return length

    def chat(self, text, stream=False):
        self.send("/v1/chat/completions", {"model": "leeroo", **({"stream": True} if stream else {}), "messages": [
            {"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": text}]})
        length = self.head()
        if stream:
            self.read_stream()
        else:
            self.answers.read(length)

    def embed(self, text):
        self.send("/v1/embeddings", {"model": "embedder", "input": text})
        self.answers.read(self.head())

    def read_stream(self):
        """Lets the upstream go on after each word; what was spent comes in trailers."""
        while size := int(self.answers.readline(), 16):
            words = self.answers.read(size + 2).count(b"word ")
            for _ in range(words):
                self.upstream.more.release()
        while self.answers.readline() != b"\r\n":
            pass  # trailers

    def written(self):
        try:
            return self.ledger.execute("SELECT count(*) FROM requests WHERE outcome = 'answered'").fetchone()[0]
        except sqlite3.OperationalError:  # the writer has not made its tables yet
            return -1

    def settle(self):
        """Until the ledger's writer has written all requests down."""
        end = time.time() + WAIT_S
        while self.written() < self.sent:
            if time.time() > end:
                raise SystemExit("the ledger's writer has not written all requests")
            time.sleep(0.05)

    def dump(self):
        """Instructions of the event loop, and of all other threads, since the last dump."""
        self.settle()
        subprocess.run(["vgdb", f"--vgdb-prefix={self.folder}/vgdb", f"--pid={self.process.pid}", "dump"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.dumps += 1
        threads = counted(self.out, self.dumps)
        return threads[1], sum(threads.values()) - threads[1]

    def count(self, ask, texts):
        """Instructions of asking all `texts`."""
        self.dump()
        self.ledger.execute("BEGIN IMMEDIATE")
        for text in texts:
            ask(text)
        self.ledger.execute("ROLLBACK")
        return self.dump()


def made_up_text(rng):
    """1,850 characters of sentences."""
    return " ".join(" ".join(rng.choices(WORDS, k=rng.randint(6, 18))).capitalize() + rng.choice("..?") for _ in range(40))[:1850]


def gateway_counts(program, folder, options):
    upstream = Upstream()
    gateway = Gateway(program, folder, upstream)
    kinds = {"routed request": gateway.chat,
             "streamed request": lambda text: gateway.chat(text, stream=True),
             "embeddings request": gateway.embed}
    rng = random.Random(7)
    try:
        for kind, ask in kinds.items():
            for _ in range(WARM_UP):
                ask(made_up_text(rng))
            texts = [made_up_text(rng) for _ in range(options.requests)]
            rounds = [gateway.count(ask, texts) for _ in range(ROUNDS)]
            loop, others = map(min, zip(*rounds))
            yield kind, (loop + others) / options.requests
            yield f"{kind}, of it the event loop", loop / options.requests
    finally:
        gateway.stop()


# Decisions and training

def lines_of(path):
    return path.read_text().rstrip("\n").split("\n")  # not splitlines, which knows more line ends than JSON


def cells(line):
    return line.split(",")  # ids and names of these data hold no commas


def part_of_data(source, folder, experts=()):
    """Writes a data set of the first queries that have outcomes, of `experts` (none: all), with what these responded."""
    header, *outcomes = lines_of(source / "outcomes.csv")
    outcomes = [line for line in outcomes if not experts or cells(line)[1] in experts]
    answered = {cells(line)[0] for line in outcomes}
    queries = [line for line in lines_of(source / "queries.jsonl") if json.loads(line)["id"] in answered][:TRAIN_QUERIES]
    ids = {json.loads(line)["id"] for line in queries}
    columns, *prices = lines_of(source / "experts.csv")
    files = {"queries.jsonl": queries,
             "outcomes.csv": [header, *(line for line in outcomes if cells(line)[0] in ids)],
             "experts.csv": [columns, *(line for line in prices if not experts or cells(line)[0] in experts)]}
    for expert in experts:
        with gzip.open(source / "responses" / f"{expert}.jsonl.gz", "rt") as texts:
            files[f"responses/{expert}.jsonl"] = [text.rstrip("\n") for text in texts if json.loads(text)["id"] in ids]
    (folder / "responses").mkdir(parents=True)
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def training_sets(data, folder):
    yield "15 experts", part_of_data(data / "mmlu", folder / "many")
    yield "4 experts and their plans", part_of_data(data / "mmlu_pro", folder / "plans", PLAN_EXPERTS)


def decision_counts(program, folder, options):
    texts = lines_of(options.data / "mmlu" / "queries.jsonl")
    for name, count in zip(("short", "long"), DECISIONS):
        (folder / f"{name}.jsonl").write_text("\n".join(texts[-count:]) + "\n")
    for kind, data in training_sets(options.data, folder):
        model = folder / f"{data.name}.model"
        subprocess.run([program, "train", data, "-q", "-o", model], check=True, stdout=subprocess.DEVNULL)
        short, long = (instructions([program, "route", model, folder / f"{name}.jsonl", "--lambda", "20"],
                                    folder / f"route-{data.name}-{name}.callgrind") for name in ("short", "long"))
        yield f"decision, {kind}", (long - short) / (DECISIONS[1] - DECISIONS[0])


def training_counts(program, folder, options):
    for kind, data in training_sets(options.data, folder):
        yield (f"training, {kind}, a query",
               instructions([program, "train", data, "-q", "-o", folder / "model"], folder / f"train-{data.name}.callgrind") / TRAIN_QUERIES)


PARTS = {"gateway": gateway_counts, "decision": decision_counts, "training": training_counts}


def measure(program, options, label):
    """Name → instructions."""
    counts = {}
    for part in options.only:
        if part != "gateway" and not options.data.is_dir():
            print(f"{part}: skipped: no data at {options.data}", file=sys.stderr)
            continue
        folder = Path(options.keep or tempfile.mkdtemp(prefix="bench-instructions-")).resolve() / label / part
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            counts |= PARTS[part](program, folder, options)
        finally:
            if not options.keep:
                shutil.rmtree(folder.parent.parent)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default="build/leeroo", metavar="PROGRAM")
    parser.add_argument("--before", metavar="PROGRAM|FILE.json")
    parser.add_argument("--json", metavar="FILE.json", help="write the counts of PROGRAM")
    parser.add_argument("--keep", metavar="FOLDER", help="leave callgrind's files there")
    parser.add_argument("--only", default=",".join(PARTS), metavar="PART,...", help="gateway, decision, training")
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("LEEROO_DATA", HERE / "../../shared/data")))
    options = parser.parse_args()
    options.only = options.only.split(",")
    if unknown := set(options.only) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}")
    if not shutil.which("valgrind"):
        raise SystemExit("valgrind is not installed")
    before = {}
    if options.before and options.before.endswith(".json"):
        before = json.loads(Path(options.before).read_text())
    elif options.before:
        before = measure(Path(options.before).resolve(), options, "before")
    after = measure(Path(options.program).resolve(), options, "after")
    if options.json:
        Path(options.json).write_text(json.dumps(after, indent=1) + "\n")
    print(f"{'instructions of one':<46}" + (f"{'before':>14}{'after':>14}{'ratio':>8}" if before else f"{'counted':>14}"))
    missed = []
    for name, count in after.items():
        if name in before:
            print(f"{name:<46}{before[name]:>14,.0f}{count:>14,.0f}{count / before[name]:>8.3f}")
            missed += [name] if count > RATIO_MAX * before[name] else []
        else:
            print(f"{name:<46}{'' if not before else '-':>{14 if before else 0}}{count:>14,.0f}")
    for name in missed:
        print(f"missed: {name}: more than {RATIO_MAX} times what it was")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
