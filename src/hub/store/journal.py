"""The journal: what happened to each canonical record, in order. Only ever added to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, select

from hub.store.among import among
from hub.store.bulk import insert_rows
from hub.store.codec import encoded, loads
from hub.store.tables import JournalRow, RunRow

JOURNAL = JournalRow.__table__  # type: ignore[attr-defined]
RUN = RunRow.__table__  # type: ignore[attr-defined]


class Entry(NamedTuple):
    """One thing that happened."""

    entity: str
    hub_id: str
    kind: str
    system: str
    remote_id: str | None
    detail: dict[str, Any]


class Logged(NamedTuple):
    """An entry as read back."""

    id: int
    run: str
    at: str
    entity: str
    hub_id: str
    kind: str
    system: str
    remote_id: str | None
    detail: dict[str, Any]


_NEW = ("run", "at", "entity", "hub_id", "kind", "system", "remote_id", "detail")


_JSON = frozenset({"detail"})


def write(connection: Connection, run: str, at: str, entries: Sequence[Entry]) -> None:
    """Add entries."""
    rows = [(run, at, e.entity, e.hub_id, e.kind, e.system, e.remote_id, encoded(e.detail)) for e in entries]
    insert_rows(connection, JOURNAL, _NEW, rows, _JSON)


def of_record(connection: Connection, hub_id: str) -> list[Logged]:
    """The history of one record, oldest first."""
    return _read(connection, JOURNAL.c.hub_id == hub_id)


def of_run(connection: Connection, run: str) -> list[Logged]:
    """What one run did, in order."""
    return _read(connection, _of_run(connection, run))


def _of_run(connection: Connection, run: str) -> Any:
    """No index by run: each entry would pay for what few ever ask. Where the run began is known instead."""
    begun = connection.execute(select(RUN.c.journal_from).where(RUN.c.id == run)).scalar()
    return and_(JOURNAL.c.id > (begun or 0), JOURNAL.c.run == run)


def _read(connection: Connection, condition: Any, parameters: dict[str, Any] | None = None) -> list[Logged]:
    statement = select(JOURNAL).where(condition).order_by(JOURNAL.c.id)
    return [
        Logged(r.id, r.run, r.at, r.entity, r.hub_id, r.kind, r.system, r.remote_id, loads(r.detail))
        for r in connection.execute(statement, parameters)
    ]


def of_records(connection: Connection, hub_ids: Sequence[str], system: str) -> list[Logged]:
    """What one system's observations and links did to these records, in order."""
    if not hub_ids:
        return []
    return _read(connection, among(JOURNAL.c.hub_id, "ids") & (JOURNAL.c.system == system), {"ids": hub_ids})


def of_ids(connection: Connection, hub_ids: Sequence[str]) -> dict[str, list[Logged]]:
    """Hub id → its history, oldest first."""
    found: dict[str, list[Logged]] = {hub_id: [] for hub_id in hub_ids}
    for entry in _read(connection, among(JOURNAL.c.hub_id, "ids"), {"ids": hub_ids}) if hub_ids else ():
        found[entry.hub_id].append(entry)
    return found


def touched(
    connection: Connection, run: str, entity: str, kinds: Sequence[str], after: str = "", limit: int = 1000
) -> list[str]:
    """Hub ids of an entity to which a run did something of these kinds; a page of them, in order."""
    statement = (
        select(JOURNAL.c.hub_id)
        .where(
            _of_run(connection, run), JOURNAL.c.entity == entity, JOURNAL.c.kind.in_(kinds), JOURNAL.c.hub_id > after
        )
        .distinct()
        .order_by(JOURNAL.c.hub_id)
        .limit(limit)
    )
    return [row[0] for row in connection.execute(statement)]


def last_run(connection: Connection, kinds: Sequence[str]) -> str | None:
    """The newest run that did something of these kinds."""
    statement = select(JOURNAL.c.run).where(JOURNAL.c.kind.in_(kinds)).order_by(JOURNAL.c.id.desc()).limit(1)
    return connection.execute(statement).scalar()
