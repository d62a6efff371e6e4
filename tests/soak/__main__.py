"""``python -m tests.soak --minutes 30``: the soak with its report; exit 1 when a law was broken."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from .laws import MOST
from .run import soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--pause", type=float, default=0.35, help="seconds between two edits, on average")
    parser.add_argument("--folder", type=Path, help="keep everything there")
    parser.add_argument("--json", type=Path, help="write the report to this file too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hub-soak-", ignore_cleanup_errors=True) as temporary:
        report = soak(
            given.folder or Path(temporary), seconds=given.minutes * 60, seed=given.seed, database=given.database,
            pause=given.pause, say=lambda line: print(line, file=sys.stderr, flush=True),
        )  # fmt: skip
    if given.json:
        given.json.write_text(json.dumps(report, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
    print(told(report))
    return 0 if report["ok"] else 1


def told(report: dict[str, Any]) -> str:
    """The report on a page."""
    lines = ["law                                   looked at   violations"]
    for law in report["laws"]:
        lines.append(f"{law['law']:<36} {law['cases']:>10} {len(law['wrong']):>12}")
        lines += [f"    {wrong}" for wrong in law["wrong"][:MOST]]
    lines += [f"strange: {one}" for one in report["strange"]]
    lines += [f"{name}: {json.dumps(report[name], ensure_ascii=False)}" for name in report if name not in _TOLD]
    return "\n".join(lines)


_TOLD = {"laws", "strange"}

if __name__ == "__main__":
    sys.exit(main())
