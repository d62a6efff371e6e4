"""Merging: a person found that two canonical records are one. An event with history, which ``hub undo`` takes back.

The links of the other record move to the one that is kept; where a system has both, the second one stays there as it
is, known and left alone, until somebody merges the two in that system. Each link that moves is compared as at a first
match; blanks are filled. The other record stays in the hub's memory with all its values, so that it can stand again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from hub.errors import ConfigurationError
from hub.store import intents, journal, records, shadows, work
from hub.store.journal import Entry
from hub.store.records import RecordWrite, Stored
from hub.store.shadows import LIVE, Shadow
from hub.sync import matching, outcomes
from hub.sync.context import Pass, sortable
from hub.sync.decide import Change, Decision, Sight, decide
from hub.sync.explain import find
from hub.sync.places import value_at, with_value
from hub.sync.planning import title
from hub.sync.policy import Endpoint
from hub.sync.references import Reference, referring
from hub.sync.refs import hub_table, translate

Row = dict[str, Any]
Values = dict[str, Any]
MERGED = "merge"
"""Stands as the system in which a record was deleted that was merged into another."""


@dataclass(slots=True)
class _Joined:
    """The record that is kept, while the other's links come to it one after the other."""

    record: Stored
    values: Values
    stamps: dict[str, list[str]]
    links: list[list[Any]] = field(default_factory=list)
    """[system, remote id, ``gone`` before, ``gone`` from now on]"""
    refused: list[list[Any]] = field(default_factory=list)
    paths: dict[str, None] = field(default_factory=dict)
    """Places that may have changed, in order."""


def merge(job: Pass, entity: str, keep_key: str, other_key: str) -> Row:
    """Join two records of an entity. Raises ConfigurationError when they are not two, or something of them is open."""
    if entity not in job.setup.policies:
        raise ConfigurationError(f"there is no entity {entity}", cure=f"one of: {', '.join(job.setup.policies)}")
    with job.store.read() as connection:
        keep, other = (find(connection, job.setup, entity, key) for key in (keep_key, other_key))
        _check(job, connection, keep, other)
    pointing = list(referring(job.store, job.setup, entity, {other.hub_id}))
    with job.transaction(entity) as connection:
        joined = _Joined(keep, keep.values, keep.stamps)
        links = shadows.all_of(connection, [keep.hub_id, other.hub_id])
        taken = {s.system for s in links.get(keep.hub_id, []) if s.gone in LIVE}
        for endpoint in job.setup.of_entity(entity):
            for shadow in links.get(other.hub_id, []):
                if shadow.system == endpoint.system and shadow.gone in LIVE:
                    _move(job, connection, endpoint, joined, shadow, taken)
        _fill(joined, other)
        changes = _store(job, connection, joined, other)
        point(job, connection, pointing, keep.hub_id, job.now())
    for system, remote_id, _, gone in joined.links:
        if gone == "merged":
            endpoint = next(e for e in job.setup.of_entity(entity) if e.system == system)
            message = f"{system} has this {entity} twice: {remote_id} is left alone until the two are merged there"
            job.find("twice", endpoint, keep.hub_id, message)
    return {
        "run": job.run,
        "entity": entity,
        "kept": keep.hub_id,
        "merged": other.hub_id,
        "title": title(job, keep),
        "fields": changes,
        "refused": joined.refused,
        "links": [{"system": s, "record": r, "now": gone or "linked"} for s, r, _, gone in joined.links],
        "references": len(pointing),
    }


def _check(job: Pass, connection: Connection, keep: Stored, other: Stored) -> None:
    where = f"merge {keep.entity}"
    if keep.hub_id == other.hub_id:
        raise ConfigurationError(f"both names mean {keep.hub_id}", where=where, cure="name two records, by hub ids")
    for record in (keep, other):
        if record.deleted_by == MERGED:
            raise ConfigurationError(
                f"{record.hub_id} was merged into another already", where=where, cure="hub explain"
            )
    if keep.deleted_at is not None:
        raise ConfigurationError(
            f"{title(job, keep)} ({keep.hub_id}) is deleted",
            where=where,
            cure="keep the other one, or undo the deletion",
        )
    ids = {keep.hub_id, other.hub_id}
    if work.open_conflicts(connection, ids):
        raise ConfigurationError("something of them waits for a decision", where=where, cure="hub conflicts; decide it")
    if any(row["hub_id"] in ids for row in intents.intents(connection)):
        raise ConfigurationError(
            "a write of them is in doubt", where=where, cure="hub sync finds out what became of it"
        )


