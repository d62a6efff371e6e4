"""What the database's own catalogue says of one table."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.engine.reflection import ObjectKind

from hub.errors import ConfigurationError

_PLAIN_ENGINES = {"myisam", "aria", "memory", "csv", "archive", "mrg_myisam"}


class Place(NamedTuple):
    """A table, and where the settings speak of it."""

    name: str
    schema: str | None
    where: str


@dataclass(frozen=True, slots=True)
class Facts:
    """One table as the database describes it."""

    columns: list[ReflectedColumn]
    primary: tuple[str, ...]
    foreign: list[Any]
    unique: dict[str, tuple[str, ...]]
    indexes: tuple[tuple[str, ...], ...]
    comment: str
    view: bool
    transactional: bool
    counting: str | None
    """SQLite: the key column that numbers itself without being declared so."""

    @property
    def references(self) -> dict[str, str]:
        """Column → the table that it alone points at."""
        return {
            f["constrained_columns"][0]: f["referred_table"] for f in self.foreign if len(f["constrained_columns"]) == 1
        }


class Lookup:
    """Asks the catalogue through one connection."""

    def __init__(self, connection: sa.Connection, family: str) -> None:
        self.connection = connection
        self.family = family
        self.inspector = sa.inspect(connection)

    def facts(self, place: Place) -> Facts:
        """Raises ConfigurationError, with a suggestion, when there is no such table or view."""
        ask = self.inspector
        columns = self._maybe(ask.get_multi_columns, place)
        if not columns:
            raise self._unknown(place)
        key = self._maybe(ask.get_multi_pk_constraint, place) or {}
        primary = tuple(key.get("constrained_columns") or ())
        indexes = self._maybe(ask.get_multi_indexes, place) or []
        unique = {
            str(u["name"]): tuple(u["column_names"]) for u in self._maybe(ask.get_multi_unique_constraints, place) or []
        }
        unique |= {str(i["name"]): tuple(i["column_names"]) for i in indexes if _is_unique(i)}
        if primary:
            unique |= {str(key.get("name") or "PRIMARY"): primary, "PRIMARY": primary}
        leading = tuple(tuple(filter(None, index["column_names"])) for index in indexes)
        return Facts(
            columns,
            primary,
            self._maybe(ask.get_multi_foreign_keys, place) or [],
            unique,
            (primary, *leading, *unique.values()),
            comment=str((self._maybe(ask.get_multi_table_comment, place) or {}).get("text") or ""),
            view=place.name in {*ask.get_view_names(place.schema), *self._materialized(place)},
            transactional=self._transactional(place),
            counting=self._counting(place, primary),
        )

    def _maybe(self, ask: Any, place: Place) -> Any:
        try:
            found = ask(schema=place.schema, filter_names=[place.name], kind=ObjectKind.ANY)
        except NotImplementedError:
            return None
        return next((value for (_, name), value in found.items() if name == place.name), None)

    def _unknown(self, place: Place) -> ConfigurationError:
        names = [name for _, name in self.inspector.get_multi_columns(schema=place.schema, kind=ObjectKind.ANY)]
        near = difflib.get_close_matches(place.name, names, n=1)
        cure = f"did you mean {near[0]!r}?" if near else "hub describe lists what is there"
        return ConfigurationError(f"there is no table or view {place.name!r}", where=place.where, cure=cure)

    def _materialized(self, place: Place) -> list[str]:
        try:
            return self.inspector.get_materialized_view_names(place.schema)
        except NotImplementedError:
            return []

    def _transactional(self, place: Place) -> bool:
        if self.family != "mysql":
            return True
        options = self._maybe(self.inspector.get_multi_table_options, place) or {}
        return str(options.get("mysql_engine") or options.get("mariadb_engine") or "").lower() not in _PLAIN_ENGINES

    def _counting(self, place: Place, primary: tuple[str, ...]) -> str | None:
        """SQLite: only a single key declared exactly INTEGER is the row's own number."""
        if self.family != "sqlite" or len(primary) != 1 or place.schema not in (None, "main"):
            return None
        ask = sa.text("SELECT upper(type) FROM pragma_table_info(:table) WHERE name = :column")
        declared = self.connection.execute(ask, {"table": place.name, "column": primary[0]}).scalar()
        without = sa.text("SELECT wr FROM pragma_table_list WHERE name = :table AND schema = 'main'")
        rowless = self.connection.execute(without, {"table": place.name}).scalar()
        return primary[0] if declared == "INTEGER" and not rowless else None


def _is_unique(index: Any) -> bool:
    """Over whole rows and whole columns: a partial or computed index says nothing about the table."""
    partial = any(
        name.endswith("_where") and value is not None for name, value in index.get("dialect_options", {}).items()
    )
    return bool(index["unique"]) and None not in index["column_names"] and not partial
