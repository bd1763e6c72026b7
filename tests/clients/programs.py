"""The programs that clients run on: what scripts/install-deps put into build/clients, or the machine's own."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "clients"
PACKAGES = BUILD / "node_modules"
INSTALL = "scripts/install-deps clients installs it"


def find(name):
    """Its path; None where there is none."""
    ours = BUILD / "venv" / "bin" / name
    return str(ours) if ours.exists() else shutil.which(name)


NODE = find("node")
