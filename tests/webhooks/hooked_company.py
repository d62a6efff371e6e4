"""A CRM and an ERP that tell of changes, over real HTTP, and a hub that listens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from benchmarks.near_time import hub_yaml
from hub.connect.registry import find
from hub.connect.sandbox import Running, serve
from hub.project import Project, open_project
from hub.store import hints
from hub.sync.engine import Engine
from hub.sync.report import PassReport
from hub.webhooks.serve import Service

SECRET = "not a real one, for tests only: 0123456789"


@dataclass
class HookedCompany:
    """The systems and the project's folder."""

    folder: Path
    zoho: Running
    kingdee: Running

    def project(self) -> Project:
        return open_project(self.folder)

    def sync(self, **options: Any) -> PassReport:
        with self.project() as project, Engine.from_project(project) as engine:
            return engine.sync(**options)

    @contextmanager
    def service(self, **options: Any) -> Iterator[Service]:
        """The intake, on a free port that hub.yaml knows."""
        with Service(self.project, **{"port": 0, "drains": False, **options}) as service:
            yield service

    def listen_at(self, url: str) -> None:
        """hub.yaml says that this is the address."""
        (self.folder / "hub.yaml").write_text(hub_yaml({"address": f"{url}/hooks"}), "utf-8")

    def accounts(self) -> list[dict[str, Any]]:
        """Accounts that the ERP has, too."""
        there = {row["FTAXREGISTERCODE"] for row in self.kingdee.app.records("BD_Customer")}
        return [row for row in self.zoho.app.records("Accounts") if row.get("Tax_ID") in there]

    def customer(self, account: dict[str, Any]) -> dict[str, Any]:
        """The same company in the ERP."""
        rows = self.kingdee.app.records("BD_Customer")
        return next(row for row in rows if row["FTAXREGISTERCODE"] == account["Tax_ID"])

    def told(self) -> None:
        """Wait until every notification so far has been answered."""
        self.zoho.app.watch.flush()
        self.kingdee.control.plugin.sender.flush()


@contextmanager
def founded(folder: Path) -> Iterator[HookedCompany]:
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        sizes = {"records": 6, "seed": 7, "products": 2, "orders": 1, "invoices": 1}
        running = {
            "zoho": stack.enter_context(serve(find("zoho_crm").sandbox()(**sizes))),
            "kingdee": stack.enter_context(serve(find("kingdee_galaxy").sandbox()(**sizes, shared=5))),
        }
        secrets = {"HUB_WEBHOOK_SECRET": SECRET, "KINGDEE_URL": running["kingdee"].url}
        for system, sandbox in running.items():
            for name, value in sandbox.ready()["credentials"].items():
                secrets[f"{system}_{name}".upper()] = value
        file = os.open(folder / ".env", os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as env:
            env.writelines(f"{name}='{value}'\n" for name, value in secrets.items())
        company = HookedCompany(folder, running["zoho"], running["kingdee"])
        company.listen_at("http://127.0.0.1:9")
        company.sync(yes=True)
        assert company.sync(yes=True).writes == 0
        yield company


def waiting(service: Service) -> int:
    with service.worker.engine.store.read() as connection:
        return hints.count(connection)


def post(service: Service, system: str, body: bytes, **headers: str) -> int:
    """Send a message as a stranger would; the status of the answer."""
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"{service.url}/hooks/{system}", data=body, headers=headers, timeout=10).status_code


def counted(service: Service, system: str) -> dict[str, Any]:
    service.worker.each_second()
    with service.worker.engine.store.read() as connection:
        return hints.counts(connection).get(system, {})
