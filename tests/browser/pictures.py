#!/usr/bin/env python3
"""Takes the pictures of the page for README and docs: docs/page-*.png, of a gateway of this build over the recorded
answers of the demo's experts, with some minutes of traffic.

usage: build/browser/venv/bin/python tests/browser/pictures.py [--seconds N] [--out FOLDER]
"""

import argparse
import csv
import io
import json
import math
import os
import random
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from conftest import CHROMIUM, FLAGS, ROOT

LEEROO = Path(os.environ.get("LEEROO_BIN", ROOT / "build" / "leeroo")).resolve()
BYTES_MAX = 150 * 1024
POLICIES = ["leeroo"] * 6 + ["leeroo/thrifty"] * 2 + ["leeroo/best"]
ASKED = "A notebook costs 7 dollars and a pen costs 6 dollars. How much do 3 notebooks and 6 pens cost together?"


class Program:
    """One of ours, until it is told to end; `line` waits for what it prints."""

    def __init__(self, *argv, cwd=None):
        self.lines = []
        self.process = subprocess.Popen([str(LEEROO), *map(str, argv)], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True).start()

    def line(self, pattern, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = next((m for m in (re.search(pattern, line) for line in list(self.lines)) if m), None)
            if found:
                return found
            time.sleep(0.05)
        raise SystemExit(f"never printed {pattern}:\n{''.join(self.lines[-20:])}")

    def end(self):
        self.process.terminate()
        self.process.wait(30)


def ask(url, path, body, method="POST", key=None):
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
    request = urllib.request.Request(url + path, json.dumps(body).encode() if body is not None else None, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
        return answer.headers, json.loads(text) if text else None


def add_newcomer(exam):
    """An expert that no model has learnt of: it answers as lexicon does, for more."""
    shutil.copy(exam / "responses" / "lexicon.jsonl", exam / "responses" / "newcomer.jsonl")
    with open(exam / "experts.csv", "a", encoding="utf-8") as file:
        file.write("newcomer,0.8,2.4\n")


def start_world(folder):
    """What the demo has taught, its exam's recorded answers at the pace of real models, and a gateway before them."""
    Program("demo", "--dir", folder / "demo").process.wait(120)
    shutil.copytree(folder / "demo" / "play", folder / "runs" / "first")
    add_newcomer(folder / "demo" / "exam")
    experts = Program("replay", folder / "demo" / "exam", "--listen", "127.0.0.1:0", "--ttft", "60-700", "--tps", "90",
                      "--fail-500", "0.004,newcomer=0.3", "--cut", "0.002")
    address = experts.line(r"(127\.0\.0\.1:\d+)")[1]
    names = ["abacus", "almanac", "lexicon", "sage", "newcomer"]
    own = {"newcomer": "\n    price: {input: 0.8, output: 2.4}\n    concurrency: 4"}
    lines = ["listen: 127.0.0.1:0", "model: demo/orchestrator.safetensors", "state_dir: state", "reference: sage", "runs: runs", "keep: {share: 1, days: 1}", "policies:",
             "  default: {lambda: 100}", "  thrifty: {budget: 0.10}", "  best: {lambda: 0}", "experts:"]
    lines += [f"  - name: {name}\n    url: http://{address}/v1{own.get(name, '')}" for name in names]
    (folder / "leeroo.yaml").write_text("\n".join(lines) + "\n")
    gateway = Program("serve", "-c", folder / "leeroo.yaml", cwd=folder)
    return experts, gateway, "http://" + gateway.line(r"(127\.0\.0\.1:\d+)")[1]


def one_to_open(url):
    """The id of a request that was tried more than once before it was answered."""
    _, found = ask(url, "/v1/admin/requests?outcome=answered&policy=default&limit=200", None, "GET")
    return max(found["requests"], key=lambda r: (r["attempts"] > 1, r["expert"] != "newcomer", r["total_ms"] or 0))["id"]


class Traffic(threading.Thread):
    """Questions of the demo's exam, more and fewer of them, each with its answer's score as feedback."""

    def __init__(self, url, folder, seconds):
        super().__init__(daemon=True)
        rows = (folder / "demo" / "exam" / "queries.jsonl").read_text().splitlines()
        self.questions = [json.loads(row)["text"] for row in rows]
        with open(folder / "demo" / "exam" / "outcomes.csv", encoding="utf-8") as file:
            ids = [json.loads(row)["id"] for row in rows]
            self.scores = {(ids.index(r["id"]), r["model"]): float(r["score"]) for r in csv.DictReader(file)}
        self.url, self.seconds, self.draw, self.wanted = url, seconds, random.Random(5), True

    def one(self):
        i = self.draw.randrange(len(self.questions))
        body = {"model": self.draw.choice(POLICIES), "stream": self.draw.random() < 0.5, "messages": [{"role": "user", "content": self.questions[i]}]}
        request = urllib.request.Request(self.url + "/v1/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                answer.read()
                expert, name = answer.headers["x-leeroo-expert"], answer.headers["x-leeroo-request-id"]
            score = self.scores.get((i, expert))
            if score is not None and self.draw.random() < 0.6:
                ask(self.url, "/v1/feedback", {"request_id": name, "score": score})
        except OSError:
            pass  # a refusal is traffic, too, and at the end nobody is there

    def run(self):
        begun = time.monotonic()
        while self.wanted:
            t = time.monotonic() - begun
            threading.Thread(target=self.one, daemon=True).start()
            time.sleep(1 / (7 + 4 * math.sin(t / 23) + 2 * math.sin(t / 7)))


def save(data, out, name):
    """As few colours as do, those that cover most, so that the repository stays small."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    common = sorted(image.getcolors(image.width * image.height), reverse=True)[:255]
    palette = Image.new("P", (1, 1))
    theme = [(255, 255, 255)] + [tuple(int(h[i:i + 2], 16) for i in (0, 2, 4)) for h in set(re.findall(r"#([0-9a-f]{6})\b", (ROOT / "src/web/files/app.css").read_text()))]
    palette.putpalette([value for colour in (theme + [colour for _, colour in common])[:255] for value in colour])
    image = image.quantize(palette=palette, dither=Image.Dither.NONE)
    image.save(out / f"{name}.png", optimize=True)
    size = (out / f"{name}.png").stat().st_size
    print(f"{name}.png {image.width}x{image.height} {size} bytes")
    assert size <= BYTES_MAX, f"{name}.png is over {BYTES_MAX} bytes"


class Camera:
    def __init__(self, browser, url, out):
        self.browser, self.url, self.out = browser, url, out

    def take(self, name, view, width=1280, height=1000, scheme="light", act=None, key=None):
        context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce")
        page = context.new_page()
        page.goto(f"{self.url}/#/{view}")
        if key:
            page.get_by_label("Admin key").fill(key)
            page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("#live.on")
        page.wait_for_timeout(1500)
        if act:
            act(page)
        page.wait_for_timeout(700)
        save(page.screenshot(), self.out, name)
        context.close()


def play(page):
    page.get_by_label("Question", exact=True).fill(ASKED)
    page.wait_for_selector("text=would be asked")
    page.get_by_label("and beside it").select_option("abacus")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_function("() => document.querySelectorAll('.answer .buttons').length === 2")


def pictures(camera, request_id):
    camera.take("page-now", "now", height=1180)
    camera.take("page-now-dark", "now", scheme="dark", height=1180)
    camera.take("page-now-narrow", "now", width=390, height=844, scheme="dark")
    camera.take("page-requests", "requests", height=760)
    camera.take("page-request", f"requests/{request_id}", height=1180)
    camera.take("page-playground", "playground", height=1080, act=play)
    camera.take("page-playground-dark", "playground", scheme="dark", height=1080, act=play)
    camera.take("page-orchestrator", "orchestrator", height=1180)
    camera.take("page-keys", "keys", height=620, key=make_keys(camera.url))


def make_keys(url):
    """Some that have spent; the first is the admin's, and from then on everybody is asked for one."""
    admin = ask(url, "/v1/admin/keys", {"name": "ada", "role": "admin"})[1]["key"]
    wanted = [({"name": "ci-bot", "budget_day_usd": 0.02, "requests_per_minute": 600}, 24), ({"name": "notebooks", "budget_month_usd": 0.05, "experts": ["abacus", "almanac", "sage"]}, 15),
              ({"name": "support-desk", "budget_day_usd": 0.5, "budget_month_usd": 5, "policies": ["thrifty"]}, 20), ({"name": "prometheus", "role": "metrics"}, 0)]
    for limits, requests in wanted:
        key = ask(url, "/v1/admin/keys", limits, key=admin)[1]["key"]
        model = f"leeroo/{limits.get('policies', ['default'])[0]}"
        for _ in range(requests):
            try:
                ask(url, "/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": ASKED}]}, key=key)
            except OSError:
                break  # its budget is used up
    return admin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as p:
        experts, gateway, url = start_world(Path(name))
        traffic = Traffic(url, Path(name), options.seconds)
        try:
            traffic.start()
            time.sleep(options.seconds)
            browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            pictures(Camera(browser, url, options.out), one_to_open(url))
        finally:
            traffic.wanted = False
            gateway.end()
            experts.end()


if __name__ == "__main__":
    main()
