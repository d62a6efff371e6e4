"""Unlinked: records of a system that were seen and belong to nothing yet, for they wait or can't be read.

One of them may be what a plan is about to make there: then it is not made, or there would be two.
"""

from __future__ import annotations

from sqlalchemy import Connection

from hub.store import records, shadows, work
from hub.store.records import Stored
from hub.sync.policy import Endpoint


def keys(connection: Connection, endpoint: Endpoint, rules: tuple[tuple[str, ...], ...]) -> dict[int, str]:
    """Match key → remote id, of all of them. ``rules``: by which they are matched once they are understood."""
    system, entity = endpoint.system, endpoint.entity
    there = work.unread(connection, system, entity) if rules else {}
    waiting = work.waiting(connection, system, entity) if rules else []
    if waiting:
        known = shadows.known(connection, system, entity, [row["remote_id"] for row in waiting])
        there |= {row["remote_id"]: row["remote"]["record"] for row in waiting if row["remote_id"] not in known}
    if not there:
        return {}
    found: dict[int, str] = {}
    for remote_id, got in zip(there, endpoint.lens.get_many(list(there.values())), strict=True):
        for rule in rules:
            if (key := records.match_key(rule, got.values)) is not None:
                found[key] = remote_id
    return found


def alike(record: Stored, endpoint: Endpoint, rules: tuple[tuple[str, ...], ...], there: dict[int, str]) -> str:
    """Why this record is not made at the endpoint: one of ``keys`` has a match key of it. Empty: none has."""
    for rule in rules:
        key = records.match_key(rule, record.values)
        if key is not None and key in there:
            return f"{endpoint.system} {there[key]} may be it, and is not understood yet: hub letters, hub conflicts"
    return ""
