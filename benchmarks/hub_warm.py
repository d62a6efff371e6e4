"""The hub's engine in a process that stays up: ``python -m benchmarks.hub_warm PROJECT ENTITY…``.

A pass for each line of standard input (``sync`` or ``full``), each answered by a line of JSON with its CPU and wall
seconds; the project is opened once, as the flows of a worker do.
"""

from __future__ import annotations

import sys

from benchmarks.child import measured, say
from hub.project import open_project
from hub.sync.engine import Engine


def main() -> None:
    folder, *entities = sys.argv[1:]
    project = open_project(folder)
    try:
        with Engine.from_project(project) as engine:
            say({"ready": True})
            for line in sys.stdin:
                full = line.strip() == "full"
                say(measured(lambda full=full: engine.sync(entities, None, full=full, yes=True).as_dict()))  # type: ignore[misc]
    finally:
        project.close()


if __name__ == "__main__":
    main()
