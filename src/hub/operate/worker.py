"""``hub worker``: one host's share of the work. A Prefect worker that is started again whatever becomes of it, and a
look at whether somebody's work was left in the middle.

It needs the project's folder, its secrets, the store's address (PostgreSQL) and ``PREFECT_API_URL``; nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hub.errors import ConfigurationError, HubError
from hub.operate.api import PrefectApi
from hub.operate.facts import Facts
from hub.operate.processes import MARK, Child, end_all, let_end, marked, only_one
from hub.operate.stopping import Stop
from hub.operate.takeover import Takeover
from hub.operate.up_settings import client_environment, worker_arguments, worker_environment

AGAIN = (2.0, 5.0, 15.0, 30.0)
"""Seconds before Prefect's worker is started again, each time it ended soon; the last one from then on."""
WELL = 60.0
"""Seconds after which it counts as having run well."""


@dataclass(frozen=True, slots=True)
class Working:
    """The worker waits for runs."""

    project: str
    name: str
    api: str
    work_pool: str
    logs: str
    """Folder with the worker's output."""

    def as_dict(self) -> dict[str, Any]:
        return {"ready": True, **asdict(self)}


def work(
    facts: Facts,
    store_url: str,
    *,
    work_pool: str = "hub",
    name: str = "",
    at_once: int = 4,
    drain_seconds: float = 60.0,
    ready: Callable[[Working], None] | None = None,
    say: Callable[[str], None] = lambda text: None,
    stop: Stop | None = None,
) -> None:
    """Work until Ctrl-C, SIGTERM or ``stop``; then leave no process behind.

    Stopping begins nothing new and waits ``drain_seconds`` for passes under way; asked a second time, it does not wait.
    What is cut off is started again elsewhere. Raises ConfigurationError without a server, or when a worker of this
    name runs here already.
    """
    api = PrefectApi.from_environment()
    if api is None:
        raise ConfigurationError(
            "no Prefect server is named",
            where="PREFECT_API_URL",
            cure="set PREFECT_API_URL to the server's address, such as http://10.0.0.5:4200/api",
        )
    stop = stop or Stop()
    name = name or socket.gethostname()
    home = facts.folder / ".hub" / f"worker-{name}"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with only_one(home, f"a worker named {name} runs here already"), stop.on_signals():
        host = _Host(facts, store_url, api, home, work_pool, name, at_once, say, stop)
        host.run(ready, drain_seconds)


class _Host:
    """The processes of one ``hub worker``."""

    def __init__(
        self,
        facts: Facts,
        store_url: str,
        api: PrefectApi,
        home: Path,
        work_pool: str,
        name: str,
        at_once: int,
        say: Callable[[str], None],
        stop: Stop,
    ) -> None:
        self.working = Working(facts.name, name, api.url, work_pool, str(home))
        self.api, self.home, self.say, self.stop = api, home, say, stop
        self.mark = hashlib.sha256(f"{facts.folder}\0{name}".encode()).hexdigest()[:16]
        environment = worker_environment(client_environment(home), api.url, facts.folder)
        self.environment = {**environment, MARK: self.mark}
        self.arguments = worker_arguments(work_pool, name, at_once)
        self.takeover = Takeover(store_url, facts.name, api, say)
        self.worker: Child | None = None
        self.began = 0.0
        self.failed = 0
        """Times in a row that Prefect's worker ended soon."""

    def run(self, ready: Callable[[Working], None] | None, drain_seconds: float) -> None:
        if left := end_all(self.mark):
            self.say(f"ended {left} processes that an earlier 'hub worker' left behind")
        try:
            self._start()
            told = False
            while not self.stop.asked.wait(0.5):
                self._keep_running()
                self.takeover.look()
                if not told and self._online():
                    told = True
                    if ready is not None:
                        ready(self.working)
            self._drain(drain_seconds)
        finally:
            end_all(self.mark)
            self.takeover.close()
            self.api.close()

    def _start(self) -> None:
        self.began = time.monotonic()
        with contextlib.suppress(HubError):
            # The last one's heartbeat may be young enough to pass for the new one's.
            self.api.delete(f"/work_pools/{self.working.work_pool}/workers/{self.working.name}")
        self.worker = Child("worker", self.arguments, self.environment, self.home / "worker.log")

    def _keep_running(self) -> None:
        """Prefect's worker gives up when its server is away for some minutes; its runs go on without it."""
        assert self.worker is not None
        if self.worker.process.poll() is None:
            return
        if time.monotonic() - self.began > WELL:
            self.failed = 0
        pause = AGAIN[min(self.failed, len(AGAIN) - 1)]
        self.failed += 1
        self.say(f"Prefect's worker ended, and is started again in {pause:.0f} s: {self.worker.last_words()}")
        if not self.stop.asked.wait(pause):
            self._start()

    def _online(self) -> bool:
        try:
            workers = self.api.post(f"/work_pools/{self.working.work_pool}/workers/filter", {}) or []
        except HubError:
            return False
        return any(w["name"] == self.working.name and w.get("status") == "ONLINE" for w in workers)

    def _drain(self, seconds: float) -> None:
        """End Prefect's worker first, at once: asked politely, it would end its runs. They end by themselves."""
        assert self.worker is not None
        self.worker.process.kill()
        self.worker.wait(5.0)
        if any(marked(self.mark)):
            self.say(f"waiting up to {seconds:.0f} s for what is under way (Ctrl-C again: at once)")
            let_end(self.mark, seconds, self.stop.at_once)
