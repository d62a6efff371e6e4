"""Taking a pass's leases; who finds a small pass at work waits for it, for small passes are over in a moment.

Small passes follow each other closely while hints come in. Whoever waits says so in the store, and the next small pass
holds back: an ordinary pass is never kept from its turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Connection

from hub.errors import Unavailable
from hub.store import parts, runs
from hub.store.database import Store
from hub.sync.context import LEASE_SECONDS, Pass, instant
from hub.sync.holder import is_dead
from hub.sync.joint import join

SMALL = "hints"
"""Part of the name of those who hold a lease for a small pass."""
LOOK_AGAIN = 0.05
"""Seconds between two looks at a lease."""
_WAITS = "hints:ordinary pass waits until"


def take_leases(job: Pass, connection: Connection, owner: str, entities: list[str]) -> None:
    """Take them all, or none. Raises Unavailable when another pass holds one."""
    holder = f"{owner}/{SMALL}/{job.run}" if job.report.kind == "hints" else f"{owner}/{job.run}"
    now = job.clock()
    for entity in entities:
        if job.part is not None:
            join(job, connection, entity, holder, LEASE_SECONDS)
            continue
        name = f"entity:{entity}"
        job.leases[entity] = runs.take_lease(connection, name, holder, now, LEASE_SECONDS, is_dead)
        parts.clear_parts(connection, name, now, is_dead)


def patiently(begin: Callable[[], None], job: Pass, entities: list[str], patience: float) -> None:
    """``begin`` (which takes the leases), once no small pass is in the way, or after ``patience`` seconds. Raises
    Unavailable at once where an ordinary pass is at work."""
    if job.report.kind == "hints" or patience <= 0:
        begin()
        return
    ends = time.monotonic() + patience
    while True:
        _wait_for_small_passes(job, entities, ends)
        job.leases.clear()
        try:
            begin()
            return
        except Unavailable as error:
            # One may have come in between the look and the taking.
            if not is_taken(error) or time.monotonic() >= ends or _holders(job, entities, small=False):
                raise


def _wait_for_small_passes(job: Pass, entities: list[str], ends: float) -> None:
    while _holders(job, entities, small=True):
        with job.store.begin() as connection:
            runs.set_setting(connection, _WAITS, instant(job.clock() + timedelta(seconds=2)))
        if time.monotonic() >= ends:
            return
        time.sleep(LOOK_AGAIN)


def somebody_waits(store: Store, now: str) -> bool:
    """Whether small passes hold back just now."""
    with store.read() as connection:
        return (runs.setting(connection, _WAITS) or "") > now


def _holders(job: Pass, entities: list[str], *, small: bool) -> bool:
    """Whether a small pass (an ordinary one) that is alive holds one of these."""
    with job.store.read() as connection:
        holders = runs.holders(connection, [f"entity:{entity}" for entity in entities], job.clock())
    return any((f"/{SMALL}/" in holder) == small and not is_dead(holder) for holder in holders)


def is_taken(error: BaseException) -> bool:
    """Whether a pass was kept out because another one is at work."""
    return isinstance(error, Unavailable) and error.where == "store" and "another pass" in error.what
