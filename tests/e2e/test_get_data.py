"""scripts/get-data against a mirror on this machine: what it makes, what it refuses, and that `make paper` says what is missing."""

import csv
import functools
import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
ZIPS, GPT4O = "964a136e98ff17f81b0cd11c15c70784f6ee4378", "ff991b5b7f14a383fd41da3987447ab6c08bf138"
QUESTION = {"question_id": 2804, "question": "Which is right?", "options": ["this", "that", "N/A"], "answer": "B",
            "category": "computer science", "src": "made up"}


def get_data(*argv, **env):
    return subprocess.run([sys.executable, ROOT / "scripts" / "get-data", *map(str, argv)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **env})


@pytest.fixture
def mirror(tmp_path):
    """Two experts: one as archives hold them, and GPT-4o in a file a domain."""
    root = tmp_path / "mirror" / "TIGER-AI-Lab" / "MMLU-Pro"
    (root / ZIPS / "eval_results").mkdir(parents=True)
    (root / GPT4O / "eval_results" / "gpt4o").mkdir(parents=True)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("out/test_result.json", json.dumps([{**QUESTION, "model_outputs": "The answer is (B)."},
                                                       {**QUESTION, "question_id": 7, "model_outputs": "Who knows?"}]))
    (root / ZIPS / "eval_results" / "model_outputs_gemma-7b_5shots.zip").write_bytes(packed.getvalue())
    for domain in ("biology business chemistry computer_science economics engineering health history law math other "
                   "philosophy physics psychology").split():
        entries = [{**QUESTION, "pred": None, "response": "The answer is **B**."}] if domain == "math" else []
        (root / GPT4O / "eval_results" / "gpt4o" / f"{domain.replace('_', ' ')}_result.json").write_text(json.dumps(entries))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "mirror"))
    handler.log_message = lambda *_: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", root
    server.shutdown()
    server.server_close()


def test_it_makes_a_data_set(leeroo, mirror, tmp_path):
    url, root = mirror
    done = get_data("--from", url, "--experts", "gemma-7b,gpt-4o-2024-05-13", tmp_path / "data")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "data" / "mmlu_pro"
    queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]
    assert queries[1] == {"id": "mp2804", "text": "Which is right?", "choices": ["this", "that"], "answer": "B", "task": "mmlu_pro",
                          "domain": "computer_science"}
    with (folder / "outcomes.csv").open() as file:
        rows = {(r["id"], r["model"]): r for r in csv.DictReader(file)}
    assert [rows[k]["score"] for k in (("mp2804", "gemma-7b"), ("mp7", "gemma-7b"), ("mp2804", "gpt-4o-2024-05-13"))] == ["1", "0", "0"]
    row = rows["mp2804", "gpt-4o-2024-05-13"]  # 31 characters of prompt, 20 of answer
    assert (row["input_tokens"], row["output_tokens"], row["cost_usd"]) == ("8", "5", "0.000115000")
    with (folder / "sources.csv").open() as file:
        sources = list(csv.DictReader(file))
    archive = (root / ZIPS / "eval_results" / "model_outputs_gemma-7b_5shots.zip").read_bytes()
    assert sources[0]["sha256"] == hashlib.sha256(archive).hexdigest() and len(sources) == 15
    judged = subprocess.run([leeroo, "judge", folder, "-o", tmp_path / "judged"], capture_output=True, text=True, timeout=60)
    assert judged.returncode == 0, judged.stderr
    again = get_data("--from", url, tmp_path / "data")
    assert again.returncode == 1 and "is there already" in again.stderr


def test_what_cannot_be_had_is_named_and_nothing_is_left(mirror, tmp_path):
    url, root = mirror
    nowhere = f"http://127.0.0.1:{free_port()}"
    done = get_data("--from", nowhere, tmp_path / "data")
    assert done.returncode == 1 and nowhere in done.stderr and "--from URL" in done.stderr
    done = get_data("--from", url, "--experts", "yi-34b", tmp_path / "data")
    assert done.returncode == 1 and "model_outputs_Yi-34B_5shots.zip: " in done.stderr
    (root / ZIPS / "eval_results" / "model_outputs_gemma-7b_5shots.zip").write_bytes(b"<html>")
    done = get_data("--from", url, "--experts", "gemma-7b", tmp_path / "data")
    assert done.returncode == 1 and "not a zip file" in done.stderr
    done = get_data("--experts", "gemma-8b", tmp_path / "data")
    assert done.returncode == 1 and "no 'gemma-8b'; there are " in done.stderr
    assert not (tmp_path / "data").exists() or list((tmp_path / "data").iterdir()) == []


def test_make_paper_says_what_is_missing(leeroo, tmp_path):
    paper = Path(leeroo).parent / "bench" / "bench_paper"
    if not paper.exists():
        pytest.skip(f"{paper} is not built")
    done = subprocess.run([paper], capture_output=True, text=True, timeout=60, cwd=ROOT,
                          env={**os.environ, "LEEROO_DATA": str(tmp_path / "nowhere")})
    assert done.returncode == 1 and done.stdout == ""
    assert f"{tmp_path}/nowhere" in done.stderr and "bench/data.md" in done.stderr and "scripts/get-data" in done.stderr
