"""The canonical tables an analyst queries: kept equal to the hub's records, in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, delete

from hub.model.projection import Projector, entity_tables
from hub.model.spec import EntitySpec
from hub.store.among import among
from hub.store.bulk import insert_rows, upsert_rows
from hub.store.records import RecordWrite

Row = list[Any]

_projectors: dict[int, tuple[EntitySpec, Projector]] = {}


def _projector(spec: EntitySpec) -> Projector:
    known = _projectors.get(id(spec))
    if known is None or known[0] is not spec:
        known = _projectors[id(spec)] = (spec, Projector(spec))
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
    gone = [write.hub_id for write in updated if write.deleted_at is not None]
    alive = {write.hub_id: write for write in updated if write.deleted_at is None}
    heads = [make.row(write.hub_id, write.values, at, at) for write in created]
    changed = [make.row(hub_id, write.values, None, at) for hub_id, write in alive.items()]
    for write in (*created, *alive.values()):
        make.rows_below(write.hub_id, write.values, children)
    insert_rows(connection, tables.table, make.columns, list(map(tuple, heads)))
    old = [*gone, *alive]
    for name, child in tables.children.items():
        if old:
            connection.execute(_without(child.table.c[child.parent_column]), {"ids": old})
        insert_rows(connection, child.table, make.lines[name], list(map(tuple, children[name])))
    kept = make.columns.index("created_at")
    upsert_rows(
        connection,
        tables.table,
        make.columns[:kept] + make.columns[kept + 1 :],
        ("hub_id",),
        [(*row[:kept], *row[kept + 1 :]) for row in changed],
    )
    if gone:
        connection.execute(_without(tables.table.c.hub_id), {"ids": gone})


@cache
def _without(column: Any) -> Any:
    return delete(column.table).where(among(column, "ids"))
