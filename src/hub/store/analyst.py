"""The canonical tables an analyst queries: kept equal to the hub's records, in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table, delete

from hub.model.projection import Projector, entity_tables, projector
from hub.model.spec import EntitySpec
from hub.store.among import among
from hub.store.bulk import insert_rows, json_columns, json_text, upsert_rows
from hub.store.records import RecordWrite

Row = dict[str, Any]

_projectors: dict[int, tuple[EntitySpec, Projector]] = {}


def _projector(spec: EntitySpec) -> Projector:
    known = _projectors.get(id(spec))
    if known is None or known[0] is not spec:
        known = _projectors[id(spec)] = (spec, projector(spec))
    return known[1]


def project(
    connection: Connection, spec: EntitySpec, created: Sequence[RecordWrite], updated: Sequence[RecordWrite], at: str
) -> None:
    """Bring the canonical tables of one entity up to these records. A deleted record leaves its tables.

    An entity that the project declares itself has no tables of its own; it stays in ``hub_record`` as JSON.
    """
    tables = entity_tables(spec.name)
    if tables is None or not (created or updated):
        return
    make = _projector(spec)
    children: dict[str, list[Row]] = {name: [] for name in tables.children}
    heads, changed = [], []
    for write in created:
        head, below = make(write.hub_id, write.values, at, at)
        heads.append(head)
        for name, rows in below.items():
            children[name] += rows
    gone = [write.hub_id for write in updated if write.deleted_at is not None]
    alive = {write.hub_id: write for write in updated if write.deleted_at is None}
    for write in alive.values():
        head, below = make(write.hub_id, write.values, None, at)
        del head["created_at"]
        changed.append(head)
        for name, rows in below.items():
            children[name] += rows
    insert_rows(connection, tables.table, *_tuples(tables.table, heads))
    old = [*gone, *alive]
    for child in tables.children.values():
        if old:
            connection.execute(
                delete(child.table).where(among(child.table.c[child.parent_column], "ids")), {"ids": old}
            )
        insert_rows(connection, child.table, *_tuples(child.table, children[child.table.name]))
    columns, values = _tuples(tables.table, changed)
    upsert_rows(connection, tables.table, columns, ("hub_id",), values)
    if gone:
        connection.execute(delete(tables.table).where(among(tables.table.c.hub_id, "ids")), {"ids": gone})


def _tuples(table: Table, rows: list[Row]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """(columns, rows) as bulk statements want them: in the table's order, JSON as text."""
    if not rows:
        return (), []
    columns = tuple(c.name for c in table.columns if c.name in rows[0])
    for name in json_columns(table):
        for row in rows:
            if row[name] is not None:
                row[name] = json_text(row[name])
    return columns, list(map(itemgetter(*columns), rows))
