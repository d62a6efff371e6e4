"""Backtest of a policy: what other owners, rules or directions would have made of the edits that the journal holds.

Every decision that a pass noted is made again, twice: under the policy that was applied and under the changed one.
Where the two differ, the record is carried on with the changed outcome, so that later edits are judged against what the
hub would have held by then. Asks no system and stores nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from hub.mapping.lens import LensField
from hub.store import journal, observed, pruning, records
from hub.store.database import Store
from hub.store.journal import Logged
from hub.store.records import Stored
from hub.sync.backtest import Difference, What
from hub.sync.chain import Chain, Given, holder
from hub.sync.decide import ABSENT, Sight, judged
from hub.sync.paths import plain
from hub.sync.places import overlap, value_at
from hub.sync.policy import EntityPolicy, Setup

PAGE = 500
_OTHER = object()
"""Equal to nothing: what was agreed on, where the journal only tells that it was something else."""
_BOTH = {"newest", "order", "owner", "hold"}
"""Rules that are asked only where both sides had changed a value."""
Outcome = tuple[str, str]


@dataclass(slots=True)
class PolicyBacktest:
    """What a changed policy makes of one entity's recorded decisions."""

    entity: str
    compared_with: str
    changes: list[str]
    """What differs between the two policies, in words."""
    records: int = 0
    """Records with decisions that were looked at."""
    decisions: int = 0
    differing: int = 0
    """Records of which something comes out differently."""
    since: str = ""
    """Decisions made before this moment were pruned, and are not looked at; empty: all of them are there."""
    untold: list[str] = field(default_factory=list)
    """Systems that would be written to and were not: only the next pass can say what they need."""
    differences: list[Difference] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        names = ("entity", "compared_with", "changes", "records", "decisions", "differing", "since", "untold")
        shown = ("what", "system", "field", "records", "samples")
        told = [{name: getattr(d, name) for name in shown} for d in self.differences]
        return {**{name: getattr(self, name) for name in names}, "differences": told}


def backtest_policy(
    store: Store,
    setup: Setup,
    old: EntityPolicy,
    new: EntityPolicy,
    *,
    compared_with: str = "the policy as last applied",
    since: str | None = None,
) -> PolicyBacktest:
    """Make the decisions of one entity again. ``since`` (ISO 8601, UTC): only those made since then."""
    report = PolicyBacktest(new.entity, compared_with, changes_between(old, new))
    report.untold = sorted(
        system
        for system, direction in new.systems.items()
        if direction != "in"
        and (old.systems.get(system, "in") == "in" or _may_create(new, system) > _may_create(old, system))
    )
    with store.read() as connection:
        report.since = pruning.horizon(connection).before
    since = max(since or "", report.since) or None
    trial = _Trial(setup, old, new, report, since or "")
    after = ""
    while True:
        with store.read() as connection:
            ids = observed.decided(connection, new.entity, after=after, limit=PAGE, since=since)
            trial.page(connection, ids)
        if len(ids) < PAGE:
            order = ["decision", "hub", "write", "unwritten", "delete"]
            report.differences.sort(key=lambda d: (order.index(d.what), d.system, d.field))
            return report
        after = ids[-1]


def changes_between(old: EntityPolicy, new: EntityPolicy) -> list[str]:
    """What differs, in words; budgets aside, which decide about no value."""
    made: list[str] = []
    for name in ("systems", "authority", "field_conflict", "create"):
        before, after = getattr(old, name), getattr(new, name)
        made += [
            f"{name}.{key}: {_said(before.get(key))} → {_said(after.get(key))}"
            for key in dict.fromkeys([*before, *after])
            if before.get(key) != after.get(key)
        ]
    if list(old.systems) != list(new.systems) and sorted(old.systems) == sorted(new.systems):
        made.append(f"order of systems: {', '.join(old.systems)} → {', '.join(new.systems)}")
    for name in ("conflict", "deletes"):
        if getattr(old, name) != getattr(new, name):
            made.append(f"{name}: {_said(getattr(old, name))} → {_said(getattr(new, name))}")
    return made


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "—" if value is None else value if isinstance(value, str) else ", ".join(value)


def _may_create(policy: EntityPolicy, system: str) -> bool:
    return policy.create.get(system, True)


class _Trial:
    def __init__(self, setup: Setup, old: EntityPolicy, new: EntityPolicy, report: PolicyBacktest, since: str) -> None:
        self.setup, self.old, self.new, self.report, self.since = setup, old, new, report, since
        self.spec = setup.specs[new.entity]
        self.fields: dict[str, Mapping[str, LensField]] = {
            e.system: e.lens.fields for e in setup.endpoints if e.entity == new.entity
        }
        self.by_name: dict[tuple[str, str, str], Difference] = {}

    def page(self, connection: Connection, ids: list[str]) -> None:
        stored = records.load(connection, ids)
        histories = journal.of_ids(connection, [key for key in ids if key in stored])
        for hub_id, entries in histories.items():
            self.report.records += 1
            one = _Record(self, stored[hub_id], entries)
            one.live()
            self.report.differing += one.differs

    def note(self, what: What, system: str, path: str, sample: dict[str, Any]) -> None:
        name = plain(path)
        key = (what, system, name)
        if key not in self.by_name:
            self.by_name[key] = Difference(what, system, name)
            self.report.differences.append(self.by_name[key])
        self.by_name[key].add(sample)


