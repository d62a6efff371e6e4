"""Rows as records: which columns to select, and what to make of what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from hub.connect.capabilities import Record, Remote
from hub.errors import ConfigurationError

from .keys import among, key_text, row_id
from .tables import Column, Lines, Source
from .values import time_in

CHUNK = 500
"""Keys in one IN list, well below every database's limit on parameters."""
Part = tuple[str, int, Callable[[Any], Any] | None]


@dataclass(slots=True)
class Shape:
    """What to select of one resource for the fields that were asked for, and how to read it."""

    source: Source
    select: sa.Select[Any]
    parts: tuple[Part, ...]
    lines: tuple[Lines, ...]
    positions: dict[str, int]
    cursor: int | None
    version: int | None

    def key(self, row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(row[self.positions[name]] for name in self.source.table.key)

    def remotes(self, connection: sa.Connection, rows: Sequence[Sequence[Any]]) -> list[Remote]:
        """The rows as records, their lines fetched in as few queries as possible."""
        children = [lines_of(connection, lines, self._parents(lines, rows)) for lines in self.lines]
        return [self._remote(row, [found[n] for found in children]) for n, row in enumerate(rows)]

    def _parents(self, lines: Lines, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        where = [self.positions[name] for name in lines.join.values()]
        return [tuple(row[at] for at in where) for row in rows]

    def _remote(self, row: Sequence[Any], children: list[list[Record]]) -> Remote:
        source = self.source
        record: Record = {name: _read(row[at], read) for name, at, read in self.parts}
        for lines, found in zip(self.lines, children, strict=True):
            record[lines.field] = found
        settings = source.settings
        remote = Remote(
            row_id(source.table, self.key(row)),
            record,
            version=self._version(row),
            modified_at=modified_at(source, None if self.cursor is None else row[self.cursor]),
            modified_by=self._text(row, settings.modified_by),
            key=self._text(row, settings.hub_key),
        )
        mark = settings.deleted
        if mark and source.is_deleted(source.table.columns[mark.column].get(row[self.positions[mark.column]])):
            remote.deleted, remote.record = True, None
        return remote

    def _version(self, row: Sequence[Any]) -> str | None:
        if self.version is None or row[self.version] is None:
            return None
        column = self.source.table.columns.get(self.source.settings.version or "")
        return key_text(column, row[self.version]) if column else str(row[self.version])

    def _text(self, row: Sequence[Any], name: str | None) -> str | None:
        if name is None or row[self.positions[name]] in (None, ""):
            return None
        return key_text(self.source.table.columns[name], row[self.positions[name]])


def shape(source: Source, fields: Sequence[str]) -> Shape:
    """``fields``: names that the mapping reads; none: everything but binary columns. Raises ConfigurationError for a
    name that is neither a column nor lines."""
    table, settings = source.table, source.settings
    wanted = list(fields) or [n for n, c in table.columns.items() if not _is_binary(c)] + list(source.lines)
    for name in wanted:
        if name not in table.columns and name not in source.lines:
            raise ConfigurationError(
                f"there is no field {name!r}",
                where=source.name,
                cure=f"there are: {', '.join([*table.columns, *source.lines])}",
            )
    lines = tuple(source.lines[name] for name in wanted if name in source.lines)
    asked = [name for name in dict.fromkeys(wanted) if name in table.columns]
    needed = [*asked, *table.key, *(name for each in lines for name in each.join.values())]
    needed += [name for name in (settings.modified_by, settings.hub_key) if name]
    needed += [settings.deleted.column] if settings.deleted else []
    names = list(dict.fromkeys(needed))
    columns: list[sa.ColumnElement[Any]] = [table.column(name) for name in names]
    extra = {"cursor": source.cursor(), "version": source.version}
    at: dict[str, int | None] = {}
    for name, expression in extra.items():
        at[name] = len(columns) if expression is not None else None
        if expression is not None:
            columns.append(expression.label(f"hub_{name}"))
    positions = {name: n for n, name in enumerate(names)}
    parts = tuple((name, positions[name], table.columns[name].read) for name in asked)
    select = sa.select(*columns).select_from(table.sql)
    return Shape(source, select, parts, lines, positions, at["cursor"], at["version"])


def lines_of(connection: sa.Connection, lines: Lines, parents: list[tuple[Any, ...]]) -> list[list[Record]]:
    """The lines of each parent, ordered by their key. ``parents``: values of the parent columns of the join."""
    found = child_rows(connection, lines, parents)
    return [[line_record(lines, row) for row in rows] for rows in found]


def child_rows(
    connection: sa.Connection, lines: Lines, parents: list[tuple[Any, ...]], *, lock: Callable[[Any], Any] | None = None
) -> list[list[dict[str, Any]]]:
    """The child rows (column → driver value) of each parent, ordered by their key."""
    table = lines.table
    names = list(table.columns)
    joined = [table.column(name) for name in lines.join]
    at = [names.index(name) for name in lines.join]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    loose = {_folded(parent): parent for parent in parents}
    distinct = [parent for parent in dict.fromkeys(parents) if None not in parent]
    known = set(distinct)
    for start in range(0, len(distinct), CHUNK):
        select = sa.select(*(table.column(name) for name in names))
        select = select.where(among(joined, distinct[start : start + CHUNK])).order_by(*table.key_columns())
        for row in connection.execute(lock(select) if lock else select):
            parent = tuple(row[n] for n in at)
            # A database may call keys equal that differ in case or in blanks at the end.
            parent = parent if parent in known else loose.get(_folded(parent), parent)
            groups.setdefault(parent, []).append(dict(zip(names, row, strict=True)))
    return [groups.get(parent, []) for parent in parents]


def _folded(parent: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.casefold().rstrip(" ") if isinstance(value, str) else value for value in parent)


def line_record(lines: Lines, row: dict[str, Any]) -> Record:
    """One line: its own id and its columns."""
    record: Record = {lines.id_field: row_id(lines.table, [row[name] for name in lines.table.key])}
    for name, column in lines.table.columns.items():
        if not _is_binary(column):
            record[name] = column.get(row[name])
    return record


def modified_at(source: Source, value: Any) -> str | None:
    """A cursor value as an instant in UTC, where it is one."""
    if value is None or not source.settings.cursor:
        return None
    column = source.table.columns[source.settings.cursor[0]]
    instant = instant_of(column, value, source)
    return instant.isoformat().replace("+00:00", "Z") if instant else None


def instant_of(column: Column, value: Any, source: Source) -> datetime | None:
    """The instant that a cursor column's driver value means; None when it has no zone, or is no time. SQLite has no
    type for times: there and elsewhere, a text that looks like one is one."""
    if column.kind.order not in ("instant", "local", "text"):
        return None
    if isinstance(value, str):
        value = time_in(value)
    if not isinstance(value, datetime):
        return None
    moment: datetime = value
    if moment.tzinfo is None:
        if source.table.zone is None:
            return None
        moment = moment.replace(tzinfo=source.table.zone)
    return moment.astimezone(UTC)


def _read(value: Any, read: Callable[[Any], Any] | None) -> Any:
    return value if read is None or value is None else read(value)


def _is_binary(column: Column) -> bool:
    return isinstance(column.sql.type, sa.LargeBinary)
