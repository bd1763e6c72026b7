"""leeroo demo --verify from outside: programs are run by a real check, the numbers are those of `leeroo eval`, and what
is printed to be done next works as printed."""

import csv
import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
TASKS = 80
CODERS = ("sprout", "clerk", "smith", "master")


def run(leeroo, *options, **more):
    return subprocess.run([leeroo, "demo", "--verify", "--queries", str(TASKS), *options], capture_output=True, text=True,
                          timeout=600, **more)


@pytest.fixture(scope="module")
def demo(leeroo, tmp_path_factory):
    """In the usual temporary folder, which nobody has to be let into where root runs this."""
    done = run(leeroo, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    folder = Path(re.search(r"^The files are in (\S+)\.$", done.stdout, re.M)[1])
    yield done, folder
    subprocess.run(["rm", "-r", str(folder)], check=True)


def part(text, number):
    return re.split(r"^\d  \S.*$", text, flags=re.M)[number]


def test_it_tells_the_whole_story_in_eighty_columns(demo):
    done, _ = demo
    assert re.findall(r"^(\d)  \S", done.stdout, re.M) == list("12345")
    assert [line for line in done.stdout.splitlines() if len(line) > 80 and "/" not in line] == []
    assert done.stderr == "" and "\033" not in done.stdout
    assert [line for line in done.stdout.splitlines() if len(line) > 80 and "/" not in line] == []


def test_requests_are_told_with_what_the_check_said(demo):
    told = part(demo[0].stdout, 3)
    assert len(re.findall(r"^    plan: verified\(", told, re.M)) >= 3
    first, second = told.split("The cheapest one is right.")[1].split("A test fails, and the next is asked.")
    assert re.search(r"sprout +passed +all \d tests pass\n +sprout's program stands", first)
    assert re.search(r"rejected +test \d of \d: .*\n +\w+ +passed +all \d tests pass\n", second)
    strict = told.split('Policy "strict"')[1]
    assert "passed" not in strict and "An error, HTTP 502, and no answer: 0.0" in strict


def table(text):
    """{(kind, percent of the cost): right}, and the single coders by name."""
    found, kind = {}, "single"
    for line in part(text, 4).splitlines():
        if m := re.match(r"  (routed|verified), a right one worth a cent +([\d.]+) % +([\d.]+)", line):
            kind = m[1]
            found[kind, "policy"] = float(m[2]), float(m[3])
        elif m := re.match(r"    for (\d+) % of the cost, lambda \S+ +([\d.]+) % ", line):
            found[kind, int(m[1])] = float(m[2])
        elif m := re.match(r"  always (\w+) +([\d.]+) % +([\d.]+) ", line):
            found[m[1]] = float(m[2]), float(m[3])
    return found


def commands(text, number):
    """What is printed to be typed, lines with a backslash at their end joined."""
    lines = part(text, number).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if re.match(r"    \S*leeroo ", line)]


def test_the_table_is_that_of_eval_as_printed(leeroo, demo):
    done, folder = demo
    [command] = commands(done.stdout, 4)
    path = f"{Path(leeroo).parent}:{os.environ['PATH']}"
    checked = subprocess.run(command + " --json", shell=True, capture_output=True, text=True, timeout=120, env={"PATH": path})
    assert checked.returncode == 0, checked.stderr
    plain = subprocess.run(re.sub(r"--verify-column \S+ +--verify-price \S+ +--decisions \S+", "", command) + " --json",
                           shell=True, capture_output=True, text=True, timeout=120, env={"PATH": path})
    assert plain.returncode == 0, plain.stderr
    told, compared = table(done.stdout), 0
    for kind, report in (("verified", json.loads(checked.stdout)), ("routed", json.loads(plain.stdout))):
        for at in report["at_cost"]:
            if (kind, round(100 * at["fraction"])) in told:
                assert told[kind, round(100 * at["fraction"])] == pytest.approx(100 * at["accuracy"], abs=0.051)
                compared += 1
    assert compared >= 6
    report = json.loads(checked.stdout)
    for expert in report["experts"]:
        assert told[expert["name"]] == pytest.approx((100 * expert["accuracy"], expert["usd_per_1k"]), abs=0.051)
    single = report["verified"]["best_single"]
    if single["times_cheaper"]:
        assert f"{single['times_cheaper']:.1f} times" in re.sub(r"\s+", " ", part(done.stdout, 4))
    assert (folder / "decisions.csv").exists()


def test_checks_are_worth_their_price(demo):
    told = table(demo[0].stdout)
    assert told["verified", "policy"][0] > told["routed", "policy"][0]
    assert told["verified", "policy"][1] < told["master"][1] / 4
    assert told["sprout"][0] < told["clerk"][0] < told["master"][0]


