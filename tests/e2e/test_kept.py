"""Kept prompts from outside: which are kept, what is taken out of them, and that what is forgotten is gone."""

import json
import sqlite3
import subprocess
import time

import pytest

from conftest import KEY, Gateway, write_config


def forget(leeroo, *argv):
    return subprocess.run([leeroo, "forget", *map(str, argv)], capture_output=True, text=True, timeout=60, check=False)


def rows(folder):
    with sqlite3.connect(f"file:{folder}/state/kept.sqlite?mode=ro", uri=True) as db:
        return db.execute("SELECT request_id, text, expert, key_id, at_ms FROM prompts ORDER BY at_ms").fetchall()


def settled(folder, wanted, seconds=5):
    """The rows once there are as many."""
    end = time.monotonic() + seconds
    while len(found := rows(folder)) < wanted and time.monotonic() < end:
        time.sleep(0.02)
    assert len(found) == wanted, found
    return found


def on_disk(folder, text):
    return any(text.encode() in path.read_bytes() for path in (folder / "state").glob("kept*"))


@pytest.fixture
def keeping(start_gateway):
    return start_gateway(top="state_dir: state\nkeep: {share: 1}")


def ask(gateway, content, **more):
    answer = gateway.chat(content, **more)
    assert answer.status_code == 200, answer.text
    return answer.headers["x-leeroo-request-id"]


def test_questions_are_kept_redacted_and_with_what_belongs_to_them(keeping, tmp_path):
    before = time.time() * 1000
    first = ask(keeping, f"Write to bob@example.org, my key is {KEY} and password: hunter2x. Why?")
    second = ask(keeping, "What is 2 + 2?", model="mid", stream=True)
    found = settled(tmp_path, 2)
    assert [r[0] for r in found] == [first, second]
    assert found[0][1] == "Write to [e-mail], my key is [redacted] and password: [secret]. Why?"
    assert found[1][1:4] == ("What is 2 + 2?", "mid", "")
    assert before - 1000 < found[0][4] <= found[1][4] < before + 60000
    assert not on_disk(tmp_path, "bob@example.org") and not on_disk(tmp_path, KEY)
    assert oct((tmp_path / "state" / "kept.sqlite").stat().st_mode)[-3:] == "600"
    assert "leeroo_prompts_kept_total 2" in keeping.client.get("/metrics").text
    assert "hunter2x" not in keeping.text and "bob@" not in keeping.text


def test_what_is_not_kept(keeping, tmp_path):
    user = {"role": "user", "content": "NOTKEPT"}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    for more in ({"messages": [user, {"role": "assistant", "content": "x"}, user]}, {"messages": [user, user]},
                 {"store": False}, {"content": "NOTKEPT" + " long" * 7000}):
        ask(keeping, more.pop("content", "NOTKEPT"), **more)
    for path, body in (("/v1/responses", {"model": "leeroo", "input": "NOTKEPT", "store": False}),
                       ("/v1/route", {"model": "leeroo", "messages": [user]})):
        assert keeping.client.post(path, json=body).status_code == 200
    keeping.chat("NOTKEPT", tools=[tool])
    assert keeping.chat("NOTKEPT", model="nobody").status_code == 404
    ask(keeping, "the last one", messages=[{"role": "system", "content": "SYSTEM"}, {"role": "user", "content": "kept"}])
    kept = keeping.client.post("/v1/messages", json={"model": "leeroo", "max_tokens": 50,
                                                     "messages": [{"role": "user", "content": "kept, too"}]})
    assert kept.status_code == 200
    assert [r[1] for r in settled(tmp_path, 2)] == ["kept", "kept, too"]
    assert not on_disk(tmp_path, "NOTKEPT") and not on_disk(tmp_path, "SYSTEM")


