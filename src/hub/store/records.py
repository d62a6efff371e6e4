"""Canonical records: reading and writing them in bulk, and their match keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import xxhash
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from hub.store.among import among
from hub.store.bulk import insert_new_rows, insert_rows
from hub.store.codec import dumps, encoded, loads
from hub.store.tables import MatchKeyRow, RecordRow, TodoRow

Values = dict[str, Any]
TODO = TodoRow.__table__  # type: ignore[attr-defined]
RECORD = RecordRow.__table__  # type: ignore[attr-defined]
MATCH = MatchKeyRow.__table__  # type: ignore[attr-defined]


class Stored(NamedTuple):
    """A canonical record as stored."""

    hub_id: str
    entity: str
    values: Values
    stamps: dict[str, list[str]]
    """Field (or ``*``) → [system, at]."""
    revision: int
    deleted_at: str | None
    deleted_by: str | None


class RecordWrite(NamedTuple):
    """A canonical record to be stored."""

    hub_id: str
    entity: str
    values: Values
    stamps: dict[str, list[str]]
    dirty: int
    deleted_at: str | None = None
    deleted_by: str | None = None


_COLUMNS = (
    RECORD.c.hub_id,
    RECORD.c.entity,
    RECORD.c.data,
    RECORD.c.stamps,
    RECORD.c.revision,
    RECORD.c.deleted_at,
    RECORD.c.deleted_by,
)
_BY_IDS = select(*_COLUMNS).where(among(RECORD.c.hub_id, "ids"))
_DIRTY = (
    select(*_COLUMNS)
    .join(TODO, TODO.c.hub_id == RECORD.c.hub_id)
    .where(TODO.c.entity == bindparam("entity"), TODO.c.hub_id > bindparam("after"))
    .order_by(TODO.c.hub_id)
    .limit(bindparam("n"))
)


def _stored(row: Any) -> Stored:
    return Stored(row[0], row[1], loads(row[2]), loads(row[3]), row[4], row[5], row[6])


def load(connection: Connection, hub_ids: Iterable[str]) -> dict[str, Stored]:
    """These records by hub id; unknown ones are missing."""
    ids = list(hub_ids)
    if not ids:
        return {}
    return {row[0]: _stored(row) for row in connection.execute(_BY_IDS, {"ids": ids}).all()}


_REVISIONS = select(RECORD.c.hub_id, RECORD.c.revision).where(among(RECORD.c.hub_id, "ids"))


def moved(connection: Connection, revisions: Mapping[str, int]) -> dict[str, Stored]:
    """Which of these records (hub id → revision) have changed since, as they are now."""
    if not revisions:
        return {}
    rows = connection.execute(_REVISIONS, {"ids": list(revisions)})
    return load(connection, [hub_id for hub_id, revision in rows if revisions[hub_id] != revision])


_DIRTY_ENDING = _DIRTY.where(among(func.substr(TODO.c.hub_id, func.length(TODO.c.hub_id)), "endings"))


def dirty(
    connection: Connection, entity: str, after: str, limit: int, endings: Sequence[str] | None = None
) -> list[Stored]:
    """The next records of an entity that a plan has to look at, in order of hub id. ``endings``: only those whose ids
    end in one of these letters."""
    of = {"entity": entity, "after": after, "n": limit}
    if endings is None:
        rows = connection.execute(_DIRTY, of)
    else:
        rows = connection.execute(_DIRTY_ENDING, of | {"endings": endings})
    return [_stored(row) for row in rows.all()]


_DIRTY_AMONG = select(TODO.c.hub_id).where(TODO.c.entity == bindparam("entity"), among(TODO.c.hub_id, "ids"))


def dirty_among(connection: Connection, entity: str, hub_ids: Iterable[str]) -> set[str]:
    """Which of these records a plan has to look at."""
    ids = list(hub_ids)
    if not ids:
        return set()
    return {row[0] for row in connection.execute(_DIRTY_AMONG, {"entity": entity, "ids": ids})}


def page(connection: Connection, entity: str, after: str, limit: int) -> list[Stored]:
    """All records of an entity, a page at a time, in order of hub id."""
    statement = (
        select(*_COLUMNS)
        .where(RECORD.c.entity == entity, RECORD.c.hub_id > after)
        .order_by(RECORD.c.hub_id)
        .limit(limit)
    )
    return [_stored(row) for row in connection.execute(statement)]


def count(connection: Connection) -> dict[str, int]:
    """Live records by entity."""
    statement = select(RECORD.c.entity, func.count()).where(RECORD.c.deleted_at.is_(None)).group_by(RECORD.c.entity)
    return {row[0]: row[1] for row in connection.execute(statement)}


_NEW = (
    "hub_id",
    "entity",
    "data",
    "stamps",
    "revision",
    "created_at",
    "updated_at",
    "deleted_at",
    "deleted_by",
)


_JSON = frozenset({"data", "stamps"})


def insert_records(connection: Connection, writes: Sequence[RecordWrite], at: str) -> None:
    """Store new records."""
    rows = [
        (w.hub_id, w.entity, encoded(w.values), encoded(w.stamps), 1, at, at, w.deleted_at, w.deleted_by)
        for w in writes
    ]
    insert_rows(connection, RECORD, _NEW, rows, _JSON)
    _to_do(connection, writes)


_UPDATE = (
    update(RECORD)
    .where(RECORD.c.hub_id == bindparam("b_id"))
    .values(
        data=bindparam("b_data"),
        stamps=bindparam("b_stamps"),
        updated_at=bindparam("b_at"),
        deleted_at=bindparam("b_deleted_at"),
        deleted_by=bindparam("b_deleted_by"),
        revision=RECORD.c.revision + 1,
    )
)


def update_records(connection: Connection, writes: Sequence[RecordWrite], at: str) -> None:
    """Replace existing records; their revision grows."""
    if writes:
        rows = [
            {
                "b_id": w.hub_id,
                "b_data": dumps(w.values),
                "b_stamps": dumps(w.stamps),
                "b_at": at,
                "b_deleted_at": w.deleted_at,
                "b_deleted_by": w.deleted_by,
            }
            for w in writes
        ]
        connection.execute(_UPDATE, rows)
        _to_do(connection, writes)


def _to_do(connection: Connection, writes: Sequence[RecordWrite]) -> None:
    rows = [(w.entity, w.hub_id) for w in writes if w.dirty]
    insert_new_rows(connection, TODO, ("entity", "hub_id"), rows)


_DONE = delete(TODO).where(among(TODO.c.hub_id, "ids"), TODO.c.entity == bindparam("entity"))


def mark(connection: Connection, entity: str, hub_ids: Iterable[str], dirty: int) -> None:
    """Say whether a plan has to look at these records."""
    ids = list(hub_ids)
    if ids and dirty:
        insert_new_rows(connection, TODO, ("entity", "hub_id"), [(entity, hub_id) for hub_id in ids])
    elif ids:
        connection.execute(_DONE, {"entity": entity, "ids": ids})


def mark_entity(connection: Connection, entity: str) -> None:
    """All records of an entity want a plan: its mappings or policy changed."""
    there = select(TODO.c.hub_id).where(TODO.c.entity == entity)
    records = select(RECORD.c.entity, RECORD.c.hub_id).where(RECORD.c.entity == entity, RECORD.c.hub_id.not_in(there))
    connection.execute(insert(TODO).from_select(["entity", "hub_id"], records))


def match_key(rule: tuple[str, ...], values: Values) -> int | None:
    """Hash of a rule's fields in these values; None when one of them is blank."""
    parts = []
    for name in rule:
        value = values.get(name)
        if value is None or value == "":
            return None
        parts.append(f"{name}\x1f{value}")
    key = xxhash.xxh3_64_intdigest("\x1e".join(parts).encode())
    return key - (1 << 64) if key >= 1 << 63 else key


