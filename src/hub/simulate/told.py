"""What the hub says of itself: its journal, conflicts, letters and links, read once, in plain values."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from hub.simulate.world import World

_WORD = re.compile(r"[\w+][\w.@+\-]*(?::\d[\w.]*)*")


@dataclass(slots=True)
class Note:
    """One entry of the journal."""

    run: str
    at: str
    entity: str
    hub_id: str
    kind: str
    system: str
    remote_id: str
    detail: dict[str, Any]


@dataclass(slots=True)
class Told:
    """The hub's own account of a life."""

    notes: list[Note]
    hub_ids: dict[tuple[str, str, str], str]
    """(system, entity, remote id) → hub id."""
    tags: dict[str, str]
    """Hub id → tag."""
    letters: list[dict[str, Any]]
    doubtful: set[tuple[str, str, str]]
    """(system, entity, hub id) of creates that a person was asked about."""
    conflicts: set[tuple[str, str, str]]
    """(hub id, path, system) of all that a person was ever asked to decide."""
    runs: set[str]
    waiting: list[tuple[str, str, str]]
    intents: int
    words: set[str] = field(default_factory=set)
    """Every word of it, in upper case."""


def told(world: World) -> Told:
    """Read it."""
    with world.read().read() as connection:

        def rows(query: str) -> list[Any]:
            return list(connection.execute(text(query)))

        notes = [
            Note(row[0], row[1], row[2], row[3], row[4], row[5], row[6] or "", json.loads(row[7]))
            for row in rows("SELECT run, at, entity, hub_id, kind, system, remote_id, detail FROM journal ORDER BY id")
        ]
        hub_ids = {(r[0], r[1], r[2]): r[3] for r in rows("SELECT system, entity, remote_id, hub_id FROM shadow")}
        letters = [dict(r._mapping) for r in rows("SELECT * FROM letter WHERE status = 'open'")]
        doubtful = {(r[0], r[1], r[2]) for r in rows("SELECT system, entity, hub_id FROM letter WHERE stage = 'doubt'")}
        conflicts = {(r[0], r[1], r[2]) for r in rows("SELECT hub_id, path, system FROM conflict")}
        runs = {row[0] for row in rows("SELECT id FROM run")}
        waiting = [(r[0], r[1], r[2]) for r in rows("SELECT system, entity, remote_id FROM waiting")]
        intents = rows("SELECT count(*) FROM intent")[0][0]
        words: set[str] = set()
        for query in (
            "SELECT detail FROM journal",
            "SELECT data FROM hub_record",
            "SELECT coalesce(theirs, '') || ' ' || coalesce(ours, '') FROM conflict",
            "SELECT payload FROM letter",
            "SELECT remote FROM waiting",
        ):
            for row in rows(query):
                words.update(_WORD.findall(row[0].upper()))
    tags = {}
    for (system, entity, remote_id), hub_id in hub_ids.items():
        tag = world.systems[system].tags.get((entity, remote_id)) if system in world.systems else None
        if tag is not None:
            tags[hub_id] = tag
    return Told(notes, hub_ids, tags, letters, doubtful, conflicts, runs, waiting, intents, words)
