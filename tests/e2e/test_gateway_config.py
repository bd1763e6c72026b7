"""Bad configurations and models: nothing starts, and one line says where and what would be right."""

import os
import re
import subprocess

import pytest

from conftest import EXPERTS, KEY, ROOT, write_config


@pytest.fixture
def good(model_file, tmp_path):
    return write_config(tmp_path, model_file, "http://127.0.0.1:1/v1")


@pytest.fixture
def serve(leeroo):
    def run(path, *more, **env):
        return subprocess.run([leeroo, "serve", "-c", str(path), *more], capture_output=True, text=True, timeout=30,
                              env={**os.environ, "UP_KEY": KEY, **env})
    return run


def fails(run, *parts):
    assert run.returncode == 1, run
    assert run.stdout == "" and "listening" not in run.stderr
    lines = [line for line in run.stderr.strip().splitlines() if not line.startswith("ts=")]  # logs come before
    assert len(lines) == 1, run.stderr
    for part in parts:
        assert part in lines[0], lines[0]


def test_check_says_all_is_well(serve, good):
    run = serve(good, "--check")
    assert run.returncode == 0 and "3 experts, 4 policies" in run.stdout


@pytest.mark.parametrize("old,new,parts", [
    ("threads: 2", "treads: 2", [":3:1:", "unknown key 'treads'", "did you mean 'threads'?"]),
    ("    api_key: env:UP_KEY", "    api_kay: env:UP_KEY", ["unknown key 'api_kay'", "did you mean 'api_key'?"]),
    ("env:UP_KEY", "env:NOT_SET_ANYWHERE", ["api_key", "NOT_SET_ANYWHERE", "not set"]),
    ("name: mid", "name: middle", [":9:11:", "expert 'middle': no price is known", "add price:"]),
    ("listen: 127.0.0.1:0", "listen: 0.0.0.0:0", [":1:9:", "allow_remote: true"]),
    ("{lambda: 0}", "{lambda: 0, budget: 3}", ["policy 'best' has more than one of lambda, budget and min_quality"]),
    ("url: http", "url: htp", ["url: it must start with http:// or https://"]),
    ("threads: 2", "threads: [", ["not valid YAML"]),
])
def test_mistakes(serve, good, old, new, parts):
    good.write_text(good.read_text().replace(old, new, 1))
    fails(serve(good), good.name, *parts)


def test_place_is_exact(serve, good):
    good.write_text(good.read_text() + "\nzz: 1\n")
    line = good.read_text().splitlines().index("zz: 1") + 1
    fails(serve(good), f"{good}:{line}:1: unknown key 'zz'")


def test_missing_files(serve, good, tmp_path):
    fails(serve(tmp_path / "none.yaml"), "none.yaml")
    good.write_text(re.sub("model: .*", "model: none.leeroo", good.read_text()))
    fails(serve(good), str(tmp_path / "none.leeroo"))


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign", "head only"])
def test_damaged_model(serve, model_file, tmp_path, damage):
    whole = model_file.read_bytes()
    bad = tmp_path / "bad.leeroo"
    bad.write_bytes({"truncated": whole[:len(whole) // 2], "empty": b"", "foreign": b"\x7fELF" * 1000,
                     "head only": whole[:8]}[damage])
    fails(serve(write_config(tmp_path, "bad.leeroo", "http://127.0.0.1:1/v1")), "bad.leeroo")


def test_address_in_use(serve, start_gateway, good):
    g = start_gateway()
    good.write_text(good.read_text().replace("listen: 127.0.0.1:0", f"listen: {g.address}"))
    fails(serve(good), g.address)


def test_the_example_is_right(serve, model_file, tmp_path):
    text = (ROOT / "examples" / "leeroo.yaml").read_text()
    text = text.replace("orchestrator.safetensors", str(model_file)).replace("gpt-4o", "dear").replace("llama-3.1-8b", "cheap")
    path = tmp_path / "leeroo.yaml"
    path.write_text(text)
    run = serve(path, "--check", OPENAI_API_KEY=KEY)
    assert run.returncode == 0, run.stderr


def test_model_path_is_relative_to_the_file(serve, model_file, tmp_path):
    (tmp_path / "m.leeroo").write_bytes(model_file.read_bytes())
    path = write_config(tmp_path, "m.leeroo", "http://127.0.0.1:1/v1")
    assert serve(path, "--check").returncode == 0


def test_wrong_usage(leeroo):
    for argv in (["serve", "extra"], ["serve", "--lissen", "x"], ["serve", "--log", "loud"]):
        run = subprocess.run([leeroo, *argv], capture_output=True, text=True, timeout=30)
        assert run.returncode == 2 and run.stderr, argv
    assert EXPERTS and subprocess.run([leeroo, "serve", "-h"], capture_output=True).returncode == 0