def test_forgetting_leaves_no_byte(leeroo, keeping, tmp_path):
    ids = [ask(keeping, f"Remarkable question {i} about whales and " + "water " * (i % 40)) for i in range(60)]
    settled(tmp_path, 60)
    config = tmp_path / "leeroo.yaml"
    done = forget(leeroo, ids[7], ids[31], "-c", config)
    assert done.returncode == 0 and done.stdout.startswith("2 prompts erased from "), done.stderr
    assert not on_disk(tmp_path, "Remarkable question 7 ") and not on_disk(tmp_path, "Remarkable question 31 ")
    assert on_disk(tmp_path, "Remarkable question 8 ") and len(rows(tmp_path)) == 58
    done = forget(leeroo, ids[7], "-c", config)
    assert done.returncode == 0 and "0 prompts erased" in done.stdout and "without a prompt there: 1 of 1" in done.stdout
    done = forget(leeroo, "--before", "1d", "-c", config, "--json")
    assert json.loads(done.stdout)["erased"] == 0
    done = forget(leeroo, "--all", "-c", config)
    assert done.returncode == 0 and "58 prompts" in done.stdout
    assert not on_disk(tmp_path, "Remarkable") and rows(tmp_path) == []
    ask(keeping, "after it")
    assert [r[1] for r in settled(tmp_path, 1)] == ["after it"]


def test_prompts_grow_old(leeroo, model_file, upstream, tmp_path):
    config = write_config(tmp_path, model_file, upstream.url, top="state_dir: state\nkeep: {share: 1, days: 2}")
    for days, left in ((1, ["an aged question"]), (3, [])):
        gateway = Gateway(leeroo, config)
        ask(gateway, "an aged question")
        settled(tmp_path, 1 if days == 1 else 2)
        gateway.client.close()
        assert gateway.stop() == 0
        with sqlite3.connect(tmp_path / "state" / "kept.sqlite") as db:
            db.execute("UPDATE prompts SET at_ms = at_ms - ?", (days * 86400000,))
        config.write_text(config.read_text().replace("keep: {share: 1", "keep: {share: 0"))
        gateway = Gateway(leeroo, config)  # keeps none, and still erases what is old
        end = time.monotonic() + 5
        while [r[1] for r in rows(tmp_path)] != left and time.monotonic() < end:
            time.sleep(0.02)
        assert [r[1] for r in rows(tmp_path)] == left
        assert left or not on_disk(tmp_path, "an aged question")
        gateway.client.close()
        assert gateway.stop() == 0
        config.write_text(config.read_text().replace("keep: {share: 0", "keep: {share: 1"))


def test_the_share_is_by_request_and_off_by_default(start_gateway, tmp_path):
    gateway = start_gateway(top="state_dir: state\nkeep: {share: 0.3}")
    ids = [ask(gateway, "a question") for _ in range(200)]
    time.sleep(0.3)
    kept = {r[0] for r in rows(tmp_path)}
    assert 30 < len(kept) < 95 and kept <= set(ids)


def test_nothing_is_kept_unless_said(start_gateway, tmp_path):
    ask(start_gateway(top="state_dir: state"), "a question")
    assert not (tmp_path / "state" / "kept.sqlite").exists()


def test_a_file_that_cannot_be_written_stops_nobody(start_gateway, tmp_path):
    gateway = start_gateway(top="state_dir: state\nkeep: {share: 1}")
    ask(gateway, "the first")
    settled(tmp_path, 1)
    lock = sqlite3.connect(tmp_path / "state" / "kept.sqlite", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    for _ in range(20):
        ask(gateway, "locked out")
    assert time.monotonic() - began < 3
    lock.execute("ROLLBACK")
    lock.close()
    settled(tmp_path, 21, seconds=10)


@pytest.mark.parametrize("keep, said", [
    ("keep: {share: 0.5}", "state_dir"), ("keep: {share: 2, file: x}", "share"),
    ("keep: {share: 1, days: 0, file: x}", "days"), ("keep: {shore: 1}", "share"), ("keep: yes", "keep"),
])
def test_mistakes_in_the_configuration(leeroo, model_file, upstream, tmp_path, keep, said):
    config = write_config(tmp_path, model_file, upstream.url, top=keep)
    done = subprocess.run([leeroo, "serve", "--check", "-c", config], capture_output=True, text=True, timeout=60,
                          env={"UP_KEY": "x"}, check=False)
    assert done.returncode == 1 and said in done.stderr and "leeroo.yaml:" in done.stderr


@pytest.mark.parametrize("argv", [[], ["req_1", "--all"], ["--all", "--before", "1d"], ["--before", "soon", "--file", "x"]])
def test_wrong_usage(leeroo, tmp_path, argv):
    done = subprocess.run([leeroo, "forget", *argv], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("leeroo forget: ")
