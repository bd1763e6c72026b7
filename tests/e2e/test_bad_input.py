"""Every row of docs/errors.md: what is wrong is made, and what the program says is compared with the table, to the letter.

LEEROO_GOLDEN=write makes the tables anew of what it says now; look at the difference before it is committed."""

import gzip
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import write_dataset

DOC = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
CONFIG = """listen: 127.0.0.1:8080
experts:
  - name: small
    url: http://127.0.0.1:9/v1
    price: {input: 1, output: 2}
  - name: large
    url: http://127.0.0.1:9/v1
    price: {input: 5, output: 10}
policies:
  default: {lambda: 10}
"""
M64 = (1 << 64) - 1
K0, K1, K2 = 0, 0, 0  # read from the source below: the checksum is part of the format


def constants():
    text = (Path(__file__).resolve().parents[2] / "src" / "base" / "hash.c").read_text()
    return [int(re.search(rf"\bK{i} +UINT64_C\((0x[0-9a-f]+)\)", text)[1], 16) for i in range(3)]


def fold(a, b):
    product = (a & M64) * (b & M64)
    return (product ^ (product >> 64)) & M64


def hash64(data, seed):
    h = fold(seed ^ K0, len(data) ^ K1)
    for at in range(0, len(data) - len(data) % 8, 8):
        h = fold(h ^ int.from_bytes(data[at:at + 8], "little"), K2)
    if len(data) % 8:
        h = fold(h ^ int.from_bytes(data[len(data) - len(data) % 8:], "little"), K1)
    return fold(h ^ K1, K0)


def mix(a, b):
    return fold(fold(a ^ K0, K1) ^ b, K2)


def of_version(model, version):
    """The same model as if a program of another version had written it."""
    global K0, K1, K2
    K0, K1, K2 = constants()
    size = 8 + int.from_bytes(model[:8], "little")
    header, data = model[8:size], model[size:]
    at = header.index(b'"checksum":"') + 12

    def sealed(header):
        h = mix(mix(hash64(header[:at], 1), hash64(header[at + 16:], 2)), hash64(data, 3))
        return header[:at] + f"{h:016x}".encode() + header[at + 16:]
    assert sealed(header) == header, "the checksum is computed as the program does"
    return model[:8] + sealed(header.replace(b'"version":"5"', b'"version":"%d"' % version)) + data


