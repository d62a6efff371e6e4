"""Events of a pass for Prefect's event feed and automations. Pure: plain dicts, sent by whoever has a connection.

Resource ids make good matches in automations: ``hub.system.zoho.customer`` (what happened there),
``hub.pass.<project>`` (the whole pass). An event says what happened; records and their values stay in the hub.
"""

from __future__ import annotations

import re
from typing import Any

from hub.operate.words import final_message
from hub.sync.report import Counts, PassReport

PREFIX = "hub"


def resource_id(system: str, entity: str) -> str:
    """``hub.system.<name>.<entity>``, with dots and spaces inside names made dashes."""
    return f"{PREFIX}.system.{_part(system)}.{_part(entity)}"


def events_of(report: PassReport, project: str) -> list[dict[str, Any]]:
    """What others may want to react to: ``[{"event", "resource", "payload"}]``; at most a few per system and entity."""
    events = [
        _event(
            "hub.pass.finished",
            f"{PREFIX}.pass.{_part(project)}",
            f"pass of {project}",
            {"state": report.state, "kind": report.kind, "message": final_message(report), "run": report.run},
        )
    ]
    for counts in report.counts:
        events.extend(_of_counts(counts, report.run))
    for failure in report.failures:
        events.append(
            _event(
                "hub.system.failed",
                resource_id(failure.system, failure.entity or "all"),
                f"{failure.system} {failure.entity}".strip(),
                {"error": failure.error, "message": failure.message, "run": report.run},
            )
        )
    return events


def _of_counts(counts: Counts, run: str) -> list[dict[str, Any]]:
    where = resource_id(counts.system, counts.entity)
    name = f"{counts.system} {counts.entity}"
    written = {n: getattr(counts, n) for n in ("created", "updated", "deleted", "archived") if getattr(counts, n)}
    events = []
    if written:
        events.append(_event("hub.records.written", where, name, {**written, "run": run}))
    if counts.conflicts:
        events.append(_event("hub.conflict.found", where, name, {"conflicts": counts.conflicts, "run": run}))
    if counts.letters:
        events.append(_event("hub.letter.written", where, name, {"letters": counts.letters, "run": run}))
    return events


def _event(event: str, resource: str, name: str, payload: dict[str, Any]) -> dict[str, Any]:
    labels = {"prefect.resource.id": resource, "prefect.resource.name": name}
    return {"event": event, "resource": labels, "payload": payload}


def _part(name: str) -> str:
    return re.sub(r"[\s.]+", "-", name.strip()) or "unnamed"
