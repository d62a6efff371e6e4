"""A product that exists for tests only: a store of records behind an HTTP interface that each test shapes."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

from hub.connect import registry
from hub.connect.answers import decode, encode
from hub.connect.capabilities import Write
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache

URL = "https://shop.test/api"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
rest = registry.find("rest")
connector = rest.module("connector")
loading = rest.module("loading")

Handler = Callable[["Call"], Any]


@dataclass
class Call:
    """One request as the product sees it. ``body`` is its JSON, or the form as a dict."""

    method: str
    path: str
    query: dict[str, Any]
    headers: dict[str, str]
    body: Any = None
    raw: bytes = b""


@dataclass
class World:
    """Answers by ``handler``: a value (200 with JSON), or (status, value), or (status, headers, value or bytes), or an
    exception of ``requests``."""

    handler: Handler
    calls: list[Call] = field(default_factory=list)
    now: datetime = NOW

    def __call__(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        call = _call(request)
        self.calls.append(call)
        answer = self.handler(call)
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, tuple):
            answer = (200, answer)
        status, headers, value = (answer[0], {}, answer[1]) if len(answer) == 2 else answer
        headers = {"Date": self.now.strftime("%a, %d %b %Y %H:%M:%S GMT"), **headers}
        return status, headers, value if isinstance(value, bytes) else encode(value)

    def paths(self) -> list[str]:
        return [f"{call.method} {call.path}" for call in self.calls]


def _call(request: requests.PreparedRequest) -> Call:
    parts = urlsplit(str(request.url))
    raw = request.body or b""
    raw = raw.encode() if isinstance(raw, str) else raw
    body: Any = None
    if raw and request.headers.get("Content-Type") == "application/json":
        body = decode(raw)
    elif raw:
        body = {name: values[0] for name, values in parse_qs(raw.decode()).items()}
    query = {name: values if name.endswith("[]") else values[0] for name, values in parse_qs(parts.query).items()}
    return Call(str(request.method), parts.path.removeprefix("/api"), query, dict(request.headers), body, raw)


@contextmanager
def product(manifest: str, handler: Handler, **settings: Any) -> Iterator[tuple[Any, World]]:
    """A connector by this manifest (see ``manifest``) to a world that answers by ``handler``."""
    world = World(handler)
    found, problems = loading.load(manifest, file="shop.yaml")
    assert found is not None, [str(problem) for problem in problems]
    services = Services("shop", MemoryCache(), now=lambda: world.now, sleep=lambda seconds: None)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            mock.add_callback(method, re.compile("https://.*"), callback=world)
        made = connector.connect(found, {"url": URL, **settings}, services)
        yield made, world
        made.close()


def manifest(customers: str = "", top: str = "") -> str:
    """A manifest of a resource ``customers``, with these lines in it and at the top."""
    head = "connector: rest\nname: shop\n"
    return head + textwrap.dedent(top).strip("\n") + "\nresources:\n  customers:\n" + textwrap.indent(
        textwrap.dedent(customers or PLAIN).strip("\n"), "    "
    ) + "\n"  # fmt: skip


PLAIN = """
list: {call: GET /customers, records: data}
get: GET /customers/{id}
fields: {id: text, name: text, changed: datetime, hub_key: text}
"""


class Store:
    """Records by id with a clock, for worlds that keep something."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = {str(row["id"]): dict(row) for row in rows}
        self.ticks = 0

    def tick(self) -> str:
        self.ticks += 1
        return f"2026-02-01T00:00:{self.ticks:02d}Z"

    def create(self, values: dict[str, Any]) -> dict[str, Any]:
        row = {"id": str(len(self.rows) + 1), **values, "changed": self.tick()}
        self.rows[row["id"]] = row
        return row

    def update(self, id: str, values: dict[str, Any]) -> dict[str, Any] | None:
        if id not in self.rows:
            return None
        self.rows[id] |= {**values, "changed": self.tick()}
        return self.rows[id]

    def serve(self, call: Call) -> Any:
        """A plain REST interface: /customers with ``?since``, ``?field=a,b``, and /customers/ID."""
        _, _, rest = call.path.strip("/").partition("/")
        if call.method == "POST":
            return 201, self.create(call.body)
        if not rest:
            rows = [r for r in self.rows.values() if (r.get("changed") or "") >= call.query.get("since", "")]
            for name in ("id", "hub_key", "name"):
                if name in call.query:
                    rows = [r for r in rows if str(r.get(name)) in call.query[name].split(",")]
            return {"data": rows}
        if rest not in self.rows:
            return 404, {"message": "no such customer"}
        if call.method == "DELETE":
            del self.rows[rest]
            return 204, {}, b""
        return self.update(rest, call.body) if call.method in ("PATCH", "PUT") else self.rows[rest]


def row(id: int, second: int = 0, **values: Any) -> dict[str, Any]:
    return {"id": str(id), "name": f"Nr {id}", "changed": f"2026-02-01T00:00:{second:02d}Z", **values}


def write(key: str, id: str | None = None, version: str | None = None, **values: Any) -> Write:
    return Write(key=key, id=id, version=version, values=values)


def ids(pages: Any) -> list[str]:
    return [remote.id for page in pages for remote in page.records]


def as_json(value: Any) -> str:
    return json.dumps(value)
