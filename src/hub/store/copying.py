"""What is PostgreSQL's own in bulk writing: COPY for new rows, and whole columns as arrays for those that may be there.

A statement for each row costs the driver eight times what it takes to copy it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.dialects import postgresql

Rows = Sequence[tuple[Any, ...]]
_DIALECT = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
_BINARY = {"TEXT": "text", "VARCHAR": "text", "BIGINT": "int8", "INTEGER": "int4", "SMALLINT": "int2"}
"""Column types whose values can be sent as PostgreSQL keeps them."""


def with_copy(engine: Engine) -> None:
    """Have COPY statements of this engine take their rows like any other statement: errors and all."""

    @event.listens_for(engine, "do_executemany")
    def copy(cursor: Any, statement: str, rows: Rows, context: Any) -> bool:
        if not statement.startswith("COPY "):
            return False
        with cursor.copy(statement) as copying:
            copying.set_types(context.execution_options["hub_copied_as"])
            for row in rows:
                copying.write_row(row)
        return True

    @event.listens_for(engine, "do_execute")
    def copy_one(cursor: Any, statement: str, row: tuple[Any, ...], context: Any) -> bool:
        return bool(copy(cursor, statement, (row,), context))


def copy_rows(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Rows, encoded: frozenset[str]
) -> None:
    """Insert rows; see ``bulk.insert_rows``. For tables of text and whole numbers."""
    statement, types = _copy(table, columns, encoded)
    connection.exec_driver_sql(statement, list(rows), execution_options={"hub_copied_as": types})


def insert_arrays(
    connection: Connection, table: Table, columns: tuple[str, ...], keys: tuple[str, ...], rows: Rows
) -> None:
    """Insert rows; where ``keys`` are there already, replace the other columns. No keys: what is there already stays.

    Of rows with the same keys the last one counts.
    """
    if keys:  # one statement can't write a row twice
        places = [columns.index(name) for name in keys]
        rows = list({tuple(row[place] for place in places): row for row in rows}.values())
    arrays = tuple(map(list, zip(*rows, strict=True)))
    connection.exec_driver_sql(_from_arrays(table, columns, keys), arrays)


def _types(table: Table, columns: tuple[str, ...]) -> list[str]:
    return [table.c[name].type.compile(_DIALECT) for name in columns]


@lru_cache(maxsize=64)
def _copy(table: Table, columns: tuple[str, ...], encoded: frozenset[str]) -> tuple[str, tuple[str, ...]]:
    """(statement, how each value is sent)."""
    statement = f"COPY {_name(table)} ({', '.join(map(_quoted, columns))}) FROM STDIN (FORMAT BINARY)"
    # UTF-8 bytes are what a text column takes; said to be bytea, the driver leaves them as they are.
    given = zip(columns, _types(table, columns), strict=True)
    return statement, tuple("bytea" if name in encoded else _BINARY[type] for name, type in given)


@lru_cache(maxsize=64)
def _from_arrays(table: Table, columns: tuple[str, ...], keys: tuple[str, ...]) -> str:
    names = ", ".join(map(_quoted, columns))
    arrays = ", ".join(f"%b::{type}[]" for type in _types(table, columns))
    others = ", ".join(f"{_quoted(n)} = excluded.{_quoted(n)}" for n in columns if n not in keys)
    found = f"({', '.join(map(_quoted, keys))}) DO UPDATE SET {others}" if keys else "DO NOTHING"
    return f"INSERT INTO {_name(table)} ({names}) SELECT * FROM unnest({arrays}) ON CONFLICT {found}"  # noqa: S608


def _name(table: Table) -> str:
    return _DIALECT.identifier_preparer.format_table(table)


def _quoted(name: str) -> str:
    return _DIALECT.identifier_preparer.quote(name)
