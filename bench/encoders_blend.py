#!/usr/bin/env python3
"""What late sources would be worth if they were blended in otherwise (bench/encoders.md, "How the weights were found").

usage: bench/encoders_blend.py DATA DUMP TASK [--vectors NAME[:opinion]=FOLDER]... [--tuned FOLDER --setting LAYERS-RATE] [--guard] [--shapes]

DUMP is what `DUMP=… bench_encoders` wrote of the n-grams' estimates on rows held out (by bench_encoders' FOLDS where --tuned is
given, whose folds are bench/tune_folds.py's), TASK a task's number there. What encoders say is learnt fold by fold, as training
does it: a logistic regression on 16 principal components of vectors, and of an orchestrator's words that of
train/opinion_kind.c. Where an encoder lacks vectors, all are learnt and measured on the questions of which all have one. Of a
tuned encoder the logits of its own linear layer are taken, and only the questions count that it was measured on.

What is said is blended in as predict/blend.c does it, under the shape of train/blend_fit.c, or those that are asked for. Prints,
a line a variant, the change against n-grams alone of APGR (a pair) or of the score at half the reference's cost, and of the
utility that training looks at, with standard errors: over folds, or, of few questions, by a bootstrap over these.

--guard compares how much of the guard is left where an encoder has spoken, --shapes growth of levels and weights.
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np

TASKS = {
    0: ("mmlu_routellm", ["mixtral-8x7b-instruct", "gpt-4-1106-preview"], 1),
    1: ("mmlu", ["mixtral-8x7b-instruct", "mixtral-8x22b", "llama-3-70b", "gpt-4-0613"], 3),
    3: ("mmlu_pro", ["gemini-1.5-flash-002", "llama-3.1-70b-instruct", "gpt-4o-2024-05-13"], 2),
}
FEW, DRAWS = 8000, 200
HEAD, COMPONENTS, PENALTY, PENALTY_OPINION, LAMBDAS = 5, 16, 10.0, 100.0, 16
# known/unlike: growth of levels; weight of a source's level; of its deviations (train/blend_fit.c)
SHAPE = ((0.2, 0.6), (0.2, 0.4), (0.15, 0.3))
SILENT = ((0, 0), (0, 0), (0, 0))


def logit(p, least=1e-6):
    p = np.clip(p, least, 1 - least)
    return np.log(p / (1 - p))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Task:
    """scores and recorded costs [queries × experts]."""

    def __init__(self, data, number):
        self.name, self.experts, self.reference = TASKS[number]
        folder = data / self.name
        with open(folder / "queries.jsonl", encoding="utf-8") as lines:
            self.queries = [json.loads(line) for line in lines if line.strip()]
        row = {query["id"]: at for at, query in enumerate(self.queries)}
        column = {name: at for at, name in enumerate(self.experts)}
        self.scores = np.full((len(row), len(column)), np.nan)
        self.costs = np.full((len(row), len(column)), np.nan)
        with open(folder / "outcomes.csv", encoding="utf-8") as lines:
            for o in csv.DictReader(lines):
                if o["model"] in column and o["score"]:
                    self.scores[row[o["id"]], column[o["model"]]] = float(o["score"])
                    self.costs[row[o["id"]], column[o["model"]]] = float(o["cost_usd"])


class View:
    """One way and split: what the n-grams say of rows held out."""

    def __init__(self, path, task):
        x = np.load(path).astype(float)
        n = len(task.experts)
        self.rows, self.fold = x[:, 0].astype(int), x[:, 1].astype(int)
        self.novelty, self.entropy, self.share = x[:, 2:HEAD].T
        self.z, self.cost = logit(x[:, HEAD:HEAD + n]), x[:, HEAD + n:]
        self.scores, self.paid = task.scores[self.rows], task.costs[self.rows]
        self.levels = np.zeros_like(self.z)  # what training knows of each expert
        for fold in np.unique(self.fold):
            self.levels[self.fold == fold] = logit(self.scores[self.fold != fold].mean(0), 1e-3)


def logistic(x, y, penalties):
    """[terms] by Newton's method; penalties: of each term."""
    ridge = np.diag(penalties)
    w = np.zeros(x.shape[1])
    for _ in range(30):
        p = sigmoid(x @ w)
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + ridge + 1e-9 * np.eye(len(w)), x.T @ (y - p) - ridge @ w)
        w += step
        if np.abs(step).max() < 1e-6:
            break
    return w


