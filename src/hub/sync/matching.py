"""Looking up what an unlinked record may be, for ``correlate`` to judge: over the store and inside the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Connection

from hub.connect.capabilities import Remote
from hub.errors import Unavailable, UnexpectedAnswer
from hub.store import records, runs, shadows
from hub.sync.context import Pass
from hub.sync.correlate import Match, correlate
from hub.sync.policy import Endpoint, Setup

Values = dict[str, Any]
Rules = tuple[tuple[str, ...], ...]
Made = TypeVar("Made")
PAGE = 1000
_INDEXED = "match_rules:"
"""Setting: the rules by which an entity's records are indexed."""


def rules_of(setup: Setup, entity: str) -> Rules:
    """Every match rule any mapping of the entity has: records are indexed by all of them."""
    rules = [rule for endpoint in setup.endpoints if endpoint.entity == entity for rule in endpoint.lens.match]
    return tuple(dict.fromkeys(rules))


def wanted(setup: Setup, entity: str) -> bool:
    """Whether there can be anything to match: at least two systems are read."""
    read = [e for e in setup.endpoints if e.entity == entity and e.direction != "out"]
    return len(read) > 1


class Overtaken(Exception):
    """Another pass has stored a record meanwhile that one of these may be: all of it has to be done again."""


def match_batch(
    connection: Connection, job: Pass, endpoint: Endpoint, found: Sequence[tuple[Remote, Values]]
) -> list[Match]:
    """Correlate unlinked records of one endpoint, in their order. Where several passes work together, what is new is
    matched without waiting for one's turn: ``still_new`` has to be asked before that is stored."""
    matches = _match(connection, job, endpoint, found)
    if job.ahead and any(match.situation != "new" for match in matches):
        job.alone(connection, endpoint.entity)
        return _match(connection, job, endpoint, found)
    return matches


def still_new(connection: Connection, job: Pass, endpoint: Endpoint, made: Sequence[records.Stored]) -> None:
    """Wait for this pass's turn, and see whether what was matched before it is new still. Raises Overtaken if not."""
    entity = endpoint.entity
    job.alone(connection, entity)
    rules = endpoint.lens.match if wanted(job.setup, entity) else ()
    keys = {key for record in made for rule in rules if (key := records.match_key(rule, record.values)) is not None}
    own = {record.hub_id for record in made}
    if any(set(hub_ids) - own for hub_ids in records.find(connection, entity, keys).values()):
        raise Overtaken


def in_turn(job: Pass, endpoint: Endpoint, take: Callable[[], Made]) -> Made:
    """``take`` in sightings, in a transaction of its own. Where several passes work together, what is new does not wait
    for its turn before the end; where it was overtaken, all is done once more, in its turn from the beginning."""
    if job.part is None:
        return take()
    counts, findings = job.counts(endpoint), len(job.report.findings)
    before = {part.name: getattr(counts, part.name) for part in fields(counts)}
    job.ahead = True
    try:
        return take()
    except Overtaken:
        for name, value in before.items():
            setattr(counts, name, value)
        del job.report.findings[findings:]
    finally:
        job.ahead = False
    return take()


def _match(
    connection: Connection, job: Pass, endpoint: Endpoint, found: Sequence[tuple[Remote, Values]]
) -> list[Match]:
    entity, system = endpoint.entity, endpoint.system
    rules = endpoint.lens.match if wanted(job.setup, entity) else ()
    if job.part is not None:
        _check_beside(connection, job, endpoint, [remote.id for remote, _ in found])
    keys = [{rule: records.match_key(rule, values) for rule in rules} for _, values in found]
    hits = records.find(connection, entity, [key for one in keys for key in one.values() if key is not None])
    candidate_ids = {hub_id for ids in hits.values() for hub_id in ids}
    hub_keys = {remote.key for remote, _ in found if remote.key}
    stored = records.load(connection, candidate_ids | hub_keys)
    taken = set(shadows.links(connection, stored, system))
    known = frozenset(hub_id for hub_id in hub_keys if hub_id in stored and stored[hub_id].entity == entity)
    fresh: dict[int, str] = {}
    matches = []
    for (remote, values), own in zip(found, keys, strict=True):
        candidates = {
            rule: [(hub_id, stored[hub_id].values) for hub_id in hits.get(key, ()) if _is_open(stored, hub_id)]
            for rule, key in own.items()
            if key is not None
        }
        match = correlate(values, remote.key, rules, candidates, frozenset(taken), known)
        if match.situation == "new":
            twin = next((fresh[key] for key in own.values() if key is not None and key in fresh), None)
            if twin is not None:
                reason = f"record {twin} of the same system has the same match key"
                match = Match("ambiguous", reason=reason)
            for key in own.values():
                if key is not None:
                    fresh.setdefault(key, remote.id)
        elif match.hub_id is not None:
            taken.add(match.hub_id)
        matches.append(match)
    return matches


def _check_beside(connection: Connection, job: Pass, endpoint: Endpoint, remote_ids: list[str]) -> None:
    """What can be wrong only where others work beside this pass. Raises Unavailable when one of them has indexed the
    records by the rules of a mapping that has changed since this one began, and UnexpectedAnswer for a record that one
    of them has taken in: each has parts of its own."""
    system, entity, rules = endpoint.system, endpoint.entity, _mark(job, endpoint.entity)
    if rules and runs.setting(connection, f"{_INDEXED}{entity}") != rules:
        raise Unavailable(
            f"another pass works on {entity} with a mapping that has changed; nothing of this step was stored",
            where="store",
            cure="nothing to do: the next pass works with the new one",
        )
    if both := shadows.known(connection, system, entity, remote_ids):
        raise UnexpectedAnswer(
            f"record {min(both)} is in two parts of {endpoint.resource.name}",
            where=f"{system}/{endpoint.resource.name}",
            cure=f"take partitions: out of {entity} in hub.yaml, or correct how {system} is read in parts",
        )


def _is_open(stored: dict[str, records.Stored], hub_id: str) -> bool:
    record = stored.get(hub_id)
    return record is not None and record.deleted_at is None


def _mark(job: Pass, entity: str) -> str:
    """What the index is made by; empty: there is nothing to match."""
    return repr(rules_of(job.setup, entity)) if wanted(job.setup, entity) else ""


def refresh_index(job: Pass, entity: str) -> None:
    """Index the records of an entity anew when its match rules have changed, a page at a time; where others may be at
    work, all at once: they must not match by half of it."""
    name, mark = f"{_INDEXED}{entity}", _mark(job, entity)
    if not mark:
        with job.store.read() as connection:
            known = runs.setting(connection, name)
        if known:  # what comes from now on is not indexed
            with job.transaction(entity) as connection:
                runs.set_setting(connection, name, "")
        return
    with job.transaction(entity) as connection:
        if runs.setting(connection, name) == mark:
            return
        records.drop_index(connection, entity)
        after: str | None = ""
        while after is not None and job.part is not None:
            after = _index_on(connection, job, entity, after)
    while after is not None:
        with job.transaction(entity) as connection:
            after = _index_on(connection, job, entity, after)


def _index_on(connection: Connection, job: Pass, entity: str, after: str) -> str | None:
    """Index one page; returns behind which record the next begins, None when that was the last."""
    page = records.page(connection, entity, after, PAGE)
    records.index(connection, entity, rules_of(job.setup, entity), [(r.hub_id, r.values) for r in page])
    if len(page) == PAGE:
        return page[-1].hub_id
    runs.set_setting(connection, f"{_INDEXED}{entity}", _mark(job, entity))
    return None
