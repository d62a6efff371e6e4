"""Keys as text, and paging by key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from hub.errors import UnexpectedAnswer

from .tables import Column, Table


def join_id(parts: Sequence[str]) -> str:
    """One text for the parts of a key: ``10248|11``. A single part stays as it is; in several, ``|`` and the
    backslash are written with a backslash before them."""
    if len(parts) == 1:
        return parts[0]
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def split_id(text: str, count: int) -> list[str] | None:
    """The parts that ``join_id`` joined; None when the text has not that many."""
    if count == 1:
        return [text]
    parts, escaped = [""], False
    for letter in text:
        if escaped or letter not in "\\|":
            parts[-1] += letter
            escaped = False
        elif letter == "|":
            parts.append("")
        else:
            escaped = True
    return parts if len(parts) == count and not escaped else None


def key_text(column: Column, value: Any) -> str:
    """A key column's value as part of an id. Raises UnexpectedAnswer for NULL."""
    if value is None:
        raise UnexpectedAnswer(
            f"a row has no {column.name}, which is its key", cure="choose key columns that are never NULL"
        )
    found = column.get(value)
    return found if isinstance(found, str) else f"{found:f}" if hasattr(found, "as_tuple") else str(found)


def row_id(table: Table, values: Sequence[Any]) -> str:
    """The id of a row from its key columns' driver values."""
    return join_id([key_text(table.columns[name], value) for name, value in zip(table.key, values, strict=True)])


def key_values(table: Table, text: str) -> tuple[Any, ...] | None:
    """Driver values of the key columns for an id; None when no row can have this id."""
    parts = split_id(text, len(table.key))
    if parts is None:
        return None
    try:
        return tuple(table.columns[name].put(part) for name, part in zip(table.key, parts, strict=True))
    except ValueError:
        return None


def among(columns: Sequence[sa.ColumnElement[Any]], rows: Sequence[Sequence[Any]]) -> sa.ColumnElement[bool]:
    """The condition that ``columns`` equal one of ``rows``."""
    if len(columns) == 1:
        return columns[0].in_([row[0] for row in rows])
    return sa.or_(sa.false(), *(equals(columns, row) for row in rows))


def equals(columns: Sequence[sa.ColumnElement[Any]], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == value for column, value in zip(columns, values, strict=True)))


def after(columns: Sequence[sa.ColumnElement[Any]], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """The condition for rows that come after ``values`` in the order of ``columns``."""
    first, value = columns[0], values[0]
    if len(columns) == 1:
        return sa.and_(first > value)
    # The plain first comparison lets databases use an index that they don't use for the rest.
    return sa.and_(first >= value, sa.or_(first > value, after(columns[1:], values[1:])))
