"""Rows of a pass for table artifacts and terminals: capped, the rest counted, every cell short text. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from hub.sync.report import PassReport, Plan, PlannedWrite

Row = dict[str, str]

ROWS = 500
"""Rows of one table artifact: shown well and stored fast; the hub's database has the rest."""
CELL = 300
"""Characters of one cell."""

_NAMES = {"letters": "dead letters"}


def cell(value: Any) -> str:
    """A value as text for one cell: ``—`` for null or absent, JSON for lists and objects, one line, cut at ``CELL``."""
    if value is None:
        return "—"
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, list | dict | tuple):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= CELL else text[: CELL - 1] + "…"


def capped(rows: Iterable[Row], cap: int = ROWS) -> list[Row]:
    """The first ``cap`` rows; what is left out is counted in a last row."""
    rest = iter(rows)
    kept = list(islice(rest, cap))
    return _with_rest(kept, sum(1 for _ in rest))


def _with_rest(kept: list[Row], left_out: int) -> list[Row]:
    if not left_out:
        return kept
    first, *others = kept[0]
    return [*kept, {first: f"… and {left_out:,} more", **dict.fromkeys(others, "")}]


def summary_rows(report: PassReport) -> list[Row]:
    """What happened, a row per entity and system; only the columns in which anything happened."""
    columns = [
        name
        for name in (
            "seen", "changed", "new", "matched", "gone", "created", "updated", "deleted", "archived", "refused",
            "conflicts", "letters", "waiting",
        )
        if name in ("seen", "changed") or any(getattr(c, name) for c in report.counts)
    ]  # fmt: skip
    return [
        {"entity": c.entity, "system": c.system, **{_NAMES.get(n, n): f"{getattr(c, n):,}" for n in columns}}
        for c in report.counts
    ]


def plan_rows(plan: Plan | None, cap: int = ROWS) -> list[Row]:
    """Planned writes, a row per field: old → new."""
    if plan is None:
        return []
    kept = list(islice((row for write in plan.writes for row in _rows_of(write)), cap))
    # Counted, not built: a first sync plans a million fields.
    return _with_rest(kept, sum(max(1, len(w.fields)) for w in plan.writes) - len(kept))


def _rows_of(write: PlannedWrite) -> Iterable[Row]:
    start = {
        "system": cell(write.system),
        "entity": cell(write.entity),
        "record": cell(f"{write.title} ({write.record})" if write.record not in ("", write.title) else write.title),
        "action": write.action,
    }
    because = cell(write.because)
    if not write.fields:
        yield {**start, "field": "", "old": "", "new": "", "because": because}
    for name, (old, new) in write.fields.items():
        yield {**start, "field": cell(name), "old": cell(old), "new": cell(new), "because": because}


def held_rows(plan: Plan | None, cap: int = ROWS) -> list[Row]:
    """Writes that are not made, and what they wait for."""
    rows = (
        {
            "system": cell(h.system),
            "entity": cell(h.entity),
            "record": cell(h.title or h.hub_id),
            "reason": cell(h.reason),
            "detail": cell(h.detail),
        }
        for h in (plan.held if plan else [])
    )
    return capped(rows, cap)


def census_rows(plan: Plan | None, cap: int = ROWS) -> list[Row]:
    """First sync: how many matched records differ, per system and field."""
    rows = ({**row, "samples": _samples(row.get("samples") or [])} for row in (plan.census if plan else []))
    return generic_rows(rows, (), cap)


def _samples(samples: Iterable[Mapping[str, Any]]) -> str:
    """What the system has ≠ what the hub holds, and how the difference was decided."""
    return "; ".join(map(_sample, samples))


def _sample(sample: Mapping[str, Any]) -> str:
    decided = _DECIDED.get(str(sample.get("decision")).partition(" ")[0], "held")
    return f"{cell(sample.get('theirs'))} ≠ {cell(sample.get('ours'))}: {decided}"


_DECIDED = {"accepted": "the first wins", "refused": "the second wins"}


def failure_rows(report: PassReport) -> list[Row]:
    return capped(
        {"system": cell(f.system), "entity": cell(f.entity), "error": cell(f.error), "message": cell(f.message)}
        for f in report.failures
    )


def finding_rows(report: PassReport, cap: int = ROWS) -> list[Row]:
    rows = (
        {
            "kind": cell(f.kind),
            "entity": cell(f.entity),
            "system": cell(f.system),
            "record": cell(f.record),
            "message": cell(f.message),
        }
        for f in report.findings
    )
    return capped(rows, cap)


def book_rows(report: PassReport) -> list[Row]:
    """A comparison's counts: a row per entity and system; only the columns in which anything differs from nothing."""
    systems = [(one, system) for one in report.comparison for system in one["systems"]]
    optional = [
        name
        for name in ("archived", "waiting", "missing", "kept_out", "left_over")
        if any(system[name] for _, system in systems)
    ]
    names = ("records", "linked", *optional)
    return [
        {
            "entity": one["entity"],
            "hub": f"{one['hub']:,}",
            "system": system["system"],
            **{n.replace("_", " "): "not read" if system[n] is None else f"{system[n]:,}" for n in names},
        }
        for one, system in systems
    ]


def amount_rows(report: PassReport) -> list[Row]:
    """Sums that differ, over the records that both the hub and the system have."""
    return [
        {
            "entity": one["entity"],
            "field": cell(row["field"]),
            "currency": cell(row["currency"] or None),
            "hub": cell(row["hub"]),
            "system": cell(system["system"]),
            "has": cell(row["system"]),
        }
        for one in report.comparison
        for system in one["systems"]
        for row in system["amounts"]
        if Decimal(row["hub"]) != Decimal(row["system"])
    ]


def difference_rows(report: PassReport, cap: int = ROWS) -> list[Row]:
    """Fields that differ, per system: those the next pass would write, and the system's own."""
    rows = (
        {
            "entity": one["entity"],
            "system": cell(system["system"]),
            "field": cell(row["field"]),
            "to write": f"{row['open']:,}",
            "known, left": f"{row['own']:,}",
            "for example": "; ".join(
                f"{cell(s['record'])}: {cell(s['system'])}, the hub has {cell(s['hub'])}" for s in row["samples"][:2]
            ),
        }
        for one in report.comparison
        for system in one["systems"]
        for row in system["fields"]
    )
    return capped(rows, cap)


CONFLICT_COLUMNS = (
    "id", "entity", "title", "hub_id", "path", "system", "base", "theirs", "ours", "ours_from", "opened_at",
)  # fmt: skip
LETTER_COLUMNS = (
    "id", "system", "entity", "title", "remote_id", "stage", "field", "error", "message", "cure", "attempts", "last_at",
)  # fmt: skip


def conflict_rows(conflicts: Iterable[Mapping[str, Any]], cap: int = ROWS) -> list[Row]:
    """Open conflicts as the engine lists them."""
    return generic_rows(conflicts, CONFLICT_COLUMNS, cap)


def letter_rows(letters: Iterable[Mapping[str, Any]], cap: int = ROWS) -> list[Row]:
    """Open dead letters as the engine lists them. What was sent stays in the hub's database."""
    return generic_rows(letters, LETTER_COLUMNS, cap)


def generic_rows(items: Iterable[Mapping[str, Any]], columns: Sequence[str], cap: int = ROWS) -> list[Row]:
    """Only ``columns`` (all when empty), and of these only the ones that some item has."""
    listed = list(items)
    names = [n for n in columns if any(n in i for i in listed)] or list(dict.fromkeys(n for i in listed for n in i))
    return capped(({n: cell(i.get(n)) if n in i else "" for n in names} for i in listed), cap)
