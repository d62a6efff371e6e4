"""Where a connector is tried: the bundled sandbox, or a live account; a connector may bring a world of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Literal

from hub.connect.capabilities import Connector, Delete, Record, Update, Write
from hub.connect.contract.declare import Contract, Options
from hub.connect.contract.verdicts import NotTried
from hub.connect.registry import ConnectorEntry
from hub.connect.sandbox import Running, serve
from hub.connect.sandbox_client import ControlClient
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.errors import ConfigurationError, HubError

if TYPE_CHECKING:
    from hub.connect.contract.bench import Bench

BadDay = Literal["lost", "down", "throttled", "nonsense", "cut off"]
"""``lost``: the answer to the next write is lost, though it was carried out. ``down``: every read fails. ``throttled``:
the next read is told to wait. ``nonsense``: reads are answered with a web page. ``cut off``: reads fail after the
first."""
PATIENCE = 2.0
"""Seconds that are really waited, in a live account, where the clock can't be moved."""
WAIT = 7.0
"""Seconds that a throttled read is told to wait."""
FAULTS: dict[str, Record] = {
    "lost": {"kind": "drop_after", "on": "write"},
    "down": {"kind": "status", "status": 503, "on": "read", "rate": 1.0},
    "throttled": {"kind": "retry_after", "on": "read", "seconds": WAIT},
    "nonsense": {"kind": "html", "on": "read", "rate": 1.0},
    "cut off": {"kind": "drop_before", "on": "read", "rate": 1.0, "skip": 1},
}


class World:
    """Base of all worlds; what one can't do, it says with ``NotTried``."""

    name = "sandbox"
    """Key of its results in capabilities.yaml."""
    product = ""
    """What answers here, in words."""
    real = False
    """Whether it is the product itself, and not an imitation of it."""
    own = True
    """Whether every record may be touched; else only those that the suite makes."""
    moves_time = False
    """Whether ``advance`` moves the clock, forwards and back."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._opened: list[Connector] = []

    def connect(self, settings: Record) -> Connector:
        """A connector to this world with these settings beside the usual ones."""
        connector = self._open(settings)
        self._opened.append(connector)
        return connector

    def _open(self, settings: Record) -> Connector:
        raise NotImplementedError

    def has(self, resource: str) -> bool:
        """Whether the resource is there."""
        return True

    def begin(self, bench: Bench) -> None:
        """Before the first rule of a trial: fill the resource, where it may be empty."""

    def edit(self, connector: Connector, resource: str, id: str, values: Record) -> None:
        """Change a record behind the connector's back, as a person would."""
        raise NotTried("nobody here can edit a record but the connector")

    def remove(self, connector: Connector, resource: str, id: str) -> None:
        """Delete a record behind the connector's back."""
        raise NotTried("nobody here can delete a record but the connector")

    def count(self, resource: str) -> int:
        """Live records, counted without the connector."""
        raise NotTried("nobody here can count but the connector")

    def holding(self, resource: str, field: str, value: str) -> int:
        """How many live records hold this text in this field, counted without the connector."""
        raise NotTried("nobody here can look but the connector")

    def advance(self, seconds: float) -> None:
        """Let time go by, as far as that is possible without waiting."""

    def bad_day(self, kind: BadDay) -> AbstractContextManager[None]:
        """Let something go wrong while the block runs."""
        raise NotTried("nothing can be made to go wrong here")

    def wrong_login(self) -> Record:
        """Settings with a log-in that is refused."""
        raise NotTried("wrong credentials are not tried on a live account: it might be locked")

    def calls(self) -> int | None:
        """Calls received so far; None: nobody counts."""
        return None

    def close(self) -> None:
        for connector in self._opened:
            connector.close()
        self._opened.clear()


