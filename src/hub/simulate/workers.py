"""Workers: who runs a pass. Between any two of its steps a worker can be stopped, overtaken or killed.

A step is a call to a system (before it, and after it took effect) or a transaction of the store (before it, and after
it landed). The engine is given a store and connectors that report these points; it does not know.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection

from hub.errors import HubError
from hub.simulate.shortcut import Straight
from hub.store.database import Store, open_memory

WRITES = frozenset({"create", "update", "delete"})
MARKS = frozenset({"intent", "cursor"})
"""Goals that are reached by what a transaction changed."""


class Crash(BaseException):
    """The process dies here: nothing may catch it, and nothing more it does has any effect."""


class Point(NamedTuple):
    """A moment between two steps: ``begin`` or ``commit`` of the store, ``call`` or ``answer`` of a system."""

    kind: str
    system: str = ""
    verb: str = ""


class Goal:
    """Where a worker is to be stopped: at the n-th point of a kind. ``write`` and ``written`` are the calls that change
    something, before and after they did; ``intent`` is when writes were noted and not sent, ``cursor`` when a feed was
    read further; ``point`` is any."""

    def __init__(self, to: str, n: int) -> None:
        self.to = to
        self.left = n

    def reached(self, point: Point) -> bool:
        if self.to in MARKS:
            self.left -= point.verb == self.to
            return self.left <= 0
        changing = {"write": "call", "written": "answer"}.get(self.to) == point.kind and point.verb in WRITES
        if changing or self.to in ("point", point.kind):
            self.left -= 1
        return self.left <= 0


class Worker:
    """One process that runs passes, as far as the simulation sees it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.steps = 0
        self.in_call = False
        """A request that changes something is under way and has had no effect yet."""
        self.at_point: Callable[[Point], None] | None = None
        self.marks = False
        """Whether its transactions are to tell what they changed."""

    def point(self, kind: str, system: str = "", verb: str = "") -> None:
        """Report a point; raises Crash when this worker was killed."""
        if self.dead:
            raise Crash
        self.steps += 1
        if self.at_point is not None:
            self.at_point(Point(kind, system, verb))
            if self.dead:
                raise Crash


class Memory:
    """A database in memory with one connection that stays open: whoever uses it takes turns. Its transactions are begun
    and ended past SQLAlchemy, which takes ten times as long for it and is not what is tried here."""

    def __init__(self) -> None:
        self.engine = open_memory()
        self.connection = self.engine.connect()
        names = self.connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
        self._tables = [row[0] for row in names if not row[0].startswith(("alembic", "sqlite"))]
        self._driver: Any = self.connection.connection.dbapi_connection
        self._straight = cast(Connection, Straight(self.connection))

    @contextmanager
    def transaction(self, begin: str, end: str = "COMMIT") -> Iterator[Connection]:
        """All that is done in it lands, or nothing does."""
        self._driver.execute(begin)
        try:
            yield self._straight
        except BaseException:
            self._driver.execute("ROLLBACK")
            raise
        self._driver.execute(end)

    def marks(self) -> tuple[int, str]:
        """How many writes are noted and not settled; and how far all feeds have been read."""
        found: tuple[int, str] = self._driver.execute(_MARKS).fetchone()
        return found

    def empty(self) -> None:
        """As it was when it was made."""
        with self.transaction("BEGIN IMMEDIATE"):
            for name in self._tables:
                self._driver.execute(f'DELETE FROM "{name}"')  # noqa: S608  (names the database gave)

    def close(self) -> None:
        self.connection.close()
        self.engine.dispose()


_MARKS = """SELECT (SELECT count(*) FROM intent), (SELECT coalesce(group_concat(place), '') FROM
    (SELECT system || entity || value AS place FROM feed_cursor ORDER BY system, entity))"""


def _moved(before: tuple[int, str], now: tuple[int, str]) -> str:
    if now[0] > before[0]:
        return "intent"
    return "cursor" if now[1] != before[1] else ""


class SimStore(Store):
    """The hub's memory as one worker uses it. The database itself outlives its workers."""

    def __init__(self, memory: Memory, worker: Worker) -> None:
        super().__init__(memory.engine)
        self.memory = memory
        self.worker = worker

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        self.worker.point("begin")
        with self.memory.transaction("BEGIN IMMEDIATE") as connection:
            before = self.memory.marks() if self.worker.marks else None
            yield connection
        self.worker.point("commit", verb=_moved(before, self.memory.marks()) if before else "")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        if self.worker.dead:
            raise Crash
        with self.memory.transaction("BEGIN", "ROLLBACK") as connection:
            yield connection

    def close(self) -> None:
        pass


class Inline(Executor):
    """Runs each call at once, where it is submitted: the order of calls is the same in every run."""

    def __init__(self, _: int = 1) -> None:
        pass

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except HubError as error:
            done.set_exception(error)
        return done


class Beside:
    """Work in a thread of its own that goes on only while it is told to: never two threads at once."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work
        self.done = False
        self._mine, self._theirs = threading.Lock(), threading.Lock()  # held; let go of by the other side
        self._mine.acquire()
        self._theirs.acquire()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._mine.acquire()
        try:
            self.work()
        finally:
            self.done = True
            self._theirs.release()

    def resume(self) -> None:
        """Let it work until it yields or ends."""
        if not self.done:
            self._mine.release()
            self._theirs.acquire()

    def give_back(self) -> None:
        """Called by the work itself: stop here until resumed."""
        self._theirs.release()
        self._mine.acquire()
