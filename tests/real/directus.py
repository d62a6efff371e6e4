"""Directus, playing a home-grown CRM: accounts, contacts, products, orders with lines, invoices."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from real.keeping import recipe, run
from real.node import node, npm_install
from real.postgres import Cluster, template
from real.serving import free_port, serving

VERSION = "11.17.4"
TOKEN = "token-of-the-crm-0123456789abcdef"


@dataclass(frozen=True)
class Directus:
    url: str
    token: str
    database: str
    version: str = VERSION

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """As a person in its own interface would; raises requests.HTTPError."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                method, f"{self.url}/{path}", json=body, headers={"Authorization": f"Bearer {self.token}"}, timeout=60
            )
        answer.raise_for_status()
        return answer.json().get("data") if answer.content else None


def install() -> Path:
    return npm_install(f"directus-{VERSION}", {"directus": VERSION}, stubs={"isolated-vm": "6.0.2"})


@contextmanager
def directus(one: Cluster, database: str = "crm") -> Iterator[Directus]:
    """A server with the collections of the CRM and no records, on a database of its own."""
    data = template("directus", recipe("directus.py", "directus_shape.py"), _fill)
    one.create(database, data / "data.dump")
    with _serve(one, database) as server:
        yield server


def _fill(one: Cluster, database: str, folder: Path) -> None:
    from real.directus_shape import shape

    run([*_program(), "bootstrap"], cwd=folder, env=_settings(one, database, 0))
    with _serve(one, database) as server:
        shape(server)


@contextmanager
def _serve(one: Cluster, database: str) -> Iterator[Directus]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="hub-real-directus-") as name:
        folder = Path(name)
        url = f"http://127.0.0.1:{port}"
        env = _settings(one, database, port)
        with serving([*_program(), "start"], ready=f"{url}/server/ping", folder=folder, env=env):
            yield Directus(url, TOKEN, database)


def _program() -> list[str]:
    return [str(node()), str(install() / "node_modules" / "directus" / "cli.js")]


def _settings(one: Cluster, database: str, port: int) -> dict[str, str]:
    return {
        "DB_CLIENT": "pg",
        "DB_HOST": "127.0.0.1",
        "DB_PORT": str(one.port),
        "DB_DATABASE": database,
        "DB_USER": "hub",
        "DB_PASSWORD": one.password,
        "SECRET": "a-secret-for-tests-of-forty-characters!!",
        "ADMIN_EMAIL": "admin@example.com",
        "ADMIN_PASSWORD": "password-for-tests",
        "ADMIN_TOKEN": TOKEN,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "IMPORT_IP_DENY_LIST": "",  # its flows may post to this machine
        "CACHE_ENABLED": "false",
        "RATE_LIMITER_ENABLED": "false",
        "TELEMETRY": "false",
        "NODE_OPTIONS": "--max-old-space-size=512",
        "TZ": "UTC",
    }
