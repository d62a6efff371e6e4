"""What the hub lends a connector: a cache shared between processes, the clock, sleeping, a logger."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from hub.connect.quota import Quota


class Cache(Protocol):
    """Small values (tokens, session ids) shared by the threads and processes that use one account."""

    def get(self, key: str) -> str | None:
        """The value, None when it is missing or has expired."""
        ...

    def set(self, key: str, value: str, seconds: float) -> None:
        """Keep ``value`` for ``seconds``."""
        ...

    def lock(self, key: str) -> AbstractContextManager[object]:
        """Only one holder at a time, over all threads and processes: the second finds the first one's value."""
        ...


@dataclass(slots=True)
class Services:
    """Handed to a connector when it is opened. Everything impure comes in through here."""

    system: str
    """Name of the system in ``hub.yaml``: for messages and as prefix of cache keys."""
    cache: Cache
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    sleep: Callable[[float], None] = time.sleep
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("hub.connect"))
    quota: Quota | None = None
    """What everybody who uses the same account shares; None: each process keeps to the limits by itself."""