class _Record:
    """One record's life, lived again."""

    def __init__(self, trial: _Trial, record: Stored, entries: list[Logged]) -> None:
        self.trial = trial
        self.record = record
        self.chain = Chain(entries, record.values, trial.spec)
        self.other: dict[str, Any] = {}
        """Place → what the hub would hold there, where that is not what it held."""
        self.gave: dict[str, Given] = {}
        self.differs = False
        title = next((str(record.values[n]) for n in trial.spec.title if record.values.get(n)), record.hub_id)
        self.sample = {"record": title, "id": record.hub_id}

    def live(self) -> None:
        linked: set[str] = set()
        for index, entry in enumerate(self.chain.entries):
            first = entry.kind == "linked" or (entry.kind == "written" and entry.detail.get("action") == "create")
            fresh = first or any(
                e.kind == "linked" and (e.system, e.at) == (entry.system, entry.at) for e in self.chain.entries
            )
            if entry.kind in ("new", "linked") or first:
                linked.add(entry.system)
            if entry.at < self.trial.since:
                continue
            if entry.kind == "observed":
                for change in entry.detail["changes"]:
                    self.trial.report.decisions += 1
                    self._decided(entry, index, change, frozenset(linked), fresh)
            elif entry.kind == "written":
                self._written(entry)
            elif entry.kind == "deleted" and self.trial.old.deletes != self.trial.new.deletes:
                self._note("delete", entry.system, "*", self.trial.old.deletes, self.trial.new.deletes)
        self._in_the_end(linked)

    def _decided(self, entry: Logged, index: int, change: list[Any], linked: frozenset[str], fresh: bool) -> None:
        path, kind, rule, base, theirs, ours = change
        if kind == "converged" or rule in {"archived", "direction"}:
            return
        place = next((p for p in self.other if overlap(p, path)), None)
        given = {**self.chain.given[index], **(self.gave if place else {})}
        stamps = {name: [one["system"], str(one["at"])] for name, one in given.items()}
        known = ABSENT if fresh or rule == "first" else base
        agreed = ours if rule == "edit" else _OTHER if rule in _BOTH else known
        at = entry.detail.get("at") or entry.at
        was = self._judge(self.trial.old, entry.system, path, known, agreed, theirs, ours, at, stamps, linked)
        if place is None:
            then = self._judge(self.trial.new, entry.system, path, known, agreed, theirs, ours, at, stamps, linked)
        else:  # the systems would have been told of the other value: this edit would have been made of that one
            held = self.other[place] if place == path else ours
            then = self._judge(self.trial.new, entry.system, path, held, held, theirs, held, at, stamps, linked)
        if was[0] != then[0]:
            self._note("decision", entry.system, path, _told(was, theirs, ours), _told(then, theirs, ours))
        self._carry(entry, index, path, kind, then[0], theirs, ours)

    def _carry(self, entry: Logged, index: int, path: str, kind: str, then: str, theirs: Any, ours: Any) -> None:
        """What the hub would hold from here on."""
        if then == "accepted":
            if kind == "accepted":
                self.other.pop(path, None)
            else:
                self.other[path] = theirs
            self.gave[path] = {"system": entry.system, "at": entry.detail.get("at") or entry.at, "by": None}
        elif kind == "accepted" and path not in self.other:
            self.other[path] = ours
            self.gave.setdefault(path, holder(self.chain.given[index], path))

    def _judge(
        self,
        policy: EntityPolicy,
        system: str,
        path: str,
        base: Any,
        agreed: Any,
        theirs: Any,
        ours: Any,
        at: str,
        stamps: dict[str, list[str]],
        linked: frozenset[str],
    ) -> Outcome:
        """(outcome, rule) under a policy."""
        if policy.systems.get(system, "out") == "out":
            return "not read", "direction"
        lens_field = _field(self.trial.fields.get(system, {}), path)
        if lens_field is None:
            return "not read", "mapping"
        owned = policy if all(owner in linked for owner in policy.authority.values()) else dataclasses.replace(
            policy, authority={name: owner for name, owner in policy.authority.items() if owner in linked}
        )  # fmt: skip
        sight = Sight(system, {}, None, {}, self.record.values, stamps, at, linked | {system})
        kind, rule = judged(sight, path, lens_field, owned, base, agreed, theirs, ours)
        return kind or "nothing", rule

    def _written(self, entry: Logged) -> None:
        old, new, system = self.trial.old, self.trial.new, entry.system
        barred = new.systems.get(system, "in") == "in" and old.systems.get(system, "in") != "in"
        unmade = entry.detail["action"] == "create" and not _may_create(new, system) and _may_create(old, system)
        if barred or unmade:
            self._note("unwritten", system, "*", entry.detail["action"], "nothing")

    def _in_the_end(self, linked: set[str]) -> None:
        """What the hub would hold now, and where it would have been written."""
        for path, value in self.other.items():
            now = value_at(self.record.values, path, self.trial.spec)
            now = None if now is ABSENT else now
            if now == value or self.record.deleted_at is not None:
                continue
            self._note("hub", "", path, now, value)
            for system, direction in self.trial.new.systems.items():
                lens_field = _field(self.trial.fields.get(system, {}), path)
                if direction != "in" and system in linked and lens_field is not None and lens_field.direction != "in":
                    self._note("write", system, path, now, value)

    def _note(self, what: What, system: str, path: str, before: Any, after: Any) -> None:
        self.differs = True
        self.trial.note(what, system, path, {**self.sample, "path": path, "before": before, "after": after})


def _field(fields: Mapping[str, LensField], path: str) -> LensField | None:
    head, _, rest = path.partition("[")
    found = fields.get(head)
    inner = rest.partition("].")[2]
    return found.lines.fields.get(inner, found) if found is not None and found.lines is not None and inner else found


def _told(outcome: Outcome, theirs: Any, ours: Any) -> str:
    kept = {"accepted": theirs, "refused": ours}.get(outcome[0])
    return f"{outcome[0]} ({outcome[1]})" + (f": {kept}" if kept is not None else "")
