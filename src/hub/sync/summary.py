"""How a pass ended, in one line for people."""

from __future__ import annotations

from collections import Counter

from hub.sync.report import PassReport

_PLURALS = {"company": "companies"}


def plural(count: int, noun: str) -> str:
    """``1 customer``, ``2 customers``."""
    return f"{count} {noun}" if count == 1 else f"{count} {_PLURALS.get(noun, noun + 's')}"


def finish_message(report: PassReport) -> None:
    """Set the report's state and message from what happened."""
    written: Counter[str] = Counter()
    for counts in report.counts:
        written[counts.entity] += counts.created + counts.updated + counts.deleted + counts.archived
    parts = [f"{plural(n, entity)} written" for entity, n in written.items() if n]
    conflicts = sum(c.conflicts for c in report.counts)
    letters = sum(c.letters for c in report.counts)
    waiting = sum(c.waiting for c in report.counts)
    if report.kind == "plan" and report.plan is not None:
        parts = [f"{plural(len(report.plan.writes), 'write')} planned"] if report.plan.writes else ["nothing to write"]
    if conflicts:
        parts.append(plural(conflicts, "conflict"))
    if letters:
        parts.append(plural(letters, "dead letter"))
    if waiting:
        parts.append(f"{waiting} waiting for something they refer to")
    if report.kind == "reconcile":
        parts += [plural(report.differences, "difference")] if report.differences else []
        report.state = "needs_person" if report.differences else report.state
    if report.kind == "undo" and report.plan is not None:
        kept = len(report.plan.held)
        parts += [f"{kept} not taken back"] if kept else []
        report.state = "needs_person" if kept else report.state
    held = {h.reason for h in report.plan.held} if report.plan is not None else set()
    stale = any(finding.kind == "behind" for finding in report.findings)
    if stale:
        report.state = "needs_person"
        parts.insert(0, "the hub's database knows less than the systems")
    if "first_sync" in held:
        parts.append("first sync waits for approval" if not stale else "its writes wait for approval")
    if "budget" in held:
        parts.append("more changes than the budget allows wait for approval")
    if "unproven" in held:
        parts.append("creates are held where a lost one could not be found again")
    for system in sorted(report.spread):
        parts.append(f"{system}: the rest goes on in later passes, the day's limit is reached")
    if report.failures:
        parts.append("failed: " + ", ".join(sorted({f.system for f in report.failures})))
    if report.state != "needs_person" and (
        report.open_conflicts or report.open_letters or held & {"first_sync", "budget", "unproven"}
    ):
        report.state = "needs_person"
    if any(finding.kind == "listing" for finding in report.findings):
        report.state = "needs_person"
        parts.append("a listing is not believed")
    if report.failures:
        report.state = "failed"
    report.message = ", ".join(parts) if parts else "nothing to write"
