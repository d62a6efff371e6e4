"""The product itself as a world: a server that may be used up, with a relay before it that makes bad days.

The relay is a sandbox (``hub.connect.sandbox``) that hands every request on, so that calls are counted and answers get
lost just as they do in the connectors' own sandboxes. What there is gets counted in the server's database.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Collection
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import sqlalchemy as sa

from hub.connect.capabilities import Connector, Record
from hub.connect.contract.declare import Contract, Kind, Kinds, Options
from hub.connect.contract.verdicts import NotTried
from hub.connect.contract.worlds import LiveWorld, Served
from hub.connect.registry import ConnectorEntry
from hub.connect.sandbox import Operation, SandboxApp, serve
from hub.connect.services import Services
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from hub.connect.contract.bench import Bench

ROWS = 12
MOMENT = 0.02
"""Seconds that really pass between two steps of the suite: longer than the coarsest time stamp of these products."""
HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


def by_method(method: str, path: str, body: bytes) -> Kind:
    """As most products have it."""
    return "read" if method in ("GET", "HEAD", "OPTIONS") else "write"


def by_rpc(writes: Collection[str], others: Collection[str]) -> Kinds:
    """As products with JSON-RPC have it: the last word of the method's name tells, all else reads."""

    def kind(method: str, path: str, body: bytes) -> Kind:
        word = str(json.loads(body or b"{}").get("method", "")).rpartition(".")[2]
        return "write" if word in writes else "other" if word in others else "read"

    return kind


class ServerWorld(Served, LiveWorld):
    """A test instance of the product, in which every record may be touched.

    ``options`` are settings of the connector, ``url`` among them, and two of the world's own: ``sql``
    (SQLAlchemy's URL of the server's database; without it nothing is counted independently) and ``product`` (what
    answers, in words).
    """

    name = "server"
    own = True

    def __init__(self, entry: ConnectorEntry, contract: Contract, options: Options) -> None:
        settings = {name: value for name, value in options.items() if name not in ("sql", "product")}
        if not settings.get("url"):
            raise ConfigurationError(
                f"{entry.name} has no sandbox: it is tried on a server of the product",
                where=f"hub connector verify {entry.name}",
                cure="name one that may be used up: --option url=… and what it needs, --option sql=… to count",
            )
        super().__init__(entry.name, str(options.get("product") or entry.manifest.title), self._connected, self._wait)
        self._entry, self._contract = entry, contract
        self._settings = {**settings, **contract.settings}
        self._cache = self._new_cache()
        self._stack = ExitStack()
        self._running = self._stack.enter_context(serve(Relay(str(settings["url"]), contract.kinds or by_method)))
        database = options.get("sql")
        self._engine = sa.create_engine(str(database)) if database else None

    def _connected(self, settings: Record) -> Connector:
        services = Services(self._entry.name, self._cache, sleep=self._noted)
        return self._entry.open({**self._settings, **settings, "url": self._running.url}, services)

    def _noted(self, seconds: float) -> None:
        """What the connector waits for; nobody has to sit it out."""
        self.slept.append(seconds)

    @staticmethod
    def _wait(seconds: float) -> None:
        time.sleep(min(seconds, MOMENT))

    def begin(self, bench: Bench) -> None:
        """Enough records for several pages: the server may be new."""
        if bench.trial.new is not None:
            bench.create([bench.new() for _ in range(ROWS)])

    def count(self, resource: str) -> int:
        return self._asked(resource, "")

    def holding(self, resource: str, field: str, value: str) -> int:
        return self._asked(resource, f"{field} = :value", value=value)

    def _asked(self, resource: str, condition: str, **values: str) -> int:
        if self._engine is None or resource not in self._contract.tables:
            raise NotTried("without tables: in the contract and --option sql=… nobody can look but the connector")
        table = self._contract.tables[resource]
        joint = " AND " if " where " in table.lower() else " WHERE "
        query = f"SELECT count(*) FROM {table}" + (f"{joint}{condition}" if condition else "")  # noqa: S608
        with self._engine.connect() as connection:
            return int(connection.execute(sa.text(query), values).scalar_one())

    def close(self) -> None:
        super().close()
        self._stack.close()
        if self._engine is not None:
            self._engine.dispose()


class Relay(SandboxApp):
    """Hands every request on to a server, unchanged."""

    name = "relay"

    def __init__(self, target: str, kinds: Kinds) -> None:
        super().__init__()
        parts = urlsplit(target.rstrip("/"))
        self._host, self.path = f"{parts.scheme}://{parts.netloc}", parts.path or "/"
        self._kinds = kinds
        self._session = requests.Session()
        self._session.trust_env = False

    @property
    def wsgi(self) -> WSGIApplication:
        return self._forward

    def _forward(self, environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        headers |= {"Content-Type": environ["CONTENT_TYPE"]} if environ.get("CONTENT_TYPE") else {}
        answer = self._session.request(
            environ["REQUEST_METHOD"],
            self._host + environ["REQUEST_URI"],
            headers={name: value for name, value in headers.items() if name.lower() not in HOP},
            data=environ["wsgi.input"].read(),
            allow_redirects=False,
            stream=True,
            timeout=60,
        )
        body = answer.raw.read(decode_content=False)
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in HOP]
        start(f"{answer.status_code} {answer.reason or 'OK'}", kept)
        return [body]

    def operation(self, method: str, path: str, body: bytes) -> Operation:
        return Operation(f"{method} {path}", self._kinds(method, path, body))

    def credentials(self, base_url: str) -> Record:
        return {}

    def samples(self) -> Record:
        return {}

    def resources(self) -> list[str]:
        return []

    def records(self, resource: str) -> list[Record]:
        raise LookupError(resource)

    def create(self, resource: str, values: Record, user: str) -> Record:
        raise LookupError(resource)

    def edit(self, resource: str, id: str, values: Record, user: str) -> Record:
        raise LookupError(resource)

    def delete(self, resource: str, id: str, user: str) -> None:
        raise LookupError(resource)

    def touch(self, resource: str, chance: random.Random) -> None:
        return
