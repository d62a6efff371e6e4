"""Opening the hub's database: SQLite by default, PostgreSQL by URL; migrated when it is older than this program."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import StaticPool

from hub.errors import ConfigurationError, HubError, Unavailable
from hub.store.copying import with_copy
from hub.store.postgres import postgres_engine

HEAD = "0002"
"""Revision of the newest migration in ``migrations/versions``; a test compares the two."""


class Store:
    """The hub's memory. One per process; connections are pooled."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that may write: all of it lands, or nothing."""
        with _in_words(), self.engine.connect().execution_options(hub_write=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, and does not block a pass that is under way."""
        with _in_words(), self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


_TOLD: tuple[tuple[tuple[str, ...], type[Unavailable] | type[ConfigurationError], str, str], ...] = (
    (
        ("disk is full", "No space left", "Disk quota"),
        Unavailable,
        "the hub's database has no room left; nothing of this step was stored",
        "free some disk space and run the same command again: it resumes where it stopped",
    ),
    (
        ("readonly database", "read-only transaction", "read-only file system"),
        ConfigurationError,
        "the hub's database can't be written; nothing of this step was stored",
        "check the file's owner and permissions, or why the server only reads",
    ),
    (
        ("malformed", "not a database"),
        ConfigurationError,
        "the hub's database is damaged",
        "put a backup in its place: the next pass says what it lacks before it writes anything",
    ),
    (("locked",), Unavailable, "the hub's database is locked by another process", "wait for the other pass to end"),
)
"""Parts of a database's message → what it means for us."""


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        told = _translated(error)
        if told is None:
            raise
        raise told from error


def _translated(error: DBAPIError) -> HubError | None:
    """What became of the hub's own database, in words; None where it is a mistake of ours."""
    reason = str(error.orig)
    for parts, kind, what, cure in _TOLD:
        if any(part.lower() in reason.lower() for part in parts):
            return kind(what, where="store", cure=cure)
    if error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError)):
        said = reason.strip().splitlines()[0] if reason.strip() else type(error.orig).__name__
        return Unavailable(
            f"the hub's database failed: {said}",
            where="store",
            cure="see to the database and run the same command again: it resumes where it stopped",
        )
    return None


def open_store(url: str, *, migrate: bool = True) -> Store:
    """Open (and, if needed, make or migrate) the database. Raises ConfigurationError for a URL that can't work."""
    try:
        parsed = make_url(url)
    except Exception as error:
        raise ConfigurationError("store is not a database URL", cure="e.g. sqlite:///.hub/hub.db") from error
    backend = parsed.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise ConfigurationError(
            f"store: {backend} can't hold the hub's own data", cure="use sqlite:///… or postgresql+psycopg://…"
        )
    if backend == "sqlite":
        private_file(parsed.database)
        engine = create_engine(parsed, connect_args={"timeout": 30, "check_same_thread": False})
        sqlite_settings(engine)
    else:
        engine = postgres_engine(parsed)
        with_copy(engine)
    store = Store(engine)
    try:
        with _in_words():
            _up_to_date(engine, migrate)
    except (DBAPIError, HubError):
        store.close()
        raise
    return store


def _up_to_date(engine: Engine, migrate: bool) -> None:
    revision = _revision(engine)
    if revision is not None and revision > HEAD:
        raise ConfigurationError(
            f"this database was made by a newer version of the hub (its revision is {revision}, ours {HEAD})",
            where="store",
            cure="upgrade the hub, or open a database from before the upgrade",
        )
    if migrate and revision != HEAD:
        _make(engine) if _is_new(engine) else _migrate(engine)


def open_memory() -> Engine:
    """A migrated database in memory, gone with its engine: for simulations. All threads share its one connection, so
    they have to take turns, and transactions have to be begun in SQL."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    sqlite_settings(engine, transactions=False)
    _make(engine)
    return engine


def private_file(path: str | None) -> None:
    """The database holds a company's customers: nobody else on the machine may read it."""
    if not path or path == ":memory:" or path.startswith("file:"):
        return
    file = Path(path)
    if not file.parent.exists():
        file.parent.mkdir(parents=True, mode=0o700)
    if not file.exists():
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))


def sqlite_settings(engine: Engine, *, transactions: bool = True) -> None:
    """How the hub uses SQLite: a write-ahead log, and transactions that take the one lock when they begin."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the begin event below opens transactions, the driver doesn't
        cursor = connection.cursor()
        # Rows of 1 to 2 KB: four or more to a page, so that a bulk write touches fewer pages. Only a new file obeys.
        cursor.execute("PRAGMA page_size=8192")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-16000")
        cursor.execute("PRAGMA wal_autocheckpoint=8000")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.close()

    if not transactions:
        return

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # A transaction that will write takes its lock at once: two of them wait instead of failing half-way.
        write = connection.get_execution_options().get("hub_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not engine.dialect.has_table(connection, "alembic_version_hub"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version_hub")).scalar()


def _is_new(engine: Engine) -> bool:
    """Whether the hub has no tables there yet."""
    with engine.connect() as connection:
        return not engine.dialect.has_table(connection, "hub_record")


def _make(engine: Engine) -> None:
    """The newest tables at once: running all migrations takes ten times as long. A test compares the two ways."""
    from hub.store import views
    from hub.store.tables import metadata as own

    with engine.connect().execution_options(hub_write=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('hub tables'))"))
        if engine.dialect.has_table(connection, "hub_record"):
            return  # another process was quicker
        own.create_all(connection)
        views.make(connection)
        connection.execute(text("CREATE TABLE alembic_version_hub (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version_hub VALUES (:head)"), {"head": HEAD})


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect().execution_options(hub_write=True) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]], keys: tuple[str, ...]) -> None:
    """Insert rows or, where ``keys`` are there already, replace the other columns given. All rows have equal keys."""
    if rows:
        connection.execute(_upsert(table, tuple(rows[0]), keys, connection.dialect.name), rows)


@lru_cache(maxsize=64)
def _upsert(table: Table, columns: tuple[str, ...], keys: tuple[str, ...], dialect: str) -> Any:
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return insert.on_conflict_do_update(
        index_elements=list(keys), set_={name: insert.excluded[name] for name in columns if name not in keys}
    )
