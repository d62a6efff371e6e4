"""From canonical values to rows of the tables an analyst queries: plain dicts for bulk inserts, no objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from hub.model.registry import CLASSES, line_classes, table
from hub.model.spec import EntitySpec

Values = dict[str, Any]
Row = dict[str, Any]
Rows = tuple[Row, dict[str, list[Row]]]
Projector = Callable[..., Rows]
"""``(hub_id, values, created_at=None, updated_at=None) -> (parent row, {child table's name: its rows})``."""


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


def projector(spec: EntitySpec) -> Projector:
    """What turns records of this entity into rows, prepared once for thousands of them.

    Every row has all columns of its table, so that one statement takes them all. A record's lines get the positions
    1, 2, … in the order of the canonical list. Raises KeyError for an entity without tables (see ``entity_tables``).
    """
    tables = entity_tables(spec.name)
    if tables is None:
        raise KeyError(f"the entity {spec.name!r} is declared by the project and has no tables")
    columns, extras = _split(spec, tables.table, {child.field for child in tables.children.values()})
    children = []
    for name, child in tables.children.items():
        lines = spec.fields[child.field].lines
        assert lines is not None
        children.append((name, child.field, child.parent_column, *_split(lines, child.table, set())))

    def project(hub_id: str, values: Values, created_at: str | None = None, updated_at: str | None = None) -> Rows:
        get = values.get
        row: Row = {column: get(field) for column, field in columns}
        row["hub_id"] = hub_id
        row["created_at"] = created_at
        row["updated_at"] = updated_at
        row["extra"] = _extra(values, extras)
        below: dict[str, list[Row]] = {}
        for name, field, parent_column, line_columns, line_extras in children:
            rows = below[name] = []
            for position, line in enumerate(get(field) or (), 1):
                get_line = line.get
                line_row: Row = {column: get_line(name) for column, name in line_columns}
                line_row[parent_column] = hub_id
                line_row["position"] = position
                line_row["extra"] = _extra(line, line_extras)
                rows.append(line_row)
        return row, below

    return project


def project_rows(spec: EntitySpec, hub_id: str, values: Values) -> Rows:
    """Rows of one record. For many records, prepare a ``projector``."""
    return projector(spec)(hub_id, values)


def _split(spec: EntitySpec, target: Table, elsewhere: set[str]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """(column, field) of the fields that have a column, and the fields that go to ``extra``."""
    columns, extras = [], []
    for name, field in spec.fields.items():
        column = f"{name}_id" if field.type == "ref" else name
        if name in elsewhere:
            continue
        if column in target.columns and target.columns[column].info:
            columns.append((column, name))
        else:
            extras.append(name)
    return columns, tuple(extras)


def _extra(values: Values, names: tuple[str, ...]) -> Row | None:
    if not names:
        return None
    return {name: values[name] for name in names if name in values} or None
