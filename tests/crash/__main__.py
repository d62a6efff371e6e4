"""``python -m tests.crash --kills 300``: the crash harness; its figures as JSON, exit 1 when a law was broken."""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
import tempfile
from pathlib import Path

from .run import crash


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=150, help="passes killed with each store")
    parser.add_argument("--server-kills", type=int, default=30, help="passes whose PostgreSQL is killed under them")
    parser.add_argument("--store", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--minutes", type=float, default=math.inf, help="then stop, and judge what was killed by then")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers are stopped, the folders removed
    reports = []
    for store in ("sqlite", "postgresql") if given.store == "both" else (given.store,):
        with tempfile.TemporaryDirectory(prefix="hub-crash-", ignore_cleanup_errors=True) as folder:
            reports.append(
                crash(
                    Path(folder), kills=given.kills, store=store, seed=given.seed, minutes=given.minutes,
                    server_kills=given.server_kills if store == "postgresql" else 0,
                    say=lambda line: print(line, file=sys.stderr, flush=True),
                )
            )  # fmt: skip
    print(json.dumps(reports, ensure_ascii=False, indent=1, default=str))
    return 0 if all(report["ok"] for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
