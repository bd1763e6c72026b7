"""leeroo demo from outside: it runs to its end and what it prints is worth believing."""

import json
import os
import re
import signal
import subprocess
import threading
import time

import httpx
import pytest


def run(leeroo, *options, **more):
    return subprocess.run([leeroo, "demo", *options], capture_output=True, text=True, timeout=300, **more)


def rows(text):
    """The exam's table: {who: [right %, USD per 1,000, cost %, random mix %]}."""
    table = text.split("4  The exam")[1].split("5  The gateway")[0]
    found = {}
    for line in table.splitlines():
        match = re.match(r"  (.{40}) +([\d.]+) % +([\d.]+) +(\d+) %(?: +([\d.]+) %)?$", line)
        if match:
            found[match[1].strip()] = [float(g) if g else None for g in match.groups()[1:]]
    return found


@pytest.fixture(scope="module")
def demo(leeroo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "made" / "here"
    done = run(leeroo, "--dir", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return done, folder


def test_it_tells_the_whole_story(demo):
    done, _ = demo
    assert re.findall(r"^(\d)  \S", done.stdout, re.M) == list("1234567")
    assert done.stderr == ""  # nothing to warn of, and no progress line off a terminal
    assert len(re.findall(r"The\s+answer\s+is ", done.stdout)) == 3
    assert "6096" in done.stdout and "Sunday" in done.stdout and "312" in done.stdout
    assert len(re.findall(r"^  Right, for 0\.\d{9} USD\.$", done.stdout, re.M)) == 3


def curve(text):
    """Self-play's table: [(who, answers, USD, right at half of the cost in percent)]."""
    table = text.split("3  Self-play")[1].split("4  The exam")[0]
    return [(m[1].strip(), int(m[2]), float(m[3]), float(m[4])) for m in
            re.finditer(r"^  (by price|round \d) +(\d+) +([\d.]+) +([\d.]+) %", table, re.M)]


def test_self_play_rises_from_the_prior_to_the_learnt(demo):
    done, folder = demo
    rounds = curve(done.stdout)
    assert [r[0] for r in rounds] == ["by price"] + [f"round {i}" for i in range(1, 6)]
    assert all(a[1] < b[1] and a[2] < b[2] for a, b in zip(rounds, rounds[1:]))
    right = [r[3] for r in rounds]
    assert right[1] > right[0] and right[5] > right[0] + 15 and max(right[3:]) > right[1]
    assert rounds[5][1] < 0.8 * 4 * 800 and rounds[5][2] <= 0.16  # far from everybody on everything
    told = json.loads((folder / "play" / "round-5" / "round.json").read_text())
    assert told["outcomes"] == rounds[5][1]


def test_the_router_beats_every_mix_of_single_experts(demo):
    table = rows(demo[0].stdout)
    routed = next(v for k, v in table.items() if "one cent" in k)
    single = next(v for k, v in table.items() if k.startswith("best single"))
    oracle = next(v for k, v in table.items() if k.startswith("oracle"))
    cheapest = next(v for k, v in table.items() if k.startswith("cheapest"))
    at_random = next(v for k, v in table.items() if k.startswith("anybody"))
    assert routed[0] > routed[3] + 5  # the best random mix at the same cost
    assert routed[0] > at_random[0] + 20 and routed[0] > cheapest[0] + 30
    assert routed[2] < 60 and routed[0] > single[0] - 4
    assert oracle[0] > routed[0]


def test_its_files_are_data_sets_and_a_model(leeroo, demo):
    _, folder = demo
    names = {p.name for p in folder.iterdir()} - {"orchestrator.safetensors.previous"}
    assert names == {"questions", "play", "exam", "orchestrator.safetensors", "leeroo.yaml", "state"}
    report = subprocess.run([leeroo, "eval", str(folder / "orchestrator.safetensors"), str(folder / "exam"),
                             "--reference", "sage", "--json"], capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(report.stdout)["trained_on"] == 0
    assert (folder / "exam" / "responses" / "sage.jsonl").read_text().count("\n") == 400
    again = folder.parent / "again.safetensors"
    subprocess.run([leeroo, "train", str(folder / "play"), "-o", str(again)], capture_output=True, timeout=120, check=True)


def test_the_seed_repeats_it(leeroo, tmp_path):
    """Times aside, the same seed says the same; another does not."""
    def story(seed, folder):
        done = run(leeroo, "--seed", seed, "--queries", "200", "--dir", str(tmp_path / folder))
        assert done.returncode == 0, done.stderr
        models.append((tmp_path / folder / "orchestrator.safetensors").read_bytes())
        return re.split(r"That took", done.stdout)[0].split("right answers")[1]
    models = []
    first = story("3", "a")
    assert story("3", "b") == first and models[0] == models[1]
    assert story("4", "c") != first and models[2] != models[0]


def test_a_folder_that_was_played_in_says_so(leeroo, tmp_path):
    for again in (False, True):
        done = run(leeroo, "--queries", "60", "--dir", str(tmp_path / "d"))
        assert done.returncode == 0, done.stderr
        assert ("All rounds were played before, in " in done.stdout) == again


def test_the_temporary_folder_goes(leeroo, tmp_path):
    done = run(leeroo, "--queries", "60", env={**os.environ, "TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_keep_leaves_the_gateway_running(leeroo, tmp_path):
    process = subprocess.Popen([leeroo, "demo", "--keep", "--queries", "100"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)})
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True)
    reader.start()
    deadline = time.monotonic() + 120
    while not any("leeroo route" in line for line in lines):
        assert time.monotonic() < deadline and process.poll() is None, "".join(lines)
        time.sleep(0.05)
    url = re.search(r"curl -s (http://\S+)", "".join(lines)).group(1)
    answer = httpx.post(url, json={"model": "leeroo", "messages": [{"role": "user", "content": "What is 17 * 23?"}]})
    assert "391" in answer.json()["choices"][0]["message"]["content"]
    page = re.search(r"In a browser:\s+(http://\S+/)\n", "".join(lines)).group(1)
    assert "<title>" in httpx.get(page).text
    assert [run["name"] for run in httpx.get(page + "v1/admin/runs").json()["runs"]] == ["play"]
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0, process.stderr.read()
    reader.join(5)
    kept = re.search(r"The files are in (\S+)\.\n", "".join(lines)).group(1)
    assert os.path.exists(kept + "/leeroo.yaml")


def test_wrong_usage(leeroo):
    assert run(leeroo, "--queries", "1").returncode == 2
    assert run(leeroo, "surplus").returncode == 2
    failed = run(leeroo, "--dir", "/proc/no/such")
    assert failed.returncode == 1 and "/proc/no" in failed.stderr


def test_a_container_may_be_reached_from_outside(leeroo, tmp_path):
    refused = run(leeroo, "-n", "50", "--listen", "0.0.0.0:0")
    assert refused.returncode == 1 and "can be reached from other machines" in refused.stderr
    done = run(leeroo, "-n", "50", "--listen", "0.0.0.0:0", "--allow-remote", "--dir", str(tmp_path / "demo"))
    assert done.returncode == 0, done.stderr
    assert "allow_remote: true\nauth: off" in (tmp_path / "demo" / "leeroo.yaml").read_text()
