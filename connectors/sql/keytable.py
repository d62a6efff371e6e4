"""A table of the hub's own beside tables that have no column for its key: which row was created for which record.

It is written in the same transaction as the row, so after a lost answer it tells for certain whether the row is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from hub.errors import ConfigurationError

from .database import Database


class KeyTable:
    """``resource``, ``hub_key`` → ``row_id``."""

    def __init__(self, database: Database, name: str) -> None:
        self.database = database
        self.table = sa.Table(
            name,
            sa.MetaData(),
            sa.Column("resource", sa.String(100), primary_key=True),
            sa.Column("hub_key", sa.String(100), primary_key=True),
            sa.Column("row_id", sa.String(250), nullable=False, index=True),
            schema=database.settings.db_schema,
        )
        self._ready = False

    def prepare(self) -> None:
        """Create the table if it isn't there. Raises ConfigurationError, with the statement, when the user may not."""
        if self._ready:
            return
        try:
            self.database.transaction(self._create)
        except DBAPIError as error:
            if not self._exists():
                statement = str(CreateTable(self.table).compile(self.database.engine)).replace("\n", " ").strip()
                raise ConfigurationError(
                    f"the table {self.table.name!r} for the hub's keys can't be created",
                    where=self.database.services.system,
                    cure=f"let somebody who may run: {statement}",
                ) from error
        self._ready = True

    def row_ids(self, connection: sa.Connection, resource: str, keys: Sequence[str]) -> dict[str, str]:
        """Hub key → id of the row that was created for it."""
        if not keys or not self._there(connection):
            return {}
        columns = self.table.c
        select = sa.select(columns.hub_key, columns.row_id)
        rows = connection.execute(select.where(columns.resource == resource, columns.hub_key.in_(keys)))
        return {row.hub_key: row.row_id for row in rows}

    def note(self, connection: sa.Connection, resource: str, created: Sequence[tuple[str, str]]) -> None:
        """These (hub key, row id) were created. What was noted of an earlier row with the same id is forgotten."""
        if not created:
            return
        self.forget(connection, resource, [row for _, row in created])
        columns = self.table.c
        stale = columns.hub_key.in_([key for key, _ in created])
        connection.execute(sa.delete(self.table).where(columns.resource == resource, stale))
        values = [{"resource": resource, "hub_key": key, "row_id": row} for key, row in created]
        connection.execute(sa.insert(self.table), values)

    def forget(self, connection: sa.Connection, resource: str, rows: Sequence[str]) -> None:
        columns = self.table.c
        connection.execute(sa.delete(self.table).where(columns.resource == resource, columns.row_id.in_(rows)))

    def _there(self, connection: sa.Connection) -> bool:
        self._ready = self._ready or sa.inspect(connection).has_table(self.table.name, schema=self.table.schema)
        return self._ready

    def _create(self, connection: sa.Connection) -> None:
        self.table.metadata.create_all(connection)

    def _exists(self) -> bool:
        with self.database.reading() as connection:
            return sa.inspect(connection).has_table(self.table.name, schema=self.table.schema)


def key_table(database: Database) -> Any:
    """The table of keys that the settings ask for, or None."""
    name = database.settings.keys_table
    return KeyTable(database, name) if name else None
