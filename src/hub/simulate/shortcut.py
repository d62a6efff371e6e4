"""A shorter way from a statement to the simulation's database.

A life makes some four thousand small statements, nearly all of them the same sixty objects with other values. What
SQLAlchemy does around each costs several times what SQLite does, and is not what is tried here: a statement that comes
again is compiled once, and from then on goes straight to the driver. Everything else takes the ordinary way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.types import TypeEngine

Change = Callable[[Any], Any]


class Found(IteratorResult[Any]):
    """What a statement found, and how many rows it changed."""

    rowcount: int


@dataclass(slots=True)
class Ready:
    """A statement that was compiled."""

    sql: str
    names: tuple[str, ...]
    """Its parameters, in the order in which SQLite wants them."""
    fixed: dict[str, Any]
    """Values that are part of the statement, as SQLite wants them."""
    given: dict[str, Change]
    """Parameter → how its value is written for SQLite."""
    read: tuple[Change | None, ...]
    """How the value of each column is read; empty where all are taken as they are."""
    columns: SimpleResultMetaData | None = None
    """Known when it was executed once."""

    def in_order(self, parameters: Mapping[str, Any] | None) -> list[Any]:
        values = {**self.fixed, **parameters} if parameters else self.fixed
        for name, change in self.given.items():
            if parameters and name in parameters:
                values[name] = change(values[name])
        return [values[name] for name in self.names]

    def found(self, cursor: Any) -> Found:
        if self.columns is None:
            self.columns = SimpleResultMetaData([column[0] for column in cursor.description or ()])
        rows = cursor.fetchall() if cursor.description else []
        found = Found(self.columns, iter([self._read(row) for row in rows] if self.read else rows))
        found.rowcount = cursor.rowcount
        return found

    def _read(self, row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(value if change is None else change(value) for value, change in zip(row, self.read, strict=True))


class Straight:
    """What the store takes for a connection: as much of one as it uses."""

    def __init__(self, connection: Connection) -> None:
        self.ordinary = connection
        self.dialect = connection.dialect
        self._driver: Any = connection.connection.dbapi_connection
        self._ready: WeakKeyDictionary[Any, dict[Any, Ready | None]] = WeakKeyDictionary()

    def execute(self, statement: Any, parameters: Any = None) -> Any:
        """As ``Connection.execute``."""
        known = self._ready.get(statement)
        if known is None:  # those that are made where they are needed never come again
            self._ready[statement] = {}
            return self.ordinary.execute(statement, parameters)
        many = isinstance(parameters, list) and len(parameters) > 1
        if isinstance(parameters, list) and not many:
            parameters = parameters[0] if parameters else None
        names = tuple((parameters[0] if many else parameters) or ())
        if (many, names) not in known:
            known[many, names] = _ready(statement, names, many, self.dialect)
        ready = known[many, names]
        if ready is None:
            return self.ordinary.execute(statement, parameters)
        if many:
            return ready.found(self._driver.executemany(ready.sql, [ready.in_order(one) for one in parameters]))
        return ready.found(self._driver.execute(ready.sql, ready.in_order(parameters)))

    def exec_driver_sql(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """As ``Connection.exec_driver_sql``, for rows that are stored."""
        self._driver.executemany(sql, rows)


def _ready(statement: Any, names: Sequence[str], many: bool, dialect: Any) -> Ready | None:
    """None for what needs more than values in their places: lists, defaults of columns, rows that come back."""
    compiled = statement.compile(dialect=dialect, column_keys=list(names), for_executemany=many)
    if compiled.insert_prefetch or compiled.update_prefetch or compiled.effective_returning:
        return None
    if any(parameter.key in names for parameter in compiled.post_compile_params):
        return None
    plain = compiled.construct_expanded_state(dict.fromkeys(names))
    order = tuple(plain.positiontup)
    kinds = {name: _kind(compiled.binds[name], dialect) for name in order if name in compiled.binds}
    given: dict[str, Change] = {
        name: change for name, kind in kinds.items() if (change := kind.bind_processor(dialect)) is not None
    }
    fixed = {name: plain.parameters[name] for name in order}
    fixed |= {name: change(fixed[name]) for name, change in given.items() if name not in names}
    columns = getattr(statement, "selected_columns", ())
    read = tuple(_kind(column, dialect).result_processor(dialect, None) for column in columns)
    return Ready(plain.statement, order, fixed, given, read if any(read) else ())


def _kind(of: Any, dialect: Any) -> TypeEngine[Any]:
    found: TypeEngine[Any] = of.type.dialect_impl(dialect)
    return found
