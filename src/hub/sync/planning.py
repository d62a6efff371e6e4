"""Planning: brings together what ``plan`` judges, a page of records at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from hub.connect.capabilities import Create, Delete, Update
from hub.store import records, runs, shadows, work
from hub.store.records import Stored
from hub.store.shadows import Shadow
from hub.sync import applied, behind, matching, unlinked
from hub.sync.context import Pass
from hub.sync.joint import endings
from hub.sync.plan import Step, Subject, Target, Verdict, plan_record
from hub.sync.policy import Endpoint
from hub.sync.refs import RefPath, by_entity, hub_table, ref_paths, translate

Values = dict[str, Any]
PAGE = 1000
NOTHING: frozenset[str] = frozenset()


@dataclass(slots=True)
class Planned:
    """One record with what must happen to it."""

    record: Stored
    shadows: dict[str, Shadow]
    verdict: Verdict
    complete: bool = True
    """False when a system was left out because it could not be reached: the record stays to be planned."""

    @property
    def whole(self) -> bool:
        """Nothing of it waits: once its steps are taken, it needs no further look."""
        return self.complete and not self.verdict.holds

    @property
    def settled(self) -> bool:
        return self.complete and self.verdict.settled


@dataclass(slots=True)
class Planner:
    """Plans the dirty records of one entity. With ``only_plan``, writes planned so far count as done for references."""

    job: Pass
    entity: str
    only_plan: bool = False
    planned: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """(system, entity) → hub ids that an earlier step of this plan creates there."""
    _unlinked: dict[str, dict[int, str]] = field(default_factory=dict)
    """System → match keys of what it has and nobody has linked yet (see ``unlinked``)."""

    def pages(self) -> Iterator[list[Planned]]:
        """Dirty records in pages, in order of hub id."""
        after = ""
        while True:
            with self.job.store.read() as connection:
                found = records.dirty(connection, self.entity, after, PAGE, endings(self.job.part))
                planned = self.plan(connection, found) if found else []
            if not found:
                return
            yield planned
            after = found[-1].hub_id

    def plan_again(self, hub_ids: Sequence[str]) -> list[Planned]:
        """Plan these records from the present state."""
        with self.job.store.read() as connection:
            return self.plan(connection, list(records.load(connection, hub_ids).values()))

    def plan_new(self, connection: Connection, found: list[Stored], source: str) -> list[Planned]:
        """What to write for records that were just made of what ``source`` shows: it needs no write, no other system
        has them yet, and nothing is known of them but what was stored a moment ago."""
        written, endpoints = self._writable()
        targets: dict[str, list[Target]] = {record.hub_id: [] for record in found}
        for endpoint in endpoints:
            if endpoint.system != source:
                self._add_targets(connection, endpoint, found, {}, {}, targets)
        complete = len(endpoints) == len(written)
        return [
            Planned(record, {}, plan_record(self._subject(record, []), targets[record.hub_id]), complete)
            for record in found
        ]

    def _writable(self) -> tuple[list[Endpoint], list[Endpoint]]:
        """(endpoints that are written to, those of them that can be written to just now)."""
        job = self.job
        written = [e for e in job.setup.of_entity(self.entity) if e.direction != "in"]
        return written, [e for e in written if e.system not in job.down and (e.system, e.entity) not in job.blocked]

    def plan(self, connection: Connection, found: list[Stored]) -> list[Planned]:
        """What to write for these records."""
        written, endpoints = self._writable()
        ids = [record.hub_id for record in found]
        seen = shadows.by_hub(connection, ids, [e.system for e in endpoints])
        letters = work.letters_of(connection, ids)
        frozen = work.open_conflicts(connection, ids)
        targets: dict[str, list[Target]] = {hub_id: [] for hub_id in ids}
        for endpoint in endpoints:
            self._add_targets(connection, endpoint, found, seen, letters, targets)
        return [
            Planned(
                record,
                seen.get(record.hub_id, {}),
                plan_record(self._subject(record, frozen.get(record.hub_id, [])), targets[record.hub_id]),
                len(endpoints) == len(written),
            )
            for record in found
        ]

    def _subject(self, record: Stored, conflicts: list[dict[str, Any]]) -> Subject:
        stamps = list(record.stamps.values()) or [["", ""]]
        newest = stamps[0] if len(stamps) == 1 else max(stamps, key=lambda stamp: stamp[1])
        return Subject(
            record.hub_id,
            record.values,
            record.deleted_at is not None,
            record.deleted_by,
            frozenset([row["path"].partition("[")[0] for row in conflicts]) if conflicts else NOTHING,
            newest[0],
        )

    def _add_targets(
        self,
        connection: Connection,
        endpoint: Endpoint,
        found: list[Stored],
        seen: dict[str, dict[str, Shadow]],
        letters: dict[str, dict[str, dict[str, Any]]],
        targets: dict[str, list[Target]],
    ) -> None:
        job, system = self.job, endpoint.system
        paths = job.refs(endpoint)
        own = {r.hub_id: seen[r.hub_id][system] for r in found if system in seen.get(r.hub_id, {})}
        shown = {hub_id: endpoint.lens.get(shadow.data).values for hub_id, shadow in own.items()}
        if paths:
            table = hub_table(connection, system, shown.values(), paths)
            for values in shown.values():
                translate(values, paths, table, unknown="?")
        linked = self._linked(connection, system, [r.values for r in found], paths)
        waiting = work.waiting_ids(connection, system, self.entity)
        lost = behind.unlinked(connection, endpoint) if waiting else ""
        rules = endpoint.lens.match if matching.wanted(job.setup, self.entity) else ()
        if system not in self._unlinked:
            self._unlinked[system] = unlinked.keys(connection, endpoint, rules)
        there = self._unlinked[system]
        policy = job.setup.policies[self.entity]
        connector, resource = endpoint.connector, endpoint.resource
        may_create = policy.create.get(system, True) and isinstance(connector, Create) and resource.writable
        may_update = isinstance(connector, Update) and resource.writable
        can_delete = isinstance(connector, Delete)
        unknown = Target(
            system=system,
            entity=self.entity,
            resource=resource.name,
            fields=endpoint.lens.fields,
            sends=tuple(name for name, field in endpoint.lens.fields.items() if field.direction != "in"),
            remote_id=None,
            gone=None,
            shown={},
            meant={},
            may_create=may_create,
            deletes=policy.deletes,
            can_delete=can_delete,
            can_archive=can_delete and resource.archive,
            linked=linked,
            has_refs=bool(ref_paths(endpoint.lens)),
            unproven=endpoint.unproven,
        )
        for record in found:
            shadow = own.get(record.hub_id)
            letter = (letters.get(record.hub_id) or {}).get(system)
            if shadow is not None and shadow.gone is None and not may_update:
                continue
            target = replace(unknown, letter=lost) if lost and shadow is None else unknown
            if there and shadow is None and record.deleted_at is None:
                target = replace(target, waiting=unlinked.alike(record, endpoint, rules, there))
            if shadow is not None:
                target = replace(
                    target,
                    remote_id=shadow.remote_id,
                    gone=shadow.gone,
                    shown=shown[record.hub_id],
                    meant=shadow.meant,
                    waiting="its last observation waits" if shadow.remote_id in waiting else "",
                )
            if letter:
                target = replace(target, letter=letter_text(letter, record, shadow))
            targets[record.hub_id].append(target)

    def _linked(
        self, connection: Connection, system: str, values: list[Values], paths: tuple[RefPath, ...]
    ) -> dict[str, set[str]]:
        """Entity → which of the referred-to records the system has."""
        return {
            entity: set(shadows.links(connection, ids, system)) | (self.planned.get((system, entity), set()) & ids)
            for entity, ids in by_entity(values, paths).items()
        }


def plan_anew(job: Pass, entity: str) -> None:
    """When what is written where has changed (a system, mapping, direction or policy), look at every record."""
    policy = job.setup.policies[entity]
    written = [
        (
            e.system,
            e.lens.version,
            policy.create.get(e.system, True),
            e.resource.writable,
            e.resource.archive,
            sorted(path.entity for path in job.refs(e)),
        )
        for e in job.setup.of_entity(entity)
        if e.direction != "in"
    ]
    name, mark = f"writes:{entity}", repr((sorted(written), policy.deletes))
    with job.store.read() as connection:
        same = runs.setting(connection, name) == mark
        if same and applied.policy_is_known(connection, policy):
            return
    with job.transaction(entity) as connection:
        applied.remember_policy(connection, policy)
        if not same:
            records.mark_entity(connection, entity)
            runs.set_setting(connection, name, mark)


def mark_of(record: Stored, shadow: Shadow | None) -> str:
    """The state a write is planned from; a dead letter stands as long as it lasts."""
    live = shadow is not None and shadow.gone in shadows.LIVE
    return f"{record.revision}:{shadow.hash if shadow and live else ''}"


def letter_text(letter: dict[str, Any], record: Stored, shadow: Shadow | None) -> str:
    """Why a dead letter holds a write back; empty when it does not."""
    if letter["stage"] == "observe":
        return f"letter {letter['id']}: its last state could not be read" if letter["status"] == "open" else ""
    if letter["stage"] == "doubt" and (shadow is None or shadow.gone not in shadows.LIVE):
        # Whatever changes, it may be there: only a person's replay sends it again.
        return f"letter {letter['id']}: {letter['message']}"
    if letter["mark"] != mark_of(record, shadow):
        return ""
    return f"letter {letter['id']}: {letter['message']}"


def is_risky(step: Step) -> bool:
    """Whether a write destroys something: a delete, or a value replaced by another."""
    if step.action in {"delete", "archive"}:
        return True
    return step.action == "update" and any(old is not None and old != [] for old, _ in step.fields.values())


def title(job: Pass, record: Stored) -> str:
    """What a person calls a record."""
    for name in job.spec(record.entity).title:
        value = record.values.get(name)
        if value:
            return str(value)
    return record.hub_id