def _move(
    job: Pass, connection: Connection, endpoint: Endpoint, joined: _Joined, shadow: Shadow, taken: set[str]
) -> None:
    """One link comes to the kept record: as the link with that system, or as one too many."""
    keep, system = joined.record, endpoint.system
    twice = system in taken
    gone = "merged" if twice else shadow.gone
    joined.links.append([system, shadow.remote_id, shadow.gone, gone])
    shadows.relink(connection, shadow, keep.hub_id, gone)
    if twice or shadow.gone is not None or endpoint.direction == "out":
        return
    taken.add(system)
    theirs = endpoint.lens.get(shadow.data).values
    paths = job.refs(endpoint)
    translate(theirs, paths, hub_table(connection, system, [theirs], paths), unknown="?")
    decision = decide(
        Sight(
            system=system,
            theirs=theirs,
            base=None,
            meant={},
            ours=joined.values,
            stamps=joined.stamps,
            at=sortable(shadow.modified_at) or "",
            linked=frozenset(taken),
        ),
        endpoint.lens.fields,
        job.setup.policies[keep.entity],
    )
    joined.stamps = outcomes.restamp(joined.stamps, decision, system, sortable(shadow.modified_at) or job.now())
    joined.values = decision.values
    joined.paths |= dict.fromkeys(change.path for change in decision.changes if change.kind == "accepted")
    joined.refused += [[system, *change] for change in decision.changes if change.kind == "refused"]
    asked: list[Change] = [change for change in decision.changes if change.kind == "conflict"]
    outcomes.conflicts(job, connection, endpoint, [outcomes.Decided(keep, Decision(decision.values, asked))])


def _fill(joined: _Joined, other: Stored) -> None:
    """What only the other record knows."""
    for name, value in other.values.items():
        if value not in (None, []) and joined.values.get(name) in (None, []):
            joined.values = {**joined.values, name: value}
            stamp = other.stamps.get(name) or other.stamps.get("*")
            joined.stamps = {**joined.stamps, name: stamp} if stamp else joined.stamps
            joined.paths[name] = None


def _store(job: Pass, connection: Connection, joined: _Joined, other: Stored) -> dict[str, list[Any]]:
    """Both records as they are from now on, with the history that takes it back; returns path → [before, now]."""
    keep, now, spec = joined.record, job.now(), job.spec(joined.record.entity)
    changes = {}
    for path in joined.paths:
        pair = [value_at(values, path, spec) or None for values in (keep.values, joined.values)]
        if pair[0] != pair[1]:
            changes[path] = pair
    writes = [
        RecordWrite(keep.hub_id, keep.entity, joined.values, joined.stamps, 1),
        RecordWrite(other.hub_id, other.entity, other.values, other.stamps, 0, other.deleted_at or now, MERGED),
    ]
    store(job, connection, writes, now)
    records.mark(connection, other.entity, [other.hub_id], 0)
    for row in work.letters_of(connection, [other.hub_id]).get(other.hub_id, {}).values():
        work.set_letter(connection, row["id"], "discarded", now)
    before = [other.deleted_at, other.deleted_by] if other.deleted_at else None
    detail = {
        "other": other.hub_id, "fields": changes, "refused": joined.refused, "links": joined.links,
        "stamps": {path: keep.stamps.get(path) for path in changes},
    }  # fmt: skip
    entries = [
        Entry(keep.entity, keep.hub_id, "merged", "", None, detail),
        Entry(keep.entity, other.hub_id, "merged", "", None, {"into": keep.hub_id, "deleted": before}),
    ]
    journal.write(connection, job.run, now, entries)
    return changes


def store(job: Pass, connection: Connection, writes: list[RecordWrite], now: str) -> None:
    """Records of one entity with all that follows them: their match keys."""
    entity = writes[0].entity
    records.update_records(connection, writes, now)
    if matching.wanted(job.setup, entity):
        rules = matching.rules_of(job.setup, entity)
        records.index(connection, entity, rules, [(w.hub_id, w.values) for w in writes if w.deleted_at is None])


def point(
    job: Pass, connection: Connection, places: list[Reference], hub_id: str, now: str, *, of: str | None = None
) -> None:
    """Let these places refer to another record. ``of``: the merge that this takes back."""
    changed: dict[str, tuple[Stored, Values, dict[str, list[Any]]]] = {}
    for place in places:
        record, values, pairs = changed.get(place.record.hub_id, (place.record, place.record.values, {}))
        values = with_value(values, place.path, hub_id, job.spec(record.entity))
        changed[record.hub_id] = (record, values, {**pairs, place.path: [place.hub_id, hub_id]})
    for record, values, pairs in changed.values():
        store(job, connection, [RecordWrite(record.hub_id, record.entity, values, record.stamps, 1)], now)
        detail: Row = {"fields": pairs} if of is None else {"of": of, "fields": pairs}
        entry = Entry(record.entity, record.hub_id, "merged" if of is None else "undone", "", None, detail)
        journal.write(connection, job.run, now, [entry])
