"""Everything together: the intake's server, the worker that drains the queue, the subscriptions that are kept up."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import uvicorn

from hub.errors import ConfigurationError, HubError, Unavailable
from hub.project import Project
from hub.project.webhooks import Webhooks
from hub.store import hints
from hub.sync.context import instant
from hub.sync.report import PassReport
from hub.webhooks.doors import doors_of
from hub.webhooks.intake import Counts, Intake, Recorder
from hub.webhooks.subscriptions import Subscriptions
from hub.webhooks.worker import Worker

AT_ONCE = 200
"""Messages under way at the same time; more are asked to come again."""
LOOK_AGAIN = 60.0
"""Seconds between two looks at the subscriptions."""
_log = logging.getLogger("hub.webhooks")


@dataclass(frozen=True, slots=True)
class Ready:
    """The intake takes messages."""

    url: str
    """Where it listens."""
    systems: dict[str, str]
    """System → the address it posts to, as hub.yaml says it is reached."""
    subscriptions: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        return {"ready": True, **asdict(self)}


class Service:
    """One intake with its worker. ``with Service(…) as service:`` runs it; ``wait`` lasts until it is to end."""

    def __init__(
        self,
        open_project: Callable[[], Project],
        *,
        host: str | None = None,
        port: int | None = None,
        done: Callable[[PassReport], None] = lambda report: None,
        drains: bool = True,
    ) -> None:
        """``drains=False``: messages are only taken in; somebody else looks after the queue. ``done``: told of each
        small pass."""
        self.drains = drains
        self.stop = threading.Event()
        self.worker = Worker(open_project, reopened=self._reopened, done=done, each_second=self._note_counts)
        self._asked = host, port
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Service:
        """Raises ConfigurationError: the project is wrong, has no ``webhooks``, or the port is taken."""
        self.worker.open()
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.worker.woken.set()
        if self._threads:
            self.server.should_exit = True
        for thread in self._threads:
            thread.join(30)
        self._note_counts()
        self.worker.close()

    def wait(self, seconds: float | None = None) -> bool:
        """Until somebody sets ``stop`` (True), or for so long. Raises Unavailable when a part ended by itself."""
        if self.stop.wait(seconds):
            return True
        for thread in self._threads:
            if not thread.is_alive():
                raise Unavailable(f"{thread.name} ended by itself", where="webhooks", cure="see the log; start it anew")
        return False

    def ready(self) -> Ready:
        """What there is to say once it runs."""
        with self.worker.engine.store.read() as connection:
            rows = hints.subscriptions(connection)
        return Ready(self.url, {name: self.webhooks.address_of(name) for name in self.intake.doors}, rows)

    def _start(self) -> None:
        project, engine = self.worker.project, self.worker.engine
        self.webhooks = webhooks = required(project)
        host, port = self._asked[0] or webhooks.host, webhooks.port if self._asked[1] is None else self._asked[1]
        self.counts = Counts(self._now)
        self.recorder = Recorder(engine.store, self.counts, self._now, self.worker.woken.set)
        self.intake = Intake(doors_of(project, webhooks), self.recorder, self.counts, answer=webhooks.answer)
        self.subscriptions = Subscriptions(engine.store, engine.owner, engine.clock)
        listening = _listening(host, port)
        bound = listening.getsockname()
        self.url = f"http://{f'[{bound[0]}]' if ':' in bound[0] else bound[0]}:{bound[1]}"
        self.server = uvicorn.Server(
            uvicorn.Config(
                self.intake.app,
                log_level="warning",
                access_log=False,
                server_header=False,
                limit_concurrency=AT_ONCE,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=5,
            )
        )
        self._run("the intake", lambda: self.server.run(sockets=[listening]))
        if self.drains:
            self._run("the worker", lambda: self.worker.run(self.stop))
        while not self.server.started and self._threads[0].is_alive():
            self.stop.wait(0.01)
        self._renew()
        self._run("the subscriptions", self._keep_renewing)

    def _run(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _keep_renewing(self) -> None:
        while not self.stop.wait(LOOK_AGAIN):
            self._renew()

    def _renew(self) -> None:
        try:
            self.subscriptions.renew(self.worker.project, self.webhooks)
        except HubError as error:
            _log.warning("subscriptions: %s", error)

    def _reopened(self, project: Project) -> None:
        """The project's files changed. What it listens to stays; for another address or secret it is started anew."""
        if project.webhooks is not None:
            self.webhooks = project.webhooks
        self.recorder.store = self.subscriptions.store = self.worker.engine.store
        self.intake.doors = doors_of(project, self.webhooks)

    def _note_counts(self) -> None:
        rows = self.counts.taken() if hasattr(self, "counts") else []
        if rows:
            try:
                with self.worker.engine.store.begin() as connection:
                    hints.add_counts(connection, rows)
            except HubError as error:
                _log.warning("counts: %s", error)

    def _now(self) -> str:
        return instant(self.worker.engine.clock())


def required(project: Project) -> Webhooks:
    """The project's ``webhooks:``. Raises ConfigurationError when it has none."""
    if project.webhooks is None:
        raise ConfigurationError(
            "hub.yaml has no webhooks",
            where=str(project.folder / "hub.yaml"),
            cure="webhooks: {address: https://hub.example.com/hooks, secret: '${HUB_WEBHOOK_SECRET}'}",
        )
    return project.webhooks


@contextmanager
def serving(open_project: Callable[[], Project], **options: Any) -> Iterator[Service]:
    """A running service; see ``Service``."""
    with Service(open_project, **options) as service:
        yield service


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise ConfigurationError(
            f"can't listen on {host}:{port}: {error.strerror or error}",
            where="hub webhooks",
            cure="is another one running? else choose another: hub webhooks --port 4281",
        ) from None
    made.listen(256)
    return made
