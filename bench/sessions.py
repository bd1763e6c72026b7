#!/usr/bin/env python3
"""bench_sessions: what it costs to keep an agent's turn with the expert that began it, and that nothing unsafe happens.

    bench/sessions.py [--build build] [--data ../shared/data/mmlu_pro] [--conversations 2000] [--seed 1]

A model is trained on half of a recorded data set. Conversations of agents ask questions of the other half through a real
gateway: one to four turns, each a question and a loop of tools, with results of up to 6 KB; some agents share a session, some
name none, some interrupt. Scripted upstreams stand for the experts: they give calls with state of their own (signed thinking,
encrypted details, Gemini's thought signatures), some with ids that are the same in every conversation, cache prompts, and fail
now and then. Three runs over the same conversations:

    held      as the gateway is: a turn stays where it began
    free      turns are not held, and upstreams refuse state of others, as vendors do: the next expert is asked then
    ideal     turns are not held, and upstreams take everything: what the lock costs is the difference to this

A turn's quality is the recorded score of the expert that gave its last answer. Exits 1 when a held turn moved though nobody
failed, or an expert got state that it did not make.
"""

import argparse
import csv
import http.client
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "e2e")]
from conversations import prompt, write_half  # noqa: E402
from upstream import Upstream  # noqa: E402

# An expert, the state that it gives, and whether its calls have ids of their own.
EXPERTS = {"gpt-4o-2024-05-13": ("reasoning_details", True), "gemini-1.5-pro-002": ("extra_content", False),
           "gemini-1.5-flash-002": ("extra_content", False), "deepseek-coder-v2": ("thinking_blocks", False),
           "llama-3.1-8b-instruct": (None, True)}
POLICIES = {"fast": 20, "usual": 100, "thrifty": 1000}
FAILS, INTERRUPTS, NAMED, SHARED = 0.01, 0.05, 0.6, 0.25
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
STATE = re.compile(r"state-of-([\w.-]+)-made")


class Vendors:
    """All upstreams: what they give, what they refuse, what they have cached."""

    def __init__(self, rng, refuse):
        self.rng, self.refuse, self.made, self.cached = rng, refuse, 0, {}
        self.unsafe = self.failed = 0

    def answer(self, r):
        name, asked = r.json["model"], r.json["messages"]
        if self.rng.random() < FAILS:
            self.failed += 1
            return r.whole(503, {"error": {"message": "overloaded", "type": "server_error"}})
        text = json.dumps(asked)
        if set(STATE.findall(text)) - {name}:
            self.unsafe += 1
            if self.refuse:
                return r.whole(400, {"error": {"message": "Invalid signature in thinking block", "type": "invalid_request_error"}})
        self.made += 1
        want = json.loads(r.headers["x-agent"])
        message = self.message(name, want)
        tokens = len(text) // 4
        usage = {"prompt_tokens": tokens, "completion_tokens": want["tokens"][name] if want["last"] else 40,
                 "prompt_tokens_details": {"cached_tokens": self.cache(name, asked, tokens)}}
        usage["total_tokens"] = tokens + usage["completion_tokens"]
        r.whole(200, {"id": "c", "object": "chat.completion", "created": 1, "model": name, "usage": usage, "choices": [
            {"index": 0, "message": message, "finish_reason": "stop" if want["last"] else "tool_calls"}]})
        return None

    def message(self, name, want):
        state, own_ids = EXPERTS[name]
        mine = f"state-of-{name}-made-{self.made}"
        message = {"role": "assistant", "content": "The answer is B." if want["last"] else None}
        call = {"id": f"call_{name}_{self.made}" if own_ids else "functions.look:0", "type": "function",
                "function": {"name": "look", "arguments": "{}"}}
        if state == "extra_content":
            call["extra_content"] = {"google": {"thought_signature": mine}}
        elif state == "thinking_blocks":
            message["thinking_blocks"] = [{"type": "thinking", "thinking": "hm", "signature": mine}]
        elif state:
            message["reasoning_details"] = [{"type": "reasoning.encrypted", "data": mine}]
        if not want["last"]:
            message["tool_calls"] = [call]
        return message

    def cache(self, name, asked, tokens):
        """The longest beginning that was seen before, in steps of 128."""
        hit, h, of_name = 0, 0, self.cached.setdefault(name, {})
        for m in asked:
            h = hash((h, json.dumps(m)))
            hit = max(hit, of_name.get(h, 0))
        of_name[h] = tokens
        return hit // 128 * 128 if hit >= 1024 else 0


