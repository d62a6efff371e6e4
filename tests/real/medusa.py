"""Medusa, playing the shop: products with variants and prices, customers, orders."""

from __future__ import annotations

import json
import shutil
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

VERSION = "2.21.2"
USER, PASSWORD = "admin@example.com", "password-for-tests"
CONFIG = """\
const { defineConfig } = require("@medusajs/framework/utils");
const http = { storeCors: "*", adminCors: "*", authCors: "*", jwtSecret: "for-tests", cookieSecret: "for-tests" };
module.exports = defineConfig({
  projectConfig: { databaseUrl: process.env.DATABASE_URL, databaseDriverOptions: { ssl: false }, http },
  admin: { disable: true },
});
"""


@dataclass(frozen=True)
class Medusa:
    url: str
    key: str
    """A secret API key: the user name of Basic authentication, without a password."""
    database: str
    ids: dict[str, str]
    """What the shop has: region, sales_channel, stock_location, shipping_profile, shipping_option."""
    version: str = VERSION

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """As a person in its own interface would; raises requests.HTTPError."""
        return _call(self.url, method, path, body, auth=(self.key, ""))


def install() -> Path:
    names = ("medusa", "framework", "cli", "admin-sdk")
    return npm_install(f"medusa-{VERSION}", {f"@medusajs/{name}": VERSION for name in names})


@contextmanager
def medusa(one: Cluster, database: str = "shop") -> Iterator[Medusa]:
    """A shop with a region, a stock location and an administrator's key; no products, customers or orders."""
    data = template("medusa", recipe("medusa.py", "medusa_shop.py"), _fill)
    one.create(database, data / "data.dump")
    known = json.loads((data / "shop.json").read_text())
    with _serve(one, database) as url:
        yield Medusa(url, known["key"], database, known["ids"])


def _fill(one: Cluster, database: str, folder: Path) -> None:
    from real.medusa_shop import open_shop

    with _folder() as place:
        env = _settings(one, database)
        run([*_program(), "db:migrate", "--skip-scripts"], cwd=place, env=env)
        run([*_program(), "user", "-e", USER, "-p", PASSWORD], cwd=place, env=env)
    with _serve(one, database) as url:
        token = _call(url, "POST", "auth/user/emailpass", {"email": USER, "password": PASSWORD})["token"]
        headers = {"Authorization": f"Bearer {token}"}
        made = _call(url, "POST", "admin/api-keys", {"title": "hub", "type": "secret"}, headers=headers)
        key = made["api_key"]["token"]
        ids = open_shop(Medusa(url, key, database, {}))
    (folder / "shop.json").write_text(json.dumps({"key": key, "ids": ids}))


@contextmanager
def _serve(one: Cluster, database: str) -> Iterator[str]:
    port = free_port()
    with _folder() as place:
        url = f"http://127.0.0.1:{port}"
        command = [*_program(), "start", "--host", "127.0.0.1", "--port", port]
        with serving(command, ready=f"{url}/health", folder=place, env=_settings(one, database)):
            yield url


@contextmanager
def _folder() -> Iterator[Path]:
    """A project of Medusa's: its packages are a link to the installed ones."""
    with tempfile.TemporaryDirectory(prefix="hub-real-medusa-") as name:
        place = Path(name)
        packages = install()
        (place / "node_modules").symlink_to(packages / "node_modules")
        shutil.copy(packages / "package.json", place)
        (place / "medusa-config.js").write_text(CONFIG)
        yield place


def _program() -> list[str]:
    return [str(node()), str(install() / "node_modules" / "@medusajs" / "cli" / "cli.js")]


def _settings(one: Cluster, database: str) -> dict[str, str]:
    return {
        "DATABASE_URL": one.url(database, "postgres"),
        "NODE_ENV": "development",
        "MEDUSA_DISABLE_TELEMETRY": "true",
        "NODE_OPTIONS": "--max-old-space-size=768",
        "TZ": "UTC",
    }


def _call(url: str, method: str, path: str, body: Any = None, **more: Any) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.request(method, f"{url}/{path}", json=body, timeout=60, **more)
    if not answer.ok:
        raise requests.HTTPError(f"{method} {path}: {answer.status_code} {answer.text[:500]}", response=answer)
    return answer.json() if answer.content else None
