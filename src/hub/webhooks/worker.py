"""The worker: drains the queue of hints with an engine that stays warm, in small passes, entity by entity."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hub.errors import HubError
from hub.project import Project
from hub.store import hints
from hub.sync.context import instant
from hub.sync.engine import Engine
from hub.sync.leasing import is_taken, somebody_waits
from hub.sync.report import PassReport

IDLE = 0.5
"""Seconds after which the queue is looked at though nobody said that there is something: another host may have put it
there, or something may be due again."""
TAKEN = 0.2
"""Seconds after which a held entity is tried again."""
LONGEST_PAUSE = 60.0
FILES = 2.0
"""Seconds between two looks at whether the project's files have changed."""
FORGOTTEN = 1000
_log = logging.getLogger("hub.webhooks")


def marks(folder: Path) -> dict[str, tuple[int, int]]:
    """Path → (time, size) of the files that a project is made of."""
    found = {}
    for pattern in ("hub.yaml", ".env", "mappings/**/*.y*ml", "connectors/**/*.y*ml", "capabilities/*.yaml"):
        for path in folder.glob(pattern):
            try:
                stat = path.stat()
            except OSError:
                continue
            found[str(path)] = (stat.st_mtime_ns, stat.st_size)
    return found


@dataclass(slots=True)
class Worker:
    """Owns the project and its engine; opens both anew when the project's files change."""

    open_project: Callable[[], Project]
    reopened: Callable[[Project], None] = lambda project: None
    """Called with the project whenever it was opened anew: the doors belong to its connectors."""
    done: Callable[[PassReport], None] = lambda report: None
    each_second: Callable[[], None] = lambda: None
    woken: threading.Event = field(default_factory=threading.Event)
    project: Project = field(init=False)
    engine: Engine = field(init=False)
    _marks: dict[str, tuple[int, int]] = field(default_factory=dict)
    _looked: float = 0.0
    _ticked: float = 0.0
    _pauses: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Entity → (not before, on the monotonic clock; length of the pause)."""

    def open(self) -> None:
        """Open the project. Raises ConfigurationError when it is wrong."""
        project = self.open_project()
        project.be_urgent()  # before what a scheduled pass asks of the same account
        self.project, self.engine = project, Engine.from_project(project)
        self._marks = marks(project.folder)

    def close(self) -> None:
        self.engine.close()
        self.project.close()

    def run(self, stop: threading.Event) -> None:
        """Drain the queue until ``stop``. Survives whatever a pass may raise."""
        while not stop.is_set():
            try:
                again = self.turn()
            except Exception as error:
                self._said(error, "the queue")
                again = TAKEN
            self.woken.wait(IDLE if again is None else again)
            self.woken.clear()

    def turn(self) -> float | None:
        """Look at everything that is due; how many seconds later to look again (None: when something comes)."""
        self._housekeep()
        now = instant(self.engine.clock())
        if somebody_waits(self.engine.store, now):
            return TAKEN
        with self.engine.store.read() as connection:
            due = hints.entities(connection, now)
        if strangers := due - self.engine.setup.policies.keys():
            self._forget(strangers)
        waits = [self._entity(name) for name in self.engine.setup.policies if name in due]
        left = [wait for wait in waits if wait is not None]
        return min(left) if left else None

    def _entity(self, entity: str) -> float | None:
        after, pause = self._pauses.get(entity, (0.0, 0.0))
        wait = after - time.monotonic()
        if wait > 0:
            return wait
        try:
            report = self.engine.hinted(entity)
        except Exception as error:
            taken = is_taken(error)
            pause = TAKEN if taken else min(LONGEST_PAUSE, max(1.0, pause * 2))
            self._pauses[entity] = (time.monotonic() + pause, 0.0 if taken else pause)
            if not taken:
                self._said(error, entity)
            return pause
        self._pauses.pop(entity, None)
        self.done(report)
        if report.state == "failed":
            _log.warning("%s: %s", entity, report.message)
        else:
            _log.debug("%s: %s", entity, report.message)
        return None

    def _forget(self, entities: set[str]) -> None:
        """Hints of entities that hub.yaml does not have any more."""
        now = instant(self.engine.clock())
        with self.engine.store.begin() as connection:
            for entity in entities:
                hints.settle(connection, hints.due(connection, entity, now, FORGOTTEN))

    def _said(self, error: Exception, where: str) -> None:
        if isinstance(error, HubError):
            _log.warning("%s: %s", where, error)
        else:
            _log.error("%s: %s", where, type(error).__name__, exc_info=error)

    def _housekeep(self) -> None:
        now = time.monotonic()
        if now - self._ticked > 1.0:
            self._ticked = now
            self.each_second()
        if now - self._looked > FILES:
            self._looked = now
            if (found := marks(self.project.folder)) != self._marks:
                self._marks = found
                self._open_anew()

    def _open_anew(self) -> None:
        before = self.project, self.engine
        try:
            self.open()
        except HubError as error:
            _log.warning("the project's files changed and are wrong; going on with what they said before: %s", error)
            return
        self.reopened(self.project)
        before[1].close()
        before[0].close()
        _log.warning("the project's files changed: opened anew")
