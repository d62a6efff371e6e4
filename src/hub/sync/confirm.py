"""Confirm: read back what a system made of our write. That becomes the shadow.

What it shows in a field we wrote, if it differs, is paired with what we meant: so it is not an edit at the next
sighting. What it shows in other fields (a number it gave, totals it computed) is an observation like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from hub.connect.capabilities import Get, Remote
from hub.errors import AlreadyExists, Gone, HubError, VersionConflict
from hub.mapping.lens import LensField
from hub.store import journal, shadows, work
from hub.store.codec import printed
from hub.store.journal import Entry
from hub.store.records import Stored
from hub.store.shadows import LIVE, Shadow, ShadowWrite
from hub.sync import outcomes
from hub.sync.context import Pass, edited_at
from hub.sync.decide import ABSENT, Sight, by_key, decide
from hub.sync.intake import Batch, Intake
from hub.sync.picking import picked, present
from hub.sync.plan import Step, Target, differences
from hub.sync.policy import Endpoint
from hub.sync.refs import hub_table, translate

Values = dict[str, Any]
Done = tuple[Stored, Shadow | None, Step, Remote | None]


class Confirmer:
    """Takes in the answers to our own writes to one endpoint."""

    def __init__(self, job: Pass, endpoint: Endpoint) -> None:
        self.job = job
        self.endpoint = endpoint
        self.lens = endpoint.lens
        self.intake = Intake(job, endpoint)
        self._rest: dict[tuple[str, ...], dict[str, LensField]] = {}
        self._unseen: dict[tuple[str, ...], bool] = {}
        """Fields written together → whether the system never shows some of them."""
        self._computed = {name: _computed_part(f) for name, f in self.lens.fields.items() if f.lines is not None}

    def confirm(self, connection: Connection, done: Sequence[Done], *, doubtful: bool = False) -> set[str]:
        """Store successful writes; returns the records that need no further look by the planner.

        ``doubtful``: the answer was lost and the record was found again later, so that somebody may have edited it
        since: only what looks like the system's own rewriting is paired.
        """
        settled: set[str] = set()
        written = [item for item in done if item[2].action in {"create", "update"}]
        removed = [item for item in done if item[2].action not in {"create", "update"}]
        if removed:
            settled |= self._removed(connection, removed)
        if written:
            settled |= self._written(connection, written, doubtful)
        ids = [record.hub_id for record, _, _, _ in done]
        work.close_letters(connection, self.endpoint.system, self.endpoint.entity, at=self.job.now(), hub_ids=ids)
        return settled

    def _removed(self, connection: Connection, done: Sequence[Done]) -> set[str]:
        counts = self.job.counts(self.endpoint)
        entries = []
        for record, shadow, step, remote in done:
            if shadow is None:
                continue
            gone = "hub" if step.action == "delete" else "archived"
            shadows.set_gone(connection, self.endpoint.system, self.endpoint.entity, [shadow.remote_id], gone)
            if step.action == "archive" and remote is not None and remote.record is not None:
                self.intake.take(connection, [remote])  # what archiving made of it is known from now on
            counts.deleted += step.action == "delete"
            counts.archived += step.action == "archive"
            entries.append(
                Entry(
                    record.entity,
                    record.hub_id,
                    "written",
                    self.endpoint.system,
                    shadow.remote_id,
                    {"action": step.action},
                )
            )
        journal.write(connection, self.job.run, self.job.now(), entries)
        return {record.hub_id for record, _, _, _ in done}

    def _written(self, connection: Connection, done: Sequence[Done], doubtful: bool) -> set[str]:
        system = self.endpoint.system
        paths = self.job.refs(self.endpoint)
        answers = [self._answer(item) for item in done]
        shown = [got.values for got in self.lens.get_many([record for _, record in answers])]
        bases = [self.lens.get(item[1].data).values if item[1] else None for item in done]
        table = hub_table(connection, system, [*shown, *(b for b in bases if b is not None)], paths)
        for values in (*shown, *(b for b in bases if b is not None)) if paths else ():
            translate(values, paths, table, unknown="?")
        batch = Batch(self.job.now())
        settled: set[str] = set()
        counts = self.job.counts(self.endpoint)
        for (record, shadow, step, _), (remote, raw), theirs, base in zip(done, answers, shown, bases, strict=True):
            meant = dict(shadow.meant) if shadow else {}
            rewritten = self._pair(record, step, theirs, base, meant, doubtful)
            counts.created += step.action == "create"
            counts.updated += step.action == "update"
            batch.entries.append(self._entry(record, step, remote, rewritten))
            self._store_shadow(batch, record, shadow, remote, raw, meant)
            if not self._observe_rest(connection, batch, record, step, remote, theirs, base, meant, doubtful):
                settled.add(record.hub_id)
        self.intake.store(connection, batch)
        return settled

    def _answer(self, item: Done) -> tuple[Remote, dict[str, Any]]:
        """The record as the system has it now, or, where it could not be read back, as it must be."""
        _, shadow, _, remote = item
        if remote is None:
            assert shadow is not None
            remote = Remote(shadow.remote_id, None, ref=shadow.ref)
        if remote.record is not None:
            return remote, remote.record
        # Not read back: an empty version makes the next write observe the record first.
        return remote, dict(shadow.data) if shadow else {}

    def _pair(
        self, record: Stored, step: Step, theirs: Values, base: Values | None, meant: Values, doubtful: bool
    ) -> dict[str, list[Any]]:
        """Note what we meant where the system shows something else; returns field → [meant, shown]."""
        rewritten: dict[str, list[Any]] = {}
        if not meant and self._shown_as_meant(step.write, record.values, theirs):
            return rewritten
        for name in step.write:
            lens_field = self.lens.fields[name]
            wanted = record.values[name]
            shows = theirs.get(name, ABSENT)
            meant.pop(name, None)
            if lens_field.direction == "out":
                meant[name] = wanted
                continue
            changed = wanted != shows and self._differs(name, lens_field, wanted, shows)
            if changed and (not doubtful or _looks_rewritten(wanted, shows)):
                meant[name] = wanted
                rewritten[name] = [wanted, None if shows is ABSENT else shows]
        return rewritten

    def _shown_as_meant(self, write: tuple[str, ...], wanted: Values, theirs: Values) -> bool:
        """Whether every field we wrote is shown, just as we wrote it: then there is nothing to pair."""
        unseen = self._unseen.get(write)
        if unseen is None:
            unseen = self._unseen[write] = any(self.lens.fields[name].direction == "out" for name in write)
        return not unseen and picked(wanted, write).items() <= theirs.items()

    def _differs(self, name: str, lens_field: LensField, wanted: Any, shows: Any) -> bool:
        if lens_field.lines is None:
            return bool(wanted != shows)
        target = Target(
            "",
            "",
            "",
            {name: replace(lens_field, strength="normal")},
            (name,),
            "",
            None,
            {name: shows},
            {},
            False,
            "ignore",
            False,
            False,
            {},
        )
        return bool(differences({name: wanted}, target))

    def _observe_rest(
        self,
        connection: Connection,
        batch: Batch,
        record: Stored,
        step: Step,
        remote: Remote,
        theirs: Values,
        base: Values | None,
        meant: Values,
        doubtful: bool,
    ) -> bool:
        """Decide the fields we did not write; True when the record changed by it."""
        rest = self._rest.get(step.write)
        if rest is None:
            rest = self._rest[step.write] = {n: f for n, f in self.lens.fields.items() if n not in step.write}
        if not doubtful and not self._has_news(rest, theirs, base, record):
            return False
        fields = dict(rest)
        if doubtful:  # somebody may have edited what we wrote
            fields |= {
                n: self.lens.fields[n] for n in step.write if n not in meant and theirs.get(n) != record.values[n]
            }
        seen = theirs
        for name, part in self._computed.items():
            if name in step.write and part is not None and name not in fields and isinstance(theirs.get(name), list):
                ours = by_key(record.values.get(name), None, part.lines.key) if part.lines else {}
                seen = {**seen, name: [line for line in theirs[name] if line.get(part.lines.key) in ours]}  # type: ignore[union-attr]
                fields[name] = part
                base = {k: v for k, v in base.items() if k != name} if base is not None else None
        sight = Sight(
            system=self.endpoint.system,
            theirs=seen,
            base=base,
            meant=meant,
            ours=record.values,
            stamps=record.stamps,
            at=edited_at(remote, self.job.now()),
            linked=frozenset([self.endpoint.system]),
        )
        decision = decide(sight, fields, self.intake.policy)
        if decision.changes:
            self.intake.apply_decision(connection, batch, remote, record, decision, quiet=True)
        return decision.changed or any(change.kind != "converged" for change in decision.changes)

    def _has_news(self, rest: dict[str, LensField], theirs: Values, base: Values | None, record: Stored) -> bool:
        """Whether there can be anything to decide: most answers show only what we wrote."""
        if any(part is not None for part in self._computed.values()):
            return True
        known = base or {}
        return any(
            name in theirs and (theirs[name] is not None or name in known) and theirs[name] != record.values.get(name)
            for name in rest
        )

    def _entry(self, record: Stored, step: Step, remote: Remote, rewritten: dict[str, list[Any]]) -> Entry:
        detail: dict[str, Any] = {"action": step.action, "because": step.because, "lens": self.lens.version}
        if step.action == "update":
            detail["fields"] = step.fields
        if remote.version is not None:
            detail["version"] = remote.version
        if rewritten:
            detail["rewritten"] = rewritten
        return Entry(record.entity, record.hub_id, "written", self.endpoint.system, remote.id, detail)

    def _store_shadow(
        self, batch: Batch, record: Stored, shadow: Shadow | None, remote: Remote, raw: dict[str, Any], meant: Values
    ) -> None:
        text, mark = printed(present(raw, self.intake.fields))
        row = ShadowWrite(
            remote.id,
            record.hub_id,
            remote.ref or (shadow.ref if shadow else remote.id),
            remote.version,
            mark,
            text,
            meant,
            remote.modified_at,
        )
        batch.shadows.append(row)

    def recovered(
        self, connection: Connection, record: Stored, shadow: Shadow | None, step: Step, error: HubError
    ) -> bool:
        """Failures that only mean "look again": True when that was done (the record stays to be planned)."""
        name = self.endpoint.resource.name
        if isinstance(error, Gone) and shadow is not None:
            if step.action in {"delete", "archive"}:
                shadows.set_gone(connection, self.endpoint.system, self.endpoint.entity, [shadow.remote_id], "hub")
            else:
                outcomes.gone(self.job, connection, self.endpoint, [shadow.remote_id])
            return True
        if not isinstance(self.endpoint.connector, Get):
            return False
        if isinstance(error, VersionConflict) and shadow is not None:
            fresh = self.endpoint.connector.get(
                name, [shadow.remote_id], self.lens.remote_fields, self.lens.read_options
            )
            self.intake.take(connection, fresh)
            return True
        if isinstance(error, AlreadyExists) and error.remote_id and step.action == "create":
            fresh = self.endpoint.connector.get(
                name, [error.remote_id], self.lens.remote_fields, self.lens.read_options
            )
            return self._adopt(connection, record, fresh)
        return False

    def _adopt(self, connection: Connection, record: Stored, fresh: list[Remote]) -> bool:
        """A create met a record that is there already: take it in if it is nobody else's and a match rule says so."""
        if not fresh or fresh[0].deleted or fresh[0].record is None:
            return False
        remote = fresh[0]
        known = shadows.known(connection, self.endpoint.system, self.endpoint.entity, [remote.id])
        if remote.id in known and known[remote.id].gone in LIVE:
            return False
        theirs = self.lens.get(remote.record or {}).values
        paths = self.job.refs(self.endpoint)
        translate(theirs, paths, hub_table(connection, self.endpoint.system, [theirs], paths))
        for rule in self.lens.match:
            if all(theirs.get(n) is not None and theirs.get(n) == record.values.get(n) for n in rule):
                self.intake.take(connection, [replace(remote, key=record.hub_id)])
                return True
        return False


def _computed_part(lens_field: LensField) -> LensField | None:
    """The part of a lines field that only the system fills (amounts it computes)."""
    lines = lens_field.lines
    if lines is None:
        return None
    fields = {name: f for name, f in lines.fields.items() if f.direction == "in"}
    return replace(lens_field, lines=replace(lines, fields=fields)) if fields else None


def _looks_rewritten(wanted: Any, shown: Any) -> bool:
    """Whether ``shown`` may be the system's own version of ``wanted``: cut, re-cased, re-spaced, rounded."""
    if isinstance(wanted, str) and isinstance(shown, str):
        a, b = "".join(wanted.casefold().split()), "".join(shown.casefold().split())
        if a.startswith(b) and b:
            return True
        try:
            return round(float(a), 2) == round(float(b), 2)
        except ValueError:
            return False
    return False
