"""What ``make coverage`` measured, as one line: exit code 1 below ``LEAST`` percent of lines or of branches."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LEAST = 95.0
REPORT = Path(__file__).resolve().parents[1] / "build" / "coverage" / "figures.json"


def main() -> int:
    subprocess.run(
        [sys.executable, "-m", "coverage", "json", "--quiet", "--fail-under=0", "-o", str(REPORT)], check=True
    )
    totals = json.loads(REPORT.read_text(encoding="utf-8"))["totals"]
    lines = 100 * totals["covered_lines"] / totals["num_statements"]
    branches = 100 * totals["covered_branches"] / totals["num_branches"]
    both = totals["percent_covered"]
    apart = (
        f"{lines:.1f} % of {totals['num_statements']:,} lines, {branches:.1f} % of {totals['num_branches']:,} branches"
    )
    print(f"src/hub/sync: {both:.1f} % of lines and branches together ({apart}); {LEAST:.0f} % are asked for of each")
    return 0 if min(lines, branches) >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
