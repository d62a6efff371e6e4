"""A Zoho sandbox over real HTTP with a frozen clock, and a connector that talks to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from hub.connect import budget
from hub.connect.capabilities import Remote, Write
from hub.connect.registry import find
from hub.connect.sandbox import Running, SandboxClock, serve
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache

ACCOUNT = ["Account_Name", "Phone", "Parent_Account"]
START = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)


@dataclass
class World:
    """One served sandbox, and ways to play everybody around it."""

    running: Running
    clock: SandboxClock
    slept: list[float] = field(default_factory=list)
    cache: MemoryCache = field(default_factory=MemoryCache)

    @property
    def app(self) -> Any:
        return self.running.app

    def connector(self, **settings: Any) -> Any:
        """A connector for this sandbox; it sleeps by moving the sandbox's clock."""
        services = Services(system="zoho", cache=self.cache, now=self.clock.now, sleep=self._sleep)
        return find("zoho_crm").open({**self.app.credentials(self.running.base_url), **settings}, services)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)

    def fault(self, **spec: Any) -> None:
        self.running.control.faults.add(spec)

    def calls(self) -> dict[str, int]:
        """Calls by operation since the last time this was asked."""
        counted = self.running.control.stats.as_json()["by_operation"]
        self.running.control.stats.reset()
        return counted

    def client(self) -> Client:
        return Client(self)

    def read(
        self, connector: Any, resource: str, cursor: str | None = None, fields: list[str] | None = None
    ) -> tuple[list[Remote], str | None, bool]:
        """All pages of a feed: sightings, the last cursor, and whether it was complete."""
        pages = list(connector.list_changes(resource, cursor, fields or ACCOUNT, {}))
        return [r for page in pages for r in page.records], pages[-1].cursor, pages[-1].complete

    def settled(self, connector: Any, resource: str, fields: list[str] | None = None) -> str | None:
        """A cursor after everything there has been read, some seconds later."""
        self.clock.advance(10)
        return self.read(connector, resource, fields=fields)[1]

    def seen(self, connector: Any, resource: str, fields: list[str] | None = None) -> list[Remote]:
        return self.read(connector, resource, fields=fields)[0]

    @staticmethod
    def new(key: str, **values: Any) -> Write:
        """A create of an account."""
        return Write(key=key, values={"Account_Name": f"公司 {key}", **values})

    @staticmethod
    def change(remote: Remote, **values: Any) -> Write:
        return Write(key="k", values=values, id=remote.id, version=remote.version, old=remote.record)

    @staticmethod
    def delete(remote: Remote, mode: Any = "delete", version: bool = True) -> Write:
        return Write(key="k", values={}, id=remote.id, version=remote.version if version else None, mode=mode)


class Client:
    """A plain HTTP client of the vendor's API, with a token."""

    def __init__(self, world: World) -> None:
        self.base = world.running.base_url
        self.session = requests.Session()
        self.session.trust_env = False
        self.credentials = world.app.credentials(self.base)
        self.session.headers["Authorization"] = f"Zoho-oauthtoken {self.token()['access_token']}"

    def token(self, **changes: str) -> dict[str, Any]:
        form = {"grant_type": "refresh_token", **self.credentials, **changes}
        return self.session.post(f"{self.base}/oauth/v2/token", data=form, timeout=10).json()

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, f"{self.base}/crm/v8/{path}", timeout=10, **options)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.call("GET", path, params=params)

    def since(self, path: str, moment: str, **params: Any) -> requests.Response:
        return self.call("GET", path, params=params, headers={"If-Modified-Since": moment})


@pytest.fixture(autouse=True)
def own_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Budgets live as long as the process; a pause in one test must not hold the next."""
    monkeypatch.setattr(budget, "_budgets", {})


@pytest.fixture
def make_world() -> Iterator[Any]:
    """``make_world(records=…, **options)``: a served sandbox; all are stopped at the end."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def make(records: int = 6, **options: Any) -> World:
            clock = SandboxClock()
            clock.freeze(START)
            options = {"products": 4, "orders": 5, "invoices": 2, **options}
            app = find("zoho_crm").sandbox()(records=records, seed=1, clock=clock, **options)
            return World(stack.enter_context(serve(app)), clock)

        yield make


@pytest.fixture
def world(make_world: Any) -> World:
    return make_world()
