"""Pass reports as the engine makes them, for tests of what people are told."""

from __future__ import annotations

from typing import Any

from hub.sync.report import Counts, Finding, Held, PassReport, Plan, PlannedWrite, SystemFailure


def write(number: int, system: str = "kingdee", entity: str = "customer", **fields: list[Any]) -> PlannedWrite:
    return PlannedWrite(
        system=system,
        resource="BD_Customer",
        entity=entity,
        hub_id=f"h{number}",
        record=str(100 + number),
        title=f"深圳市第{number}贸易有限公司",
        action="update",
        fields=fields or {"phone": ["1", "2"]},
        because="changed in zoho",
    )


def held(reason: str, number: int = 1) -> Held:
    return Held("kingdee", "order", f"h{number}", f"SO-{number}", reason, "waits")


def plan(*writes: PlannedWrite, held: list[Held] | None = None, census: list[dict[str, Any]] | None = None) -> Plan:
    return Plan("p1", "state", "2026-11-21T10:00:00.000Z", list(writes), held or [], census or [])


def report(*counts: Counts, **more: Any) -> PassReport:
    values = {"run": "r1", "kind": "sync", "started": "2026-11-21T10:00:00.000Z", **more}
    return PassReport(counts=list(counts), **values)


def finding(message: str = "lines add up to 99.00, the total says 100.00") -> Finding:
    return Finding("totals", "order", "SO-1", message, "zoho")


def failure(system: str = "kingdee", message: str = "connection refused") -> SystemFailure:
    return SystemFailure(system, "customer", "Unavailable", message)
