"""Notifications of a sandbox, and everything that goes wrong with such messages on their way.

``Sender`` posts from a thread of its own, so that a slow receiver never delays the product's API. ``Plugin`` is what a
customer's own lines in a product do that has no notifications: it posts the hub's own message at every change.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import requests

from hub.connect import hooks

Record = dict[str, Any]
TIMEOUT = 5.0
GUESS = "0" * 40
"""The key that a forger tries."""


@dataclass(slots=True)
class Delivery:
    """How messages travel. The numbers mean: every so many (0: none)."""

    lose: bool = False
    twice: bool = False
    reverse: bool = False
    """The next two messages change places."""
    lose_every: int = 0
    twice_every: int = 0
    late_every: int = 0
    late: float = 1.0
    """Seconds by which a late one comes later than those after it."""
    forge_every: int = 0
    """Somebody sends one of his own beside it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One post."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Sender:
    """Posts messages in order, but for what ``delivery`` says. Thread-safe."""

    def __init__(self) -> None:
        self.delivery = Delivery()
        self.answers: dict[str, int] = {}
        """Status (or ``unreachable``) → how many messages were answered by it."""
        self._count = 0
        self._held: list[Message] = []
        self._queue: list[tuple[float, int, Message]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._under_way = 0
        self._thread: threading.Thread | None = None

    def post(self, message: Message, forged: Callable[[], Message] | None = None) -> None:
        """Send a message, or what becomes of it. ``forged`` makes one that somebody else would send for it."""
        with self._changed:
            self._count += 1
            how, late = self.delivery, 0.0
            if how.lose or self._hits(how.lose_every):
                return
            if self._hits(how.late_every):
                late = float(how.late)
            ready = [message]
            if how.reverse:
                self._held.append(message)
                if len(self._held) < 2:
                    return
                ready, self._held, how.reverse = self._held[::-1], [], False
            if how.twice or self._hits(how.twice_every):
                ready = ready * 2
            if forged is not None and self._hits(how.forge_every):
                ready.append(forged())
            for one in ready:
                heapq.heappush(self._queue, (time.monotonic() + late, next(self._numbers), one))
            if self._thread is None:
                self._thread = threading.Thread(target=self._send_all, name="sandbox hooks", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until every message taken so far has been sent."""
        with self._changed:
            self._changed.wait_for(lambda: not self._queue and not self._under_way)

    def _hits(self, every: int) -> bool:
        return every > 0 and self._count % every == 0

    def _send_all(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while True:
                message = self._next()
                try:
                    headers = {"Content-Type": "application/json", **message.headers}
                    answer = str(session.post(message.url, message.body, headers=headers, timeout=TIMEOUT).status_code)
                except requests.RequestException:
                    # A receiver that is down misses the message: what vendors do then is mostly not documented.
                    answer = "unreachable"
                with self._changed:
                    self.answers[answer] = self.answers.get(answer, 0) + 1
                    self._under_way -= 1
                    self._changed.notify_all()

    def _next(self) -> Message:
        with self._changed:
            while True:
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    self._under_way += 1
                    return heapq.heappop(self._queue)[2]
                self._changed.wait(wait)


class Plugin:
    """A customer's own lines in a product: at each change of a record they post the hub's own message."""

    def __init__(self) -> None:
        self.sender = Sender()
        self._targets: list[Record] = []

    def install(self, url: str, key: str, resources: list[str]) -> None:
        """Tell ``url`` of changes in these resources (none: in all)."""
        self._targets.append({"url": url, "key": key, "resources": resources})

    def remove(self) -> None:
        self._targets = []

    def note(self, entry: Record) -> None:
        """A record changed; ``entry`` is the journal's."""
        for target in self._targets:
            if not target["resources"] or entry["resource"] in target["resources"]:
                url = str(target["url"])
                self.sender.post(_signed(url, entry, target["key"]), partial(_signed, url, entry, GUESS))

    def as_json(self) -> Record:
        """What is installed (without keys), how messages travel, and how they were answered."""
        targets = [{"url": target["url"], "resources": target["resources"]} for target in self._targets]
        return {"hooks": targets, "delivery": asdict(self.sender.delivery), "answers": dict(self.sender.answers)}


def _signed(url: str, entry: Record, key: str) -> Message:
    body = hooks.written(str(entry["resource"]), [str(entry["id"])])
    return Message(url, body, {"X-Hub-Signature": hooks.sign(body, key)})
