"""leeroo replay from outside: recordings come back byte for byte, failures happen as asked and can be repeated."""

import gzip
import json
import os
import random
import re
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from conftest import Process, has_sanitizer

TEXTS = {
    "q0": "Plain.",
    "q1": "  Two\n\n\tlines, with \"quotes\" \\ and caf\u00e9 \u20ac\U0001f600\u2028 end \n",
    "q2": "",
    "q3": "word " * 3000,
    "q4": "x" * 5000,
}
PROMPTS = {
    "q0": "Is it A or B?\nA. it\nB. not",
    "q1": "What is  one?",
    "q2": "Say nothing",
    "q3": "Say much",
    "q4": "No blanks",
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "responses").mkdir()
    queries = [{"id": "q0", "text": "Is it A or B?", "choices": ["it", "not"], "answer": "A"}]
    queries += [{"id": q, "text": PROMPTS[q]} for q in ("q1", "q2", "q3", "q4")]
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\na,1,2\norg/b,1,2\nsilent,1,2\n")
    rows = [f"{q},a,1,0.001,{100 + i},{200 + i}" for i, q in enumerate(TEXTS)]
    (folder / "outcomes.csv").write_text(
        "id,model,score,cost_usd,input_tokens,output_tokens\n" + "\n".join(rows) + "\n")
    with gzip.open(folder / "responses" / "a.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps({"id": q, "text": t}) + "\n" for q, t in TEXTS.items())
    (folder / "responses" / "org").mkdir()
    (folder / "responses" / "org" / "b.jsonl").write_text(json.dumps({"id": "q1", "text": "of b"}) + "\n")
    return folder


class Replay(Process):
    def __init__(self, leeroo, dataset, *options):
        super().__init__([leeroo, "replay", str(dataset), "--listen", "127.0.0.1:0", *options])
        self.url = "http://" + self.wait_line(r"msg=listening.* addr=(\S+)", 300).group(1)
        self.client = httpx.Client(base_url=self.url, timeout=20)

    def ask(self, prompt, model="a", **more):
        body = {"model": model, "messages": [{"role": "user", "content": prompt}], **more}
        return self.client.post("/v1/chat/completions", json=body)

    def stream(self, prompt, model="a", **more):
        """(deltas, all events) of a stream that must be whole."""
        r = self.ask(prompt, model, stream=True, **more)
        assert r.status_code == 200 and r.headers["content-type"].startswith("text/event-stream")
        events = [e.removeprefix("data: ") for e in r.content.decode().split("\n\n") if e]
        assert events[-1] == "[DONE]"
        events = [json.loads(e) for e in events[:-1]]
        assert events[0]["choices"][0]["delta"]["role"] == "assistant"
        deltas = [e["choices"][0]["delta"].get("content", "") for e in events if e["choices"]]
        assert [e["choices"][0]["finish_reason"] for e in events if e["choices"]][-1] == "stop"
        return deltas, events


@pytest.fixture
def start(leeroo, dataset):
    running = []

    def go(*options, data=dataset):
        running.append(Replay(leeroo, data, *options))
        return running[-1]
    yield go
    for r in running:
        r.client.close()
        assert r.stop() == 0, r.text
        assert "ERROR: " not in r.text and "runtime error" not in r.text, r.text


@pytest.mark.parametrize("query", TEXTS)
def test_whole_and_streamed_equal_the_recording(start, query):
    r = start()
    whole = r.ask(PROMPTS[query]).json()
    deltas, events = r.stream(PROMPTS[query], stream_options={"include_usage": True})
    assert whole["choices"][0]["message"] == {"role": "assistant", "content": TEXTS[query], "refusal": None}
    assert "".join(deltas) == TEXTS[query]
    i = list(TEXTS).index(query)
    usage = {"prompt_tokens": 100 + i, "completion_tokens": 200 + i, "total_tokens": 300 + 2 * i}
    assert whole["usage"] == usage
    assert events[-1]["usage"] == usage and events[-1]["choices"] == []
    assert all("usage" not in e for e in r.stream(PROMPTS[query])[1])
    if query == "q3":
        assert len(deltas) >= 3000


def test_prompt_is_normalised_and_the_last_user_message_counts(start):
    r = start()
    assert r.ask("WHAT   is\none?").json()["choices"][0]["message"]["content"] == TEXTS["q1"]
    assert r.ask("is it a or b?").json()["choices"][0]["message"]["content"] == TEXTS["q0"]
    messages = [{"role": "system", "content": "x"}, {"role": "user", "content": "Say much"},
                {"role": "assistant", "content": "y"},
                {"role": "user", "content": [{"type": "text", "text": "What is one?"}]}]
    assert r.ask("", messages=messages).json()["choices"][0]["message"]["content"] == TEXTS["q1"]
    assert r.ask("What is one?", "org/b").json()["choices"][0]["message"]["content"] == "of b"


def test_missing_is_404_with_a_clear_body(start):
    r = start()
    for prompt, model, code in (("Unknown?", "a", "prompt_not_recorded"),
                                ("Say much", "org/b", "prompt_not_recorded"),
                                ("Say much", "silent", "model_not_found"),
                                ("Say much", "nobody", "model_not_found")):
        for stream in (False, True):
            answer = r.ask(prompt, model, stream=stream)
            error = answer.json()["error"]
            assert (answer.status_code, error["code"]) == (404, code)
            assert error["message"] and error["type"] == "invalid_request_error"
    assert [m["id"] for m in r.client.get("/v1/models").json()["data"]] == ["a", "org/b"]
    assert r.client.get("/healthz").status_code == 200
    assert r.client.post("/v1/chat/completions", content=b"{").status_code == 400


def test_nothing_to_replay(leeroo, dataset, tmp_path):
    for name in ("queries.jsonl", "experts.csv", "outcomes.csv"):
        (tmp_path / name).write_bytes((dataset / name).read_bytes())
    run = subprocess.run([leeroo, "replay", str(tmp_path)], capture_output=True, text=True, timeout=30)
    assert run.returncode == 1 and "nothing to replay" in run.stderr
    run = subprocess.run([leeroo, "replay", str(dataset), "--experts", "silent"], capture_output=True, text=True,
                         timeout=30)
    assert run.returncode == 1 and "responses/silent" in run.stderr
    run = subprocess.run([leeroo, "replay", str(dataset), "--cut", "often"], capture_output=True, text=True, timeout=30)
    assert run.returncode == 2 and "often" in run.stderr


def test_pace(start):
    r = start("--ttft", "100", "--tps", "1000")
    for stream in (False, True):
        answer = r.ask(PROMPTS["q0"], stream=stream)  # 200 tokens
        assert answer.elapsed.total_seconds() >= 0.29 - 0.02
    assert "".join(r.stream(PROMPTS["q1"])[0]) == TEXTS["q1"]


def test_failures_of_status(start):
    r = start("--fail-429", "a=1", "--retry-after", "7", "--fail-500", "org/b=1")
    answer = r.ask("What is one?")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json()["error"]["type"] == "rate_limit_error"
    answer = r.ask("What is one?", "org/b")
    assert answer.status_code == 500 and answer.json()["error"]["type"] == "server_error"


def test_cut(start):
    r = start("--cut", "1")
    seen_some = False
    for query in TEXTS:
        for stream in (False, True):
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                body = {"model": "a", "messages": [{"role": "user", "content": PROMPTS[query]}], "stream": stream}
                with r.client.stream("POST", "/v1/chat/completions", json=body) as answer:
                    for chunk in answer.iter_bytes():
                        seen_some = seen_some or bool(chunk)
                        assert b"[DONE]" not in chunk
    assert seen_some


def test_stall(start):
    r = start("--stall", "1")
    for query in ("q0", "q3"):
        with pytest.raises(httpx.ReadTimeout):
            r.client.post("/v1/chat/completions", timeout=0.3, json={
                "model": "a", "stream": True, "messages": [{"role": "user", "content": PROMPTS[query]}]})
    assert r.client.get("/healthz").status_code == 200


def statuses(replay, concurrency):
    prompts = [p for p in PROMPTS.values() for _ in range(8)]
    with ThreadPoolExecutor(concurrency) as pool:
        return sorted(zip(prompts, pool.map(lambda p: replay.ask(p).status_code, prompts)))


def test_failures_repeat_with_the_seed(start):
    options = ("--fail-429", "0.3", "--fail-500", "0.3")
    first = statuses(start(*options, "--seed", "5"), 1)
    assert statuses(start(*options, "--seed", "5", "--threads", "2"), 8) == first
    assert statuses(start(*options, "--seed", "6"), 1) != first
    assert {200, 429, 500} == {s for _, s in first}


def test_a_thousand_streams_at_once(start):
    """All are open before the first ends: 1,000 connections, each with its first event and none with its last."""
    r = start("--ttft", "50", "--tps", "60")  # q0: 200 tokens, over 3 s
    host, port = re.search(r"//(.*):(\d+)", r.url).groups()
    request = json.dumps({"model": "a", "stream": True, "messages": [{"role": "user", "content": PROMPTS["q0"]}]})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {len(request)}\r\n\r\n"
    import asyncio

    async def one(open_now, all_open):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write((head + request).encode())
        first = await reader.readuntil(b"\n\n")
        while b'"role"' not in first:
            first += await reader.readuntil(b"\n\n")
        open_now.append(1)
        if len(open_now) == 1000:
            all_open.set()
        rest = await reader.read()
        writer.close()
        return all_open.is_set(), first + rest

    async def everyone():
        open_now, all_open = [], asyncio.Event()
        return await asyncio.gather(*(one(open_now, all_open) for _ in range(1000)))
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2048 and hard != resource.RLIM_INFINITY:
        pytest.skip("skipped: too few files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        answers = asyncio.run(asyncio.wait_for(everyone(), 60))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for together, answer in answers:
        assert together
        text = re.sub(rb"\r\n[0-9a-f]+\r\n", b"", answer)  # chunk frames
        assert text.count(b'"content"') == 2 and b"[DONE]" in text  # role and "Plain."
    status = Path(f"/proc/{r.popen.pid}/status").read_text()
    peak_kib = int(re.search(r"VmHWM:\s+(\d+)", status).group(1))
    assert peak_kib < 400 * 1024  # also under a sanitizer


def test_client_that_leaves(start):
    r = start("--ttft", "60000")
    gone = []

    def leave():
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(r.url + "/v1/chat/completions", timeout=0.5, json={
                "model": "a", "stream": True, "messages": [{"role": "user", "content": PROMPTS["q3"]}]})
        gone.append(1)
    threads = [threading.Thread(target=leave) for _ in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(10)
    assert len(gone) == 20 and r.client.get("/healthz").status_code == 200


DATA = Path(os.environ.get("LEEROO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "mmlu_pro"


@pytest.mark.skipif(not DATA.exists(), reason="skipped: no data")
def test_the_whole_of_mmlu_pro(leeroo, start):
    """All 33 experts at once, in little memory; twins (queries with one text) share the first one's recording."""
    r = start(data=DATA)
    prompts, recorded = {}, {}
    for line in (DATA / "queries.jsonl").open(encoding="utf-8"):
        q = json.loads(line)
        prompt = q["text"] + "".join(f"\n{chr(65 + i)}. {c}" for i, c in enumerate(q["choices"]))
        prompts.setdefault(" ".join(prompt.lower().split()), (q["id"], prompt))
    experts = ["gpt-4o-2024-05-13", "llama-2-7b"]
    for name in experts:
        with gzip.open(DATA / "responses" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            recorded[name] = {row["id"]: row["text"] for row in map(json.loads, lines)}
    for i, (query, prompt) in enumerate(random.Random(1).sample(sorted(prompts.values()), 200)):
        name = experts[i % 2]
        if query not in recorded[name]:
            assert r.ask(prompt, name).status_code == 404
        elif i % 4 < 2:
            assert r.ask(prompt, name).json()["choices"][0]["message"]["content"] == recorded[name][query]
        else:
            assert "".join(r.stream(prompt, name)[0]) == recorded[name][query]
    assert len(r.client.get("/v1/models").json()["data"]) == 33
    status = Path(f"/proc/{r.popen.pid}/status").read_text()
    kib = int(re.search(r"VmRSS:\s+(\d+)", status).group(1))
    assert has_sanitizer(leeroo, "tsan") or kib < 300 * 1024  # its shadow is several times that
