"""Rounds: plan and apply, entity by entity, until nothing is left to write; and what is held for approval."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hub.store import records, work
from hub.store.codec import dumps
from hub.store.records import Stored
from hub.store.shadows import Shadow
from hub.sync import behind
from hub.sync.apply import Item, Writer, approve
from hub.sync.context import Pass
from hub.sync.gate import Gate
from hub.sync.plan import Step, shown_fields
from hub.sync.planning import Planned, Planner, is_risky, title
from hub.sync.policy import Endpoint
from hub.sync.report import Held, Plan, PlannedWrite

NAMED = 300
"""Writes that a sync's report names; the rest is counted."""
WriteKey = tuple[str, str, str, str]
"""(system, entity, hub id, digest of what it does) of a write."""


class Rounds:
    """The plan-and-apply part of one pass."""

    def __init__(self, job: Pass, entities: list[str], only: frozenset[WriteKey] | None = None) -> None:
        self.job = job
        self.entities = entities
        self.only = only
        """The writes that were approved; None: whatever is found. What an answer brings up meanwhile was shown to
        nobody: it waits for the next pass."""
        self.plan = Plan(job.new_id(), "", job.now())
        self.gate = Gate(job)
        self.held_for_approval = False
        self.wrote_new = False
        """Something was written before the first round."""
        self._held: set[tuple[str, str]] = set()
        """(system, entity) whose first sync held something back."""
        self._number = 0
        self._often: Counter[tuple[str, str]] = Counter()
        """(entity, hub id) → writes from the third round on: nearly nothing needs so many."""
        self._spent: Counter[tuple[str, str]] = Counter()
        """(system, entity) → changes and deletions made by this pass."""

    def run(self) -> bool:
        """One round over all entities; True when another round may find more to do."""
        self._number += 1
        self.plan.held.clear()
        self.job.again = False
        wrote = [self._entity(entity) for entity in self.entities]
        return any(wrote) or self.job.again

    def close(self) -> None:
        """The pass is over: what was approved with it stays approved, and so does what needed no approval, once every
        system of the entity has been heard."""
        if self.job.behind and self.job.yes:
            behind.over(self.job)
        for entity in self.entities:
            endpoints = self.job.setup.of_entity(entity)
            out = {e.system for e in endpoints if e.system in self.job.down or (e.system, entity) in self.job.blocked}
            for endpoint in endpoints:
                if endpoint.direction == "in" or endpoint.system in out:
                    continue
                # What the others of a joint pass hold is not known here.
                held = (endpoint.system, entity) in self._held or self.job.part is not None
                if not self.gate.first_sync(endpoint) or (not held and not out):
                    approve(self.job, endpoint)

    def stop(self) -> None:
        """The rounds are used up. What is written again and again would go on for ever: it becomes a letter, until
        somebody changes the record; what only takes long goes on in the next pass."""
        for entity in self.entities:
            restless = [hub_id for (of, hub_id), count in self._often.items() if of == entity and count > 1]
            writers = {e.system: Writer(self.job, e) for e in self.job.setup.of_entity(entity)}
            for planned in Planner(self.job, entity).plan_again(restless):
                for step in planned.verdict.steps:
                    writers[step.system].give_up(planned.record, planned.shadows.get(step.system), step)

    def _entity(self, entity: str) -> bool:
        job = self.job
        planner = Planner(job, entity)
        writers = {e.system: Writer(job, e) for e in job.setup.of_entity(entity) if e.direction != "in"}
        budgets = {system: self.gate.allowed(writer.endpoint) for system, writer in writers.items()}
        risky: dict[str, list[str]] = {system: [] for system in writers}
        wrote = False
        for page in self._pages(planner):
            self._settle(entity, page)
            todo: dict[str, list[Item]] = {}
            for planned in page:
                self._note_holds(planned)
                for step in self._approved(planned):
                    if self.gate.first_sync(writers[step.system].endpoint):
                        self._hold(planned, step, "first_sync", self.gate.why())
                    elif is_risky(step) and budgets[step.system] is not None:
                        risky[step.system].append(planned.record.hub_id)
                    else:
                        todo.setdefault(step.system, []).append(item_of(planned, step))
            wrote |= self._apply(writers, todo, page)
        for system, hub_ids in risky.items():
            wrote |= self._apply_risky(planner, writers[system], hub_ids, budgets[system])
        return wrote

    def _pages(self, planner: Planner) -> Iterator[list[Planned]]:
        """The records to look at."""
        return planner.pages()

    def _approved(self, planned: Planned) -> list[Step]:
        """The steps that may be taken."""
        steps, record = planned.verdict.steps, planned.record
        if self.only is None:
            return steps
        fields = [(step, shown_fields(step, record.values)) for step in steps]
        return [s for s, shown in fields if write_key(s.system, record.entity, record.hub_id, shown) in self.only]

    def _settle(self, entity: str, page: list[Planned]) -> None:
        """Nothing has to be written for these."""
        settled = [p.record.hub_id for p in page if p.settled]
        if settled:
            with self.job.transaction(entity, beside=True) as connection:
                records.mark(connection, entity, settled, 0)
                work.close_replayed(connection, settled, at=self.job.now())

    def _apply(self, writers: dict[str, Writer], todo: dict[str, list[Item]], page: list[Planned]) -> bool:
        """Write one page; a record all of whose writes went through as meant needs no second look."""
        wrote = False
        for system, items in todo.items():
            wrote |= writers[system].write(items, alone=len(todo) == 1) > 0
            self.name(writers[system].endpoint, items, writers[system].written)
        clean = gone_through(page, writers)
        for writer in writers.values():
            writer.settled.clear()
            writer.written.clear()
        if clean and page:
            with self.job.transaction(page[0].record.entity, beside=True) as connection:
                records.mark(connection, page[0].record.entity, clean, 0)
        return wrote

    def _apply_risky(self, planner: Planner, writer: Writer, hub_ids: list[str], allowed: int | None) -> bool:
        """Changes and deletes, only as many as the budget allows; else none of them."""
        endpoint = writer.endpoint
        if not hub_ids:
            return False
        key = (endpoint.system, endpoint.entity)
        if allowed is not None and not self.gate.has_room(endpoint, self._spent[key], len(hub_ids), allowed):
            self.held_for_approval = True
            self.plan.held.append(
                Held(
                    endpoint.system,
                    endpoint.entity,
                    "",
                    f"{len(hub_ids)} records",
                    "budget",
                    f"{len(hub_ids)} changes or deletions are more than the budget of {allowed}",
                    len(hub_ids),
                )
            )
            self.job.emit(
                "budget.held", system=endpoint.system, entity=endpoint.entity, writes=len(hub_ids), allowed=allowed
            )
            return False
        wrote = False
        for start in range(0, len(hub_ids), 500):
            page = planner.plan_again(hub_ids[start : start + 500])
            for planned in page:
                planned.verdict.steps = [s for s in self._approved(planned) if s.system == endpoint.system]
            items = [item_of(planned, step) for planned in page for step in planned.verdict.steps]
            wrote |= writer.write(items) > 0
            self._spent[key] += len(writer.written)
            self.name(endpoint, items, writer.written)
            writer.settled.clear()
            writer.written.clear()
        return wrote

    def _note_holds(self, planned: Planned) -> None:
        for hold in planned.verdict.holds:
            if len(self.plan.held) < NAMED:
                name = title(self.job, planned.record)
                self.plan.held.append(
                    Held(hold.system, planned.record.entity, planned.record.hub_id, name, hold.reason, hold.detail)
                )

    def _hold(self, planned: Planned, step: Step, reason: str, detail: str) -> None:
        self.held_for_approval = True
        self._held.add((step.system, planned.record.entity))
        if len(self.plan.held) < NAMED:
            record = planned.record
            self.plan.held.append(
                Held(step.system, record.entity, record.hub_id, title(self.job, record), reason, detail)
            )

    def name(self, endpoint: Endpoint, items: Iterable[Item], written: set[str]) -> None:
        """Report these writes, as far as they were carried out."""
        for record, shadow, step in items:
            if record.hub_id in written:
                if self._number > 2:
                    self._often[record.entity, record.hub_id] += 1
                if len(self.plan.writes) < NAMED:
                    self.plan.writes.append(planned_write(self.job, endpoint, record, shadow, step))
                else:
                    self.plan.more += 1


