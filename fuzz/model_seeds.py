"""Writes the seeds of fuzz_model: model files small enough to mutate, whole ones and damaged ones.

    python3 fuzz/model_seeds.py

Versions and sizes come from src/, so that a seed that should load does; tests/checks/test_seeds.py tells when this was forgotten.
The weights of the linear stage are left out: the fuzz target adds them as zeros. The checksum is mended there, too."""

import json
import re
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "fuzz" / "corpus" / "model"
WIDTHS = {"F32": 4, "U64": 8, "U8": 1, "U16": 2}
BUCKETS, SLOT_FEATURES = 1 << 18, 15


def constant(file, name):
    return re.search(rf'^#define {name}\s+"?([^"\s/]+(?:/\d+)?)"?', (ROOT / "src" / file).read_text(), re.M).group(1)


VERSION = constant("predict/model_format.h", "MODEL_VERSION")
ENCODER = constant("encode/ngram_encoder.h", "NGRAM_FINGERPRINT")
STATISTICS = int(constant("encode/ngram_encoder.h", "NGRAM_STATS"))
SPREAD_TERMS = int(constant("predict/spread.h", "SPREAD_TERMS"))
SCRIPTS = len(re.findall(r"^    SCRIPT_", (ROOT / "src/base/script.h").read_text(), re.M))
TREE = dict(nodes=2, features=[0, 61], left=[1, -1], right=[-3, -2], thresholds=[1.0, 0.5])


def tree_bytes(nodes, features, left, right, thresholds):
    pad = [0] * 7
    return struct.pack("<B7B7b7b2x7f", nodes, *(features + pad)[:7], *(left + pad)[:7], *(right + pad)[:7],
                       *(thresholds + pad)[:7])


def floats(count, value):
    return struct.pack(f"<{count}f", *[value] * count)


def expert(name, **more):
    return {"name": name, "usd_per_m_input": 0.5, "usd_per_m_output": 1.5, "usd_per_m_cached_input": 0.25, "accuracy": 0.5,
            "mean_cost_usd": 0.001, **more}


def plan(kind, rule, members, **more):
    return {"kind": kind, "rule": rule, "members": members, "gain_per_usd": 20, "share": 0.3, "next_cost_ratio": 1.2, **more}


def parts(experts, groups=2, trees=1, plans=(), members=()):
    """Tensors of a sound model: {name: [dtype, shape, bytes]}; members: of each escalation."""
    e, arms = len(experts), sum(not x.get("hidden") for x in experts) + len(plans)
    width = -(-(e + groups + 1) // 16) * 16
    t = {"train.text_hashes": ["U64", [2], struct.pack("<2Q", 1, 2)],
         "source.words.bias": ["F32", [width], floats(width, 0.1)],
         "source.groups.quality": ["F32", [groups, e], floats(groups * e, 0.5)],
         "stack.contrast": ["F32", [e], floats(e, 0.7)],
         "stack.base": ["F32", [e + 4], floats(e + 4, 0.5)],
         "stack.calibration": ["F32", [4 + 2 * e], floats(4 + 2 * e, 1)],
         "tokens": ["F32", [e, 6], struct.pack("<6f", 1, 0.25, 2, 0.5, 0.1, 1.1) * e],
         "stack.spread": ["F32", [SPREAD_TERMS], floats(SPREAD_TERMS, 0.3)],
         "forest.leaves": ["F32", [trees, 8, e], floats(trees * 8 * e, 0.1)],
         "sample.quality": ["F32", [3, arms], floats(3 * arms, 0.6)],
         "sample.cost_usd": ["F32", [3, arms], floats(3 * arms, 0.001)]}
    if plans:
        t["plans.heads"] = ["F32", [len(plans), 8], floats(8 * len(plans), 0.2)]
    for c, m in enumerate(members):
        t[f"escalation.{c}.calibration"] = ["F32", [2, m, 2], floats(4 * m, 0.9)]
        for stage in ["before", "after"]:
            t[f"escalation.{c}.{stage}.leaves"] = ["F32", [1, 8, m], floats(8 * m, 0.3)]
    t["forest.trees"] = ["U8", [trees, 52], tree_bytes(**TREE) * trees]
    for c in range(len(members)):
        for stage in ["before", "after"]:
            agree = dict(TREE, features=[3 * SLOT_FEATURES + 2, 1])
            t[f"escalation.{c}.{stage}.trees"] = ["U8", [1, 52], tree_bytes(**agree)]
    t["source.words.weights"] = ["U16", [BUCKETS, width], b""]
    return t


def listed_encoders(fingerprint=ENCODER):
    return json.dumps([{"name": "ngram", "fingerprint": fingerprint}], separators=(",", ":"))


def listed_sources(groups, **more):
    words = {"name": "words", "kind": "linear", "encoder": "ngram", "groups": groups, **more}
    return json.dumps([words, {"name": "groups", "kind": "groups", "of": "words"}], separators=(",", ":"))


def assemble(tensors, experts, plans=(), metadata=None, change=None):
    groups = tensors["source.groups.quality"][1][0]
    listed = experts if isinstance(experts, str) else json.dumps(experts, separators=(",", ":"))
    meta = {"checksum": "0" * 16, "format": "leeroo-orchestrator", "version": VERSION, "encoders": listed_encoders(),
            "sources": listed_sources(groups), "experts": listed,
            "plans": json.dumps(list(plans), separators=(",", ":")), "training": "{}", **(metadata or {})}
    header, data = {"__metadata__": meta}, b""
    for name, (dtype, shape, content) in tensors.items():
        size = WIDTHS[dtype]
        for axis in shape:
            size *= axis
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + size]}
        data += content
    if change:
        change(header)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    return struct.pack("<Q", len(text)) + text + data


