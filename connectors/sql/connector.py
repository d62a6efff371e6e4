"""The connector: SQL databases through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from hub.connect.capabilities import Health, Page, Part, Record, Remote, Resource, Result, Write
from hub.connect.services import Services
from hub.errors import ConfigurationError

from .changes import list_changes, list_ids
from .database import Database
from .describing import BATCH, problems_of, resource_of
from .keys import among, key_values
from .keytable import key_table
from .parting import FAMILIES, condition
from .probing import probe
from .reflection import Catalogue
from .rows import CHUNK, shape
from .rowwork import RowWork
from .settings import read_settings
from .tables import Source
from .writing import Batches


class SqlConnector:
    """One database. Thread-safe; connects when it is first used."""

    name = "sql"

    def __init__(self, settings: dict[str, Any], services: Services) -> None:
        self.settings = read_settings(settings, services.system)
        self.services = services
        self.database = Database(self.settings, services)
        self.catalogue = Catalogue(self.database)
        self.keys = key_table(self.database)

    def __repr__(self) -> str:
        return f"SqlConnector({self.services.system!r}, {self.database.url.render_as_string(hide_password=True)!r})"

    def check(self) -> Health:
        with self.database.reading() as connection:
            dialect = connection.dialect
            version = ".".join(str(part) for part in (dialect.server_version_info or ()))
            user = self._user(connection)
        problems: list[str] = []
        for resource in self.settings.tables:
            try:
                problems += problems_of(self.catalogue.source(resource, fresh=True), self.settings)
            except ConfigurationError as error:
                problems.append(str(error))
        details = {
            "server": f"{dialect.name} {version}".strip(),
            "driver": dialect.driver,
            "mode": "read-only" if self.settings.read_only else "read and write",
            "tables": str(len(self.catalogue.names())),
        }
        where = f"{self.database.url.host or ''}/{self.database.url.database or ''}"
        return Health(f"{user}@{where}" if user else where, details, problems=tuple(problems))

    def describe(self, resource: str | None = None) -> list[Resource]:
        names = [resource] if resource is not None else self.catalogue.names()
        found = []
        for name in names:
            try:
                source = self.catalogue.source(name, fresh=True)
            except ConfigurationError as error:
                if resource is not None:
                    raise
                self.services.log.warning("left out: %s", error)
                continue
            found.append(resource_of(source, self.settings, self.database.family))
        return found

    def close(self) -> None:
        self.database.close()

    def list_changes(self, resource: str, cursor: str | None, fields: Sequence[str], options: Record) -> Iterator[Page]:
        return list_changes(self.database, self.catalogue.source(resource), cursor, fields)

    def has_parts(self, resource: str, options: Record) -> bool:
        return self.database.family in FAMILIES

    def list_part(
        self, resource: str, part: Part, cursor: str | None, fields: Sequence[str], options: Record
    ) -> Iterator[Page]:
        source = self.catalogue.source(resource)
        own = replace(source, part=condition(source.table, part, self.database.family))
        return list_changes(self.database, own, cursor, fields)

    def list_ids(self, resource: str, options: Record) -> Iterator[list[str]]:
        return list_ids(self.database, self.catalogue.source(resource))

    def get(self, resource: str, ids: Sequence[str], fields: Sequence[str], options: Record) -> list[Remote]:
        source = self.catalogue.source(resource)
        reading = shape(source, fields)
        keys = [key for key in (key_values(source.table, text) for text in ids) if key is not None]
        found: dict[str, Remote] = {}
        for start in range(0, len(keys), CHUNK):
            chosen = among(source.table.key_columns(), keys[start : start + CHUNK])
            with self.database.reading() as connection:
                rows = connection.execute(reading.select.where(*source.scope(), chosen)).all()
                found |= {remote.id: remote for remote in reading.remotes(connection, rows)}
        return [found.get(text) or Remote(text, None, deleted=True) for text in ids]

    def create(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        source = self._writable(resource, writes)
        return Batches(self.database, source, self._work(source, fields, options).create).run(writes)

    def update(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        source = self._writable(resource, writes)
        return Batches(self.database, source, self._work(source, fields, options).update).run(writes)

    def delete(self, resource: str, writes: Sequence[Write], options: Record) -> list[Result]:
        source = self._writable(resource, writes)
        work = self._work(source, source.table.key, options)
        return Batches(self.database, source, work.delete).run(writes)

    def probe(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record
    ) -> list[Remote | None]:
        return probe(self.database, self.catalogue.source(resource), self.keys, writes, fields)

    def _work(self, source: Source, fields: Sequence[str], options: Record) -> RowWork:
        keys = None if source.settings.hub_key else self.keys
        if keys is not None:
            keys.prepare()
        return RowWork(self.database, source, keys, fields, upsert=bool(options.get("upsert")))

    def _writable(self, resource: str, writes: Sequence[Write]) -> Source:
        """Raises ConfigurationError before anything is connected when this system is read-only."""
        if self.settings.read_only:
            raise ConfigurationError(
                "the hub may only read this database",
                where=self.services.system,
                cure="take read_only: true out of hub.yaml, or give the system the direction 'in'",
            )
        if len(writes) > BATCH:
            raise ConfigurationError(f"{len(writes)} writes in one call, at most {BATCH}", where=self.services.system)
        source = self.catalogue.source(resource)
        if source.table.view:
            raise ConfigurationError(
                f"{resource!r} is a view, which the hub doesn't write", where=self.services.system, cure="map its table"
            )
        return source

    def _user(self, connection: sa.Connection) -> str:
        if self.database.family in ("postgresql", "mysql"):
            return str(connection.execute(sa.text("SELECT current_user")).scalar_one()).partition("@")[0]
        return self.database.url.username or ""


def open_connector(settings: dict[str, Any], services: Services) -> SqlConnector:
    """Raises ConfigurationError for settings that are wrong; connects to nothing yet."""
    return SqlConnector(settings, services)
