"""The sandbox kit: what a connector's sandbox is, and how it is served over real HTTP on loopback.

A sandbox plays one product's API so faithfully that the vendor's own client works against it unchanged. It is a WSGI
application with a few control verbs (``SandboxApp``); the kit adds the HTTP/1.1 server, counters, latency, faults and
the control API below ``/control/`` (see ``sandbox_control``). Each connector that has one offers
``create_sandbox(records=100, seed=1, **options) -> SandboxApp``; what it holds follows from the seed alone.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TextIO

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from hub.connect.sandbox_control import Control

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """What one request asks for: ``name`` for counters and fault patterns (``"ExecuteBillQuery SAL_SaleOrder"``)."""

    name: str
    kind: Literal["read", "write", "other"] = "other"


@dataclass(slots=True)
class SandboxClock:
    """The sandbox's own idea of now. Real time by default; can be shifted, or frozen to make a run repeatable."""

    shift: timedelta = timedelta(0)
    frozen: datetime | None = None
    step: timedelta = timedelta(0)
    """While frozen, each reading moves the clock on by this much."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> datetime:
        """The sandbox's time, in UTC."""
        with self._lock:
            if self.frozen is None:
                return datetime.now(UTC) + self.shift
            self.frozen += self.step
            return self.frozen

    def advance(self, seconds: float) -> None:
        """Move the clock on (back, when negative)."""
        with self._lock:
            if self.frozen is None:
                self.shift += timedelta(seconds=seconds)
            else:
                self.frozen += timedelta(seconds=seconds)

    def freeze(self, at: datetime | None, step: float = 0.0) -> None:
        """Stop at ``at`` (with a time zone), moving on by ``step`` seconds a reading; None: real time again."""
        if at is not None and at.tzinfo is None:
            raise ValueError("the time to freeze at needs a time zone, for example 2026-01-15T09:30:00+08:00")
        with self._lock:
            self.frozen = at.astimezone(UTC) if at else None
            self.step = timedelta(seconds=step)
            self.shift = timedelta(0)


class Journal:
    """Who changed what in the sandbox, oldest first: what tests and the demo hold the hub's own account against."""

    def __init__(self) -> None:
        self._entries: list[Record] = []
        self._lock = threading.Lock()
        self.listeners: list[Callable[[Record], None]] = []
        """Called with each new entry."""

    def add(self, *, at: datetime, resource: str, id: str, action: str, by: str, user: str, values: Record) -> None:
        """Note one change. ``by`` is ``"hub"`` (came through the API) or ``"user"`` (through the control API)."""
        with self._lock:
            entry: Record = {
                "seq": len(self._entries) + 1, "at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "resource": resource, "id": str(id), "action": action, "by": by, "user": user, "values": values,
            }  # fmt: skip
            self._entries.append(entry)
        for listener in self.listeners:
            listener(entry)

    def since(self, seq: int = 0) -> list[Record]:
        """Entries after ``seq`` (0: all)."""
        with self._lock:
            return list(self._entries[seq:])

    def __len__(self) -> int:
        return len(self._entries)


