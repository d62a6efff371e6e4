"""What the contract suite must know to try this connector: a database of its own, or tables of its own in yours."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hub.connect.capabilities import Connector, Record
from hub.connect.contract.declare import Contract, Trial
from hub.connect.contract.verdicts import NotNeeded
from hub.connect.contract.worlds import BadDay, World
from hub.connect.registry import ConnectorEntry
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.errors import ConfigurationError

from .settings import read_settings

KEYED, NATURAL, NOTED, KEYS = "hub_contract_keyed", "hub_contract_natural", "hub_contract_noted", "hub_contract_keys"
ROWS = 14
STAMPS = {
    "mysql": "TIMESTAMP(6) NULL DEFAULT NULL",
    "postgresql": "TIMESTAMPTZ",
}
COUNTERS = {"mysql": "INTEGER AUTO_INCREMENT PRIMARY KEY", "postgresql": "SERIAL PRIMARY KEY"}
CREATE = """CREATE TABLE {name} (
    id {counter},
    code VARCHAR(40){unique},
    city VARCHAR(40),
    amount NUMERIC(12, 2),
    changed_at {stamp},
    row_version INTEGER NOT NULL DEFAULT 1,
    hub_key VARCHAR(64) UNIQUE,
    is_deleted {boolean} NOT NULL DEFAULT {no},
    CONSTRAINT {name}_amount CHECK (amount >= 0)
)"""


def contract() -> Contract:
    return Contract(
        trials=(
            _trial(KEYED, {"hub_key": "hub_key", "cursor": "changed_at", "version": "row_version", "touch": True}),
            _trial(NATURAL, {"natural_key": "code"}, unique="code"),
            _trial(
                NOTED,
                {"cursor": "changed_at", "touch": True, "deleted": "is_deleted", "hide": ("code", "hub_key")},
                keys_table=KEYS,
            ),
        ),
        pages={"page_size": 5},
        world=lambda entry, options: DatabaseWorld(entry, **options),
        live=lambda entry, settings: DatabaseWorld(
            entry, url=read_settings(settings, entry.name).url.get_secret_value()
        ),
    )


def _trial(table: str, settings: Record, unique: str = "", **system: Any) -> Trial:
    shown = {"keyed": "hub_key", "natural": "natural_key", "noted": "keys_table"}[table.rpartition("_")[2]]
    deleted = {"deleted": {"column": "is_deleted"}} if "deleted" in settings else {}
    return Trial(
        table,
        _no_code if unique == "" and "hide" in settings else _row,
        text="city",
        amount="amount",
        unique=unique,
        refused={"amount": Decimal(-1)},
        settings={"tables": {table: {**settings, **deleted}}, **system},
        note=shown,
    )


def _row(word: str) -> Record:
    return {"code": word, "city": f"city of {word}", "amount": Decimal("10.50")}


def _no_code(word: str) -> Record:
    return {"city": f"city of {word}", "amount": Decimal("10.50")}


class DatabaseWorld(World):
    """Three tables in a database, made for the suite and dropped at its end. Without ``url``: a new SQLite file."""

    real = True

    def __init__(self, entry: ConnectorEntry, url: str = "") -> None:
        super().__init__()
        self._entry = entry
        self._folder = tempfile.TemporaryDirectory(prefix="hub-contract-")
        if not url:
            path = Path(self._folder.name) / "contract.db"
            path.touch(mode=0o600)
            url = f"sqlite:///{path}"
        self._url = url
        self._engine = sa.create_engine(read_settings({"url": url}, entry.name).parsed_url())
        self._family = self._engine.dialect.name.replace("mariadb", "mysql")
        self.moves_time = self._family == "sqlite"
        self._now = datetime.now(UTC).replace(microsecond=0)
        self._made: list[str] = []
        try:
            with self._engine.begin() as connection:
                self.name, self.product = _name(connection)
                self._create(connection)
        except BaseException:
            self.close()
            raise

    def _create(self, connection: sa.Connection) -> None:
        there = set(sa.inspect(connection).get_table_names()) & {KEYED, NATURAL, NOTED, KEYS}
        if there:
            raise ConfigurationError(
                f"the database has tables of the contract suite already: {', '.join(sorted(there))}",
                where=self._entry.name,
                cure="drop them if no other run is under way",
            )
        for name in (KEYED, NATURAL, NOTED):
            statement = CREATE.format(
                name=name,
                counter=COUNTERS.get(self._family, "INTEGER PRIMARY KEY"),
                stamp=STAMPS.get(self._family, "TIMESTAMP"),
                unique=" NOT NULL UNIQUE" if name == NATURAL else "",
                boolean="BOOLEAN",
                no="false" if self._family != "sqlite" else "0",
            )
            connection.execute(sa.text(statement))
            self._made.append(name)
            for number in range(ROWS):
                # Hours apart, so that a reading that is taken up again can't reach back to the beginning.
                stamp = self._stored(self._now - timedelta(days=2) + timedelta(hours=number))
                values = {"c": f"{number}", "t": f"place {number}", "a": f"{number}.25", "at": stamp}
                row = f"INSERT INTO {name} (code, city, amount, changed_at) VALUES (:c, :t, :a, :at)"  # noqa: S608
                connection.execute(sa.text(row), values)

    def _clock(self) -> str:
        """The SQL of a row's new stamp: whole seconds, as many an application writes them; by the server's clock, which
        can't be moved, or (SQLite has none) by ours."""
        return {"postgresql": "date_trunc('second', clock_timestamp())", "mysql": "now(0)"}.get(self._family, ":now")

    def _open(self, settings: Record) -> Connector:
        services = Services("sql", MemoryCache(), now=lambda: self._now, sleep=self.slept.append)
        self._made += [KEYS] if "keys_table" in settings and KEYS not in self._made else []
        return self._entry.open({"url": self._url, "timezone": "UTC", **settings}, services)

    def _stored(self, moment: datetime) -> Any:
        """A time as the driver takes it."""
        if self._family == "postgresql":
            return moment
        naive = moment.replace(tzinfo=None)
        return naive.isoformat(" ") if self._family == "sqlite" else naive

    def edit(self, connector: Connector, resource: str, id: str, values: Record) -> None:
        names = ", ".join(f"{name} = :{name}" for name in values)
        stamped = f"{names}, changed_at = {self._clock()}, row_version = row_version + 1"
        self._run(f"UPDATE {resource} SET {stamped} WHERE id = :id", **values, id=int(id))  # noqa: S608

    def remove(self, connector: Connector, resource: str, id: str) -> None:
        if resource == NOTED:
            self.edit(connector, resource, id, {"is_deleted": True})
        else:
            self._run(f"DELETE FROM {resource} WHERE id = :id", id=int(id))  # noqa: S608

    def _run(self, statement: str, **values: Any) -> None:
        with self._engine.begin() as connection:
            self._execute(connection, statement, **values)

    def _execute(self, connection: sa.Connection, statement: str, **values: Any) -> None:
        now = {"now": self._stored(self._now)} if ":now" in statement else {}
        connection.execute(sa.text(statement), {**values, **now})

    def count(self, resource: str) -> int:
        return self._count(f"SELECT count(*) FROM {resource} WHERE NOT is_deleted")  # noqa: S608

    def holding(self, resource: str, field: str, value: str) -> int:
        where = f"NOT is_deleted AND {field} = :value"
        return self._count(f"SELECT count(*) FROM {resource} WHERE {where}", value=value)  # noqa: S608

    def _count(self, query: str, **values: Any) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(sa.text(query), values).scalar_one())

    def advance(self, seconds: float) -> None:
        if self._family == "sqlite":
            self._now += timedelta(seconds=seconds)

    @contextmanager
    def bad_day(self, kind: BadDay) -> Iterator[None]:
        """The driver fails as it does when the connection is lost."""
        if kind in ("throttled", "nonsense"):
            raise NotNeeded("a database neither asks to slow down nor answers with web pages")
        dialects = [connector.database.engine.dialect for connector in self._opened]  # type: ignore[attr-defined]
        for dialect in dialects:
            _spoil(dialect, kind, self._lost)
        try:
            yield
        finally:
            for dialect in dialects:
                for name in ("do_commit", "do_execute", "do_execute_no_params"):
                    vars(dialect).pop(name, None)

    def _lost(self, dialect: Any) -> Exception:
        errors = {
            "sqlite": ("disk I/O error",),
            "mysql": (2013, "Lost connection to MySQL server during query"),
        }.get(self._family, ("server closed the connection unexpectedly",))
        made: Exception = dialect.loaded_dbapi.OperationalError(*errors)
        return made

    def wrong_login(self) -> Record:
        if self._family == "sqlite":
            raise NotNeeded("a file has no log-in")
        wrong = sa.make_url(self._url).set(username="nobody_of_that_name", password="wrong")  # noqa: S106
        return {"url": wrong.render_as_string(hide_password=False)}

    def close(self) -> None:
        super().close()
        for name in reversed(self._made):
            with self._engine.begin() as connection:
                connection.execute(sa.text(f"DROP TABLE IF EXISTS {name}"))
        self._made.clear()
        self._engine.dispose()
        self._folder.cleanup()


