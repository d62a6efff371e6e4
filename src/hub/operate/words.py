"""A pass in words: the name of its run, the one line at its end, its tags. Pure; no Prefect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hub.sync.policy import Direction
from hub.sync.report import Counts, PassReport

MESSAGE_CAP = 500
"""Characters. A state message is read in a list: the report has the rest."""


def counted(number: int, noun: str) -> str:
    """``1 conflict``, ``2 conflicts``, ``3 companies``; names that are not English stay as they are."""
    if number == 1 or not noun.isascii() or not noun[-1:].isalpha():
        return f"{number:,} {noun}"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{number:,} {noun[:-1]}ies"
    return f"{number:,} {noun}{'es' if noun.endswith(('s', 'x', 'ch', 'sh')) else 's'}"


def joined(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def final_message(report: PassReport) -> str:
    """One line on what the pass did, most important first: what failed, what was written, what waits for a person.

    ``12 customers written, 1 conflict``; ``no changes in 500 records``; ``kingdee could not take part: …``.
    """
    parts = _failures(report) + _written(report) + _waiting(report)
    return _cap(", ".join(parts) if parts else _quiet(report))


def _failures(report: PassReport) -> list[str]:
    if not report.failures:
        return [report.message] if report.state == "failed" and report.message else []
    told: dict[str, str] = {}
    for failure in report.failures:
        told.setdefault(failure.system, failure.message)
    return [f"{system} could not take part: {' '.join(message.split())}" for system, message in told.items()]


def _written(report: PassReport) -> list[str]:
    if report.kind == "plan" or (report.kind == "undo" and not any(map(_writes, report.counts))):
        return _planned(report)
    by_entity: dict[str, list[Counts]] = {}
    for counts in report.counts:
        if _writes(counts):
            by_entity.setdefault(counts.entity, []).append(counts)
    return [_written_of(report, entity, rows) for entity, rows in by_entity.items()]


def _written_of(report: PassReport, entity: str, rows: Sequence[Counts]) -> str:
    writes = sum(map(_writes, rows))
    systems = len({row.system for row in rows})
    if systems == 1:
        return f"{counted(writes, entity)} written"
    records = {w.hub_id for w in report.plan.writes if w.entity == entity} if report.plan else set()
    # Planned and made differ when something was refused: then only the number of writes is certain.
    planned = sum(w.entity == entity for w in report.plan.writes) if report.plan else 0
    if records and planned == writes:
        return f"{counted(len(records), entity)} written ({writes:,} writes in {systems} systems)"
    return f"{counted(writes, f'{entity} record')} written in {systems} systems"


def _planned(report: PassReport) -> list[str]:
    plan = report.plan
    if plan is None or not plan.writes:
        return []
    return [f"{counted(len(plan.writes), 'write')} planned, nothing written"]


def _waiting(report: PassReport) -> list[str]:
    parts = []
    for number, noun in (
        (sum(c.conflicts for c in report.counts), "conflict"),
        (sum(c.letters for c in report.counts), "dead letter"),
        (sum(c.refused for c in report.counts), "refused edit"),
        (len(report.findings), "finding"),
    ):
        if number:
            parts.append(counted(number, noun))
    if report.differences:
        parts.append(counted(report.differences, "difference"))
    if report.kind == "undo" and report.plan and report.plan.held:
        parts.append(f"{len(report.plan.held):,} not taken back")
    if waiting := sum(c.waiting for c in report.counts):
        parts.append(f"{waiting:,} waiting for what they refer to")
    held = {h.reason for h in report.plan.held} if report.plan else set()
    if held & {"first_sync", "budget"}:
        held_back = [h for h in report.plan.held if h.reason in {"first_sync", "budget"}] if report.plan else []
        number = sum(h.writes for h in held_back)
        why = "first sync" if "first_sync" in held else "change budget"
        parts.append(f"{counted(number, 'write')} held for approval ({why})")
    parts.extend(f"{system}: the rest in later passes (limit of the day)" for system in sorted(report.spread))
    if report.state == "needs_person" and not parts:
        open_work = [counted(n, f"open {noun}") for n, noun in _open(report) if n]
        parts.extend(open_work or ([report.message] if report.message else ["something needs a person"]))
    return parts


def _open(report: PassReport) -> Iterable[tuple[int, str]]:
    return ((report.open_conflicts, "conflict"), (report.open_letters, "dead letter"))


def _quiet(report: PassReport) -> str:
    if changed := sum(c.changed for c in report.counts):
        return f"{counted(changed, 'changed record')}, nothing to write"
    seen = sum(c.seen for c in report.counts)
    return f"no changes in {counted(seen, 'record')}" if seen else "no changes"


def _writes(counts: Counts) -> int:
    return counts.created + counts.updated + counts.deleted + counts.archived


def _cap(text: str) -> str:
    return text if len(text) <= MESSAGE_CAP else text[: MESSAGE_CAP - 1] + "…"


def route(directions: Mapping[str, Direction], observed: Sequence[str] = ()) -> str:
    """``legacy → zoho ⇄ kingdee → finance_db``: read only, both ways, written only; ``from zoho`` when restricted."""
    if observed:
        return f"from {joined(list(observed))}"
    ways: dict[str, list[str]] = {"in": [], "both": [], "out": []}
    for system, direction in directions.items():
        ways[direction].append(system)
    steps = [", ".join(ways["in"]), " ⇄ ".join(ways["both"]), ", ".join(ways["out"])]
    return " → ".join(step for step in steps if step)


def run_name(
    kind: str,
    entities: Mapping[str, Mapping[str, Direction]],
    *,
    systems: Sequence[str] = (),
    full: bool = False,
) -> str:
    """What a run does, for its name: ``sync customer: zoho ⇄ kingdee (incremental)``.

    ``entities`` maps each entity of the run to its systems and their directions.
    """
    directions: dict[str, Direction] = {}
    for of_entity in entities.values():
        for system, direction in of_entity.items():
            # A system that is written for one entity and read for another takes part both ways.
            directions[system] = direction if directions.get(system, direction) == direction else "both"
    what = ", ".join(entities) if 0 < len(entities) <= 3 else counted(len(entities), "entity") if entities else "all"
    where = route(directions, systems)
    mode = " (full)" if full else " (incremental)" if kind == "sync" else ""
    return f"{kind} {what}{': ' + where if where else ''}{mode}"


def tags(project: str, entities: Sequence[str] = (), systems: Sequence[str] = ()) -> list[str]:
    """Tags to filter runs by: ``hub``, ``project:…``, ``entity:…``, ``system:…``."""
    return ["hub", f"project:{project}", *(f"entity:{e}" for e in entities), *(f"system:{s}" for s in systems)]
