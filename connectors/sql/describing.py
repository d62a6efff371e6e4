"""Tables in the words of the hub: resources, fields, and what a person should know of them."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from hub.connect.capabilities import Field, Resource

from .settings import NewKey, Settings
from .tables import Column, Lines, Source

BATCH = 200


def resource_of(source: Source, system: Settings, family: str) -> Resource:
    """The resource that a table or view is."""
    table, settings = source.table, source.settings
    fields = [field_of(column, column.name in table.key, table.new_key) for column in table.columns.values()]
    fields += [_lines_field(lines) for lines in source.lines.values()]
    return Resource(
        source.name,
        label=table.comment or source.name,
        fields=tuple(fields),
        id_field=table.key[0] if len(table.key) == 1 else "|".join(table.key),
        line_ids={lines.field: lines.id_field for lines in source.lines.values()},
        writable=not system.read_only and not table.view,
        batch=BATCH,
        parallel=1 if family == "sqlite" else 4,
        probe="external" if settings.hub_key or system.keys_table else "natural" if natural_keys(source) else "none",
        deletes="tombstones" if settings.deleted else "listing",
        archive=settings.archive is not None or settings.deleted is not None,
    )


def field_of(column: Column, is_key: bool, new_key: NewKey) -> Field:
    return Field(
        column.name,
        type=column.kind.field,
        label=column.comment,
        required=not column.nullable and not column.filled and not (is_key and new_key == "next"),
        read_only=column.fixed or (is_key and column.counts),
        unique=column.unique,
        max_length=column.kind.max_length,
        scale=column.kind.scale,
        choices=column.kind.choices,
        reference=column.reference,
    )


def _lines_field(lines: Lines) -> Field:
    own = [Field(lines.id_field, type="text", label="the line's own id", read_only=True)]
    fields = [
        field_of(column, column.name in lines.table.key, lines.table.new_key)
        for column in lines.table.columns.values()
        if not isinstance(column.sql.type, sa.LargeBinary)
    ]
    return Field(lines.field, type="lines", label=lines.table.comment, fields=(*own, *fields))


def natural_keys(source: Source) -> list[tuple[str, ...]]:
    """The sets of columns by which a record of ours can be found again, surest first."""
    table, settings = source.table, source.settings
    found = [table.key] if table.new_key == "mapping" else []
    found += [settings.natural_key] if settings.natural_key else []
    found += [
        columns for columns in table.unique.values() if columns != table.key and set(columns) <= set(table.columns)
    ]
    return list(dict.fromkeys(found))


def problems_of(source: Source, system: Settings) -> Iterator[str]:
    """What will be slow, unsafe or unseen with this table as it is."""
    table, settings, name = source.table, source.settings, source.name
    if settings.cursor:
        column = table.columns[settings.cursor[0]]
        if not any(index[:1] == settings.cursor[:1] for index in table.indexes) and not table.view:
            yield f"{name}: no index starts with {column.name}, so reading changes scans the table"
        if column.kind.order == "local" and table.zone is None:
            yield f"{name}: times in {column.name} have no zone; set timezone, or 'newest' can't compare them"
        for lines in source.lines.values():
            if not lines.settings.cursor:
                yield f"{name}: edits of {lines.field} are only seen when they also change {column.name}"
    if not table.transactional:
        yield f"{name}: its storage engine has no transactions; a broken write may leave half a record"
    if not (natural_keys(source) or settings.hub_key or system.keys_table or table.view):
        yield f"{name}: a create with a lost answer can't be found again; set hub_key, natural_key or keys_table"
    if table.new_key == "next" and (len(table.key) != 1 or table.columns[table.key[0]].kind.field != "integer"):
        yield f"{name}: new_key: next needs a key of one whole number"
