"""The checks of tree.py can fail: a good tree passes, and one bad change a rule makes exactly that rule speak."""

from pathlib import Path

import pytest

import tree

LAYERS = """
# rank folder may include
0 base
1 net base
2 cli *
header zlib.h base/gz.c
header event2/ net/loop.c
header json-c/ (none)
"""

GOOD = {
    "src/LAYERS": LAYERS,
    "src/base/a.h": "/* A. */\n#pragma once\n",
    "src/base/a_int.h": "/* Private. */\n#pragma once\n",
    "src/base/gz.c": '/* Gz. */\n#include <zlib.h>\n#include "base/a.h"\n#include "base/a_int.h"\n',
    "src/base/meson.build": "sources = files('gz.c')\n",
    "src/net/loop.c": '/* Loop. exit() and printf() in a comment are fine. */\n#include <event2/event.h>\n'
                      '#include "base/a.h"\nconst char *text = "printf(exit)";\nint f(void)\n{\n    return 1;\n}\n',
    "src/net/meson.build": "sources = files('loop.c')\n",
    "src/cli/main.c": '/* Main. */\n#include "net/n.h"\n#include <stdio.h>\nint main(void)\n{\n    printf("x");\n}\n',
    "src/cli/meson.build": "sources = files('main.c')\n",
    "src/net/n.h": "/* N. */\n#pragma once\n",
    "fuzz/fuzz_a.c": "/* Fuzz. */\n",
    "fuzz/meson.build": "fuzz_targets = {\n  'a': [],\n}\n",
    "ARCHITECTURE.md": "| 0 | `base` | – | x |\n| 1 | `net` | base | x |\n| 2 | `cli` | all | x |\n",
}