def with_intercept(x, y, penalty):
    """[1 + terms]; the intercept goes free."""
    return logistic(np.hstack([np.ones((len(x), 1)), x]), y, np.concatenate([[0], np.full(x.shape[1], penalty)]))


def components(learnt, rows):
    """Principal components of `rows`, by those of `learnt`, divided by one number."""
    mean = learnt.mean(0)
    _, vectors = np.linalg.eigh(np.cov((learnt - mean).T))
    directions = vectors[:, ::-1][:, :COMPONENTS]
    scale = 1 / np.sqrt(((learnt - mean) @ directions).var(0).mean())
    return ((learnt - mean) @ directions) * scale, ((rows - mean) @ directions) * scale


def frozen(view, vectors):
    """What a source says of every row of the view that has a vector, by learners that never saw its fold; NaN of others."""
    said = np.full_like(view.z, np.nan)
    there = ~np.isnan(vectors[view.rows, 0])
    for fold in np.unique(view.fold):
        held, learnt = (view.fold == fold) & there, (view.fold != fold) & there
        a, b = components(vectors[view.rows[learnt]].astype(float), vectors[view.rows[held]].astype(float))
        for e in range(said.shape[1]):
            w = with_intercept(a, view.scores[learnt, e], PENALTY)
            said[held, e] = w[0] + b @ w[1:]
    return said


def opinions(view, rows):
    """The same of an orchestrator: slopes of each expert on its letter and on what tells certainty, drawn to common ones."""
    n = view.z.shape[1]
    said = np.full_like(view.z, np.nan)
    x = rows[view.rows].astype(float)
    there = ~np.isnan(x[:, 0])
    letters, certain = x[:, :n] - x[:, :n].mean(1, keepdims=True), x[:, n:]
    terms = 1 + certain.shape[1]
    penalties = np.concatenate([np.zeros(n), np.full(terms, 1.0), np.full(n * terms, PENALTY_OPINION)])
    for fold in np.unique(view.fold):
        held, learnt = (view.fold == fold) & there, (view.fold != fold) & there
        spread = certain[learnt].std(0)
        standard = np.where(spread > 1e-6, (certain - certain[learnt].mean(0)) / np.maximum(spread, 1e-6), 0)

        def design(which):
            blocks = []
            for e in range(n):
                own = np.hstack([letters[which, e:e + 1], standard[which]])
                block = np.zeros((len(own), len(penalties)))
                block[:, e], block[:, n:n + terms], block[:, n + terms * (e + 1):n + terms * (e + 2)] = 1, own, own
                blocks.append(block)
            return np.concatenate(blocks)
        w = logistic(design(learnt), view.scores[learnt].T.reshape(-1), penalties)
        said[held] = (design(held) @ w).reshape(n, -1).T
    return said


def tuned(view, way, folder, setting, experts, layer):
    """The same of a tuned encoder's linear layer (logits), or of the one it began with (frozen); NaN where it was not measured."""
    said = np.full_like(view.z, np.nan)
    place = {row: at for at, row in enumerate(view.rows)}
    for path in folder.glob(f"{way}-*-{setting}.npz"):
        stored = np.load(path)
        columns = [list(stored["experts"]).index(name) for name in experts]
        for row, logits in zip(stored["rows"], stored[layer][:, columns]):
            if row in place:
                said[place[row]] = logits
    return said


def fit_unlike(texts, subjects):
    """How likely a row is of a subject that training had nothing of, as a function of a view."""
    def terms(view):
        return np.stack([view.novelty, view.entropy], 1)
    x = np.vstack([terms(texts), *map(terms, subjects)])
    y = np.concatenate([np.zeros(len(texts.rows)), *[np.ones(len(s.rows)) for s in subjects]])
    weight = len(texts.rows) / sum(len(s.rows) for s in subjects)
    w = with_intercept(x, y, 1.0)
    w[0] += np.log(weight)  # as if there were as many of both
    return lambda view: sigmoid(w[0] + terms(view) @ w[1:])


def blend(view, unlike, centre, said, shape, keep=1.0):
    """Qualities; `keep` of the guard's share is left."""
    def between(known_fresh):
        return known_fresh[0] + (known_fresh[1] - known_fresh[0]) * unlike
    level = view.z.mean(1)
    z = view.z + (between(shape[0]) * (level - centre))[:, None] if said else view.z.copy()
    for d in said:
        apart = d.mean(1) - level
        z += (between(shape[1]) * apart)[:, None] / len(said)
        z += between(shape[2])[:, None] * (d - view.z - apart[:, None]) / len(said)
    z += (keep * view.share)[:, None] * (view.levels - z)
    return sigmoid(z)


