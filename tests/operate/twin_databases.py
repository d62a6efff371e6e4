"""A small real project for tests: two SQLite databases that hold the same customers, kept in agreement both ways."""

from __future__ import annotations

import sqlite3
from pathlib import Path

HUB_YAML = """\
version: 1
name: {name}
timezone: Asia/Shanghai
systems:
  crm: {{connector: sql, url: "${{CRM_URL}}", tables: {{customers: {{key: number, cursor: updated_at}}}}}}
  erp: {{connector: sql, url: "${{ERP_URL}}", tables: {{customers: {{key: number, cursor: updated_at}}}}}}
entities:
  customer:
    systems: {{crm: both, erp: both}}
    conflict: hold
    schedule:
      - {{every: 6h}}
      - {{cron: "30 2 * * *", full: true}}
"""
MAPPING = """\
version: 1
resource: customers
entity: customer
match: [number]
fields:
  number: number
  name: name
  phone: phone
"""
TABLE = """\
CREATE TABLE customers (
    number TEXT PRIMARY KEY, name TEXT NOT NULL, phone TEXT,
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
)"""
TOUCH = """\
CREATE TRIGGER touched AFTER UPDATE ON customers BEGIN
    UPDATE customers SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE number = new.number;
END"""
WEBHOOK_SECRET = "not a real one, for tests only: 0123456789"
CITIES = ("深圳", "上海", "北京", "Hamburg", "São Paulo")


def build(folder: Path, *, customers: int = 12, name: str = "twins") -> Path:
    """A project in ``folder`` whose CRM has ``customers`` customers and whose ERP has none."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hub.yaml").write_text(HUB_YAML.format(name=name), encoding="utf-8")
    for system in ("crm", "erp"):
        database = folder / f"{system}.db"
        mappings = folder / "mappings" / system
        mappings.mkdir(parents=True)
        (mappings / "customers.yaml").write_text(MAPPING, encoding="utf-8")
        with sqlite3.connect(database) as connection:
            connection.execute(TABLE)
            connection.execute(TOUCH)
        connection.close()
    (folder / ".env").write_text(
        f"CRM_URL=sqlite:///{folder / 'crm.db'}\nERP_URL=sqlite:///{folder / 'erp.db'}\n", encoding="utf-8"
    )
    rows = [
        (f"C{n:03}", f"{CITIES[n % len(CITIES)]}市第{n}贸易有限公司", f"+86 755 8888 {n:04}") for n in range(customers)
    ]
    statement = "INSERT INTO customers (number, name, phone) VALUES (?, ?, ?)"
    for row in rows:
        execute(folder, "crm", statement, *row)
    return folder


def execute(folder: Path, system: str, statement: str, *values: str) -> None:
    """Change a database as one of its own users would."""
    connection = sqlite3.connect(folder / f"{system}.db", timeout=30)
    with connection:
        connection.execute(statement, values)
    connection.close()


def contents(folder: Path, system: str) -> dict[str, tuple[str, str | None]]:
    """Number → (name, phone)."""
    connection = sqlite3.connect(folder / f"{system}.db", timeout=30)
    rows = connection.execute("SELECT number, name, phone FROM customers").fetchall()
    connection.close()
    return {number: (name, phone) for number, name, phone in rows}


def take_messages(folder: Path, port: int) -> None:
    """The project has a webhook intake, on this port."""
    with (folder / "hub.yaml").open("a", encoding="utf-8") as file:
        file.write(f"webhooks: {{address: 'http://127.0.0.1:{port}', secret: '${{HUB_WEBHOOK_SECRET}}', ")
        file.write(f"listen: '127.0.0.1:{port}'}}\n")
    with (folder / ".env").open("a", encoding="utf-8") as file:
        file.write(f"HUB_WEBHOOK_SECRET={WEBHOOK_SECRET}\n")
