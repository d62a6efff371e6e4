"""One small company in three databases, and a connector opened on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import create_engine, make_url, text

from hub.connect import registry
from hub.connect.capabilities import Remote, Result, Write
from hub.connect.services import Services

TYPES = {
    "postgresql": {
        "serial": "SERIAL PRIMARY KEY",
        "instant": "TIMESTAMPTZ",
        "local": "TIMESTAMP",
        "real": "REAL",
        "bool": "BOOLEAN",
        "binary": "BYTEA",
    },
    "mariadb": {
        "serial": "INTEGER AUTO_INCREMENT PRIMARY KEY",
        "instant": "TIMESTAMP(6) NULL DEFAULT NULL",
        "local": "DATETIME(6)",
        "real": "FLOAT",
        "bool": "BOOLEAN",
        "binary": "BLOB",
    },
    "sqlite": {
        "serial": "INTEGER PRIMARY KEY",
        "instant": "TIMESTAMP",
        "local": "DATETIME",
        "real": "REAL",
        "bool": "BOOLEAN",
        "binary": "BLOB",
    },
}

SCHEMA = """
CREATE TABLE customers (
    customer_id VARCHAR(5) NOT NULL PRIMARY KEY,
    company_name VARCHAR(40) NOT NULL,
    phone VARCHAR(24),
    credit NUMERIC(12, 2),
    rating {real},
    weight DOUBLE PRECISION,
    active {bool},
    since DATE,
    note TEXT,
    logo {binary},
    CONSTRAINT positive_credit CHECK (credit >= 0)
);
CREATE TABLE products (
    id {serial},
    sku VARCHAR(20) NOT NULL,
    name VARCHAR(40),
    price NUMERIC(10, 2),
    changed_at {instant},
    is_deleted {bool} NOT NULL,
    row_version INTEGER NOT NULL DEFAULT 1,
    CONSTRAINT unique_sku UNIQUE (sku)
);
CREATE TABLE orders (
    id {serial},
    number VARCHAR(20),
    customer_id VARCHAR(5) REFERENCES customers (customer_id),
    order_date DATE,
    entered {local},
    hub_key VARCHAR(64),
    CONSTRAINT unique_number UNIQUE (number),
    CONSTRAINT unique_key UNIQUE (hub_key){orders_fk}
);
CREATE TABLE order_lines (
    order_id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    quantity NUMERIC(10, 3) NOT NULL,
    price NUMERIC(12, 2),
    warehouse VARCHAR(10),
    line_changed {instant},
    PRIMARY KEY (order_id, product_id),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    FOREIGN KEY (product_id) REFERENCES products (id)
);
CREATE TABLE counters (
    code SMALLINT NOT NULL PRIMARY KEY,
    title VARCHAR(20)
)
"""


class NoCache:
    """Services want one; a database needs none."""

    def get(self, key: str) -> str | None:
        return None

    def set(self, key: str, value: str, seconds: float) -> None: ...

    def lock(self, key: str) -> Any: ...


class World:
    """A database with the schema above."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self.engine = create_engine(url)
        self.now = datetime(2026, 1, 15, 12, tzinfo=UTC)
        self.opened: list[Any] = []

    def create_schema(self) -> None:
        # MariaDB takes no notice of a reference behind a column.
        again = ", FOREIGN KEY (customer_id) REFERENCES customers (customer_id)" if self.name == "mariadb" else ""
        for statement in SCHEMA.format(**TYPES[self.name], orders_fk=again).split(";"):
            self.run(statement)

    def run(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def open(self, url: str | None = None, **settings: Any) -> Any:
        services = Services("db", NoCache(), now=lambda: self.now)
        connector = registry.find("sql").open({"url": url or self.url, **settings}, services)
        self.opened.append(connector)
        return connector

    def quoted(self, name: str) -> str:
        mark = "`" if self.name == "mariadb" else '"'
        return mark + name.replace(mark, mark * 2) + mark

    def wrong_password(self) -> str:
        return make_url(self.url).set(username="nobody", password="sesame-opens").render_as_string(hide_password=False)

    def close(self) -> None:
        for connector in self.opened:
            connector.close()
        self.engine.dispose()


def everything(connector: Any, resource: str, cursor: str | None = None, fields: Sequence[str] = ()) -> list[Remote]:
    return [r for page in connector.list_changes(resource, cursor, fields, {}) for r in page.records]


def last_cursor(connector: Any, resource: str, cursor: str | None = None) -> str | None:
    found = cursor
    for page in connector.list_changes(resource, cursor, (), {}):
        found = page.cursor or found
    return found


def new(values: dict[str, Any], key: str = "h1") -> Write:
    return Write(key, values)


def only(results: list[Result]) -> Remote:
    """The one success."""
    (result,) = results
    assert result.error is None, result.error
    assert result.remote is not None
    return result.remote


def refused(results: list[Result]) -> Any:
    """The one error."""
    (result,) = results
    assert result.error is not None, result.remote
    return result.error
