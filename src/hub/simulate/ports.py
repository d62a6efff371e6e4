"""Connectors to the systems in memory: one for each worker, system and entity. Each call can be stopped or go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.connect.capabilities import Health, Page, Remote, Resource, Result, Write
from hub.errors import (
    AlreadyExists,
    AuthenticationError,
    Gone,
    HubError,
    RateLimited,
    RecordRejected,
    Unavailable,
    UnexpectedAnswer,
    UnknownOutcome,
    VersionConflict,
)
from hub.simulate.clock import text
from hub.simulate.quirks import has_float
from hub.simulate.systems import Row, System, copied
from hub.simulate.workers import WRITES, Worker

EARLY: dict[str, Callable[[], HubError]] = {
    "down": lambda: Unavailable("connection refused"),
    "rate": lambda: RateLimited("slow down", wait=1),
    "auth": lambda: AuthenticationError("the token has expired"),
    "vanish": lambda: UnknownOutcome("the request was never answered"),
}
"""Faults of a call that was not carried out."""
LATE: dict[str, Callable[[], HubError]] = {
    "lost": lambda: UnknownOutcome("the answer was lost"),
    "garbage": lambda: UnexpectedAnswer("<html>502</html>"),
}
"""Faults of a call that was."""


class Port:
    """What the engine is given as the connector of one endpoint."""

    def __init__(self, system: System, entity: str, worker: Worker, tell: Callable[[str, str], None]) -> None:
        self.name = system.name
        self.system = system
        self.entity = entity
        self.worker = worker
        part = system.parts[entity]
        self.probes_by = system.quirks.probe if system.ground.builtin else part.resource.probe
        self.tombstones = system.quirks.tombstones if system.ground.builtin else part.resource.deletes == "tombstones"
        self.tell = tell
        """Reports a broken law: its name, and what happened."""

    def check(self) -> Health:
        return Health(self.name)

    def describe(self, resource: str | None = None) -> list[Resource]:
        return []

    def close(self) -> None:
        pass

    def _enter(self, verb: str) -> None:
        self.worker.point("call", self.name, verb)
        if self.system.down:
            raise Unavailable("the system is down")
        fault = self._fault(verb, EARLY)
        if fault:
            raise EARLY[fault]()

    def _leave(self, verb: str) -> None:
        self.worker.point("answer", self.name, verb)
        fault = self._fault(verb, LATE)
        if fault:
            raise LATE[fault]()

    def _fault(self, verb: str, kinds: dict[str, Any]) -> str:
        """The fault that is due with this call, if one is."""
        kind = "write" if verb in WRITES else "read"
        for fault in self.system.faults:
            if fault["kind"] in kinds and fault["on"] in (kind, "any"):
                fault["n"] -= 1
                if fault["n"] <= 0:
                    self.system.faults.remove(fault)
                    return str(fault["kind"])
        return ""

    # reading ------------------------------------------------------------------------------------------------------

    def _remote(self, row_id: str) -> Remote:
        row = self.system.rows[self.entity].get(row_id)
        if row is None:
            self.system.known[self.entity].discard(row_id)
        if row is None or self.system.blank:
            return Remote(row_id, None, deleted=True)
        row.shown = row.version
        self.system.known[self.entity].add(row_id)
        at = text(row.at, self.system.quirks.skew)
        return Remote(row_id, copied(row.values), str(row.version), at, row.by, key=row.key or None)

    def _visible(self) -> list[tuple[int, datetime, str]]:
        """The part of the change log that its lists know of by now."""
        log, lag = self.system.log[self.entity], self.system.quirks.lag
        if not lag or not log or (self.system.clock.now - log[-1][1]).total_seconds() >= lag:
            return log
        horizon = self.system.clock.now - timedelta(seconds=lag)
        return [entry for entry in log if entry[1] <= horizon]

    def _since(self, cursor: str | None) -> tuple[list[str], str | None]:
        """Ids of what changed since, oldest change first, and the next cursor."""
        quirks, log = self.system.quirks, self._visible()
        if quirks.ties:
            last = text(log[-1][1])[:19] if log else cursor
            entries = log if cursor is None else [e for e in log if text(e[1])[:19] >= cursor]
        else:
            last = str(log[-1][0]) if log else cursor or "0"
            entries = log if cursor is None else [e for e in log if e[0] > int(cursor)]
        ids = list(dict.fromkeys(entry[2] for entry in entries))
        if cursor is None or not self.tombstones:
            ids = [row_id for row_id in ids if row_id in self.system.rows[self.entity]]
        return ids, last

    def list_changes(
        self, resource: str, cursor: str | None, fields: Sequence[str], options: dict[str, Any]
    ) -> Iterator[Page]:
        self._enter("list")
        quirks = self.system.quirks
        ids, last = self._since(cursor)
        if self.system.blank:
            ids = []
        pages = [ids[n : n + quirks.page] for n in range(0, len(ids), quirks.page)] or [[]]
        for number, page in enumerate(pages):
            if number:
                self._enter("list")
                if quirks.doubles:
                    page = [pages[number - 1][-1], *page]
            final = number == len(pages) - 1
            found = [self._remote(row_id) for row_id in page]
            if not self.tombstones or cursor is None:
                found = [remote for remote in found if not remote.deleted]
            yield Page(found, last if final else None, final and cursor is None)

    def list_ids(self, resource: str, options: dict[str, Any]) -> Iterator[list[str]]:
        self._enter("list")
        shown = {entry[2] for entry in self._visible()}
        yield [] if self.system.blank else [row_id for row_id in self.system.rows[self.entity] if row_id in shown]

    def get(self, resource: str, ids: Sequence[str], fields: Sequence[str], options: dict[str, Any]) -> list[Remote]:
        self._enter("get")
        if self.system.blank and not self.system.rows[self.entity].keys() <= set(ids):
            # Of a few records an emptied system says what a deletion looks like: nobody could tell the two apart.
            raise Unavailable("records can't be looked up while this system is being restored")
        return [self._remote(row_id) for row_id in ids]

    def probe(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: dict[str, Any]
    ) -> list[Remote | None]:
        self._enter("probe")
        if self.system.blank:
            raise Unavailable("nothing can be looked up while this system is being restored")
        found: list[Remote | None] = []
        for write in writes:
            row_id = self.system.keys[self.entity].get(write.key)
            if self.probes_by == "natural":
                tag = self._tag(write)
                row = self.system.find(self.entity, tag) if tag else None
                row_id = row.id if row is not None else None
            found.append(self._remote(row_id) if row_id in self.system.rows[self.entity] else None)
        return found

    # writing ------------------------------------------------------------------------------------------------------

    def create(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: dict[str, Any]
    ) -> list[Result]:
        return self._each("create", writes, self._create)

    def update(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: dict[str, Any]
    ) -> list[Result]:
        return self._each("update", writes, self._update)

    def delete(self, resource: str, writes: Sequence[Write], options: dict[str, Any]) -> list[Result]:
        return self._each("delete", writes, self._delete)

    def _each(self, verb: str, writes: Sequence[Write], act: Callable[[Write], Remote]) -> list[Result]:
        self.worker.in_call = True
        try:
            self._enter(verb)
            if self.system.blank:
                raise Unavailable("nothing can be written while this system is being restored")
        finally:
            self.worker.in_call = False
        half = self._fault(verb, {"half": 1})
        slip = self._fault(verb, {"slip": 1})
        results = []
        for number, write in enumerate(writes):
            if half and number >= len(writes) // 2:
                results.append(Result(error=RateLimited("only the first half was taken", wait=1)))
                continue
            try:
                result = Result(act(write))
                if slip and number == 0:
                    result = Result(error=UnknownOutcome("this record's answer is missing"))
            except HubError as error:
                result = Result(error=error)
            results.append(result)
        self._leave(verb)
        return results

    def _tag(self, write: Write) -> str:
        tag = self.system.canonical(self.entity, write.values).get(self.system.ground.keys[self.entity])
        return "" if tag is None else str(tag)

    def _checked(self, write: Write, own: str | None) -> None:
        if has_float(write.values):
            self.tell("exact money", f"{self.name} was sent a binary fraction: {write.values}")
        reason = self.system.refuses(self.entity, write.values)
        if reason:
            raise RecordRejected(reason, field=next(iter(write.values), None), code="REFUSED")
        if self.system.quirks.unique and own is None:
            twin = self.system.twin(self.entity, self._tag(write), own)
            if twin is not None:
                named = None if self.system.quirks.secretive else twin
                raise AlreadyExists("there is one with this key", remote_id=named)

    def _wanted(self, write: Write, old: Row | None) -> dict[str, Any]:
        values = {**(old.values if old else {}), **write.values}
        return self.system.canonical(self.entity, values)

    def _create(self, write: Write) -> Remote:
        known = self.system.keys[self.entity].get(write.key)
        row_id = self.system.new_id()
        if self.system.quirks.idempotent and known in self.system.rows[self.entity]:
            row_id = str(known)
        self._checked(write, known if row_id == known else None)
        old = self.system.rows[self.entity].get(row_id)
        wanted = self._wanted(write, old)
        row = self.system.put(self.entity, row_id, write.values, by="hub", key=write.key, wanted=wanted)
        return self._answer(row)

    def _update(self, write: Write) -> Remote:
        row = self.system.rows[self.entity].get(str(write.id))
        if row is None:
            raise Gone("no such record")
        if write.version is not None and str(row.version) != write.version:
            raise VersionConflict("the record moved on")
        self._checked(write, row.id)
        wanted = self._wanted(write, row)
        return self._answer(self.system.put(self.entity, row.id, write.values, by="hub", wanted=wanted))

    def _delete(self, write: Write) -> Remote:
        row = self.system.rows[self.entity].get(str(write.id))
        if row is not None and write.mode == "archive":
            if not row.archived:
                row.archived = True
                self.system.touch(self.entity, row, "hub")
                self.system.watch.removed(self.system, self.entity, row, "hub")
        elif row is not None:
            self.system.remove(self.entity, row.id, "hub")
        return Remote(str(write.id), None, deleted=True)

    def _answer(self, row: Row) -> Remote:
        if self.system.quirks.silent:
            return Remote(row.id, None)
        return self._remote(row.id)
