"""Checks the tree against src/LAYERS and the house rules; prints one line per finding, exits 1 when there are any.

usage: tree.py [ROOT]

It reads text, not a syntax tree: the sources are kept in one format (clang-format), in which a function's body
starts with "{" and ends with "}", each alone at the start of a line. Every rule has a failing example in
test_tree.py.
"""

import re
import statistics
import sys
from pathlib import Path

from rules import RULES

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_MEDIAN_MAX = 17
LINE_BYTES_MAX = 120
CODE_FOLDERS = ("src", "include", "tests", "fuzz", "bench", "examples")

BANNED = {
    "strcpy", "strcat", "strncpy", "strncat", "sprintf", "vsprintf", "gets", "strtok", "atoi", "atol", "atoll",
    "atof", "system", "popen", "alloca", "rand", "srand", "random", "srandom", "drand48", "gmtime", "localtime",
    "asctime", "ctime", "tmpnam", "tempnam", "mktemp", "gethostbyname", "setjmp", "longjmp", "signal", "sleep",
}
BANNED_EXCEPT = {"signal": {"cli/main.c"}}
# Nothing below cli exits or prints, but for the files whose job it is.
SPEAKS = re.compile(r"\b(exit|_exit|_Exit|quick_exit|abort|printf|vprintf|puts|putchar|perror|stdout|stderr|"
                    r"STDOUT_FILENO|STDERR_FILENO)\b")
# A child that could not become its command has nowhere else to go.
MAY_SPEAK = {"base/check.c", "base/log_writer.c", "base/progress.c", "base/file.c", "judge/confined.c"}

# What the C library and the kernel offer; every other <header> must have a row in src/LAYERS.
SYSTEM_HEADERS = set("""
assert ctype errno fenv float inttypes limits locale math signal stdalign stdarg stdatomic stdbool stddef stdint
stdio stdlib stdnoreturn string strings time threads uchar wchar unistd fcntl dirent poll pthread sched glob
getopt termios netdb spawn fnmatch endian byteswap semaphore malloc libgen ftw immintrin x86intrin
""".split())
SYSTEM_FOLDERS = ("sys/", "netinet/", "arpa/", "net/", "linux/", "sanitizer/")

COMMENT_OR_LITERAL = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
INCLUDE = re.compile(r"^\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", re.M)


class Layers:
    """src/LAYERS: what each folder may include and who owns each library header."""

    def __init__(self, text):
        self.ranks, self.allowed, self.headers = {}, {}, {}
        for line in text.splitlines():
            fields = line.split("#")[0].split()
            if not fields:
                continue
            if fields[0] == "header":
                self.headers[fields[1]] = set(fields[2:])
            else:
                self.ranks[fields[1]] = int(fields[0])
                self.allowed[fields[1]] = set(fields[2:])

    def may_include(self, folder, target):
        allowed = self.allowed.get(folder, set())
        return target == folder or target in allowed or ("*" in allowed and target in self.ranks)

    def owners(self, header):
        for name, owners in self.headers.items():
            if header == name or (name.endswith("/") and header.startswith(name)):
                return owners
        return None


def blank_literals(text):
    """The code alone: comments and literals replaced, line numbers kept."""
    def blank(match):
        found = match.group(0)
        return found[0] + found[0] if found[0] in "\"'" else "\n" * found.count("\n") + " "
    return COMMENT_OR_LITERAL.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def is_system(header):
    return header.removesuffix(".h") in SYSTEM_HEADERS or header.startswith(SYSTEM_FOLDERS)


def check_layers(layers, root):
    folders = {path.name for path in (root / "src").iterdir() if path.is_dir()}
    for folder in sorted(folders ^ set(layers.ranks)):
        yield f"src/LAYERS: folder '{folder}' is in the table or in src/, but not in both"
    for folder, allowed in layers.allowed.items():
        for target in sorted(allowed - {"*"}):
            if layers.ranks.get(target, 99) >= layers.ranks[folder]:
                yield f"src/LAYERS: '{folder}' may include '{target}', which is not below it"


def check_includes(layers, root, path, text):
    inside = path.relative_to(root / "src").as_posix() if path.is_relative_to(root / "src") else None
    for match in INCLUDE.finditer(text):
        where = f"{path.relative_to(root)}:{line_of(text, match.start(1))}"
        header = match.group(2)
        owners = layers.owners(header)
        if owners is not None:
            if inside is not None and inside not in owners:
                yield f"{where}: <{header}> belongs to {', '.join(sorted(owners))}"
        elif match.group(1) == "<":
            if inside is not None and not is_system(header):
                yield f"{where}: <{header}> has no row in src/LAYERS"
        elif inside is not None:
            yield from check_own_include(layers, root, inside, header, where)


def check_own_include(layers, root, inside, header, where):
    folder, target = inside.split("/")[0], header.split("/")[0]
    if not (root / "src" / header).is_file():
        yield f"{where}: \"{header}\" is not a path from src/"
    elif not layers.may_include(folder, target):
        yield f"{where}: {folder} may not include {target} (src/LAYERS)"
    elif header.endswith("_int.h") and target != folder:
        yield f"{where}: \"{header}\" is private to {target}"