class Agent:
    """One conversation, request by request."""

    def __init__(self, rng, questions, session):
        self.policy = rng.choice(list(POLICIES))
        self.headers = {"x-session-id": session} if session else {}
        self.plan = [(q, min(int(rng.expovariate(1 / 3)), 12)) for q in questions]
        self.rng, self.messages, self.turn, self.left, self.holder = rng, [], -1, 0, None

    def next(self):
        """False: it is over."""
        if self.left == 0:
            self.turn += 1
            if self.turn == len(self.plan):
                return False
            question, self.left = self.plan[self.turn][0], self.plan[self.turn][1] + 1
            self.messages.append({"role": "user", "content": prompt(question)})
            self.holder = None
        return True

    def hear(self, message):
        self.messages.append(message)
        self.left -= 1
        for call in message.get("tool_calls", []):
            text = "It says a great many things. " * self.rng.randint(1, 200)
            self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
        if message.get("tool_calls") and self.rng.random() < INTERRUPTS:
            self.messages.append({"role": "user", "content": "and mind the house rules"})


class Tally:
    def __init__(self):
        self.requests = self.turns = self.switches = self.moved = self.unsaid = self.lost = 0
        self.quality = self.usd = 0.0


def step(agent, connection, scores, tokens, tally):
    """One request; False: the turn is lost."""
    question = agent.plan[agent.turn][0]["id"]
    want = {"last": agent.left == 1, "tokens": tokens[question]}
    body = {"model": f"leeroo/{agent.policy}", "messages": agent.messages, "tools": TOOLS}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {
        "content-type": "application/json", "accept-language": json.dumps(want), **agent.headers})
    reply = connection.getresponse()
    got = json.loads(reply.read())
    tally.requests += 1
    tally.usd += float(reply.headers.get("x-leeroo-cost-usd", 0))
    if reply.status != 200:
        tally.turns += 1
        tally.lost += 1
        return False
    expert = reply.headers["x-leeroo-expert"]
    said = reply.headers.get("x-leeroo-session")
    if agent.holder and agent.holder != expert:
        tally.switches += 1
        tally.unsaid += said != "moved"
    tally.moved += said == "moved"
    agent.holder = expert
    if want["last"]:
        tally.turns += 1
        tally.quality += scores[question][expert]
    agent.hear(got["choices"][0]["message"])
    return True


def agents_of(rng, questions, count):
    """Those that share a session work side by side."""
    made, session = [], 0
    while len(made) < count:
        together = 2 if rng.random() < SHARED else 1
        session += 1
        name = f"session-{session}" if together > 1 or rng.random() < NAMED else None
        for _ in range(together):
            asked = rng.sample(questions, min(4, 1 + int(rng.expovariate(1))))
            made.append(Agent(random.Random(rng.random()), asked, name))
    return made[:count]


def run(address, vendors, agents, rng, scores, tokens):
    connection, tally, waiting, active = http.client.HTTPConnection(address), Tally(), agents[::-1], []
    while waiting or active:
        while waiting and len(active) < 32:
            active.append(waiting.pop())
        agent = rng.choice(active)
        if not agent.next() or not step(agent, connection, scores, tokens, tally):
            active.remove(agent)
    tally.unsafe, tally.failed = vendors.unsafe, vendors.failed
    return tally


def start(a, folder, url, prices, more):
    experts = "".join(
        f"  - {{name: {n}, url: \"{url}\", retries: 0, breaker: {{failures: 1000}}, price: {{input: {i}, output: {o}, cached_input: "
        f"{float(i) / 10:.6f}}}}}\n" for n, (i, o) in prices.items())
    policies = "".join(f"  {n}: {{lambda: {v}}}\n" for n, v in POLICIES.items())
    (folder / "c.yaml").write_text(f"listen: 127.0.0.1:0\nmodel: {folder}/m\nthreads: 1\n{more}experts:\n{experts}policies:\n{policies}")
    gateway = subprocess.Popen([a.build / "leeroo", "serve", "-c", folder / "c.yaml"], stderr=subprocess.PIPE, text=True)
    lines = []
    for line in gateway.stderr:
        lines.append(line)
        found = re.search(r"msg=listening.* addr=(\S+)", line)
        if found:
            threading.Thread(target=lambda: [None for _ in gateway.stderr], daemon=True).start()
            return gateway, found.group(1)
    raise SystemExit("".join(lines))


