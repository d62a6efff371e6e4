"""The canonical tables an analyst queries: kept equal to the hub's records, in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert

from hub.model.projection import Projector, entity_tables, projector
from hub.model.spec import EntitySpec
from hub.store.database import upsert
from hub.store.records import RecordWrite

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
    children = {name: list[dict]() for name in tables.children}
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
    if heads:
        connection.execute(insert(tables.table), heads)
    old = [*gone, *alive]
    for child in tables.children.values():
        if old:
            connection.execute(delete(child.table).where(child.table.c[child.parent_column].in_(old)))
        if children[child.table.name]:
            connection.execute(insert(child.table), children[child.table.name])
    upsert(connection, tables.table, changed, ("hub_id",))
    if gone:
        connection.execute(delete(tables.table).where(tables.table.c.hub_id.in_(gone)))
