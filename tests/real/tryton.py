"""Tryton, playing the ERP: 8.2 on PostgreSQL, or the older 7.0 LTS on SQLite."""

from __future__ import annotations

import base64
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from real.keeping import HERE, made, recipe, run
from real.keeping import install as ask_registry
from real.postgres import Cluster, template
from real.serving import free_port, serving

MODULES = ("party", "product", "sale", "stock", "account_invoice", "account_invoice_stock")
USER, PASSWORD = "admin", "password-for-tests"
DATABASE = "erp"


@dataclass(frozen=True)
class Tryton:
    url: str
    """Of the server; the database's name is a part of its own."""
    series: str
    database: str
    ids: dict[str, int]
    """What the company has: company, tax, term, category, unit, storage, lost."""
    file: str = ""
    """Of the SQLite database, if it is one."""
    version: str = ""
    user: str = USER
    password: str = PASSWORD
    _session: dict[str, Any] = field(default_factory=dict, repr=False)

    def call(self, method: str, *parameters: Any) -> Any:
        """As a person in its own client would: ``call("model.party.party.write", [3], {...})``. Raises RuntimeError."""
        if not self._session:
            user, token = self._post("common.db.login", [self.user, {"password": self.password}, "en"])[:2]
            word = base64.b64encode(f"{self.user}:{user}:{token}".encode()).decode()
            self._session["headers"] = {"Authorization": f"Session {word}"}
            self._session["context"] = self._post("model.res.user.get_preferences", [True, {}])
        return self._post(method, [*parameters, self._session["context"]])

    def _post(self, method: str, parameters: list[Any]) -> Any:
        path = "rpc/" if self.series >= "8" else ""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                f"{self.url}/{self.database}/{path}",
                json={"id": 1, "method": method, "params": parameters},
                headers=self._session.get("headers", {}),
                timeout=60,
            )
        answer.raise_for_status()
        body = answer.json()
        if isinstance(body, dict) and body.get("error"):
            raise RuntimeError(f"{method}: {body['error'][:2]}")
        return body["result"] if isinstance(body, dict) else body


def install(series: str) -> Path:
    """The folder of an environment with this series (``8.2``, ``7.0``)."""
    packages = [f"{name}~={series}.0" for name in ("trytond", "proteus", *(f"trytond-{_dashed(m)}" for m in MODULES))]
    packages += ["psycopg[binary,pool]"] if series >= "8" else ["setuptools<80"]

    def make(folder: Path) -> None:
        run([sys.executable, "-m", "venv", folder])
        ask_registry(
            [folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
        )

    return made(f"tryton-{series}", " ".join(packages), make)


@contextmanager
def tryton(one: Cluster, database: str = DATABASE) -> Iterator[Tryton]:
    """Tryton 8.2 with a company and no customers, products or orders, on a database of its own."""
    data = template("tryton", recipe("tryton.py", "tryton_setup.py"), _fill_postgres)
    one.create(database, data / "data.dump")
    with _serve("8.2", one.url(), database, data) as server:
        yield server


def prepared_lts() -> Path:
    """The folder of a company's data for Tryton 7.0. Making it takes a minute or two, the first time."""
    return made("tryton-7.0-data", recipe("tryton.py", "tryton_setup.py"), _fill_sqlite)


@contextmanager
def tryton_lts() -> Iterator[Tryton]:
    """The same with Tryton 7.0, on SQLite."""
    kept = prepared_lts()
    with tempfile.TemporaryDirectory(prefix="hub-real-tryton-") as name:
        shutil.copy(kept / f"{DATABASE}.sqlite", name)
        with _serve("7.0", f"sqlite:///{name}", DATABASE, kept, f"{name}/{DATABASE}.sqlite") as server:
            yield server


def _fill_postgres(one: Cluster, database: str, folder: Path) -> None:
    _set_up("8.2", one.url(), database, folder)


def _fill_sqlite(folder: Path) -> None:
    (folder / f"{DATABASE}.sqlite").touch()
    _set_up("7.0", f"sqlite:///{folder}", DATABASE, folder)


def _set_up(series: str, uri: str, database: str, folder: Path) -> None:
    programs = install(series) / "bin"
    with _configuration(uri) as (configuration, place):
        secret = place / "password"
        secret.write_text(PASSWORD)
        env = {"TRYTONPASSFILE": str(secret), "TRYTOND_CONFIG": str(configuration)}
        wanted = ["-u", "ir", *MODULES, "--activate-dependencies", "--email", "admin@example.com"]
        run([programs / "trytond-admin", "-c", configuration, "-d", database, *wanted], env=env)
        full = _joined(uri, database)
        run([programs / "python", HERE / "tryton_setup.py", full, configuration, folder / "ids.json"], env=env)


@contextmanager
def _serve(series: str, uri: str, database: str, data: Path, file: str = "") -> Iterator[Tryton]:
    programs = install(series) / "bin"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    show = "import trytond; print(trytond.__version__)"
    version = run([programs / "python", "-c", show]).strip()
    with _configuration(uri, port) as (configuration, place):
        command = [programs / "trytond", "-c", configuration, "-d", database]
        ready = f"{url}/{database}/" if series < "8" else f"{url}/{database}/rpc/"
        with serving(command, ready=ready, folder=place):
            ids = json.loads((data / "ids.json").read_text())
            yield Tryton(url, series, database, ids, file, version)


@contextmanager
def _configuration(uri: str, port: int = 0) -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory(prefix="hub-real-tryton-") as name:
        place = Path(name)
        path = place / "trytond.conf"
        database = f"[database]\nuri = {uri.removesuffix('postgres')}\npath = {uri.removeprefix('sqlite:///')}\n"
        path.write_text(f"{database}[web]\nlisten = 127.0.0.1:{port}\n[session]\ntimeout = 86400\n")
        yield path, place


def _joined(uri: str, database: str) -> str:
    """The address of one database; Tryton looks for SQLite files in the folder its configuration names."""
    return f"sqlite:///{database}" if uri.startswith("sqlite") else f"{uri.removesuffix('postgres')}{database}"


def _dashed(name: str) -> str:
    return name.replace("_", "-")