def read_outcomes(folder):
    scores, tokens = {}, {}
    with open(folder / "outcomes.csv") as f:
        for row in csv.DictReader(f):
            if row["model"] in EXPERTS and row["score"]:
                scores.setdefault(row["id"], {})[row["model"]] = float(row["score"])
                tokens.setdefault(row["id"], {})[row["model"]] = int(row["output_tokens"])
    return scores, tokens


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", default="build", type=Path)
    p.add_argument("--data", default="../shared/data/mmlu_pro", type=Path)
    p.add_argument("--conversations", default=2000, type=int)
    p.add_argument("--seed", default=1, type=int)
    a = p.parse_args()
    if not a.data.exists():
        print(f"no data in {a.data}: nothing measured")
        return 0
    scores, tokens = read_outcomes(a.data)
    queries = {q["id"]: q for q in map(json.loads, open(a.data / "queries.jsonl"))}
    ids = sorted(i for i in queries if len(scores.get(i, {})) == len(EXPERTS))
    random.Random(a.seed).shuffle(ids)
    half = len(ids) // 2
    with open(a.data / "experts.csv") as f:
        prices = {r["model"]: (r["usd_per_m_input"], r["usd_per_m_output"]) for r in csv.DictReader(f) if r["model"] in EXPERTS}
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        write_half(a.data, tmp / "half", set(ids[:half]))
        subprocess.run([a.build / "leeroo", "train", "-q", "--plans", "none", tmp / "half", "-o", tmp / "m"], check=True,
                       stdout=subprocess.DEVNULL)
        return measure(a, tmp, [queries[i] for i in ids[half:]], scores, tokens, prices)


def measure(a, folder, questions, scores, tokens, prices):
    runs = {"held": ("", True), "free": ("sessions: {ttl: 0}\n", True), "ideal": ("sessions: {ttl: 0}\n", False)}
    print(f"{a.conversations} conversations, seed {a.seed}\n\n| | " + " | ".join(runs) + " |\n|---|" + "---|" * len(runs))
    tallies = []
    for more, refuse in runs.values():
        vendors = Vendors(random.Random(a.seed + 1), refuse)
        upstream = Upstream()
        for name in EXPERTS:
            upstream.on(name, lambda r, v=vendors: v.answer(with_wish(r)))
        gateway, address = start(a, folder, upstream.url, prices, more)
        try:
            rng = random.Random(a.seed + 2)
            tallies.append(run(address, vendors, agents_of(rng, questions, a.conversations), rng, scores, tokens))
        finally:
            gateway.terminate()
            gateway.wait()
            upstream.close()
    rows = {"requests": "requests", "turns": "turns", "calls that failed": "failed", "switches amid a turn": "switches",
            "of these not said": "unsaid", "calls with state of others": "unsafe", "turns lost": "lost"}
    for label, member in rows.items():
        print(f"| {label} | " + " | ".join(f"{getattr(t, member):,}" for t in tallies) + " |")
    print("| quality of a turn | " + " | ".join(f"{t.quality / t.turns:.4f}" for t in tallies) + " |")
    print("| USD for 1,000 turns | " + " | ".join(f"{1000 * t.usd / t.turns:.2f}" for t in tallies) + " |")
    held = tallies[0]
    bad = held.unsafe > 0 or held.unsaid > 0 or held.switches > held.failed
    print(f"\n{'unsafe, or unsaid' if bad else 'no unsafe switch'}")
    return int(bad)


def with_wish(request):
    """What the agent wants of the vendor comes by a header that the gateway passes on."""
    request.headers["x-agent"] = request.headers["accept-language"]
    return request


if __name__ == "__main__":
    sys.exit(main())
