"""Prunes a project's history as if a hundred days had gone by: ``python -m benchmarks.hub_prune PROJECT``.

Only the last pass that wrote something is kept in full. Prints one JSON object: what went, CPU and wall seconds.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

from benchmarks.child import measured, say
from hub.project import open_project
from hub.sync.engine import Engine
from hub.sync.policy import Retention

LATER = timedelta(days=100)


def main() -> None:
    project = open_project(sys.argv[1])
    try:
        with Engine.from_project(project) as engine:
            engine.clock = lambda: datetime.now(UTC) + LATER
            say(measured(lambda: engine.prune(Retention(days=7, keep_runs=1)).as_dict()))
    finally:
        project.close()


if __name__ == "__main__":
    main()
