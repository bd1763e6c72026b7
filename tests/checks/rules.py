"""The rules of tree.py that a folder may still be behind with: each yields (folder, what is wrong).

A rule sees the whole tree as {path: (text, code)}, where code is the text without comments and literals. Calls between
folders need no rule of their own: C wants a declaration before a call, so calls follow includes, as long as nobody
declares by hand what another file defines. That is the rule "extern".
"""

import re
from collections import defaultdict

OPENING_ABOVE_LINES = 150
OPENING_LINES_MIN = 4
COMMENTED_ABOVE_LINES = 25
FOLDER_LINES_MAX = 7000
MARKDOWN_COLUMNS_MAX = 120

OWN_INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"/]+)/[^"]+"', re.M)
# At the start of a line, as clang-format leaves it: what it returns, name, parameters; then ";" or a body.
FUNCTION = re.compile(r"^(?!static\b|typedef\b|return\b|else\b|#)[A-Za-z_][\w \t*]*?[ *](\w+)\(([^;{}]*)\)\s*"
                      r"(?:__attribute__\s*\(\(.*?\)\)\s*)?([;{])", re.M)


def sources(files, suffixes, tops=("src",)):
    for path, (text, code) in files.items():
        if path.suffix in suffixes and path.parts[0] in tops:
            yield path, text, code


def folder_of(path):
    return path.parts[1] if path.parts[0] == "src" and len(path.parts) > 2 else path.parts[0]


def includes_between(files):
    """{folder: {folder it includes}}, of src."""
    graph = defaultdict(set)
    for path, text, _ in sources(files, (".c", ".h")):
        graph[folder_of(path)] |= set(OWN_INCLUDE.findall(text)) - {folder_of(path)}
    return graph


def permission(files, layers):
    graph = includes_between(files)
    for folder, allowed in layers.allowed.items():
        for target in sorted(allowed - graph[folder] - {"*"}):
            yield folder, f"src/LAYERS: '{folder}' may include '{target}' and never does"


def circle(files, layers):
    graph = includes_between(files)

    def reaches(start, goal, seen):
        return any(goal == next or (next not in seen and not seen.add(next) and reaches(next, goal, seen))
                   for next in sorted(graph.get(start, ())))
    for folder in sorted(graph):
        if reaches(folder, folder, set()):
            yield folder, f"src/{folder}: includes lead from it back to it"


def opening(files, layers):
    for path, text, _ in sources(files, (".c",), ("src", "bench", "examples")):
        comment = re.match(r"\s*/\*.*?\*/", text, re.S)
        height = comment.group(0).strip().count("\n") + 1 if comment else 0
        if text.count("\n") > OPENING_ABOVE_LINES and height < OPENING_LINES_MIN:
            yield folder_of(path), (f"{path}: {text.count(chr(10))} lines open with a comment of {height}: say in "
                                    f"{OPENING_LINES_MIN} to 6 what it is for, which thread owns it, what must not be "
                                    f"called from where")


def uncommented(text_lines, code_lines):
    """(line of the signature, length) of every long function with nothing said in front of it."""
    start = None
    for number, line in enumerate(code_lines):
        if line == "{":
            start = number
        elif line.rstrip() == "}" and start is not None:
            length, first = number - start + 1, start
            while first > 0 and code_lines[first - 1].strip() and code_lines[first - 1].strip() != "}":
                first -= 1
            says = any("/*" in text_lines[i] or "*/" in text_lines[i] for i in range(max(first - 1, 0), start))
            if length > COMMENTED_ABOVE_LINES and not says:
                yield start, length
            start = None


def long_function(files, layers):
    for path, text, code in sources(files, (".c",), ("src", "bench", "examples")):
        for line, length in uncommented(text.splitlines(), code.splitlines()):
            yield folder_of(path), (f"{path}:{line}: a function of {length} lines, over {COMMENTED_ABOVE_LINES}, without "
                                    f"a comment in front that says why it is one piece")


def name(files, layers):
    """A file's name tells it apart, but for a header and its source."""
    places = defaultdict(set)
    for path, _, _ in sources(files, (".c", ".h")):
        places[path.stem].add(folder_of(path))
    for stem, folders in sorted(places.items()):
        for folder in sorted(folders) if len(folders) > 1 else ():
            yield folder, f"src/{folder}/{stem}: there is a {stem} in {' and '.join(sorted(folders - {folder}))}, too"


def size(files, layers):
    lines = defaultdict(int)
    for path, text, _ in sources(files, (".c", ".h")):
        lines[folder_of(path)] += text.count("\n")
    for folder, count in sorted(lines.items()):
        if count > FOLDER_LINES_MAX:
            yield folder, f"src/{folder}: {count} lines, over {FOLDER_LINES_MAX}"


def extern(files, layers):
    """A function is declared in a header of the folder that defines it, and nowhere else."""
    defined, declared = defaultdict(set), []
    for path, _, code in sources(files, (".c", ".h")):
        for match in re.finditer(r"^\s*extern\b.*", code, re.M):
            if path.suffix == ".c":
                declared.append((path, code.count("\n", 0, match.start()) + 1, None))
        for match in FUNCTION.finditer(code):
            if match.group(3) == "{":
                defined[match.group(1)].add(folder_of(path))
            else:
                declared.append((path, code.count("\n", 0, match.start()) + 1, match.group(1)))
    for path, line, function in declared:
        homes = defined.get(function, set())
        if function is None or (path.suffix == ".c" and homes):
            yield folder_of(path), f"{path}:{line}: declared by hand; include the header of whoever defines it"
        elif homes and folder_of(path) not in homes:
            yield folder_of(path), f"{path}:{line}: {function}() is {' and '.join(sorted(homes))}'s to declare"


def mirror(files, layers):
    """tests/x/test_y.c tests src/x/y.c, or a part of it: test_y_part.c."""
    stems = defaultdict(set)
    for path, _, _ in sources(files, (".c", ".h")):
        stems[folder_of(path)].add(path.stem)
    mirrored = set()
    for path, _, _ in sources(files, (".c",), ("tests",)):
        folder, tested = path.parts[1], path.stem.removeprefix("test_")
        if folder not in stems or tested == path.stem:
            continue
        mirrored.add(folder)
        if not any(tested == stem or tested.startswith(stem + "_") for stem in stems[folder]):
            yield folder, f"{path}: src/{folder} has no file of that name to test"
    for folder in sorted(set(stems) - mirrored) if mirrored else ():
        yield folder, f"src/{folder}: no unit tests in tests/{folder}"


def is_free(line):
    """A row of a table, a badge, or nothing but a link."""
    bare = line.strip()
    return bare.startswith(("|", "[![", "![")) or re.fullmatch(r"(?:[-*] )?(?:\[[^\]]*\]:? ?)?[(<]?https?://\S+|"
                                                               r"(?:[-*] )?\[[^\]]*\]\([^)]*\)[.,;]?", bare)


def markdown(files, layers):
    for path, (text, _) in files.items():
        fenced = False
        for number, line in enumerate(text.splitlines() if path.suffix == ".md" else (), 1):
            if line.lstrip().startswith("```"):
                fenced = not fenced
            is_code = fenced or line.startswith("    ")
            if len(line) > MARKDOWN_COLUMNS_MAX and not is_code and not is_free(line):
                yield path.stem, f"{path}:{number}: {len(line)} columns, over {MARKDOWN_COLUMNS_MAX}"


RULES = {rule.__name__.replace("_", "-"): rule
         for rule in (permission, circle, opening, long_function, name, size, extern, mirror, markdown)}
