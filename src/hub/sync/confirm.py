"""Confirm: read back what a system made of our write. That becomes the shadow.

What it shows in a field we wrote, if it differs, is paired with what we meant: so it is not an edit at the next
sighting. What it shows in other fields (a number it gave, totals it computed) is an observation like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from hub.connect.capabilities import Remote
from hub.errors import AlreadyExists, Gone, HubError, VersionConflict
from hub.mapping.lens import LensField
from hub.store import journal, records, shadows, work
from hub.store.codec import printed
from hub.store.journal import Entry
from hub.store.records import Stored
from hub.store.shadows import LIVE, Shadow, ShadowWrite
from hub.sync import as_sent, outcomes
from hub.sync.adopting import adopt
from hub.sync.context import Pass, edited_at
from hub.sync.decide import ABSENT, Sight, all_by_key, decide
from hub.sync.intake import Batch, Intake
from hub.sync.outcomes import Letter
from hub.sync.picking import alike, present
from hub.sync.plan import Step, Target, differences
from hub.sync.planning import mark_of
from hub.sync.policy import Endpoint
from hub.sync.readback import Done, computed_part, has_unknown, looks_rewritten, without_blanks
from hub.sync.refs import hub_table, translate

Values = dict[str, Any]


class Confirmer:
    """Takes in the answers to our own writes to one endpoint."""

    def __init__(self, job: Pass, endpoint: Endpoint) -> None:
        self.job = job
        self.endpoint = endpoint
        self.lens = endpoint.lens
        self.intake = Intake(job, endpoint)
        self.alone = False
        """No other system is written the same records meanwhile: they are as they were when the write was planned."""
        self.refused: set[str] = set()
        """Hub ids whose create, in the last call, was answered with a record of another one."""
        self.known: Collection[str] = ()
        """Remote ids that the hub had seen before the last call created them."""
        self._rest: dict[tuple[str, ...], dict[str, LensField]] = {}
        self._unseen: dict[tuple[str, ...], bool] = {}
        """Fields written together → whether the system never shows some of them."""
        self.computed = {name: computed_part(f) for name, f in self.lens.fields.items() if f.lines is not None}

    def confirm(
        self,
        connection: Connection,
        done: Sequence[Done],
        *,
        doubtful: bool = False,
        sent: Mapping[str, Values] | None = None,
    ) -> set[str]:
        """Store successful writes; returns the records that need no further look by the planner.

        ``doubtful``: the answer was lost and the record was found again later, so that somebody may have edited it
        since: only what looks like the system's own rewriting is paired. ``sent``: hub id → values that were sent and
        that the hub has changed since; where the system shows them, it shows our own write and no edit.
        """
        settled: set[str] = set()
        done = self._refuse_taken(connection, done)
        written = [item for item in done if item[2].action in {"create", "update"}]
        removed = [item for item in done if item[2].action not in {"create", "update"}]
        if removed:
            settled |= self._removed(connection, removed)
        if written and not doubtful:
            plain, written = as_sent.part(self, written)
            settled |= as_sent.store(self, connection, plain)
        if written:
            settled |= self._written(connection, written, doubtful, sent or {})
        ids = [one.record.hub_id for one in done]
        work.close_letters(connection, self.endpoint.system, self.endpoint.entity, at=self.job.now(), hub_ids=ids)
        return settled

    def _refuse_taken(self, connection: Connection, done: Sequence[Done]) -> list[Done]:
        """Leave out creates that were answered with a record which is another one's: a link is never taken away."""
        system, entity = self.endpoint.system, self.endpoint.entity
        created = {item[3].id: item for item in done if item[2].action == "create" and item[3] is not None}
        known = shadows.known(connection, system, entity, created) if created else {}
        self.refused = set()
        letters = []
        for remote_id, (record, shadow, step, _, _) in created.items():
            other = known.get(remote_id)
            if other is None or other.hub_id == record.hub_id or other.gone not in LIVE:
                continue
            self.refused.add(record.hub_id)
            letter = Letter(
                stage="write",
                hub_id=record.hub_id,
                error="AlreadyExists",
                message=f"{system} answered the create with its record {remote_id}, which is {entity} {other.hub_id}",
                cure=f"look whether the two are one, and merge them in the system that has both; {remote_id} may have"
                " been changed by this create",
                payload={name: record.values.get(name) for name in step.write},
                mark=mark_of(record, shadow),
            )
            letters.append(letter)
        outcomes.letters(self.job, connection, self.endpoint, letters)
        self.known = known.keys()
        return [item for item in done if item[0].hub_id not in self.refused]

    def _removed(self, connection: Connection, done: Sequence[Done]) -> set[str]:
        counts = self.job.counts(self.endpoint)
        entries = []
        for record, shadow, step, remote, _ in done:
            if shadow is None:
                continue
            shadows.set_gone(connection, self.endpoint.system, self.endpoint.entity, [shadow.remote_id], step.leaves)
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
                    {"action": step.action, **_undoing(step)},
                )
            )
        journal.write(connection, self.job.run, self.job.now(), entries)
        return {one.record.hub_id for one in done}

    def _written(
        self, connection: Connection, done: Sequence[Done], doubtful: bool, sent: Mapping[str, Values]
    ) -> set[str]:
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
        ids = [one.record.hub_id for one in done]
        # Another system's answer may have changed a record since this write was planned.
        moved = records.moved(connection, {one.record.hub_id: one.record.revision for one in done})
        live = shadows.by_hub(connection, ids) if self.intake.policy.authority else {}
        for (record, shadow, step, _, _), (remote, raw), theirs, base in zip(done, answers, shown, bases, strict=True):
            meant = dict(shadow.meant) if shadow else {}
            if step.action == "create":
                step = without_blanks(step, record.values, theirs)
            rewritten = self._pair(record, step, theirs, base, meant, doubtful)
            counts.created += step.action == "create"
            counts.updated += step.action == "update"
            batch.entries.append(self.entry(record, step, remote, rewritten))
            unknown = {path.field for path in paths if has_unknown(theirs, path)}
            if unknown and doubtful:  # perhaps an edit that is not taken in yet: the next write must not pass over it
                remote = replace(remote, version=shadow.version if shadow else "")
            self._store_shadow(batch, record, shadow, remote, self._without(raw, unknown, shadow), meant, bool(unknown))
            theirs = {name: value for name, value in theirs.items() if name not in unknown}
            if record.hub_id in sent:
                base = self._base_of_sent(sent[record.hub_id], theirs, base)
            now = moved.get(record.hub_id, record)
            linked = self.intake.systems(live, record) | {system}
            if not self._observe_rest(connection, batch, now, step, remote, theirs, base, meant, doubtful, linked):
                settled.add(record.hub_id)
        settled -= moved.keys()
        self.intake.store(connection, batch)
        return settled

    def _answer(self, item: Done) -> tuple[Remote, dict[str, Any]]:
        """The record as the system has it now, or, where it could not be read back, as it must be."""
        shadow, remote = item.shadow, item.remote
        if remote is None:
            assert shadow is not None
            remote = Remote(shadow.remote_id, None, ref=shadow.ref)
        if remote.record is not None:
            return remote, remote.record
        # Not read back: an empty version makes the next write observe the record first.
        return remote, dict(shadow.data) if shadow else dict(item.payload or {})

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
            if changed and (not doubtful or looks_rewritten(wanted, shows)):
                meant[name] = wanted
                sent = wanted if step.values is None else step.values[name]
                if sent is wanted or self._differs(name, lens_field, sent, shows):
                    rewritten[name] = [sent, None if shows is ABSENT else shows]
        return rewritten

    def _shown_as_meant(self, write: tuple[str, ...], wanted: Values, theirs: Values) -> bool:
        """Whether every field we wrote is shown, just as we wrote it: then there is nothing to pair."""
        unseen = self._unseen.get(write)
        if unseen is None:
            unseen = self._unseen[write] = any(self.lens.fields[name].direction == "out" for name in write)
        return not unseen and alike(wanted, theirs, write)

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
        linked: frozenset[str],
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
        for name, part in self.computed.items():
            if name in step.write and part is not None and name not in fields and isinstance(theirs.get(name), list):
                ours = all_by_key(record.values.get(name), part.lines.key) if part.lines else {}
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
            linked=linked,
        )
        decision = decide(sight, fields, self.intake.policy)
        for name in decision.unpaired:
            meant.pop(name, None)
        if decision.changes:
            self.intake.apply_decision(connection, batch, remote, record, decision, quiet=True)
        return decision.changed or any(change.kind != "converged" for change in decision.changes)

    def _base_of_sent(self, sent: Values, theirs: Values, base: Values | None) -> Values:
        """What the system showed before: our own write, wherever it still shows that, perhaps in its own way."""
        own = {
            name: theirs[name]
            for name, value in sent.items()
            if name in theirs
            and (
                not self._differs(name, self.lens.fields[name], value, theirs[name])
                or looks_rewritten(value, theirs[name])
            )
        }
        return {**(base or {}), **own}

    def _without(self, raw: dict[str, Any], unknown: set[str], shadow: Shadow | None) -> dict[str, Any]:
        """The record as it was before a reference nobody knows was put in: the next sighting takes that edit in."""
        if not unknown:
            return raw
        tops = {path.partition(".")[0] for name in unknown for path in self.lens.fields[name].remote}
        old = shadow.data if shadow else {}
        kept = {name: value for name, value in raw.items() if name not in tops}
        return kept | {name: old[name] for name in tops if name in old}

    def _has_news(self, rest: dict[str, LensField], theirs: Values, base: Values | None, record: Stored) -> bool:
        """Whether there can be anything to decide: most answers show only what we wrote."""
        if any(part is not None for part in self.computed.values()):
            return True
        known = base or {}
        return any(
            name in theirs and (theirs[name] is not None or name in known) and theirs[name] != record.values.get(name)
            for name in rest
        )

    def entry(self, record: Stored, step: Step, remote: Remote, rewritten: dict[str, list[Any]]) -> Entry:
        """What the journal says of one write."""
        detail: dict[str, Any] = {"action": step.action, "because": step.because, "lens": self.lens.version}
        if step.action == "update":
            detail["fields"] = step.fields
        detail |= _undoing(step)
        if step.values is not None:  # taken back there alone: the record holds something else
            apart = {n: record.values[n] for n in step.write if step.values[n] != record.values[n]}
            if apart:
                detail["apart"] = apart
        if remote.version is not None:
            detail["version"] = remote.version
        if rewritten:
            detail["rewritten"] = rewritten
        return Entry(record.entity, record.hub_id, "written", self.endpoint.system, remote.id, detail)

    def _store_shadow(
        self,
        batch: Batch,
        record: Stored,
        shadow: Shadow | None,
        remote: Remote,
        raw: dict[str, Any],
        meant: Values,
        unfinished: bool,
    ) -> None:
        text, mark = printed(present(raw, self.intake.fields))
        if unfinished:
            mark = 0  # equal to no sighting
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
        self,
        connection: Connection,
        record: Stored,
        shadow: Shadow | None,
        step: Step,
        error: HubError,
        fresh: Mapping[str, Remote],
    ) -> bool:
        """Failures that only mean "look again": True when that was done (the record stays to be planned).

        ``fresh``: what a second look showed, by remote id.
        """
        if isinstance(error, Gone) and shadow is not None:
            if step.action in {"delete", "archive"}:
                left = "hub" if step.action == "archive" else step.leaves  # nothing is left that could be archived
                shadows.set_gone(connection, self.endpoint.system, self.endpoint.entity, [shadow.remote_id], left)
            else:
                outcomes.gone(self.job, connection, self.endpoint, [shadow.remote_id])
            return True
        if isinstance(error, VersionConflict) and shadow is not None and shadow.remote_id in fresh:
            self.intake.take(connection, [fresh[shadow.remote_id]])
            return True
        if isinstance(error, AlreadyExists) and step.action == "create":
            there = fresh.get(error.remote_id or "")
            return there is not None and adopt(self.intake, connection, record, there)
        return False


def _undoing(step: Step) -> dict[str, str]:
    """What the journal notes of a write that takes another one back."""
    return {"because": step.because, "undoes": step.undoes} if step.undoes else {}
