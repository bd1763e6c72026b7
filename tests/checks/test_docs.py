"""The documents are true: man pages know every option, the configuration page every key, links lead somewhere."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LEEROO = os.environ.get("LEEROO_BIN", str(ROOT / "build" / "leeroo"))
MARKDOWN = sorted(path for path in ROOT.glob("*.md")) + sorted(DOCS.glob("*.md"))


def output(*arguments):
    done = subprocess.run([LEEROO, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands():
    text = subprocess.run([LEEROO, "-h"], capture_output=True, text=True, timeout=60, check=True).stdout
    return re.findall(r"^  (\w+)  +\S", text, re.M)


def options_of(command):
    """The options in the table at the end of `leeroo COMMAND -h`, and of the other forms of it that this names."""
    text = output(command, "-h")
    forms = re.findall(rf"`leeroo\s+{command}\s+(--[\w-]+)\s+-h`", text)
    tables = [page.split("\noptions:\n")[-1] for page in [text, *(output(command, form, "-h") for form in forms)]]
    return {name for table in tables for name in re.findall(r"^\s+(?:-\w, )?(--[\w-]+)", table, re.M)}


def options_in_page(page):
    items = re.findall(r"^\.It (Fl .*)$", page.read_text(), re.M)
    return {"--" + name for item in items for name in re.findall(r"Fl Fl ([\w-]+)", item)}


@pytest.mark.parametrize("command", commands())
def test_the_man_page_has_every_option(command):
    page = DOCS / f"leeroo-{command}.1"
    assert page.is_file(), f"no {page.name}"
    assert options_in_page(page) == options_of(command)


@pytest.mark.parametrize("command", commands())
def test_the_man_page_is_installed_and_listed(command):
    assert f"'leeroo-{command}.1'" in (DOCS / "meson.build").read_text()
    assert f".It Xr leeroo-{command} 1" in (DOCS / "leeroo.1").read_text()


def test_no_man_page_without_a_command():
    assert {page.stem for page in DOCS.glob("*.1")} == {"leeroo"} | {f"leeroo-{name}" for name in commands()}


def configuration_keys():
    source = "".join(path.read_text() for path in (ROOT / "src" / "config").glob("config*.c"))
    keys = set(re.findall(r'\{"(\w+)",\s*(?:conf|config|read)_\w+', source))
    assert len(keys) > 20
    return keys


def test_the_configuration_page_has_every_key():
    page = (DOCS / "configuration.md").read_text()
    keys = configuration_keys()
    assert {key for key in keys if f"`{key}`" not in page and f"{{{key}:" not in page and f", {key}:" not in page} == set()


@pytest.fixture(scope="module")
def configuration_manual(tmp_path_factory):
    path = tmp_path_factory.mktemp("manual") / "leeroo.yaml.5"
    subprocess.run([ROOT / "scripts" / "configuration-page", DOCS / "configuration.md", path], check=True, timeout=60)
    return path


def test_the_man_page_of_the_configuration_has_every_key(configuration_manual):
    """Each row of the page's tables is an item, and each key of the sources is named."""
    text = configuration_manual.read_text()
    items = {name for line in re.findall(r"^\.It (Cm .*)$", text, re.M) for name in re.findall(r"Cm (\S+)", line)}
    rows = re.findall(r"^\| (`.*?) \|", (DOCS / "configuration.md").read_text(), re.M)
    in_rows = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert len(in_rows) > 100 and items == in_rows
    plain = text.replace("\\fB", "`").replace("\\fR", "`")
    assert {key for key in configuration_keys() - items
            if f"`{key}`" not in plain and not re.search(rf"[{{,] ?{key}:", plain)} == set()


def test_the_man_page_of_the_configuration_is_well_formed(configuration_manual):
    if not shutil.which("mandoc"):
        pytest.skip("skipped: no mandoc")
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", configuration_manual], capture_output=True, text=True,
                          timeout=60, check=False)
    assert lint.stdout + lint.stderr == ""
    shown = subprocess.run(["mandoc", "-T", "utf8", configuration_manual], capture_output=True, text=True, timeout=60,
                           check=True).stdout
    assert "](" not in shown and "env:OPENAI_API_KEY" in shown


def test_the_page_on_running_has_every_metric():
    sources = [*(ROOT / "src" / "watch").glob("metrics_*.c"), ROOT / "src" / "serve" / "metrics_page.c"]
    names = {name for path in sources for name in re.findall(r'"(leeroo_[a-z_]+)"', path.read_text())}
    assert len(names) > 30
    page = (DOCS / "running.md").read_text()
    assert {name for name in names if f"`{name}`" not in page} == set()


def headings(path):
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.S)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", text, re.M)}


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        linked = (path.parent / name).resolve() if name else path
        assert linked.exists(), f"{path.name} links to {target}"
        if anchor and linked.suffix == ".md":
            assert anchor in headings(linked), f"{path.name} links to {target}"


def test_pages_that_sources_point_to_exist():
    sources = [path for folder in ("src", "tests", "bench", "fuzz", "scripts") for path in (ROOT / folder).rglob("*")
               if path.is_file() and path.suffix in (".c", ".h", ".build", ".md", "")]
    named = {name for path in sources for name in re.findall(r"docs/[\w-]+\.md", path.read_text(errors="replace"))}
    assert {name for name in named if not (ROOT / name).is_file()} == set()


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: path.name)
def test_lines_of_code_are_not_from_somebodys_machine(path):
    assert not re.search(r"(/home/|/root/|/work/|/tmp/)\w", path.read_text())
