"""A PostgreSQL server for a test, in a folder of its own, reached by a socket there. Uses what Debian's package installs;
as root it runs as the user `postgres`."""

import glob
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path


class Postgres:
    def __init__(self):
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.folder = tempfile.mkdtemp(prefix="leeroo-pg-", dir="/tmp")
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(self.folder, "postgres")
        self.url = f"postgresql:///postgres?host={self.folder}&user=postgres"
        self.run("initdb", "-D", f"{self.folder}/data", "-U", "postgres", "-A", "trust", "-N")
        self.start()

    def run(self, program, *arguments):
        done = subprocess.run([*self.user, f"{self.bin}/{program}", *arguments], cwd="/", text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def start(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-t", "60", "-l", f"{self.folder}/server.txt", "start", "-o",
                 f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off -c shared_buffers=16MB "
                 "-c max_connections=20")

    def stop(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")

    def freeze(self):
        """All its processes stop, as on a machine that hangs."""
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def signal(self, number):
        main = int(Path(self.folder, "data", "postmaster.pid").read_text().split()[0])
        children = subprocess.run(["pgrep", "-P", str(main)], capture_output=True, text=True, check=False).stdout.split()
        for pid in [main, *map(int, children)]:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def query(self, sql):
        """Rows as lists of texts."""
        out = self.run("psql", "-h", self.folder, "-U", "postgres", "-AtF", "\t", "-v", "ON_ERROR_STOP=1", "-c", sql,
                       "postgres")
        return [line.split("\t") for line in out.splitlines()]

    def close(self):
        try:
            self.stop()
        except AssertionError:
            pass
        shutil.rmtree(self.folder, ignore_errors=True)