class Served:
    """What worlds have in common whose calls all come through a server of ours: a sandbox, or a relay."""

    _running: Running
    _contract: Contract
    _cache: MemoryCache

    def _new_cache(self) -> MemoryCache:
        return MemoryCache()

    @contextmanager
    def bad_day(self, kind: BadDay) -> Iterator[None]:
        faults = self._running.control.faults
        faults.add(dict(FAULTS[kind]))
        try:
            yield
        finally:
            faults.clear()

    def wrong_login(self) -> Record:
        if not self._contract.wrong_login:
            raise NotTried("the connector's contract names no wrong log-in")
        # In a cache of its own: a refusal is remembered, and must not stand in the way of the right log-in.
        self._cache = self._new_cache()
        return dict(self._contract.wrong_login)

    def calls(self) -> int | None:
        return int(self._running.control.stats.as_json()["calls"])


class SandboxWorld(Served, World):
    """The connector's sandbox, served over HTTP on loopback. Its clock stands still between two steps."""

    name = "sandbox"
    product = "the bundled sandbox"
    moves_time = True

    def __init__(self, entry: ConnectorEntry, contract: Contract, options: Options) -> None:
        super().__init__()
        create = entry.sandbox()
        if create is None:
            raise ConfigurationError(
                f"connector {entry.name!r} has no sandbox to be tried in",
                where=str(entry.folder),
                cure="add a sandbox and name it in manifest.yaml, or try a live account with --system",
            )
        self._entry = entry
        self._contract = contract
        app = create(**{"records": 24, **contract.sandbox, **options})
        app.clock.freeze(app.clock.now().replace(microsecond=0))
        self._stack = ExitStack()
        self._running = self._stack.enter_context(serve(app))
        self._control = ControlClient(self._running.control_url)
        self._stack.callback(self._control.close)
        self._cache = self._new_cache()

    def _open(self, settings: Record) -> Connector:
        address = {self._contract.address: self._running.url} if self._contract.address else {}
        credentials = self._running.ready()["credentials"]
        services = Services(
            self._entry.name, self._cache, now=self._running.app.clock.now, sleep=self._sleep
        )  # fmt: skip
        return self._entry.open({**address, **credentials, **self._contract.settings, **settings}, services)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def has(self, resource: str) -> bool:
        return resource in self._running.app.resources()

    def edit(self, connector: Connector, resource: str, id: str, values: Record) -> None:
        self._control.edit(resource, id, values, "a person")

    def remove(self, connector: Connector, resource: str, id: str) -> None:
        self._control.delete(resource, id, "a person")

    def count(self, resource: str) -> int:
        return len(self._running.app.records(resource))

    def holding(self, resource: str, field: str, value: str) -> int:
        return sum(record.get(field) == value for record in self._running.app.records(resource))

    def advance(self, seconds: float) -> None:
        self._running.app.clock.advance(seconds)

    def _new_cache(self) -> MemoryCache:
        return MemoryCache(clock=lambda: self._running.app.clock.now().timestamp())

    def close(self) -> None:
        super().close()
        self._stack.close()


class LiveWorld(World):
    """A system of hub.yaml as it is. The suite makes its own records, touches no others, and deletes them again."""

    name = "live"
    real = True
    own = False

    def __init__(
        self,
        system: str,
        product: str,
        connect: Callable[[Record], Connector],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``connect``: added settings → a connector."""
        super().__init__()
        self.product = product
        self._system = system
        self._connect = connect
        self._sleep = sleep
        self._there: set[str] | None = None

    def _open(self, settings: Record) -> Connector:
        return self._connect(settings)

    def has(self, resource: str) -> bool:
        if self._there is None:
            self._there = {found.name for found in self.connect({}).describe()}
        return resource in self._there

    def advance(self, seconds: float) -> None:
        """Times of many products have whole seconds: what follows must be seen to come later."""
        self._sleep(min(max(seconds, 0.0), PATIENCE))

    def edit(self, connector: Connector, resource: str, id: str, values: Record) -> None:
        self._written(connector.update(resource, [Write("", values, id=id)], list(values), {})
                      if isinstance(connector, Update) else None)  # fmt: skip

    def remove(self, connector: Connector, resource: str, id: str) -> None:
        self._written(connector.delete(resource, [Write("", {}, id=id)], {})
                      if isinstance(connector, Delete) else None)  # fmt: skip

    @staticmethod
    def _written(results: list[Any] | None) -> None:
        if results is None:
            raise NotTried("the connector can't do this, and nobody else may")
        if results[0].error is not None:
            error: HubError = results[0].error
            raise error