def build(root: Path, changes=None):
    for name, text in {**GOOD, **(changes or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(tree.findings(root))


def appended(name, text):
    return {name: GOOD[name] + text}


def test_a_good_tree_passes(tmp_path):
    assert build(tmp_path) == []


def long_file(opening):
    return f"/* {opening} */\n" + "int x;\n" * 151


OPENING = "What.\n *\n * Which thread.\n * What not."

MIRRORS = {f"tests/{folder}/{name}": text for folder, source in {"base": "gz", "net": "loop", "cli": "main"}.items()
           for name, text in {f"test_{source}.c": "/* T. */\n", f"test_{source}_more.c": "/* T. */\n",
                              "scene.c": "/* S. */\n",
                              "meson.build": f"files('test_{source}.c', 'test_{source}_more.c', 'scene.c', 'test_pool.c')\n",
                              }.items()}


def function_of(statements):
    return "int g(void)\n{\n" + "    h();\n" * statements + "}\n"


BAD = {
    "upward include": (appended("src/base/gz.c", '#include "net/n.h"\n'), "base may not include net"),
    "folder that is not in the table": ({"src/odd/a.h": "/* A. */\n#pragma once\n"}, "folder 'odd'"),
    "table that points upwards": ({"src/LAYERS": LAYERS.replace("0 base", "0 base net")}, "not below it"),
    "include of nothing": (appended("src/net/loop.c", '#include "loop.h"\n'), "not a path from src/"),
    "private header elsewhere": (appended("src/net/loop.c", '#include "base/a_int.h"\n'), "private to base"),
    "library header elsewhere": (appended("src/net/loop.c", "#include <zlib.h>\n"), "belongs to base/gz.c"),
    "library folder elsewhere": (appended("src/base/gz.c", "#include <event2/buffer.h>\n"), "belongs to net/loop.c"),
    "library nobody may use": (appended("src/net/loop.c", "#include <json-c/json.h>\n"), "belongs to (none)"),
    "library without a row": (appended("src/net/loop.c", "#include <sqlite3.h>\n"), "no row in src/LAYERS"),
    "long file": (appended("src/net/loop.c", "int x;\n" * 800), "over 800"),
    "long function": (appended("src/net/loop.c", function_of(70)), "a function of 72 lines"),
    "long functions everywhere": (appended("src/net/loop.c", function_of(30) * 3), "half of the functions"),
    "banned function": (appended("src/net/loop.c", "int g(char *s)\n{\n    return atoi(s);\n}\n"), "atoi() is banned"),
    "exit below cli": (appended("src/net/loop.c", "void g(void)\n{\n    exit(1);\n}\n"), "'exit' below cli"),
    "print below cli": (appended("src/net/loop.c", "void g(void)\n{\n    printf(t);\n}\n"), "'printf' below cli"),
    "stderr below cli": (appended("src/net/loop.c", "void g(void)\n{\n    fputs(t, stderr);\n}\n"), "'stderr' below"),
    "tab": (appended("src/net/loop.c", "\tint x;\n"), "a tab"),
    "trailing blank": (appended("src/net/loop.c", "int x; \n"), "white space at the end"),
    "wide line": (appended("src/net/loop.c", "int " + "x" * 120 + ";\n"), "columns"),
    "no opening comment": ({"src/net/n.h": "#pragma once\n"}, "does not open with a comment"),
    "no include guard": ({"src/net/n.h": "/* N. */\n"}, "no #pragma once"),
    "dead source": ({"src/net/dead.c": "/* Dead. */\n"}, "src/net/dead.c: no meson.build names it"),
    "dead fuzz target": ({"fuzz/fuzz_b.c": "/* Fuzz. */\n"}, "fuzz/fuzz_b.c: no meson.build names it"),
    "long source without an opening": ({"src/net/loop.c": long_file("Loop.")}, "152 lines open with a comment of 1"),
    "long function without a comment": (appended("src/net/loop.c", "\n" + function_of(24)), "of 26 lines, over 25, without"),
    "permission nobody uses": ({"src/net/loop.c": "/* Loop. */\n"}, "'net' may include 'base' and never does"),
    "circle of includes": (appended("src/base/gz.c", '#include "net/n.h"\n'), "src/base: includes lead from it back to it"),
    "one name in two folders": ({"src/net/a.h": "/* A. */\n#pragma once\n"}, "src/net/a: there is a a in base, too"),
    "full folder": ({f"src/net/n{i}.h": "/* N. */\n#pragma once\n" + "int x;\n" * 700 for i in range(10)}, "over 7000"),
    "extern in a source": (appended("src/net/loop.c", "extern int y;\n"), "declared by hand"),
    "function declared by hand": ({**appended("src/base/gz.c", "int zip(int level,\n        int x)\n{\n}\n"),
                                   **appended("src/net/loop.c", "int zip(int level,\n        int x);\n")},
                                  "src/net/loop.c:9: declared by hand"),
    "header for another folder's function": (
        {**appended("src/base/gz.c", "int zip(void)\n{\n}\n"), **appended("src/net/n.h", "NODISCARD int zip(void);\n")},
        "src/net/n.h:3: zip() is base's to declare"),
    "test of nothing": ({**MIRRORS, "tests/net/test_pool.c": "/* T. */\n"}, "test_pool.c: src/net has no file of that name"),
    "folder without tests": ({k: v for k, v in MIRRORS.items() if "tests/base" not in k}, "src/base: no unit tests"),
    "wide page": ({"docs/a.md": "# A\n" + "word " * 30 + "\n"}, "docs/a.md:2: 150 columns"),
    "untrue architecture": ({"ARCHITECTURE.md": GOOD["ARCHITECTURE.md"].replace("| base |", "| – |")}, "row of 'net'"),
}


@pytest.mark.parametrize("rule", BAD)
def test_a_bad_tree_fails(tmp_path, rule):
    changes, message = BAD[rule]
    found = build(tmp_path, changes)
    assert any(message in line for line in found), found


LINK = "https://example.org/" + "x" * 120
GOOD_CHANGES = {
    "tests of files and of parts": MIRRORS,
    "an opening": {"src/net/loop.c": long_file(OPENING) + '#include "base/a.h"\n'},
    "a comment in front": appended("src/net/loop.c", "\n/* One piece. */\n" + function_of(24)),
    "a function of its own folder": {"src/net/n.h": "/* N. */\n#pragma once\nint f(void);\n"},
    "wide things in pages": {"docs/a.md": f"| {'x' * 120} |\n\n    {'x' * 120}\n\n```\n{'x' * 120}\n```\n- [a]({LINK})\n"
                                          f"{LINK}\n[![a]({LINK})]({LINK})\n[a]: {LINK}\n"},
}


@pytest.mark.parametrize("case", GOOD_CHANGES)
def test_what_is_allowed_passes(tmp_path, case):
    assert [line for line in build(tmp_path, GOOD_CHANGES[case]) if "half of the functions" not in line] == []



def test_the_command_says_so_with_its_exit_status(tmp_path, monkeypatch, capsys):
    build(tmp_path)
    monkeypatch.setattr("sys.argv", ["tree.py", str(tmp_path)])
    assert tree.main() == 0
    (tmp_path / "src/net/n.h").write_text("/* N. */\n")
    assert tree.main() == 1
    assert "src/net/n.h: no #pragma once" in capsys.readouterr().out
