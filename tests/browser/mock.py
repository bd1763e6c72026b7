"""A small gateway that is none: the page's files with the headers that the real one sends, and /v1/admin/* from a world
that a test sets as it likes, odd states included. `python mock.py [PORT] [SCENARIO]` serves it to look at.
"""

import hashlib
import json
import math
import random
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

FILES = Path(__file__).resolve().parents[2] / "src" / "web" / "files"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".svg": "image/svg+xml"}
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
KEY = "lr-" + "k" * 43
EXPERTS = ["abacus", "almanac", "lexicon", "sage"]
COSTS = {"abacus": 5e-6, "almanac": 1e-5, "lexicon": 8e-6, "sage": 7.5e-4}


def now_ms():
    return int(time.time() * 1000)


class World:
    """What the mock tells; tests change members."""

    def __init__(self, scenario="busy"):
        self.random = random.Random(7)
        self.start_ms = now_ms() - 3 * 3600 * 1000
        self.asks_for_keys = scenario == "keys"
        self.ledger = scenario not in ("empty", "no-ledger")
        self.empty = scenario in ("empty", "fresh")
        self.experts = list(EXPERTS)
        self.model = None if scenario in ("empty", "no-model") else {
            "checksum": "441fea11aa72ce5d", "file": "orchestrator.safetensors", "rows": 800,
            "trained_ms": self.start_ms - 86400000, "kind": "outcomes"}
        self.reference = "sage"
        self.errors = []
        self.runs_folder = None if scenario == "empty" else "runs"
        self.calls = []  # (method, path, body) of whatever is not GET
        self.sessions = {}
        self.events_refused = False
        self.stream_s = None  # how long a listener is listened to; None: for ever
        self.quiet = False  # listeners stay connected and hear nothing
        self.answer = "Let me think. 17 * 23 = 391. The answer is 391."
        self.stream_error = None
        self.keys = [] if scenario in ("empty", "fresh") else [self.make_key("ci-bot", day=5.0), self.make_key("ada", role="admin"),
                                              self.make_key("notebooks", month=40.0, experts=["abacus", "almanac"])]
        self.requests = [] if self.empty else [self.make_request(i) for i in range(130)]

    def make_key(self, name, role="user", day=None, month=None, experts=None):
        return {"id": "key_" + hashlib.sha1(name.encode()).hexdigest()[:10], "name": name, "role": role,
                "created_ms": self.start_ms - 9 * 86400000, "expires_ms": None, "revoked": False, "budget_day_usd": day,
                "budget_month_usd": month, "budget_total_usd": None, "requests_per_minute": 60 if day else None,
                "tokens_per_minute": None, "experts": experts, "policies": None, "spent_today_usd": 4.21 if day else 0.0312,
                "spent_month_usd": 31.5, "spent_total_usd": 112.75}

    def make_request(self, i):
        draw = self.random
        expert = self.experts[min(len(self.experts) - 1, int(draw.random() ** 1.6 * len(self.experts)))]
        outcome = "answered" if draw.random() < 0.95 else draw.choice(["failed", "cancelled"])
        cost = COSTS.get(expert, 2e-5) * (0.5 + draw.random())
        return {"id": f"req_{i:024x}", "begin_ms": now_ms() - 1000 - i * 41000, "front": "chat", "key": "", "key_name": None,
                "policy": "default", "plan": "single", "expert": expert, "outcome": outcome,
                "http_status": 200 if outcome == "answered" else 502, "cost_usd": round(cost, 9),
                "reference_usd": 0.00075, "quality": round(0.6 + 0.39 * draw.random(), 6), "lambda": 100,
                "input_tokens": draw.randrange(8, 400), "output_tokens": draw.randrange(5, 300),
                "first_token_ms": draw.randrange(20, 400), "total_ms": draw.randrange(80, 4000), "attempts": 1,
                "cached": False, "problem": None if outcome == "answered" else "sage: 500 Internal Server Error",
                "stream": bool(i % 2), "verified": None}

    def now(self):
        t = time.time()
        calm = self.empty
        per_expert = [0 if calm else round(max(0.0, 3.2 / (i + 1) + 0.4 * math.sin(t / 7 + i)), 2) for i in range(len(self.experts))]
        states = ["closed", "closed", "half-open", "closed", "open", "cooling", "disabled"]
        why = {"half-open": "one request tries it", "open": "5 failures in a row, again in 8 s", "cooling": "asked for 2 s of pause"}
        day = {"requests": 0 if calm else 12480, "usd": 0 if calm else 1.9274, "reference_usd": 0 if calm else 9.38, "errors": 0 if calm else 31}
        return {"at_ms": now_ms(), "start_ms": self.start_ms, "version": "0.9.0", "commit": "d5539dec",
                "model": self.model and {"checksum": self.model["checksum"], "loaded_ms": self.start_ms},
                "rates": {"requests_per_s": round(sum(per_expert), 2), "errors_per_s": 0 if calm else 0.02, "retries_per_s": 0,
                          "tokens_per_s": 0 if calm else 812.4, "usd_per_hour": 0 if calm else 0.214},
                "in_flight": 0 if calm else 7, "connections": 3, "today": day,
                "month": {"requests": 30 * day["requests"], "usd": 28 * day["usd"],
                          "reference_usd": None if self.reference is None else 28 * day["reference_usd"], "errors": 200},
                "ledger": self.ledger, "latency": {"p50_ms": None if calm else 412, "p95_ms": None if calm else 1890, "p99_ms": None if calm else 4150},
                "first_token": {"p50_ms": None if calm else 96, "p95_ms": None if calm else 310, "p99_ms": None if calm else 720},
                "experts": [{"name": name, "state": states[i % 7], "in_flight": 0 if calm else i, "queued": 0, "limit": 8 if i % 2 else None,
                             "requests_per_s": per_expert[i], "errors_per_s": 0 if calm or i != 2 else 0.02, "p50_ms": None if calm else 200 + 150 * i,
                             "why": why.get(states[i % 7])} for i, name in enumerate(self.experts)],
                "budgets": [] if calm else [{"policy": "thrifty", "per_query_usd": 0.0001, "spent_mean_usd": 0.0000973, "lambda": 812.5}],
                "errors": self.errors}

    def history(self, step_s, points):
        end = int(time.time() // step_s) * step_s
        calm = self.empty
        steps = [end - step_s * (points - 1 - i) for i in range(points)]
        wave = [0 if calm else 1 + 0.6 * math.sin(s / 170) + 0.25 * math.sin(s / 31) for s in steps]
        answered = [[0 if calm else round(step_s * w * 3 / (j + 1) * (1 + 0.3 * math.sin(s / 60 + j))) for j in range(len(self.experts))]
                    for s, w in zip(steps, wave)]
        names = [name for j, name in enumerate(self.experts) if any(row[j] for row in answered)]  # who answered nothing is not there
        columns = [self.experts.index(name) for name in names]
        return {"step_s": step_s, "from_ms": steps[0] * 1000, "experts": names, "answered": [[row[j] for j in columns] for row in answered],
                "requests": [sum(row) for row in answered], "errors": [1 if not calm and s // step_s % 37 == 0 else 0 for s in steps],
                "usd": [round(sum(n * COSTS.get(e, 2e-5) for n, e in zip(row, self.experts)), 9) for row in answered],
                "reference_usd": [sum(row) * 0.00075 for row in answered],
                "p50_ms": [None if calm else 380 + 60 * math.sin(s / 50) for s in steps],
                "p95_ms": [None if calm else 1700 + 400 * math.sin(s / 90) for s in steps],
                "first_token_p50_ms": [None if calm else 90 + 20 * math.sin(s / 40) for s in steps]}

    def estimates(self):
        found = {name: [round(0.45 + 0.5 * i / max(1, len(self.experts) - 1), 4), COSTS.get(name, 2e-5 * (i + 1))]
                 for i, name in enumerate(self.experts)}
        if len(self.experts) > 2:
            found["abacus+almanac"] = [0.71, 2.4e-5]
            found[f"almanac->{self.experts[-1]}"] = [0.93, 3.1e-4]
        return found

    def route(self, wanted):
        lam = wanted.get("leeroo", {}).get("lambda", 100)
        arms = self.estimates()
        out = {self.experts[1]: "context too short"} if "long" in json.dumps(wanted) else {}
        best = max((n for n in arms if n not in out), key=lambda n: arms[n][0] - lam * arms[n][1])
        if wanted["model"] in self.experts:
            best, lam = wanted["model"], 0
        return {"id": "req_" + "a" * 24, "plan": best if "+" in best or "->" in best else "single", "expert": re.split(r"\+|->", best)[0],
                "members": re.split(r"\+|->", best), "quality": arms[best][0], "cost_usd": arms[best][1], "lambda": lam,
                "estimates": arms, "plans": {}, "policy": "default", "fallbacks": self.experts[::-1][:2], "ruled_out": out,
                "cached_tokens": {}, "placed": {self.experts[0]: "its family"}, "turn_of": None,
                "model_checksum": "441fea11aa72ce5d"}

    def one(self, row):
        decision = self.route({"model": "leeroo"})
        calls = [{"expert": row["expert"], "outcome": row["outcome"], "cost_usd": row["cost_usd"], "cost_basis": "usage",
                  "usage": self.usage(row), "begin_ms": 3, "latency_ms": row["total_ms"], "hedge": False}]
        if row["outcome"] == "answered":
            calls[0]["cost_usd"] -= 0.0000012
            calls.insert(0, {**calls[0], "expert": self.experts[0], "outcome": "failed", "cost_usd": 0.0000012, "latency_ms": row["total_ms"] // 3})
            calls[1]["begin_ms"] = row["total_ms"] // 3 + 12
        return {**row, "model": "leeroo", "predicted_cost_usd": row["cost_usd"] * 1.1, "reference_cost_usd": row["reference_usd"],
                "cost_basis": "usage", "usage": self.usage(row), "status": row["http_status"], "error": row["problem"],
                "instance": "gw-1", "calls": calls, "feedback": None, "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                "decision": {"members": [row["expert"]], "quality": row["quality"], "cost_usd": row["cost_usd"],
                             "model_checksum": "441fea11aa72ce5d", "estimates": decision["estimates"], "unfamiliar": 0.12,
                             "fallbacks": decision["fallbacks"], "ruled_out": {self.experts[-1] if row["expert"] != self.experts[-1] else self.experts[0]: "circuit open"}}}

    @staticmethod
    def usage(row):
        return {"input_tokens": row["input_tokens"], "cached_tokens": 0, "cache_write_tokens": 0,
                "output_tokens": row["output_tokens"], "reasoning_tokens": 0}

    def model_page(self):
        n = len(self.experts)
        experts = [{"name": name, "quality": 0.42 + 0.55 * i / max(1, n - 1), "cost_usd": COSTS.get(name, 2e-5 * (i + 1)),
                    "outcomes": 800 - 90 * i if i != 1 else None, "placed": "prior" if i == 1 or not self.model else "outcomes",
                    "answered_share": 0 if self.empty else [0.44, 0.08, 0.21, 0.27][i % 4]} for i, name in enumerate(self.experts)]
        lambdas = [0] + [10 ** (k / 4) for k in range(0, 22)]
        curve = [] if self.empty else [{"lambda": x, "quality": 0.975 - 0.3 * (1 - math.exp(-x / 3000)), "cost_usd": 3.4e-4 / (1 + (x / 60) ** 0.8) + 6e-6} for x in lambdas]
        return {"model": self.model, "reference": self.reference, "experts": experts, "curve": curve,
                "basis": {"requests": 0 if self.empty else 400, "from_ms": now_ms() - 5000000},
                "policies": [{"name": "default", "lambda": 100, "quality": 0.958, "cost_usd": 1.32e-4, "requests": 0 if self.empty else 9800},
                             {"name": "thrifty", "lambda": 812.5, "quality": 0.9, "cost_usd": 4.4e-5, "requests": 0 if self.empty else 2100}],
                "calibration": [] if self.empty else [{"from": k / 10, "to": (k + 1) / 10, "n": 4 + k * k, "predicted": k / 10 + 0.055, "observed": min(1, max(0, k / 10 + 0.03 + 0.02 * (k % 3)))} for k in range(3, 10)],
                "doubt": [] if self.empty else [{"from": k / 20, "to": (k + 1) / 20, "n": int(90 * math.exp(-((k - 5) ** 2) / 9))} for k in range(14)]}

    def runs(self):
        if not self.runs_folder or self.empty:
            return {"folder": self.runs_folder, "runs": []}
        rounds = [{"round": k + 1, "area": 0.62 + 0.1 * (1 - math.exp(-k / 1.6)), "area_error": 0.012, "spent_usd": 0.31, "spent_all_usd": 0.31 * (k + 1), "publication": "better", "problem": None, "outcomes": 300, "questions": 160 * (k + 1), "published": k in (0, 2, 4)} for k in range(5)]
        second = [{"round": k + 1, "area": 0.58 + 0.12 * (1 - math.exp(-k / 2)), "area_error": 0.012, "spent_usd": 0.22, "spent_all_usd": 0.22 * (k + 1), "publication": "kept", "problem": None, "outcomes": 300, "questions": 120 * (k + 1), "published": k == 1} for k in range(4)]
        return {"folder": self.runs_folder, "runs": [
            {"name": "first", "changed_ms": now_ms(), "has_model": True, "problem": None, "rounds": rounds, "judge": {"name": "referee", "trusted": True, "agreement": 0.96, "agreement_low": 0.86, "agreement_high": 1, "canary_share": 0.0, "canaries": 20, "pairs": 24, "reason": None}, "page": "/v1/admin/runs/first/page"},
            {"name": "second", "changed_ms": now_ms(), "has_model": True, "problem": None, "rounds": second, "judge": {"name": "referee", "trusted": False, "agreement": 0.58, "agreement_low": 0.4, "agreement_high": 0.74, "reason": "it agrees with references no better than chance"}, "page": None}]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        if not any(k == "content-type" for k, _ in headers):
            self.send_header("content-type", "application/json")
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def refuse(self, status, message, code=None):
        self.answer(status, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}})

    def static(self, path):
        name = "index.html" if path == "/" else path.removeprefix("/ui/")
        file = FILES / name
        if "/" in name or not file.is_file():
            return self.refuse(404, "no such path")
        return self.answer(200, file.read_bytes(), [("content-type", TYPES[file.suffix]), ("content-security-policy", POLICY),
                                                    ("x-content-type-options", "nosniff"), ("cache-control", "no-cache")])

    def session(self):
        cookies = dict(part.strip().split("=", 1) for part in self.headers.get("cookie", "").split(";") if "=" in part)
        return self.server.world.sessions.get(cookies.get("leeroo_session"))

    def let_in(self):
        world = self.server.world
        if not world.asks_for_keys:
            return True
        session = self.session()
        if not session:
            self.refuse(401, "a key is needed", "invalid_api_key")
            return False
        if self.command not in ("GET", "HEAD") and self.headers.get("x-leeroo-csrf") != session["csrf"]:
            self.refuse(403, "x-leeroo-csrf is missing or wrong", "csrf")
            return False
        return True

    def do_GET(self):
        url = urlsplit(self.path)
        if not url.path.startswith("/v1/"):
            return self.static(url.path)
        if not self.let_in():
            return None
        return self.get(url.path, {k: v[0] for k, v in parse_qs(url.query).items()}, self.server.world)

    def get(self, path, query, world):
        if path == "/v1/admin/session":
            key = {"id": "key_ada", "name": "ada"} if world.asks_for_keys else None
            return self.answer(200, {"auth": "cookie" if key else "open", "csrf": self.session()["csrf"] if key else None, "key": key,
                                     "version": "0.9.0", "commit": "d5539dec"})
        if path == "/v1/admin/events":
            return self.events(world)
        if path == "/v1/admin/now":
            return self.answer(200, world.now())
        if path == "/v1/admin/history":
            return self.answer(200, world.history(int(query["step_s"]), int(query["points"])))
        if path == "/v1/admin/model":
            return self.answer(200, world.model_page())
        if path == "/v1/admin/runs":
            return self.answer(200, world.runs())
        if path == "/v1/admin/keys":
            return self.answer(200, {"keys": world.keys, "auth": "auto", "asked": world.asks_for_keys or bool(world.keys)})
        if path == "/v1/experts":
            return self.answer(200, {"object": "list", "data": [{"id": n, "object": "expert"} for n in world.experts]})
        if path == "/v1/models":
            ids = ["leeroo", "leeroo/default", "leeroo/thrifty"] + world.experts
            return self.answer(200, {"object": "list", "data": [{"id": n, "object": "model"} for n in ids]})
        if path == "/v1/admin/requests":
            return self.list_requests(query, world)
        if path.startswith("/v1/admin/requests/"):
            wanted = unquote(path.rsplit("/", 1)[1])
            row = next((r for r in world.requests if r["id"] == wanted), None)
            return self.answer(200, world.one(row)) if row else self.refuse(404, "no such request")
        return self.refuse(404, f"no such path: {path}")

    def list_requests(self, query, world):
        if not world.ledger:
            return self.refuse(409, "no ledger is kept: set state_dir, or ledger.store, in leeroo.yaml", "no_ledger")
        rows = [r for r in world.requests if all(str(r[k]) == query[k] for k in ("id", "expert", "policy", "outcome") if k in query)
                and (r["cost_usd"] >= float(query.get("min_usd", 0))) and query.get("q", "") in json.dumps(r)]
        start = int(query.get("before", 0))
        part = rows[start:start + int(query.get("limit", 50))]
        end = start + len(part)
        return self.answer(200, {"requests": part, "next": str(end) if end < len(rows) else None})

    def events(self, world):
        if world.events_refused:
            return self.refuse(503, "draining")
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("cache-control", "no-cache")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        self.server.listeners += 1
        try:
            begun = time.monotonic()
            while not self.server.closing and not world.events_refused and time.monotonic() - begun < (world.stream_s or 1e9):
                if not world.quiet:
                    self.wfile.write(f"event: now\ndata: {json.dumps(world.now())}\n\n".encode())
                    self.wfile.flush()
                self.server.wake.wait(self.server.pace_s)
        except OSError:
            pass
        self.server.listeners -= 1
        return None

    def body(self):
        data = self.rfile.read(int(self.headers.get("content-length", 0)))
        return json.loads(data) if data else None

    def do_POST(self):
        world, path, body = self.server.world, urlsplit(self.path).path, self.body()
        world.calls.append((self.command, path, body))
        if path == "/v1/admin/session" and self.command == "POST":
            if body["key"] != KEY:
                return self.refuse(401, "not a good key", "invalid_api_key")
            world.sessions["s1"] = {"csrf": "token-1"}
            return self.answer(200, {"csrf": "token-1", "expires_ms": now_ms() + 43200000, "key": {"id": "key_ada", "name": "ada"}},
                               [("set-cookie", "leeroo_session=s1; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200")])
        return self.change(world, path, body) if self.let_in() else None

    do_DELETE = do_PATCH = do_POST

    def change(self, world, path, body):
        if path == "/v1/admin/session":
            world.sessions.clear()
            return self.answer(200, {}, [("set-cookie", "leeroo_session=; Max-Age=0; Path=/")])
        if path == "/v1/route":
            return self.answer(200, world.route(body))
        if path == "/v1/chat/completions":
            return self.chat(world, body)
        if path == "/v1/feedback":
            return self.answer(200, {"ok": True}) if world.ledger else self.refuse(404, "no ledger is kept, so there is nothing to write it to")
        if path == "/v1/admin/keys":
            if body["role"] != "admin" and not world.keys:
                return self.refuse(409, "the first key turns asking on, so it must be an admin key")
            made = {**world.make_key(body["name"], body.get("role", "user")), **{k: v for k, v in body.items()}}
            world.keys.append(made)
            return self.answer(201, {"key": KEY, **made})
        if path.startswith("/v1/admin/keys/"):
            key = next((k for k in world.keys if k["id"] == path.rsplit("/", 1)[1]), None)
            if not key:
                return self.refuse(404, "no such key")
            if self.command == "DELETE":
                if key["role"] == "admin" and sum(k["role"] == "admin" and not k["revoked"] for k in world.keys) == 1:
                    return self.refuse(409, "this is the last admin key: make another one first")
                key["revoked"] = True
            else:
                key.update(body)
            return self.answer(200, key)
        if path in ("/v1/admin/model/publish", "/v1/admin/model/rollback"):
            return self.answer(200, {"checksum": "99aa00bb11cc22dd", "was": "441fea11aa72ce5d"})
        return self.refuse(404, f"no such path: {path}")

    def chat(self, world, body):
        decision = world.route(body)
        self.send_response(200)
        for key, value in (("content-type", "text/event-stream"), ("connection", "close"), ("x-leeroo-request-id", "req_" + "0" * 24),
                           ("x-leeroo-expert", decision["expert"]), ("x-leeroo-plan", decision["plan"])):
            self.send_header(key, re.sub(r"[^ -~]", "?", value))
        self.end_headers()
        self.close_connection = True
        pieces = re.findall(r"\S+\s*", world.answer)
        for i, piece in enumerate(pieces):
            self.event({"choices": [{"index": 0, "delta": {"content": piece}}]})
            if world.stream_error and i == min(2, len(pieces) - 1):
                return self.event({"error": {"message": world.stream_error}})
            time.sleep(0.01)
        self.event({"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": len(pieces)},
                    "leeroo": {"expert": decision["expert"], "plan": decision["plan"], "cost_usd": 0.000735, "cost_basis": "usage"}})
        self.wfile.write(b"data: [DONE]\n\n")
        return None

    def event(self, data):
        self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()


class Mock:
    """The server on a free port of loopback."""

    def __init__(self, scenario="busy", port=0, pace_s=0.25):
        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.world = World(scenario)
        self.server.pace_s = pace_s
        self.server.listeners = 0
        self.server.closing = False
        self.server.wake = threading.Event()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def world(self):
        return self.server.world

    def close(self):
        self.server.closing = True
        self.server.wake.set()
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    mock = Mock(sys.argv[2] if len(sys.argv) > 2 else "busy", int(sys.argv[1]) if len(sys.argv) > 1 else 0, 1.0)
    print(mock.url, flush=True)
    threading.Event().wait()