def _spoil(dialect: Any, kind: BadDay, lost: Any) -> None:
    """Let this engine's driver fail: at the answer to the next commit, or at reading."""
    commit, execute, plain = dialect.do_commit, dialect.do_execute, dialect.do_execute_no_params
    passed = {"pages": 0}

    def do_commit(connection: Any) -> None:
        commit(connection)
        del dialect.do_commit
        raise lost(dialect)

    def _fails(statement: str) -> bool:
        if kind == "down":
            return True
        page = "LIMIT" in statement
        passed["pages"] += page
        return page and passed["pages"] > 1

    def do_execute(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        if _fails(statement):
            raise lost(dialect)
        execute(cursor, statement, parameters, context)

    def do_execute_no_params(cursor: Any, statement: str, context: Any = None) -> None:
        if _fails(statement):
            raise lost(dialect)
        plain(cursor, statement, context)

    if kind == "lost":
        dialect.do_commit = do_commit
    else:
        dialect.do_execute, dialect.do_execute_no_params = do_execute, do_execute_no_params


def _name(connection: sa.Connection) -> tuple[str, str]:
    """(key of the results, the product and its version)."""
    dialect = connection.dialect
    version = ".".join(str(part) for part in (dialect.server_version_info or ())[:2])
    maria = getattr(dialect, "is_mariadb", False)
    name = "mariadb" if maria else dialect.name
    titles = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB", "mysql": "MySQL"}
    return name, f"{titles.get(name, name)} {version}".strip()
