"""Behind: a store that was put back from a backup knows less than the systems do.

It would take what the hub itself wrote since for edits, and records it made for somebody else's. Two things give it
away: each pass is counted in the store and, beside it, in the project's folder; and every record the hub makes carries
a key with the store's mark, so that one of its own that the store does not know was made after the backup.

Such a pass observes as always, but lets a person decide wherever two systems differ, and writes nothing before
somebody has agreed to its plan.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from hub.store import records, runs, work
from hub.sync.context import Pass
from hub.sync.policy import Endpoint
from hub.sync.report import Finding

STORE, PASSES, WHY = "store", "passes", "behind"
"""Settings: the id of the store's first run, how many passes it has seen, and why it is behind (while it is)."""
NOTE = "passes.json"
RULE = "hub key"
_KEY = re.compile(r"[0-9a-z]{26}")
_MARK = slice(10, 13)
"""Where an id says of which store it is; before that is the time, after it what makes it unique."""
CURE = "look at hub plan, decide what hub conflicts lists, then approve the plan: hub apply PLAN, or hub sync --yes"


def begin(job: Pass, connection: Connection, folder: Path | None) -> None:
    """Count this pass in the store. ``folder``: where passes are counted beside it."""
    known = runs.settings(connection, (STORE, PASSES, WHY))
    store = known.get(STORE)
    if store is None:
        store = job.run
        runs.set_setting(connection, STORE, store)
    count, noted = int(known.get(PASSES, 0)), _noted(folder).get(store, {})
    job.mark = store[_MARK] if _KEY.fullmatch(store) else ""
    job.behind = known.get(WHY, "")
    if int(noted.get("passes", 0)) > count:
        missing = int(noted["passes"]) - count
        why = f"the hub's database is older than the work done with it: it lacks {missing} passes, the last of them"
        _mark(job, connection, f"{why} of {noted.get('at')}; it was put back from a backup, it seems")
    job.passes = max(count, int(noted.get("passes", 0))) + 1
    runs.set_setting(connection, PASSES, str(job.passes))
    job.store_id = store
    if job.behind:
        tell(job)


def note(job: Pass, folder: Path | None) -> None:
    """Count this pass beside the store; to be called once it is counted in there."""
    if folder is None or not folder.is_dir():
        return
    noted = _noted(folder)
    noted[job.store_id] = {"passes": job.passes, "at": job.report.started}
    path = folder / f"{NOTE}.{os.getpid()}"
    with suppress(OSError):  # it can be done without
        path.touch(0o600)
        path.write_text(json.dumps(noted), encoding="utf-8")
        path.replace(folder / NOTE)


def own(job: Pass, hub_id: str) -> str:
    """A new record's id with the mark of this store."""
    if not job.mark or not _KEY.fullmatch(hub_id):
        return hub_id
    return hub_id[: _MARK.start] + job.mark + hub_id[_MARK.stop :]


def lost(job: Pass, connection: Connection, endpoint: Endpoint, found: Iterable[tuple[str, str | None]]) -> set[str]:
    """Keys that this store gave and does not know, of these (remote id, key) without a link. Those that nobody was
    asked about yet show that the store is behind."""
    if not job.mark:
        return set()
    keys = {i: k for i, k in found if k and _KEY.fullmatch(k) and k[_MARK] == job.mark}
    known = records.load(connection, keys.values()) if keys else {}
    unknown = {i: k for i, k in keys.items() if k not in known}
    if unknown and not job.behind:
        new = unknown.keys() - work.waiting_ids(connection, endpoint.system, endpoint.entity)
        if new:
            what = f"{endpoint.system} has {endpoint.entity} {min(new)}, which the hub made and its database"
            _mark(job, connection, f"{what} does not know; it was put back from a backup, it seems")
            tell(job)
    return set(unknown.values())


def unlinked(connection: Connection, endpoint: Endpoint) -> str:
    """Why nothing new is made at an endpoint: one of the records that wait there may be it. Empty: none waits."""
    for row in work.waiting(connection, endpoint.system, endpoint.entity):
        if row["detail"].get("rule") == RULE:
            return f"{endpoint.system} {row['remote_id']} is the hub's own work and not linked: hub conflicts"
    return ""


def over(job: Pass) -> None:
    """Somebody has agreed to what this pass wrote: the store knows what it must."""
    with job.store.begin() as connection:
        runs.set_setting(connection, WHY, "")
    job.behind = ""
    job.report.findings = [finding for finding in job.report.findings if finding.kind != "behind"]


def heed(job: Pass) -> None:
    """Others that share this pass may have found that the store is behind."""
    with job.store.read() as connection:
        why = runs.setting(connection, WHY)
    if why and not job.behind:
        job.behind = why
        tell(job)


def tell(job: Pass) -> None:
    """Say so in the report."""
    job.report.findings.append(Finding("behind", "", "", f"{job.behind}; nothing is written: {CURE}"))


def _mark(job: Pass, connection: Connection, why: str) -> None:
    runs.set_setting(connection, WHY, why)
    job.behind = why


def _noted(folder: Path | None) -> dict[str, dict[str, Any]]:
    if folder is None:
        return {}
    try:
        found = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}
