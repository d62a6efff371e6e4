"""Bulk statements: SQL compiled once from the SQLModel tables, rows as tuples straight to the driver.

The plain twin is ``connection.execute(insert(table), [dict, …])``; this saves its work per row. It fits tables whose
columns take what they are given: text and whole numbers. PostgreSQL has ways of its own (``copying``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table, Text, bindparam, cast, insert
from sqlalchemy.dialects import sqlite

from hub.store import copying
from hub.store.copying import Rows

NONE: frozenset[str] = frozenset()


def insert_rows(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Rows, encoded: frozenset[str] = NONE
) -> None:
    """Insert rows; the values of each are in the order of ``columns``.

    ``encoded``: text columns whose values are given as UTF-8 bytes, the way JSON is made. SQLite takes them as they
    are; making a ``str`` of each first, for the driver to encode it again, would cost more than making the JSON.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        copying.copy_rows(connection, table, columns, rows, encoded)
    else:
        connection.exec_driver_sql(_insert(table, columns, "plain", (), encoded), list(rows))


def insert_new_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Rows) -> None:
    """Insert the rows that are not there yet."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        copying.insert_arrays(connection, table, columns, (), rows)
    else:
        connection.exec_driver_sql(_insert(table, columns, "ignore", (), NONE), list(rows))


def upsert_rows(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    keys: tuple[str, ...],
    rows: Rows,
    encoded: frozenset[str] = NONE,
) -> None:
    """Insert rows or, where ``keys`` are there already, replace the other columns. ``encoded`` as above."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        copying.insert_arrays(connection, table, columns, keys, _decoded(rows, columns, encoded))
    else:
        connection.exec_driver_sql(_insert(table, columns, "replace", keys, encoded), list(rows))


def _decoded(rows: Rows, columns: tuple[str, ...], encoded: frozenset[str]) -> Rows:
    places = [place for place, name in enumerate(columns) if name in encoded]
    decoded = []
    for row in rows:
        values = list(row)
        for place in places:
            if values[place] is not None:
                values[place] = values[place].decode()
        decoded.append(tuple(values))
    return decoded


@lru_cache(maxsize=256)
def _insert(table: Table, columns: tuple[str, ...], mode: str, keys: tuple[str, ...], encoded: frozenset[str]) -> str:
    given = {name: cast(bindparam(name), Text) if name in encoded else bindparam(name) for name in columns}
    statement = sqlite.insert(table).values(given)
    if mode == "plain":
        return _ordered(insert(table).values(given), columns)
    if mode == "ignore":
        return _ordered(statement.on_conflict_do_nothing(), columns)
    others = {name: statement.excluded[name] for name in columns if name not in keys}
    return _ordered(statement.on_conflict_do_update(index_elements=list(keys), set_=others), columns)


def _ordered(statement: Any, order: tuple[str, ...]) -> str:
    """SQL with positional parameters in this order. The compiler follows the table's columns: so must the callers."""
    compiled = statement.compile(dialect=sqlite.dialect())
    if tuple(compiled.positiontup) != order:
        raise AssertionError(f"columns must be given in the order {compiled.positiontup}")
    return str(compiled)
