#!/usr/bin/env python3
"""bench_gateway: what the gateway adds, against the same upstream as its peers, in one run, interleaved.

    bench/gateway/gateway.py [--build build] [--rounds 5] [--seconds 2] [--peers DIR] [--soak MINUTES] [--streams N]

Measured by turns, a few seconds each: nginx as a plain reverse proxy, leeroo (learned routing over four experts, ledger on),
and, where --peers DIR holds them (DIR/node_modules/@portkey-ai/gateway, DIR/litellm/bin/litellm), Portkey and LiteLLM.
One 2 KB chat request, the same for all. CPU is user and system time of the gateway's processes from /proc, so it counts
every thread; latencies are the load generator's. Exits 1 when a bar is missed.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONNECTIONS = 32
TICKS = os.sysconf("SC_CLK_TCK")
WORDS = """the of and to in is that for it as was with be by on not he his but at are this have from which one you had all were
their there been would who when more will no if out so said what up its about into than them can only other new some could time these
two may then do first any my now such like our over man me even most made after also did many before must through back years where
much your way well down should because each just those people mr how too little state good very make world still own see men work long
get here between both life being under never day same another know while last might us great old year off come since against go came
right used take three states himself few house use during without again place american around however home small found thought went
question explain capital number equation derive country reaction energy law history compare function prove estimate probability""".split()
BARS = {"nginx": 2.5, "peer": 0.1, "p50_us": 150, "p99_us": 2000, "streams_mb": 100, "growth": 0.05}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, process, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        if process.poll() is not None:
            return False
        with socket.socket() as s:
            s.settimeout(0.2)
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False


def tree(pid):
    pids = [pid]
    for p in pids:
        try:
            for task in os.listdir(f"/proc/{p}/task"):
                pids += [int(c) for c in Path(f"/proc/{p}/task/{task}/children").read_text().split()]
        except OSError:
            pass
    return pids


def cpu_s(pid):
    total = 0
    for p in tree(pid):
        try:
            fields = Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return total / TICKS


def rss_mb(pid):
    total = 0
    for p in tree(pid):
        try:
            total += int(next(l for l in Path(f"/proc/{p}/status").read_text().splitlines() if l.startswith("VmRSS")).split()[1])
        except (OSError, StopIteration):
            pass
    return total / 1024


def made_up_data(parent):
    """A data set of four experts, the more expensive the better: its folder and their names."""
    folder = parent / "data"
    folder.mkdir()
    rng = random.Random(1)
    words = WORDS + [f"{a}{b}" for a in WORDS[:40] for b in WORDS[-20:]]
    experts = {f"e{i}": 0.1 * 4 ** i for i in range(4)}
    with open(folder / "queries.jsonl", "w") as q, open(folder / "outcomes.csv", "w") as o:
        o.write("id,model,score,cost_usd,input_tokens,output_tokens\n")
        for i in range(1500):
            text = " ".join(rng.choices(words, k=60))
            q.write(json.dumps({"id": f"q{i}", "text": text}) + "\n")
            for k, (e, price) in enumerate(experts.items()):
                score = int(rng.random() < 0.5 + 0.12 * k)
                o.write(f"q{i},{e},{score},{price * 200 / 1e6:.9f},100,100\n")
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\n" + "".join(f"{e},{p},{p}\n" for e, p in experts.items()))
    return folder, list(experts)


class Bench:
    def __init__(self, options):
        self.o = options
        self.build = Path(options.build).resolve()
        self.folder = Path(tempfile.mkdtemp(prefix="bench-gateway-"))
        self.processes = []
        self.upstream = self.start_upstream()

    def start(self, command, **more):
        log = open(self.folder / f"{Path(command[0]).name}-{len(self.processes)}.log", "w")
        p = subprocess.Popen([str(c) for c in command], stdout=more.pop("stdout", log), stderr=log, start_new_session=True, **more)
        self.processes.append(p)
        return p

    def start_upstream(self, *args):
        p = self.start([self.build / "bench/gateway/gateway_upstream", *args], stdout=subprocess.PIPE)
        return int(p.stdout.readline().decode().rsplit(":", 1)[1])

    def stop(self):
        for p in self.processes:
            try:
                os.killpg(p.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)

    # What is measured

    def nginx(self):
        if not shutil.which("nginx"):
            return None
        port = free_port()
        conf = self.folder / "nginx.conf"
        conf.write_text(f"""daemon off; worker_processes {self.o.threads}; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.err;
