"""Intents: what is about to be written, stored before the calls: whoever comes after a crash knows what to ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from hub.store import intents
from hub.store.codec import encoded
from hub.store.intents import Intent

if TYPE_CHECKING:
    from hub.sync.apply import Job

Where = tuple[str, str, str, str]
"""(run, system, entity, action) of the writes."""


def intend(connection: Connection, where: Where, jobs: Sequence[Job], at: str) -> None:
    """Note each write with the values that are sent."""
    run, system, entity, action = where
    notes = []
    for one in jobs:
        write = one.write
        sent = encoded(one.values)
        notes.append(Intent(run, system, entity, one.record.hub_id, action, write.id, write.version, sent, at))
    intents.add_intents(connection, notes)


def intend_together(connection: Connection, where: Where, jobs: Sequence[Job], at: str) -> None:
    """The records hold the values, as long as nobody else can change them: one note for all of them is enough."""
    groups: dict[tuple[str, ...], list[intents.Sent]] = {}
    for one in jobs:
        groups.setdefault(one.step.write, []).append((one.record.hub_id, one.write.id, one.write.version))
    intents.intend_together(connection, where, groups, at)
