"""leeroo eval from outside: every figure recomputed from `route` and outcomes.csv alone."""

import csv
import json
import math

import pytest

from routing import EXPERTS, read_outcomes, route, run, write_dataset


@pytest.fixture(scope="module")
def files(leeroo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("eval")
    model = folder / "m.leeroo"
    done = run(leeroo, "train", write_dataset(folder / "train", 3000, 1), "-o", model)
    assert done.returncode == 0, done.stderr
    return model, write_dataset(folder / "test", 1500, 2, holes=0.05)


def evaluate(leeroo, *argv):
    done = run(leeroo, "eval", *argv, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


class Recomputed:
    """The same figures, slowly."""

    def __init__(self, leeroo, model, data, pool, reference):
        outcomes = read_outcomes(data)
        need = set(pool) | {reference}
        rows = {r["id"]: r for r in route(leeroo, model, data / "queries.jsonl")}
        self.ids = [i for i in rows if need <= set(outcomes.get(i, {}))]
        self.left_out = len(rows) - len(self.ids)
        self.pool, self.reference, self.n = pool, reference, len(self.ids)
        self.estimates = [rows[i]["estimates"] for i in self.ids]
        weighed = [rows[i].get("weighed_usd", {}) for i in self.ids]  # of a text far from training
        self.weighed = [{name: float(w.get(name, e[name][1])) for name in e} for w, e in zip(weighed, self.estimates)]
        self.outcomes = [outcomes[i] for i in self.ids]

    def always(self, expert):
        return (sum(o[expert][0] for o in self.outcomes) / self.n,
                sum(o[expert][1] for o in self.outcomes) / self.n / 1e6)

    def oracle(self):
        best = [min(((-o[e][0], o[e][1]) for e in self.pool)) for o in self.outcomes]
        return -sum(b[0] for b in best) / self.n, sum(b[1] for b in best) / self.n / 1e6

    def auc(self, expert):
        right = [e[expert][0] for e, o in zip(self.estimates, self.outcomes) if o[expert][0] >= 0.5]
        wrong = [e[expert][0] for e, o in zip(self.estimates, self.outcomes) if o[expert][0] < 0.5]
        return sum((r > w) + (r == w) / 2 for r in right for w in wrong) / (len(right) * len(wrong))

    def ece(self, expert):
        bins = [[] for _ in range(15)]
        for e, o in zip(self.estimates, self.outcomes):
            bins[min(14, int(e[expert][0] * 15))].append(e[expert][0] - o[expert][0])
        return sum(abs(sum(b)) for b in bins) / self.n

    def at_lambda(self, weight):
        """(USD per 1,000, accuracy)"""
        score = cost = 0
        for e, w, o in zip(self.estimates, self.weighed, self.outcomes):
            chosen = min(self.pool, key=lambda x: (-(e[x][0] - weight * w[x]), e[x][1]))
            score += o[chosen][0]
            cost += o[chosen][1]
        return cost / self.n / 1e6, score / self.n

    def pgr(self, weak, strong):
        order = sorted(range(self.n), key=lambda i: -(self.estimates[i][strong][0] - self.estimates[i][weak][0]))
        gap = sum(o[strong][0] - o[weak][0] for o in self.outcomes)
        curve, won = [0.0], 0
        for i in order:
            won += self.outcomes[i][strong][0] - self.outcomes[i][weak][0]
            curve.append(won / gap)
        return curve


def near(a, b, tolerance=1e-6):
    return a is not None and abs(a - b) <= tolerance


def test_every_figure_recomputed(leeroo, files):
    model, data = files
    got, warning = evaluate(leeroo, model, data, "--reference", "large", "--bootstrap", 50)
    mine = Recomputed(leeroo, model, data, list(EXPERTS), "large")
    assert warning == "" and got["trained_on"] == 0
    assert (got["queries"], got["left_out"]) == (mine.n, mine.left_out) and mine.left_out > 100
    assert [e["name"] for e in got["experts"]] == list(EXPERTS)
    for e in got["experts"]:
        accuracy, usd = mine.always(e["name"])
        assert near(e["accuracy"], accuracy) and near(e["usd_per_1k"], usd)
        assert near(e["accuracy_se"], math.sqrt(accuracy * (1 - accuracy) / (mine.n - 1)))
        assert near(e["auc"], mine.auc(e["name"])) and near(e["ece"], mine.ece(e["name"]), 1e-5)
    base = got["baselines"]
    assert near(base["oracle"]["accuracy"], mine.oracle()[0]) and near(base["oracle"]["usd_per_1k"], mine.oracle()[1])
    best = max(EXPERTS, key=lambda e: mine.always(e)[0])
    assert base["best_single"]["expert"] == best and near(base["best_single"]["accuracy"], mine.always(best)[0])
    assert near(base["random_mix"]["accuracy"], sum(mine.always(e)[0] for e in EXPERTS) / 3)
    assert near(base["random_mix"]["usd_per_1k"], sum(mine.always(e)[1] for e in EXPERTS) / 3)
    assert got["pair"] is None


def test_the_curve_is_what_route_would_choose(leeroo, files):
    model, data = files
    got, _ = evaluate(leeroo, model, data, "--reference", "large", "--bootstrap", 0)
    mine = Recomputed(leeroo, model, data, list(EXPERTS), "large")
    points = got["curve"]
    assert points[0]["lambda"] is None and len(points) > 50
    for p in points[1:]:  # one query may sit on either side of its own breakpoint
        usd, accuracy = mine.at_lambda(p["lambda"] * (1 - 1e-9))
        assert near(p["usd_per_1k"], usd, 2e-3) and near(p["accuracy"], accuracy, 2 / mine.n)
    usd, accuracy = mine.at_lambda(0)
    assert near(points[-1]["usd_per_1k"], usd) and near(points[-1]["accuracy"], accuracy)


def test_points_at_fractions_of_the_cost(leeroo, files):
    model, data = files
    got, _ = evaluate(leeroo, model, data, "--reference", "large", "--bootstrap", 50)
    mine = Recomputed(leeroo, model, data, list(EXPERTS), "large")
    accuracy, usd = mine.always("large")
    assert [round(a["fraction"], 4) for a in got["at_cost"]] == [0.35, 0.5, 0.6667, 0.75, 1]
    for at in got["at_cost"]:
        assert near(at["usd_per_1k"], usd * at["fraction"])
        low, high = 0.0, 1e6  # the lambda whose cost is just within
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if mine.at_lambda(middle)[0] > at["usd_per_1k"] else (low, middle)
        assert near(at["accuracy"], mine.at_lambda(high)[1], 3 / mine.n)
        assert near(at["relative"], at["accuracy"] / accuracy) and near(at["difference"], at["accuracy"] - accuracy)
        assert 0 < at["accuracy_se"] < 0.03 and 0 <= at["difference_se"] < 0.03
        assert at["accuracy"] > at["best_mix"] - 0.01
    matched = got["matched"]["fraction"]
    assert matched is None or 0 < matched <= 1.2


def test_pair_figures_as_routellm_defines_them(leeroo, files):
    model, data = files
    got, _ = evaluate(leeroo, model, data, "--reference", "large", "--experts", "small,large", "--bootstrap", 100)
    mine = Recomputed(leeroo, model, data, ["small", "large"], "large")
    curve, pair = mine.pgr("small", "large"), got["pair"]
    assert (pair["strong"], pair["weak"]) == ("large", "small")
    assert near(pair["apgr"], sum((a + b) / 2 for a, b in zip(curve, curve[1:])) / mine.n, 1e-3)
    for share, name in [(0.5, "cpt50"), (0.8, "cpt80")]:
        want = next(i for i, p in enumerate(curve) if p >= share) / mine.n
        assert near(pair[name], want, 2 / mine.n)
    assert pair["apgr"] > 0.6 and 0 < pair["apgr_se"] < 0.1


def test_a_reference_outside_the_pool(leeroo, files):
    model, data = files
    got, _ = evaluate(leeroo, model, data, "--reference", "large", "--experts", "small,middle", "--bootstrap", 0)
    by_name = {e["name"]: e for e in got["experts"]}
    assert not by_name["large"]["in_pool"] and by_name["large"]["auc"] is None
    assert got["pair"] is None and got["at_cost"][0]["accuracy_se"] is None
    assert got["curve"][-1]["usd_per_1k"] < by_name["large"]["usd_per_1k"]
    assert got["baselines"]["best_single"]["expert"] == "middle"


def test_training_queries_are_warned_of(leeroo, files, tmp_path):
    model, data = files
    _, clean = evaluate(leeroo, model, data, "--reference", "large", "--bootstrap", 0)
    assert clean == ""
    mixed = write_dataset(tmp_path / "mixed", 300, 1)  # the first 300 of the training set
    got, warning = evaluate(leeroo, model, mixed, "--reference", "large", "--bootstrap", 0)
    assert got["trained_on"] == 300 and "300 of 300" in warning


def test_runs_repeat_and_seeds_differ(leeroo, files):
    model, data = files
    argv = (model, data, "--reference", "large", "--bootstrap", 40)
    assert evaluate(leeroo, *argv) == evaluate(leeroo, *argv)
    a, b = evaluate(leeroo, *argv)[0], evaluate(leeroo, *argv, "--seed", 9)[0]
    assert a["curve"] == b["curve"] and a["at_cost"] != b["at_cost"]


def test_the_table_says_the_same(leeroo, files):
    model, data = files
    got, _ = evaluate(leeroo, model, data, "--experts", "small,large", "--bootstrap", 50)
    done = run(leeroo, "eval", model, data, "--experts", "small,large", "--bootstrap", 50)
    assert done.returncode == 0
    assert got["reference"] == "large", "the most accurate is the default"
    for text in [f"{got['queries']} queries", f"APGR {got['pair']['apgr']:.3f}", "best single", "random mix", "oracle",
                 f"{got['at_cost'][0]['accuracy'] * 100:.2f}", f"{got['left_out']} queries are left out"]:
        assert text in done.stdout, text


def test_errors(leeroo, files, tmp_path):
    model, data = files
    for argv, code, text in [((model,), 2, "MODEL DATASET"), ((model, data, "--bootstrap", "x"), 2, "--bootstrap"),
                             ((model, data, "--reference", "huge"), 1, "'huge'"),
                             ((model, data, "--experts", "small,huge"), 1, "'huge'"),
                             ((model, tmp_path / "none"), 1, "queries.jsonl"), ((tmp_path / "none", data), 1, "none"),
                             ((data / "queries.jsonl", data), 1, "queries.jsonl")]:
        done = run(leeroo, "eval", *argv)
        assert done.returncode == code and text in done.stderr and done.stdout == "", argv
    stranger = write_dataset(tmp_path / "stranger", 20, 3)
    text = (stranger / "outcomes.csv").read_text().replace("small", "tiny").replace("middle", "medium")
    (stranger / "outcomes.csv").write_text(text.replace("large", "big"))
    text = (stranger / "experts.csv").read_text().replace("small", "tiny").replace("middle", "medium")
    (stranger / "experts.csv").write_text(text.replace("large", "big"))
    done = run(leeroo, "eval", model, stranger)
    assert done.returncode == 1 and "no expert in common" in done.stderr


def absurd(folder, cost, price="1", tokens=10):
    folder.mkdir()
    (folder / "queries.jsonl").write_text("".join(json.dumps({"id": f"q{i}", "text": f"cat {i}"}) + "\n" for i in range(60)))
    (folder / "experts.csv").write_text(f"model,usd_per_m_input,usd_per_m_output\nada,1,2\nbob,{price},{price}\n")
    rows = [f"q{i},{m},{i % 2 if m == 'ada' else 1},{cost if m == 'bob' else ''},{tokens if m == 'bob' else 1},1\n"
            for i in range(60) for m in ("ada", "bob")]
    (folder / "outcomes.csv").write_text("id,model,score,cost_usd,input_tokens,output_tokens\n" + "".join(rows))
    return folder


@pytest.mark.parametrize("price", ["1", "1e9"])
def test_sums_of_absurd_costs_are_right(leeroo, tmp_path, price):
    """A billion USD an answer: sixty of them are more than nano-USD in 64 bits hold."""
    data, model = absurd(tmp_path / "data", "1e9", price), tmp_path / "m"
    assert run(leeroo, "train", data, "-o", model).returncode == 0
    done = run(leeroo, "eval", model, data, "--json", "--report", tmp_path / "r.html")
    assert done.returncode == 0 and "ERROR" not in done.stderr and "runtime error" not in done.stderr, done.stderr
    report = json.loads(done.stdout)
    assert {e["name"]: e["usd_per_1k"] for e in report["experts"]}["bob"] == 1e12
    costs = [p[1] for p in report["curve"]] if isinstance(report["curve"][0], list) else [p["usd_per_1k"] for p in report["curve"]]
    assert all(0 <= c <= 1e12 for c in costs) and costs[-1] == 1e12, costs
    assert run(leeroo, "route", model, "--budget", "1", stdin='{"text": "cat"}\n').returncode == 0


def test_costs_that_nothing_can_have_are_refused_by_place(leeroo, tmp_path):
    for name, options, where in (("cost", ("1e10",), "outcomes.csv:3:10: '1e10' is not a cost in USD, at most 1e9"),
                                 ("tokens", ("", "1e9", 2147483647), "outcomes.csv:3:22: '1' is not tokens that cost at most")):
        done = run(leeroo, "train", absurd(tmp_path / name, *options), "-o", tmp_path / "m")
        assert done.returncode == 1 and where in done.stderr, done.stderr


def test_cross_validation_needs_no_model(leeroo, tmp_path):
    data = write_dataset(tmp_path / "data", 600, 3, holes=0.02)
    page, rows = tmp_path / "page.html", tmp_path / "decisions.csv"
    got, warning = evaluate(leeroo, "--folds", 4, data, "--reference", "large", "--bootstrap", 20,
                            "--report", page, "--decisions", rows)
    assert warning == "" and got["model"] is None and got["folds"] == 4 and got["trained_on"] == 0
    outcomes = {i: o for i, o in read_outcomes(data).items() if set(o) == set(EXPERTS)}
    assert got["queries"] == len(outcomes) and got["left_out"] == 600 - len(outcomes) > 5
    for e in got["experts"]:
        assert near(e["accuracy"], sum(o[e["name"]][0] for o in outcomes.values()) / len(outcomes)) and e["auc"] > 0.6
    assert near(got["at_cost"][1]["accuracy"], got["at_cost"][1]["best_mix"], 0.3)
    assert "4-fold cross-validation" in page.read_text()
    with rows.open() as file:
        at = [r for r in csv.DictReader(file) if r["operating_point"] == "0.5"]
    assert {r["id"] for r in at} == set(outcomes)
    accuracy = sum(float(r["weight"]) * outcomes[r["id"]][r["answered"]][0] for r in at) / sum(float(r["weight"]) for r in at)
    assert near(accuracy, got["at_cost"][1]["accuracy"])
    assert evaluate(leeroo, "--folds", 4, data, "--reference", "large", "--bootstrap", 20)[0] == got, "it repeats"
    other = evaluate(leeroo, "--folds", 4, data, "--reference", "large", "--bootstrap", 20, "--seed", 1)[0]
    assert other["experts"] != got["experts"]


def test_cross_validation_is_used_rightly(leeroo, files, tmp_path):
    model, data = files
    for argv in ([model, data, "--folds", 3], ["--folds", 1, data], ["--folds", 21, data], ["--folds", 3],
                 ["--folds", 3, data, "--compare", model]):
        done = run(leeroo, "eval", *argv)
        assert done.returncode == 2 and done.stderr.startswith("leeroo eval: ")
    few = write_dataset(tmp_path / "few", 25, 3)
    done = run(leeroo, "eval", "--folds", 3, few)
    assert done.returncode == 1 and "fold 1 of 3" in done.stderr and done.stdout == ""
    assert not list(tmp_path.glob("leeroo-fold*"))


def test_an_auc_of_few_answers_is_warned_of(leeroo, files, tmp_path):
    model, _ = files
    few = write_dataset(tmp_path / "few", 40, 4)
    _, warning = evaluate(leeroo, model, few, "--reference", "large", "--bootstrap", 0)
    outcomes = read_outcomes(few)
    rare = {e for e in EXPERTS if 0 < min(sum(o[e][0] >= 0.5 for o in outcomes.values()),
                                          sum(o[e][0] < 0.5 for o in outcomes.values())) < 20}
    assert rare and "too few to tell the AUC of " in warning
    assert set(warning.strip().split("AUC of ")[1].split(", ")) == rare
