"""The company whose calls are counted: by its sandboxes, and by the hub."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.connect.sandbox import Running
from hub.project import Project, open_project
from hub.sync.engine import Engine
from hub.sync.report import PassReport, SystemCost

FREE = {"token", "LoginBySign"}
"""Log-ins cost nothing."""


@dataclass
class Company:
    folder: Path
    zoho: Running
    kingdee: Running

    @contextmanager
    def engine(self) -> Iterator[tuple[Engine, Project]]:
        with open_project(self.folder) as project, Engine.from_project(project) as engine:
            yield engine, project

    def sync(self, **options: Any) -> PassReport:
        with self.engine() as (engine, _):
            return engine.sync(**options)

    def setting(self, system: str, **settings: Any) -> None:
        """Add settings of a system to hub.yaml."""
        path = self.folder / "hub.yaml"
        lines = "".join(f"\n    {name}: {value}" for name, value in settings.items())
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(f"\n  {system}:", f"\n  {system}:{lines}", 1), encoding="utf-8")

    def calls(self) -> dict[str, int]:
        """Calls that each sandbox has answered, log-ins left out."""
        counted = {system: self.running(system).control.stats.operations for system in ("zoho", "kingdee")}
        return {
            system: sum(n for name, n in operations.items() if name.split()[0] not in FREE)
            for system, operations in counted.items()
        }

    def credits(self) -> int:
        """Credits that the Zoho sandbox has counted."""
        app: Any = self.zoho.app
        return int(app.quota.used)

    def running(self, system: str) -> Running:
        return {"zoho": self.zoho, "kingdee": self.kingdee}[system]

    def edit(self, system: str, resource: str, number: int, **values: Any) -> None:
        """A person edits the first so many records."""
        app = self.running(system).app
        for record in app.records(resource)[:number]:
            key = "id" if "id" in record else next(k for k in record if k in ("FCUSTID", "FID", "FMATERIALID"))
            app.edit(resource, str(record[key]), values, "somebody")

    def a_day_goes_by(self) -> None:
        """In what the hub has counted: the systems' clocks stay by the hub's."""
        self._quota("UPDATE quota_hour SET hour = hour - 26")
        self._quota("UPDATE quota SET told_at = told_at - 90000")

    def sync_nothing(self) -> None:
        """The project is opened once, after its settings have changed: the systems are asked what they look like."""
        with self.engine():
            pass

    def used(self, system: str, units: int) -> None:
        """So much has been used of the day."""
        owner = f"(SELECT owner FROM quota WHERE systems = '{system}')"
        self._quota(f"UPDATE quota_hour SET units = {units} WHERE owner = {owner}")

    def _quota(self, statement: str) -> None:
        with closing(sqlite3.connect(self.folder / ".hub/hub-quota.db", timeout=30)) as connection, connection:
            connection.execute(statement)

    def time_goes_by(self, seconds: float) -> None:
        for one in (self.zoho, self.kingdee):
            one.app.clock.advance(seconds)


def cost_of(report: PassReport, system: str) -> SystemCost:
    return next(cost for cost in report.costs if cost.system == system)
