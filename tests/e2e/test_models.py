"""leeroo models from outside: who is known, how well, at what, since when, at which price."""

import datetime
import json
import os
import re
import subprocess

import pytest

from routing import EXPERTS, SKILL, run, train, write_dataset
from test_plans import write_dataset as write_plan_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def model(leeroo, folder):
    data = write_dataset(folder / "data", 900, 1)
    return train(leeroo, data, folder / "m.leeroo")


def models(leeroo, *arguments, cwd=None):
    return subprocess.run([leeroo, "models", *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=cwd,
                          check=False)


def told(leeroo, *arguments, cwd=None):
    done = models(leeroo, *arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    return said, {e["expert"]: e for e in said["experts"]}


def config(folder, model, names, extra=""):
    lines = [f"  - {{name: {name}, url: 'http://127.0.0.1:1/v1', price: {{input: {i}, output: {o}}}{extra}}}"
             for name, (i, o) in names.items()]
    text = (f"model: {model}\n" if model else "") + "experts:\n" + "\n".join(lines) + "\n"
    (folder / "leeroo.yaml").write_text(text)
    return folder / "leeroo.yaml"


def test_what_is_known_of_whom(leeroo, model):
    said, experts = told(leeroo, model)
    assert list(experts) == list(EXPERTS) and sorted(said["groups"]) == ["algebra", "greeting", "history"]
    for name, e in experts.items():
        assert e["outcomes"] == 900 and not e["retired"] and e["placed"] is None
        assert e["price"] == e["trained_price"] == {"input": float(EXPERTS[name][0]), "output": float(EXPERTS[name][1])}
        for group, quality in zip(said["groups"], e["by_group"]):
            assert quality == pytest.approx(SKILL[name][group], abs=0.08)
    large = next(line for line in models(leeroo, model).stdout.splitlines() if line.startswith("large"))
    assert re.search(r"algebra \d+ % \(\+\d+\)", large), large


def test_the_same_data_still_give_the_same_bytes(leeroo, model, folder):
    again = folder / "again.leeroo"
    assert run(leeroo, "train", folder / "data", "-o", again, "-q").returncode == 0
    assert again.read_bytes() == model.read_bytes()


def test_since_when(leeroo, model, tmp_path):
    """By the day of the file; after an edit by the day that it notes, whatever happens to the file."""
    day = datetime.datetime.fromtimestamp(model.stat().st_mtime, datetime.timezone.utc).date().isoformat()
    said, experts = told(leeroo, model)
    assert said["trained_by"] == day and experts["small"]["since"] is None
    smaller = tmp_path / "smaller.leeroo"
    assert run(leeroo, "retire", model, "--expert", "middle", "-o", smaller).returncode == 0
    os.utime(smaller, (2e9, 2e9))
    said, experts = told(leeroo, smaller, "--all")
    assert said["trained_by"] == day
    assert experts["middle"]["retired"] and experts["middle"]["until"] and not experts["small"]["retired"]
    assert "by_group" not in experts["middle"]
    assert "middle" not in told(leeroo, smaller)[1]
    text = models(leeroo, smaller).stdout
    assert f"by {day}" in text and "1 taken out; --all shows them" in text
    assert re.search(r"^middle .*taken out on 20", models(leeroo, smaller, "--all").stdout, re.M)


def test_plans_are_listed(leeroo, folder):
    data = write_plan_dataset(folder / "plans", 600, 1)
    assert run(leeroo, "train", data, "-o", folder / "plans.leeroo", "-q").returncode == 0
    said, _ = told(leeroo, folder / "plans.leeroo")
    assert said["plans"] and all(0.3 < p["accuracy"] <= 1 and p["mean_cost_usd"] > 0 for p in said["plans"])
    text = models(leeroo, folder / "plans.leeroo").stdout
    assert all(p["plan"] in text for p in said["plans"])
    assert said["groups"] == [], "the data name no domains"


def test_the_configuration_says_what_it_costs_now(leeroo, model, tmp_path):
    names = {"small": ("0.1", "0.3"), "large": ("7", "15"), "gpt-4o-mini": ("0.15", "0.6")}
    path = config(tmp_path, model, names)
    _, experts = told(leeroo, cwd=tmp_path)
    assert experts["large"]["price"]["input"] == 7 and experts["large"]["trained_price"]["input"] == 5
    assert experts["small"]["price"] == experts["small"]["trained_price"]
    assert experts["middle"]["configured"] is False and experts["gpt-4o-mini"]["configured"] is True
    assert "no outcomes yet" in experts["gpt-4o-mini"]["placed"] and experts["gpt-4o-mini"]["outcomes"] == 0
    text = models(leeroo, "-c", path).stdout
    assert "[trained at 5, 15]" in text and "[not in the configuration]" in text and "no outcomes yet" in text
    _, experts = told(leeroo, model, "-c", path)
    assert "gpt-4o-mini" not in experts, "the file alone, at the configuration's prices"
    assert experts["large"]["price"]["input"] == 7


def test_without_a_model_there_is_a_prior(leeroo, tmp_path):
    config(tmp_path, None, {"gpt-4o-mini": ("0.15", "0.6"), "gpt-4o": ("2.5", "10")})
    said, experts = told(leeroo, cwd=tmp_path)
    assert said["model"] is None and all(e["placed"] and not e["since"] and not e["trained_by"] for e in experts.values())
    assert "estimates are a prior" in models(leeroo, cwd=tmp_path).stdout


def test_what_cannot_be(leeroo, model, tmp_path):
    done = models(leeroo, cwd=tmp_path)
    assert done.returncode == 1 and "there is no leeroo.yaml here" in done.stderr and "leeroo train" in done.stderr
    assert models(leeroo, model, model).returncode == 2
    assert models(leeroo, tmp_path / "none").returncode == 1
