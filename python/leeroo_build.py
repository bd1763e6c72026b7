"""Builds the wheel (PEP 517): the Python files beside libleeroo, which Meson compiles from this checkout.

It needs Meson, Ninja and a C compiler, and nothing from PyPI. LEEROO_LIBRARY=/path/to/libleeroo.so takes a library that
was built before. The tag says py3-none-linux_MACHINE: any Python 3, but the libc of the machine that built it or a later
one. PyPI does not take such wheels; they are for one's own machines.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sysconfig
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = ROOT / "build-library"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same bytes from the same sources


def version():
    return re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text()).group(1)


def tag():
    return "py3-none-" + re.sub(r"[-.]", "_", sysconfig.get_platform())


def run(*command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout}")


def build_library():
    """The folder of a build of libleeroo alone."""
    missing = [tool for tool in ("meson", "ninja") if not shutil.which(tool)]
    if missing:
        raise SystemExit(f"libleeroo is compiled with Meson and Ninja; missing: {', '.join(missing)}\n"
                         "install them (Debian: meson ninja-build gcc), or name a built library in LEEROO_LIBRARY")
    if not (BUILD / "build.ninja").exists():
        run("meson", "setup", BUILD, "-Dprogram=false", "-Dtests=false", "-Dbuildtype=release", "-Db_lto=true")
    run("ninja", "-C", BUILD)
    return BUILD


def library():
    return Path(os.environ.get("LEEROO_LIBRARY") or build_library() / "include" / "libleeroo.so").resolve()


def metadata():
    return (f"Metadata-Version: 2.1\nName: leeroo\nVersion: {version()}\n"
            "Summary: Decides which language model a text should go to\nLicense: Apache-2.0\n"
            "Requires-Python: >=3.9\nClassifier: Typing :: Typed\nClassifier: Operating System :: POSIX :: Linux\n"
            "Description-Content-Type: text/markdown\n\n" + (HERE / "README.md").read_text(encoding="utf-8"))


def files():
    """{name in the wheel: bytes}"""
    info = f"leeroo-{version()}.dist-info"
    package = {f"leeroo/{path.name}": path.read_bytes() for path in sorted((HERE / "leeroo").iterdir())
               if path.suffix in (".py", ".typed")}
    return {**package, "leeroo/libleeroo.so": library().read_bytes(),
            f"{info}/METADATA": metadata().encode(), f"{info}/licenses/LICENSE": (ROOT / "LICENSE").read_bytes(),
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: leeroo_build\nRoot-Is-Purelib: false\nTag: {tag()}\n".encode()}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = f"leeroo-{version()}-{tag()}.whl"
    record = []
    with zipfile.ZipFile(Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files().items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{path},sha256={digest},{len(data)}\n")
            write(wheel, path, data)
        path = f"leeroo-{version()}.dist-info/RECORD"
        write(wheel, path, "".join([*record, f"{path},,\n"]).encode())
    return name


def write(wheel, path, data):
    entry = zipfile.ZipInfo(path, EPOCH)
    entry.external_attr = (0o755 if path.endswith(".so") else 0o644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    wheel.writestr(entry, data)


def build_sdist(sdist_directory, config_settings=None):
    raise SystemExit("the sources are those of the whole repository: build a wheel from a checkout of it")


if __name__ == "__main__":
    import sys
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    folder.mkdir(parents=True, exist_ok=True)
    print(folder / build_wheel(folder))
