"""Rows as dicts, for what is read now and then."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

Row = dict[str, Any]


def rows_of(connection: Connection, statement: Any, parameters: Row | None = None) -> list[Row]:
    """What a statement finds, by column name."""
    return [dict(row._mapping) for row in connection.execute(statement, parameters)]
