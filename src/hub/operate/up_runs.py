"""Runs at the start and the end of ``hub up``: none may stand there as running when nothing runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from hub.operate.api import PrefectApi

_UNDER_WAY = ("RUNNING", "PENDING", "CANCELLING")
_ENDED = ("COMPLETED", "FAILED", "CANCELLED")
_PAGE = 200


def under_way(api: PrefectApi) -> list[dict[str, Any]]:
    """Runs of the hub that have a process, or are about to."""
    return hub_runs(api, {"state": {"type": {"any_": list(_UNDER_WAY)}}})


def with_a_process(api: PrefectApi) -> list[str]:
    """Ids of the runs that have a process when all is well: those under way, and those paused on a form."""
    return [r["id"] for r in [*under_way(api), *hub_runs(api, {"state": {"type": {"any_": ["PAUSED"]}}})]]


def end_runs(api: PrefectApi, ids: Iterable[str], message: str) -> None:
    """Mark runs whose process is gone as crashed, with a message that says why; those that ended well stay."""
    for run_id in ids:
        run = api.find(f"/flow_runs/{run_id}")
        if run is None or run["state_type"] in _ENDED:
            continue
        state = {"type": "CRASHED", "name": "Crashed", "message": message}
        api.post(f"/flow_runs/{run_id}/set_state", {"state": state, "force": True})


def drop_backlog(api: PrefectApi, now: datetime | None = None) -> int:
    """Of each deployment's runs that came due while nothing ran, keep the latest: one pass catches up with them all.

    Returns how many were dropped.
    """
    due = {"before_": (now or datetime.now(UTC)).isoformat()}
    dropped = 0
    while True:
        late = hub_runs(api, {"state": {"type": {"any_": ["SCHEDULED"]}}, "expected_start_time": due})
        kept: set[str] = set()
        old = []
        for run in late:  # newest first
            if run.get("auto_scheduled") and run["deployment_id"] in kept:
                old.append(run)
            kept.add(run["deployment_id"])
        for run in old:
            api.delete(f"/flow_runs/{run['id']}")
        dropped += len(old)
        if len(late) < _PAGE or not old:
            return dropped


def drain(
    api: PrefectApi, work_pool: str, seconds: float, *, at_once: threading.Event, say: Callable[[str], None]
) -> bool:
    """Let no new run start and wait for those under way, at most ``seconds``, or until ``at_once``.

    Returns whether this paused the work pool: whoever ends the workers then lets it go on.
    """
    runs = under_way(api)
    if not runs:
        return False
    paused = bool(api.get(f"/work_pools/{work_pool}").get("is_paused"))
    if not paused:
        api.patch(f"/work_pools/{work_pool}", {"is_paused": True})
    names = ", ".join(run["name"] for run in runs)
    say(f"waiting up to {seconds:.0f} s for what is under way: {names} (Ctrl-C again: at once)")
    deadline = time.monotonic() + seconds
    while under_way(api) and time.monotonic() < deadline and not at_once.wait(0.5):
        pass
    return not paused


def hub_runs(api: PrefectApi, which: dict[str, Any], project: str = "") -> list[dict[str, Any]]:
    """Runs of the hub's deployments (of one project, where it is named), the latest first."""
    tags = ["hub", *([f"project:{project}"] if project else [])]
    query = {
        "flow_runs": {**which, "tags": {"all_": tags}, "deployment_id": {"is_null_": False}},
        "sort": "EXPECTED_START_TIME_DESC",
        "limit": _PAGE,
    }
    return list(api.post("/flow_runs/filter", query) or [])
