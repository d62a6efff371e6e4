"""Intake: the one way observations come in, whatever brought them: poll, listing, webhook, read-back, replay.

Takes sightings of one endpoint inside one transaction: drops the ones that are no news, links or makes records,
decides every field, and stores shadow, record, journal and the advanced cursor together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from hub.connect.capabilities import Remote
from hub.mapping.lens import Got
from hub.store import journal, records, shadows, work
from hub.store.codec import printed
from hub.store.journal import Entry
from hub.store.records import RecordWrite, Stored
from hub.store.shadows import LIVE, THERE, Known, Shadow, ShadowWrite
from hub.sync import behind, matching, oscillation, outcomes
from hub.sync.context import Pass, edited_at
from hub.sync.correlate import Match
from hub.sync.decide import Decision, Sight, decide
from hub.sync.outcomes import Letter
from hub.sync.picking import present
from hub.sync.policy import Endpoint
from hub.sync.refs import hub_table, translate
from hub.sync.second_look import lost_lines, set_aside

Values = dict[str, Any]


@dataclass(slots=True)
class News:
    """A sighting that differs from what is known."""

    remote: Remote
    text: bytes
    hash: int
    values: Values
    known: Known | None


@dataclass(slots=True)
class Batch:
    """What one intake will store, gathered first and written in bulk."""

    at: str
    created: list[RecordWrite] = field(default_factory=list)
    updated: list[RecordWrite] = field(default_factory=list)
    shadows_new: list[ShadowWrite] = field(default_factory=list)
    shadows: list[ShadowWrite] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    indexed: list[tuple[str, Values]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    decided: list[outcomes.Decided] = field(default_factory=list)


@dataclass(slots=True)
class Taken:
    """What came of an intake."""

    changed: int = 0
    hub_ids: dict[str, str] = field(default_factory=dict)
    """Remote id → hub id, of everything that was taken in."""
    new: list[Stored] = field(default_factory=list)
    """Canonical records that were made, as stored."""


class Intake:
    """Takes in sightings of one endpoint."""

    def __init__(self, job: Pass, endpoint: Endpoint, *, relearn: bool = False, force_new: bool = False) -> None:
        self.job = job
        self.endpoint = endpoint
        self.lens = endpoint.lens
        self.policy = job.setup.policies[endpoint.entity]
        if job.behind:  # what is newest may be what the hub itself wrote
            self.policy = replace(self.policy, conflict="hold", field_conflict={})
        self.relearn = relearn
        """The mapping changed: equal records are news too."""
        self.force_new = force_new
        """A person said that the record is none of those it looks like."""
        self.doubts: dict[str, str] = {}
        """Lines that are not believed to be gone yet (field → key of its lines): what is taken in comes from a list."""
        self.marks_new = True
        """New records are marked for a plan; otherwise whoever takes them from ``Taken.new`` sees to that."""
        self.paths = job.refs(endpoint)
        self.rules = matching.rules_of(job.setup, endpoint.entity)
        self.fields = tuple(dict.fromkeys(name.partition(".")[0] for name in self.lens.remote_fields))

    def take(self, connection: Connection, remotes: Sequence[Remote]) -> Taken:
        """Take in sightings. Reports what happened through the pass's counts and events."""
        system, entity = self.endpoint.system, self.endpoint.entity
        latest = {remote.id: remote for remote in remotes}
        counts = self.job.counts(self.endpoint)
        counts.seen += len(latest)
        known = shadows.known(connection, system, entity, latest)
        gone = [
            r.id
            for r in latest.values()
            if (r.deleted or r.record is None) and r.id in known and known[r.id].gone in LIVE
        ]
        taken = Taken()
        deleted = [r.id for r in latest.values() if r.deleted or r.record is None]
        news = self._news(connection, latest.values(), known, taken)
        if gone:
            self.job.alone(connection, entity)
            outcomes.gone(self.job, connection, self.endpoint, gone)
            taken.changed += len(gone)
        outcomes.settle(self.job, connection, self.endpoint, [*deleted, *taken.hub_ids])
        if news:
            self._take_news(connection, news, taken)
        return taken

    def _news(
        self, connection: Connection, remotes: Iterable[Remote], known: dict[str, Known], taken: Taken
    ) -> list[News]:
        """The sightings that are news, translated; echoes end here, bad ones become dead letters."""
        fresh: list[tuple[Remote, bytes, int]] = []
        versions: dict[str, tuple[str | None, str]] = {}
        for remote in remotes:
            if remote.deleted or remote.record is None:
                continue
            text, mark = printed(present(remote.record, self.fields))
            old = known.get(remote.id)
            if old is not None and old.hash == mark and old.gone in THERE and not self.relearn:
                ref = remote.ref or old.ref
                if old.version != remote.version or old.ref != ref:
                    versions[remote.id] = (remote.version, ref)
                taken.hub_ids[remote.id] = old.hub_id
                continue
            fresh.append((remote, text, mark))
        shadows.set_versions(connection, self.endpoint.system, self.endpoint.entity, versions)
        if not fresh:
            return []
        gots = self.lens.get_many([remote.record for remote, _, _ in fresh])  # type: ignore[misc]
        news, letters = [], []
        for (remote, text, mark), got in zip(fresh, gots, strict=True):
            if got.problems:
                letters.append(self._unreadable(remote, got, known.get(remote.id)))
            else:
                news.append(News(remote, text, mark, got.values, known.get(remote.id)))
        outcomes.letters(self.job, connection, self.endpoint, letters)
        return news

    def _unreadable(self, remote: Remote, got: Got, known: Known | None) -> Letter:
        problem = got.problems[0]
        return Letter(
            stage="observe",
            remote_id=remote.id,
            hub_id=known.hub_id if known else "",
            field=problem.remote,
            error="RecordRejected",
            message=f"{problem.message} (value {problem.value!r})",
            cure=f"mend the value in {self.endpoint.system}, or the mapping at {problem.position}",
            payload=remote.record,
        )

    def _take_news(self, connection: Connection, news: list[News], taken: Taken) -> None:
        system, entity = self.endpoint.system, self.endpoint.entity
        old = shadows.by_remote(connection, system, entity, [n.remote.id for n in news if n.known is not None])
        bases = {key: self._shown(shadow) for key, shadow in old.items()}
        table = hub_table(connection, system, [*(n.values for n in news), *bases.values()], self.paths)
        for base in bases.values():
            translate(base, self.paths, table, unknown="?")
        ready: list[News] = []
        for one in news:
            before = bases.get(one.remote.id)
            if missing := translate(one.values, self.paths, table):
                hub_id = one.known.hub_id if one.known else ""
                outcomes.wait_for_reference(self.job, connection, self.endpoint, one.remote, hub_id, missing)
            elif before and (lost := lost_lines(self.doubts, self.endpoint, one.remote, one.values, before)):
                set_aside(self.job, connection, self.endpoint, one.remote, lost)
            else:
                ready.append(one)
        linked = [n for n in ready if n.known is not None]
        unlinked = [n for n in ready if n.known is None]
        batch = Batch(self.job.now())
        if linked or not self.job.ahead:
            self.job.alone(connection, entity)
        stored = records.load(connection, [n.known.hub_id for n in linked if n.known])
        live = shadows.by_hub(connection, stored) if self.policy.authority and stored else {}
        for one in linked:
            assert one.known is not None
            record = stored.get(one.known.hub_id)
            if record is not None:
                shadow = old[one.remote.id]
                self._take_linked(
                    connection, batch, one, record, shadow, bases[one.remote.id], self.systems(live, record)
                )
        if unlinked:
            self._take_unlinked(connection, batch, unlinked, taken)
            taken.new += [Stored(w.hub_id, w.entity, w.values, w.stamps, 1, None, None) for w in batch.created]
        self.store(connection, batch)
        taken.hub_ids |= {n.remote.id: n.known.hub_id for n in linked if n.known}
        outcomes.settle(
            self.job, connection, self.endpoint, [n.remote.id for n in ready if n.remote.id in taken.hub_ids]
        )
        taken.changed += len(ready)
        self.job.counts(self.endpoint).changed += len(ready)

    def _shown(self, shadow: Shadow) -> Values:
        """What a shadow said, in canonical values (references still the system's own)."""
        return self.lens.get(shadow.data).values

    def systems(self, live: dict[str, dict[str, Shadow]], record: Stored) -> frozenset[str]:
        return frozenset(s for s, shadow in live.get(record.hub_id, {}).items() if shadow.gone in LIVE)

    def _take_linked(
        self,
        connection: Connection,
        batch: Batch,
        one: News,
        record: Stored,
        shadow: Shadow,
        base: Values,
        linked: frozenset[str],
    ) -> None:
        """A record we know: decide each field against what the system showed before."""
        sight = Sight(
            system=self.endpoint.system,
            theirs=one.values,
            base=base,
            meant=shadow.meant,
            ours=record.values,
            stamps=record.stamps,
            at=edited_at(one.remote, batch.at),
            linked=linked,
        )
        if shadow.gone in {"archived", "merged"}:
            self._note_only(batch, one, record, sight, shadow, shadow.gone)
            return
        if self.endpoint.direction == "out":  # looked at again before a write: nothing is taken from there
            self._note_only(batch, one, record, sight, shadow, "direction")
            batch.touched.add(record.hub_id)
            return
        revived = shadow.gone not in LIVE
        if revived:  # what was decided while the owner's record was gone gives way to what it says now
            own = {n for n, owner in self.policy.authority.items() if owner == self.endpoint.system}
            agreed = {n for n in own if n in shadow.meant and shadow.meant[n] == record.values.get(n)}
            sight = replace(sight, base={n: v for n, v in base.items() if n not in own - agreed})
        decision = decide(sight, self.lens.fields, self.policy)
        if decision.changes:
            oscillation.stop(self.job, connection, self.endpoint, record, decision)
        meant = {k: v for k, v in shadow.meant.items() if k not in decision.unpaired}
        if revived and record.deleted_at is not None:
            shadows.revive(connection, [record.hub_id])
        self.apply_decision(connection, batch, one.remote, record, decision, revived=revived)
        archived = None if revived else shadow.gone
        batch.shadows.append(self._shadow(one, record.hub_id, meant)._replace(gone=archived))

    def _note_only(self, batch: Batch, one: News, record: Stored, sight: Sight, shadow: Shadow, rule: str) -> None:
        """Archived or left alone there, or only written to: what the record shows now is noted, and changes nothing."""
        decision = decide(sight, self.lens.fields, self.policy)
        changes = [c._replace(kind="refused", rule=rule) for c in decision.changes if c.kind != "converged"]
        if changes:
            batch.entries.append(outcomes.observed(self.endpoint, record.hub_id, one.remote, changes))
        meant = shadow.meant
        if rule == "direction":  # what was edited there is written over
            meant = {k: v for k, v in meant.items() if k not in decision.unpaired}
            self.job.counts(self.endpoint).refused += len(changes)
        batch.shadows.append(self._shadow(one, record.hub_id, meant)._replace(gone=shadow.gone))

    def apply_decision(
        self,
        connection: Connection,
        batch: Batch,
        remote: Remote,
        record: Stored,
        decision: Decision,
        *,
        revived: bool = False,
        quiet: bool = False,
    ) -> None:
        """Store what was decided about a known record. ``quiet``: nothing more has to be planned unless it changed."""
        stamps = outcomes.restamp(record.stamps, decision, self.endpoint.system, edited_at(remote, batch.at))
        deleted_at, deleted_by = (None, None) if revived else (record.deleted_at, record.deleted_by)
        refused = sum(change.kind == "refused" for change in decision.changes)
        self.job.counts(self.endpoint).refused += refused
        if decision.changed or revived:
            batch.updated.append(
                RecordWrite(record.hub_id, record.entity, decision.values, stamps, 1, deleted_at, deleted_by)
            )
            batch.indexed.append((record.hub_id, decision.values))
            outcomes.check_values(self.job, self.endpoint, record.hub_id, decision.values)
        elif not quiet or refused:
            batch.touched.add(record.hub_id)
        if decision.changes:
            batch.entries.append(outcomes.observed(self.endpoint, record.hub_id, remote, decision.changes))
        if decision.changes or revived:
            batch.decided.append(outcomes.Decided(record, decision, revived))

    def _take_unlinked(self, connection: Connection, batch: Batch, news: list[News], taken: Taken) -> None:
        """Records without a link: correlate them with what there is, and with each other."""
        if self.force_new:
            found = [Match("new") for _ in news]
        else:
            found = matching.match_batch(connection, self.job, self.endpoint, [(n.remote, n.values) for n in news])
            found = self._not_lost(connection, news, found)
        stored = records.load(connection, [m.hub_id for m in found if m.hub_id])
        live = shadows.by_hub(connection, stored) if stored else {}
        counts = self.job.counts(self.endpoint)
        for one, match in zip(news, found, strict=True):
            if match.situation == "ambiguous":
                outcomes.ambiguous(self.job, connection, self.endpoint, one.remote, one.values, match)
            elif match.situation == "new":
                taken.hub_ids[one.remote.id] = self._make(batch, one)
                counts.new += 1
            else:
                record = stored[match.hub_id or ""]
                taken.hub_ids[one.remote.id] = record.hub_id
                counts.matched += 1
                self._link(connection, batch, one, record, match.rule, self.systems(live, record))

    def _not_lost(self, connection: Connection, news: list[News], found: list[Match]) -> list[Match]:
        """What the hub made itself is nothing new, though its database does not know it."""
        lost = behind.lost(self.job, connection, self.endpoint, [(n.remote.id, n.remote.key) for n in news])
        if not lost:
            return found
        self.policy = replace(self.policy, conflict="hold", field_conflict={})
        why = "the hub made it, and its database does not know it"
        return [
            Match("ambiguous", rule=behind.RULE, reason=why)
            if one.remote.key in lost and match.situation == "new"
            else match
            for one, match in zip(news, found, strict=True)
        ]

    def _make(self, batch: Batch, one: News) -> str:
        """A new canonical record."""
        hub_id = behind.own(self.job, self.job.new_id())
        stamps = {"*": [self.endpoint.system, edited_at(one.remote, batch.at)]}
        batch.created.append(RecordWrite(hub_id, self.endpoint.entity, one.values, stamps, int(self.marks_new)))
        batch.shadows_new.append(self._shadow(one, hub_id, {}))
        seen = {"at": stamps["*"][1], "by": one.remote.modified_by, "lens": self.lens.version}
        batch.entries.append(Entry(self.endpoint.entity, hub_id, "new", self.endpoint.system, one.remote.id, seen))
        batch.indexed.append((hub_id, one.values))
        outcomes.check_values(self.job, self.endpoint, hub_id, one.values)
        return hub_id

    def _link(
        self, connection: Connection, batch: Batch, one: News, record: Stored, rule: str, linked: frozenset[str]
    ) -> None:
        """A record that is one we have already: compare without a base."""
        if self.endpoint.direction == "out":  # nothing is taken from there
            note = Entry(record.entity, record.hub_id, "linked", self.endpoint.system, one.remote.id, {"rule": rule})
            batch.entries.append(note)
            batch.shadows_new.append(self._shadow(one, record.hub_id, {}))
            batch.touched.add(record.hub_id)
            return
        sight = Sight(
            system=self.endpoint.system,
            theirs=one.values,
            base=None,
            meant={},
            ours=record.values,
            stamps=record.stamps,
            at=edited_at(one.remote, batch.at),
            linked=linked | {self.endpoint.system},
        )
        decision = decide(sight, self.lens.fields, self.policy)
        batch.entries.append(
            Entry(record.entity, record.hub_id, "linked", self.endpoint.system, one.remote.id, {"rule": rule})
        )
        batch.shadows_new.append(self._shadow(one, record.hub_id, {}))
        work.close_letters(
            connection, self.endpoint.system, record.entity, at=batch.at, stage="doubt", hub_ids=[record.hub_id]
        )
        revived = record.deleted_at is not None
        if revived:  # only the hub's own key, or a person, links a record with one that was deleted
            shadows.revive(connection, [record.hub_id])
        self.apply_decision(connection, batch, one.remote, record, decision, revived=revived)

    def _shadow(self, one: News, hub_id: str, meant: Values) -> ShadowWrite:
        remote = one.remote
        return ShadowWrite(
            remote.id, hub_id, remote.ref or remote.id, remote.version, one.hash, one.text, meant, remote.modified_at
        )

    def store(self, connection: Connection, batch: Batch) -> None:
        """Write everything that was gathered, in bulk."""
        system, entity, now = self.endpoint.system, self.endpoint.entity, batch.at
        outcomes.conflicts(self.job, connection, self.endpoint, batch.decided)
        records.insert_records(connection, batch.created, now)
        records.update_records(connection, batch.updated, now)
        records.mark(connection, entity, batch.touched - {w.hub_id for w in batch.updated}, 1)
        shadows.store(connection, system, entity, batch.shadows_new, new=True)
        shadows.store(connection, system, entity, batch.shadows)
        if matching.wanted(self.job.setup, entity):
            records.index(connection, entity, self.rules, batch.indexed)
        journal.write(connection, self.job.run, now, batch.entries)