@pytest.fixture(scope="module")
def model(leeroo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    subprocess.run([leeroo, "train", write_dataset(folder / "data"), "-q", "-o", folder / "m"], check=True, timeout=120)
    return (folder / "m").read_bytes()


def line(file, number, text):
    def change(folder):
        path = folder / "data" / file
        lines = path.read_text().split("\n")
        lines[number - 1] = text
        path.write_text("\n".join(lines))
    return change


def content(file, make):
    def change(folder):
        path = folder / "data" / file
        path.write_bytes(make(path.read_bytes()) if callable(make) else make)
    return change


def gone(name):
    def change(folder):
        path = folder / "data" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return change


def config(make):
    def change(folder):
        text = make(CONFIG) if callable(make) else make
        (folder / "leeroo.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return change


TRAIN = ("train", "data", "-o", "m")
ROUTE = ("route", "m", "data/queries.jsonl")
CHECK = ("check",)
HEADER = "id,model,score,cost_usd,input_tokens,output_tokens"

DATA = [
    ("`;` for `,` in outcomes.csv", content("outcomes.csv", lambda b: b.replace(b",", b";")), TRAIN),
    ("`;` for `,` in experts.csv", content("experts.csv", lambda b: b.replace(b",", b";")), TRAIN),
    ("tabs for `,`", content("outcomes.csv", lambda b: b.replace(b",", b"\t")), TRAIN),
    ("`0,5` for `0.5`, in quotes", line("outcomes.csv", 3, 'q0,mid,1,"0,5",10,20'), TRAIN),
    ("`0,5` for `0.5`, without", line("outcomes.csv", 3, "q0,mid,1,0,5,10,20"), TRAIN),
    ("a row that is too short", line("outcomes.csv", 3, "q0,mid"), TRAIN),
    ("a score in percent", line("outcomes.csv", 3, "q0,mid,85,0.5,10,20"), TRAIN),
    ("a score in words", line("outcomes.csv", 3, "q0,mid,yes,0.5,10,20"), TRAIN),
    ("half a token", line("outcomes.csv", 3, "q0,mid,1,0.5,10.5,20"), TRAIN),
    ("a price with its currency", line("experts.csv", 2, "cheap,$0.10,2"), TRAIN),
    ("a negative price", line("experts.csv", 2, "cheap,-1,2"), TRAIN),
    ("a model's name with a blank", line("experts.csv", 2, "my model,1,2"), TRAIN),
    ("no header", content("outcomes.csv", lambda b: b.split(b"\n", 1)[1]), TRAIN),
    ("a misspelt column", line("outcomes.csv", 1, HEADER.replace("model", "modle")), TRAIN),
    ("a column twice", line("outcomes.csv", 1, HEADER.replace("cost_usd", "score")), TRAIN),
    ("a quote that does not end", line("outcomes.csv", 3, 'q0,"mid,1,0.5,10,20'), TRAIN),
    ("an outcome twice", line("outcomes.csv", 9, "q0,cheap,1,0.1,10,20"), TRAIN),
    ("an expert twice", content("experts.csv", lambda b: b + b"cheap,1,2\n"), TRAIN),
    ("an outcome of no query", line("outcomes.csv", 3, "q9999,mid,1,0.5,10,20"), TRAIN),
    ("an empty queries.jsonl", content("queries.jsonl", b""), TRAIN),
    ("an empty outcomes.csv", content("outcomes.csv", b""), TRAIN),
    ("an empty experts.csv", content("experts.csv", b""), TRAIN),
    ("an id twice", line("queries.jsonl", 7, '{"id": "q2", "text": "again"}'), TRAIN),
    ("Python's quotes in JSON", line("queries.jsonl", 3, "{'id': 'q2', 'text': 'x'}"), TRAIN),
    ("a comma at the end of JSON", line("queries.jsonl", 3, '{"id": "q2", "text": "x",}'), TRAIN),
    ("an array for JSON lines", content("queries.jsonl", b'[{"id": "a", "text": "x"}]'), TRAIN),
    ("a plain text for JSON lines", content("queries.jsonl", b"What is 2 + 2?\n"), TRAIN),
    ("a query without text", line("queries.jsonl", 3, '{"id": "q2", "prompt": "x"}'), TRAIN),
    ("a text that is none", line("queries.jsonl", 3, '{"id": "q2", "text": 5}'), TRAIN),
    ("choices in one string", line("queries.jsonl", 3, '{"id": "q2", "text": "x", "choices": "a,b"}'), TRAIN),
    ("Latin-1 in queries.jsonl", content("queries.jsonl", lambda b: b'{"id": "q0", "text": "caf\xe9"}\n'), TRAIN),
    ("UTF-16 in queries.jsonl", content("queries.jsonl", lambda b: b.decode().encode("utf-16")), TRAIN),
    ("UTF-16 in outcomes.csv", content("outcomes.csv", lambda b: b.decode().encode("utf-16")), TRAIN),
    ("lines that end in CR alone", content("outcomes.csv", lambda b: b.replace(b"\n", b"\r")), TRAIN),
    ("a gzip file that is cut", content("queries.jsonl", lambda b: gzip.compress(b, mtime=0)[:60]), TRAIN),
    ("a data set that is not there", gone(""), TRAIN),
    ("no questions", gone("queries.jsonl"), TRAIN),
    ("no outcomes", gone("outcomes.csv"), TRAIN),
    ("a part for the whole", None, ("train", "data/queries.jsonl", "-o", "m")),
    ("an expert that is not there", None, (*TRAIN, "--experts", "cheap,med")),
    ("a byte order mark, CRLF", lambda f: [content(n, lambda b: b"\xef\xbb\xbf" + b.replace(b"\n", b"\r\n"))(f)
                                           for n in ("queries.jsonl", "outcomes.csv", "experts.csv")], (*TRAIN, "-q")),
]
MODELS = [
    ("no model", lambda f: (f / "m").unlink(), ROUTE),
    ("an empty file", lambda f: (f / "m").write_bytes(b""), ROUTE),
    ("a text", lambda f: (f / "m").write_bytes(b"this is no model\n"), ROUTE),
    ("a safetensors file of something else", lambda f: (f / "m").write_bytes((2).to_bytes(8, "little") + b"{}"), ROUTE),
    ("a model that is cut", lambda f: (f / "m").write_bytes((f / "m").read_bytes()[:-100]), ROUTE),
    ("a model of another version", lambda f: (f / "m").write_bytes(of_version((f / "m").read_bytes(), 6)), ROUTE),
    ("data for the model", None, ("eval", "data", "m")),
    ("questions for the model", None, ("route", "data/queries.jsonl", "m")),
    ("a decimal comma", None, (*ROUTE, "--lambda", "0,5")),
    ("a word for a number", None, (*ROUTE, "--lambda", "high")),
    ("two policies", None, (*ROUTE, "--lambda", "1", "--budget", "2")),
    ("no place to write to", None, ("train", "data", "-o", "no/such/m")),
]
CONFIGS = [
    ("no configuration", None, CHECK),
    ("a folder", None, ("check", "-c", "data")),
    ("an empty file", config(""), CHECK),
    ("a tab", config(lambda s: s.replace("    url", "\turl", 1)), CHECK),
    ("lines that are not below each other", config(lambda s: s.replace("    url", "   url", 1)), CHECK),
    ("a colon that is missing", config(lambda s: s.replace("listen: ", "listen ")), CHECK),
    ("a blank that is missing", config(lambda s: s.replace("lambda: 10", "lambda:10")), CHECK),
    ("a bracket that is missing", config(lambda s: s.replace("{lambda: 10}", "{lambda: 10")), CHECK),
    ("a quote that is missing", config(lambda s: s.replace("127.0.0.1:8080", '"127.0.0.1:8080')), CHECK),
    ("a decimal comma", config(lambda s: s.replace("lambda: 10", "lambda: 0,5")), CHECK),
    ("a decimal comma in quotes", config(lambda s: s.replace("input: 1,", 'input: "1,5",')), CHECK),
    ("a word for a number", config(lambda s: s.replace("lambda: 10", "lambda: high")), CHECK),
    ("a misspelt key", config(lambda s: s.replace("listen", "lisen")), CHECK),
    ("a key twice", config(lambda s: s + "listen: 127.0.0.1:1\n"), CHECK),
    ("an expert twice", config(lambda s: s.replace("large", "small")), CHECK),
    ("an expert without a URL", config(lambda s: s.replace("    url: http://127.0.0.1:9/v1\n", "", 1)), CHECK),
    ("a URL without a scheme", config(lambda s: s.replace("http://127", "127", 1)), CHECK),
    ("experts by name", config("listen: 127.0.0.1:8080\nexperts:\n  small: {url: http://127.0.0.1:9/v1}\n"), CHECK),
    ("a key of an expert in the file", config(lambda s: s.replace("    price", "    api_key: sk-abc123\n    price", 1)), CHECK),
    ("a variable that is not set", config(lambda s: s.replace("    price", "    api_key: env:NOPE\n    price", 1)), CHECK),
    ("a port that is none", config(lambda s: s.replace("8080", "80800")), CHECK),
    ("Latin-1", config(lambda s: s.encode() + b"# caf\xe9\n"), CHECK),
    ("UTF-16", config(lambda s: b"\xff\xfe" + s.encode("utf-16-le")), CHECK),
]
TABLES = {"Data sets": DATA, "Models and options": MODELS, "leeroo.yaml": CONFIGS}


def said(leeroo, model, folder, change, argv):
    write_dataset(folder / "data")
    (folder / "m").write_bytes(model)
    if change:
        change(folder)
    done = subprocess.run([leeroo, *argv], capture_output=True, timeout=60, cwd=folder, env={"PATH": "/bin", "HOME": str(folder)})
    return done.returncode, done.stderr.decode("utf-8")


def cell(text):
    """As the table has it: `text`, by longer quotes where it has some itself."""
    text = text.replace("|", "\\|")
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def rows():
    """{heading: [(what is wrong, what is said)]} of the page."""
    found, heading = {}, None
    for text in DOC.read_text().splitlines():
        if text.startswith("## "):
            heading = text[3:]
        elif text.startswith("| ") and heading and not text.startswith(("| what", "|--")):
            wrong, says = re.fullmatch(r"\| (.*?) \| (.*) \|", text).groups()
            found.setdefault(heading, []).append((wrong, says))
    return found


def test_the_tables_have_these_rows_and_no_others(leeroo, model, tmp_path):
    if os.environ.get("LEEROO_GOLDEN") == "write":
        write_page(leeroo, model, tmp_path)
    assert {heading: [wrong for wrong, _ in table] for heading, table in rows().items()} == \
        {heading: [wrong for wrong, _, _ in cases] for heading, cases in TABLES.items()}


ALL = [(heading, *case) for heading, cases in TABLES.items() for case in cases]


@pytest.mark.parametrize("heading,wrong,change,argv", ALL, ids=[f"{h}: {w}" for h, w, _, _ in ALL])
def test_what_is_said(leeroo, model, tmp_path, heading, wrong, change, argv):
    code, told = said(leeroo, model, tmp_path, change, argv)
    expected = dict(rows()[heading])[wrong]
    if told == "":
        assert code == 0 and expected == "nothing: it is taken as it is"
        return
    assert code == (2 if "expected a number" in told or "exclude" in told else 1)
    assert told.count("\n") == 1 and cell(told.rstrip("\n")) == expected


PLACES = re.compile(r"leeroo \w+: (\S+\.(jsonl|csv|yaml)(:\d+)?|data\b|m\b|nothere|no/such|--\w+)")


@pytest.mark.parametrize("heading,wrong", [(h, w) for h, w, _, _ in ALL])
def test_every_message_names_its_place(heading, wrong):
    expected = dict(rows()[heading])[wrong]
    assert expected.startswith("nothing") or PLACES.search(expected) or "no expert 'med' in data" in expected


def write_page(leeroo, model, tmp_path):
    parts = [DOC.read_text().split("## ")[0].rstrip() if DOC.exists() else "# Errors"]
    for heading, cases in TABLES.items():
        parts.append(f"\n## {heading}\n\n| what is wrong | what is said |\n|---|---|")
        for number, (wrong, change, argv) in enumerate(cases):
            folder = tmp_path / f"{heading.split()[0]}-{number}"
            folder.mkdir()
            _, told = said(leeroo, model, folder, change, argv)
            parts.append(f"| {wrong} | {cell(told.rstrip()) if told else 'nothing: it is taken as it is'} |")
    DOC.write_text("\n".join(parts) + "\n")