def with_plans(seeds):
    names = ["e0", "e1", "e2"]
    experts = [expert(name) for name in names]
    panel = plan("panel", "trust", names, escalation=0)
    plans = [panel, plan("panel", "agree", names), plan("cascade", "trust", ["e0", "e2"], escalation=1)]

    def make(forged=None, edit=None):
        listed = plans if forged is None else [{**panel, **forged}, *plans[1:]]
        tensors = parts(experts, plans=plans, members=[3, 2])
        if edit:
            edit(tensors)
        return assemble(tensors, experts, listed)

    def far_feature(tensors):
        tensors["escalation.0.before.trees"][2] = tree_bytes(**dict(TREE, features=[3 * SLOT_FEATURES + 6, 0]))

    def no_number(tensors):
        for name in ["escalation.0.calibration", "escalation.1.after.leaves", "plans.heads"]:
            tensors[name][2] = floats(len(tensors[name][2]) // 4, float("nan"))
    seeds |= {"plans": make(), "plans_twice_a_member": make({"members": ["e0", "e0", "e1"]}),
              "plans_other_escalation": make({"escalation": 1}), "plans_no_escalation": make({"escalation": 3}),
              "plans_share": make({"share": 2}), "plans_ratio_far": make({"next_cost_ratio": 9e29}),
              "plans_unknown_member": make({"members": ["e0", "e1", "e9"]}),
              "plans_far_feature": make(edit=far_feature), "plans_not_a_number": make(edit=no_number),
              "plans_without_heads": make(edit=lambda t: t.pop("plans.heads")),
              "plans_without_an_escalation": make(edit=lambda t: t.pop("escalation.1.calibration")),
              "plans_no_list": assemble(parts(experts), experts, metadata={"plans": "{}"})}


def damaged(seeds, pair):
    def offset(amount):
        def change(header):
            header["stack.base"]["data_offsets"] = [o + amount for o in header["stack.base"]["data_offsets"]]
        return change

    def overflow(header):
        header["forest.leaves"]["shape"] = [1 << 62, 8, 2]

    def make(name=None, content=None, change=None, drop=None, metadata=None):
        tensors = parts(pair)
        if name:
            tensors[name][2] = content
        tensors.pop(drop, None)
        return assemble(tensors, pair, change=change, metadata=metadata)
    circle = tree_bytes(**dict(TREE, left=[0, -1]))
    leaf = tree_bytes(**dict(TREE, right=[-9, -2]))
    seeds |= {"not_a_number": make("stack.base", floats(6, float("nan"))), "offset_far": make(change=offset(1 << 40)),
              "offset_odd": make(change=offset(1)), "shape_overflow": make(change=overflow),
              "other_encoder": make(metadata={"encoders": listed_encoders("words/1")}), "other_version": make(metadata={"version": "1"}),
              "groups_many": make(metadata={"sources": listed_sources(99)}),
              "sources_no_list": make(metadata={"sources": "{}"}), "no_sources": make(metadata={"sources": "[]"}),
              "source_of_none": make(metadata={"sources": listed_sources(2, of="groups")}),
              "source_twice": make(metadata={"sources": listed_sources(2, name="groups")}),
              "other_kind": make(metadata={"sources": listed_sources(2, kind="nearest")}),
              "tree_circle": make("forest.trees", circle), "tree_far_leaf": make("forest.trees", leaf)}

    def scripts(slope, count=SCRIPTS):
        tensors = parts(pair)
        last = tensors.popitem(), tensors.popitem()  # weights and trees, whose elements are narrower
        tensors["tokens.scripts"] = ["F32", [2, count], floats(count, 1.3) + struct.pack("<f", slope) + floats(count - 1, 0)]
        tensors.update(reversed(last))
        return assemble(tensors, pair)
    seeds |= {"scripts": scripts(0.3), "scripts_none": scripts(0), "scripts_negative": scripts(-1), "scripts_far": scripts(1e9),
              "scripts_not_a_number": scripts(float("nan")), "scripts_more": scripts(0.3, SCRIPTS + 1)}
    for name in ["forest.trees", "source.words.weights", "sample.cost_usd", "train.text_hashes", "stack.spread"]:
        seeds["without_" + name.replace(".", "_")] = make(drop=name)


def told(seeds):
    """What a file says beside what it estimates by: lengths of the sample's texts, days, names of groups."""
    experts = [expert("e0", hidden=True, until="2026-11-30"), expert("e1", length_log=-0.3, length_log_sd=0.6),
               expert("e2", apart=True, since="2026-11-30")]
    sources = json.loads(listed_sources(2))

    def make(width=2, length=1.5, cost=0.001, names=("math, physics", "law"), day="2026-11-01"):
        tensors = parts(experts)
        last = tensors.popitem(), tensors.popitem()
        tensors["sample.text"] = ["F32", [3, width], floats(3 * width, length)]
        tensors["sample.cost_usd"][2] = floats(len(tensors["sample.cost_usd"][2]) // 4, cost)
        tensors.update(reversed(last))
        listed = json.dumps([sources[0], {**sources[1], "names": names}], separators=(",", ":"))
        return assemble(tensors, experts, metadata={"sources": listed, "trained_by": day})
    seeds |= {"told": make(), "told_scripts": make(2 + SCRIPTS), "told_width": make(3), "told_no_length": make(length=float("nan")),
              "told_far": make(length=3e38, cost=-3e38), "told_few_names": make(names=("math",)), "told_no_names": make(names=(1, 2)),
              "told_no_day": make(day=7)}


def guarded(seeds):
    """What is far from training."""
    experts = [expert("e0"), expert("e1", accuracy=0)]

    def make(limits=(1.0, 2.0, 0.2, 0.3, 0.0, 5.0), kinds=2, scale=1.0, drop=None):
        tensors = parts(experts)
        last = tensors.popitem(), tensors.popitem()
        tensors["guard.scale"] = ["F32", [2, STATISTICS], floats(2 * STATISTICS, scale)]
        tensors["guard.whiten"] = ["F32", [STATISTICS, STATISTICS], floats(STATISTICS ** 2, 0.1)]
        tensors["guard.centre"] = ["F32", [kinds, STATISTICS], floats(kinds * STATISTICS, 0.5)]
        tensors["guard.limits"] = ["F32", [len(limits)], struct.pack(f"<{len(limits)}f", *limits)]
        tensors.pop(drop, None)
        tensors.update(reversed(last))
        return assemble(tensors, experts)
    nan = float("nan")
    seeds |= {"guard": make(), "guard_kinds": make(kinds=9), "guard_no_kinds": make(kinds=0), "guard_not_a_number": make((nan,) * 6),
              "guard_far": make((2.0, 1.0, -1.0, -1.0, 3e38, -3e38), scale=3e38), "guard_few_limits": make((1.0, 2.0)),
              "guard_without_scale": make(drop="guard.scale")}


def late(seeds):
    """A head on a dense half, which comes in behind calibration."""
    experts = [expert("e0"), expert("e1"), expert("e2", apart=True)]
    words, groups = json.loads(listed_sources(2))
    head = {"name": "dense", "kind": "dense", "encoder": "ngram"}

    def make(components=2, blend=10, value=0.3, sources=(words, groups, head), drop=None):
        tensors = parts(experts)
        last = tensors.popitem(), tensors.popitem()
        tensors["source.dense.mean"] = ["F32", [STATISTICS], floats(STATISTICS, 0.1)]
        tensors["source.dense.directions"] = ["F32", [STATISTICS, components], floats(STATISTICS * components, 0.01)]
        tensors["source.dense.weights"] = ["F32", [1 + components, 3], floats(3 + 3 * components, value)]
        tensors["stack.blend"] = ["F32", [blend], floats(blend, value)]
        tensors.pop(drop, None)
        tensors.update(reversed(last))
        return assemble(tensors, experts, metadata={"sources": json.dumps(list(sources), separators=(",", ":"))})
    seeds |= {"late": make(), "late_not_a_number": make(value=float("nan")), "late_far": make(value=3e38),
              "late_many_directions": make(components=65), "late_no_directions": make(components=0), "late_blend": make(blend=3),
              "late_first": make(sources=(head, words, groups)), "late_of_nobody": make(sources=(words, groups, {**head, "encoder": "none"})),
              "late_without_blend": make(drop="stack.blend"), "late_without_mean": make(drop="source.dense.mean")}


def opinion(seeds):
    """A language model's opinion: labels and what tells how certain it is, 4 of the encoder's numbers."""
    experts = [expert("e0"), expert("e1"), expert("e2", apart=True)]
    words, groups = json.loads(listed_sources(2))
    head = {"name": "says", "kind": "opinion", "encoder": "ngram"}

    def make(certainties=4, value=0.3, label=1.0, drop=None):
        tensors = parts(experts)
        last = tensors.popitem(), tensors.popitem()
        tensors["source.says.label"] = ["F32", [3], floats(3, label)]
        tensors["source.says.shift"] = ["F32", [certainties], floats(certainties, 0.1)]
        tensors["source.says.scale"] = ["F32", [certainties], floats(certainties, value)]
        tensors["source.says.weights"] = ["F32", [2 + certainties, 3], floats(6 + 3 * certainties, value)]
        tensors["stack.blend"] = ["F32", [10], floats(10, value)]
        tensors.pop(drop, None)
        tensors.update(reversed(last))
        return assemble(tensors, experts, metadata={"sources": json.dumps([words, groups, head], separators=(",", ":"))})
    seeds |= {"opinion": make(), "opinion_not_a_number": make(value=float("nan")), "opinion_label_far": make(label=3e38),
              "opinion_no_labels": make(certainties=STATISTICS), "opinion_of_labels_alone": make(certainties=0),
              "opinion_without_label": make(drop="source.says.label")}


def make_seeds():
    pair = [expert("e0"), expert("e1")]
    one = [expert("e0")]
    odd = [expert('"\u00e9\\\n\u0001'), expert("e1")]
    seeds = {"whole": assemble(parts(pair), pair), "one_expert": assemble(parts(one), one),
             "escaped_name": assemble(parts(odd), odd), "no_experts": assemble(parts(pair), []),
             "experts_no_list": assemble(parts(pair), "{}"),
             "no_groups_no_trees": assemble(parts(pair, groups=0, trees=0), pair)}
    edited = [expert("e0", hidden=True), expert("e1"), expert("e2", apart=True)]
    nobody = [expert("e0", hidden=True)]
    seeds |= {"edited": assemble(parts(edited), edited), "all_hidden": assemble(parts(nobody), nobody)}
    damaged(seeds, pair)
    with_plans(seeds)
    told(seeds)
    guarded(seeds)
    late(seeds)
    opinion(seeds)
    seeds |= {"cut": seeds["whole"][:700], "empty": b"", "length_far": struct.pack("<Q", 1 << 60) + b"{}",
              "no_metadata": struct.pack("<Q", 2) + b"{}"}
    return seeds


if __name__ == "__main__":
    for name, content in make_seeds().items():
        (CORPUS / name).write_bytes(content)
