"""Intents: writes that were sent, or are about to be, and are not confirmed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, union, update

from hub.store import records
from hub.store.among import among
from hub.store.bulk import insert_rows
from hub.store.codec import encoded, loads
from hub.store.rows import Row, rows_of
from hub.store.tables import IntentRow, LetterRow

INTENT = IntentRow.__table__  # type: ignore[attr-defined]
LETTER = LetterRow.__table__  # type: ignore[attr-defined]


class Intent(NamedTuple):
    """A write that is about to be made. ``fields`` are the canonical values sent, as JSON."""

    run: str
    system: str
    entity: str
    hub_id: str
    action: str
    remote_id: str | None
    version: str | None
    fields: bytes
    at: str
    doubt: int = 0


Sent = tuple[str, str | None, str | None]
"""(hub id, remote id, version) of a record that is about to be written."""


def add_intents(connection: Connection, intents: Sequence[Intent]) -> None:
    """Store intents."""
    insert_rows(connection, INTENT, Intent._fields, intents, frozenset({"fields"}))


def intend_together(
    connection: Connection,
    where: tuple[str, str, str, str],
    groups: Mapping[tuple[str, ...], Sequence[Sent]],
    at: str,
) -> None:
    """Store the intents of many records in one row for each set of fields that is sent: a thousand rows that live for
    one call would cost a bulk write as much as the records themselves. Their values are not repeated: they are the
    records' own, as long as these stay as they are (see ``spell_out``).

    ``where``: run, system, entity, action. ``groups``: names of the fields sent → records.
    """
    run, system, entity, action = where
    together = [
        Intent(run, system, entity, TOGETHER, action, None, None, encoded({"names": names, "records": records}), at)
        for names, records in groups.items()
    ]
    add_intents(connection, together)


TOGETHER = ""
"""In place of the hub id: an intent of many records."""
_UNSETTLED = union(
    select(INTENT.c.system, INTENT.c.entity),
    select(LETTER.c.system, LETTER.c.entity).where(LETTER.c.stage == "follow_up", LETTER.c.status == "replay"),
)


def unsettled(connection: Connection) -> set[tuple[str, str]]:
    """(system, entity) where writes were not confirmed, or a person says that they are to be taken further."""
    return {(row[0], row[1]) for row in connection.execute(_UNSETTLED)}


_DOUBTED = select(INTENT.c.system).where(INTENT.c.entity == bindparam("entity")).distinct()


def doubted(connection: Connection, entity: str) -> set[str]:
    """Systems to which something of this entity was sent, or is about to be, and was not confirmed."""
    return {row[0] for row in connection.execute(_DOUBTED, {"entity": entity})}


_INTENTS = select(INTENT).order_by(INTENT.c.id)
_INTENTS_OF = _INTENTS.where(INTENT.c.system == bindparam("system"))


def intents(connection: Connection, system: str | None = None) -> list[Row]:
    """Intents that were sent and never confirmed, each for itself."""
    found: list[Row] = []
    for row in rows_of(connection, _INTENTS if system is None else _INTENTS_OF, {"system": system}):
        row["fields"] = loads(row["fields"])
        found += [row] if row["hub_id"] != TOGETHER else _each(connection, row, NONE)
    return found


NONE: frozenset[str] = frozenset()


def _each(connection: Connection, row: Row, done: Collection[str]) -> list[Row]:
    """An intent of many records, as one for each record that is not ``done``."""
    names, sent = row["fields"]["names"], [one for one in row["fields"]["records"] if one[0] not in done]
    stored = records.load(connection, [hub_id for hub_id, _, _ in sent])
    found = []
    for hub_id, remote_id, version in sent:
        values = stored[hub_id].values if hub_id in stored else {}
        fields = {name: values[name] for name in names if name in values}
        found.append({**row, "hub_id": hub_id, "remote_id": remote_id, "version": version, "fields": fields})
    return found


_TOGETHER = _INTENTS.where(INTENT.c.entity == bindparam("entity"), INTENT.c.hub_id == TOGETHER)


def spell_out(
    connection: Connection, entity: str, *, run: str | None = None, mine: Callable[[str], bool] = lambda hub_id: True
) -> None:
    """Make intents of many records into one for each, with the values that were sent, and have a plan look at these
    records. To be called before records can change while there are intents: at the start of a pass, and when an answer
    was lost.

    ``run``: only those of this run. ``mine``: only those of such records; one intent's all are or none is.
    """
    for row in rows_of(connection, _TOGETHER, {"entity": entity}):
        if (run is None or row["run"] == run) and mine(loads(row["fields"])["records"][0][0]):
            _spell_out(connection, row, NONE)


def _spell_out(connection: Connection, row: Row, done: Collection[str]) -> None:
    row["fields"] = loads(row["fields"])
    each = _each(connection, row, done)
    drop_intent(connection, row["id"])
    for one in each:
        one["fields"] = encoded(one["fields"])
    add_intents(connection, [Intent._make(one[name] for name in Intent._fields) for one in each])
    records.mark(connection, row["entity"], [one["hub_id"] for one in each], 1)


_TOGETHER_THERE = _TOGETHER.where(INTENT.c.run == bindparam("run"), INTENT.c.system == bindparam("system"))


def settle_intents(connection: Connection, run: str, system: str, entity: str, hub_ids: Iterable[str]) -> None:
    """These intents of a run were answered."""
    ids = set(hub_ids)
    if not ids:
        return
    where = {"run": run, "system": system, "entity": entity}
    left = set(ids)
    for row in rows_of(connection, _TOGETHER_THERE, where):
        own = {one[0] for one in loads(row["fields"])["records"]}
        if own <= ids:
            drop_intent(connection, row["id"])
        elif own & ids:
            _spell_out(connection, row, ids)
        left -= own
    if left:
        connection.execute(_SETTLED, {**where, "ids": left})


_SETTLED = delete(INTENT).where(
    INTENT.c.run == bindparam("run"),
    INTENT.c.system == bindparam("system"),
    INTENT.c.entity == bindparam("entity"),
    among(INTENT.c.hub_id, "ids"),
)


_ONE = delete(INTENT).where(INTENT.c.id == bindparam("id"))


def drop_intent(connection: Connection, intent_id: int) -> None:
    """This intent is settled."""
    connection.execute(_ONE, {"id": intent_id})


def doubt_intents(connection: Connection, run: str, system: str, entity: str, hub_ids: Iterable[str]) -> None:
    """The answer to these was lost."""
    spell_out(connection, entity, run=run)
    connection.execute(
        update(INTENT)
        .where(
            INTENT.c.run == run,
            INTENT.c.system == system,
            INTENT.c.entity == entity,
            INTENT.c.hub_id.in_(list(hub_ids)),
        )
        .values(doubt=1)
    )


def name_intents(connection: Connection, run: str, system: str, entity: str, found: Mapping[str, str]) -> None:
    """These were carried out (hub id → remote id) and not read back."""
    spell_out(connection, entity, run=run)
    where = (INTENT.c.run == run, INTENT.c.system == system, INTENT.c.entity == entity)
    statement = update(INTENT).where(*where, INTENT.c.hub_id == bindparam("b_hub_id"))
    rows = [{"b_hub_id": hub_id, "b_remote_id": remote_id} for hub_id, remote_id in found.items()]
    connection.execute(statement.values(remote_id=bindparam("b_remote_id")), rows)
