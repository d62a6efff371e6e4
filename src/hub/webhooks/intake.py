"""The intake: takes messages in, proves them, stores what they tell of, and answers at once.

What comes in at the same time is stored in one transaction: an answer means that the hint is in the database. A message
never reaches further than this: the records are asked for later, by whoever drains the queue.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.errors import AuthenticationError, HubError, Unavailable
from hub.store import hints
from hub.store.database import Store
from hub.webhooks.doors import Door, Told

LONGEST_BODY = 1024 * 1024
FULL = 100_000
"""Hints that may wait: more are refused until some are looked at. Nothing is lost by it, polling sees them."""
_log = logging.getLogger("hub.webhooks")


class Counts:
    """What came in since it was last written down. Refused messages are only counted here: whoever forges them by the
    thousand makes the hub count, not write."""

    def __init__(self, now: Callable[[], str]) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._counters: dict[str, Counter[str]] = {}
        self._last: dict[str, dict[str, str]] = {}

    def add(self, system: str, **numbers: int) -> None:
        with self._lock:
            self._counters.setdefault(system, Counter()).update(numbers)
            name = "refused_at" if "refused" in numbers else "last_at"
            self._last.setdefault(system, {})[name] = self._now()

    def taken(self) -> list[dict[str, Any]]:
        """Rows for ``hints.add_counts``, once."""
        with self._lock:
            rows = [{"system": s, **counter, **self._last.get(s, {})} for s, counter in self._counters.items()]
            self._counters, self._last = {}, {}
        return rows


@dataclass(slots=True)
class Recorder:
    """Stores what messages tell of, all that wait together in one transaction."""

    store: Store
    counts: Counts
    now: Callable[[], str]
    stored: Callable[[], None]
    """Called when there is something new."""
    _waiting: list[tuple[list[Told], asyncio.Future[None]]] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None
    _full: bool = False
    _looked: float = float("-inf")

    async def put(self, told: list[Told]) -> None:
        """Return when it is stored. Raises Unavailable when the queue is full or the database can't be reached."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((told, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._store_all())
        await future

    async def _store_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(self._store, [one for told, _ in batch for one in told])
            except Exception as error:
                failure = error if isinstance(error, HubError) else Unavailable(type(error).__name__, where="store")
                for _, future in batch:
                    if not future.done():
                        future.set_exception(failure)
            else:
                for _, future in batch:
                    if not future.done():
                        future.set_result(None)
                self.stored()

    def _store(self, told: list[Told]) -> None:
        if time.monotonic() - self._looked > 1.0:
            with self.store.read() as connection:
                self._full = hints.count(connection) >= FULL
            self._looked = time.monotonic()
        if self._full:
            raise Unavailable("too many hints wait to be looked at", where="webhooks")
        with self.store.begin() as connection:
            hints.add(connection, told, self.now())
            hints.add_counts(connection, self.counts.taken())


class Intake:
    """The web application. ``doors`` may be replaced while it runs."""

    def __init__(self, doors: Mapping[str, Door], recorder: Recorder, counts: Counts, *, answer: int = 202) -> None:
        self.doors = doors
        self._recorder = recorder
        self._counts = counts
        self._answer = answer
        self._said: dict[str, float] = {}
        routes = [
            Route("/health", self._health, methods=["GET"]),
            # A proxy may hand the path on whole, or without what comes before the system's name.
            Route("/{path:path}", self._receive, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"ok": True})

    async def _receive(self, request: Request) -> Response:
        system = str(request.path_params["path"]).rstrip("/").rpartition("/")[2]
        door = self.doors.get(system)
        if door is None:
            return Response(status_code=404)
        body = await _body(request)
        if body is None:
            self._counts.add(system, refused=1)
            return Response(status_code=413)
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            told = door.told(headers, body)
        except AuthenticationError as error:
            return self._refused(system, 401, error)
        except HubError as error:
            return self._refused(system, 400, error)
        if not told:
            self._counts.add(system, accepted=1, useless=1)
            return Response(status_code=self._answer)
        self._counts.add(system, accepted=1, hints=len(told))
        try:
            await self._recorder.put(told)
        except HubError as error:
            self._say(system, error)
            return Response(status_code=503, headers={"Retry-After": "30"})
        return Response(status_code=self._answer)

    def _refused(self, system: str, status: int, error: HubError) -> Response:
        self._counts.add(system, refused=1)
        self._say(system, error)
        return Response(status_code=status)

    def _say(self, system: str, error: HubError) -> None:
        """Once a minute, and nothing of what the message said: whoever sends rubbish must not fill the log with it."""
        now = time.monotonic()
        if now - self._said.get(system, float("-inf")) > 60:
            self._said[system] = now
            _log.warning("%s: %s", system, error.what)


async def _body(request: Request) -> bytes | None:
    """The whole body; None when it is too long, or was never sent to its end."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > LONGEST_BODY:
                return None
            parts.append(part)
    except ClientDisconnect:
        return None
    return b"".join(parts)
