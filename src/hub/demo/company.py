"""The demo's company: two sandboxes, a finance database and a project, in a folder of their own."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.connect.sandbox_client import ControlClient
from hub.demo.sandboxes import Sandbox, running_sandboxes

TEMPLATE = Path(__file__).parent / "project"
SEED = 7


@dataclass(slots=True)
class Company:
    """Everything the demo's people and the hub work with."""

    folder: Path
    """The project."""
    sandboxes: dict[str, Sandbox]
    """By system: zoho, kingdee."""
    database: Path
    """finance_db."""

    @property
    def zoho(self) -> ControlClient:
        return self.sandboxes["zoho"].control

    @property
    def kingdee(self) -> ControlClient:
        return self.sandboxes["kingdee"].control

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What the finance database holds, asked directly."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def change(self, statement: str, *values: Any) -> None:
        """Change the finance database as its own application would."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection, connection:
            connection.execute(statement, values)


@contextmanager
def founded(records: int, *, keep: Path | None = None) -> Iterator[Company]:
    """A company with ``records`` accounts in its CRM; its ERP knows four fifths of them, written differently, and as
    many of its own as are missing then. ``keep``: a new folder that stays; else everything is removed at the end.
    """
    folder = Path(tempfile.mkdtemp(prefix="hub-demo-")) if keep is None else keep
    folder.mkdir(parents=True, exist_ok=True)
    try:
        options = {
            "zoho_crm": {"records": records, "seed": SEED, **_documents(records)},
            "kingdee_galaxy": {
                "records": records, "seed": SEED, "shared": records * 4 // 5, **_documents(records // 2),
            },
        }  # fmt: skip
        with running_sandboxes(options, folder) as running:
            sandboxes = {"zoho": running["zoho_crm"], "kingdee": running["kingdee_galaxy"]}
            yield Company(folder, sandboxes, _furnish(folder, sandboxes))
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _documents(customers: int) -> dict[str, int]:
    """How many products, orders and invoices a company of this size has to begin with."""
    return {"products": 60, "orders": customers // 5, "invoices": customers // 10}


def _furnish(folder: Path, sandboxes: dict[str, Sandbox]) -> Path:
    """Write the project and the finance database into ``folder``; returns the database's path."""
    shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sql", "__pycache__"))
    database = folder / "finance.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript((TEMPLATE / "finance.sql").read_text(encoding="utf-8"))
    secrets = {"FINANCE_DB_URL": f"sqlite:///{database}", "KINGDEE_URL": sandboxes["kingdee"].ready["url"]}
    for system, sandbox in sandboxes.items():
        for name, value in sandbox.ready["credentials"].items():
            secrets[f"{system}_{name}".upper()] = value
    descriptor = os.open(folder / ".env", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in secrets.items())
    return database
