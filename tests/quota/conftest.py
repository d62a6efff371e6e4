"""A company of two sandboxes and a database over real HTTP, with its accounts' quotas kept by the hub."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from quota.counted_company import Company

from hub.connect import budget
from hub.connect.registry import find
from hub.connect.sandbox import serve
from hub.demo.company import TEMPLATE

SIZES = {
    "zoho_crm": {"records": 12, "seed": 3, "products": 6, "orders": 8, "invoices": 4},
    "kingdee_galaxy": {"records": 12, "seed": 3, "shared": 6, "products": 6, "orders": 4, "invoices": 3},
}


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    """Nothing is synchronised yet."""
    monkeypatch.setattr(budget, "_budgets", {})
    shutil.copytree(TEMPLATE, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sql", "__pycache__"))
    with closing(sqlite3.connect(tmp_path / "finance.db")) as connection:
        connection.executescript((TEMPLATE / "finance.sql").read_text(encoding="utf-8"))
    with ExitStack() as stack:
        running = {name: stack.enter_context(serve(find(name).sandbox()(**size))) for name, size in SIZES.items()}
        zoho, kingdee = running["zoho_crm"], running["kingdee_galaxy"]
        secrets = {"FINANCE_DB_URL": f"sqlite:///{tmp_path}/finance.db", "KINGDEE_URL": kingdee.url}
        for system, one in (("zoho", zoho), ("kingdee", kingdee)):
            for name, value in one.ready()["credentials"].items():
                secrets[f"{system}_{name}".upper()] = value
        (tmp_path / ".env").write_text("".join(f"{k}={v}\n" for k, v in secrets.items()), encoding="utf-8")
        (tmp_path / ".env").chmod(0o600)
        yield Company(tmp_path, zoho, kingdee)