def gone_through(page: Iterable[Planned], writers: Mapping[str, Writer]) -> list[str]:
    """Hub ids of records that were written everywhere as meant: a plan need not look at them again."""
    return [
        planned.record.hub_id
        for planned in page
        if planned.verdict.steps
        and planned.whole
        and all(planned.record.hub_id in writers[step.system].settled for step in planned.verdict.steps)
    ]


def write_key(system: str, entity: str, hub_id: str, fields: Mapping[str, Any]) -> WriteKey:
    """What identifies a write of a plan; ``fields``: path → [old, new]."""
    return system, entity, hub_id, hashlib.sha256(dumps(fields).encode()).hexdigest()[:16]


def item_of(planned: Planned, step: Step) -> Item:
    return planned.record, planned.shadows.get(step.system), step


def planned_write(job: Pass, endpoint: Endpoint, record: Stored, shadow: Shadow | None, step: Step) -> PlannedWrite:
    """One write as people see it."""
    remote_id = shadow.remote_id if shadow is not None and step.action != "create" else ""
    return PlannedWrite(
        step.system,
        endpoint.resource.name,
        record.entity,
        record.hub_id,
        remote_id,
        title(job, record),
        step.action,
        shown_fields(step, record.values),
        step.because,
    )


def list_plan(job: Pass, entities: list[str], told: Callable[[str, list[Planned]], None] | None = None) -> Plan:
    """The complete plan from the present state, without writing anything. ``told`` is shown each page of it."""
    plan = Plan(job.new_id(), "", job.now())
    state = hashlib.sha256()
    gate = Gate(job)
    planned_creates: dict[tuple[str, str], set[str]] = {}
    for entity in entities:
        planner = Planner(job, entity, only_plan=True, planned=planned_creates)
        endpoints = {e.system: e for e in job.setup.of_entity(entity)}
        for page in planner.pages():
            if told is not None:
                told(entity, page)
            for planned in page:
                record = planned.record
                for step in planned.verdict.steps:
                    shadow = planned.shadows.get(step.system)
                    if step.action == "create":
                        planned_creates.setdefault((step.system, entity), set()).add(record.hub_id)
                    write = planned_write(job, endpoints[step.system], record, shadow, step)
                    plan.writes.append(write)
                    known = shadow.hash if shadow else None
                    state.update(dumps([step.system, record.hub_id, step.action, write.fields, known]).encode())
                for hold in planned.verdict.holds:
                    name = title(job, record)
                    plan.held.append(Held(hold.system, entity, record.hub_id, name, hold.reason, hold.detail))
    plan.state = state.hexdigest()[:32]
    plan.matched, plan.census = gate.first_sync_report(entities)
    job.emit("plan.made", plan=plan.id, writes=len(plan.writes), held=len(plan.held))
    return plan
