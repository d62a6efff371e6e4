"""A PostgreSQL server that is killed and started again, with the settings it is shipped with."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.postgres import unprivileged

START_SECONDS = 60.0


class Cluster:
    """One cluster in a folder of its own; only a socket, and no port but at the address ``listen``."""

    def __init__(self, programs: Path, folder: Path, listen: str = "") -> None:
        self.listen = listen
        self.programs = programs
        self.folder = folder
        self.data = folder / "data"
        self.url = f"postgresql+psycopg://hub@/hub?host={folder}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start, or start again; returns when it answers."""
        command = [self.programs / "postgres", "-D", self.data, "-c", f"listen_addresses={self.listen}"]
        command += ["-c", f"unix_socket_directories={self.folder}"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(unprivileged(command), stdout=log, stderr=log, cwd=self.folder)
        until = time.monotonic() + START_SECONDS
        while self._program("pg_isready", "-q", check=False):
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """``kill -9`` of the postmaster; its backends notice and end."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._ended()

    def crash(self) -> None:
        """``pg_ctl stop -m immediate``: all processes at once, no shutdown."""
        subprocess.run(
            unprivileged([self.programs / "pg_ctl", "-D", self.data, "stop", "-m", "immediate", "-s"]),
            check=True, capture_output=True, cwd=self.folder,
        )  # fmt: skip
        self._ended()

    def create(self) -> None:
        """The database for the hub, empty."""
        self.make("hub")

    def make(self, database: str) -> None:
        """Another one, empty."""
        self._program("psql", "-d", "postgres", "-q", "-c", f"create database {database}")

    def _ended(self) -> None:
        assert self._process is not None
        self._process.wait()
        # A new postmaster does not start while a backend of the old one still holds the shared memory.
        until = time.monotonic() + START_SECONDS
        while _at_work_in(self.data) and time.monotonic() < until:
            time.sleep(0.02)

    def _program(self, name: str, *words: str, check: bool = True) -> int:
        command = [str(self.programs / name), "-h", str(self.folder), "-U", "hub", *words]
        return subprocess.run(command, check=check, capture_output=True).returncode

    def stop(self) -> None:
        if self.runs:
            assert self._process is not None
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()


def _at_work_in(data: Path) -> bool:
    """Whether a process of PostgreSQL is still at work in its folder."""
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if (one / "cwd").readlink() == data:
                return True
        except OSError:
            continue
    return False


@contextmanager
def cluster(programs: Path, listen: str = "") -> Iterator[Cluster]:
    """A new cluster with an empty database, running; removed at the end. Whoever reaches ``listen`` may use it."""
    folder = Path(tempfile.mkdtemp(prefix="crash-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    words = [programs / "initdb", "-D", folder / "data", "-U", "hub", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
    subprocess.run(unprivileged(words), check=True, capture_output=True, cwd=folder)
    if listen:
        with (folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet trust\n")
    server = Cluster(programs, folder, listen)
    try:
        server.start()
        server.create()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