events {{ worker_connections 4096; }}
http {{ access_log {self.folder}/access.log; client_body_temp_path {self.folder}/b; proxy_temp_path {self.folder}/p;
fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s; keepalive_requests 1000000000;
upstream up {{ server 127.0.0.1:{self.upstream}; keepalive 256; keepalive_requests 1000000000; }}
server {{ listen 127.0.0.1:{port}; client_max_body_size 10m; client_body_buffer_size 64k;
location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; }} }} }}
""")
        return port, self.start(["nginx", "-c", conf, "-p", self.folder]), {}

    def leeroo(self, upstream=None, ledger=True, name="leeroo"):
        folder, experts = (self.folder / "data", [f"e{i}" for i in range(4)]) if (self.folder / "data").exists() else made_up_data(self.folder)
        model = self.folder / "model.safetensors"
        if not model.exists():
            subprocess.run([self.build / "leeroo", "train", folder, "-q", "-o", model], check=True, stdout=subprocess.DEVNULL)
        port = free_port()
        conf = self.folder / f"{name}.yaml"
        conf.write_text(f"listen: 127.0.0.1:{port}\nthreads: {self.o.threads}\nmodel: {model}\n"
                        + (f"state_dir: {self.folder}/{name}-state\n" if ledger else "")
                        + "experts:\n" + "".join(f"  - {{name: {e}, url: 'http://127.0.0.1:{upstream or self.upstream}/v1'}}\n" for e in experts)
                        + "policies: {default: {budget: 0.5}}\n")
        return port, self.start([self.build / "leeroo", "serve", "-c", conf]), {}

    def portkey(self):
        main = Path(self.o.peers or "/nonexistent") / "node_modules/@portkey-ai/gateway/build/start-server.js"
        if not main.exists():
            return None
        port = free_port()
        return port, self.start(["node", main, f"--port={port}", "--headless"], env={**os.environ, "NODE_ENV": "production"}), {
            "x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{self.upstream}/v1", "authorization": "Bearer sk-x"}

    def litellm(self):
        program = Path(self.o.peers or "/nonexistent") / "litellm/bin/litellm"
        if not program.exists():
            return None
        port = free_port()
        conf = self.folder / "litellm.yaml"
        conf.write_text(f"model_list:\n  - model_name: leeroo\n    litellm_params: {{model: openai/m, api_base: 'http://127.0.0.1:{self.upstream}/v1', api_key: sk-x}}\n")
        return port, self.start([program, "--config", conf, "--port", port, "--host", "127.0.0.1", "--num_workers", "1"],
                                env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR",
                                     # without a master key, as cheap as it gets, it starts only when told so
                                     "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}), {"authorization": "Bearer sk-x"}

    # How

    def request(self, name, headers, stream=False):
        rng = random.Random(7)
        text = " ".join(" ".join(rng.choices(WORDS, k=rng.randint(6, 18))).capitalize() + rng.choice([".", ".", "?"]) for _ in range(32))[:1850]
        body = {"model": "leeroo", "messages": [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": text}]}
        if stream:
            body["stream"] = True
        raw = json.dumps(body, separators=(",", ":")).encode()
        if name == "direct" or name == "nginx":
            raw = raw.replace(b'"leeroo"', b'"m"')
        head = "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        head += "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + f"content-length: {len(raw)}\r\n\r\n"
        path = self.folder / f"{name}{'-stream' if stream else ''}.request"
        path.write_bytes(head.encode() + raw)
        return path

    def load(self, port, request, mode, connections, seconds, *rate):
        out = subprocess.run([str(x) for x in [self.build / "bench/gateway/gateway_load", port, request, mode, connections, seconds, *rate]],
                             check=True, stdout=subprocess.PIPE).stdout
        return json.loads(out)

    def measure(self, gateways, stream=False):
        cpu = {g: [] for g in gateways}
        rps = {g: [] for g in gateways}
        for r in range(self.o.rounds + 1):  # the first warms up
            for g, (port, process, headers) in gateways.items():
                request = self.request(g, headers, stream)
                before = cpu_s(process.pid)
                seconds = self.o.seconds if g in ("nginx", "leeroo") else self.o.seconds * 2
                got = self.load(port, request, "closed", CONNECTIONS, seconds)
                time.sleep(0.5)  # what is written behind the answers counts, too
                used = cpu_s(process.pid) - before
                if got["errors"] or not got["answers"]:
                    print(f"{g}: {got}", file=sys.stderr)
                if r and got["answers"]:
                    cpu[g].append(used / got["answers"] * 1e6)
                    rps[g].append(got["rps"])
        return cpu, rps

    def latency(self, port, rate):
        direct, through = [], []
        for r in range(self.o.rounds):
            direct.append(self.load(self.upstream, self.request("direct", {}), "closed", 1, 1)["p50_us"])
            through.append(self.load(port, self.request("leeroo", {}), "closed", 1, 1)["p50_us"])
        half = [self.load(port, self.request("leeroo", {}), "open", 64, self.o.seconds * 2, rate / 2) for _ in range(self.o.rounds)]
        return statistics.median(direct), statistics.median(through), statistics.median(h["p99_us"] for h in half), half

    def streams(self, n):
        upstream = self.start_upstream("100000", "100")
        port, process, _ = self.leeroo(upstream=upstream, name="streams")
        wait_port(port, process)
        load = subprocess.Popen([str(x) for x in [self.build / "bench/gateway/gateway_load", port, self.request("leeroo", {}, True), "hold", n, 3 + n / 400]], stdout=subprocess.PIPE)
        time.sleep(2 + n / 500)
        mb = rss_mb(process.pid)
        got = json.loads(load.communicate()[0])
        return mb, got

    def soak(self, minutes, rate):
        """Half load with a storage outage in the middle third: the ledger's database is locked by somebody else."""
        import sqlite3
        port, process, _ = self.leeroo(name="soak")
        wait_port(port, process)
        self.load(port, self.request("leeroo", {}), "open", 64, 20, rate / 2)  # warm
        begin, samples, lock = time.time(), [], None
        load = subprocess.Popen([str(x) for x in [self.build / "bench/gateway/gateway_load", port, self.request("leeroo", {}), "open", 64, minutes * 60, rate / 2]], stdout=subprocess.PIPE)
        while load.poll() is None:
            time.sleep(5)
            at = (time.time() - begin) / (minutes * 60)
            samples.append((at, rss_mb(process.pid)))
            if lock is None and 1 / 3 < at < 2 / 3:
                lock = sqlite3.connect(self.folder / "soak-state/ledger.sqlite", timeout=30)
                lock.execute("BEGIN EXCLUSIVE")
            if lock and at > 2 / 3:
                lock.rollback()
                lock.close()
                lock = False
        return samples, json.loads(load.communicate()[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--threads", type=int, default=1, help="of leeroo, and workers of nginx")
    parser.add_argument("--peers", help="folder with node_modules/@portkey-ai/gateway and litellm/bin/litellm")
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES")
    parser.add_argument("--streams", type=int, default=2000)
    o = parser.parse_args()
    bench, missed = Bench(o), []
    try:
        gateways = {}
        for name in ("nginx", "leeroo", "portkey", "litellm"):
            started = getattr(bench, name)()
            if started and wait_port(started[0], started[1]):
                gateways[name] = started
            else:
                print(f"{name}: not here, not measured")
        cpu, rps = bench.measure(gateways)
        base = statistics.median(cpu["leeroo"])
        print(f"{'gateway':<10}{'CPU us/request':>16}{'min':>8}{'max':>8}{'requests/s':>12}{'leeroo is':>12}")
        for g in gateways:
            if not cpu[g]:
                continue
            m = statistics.median(cpu[g])
            print(f"{g:<10}{m:>16.1f}{min(cpu[g]):>8.1f}{max(cpu[g]):>8.1f}{statistics.median(rps[g]):>12.0f}{base / m:>11.2f}x")
            bar = BARS["nginx"] if g == "nginx" else BARS["peer"]
            if g != "leeroo" and base / m > bar:
                missed.append(f"CPU against {g}: {base / m:.2f} times, bar {bar}")
        cpu_stream, _ = bench.measure({g: gateways[g] for g in ("nginx", "leeroo") if g in gateways}, stream=True)
        if cpu_stream.get("nginx"):
            through, plain = statistics.median(cpu_stream["leeroo"]), statistics.median(cpu_stream["nginx"])
            print(f"streamed: leeroo {through:.1f} us/request, nginx {plain:.1f}, {through / plain:.2f}x (bar {BARS['nginx']})")
            if through / plain > BARS["nginx"]:
                missed.append(f"CPU against nginx, streamed: {through / plain:.2f} times, bar {BARS['nginx']}")
        rate = statistics.median(rps["leeroo"])
        direct, through, p99, half = bench.latency(gateways["leeroo"][0], rate)
        print(f"added p50 at concurrency 1: {through - direct:.0f} us (direct {direct:.0f}, through {through:.0f}; bar {BARS['p50_us']})")
        print(f"p99 at half of the saturated rate ({rate / 2:.0f}/s): {p99:.0f} us (bar {BARS['p99_us']}; errors {sum(h['errors'] for h in half)})")
        if through - direct > BARS["p50_us"]:
            missed.append("added p50")
        if p99 > BARS["p99_us"]:
            missed.append("p99 at half load")
        if o.streams:
            mb, got = bench.streams(o.streams)
            print(f"{o.streams} concurrent streams: {mb:.1f} MB resident (bar {BARS['streams_mb']}; still running at the end {got['unfinished']}, errors {got['errors']})")
            if mb > BARS["streams_mb"] or got["unfinished"] < o.streams:
                missed.append("streams")
        if o.soak:
            samples, got = bench.soak(o.soak, rate)
            early = [m for at, m in samples if 0.05 < at < 0.3]
            peak = max(m for at, m in samples)
            print(f"soak {o.soak:g} min at half load, storage locked in the middle third: {statistics.median(early):.1f} MB before, "
                  f"peak {peak:.1f}, end {samples[-1][1]:.1f}; answers {got['answers']}, errors {got['errors']}, p99 {got['p99_us']} us")
            if peak > statistics.median(early) * (1 + BARS["growth"]) or got["errors"]:
                missed.append("soak")
    finally:
        bench.stop()
    for m in missed:
        print(f"missed: {m}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
