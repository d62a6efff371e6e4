"""All systems at once, the hub's project that ties them, and people who work in them."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from real.directus import Directus, directus
from real.keeping import HERE
from real.medusa import Medusa, medusa
from real.postgres import Cluster, cluster
from real.tryton import Tryton, prepared_lts, tryton

from hub.connect.http import Http
from hub.project import open_project
from hub.sync.engine import Engine
from hub.sync.report import PassReport

Row = dict[str, Any]
DATABASES = {"erp": "erp", "crm": "crm", "shop": "shop", "books": "books"}
RECORDS = {
    "erp": "party_party product_product sale_sale sale_line account_invoice stock_shipment_out",
    "crm": "accounts contacts products orders order_lines invoices",
    "shop": "customer product product_variant price order",
    "books": "customers products orders order_lines invoices",
}


@dataclass
class World:
    """Real servers, an empty hub. Everything that people do goes past the hub; every look into a system is its own
    database's answer."""

    folder: Path
    cluster: Cluster
    erp: Tryton
    crm: Directus
    shop: Medusa
    calls: Counter[str] = field(default_factory=Counter)
    """HTTP requests of the hub, by system."""
    passes: int = 0

    def sync(self, **options: Any) -> PassReport:
        """One pass."""
        self.passes += 1
        with open_project(self.folder) as project, Engine.from_project(project) as engine:
            return engine.sync(**options)

    def settle(self, most: int = 4) -> list[PassReport]:
        """Passes until one writes nothing. Raises AssertionError when that takes more than ``most``."""
        reports: list[PassReport] = []
        while len(reports) < most:
            reports.append(self.sync())
            if not reports[-1].writes:
                return reports
        raise AssertionError(f"not settled after {most} passes: {[r.message for r in reports]}")

    def rows(self, system: str, query: str, *values: Any) -> list[Row]:
        """Asked of the system's own database."""
        with psycopg.connect(self.cluster.url(DATABASES[system]), row_factory=dict_row, autocommit=True) as connection:
            return connection.execute(query, values or None).fetchall()  # type: ignore[arg-type]

    def change(self, system: str, statement: str) -> None:
        """Done to the system's own database, behind its back."""
        with psycopg.connect(self.cluster.url(DATABASES[system]), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def versions_of_rows(self) -> dict[str, Any]:
        """Which transaction wrote each row last: equal before and after means that nothing at all was written."""
        return {
            f"{system}.{table}": sorted((str(r["k"]), str(r["x"])) for r in self._stamped(system, table))
            for system, tables in RECORDS.items()
            for table in tables.split()
        }

    def records(self, system: str) -> dict[str, int]:
        return {
            table: self.rows(system, f'SELECT count(*) AS n FROM "{table}"')[0]["n"]
            for table in RECORDS[system].split()
        }

    def versions(self) -> dict[str, str]:
        return {
            "erp": f"Tryton {self.erp.version}",
            "crm": f"Directus {self.crm.version}",
            "shop": f"Medusa {self.shop.version}",
            "books": f"PostgreSQL {self.cluster.version()}",
        }

    def _stamped(self, system: str, table: str) -> list[Row]:
        key = "order_id || '/' || line_no" if (system, table) == ("books", "order_lines") else "id"
        return self.rows(system, f'SELECT {key} AS k, xmin::text AS x FROM "{table}"')


@contextmanager
def world() -> Iterator[World]:
    """Start everything, side by side; stop everything at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-real-project-")))
        one = stack.enter_context(cluster())
        one.create("books")
        with one.connect("books") as connection:
            connection.execute((HERE / "books.sql").read_text("utf-8"))  # type: ignore[arg-type]
        # A child ends with the thread that started it, so the threads live as long as the servers.
        pool = stack.enter_context(ThreadPoolExecutor(4))
        erp, crm, shop = _together(pool, stack, [tryton(one), directus(one), medusa(one)])
        pool.submit(prepared_lts)  # for later: it need not be waited for
        shutil.copytree(HERE / "project", folder / "project")
        found = World(folder / "project", one, erp, crm, shop)
        found.folder.joinpath(".env").write_text(_environment(found))
        stack.enter_context(_counted(found.calls))
        yield found


def _together(pool: ThreadPoolExecutor, stack: ExitStack, servers: list[AbstractContextManager[Any]]) -> list[Any]:
    """Start them side by side; those that did start are stopped with the stack, also when another one failed."""
    started = [pool.submit(server.__enter__) for server in servers]
    for server, future in zip(servers, started, strict=True):
        if future.exception() is None:
            stack.callback(server.__exit__, None, None, None)
    return [future.result() for future in started]


def _environment(found: World) -> str:
    settings = {
        "ERP_URL": found.erp.url,
        "ERP_PASSWORD": found.erp.password,
        "CRM_URL": found.crm.url,
        "CRM_TOKEN": found.crm.token,
        "SHOP_URL": found.shop.url,
        "SHOP_KEY": found.shop.key,
        "BOOKS_URL": found.cluster.url("books", "postgresql+psycopg"),
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


@contextmanager
def _counted(calls: Counter[str]) -> Iterator[None]:
    count = Http._count

    def counting(self: Http, what: str) -> None:
        if what == "calls":
            calls[self._services.system] += 1
        count(self, what)

    Http._count = counting  # type: ignore[method-assign]
    try:
        yield
    finally:
        Http._count = count  # type: ignore[method-assign]