def function_lengths(code):
    """(line of the opening brace, lines from brace to brace) of every function."""
    start = None
    for number, line in enumerate(code.splitlines(), 1):
        if line == "{":
            start = number
        elif line.rstrip() == "}" and start is not None:
            yield start, number - start + 1
            start = None


def check_shape(root, path, text, code):
    name = path.relative_to(root)
    lines = text.splitlines()
    if len(lines) > FILE_LINES_MAX:
        yield f"{name}: {len(lines)} lines, over {FILE_LINES_MAX}"
    for start, length in function_lengths(code):
        if length > FUNCTION_LINES_MAX:
            yield f"{name}:{start}: a function of {length} lines, over {FUNCTION_LINES_MAX}"
    if not text.lstrip().startswith("/*"):
        yield f"{name}: does not open with a comment saying what it is for"
    if path.suffix == ".h" and "#pragma once" not in text:
        yield f"{name}: no #pragma once"
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            yield f"{name}:{number}: a tab"
        if line != line.rstrip():
            yield f"{name}:{number}: white space at the end of the line"
        if len(line) > LINE_BYTES_MAX:
            yield f"{name}:{number}: {len(line)} columns, over {LINE_BYTES_MAX}"


def check_words(root, path, code):
    name = path.relative_to(root)
    inside = path.relative_to(root / "src").as_posix() if path.is_relative_to(root / "src") else None
    for match in re.finditer(r"(?<![.>\w])(\w+)\s*\(", code):
        word = match.group(1)
        if word in BANNED and inside is not None and inside not in BANNED_EXCEPT.get(word, ()):
            yield f"{name}:{line_of(code, match.start())}: {word}() is banned"
    if inside is None or inside.startswith("cli/") or inside in MAY_SPEAK:
        return
    for match in SPEAKS.finditer(code.replace("format(printf", "format(")):
        yield f"{name}:{line_of(code, match.start())}: '{match.group(1)}' below cli: return an error instead"


def check_listed(root, path):
    """A source that no meson.build names is dead."""
    build = path.parent / "meson.build"
    text = build.read_text() if build.is_file() else ""
    name = path.name
    if path.parent == root / "fuzz" and name.startswith("fuzz_"):
        name = path.stem.removeprefix("fuzz_")
    if f"'{name}'" not in text and f"'{path.stem}'" not in text:
        yield f"{path.relative_to(root)}: no meson.build names it"


def check_architecture(layers, root):
    """The table in ARCHITECTURE.md says what src/LAYERS says."""
    path = root / "ARCHITECTURE.md"
    if not path.is_file():
        return
    rows = re.findall(r"^\|\s*(\d+)\s*\|\s*`(\w+)`\s*\|([^|]*)\|", path.read_text(), re.M)
    shown = {folder: (int(rank), {"*" if m == "all" else m for m in may.replace("–", "").split()}) for rank, folder, may in rows}
    for folder in sorted(set(shown) | set(layers.ranks)):
        if shown.get(folder) != (layers.ranks.get(folder), layers.allowed.get(folder)):
            yield f"ARCHITECTURE.md: the row of '{folder}' differs from src/LAYERS"


def findings_of_rules(layers, files):
    for rule, check in RULES.items():
        for folder, text in check(files, layers):
            yield f"{text} [{rule} {folder}]"


def load(root):
    """{path from the root: (text, code)} of all sources and pages."""
    paths = [p for folder in CODE_FOLDERS for p in (root / folder).rglob("*.[ch]")]
    pages = [p for folder in ("docs", "bench") for p in (root / folder).rglob("*.md")] + list(root.glob("*.md"))
    texts = {p.relative_to(root): p.read_text(encoding="utf-8") for p in sorted(paths) + sorted(pages)}
    return {path: (text, blank_literals(text) if path.suffix != ".md" else "") for path, text in texts.items()}


def findings(root):
    layers = Layers((root / "src" / "LAYERS").read_text())
    files = load(root)
    yield from check_layers(layers, root)
    yield from check_architecture(layers, root)
    yield from findings_of_rules(layers, files)
    lengths = []
    for path, (text, code) in files.items():
        if path.suffix == ".md":
            continue
        path = root / path
        yield from check_includes(layers, root, path, text)
        yield from check_shape(root, path, text, code)
        yield from check_words(root, path, code)
        if path.suffix == ".c":
            yield from check_listed(root, path)
        if path.is_relative_to(root / "src"):
            lengths += [length for _, length in function_lengths(code)]
    if lengths and statistics.median(lengths) > FUNCTION_LINES_MEDIAN_MAX:
        yield (f"src: half of the functions are over {statistics.median(lengths):.0f} lines; "
               f"{FUNCTION_LINES_MEDIAN_MAX} is the limit")


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(findings(root))
    for line in found:
        print(line)
    print(f"{len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
