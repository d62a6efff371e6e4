"""Which tables (views, see ``hub.store.views``) show an entity's records to an analyst."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table

from hub.model.registry import CLASSES, line_classes, table


@dataclass(frozen=True, slots=True)
class ChildTable:
    """A table of lines: the canonical lines field it holds, and the column with the record's ``hub_id``."""

    table: Table
    field: str
    parent_column: str


@dataclass(frozen=True, slots=True)
class EntityTables:
    """The tables of one bundled entity. ``children`` by table name."""

    table: Table
    children: dict[str, ChildTable]


def entity_tables(entity: str) -> EntityTables | None:
    """The tables of an entity; None for an entity that a project declares: those have no tables of their own."""
    cls = CLASSES.get(entity)
    if cls is None:
        return None
    children = {}
    for field, (lines, _, _) in line_classes(cls).items():
        below = table(lines)
        children[below.name] = ChildTable(below, field, next(iter(below.primary_key.columns)).name)
    return EntityTables(table(cls), children)
