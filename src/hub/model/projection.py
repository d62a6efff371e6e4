"""From canonical values to rows of the tables an analyst queries: plain dicts for bulk inserts, no objects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Table

from hub.model.registry import CLASSES, line_classes, table
from hub.model.spec import EntitySpec

Values = dict[str, Any]
Row = list[Any]


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


class Projector:
    """Turns records of one entity into rows, prepared once for thousands of them.

    A row is a list with a value for every column, in the table's order (``columns``, and ``lines`` for the tables
    below), so that one statement takes them all; it has no object or name of its own, for speed.
    """

    def __init__(self, spec: EntitySpec) -> None:
        """Raises KeyError for an entity without tables (see ``entity_tables``)."""
        tables = entity_tables(spec.name)
        if tables is None:
            raise KeyError(f"the entity {spec.name!r} is declared by the project and has no tables")
        self._head = _Shape(spec, tables.table, {child.field for child in tables.children.values()})
        self.columns = self._head.columns
        self._below: list[tuple[str, str, _Shape, int, int]] = []
        self.lines: dict[str, tuple[str, ...]] = {}
        for name, child in tables.children.items():
            lines = spec.fields[child.field].lines
            assert lines is not None
            shape = _Shape(lines, child.table, set())
            places = shape.columns.index(child.parent_column), shape.columns.index("position")
            self._below.append((name, child.field, shape, *places))
            self.lines[name] = shape.columns
        self._hub_id, self._created, self._updated = map(self.columns.index, ("hub_id", "created_at", "updated_at"))

    def row(self, hub_id: str, values: Values, created_at: str | None = None, updated_at: str | None = None) -> Row:
        """The record's own row."""
        row = self._head.row(values)
        row[self._hub_id] = hub_id
        row[self._created] = created_at
        row[self._updated] = updated_at
        return row

    def rows_below(self, hub_id: str, values: Values, into: dict[str, list[Row]]) -> None:
        """Add the rows of its lines, with the positions 1, 2, … in the order of the canonical list."""
        get = values.get
        for name, field, shape, parent, position in self._below:
            lines = get(field)
            if lines:
                rows = into[name]
                for at, line in enumerate(lines, 1):
                    row = shape.row(line)
                    row[parent] = hub_id
                    row[position] = at
                    rows.append(row)


class _Shape:
    """How values of one entity, or of one kind of line, become the columns of a table."""

    def __init__(self, spec: EntitySpec, target: Table, elsewhere: set[str]) -> None:
        found, self._extras = _split(spec, target, elsewhere)
        of_column = dict(found)
        self.columns = tuple(c.name for c in target.columns)
        # A name that no field has: its value is always missing, and the column is filled in afterwards or stays null.
        self._fields = [of_column.get(name, "\0") for name in self.columns]
        self._extra = self.columns.index("extra")
        self._json = [at for at, column in enumerate(target.columns) if isinstance(column.type, JSON)]

    def row(self, values: Values) -> Row:
        get = values.get
        row = [get(name) for name in self._fields]
        if self._extras:
            row[self._extra] = {name: values[name] for name in self._extras if name in values} or None
        for at in self._json:
            if row[at] is not None:
                row[at] = json.dumps(row[at], ensure_ascii=False)
        return row


def project_rows(
    spec: EntitySpec, hub_id: str, values: Values, created_at: str | None = None, updated_at: str | None = None
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """(parent row, {child table's name: its rows}) of one record, by column name, JSON as text."""
    make = Projector(spec)
    below: dict[str, list[Row]] = {name: [] for name in make.lines}
    make.rows_below(hub_id, values, below)
    head = dict(zip(make.columns, make.row(hub_id, values, created_at, updated_at), strict=True))
    return head, {name: [dict(zip(make.lines[name], row, strict=True)) for row in rows] for name, rows in below.items()}


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