class SandboxApp(ABC):
    """One product's pretended server. Guards its own state: requests and control verbs come from many threads.

    The control verbs act as a person using the product would: modification times move, the journal says ``user``.
    They raise LookupError for a resource or id that is not there and ValueError for values the product would refuse.
    """

    name: str = "sandbox"
    path: str = "/"
    """Path of the API on the server, put behind the base URL in the ready line (``/k3cloud/``)."""
    fault_kinds: frozenset[str] = frozenset()
    """Fault kinds beyond the kit's that the app carries out itself; it finds the fault in ``environ[FAULT]``."""

    def __init__(self, clock: SandboxClock | None = None) -> None:
        self.clock = clock or SandboxClock()
        self.journal = Journal()

    @property
    @abstractmethod
    def wsgi(self) -> WSGIApplication:
        """The product's API. The request body is complete and in memory; ``wsgi.input`` may be read in one go."""

    @abstractmethod
    def operation(self, method: str, path: str, body: bytes) -> Operation:
        """What a request asks for, told before it is carried out. Must not raise on nonsense."""

    @abstractmethod
    def credentials(self, base_url: str) -> Record:
        """What a client needs to log in, by the connector's own setting names. ``base_url`` has no slash at its end."""

    @abstractmethod
    def samples(self) -> Record:
        """Numbers or ids of existing base data that a first experiment can use."""

    @abstractmethod
    def resources(self) -> list[str]:
        """Names that ``records``, ``edit``, ``create`` and ``delete`` know."""

    @abstractmethod
    def records(self, resource: str) -> list[Record]:
        """Raw contents of a resource, as JSON values (Decimals allowed), in order of creation."""

    @abstractmethod
    def create(self, resource: str, values: Record, user: str) -> Record:
        """Enter a record as ``user``; returns it as stored."""

    @abstractmethod
    def edit(self, resource: str, id: str, values: Record, user: str) -> Record:
        """Change fields of a record as ``user``; returns it as stored."""

    @abstractmethod
    def delete(self, resource: str, id: str, user: str) -> None:
        """Delete a record as ``user``."""

    # What faults need; a sandbox without it leaves the request alone.

    def expire(self) -> None:
        """Every token and session ends now (fault ``expire``)."""
        return

    def touch(self, resource: str, chance: random.Random) -> None:
        """Somebody saves any record of the resource and changes nothing: its modification time moves (``shift``).
        A resource that is not known is left alone."""
        return

    def listing(self, operation: Operation, content: Any) -> tuple[list[Any], Callable[[Any], Any]] | None:
        """The rows in the decoded good answer of a list, to be changed in place, and what tells which record a row
        belongs to; None where the answer is no list of records (``missing``, ``doubled``, ``gigantic``)."""
        return None


CreateSandbox = Callable[..., SandboxApp]
FAULT = "hub.sandbox.fault"
"""Key in the WSGI environ under which the app finds a fault (a dict) of one of its own kinds."""


@dataclass(slots=True)
class Running:
    """A sandbox being served. ``control`` and ``app`` may be used directly from the same process."""

    app: SandboxApp
    control: Control
    base_url: str

    @property
    def url(self) -> str:
        return self.base_url + self.app.path

    @property
    def control_url(self) -> str:
        return self.base_url + "/control"

    def ready(self) -> Record:
        """What the ready line says."""
        return {
            "url": self.url,
            "control": self.control_url,
            "credentials": self.app.credentials(self.base_url),
            "samples": self.app.samples(),
        }


@contextmanager
def serve(app: SandboxApp, *, port: int = 0, seed: int = 1) -> Iterator[Running]:
    """Serve ``app`` on 127.0.0.1 (``port`` 0: a free one) from a thread, until the block ends."""
    from hub.connect.sandbox_control import Control
    from hub.connect.sandbox_server import SandboxServer

    control = Control(app, seed=seed)
    server = SandboxServer(port, control)
    running = Running(app, control, f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name=f"sandbox {app.name}", daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.close_connections()
        server.server_close()
        thread.join(5)


def run(
    create_sandbox: CreateSandbox,
    *,
    port: int = 0,
    records: int = 100,
    seed: int = 1,
    latency_ms: float = 0,
    jitter_ms: float = 0,
    faults: Iterable[Record] | str = (),
    out: TextIO | None = None,
    stop: threading.Event | None = None,
    **options: Any,
) -> None:
    """Serve a sandbox until SIGINT or SIGTERM (or ``stop``), after exactly one JSON line on ``out`` says it is ready.

    The line: ``{"url", "control", "credentials", "samples"}``. ``faults`` as in ``POST /control/faults``, or as text
    (see ``sandbox_faults.parse_faults``). Raises OSError when the port is taken and ValueError for a fault that is not
    understood.
    """
    from hub.connect.sandbox_faults import parse_faults

    stop = stop or threading.Event()
    out = out or sys.stdout
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    with serve(create_sandbox(records=records, seed=seed, **options), port=port, seed=seed) as running:
        running.control.set_latency(latency_ms, jitter_ms)
        for fault in parse_faults(faults, running.app.fault_kinds) if isinstance(faults, str) else faults:
            running.control.faults.add(fault)
        out.write(json.dumps(running.ready(), ensure_ascii=False) + "\n")
        out.flush()
        # In short waits: a wait without an end can't be interrupted by a signal on every platform.
        while not stop.wait(0.5):
            pass
