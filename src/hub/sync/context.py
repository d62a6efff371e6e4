"""What one pass carries along: its run, its clock, its leases, and where it reports to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from hub.connect.capabilities import Page, Part, Remote
from hub.connect.redact import redact
from hub.errors import HubError, RateLimited, Unavailable
from hub.model.spec import EntitySpec
from hub.store import parts, runs
from hub.store.database import Store
from hub.store.runs import Lease
from hub.sync.joint import Joint
from hub.sync.policy import Endpoint, Setup
from hub.sync.refs import RefPath, ref_paths
from hub.sync.report import Counts, Event, Finding, Observer, PassReport, SystemFailure

instant = runs.instant
LEASE_SECONDS = 30
CALL_SECONDS = 15
"""Of a lease, what a call is begun with at least: it has to take effect before another pass may look whether it did."""
READING = "reading"
MAX_FINDINGS = 500


def sortable(text: str | None) -> str | None:
    """An ISO 8601 UTC instant in the hub's own notation."""
    if text is None:
        return None
    head, _, fraction = text.rstrip("Z").partition(".")
    return f"{head}.{(fraction + '000')[:3]}Z"


@dataclass(slots=True)
class Pass:
    """One pass under way."""

    run: str
    setup: Setup
    store: Store
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    observer: Observer
    report: PassReport
    yes: bool = False
    """The user approved beforehand what would otherwise be held (first sync, budget)."""
    part: Part | None = None
    """Which of the passes that work on its entities together this one is; None: it works alone."""
    joint: dict[str, Joint] = field(default_factory=dict)
    """Entity → the joint pass that this one belongs to."""
    ahead: bool = False
    """What is new is matched before it is this pass's turn, and once more at the end (see ``matching``)."""
    leases: dict[str, Lease] = field(default_factory=dict)
    """Entity → its lease; and, of what is being read just now, the one called ``READING``."""
    down: dict[str, str] = field(default_factory=dict)
    """Systems that failed in this pass, and why: nothing more is asked of them."""
    blocked: set[tuple[str, str]] = field(default_factory=set)
    """(system, entity) that could not be read to the end: writing there could make duplicates."""
    again: bool = False
    """Something was observed anew while writing: another round may find more to do."""
    pool: Callable[[int], Executor] = ThreadPoolExecutor
    """Makes what calls run in, so many at a time."""
    _workers: dict[int, Executor] = field(default_factory=dict)
    begun: dict[tuple[str, str, Part | None], Iterable[Page]] = field(default_factory=dict)
    """(system, entity, part) → a feed that was begun before its turn (see ``feeds``)."""
    behind: str = ""
    """Why the store knows less than the systems (see ``sync.behind``); empty: it does not."""
    mark: str = ""
    store_id: str = ""
    passes: int = 0
    _renewed: datetime | None = None
    held_until: datetime | None = None
    """Until when the leases are surely ours, by our own clock."""
    lost: bool = False
    """Another pass took over."""
    _counts: dict[tuple[str, str], Counts] = field(default_factory=dict)
    _paths: dict[tuple[str, str], tuple[RefPath, ...]] = field(default_factory=dict)
    heard: set[tuple[str, str]] = field(default_factory=set)
    """(system, entity) that this pass has read to its end."""
    _cursors: dict[str, dict[tuple[str, str], dict[str, Any]]] = field(default_factory=dict)

    def now(self) -> str:
        return instant(self.clock())

    def counts(self, endpoint: Endpoint) -> Counts:
        """The tally of one endpoint."""
        key = (endpoint.system, endpoint.entity)
        if key not in self._counts:
            self._counts[key] = Counts(*key)
            self.report.counts.append(self._counts[key])
        return self._counts[key]

    def cursor(self, endpoint: Endpoint) -> dict[str, Any]:
        """How far an endpoint (or its part) had been read before this pass; empty: not at all. A part that was never
        read by itself goes on where the whole stands."""
        entity = endpoint.entity
        if entity not in self._cursors:
            with self.store.read() as connection:
                self._cursors[entity] = runs.cursors_of(connection, entity)
        whole = self._cursors[entity].get((endpoint.system, ""), {})
        if endpoint.part is None:
            return whole
        own = self._cursors[entity].get((endpoint.system, str(endpoint.part)))
        return {name: whole[name] for name in ("value", "lens") if whole.get(name)} if own is None else own

    def refs(self, endpoint: Endpoint) -> tuple[RefPath, ...]:
        """The reference fields of an endpoint's mapping that this project can translate."""
        key = (endpoint.system, endpoint.entity)
        if key not in self._paths:
            mapped = {e.entity for e in self.setup.endpoints if e.system == endpoint.system}
            self._paths[key] = tuple(path for path in ref_paths(endpoint.lens) if path.entity in mapped)
        return self._paths[key]

    def spec(self, entity: str) -> EntitySpec:
        return self.setup.specs[entity]

    def emit(self, name: str, **data: Any) -> None:
        self.observer(Event(name, self.run, data))

    def find(self, kind: str, endpoint: Endpoint, record: str, message: str) -> None:
        """Something a person should know. Kept to a number that can be read; the rest is counted."""
        if len(self.report.findings) >= MAX_FINDINGS:
            self.report.more_findings += 1
            return
        self.report.findings.append(Finding(kind, endpoint.entity, record, message, endpoint.system))

    def failed(self, endpoint: Endpoint, error: HubError, *, down: bool) -> None:
        """A system could not do its part; with ``down``, it is left alone for the rest of the pass.

        Raises the error again when it is the hub's own database that failed: nothing can go on without it.
        """
        if error.where == "store":
            raise error
        message = redact(str(error))
        if down:
            self.down[endpoint.system] = message
        if isinstance(error, RateLimited) and error.spread:
            # The hub's own doing, and no failure: a later pass goes on.
            self.report.spread.setdefault(endpoint.system, message)
            self.emit("quota.spread", system=endpoint.system, entity=endpoint.entity, message=message)
            return
        failure = SystemFailure(endpoint.system, endpoint.entity, type(error).__name__, message)
        self.report.failures.append(failure)
        self.emit(
            "system.failed",
            system=endpoint.system,
            entity=endpoint.entity,
            error=failure.error,
            message=failure.message,
        )

    @contextmanager
    def transaction(self, entity: str, *, beside: bool = False) -> Iterator[Connection]:
        """A transaction on one entity, which lands only while this pass still holds the entity's lease. Where several
        passes work on it, only one has such a transaction at a time; ``beside``: it needs that later, or not at all."""
        with self.store.begin() as connection:
            began = time.monotonic()
            self.renew(connection, entity)
            if not beside:
                self.alone(connection, entity)
            try:
                yield connection
            except IntegrityError as error:
                if self.part is None:
                    raise
                raise Unavailable(
                    f"another pass stored the same {entity} at the same moment; nothing of this step was stored",
                    where="store",
                    cure="nothing to do: the next pass goes on from here",
                ) from error
            if time.monotonic() - began > LEASE_SECONDS / 4:
                # Who waits for the lease comes to see it as this transaction leaves it, and that was long ago.
                self.renew(connection, entity)

    def alone(self, connection: Connection, entity: str) -> None:
        """From here to the end of the transaction, no other pass matches or decides anything of this entity."""
        if self.part is not None:
            parts.alone(connection, entity)

    def renew(self, connection: Connection, entity: str) -> None:
        """Hold the leases a little longer, as part of the work at hand. Raises Unavailable when this one is lost."""
        now = self.clock()
        for name in (entity, READING):
            if (lease := self.leases.get(name)) is not None:
                runs.renew_lease(connection, lease, now, LEASE_SECONDS)
                self._held_from(now)
        if self._renewed is None or now - self._renewed > timedelta(seconds=LEASE_SECONDS / 4):
            self._renewed = now
            for other in self.leases.values():  # their turn comes later in the pass
                runs.extend_lease(connection, other, now, LEASE_SECONDS)

    def hold(self) -> bool:
        """Hold all leases a little longer, beside the work (see ``holding``). False: one of them is lost; no call is
        begun any more."""
        now = self.clock()
        for lease in list(self.leases.values()):
            with self.store.begin() as connection:  # one each: two locks at a time could meet the work's own
                ours = runs.extend_lease(connection, lease, now, LEASE_SECONDS)
            if not ours and lease in self.leases.values():  # not one that was given back just now
                self.lost = True
                return False
        self._held_from(now)
        return True

    def _held_from(self, now: datetime) -> None:
        until = now + timedelta(seconds=LEASE_SECONDS)
        self.held_until = until if self.held_until is None else max(until, self.held_until)

    def workers(self, at_once: int) -> Executor:
        """What calls run in, so many at a time; kept until ``dismiss``."""
        if at_once not in self._workers:
            self._workers[at_once] = self.pool(at_once)
        return self._workers[at_once]

    def dismiss(self) -> None:
        """Wait for calls under way, make none of those that wait for their turn, and let the workers go."""
        while self._workers:
            self._workers.popitem()[1].shutdown(cancel_futures=True)

    def overdue(self) -> bool:
        """Whether this process was away (suspended, swapped out, cut off from the store) for so long that another may
        take over before a call that is begun now takes effect."""
        if self.held_until is None:
            return False
        return self.lost or self.clock() >= self.held_until - timedelta(seconds=CALL_SECONDS)


def edited_at(remote: Remote, now: str) -> str:
    """When an edit was made: what the system says, else the moment we saw it; never later than now, for a system whose
    clock is ahead must not win every conflict."""
    at = sortable(remote.modified_at)
    return now if at is None or at > now else at
