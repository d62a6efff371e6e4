"""``hub up``: Prefect's server and UI, the deployments and a worker on one machine, until Ctrl-C ends them all."""

from __future__ import annotations

import contextlib
import hashlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from filelock import FileLock, Timeout

from hub.errors import ConfigurationError, HubError, Unavailable
from hub.operate.api import PrefectApi
from hub.operate.deploy import DeployResult, deploy
from hub.operate.facts import Facts, facts_of
from hub.operate.processes import MARK, Child, end_all
from hub.operate.up_runs import drain, drop_backlog, end_runs, with_a_process
from hub.operate.up_settings import HOST, server_environment, worker_environment

if TYPE_CHECKING:
    from hub.project import Project

START_SECONDS = 180
"""The first start lays out Prefect's database; on a busy small machine that takes its time."""
WORKER = "hub-up"
WEBHOOKS = "webhooks"
AT_ONCE = 4
"""Passes that run at the same time: each is a process of some 100 MB."""


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


class Stop:
    """Whether to stop: asked once, runs under way may end; asked twice, at once."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.at_once = threading.Event()

    def __call__(self, *_: object) -> None:
        (self.at_once if self.asked.is_set() else self.asked).set()

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM ask us to stop, for as long as this lasts. Only in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {s: signal.signal(s, self) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def up(
    project: Project | Facts,
    *,
    port: int = 4200,
    work_pool: str = "hub",
    drain_seconds: float = 15.0,
    ready: Callable[[Ready], None] | None = None,
    say: Callable[[str], None] | None = None,
    stop: Stop | None = None,
) -> None:
    """Run the project until Ctrl-C (SIGINT), SIGTERM or ``stop``; then leave no process behind.

    ``port`` 0 takes a free one. ``ready`` is called once, when the UI answers and the worker waits for runs; ``say``
    gets a line of progress now and then. Stopping waits ``drain_seconds`` for passes under way; asked a second time, it
    does not wait: a pass that is cut off goes on where it stopped, the next time. Raises ConfigurationError (port
    taken, already running) and Unavailable (server or worker ended by itself).
    """
    facts = project if isinstance(project, Facts) else facts_of(project)
    stop = stop or Stop()
    with _only_one(_home(facts)), stop.on_signals():
        machine = _Machine(facts, port=port, work_pool=work_pool, say=say or (lambda text: None), stop=stop)
        machine.run(ready, drain_seconds)


class _Machine:
    """The processes of one ``hub up``."""

    def __init__(self, facts: Facts, *, port: int, work_pool: str, say: Callable[[str], None], stop: Stop) -> None:
        self.facts = facts
        self.home = home = _home(facts)
        self.port = port or _free_port()
        self.work_pool = work_pool
        self.say = say
        self.stop = stop
        # The same for the same folder: so we find what an earlier 'hub up' left behind that was killed.
        self.mark = hashlib.sha256(str(facts.folder).encode()).hexdigest()[:16]
        self.environment = {**server_environment(home, self.port), MARK: self.mark}
        self.api = PrefectApi(
            f"http://{HOST}:{self.port}/api", auth=self.environment.get("PREFECT_API_AUTH_STRING"), timeout=30
        )
        self.children: list[Child] = []
        self.paused = False
        """Whether we paused the work pool, to let it drain."""

    def run(self, ready: Callable[[Ready], None] | None, drain_seconds: float) -> None:
        if left := end_all(self.mark):
            self.say(f"ended {left} processes that an earlier 'hub up' left behind")
        _must_be_free(self.port)
        try:
            self._start(ready)
            while not self.stop.asked.wait(1.0):
                for child in self.children:
                    child.must_run()
            self._drain(drain_seconds)
        finally:
            self._end()

    def _start(self, ready: Callable[[Ready], None] | None) -> None:
        self.say("starting Prefect's server (the first time it lays out its database)")
        server = ["-m", "uvicorn", "hub.operate.prefect_server:create_app", "--factory", "--no-access-log"]
        server += ["--timeout-graceful-shutdown", "2"]
        self._spawn("server", [*server, "--host", HOST, "--port", str(self.port)], self.environment)
        if not self._wait_for(self.api.healthy, "Prefect's server"):
            return
        end_runs(self.api, with_a_process(self.api), "its process ended with an earlier 'hub up'")
        drop_backlog(self.api)
        deployed = deploy(self.facts, work_pool=self.work_pool, api=self.api)
        self.say("starting a worker")
        # The last one's heartbeat may be young enough to pass for the new one's.
        self.api.delete(f"/work_pools/{self.work_pool}/workers/{WORKER}")
        worker = ["-m", "prefect", "worker", "start", "--pool", self.work_pool, "--type", "process"]
        worker += ["--name", WORKER, "--limit", str(AT_ONCE), "--install-policy", "never"]
        self._spawn("worker", worker, worker_environment(self.environment, self.api.url))
        if self._wait_for(self._worker_online, "the worker") and self._take_messages() and ready is not None:
            ready(self._ready(deployed))

    def _take_messages(self) -> bool:
        """Start the webhook intake where the project has one; False when we were asked to stop meanwhile."""
        if not self.facts.webhooks:
            return True
        self.say("starting the webhook intake")
        words = ["-m", "hub.cli", WEBHOOKS, "--project", str(self.facts.folder)]
        self._spawn(WEBHOOKS, words, worker_environment(self.environment, self.api.url))
        return self._wait_for(self._answers, "the webhook intake")

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
        with contextlib.suppress(HubError):
            self.paused = drain(self.api, self.work_pool, seconds, at_once=self.stop.at_once, say=self.say)

    def _with_a_process(self) -> list[str]:
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
        self.api.close()


def _home(facts: Facts) -> Path:
    home = facts.folder / ".hub" / "prefect"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


@contextlib.contextmanager
def _only_one(home: Path) -> Iterator[None]:
    lock = FileLock(home / "up.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ConfigurationError(
            "'hub up' is running for this project already", where=str(home), cure="stop the other one first (Ctrl-C)"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _must_be_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise ConfigurationError(
                f"port {port} is taken by another program", where="hub up", cure="choose another: hub up --port 4300"
            ) from None
