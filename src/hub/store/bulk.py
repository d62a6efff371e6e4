"""Bulk statements: SQL compiled once from the SQLModel tables, rows as tuples straight to the driver.

The plain twin is ``connection.execute(insert(table), [dict, …])``; this saves its work per row. It fits tables whose
columns take what they are given: text, integers, booleans, and the canonical tables' own column types.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table, Text, bindparam, cast, insert
from sqlalchemy.dialects import postgresql, sqlite

Rows = Sequence[tuple[Any, ...]]
NONE: frozenset[str] = frozenset()


def insert_rows(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Rows, encoded: frozenset[str] = NONE
) -> None:
    """Insert rows; the values of each are in the order of ``columns``.

    ``encoded``: text columns whose values are given as UTF-8 bytes, the way JSON is made. SQLite takes them as they
    are; making a ``str`` of each first, for the driver to encode it again, would cost more than making the JSON.
    """
    if rows:
        dialect = connection.dialect.name
        statement = _insert(table, columns, dialect, "plain", (), encoded)
        connection.exec_driver_sql(statement, _given(rows, columns, encoded, dialect))


def insert_new_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Rows) -> None:
    """Insert the rows that are not there yet."""
    if rows:
        connection.exec_driver_sql(_insert(table, columns, connection.dialect.name, "ignore", (), NONE), list(rows))


def upsert_rows(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    keys: tuple[str, ...],
    rows: Rows,
    encoded: frozenset[str] = NONE,
) -> None:
    """Insert rows or, where ``keys`` are there already, replace the other columns. ``encoded`` as above."""
    if rows:
        dialect = connection.dialect.name
        statement = _insert(table, columns, dialect, "replace", keys, encoded)
        connection.exec_driver_sql(statement, _given(rows, columns, encoded, dialect))


def _given(rows: Rows, columns: tuple[str, ...], encoded: frozenset[str], dialect: str) -> list[tuple[Any, ...]]:
    if not encoded or dialect == "sqlite":
        return list(rows)
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
def _insert(
    table: Table, columns: tuple[str, ...], dialect: str, mode: str, keys: tuple[str, ...], encoded: frozenset[str]
) -> str:
    maker = postgresql.insert if dialect == "postgresql" else sqlite.insert
    bytes_taken = encoded if dialect == "sqlite" else NONE
    given = {name: cast(bindparam(name), Text) if name in bytes_taken else bindparam(name) for name in columns}
    statement = maker(table).values(given)
    if mode == "plain":
        return _ordered(insert(table).values(given), columns, dialect)
    if mode == "ignore":
        return _ordered(statement.on_conflict_do_nothing(), columns, dialect)
    others = {name: statement.excluded[name] for name in columns if name not in keys}
    return _ordered(statement.on_conflict_do_update(index_elements=list(keys), set_=others), columns, dialect)


def _ordered(statement: Any, order: tuple[str, ...], dialect: str) -> str:
    """SQL with positional parameters in this order. The compiler follows the table's columns: so must the callers."""
    if dialect == "postgresql":
        compiled = statement.compile(dialect=postgresql.psycopg.dialect(paramstyle="format"))  # type: ignore[no-untyped-call]
    else:
        compiled = statement.compile(dialect=sqlite.dialect())
    if tuple(compiled.positiontup) != order:
        raise AssertionError(f"columns must be given in the order {compiled.positiontup}")
    return str(compiled)
