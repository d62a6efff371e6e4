"""The tables an analyst queries: views of the hub's records, so that they are never behind and cost a pass nothing.

Each column is one canonical value, in the type that the table's class declares (``hub.model``).
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Connection, Dialect, Table, text

from hub.model.projection import EntityTables, entity_tables
from hub.model.registry import specs

# All that goes into these statements are names from the model's own classes.


def make(connection: Connection) -> None:
    """Make the views of the bundled entities anew; a migration that changes the model or ``hub_record`` calls it."""
    for name, statement in _statements(connection.dialect):
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {statement}")


def _statements(dialect: Dialect) -> Iterator[tuple[str, str]]:
    """(quoted name, query) of every view."""
    quote = dialect.identifier_preparer.quote
    write = _in_postgresql if dialect.name == "postgresql" else _in_sqlite
    for entity in specs():
        tables = entity_tables(entity)
        assert tables is not None
        yield quote(tables.table.name), write(dialect, entity, tables, tables.table, None)
        for child in tables.children.values():
            yield quote(child.table.name), write(dialect, entity, tables, child.table, child.field)


def _fields(table: Table) -> list[tuple[Column[object], str]]:
    """(column, the canonical field it shows)."""
    return [(c, c.name.removesuffix("_id") if c.info["type"] == "ref" else c.name) for c in table.columns if c.info]


def _shown(tables: EntityTables, table: Table) -> list[str]:
    """Fields that are shown as columns, or as tables of their own; the others are in ``extra``."""
    own = [field for _, field in _fields(table)]
    return own if table is not tables.table else own + [child.field for child in tables.children.values()]


def _in_sqlite(dialect: Dialect, entity: str, tables: EntityTables, table: Table, lines: str | None) -> str:
    quote = dialect.identifier_preparer.quote
    data = "r.data" if lines is None else "line.value"
    without = ", ".join(f"'$.{field}'" for field in _shown(tables, table))
    known = {
        "hub_id": "r.hub_id",
        "created_at": "r.created_at",
        "updated_at": "r.updated_at",
        "position": "line.key + 1",
        "extra": f"nullif(json_remove({data}, {without}), '{{}}')",
    } | {column.name: f"json_extract({data}, '$.{field}')" for column, field in _fields(table)}
    # The column that is left is the parent's key of a line.
    columns = ", ".join(f"{known.get(c.name, 'r.hub_id')} AS {quote(c.name)}" for c in table.columns)
    rows = "hub_record r" if lines is None else f"hub_record r, json_each(r.data, '$.{lines}') line"
    only = "" if lines is None else "line.type = 'object' AND "
    return f"SELECT {columns} FROM {rows} WHERE {only}r.entity = '{entity}' AND r.deleted_at IS NULL"  # noqa: S608


def _in_postgresql(dialect: Dialect, entity: str, tables: EntityTables, table: Table, lines: str | None) -> str:
    quote = dialect.identifier_preparer.quote
    without = ", ".join(f"'{field}'" for field in _shown(tables, table))
    known = {
        "hub_id": "r.hub_id",
        "created_at": "r.created_at::timestamptz",
        "updated_at": "r.updated_at::timestamptz",
        "position": "line.position::integer",
        "extra": f"nullif(line.data - ARRAY[{without}], '{{}}')",
    } | {column.name: f"f.{quote(field)}" for column, field in _fields(table)}
    columns = ", ".join(f"{known.get(c.name, 'r.hub_id')} AS {quote(c.name)}" for c in table.columns)
    types = ", ".join(f"{quote(field)} {column.type.compile(dialect)}" for column, field in _fields(table))
    if lines is None:
        source = "(SELECT r.data::jsonb AS data) line"
    else:
        array = f"CASE jsonb_typeof(r.data::jsonb -> '{lines}') WHEN 'array' THEN r.data::jsonb -> '{lines}' END"
        source = f"jsonb_array_elements({array}) WITH ORDINALITY AS line(data, position)"
    rows = f"hub_record r CROSS JOIN LATERAL {source} CROSS JOIN LATERAL jsonb_to_record(line.data) AS f({types})"
    return f"SELECT {columns} FROM {rows} WHERE r.entity = '{entity}' AND r.deleted_at IS NULL"  # noqa: S608
