"""The tarball: whole, checksummed, and it runs on Debian 12 and the next without a package but glibc."""

import json
import re
import subprocess
import tarfile

import pytest
from conftest import ROOT, run


def test_checksums_are_right(tarball):
    sums = tarball.with_name(tarball.name.replace(".tar.gz", ".sha256"))
    done = run("sha256sum", "-c", sums, cwd=tarball.parent)
    assert done.stdout.count(": OK") == 2


def test_it_holds_what_it_needs(tarball, tmp_path):
    with tarfile.open(tarball) as whole:
        names = {name.split("/", 1)[1] for name in whole.getnames() if "/" in name}
        assert all(member.uid == 0 and not member.name.startswith(("/", "..")) for member in whole.getmembers())
        whole.extractall(tmp_path, filter="data")
    assert {"bin/leeroo", "LICENSE", "sbom.cdx.json", "share/man/man5/leeroo.yaml.5", "lib/systemd/system/leeroo.service",
            "share/doc/leeroo/docs/installing.md", "lib/leeroo/libcurl.so.4", "share/doc/leeroo/copyright/libcurl4"} <= names
    program = next(tmp_path.iterdir()) / "bin" / "leeroo"
    shown = run("ldd", program).stdout
    outside = {line.split()[0].rsplit("/", 1)[-1] for line in shown.splitlines() if str(tmp_path) not in line}
    assert {re.sub(r"\.so.*", "", name) for name in outside} <= {"linux-vdso", "libc", "libm", "libresolv", "ld-linux-x86-64"}


def test_symbols_are_no_newer_than_debian_12(tarball, tmp_path):
    with tarfile.open(tarball) as whole:
        whole.extractall(tmp_path, filter="data")
    top = next(tmp_path.iterdir())
    wanted = {version for path in [top / "bin" / "leeroo", *(top / "lib" / "leeroo").iterdir()]
              for version in re.findall(r"GLIBC_2\.(\d+)", run("objdump", "-T", path).stdout)}
    assert max(map(int, wanted)) <= 36


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_it_runs_where_nothing_is_installed(tarball, system, suite):
    there = system(suite)
    (there.root / "opt").mkdir(exist_ok=True)
    run("tar", "-xzf", tarball, "-C", there.root / "opt")
    done = there.run("cat /etc/debian_version; ls /usr/lib/x86_64-linux-gnu/libevent_core* 2>/dev/null; cd /tmp && "
                     "/opt/leeroo-*/bin/leeroo --version && /opt/leeroo-*/bin/leeroo demo -n 100 2>&1")
    assert "libevent" not in done.stdout and done.stdout.count("Right, for 0.") == 3, done.stdout


def test_the_bill_of_materials_fits_the_schema(tarball):
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    text = tarball.with_name(tarball.name.replace(".tar.gz", ".cdx.json")).read_text()
    assert validation.JsonStrictValidator(schema.SchemaVersion.V1_5).validate_str(text) is None
    bill = json.loads(text)
    with tarfile.open(tarball) as whole:
        carried = {name.rsplit("/", 1)[1] for name in whole.getnames() if "/lib/leeroo/" in name}
    listed = {p["value"] for c in bill["components"] for p in c["properties"] if p["name"] == "leeroo:soname"}
    assert carried and carried <= listed


def test_a_bill_with_a_mistake_is_refused(tarball):
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    bill = json.loads(tarball.with_name(tarball.name.replace(".tar.gz", ".cdx.json")).read_text())
    bill["components"][0]["type"] = "libary"
    assert validation.JsonStrictValidator(schema.SchemaVersion.V1_5).validate_str(json.dumps(bill)) is not None


def test_a_stripped_program_has_no_bill(tmp_path):
    run("cp", "/bin/true", tmp_path / "leeroo")
    done = subprocess.run([ROOT / "scripts" / "sbom", tmp_path / "leeroo", tmp_path / "out"], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode != 0 and not (tmp_path / "out").exists()
