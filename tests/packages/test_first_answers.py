"""A stranger with Docker, with a Debian package, and with a clone reaches an answered request by README's three commands.

They are run as they stand there, but for the port, which is a free one here. Where no Docker engine runs, buildah builds
the image, and its program runs in its root file system, read-only, as its user, as a container would have it."""

import json
import os
import queue
import shlex
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from conftest import ROOT, debian, environment, need, run
from readme import ways

STORIES_END = "The gateway goes on until Ctrl-C"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


def on_port(way, port):
    assert all("8080" in command for command in way[1:])
    return [command.replace("8080", port) for command in way]


class Running:
    """A command that goes on; what it prints is read line by line."""

    def __init__(self, argv, **options):
        self.popen = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                      text=True, start_new_session=True, **options)
        self.lines, self.text = queue.Queue(), ""
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.popen.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def wait_for(self, words, seconds=120):
        end = time.monotonic() + seconds
        while words not in self.text:
            line = self.lines.get(timeout=max(0.1, end - time.monotonic()))
            assert line is not None, self.text
            self.text += line

    def interrupt(self):
        """As Ctrl-C does: the whole group hears of it."""
        os.killpg(self.popen.pid, signal.SIGINT)
        return self.popen.wait(30)


def answered(text):
    answer = json.loads(text)
    assert answer["object"] == "chat.completion" and "391" in answer["choices"][0]["message"]["content"], text


def test_with_a_debian_package(deb, system):
    apt, demo, curl = on_port(ways()[1], free_port())
    there = system("bookworm")
    shutil.copy(deb, there.root / "root")
    (there.root / "etc" / "apt" / "apt.conf.d" / "90yes").write_text('APT::Get::Assume-Yes "true";\n')
    there.run("apt-get update -q")  # as a system has done before
    assert apt.startswith("sudo ") and Path(apt.split()[-1]).name == deb.name
    there.run(f"cd /root && {apt.removeprefix('sudo ')}")
    running = Running(there.argv(f"cd /tmp && exec {demo}"), env=there.environment)
    try:
        running.wait_for(STORIES_END)
        answered(there.run(curl).stdout)
        assert there.run("leeroo health " + curl.split()[1].removesuffix("/v1/chat/completions")).stdout.endswith("is ready\n")
    finally:
        running.interrupt()


def test_with_a_clone(tmp_path):
    make, demo, curl = on_port(ways()[2], free_port())
    need("git", "make", "curl")
    run("git", "clone", "--quiet", ROOT, tmp_path / "leeroo")
    shell = {"cwd": tmp_path / "leeroo", "env": {**os.environ, "MAKEFLAGS": ""}}
    run("sh", "-c", make, seconds=3600, **shell)
    running = Running(["sh", "-c", f"exec {demo}"], **shell)
    try:
        running.wait_for(STORIES_END)
        answered(run("sh", "-c", curl, **shell).stdout)
    finally:
        assert running.interrupt() == 0
    shutil.rmtree(tmp_path / "leeroo")


class Image:
    """The image as buildah makes it, from a Debian that debootstrap makes, since no registry needs to be there."""

    def __init__(self, folder):
        need("buildah", "unshare")
        self.argv = ["buildah", "--root", str(folder / "store"), "--runroot", str(folder / "run")]
        self.env = {**os.environ, "BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "vfs"}
        base = debian("bookworm")
        (folder / "base").mkdir()
        run("tar", "-C", base, "--exclude=./proc/*", "--exclude=./sys/*", "-cf", folder / "base" / "base.tar", ".")
        (folder / "base" / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
        done = self.buildah("build", "-t", "localhost/debian:bookworm", folder / "base", check=False)
        if done.returncode != 0:
            pytest.skip(f"skipped: buildah cannot build here: {done.stderr[-300:]}")

    def buildah(self, *words, seconds=3600, **options):
        return run(*self.argv, *words, seconds=seconds, env=self.env, **options)

    def build(self, docker_build):
        """`docker build -t NAME FOLDER`, with the Debian from here as its base."""
        words = shlex.split(docker_build)
        assert words[:3] == ["docker", "build", "-t"] and words[4] == "."
        llama = environment()["LEEROO_LLAMA"] if os.environ.get("LEEROO_IMAGE_LLAMA") else "no"  # minutes of compiling
        self.buildah("build", "--build-arg", "BASE=localhost/debian:bookworm", "--build-arg", "RUNTIME=localhost/debian:bookworm",
                     "--build-arg", f"LLAMA={llama}", "-t", f"localhost/{words[3]}", ROOT)
        self.container = self.buildah("from", f"localhost/{words[3]}").stdout.strip()
        self.root = self.buildah("mount", self.container).stdout.strip()
        return json.loads(self.buildah("inspect", "--type", "image", f"localhost/{words[3]}").stdout)["Docker"]["config"]

    def run_argv(self, config, arguments):
        """The root file system read-only, a /tmp and the volume of its own, the user without a right."""
        words = " ".join(shlex.quote(word) for word in [*config["Entrypoint"], *arguments])
        uid, gid = config["User"].split(":")
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", f"""
            cd {shlex.quote(self.root)}
            mount --bind . . && cd {shlex.quote(self.root)} && mount -o remount,ro,bind .
            mount -t tmpfs -o mode=1777 tmpfs tmp && mount -t tmpfs -o mode=700,uid={uid} tmpfs var/lib/leeroo && mount -t proc proc proc
            exec chroot . setpriv --reuid={uid} --regid={gid} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \\
                sh -c 'cd {config["WorkingDir"]}; (touch /tmp/x && ! touch /x) 2>/dev/null || exit 9; exec "$@"' sh {words}"""]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image")
    made = Image(folder)
    yield made
    subprocess.run([*made.argv, "rm", "--all"], capture_output=True, check=False, env=made.env)
    shutil.rmtree(folder, ignore_errors=True)


def engine_runs():
    return shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not engine_runs(), reason="skipped: no Docker engine runs here")
def test_with_docker():
    build, demo, curl = on_port(ways()[0], free_port())
    run("sh", "-c", build, seconds=3600, cwd=ROOT)
    running = Running(["sh", "-c", f"exec {demo}"], cwd=ROOT)
    try:
        running.wait_for(STORIES_END)
        answered(run("sh", "-c", curl).stdout)
    finally:
        running.interrupt()


def test_with_buildah_in_the_place_of_docker(image):
    port = free_port()
    build, demo, curl = on_port(ways()[0], port)
    config = image.build(build)
    assert config["User"] == "10001:10001" and list(config["Volumes"]) == ["/var/lib/leeroo"]
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    arguments = shlex.split(demo.split(" leeroo ", 1)[1])
    running = Running(image.run_argv(config, arguments))
    try:
        running.wait_for(STORIES_END)
        answered(run("sh", "-c", curl).stdout)
        health = subprocess.run(image.run_argv(config, ["health", f"http://127.0.0.1:{port}"]), capture_output=True, text=True,
                                timeout=60, check=False)
        assert (health.returncode, health.stdout) == (0, f"http://127.0.0.1:{port} is ready\n"), health.stderr
    finally:
        running.interrupt()
    unready = subprocess.run(image.run_argv(config, config["Cmd"]), capture_output=True, text=True, timeout=60, check=False)
    assert unready.returncode == 1 and "leeroo keys create" in unready.stderr, unready.stderr
