#!/usr/bin/env python3
"""Is tuning a sentence encoder worth it on questions, and on whole subjects, that it has not seen? (bench/encoders.md)

usage: bench/tune_folds.py DATASET ENCODER OUT [--rows N] [--held N] [--folds N] [--settings LAYERS:RATE,...]

Tunes ENCODER by scripts/tune-minilm on all folds but one, for each of five folds of texts and five of whole subjects and for each
setting, and prints the log loss on the fold left out: of the mean score of each expert, of the linear layer on vectors as they
are, and after tuning; and the difference of the two with its standard error over questions. OUT gets WAY-FOLD-SETTING.npz a
run, with the held-out rows and their logits, as they were and tuned; WAY-folds.npy, the fold of every question; and frozen.npy,
all vectors as they were: for bench/encoders_blend.py, which routes by them. A run that is there is not made again. --rows and
--held take so many questions by chance, for machines that have not hours.
"""

import argparse
import hashlib
import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

sys.dont_write_bytecode = True
LOADER = SourceFileLoader("tune_minilm", str(Path(__file__).resolve().parents[1] / "scripts" / "tune-minilm"))
tune_minilm = importlib.util.module_from_spec(importlib.util.spec_from_loader("tune_minilm", LOADER))
LOADER.exec_module(tune_minilm)


def subject_fold(query, folds):
    digest = hashlib.sha256(str(query.get("domain", "")).encode()).digest()
    return int.from_bytes(digest[:8], "little") % folds


WAYS = {"texts": tune_minilm.fold_of, "subjects": subject_fold}


def losses(logits, scores):
    """Of each row, over the experts that are known."""
    known = ~torch.isnan(scores)
    each = F.binary_cross_entropy_with_logits(logits, torch.where(known, scores, 0.0), reduction="none")
    return ((each * known).sum(1) / known.sum(1)).numpy()


def run(folder, lower, frozen, scores, learnt, held, layers, rate):
    """frozen: vectors of all rows as they are → log loss a held-out row of the mean, as it was, tuned; logits of both."""
    torch.manual_seed(1)
    encoder = tune_minilm.Encoder(folder)
    head = tune_minilm.fit_linear(frozen[learnt], scores[learnt])
    level = torch.logit(torch.nanmean(scores[learnt], 0).clamp(0.01, 0.99)).expand(len(held), -1)
    with torch.inference_mode():
        before = tune_minilm.read(head, frozen[held])
    tune_minilm.tune(encoder, head, lower, scores, learnt, layers, rate, 1)
    vectors = tune_minilm.vectors(encoder, lower, held)
    with torch.inference_mode():
        after = tune_minilm.read(head, vectors)
    return [losses(logits, scores[held]) for logits in (level, before, after)], before.numpy(), after.numpy()


def mean_and_error(values):
    return f"{values.mean():+.4f} ± {values.std(ddof=1) / len(values) ** 0.5:.4f}"


def some(generator, rows, count):
    return sorted(generator.choice(rows, count, replace=False).tolist()) if count and count < len(rows) else rows


def folds_of(data, usable, way, folds, wanted):
    """Pairs of rows to learn from and rows held out, by chance the same for every setting."""
    fold = [WAYS[way](query, folds) for query in data.queries]
    np.save(wanted.out / f"{way}-folds.npy", np.array(fold, np.float32)[:, None])
    for left_out in range(folds):
        generator = np.random.default_rng(left_out)
        yield (some(generator, [row for row in usable if fold[row] != left_out], wanted.rows),
               some(generator, [row for row in usable if fold[row] == left_out], wanted.held))


def measure(data, lower, usable, wanted):
    """Prints a line a run, and of each setting and way the differences together."""
    scores = torch.from_numpy(data.scores)
    frozen = tune_minilm.vectors(tune_minilm.Encoder(wanted.encoder), lower, list(range(len(data.queries))))
    np.save(wanted.out / "frozen.npy", frozen.numpy())
    for setting in wanted.settings.split(","):
        layers, rate = setting.split(":")
        for way in WAYS:
            gains = []
            for at, (learnt, held) in enumerate(folds_of(data, usable, way, wanted.folds, wanted)):
                path = wanted.out / f"{way}-{at}-{layers}-{rate}.npz"
                if not path.exists():
                    each, before, after = run(wanted.encoder, lower, frozen, scores, learnt, held, int(layers), float(rate))
                    np.savez(path.with_suffix(".tmp.npz"), rows=held, losses=each, frozen=before, logits=after, learnt=len(learnt),
                             experts=data.experts)
                    path.with_suffix(".tmp.npz").rename(path)
                stored = np.load(path)
                level, before, after = stored["losses"]
                gains.append(after - before)
                print(f"{layers} layers, {rate}, {way} {at}: {stored['learnt']} learnt, {len(level)} held out: {level.mean():.4f} mean, "
                      f"{before.mean():.4f} as it was, {after.mean():.4f} tuned: {mean_and_error(gains[-1])}", flush=True)
            print(f"{layers} layers, {rate}, {way}: tuned against as it was {mean_and_error(np.concatenate(gains))}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("dataset", "encoder", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--rows", type=int, help="learn from so many questions a fold (all)")
    parser.add_argument("--held", type=int, help="measure on so many a fold (all)")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--settings", default="1:2e-4,2:5e-5,2:2e-4", help="layers:rate,... (1:2e-4,2:5e-5,2:2e-4)")
    wanted = parser.parse_args()
    wanted.out.mkdir(parents=True, exist_ok=True)
    data, encoder = tune_minilm.Dataset(wanted.dataset), tune_minilm.Encoder(wanted.encoder)
    usable = np.flatnonzero(~np.isnan(data.scores).all(1)).tolist()
    deepest = max(int(setting.split(":")[0]) for setting in wanted.settings.split(","))
    texts = [""] * len(data.queries)  # what nobody was asked is not read
    for row in usable:
        texts[row] = tune_minilm.prompt(data.queries[row])
    lower = tune_minilm.Lower(encoder, texts, encoder.layers - deepest)
    measure(data, lower, usable, wanted)


if __name__ == "__main__":
    main()
