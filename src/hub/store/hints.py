"""Hints: records that systems have told of and nobody has looked at yet; what came in, and what was subscribed to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.database import upsert
from hub.store.tables import HintRow, HookRow, SubscriptionRow

HINT = HintRow.__table__  # type: ignore[attr-defined]
HOOK = HookRow.__table__  # type: ignore[attr-defined]
SUBSCRIPTION = SubscriptionRow.__table__  # type: ignore[attr-defined]

Row = dict[str, Any]
_KEYS = ("system", "entity", "remote_id")
COUNTED = ("accepted", "hints", "refused", "useless")


class Hint(NamedTuple):
    """One record to be observed again. ``times`` grows with every telling: what was told while a pass was at work on it
    is not settled by that pass."""

    system: str
    entity: str
    remote_id: str
    times: int
    tries: int
    since: str


def add(connection: Connection, told: Iterable[tuple[str, str, str]], at: str) -> int:
    """Keep (system, entity, remote id); what is there already is counted once more. Returns how many records it was."""
    rows = [
        {"system": system, "entity": entity, "remote_id": remote_id, "times": 1, "since": at, "tries": 0, "after": ""}
        # In one order for everybody: two transactions that write the same rows crosswise would block each other.
        for system, entity, remote_id in sorted(set(told))
    ]
    if rows:
        connection.execute(_adding(HINT, _KEYS, ("times",), connection.dialect.name), rows)
    return len(rows)


@lru_cache(maxsize=16)
def _adding(
    table: Table, keys: tuple[str, ...], sums: tuple[str, ...], dialect: str, replaced: tuple[str, ...] = ()
) -> Any:
    """Insert or, where ``keys`` are there already, add ``sums`` up and replace ``replaced`` where it is not empty."""
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    changes = {name: table.c[name] + insert.excluded[name] for name in sums}
    changes |= {name: func.coalesce(func.nullif(insert.excluded[name], ""), table.c[name]) for name in replaced}
    return insert.on_conflict_do_update(index_elements=list(keys), set_=changes)


_DUE = (
    select(HINT.c.system, HINT.c.entity, HINT.c.remote_id, HINT.c.times, HINT.c.tries, HINT.c.since)
    .where(HINT.c.entity == bindparam("entity"), HINT.c.after <= bindparam("now"))
    .order_by(HINT.c.since, HINT.c.system, HINT.c.remote_id)
    .limit(bindparam("n"))
)
_ENTITIES = select(HINT.c.entity).where(HINT.c.after <= bindparam("now")).distinct()
_ONE = (HINT.c.system == bindparam("b_system"), HINT.c.entity == bindparam("b_entity"))
_SAME = (*_ONE, HINT.c.remote_id == bindparam("b_id"))
_SETTLE = delete(HINT).where(*_SAME, HINT.c.times == bindparam("b_times"))
_PUT_OFF = update(HINT).where(*_SAME).values(tries=HINT.c.tries + 1, after=bindparam("b_after"))


def due(connection: Connection, entity: str, now: str, limit: int) -> list[Hint]:
    """What is to be looked at, what was told first first."""
    return [Hint(*row) for row in connection.execute(_DUE, {"entity": entity, "now": now, "n": limit})]


def entities(connection: Connection, now: str) -> set[str]:
    """Entities of which something is to be looked at."""
    return {row[0] for row in connection.execute(_ENTITIES, {"now": now})}


def settle(connection: Connection, looked_at: Sequence[Hint]) -> None:
    """These were observed; what was told again meanwhile stays."""
    rows = [{**_of(hint), "b_times": hint.times} for hint in looked_at]
    if rows:
        connection.execute(_SETTLE, rows)


def put_off(connection: Connection, failed: Sequence[tuple[Hint, str]]) -> None:
    """(hint, not before): these could not be done."""
    rows = [{**_of(hint), "b_after": after} for hint, after in failed]
    if rows:
        connection.execute(_PUT_OFF, rows)


def _of(hint: Hint) -> Row:
    return {"b_system": hint.system, "b_entity": hint.entity, "b_id": hint.remote_id}


def waiting(connection: Connection) -> dict[str, tuple[int, str]]:
    """System → (hints that wait, since when the oldest does)."""
    statement = select(HINT.c.system, func.count(), func.min(HINT.c.since)).group_by(HINT.c.system)
    return {row[0]: (row[1], row[2]) for row in connection.execute(statement)}


def count(connection: Connection) -> int:
    """Hints that wait."""
    return int(connection.execute(select(func.count()).select_from(HINT)).scalar_one())


# what came in -------------------------------------------------------------------------------------------------------


def add_counts(connection: Connection, rows: Sequence[Row]) -> None:
    """Add up what came in: rows with ``system``, any of ``COUNTED``, ``last_at`` and ``refused_at``; a system once."""
    full = [{**dict.fromkeys(COUNTED, 0), "last_at": "", "refused_at": "", **row} for row in rows]
    if full:
        statement = _adding(HOOK, ("system",), COUNTED, connection.dialect.name, ("last_at", "refused_at"))
        connection.execute(statement, sorted(full, key=lambda row: str(row["system"])))


def counts(connection: Connection) -> dict[str, Row]:
    """System → what came in from it."""
    return {row.system: dict(row._mapping) for row in connection.execute(select(HOOK))}


# subscriptions ------------------------------------------------------------------------------------------------------


def subscriptions(connection: Connection) -> list[Row]:
    """What systems were asked to tell of."""
    statement = select(SUBSCRIPTION).order_by(SUBSCRIPTION.c.system, SUBSCRIPTION.c.resource)
    return [dict(row._mapping) for row in connection.execute(statement)]


def set_subscription(connection: Connection, row: Row) -> None:
    """Note what became of asking."""
    upsert(connection, SUBSCRIPTION, [row], ("system", "resource"))


def drop_subscription(connection: Connection, system: str, resource: str) -> None:
    """It is over."""
    connection.execute(delete(SUBSCRIPTION).where(SUBSCRIPTION.c.system == system, SUBSCRIPTION.c.resource == resource))
