"""From the values of a write to rows: every value checked, so that what is wrong names its field."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hub.connect.capabilities import Record, Write
from hub.errors import ConfigurationError, RecordRejected

from .settings import Mark
from .tables import Column, Lines, Source, Table, mark_values

Row = dict[str, Any]


@dataclass(slots=True)
class Wanted:
    """One write, ready for statements: driver values for the table, records for its lines."""

    write: Write
    row: Row
    lines: dict[str, list[Record]] = field(default_factory=dict)
    key: tuple[Any, ...] = ()


def wanted(source: Source, write: Write) -> Wanted:
    """Raises RecordRejected for a value that its column can't hold, ConfigurationError for a field that isn't there."""
    lines = {name: list(value or []) for name, value in write.values.items() if name in source.lines}
    plain = {name: value for name, value in write.values.items() if name not in source.lines}
    return Wanted(write, row_of(source.table, plain, source.name), lines)


def row_of(table: Table, values: Record, where: str, prefix: str = "", skip: Iterable[str] = ()) -> Row:
    """Driver values of a record's columns. ``prefix`` names the line in messages."""
    row: Row = {}
    for name, value in values.items():
        if name in skip:
            continue
        column = table.columns.get(name)
        if column is None:
            near = difflib.get_close_matches(name, table.columns, n=1)
            cure = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(table.columns)}"
            raise ConfigurationError(
                f"the mapping writes {prefix + name!r}, which is no column", where=where, cure=cure
            )
        if column.fixed:
            raise ConfigurationError(
                f"the database computes {prefix + name!r} itself", where=where, cure="give the field direction: in"
            )
        try:
            row[name] = column.put(value)
        except ValueError as error:
            raise RecordRejected(f"{name}: {error}", field=prefix + name, where=where) from error
    return row


def complete_new(source: Source, each: Wanted, now: Callable[[], datetime]) -> None:
    """Add to a new row what isn't the mapping's business: the hub's key, the filter, the marks of a live row."""
    settings, table = source.settings, source.table
    if settings.hub_key:
        each.row[settings.hub_key] = _put(table.columns[settings.hub_key], each.write.key, source.name)
    for name, value in settings.filter.items():
        if name not in each.row and not isinstance(value, tuple):
            each.row[name] = table.columns[name].put(value)
    for mark in (settings.deleted, settings.archive):
        column = table.columns[mark.column] if mark else None
        if column is not None and column.kind.field == "boolean" and not column.filled and not column.nullable:
            each.row.setdefault(column.name, column.put(not mark_values(mark)[0]) if mark else None)
    each.row |= touched(source, now)
    for name in table.key:
        if each.row.get(name) in (None, ""):
            each.row.pop(name, None)


def _put(column: Column, value: Any, where: str) -> Any:
    try:
        return column.put(value)
    except ValueError as error:
        raise RecordRejected(f"{column.name}: {error}", field=column.name, where=where) from error


def marking(source: Source, mark: Mark, now: Callable[[], datetime]) -> Row:
    """The change that marks a row as deleted or archived."""
    column = source.table.columns[mark.column]
    if mark.value is None and column.kind.order in ("instant", "local", "date"):
        return {mark.column: _now(source.table, column, now)} | touched(source, now)
    return {mark.column: column.put(mark_values(mark)[0])} | touched(source, now)


def touched(source: Source, now: Callable[[], datetime]) -> Row:
    """The cursor column set to now, where the settings ask for it."""
    if not source.settings.touch:
        return {}
    column = source.table.columns[source.settings.cursor[0]]
    return {column.name: _now(source.table, column, now)}


def _now(table: Table, column: Column, now: Callable[[], datetime]) -> Any:
    """Now, by the database's clock and zone, unless the settings say in which zone the column's times are."""
    if column.kind.order == "local" and table.zone is not None:
        return column.put(now().isoformat())
    return sa.func.current_date() if column.kind.order == "date" else sa.func.now()


def same(column: Column, current: Any, other: Any) -> bool:
    """Whether a record's value equals the (driver's) current one, once it is in the form that the column keeps."""
    now = column.get(current)
    if now == other:
        return True
    try:
        return bool(now == column.get(column.put(other)))
    except ValueError:
        return False


def same_line(lines: Lines, current: Row, other: Record) -> bool:
    known = lines.table.columns
    return all(same(known[name], current[name], value) for name, value in other.items() if name in known)
