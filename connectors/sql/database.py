"""One database: the engine with what each product needs, transactions, and the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, Select, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from hub.connect.services import Services
from hub.errors import ConfigurationError, UnknownOutcome

from .faults import commit_was_refused, translate
from .settings import Settings

T = TypeVar("T")
CONNECT_SECONDS = 10
_WRITES = "hub_writes"
_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Database:
    """Opened lazily: nothing is connected before the first use."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self.settings = settings
        self.services = services
        self.url = settings.parsed_url()
        self.family = self.url.get_backend_name().replace("mariadb", "mysql")
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        """Raises ConfigurationError for an unknown dialect, a missing driver or a missing SQLite file."""
        with self._lock:
            if self._engine is None:
                self._engine = _open(self.url, self.settings, self.services.system)
            return self._engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in one consistent, short transaction that is never committed. Errors come out translated."""
        try:
            with self.engine.connect() as connection:
                if self.family == "postgresql":
                    connection = connection.execution_options(isolation_level="REPEATABLE READ")
                yield connection
        except DBAPIError as error:
            raise translate(error, self.services.system) from error

    def transaction(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` in one transaction. Raises SQLAlchemy's errors: then nothing was done; and UnknownOutcome when
        the answer to the commit was lost."""
        with self.engine.connect().execution_options(**{_WRITES: True}) as connection:
            with connection.begin() as transaction:
                result = work(connection)
                try:
                    transaction.commit()
                except DBAPIError as error:
                    if commit_was_refused(error):
                        raise
                    raise UnknownOutcome(
                        "the connection broke while the changes were being committed",
                        where=self.services.system,
                        cure="the hub looks whether they arrived before it sends them again",
                    ) from error
            return result

    def locked(self, select: Select[Any]) -> Select[Any]:
        """The same rows, locked until the end of the transaction. (SQLite locks the whole database when it begins.)"""
        if self.family == "mssql":
            for source in select.get_final_froms():
                select = select.with_hint(source, "WITH (UPDLOCK, ROWLOCK)", "mssql")
            return select
        return select if self.family == "sqlite" else select.with_for_update()

    def now(self, connection: Connection) -> datetime:
        """The database's own clock, since rows are stamped by it or by clocks close to it."""
        if self.family == "postgresql":
            found: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            return found.astimezone(UTC)
        if self.family == "mysql":
            return datetime.fromtimestamp(float(connection.execute(text("SELECT unix_timestamp()")).scalar_one()), UTC)
        return self.services.now()

    def close(self) -> None:
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None


def _open(url: URL, settings: Settings, system: str) -> Engine:
    if url.get_backend_name() == "sqlite":
        _require_file(url, system)
    try:
        engine = create_engine(
            url,
            pool_pre_ping=True,
            hide_parameters=True,
            json_serializer=lambda value: _encoder.encode(value).decode(),
            json_deserializer=_decoder.decode,
            connect_args=_connect_arguments(url.get_backend_name(), settings.timeout),
        )
    except (NoSuchModuleError, ArgumentError) as error:
        raise ConfigurationError(
            f"no database dialect {url.drivername!r}",
            where=system,
            cure="use one that SQLAlchemy knows, like postgresql, mysql, mariadb, sqlite, mssql+pyodbc",
        ) from error
    except ImportError as error:
        raise ConfigurationError(
            f"the driver for {url.drivername!r} is not installed ({error.name})",
            where=system,
            cure=f"pip install {error.name}",
        ) from error
    except TypeError:  # a dialect without JSON takes no serializers
        engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
    for statement in _session_setup(engine.dialect.name.replace("mariadb", "mysql"), settings):
        _on_connect(engine, statement)
    if engine.dialect.name == "sqlite":
        _own_sqlite_transactions(engine)
    return engine


def _require_file(url: URL, system: str) -> None:
    memory = url.database in (None, "", ":memory:") or str(url.database).startswith("file:")
    if not memory and not Path(str(url.database)).is_file():
        raise ConfigurationError(
            f"there is no SQLite file {url.database}",
            where=system,
            cure="a relative path starts at the folder of hub.yaml; an absolute one is sqlite:////path/file.db",
        )


def _connect_arguments(backend: str, timeout: int) -> dict[str, Any]:
    if backend == "postgresql":
        return {"connect_timeout": CONNECT_SECONDS, "application_name": "hub"}
    if backend in ("mysql", "mariadb"):
        limits = {"read_timeout": timeout + 30, "write_timeout": timeout + 30}
        return {"connect_timeout": CONNECT_SECONDS, "charset": "utf8mb4", **limits}
    return {"timeout": timeout} if backend == "sqlite" else {}


def _session_setup(family: str, settings: Settings) -> list[str]:
    """Statements for each new connection: never wait forever, never let the database cut values silently."""
    seconds = settings.timeout
    statements = {
        "postgresql": [f"SET statement_timeout = '{seconds}s'", f"SET lock_timeout = '{seconds}s'"],
        "mysql": [
            "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
            f"SET SESSION innodb_lock_wait_timeout = {max(1, seconds)}",
        ],
        "sqlite": ["PRAGMA foreign_keys = ON"],
    }.get(family, [])
    read_only = {
        "postgresql": "SET default_transaction_read_only = on",
        "mysql": "SET SESSION TRANSACTION READ ONLY",
        "sqlite": "PRAGMA query_only = ON",
    }
    return [*statements, *([read_only[family]] if settings.read_only and family in read_only else [])]


def _on_connect(engine: Engine, statement: str) -> None:
    @event.listens_for(engine, "connect")
    def run(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()
        connection.commit()


def _own_sqlite_transactions(engine: Engine) -> None:
    """Python's driver begins transactions late, which lets two writers both read first; this begins them itself, and
    takes the write lock at once where the transaction is going to write."""

    @event.listens_for(engine, "connect")
    def plain(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
