"""Start real systems and leave them running until Ctrl-C: ``python tests/real/up.py directus medusa``.

Prints one JSON line a system: where it answers, with what key, and the URL of its database.
"""

from __future__ import annotations

import json
import signal
import sys
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from real.directus import directus
from real.medusa import medusa
from real.postgres import Cluster, cluster
from real.tryton import tryton

SYSTEMS = {"directus": directus, "medusa": medusa, "tryton": tryton, "postgres": None}


def main(names: list[str]) -> None:
    if not names or set(names) - set(SYSTEMS):
        sys.exit(f"usage: python tests/real/up.py {'|'.join(SYSTEMS)} …")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        one = stack.enter_context(cluster())
        for name in names:
            print(json.dumps({"system": name, **_start(name, one, stack)}), flush=True)
        print("ready: end with Ctrl-C", file=sys.stderr, flush=True)
        signal.pause()


def _start(name: str, one: Cluster, stack: ExitStack) -> dict[str, object]:
    make = SYSTEMS[name]
    if make is None:
        return {"database_url": one.url(), "version": one.version()}
    server = stack.enter_context(make(one))
    return {**asdict(server), "database_url": one.url(server.database)}


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(sys.argv[1:])
