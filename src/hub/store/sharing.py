"""How an account's quota is shared: pure arithmetic on what is known of everybody. No clock, no database.

*Rooms* (calls at once) are leased to holders. A holder alone gets what it asks for; with others it keeps its fair part
and gives the rest back as its calls end. Urgent work gets all but one room for each bulk holder. Where there are more
holders than rooms, they take turns.

*Moments* (when calls may begin) are handed out from one schedule. Bulk work may reserve only a little ahead of now, so
urgent work, which may always reserve, never waits longer than that little; and after a few urgent ones in a row it is
bulk work's turn, so that it is never starved.

*Units* (of a day's limit) are granted ahead, and count as used from then on: two workers can't both spend the last one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.connect.quota import Ask, Grant, Limits

HORIZON = 0.5
"""Seconds that bulk work may reserve ahead."""
URGENT_HORIZON = 10.0
"""Seconds that urgent work may reserve ahead."""
BLOCK = 0.5
"""Seconds that one holder may reserve at once."""
SPARE = 0.05
"""Seconds a second is made longer, so that a call which begins a little late still keeps the vendor's window."""
TURN = 0.5
"""Seconds after which a holder gives its rooms to one that has none."""
LONGEST_PAUSE = 3600.0
"""Seconds; a longer one is left from before a clock was set back."""
PATIENCE = 2.0
"""Seconds after which waiting bulk work goes before urgent work."""
URGENT_RUN = 3
"""Urgent reservations in a row while bulk work waits."""
KEPT = 0.05
"""Share of a day that is kept for urgent work. Bulk work begins nothing once no more than that is left; half of it is
there for bringing to an end what was begun."""
POLL = 0.05
LOOK = 0.25
"""Seconds after which waiting work asks again, at least and at most."""
FAR = 60.0
"""Seconds beyond which no moment is reserved: one that lies further ahead is left from before a clock was set back."""
TOLD_FOR = 3600.0
"""Seconds for which the vendor's word is believed without asking again."""


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of one account. Moments are seconds of the store's clock."""

    next_at: float = 0.0
    paused_until: float = 0.0
    urgent_run: int = 0
    bulk_refused_at: float = 0.0
    """When bulk work was last turned away, since it last got a moment; 0: it was not."""
    told: int | None = None
    """What the vendor said is left, less what was used since."""
    told_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Holder:
    """One process at work with the account."""

    name: str
    urgent: bool = False
    rooms: int = 0
    wants: int = 0
    since: float = 0.0
    """When it came into its rooms, or began to wait for one."""
    expires: float = 0.0


def rooms(total: int, others: Sequence[Holder], me: Holder, ask: Ask, now: float) -> tuple[int, Holder]:
    """Rooms for ``me`` (fewer than are busy: give back as calls end), and what to keep of it."""
    rivals = [other for other in others if other.wants > 0]
    free = max(0, total - sum(other.rooms for other in others) - me.rooms)
    waiting = [other for other in rivals if other.rooms == 0]
    mine = replace(me, urgent=ask.urgent, wants=ask.rooms)
    if me.rooms:
        # Whoever has nothing comes before whoever wants more.
        target = min(ask.rooms, _fair(total, rivals, ask.urgent), me.rooms + max(0, free - len(waiting)))
        if waiting and not free and target >= me.rooms and now - me.since >= TURN:
            target = 0
    else:
        before = sum(1 for other in waiting if _rank(other, now) < _rank(mine, now))
        target = min(ask.rooms, _fair(total, rivals, ask.urgent), max(0, free - before))
    held = max(target, ask.busy)
    turned = (held > 0) != (me.rooms > 0)
    since = now if turned or not (me.wants or me.rooms) else me.since
    return target, replace(mine, rooms=held, since=since)


