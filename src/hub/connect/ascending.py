"""Change feeds of products whose ids grow and whose records tell when they changed: pages go by id, never by time.

The next reading begins where this one began, by the server's clock, less an overlap: what changes behind a page's back
is found then. The engine drops what is shown again unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.connect.capabilities import Page, Remote

Ask = Callable[[Any, datetime | None], tuple[Sequence[Remote], datetime | None]]
"""(id to go on behind, changed since or None) → the next page by id, and the server's clock if it shows one."""


def changes(ask: Ask, cursor: str | None, *, size: int, overlap: float, now: Callable[[], datetime]) -> Iterator[Page]:
    """Pages of what changed since the cursor, of everything without one. ``size``: records of a full page; ``overlap``
    in seconds, longer than the longest transaction. A cursor that is none of ours, or lies in the future because the
    server's clock or its database was put back, leads to everything."""
    since, begun, last = since_of(cursor), "", 0
    while True:
        found, clock = ask(last, since)
        clock = clock or now()
        if since is not None and since > clock:
            since = None
            continue
        begun = begun or (clock - timedelta(seconds=overlap)).isoformat()
        done = len(found) < size
        yield Page(list(found), begun if done else None, complete=done and since is None)
        if done:
            return
        last = int(found[-1].id)


def ids(ask: Callable[[Any], Sequence[int]], *, size: int) -> Iterator[list[str]]:
    """Ids of all records; ``ask`` gives a page of them behind an id."""
    last = 0
    while True:
        found = ask(last)
        yield [str(one) for one in found]
        if len(found) < size:
            return
        last = found[-1]


def since_of(cursor: str | None) -> datetime | None:
    """The moment that a cursor stands for; None for what is none."""
    try:
        moment = datetime.fromisoformat(cursor or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
