"""``hub up``: Prefect's server and UI, the deployments and a worker on one machine, until Ctrl-C ends them all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import requests

from hub.errors import ConfigurationError, HubError, Unavailable
from hub.operate.api import PrefectApi
from hub.operate.deploy import DeployResult, deploy
from hub.operate.facts import Facts
from hub.operate.processes import MARK, Child, end_all, let_end, only_one
from hub.operate.stopping import Stop
from hub.operate.takeover import Takeover
from hub.operate.up_runs import drain, drop_backlog, end_runs, with_a_process
from hub.operate.up_settings import AT_ONCE, HOST, server_environment, worker_arguments, worker_environment

START_SECONDS = 180
"""The first start lays out Prefect's database; on a busy small machine that takes its time."""
WORKER = "hub-up"
WEBHOOKS = "webhooks"


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything runs."""

    project: str
    url: str
    """Where the UI is."""
    api: str
    work_pool: str
    deployments: Mapping[str, str]
    """Deployment → created, updated, unchanged."""
    logs: str
    """Folder with the output of server and worker."""
    webhooks: str = ""
    """Where the webhook intake listens; empty: the project has none."""

    def as_dict(self) -> dict[str, Any]:
        return {"ready": True, **asdict(self)}


def up(
    project: Facts,
    store_url: str,
    *,
    host: str = HOST,
    port: int = 4200,
    work_pool: str = "hub",
    at_once: int = AT_ONCE,
    drain_seconds: float = 15.0,
    ready: Callable[[Ready], None] | None = None,
    say: Callable[[str], None] | None = None,
    stop: Stop | None = None,
) -> None:
    """Run the project until Ctrl-C (SIGINT), SIGTERM or ``stop``; then leave no process behind.

    ``host``: the address at which workers of other hosts, and browsers, reach the server; it then needs a login.
    ``port`` 0 takes a free one. ``at_once``: passes at the same time here; 0: workers of other hosts do it all.
    ``ready`` is called once, when the UI answers and the worker waits for runs; ``say`` gets a line of progress now and
    then. Stopping waits ``drain_seconds`` for passes under way; asked a second time, it does not wait: a pass that is
    cut off goes on where it stopped, the next time. Raises ConfigurationError (port taken, already running, no login)
    and Unavailable (server or worker ended by itself).
    """
    stop = stop or Stop()
    _must_be_guarded(host)
    with only_one(_home(project), "'hub up' is running for this project already"), stop.on_signals():
        machine = _Machine(
            project,
            store_url,
            host=host,
            port=port,
            work_pool=work_pool,
            at_once=at_once,
            say=say or (lambda text: None),
            stop=stop,
        )
        machine.run(ready, drain_seconds)


class _Machine:
    """The processes of one ``hub up``."""

    def __init__(
        self,
        facts: Facts,
        store_url: str,
        *,
        host: str,
        port: int,
        work_pool: str,
        at_once: int,
        say: Callable[[str], None],
        stop: Stop,
    ) -> None:
        self.facts = facts
        self.home = home = _home(facts)
        self.host = host
        self.alone = _is_loopback(host)
        """Nobody else can work for this server."""
        self.port = port or _free_port(host)
        self.work_pool = work_pool
        self.at_once = at_once
        self.say = say
        self.stop = stop
        # The same for the same folder: so we find what an earlier 'hub up' left behind that was killed.
        self.mark = hashlib.sha256(str(facts.folder).encode()).hexdigest()[:16]
        self.environment = {**server_environment(home, self.port, host=host), MARK: self.mark}
        self.api = PrefectApi(
            f"http://{host}:{self.port}/api", auth=self.environment.get("PREFECT_API_AUTH_STRING"), timeout=30
        )
        self.takeover = Takeover(store_url, facts.name, self.api, say)
        self.children: list[Child] = []
        self.paused = False
        """Whether we paused the work pool, to let it drain."""

    def run(self, ready: Callable[[Ready], None] | None, drain_seconds: float) -> None:
        if left := end_all(self.mark):
            self.say(f"ended {left} processes that an earlier 'hub up' left behind")
        _must_be_free(self.host, self.port)
        try:
            self._start(ready)
            while not self.stop.asked.wait(1.0):
                for child in self.children:
                    child.must_run()
                self.takeover.look()
            self._drain(drain_seconds)
        finally:
            self._end()

    def _start(self, ready: Callable[[Ready], None] | None) -> None:
        self.say("starting Prefect's server (the first time it lays out its database)")
        server = ["-m", "uvicorn", "hub.operate.prefect_server:create_app", "--factory", "--no-access-log"]
        server += ["--timeout-graceful-shutdown", "2"]
        self._spawn("server", [*server, "--host", self.host, "--port", str(self.port)], self.environment)
        if not self._wait_for(self.api.healthy, "Prefect's server"):
            return
        end_runs(self.api, self._with_a_process(), "its process ended with an earlier 'hub up'")
        drop_backlog(self.api)
        deployed = deploy(self.facts, work_pool=self.work_pool, api=self.api)
        worker = self._begin_to_work()
        if worker and self._take_messages() and ready is not None:
            ready(self._ready(deployed))

    def _begin_to_work(self) -> bool:
        """Start the worker of this machine, if there is to be one; False when we were asked to stop meanwhile."""
        if not self.at_once:
            return True
        self.say("starting a worker")
        # The last one's heartbeat may be young enough to pass for the new one's.
        self.api.delete(f"/work_pools/{self.work_pool}/workers/{WORKER}")
        self._spawn("worker", worker_arguments(self.work_pool, WORKER, self.at_once), self._of_worker())
        return self._wait_for(self._worker_online, "the worker")

    def _take_messages(self) -> bool:
        """Start the webhook intake where the project has one; False when we were asked to stop meanwhile."""
        if not self.facts.webhooks:
            return True
        self.say("starting the webhook intake")
        words = ["-m", "hub.cli", WEBHOOKS, "--project", str(self.facts.folder)]
        self._spawn(WEBHOOKS, words, self._of_worker())
        return self._wait_for(self._answers, "the webhook intake")

    def _of_worker(self) -> dict[str, str]:
        return worker_environment(self.environment, self.api.url, self.facts.folder)

    def _answers(self) -> bool:
        host, _, port = self.facts.webhooks.rpartition(":")
        with contextlib.suppress(ValueError):  # a name
            host = "localhost" if ip_address(host.strip("[]")).is_unspecified else host
        try:
            with requests.Session() as session:
                session.trust_env = False
                return session.get(f"http://{host}:{port}/health", timeout=2).ok
        except requests.RequestException:
            return False

    def _spawn(self, name: str, arguments: list[str], environment: dict[str, str]) -> None:
        self.children.append(Child(name, arguments, environment, self.home / f"{name}.log"))

    def _wait_for(self, condition: Callable[[], bool], what: str) -> bool:
        """True when ``condition`` holds, False when we were asked to stop before."""
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            for child in self.children:
                child.must_run()
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"{what} did not start within {START_SECONDS} seconds",
                    where=str(self.children[-1].log),
                    cure="read the file named here; on a very slow machine simply try again",
                )
            if self.stop.asked.wait(0.25):
                return False
        return True

    def _worker_online(self) -> bool:
        workers = self.api.post(f"/work_pools/{self.work_pool}/workers/filter", {}) or []
        return any(w["name"] == WORKER and w.get("status") == "ONLINE" for w in workers)

    def _ready(self, deployed: DeployResult) -> Ready:
        names = {k.removeprefix("deployment "): v for k, v in deployed.done.items() if k.startswith("deployment ")}
        url = self.api.url.removesuffix("/api")
        return Ready(self.facts.name, url, self.api.url, self.work_pool, names, str(self.home), self.facts.webhooks)

    def _drain(self, seconds: float) -> None:
        if not self.alone:
            # Other hosts go on. Asked politely, Prefect's worker would end its runs; they end by themselves.
            server, *others = (child.process.pid for child in self.children)
            for child in self.children:
                if child.name == "worker":
                    child.process.kill()
            let_end(self.mark, seconds, self.stop.at_once, but=(server, *others))
            return
        with contextlib.suppress(HubError):
            self.paused = drain(self.api, self.work_pool, seconds, at_once=self.stop.at_once, say=self.say)

    def _with_a_process(self) -> list[str]:
        """Runs that can only have, or have had, their process here. Those of several hosts are told apart by their
        leases (``takeover``)."""
        if self.alone:
            with contextlib.suppress(HubError):
                return with_a_process(self.api)
        return []

    def _end(self) -> None:
        """Worker and runs first, so that the server can still note how the runs ended; then the server."""
        self.stop.asked.set()
        if self.children:
            server, *others = self.children
            cut_off = self._with_a_process()
            for child in others:
                if child.name == WEBHOOKS:  # it ends what it is at, and lets go of its leases
                    child.ask_to_end()
                    child.wait(0.1 if self.stop.at_once.is_set() else 10.0)
            for child in others:
                child.process.kill()
            end_all(self.mark, 2.0, but=(server.process.pid,))
            with contextlib.suppress(HubError):
                end_runs(self.api, cut_off, "stopped with 'hub up': the next pass goes on where this one stopped")
                if self.paused:
                    self.api.patch(f"/work_pools/{self.work_pool}", {"is_paused": False})
            server.ask_to_end()
            server.wait(0.1 if self.stop.at_once.is_set() else 5.0)
        end_all(self.mark)
        for child in self.children:
            child.wait(1.0)
        self.takeover.close()
        self.api.close()


def _home(facts: Facts) -> Path:
    home = facts.folder / ".hub" / "prefect"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def _must_be_guarded(host: str) -> None:
    """Whoever reaches the server can start and stop passes, and read what they tell."""
    if not _is_loopback(host) and not os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        raise ConfigurationError(
            f"at {host} others can reach Prefect's server, and it has no login",
            where="hub up --host",
            cure="set PREFECT_SERVER_API_AUTH_STRING=user:password here, and PREFECT_API_AUTH_STRING for the workers",
        )


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):  # a name: whose, we can't know
        return ip_address(host).is_loopback
    return False


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _must_be_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise ConfigurationError(
                f"port {port} of {host} is taken by another program, or not ours",
                where="hub up",
                cure="choose another: hub up --port 4300",
            ) from None
