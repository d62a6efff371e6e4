"""The connector: SQL databases through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from hub.connect.capabilities import Health, Page, Record, Remote, Resource, Result, Write
from hub.connect.services import Services
from hub.errors import ConfigurationError, HubError, UnknownOutcome

from .changes import list_changes, list_ids
from .database import Database
from .describing import BATCH, natural_keys, problems_of, resource_of
from .keys import among, equals, key_values
from .prepare import wanted
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
                problems += problems_of(self.catalogue.source(resource, fresh=True), self.database.family)
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
            found.append(resource_of(source, read_only=self.settings.read_only, family=self.database.family))
        return found

    def close(self) -> None:
        self.database.close()

    def list_changes(self, resource: str, cursor: str | None, fields: Sequence[str], options: Record) -> Iterator[Page]:
        return list_changes(self.database, self.catalogue.source(resource), cursor, fields)

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
        return Batches(self.database, source, RowWork(self.database, source, fields, options).create).run(writes)

    def update(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        source = self._writable(resource, writes)
        return Batches(self.database, source, RowWork(self.database, source, fields, options).update).run(writes)

    def delete(self, resource: str, writes: Sequence[Write], options: Record) -> list[Result]:
        source = self._writable(resource, writes)
        work = RowWork(self.database, source, source.table.key, options)
        return Batches(self.database, source, work.delete).run(writes)

    def probe(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record
    ) -> list[Remote | None]:
        source = self.catalogue.source(resource)
        return [self._probe(source, write, fields) for write in writes]

    def _probe(self, source: Source, write: Write, fields: Sequence[str]) -> Remote | None:
        table, settings = source.table, source.settings
        where = f"{self.services.system}/{source.name}"
        if settings.hub_key:
            row: dict[str, Any] = {settings.hub_key: table.columns[settings.hub_key].put(write.key)}
            searches: list[tuple[str, ...]] = [(settings.hub_key,)]
        else:
            try:
                row = wanted(source, write).row
            except HubError:  # such a write is refused before it is sent
                return None
            searches = [names for names in natural_keys(source) if all(row.get(name) is not None for name in names)]
        if not searches:
            raise UnknownOutcome(
                "nothing in this record tells whether it was created", where=where, cure="set hub_key or natural_key"
            )
        reading = shape(source, fields)
        columns = [table.column(name) for name in searches[0]]
        chosen = equals(columns, [row[name] for name in searches[0]])
        with self.database.reading() as connection:
            rows = connection.execute(reading.select.where(chosen).limit(2)).all()
            found = reading.remotes(connection, rows)
        if len(found) > 1:
            raise UnknownOutcome(
                f"several rows have the same {', '.join(searches[0])}",
                where=where,
                cure="set hub_key, or mend the rows",
            )
        return found[0] if found else None

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
