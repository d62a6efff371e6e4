"""The artifacts of a pass, ready to be stored: one markdown report, and tables with stable keys. Pure."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hub.operate import markdown, tables
from hub.operate.words import counted
from hub.sync.report import PassReport


@dataclass(frozen=True, slots=True)
class Artifact:
    """One artifact as Prefect stores it. ``data`` is markdown text, or rows for a table."""

    key: str
    type: Literal["markdown", "table"]
    description: str
    data: str | list[tables.Row]

    def stored(self) -> str:
        """``data`` in the text form that Prefect's interface expects."""
        return self.data if isinstance(self.data, str) else json.dumps(self.data, ensure_ascii=False)


def slug(*parts: str) -> str:
    """A key of Prefect's alphabet (a–z, 0–9, dashes), the same for the same names, different for different ones."""
    words = []
    for part in parts:
        plain = re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-")
        # A name in another script leaves nothing, or too little to tell two of them apart.
        faithful = plain == part.lower().replace("_", "-").replace(" ", "-")
        words.append(plain if faithful else f"{plain}-{zlib.crc32(part.encode()):08x}".strip("-"))
    return "-".join(w for w in words if w)


def artifacts_of(
    report: PassReport,
    *,
    scope: str,
    title: str = "",
    conflicts: Sequence[Mapping[str, Any]] = (),
    letters: Sequence[Mapping[str, Any]] = (),
) -> list[Artifact]:
    """Report, summary, plan, conflicts and dead letters of one pass.

    ``scope`` (the project and the entity, or ``all``) starts every key, so that the page of a key shows the history of
    this kind of pass. Conflicts and dead letters are stored even when there are none: else the page of their key would
    go on showing those of an earlier pass. Other tables without rows are left out.
    """
    found = [
        Artifact(
            f"{scope}-report",
            "markdown",
            f"What the pass did ({report.kind})",
            markdown.report(report, title=title, conflicts=conflicts, letters=letters),
        ),
        Artifact(f"{scope}-summary", "table", "What moved where", tables.summary_rows(report)),
    ]
    if rows := tables.plan_rows(report.plan):
        number = len(report.plan.writes) if report.plan else 0
        waiting = " (waiting for approval)" if markdown.waits_for_approval(report) else ""
        found.append(Artifact(f"{scope}-plan", "table", f"{counted(number, 'write')}, old → new{waiting}", rows))
    if rows := tables.held_rows(report.plan):
        found.append(Artifact(f"{scope}-held", "table", "Writes held back, and what they wait for", rows))
    for name, noun, items, rows_of in (
        ("conflicts", "open conflict", conflicts, tables.conflict_rows),
        ("letters", "open dead letter", letters, tables.letter_rows),
    ):
        rows = rows_of(items) or [{"status": f"no {noun}s"}]
        found.append(Artifact(f"{scope}-{name}", "table", counted(len(items), noun), rows))
    return found