def _fair(total: int, rivals: Sequence[Holder], urgent: bool) -> int:
    """The most rooms that one holder keeps beside these."""
    if not rivals:
        return total
    bulk = sum(not rival.urgent for rival in rivals) + (not urgent)
    if urgent:
        return max(1, (total - bulk) // (len(rivals) + 1 - bulk))
    for_urgent = min(sum(rival.wants for rival in rivals if rival.urgent), max(0, total - bulk))
    return max(1, (total - for_urgent) // bulk)


def _rank(holder: Holder, now: float) -> tuple[int, float, str]:
    first = holder.urgent or now - holder.since > PATIENCE
    return (0 if first else 1), holder.since, holder.name


def moments(limits: Limits, account: Account, ask: Ask, now: float) -> tuple[tuple[float, ...], float, Account]:
    """Reserved beginnings (of the store's clock), when to ask again (in seconds), and what to keep of it."""
    if not limits.per_second or ask.moments <= 0:
        return (), POLL, account
    gap = (1 / limits.per_second) * (1 + SPARE if limits.burst == 1 else 1)
    # A burst is a credit for past idleness: the schedule may lag behind by so many gaps.
    next_at = account.next_at if account.next_at - now < max(FAR, 2 * gap) else now
    start = max(next_at, now - gap * (limits.burst - 1), account.paused_until)
    bulk_waits = 0 < now - account.bulk_refused_at < PATIENCE
    if ask.urgent and account.urgent_run >= URGENT_RUN and bulk_waits:
        return (), POLL, account
    bulk_is_next = not ask.urgent and account.urgent_run >= URGENT_RUN
    horizon = max(HORIZON, gap)
    if ask.urgent and start - now > max(URGENT_HORIZON, gap):
        return (), LOOK, account
    if not ask.urgent and not bulk_is_next and start - now > horizon:
        return (), min(LOOK, max(POLL, start - now - horizon)), replace(account, bulk_refused_at=now)
    count = max(1, min(ask.moments, int(BLOCK / gap)))
    made = tuple(max(now, start + gap * at) for at in range(count))
    run = account.urgent_run + 1 if ask.urgent else 0
    refused = account.bulk_refused_at if ask.urgent else 0.0
    return made, POLL, replace(account, next_at=start + gap * count, urgent_run=run, bulk_refused_at=refused)


def left_of_day(limits: Limits, account: Account, used: int, now: float) -> tuple[int | None, bool]:
    """What is left, and whether the vendor said so. Where both are known, the smaller is believed."""
    counted = limits.per_day - used if limits.per_day is not None else None
    told = account.told if account.told is not None and now - account.told_at < TOLD_FOR else None
    if told is None:
        return (None if counted is None else max(0, counted)), False
    by_vendor = counted is None or told <= counted
    return max(0, told if by_vendor or counted is None else counted), by_vendor


def kept(limits: Limits, used: int, left: int) -> int:
    """Of a day's limit, what is kept for urgent work."""
    return math.ceil(KEPT * (limits.per_day or used + left))


def units(limits: Limits, account: Account, ask: Ask, used: int, now: float) -> tuple[int, int | None, Account]:
    """Units granted ahead, what is left for this kind of work after that (None: no limit), and what to keep of it.

    ``used``: of the day so far, what this question hands in included.
    """
    known = account
    if ask.told is not None:
        known = replace(account, told=ask.told, told_at=now)
    elif account.told is not None:
        known = replace(account, told=account.told - ask.units)
    left, _ = left_of_day(limits, known, used, now)
    if left is None:
        return 0, None, known
    mine = left if ask.urgent or ask.ending else left - kept(limits, used, left) // 2
    if ask.ahead <= 0 or mine < max(1, ask.cost):
        return 0, max(0, mine), known
    ahead = min(mine, max(ask.cost, min(ask.ahead, mine // 10)))
    if known.told is not None:
        known = replace(known, told=known.told - ahead)
    return ahead, max(0, mine - ahead), known


def pause(account: Account, ask: Ask, now: float) -> tuple[float, Account]:
    """Seconds that everybody waits, and what to keep of it."""
    if ask.pause > 0:
        account = replace(account, paused_until=max(account.paused_until, now + ask.pause))
    if account.paused_until - now > LONGEST_PAUSE:
        account = replace(account, paused_until=now)
    return max(0.0, account.paused_until - now), account


def grant(
    limits: Limits, account: Account, others: Sequence[Holder], me: Holder, ask: Ask, used: int, now: float
) -> tuple[Grant, Account, Holder, int]:
    """Everything at once: the answer, what to keep of the account and of the holder, and the units granted ahead."""
    wait, account = pause(account, ask, now)
    if limits.at_once:
        target, holder = rooms(limits.at_once, others, me, ask, now)
    else:
        target, holder = ask.rooms, replace(me, urgent=ask.urgent, rooms=0, wants=ask.rooms)
    begin, again, account = moments(limits, account, ask, now)
    ahead, left, account = units(limits, account, ask, used, now)
    made = Grant(target, tuple(at - now for at in begin), wait, again, ahead, left)
    return made, account, holder, ahead
