"""A PostgreSQL server for the benchmarks, with the settings it is shipped with, on a socket in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def installed() -> Path | None:
    """The folder of PostgreSQL's programs, None when it isn't installed."""
    folders = [str(folder) for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = shutil.which("initdb", path=os.pathsep.join([*folders, os.environ.get("PATH", "")]))
    return Path(found).parent if found else None


class Postgres:
    """A running server. ``fresh()`` makes an empty database and gives its URL."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs = programs
        self.folder = folder
        self.made = 0

    def fresh(self) -> str:
        """``postgresql://…`` of a new database; the one made before is dropped."""
        self.psql(f"drop database if exists bench{self.made} with (force)")
        self.made += 1
        self.psql(f"create database bench{self.made}")
        return f"postgresql://hub@/bench{self.made}?host={self.folder}"

    def tables(self) -> dict[str, int]:
        """Table of the newest database → the bytes it takes with its indexes, the largest first."""
        statement = "select relname, pg_total_relation_size(relid) as bytes from pg_stat_user_tables order by 2 desc"
        lines = self.psql(statement, f"bench{self.made}").splitlines()
        return {name: int(size) for name, _, size in (line.partition("|") for line in lines)}

    def psql(self, statement: str, database: str = "postgres") -> str:
        """What ``psql`` prints: a line a row, columns parted by ``|``."""
        command = [self.programs / "psql", "-h", self.folder, "-U", "hub", "-d", database, "-qAt", "-c", statement]
        return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def unprivileged(command: list[object]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    words = [str(word) for word in command]
    if os.geteuid() != 0:
        return words
    user = pwd.getpwnam("postgres")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *words]


@contextmanager
def postgres(programs: Path) -> Iterator[Postgres]:
    """A server with a new, empty cluster; stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="bench-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    create = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        "hub",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]
    subprocess.run(unprivileged(create), check=True, capture_output=True, cwd=folder)
    command = [programs / "postgres", "-D", data, "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(unprivileged(command), stdout=log, stderr=log, cwd=folder)
    server = Postgres(programs, folder)
    try:
        _wait(server, process)
        yield server
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: Postgres, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        try:
            server.psql("select 1")
            return
        except subprocess.CalledProcessError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL does not start: {(server.folder / 'log').read_text()[-2000:]}")