def test_the_next_commands_work_as_printed(leeroo, demo):
    done, folder = demo
    path = f"{Path(leeroo).parent}:{os.environ['PATH']}"
    listed = commands(done.stdout, 5)
    assert [c.split()[1] for c in listed] == ["eval", "check", "train", "demo"]
    for command in listed[:3]:
        again = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120, env={"PATH": path})
        assert again.returncode == 0, command + again.stderr
    assert (folder / "mine.safetensors").exists()


def test_verdicts_are_from_running_the_programs(demo):
    """The check of the folder, run again on a part of the recorded answers, says what the data set says."""
    _, folder = demo
    questions = {q["id"]: q["text"] for q in map(json.loads, (folder / "held-out" / "queries.jsonl").open())}
    hidden = {q["id"]: q["question"] for q in map(json.loads, (folder / "held-out" / "hidden.jsonl").open())}
    with open(folder / "held-out" / "outcomes.csv", newline="") as f:
        rows = {(r["id"], r["model"]): r for r in csv.DictReader(f)}
    assert len(rows) == TASKS // 2 * len(CODERS) and {r["verified"] for r in rows.values()} == {"0", "1"}
    assert all(r["verified"] == "1" for r in rows.values() if r["score"] == "1")

    def passes(question, answer):
        said = json.dumps({"question": question, "answer": answer}, separators=(",", ":"))
        return subprocess.run(["sh", str(folder / "check.sh")], input=said, cwd=folder / "held-out", text=True,
                              capture_output=True, timeout=60).returncode == 0
    answers = {a["id"]: a["text"] for a in map(json.loads, (folder / "held-out" / "responses" / "clerk.jsonl").open())}
    for name in list(questions)[:20]:
        shown = passes(questions[name], answers[name])
        assert rows[name, "clerk"]["verified"] == str(int(shown))
        assert rows[name, "clerk"]["score"] == str(int(shown and passes(hidden[name], answers[name])))
    for made in (folder / "held-out").glob("*.[ig]*"):
        made.unlink()


def test_its_check_is_that_of_the_examples(demo):
    assert (demo[1] / "check.sh").read_bytes() == (ROOT / "examples" / "check_awk.sh").read_bytes()


def test_the_seed_repeats_it(leeroo, demo):
    def story(text, folder):
        text = re.sub(r"in [\d.]+ s\b|took [\d.]+ s\b|127\.0\.0\.1:\d+", "-", text)
        return text.replace(str(folder), "DIR")
    again = run(leeroo, env={**os.environ, "NO_COLOR": "1"})
    assert again.returncode == 0, again.stderr
    folder = Path(re.search(r"^The files are in (\S+)\.$", again.stdout, re.M)[1])
    try:
        assert story(again.stdout, folder) == story(demo[0].stdout, demo[1])
        for file in ("orchestrator.safetensors", "held-out/outcomes.csv", "learn/outcomes.csv"):
            assert (folder / file).read_bytes() == (demo[1] / file).read_bytes()
    finally:
        subprocess.run(["rm", "-r", str(folder)], check=True)


def test_keep_leaves_a_gateway_that_verifies(leeroo, demo):
    _, folder = demo
    process = subprocess.Popen([leeroo, "demo", "--verify", "--keep", "--queries", "50", "--dir", str(folder)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True)
    reader.start()
    deadline = time.monotonic() + 200
    try:
        while not any("-d @" in line for line in lines):
            assert time.monotonic() < deadline and process.poll() is None, "".join(lines)
            time.sleep(0.05)
        url, body = re.search(r"curl -si (\S+) \\\n +-d @(\S+)\n", "".join(lines)).groups()
        r = httpx.post(url, content=Path(body).read_bytes(), timeout=60)
        assert r.status_code == 200 and r.headers["x-leeroo-verified"] in ("passed", "rejected"), r.text
        assert r.headers["x-leeroo-verified-by"] == "tests"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, process.stderr.read()
    finally:
        process.kill()


def test_a_machine_that_cannot_shut_commands_in_is_told_so(leeroo, tmp_path):
    """A folder that the check cannot read is the case that every machine has."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    if os.geteuid() != 0:
        pytest.skip("only root's checks run as somebody else")
    done = run(leeroo, "--dir", str(closed / "demo"))
    assert done.returncode == 1 and part(done.stdout + "\n1  x", 0).strip() == ""
    assert "cannot be run on this machine, shut in" in done.stderr and "nobody" in done.stderr