def index(
    connection: Connection, entity: str, rules: Sequence[tuple[str, ...]], records: Iterable[tuple[str, Values]]
) -> None:
    """Make records findable by the match rules. Keys of earlier values stay: hits are verified against the values."""
    rows = []
    for hub_id, values in records:
        for rule in rules:
            key = match_key(rule, values)
            if key is not None:
                rows.append((entity, key, hub_id))
    insert_new_rows(connection, MATCH, ("entity", "key", "hub_id"), rows)


_MATCHING = select(MATCH.c.key, MATCH.c.hub_id).where(
    MATCH.c.entity == bindparam("entity"), among(MATCH.c.key, "wanted", numbers=True)
)


def find(connection: Connection, entity: str, keys: Iterable[int]) -> dict[int, list[str]]:
    """Records indexed under these keys."""
    wanted = set(keys)
    if not wanted:
        return {}
    found: dict[int, list[str]] = {}
    for key, hub_id in connection.execute(_MATCHING, {"entity": entity, "wanted": wanted}).all():
        found.setdefault(key, []).append(hub_id)
    return found


def drop_index(connection: Connection, entity: str) -> None:
    """Forget the match keys of an entity (its rules changed)."""
    connection.execute(delete(MATCH).where(MATCH.c.entity == entity))
