"""Looks tables up in the database's own catalogue and joins what it says with what the settings say."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedColumn

from hub.errors import ConfigurationError

from .database import Database
from .kinds import classify
from .lookup import Facts, Lookup, Place
from .settings import LinesSettings, TableSettings
from .tables import Column, Lines, Source, Table


class Catalogue:
    """The tables of one database, looked up when they are first asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._settings = database.settings
        self._sources: dict[str, Source] = {}
        self._lock = threading.Lock()

    def source(self, resource: str, *, fresh: bool = False) -> Source:
        """Raises ConfigurationError for an unknown table or settings that don't fit it."""
        with self._lock:
            if fresh or resource not in self._sources:
                settings = self._settings.of_table(resource)
                with self._database.reading() as connection:
                    self._sources[resource] = _Builder(self._database, connection).source(resource, settings)
            return self._sources[resource]

    def names(self) -> list[str]:
        """The configured resources, then every other table that has a primary key."""
        schema = self._settings.db_schema
        with self._database.reading() as connection:
            inspector = sa.inspect(connection)
            keys = inspector.get_multi_pk_constraint(schema=schema)
        taken = {s.table or name for name, s in self._settings.tables.items() if s.db_schema in (None, schema)}
        found = [
            name for (_, name), key in keys.items() if key and key.get("constrained_columns") and name not in taken
        ]
        return [*self._settings.tables, *sorted(found)]


