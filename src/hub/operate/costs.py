"""What passes cost and what is left of the day, as people and machines are told."""

from __future__ import annotations

from typing import Any

from hub.connect.quota import Standing
from hub.sync.report import PassReport, SystemCost

Row = dict[str, str]


def told(cost: SystemCost) -> dict[str, Any]:
    """One system's costs for machines. ``units`` are credits where ``unit`` says so, else calls."""
    return {
        "system": cost.system,
        "unit": cost.unit,
        "calls": cost.reading[0] + cost.writing[0],
        "units": cost.units,
        "reading": _pair(cost.reading),
        "writing": _pair(cost.writing),
        "made": _pair(cost.made),
        "used_today": cost.used,
        "per_day": cost.per_day,
        "left_today": cost.left,
        "kept_for_urgent": cost.kept,
        "by_vendor": cost.by_vendor,
        "more_in_seconds": round(cost.more_in),
        "fits": cost.fits,
    }


def told_standing(standing: Standing) -> dict[str, Any]:
    """Where an account stands, for machines."""
    return {
        "unit": standing.unit,
        "calls_today": standing.calls,
        "used_today": standing.used,
        "per_day": standing.per_day,
        "left_today": standing.left,
        "kept_for_urgent": standing.kept,
        "by_vendor": standing.by_vendor,
        "more_in_seconds": round(standing.more_in),
    }


def cost_rows(report: PassReport) -> list[Row]:
    """A row per system: of a plan, what carrying it out takes; of a pass, what it took."""
    return [_row(cost, report.kind == "plan") for cost in report.costs]


def left(standing: Standing | SystemCost) -> str:
    """``1,200 of 5,000 credits, 250 of them kept for urgent work (as the vendor says)``"""
    if standing.left is None:
        return f"unknown; {standing.used:,} {standing.unit} used today" if standing.used else "no limit is known"
    of = f" of {standing.per_day:,}" if standing.per_day else ""
    kept = f", {min(standing.kept, standing.left):,} of them kept for urgent work" if standing.kept else ""
    return f"{standing.left:,}{of} {standing.unit}{kept} (as {'the vendor says' if standing.by_vendor else 'counted'})"


def _row(cost: SystemCost, planned: bool) -> Row:
    row = {"system": cost.system}
    if planned:
        row |= {"reading": _said(cost.reading, cost.unit), "writing": _said(cost.writing, cost.unit)}
    else:
        row["made"] = _said(cost.made, cost.unit)
    return {**row, "left today": left(cost)}


def _said(pair: list[int], unit: str) -> str:
    calls = f"{pair[0]:,} call{'' if pair[0] == 1 else 's'}"
    return calls if unit == "calls" else f"{calls}, {pair[1]:,} {unit}"


def _pair(pair: list[int]) -> dict[str, int]:
    return {"calls": pair[0], "units": pair[1]}
