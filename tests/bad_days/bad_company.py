"""A small company for bad days: two sandboxes over real HTTP, a finance database, and a hub that never really sleeps.

Audits go past the hub: ``hub.demo.books`` reads the systems themselves.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.connect import budget
from hub.connect.registry import find
from hub.connect.sandbox import serve
from hub.connect.sandbox_client import ControlClient
from hub.connect.services import Services
from hub.connect.tokens import FileCache
from hub.demo import books
from hub.demo.company import TEMPLATE
from hub.mapping.reading import read_yaml
from hub.project import open_project
from hub.sync.engine import Engine
from hub.sync.report import Observer, PassReport, silent

Row = dict[str, Any]
ALWAYS = 10**6
"""For a fault's ``next``: it stays until it is cleared."""
SIZES = {
    "zoho_crm": {"records": 6, "seed": 7, "products": 4, "orders": 3, "invoices": 2},
    "kingdee_galaxy": {"records": 6, "seed": 7, "shared": 5, "products": 4, "orders": 2, "invoices": 1},
}


@dataclass(frozen=True)
class Said:
    """What one command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def failures(self) -> list[tuple[str, str, str, str]]:
        """Of a pass's JSON: (system, entity, error, message)."""
        assert "failures" in self.data, (self.code, self.out, self.err)
        return [(f["system"], f["entity"], f["error"], f["message"]) for f in self.data["failures"]]

    @property
    def messages(self) -> set[str]:
        return {message for *_, message in self.failures}


@dataclass
class BadCompany:
    """The systems, the project's folder, and the people who work there."""

    folder: Path
    zoho: ControlClient
    kingdee: ControlClient
    secrets: dict[str, str]
    slept: list[float] = field(default_factory=list)
    """What the hub would have waited, in seconds."""
    cache_skew: float = 0.0
    """Seconds by which tokens and remembered refusals look older."""
    read: Callable[..., Any] = field(default_factory=lambda: read_once(read_yaml))
    budgets: dict[str, budget.Budget] = field(default_factory=dict)

    # the hub --------------------------------------------------------------------------------------------------------

    def hub(self, *words: str, env: dict[str, str] | None = None) -> Said:
        """``hub WORDS`` in this process, as typed in the project's folder."""
        from hub.cli.main import app

        logger = logging.getLogger("hub")
        before = logger.handlers, logger.level
        try:
            result = CliRunner().invoke(app, [*words, "--project", str(self.folder)], env=env)
        finally:
            # A command's log handler writes to that command's standard error, which is closed by now.
            logger.handlers, logger.level = before
        return Said(result.exit_code, result.stdout, result.stderr)

    def sync(self, observer: Observer = silent, **options: Any) -> PassReport:
        """One pass through the engine."""
        with open_project(self.folder) as project, Engine.from_project(project, observer=observer) as engine:
            return engine.sync(**options)

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        with open_project(self.folder) as project, Engine.from_project(project) as engine:
            yield engine

    def services(self, system: str, cache: FileCache, **_: Any) -> Services:
        """What connectors are lent: waiting is only noted, the cache's clock can be moved. The account's quota goes by
        the true time and is left out."""
        cache._clock = lambda: time.time() + self.cache_skew
        return Services(system, cache, sleep=self.slept.append)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The hub of this process works for this company, and for nobody else: not longer than its tests last."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("hub.project.systems.Services", self.services)
            patch.setattr(sys.modules["hub.mapping.load"], "read_yaml", self.read)
            # Budgets live as long as the process: a pause asked for in another test must not hold this one.
            patch.setattr(budget, "_budgets", self.budgets)
            for name in [n for n in os.environ if n in self.secrets or n.startswith("PREFECT_")]:
                patch.delenv(name)
            yield

    def later(self, seconds: float) -> None:
        """Time goes by: tokens end, refusals are forgotten, leases of dead passes run out, pauses are over."""
        self.cache_skew += seconds
        self.forget_pauses()
        self.stored("UPDATE lease SET expires = ''")

    @staticmethod
    def forget_pauses() -> None:
        """What systems asked for (Retry-After) is over."""
        for one in budget._budgets.values():
            one._paused_until = 0.0

    def stored(self, statement: str, *values: Any) -> list[Row]:
        """A statement in the hub's own database."""
        return _execute(self.folder / ".hub/hub.db", statement, values)

    # its people -----------------------------------------------------------------------------------------------------

    def setting(self, system: str, **settings: Any) -> None:
        """Add settings of a system to hub.yaml."""
        path = self.folder / "hub.yaml"
        lines = "".join(f"\n    {name}: {value}" for name, value in settings.items())
        text = path.read_text(encoding="utf-8")
        assert f"\n  {system}:" in text
        path.write_text(text.replace(f"\n  {system}:", f"\n  {system}:{lines}", 1), encoding="utf-8")

    def fault(self, system: str, **spec: Any) -> None:
        getattr(self, system).add_faults(spec)

    def mend(self) -> None:
        self.zoho.clear_faults()
        self.kingdee.clear_faults()

    def rows(self, query: str, *values: Any) -> list[Row]:
        return _execute(self.folder / "finance.db", query, values)

    def customer(self, system: str, tax_id: str) -> Row:
        return next((c for c in books.customers(self, system) if c["tax_id"] == tax_id), {})  # type: ignore[arg-type]

    def tax_ids(self) -> list[str]:
        """Of the customers that all three systems know and use, in a fixed order."""
        known = [{c["tax_id"] for c in books.customers(self, s) if c["active"]} for s in books.SYSTEMS]  # type: ignore[arg-type]
        return sorted(set.intersection(*known))

    def edit(self, system: str, tax_id: str, **values: Any) -> None:
        """Somebody edits a customer; values by the product's own field names."""
        key = self.customer(system, tax_id)["id"]
        if system == "finance_db":
            for name, value in values.items():
                self.rows(f"UPDATE customers SET {name} = ? WHERE id = ?", value, int(key))
        else:
            getattr(self, system).edit({"zoho": "Accounts", "kingdee": "BD_Customer"}[system], key, values, "anna")

    def new_account(self, name: str, tax_id: str, **values: Any) -> Row:
        """Sales enters a customer in Zoho."""
        record = {"Account_Name": name, "Tax_ID": tax_id, "Customer_Status": "Active", "Currency": "CNY", **values}
        return self.zoho.create("Accounts", record, "anna")

    def new_order(self, title: str, tax_id: str, *quantities: int) -> Row:
        """Sales enters an order in Zoho, a line for each quantity."""
        goods = self.zoho.records("Products")
        lines = [
            {"Product_Name": {"id": good["id"]}, "Quantity": quantity, "List_Price": 120.5, "Discount": 0,
             "Tax_Rate": 13, "Line_Tax": [{"name": "VAT", "percentage": 13}], "Unit": good["Usage_Unit"],
             "Sequence_Number": str(at)}
            for at, (good, quantity) in enumerate(zip(goods, quantities, strict=False), 1)
        ]  # fmt: skip
        return self.zoho.create("Sales_Orders", {
            "Subject": title, "Account_Name": {"id": self.customer("zoho", tax_id)["id"]}, "Order_Date": "2026-03-02",
            "Status": "Approved", "Currency": "CNY", "Exchange_Rate": 1, "Ordered_Items": lines,
        }, "anna")  # fmt: skip

    # the auditor ----------------------------------------------------------------------------------------------------

    def writes(self) -> int:
        """Writes that the systems counted so far; of the database, the changes that its triggers noted."""
        api = self.zoho.stats()["writes"] + self.kingdee.stats()["writes"]
        return int(api + self.rows("SELECT count(*) AS n FROM journal")[0]["n"])

    def differences(self) -> list[str]:
        """Where the three systems disagree, and what one of them holds twice. Empty when all is well."""
        found = [f"{s} holds twice: {what}" for s, what in books.duplicates(self).items()]  # type: ignore[arg-type]
        views = {
            "customers": lambda s: [_without(c, "id") for c in books.customers(self, s)],  # type: ignore[arg-type]
            "products": lambda s: books.products(self, s),  # type: ignore[arg-type]
            "orders": lambda s: books.orders(self, s),  # type: ignore[arg-type]
            "invoices": lambda s: books.invoices(self, s),  # type: ignore[arg-type]
        }
        for noun, view in views.items():
            reference = sorted(map(str, view("zoho")))
            for system in ("kingdee", "finance_db"):
                theirs = sorted(map(str, view(system)))
                found += [f"{system} lacks of {noun}: {one}" for one in reference if one not in theirs]
                found += [f"zoho lacks of {noun}: {one} ({system})" for one in theirs if one not in reference]
        return found

    def assert_agreement(self) -> None:
        """All three hold the same, once; nothing waits, nothing is in doubt, and the next pass writes nothing."""
        assert self.differences() == []
        with self.engine() as engine:
            status = engine.status()
            assert (status["conflicts"], status["letters"], status["in_doubt"]) == (0, 0, 0), engine.letters()
            assert status["waiting"] == []
            before = self.writes()
            report = engine.sync()
        assert (report.state, report.failures, report.writes) == ("done", [], 0)
        assert self.writes() == before, "a quiet pass wrote something"


