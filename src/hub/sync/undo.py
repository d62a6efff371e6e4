"""Undo: takes a run's writes back, in every system, where nobody touched the value since.

The way is the same as that of every other write: the records are observed again, what can be taken back is decided
and noted in the hub's memory, and the writes go through intents, calls and reading back. The canonical value follows,
and systems the run did not write are paired with it, so that the next pass finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from hub.connect.capabilities import Create, Delete, Get, Update
from hub.errors import AuthenticationError, ConfigurationError, HubError, RateLimited, Unavailable
from hub.store import journal, pruning, records, runs, shadows, work
from hub.store.database import Store
from hub.store.journal import Entry
from hub.store.records import RecordWrite, Stored
from hub.store.shadows import LIVE, Shadow
from hub.sync import matching
from hub.sync.apply import Writer
from hub.sync.context import Pass
from hub.sync.decide import ABSENT
from hub.sync.intake import Intake
from hub.sync.observe import look_again
from hub.sync.places import head
from hub.sync.plan import Step
from hub.sync.planning import title
from hub.sync.policy import Endpoint, Setup
from hub.sync.references import referring
from hub.sync.refs import hub_table, mentioned, translate
from hub.sync.report import Held, Plan
from hub.sync.rounds import planned_write
from hub.sync.undo_history import Wrote, written
from hub.sync.undo_plan import Case, Place, Reversal, take_back

Values = dict[str, Any]
PAGE = 200
GET_BATCH = 100
KINDS = ("written",)
MERGES = ("merged",)


def scope(
    store: Store, setup: Setup, run: str, entities: Sequence[str] | None, field: str | None
) -> tuple[str, list[str]]:
    """(run, entities it wrote; none of a run that merged two records). ``last``: the newest run that did either.

    Raises ConfigurationError for a run or a field that is not there, and for one that wrote nothing of what is asked.
    """
    with store.read() as connection:
        run_id = (journal.last_run(connection, KINDS + MERGES) or "") if run == "last" else run
        known = runs.run(connection, run_id)
        if known is None:
            pruned = pruning.horizon(connection)
            told = f"; it may be {pruned.told()}" if pruned.before else ""
            raise ConfigurationError(
                f"there is no run {run}{told}", where="undo", cure="hub status lists the last runs"
            )
        wrote = [name for name in setup.policies if journal.touched(connection, run_id, name, KINDS, limit=1)]
        if not wrote and any(journal.touched(connection, run_id, name, MERGES, limit=1) for name in setup.policies):
            return run_id, []
    for name in entities or ():
        if name not in setup.policies:
            raise ConfigurationError(
                f"there is no entity {name} in hub.yaml", cure=f"one of: {', '.join(setup.policies)}"
            )
    chosen = [name for name in wrote if not entities or name in entities]
    if not chosen:
        what = f" of {', '.join(entities)}" if entities else ""
        raise ConfigurationError(
            f"the run {run_id} wrote nothing{what}", where="undo", cure="hub status lists the last runs"
        )
    if field is not None and not any(head(field) in setup.specs[name].fields for name in chosen):
        fields = sorted({name for entity in chosen for name in setup.specs[entity].fields})
        raise ConfigurationError(f"{', '.join(chosen)} has no field {field}", cure=f"one of: {', '.join(fields)}")
    return run_id, chosen


class Undo:
    """One undo under way. ``carry_out``: else it is only planned."""

    def __init__(self, job: Pass, run: str, entities: list[str], field: str | None, *, carry_out: bool) -> None:
        self.job = job
        self.run = run
        self.entities = entities
        self.field = field
        self.carry_out = carry_out
        self.plan = Plan(job.new_id(), "", job.now())
        self._removing: set[tuple[str, str]] = set()
        """(system, hub id) whose removal is planned or done."""

    def work(self) -> Plan:
        """What is referred to comes back first and goes last: values and restored records in the order of entities,
        then the removal of what was created, the other way round."""
        for entity in self.entities:
            self._pages(entity, removals=False)
        for entity in reversed(self.entities):
            self._pages(entity, removals=True)
        return self.plan

    def _pages(self, entity: str, *, removals: bool) -> None:
        after = ""
        while True:
            with self.job.store.read() as connection:
                hub_ids = journal.touched(connection, self.run, entity, KINDS, after, PAGE)
                entries = journal.of_ids(connection, hub_ids)
            wrote = {
                hub_id: [one for one in written(entries[hub_id], self.run) if (one.action == "create") == removals]
                for hub_id in hub_ids
            }
            wrote = {hub_id: found for hub_id, found in wrote.items() if found}
            if wrote:
                self._page(entity, wrote)
            if len(hub_ids) < PAGE:
                return
            after = hub_ids[-1]

    def _page(self, entity: str, wrote: dict[str, list[Wrote]]) -> None:
        self._look(entity, list(wrote))
        referred = self._referred(entity, wrote)
        with self.job.store.read() as connection:
            cases = _Cases(self.job, connection, entity, list(wrote)).make(self.run, wrote, self.field, referred)
            found = [(case, _judged(self.job, connection, case)) for case in cases]
        for case, reversal in found:
            for hold in reversal.holds:
                self._hold(case.record, hold.system, hold.reason, hold.detail)
            self._removing |= {
                (s.system, case.record.hub_id) for s in reversal.steps if s.action in {"delete", "archive"}
            }
        if self.carry_out:
            self._decide(entity, found)
            self._write(entity, found)
        else:
            endpoints = {e.system: e for e in self.job.setup.of_entity(entity)}
            for case, reversal in found:
                for step in reversal.steps:
                    shadow = case.places[step.system].shadow
                    self.plan.writes.append(planned_write(self.job, endpoints[step.system], case.record, shadow, step))

    def _look(self, entity: str, hub_ids: list[str]) -> None:
        """Observe the records once more: what the hub remembers of them may be minutes old."""
        with self.job.store.read() as connection:
            seen = shadows.by_hub(connection, hub_ids)
        for endpoint in self.job.setup.of_entity(entity):
            key = (endpoint.system, entity)
            if endpoint.direction == "out" or endpoint.system in self.job.down or key in self.job.blocked:
                continue
            own = [found[endpoint.system] for found in seen.values() if endpoint.system in found]
            ids = [shadow.remote_id for shadow in own if shadow.gone in LIVE]
            if not ids or not isinstance(endpoint.connector, Get):
                continue
            try:
                for start in range(0, len(ids), GET_BATCH):
                    look_again(self.job, endpoint, Intake(self.job, endpoint), ids[start : start + GET_BATCH])
            except HubError as error:
                self.job.blocked.add(key)
                self.job.failed(
                    endpoint, error, down=isinstance(error, (AuthenticationError, Unavailable, RateLimited))
                )

    def _referred(self, entity: str, wrote: dict[str, list[Wrote]]) -> dict[tuple[str, str], str]:
        """(system, hub id) → what refers to the record there and stays."""
        made = {hub_id for hub_id, found in wrote.items() if any(one.action == "create" for one in found)}
        found: dict[tuple[str, str], str] = {}
        for place in referring(self.job.store, self.job.setup, entity, made):
            other = place.record
            with self.job.store.read() as connection:
                live = shadows.by_hub(connection, [other.hub_id]).get(other.hub_id, {})
            for system, shadow in live.items():
                if shadow.gone in LIVE and (system, other.hub_id) not in self._removing:
                    found.setdefault((system, place.hub_id), f"{other.entity} {title(self.job, other)}")
        return found

    def _decide(self, entity: str, found: list[tuple[Case, Reversal]]) -> None:
        """Note what is undone, before anything is written: should the hub die, the next pass goes on from there."""
        now = self.job.now()
        writes, entries = [], []
        decided = [(case, reversal) for case, reversal in found if reversal.decided]
        if not decided:
            return
        with self.job.transaction(entity) as connection:
            for case, reversal in decided:
                record = case.record
                stamps = {**record.stamps, **{path: ["undo", now] for path in reversal.changes}}
                deleted = (record.deleted_at, record.deleted_by)
                if reversal.revive or reversal.bury:
                    deleted = (None, None) if reversal.revive else (reversal.bury[0], reversal.bury[1])  # type: ignore[index]
                    work.close_conflicts(connection, [record.hub_id], "*", at=now, why="undone")
                writes.append(RecordWrite(record.hub_id, entity, reversal.values, stamps, 1, *deleted))
                self._note_links(connection, case, reversal)
                entries.append(self._entry(case, reversal))
            records.update_records(connection, writes, now)
            if matching.wanted(self.job.setup, entity):
                rules = matching.rules_of(self.job.setup, entity)
                records.index(connection, entity, rules, [(w.hub_id, w.values) for w in writes])
            journal.write(connection, self.job.run, now, entries)

    def _note_links(self, connection: Connection, case: Case, reversal: Reversal) -> None:
        for system, fields in reversal.meant.items():
            shadow = case.places[system].shadow
            assert shadow is not None
            meant = {name: value for name, value in {**shadow.meant, **fields}.items() if value is not ABSENT}
            shadows.set_meant(connection, shadow, meant)
        for (system, remote_id), gone in reversal.gone.items():
            shadows.set_gone(connection, system, case.record.entity, [remote_id], gone)

    def _entry(self, case: Case, reversal: Reversal) -> Entry:
        detail: dict[str, Any] = {"of": self.run, "fields": reversal.changes}
        apart = {
            system: {name: case.places[system].have(name) for name, value in fields.items() if value is not ABSENT}
            for system, fields in reversal.meant.items()
        }
        if any(apart.values()):
            detail["apart"] = {s: {n: None if v is ABSENT else v for n, v in f.items()} for s, f in apart.items() if f}
        if reversal.revive:
            detail["revived"] = [case.record.deleted_at, case.record.deleted_by]
        return Entry(case.record.entity, case.record.hub_id, "undone", "", None, detail)

    def _write(self, entity: str, found: list[tuple[Case, Reversal]]) -> None:
        ids = [case.record.hub_id for case, reversal in found if reversal.steps]
        with self.job.store.read() as connection:
            stored, seen = records.load(connection, ids), shadows.by_hub(connection, ids)
        for endpoint in self.job.setup.of_entity(entity):
            items: list[tuple[Stored, Shadow | None, Step]] = [
                (stored[case.record.hub_id], seen.get(case.record.hub_id, {}).get(step.system), step)
                for case, reversal in found
                for step in reversal.steps
                if step.system == endpoint.system
            ]
            if not items:
                continue
            writer = Writer(self.job, endpoint)
            writer.write(items)
            for record, shadow, step in items:
                if record.hub_id in writer.written:
                    self.plan.writes.append(planned_write(self.job, endpoint, record, shadow, step))
                else:
                    told = (
                        self.job.down.get(endpoint.system)
                        or "it was not written: hub letters, or the next pass, tells more"
                    )
                    self._hold(record, endpoint.system, "failed", told)

    def _hold(self, record: Stored, system: str, reason: str, detail: str) -> None:
        self.plan.held.append(Held(system, record.entity, record.hub_id, title(self.job, record), reason, detail))


class _Cases:
    """Brings together what ``take_back`` judges, for a page of records."""

    def __init__(self, job: Pass, connection: Connection, entity: str, hub_ids: list[str]) -> None:
        self.job = job
        self.entity = entity
        self.stored = records.load(connection, hub_ids)
        self.entries = journal.of_ids(connection, hub_ids)
        self.frozen = work.open_conflicts(connection, hub_ids)
        self.linked = shadows.all_of(connection, hub_ids)
        self.shown: dict[tuple[str, str], Values] = {}
        for endpoint in job.setup.of_entity(entity):
            self._translate(connection, endpoint)

    def _translate(self, connection: Connection, endpoint: Endpoint) -> None:
        """What each live remote record shows, in canonical values."""
        live = [s for found in self.linked.values() for s in found if s.system == endpoint.system and s.gone in LIVE]
        shown = {s.hub_id: endpoint.lens.get(s.data).values for s in live}
        paths = self.job.refs(endpoint)
        table = hub_table(connection, endpoint.system, shown.values(), paths)
        for hub_id, values in shown.items():
            translate(values, paths, table, unknown="?")
            self.shown[endpoint.system, hub_id] = values

    def make(
        self, run: str, wrote: dict[str, list[Wrote]], field: str | None, referred: dict[tuple[str, str], str]
    ) -> list[Case]:
        return [
            Case(
                run,
                self.stored[hub_id],
                self.job.spec(self.entity),
                found,
                {e.system: self._place(e, hub_id, referred) for e in self.job.setup.of_entity(self.entity)},
                self.entries[hub_id],
                frozenset(head(row["path"]) for row in self.frozen.get(hub_id, [])),
                field,
            )
            for hub_id, found in wrote.items()
            if hub_id in self.stored
        ]

    def _place(self, endpoint: Endpoint, hub_id: str, referred: dict[tuple[str, str], str]) -> Place:
        system, resource, connector = endpoint.system, endpoint.resource, endpoint.connector
        policy = self.job.setup.policies[self.entity]
        own = [shadow for shadow in self.linked.get(hub_id, []) if shadow.system == system]
        open_to = endpoint.direction != "in" and resource.writable
        offered = (
            ["delete", *(["archive"] if resource.archive else [])] if isinstance(connector, Delete) and open_to else []
        )
        removal = "archive" if policy.deletes == "archive" and "archive" in offered else (offered or [""])[0]
        out = self.job.down.get(system) or (
            f"{system} could not be read to the end" if (system, self.entity) in self.job.blocked else ""
        )
        return Place(
            system,
            endpoint.lens.fields,
            tuple(name for name, field in endpoint.lens.fields.items() if field.direction != "in"),
            next((shadow for shadow in own if shadow.gone in LIVE), None),
            {shadow.remote_id: shadow.gone for shadow in own},
            self.shown.get((system, hub_id), {}),
            out,
            isinstance(connector, Update) and open_to,
            isinstance(connector, Create) and open_to and policy.create.get(system, True),
            removal,  # type: ignore[arg-type]
            referred.get((system, hub_id), ""),
        )


def _judged(job: Pass, connection: Connection, case: Case) -> Reversal:
    """``take_back``, with nothing that would refer to what is not there, or make what is there already."""
    reversal = take_back(case)
    endpoints = {e.system: e for e in job.setup.of_entity(case.record.entity)}
    for step in reversal.steps:
        if step.action not in {"create", "update"}:
            continue
        endpoint, place = endpoints[step.system], case.places[step.system]
        values = step.values if step.values is not None else {name: reversal.values[name] for name in step.write}
        for entity, hub_id in mentioned(values, job.refs(endpoint)):
            if hub_id not in shadows.links(connection, [hub_id], step.system):
                place.barred = ("reference", f"{step.system} does not have {entity} {hub_id}, which it refers to")
        if step.action == "create" and (twin := _twin(connection, case.record, endpoint)) is not None:
            same = (
                f"{title(job, twin)} ({twin.hub_id}) is in {step.system} with the same {' or '.join(_rules(endpoint))}"
            )
            place.barred = ("twin", f"{same}: made again meanwhile?")
    return take_back(case) if any(place.barred for place in case.places.values()) else reversal


def _twin(connection: Connection, record: Stored, endpoint: Endpoint) -> Stored | None:
    """Another record of that system which the mapping would take for this one."""
    keys = {rule: records.match_key(rule, record.values) for rule in endpoint.lens.match}
    hits = records.find(connection, record.entity, [key for key in keys.values() if key is not None])
    others = records.load(connection, {hub_id for ids in hits.values() for hub_id in ids} - {record.hub_id})
    there = shadows.links(connection, others, endpoint.system)
    for other in others.values():
        if other.hub_id in there and any(
            key is not None and all(other.values.get(name) == record.values[name] for name in rule)
            for rule, key in keys.items()
        ):
            return other
    return None


def _rules(endpoint: Endpoint) -> list[str]:
    return [" + ".join(rule) for rule in endpoint.lens.match]