def apgr(quality, scores, reference):
    order = np.argsort(-(quality[:, reference] - quality[:, 1 - reference]), kind="stable")
    gain = np.cumsum(scores[order, reference] - scores[order, 1 - reference])
    curve = np.concatenate([[0], gain / gain[-1]])
    return float(((curve[1:] + curve[:-1]) / 2).mean())


def at_half(quality, cost, scores, paid, reference):
    """The score at half of the reference's cost, along lambda."""
    points = []
    for price in np.concatenate([[0], np.geomspace(1, 1e6, 160)]):
        chosen = (quality - price * cost).argmax(1)
        at = np.arange(len(chosen))
        points.append((paid[at, chosen].mean(), scores[at, chosen].mean()))
    points.sort()
    best = np.maximum.accumulate([score for _, score in points])
    return float(np.interp(paid[:, reference].mean() / 2, [cost for cost, _ in points], best))


class Prices:
    """What training looks at: the score less what is paid, over the prices at which a choice is open."""

    def __init__(self, task):
        known = ~np.isnan(task.scores).any(1)
        score, self.cost = task.scores[known].mean(0), np.nanmean(task.costs[known], 0)
        best, cheapest = score.argmax(), self.cost.argmin()
        open_at = (score[best] - score[cheapest]) / (self.cost[best] - self.cost[cheapest])
        self.lambdas = open_at * np.geomspace(0.1, 8, LAMBDAS)

    def utility(self, quality, scores):
        sum_ = np.zeros(len(quality))
        for price in self.lambdas:
            chosen = (quality - price * self.cost).argmax(1)
            sum_ += scores[np.arange(len(chosen)), chosen] - price * self.cost[chosen]
        return sum_ / len(self.lambdas)


class Comparison:
    """A variant against n-grams alone, over the views of one way."""

    def __init__(self, task):
        self.task, self.prices = task, Prices(task)

    def figure(self, view, quality, rows):
        s = view.scores[rows]
        if len(self.task.experts) == 2:
            return apgr(quality[rows], s, self.task.reference)
        return at_half(quality[rows], view.cost[rows], s, view.paid[rows], self.task.reference)

    def change(self, views, with_, less, rows_of):
        return np.mean([self.figure(view, a, rows) - self.figure(view, b, rows)
                        for view, a, b, rows in zip(views, with_, less, rows_of) if len(rows)])

    def drawn(self, views, with_, less, rows_of):
        """Standard error by a bootstrap over questions, the same of all views."""
        generator, changes = np.random.default_rng(1), []
        questions = np.unique(np.concatenate([view.rows[rows] for view, rows in zip(views, rows_of)]))
        for _ in range(DRAWS):
            times = np.bincount(generator.choice(questions, len(questions)), minlength=questions.max() + 1)
            drawn = [np.repeat(rows, times[view.rows[rows]]) for view, rows in zip(views, rows_of)]
            changes.append(self.change(views, with_, less, drawn))
        return np.std(changes, ddof=1)

    def against(self, views, with_, less):
        """→ the figure's change and its standard error; the same of the utility's, in 1e-4, over rows. Of few questions they are of
        all that were held out at once, with an error by a bootstrap; else means over folds and their error."""
        rows_of = [np.flatnonzero(~np.isnan(a).any(1)) for a in with_]
        if not any(map(len, rows_of)):
            return "not measured"
        gains = np.concatenate([self.prices.utility(a[rows], view.scores[rows]) - self.prices.utility(b[rows], view.scores[rows])
                                for view, a, b, rows in zip(views, with_, less, rows_of)])
        if max(map(len, rows_of)) < FEW:
            change, error = self.change(views, with_, less, rows_of), self.drawn(views, with_, less, rows_of)
        else:
            changes = [self.change([view], [a], [b], [rows[view.fold[rows] == fold]])
                       for view, a, b, rows in zip(views, with_, less, rows_of) for fold in np.unique(view.fold[rows])]
            change, error = np.mean(changes), np.std(changes, ddof=1) / len(changes) ** 0.5
        return f"{change:+.4f} ± {error:.4f} ({sum(map(len, rows_of))} rows), utility {gains.mean() * 1e4:+.1f} ± {gains.std() / len(gains) ** 0.5 * 1e4:.1f}"


