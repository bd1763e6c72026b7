"""leeroo train from outside: its file, its table, its errors, and that no half model ever bears the name."""

import gzip
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from routing import EXPERTS, run, write_dataset

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = {"F32": 4, "U16": 2, "U64": 8, "U8": 1}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("train") / "data", 400, 1, holes=0.1)


@pytest.fixture(scope="module")
def model(leeroo, dataset):
    path = dataset.parent / "m.leeroo"
    done = run(leeroo, "train", dataset, "-o", path)
    assert done.returncode == 0, done.stderr
    return path


def train(leeroo, *arguments):
    done = run(leeroo, "train", *arguments)
    assert done.returncode == 0, done.stderr
    return done


def read_header(path):
    """The header of a safetensors file and where its data start, by the format's own description."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8:8 + length]), data, 8 + length


def experts_of(path):
    return [e["name"] for e in json.loads(read_header(path)[0]["__metadata__"]["experts"])]


def test_same_data_and_seed_same_bytes(leeroo, dataset, model, tmp_path):
    for seed, same in [("1", True), ("2", False)]:
        again = tmp_path / "again"
        train(leeroo, dataset, "-o", again, "--seed", seed)
        assert (again.read_bytes() == model.read_bytes()) == same


def test_any_reader_of_safetensors_can_read_it(model):
    header, data, start = read_header(model)
    metadata = header.pop("__metadata__")
    assert start % 8 == 0 and all(isinstance(v, str) for v in metadata.values())
    at = 0
    for name, tensor in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = tensor["data_offsets"]
        size = WIDTHS[tensor["dtype"]]
        for dimension in tensor["shape"]:
            size *= dimension
        assert begin == at and end - begin == size, name  # no gap, no overlap
        assert begin % WIDTHS[tensor["dtype"]] == 0, name
        at = end
    assert start + at == len(data)
    experts, groups = len(EXPERTS), 3
    assert header["source.words.weights"] == {"dtype": "U16", "shape": [1 << 18, 16],
                                        "data_offsets": header["source.words.weights"]["data_offsets"]}
    shapes = {name: tensor["shape"] for name, tensor in header.items()}
    assert shapes["source.groups.quality"] == [groups, experts]
    assert shapes["train.text_hashes"] == [400]
    assert shapes["sample.quality"] == shapes["sample.cost_usd"] == [400, experts]
    assert shapes["forest.leaves"][1:] == [8, experts] and shapes["forest.trees"][1] == 52
    assert shapes["tokens"] == [experts, 6]


def test_numpys_safetensors_opens_it_as_the_page_says(model):
    tensors = load_file(model)
    header = read_header(model)[0]
    assert {name: list(tensor.shape) for name, tensor in tensors.items()} == {
        name: tensor["shape"] for name, tensor in header.items() if name != "__metadata__"}
    weights = (tensors["source.words.weights"].astype("uint32") << 16).view("float32")
    assert 0 < abs(weights).max() < 100 and (weights == weights).all()


def test_the_metadata_say_what_it_was_learnt_from(model, dataset):
    metadata = read_header(model)[0]["__metadata__"]
    version = re.search(r"`leeroo-orchestrator`, `(\d+)`", (ROOT / "docs" / "model-file.md").read_text()).group(1)
    assert metadata["format"] == "leeroo-orchestrator" and metadata["version"] == version
    assert metadata["plans"] == "[]"
    assert len(metadata["checksum"]) == 16 and int(metadata["checksum"], 16)
    training = json.loads(metadata["training"])
    assert training["queries"] == 400 and training["seed"] == 1 and training["folds"] > 1
    rows = [line.split(",") for line in (dataset / "outcomes.csv").read_text().splitlines()[1:]]
    for expert in json.loads(metadata["experts"]):
        scores = [float(r[2]) for r in rows if r[1] == expert["name"]]
        costs = [float(r[3]) for r in rows if r[1] == expert["name"]]
        price = EXPERTS[expert["name"]]
        assert (expert["usd_per_m_input"], expert["usd_per_m_output"]) == tuple(float(p) for p in price)
        assert expert["outcomes"] == len(scores)
        if len(scores) == 400:
            assert expert["accuracy"] == pytest.approx(sum(scores) / len(scores))
        else:  # what is not known is expected, by how others answered the question
            assert expert["accuracy"] == pytest.approx(sum(scores) / len(scores), abs=0.03)
        assert expert["mean_cost_usd"] == pytest.approx(sum(costs) / len(costs))
        assert 0.5 < expert["auc"] < 1 and expert["calibration_error"] < 0.2


def test_experts_are_learnt_in_the_order_named(leeroo, dataset, tmp_path):
    path = tmp_path / "pair"
    train(leeroo, dataset, "-o", path, "--experts", "large,small")
    assert experts_of(path) == ["large", "small"]
    done = run(leeroo, "train", dataset, "-o", tmp_path / "none", "--experts", "large,huge")
    assert done.returncode == 1 and "huge" in done.stderr and "middle" in done.stderr
    assert not (tmp_path / "none").exists()


def test_json_is_on_standard_output_and_the_table_is_not(leeroo, dataset, model, tmp_path):
    done = train(leeroo, dataset, "-o", tmp_path / "m", "--json")
    report = json.loads(done.stdout)
    assert report["model"] == str(tmp_path / "m") and report["queries"] == 400
    assert [e["name"] for e in report["experts"]] == list(EXPERTS)
    by_name = {e["name"]: e for e in json.loads(read_header(model)[0]["__metadata__"]["experts"])}
    for expert in report["experts"]:
        assert expert["accuracy"] == by_name[expert["name"]]["accuracy"]
        assert expert["auc"] == by_name[expert["name"]]["auc"]
        assert expert["outcomes"] == by_name[expert["name"]]["outcomes"]
    done = train(leeroo, dataset, "-o", tmp_path / "m")
    assert done.stdout == "" and all(name in done.stderr for name in EXPERTS)
    done = train(leeroo, dataset, "-o", tmp_path / "m", "-q")
    assert done.stdout == "" and done.stderr == ""


def test_compressed_files_give_the_same_model(leeroo, dataset, model, tmp_path):
    packed = tmp_path / "packed"
    packed.mkdir()
    for name in ["queries.jsonl", "outcomes.csv", "experts.csv"]:
        (packed / f"{name}.gz").write_bytes(gzip.compress((dataset / name).read_bytes()))
    train(leeroo, packed, "-o", tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == model.read_bytes()


def test_several_data_sets_are_learnt_together(leeroo, dataset, tmp_path):
    other = write_dataset(tmp_path / "other", 100, 2)
    done = train(leeroo, dataset, other, "-o", tmp_path / "m", "--json")
    assert json.loads(done.stdout)["queries"] == 500


MALFORMED = {
    "score": ("outcomes.csv", "{id},large,1.5,,,\n", ":3"),
    "number": ("outcomes.csv", "{id},large,yes,,,\n", ":3"),
    "unknown query": ("outcomes.csv", "nobody,large,1,,,\n", ":1"),
    "JSON": ("queries.jsonl", '{{"id": "x", "text": }}\n', ":22"),
    "no text": ("queries.jsonl", '{{"id": "x"}}\n', ""),
    "price": ("experts.csv", "huge,free,1\n", ":2"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_malformed_is_named_with_its_place(leeroo, dataset, tmp_path, case):
    name, row, column = MALFORMED[case]
    broken = shutil.copytree(dataset, tmp_path / "data")
    lines = (broken / name).read_text().splitlines(keepends=True)
    query = json.loads((broken / "queries.jsonl").read_text().splitlines()[0])["id"]
    if name == "outcomes.csv":  # a cell that is not there yet
        lines = [line for line in lines if not line.startswith(f"{query},large,")]
    (broken / name).write_text("".join(lines) + row.format(id=query))
    done = run(leeroo, "train", broken, "-o", tmp_path / "m")
    assert done.returncode == 1
    assert f"{broken / name}:{len(lines) + 1}" in done.stderr
    if column:
        place = done.stderr.split(f"{name}:{len(lines) + 1}")[1]
        assert place.startswith(":") and int(place[1:].split(":")[0]) >= 1
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("arguments", [[], ["-o", "m"], ["{data}"], ["{data}", "-o"], ["{data}", "-o", "m", "--seed", "x"],
                                       ["{data}", "-o", "m", "--wrong"], ["{data}", "-o", "m", "--seed", "-1"]])
def test_wrong_usage_exits_with_2(leeroo, dataset, tmp_path, arguments):
    filled = [a.format(data=dataset) for a in arguments]
    done = subprocess.run([leeroo, "train", *filled], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == "" and done.stderr
    assert list(tmp_path.iterdir()) == []


def test_too_little_is_refused(leeroo, tmp_path):
    small = write_dataset(tmp_path / "small", 19, 1)
    done = run(leeroo, "train", small, "-o", tmp_path / "m")
    assert done.returncode == 1 and "19 queries; training wants at least 20" in done.stderr
    lonely = write_dataset(tmp_path / "lonely", 30, 1)
    lines = (lonely / "outcomes.csv").read_text().splitlines(keepends=True)
    (lonely / "outcomes.csv").write_text("".join(line for line in lines if ",large," not in line))
    done = run(leeroo, "train", lonely, "-o", tmp_path / "m")
    assert done.returncode == 0 and "'large' is left out: no outcome of it is known" in done.stderr
    (lonely / "outcomes.csv").write_text(lines[0])
    done = run(leeroo, "train", lonely, "-o", tmp_path / "n")
    assert done.returncode == 1 and "no expert is left to learn of" in done.stderr
    assert not (tmp_path / "n").exists()


def test_an_output_that_cannot_be_written_leaves_nothing(leeroo, dataset, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for path in [tmp_path / "missing" / "m", folder]:
        done = run(leeroo, "train", dataset, "-o", path)
        assert done.returncode == 1 and str(path) in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["folder"] and list(folder.iterdir()) == []


def test_a_hopeless_output_is_refused_before_the_work(leeroo, dataset, tmp_path):
    done = run(leeroo, "train", dataset, "-o", tmp_path)
    assert done.returncode == 1 and "is a directory" in done.stderr
    done = run(leeroo, "train", dataset, "-o", tmp_path / "missing" / "m.safetensors")
    assert done.returncode == 1 and str(tmp_path / "missing") in done.stderr


def test_a_full_disk_is_an_error(leeroo, dataset):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    done = run(leeroo, "train", dataset, "-o", "/dev/full")
    assert done.returncode == 1 and "No space left" in done.stderr


def test_a_kill_leaves_the_old_model_whole(leeroo, dataset, model, tmp_path):
    """Whenever it comes, the name holds all of the old file or all of the new one."""
    path = tmp_path / "m"
    shutil.copy(model, path)
    new = tmp_path / "new"
    train(leeroo, dataset, "-o", new, "--seed", "9")
    wholes = {model.read_bytes(), new.read_bytes()}
    begin = time.monotonic()
    train(leeroo, dataset, "-o", path, "--seed", "9")
    took = time.monotonic() - begin
    shutil.copy(model, path)
    for share in [0.2, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0]:
        p = subprocess.Popen([leeroo, "train", str(dataset), "-o", str(path), "--seed", "9", "-q"])
        time.sleep(took * share)
        p.send_signal(signal.SIGKILL)
        p.wait(30)
        assert path.read_bytes() in wholes
    assert {p.name for p in tmp_path.iterdir() if not p.name.startswith("m.tmp.")} == {"m", "new"}


def test_the_reader_in_the_manual_works(leeroo, dataset, tmp_path):
    page = (ROOT / "docs" / "model-file.md").read_text()
    program = re.search(r"```python\n(.*?)```", page, re.S).group(1)
    train(leeroo, dataset, "-o", tmp_path / "model.leeroo")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*EXPERTS, "slopes"]
    assert lines[0].split()[1] == "accuracy" and len(json.loads(lines[-1].removeprefix("slopes "))) == 4


def test_an_unknown_cost_is_not_zero(leeroo, dataset, tmp_path):
    shutil.copytree(dataset, tmp_path / "d")
    table = tmp_path / "d" / "outcomes.csv"
    rows = [line.split(",") for line in table.read_text().splitlines()]
    first = rows[1][1]
    table.write_text("".join(",".join(row[:3] + ["", "", ""] if row[1] == first else row) + "\n" for row in rows))
    done = run(leeroo, "train", tmp_path / "d", "-o", tmp_path / "m", "--json")
    costs = {e["name"]: e["usd_per_1k"] for e in json.loads(done.stdout)["experts"]}
    assert costs.pop(first) is None and all(cost > 0 for cost in costs.values())


def test_what_was_written_can_be_used(leeroo, dataset, model):
    done = run(leeroo, "route", model, dataset / "queries.jsonl", "--lambda", "0")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 400


def test_a_damaged_model_is_refused(leeroo, dataset, model, tmp_path):
    data = bytearray(model.read_bytes())
    broken = tmp_path / "broken"
    for change in [lambda d: d[:-1], lambda d: d[:5], lambda d: b"", lambda d: d[:-9] + b"\1" + d[-8:],
                   lambda d: b"PK\3\4" + d[4:]]:
        broken.write_bytes(change(bytes(data)))
        done = run(leeroo, "route", broken, dataset / "queries.jsonl")
        assert done.returncode == 1 and str(broken) in done.stderr and done.stdout == ""
        assert len(done.stderr.splitlines()) == 1


def test_it_says_what_lambda_to_take(leeroo, tmp_path):
    """Three places, with figures that routing its own queries confirms within their errors, and lines for leeroo.yaml."""
    data = write_dataset(tmp_path / "data", 1500, 3)
    told = train(leeroo, data, "-o", tmp_path / "m").stderr
    assert re.search(r"What lambda to take, by held-out estimates and what was recorded of \d+ queries\n", told)
    assert [m for m in re.findall(r"  (about as good as|the knee|half of what)", told)] == ["about as good as", "the knee", "half of what"]
    places = json.loads(train(leeroo, data, "-o", tmp_path / "m", "--json").stdout)["lambdas"]
    assert f"default: {{lambda: {places['matches']['lambda']:g}}}" in told
    folds = json.loads(run(leeroo, "eval", "--folds", "5", data, "--json", "--plans", "none").stdout)
    best = next(e for e in folds["experts"] if e["name"] == places["best"])
    assert places["matches"]["quality"] == pytest.approx(best["accuracy"], abs=0.02)
    assert places["matches"]["usd_per_1k"] < best["usd_per_1k"]
    half = next(a for a in folds["at_cost"] if a["fraction"] == 0.5)
    assert places["half"]["usd_per_1k"] <= best["usd_per_1k"] / 2 * 1.001
    assert abs(places["half"]["quality"] - half["accuracy"]) < 4 * places["half"]["quality_se"]  # other models, other folds
    assert places["knee"]["usd_per_1k"] < best["usd_per_1k"]


def test_few_queries_say_nothing_of_a_lambda(leeroo, tmp_path):
    data = write_dataset(tmp_path / "data", 60, 3)
    assert "What lambda" not in train(leeroo, data, "-o", tmp_path / "m").stderr
    assert json.loads(train(leeroo, data, "-o", tmp_path / "m", "--json").stdout)["lambdas"] is None
