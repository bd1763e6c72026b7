"""leeroo rollback from outside: what was in force before is in force again, also for a gateway that runs."""

import hashlib
import json
import re
import shutil
import subprocess

import pytest

from conftest import Gateway, write_config, write_dataset


def run(leeroo, *argv, cwd=None):
    return subprocess.run([leeroo, "rollback", *map(str, argv)], capture_output=True, text=True, timeout=60, check=False,
                          cwd=cwd)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


@pytest.fixture(scope="session")
def models(leeroo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rolled")
    data = write_dataset(folder / "data")
    paths = [folder / f"{seed}.leeroo" for seed in (1, 2)]
    for seed, path in enumerate(paths, 1):
        subprocess.run([leeroo, "train", data, "-o", path, "--seed", str(seed), "-q", "--plans", "none"], check=True,
                       capture_output=True, timeout=120)
    return paths


@pytest.fixture
def published(models, tmp_path):
    """The second was published over the first."""
    path = tmp_path / "m"
    shutil.copy(models[1], path)
    shutil.copy(models[0], tmp_path / "m.previous")
    return path


def test_the_two_change_places(leeroo, published):
    before = published.with_name("m.previous")
    new, old = digest(published), digest(before)
    done = run(leeroo, published)
    assert done.returncode == 0, done.stderr
    assert "from before is in force again" in done.stdout and "undoes" in done.stdout
    assert (digest(published), digest(before)) == (old, new)
    done = run(leeroo, published, "--json")
    said = json.loads(done.stdout)
    assert (said["model"], said["in_force"]) == (str(published), "previous")
    assert re.fullmatch(r"[0-9a-f]{16}", said["checksum"])
    assert (digest(published), digest(before)) == (new, old)
    assert {path.name for path in published.parent.iterdir()} == {"m", "m.previous"}


def test_back_to_the_prior_and_again(leeroo, published):
    before = published.with_name("m.previous")
    before.unlink()
    new = digest(published)
    done = run(leeroo, published, "--json")
    assert json.loads(done.stdout) == {"model": str(published), "in_force": "prior", "checksum": None}
    assert (digest(published), digest(before)) == (None, new)
    assert "that was published is in force again" in run(leeroo, published).stdout
    assert (digest(published), digest(before)) == (new, None)
    assert "the prior is in force again" in run(leeroo, published).stdout


def test_what_cannot_be(leeroo, published, tmp_path):
    done = run(leeroo, tmp_path / "none")
    assert done.returncode == 1 and "nothing to go back to" in done.stderr
    before = published.with_name("m.previous")
    before.write_bytes(before.read_bytes()[:1000])
    new = digest(published)
    done = run(leeroo, published)
    assert done.returncode == 1 and "m.previous" in done.stderr
    assert digest(published) == new
    assert run(leeroo, "a", "b").returncode == 2
    assert run(leeroo, "-c", tmp_path / "no.yaml").returncode == 1


def test_a_gateway_takes_it_up(leeroo, models, upstream, tmp_path):
    shutil.copy(models[1], tmp_path / "m")
    shutil.copy(models[0], tmp_path / "m.previous")
    config = write_config(tmp_path, tmp_path / "m", upstream.url)
    gateway = Gateway(leeroo, config)
    try:
        done = run(leeroo, "-c", config, "--json")
        assert done.returncode == 0, done.stderr
        gateway.wait_line(rf"msg=reloaded.* model={json.loads(done.stdout)['checksum']}", 30)
    finally:
        gateway.stop()


def test_a_model_that_the_configuration_names_must_stay(leeroo, models, upstream, tmp_path):
    shutil.copy(models[0], tmp_path / "m")
    done = run(leeroo, "-c", write_config(tmp_path, tmp_path / "m", upstream.url))
    assert done.returncode == 1 and "m.previous" in done.stderr and "take `model:` out" in done.stderr
    assert digest(tmp_path / "m") == digest(models[0])


def test_a_gateway_goes_back_to_the_prior(leeroo, models, upstream, tmp_path):
    path = tmp_path / "leeroo-model.safetensors"
    shutil.copy(models[0], path)
    config = write_config(tmp_path, path, upstream.url, expert="price: {input: 1, output: 2}")
    config.write_text("".join(line for line in config.read_text().splitlines(True) if not line.startswith("model:")))
    gateway = Gateway(leeroo, config)
    try:
        assert run(leeroo, "-c", config).returncode == 0
        prior = gateway.wait_line(r"msg=reloaded.* model=(\w+)", 30).group(1)
        assert gateway.chat().status_code == 200
        done = run(leeroo, "-c", config, "--json")
        learnt = json.loads(done.stdout)["checksum"]
        assert learnt != prior
        gateway.wait_line(rf"msg=reloaded.* model={learnt}", 30)
    finally:
        gateway.stop()
