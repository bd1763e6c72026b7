"""README's three ways to a first answer, as the commands that stand there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def ways():
    """Lists of commands, in their order: Docker, the Debian package, a clone."""
    section = re.search(r"^## Install\n(.*?)^## ", (ROOT / "README.md").read_text(), re.M | re.S)[1]
    blocks = re.findall(r"(?:^    .*\n)+", section, re.M)
    return [re.sub(r" *\\\n *", " ", re.sub(r"^    ", "", block, flags=re.M)).splitlines() for block in blocks]
