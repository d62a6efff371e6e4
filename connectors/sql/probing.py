"""Was a create carried out whose answer was lost?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.connect.capabilities import Remote, Write
from hub.errors import RecordRejected, UnknownOutcome

from .database import Database
from .describing import natural_keys
from .keys import equals, key_values
from .keytable import KeyTable
from .prepare import wanted
from .rows import shape
from .tables import Source


def probe(
    database: Database, source: Source, keys: KeyTable | None, writes: Sequence[Write], fields: Sequence[str]
) -> list[Remote | None]:
    """As ``Probe`` promises: by the hub's key where there is a place for it, else by what is unique."""
    if source.settings.hub_key or keys is None:
        return [_by_columns(database, source, write, fields) for write in writes]
    with database.reading() as connection:
        noted = keys.row_ids(connection, source.name, [write.key for write in writes])
    return [_by_id(database, source, noted[write.key], fields) if write.key in noted else None for write in writes]


def _by_id(database: Database, source: Source, identity: str, fields: Sequence[str]) -> Remote | None:
    key = key_values(source.table, identity)
    return None if key is None else _find(database, source, source.table.key, key, fields)


def _by_columns(database: Database, source: Source, write: Write, fields: Sequence[str]) -> Remote | None:
    where = f"{database.services.system}/{source.name}"
    try:
        names, values = _search(source, write)
    except RecordRejected:  # such a write is refused before it is sent
        return None
    if not names:
        raise UnknownOutcome(
            "nothing in this record tells whether it was created",
            where=where,
            cure="set hub_key or natural_key for the table, or keys_table for the system",
        )
    return _find(database, source, names, values, fields)


def _search(source: Source, write: Write) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """The columns to look in, and their values; none when the record has nothing unique."""
    if name := source.settings.hub_key:
        return (name,), (source.table.columns[name].put(write.key),)
    row = wanted(source, write).row
    for names in natural_keys(source):
        if all(row.get(name) is not None for name in names):
            return names, tuple(row[name] for name in names)
    return (), ()


def _find(
    database: Database, source: Source, names: tuple[str, ...], values: tuple[Any, ...], fields: Sequence[str]
) -> Remote | None:
    reading = shape(source, fields)
    chosen = equals([source.table.column(name) for name in names], values)
    with database.reading() as connection:
        rows = connection.execute(reading.select.where(chosen).limit(2)).all()
        found = reading.remotes(connection, rows)
    if len(found) > 1:
        raise UnknownOutcome(
            f"several rows have the same {', '.join(names)}",
            where=f"{database.services.system}/{source.name}",
            cure="set hub_key for the table or keys_table for the system, or mend the rows",
        )
    return found[0] if found and not found[0].deleted else None