@contextmanager
def founded(folder: Path, *, always_at_work: bool = True) -> Iterator[BadCompany]:
    """A company whose three systems are in agreement already."""
    with ExitStack() as stack:
        running = {name: stack.enter_context(serve(find(name).sandbox()(**options))) for name, options in SIZES.items()}
        zoho, kingdee = running["zoho_crm"], running["kingdee_galaxy"]
        shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sql", "__pycache__"))
        with closing(sqlite3.connect(folder / "finance.db")) as connection:
            connection.executescript((TEMPLATE / "finance.sql").read_text(encoding="utf-8"))
        secrets = {"FINANCE_DB_URL": f"sqlite:///{folder}/finance.db", "KINGDEE_URL": kingdee.url}
        for system, one in (("zoho", zoho), ("kingdee", kingdee)):
            for name, value in one.ready()["credentials"].items():
                secrets[f"{system}_{name}".upper()] = value
        (folder / ".env").write_text("".join(f"{k}={v}\n" for k, v in secrets.items()), encoding="utf-8")
        (folder / ".env").chmod(0o600)
        controls = [ControlClient(one.control_url) for one in (zoho, kingdee)]
        company = BadCompany(folder, *controls, secrets)
        with company.at_work():
            report = company.sync(yes=True)
            assert (report.state, report.failures) == ("done", [])
            if always_at_work:
                yield company
        if not always_at_work:
            yield company


def read_once(read: Callable[..., Any]) -> Callable[..., Any]:
    """Mappings are opened for every pass here and never change between two: reading them again is most of the time."""
    known: dict[tuple[str, int, str | None], Any] = {}

    def reading(source: Any, *, file: str | None = None) -> Any:
        if not isinstance(source, Path):
            return read(source, file=file)
        mark = (str(source), source.stat().st_mtime_ns, file)
        if mark not in known:
            known[mark] = read(source, file=file)
        return known[mark]

    return reading


def _execute(database: Path, statement: str, values: tuple[Any, ...]) -> list[Row]:
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(statement, values)]


def _without(row: Row, name: str) -> Row:
    return {k: v for k, v in row.items() if k != name}
