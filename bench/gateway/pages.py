#!/usr/bin/env python3
"""Open pages beside requests: what those who listen to /v1/admin/events cost the others, and the gateway.

    bench/gateway/pages.py [--build build] [--rounds 7] [--seconds 10] [--pages 100] [--rate 2000] [--threads 1]

By turns in one run, each for a few seconds: requests at a fixed rate with no page open, and with so many. Latencies are the
load generator's, from when a request was due; a page is a connection that reads what comes. The ratio is of each round's two
p99, and the median of the rounds counts. Then what one page, and all of them, cost a gateway that nobody asks: processor time
of the process, from /proc. Exits 1 when a bar is missed.
"""

import argparse
import os
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from gateway import Bench, wait_port

BARS = {"ratio": 1.10, "one_page": 0.01, "growth_mb": 16}


def listen(port, count):
    """Reads events on so many connections until it is told to end; a connection that ends is made again."""
    ready = selectors.DefaultSelector()

    def connect():
        s = socket.create_connection(("127.0.0.1", port), timeout=30)
        s.sendall(f"GET /v1/admin/events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n".encode())
        s.setblocking(False)
        ready.register(s, selectors.EVENT_READ)
    for _ in range(count):
        connect()
    events = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(print(events)))
    print("listening", flush=True)
    while True:
        for key, _ in ready.select(1):
            try:
                data = key.fileobj.recv(1 << 18)
            except BlockingIOError:
                continue
            events += data.count(b"event: now")
            if not data or data.endswith(b"0\r\n\r\n"):
                ready.unregister(key.fileobj)
                key.fileobj.close()
                connect()


class Pages:
    """So many open pages, in a process of their own."""

    def __init__(self, port, count):
        self.process = subprocess.Popen([sys.executable, __file__, "--listen", str(port), "--pages", str(count)], stdout=subprocess.PIPE,
                                        text=True, preexec_fn=os.setsid) if count else None
        if self.process and self.process.stdout.readline().strip() != "listening":
            raise SystemExit("pages.py: the pages cannot be opened")

    def close(self):
        """How many events came."""
        if not self.process:
            return 0
        self.process.terminate()
        return int(self.process.communicate(timeout=30)[0] or 0)


def on_core_s(pid):
    """Processor time of all threads, finer than clock ticks."""
    return sum(int(Path(f"/proc/{pid}/task/{t}/schedstat").read_text().split()[0]) for t in os.listdir(f"/proc/{pid}/task")) / 1e9


def memory_mb(pid):
    """The process's own: the ledger's journal is a mapped file, which fills up with every request."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) / 1024


def share_of_a_core(bench, port, pid, count):
    """What the gateway takes for its pages alone."""
    pages = Pages(port, count)
    time.sleep(1)
    begin, used = time.time(), on_core_s(pid)
    time.sleep(bench.o.seconds)
    share = (on_core_s(pid) - used) / (time.time() - begin)
    pages.close()
    return share


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=1, help="of the gateway")
    parser.add_argument("--listen", type=int, help=argparse.SUPPRESS)
    o = parser.parse_args()
    if o.listen:
        return listen(o.listen, o.pages)
    bench, missed = Bench(o), []
    try:
        port, process, _ = bench.leeroo()
        if not wait_port(port, process):
            raise SystemExit("pages.py: the gateway does not start")
        request = bench.request("leeroo", {})
        bench.load(port, request, "open", 64, min(o.seconds, 5), o.rate)  # warm
        memory, ratios, p99 = memory_mb(process.pid), [], {0: [], o.pages: []}
        for r in range(o.rounds):
            for count in ((0, o.pages) if r % 2 else (o.pages, 0)):  # neither is always the first
                pages = Pages(port, count)
                got = bench.load(port, request, "open", 64, o.seconds, o.rate)
                events = pages.close()
                p99[count].append(got["p99_us"])
                print(f"round {r + 1}: {count:>4} pages, {got['answers']} answers, errors {got['errors']}, p50 {got['p50_us']} us, "
                      f"p99 {got['p99_us']} us, {events} events", flush=True)
                if got["errors"] or (count and events < count * o.seconds / 2):
                    missed.append(f"round {r + 1}: errors {got['errors']}, {events} events")
            ratios.append(p99[o.pages][-1] / p99[0][-1])
        ratio = statistics.median(ratios)
        print(f"p99 at {o.rate}/s: {statistics.median(p99[0]):.0f} us with no page, {statistics.median(p99[o.pages]):.0f} us with {o.pages}; "
              f"{ratio:.2f} times ({min(ratios):.2f} to {max(ratios):.2f}; bar {BARS['ratio']})")
        grown = memory_mb(process.pid) - memory
        shares = {count: share_of_a_core(bench, port, process.pid, count) for count in (0, 1, o.pages)}
        print(f"idle: {100 * shares[0]:.3f} % of a core with no page, {100 * shares[1]:.3f} % with one (bar {100 * BARS['one_page']:g}), "
              f"{100 * shares[o.pages]:.3f} % with {o.pages}; memory grew by {grown:.1f} MB (bar {BARS['growth_mb']})")
        if ratio > BARS["ratio"]:
            missed.append(f"p99 with pages: {ratio:.2f} times, bar {BARS['ratio']}")
        if shares[1] > BARS["one_page"]:
            missed.append(f"one page: {100 * shares[1]:.2f} % of a core")
        if grown > BARS["growth_mb"]:
            missed.append(f"memory: {grown:.1f} MB more")
    finally:
        bench.stop()
    for m in missed:
        print(f"missed: {m}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
