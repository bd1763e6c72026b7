#!/usr/bin/env python3
"""bench_encoders --serve, in Python: what an encoder costs requests that do not wait for it, and what batching is worth.

    bench/encoders_serve.py [PROGRAM] [--gguf FILE]

PROGRAM is a leeroo (default build/leeroo), FILE a model of embeddings (default all-MiniLM-L6-v2 in LEEROO_MODELS; without
one, and without llama.cpp, the rows of a file are skipped). Everything is asked by POST /v1/route, so that no expert is
called, on made-up questions that only an encoder tells apart (encoders_toy.py). Endpoints are rehearsed by this
program: a call takes CALL_MS and TEXT_MS for each of its texts. What a file computes is counted by the gateway's
processor time, because a core that others use as well has no batch to spare; what waits is compared with n-grams alone
asked by as many clients, for the same reason. Exits 1 when a bar is missed. Two minutes of two cores.
"""

import argparse
import hashlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import encoders_toy  # noqa: E402

CALL_MS, TEXT_MS = 20, 0.5
HITS, LOADED, CLIENTS = 4000, 240, 24
failed = []


def row(what, value, bar, good):
    print(f"{what:70} {value:>22}   {bar:24} {'' if good else 'MISSED'}", flush=True)
    if not good:
        failed.append(what)


