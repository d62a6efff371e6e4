"""One rate budget per quota owner: calls a second, and calls at once, shared by all threads of a process.

The quota belongs to the account at the vendor, not to the system in our configuration: two systems that use the same
Zoho org share one ``Budget`` by naming the same owner. Where the hub lends a ``Quota`` (``Services.quota``), the budget
only says what the limits are, and the share that the quota gives keeps them for all processes and hosts together.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

from hub.connect.quota import ROLLING, Limits


class Budget:
    """Hands out the right to make a call. Fair enough: whoever asks first is given the earliest free moment.

    ``per_second`` and ``at_once`` of None mean no limit. ``burst`` calls may follow each other without a pause.
    ``per_day`` (in ``unit``; see ``Limits``) is for the quota that counts all processes: one process by itself can't
    know what was used today.
    """

    def __init__(
        self,
        *,
        per_second: float | None = None,
        at_once: int | None = None,
        burst: int = 1,
        per_day: int | None = None,
        day: str = ROLLING,
        unit: str = "calls",
        owner: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = Limits(per_second, at_once, burst, per_day, day, unit)
        """As they stand."""
        self.owner = owner
        self.per_second = per_second
        self.at_once = at_once
        self.per_day = per_day
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(at_once) if at_once else None
        self._next = 0.0
        self._paused_until = 0.0

    @contextmanager
    def slot(
        self, sleep: Callable[[float], None] = time.sleep, *, cost: int = 1, ending: bool = False
    ) -> Iterator[None]:
        """Hold this while a call is under way. Waits (through ``sleep``) for its turn. Costs are not counted."""
        with self._room or nullcontext():
            wait = self._reserve()
            if wait > 0:
                sleep(wait)
            yield

    def pause(self, seconds: float) -> None:
        """The system asked us to slow down: nobody calls for that long."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock() + seconds)

    def told(self, left: int) -> None:
        """Of no use here: see ``Slots.told``."""

    def tighten(self, per_second: float | None, at_once: int | None, per_day: int | None = None) -> None:
        """Another user of the same quota asks for these limits: the stricter rate holds from now on.

        ``at_once`` of a budget in use can't shrink, so the first one's stays; give systems of one owner the same.
        """
        with self._lock:
            if per_second is not None:
                self.per_second = min(per_second, self.per_second or per_second)
            if at_once is not None and self._room is None:
                self.at_once, self._room = at_once, threading.BoundedSemaphore(at_once)
            if per_day is not None:
                self.per_day = min(per_day, self.per_day or per_day)
            self.limits = replace(self.limits, per_second=self.per_second, at_once=self.at_once, per_day=self.per_day)

    def _reserve(self) -> float:
        """Seconds to wait before the moment reserved for the caller."""
        with self._lock:
            now = self._clock()
            at = max(now, self._paused_until)
            if self.per_second:
                gap = 1 / self.per_second
                # A burst is a credit for past idleness: the schedule may lag behind by so many gaps.
                self._next = max(self._next, now - gap * (self._burst - 1))
                at = max(at, self._next)
                self._next = max(self._next, self._paused_until) + gap
            return at - now


_budgets: dict[str, Budget] = {}
_budgets_lock = threading.Lock()


def budget_of(
    owner: str,
    *,
    per_second: float | None = None,
    at_once: int | None = None,
    burst: int = 1,
    per_day: int | None = None,
    day: str = ROLLING,
    unit: str = "calls",
) -> Budget:
    """The process-wide budget of a quota owner (``"zoho:<client id>"``), made on first use."""
    with _budgets_lock:
        found = _budgets.get(owner)
        if found is None:
            found = _budgets[owner] = Budget(
                per_second=per_second, at_once=at_once, burst=burst, per_day=per_day, day=day, unit=unit, owner=owner
            )
        else:
            found.tighten(per_second, at_once, per_day)
        return found
