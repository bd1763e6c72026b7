"""What train makes of data sets that are not quite as the book has them: it names what it cannot use, and goes on."""

import json
import random
import subprocess

import pytest

from conftest import write_dataset


def run(leeroo, *argv):
    return subprocess.run([leeroo, *map(str, argv)], capture_output=True, text=True, timeout=120, check=False)


def train(leeroo, folder, *argv):
    done = run(leeroo, "train", folder, "-o", folder / "m", "--json", *argv)
    report = json.loads(done.stdout) if done.returncode == 0 else None
    return done, {e["name"]: e for e in report["experts"]} if report else None


@pytest.fixture
def data(tmp_path):
    return write_dataset(tmp_path / "data")


def outcomes(folder, change):
    path = folder / "outcomes.csv"
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *[",".join(r) for r in (change(row.split(",")) for row in rows) if r]]) + "\n")


def vary(row):
    """Tokens that tell the prices apart, and costs that follow from them: 0.1 and 0.2, 0.5 and 1, 5 and 15 USD."""
    prices = {"cheap": (0.1, 0.2), "mid": (0.5, 1.0), "dear": (5.0, 15.0)}[row[1]]
    row[4], row[5] = str(10 + int(row[0][1:]) % 17), str(5 + int(row[0][1:]) % 23)
    row[3] = f"{(int(row[4]) * prices[0] + int(row[5]) * prices[1]) / 1e6:.9f}"
    return row


