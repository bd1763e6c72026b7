"""GGUF files from outside: one that is good is read; one that is truncated, damaged or foreign is refused with a
sentence that names it, also where llama.cpp would end the process that reads it."""

import pytest

from routing import run, write_dataset
from tiny_gguf import write_encoder


@pytest.fixture(scope="module", autouse=True)
def built(leeroo):
    if "without llama.cpp" in run(leeroo, "-V").stdout:
        pytest.skip("no llama.cpp")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("gguf") / "data", 200, 1)


@pytest.fixture
def train(leeroo, dataset, tmp_path):
    return lambda gguf: run(leeroo, "train", dataset, "--encoder", f"gguf={gguf}", "-o", tmp_path / "m.leeroo")


def test_a_good_file_is_read(train, tmp_path):
    done = train(write_encoder(tmp_path / "tiny.gguf"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "m.leeroo").exists()


def test_a_truncated_file_is_refused(train, tmp_path):
    gguf = write_encoder(tmp_path / "short.gguf")
    gguf.write_bytes(gguf.read_bytes()[:-1000])
    done = train(gguf)
    assert done.returncode == 1
    assert "short.gguf: truncated" in done.stderr


def test_what_is_no_gguf_file_is_refused(train, tmp_path):
    (tmp_path / "text.gguf").write_text("Once upon a time\n" * 100)
    done = train(tmp_path / "text.gguf")
    assert done.returncode == 1
    assert "text.gguf: no GGUF file" in done.stderr


def test_a_foreign_architecture_is_named(train, tmp_path):
    gguf = write_encoder(tmp_path / "foreign.gguf", change=lambda k: k.update({"general.architecture": (8, "hermit")}))
    done = train(gguf)
    assert done.returncode == 1
    assert "foreign.gguf" in done.stderr and "hermit" in done.stderr


def no_separator(keys):
    keys["tokenizer.ggml.seperator_token_id"] = (4, 2**32 - 1)  # "none", which llama.cpp asserts there is not


def test_what_would_end_the_process_is_refused_with_a_sentence(train, tmp_path):
    done = train(write_encoder(tmp_path / "fatal.gguf", change=no_separator))
    assert done.returncode == 1, "it was ended itself"
    assert "fatal.gguf: refused: llama.cpp ended the process that tried it" in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
