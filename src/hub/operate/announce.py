"""A pass from the command line, told to a Prefect server that is configured: five kinds of plain calls, no import.

Everything is sent from a thread of its own. A server that is slow, refuses us or dies costs the operator the view of
this run and nothing else: the pass neither waits nor fails, and what went wrong is told once, in the log.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

from hub.errors import HubError
from hub.operate.api import PrefectApi
from hub.operate.deployments import HEARTBEAT
from hub.operate.logs import line
from hub.operate.passes import Outcome
from hub.sync.report import Event

log = logging.getLogger("hub.announce")

PATIENCE = 5.0
"""Seconds that the end of a pass waits for what is still to be sent; also the most that one call may take."""
WAITING = 1000
"""Calls that may be waiting; what comes on top is dropped rather than kept in memory."""

Call = Callable[[], object]


class Announcer:
    """An observer of one pass, and a context manager around it. Does nothing without a server.

    ::

        with Announcer(facts.name, name_of(facts, "sync", scope), kind="sync", tags=…) as announcer:
            report = engine.sync(…)     # with announcer among its observers
            announcer.finish(told(report, facts, "sync", scope, conflicts=…, letters=…))
    """

    def __init__(
        self,
        project: str,
        run_name: str,
        *,
        kind: str = "sync",
        tags: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
        api: PrefectApi | None = None,
    ) -> None:
        self.project = project
        self.run_name = run_name
        self.kind = kind
        self.tags = [*tags, "command-line"]
        self.parameters = dict(parameters or {})
        self.api = api or _configured()
        self.run_id: str | None = None
        self._calls: queue.Queue[Call | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._broken = False
        self._finished = False
        self._alive_at = 0.0

    @property
    def url(self) -> str | None:
        """The run's page in the UI, once the server knows the run."""
        if self.api is None or self.run_id is None:
            return None
        return f"{self.api.url.removesuffix('/api')}/runs/flow-run/{self.run_id}"

    def __enter__(self) -> Self:
        if self.api is not None:
            self._thread = threading.Thread(target=self._send, name="announce", daemon=True)
            self._thread.start()
            self._put(self._start)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not self._finished:
            if isinstance(error, HubError):
                self.finish(Outcome(error=error))
            else:
                self._end("CRASHED", "Crashed", f"ended by {type(error).__name__}")
        if self._thread is not None:
            self._put(None)
            self._thread.join(PATIENCE)

    def __call__(self, event: Event) -> None:
        """Observer: what happens becomes the run's log."""
        level, text = line(event)
        if text and self._thread is not None:
            self._put(partial(self._log, level, text, _now()))

    def finish(self, outcome: Outcome) -> None:
        """Tell how the pass ended, with its artifacts and events."""
        for artifact in outcome.artifacts:
            body = {
                "key": artifact.key,
                "type": artifact.type,
                "description": artifact.description,
                "data": artifact.stored(),
            }
            self._put(partial(self._artifact, body))
        if outcome.events:
            self._put(lambda: self._events(outcome.events))
        if outcome.skipped:
            self._end("CANCELLED", "Cancelled", f"skipped: {outcome.message}")
        elif outcome.failed:
            self._end("FAILED", "Failed", outcome.message)
        else:
            self._end("COMPLETED", "Completed", outcome.message)

    # The rest runs in the thread.

    def _put(self, call: Call | None) -> None:
        if self._thread is None or self._broken:
            return
        try:
            self._calls.put_nowait(call)
        except queue.Full:
            self._give_up("it is too slow")

    def _send(self) -> None:
        while not self._broken:
            try:
                call = self._calls.get(timeout=HEARTBEAT)
            except queue.Empty:
                call = _nothing
            if call is None:
                return
            try:
                call()
                if time.monotonic() - self._alive_at >= HEARTBEAT:
                    self._alive()
            except HubError as error:
                self._give_up(str(error))
            except Exception as error:
                self._give_up(type(error).__name__)

    def _give_up(self, why: str) -> None:
        self._broken = True
        log.warning("this pass is not shown in Prefect's UI any more: %s", why)

    def _post(self, path: str, body: Any) -> Any:
        assert self.api is not None
        return self.api.post(path, body)

    def _start(self) -> None:
        flow = self._post("/flows/", {"name": self.kind})
        run = self._post(
            "/flow_runs/",
            {
                "flow_id": flow["id"],
                "name": self.run_name,
                "tags": self.tags,
                "parameters": self.parameters,
                "state": {"type": "RUNNING", "name": "Running"},
            },
        )
        self.run_id = run["id"]

    def _artifact(self, body: dict[str, Any]) -> None:
        self._post("/artifacts/", {**body, "flow_run_id": self.run_id})

    def _log(self, level: int, text: str, at: str) -> None:
        entry = {"flow_run_id": self.run_id, "name": "hub.pass", "level": level, "message": text, "timestamp": at}
        self._post("/logs/", [entry])

    def _alive(self) -> None:
        """The sign of life that a run under Prefect gives; when no further one follows, this run counts as dead."""
        self._alive_at = time.monotonic()
        resource = {"prefect.resource.id": f"prefect.flow-run.{self.run_id}", "prefect.resource.name": self.run_name}
        self._events([{"event": "prefect.flow-run.heartbeat", "resource": resource, "payload": {}}])

    def _events(self, events: Sequence[Mapping[str, Any]]) -> None:
        related = [
            {"prefect.resource.id": f"prefect.flow-run.{self.run_id}", "prefect.resource.role": "flow-run"},
            *({"prefect.resource.id": f"prefect.tag.{t}", "prefect.resource.role": "tag"} for t in self.tags),
        ]
        stamped = [{**event, "id": str(uuid.uuid4()), "occurred": _now(), "related": related} for event in events]
        self._post("/events", stamped)

    def _end(self, kind: str, name: str, message: str) -> None:
        self._finished = True
        body = {"state": {"type": kind, "name": name, "message": message}, "force": True}
        self._put(lambda: self._post(f"/flow_runs/{self.run_id}/set_state", body))


def _configured() -> PrefectApi | None:
    """The server to tell; None without one, and inside a run of Prefect's own, which tells by itself."""
    if os.environ.get("PREFECT__FLOW_RUN_ID"):
        return None
    return PrefectApi.from_environment(timeout=PATIENCE)


def _nothing() -> None:
    """Waiting was all there was to do."""


def _now() -> str:
    return datetime.now(UTC).isoformat()
