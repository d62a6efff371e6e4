"""One process's share of an account's quota: what it was granted, and what it has made of it.

Most calls begin from what is in hand, without asking anybody: rooms (calls at once), moments (when a call may begin)
and units (of the day's limit) are granted a handful at a time. Asking is one short transaction above; a keeper calls
``tick`` twice a second while there is work, which renews what is in use and gives back what is not.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from hub.connect.quota import Account, Ask, Grant, Settle
from hub.errors import RateLimited

LATE = 0.05
"""Seconds by which a call may miss its moment; after that it takes another one, so that calls never bunch up."""
BLOCK = 0.5
"""Seconds for which moments are reserved at once."""
AHEAD = 50
"""Units asked for at once."""
TRIES = 5
"""Moments missed in a row before a call goes ahead: a machine too busy to keep time must not stand still."""
IDLE_TICKS = 2


class Share:
    """Thread-safe. ``urgent`` says whether a person or a webhook waits for what this process does."""

    def __init__(
        self,
        account: Account,
        settle: Settle,
        *,
        system: str = "",
        urgent: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._urgent = urgent
        self.account = account
        self.system = system
        self._settle = settle
        self._clock = clock
        self._asking = threading.Lock()
        self._state = threading.Condition()
        self._known = False
        self._limited = False
        self._rooms = 0
        self._moments: deque[float] = deque()
        self._ahead = 0
        self._paused_until = 0.0
        self._busy = 0
        self._waiting = 0
        self._peak = 0
        """Most calls at once since the last tick."""
        self._begun: deque[float] = deque(maxlen=256)
        self._calls = 0
        self._units = 0
        self._told: int | None = None
        self._idle = 0
        self.made = 0
        """Calls begun by this process."""
        self.spent = 0
        """What they cost."""

    @contextmanager
    def slot(
        self, sleep: Callable[[float], None] = time.sleep, *, cost: int = 1, ending: bool = False
    ) -> Iterator[None]:
        """See ``Slots.slot``."""
        self._begin(sleep, cost, ending)
        try:
            yield
        finally:
            with self._state:
                self._busy -= 1
                self._state.notify()

    @property
    def in_hand(self) -> int:
        """Units that were granted ahead and not used."""
        return self._ahead

    @property
    def limited(self) -> bool:
        """Whether a day's limit is known, so that looking before something large begins is worth a question."""
        return self._limited or self.account.limits.per_day is not None

    def pause(self, seconds: float) -> None:
        """See ``Slots.pause``; the others hear of it with their next question, within a second."""
        with self._state:
            self._paused_until = max(self._paused_until, self._clock() + seconds)
        self._ask(pause=seconds)

    def told(self, left: int) -> None:
        """See ``Slots.told``; handed on with the next question."""
        with self._state:
            self._told = max(0, left - self._ahead)  # what we were granted is spoken for

    def tick(self) -> bool:
        """Renew what is in use, give back what is not, hand in what was counted. False: there is nothing to keep."""
        with self._state:
            in_use = self._busy or self._waiting or self._peak
            self._idle = 0 if in_use else self._idle + 1
            nothing = not (self._rooms or self._ahead or self._calls or self._units or self._told is not None)
            if self._idle and nothing:
                return False
        if self._asking.locked():
            return True  # somebody is asking just now, which renews as well
        self._ask(release=self._idle >= IDLE_TICKS)
        return True

    def hand_in(self) -> None:
        """Tell what was counted, so that a look at the account sees it."""
        with self._state:
            nothing = not (self._calls or self._units or self._told is not None)
        if not nothing:
            self._ask()

    def close(self) -> None:
        """Give everything back."""
        self._idle = IDLE_TICKS
        with self._state:
            nothing = not (self._rooms or self._ahead or self._calls or self._units or self._told is not None)
        if not nothing:
            self._ask(release=True)

    # --- beginning a call -----------------------------------------------------------------------------

    def _begin(self, sleep: Callable[[float], None], cost: int, ending: bool) -> None:
        with self._state:
            self._waiting += 1
        try:
            missed = 0
            while True:
                moment = self._wait_for_turn(sleep, cost, ending)
                wait = moment - self._clock()
                if wait > 0:
                    sleep(wait)
                if self._clock() - moment <= LATE or not self.account.limits.per_second or missed >= TRIES:
                    return
                missed += 1
                self._give_back(cost)
        finally:
            with self._state:
                self._waiting -= 1

    def _wait_for_turn(self, sleep: Callable[[float], None], cost: int, ending: bool) -> float:
        """When the call may begin, by our clock; it counts as under way from now on."""
        while True:
            with self._state:
                moment = self._take(cost)
                if moment is not None:
                    return moment
                limit = self.account.limits.at_once
                if limit and self._known and self._busy >= self._rooms >= limit:
                    self._state.wait(1.0)  # all that there is, is ours
                    continue
            again = self._ask_unless_changed(cost, ending)
            if again > 0:
                sleep(again)

    def _take(self, cost: int) -> float | None:
        """Begin with what is in hand; None when it is not enough."""
        limits, now = self.account.limits, self._clock()
        if not self._known or (limits.at_once and self._busy >= self._rooms) or now < self._paused_until:
            return None
        if self._limited and self._ahead < cost:
            return None
        moment = now
        if limits.per_second:
            while self._moments and now - self._moments[0] > LATE:
                self._moments.popleft()
            if not self._moments:
                return None
            moment = self._moments.popleft()
        if self._limited:
            self._ahead -= cost
        else:
            self._units += cost
        self._busy += 1
        self._calls += 1
        self.made += 1
        self.spent += cost
        self._peak = max(self._peak, self._busy)
        self._begun.append(now)
        return moment

    def _give_back(self, cost: int) -> None:
        with self._state:
            self._busy -= 1
            self._calls -= 1
            self.made -= 1
            self.spent -= cost
            if self._limited:
                self._ahead += cost
            else:
                self._units -= cost
            self._state.notify()

    # --- asking ---------------------------------------------------------------------------------------

    def _ask_unless_changed(self, cost: int, ending: bool) -> float:
        """Ask for what is missing; returns how long to wait before looking again. Raises RateLimited."""
        with self._asking:
            with self._state:
                enough = self._could_take(cost)
            if enough:
                return 0.0  # another thread's question was answered for us too
            grant = self._ask_now(cost=cost, ending=ending)
        with self._state:
            if self._limited and self._ahead < cost and (grant.left or 0) < cost:
                raise self._used_up(grant)
            return 0.0 if self._could_take(cost) else max(grant.again, self._paused_until - self._clock())

    def _could_take(self, cost: int) -> bool:
        limits, now = self.account.limits, self._clock()
        return (
            self._known
            and not (limits.at_once and self._busy >= self._rooms)
            and now >= self._paused_until
            and not (self._limited and self._ahead < cost)
            and self._could_begin(now)
        )

    def _could_begin(self, now: float) -> bool:
        """Whether there is a moment for another call."""
        return not self.account.limits.per_second or any(now - moment <= LATE for moment in self._moments)

    def _ask(self, *, release: bool = False, pause: float = 0.0) -> None:
        with self._asking:
            self._ask_now(release=release, pause=pause)

    def _ask_now(self, *, cost: int = 0, ending: bool = False, release: bool = False, pause: float = 0.0) -> Grant:
        with self._state:
            calls, units, told = self._calls, self._units, self._told
            back = self._ahead if release else 0
            ask = replace(self._question(cost, back, release, pause), ending=ending)
        grant = self._settle(self.account.owner, self.account.limits, ask)
        with self._state:
            now = self._clock()
            # What was counted meanwhile stays for the next question.
            self._calls -= calls
            self._units -= units
            if self._told == told:
                self._told = None
            self._known = True
            self._rooms = grant.rooms
            self._limited = grant.left is not None
            self._ahead += grant.ahead - back
            self._moments.extend(now + seconds for seconds in grant.moments)
            if grant.pause:
                self._paused_until = max(self._paused_until, now + grant.pause)
            self._peak = self._busy
            self._state.notify_all()
            return grant

    def _question(self, cost: int, back: int, release: bool, pause: float) -> Ask:
        now = self._clock()
        recent = sum(1 for begun in self._begun if now - begun <= BLOCK)
        moments = max(self._waiting, recent) if cost and self.account.limits.per_second else 0
        return Ask(
            urgent=self._urgent(),
            rooms=self._busy if release else max(self._busy + self._waiting, self._peak),
            busy=self._busy,
            moments=0 if self._could_begin(now) else moments,
            calls=self._calls,
            units=self._units - back,
            ahead=max(AHEAD, 2 * cost) if cost and self._ahead < cost else 0,
            cost=cost,
            told=self._told,
            pause=pause,
        )

    def _used_up(self, grant: Grant) -> RateLimited:
        limits = self.account.limits
        kept = "" if self._urgent() else " (but for what is kept for urgent work)"
        hours = max(1, round(grant.more_in / 3600))
        return RateLimited(
            f"the {limits.unit} that the vendor allows a day are used up{kept}",
            wait=grant.more_in or None,
            where=self.system or None,
            cure=f"nothing to do: later passes go on with the rest; there will be more in about {hours} h",
            spread=True,
        )
