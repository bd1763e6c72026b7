"""libleeroo from outside: what it shows and needs, the example by pkg-config, the Python package; all decide as `leeroo route`."""

import ctypes
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from routing import run, write_dataset
from scripts import BASE, WORDS, expected, write_scripts, written

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("LEEROO_DATA", ROOT.parent / "shared" / "data")) / "livecodebench"
HEADER = (ROOT / "include" / "leeroo.h").read_text()
DECLARED = set(re.findall(r"^LEEROO_(?:API|CHECKED) [^;(]*?(leeroo_\w+)\(", HEADER, re.M))
LIBC = {"libc.so.6", "libm.so.6", "libpthread.so.0", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def checked(*argv, **options):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=300, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """Where libleeroo lies after `meson install`."""
    sys.path.insert(0, str(ROOT / "python"))
    import leeroo_build
    sys.path.pop(0)
    folder = tmp_path_factory.mktemp("install")
    checked("meson", "install", "-C", leeroo_build.build_library(), "--no-rebuild", "--destdir", folder)
    return folder


def find(folder, name):
    return next(folder.rglob(name))


@pytest.fixture(scope="session")
def leeroo_py(installed, tmp_path_factory):
    """The package, installed by pip without a network."""
    folder = tmp_path_factory.mktemp("python")
    checked(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check",
            "--target", folder, ROOT / "python")
    sys.path.insert(0, str(folder))
    import leeroo as package
    assert Path(package.__file__).is_relative_to(folder)
    yield package
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def trained(leeroo, tmp_path_factory):
    """(model, queries as dicts): made-up ones."""
    folder = tmp_path_factory.mktemp("library")
    checked(leeroo, "train", write_dataset(folder / "train", 2000, 1), "-o", folder / "m.leeroo")
    path = write_dataset(folder / "queries", 300, 2) / "queries.jsonl"
    return folder / "m.leeroo", [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def recorded(leeroo, tmp_path_factory):
    if not DATA.is_dir():
        pytest.skip("skipped: no data")
    model = tmp_path_factory.mktemp("recorded") / "m.leeroo"
    checked(leeroo, "train", DATA, "-o", model)
    return model, [json.loads(line) for line in (DATA / "queries.jsonl").read_text().splitlines()][:300]


def route_lines(leeroo, model, queries, *options):
    text = "".join(json.dumps(q) + "\n" for q in queries)
    done = run(leeroo, "route", model, "-", *options, stdin=text)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


# What it shows and needs

def test_the_shared_library_shows_what_the_header_declares_and_needs_nothing_but_libc(installed):
    path = find(installed, "libleeroo.so")
    shown = re.findall(r" [A-Z] (\S+?)(?:@@\S+)?$", checked("nm", "-D", "--defined-only", path), re.M)
    assert set(shown) - {"LEEROO_0"} == DECLARED and len(DECLARED) > 30
    dynamic = checked("readelf", "-d", path)
    assert set(re.findall(r"NEEDED.*\[(.*)\]", dynamic)) <= LIBC
    assert re.search(r"SONAME.*\[libleeroo\.so\.0\]", dynamic)


def test_the_static_library_shows_the_same(installed):
    symbols = checked("nm", "--defined-only", "--extern-only", find(installed, "libleeroo.a"))
    assert set(re.findall(r" [A-Z] (\S+)$", symbols, re.M)) == DECLARED


def test_it_comes_with_header_page_and_pkg_config_file(installed):
    assert find(installed, "leeroo.h").read_text() == HEADER
    assert find(installed, "leeroo.3").is_file()
    version = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text()).group(1)
    assert f"Version: {version}\n" in find(installed, "leeroo.pc").read_text()
    assert f'#define LEEROO_VERSION       "{version}"' in HEADER
    numbers = [re.search(rf"#define LEEROO_VERSION_{part} +(\d+)", HEADER).group(1) for part in ("MAJOR", "MINOR", "PATCH")]
    assert ".".join(numbers) == version


def test_the_man_page_names_only_functions_that_there_are():
    page = (ROOT / "docs" / "leeroo.3").read_text()
    assert set(re.findall(r"^\.Fn (leeroo_\w+)", page, re.M)) <= DECLARED


# The example, as its users build it

@pytest.fixture(scope="session")
def flags(installed):
    environment = {**os.environ, "PKG_CONFIG_SYSROOT_DIR": str(installed),
                   "PKG_CONFIG_PATH": str(find(installed, "leeroo.pc").parent)}
    return checked("pkg-config", "--cflags", "--libs", "leeroo", env=environment).split()


@pytest.fixture(scope="session", params=["shared", "static"])
def example(request, installed, flags, tmp_path_factory):
    program = tmp_path_factory.mktemp("example") / "route"
    strict = ["gcc", "-std=gnu17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", ROOT / "examples" / "route.c"]
    if request.param == "shared":
        checked(*strict, *flags, f"-Wl,-rpath,{find(installed, 'libleeroo.so').parent}", "-o", program)
    else:
        checked(*strict, *[f for f in flags if f.startswith("-I")], find(installed, "libleeroo.a"), "-lm", "-o", program)
    return program


def texts_of(queries):
    return "".join("\n".join([q["text"], *(f"{chr(65 + i)}. {c}" for i, c in enumerate(q.get("choices") or []))]) + "\0"
                   for q in queries)


@pytest.mark.parametrize("weight", ["0", "12.5", "1000"])
def test_the_example_prints_what_leeroo_route_prints(leeroo, example, trained, weight):
    model, queries = trained
    wanted = route_lines(leeroo, model, [{"text": q["text"]} for q in queries], "--lambda", weight)
    assert checked(example, model, weight, input="".join(q["text"] + "\n" for q in queries)).splitlines() == wanted
    assert checked(example, model, weight, "-0", input=texts_of(queries)).splitlines() == wanted


def test_the_example_on_recorded_queries(leeroo, example, recorded):
    model, queries = recorded
    wanted = route_lines(leeroo, model, [{k: v for k, v in q.items() if k != "id"} for q in queries], "--lambda", "50")
    assert checked(example, model, "50", "-0", input=texts_of(queries)).splitlines() == wanted


def test_the_example_says_what_is_wrong(example, tmp_path):
    done = run(example, tmp_path / "none", "1", stdin="")
    assert done.returncode == 1 and done.stderr == \
        f"route: {tmp_path}/none: No such file or directory; `leeroo train DATASET -o {tmp_path}/none` makes it\n"
    assert run(example).returncode == 2


def test_the_header_is_good_c_and_cpp(installed, tmp_path):
    include = find(installed, "leeroo.h").parent
    for compiler, suffix, standards in (("gcc", "c", ("c99", "c17")), ("g++", "cc", ("c++11", "c++17"))):
        if not shutil.which(compiler):
            continue
        source = tmp_path / f"use.{suffix}"
        source.write_text("#include <leeroo.h>\nstruct leeroo_query q = LEEROO_QUERY_INIT;\nstruct leeroo_arm a = "
                          "LEEROO_ARM_INIT;\nint main(void) { return leeroo_abi() != LEEROO_ABI; }\n")
        for standard in standards:
            checked(compiler, f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-I", include, source)


# Python

def decide(router, queries, **options):
    return [router.route(q["text"], q.get("choices"), **options).json(q["id"]) for q in queries]


@pytest.mark.parametrize("options, arguments", [
    ({}, ()), ({"lam": 50}, ("--lambda", "50")), ({"min_quality": 0.8}, ("--min-quality", "0.8")),
    ({"max_cost_usd": "0.0001"}, ("--max-cost", "0.0001")), ({"plans": "none", "lam": 7}, ("--plans", "none", "--lambda", "7")),
    ({"experts": ["large", "small"], "lam": 20}, ("--experts", "large,small", "--lambda", "20"))])
def test_python_decides_as_leeroo_route(leeroo, leeroo_py, trained, options, arguments):
    model, queries = trained
    wanted = route_lines(leeroo, model, queries, *arguments)
    good = [i for i, line in enumerate(wanted) if '"plan": "none"' not in line]
    assert len(good) > 100
    with leeroo_py.Router.load(model, **options) as router, leeroo_py.Router.load(model) as bare:
        assert decide(router, [queries[i] for i in good]) == [wanted[i] for i in good]
        assert decide(bare, [queries[i] for i in good], **options) == [wanted[i] for i in good]
        for i in set(range(len(wanted))) - set(good):
            with pytest.raises(leeroo_py.BudgetError):
                router.route(queries[i]["text"])


def test_python_on_recorded_queries(leeroo, leeroo_py, recorded):
    model, queries = recorded
    with leeroo_py.Router.load(model, lam=50) as router:
        assert decide(router, queries) == route_lines(leeroo, model, queries, "--lambda", "50")


def test_a_budget_is_held_as_by_leeroo_route_and_goes_on_from_its_state(leeroo, leeroo_py, trained, tmp_path):
    model, queries = trained
    router = leeroo_py.Router.load(model, budget_usd_per_1k=0.1)
    lines = []
    for q in queries:
        decision = router.route(q["text"])
        lines.append(decision.json(q["id"]))
        router.observe(decision)
    assert lines == route_lines(leeroo, model, queries, "--budget", "0.1", "--state", tmp_path / "state")
    other = leeroo_py.Router.load(model, budget_usd_per_1k=0.1)
    other.resume((tmp_path / "state").read_text())
    assert other.lam == router.lam and json.loads(other.state()) == json.loads(router.state())
    other.observe(other.route("hello", lam=None), 0.5)
    assert other.lam > router.lam
    with pytest.raises(leeroo_py.InvalidError, match="another policy"):
        router.observe(router.route("hello", lam=3))
    with pytest.raises(leeroo_py.NotFoundError, match="another budget"):
        leeroo_py.Router.load(model, budget_usd_per_1k=0.2).resume(router.state())


def test_choices_are_those_of_a_query(leeroo, leeroo_py, trained):
    query = {"id": "c", "text": "Which ring?", "choices": ["a kernel", "a \u00e9lan", ""]}
    with leeroo_py.Router.load(trained[0], lam=5) as router:
        assert decide(router, [query]) == route_lines(leeroo, trained[0], [query], "--lambda", "5")


def test_a_decision_has_every_number_that_led_to_it(leeroo_py, trained):
    with leeroo_py.Router.load(trained[0], lam=30, experts=["small", "large"]) as router:
        d = router.route("prove the kernel of a ring", experts=["small", "large"])
        estimates = router.estimate("prove the kernel of a ring")
    assert d.plan == "single" and d.experts == (d.expert,) and d.lam == 30 and set(d.fallbacks) | {d.expert} == {"small", "large"}
    assert d.estimates == estimates and estimates[d.expert].quality == d.quality and estimates[d.expert].cost_usd == d.cost_usd
    why = d.explain()
    assert list(why) == ["plan", "expert", "quality", "cost_usd", "lambda", "estimates", "unfamiliar", "weighed_usd", "members", "plans",
                         "fallbacks", "ruled_out", "floor", "max_cost_usd", "model_checksum"]
    assert why["fallbacks"] == list(d.fallbacks) and why["estimates"][d.expert][1] == d.cost_usd and why["model_checksum"]


def test_prices_move_costs_and_choices(leeroo_py, trained):
    model = leeroo_py.Model.load(trained[0])
    assert model.experts == ("small", "middle", "large") and [a.kind for a in model.arms][:3] == ["single"] * 3
    dear = leeroo_py.Router(model, lam=30).estimate("prove a ring")
    free = leeroo_py.Router(model, lam=30, prices={"large": (0, "0")})
    assert free.estimate("prove a ring")["large"].cost_usd == 0 < dear["large"].cost_usd
    assert free.estimate("prove a ring")["small"] == dear["small"]
    assert free.route("prove a ring").expert == "large"


def test_errors_are_exceptions_in_the_librarys_words(leeroo_py, trained, tmp_path):
    model, _ = trained
    damaged = tmp_path / "damaged"
    damaged.write_bytes(model.read_bytes()[:-1])
    router = leeroo_py.Router.load(model)
    cases = [(lambda: leeroo_py.Model.load(tmp_path / "none"), leeroo_py.NotFoundError, "none: No such file"),
             (lambda: leeroo_py.Model.load(damaged), leeroo_py.ModelError, "damaged"),
             (lambda: leeroo_py.Model.from_bytes(b"nonsense"), leeroo_py.ModelError, "model"),
             (lambda: leeroo_py.Router.load(model, experts=["nobody"]), leeroo_py.NotFoundError, "it has small, middle, large"),
             (lambda: leeroo_py.Router.load(model, lam=1, min_quality=0.5), leeroo_py.InvalidError, "exclude"),
             (lambda: leeroo_py.Router.load(model, max_cost_usd="much"), leeroo_py.InvalidError, "no amount"),
             (lambda: leeroo_py.Router.load(model, prices={"nobody": (1, 2)}), leeroo_py.NotFoundError, "nobody"),
             (lambda: router.route("x", plans="panel(a,b->c)"), leeroo_py.NotFoundError, "plan"),
             (lambda: router.route("x", ["y"] * 27), leeroo_py.InvalidError, "26"),
             (lambda: router.route("x", experts=[]), leeroo_py.NotFoundError, "no expert can serve"),
             (lambda: router.route("x", max_cost_usd="0.000000001"), leeroo_py.BudgetError, "cost"),
             (lambda: router.state(), leeroo_py.InvalidError, "no budget")]
    for call, kind, text in cases:
        with pytest.raises(kind, match=re.escape(text)) as caught:
            call()
        assert isinstance(caught.value, leeroo_py.LeerooError) and caught.value.code != "ok"
    decision = router.route("x")
    router.close()
    router.close()
    assert "id" not in json.loads(decision.json()), "decisions stay good"
    with pytest.raises(leeroo_py.InvalidError, match="closed"):
        router.route("x")


def test_threads_share_a_router(leeroo_py, trained):
    model, queries = trained
    router = leeroo_py.Router.load(model, lam=20)
    wanted, got = decide(router, queries), {}

    def work(number):
        got[number] = decide(router, queries, lam=20 if number % 2 else None)
    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(got[i] == wanted for i in range(4))


def test_odd_texts_are_taken_as_leeroo_route_takes_them(leeroo, leeroo_py, trained):
    queries = [{"id": "", "text": ""}, {"id": "n", "text": "a\0b"}, {"id": "\u2192", "text": "\u2192 \U0001f600" * 1000}]
    with leeroo_py.Router.load(trained[0]) as router:
        assert decide(router, queries) == route_lines(leeroo, trained[0], queries)


def test_estimates_follow_what_scripts_were_learnt_to_cost(leeroo, leeroo_py, tmp_path):
    checked(leeroo, "train", write_scripts(tmp_path / "data"), "-o", tmp_path / "m.leeroo")
    with leeroo_py.Router.load(tmp_path / "m.leeroo") as router:
        for script in WORDS:
            text = written(script, 200, random.Random(1))
            for name, estimate in router.estimate(text).items():
                tokens = expected(script, text, name)
                assert abs(estimate.input_tokens - tokens - BASE) <= 0.05 * tokens + 4, (script, name)


def test_a_comma_for_a_decimal_point_changes_nothing(installed, leeroo_py, trained, tmp_path):
    if not shutil.which("localedef"):
        pytest.skip("no localedef")
    made = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", str(tmp_path / "de_DE.UTF-8")], capture_output=True)
    if made.returncode != 0:
        pytest.skip("no German locale to make")
    code = ("import locale, sys; locale.setlocale(locale.LC_ALL, 'de_DE.UTF-8'); import leeroo\n"
            "assert locale.localeconv()['decimal_point'] == ','\n"
            "print(leeroo.Router.load(sys.argv[1], budget_usd_per_1k=0.5).route('hello').json())")
    environment = {**os.environ, "LOCPATH": str(tmp_path), "PYTHONPATH": str(Path(leeroo_py.__file__).parents[1])}
    printed = checked(sys.executable, "-c", code, trained[0], env=environment)
    with leeroo_py.Router.load(trained[0], budget_usd_per_1k=0.5) as router:
        assert printed == router.route("hello").json() + "\n"


def test_python_and_c_agree_on_every_struct(installed, leeroo_py, tmp_path):
    native = sys.modules["leeroo._native"]
    pairs = {"leeroo_error": native.Error, "leeroo_offer": native.Offer, "leeroo_arm": native.Arm, "leeroo_expert": native.Expert,
             "leeroo_policy_options": native.PolicyOptions, "leeroo_query": native.Query, "leeroo_estimate": native.ArmEstimate}
    prints = [f'printf("%zu %zu\\n", offsetof(struct {name}, {member}), sizeof(((struct {name} *)0)->{member}));'
              for name, kind in pairs.items() for member, _ in kind._fields_]
    sizes = [f'printf("%zu 0\\n", sizeof(struct {name}));' for name in pairs]
    (tmp_path / "sizes.c").write_text("#include <leeroo.h>\n#include <stdio.h>\nint main(void) {" + "\n".join(prints + sizes) + "}\n")
    checked("gcc", "-I", find(installed, "leeroo.h").parent, tmp_path / "sizes.c", "-o", tmp_path / "sizes")
    wanted = [f"{getattr(kind, member).offset} {getattr(kind, member).size}" for kind in pairs.values() for member, _ in kind._fields_]
    wanted += [f"{ctypes.sizeof(kind)} 0" for kind in pairs.values()]
    assert checked(tmp_path / "sizes").splitlines() == wanted
    assert {"leeroo_" + name for name in native.FUNCTIONS} <= DECLARED


def test_the_wheel_is_tagged_for_this_machine_and_typed(installed, tmp_path):
    name = Path(checked(sys.executable, ROOT / "python" / "leeroo_build.py", tmp_path).strip().splitlines()[-1])
    assert re.fullmatch(r"leeroo-[\d.]+-py3-none-linux_\w+\.whl", name.name)
    with zipfile.ZipFile(name) as wheel:
        names = set(wheel.namelist())
    assert {"leeroo/__init__.py", "leeroo/_native.py", "leeroo/py.typed", "leeroo/libleeroo.so"} <= names
    assert any(n.endswith("licenses/LICENSE") for n in names)
