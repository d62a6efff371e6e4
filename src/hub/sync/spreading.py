"""Spreading work over days: nothing is begun that the day's limit has no room for; a later pass takes it up.

Stopping between two pages, or before a batch of writes, costs nothing: cursors stand at the last stored page, and what
was not sent stays to be planned. A connector that is refused in the middle of something would have to be cleaned up
after; that is what a part of the day is kept for (``hub.store.sharing``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hub.connect.capabilities import Cost, Costs, Page, Write, Writing
from hub.errors import RateLimited
from hub.sync.context import Pass
from hub.sync.policy import Endpoint

PAGE = Cost(1, 1)


def rationed(job: Pass, endpoint: Endpoint, pages: Iterable[Page]) -> Iterable[Page]:
    """The same pages; before each one, whether there is room for it. Raises RateLimited (``spread``) in its turn."""
    return pages if job.setup.quota is None else _rationed(job, endpoint, pages)


def _rationed(job: Pass, endpoint: Endpoint, pages: Iterable[Page]) -> Iterator[Page]:
    coming = iter(pages)
    while True:
        check(job, endpoint, PAGE, "reading")
        page = next(coming, None)
        if page is None:
            return
        yield page


def check_writes(job: Pass, endpoint: Endpoint, action: str, writes: Sequence[Write]) -> None:
    """Whether there is room for one batch. Raises RateLimited (``spread``) when there isn't: nothing was sent."""
    quota, connector = job.setup.quota, endpoint.connector
    if quota is None or not quota.limited(endpoint.system):
        return
    if not isinstance(connector, Costs):
        check(job, endpoint, PAGE.times(len(writes) + 1), "writing")  # a call each, and one to look again
        return
    lists = [[v for v in write.values.values() if isinstance(v, list)] for write in writes]
    writing = Writing(
        action=action,  # type: ignore[arg-type]
        records=len(writes),
        fields=endpoint.lens.remote_fields,
        options=endpoint.lens.write_options,
        with_lines=sum(bool(found) for found in lists) if action in ("create", "update") else 0,
        lines=sum(len(lines) for found in lists for lines in found),
        shapes=len({frozenset(write.values) for write in writes}),
    )
    check(job, endpoint, connector.write_cost(endpoint.resource.name, writing), "writing")


def check(job: Pass, endpoint: Endpoint, cost: Cost, what: str) -> None:
    """Raises RateLimited (``spread``) when a system's day has no room for this any more."""
    quota = job.setup.quota
    if quota is None:
        return
    room = quota.room(endpoint.system)
    if room is None or cost.units <= room:
        return
    standing = quota.standing(endpoint.system)
    unit = standing.unit if standing else "calls"
    left, kept = (standing.left or 0, standing.kept) if standing else (0, 0)
    held = f" ({kept:,} of them kept for urgent work)" if kept else ""
    raise RateLimited(
        f"{what} stops here: {left:,} {unit} of the day's limit are left{held}",
        wait=standing.more_in if standing else None,
        where=endpoint.system,
        cure="nothing to do: later passes go on with the rest",
        spread=True,
    )