class _Builder:
    def __init__(self, database: Database, connection: sa.Connection) -> None:
        self.database = database
        self.settings = database.settings
        self.lookup = Lookup(connection, database.family)

    def source(self, resource: str, settings: TableSettings) -> Source:
        where = f"{self.database.services.system}: tables.{resource}"
        zone = settings.timezone or self.settings.timezone
        place = Place(settings.table or resource, settings.db_schema or self.settings.db_schema, where)
        table, _ = self._table(place, zone, settings.key, settings.hide)
        overlap = self.settings.overlap if settings.overlap is None else settings.overlap
        source = Source(resource, table, settings, overlap)
        self._check(source, where)
        table.new_key = settings.new_key or table.new_key
        for child, lines in settings.lines.items():
            below = Place(child, lines.db_schema or place.schema, f"{where}.lines.{child}")
            built = self._lines(below, lines, table, zone)
            if built.field in table.columns or built.field in source.lines:
                raise ConfigurationError(
                    f"{built.field!r} is already a field", where=below.where, cure="choose another name: as"
                )
            source.lines[built.field] = built
        return source

    def _table(
        self, place: Place, zone: str | None, key: tuple[str, ...] = (), hide: tuple[str, ...] = ()
    ) -> tuple[Table, Facts]:
        facts = self.lookup.facts(place)
        known = [column["name"] for column in facts.columns]
        require(known, key, f"{place.where}.key")
        require(known, hide, f"{place.where}.hide")
        columns = {c["name"]: self._column(facts, c, zone) for c in facts.columns if c["name"] not in hide}
        wanted = key or facts.primary
        require(columns, wanted, f"{place.where}.key")
        table = Table(
            sa.Table(place.name, sa.MetaData(), *(column.sql for column in columns.values()), schema=place.schema),
            columns,
            wanted,
            "database" if len(wanted) == 1 and columns[wanted[0]].filled else "mapping",
            ZoneInfo(zone) if zone else None,
            view=facts.view,
            transactional=facts.transactional,
            comment=facts.comment,
            unique=facts.unique,
            indexes=facts.indexes,
        )
        return table, facts

    def _column(self, facts: Facts, found: ReflectedColumn, zone: str | None) -> Column:
        exact = self.settings.rounding == "refuse"
        kind = classify(found["type"], self.database.family, ZoneInfo(zone) if zone else None, exact)
        name = found["name"]
        counts = found.get("autoincrement") is True or bool(found.get("identity")) or name == facts.counting
        fixed = bool(found.get("computed")) or _always(found)
        return Column(
            name,
            # The key that counts itself is what tells SQLAlchemy the rows of one big insert apart.
            sa.Column(name, kind.type, primary_key=counts and facts.primary == (name,)),
            kind,
            nullable=bool(found.get("nullable", True)),
            filled=counts or fixed or found.get("default") is not None,
            fixed=fixed,
            counts=counts,
            comment=str(found.get("comment") or ""),
            unique=(name,) in facts.unique.values(),
            reference=facts.references.get(name),
        )

    def _check(self, source: Source, where: str) -> None:
        settings, known = source.settings, list(source.table.columns)
        if not source.table.key:
            raise ConfigurationError(
                f"{source.table.sql.name!r} has no primary key",
                where=where,
                cure="name the column(s) that identify a row: key",
            )
        marks = [mark.column for mark in (settings.deleted, settings.archive) if mark]
        xmin = self.database.family == "postgresql" and settings.version == "xmin"
        single = {"version": None if xmin else settings.version, "hub_key": settings.hub_key}
        single |= {"modified_by": settings.modified_by}
        for name, value in single.items():
            require(known, (value,) if value else (), f"{where}.{name}")
        require(known, settings.cursor, f"{where}.cursor")
        require(known, settings.natural_key, f"{where}.natural_key")
        require(known, tuple(marks), f"{where}.deleted/archive")
        require(known, tuple(settings.filter), f"{where}.filter")
        check_cursor(source.table, settings.cursor, f"{where}.cursor")
        try:
            source.scope()
            source.live()
        except ValueError as error:
            raise ConfigurationError(str(error), where=where) from error
        if settings.touch and not settings.cursor:
            raise ConfigurationError("touch needs a cursor column to set", where=where)

    def _lines(self, place: Place, settings: LinesSettings, parent: Table, zone: str | None) -> Lines:
        table, facts = self._table(place, zone)
        child, where = place.name, place.where
        join = self._join(settings.parent, facts, parent, where)
        require(list(table.columns), tuple(join), f"{where}.parent")
        require(list(parent.columns), tuple(join.values()), f"{where}.parent")
        require(list(table.columns), settings.key, f"{where}.key")
        require(list(table.columns), settings.cursor, f"{where}.cursor")
        check_cursor(table, settings.cursor, f"{where}.cursor")
        own = settings.key or tuple(name for name in table.key if name not in join) or table.key
        if not own:
            raise ConfigurationError(
                f"{child!r} has no primary key", where=where, cure="name what tells the lines of one parent apart: key"
            )
        if settings.id_as in table.columns:
            raise ConfigurationError(
                f"{settings.id_as!r} is a column of {child!r} already", where=where, cure="choose another name: id_as"
            )
        table.key = own
        filled = len(own) == 1 and table.columns[own[0]].filled
        table.new_key = settings.new_key or ("database" if filled else "mapping")
        return Lines(settings.field or child, table, join, settings)

    def _join(self, given: Any, facts: Facts, parent: Table, where: str) -> dict[str, str]:
        if isinstance(given, dict):
            return dict(given)
        if given is not None:
            names = (given,) if isinstance(given, str) else given
            if len(names) != len(parent.key):
                raise ConfigurationError(
                    f"the parent's key has {len(parent.key)} columns, parent names {len(names)}",
                    where=f"{where}.parent",
                )
            return dict(zip(names, parent.key, strict=True))
        matching = [f for f in facts.foreign if f["referred_table"] == parent.sql.name]
        if len(matching) != 1:
            raise ConfigurationError(
                f"{len(matching)} foreign keys point at {parent.sql.name!r}",
                where=where,
                cure="say which column holds the parent's key: parent",
            )
        return dict(zip(matching[0]["constrained_columns"], matching[0]["referred_columns"], strict=True))


def _always(found: ReflectedColumn) -> bool:
    identity = found.get("identity")
    return bool(identity and identity.get("always"))


def require(known: Iterable[str], wanted: tuple[str, ...], where: str) -> None:
    """Raises ConfigurationError, with a suggestion, for a column that is not there."""
    known = list(known)
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            cure = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
            raise ConfigurationError(f"there is no column {name!r}", where=where, cure=cure)


def check_cursor(table: Table, names: tuple[str, ...], where: str) -> None:
    orders = {table.columns[name].kind.order for name in names}
    if "" in orders or len(orders) > 1:
        raise ConfigurationError(
            f"{', '.join(names)} can't say when a row changed",
            where=where,
            cure="use columns of one kind: a time, a date or a growing number",
        )
