"""The unit of systemd: it is valid, it is hardened, and it names what the program really does."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "dist" / "leeroo.service.in"


def settings():
    found = {}
    for line in UNIT.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found.setdefault(key, []).append(value)
    return found


def test_it_gives_away_as_little_as_it_can():
    s = settings()
    for key in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "MemoryDenyWriteExecute", "ProtectHome", "DynamicUser",
                "RestrictNamespaces", "RestrictSUIDSGID", "LockPersonality", "ProtectKernelModules", "ProtectClock"):
        assert s[key] == ["yes"], key
    assert s["ProtectSystem"] == ["strict"] and s["CapabilityBoundingSet"] == [""]
    assert s["SystemCallFilter"][0] == "@system-service" and s["SystemCallArchitectures"] == ["native"]
    assert set(s["RestrictAddressFamilies"][0].split()) == {"AF_INET", "AF_INET6", "AF_UNIX"}
    assert "User" not in s, "a user of its own, made for the time that it runs"


def test_it_fits_the_program():
    s = settings()
    assert s["Type"] == ["notify"] and s["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert s["StateDirectory"] == ["leeroo"]
    assert s["LimitCORE"] == ["0"] and '"LEEROO_CORE_DUMPS"' in (ROOT / "src" / "cli" / "process_setup.h").read_text()
    source = (ROOT / "src" / "config" / "config.c").read_text()
    drain = sum(int(ms) for ms in re.findall(r"\.(?:delay_ms|timeout_ms) = (\d+)", source))
    assert int(s["TimeoutStopSec"][0].rstrip("s")) * 1000 > drain > 0
    assert "ProtectSystem" in s and "MONOTONIC_USEC" in (ROOT / "src" / "base" / "notify.c").read_text()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_systemd_finds_it_valid_and_safe(tmp_path):
    unit = tmp_path / "leeroo.service"
    unit.write_text(UNIT.read_text().replace("@bindir@/leeroo", "/bin/true"))
    verify = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True,
                            timeout=60, check=False)
    complaints = [line for line in verify.stderr.splitlines() if "leeroo.service" in line]
    assert complaints == [], verify.stderr
    security = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
                              capture_output=True, text=True, timeout=60, check=False)
    level = re.search(r"exposure level for leeroo\.service: ([\d.]+)", security.stdout)
    assert level and float(level.group(1)) <= 2.0, security.stdout + security.stderr