SHAPES = [
    SHAPE,
    ((0, 0), (0.25, 0.25), (0.25, 0.25)),
    ((0.2, 0.6), (0, 0), (0, 0)),
    ((0.2, 0.4), (0.2, 0.4), (0.15, 0.3)),
    ((0.2, 0.8), (0.2, 0.4), (0.15, 0.3)),
    ((0.2, 1.0), (0.2, 0.4), (0.15, 0.3)),
    ((0.2, 0.6), (0.2, 0.6), (0.15, 0.3)),
    ((0.2, 0.6), (0.2, 0.4), (0.15, 0.5)),
    ((0.2, 0.6), (0.2, 0.6), (0.15, 0.5)),
    ((0.2, 0.6), (0.1, 0.3), (0.1, 0.2)),
    ((0.3, 0.9), (0.3, 0.6), (0.22, 0.45)),
    ((0.4, 0.6), (0.2, 0.4), (0.15, 0.3)),
]


def named(shape):
    return ", ".join("/".join(f"{x:g}" for x in pair) for pair in shape)


class Bench:
    def __init__(self, wanted):
        self.task = Task(wanted.data, wanted.task)
        self.views = {way: [View(path, self.task) for path in sorted(wanted.dump.glob(f"{wanted.task}-{way}-*.npy"))]
                      for way in ("texts", "subjects")}
        self.unlike = fit_unlike(self.views["texts"][0], self.views["subjects"])
        self.centre = self.views["texts"][0].z.mean()
        self.compare = Comparison(self.task)

    def show(self, title, said, shape=SHAPE, keep=1.0, against=1.0):
        """said: for each way and view a list of sources."""
        for way, views in self.views.items():
            blended = [[blend(view, self.unlike(view), self.centre, sources, *how) for view, sources in zip(views, lists)]
                       for lists, how in ((said[way], (shape, keep)), ([[] for _ in views], (SILENT, against)))]
            print(f"{title} | {way} | {self.compare.against(views, *blended)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("dump", type=Path)
    parser.add_argument("task", type=int, choices=TASKS)
    parser.add_argument("--vectors", action="append", default=[], metavar="NAME[:opinion]=FOLDER")
    parser.add_argument("--tuned", type=Path)
    parser.add_argument("--setting", action="append", default=[])
    parser.add_argument("--guard", action="store_true")
    parser.add_argument("--shapes", action="store_true")
    wanted = parser.parse_args()
    bench = Bench(wanted)
    print(f"{bench.task.name}: {[len(view.rows) for views in bench.views.values() for view in views]} rows")
    vectors = {name: np.load(Path(folder) / f"{bench.task.name}.npy") for name, folder in (v.split("=", 1) for v in wanted.vectors)}
    missing = np.any([np.isnan(x[:, 0]) for x in vectors.values()], axis=0) if vectors else None
    together = {way: [[] for _ in views] for way, views in bench.views.items()}
    for name, x in vectors.items():
        x[missing] = np.nan
        learn = opinions if name.endswith(":opinion") else frozen
        said = {way: [[learn(view, x)] for view in views] for way, views in bench.views.items()}
        for way, lists in said.items():
            for sources, more in zip(together[way], lists):
                sources += more
        bench.show(f"{name}, {(~missing).sum()} questions", said)
        if wanted.guard:
            bench.show("the guard alone, against none", {way: [[] for _ in views] for way, views in bench.views.items()}, SILENT, 1, 0)
            for keep in (0.5, 0.0):
                bench.show(f"{name}, {keep:g} of the guard", said, SHAPE, keep)
            bench.show(f"{name}, no guard on either", said, SHAPE, 0, 0)
        for shape in SHAPES if wanted.shapes else ():
            bench.show(f"{name} {named(shape)}", said, shape)
    if len(vectors) > 1:
        bench.show("all together", together)
    for setting in wanted.setting:
        for layer, title in (("frozen", "as it was"), ("logits", "tuned")):
            said = {way: [[tuned(view, way, wanted.tuned, setting, [("pair/" if bench.task.name == "mmlu_routellm" else "") + e
                                                                    for e in bench.task.experts], layer)] for view in views]
                    for way, views in bench.views.items()}
            bench.show(f"{setting} {title}", said)


if __name__ == "__main__":
    main()
