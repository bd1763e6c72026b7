"""A Redis server for a test, from Debian's package: on a loopback port of its own, in a folder of its own, keeping
nothing on the disk unless asked to."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time

from conftest import free_port


class Redis:
    def __init__(self, password=None, keep=False):
        self.folder = tempfile.mkdtemp(prefix="leeroo-redis-", dir="/tmp")
        self.port, self.password, self.keep = free_port(), password, keep
        secret = f":{password}@" if password else ""
        self.url = f"redis://{secret}127.0.0.1:{self.port}"
        self.process = None
        self.start()

    def start(self):
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.folder, "--save", "",
                   "--appendonly", "yes" if self.keep else "no", "--daemonize", "no",
                   "--unixsocket", f"{self.folder}/socket", "--logfile", f"{self.folder}/log.txt"]
        if self.password:
            command += ["--requirepass", self.password]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("redis-server does not start")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def command(self, *words):
        """What redis-cli prints."""
        secret = ["--no-auth-warning", "-a", self.password] if self.password else []
        done = subprocess.run(["redis-cli", "-p", str(self.port), *secret, *words], capture_output=True, text=True, timeout=30,
                              check=True)
        return done.stdout.strip()

    def close(self):
        self.thaw()
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
