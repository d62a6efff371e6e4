"""The world of one seed: systems, people, a hub whose passes can be disturbed, and what happened in it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from hub.connect.capabilities import Resource
from hub.errors import ConfigurationError, HubError
from hub.simulate.clock import Clock
from hub.simulate.ground import Ground, Part
from hub.simulate.people import People
from hub.simulate.ports import Port
from hub.simulate.quirks import Quirks
from hub.simulate.scenes import Scene
from hub.simulate.systems import System
from hub.simulate.witness import Witness
from hub.simulate.workers import Inline, Memory, SimStore, Worker
from hub.store import hints
from hub.store.database import Store
from hub.sync.context import instant
from hub.sync.engine import Engine
from hub.sync.policy import Budget, Endpoint, EntityPolicy, Setup
from hub.sync.report import PassReport, Plan

Event = dict[str, Any]


class World:
    """One life of one company. ``config`` is what a seed chose: see ``chance.config``."""

    def __init__(self, ground: Ground, config: Event, memory: Memory) -> None:
        self.ground = ground
        self.config = config
        self.memory = memory
        self.clock = Clock()
        self.witness = Witness(self.clock, self._owner)
        self.systems = {
            name: System(name, ground, Quirks(**config["quirks"].get(name, {})), self.clock, self.witness)
            for name in config["systems"]
        }
        self.witness.systems = self.systems
        self.entities = [e for e in ground.policies if e in config["entities"]]
        self.people = People(self)
        self.settings: dict[str, Event] = {e: dict(config["policy"].get(e, {})) for e in self.entities}
        self.directions: dict[tuple[str, str], str] = {}
        self.policies: dict[str, EntityPolicy] = {}
        """Entity → its policy, as settings and directions make it; to be emptied when they change."""
        self.dropped: dict[tuple[str, str], str] = {}
        self.story: list[str] = []
        self.unmapped: set[tuple[str, str]] = set()
        """(entity, field) that some mapping lacked for a while: what changed meanwhile has no base."""
        self.hidden = False
        """A system showed nothing for a while, and what it hid may have been passed over: only a listing finds it."""
        self.quiet: list[datetime] = []
        """When a complete pass found nothing to do, and all was well."""
        self.decided: list[tuple[str, str, str]] = []
        """(entity, hub id, path) of what a person decided."""
        self.changes: dict[str, list[Event]] = {}
        """Entity → what was changed in its policy."""
        self.changed_at: dict[str, datetime] = {}
        """Entity → when that was done last."""
        self._resources: dict[tuple[str, str], Resource] = {}
        self._names = itertools.count(1)
        self._workers = itertools.count(1)
        self.reports: list[PassReport] = []

    # the hub ------------------------------------------------------------------------------------------------------

    def parts(self, entity: str) -> list[Part]:
        """The parts of an entity in this world's systems."""
        return [p for p in self.ground.of_entity(entity) if p.system in self.systems]

    def policy(self, entity: str) -> EntityPolicy:
        """The policy as it is now."""
        if entity not in self.policies:
            self.policies[entity] = self._policy(entity)
        return self.policies[entity]

    def _policy(self, entity: str) -> EntityPolicy:
        base, now = self.ground.policies[entity], self.settings[entity]
        directions = {p.system: self.directions.get((p.system, entity), p.direction) for p in self.parts(entity)}
        changes: dict[str, Any] = {"systems": directions}
        if "conflict" in now:
            rule = now["conflict"]
            changes["conflict"] = tuple(rule) if isinstance(rule, list) else rule
        if "deletes" in now:
            changes["deletes"] = now["deletes"]
        if "authority" in now:
            changes["authority"] = {f: s for f, s in now["authority"].items() if s in self.systems}
        if "budget" in now:
            changes["budget"] = Budget(*now["budget"])
        return replace(base, **changes)

    def _owner(self, entity: str, field: str) -> str | None:
        return self.policy(entity).authority.get(field)

    def setup(self, worker: Worker) -> Setup:
        """What the engine of this worker is given."""
        policies = {entity: self.policy(entity) for entity in self.entities}
        endpoints = []
        for entity in self.entities:
            for part in self.parts(entity):
                drop = self.dropped.get((part.system, entity))
                lens = self.ground.variant(part, drop) if drop else part.lens
                port = Port(self.systems[part.system], entity, worker, self.witness.broken)
                direction = policies[entity].systems[part.system]
                endpoints.append(
                    Endpoint(part.system, entity, direction, lens, self.resource(part), port, 60, part.unproven)
                )
        return Setup(self.ground.specs, policies, endpoints)

    def resource(self, part: Part) -> Resource:
        """The resource as this world's system offers it."""
        key = (part.system, part.entity)
        if key not in self._resources:
            quirks = self.systems[part.system].quirks
            deletes: Any = "tombstones" if quirks.tombstones else "listing"
            habits: Event = {"probe": quirks.probe, "deletes": deletes, "batch": quirks.batch}
            self._resources[key] = replace(part.resource, **habits) if self.ground.builtin else part.resource
        return self._resources[key]

    def engine(self, worker: Worker) -> Engine:
        """A hub started anew, as this worker runs it."""
        return Engine(
            self.setup(worker),
            SimStore(self.memory, worker),
            clock=self.clock,
            ids=self._new_id,
            owner=worker.name,
            pool=Inline,
            hold=False,
        )

    def _new_id(self) -> str:
        return f"h{next(self._names):06d}"

    def worker(self) -> Worker:
        return Worker(f"worker {next(self._workers)}")

    def read(self) -> Store:
        """The hub's memory, for looking into it."""
        return SimStore(self.memory, Worker("reader"))

    def entity_names(self, chosen: Sequence[str] | None) -> list[str] | None:
        return None if chosen is None else [e for e in chosen if e in self.entities] or None

    # what happens -------------------------------------------------------------------------------------------------

    def do(self, event: Event) -> None:
        """Let one event happen; one that makes no sense any more does nothing."""
        act: Callable[[Event], str] | None = getattr(self, f"_do_{event['do']}", None) or self.people.act(event["do"])
        if act is None:
            raise ConfigurationError(f"there is no event {event['do']!r}", where="story")
        at, place = self.clock.since(), len(self.story)
        try:
            said = act(event)
        except Exception as error:
            said = f"{event['do']} ends with {error!r}"
            self.witness.broken("no surprises", said)
        if said:
            self.story.insert(place, f"{at}  {said}")

    def _do_wait(self, event: Event) -> str:
        self.clock.wait(event["seconds"])
        return f"{event['seconds']} seconds go by"

    def _do_fault(self, event: Event) -> str:
        system = self.systems.get(event["system"])
        if system is None:
            return ""
        system.faults.append({"kind": event["kind"], "on": event["on"], "n": event["n"]})
        return f"{event['system']}: call {event['n']} from now ({event['on']}) will fail: {event['kind']}"

    def _do_outage(self, event: Event) -> str:
        system = self.systems.get(event["system"])
        if system is None:
            return ""
        system.down = event["down"]
        return f"{event['system']} is {'down' if event['down'] else 'up again'}"

    def _do_blank(self, event: Event) -> str:
        system = self.systems.get(event["system"])
        if system is None:
            return ""
        # Where only one record is known, an empty system can't be told from a deletion.
        enough = all(len(rows) > 2 for e, rows in system.rows.items() if e in self.entities and rows)
        system.blank = event["on"] and enough
        self.hidden |= system.blank
        return f"{event['system']} shows {'nothing at all' if system.blank else 'its records'}"

    def _do_pass(self, event: Event) -> str:
        """One pass, or two at once, with what happens meanwhile."""
        works = {"a": self._work(event, "a")}
        if "b" in event:
            works["b"] = self._work(event["b"], "b")
        self.story.append(f"{self.clock.since()}  {_described(event)}")
        self.witness.began = None if "hint" in event or self.hidden else self.clock.now
        Scene(event.get("script", ()), works, self.do, self._tell).play()
        return ""

    def _tell(self, line: str) -> None:
        self.story.append(f"{self.clock.since()}    {line}")

    def _work(self, options: Event, name: str) -> tuple[Worker, Callable[[], None]]:
        worker = self.worker()

        def work() -> None:
            undisturbed = not options.get("script") and self.clock.now
            try:
                report = self._pass(worker, options)
            except HubError as error:
                self._tell(f"worker {name}: {type(error).__name__}: {error.what}")
            except Exception as error:
                self._tell(f"worker {name}: {error!r}")
                self.witness.broken("no surprises", f"a pass ended with {error!r}")
            else:
                if report is not None:
                    self._tell(f"worker {name}: {report.message}")
                    self._noted(report, options, bool(undisturbed))

        return worker, work

    def _pass(self, worker: Worker, options: Event) -> PassReport | None:
        with self.engine(worker) as engine:
            entities = self.entity_names(options.get("entities"))
            if "hint" in options:
                self._hint(engine, options)
                return None
            if options.get("yes", True):
                return engine.sync(entities, full=options.get("full", False), yes=True)
            before, held = len(self.witness.writes), self._held()
            report = engine.sync(entities, full=options.get("full", False))
            self._within_budget(before, held)
            return report

    def _held(self) -> dict[tuple[str, str], set[str]]:
        return {(name, entity): set(rows) for name, s in self.systems.items() for entity, rows in s.rows.items()}

    def _within_budget(self, before: int, held: dict[tuple[str, str], set[str]]) -> None:
        """A pass that nobody approved changes and deletes no more than its budget."""
        risky = Counter((w.system, w.entity) for w in self.witness.writes[before:] if w.risky)
        for (system, entity), count in risky.items():
            budget = self.policy(entity).budget
            # What the pass made or deleted itself was there when it looked. A deletion that no list has shown (it
            # lags, or showed nothing then) is not known to the hub.
            rows, known = self.systems[system].rows[entity], self.systems[system].known[entity]
            most = len(held[system, entity] | rows.keys() | known)
            if count > max(budget.floor, int(budget.share * most)):
                self.witness.broken(
                    "deletes are earned", f"{count} changes of {entity} in {system}, and nobody had been asked"
                )

    def _hint(self, engine: Engine, options: Event) -> None:
        """A webhook told of records: a small pass observes them once more, whatever it said about them."""
        system, entity = options["system"], options["entity"]
        ids = [row.id for tag in options["hint"] if (row := self.systems[system].find(entity, tag)) is not None]
        if entity not in engine.setup.policies:
            return
        with engine.store.begin() as connection:
            hints.add(connection, [(system, entity, remote_id) for remote_id in ids], instant(self.clock.now))
        before, held = len(self.witness.writes), self._held()
        engine.hinted(entity)
        self._within_budget(before, held)

    def _noted(self, report: PassReport, options: Event, undisturbed: bool) -> None:
        self.reports.append(report)
        complete = report.state == "done" and not report.writes and not options.get("entities")
        calm = not any(s.down or s.blank for s in self.systems.values()) and not self.dropped and not self.directions
        lag = max(system.quirks.lag for system in self.systems.values())
        last = max((log[-1][1] for s in self.systems.values() for log in s.log.values() if log), default=None)
        waits = any(counts.waiting for counts in report.counts)
        shown = last is None or (self.clock.now - last).total_seconds() > lag + 60
        left = waits or report.open_letters or report.open_conflicts
        if complete and calm and undisturbed and shown and not left:
            self.quiet.append(self.clock.now)

    def _do_approve(self, event: Event) -> str:
        """A plan is made, perhaps somebody edits meanwhile, and it is approved: done as shown, or not at all."""
        worker = self.worker()
        self.witness.began = None if self.hidden else self.clock.now
        with self.engine(worker) as engine:
            try:
                plan = engine.plan().plan
                if plan is None:
                    return ""
                since = len(self.witness.edits)
                for step in event.get("script", ()):
                    self.do(step)
                made = len(self.witness.edits) > since
                before = len(self.witness.writes)
                try:
                    message = engine.apply(plan.id).message
                    self._nothing_else(plan, before)
                    if made:
                        self._as_planned(since)
                except ConfigurationError as error:
                    message = error.what
                    if len(self.witness.writes) != before:
                        self.witness.broken("no stale write", "a plan that no longer held was written")
            except HubError as error:
                message = f"{type(error).__name__}: {error.what}"
        return f"a plan is made and approved: {message}"

    def _nothing_else(self, plan: Plan, before: int) -> None:
        """What an approved plan does not name is left to another pass."""
        named = Counter((write.system, write.entity, write.record) for write in plan.writes)
        for write in self.witness.writes[before:]:
            place = (write.system, write.entity, write.id if write.action != "create" else "")
            named[place] -= 1
            if named[place] < 0:
                what = f"{write.action} of {write.entity} {write.id} in {write.system}"
                self.witness.broken("no stale write", f"{what} was not in the plan that was approved")

    def _as_planned(self, since: int) -> None:
        """An approved plan carries no edit that was made after it."""
        for edit in self.witness.edits[since:]:
            if edit.value is None or edit.by != "user" or "@" in str(edit.value):
                continue
            rows = [s.find(edit.entity, edit.tag) for name, s in self.systems.items() if name != edit.system]
            if any(row is not None and row.flat.get(edit.path) == edit.value for row in rows):
                self.witness.broken("no stale write", f"{edit.value!r} was given after the plan was made, and written")

    def _do_person(self, event: Event) -> str:
        """Somebody looks after what waits for a person."""
        with self.engine(self.worker()) as engine:
            try:
                if event["what"] == "replay":
                    return self._letters(engine)
                found = engine.conflicts()
                if not found:
                    return ""
                conflict = found[event["nth"] % len(found)]
                if conflict["path"] == "match":
                    engine.resolve(conflict["id"], new=True)
                else:
                    engine.resolve(conflict["id"], take=event["take"])
                self.decided.append((conflict["entity"], conflict["hub_id"], conflict["path"]))
                taken = "new" if conflict["path"] == "match" else event["take"]
                return f"a person decides {conflict['title']} {conflict['path']}: {taken}"
            except HubError as error:
                return f"a person tries to decide: {error.what}"

    def _letters(self, engine: Engine) -> str:
        """Letters are tried again; but where it is in doubt whether a record was made, somebody looks first."""
        again: list[int] = []
        dropped: list[int] = []
        for letter in engine.letters():
            tag = (letter["payload"] or {}).get(self.ground.keys[letter["entity"]])
            there = letter["stage"] == "doubt" and self.systems[letter["system"]].find(letter["entity"], str(tag))
            (dropped if there else again).append(letter["id"])
        engine.discard(dropped)
        engine.replay(again)
        return f"{len(again)} letters are to be tried again, {len(dropped)} given up" if again or dropped else ""

    def _do_policy(self, event: Event) -> str:
        if event["entity"] not in self.settings:
            return ""
        self.settings[event["entity"]] |= event["set"]
        self.policies.clear()
        self.changes.setdefault(event["entity"], []).append(event["set"])
        self.changed_at[event["entity"]] = self.clock.now
        return f"the policy of {event['entity']} is changed: {event['set']}"

    def _do_remap(self, event: Event) -> str:
        key = (event["system"], event["entity"])
        if key not in self.ground.parts or event["system"] not in self.systems or event["entity"] not in self.entities:
            return ""
        if event["drop"]:
            self.dropped[key] = event["drop"]
            self.unmapped.add((event["entity"], event["drop"]))
            return f"the mapping of {' '.join(key)} loses {event['drop']}"
        self.dropped.pop(key, None)
        return f"the mapping of {' '.join(key)} is whole again"

    def _do_direct(self, event: Event) -> str:
        key = (event["system"], event["entity"])
        if key not in self.ground.parts or event["system"] not in self.systems or event["entity"] not in self.entities:
            return ""
        if event["to"] == self.ground.parts[key].direction:
            self.directions.pop(key, None)
        else:
            self.directions[key] = event["to"]
        self.policies.clear()
        return f"{' '.join(key)} is now {event['to']}"


def _described(event: Event) -> str:
    if "hint" in event:
        return f"a webhook of {event['system']} tells of {event['entity']} {', '.join(event['hint'])}"
    words = ["the hub makes a pass"]
    if event.get("entities"):
        words.append(f"over {', '.join(event['entities'])}")
    words += [word for word in ("full", "yes") if event.get(word)]
    return ", ".join(words) + (", and a second worker, too" if "b" in event else "")
