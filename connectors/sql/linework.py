"""Lines: from the rows that are there to the complete wanted list, with as few changes as possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from hub.connect.capabilities import Record
from hub.errors import RecordRejected, VersionConflict

from .keys import equals, row_id
from .prepare import Row, row_of, same, same_line
from .tables import Lines

Parent = tuple[Any, ...]


def check_unchanged(lines: Lines, current: Sequence[Row], old: Any, where: str) -> None:
    """Raises VersionConflict when lines were added, removed or edited since ``old`` was seen."""
    if not isinstance(old, list) or not all(isinstance(line, dict) and lines.id_field in line for line in old):
        return
    rows = {_id(lines, row): row for row in current}
    seen = {line[lines.id_field]: line for line in old}
    for identity in sorted(rows.keys() | seen.keys()):
        if identity not in rows or identity not in seen or not same_line(lines, rows[identity], seen[identity]):
            raise VersionConflict(f"line {identity} of {lines.field} changed meanwhile", where=where)


def write_lines(
    connection: sa.Connection,
    lines: Lines,
    parent: Parent,
    current: Sequence[Row],
    *,
    wanted: Sequence[Record],
    where: str,
) -> bool:
    """Make the rows below ``parent`` (values of the join) those of ``wanted``; returns whether anything was done.

    A line with its own id is that row; one without is the row with the same key, if there is one, else new. Rows that
    no line stands for are deleted. Columns that the mapping doesn't write keep their values.
    """
    rows = {_id(lines, row): row for row in current}
    kept, new = _assigned(lines, parent, rows, wanted, where)
    table, delete, update, insert = lines.table, [], [], list(new)
    for identity, row in rows.items():
        if identity not in kept:
            delete.append(row)
            continue
        changes = _changes(lines, row, kept[identity])
        if changes.keys() & set(table.key):
            delete.append(row)  # a new key may be the old one of another line: all old ones go first
            insert.append({n: v for n, v in row.items() if not table.columns[n].fixed} | changes)
        elif changes:
            update.append((row, changes))
    for row in delete:
        connection.execute(sa.delete(table.sql).where(_this(lines, row)))
    for row, changes in update:
        connection.execute(sa.update(table.sql).where(_this(lines, row)).values(changes))
    _number_new(lines, rows, insert)
    for names in dict.fromkeys(tuple(sorted(row)) for row in insert):
        connection.execute(sa.insert(table.sql), [row for row in insert if tuple(sorted(row)) == names])
    return bool(delete or update or insert)


def delete_lines(connection: sa.Connection, lines: Lines, parent: Parent) -> None:
    joined = [lines.table.column(name) for name in lines.join]
    connection.execute(sa.delete(lines.table.sql).where(equals(joined, parent)))


def _assigned(
    lines: Lines, parent: Parent, rows: dict[str, Row], wanted: Sequence[Record], where: str
) -> tuple[dict[str, Row], list[Row]]:
    """Which existing row each wanted line is, and the lines that are new."""
    table = lines.table
    kept: dict[str, Row] = {}
    new: list[Row] = []
    final: set[str] = set()
    claimed = [line[lines.id_field] for line in wanted if line.get(lines.id_field) is not None]
    if len(set(claimed)) != len(claimed):
        raise RecordRejected("two lines stand for the same row", field=lines.field, where=where)
    for number, line in enumerate(wanted, 1):
        prefix = f"{lines.field}[{number}]."
        row = row_of(table, line, where, prefix, [lines.id_field])
        row |= dict(zip(lines.join, parent, strict=True))
        identity = line.get(lines.id_field)
        own = _given_id(lines, row)
        if identity is None and own in rows and own not in claimed:
            identity = own
        if identity is not None and identity not in rows:
            raise VersionConflict(f"line {identity} of {lines.field} is gone", where=where)
        becomes = own or identity
        if becomes is not None and becomes in final:
            raise RecordRejected(
                f"two lines have the same {', '.join(table.key)}: {becomes}", field=prefix + table.key[0], where=where
            )
        final |= {becomes} if becomes else set()
        if identity is None:
            new.append({name: value for name, value in row.items() if value is not None or name not in table.key})
        else:
            kept[identity] = row
    return kept, new


def _number_new(lines: Lines, rows: dict[str, Row], insert: list[Row]) -> None:
    if lines.table.new_key != "next":
        return
    (name,) = lines.table.key[-1:]
    taken = [row[name] for row in [*rows.values(), *insert] if isinstance(row.get(name), int)]
    last = max(taken, default=0)
    for row in insert:
        if name not in row:
            last += 1
            row[name] = last


def _given_id(lines: Lines, row: Row) -> str | None:
    values = [row.get(name) for name in lines.table.key]
    return None if None in values else row_id(lines.table, values)


def _id(lines: Lines, row: Row) -> str:
    return row_id(lines.table, [row[name] for name in lines.table.key])


def _changes(lines: Lines, current: Row, wanted: Row) -> Row:
    known = lines.table.columns
    return {
        name: value for name, value in wanted.items() if not same(known[name], current[name], known[name].get(value))
    }


def _this(lines: Lines, row: Row) -> sa.ColumnElement[bool]:
    names = dict.fromkeys([*lines.join, *lines.table.key])
    return equals([lines.table.column(name) for name in names], [row[name] for name in names])
