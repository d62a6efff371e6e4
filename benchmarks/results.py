"""What a benchmark found, and how it is shown: one row a figure."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from benchmarks.measure import Measured

Better = Literal["more", "less"]
Mark = Literal["target", "first", "margin"]
RATIOS = ("of the limit", "× clean")
"""Scores that a slow or busy machine hardly changes: CPU against CPU that was spent there at the same time."""
MARGIN = 1 / 3
"""By how much a quick run, on any machine, may miss a first mark: so much is chance."""


@dataclass
class Row:
    """One figure, for the hub and by hand, and what it is held against."""

    id: str
    title: str
    unit: str
    hub: float | None = None
    limit: float | None = None
    score: float | None = None
    """What is compared with ``target`` and ``first``."""
    scored: str = ""
    """What the score is: "of the limit", "× expected" …"""
    target: float | None = None
    first: float | None = None
    better: Better = "more"
    hub_wall: float | None = None
    limit_wall: float | None = None
    samples: dict[str, list[float]] = field(default_factory=dict)
    note: str = ""
    exact: float | None = None
    """Of a count: what the score is, on any machine, unless something was done twice."""

    @property
    def verdict(self) -> str:
        """``target``, ``first`` (reaches only the first mark), ``missed``; empty where nothing is asked."""
        if self.score is None or self.target is None:
            return ""
        if self._reaches(self.target):
            return "target"
        return "first" if self.first is not None and self._reaches(self.first) else "missed"

    def _reaches(self, mark: float) -> bool:
        assert self.score is not None
        # Half a unit of the last digit shown: 0.4996 is shown as 0.50 and counts as that.
        return self.score >= mark - 0.005 if self.better == "more" else self.score <= mark + 0.005

    def fault(self, required: Mark | None) -> str:
        """Why this row does not pass; empty when it does, or when nothing is asked of it.

        ``target``, ``first``: that mark has to be reached. ``margin``: counts have to be exact, and ratios may miss the
        first mark by a third; what depends on the machine is not looked at. None: counts have to reach the first mark.
        """
        if self.score is None or self.target is None:
            return ""
        if required == "margin":
            return self._far_off()
        required = required or ("first" if self.unit == "calls" else None)
        mark = {"target": self.target, "first": self.first}.get(required or "")
        return "" if mark is None or self._reaches(mark) else self._says(number(mark), f"the {required} mark")

    def _far_off(self) -> str:
        if self.exact is not None:
            return "" if self.score == self.exact else self._says(number(self.exact), "exactly")
        if self.first is None or self.scored not in RATIOS:
            return ""
        least = self.first * (1 - MARGIN if self.better == "more" else 1 + MARGIN)
        return "" if self._reaches(least) else self._says(number(least), f"a third off the first mark {self.first}")

    def _says(self, asked: str, what: str) -> str:
        sign = "≥" if self.better == "more" else "≤"
        return f"{self.id} {self.title}: {number(self.score)} {self.scored}; asked is {sign} {asked}, {what}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"verdict": self.verdict}


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def share(id: str, title: str, hub: Sequence[Measured], limit: Sequence[Measured], note: str = "") -> Row:
    """CPU of the hub against CPU by hand, as the share of the limit's speed that the hub reaches: the median of what
    each pair says, since the machine may be another one, as it were, from pair to pair."""
    return Row(
        id,
        title,
        "CPU s",
        median([m.cpu for m in hub]),
        median([m.cpu for m in limit]),
        median([by_hand.cpu / own.cpu for own, by_hand in zip(hub, limit, strict=True)]),
        "of the limit",
        target=0.50,
        first=0.33,
        hub_wall=median([m.wall for m in hub]),
        limit_wall=median([m.wall for m in limit]),
        samples={"hub": [m.cpu for m in hub], "limit": [m.cpu for m in limit]},
        note=note,
    )


def conditions(n: int, pairs: int) -> dict[str, Any]:
    """The machine and what was asked of it."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    memory = next((int(line.split()[1]) // 1024 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_mb": memory,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
        "records": n,
        "pairs": pairs,
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def number(value: float | None) -> str:
    """Three digits that matter: 0.014, 0.14, 5.61, 56.1, 120,000."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"


HEADINGS = ("#", "benchmark", "unit", "hub", "by hand", "score", "target", "first", "reached", "wall s", "by hand")


def cells(row: Row) -> tuple[str, ...]:
    sign = "≥" if row.better == "more" else "≤"
    score = "–" if row.score is None else f"{number(row.score)} {row.scored}".strip()
    marks = (f"{sign} {number(mark)}" if mark is not None else "–" for mark in (row.target, row.first))
    walls = (number(row.hub_wall), number(row.limit_wall))
    return (row.id, row.title, row.unit, number(row.hub), number(row.limit), score, *marks, row.verdict or "–", *walls)


def markdown(rows: Sequence[Row], found: dict[str, Any]) -> str:
    """The section of docs/benchmarks.md between its two markers."""
    lines = [
        f"Measured {found['date']} with {found['records']:,} records, {found['pairs']} alternating pairs, medians; "
        f"{found['cpu']}, {found['cores']} cores, {found['memory_mb']:,} MB, {found['system']}, "
        f"Python {found['python']}; load average {found['load']} before the start.",
        "",
        "| " + " | ".join(HEADINGS) + " |",
        "|" + "---|" * len(HEADINGS),
    ]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    notes = [f"- {row.id} {row.title}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"