@pytest.mark.parametrize("experts", ["cheap,0,0\nmid,0,0\ndear,0,0\n", "cheap,,\nmid,,\ndear,,\n", None])
def test_prices_are_found_in_the_costs(leeroo, data, experts):
    outcomes(data, vary)
    whole, figures = train(leeroo, data)
    assert whole.returncode == 0 and "note" not in whole.stderr
    if experts:
        (data / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\n" + experts)
    else:
        (data / "experts.csv").unlink()
    done, found = train(leeroo, data)
    assert done.returncode == 0, done.stderr
    assert "no price of 'dear'; taken: 5 and 15 USD per million tokens" in done.stderr
    assert "least squares of its 400 recorded costs, off by 0.0 % of their mean" in done.stderr
    assert ("has no experts.csv" in done.stderr) == (experts is None)
    assert {n: round(e["usd_per_1k"], 6) for n, e in found.items()} == {n: round(e["usd_per_1k"], 6) for n, e in figures.items()}
    routed = subprocess.run([leeroo, "route", data / "m"], input='{"text": "prove lemma"}\n', capture_output=True, text=True,
                            check=True)
    costs = {name: e[1] for name, e in json.loads(routed.stdout)["estimates"].items()}
    assert 0 < costs["cheap"] < costs["mid"] < costs["dear"]


def test_costs_with_noise_say_how_far_they_lie(leeroo, data):
    rng = random.Random(1)

    def noisy(row):
        row = vary(row)
        row[3] = f"{float(row[3]) * rng.uniform(0.8, 1.2):.9f}"
        return row
    outcomes(data, noisy)
    (data / "experts.csv").write_text("model\ncheap\nmid\ndear\n")
    done, _ = train(leeroo, data)
    assert done.returncode == 0
    for line in [x for x in done.stderr.splitlines() if "least squares" in x]:
        assert 8 < float(line.split("off by ")[1].split(" %")[0]) < 16
    assert done.stderr.count("least squares") == 3


def test_costs_without_tokens_give_the_right_mean(leeroo, data):
    outcomes(data, lambda row: [*row[:3], {"cheap": "0.001", "mid": "0.002", "dear": "0.03"}[row[1]], "", ""])
    (data / "experts.csv").unlink()
    done, figures = train(leeroo, data)
    assert done.returncode == 0 and "tokens are not recorded" in done.stderr
    routed = subprocess.run([leeroo, "route", data / "m"], input='{"text": "prove lemma hello cat two 12"}\n',
                            capture_output=True, text=True, check=True)
    costs = {name: e[1] for name, e in json.loads(routed.stdout)["estimates"].items()}
    assert all(costs[n] == pytest.approx(figures[n]["usd_per_1k"] / 1000, rel=0.2) for n in costs)


def test_experts_that_are_not_listed_are_passed_over(leeroo, data):
    with (data / "outcomes.csv").open("a") as file:
        file.writelines(f"q{i},{name},1,,,\n" for i in range(30) for name in ("huge", "other"))
    done, figures = train(leeroo, data)
    assert done.returncode == 0 and list(figures) == ["cheap", "mid", "dear"]
    assert "60 outcomes are passed over, of experts that are not in experts.csv: huge, other\n" in done.stderr
    outcomes(data, lambda row: row if row[1] == "huge" else None)
    done, _ = train(leeroo, data)
    assert done.returncode == 1 and "outcomes.csv:2:4: 'huge'" in done.stderr


def test_experts_without_outcomes_are_left_out(leeroo, data):
    with (data / "experts.csv").open("a") as file:
        file.write("silent,1,2\n")
    done, figures = train(leeroo, data)
    assert done.returncode == 0 and list(figures) == ["cheap", "mid", "dear"]
    assert "expert 'silent' is left out: no outcome of it is known" in done.stderr
    done, _ = train(leeroo, data, "--experts", "silent")
    assert done.returncode == 1 and "no expert is left to learn of; 'silent'" in done.stderr


def test_a_price_is_looked_up_where_nothing_says_it(leeroo, data):
    outcomes(data, lambda row: [row[0], {"mid": "gpt-4o-mini", "dear": "nobody-knows"}.get(row[1], row[1]), row[2], "", "10", "20"])
    (data / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\ncheap,1,2\ngpt-4o-mini,,\nnobody-knows,,\n")
    done, figures = train(leeroo, data)
    assert done.returncode == 0, done.stderr
    assert list(figures) == ["cheap", "gpt-4o-mini"] and figures["gpt-4o-mini"]["usd_per_1k"] > 0
    assert "no price of 'gpt-4o-mini'; taken: 0.15 and 0.6 USD" in done.stderr and "as listed in the catalogue" in done.stderr
    assert "expert 'nobody-knows' is left out: it has neither a price nor recorded costs" in done.stderr
    (data / "experts.csv").write_text("model\nnobody-knows\n")
    done, _ = train(leeroo, data)
    assert done.returncode == 1 and "experts.csv has no prices, and outcomes.csv has no costs" in done.stderr


def test_tokens_as_pandas_writes_them(leeroo, data):
    before, figures = train(leeroo, data)
    model = (data / "m").read_bytes()
    outcomes(data, lambda row: [*row[:4], row[4] + ".0", f"{float(row[5]):e}"])
    done, same = train(leeroo, data)
    assert done.returncode == 0 and same == figures and (data / "m").read_bytes() == model and before.stderr == done.stderr
    outcomes(data, lambda row: [*row[:4], "10.5", row[5]])
    done, _ = train(leeroo, data)
    assert done.returncode == 1 and "'10.5' is not a number of tokens" in done.stderr


def test_twenty_tosses_of_a_coin_are_warned_of(leeroo, tmp_path):
    for seed in range(6):
        rng = random.Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        words = ["cat", "dog", "proof", "lemma", "sum"]
        (folder / "queries.jsonl").write_text("".join(json.dumps({"id": f"q{i}", "text": " ".join(rng.choices(words, k=6))}) + "\n"
                                                      for i in range(20)))
        (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\na,1,2\n")
        (folder / "outcomes.csv").write_text("id,model,score\n" + "".join(f"q{i},a,{rng.randrange(2)}\n" for i in range(20)))
        done, figures = train(leeroo, folder)
        assert done.returncode == 0 and "too few right or wrong answers" in done.stderr and " a 0." in done.stderr
        assert figures["a"]["auc_doubtful"] is True and figures["a"]["auc_se"] > 0.05
        table = run(leeroo, "train", folder, "-o", folder / "m").stderr
        assert "(0." in next(line for line in table.splitlines() if line.startswith("a "))


def test_many_outcomes_are_not_warned_of(leeroo, data):
    done, figures = train(leeroo, data)
    assert figures["cheap"]["auc_doubtful"] is False and 0 < figures["cheap"]["auc_se"] < 0.03
    assert " cheap 0." not in done.stderr


def test_eval_and_split_take_the_same_data(leeroo, data, tmp_path):
    outcomes(data, vary)
    (data / "experts.csv").unlink()
    assert train(leeroo, data)[0].returncode == 0
    done = run(leeroo, "eval", data / "m", data, "--json", "--bootstrap", 0)
    assert done.returncode == 0 and "taken: 5 and 15 USD" in done.stderr
    done = run(leeroo, "split", data, "-o", tmp_path / "parts")
    assert done.returncode == 0
    assert "dear,5.0,15.0" in (tmp_path / "parts" / "train" / "experts.csv").read_text()
