"""Takes over what died in mid-work: on every host somebody looks every few seconds, and starts it again somewhere.

Prefect notices a run whose process and worker are gone after 90 seconds, and starts nothing again. The hub's own leases
tell sooner: one that ran out without being given back, or whose process has died on this very machine. It is taken away
in the store, which exactly one of those who look can do, and from then on whoever held it can store nothing more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.errors import HubError
from hub.operate.api import PrefectApi
from hub.operate.passes import flow_run_of
from hub.operate.up_runs import hub_runs
from hub.store import runs
from hub.store.database import Store, open_store
from hub.sync.holder import is_dead

LOOK = 3.0
"""Seconds between two looks."""
TRIES = 3
"""Times that the same is tried: what kills its process every time must not do so for ever."""
TRY = "hub-try:"
"""Tag of a run that was started for one that died: the how manieth try it is."""
START = timedelta(seconds=90)
"""A run that was given to a worker and did not begin within this time was given to one that is gone."""
AGAIN = frozenset({"sync", "prune"})
"""Flows that are started again by themselves. What a person started with something in mind waits for that person."""
_OVER = frozenset({"COMPLETED", "FAILED", "CANCELLED", "CANCELLING", "PAUSED"})
_log = logging.getLogger("hub.takeover")


class Takeover:
    """Looks after one project's runs, on behalf of all its hosts."""

    def __init__(self, store_url: str, project: str, api: PrefectApi, say: Callable[[str], None]) -> None:
        self._url = store_url
        self._project = project
        self._api = api
        self._say = say
        self._store: Store | None = None
        self._next = 0.0
        self._well = True

    def look(self) -> None:
        """At most every few seconds; says once when the store or Prefect's server can't be reached. Never raises."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK
        try:
            self.look_now()
        except HubError as error:
            if self._well:
                self._say(f"nothing can be taken over at present: {error}")
            self._well = False
        else:
            if not self._well:
                self._say("takeovers are possible again")
            self._well = True

    def look_now(self) -> None:
        """Raises Unavailable when the store or Prefect's server can't be reached."""
        if self._store is None:
            self._store = open_store(self._url)
        with self._store.begin() as connection:
            left = runs.take_away(connection, datetime.now(UTC), is_dead)
        for holder in left:
            self._start_again(flow_run_of(holder), f"its process ended in mid-work ({holder.partition('@')[0]})")
        for run in self._never_began():
            self._start_again(run["id"], "the worker it was given to is gone")

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def _never_began(self) -> list[dict[str, Any]]:
        given = hub_runs(self._api, {"state": {"type": {"any_": ["PENDING"]}}}, self._project)
        before = datetime.now(UTC) - START
        return [run for run in given if datetime.fromisoformat(run["state"]["timestamp"]) < before]

    def _start_again(self, run_id: str, why: str) -> None:
        run = self._api.find(f"/flow_runs/{run_id}") if run_id else None
        if run is None or run["state_type"] in _OVER:
            return
        flow = self._api.get(f"/flows/{run['flow_id']}")["name"]
        tags = [tag for tag in run["tags"] if not tag.startswith(TRY)]
        tries = next((int(tag.removeprefix(TRY)) for tag in run["tags"] if tag.startswith(TRY)), 1)
        again = flow in AGAIN and tries < TRIES
        message = f"{why}: {'started again where a worker is free' if again else 'what it did is safe'}"
        crashed = {"type": "CRASHED", "name": "Crashed", "message": message}
        self._api.post(f"/flow_runs/{run_id}/set_state", {"state": crashed, "force": True})
        if again:
            # Another run, not the same once more: Prefect's worker fails when a run that it still counts comes again.
            body = {
                "parameters": run["parameters"],
                "state": {"type": "SCHEDULED", "message": f"after {run['name']}, which {why}"},
                "tags": [*tags, f"{TRY}{tries + 1}"],
                "idempotency_key": f"after {run_id}",
            }
            self._api.post(f"/deployments/{run['deployment_id']}/create_flow_run", body)
        self._say(f"{run['name']}: {message}")
