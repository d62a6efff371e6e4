"""The witness: who wrote what, where and when, seen from the systems alone. Laws that a single write can break are
judged on the spot; the rest is kept for the judge.

It knows nothing of shadows, stamps or intents: only edits, each with a value that nothing else has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hub.simulate.clock import Clock
from hub.simulate.systems import Row, System

Values = dict[str, Any]
Key = tuple[str, str, str, str]
"""(system, entity, id, path)"""


@dataclass(slots=True)
class Edit:
    """One value that somebody gave one field of one record of one system."""

    n: int
    at: datetime
    system: str
    entity: str
    tag: str
    id: str
    path: str
    value: Any
    by: str
    """``user``, or ``system`` for what a system filled in by itself."""
    version: int
    fate: str = ""
    """What became of it: overwritten by a ``user`` or the ``hub``, ``gone`` with its record; empty: still there."""


class Violation(NamedTuple):
    """A law that was broken, and how."""

    law: str
    what: str


class Written(NamedTuple):
    """One write of the hub that changed something."""

    system: str
    entity: str
    id: str
    action: str
    at: datetime
    risky: bool = False
    """It replaced a value by another, or removed something."""


class Deleted(NamedTuple):
    """One record that a user deleted."""

    system: str
    id: str
    at: datetime
    shown: bool
    """Whether the hub had ever been shown it."""


class Doubt(NamedTuple):
    """Something that breaks a law unless a person decided it so."""

    law: str
    entity: str
    tag: str
    field: str
    what: str
    hub_id: str = ""
    """The canonical record that the hub says was meant."""


class Witness:
    """Sees every change of every record of every system."""

    def __init__(self, clock: Clock, owner: Callable[[str, str], str | None]) -> None:
        self.clock = clock
        self.owner = owner
        """(entity, field) → the system that owns it now."""
        self.systems: Mapping[str, System] = {}
        self.edits: list[Edit] = []
        self.current: dict[Key, Edit] = {}
        self.writes: list[Written] = []
        self.violations: list[Violation] = []
        self.doubts: list[Doubt] = []
        self.touched: dict[tuple[str, str], list[datetime]] = {}
        """(system, id) → when users did anything with it: what a system gives as the time of its last change."""
        self.deleted: dict[tuple[str, str], list[Deleted]] = {}
        """(entity, tag) → in which systems users deleted it."""
        self.raced: set[tuple[str, str]] = set()
        """(entity, tag) that users and the hub made at the same time: nobody could know."""
        self.unread: set[tuple[str, str]] = set()
        """(entity, tag) that the hub made where the same was there, and not readable: people are asked, later."""
        self.beside: set[tuple[str, str]] = set()
        """(entity, tag) that a person had deleted elsewhere, and the hub made anew before it had deleted the old one:
        at rest, only one of them may be alive."""
        self.untold: dict[tuple[str, str], tuple[int, frozenset[str]]] = {}
        """(system, id) → the version and the fields of the hub's last write, where it was answered without the
        record."""
        self.blurred: set[tuple[str, str, str]] = set()
        """(entity, tag, path) that a user changed between such a write and its reading back: nobody can tell that from
        the system's own way of writing the value."""
        self.began: datetime | None = None
        """When the pass under way began, if it reads all that is new: what it can't read, it must not write beside."""

    def broken(self, law: str, what: str) -> None:
        self.violations.append(Violation(law, what))

    def changed(self, system: System, entity: str, before: Row | None, row: Row, wanted: Values) -> None:
        old = before.flat if before is not None else {}
        paths = [path for path, value in row.flat.items() if old.get(path) != value]
        gone = [path for path in old if path not in row.flat]
        for path in (*paths, *gone):
            previous = self.current.pop((system.name, entity, row.id, path), None)
            if previous is not None:
                self._replaced(system, entity, before, row, previous)
        if row.by == "hub":
            self._by_hub(system, entity, before, row, paths, wanted)
            return
        self.touched.setdefault((system.name, row.id), []).append(row.at)
        version, written = self.untold.get((system.name, row.id), (0, frozenset()))
        if before is not None and before.shown < version:
            self.blurred |= {(entity, row.tag, path) for path in (*paths, *gone) if path.partition("[")[0] in written}
        for path in paths:
            self._edit(system, entity, row, path, "user")

    def _edit(self, system: System, entity: str, row: Row, path: str, by: str) -> None:
        edit = Edit(
            len(self.edits), row.at, system.name, entity, row.tag, row.id, path, row.flat[path], by, row.version
        )
        self.edits.append(edit)
        self.current[system.name, entity, row.id, path] = edit

    def _replaced(self, system: System, entity: str, before: Row | None, row: Row, previous: Edit) -> None:
        assert before is not None
        shown = before.shown >= previous.version
        previous.fate = row.by
        if row.by != "hub":
            return
        if not shown and previous.by == "user":
            self.broken(
                "no stale write",
                f"{_named(system, entity, row)} {previous.path}: {previous.value!r}, which the hub was never shown, was"
                f" overwritten with {row.flat.get(previous.path)!r}",
            )
        field = previous.path.partition("[")[0]
        if before.archived:
            return  # what is entered in an archived record counts for nothing
        if previous.by == "user" and self.owner(entity, field) == system.name and before.flat.get(previous.path):
            what = f"{_named(system, entity, row)} {previous.path} is owned there: {previous.value!r} was overwritten"
            what += f" with {row.flat.get(previous.path)!r}"
            self.doubts.append(Doubt("authority", entity, row.tag, field, what))

    def _by_hub(
        self, system: System, entity: str, before: Row | None, row: Row, paths: list[str], wanted: Values
    ) -> None:
        if paths or before is None:
            action = "create" if before is None else "update"
            risky = before is not None and any(before.flat.get(path) is not None for path in paths if "[" not in path)
            self.writes.append(Written(system.name, entity, row.id, action, row.at, risky))
        if system.quirks.silent:
            fields = frozenset(path.partition("[")[0] for path in paths if row.flat[path] is not None or before)
            self.untold[system.name, row.id] = (row.version, fields)
        for path in paths:
            if wanted.get(path) is None and row.flat[path] is not None:
                self._edit(system, entity, row, path, "system")
        if before is None:
            self._created(system, entity, row)

    def _created(self, system: System, entity: str, row: Row) -> None:
        others = [r for r in system.rows[entity].values() if r.tag == row.tag and r.id != row.id]
        if any(other.archived for other in others):  # deleted before a system that had been down showed it again
            self.raced.add((entity, row.tag))
            others = [other for other in others if not other.archived]
        if any(other.unreadable for other in others):
            self.unread.add((entity, row.tag))
        if (entity, row.tag) in self.unread:
            self.raced.add((entity, row.tag))
        elif any(other.key or other.shown or self._to_be_read(system, other) for other in others):
            self._doubled(system, entity, row, others[0])
        elif others:
            self.raced.add((entity, row.tag))
        deleted = [d for d in self.deleted.get((entity, row.tag), []) if d.system == system.name and d.shown]
        if deleted:
            what = f"{_named(system, entity, row)} was made again after a user had deleted it there"
            self.doubts.append(Doubt("deletes are earned", entity, row.tag, "*", what, row.key))

    def _to_be_read(self, system: System, row: Row) -> bool:
        """Whether it was there, and to be seen, when the pass began that is under way."""
        return self.began is not None and row.at + timedelta(seconds=system.quirks.lag) < self.began

    def spoiled(self, system: System, entity: str, row: Row) -> None:
        """A user put nonsense into its unreadable field: what was there is no more."""
        previous = self.current.pop((system.name, entity, row.id, row.unreadable), None)
        if previous is not None:
            previous.fate = "user"
        self.touched.setdefault((system.name, row.id), []).append(row.at)

    def _unseen(self, system: System, entity: str, tag: str) -> bool:
        """Whether a system has the record, and the hub knows nothing of that."""
        return any(r.tag == tag and not r.key and not r.shown for r in system.rows.get(entity, {}).values())

    def _doubled(self, system: System, entity: str, row: Row, other: Row) -> None:
        place = (entity, row.tag)
        if place in self.deleted:
            self.beside.add(place)
        elif place not in self.raced:  # else there are two by nobody's fault: what a person says is not always right
            self.broken("no duplicates", f"{_named(system, entity, row)} was made, and {other.id} is there already")

    def removed(self, system: System, entity: str, row: Row, by: str) -> None:
        for path in row.flat:
            edit = self.current.pop((system.name, entity, row.id, path), None)
            if edit is not None:
                edit.fate = "gone"
        if by != "hub":
            if any(self._unseen(other, entity, row.tag) for other in self.systems.values() if other is not system):
                self.raced.add((entity, row.tag))
            self.deleted.setdefault((entity, row.tag), []).append(
                Deleted(system.name, row.id, self.clock.now, row.shown > 0)
            )
            return
        self.writes.append(Written(system.name, entity, row.id, "delete", self.clock.now, True))
        if (entity, row.tag) not in self.deleted:
            self.broken("deletes are earned", f"{_named(system, entity, row)} was deleted, which no user had done")


def _named(system: System, entity: str, row: Row) -> str:
    return f"{system.name} {entity} {row.tag} ({row.id})"
