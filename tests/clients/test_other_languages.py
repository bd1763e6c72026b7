"""Libraries of other languages, unchanged, in programs of their own: Node.js (the official ones, the Vercel AI SDK,
LangChain.js), Go and Java. Each prints a line for each scenario that went well."""

import os
import subprocess
from pathlib import Path

import pytest

from programs import BUILD, INSTALL, NODE, PACKAGES, find

HERE = Path(__file__).parent
GO, MAVEN, JAVA = find("go"), find("mvn"), find("java")


def play(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, **more)
    lines = [line for line in done.stdout.splitlines() if line]
    assert done.returncode == 0 and lines and all(line.startswith(("ok ", "all well")) for line in lines), done.stdout + done.stderr
    return lines


@pytest.mark.skipif(not NODE or not PACKAGES.is_dir(), reason=f"no Node.js packages: {INSTALL}")
def test_vercel_ai_sdk_and_langchain_js(url, cancelled):
    assert len(play([NODE, str(HERE / "node.mjs"), str(PACKAGES), url.removesuffix("/v1")])) == 7
    cancelled()


@pytest.mark.skipif(not GO, reason=f"no Go: {INSTALL}")
def test_go(url, cancelled, tmp_path):
    program = BUILD / "go-clients"
    BUILD.mkdir(parents=True, exist_ok=True)
    subprocess.run([GO, "build", "-o", str(program), "."], cwd=HERE / "go", check=True, timeout=1800,
                   env={**os.environ, "GOFLAGS": "-mod=mod -p=2"})
    assert play([str(program), url.removesuffix("/v1")])[-1] == "all well"
    cancelled()


@pytest.mark.skipif(not MAVEN or not JAVA, reason=f"no Java with Maven: {INSTALL}")
def test_java(url, cancelled):
    target = BUILD / "java"
    subprocess.run([MAVEN, "-q", "-f", str(HERE / "java" / "pom.xml"), f"-DbuildDirectory={target}", "package"], check=True, timeout=1800)
    assert play([JAVA, "-cp", f"{target}/classes:{target}/lib/*", "Clients", url.removesuffix("/v1")])[-1] == "all well"
    cancelled()