class Endpoint(ThreadingHTTPServer):
    """Embeddings that tell the two kinds of questions apart."""
    daemon_threads = True
    request_queue_size = 256
    kinds = dict(encoders_toy.questions())

    def __init__(self, call_ms=CALL_MS, text_ms=TEXT_MS):
        super().__init__(("127.0.0.1", 0), Handler)
        self.call_ms, self.text_ms = call_ms, text_ms
        self.lock, self.inside = threading.Lock(), 0
        self.url = f"http://127.0.0.1:{self.server_port}/v1/embeddings"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        texts = json.loads(self.rfile.read(int(self.headers["content-length"])))["input"]
        time.sleep((self.server.call_ms + self.server.text_ms * len(texts)) / 1000)
        rows = []
        for i, text in enumerate(texts):
            noise = hashlib.sha256(text.encode()).digest()[:3]
            rows.append({"index": i, "embedding": [1 if Endpoint.kinds.get(text) else -1, *(b / 1024 for b in noise)]})
        data = json.dumps({"data": rows}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n".encode()
        self.wfile.write(head + data)  # at once: two writes would cost a delayed acknowledgement of 40 ms

    def log_message(self, *_):
        pass


class Gateway:
    def __init__(self, program, model, folder, encoder=None):
        lines = ["listen: 127.0.0.1:0", f"model: {model}", "threads: 1", "experts:"]
        for name in encoders_toy.EXPERTS:
            lines += [f"  - {{name: {name}, url: 'http://127.0.0.1:9/v1'}}"]
        if encoder:
            lines += ["encoders:", "  - name: toy"] + [f"    {key}: {value}" for key, value in encoder.items()]
        path = Path(tempfile.mkdtemp(dir=folder)) / "leeroo.yaml"
        path.write_text("\n".join(lines) + "\n")
        self.popen = subprocess.Popen([program, "serve", "-c", str(path)], stderr=subprocess.PIPE, text=True)
        for line in self.popen.stderr:
            found = re.search(r"msg=listening.* addr=\S+:(\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        else:
            raise SystemExit(f"{path}: the gateway did not start")
        threading.Thread(target=self.popen.stderr.read, daemon=True).start()

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.popen.send_signal(signal.SIGTERM)
        self.popen.wait()


class Client:
    """One kept connection."""

    def __init__(self, gateway):
        self.sock = socket.create_connection(("127.0.0.1", gateway.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def route(self, text):
        """What the decision says of the encoder, and the seconds until it was there."""
        body = json.dumps({"text": text}).encode()
        begin = time.perf_counter()
        self.sock.sendall(b"POST /v1/route HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
                          % (len(body), body))
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += self.sock.recv(65536)
        head, _, rest = raw.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
        while len(rest) < length:
            rest += self.sock.recv(65536)
        took = time.perf_counter() - begin
        found = re.search(rb'"encoders":\{"toy":"(\w+)"', rest)
        return found.group(1).decode() if found else "", took


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def ask_all(gateway, texts, clients):
    """All texts by so many clients at once: (what the encoder did, seconds) of each, and the seconds of the whole."""
    texts, said, lock = iter(texts), [], threading.Lock()

    def run():
        client = Client(gateway)
        while True:
            with lock:
                text = next(texts, None)
            if text is None:
                return
            said.append(client.route(text))

    threads = [threading.Thread(target=run) for _ in range(clients)]
    begin = time.perf_counter()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return said, time.perf_counter() - begin


def fresh(begin, count):
    return [f"What do you know about question {i} of {begin}?" for i in range(count)]


def compare(with_it, without, text, what, expected):
    """Median of a request beside that of n-grams alone: blocks in turn, so that both see the same machine."""
    sides = [(Client(without), []), (Client(with_it), [])]
    sides[1][0].route(text)
    for _ in range(20):
        for client, took in sides + sides[::-1]:
            for _ in range(HITS // 40):
                said, seconds = client.route(text)
                took.append(seconds)
        assert said in ("", expected), said
    base, hit = (statistics.median(took) * 1e6 for _, took in sides)
    row(f"{what}: p50, n-grams alone {base:.0f} us", f"{hit - base:+.0f} us", "at most 100 us more", hit - base <= 100)


def throughput(program, model, folder, encoder, what, texts, bar):
    """How many texts a second, of the wall's clock or of the processor's, one by one and batched."""
    rates = {}
    of_cpu = "gguf" in encoder
    for batch in (1, None):
        settings = {**encoder, "max_wait": "60s", "queue": 1000, **({"batch": batch} if batch else {})}
        with Gateway(program, model, folder, settings) as g:
            begin = g.cpu_seconds()
            said, seconds = ask_all(g, texts, CLIENTS)
            seconds = g.cpu_seconds() - begin if of_cpu else seconds
        assert all(end == "spoke" for end, _ in said), said
        rates[batch] = len(texts) / seconds
    gain, unit = rates[None] / rates[1], "/CPU s" if of_cpu else "/s"
    row(f"{what}: {rates[1]:.0f}{unit} alone, {rates[None]:.0f}{unit} batched", f"x {gain:.2f}", f"at least {bar}", gain >= bar)


def alone_ms(gateway, clients):
    """The 99th percentile of n-grams alone, with so many clients on this machine."""
    return quantile([seconds for _, seconds in ask_all(gateway, fresh(clients, 200), clients)[0]], 0.99) * 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", nargs="?", default="build/leeroo")
    parser.add_argument("--gguf")
    o = parser.parse_args()
    models = Path(os.environ.get("LEEROO_MODELS") or "/nonexistent")
    gguf = o.gguf or next((str(p) for p in sorted(models.glob("*inilm*.gguf"))), None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = encoders_toy.write(folder / "data")

        def train(model, *options):
            subprocess.run([o.program, "train", str(data), "-o", str(folder / model), *options], check=True, capture_output=True,
                           env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache")})
            return folder / model
        quick, plain = Endpoint(), train("plain")
        remote = train("remote", "--encoder", f"url={quick.url},model=m,name=toy")
        known = encoders_toy.questions()[0][0]
        with Gateway(o.program, plain, folder) as without:
            with Gateway(o.program, remote, folder, {"url": quick.url, "model": "m"}) as g:
                Client(g).route(known)
                time.sleep(0.5)  # what was late is in memory by now
                compare(g, without, known, "an endpoint's answer in memory", "spoke")
            closed = socket.socket()
            closed.bind(("127.0.0.1", 0))
            dead = f"http://127.0.0.1:{closed.getsockname()[1]}/v1/embeddings"
            with Gateway(o.program, remote, folder, {"url": dead, "model": "m"}) as g:
                for text in fresh(1, 3):
                    Client(g).route(text)
                compare(g, without, known, "a dead endpoint", "failed")
            if gguf:
                local = train("local", "--encoder", f"gguf={gguf},name=toy")
                with Gateway(o.program, local, folder, {"gguf": gguf, "max_wait": "60s"}) as g:
                    compare(g, without, known, "a file's answer in memory", "spoke")
        throughput(o.program, remote, folder, {"url": quick.url, "model": "m", "calls": 1},
                   f"an endpoint, {CALL_MS} ms a call, {CLIENTS} clients", fresh(2, LOADED), 1.5)
        if gguf:
            throughput(o.program, local, folder, {"gguf": gguf}, Path(gguf).name, fresh(3, LOADED), 1)
        slow = Endpoint(call_ms=300)
        with Gateway(o.program, plain, folder) as g:
            few, many = alone_ms(g, 4), alone_ms(g, 32)
        for wait in (50, 150):
            with Gateway(o.program, remote, folder, {"url": slow.url, "model": "m", "max_wait": f"{wait}ms", "calls": 16}) as g:
                said, _ = ask_all(g, fresh(wait, 120), 4)
            p99 = quantile([s for _, s in said], 0.99) * 1000
            assert {end for end, _ in said} == {"late"}, said
            row(f"max_wait {wait} ms, an endpoint of 300 ms: p99 (n-grams alone {few:.1f} ms)", f"{p99:.1f} ms",
                f"at most {wait + few + 30:.1f} ms", p99 <= wait + few + 30)
        with Gateway(o.program, remote, folder, {"url": slow.url, "model": "m", "max_wait": "20s", "queue": 8, "calls": 1,
                                                 "batch": 1}) as g:
            said, _ = ask_all(g, fresh(4, 64), 32)
        away = [seconds * 1000 for end, seconds in said if end == "full"]
        assert away and {end for end, _ in said} <= {"full", "spoke"}
        p99 = quantile(away, 0.99)
        row(f"a full queue of 8: {len(away)} of 64 turned away, p99 (n-grams alone {many:.1f} ms)", f"{p99:.1f} ms",
            f"at most {many + 30:.1f} ms", p99 <= many + 30)
        if not gguf:
            print("skipped: no model of embeddings (LEEROO_MODELS, --gguf)")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
