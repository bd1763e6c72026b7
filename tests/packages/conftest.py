"""Shared by the tests of packages: the packages themselves, systems to install them in, and README's three ways.

Everything here needs root and Debian's packages; where something cannot be had the tests say so and are skipped. The
systems are made once, in build/systems, and copied for each test."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = ROOT / "build" / "systems"
PACKAGES = ROOT / "build" / "packages"
sys.path.insert(0, str(Path(__file__).parent))


def run(*words, seconds=600, **options):
    options.setdefault("check", True)
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=seconds,
                          stdin=subprocess.DEVNULL, check=False, **{k: v for k, v in options.items() if k != "check"})
    assert not options["check"] or done.returncode == 0, f"{words}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"skipped: no {program}")


def mirror():
    """Where this machine has its Debian packages from."""
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    text = "\n".join(path.read_text() for path in sources if path.is_file())
    found = re.search(r"^(?:URIs:|deb(?: \[.*?\])?)\s+(https?://\S+/debian)/?\s", text, re.M)
    return found[1] if found else "http://deb.debian.org/debian"


def debian(suite):
    """The folder of a small Debian, made once."""
    need("debootstrap")
    if os.geteuid() != 0:
        pytest.skip("skipped: a system to install in wants root")
    folder = SYSTEMS / suite
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        SYSTEMS.mkdir(parents=True, exist_ok=True)
        done = run("debootstrap", "--variant=minbase", "--include=ca-certificates,curl", suite, folder, mirror(), check=False,
                   seconds=1800)
        if done.returncode != 0:
            pytest.skip(f"skipped: debootstrap of {suite} failed: {done.stdout[-300:]}")
        (folder / "complete").touch()
    return folder


class System:
    """A copy of a system, with what programs want of the kernel; commands run in it as root."""

    def __init__(self, base, folder):
        self.root = folder
        run("cp", "-a", base, folder)
        for name in ("resolv.conf", "hosts"):
            if Path("/etc", name).exists():
                shutil.copy(Path("/etc", name), folder / "etc" / name)
        for path in Path("/etc/apt/apt.conf.d").glob("*proxy*"):
            shutil.copy(path, folder / "etc" / "apt" / "apt.conf.d")

    def argv(self, command):
        """In namespaces of its own, so that nothing of it stays behind when it ends."""
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "chroot", str(self.root), "/bin/sh", "-c",
                "mount -t proc proc /proc; " + command]

    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}

    def run(self, command, seconds=600, check=True):
        return run(*self.argv(command), seconds=seconds, check=check, env=self.environment)

    def boot(self, steps, seconds=300):
        """Boots the system with its own systemd, has it run a script, and gives what that printed."""
        need("systemd-nspawn")
        (self.root / "root" / "steps").write_text(steps)
        unit = self.root / "etc" / "systemd" / "system" / "steps.service"
        unit.write_text("[Unit]\nAfter=dbus.socket systemd-tmpfiles-setup.service\n[Service]\nType=oneshot\n"
                        "ExecStart=/bin/sh /root/steps\nStandardOutput=file:/root/out\nStandardError=file:/root/out\n"
                        f"TimeoutStartSec={seconds}\nExecStopPost=/bin/systemctl --no-block --force poweroff\n")
        wanted = unit.parent / "multi-user.target.wants"
        wanted.mkdir(exist_ok=True)
        (wanted / unit.name).symlink_to("/etc/systemd/system/steps.service")
        done = run("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "-D", self.root, "--private-network", "--boot",
                   seconds=seconds + 60, check=False)
        out = self.root / "root" / "out"
        if not out.exists():
            pytest.skip(f"skipped: systemd does not run in a container here: {(done.stdout + done.stderr)[-300:]}")
        return out.read_text()


@pytest.fixture
def system(tmp_path):
    """A function that makes a fresh system of a suite."""
    made = []

    def make(suite):
        made.append(System(debian(suite), tmp_path / f"system-{len(made)}"))
        return made[-1]
    yield make
    for each in made:
        shutil.rmtree(each.root, ignore_errors=True)


def environment():
    """llama.cpp for any processor takes long to build: it is part of the packages where it is there already."""
    found = subprocess.run([ROOT / "scripts" / "install-llama", "--find"], capture_output=True, check=False,
                           env={**os.environ, "LEEROO_PORTABLE": "1"})
    return {**os.environ, "LEEROO_LLAMA": "yes" if found.returncode == 0 else "no"}


def made_by(target):
    """The files that `make TARGET` says that it has made; LEEROO_PACKAGES names a folder of some that were made before."""
    if os.environ.get("LEEROO_PACKAGES"):
        return sorted(Path(os.environ["LEEROO_PACKAGES"]).resolve().iterdir())
    need("dh", "patchelf")
    done = run("make", "--no-print-directory", "-C", ROOT, target, seconds=3000, env=environment())
    return [ROOT / line for line in done.stdout.splitlines() if line.startswith("build/packages/")]


@pytest.fixture(scope="session")
def deb():
    return next(path for path in made_by("deb") if path.name.startswith("leeroo_"))


@pytest.fixture(scope="session")
def tarball():
    return next(path for path in made_by("release") if path.name.endswith(".tar.gz"))


GO_TOOLS = ROOT / "build" / "go-tools"
GO_MODULES = {"helm": "helm.sh/helm/v3/cmd/helm@v3.18.6", "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0",
              "compose-go": "github.com/compose-spec/compose-go/v2/cmd@v2.9.1"}


def go_tool(name):
    """The path of a program that is a Go module, built once where it is not installed."""
    found = shutil.which(name, path=f"{GO_TOOLS}:{os.environ['PATH']}")
    if found:
        return found
    if not shutil.which("go"):
        pytest.skip(f"skipped: no {name}, and no Go to build it")
    folder = GO_TOOLS / f"{name}.new"
    done = run("go", "install", GO_MODULES[name], check=False, seconds=1800, cwd="/", env={**os.environ, "GOBIN": str(folder)})
    if done.returncode != 0:
        pytest.skip(f"skipped: {name} could not be built: {done.stderr[-300:]}")
    next(folder.iterdir()).rename(GO_TOOLS / name)
    folder.rmdir()
    return str(GO_TOOLS / name)
