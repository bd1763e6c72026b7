"""docs/glossary.md has the words that the design and the README use, each in a sentence or two, and none that nobody uses."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| \*\*(.+?)\*\* \| (.+) \|$", re.M)
# The table of words in the design, and what tables, options and headers say without explaining it.
NEEDED = """expert query outcome estimate plan decision policy universe play ledger arm lambda panel cascade prior doubt reference budget
            APGR CPT AUC ECE spread sequential verified oracle encoder judge drift gap enrol pool utility quality score hedge fallback
            circuit cooldown check knee fold dialect front guard rollback""".split()


def entries():
    found = {}
    for word, meaning in ROW.findall((ROOT / "docs" / "glossary.md").read_text()):
        for each in word.split(", "):
            assert each not in found, f"{each} is there twice"
            found[each] = meaning
    return found


def test_what_is_needed_is_there():
    words = {w.lower().rstrip("s") for w in entries()}
    assert [w for w in NEEDED if w.lower().rstrip("s") not in words] == []


def test_it_is_in_order_and_short():
    words = [w for w, _ in ROW.findall((ROOT / "docs" / "glossary.md").read_text())]
    assert words == sorted(words, key=str.lower)
    for word, meaning in entries().items():
        plain = re.sub(r"\(?\[[^]]*\]\([^)]*\)\)?", "", meaning)
        assert 1 <= len(re.findall(r"[.](?= |$)", plain)) <= 3 and len(plain) < 330, word


def test_nobody_needs_a_word_that_is_not_used(leeroo):
    """Each is in another page, in the README, or in a command's help."""
    pages = "".join(p.read_text() for p in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))] if p.name != "glossary.md")
    helped = subprocess.run([leeroo, "eval", "-h"], capture_output=True, text=True, timeout=60, check=True).stdout
    unused = [w for w in entries() if not re.search(rf"\b{re.escape(w.rstrip('s'))}", pages + helped, re.I)]
    assert unused == []


def test_readme_links_it():
    assert "(docs/glossary.md)" in (ROOT / "README.md").read_text()
