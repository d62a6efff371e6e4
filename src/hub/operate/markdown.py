"""The report of a pass in markdown: what moved where, what waits, and what to do about it. Pure.

Values come from other people's systems: everything that is not ours is escaped, so that a customer named
``<img src=x>`` or ``[click](javascript:…)`` is shown as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub.operate import costs, tables
from hub.operate.tables import Row
from hub.operate.words import counted, final_message
from hub.sync.report import PassReport

ROWS = 50
"""Rows of a table inside the report; the table artifacts hold more."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~:@$^=-])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MERMAID = re.compile(r"[^\w .·/-]")


def escape(value: Any) -> str:
    """Text that markdown shows exactly as it is, in one line, also inside a table cell."""
    text = "".join(_HTML.get(c, c) if c.isprintable() else " " for c in str(value))
    # A bare address would become a link by itself: the backslash before ':' and '@' and the entity for '.' prevent it.
    return _SPECIAL.sub(r"\\\1", text).replace("www.", "www&#46;")


def table(rows: Sequence[Row]) -> str:
    """A markdown table of ``rows``; nothing for none."""
    if not rows:
        return ""
    names = list(rows[0])
    lines = [" | ".join(map(escape, names)), " | ".join("---" for _ in names)]
    lines += [" | ".join(escape(row.get(name, "")) for name in names) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def report(
    report: PassReport,
    *,
    title: str = "",
    conflicts: Iterable[Mapping[str, Any]] = (),
    letters: Iterable[Mapping[str, Any]] = (),
    picture: bool = True,
) -> str:
    """The whole pass on one page. ``conflicts`` and ``letters`` are the engine's lists of open ones."""
    plan = report.plan
    sections = [
        f"# {escape(title or report.kind)}",
        f"**{escape(final_message(report))}**",
        _facts(report),
        _advice(report),
        _section("Systems that could not take part", tables.failure_rows(report)),
        _section("What moved where", tables.summary_rows(report)),
        _picture(report) if picture else "",
        _section("First look: matched records that differ", tables.census_rows(plan, ROWS)),
        _section(_plan_heading(report), tables.plan_rows(plan, ROWS)),
        _section("Held back", tables.held_rows(plan, ROWS)),
        _section(
            "What carrying it out takes" if report.kind == "plan" else "Calls made",
            costs.cost_rows(report),
        ),
        _section("Conflicts that wait for a person", tables.conflict_rows(conflicts, ROWS)),
        _section("Dead letters", tables.letter_rows(letters, ROWS)),
        _section("Findings", tables.finding_rows(report, ROWS)),
    ]
    return "\n\n".join(s for s in sections if s) + "\n"


def _facts(report: PassReport) -> str:
    facts = [f"run `{code(report.run)}`", f"started {escape(report.started)}"]
    if report.finished:
        facts.append(f"finished {escape(report.finished)}")
    if report.rounds > 1:
        facts.append(counted(report.rounds, "round"))
    if report.plan:
        facts.append(f"plan `{code(report.plan.id)}`")
    return " · ".join(facts)


def _advice(report: PassReport) -> str:
    """What a person does next, when something waits for one."""
    lines = []
    if report.plan and (waits_for_approval(report) or (report.kind == "plan" and report.plan.writes)):
        plan = code(report.plan.id)
        lines.append(
            f"To carry this plan out, run the deployment **apply** (or **approve**, which asks first) with "
            f"`plan_id` = `{plan}`, or `hub apply {plan}` on the command line."
        )
    if report.open_conflicts:
        lines.append(
            f"{counted(report.open_conflicts, 'conflict')} open: `hub conflicts`, or the deployment **approve**."
        )
    if report.open_letters:
        lines.append(f"{counted(report.open_letters, 'dead letter')} open: `hub letters` shows each with its cure.")
    return "\n".join(f"- {line}" for line in lines)


def waits_for_approval(report: PassReport) -> bool:
    """Whether the report's plan is what was held (first sync, change budget), not what was written."""
    return report.plan is not None and any(h.reason in {"first_sync", "budget"} for h in report.plan.held)


def _plan_heading(report: PassReport) -> str:
    if report.kind == "plan":
        return "Planned writes, old → new"
    return "Writes that wait for approval, old → new" if waits_for_approval(report) else "Writes, old → new"


def _section(heading: str, rows: Sequence[Row]) -> str:
    return f"## {heading}\n\n{table(rows)}" if rows else ""


def _picture(report: PassReport) -> str:
    """Which system gave, which received, in mermaid (the newer UI draws it; elsewhere it reads as a list)."""
    gave: dict[str, int] = {}
    received: dict[str, int] = {}
    for c in report.counts:
        gave[c.system] = gave.get(c.system, 0) + c.changed
        received[c.system] = received.get(c.system, 0) + c.created + c.updated + c.deleted + c.archived
    if not any(gave.values()) and not any(received.values()):
        return ""
    systems = list(gave)
    lines = ["flowchart LR", "  hub([hub])"]
    lines += [f'  s{i}["{_label(name)}"]' for i, name in enumerate(systems)]
    for i, name in enumerate(systems):
        if gave[name]:
            lines.append(f'  s{i} -- "{gave[name]:,} changed" --> hub')
        if received[name]:
            lines.append(f'  hub -- "{received[name]:,} written" --> s{i}')
    return "```mermaid\n" + "\n".join(lines) + "\n```"


def _label(name: str) -> str:
    return _MERMAID.sub(" ", name)


def code(text: str) -> str:
    """Text that is safe between backticks."""
    return re.sub(r"[`\s<>]", "", text)
