"""What a vendor allows one account, and how the threads, processes and hosts that use it share that.

A connector knows the ``Limits``; whoever opened it lends a ``Quota`` (``Services.quota``) that knows what all the
others are doing. The kit itself knows no store: without a ``Quota`` each process keeps to the limits by itself
(``Budget``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ROLLING = "rolling"


def day_of(text: str) -> str:
    """``rolling``, or the name of a time zone. Raises ValueError for anything else."""
    if text != ROLLING:
        try:
            ZoneInfo(text)
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise ValueError(f"{text!r} is neither {ROLLING!r} nor a time zone, e.g. Asia/Shanghai") from error
    return text


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account may do. None: no limit is known."""

    per_second: float | None = None
    at_once: int | None = None
    """Calls under way at the same time."""
    burst: int = 1
    """Calls that may follow each other without a pause after a rest."""
    per_day: int | None = None
    """In ``unit``."""
    day: str = ROLLING
    """``rolling``: the last 24 hours; else the time zone whose midnight begins a new day (``Asia/Shanghai``)."""
    unit: str = "calls"
    """What the day's limit counts: calls, or the vendor's own credits."""

    def __post_init__(self) -> None:
        if self.per_second is not None and self.per_second <= 0:
            raise ValueError("per_second must be above 0")
        if self.burst < 1 or (self.at_once is not None and self.at_once < 1):
            raise ValueError("at_once and burst must be at least 1")
        if self.per_day is not None and self.per_day < 1:
            raise ValueError("per_day must be at least 1")
        day_of(self.day)


class Slots(Protocol):
    """The right to make calls of one account."""

    def slot(
        self, sleep: Callable[[float], None] = ..., *, cost: int = 1, ending: bool = False
    ) -> AbstractContextManager[None]:
        """Hold this while a call is under way; waits for its turn. ``cost`` is in the limits' unit. ``ending``: a
        write, maybe one step of several: it may use what is kept for urgent work rather than leave a record half-way.

        Raises RateLimited (``spread``) when the day's limit leaves nothing for this call.
        """
        ...

    def pause(self, seconds: float) -> None:
        """The system asked us to slow down: nobody calls for that long, wherever they are."""
        ...

    def told(self, left: int) -> None:
        """The vendor said how much of the day is left, in ``unit``."""
        ...


class Account(Protocol):
    """An account at a vendor: what its quota is kept under, and its limits."""

    @property
    def owner(self) -> str: ...

    @property
    def limits(self) -> Limits: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands. Counts are in ``unit`` and of the limits' day."""

    owner: str
    unit: str = "calls"
    calls: int = 0
    """Calls made, whatever they cost."""
    used: int = 0
    """As the hub counted its own."""
    per_day: int | None = None
    left: int | None = None
    """None: nobody knows."""
    kept: int = 0
    """Of what is left, kept for urgent work (webhooks, a person's apply)."""
    by_vendor: bool = False
    """Whether ``left`` is what the vendor said (less what was used since), not the hub's own count."""
    more_in: float = 0.0
    """Seconds until some of it comes back."""

    @property
    def for_bulk(self) -> int | None:
        """What is left for passes that can wait."""
        return None if self.left is None else max(0, self.left - self.kept)


class Quota(Protocol):
    """Everybody's calls, seen together."""

    urgent: bool
    """Whether a person or a webhook waits for what this process does: it goes before passes that can wait."""

    def share(self, account: Account, system: str) -> Slots:
        """This process's share of an account's quota. ``system``: who uses it, by its name in ``hub.yaml``."""
        ...

    def standing(self, system: str) -> Standing | None:
        """Where the account of a system stands; None when it uses none (a database), or did not yet."""
        ...

    def standings(self) -> list[tuple[list[str], Standing]]:
        """All accounts that were ever used, with the names of the systems that use them."""
        ...

    def limited(self, system: str) -> bool:
        """Whether a limit of the day is known for a system's account; asks nobody."""
        ...

    def room(self, system: str) -> int | None:
        """Units of the day that this process may begin something with: what is left, less what is kept for urgent
        work if this is not. None: not limited."""
        ...

    def made(self, system: str) -> tuple[int, int] | None:
        """Calls that this process has made of a system's account, and what they cost; None: it uses none (yet)."""
        ...


@contextmanager
def urgently(quota: Quota | None) -> Iterator[None]:
    """What is done meanwhile has somebody waiting for it."""
    if quota is None:
        yield
        return
    before, quota.urgent = quota.urgent, True
    try:
        yield
    finally:
        quota.urgent = before


@dataclass(frozen=True, slots=True)
class Ask:
    """What one share tells and wants of the quota. Times are in seconds from now."""

    urgent: bool = False
    rooms: int = 0
    """Calls at once it could use: those under way and those waiting to begin."""
    busy: int = 0
    """Calls under way: their rooms can't be given back yet."""
    moments: int = 0
    """Reserved beginnings it could use soon."""
    calls: int = 0
    """Calls begun since it last asked."""
    units: int = 0
    """What they cost beyond what was granted ahead; below 0: granted ahead and given back."""
    ahead: int = 0
    """Units it wants granted ahead."""
    cost: int = 0
    """Units that the next call costs: with less it can't begin."""
    ending: bool = False
    """Whether that call brings something to an end that was begun."""
    told: int | None = None
    """What the vendor said is left."""
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Grant:
    """What it gets."""

    rooms: int = 0
    """Calls at once; fewer than are under way: some are to be given back as they end."""
    moments: tuple[float, ...] = ()
    """When calls may begin, in seconds from now, ascending."""
    pause: float = 0.0
    """Nothing may begin before."""
    again: float = 0.05
    """When to ask again, where not all was granted."""
    ahead: int = 0
    """Units granted, counted as used already."""
    left: int | None = None
    """Units left for this kind of work, after what is granted; None: not limited."""
    more_in: float = 0.0
    """Seconds until there will be more units."""


Settle = Callable[[str, Limits, Ask], Grant]
"""(owner, limits, ask) → grant. Raises Unavailable (where: store) when the others can't be asked."""
