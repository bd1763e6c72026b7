"""What gets llama.cpp and models for tests: nothing counts before it is whole, and another file than a model is refused."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = Path(os.environ.get("LEEROO_MODELS") or "/nowhere")


def run(*command, **environment):
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("script, variable", [("install-llama", "LLAMA_PREFIX"), ("test-models", "LEEROO_MODELS")])
def test_what_is_not_whole_is_not_there(tmp_path, script, variable):
    (tmp_path / "folder").mkdir()
    for content in (None, "", "made for something else\n"):
        if content is not None:
            (tmp_path / "folder" / "complete").write_text(content)
        found = run(f"scripts/{script}", "--find", **{variable: str(tmp_path / "folder")})
        assert (found.returncode, found.stdout) == (1, "")


@pytest.mark.parametrize("script", ["install-llama", "test-models"])
def test_another_option_is_refused(script):
    done = run(f"scripts/{script}", "--fnid")
    assert done.returncode == 2 and f"usage: scripts/{script}" in done.stderr


def test_the_prefix_is_named_after_version_and_processor(tmp_path):
    """Found where its name and its stamp are right; a stamp under another name is not looked at."""
    script = (ROOT / "scripts" / "install-llama").read_text()
    stamp = run("sh", "-c", script.split("\nis_complete")[0].replace('cd "$(dirname "$0")/.."', "") + '\necho "$stamp"\necho "$prefix"',
                XDG_CACHE_HOME=str(tmp_path), LLAMA_PREFIX="")
    *lines, prefix = stamp.stdout.splitlines()
    assert Path(prefix).parent == tmp_path / "leeroo"
    Path(prefix).mkdir(parents=True)
    (Path(prefix) / "complete").write_text("\n".join(lines) + "\n")
    assert run("scripts/install-llama", "--find", XDG_CACHE_HOME=str(tmp_path), LLAMA_PREFIX="").stdout.strip() == prefix
    built = run("scripts/install-llama", XDG_CACHE_HOME=str(tmp_path), LLAMA_PREFIX="")  # nothing is left to be done
    assert built.stdout.strip() == prefix and built.stderr == ""


@pytest.fixture(scope="module")
def python():
    if not (MODELS / "venv").exists():
        pytest.skip("no models")
    return str(MODELS / "venv" / "bin" / "python")


@pytest.fixture
def folder(tmp_path):
    """The encoder's folder, with copies of the small files."""
    to = tmp_path / "encoder"
    to.mkdir()
    source = MODELS / "all-MiniLM-L6-v2"
    for name in ("config.json", "vocab.txt"):
        (to / name).write_bytes((source / name).read_bytes())
    (to / "model.safetensors").symlink_to(source / "model.safetensors")
    return to


def test_the_same_folder_gives_the_same_bytes(python, tmp_path):
    done = run(python, "-B", "scripts/minilm-to-gguf", str(MODELS / "all-MiniLM-L6-v2"), str(tmp_path / "out.gguf"), "--type", "f16")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.gguf").read_bytes() == (MODELS / "minilm-f16.gguf").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["out.gguf"]


def without_a_word(folder):
    text = (folder / "vocab.txt").read_text(encoding="utf-8")
    (folder / "vocab.txt").write_text(text[:text.rindex("\n", 0, -1) + 1], encoding="utf-8")


def of_another_architecture(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "roberta"}))


def with_half_the_weights(folder):
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(data[:len(data) // 2])


def with_no_configuration(folder):
    (folder / "config.json").unlink()


@pytest.mark.parametrize("harm, said", [(without_a_word, "do not belong together"), (of_another_architecture, "roberta"),
                                        (with_half_the_weights, "no safetensors file"), (with_no_configuration, "config.json")])
def test_what_is_no_such_encoder_is_refused(python, folder, tmp_path, harm, said):
    harm(folder)
    done = run(python, "-B", "scripts/minilm-to-gguf", str(folder), str(tmp_path / "out.gguf"))
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.glob("out.gguf*"))
