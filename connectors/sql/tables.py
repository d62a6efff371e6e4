"""What the hub knows of a table: reflection, completed and corrected by the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from .kinds import Kind
from .settings import LinesSettings, Mark, NewKey, TableSettings


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    sql: sa.Column[Any]
    kind: Kind
    nullable: bool = True
    filled: bool = False
    """The database fills it in when an insert leaves it out (default, identity, serial)."""
    fixed: bool = False
    """It can't be written: computed, or GENERATED ALWAYS."""
    counts: bool = False
    """It numbers itself (identity, serial, auto_increment)."""
    comment: str = ""
    unique: bool = False
    reference: str | None = None

    @property
    def read(self) -> Callable[[Any], Any] | None:
        return self.kind.read

    def get(self, value: Any) -> Any:
        """The record's value for the driver's."""
        return value if value is None or self.kind.read is None else self.kind.read(value)

    def put(self, value: Any) -> Any:
        """The driver's value for a record's. Raises ValueError for a value that the column can't hold."""
        return None if value is None else self.kind.write(value)


@dataclass(slots=True)
class Table:
    """One table or view, as the hub uses it."""

    sql: sa.Table
    columns: dict[str, Column]
    key: tuple[str, ...]
    new_key: NewKey
    zone: ZoneInfo | None = None
    view: bool = False
    transactional: bool = True
    comment: str = ""
    unique: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Name of each unique constraint or index → its columns; the primary key's is among them."""
    indexes: tuple[tuple[str, ...], ...] = ()
    """Columns of every index, in order."""

    def column(self, name: str) -> sa.Column[Any]:
        return self.columns[name].sql

    def key_columns(self) -> list[sa.Column[Any]]:
        return [self.columns[name].sql for name in self.key]


@dataclass(slots=True)
class Lines:
    """A child table as a field of its parent."""

    field: str
    table: Table
    join: dict[str, str]
    """Child column → parent column."""
    settings: LinesSettings

    @property
    def id_field(self) -> str:
        return self.settings.id_as


@dataclass(slots=True)
class Source:
    """One resource: a table with its lines and what the settings say of it."""

    name: str
    table: Table
    settings: TableSettings
    overlap: int
    lines: dict[str, Lines] = field(default_factory=dict)
    part: sa.ColumnElement[bool] | None = None
    """The condition for the part of it that is read; None: all."""

    @property
    def version(self) -> sa.ColumnElement[Any] | None:
        name = self.settings.version
        if name is None:
            return None
        if name not in self.table.columns:  # xmin of PostgreSQL; the builder let nothing else through
            return sa.cast(sa.literal_column(name, sa.Text), sa.Text)
        return self.table.column(name)

    def cursor(self) -> sa.ColumnElement[Any] | None:
        """The expression that says when a row last changed."""
        return cursor_of(self.table, self.settings.cursor)

    def scope(self) -> list[sa.ColumnElement[bool]]:
        """The conditions of ``filter:``, and of a part."""
        conditions = [self.part] if self.part is not None else []
        for name, wanted in self.settings.filter.items():
            column = self.table.columns[name]
            if isinstance(wanted, tuple):
                conditions.append(column.sql.in_([column.put(value) for value in wanted]))
            else:
                conditions.append(column.sql.is_not_distinct_from(column.put(wanted)))
        return conditions

    def is_deleted(self, value: Any) -> bool:
        """Whether the deleted column's record value marks the row as deleted."""
        mark = self.settings.deleted
        return mark is not None and marked(self.table.columns[mark.column], mark, value)

    def live(self) -> list[sa.ColumnElement[bool]]:
        """The condition for rows that are not marked as deleted."""
        mark = self.settings.deleted
        if mark is None:
            return []
        column = self.table.columns[mark.column]
        if mark.value is None and column.kind.order in ("instant", "local", "date"):
            return [column.sql.is_(None)]
        return [sa.or_(column.sql.is_(None), column.sql.not_in([column.put(v) for v in mark_values(mark)]))]


def cursor_of(table: Table, names: tuple[str, ...]) -> sa.ColumnElement[Any] | None:
    if not names:
        return None
    columns = [table.column(name) for name in names]
    return columns[0] if len(columns) == 1 else sa.func.coalesce(*columns, type_=columns[0].type)


def mark_values(mark: Mark) -> tuple[Any, ...]:
    if mark.value is None:
        return (True,)
    return mark.value if isinstance(mark.value, tuple) else (mark.value,)


def marked(column: Column, mark: Mark, value: Any) -> bool:
    """Whether a record's value is the mark."""
    if value is None:
        return False
    if mark.value is None and column.kind.order in ("instant", "local", "date"):
        return True
    return value in [column.get(column.put(wanted)) for wanted in mark_values(mark)]
