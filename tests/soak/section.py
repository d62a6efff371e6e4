"""A soak's report as tables for docs/reliability.md: ``python -m tests.soak.section REPORT.json``."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

CALLED = {
    "drop_before": "connection cut before",
    "drop_after": "connection cut after",
    "half_batch": "half of a batch refused",
    "partial_batch": "half of a batch, then silence",
    "status 500": "500",
    "status 500 after the write": "500 after the write",
    "html 502": "502 with HTML",
    "html 502 after the write": "502 with HTML after the write",
    "retry_after": "429",
    "expire": "tokens and sessions ended",
    "shift": "pages shifted",
    "missing": "a record missing in a list",
    "doubled": "a record twice in a list",
    "gigantic": "gigantic answer",
    "content_type": "wrong content type",
    "drip": "slow body",
    "slow": "late answer",
    "empty": "empty answer",
    "garble": "broken JSON",
    "truncate": "cut short",
    "response_error": "plain-text error",
    "context_null": "lost context",
    "not_logged_in": "403",
    "session_lost": "session lost",
}


def section(report: dict[str, Any]) -> str:
    """What was done and what was found, in two tables."""
    kinds: Counter[str] = Counter()
    for name, hits in report["faults"]["by_kind"].items():
        kinds[name.partition(" ")[2]] += hits
    faults = ", ".join(f"{CALLED.get(kind, kind)} {hits}" for kind, hits in kinds.most_common() if hits)
    edits = ", ".join(f"{name} {count}" for name, count in report["edits"].items())
    calls, harm, held = report["calls"], report["database_harm"], report["records"]["zoho"]
    passes, away = sum(report["passes"].values()), report["passes"].get("3", 0)
    rows = [
        ("passes", f"{passes}, {report['pass_seconds']} s on average; {away} with a system that could not take part"),
        ("ended in another way than a pass may", str(len(report["strange"]))),
        ("what people did", f"{sum(report['edits'].values()):,}: {edits}"),
        ("records written by the hub", f"{report['records_written']:,}"),
        ("calls", f"Zoho {calls['zoho']['calls']:,}, Kingdee {calls['kingdee']['calls']:,}"),
        ("faults that hit", f"{report['faults']['hit']:,}: {faults}"),
        (f"done to {report['database']}", ", ".join(f"{what} {times}" for what, times in harm.items())),
        (
            "for a person",
            f"{report['letters']:,} replays of letters, {report.get('approved', 0)} approvals of the budget",
        ),
        ("records in the end", ", ".join(f"{count} {noun}" for noun, count in held.items())),
        ("memory of a pass", f"{report['memory_mb']['first']} MB the first, {report['memory_mb']['most']} MB at most"),
    ]
    laws = [(law["law"], f"{law['cases']:,}", str(len(law["wrong"]))) for law in report["laws"]]
    lines = [f"{report['seconds'] / 60:.0f} minutes, seed {report['seed']}:", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in rows]
    lines += ["", "| law | looked at | violations |", "|---|---:|---:|"]
    lines += [f"| {' | '.join(row)} |" for row in laws]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(section(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
