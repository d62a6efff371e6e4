"""The judge: holds what the witness saw, and what the hub tells of itself, against the laws, each by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from hub.simulate import values as made
from hub.simulate.clock import text
from hub.simulate.systems import Row
from hub.simulate.told import Note, Told, told
from hub.simulate.witness import Edit, Violation
from hub.simulate.world import World

DECIDED = frozenset({"accepted", "refused", "conflict"})
NO_EDIT = frozenset({"archived", "oscillation", "first"})
"""Rules of decisions about what is seen for the first time, or of no consequence."""
Place = tuple[str, str]
"""(entity, tag)"""


class Judge:
    """Judges one world that has come to rest."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.witness = world.witness
        self.told: Told = told(world)
        self.rows: dict[Place, dict[str, list[Row]]] = {}
        for system in world.systems.values():
            for entity in world.entities:
                for row in system.rows.get(entity, {}).values():
                    self.rows.setdefault((entity, row.tag), {}).setdefault(system.name, []).append(row)
        self.filled = any(system.quirks.fills for system in world.systems.values())
        self.rounded = any(system.quirks.rounds for system in world.systems.values())
        self.decided = {
            (entity, self.told.tags.get(hub_id, ""), path.partition("[")[0]) for entity, hub_id, path in world.decided
        }
        self.unsure = {(e, self.told.tags.get(hub_id, "")) for _, e, hub_id in self.told.doubtful}
        """Records of which a person was asked whether they were made: linked again later, without a base."""
        self.tainted = self._tainted()

    def violations(self) -> list[Violation]:
        """Everything that is not as it must be."""
        found = list(self.witness.violations)
        for law in (
            self._doubts, self.agreement, self._duplicates, self._deletions, self._lost, self._uncontested,
            self._echoes, self._newest, self._accounts, self._asked, self._isolation,
        ):  # fmt: skip
            found += law()
        return list(dict.fromkeys(found))

    # what may differ ----------------------------------------------------------------------------------------------

    def _tainted(self) -> set[Place]:
        """Records that were deleted, merged, made twice at once, or hold nonsense, and what refers to them: there,
        people's own acts keep the systems apart."""
        # Where nothing is read, a record in doubt that a person found there is never linked again.
        unread = {(s, e) for (s, e), part in self.world.ground.parts.items() if part.direction == "out"}
        lost = {(e, self.told.tags.get(hub_id, "")) for s, e, hub_id in self.told.doubtful if (s, e) in unread}
        bad = {*lost, *self.witness.deleted, *self.world.people.merged, *self.witness.raced, *self.world.people.spoiled}
        while True:
            more = {
                place
                for place, systems in self.rows.items()
                if place not in bad
                and any(self._refers(place[0], row, bad) for rows in systems.values() for row in rows)
            }
            if not more:
                return bad
            bad |= more

    def _refers(self, entity: str, row: Row, bad: set[Place]) -> bool:
        for path, value in row.flat.items():
            if isinstance(value, str) and value.startswith("@"):
                spec = self.world.ground.spec(entity, path)
                if spec is not None and spec.ref and (spec.ref, value[1:]) in bad:
                    return True
        return False

    def _coarse(self, entity: str, path: str, value: Any) -> Any:
        spec = self.world.ground.spec(entity, path)
        return made.coarse(value, spec.type if spec is not None else "text", rounded=self.rounded)

    def _type(self, entity: str, path: str) -> str:
        spec = self.world.ground.spec(entity, path)
        return spec.type if spec is not None else ""

    def shared(self, entity: str, path: str) -> bool:
        """Whether all systems read and write this path with the same right."""
        head, _, rest = path.partition("[")
        inner = rest.partition("].")[2]
        for part in self.world.parts(entity):
            lens_field = part.lens.fields.get(head)
            if lens_field is not None and lens_field.lines is not None and inner:
                if lens_field.lines.keys is not None:
                    return False
                lens_field = lens_field.lines.fields.get(inner)
            if lens_field is None or lens_field.direction != "both" or lens_field.strength != "normal":
                return False
            if part.direction != "both":
                return False
        return True

    # the laws -----------------------------------------------------------------------------------------------------

    def agreement(self) -> Iterator[Violation]:
        """Convergence: every record is everywhere, with the same values."""
        for place, systems in self.rows.items():
            if place in self.tainted:
                continue
            entity, tag = place
            writable = [p.system for p in self.world.parts(entity) if p.direction != "in"]
            missing = [name for name in writable if name not in systems]
            may = {
                p.system
                for p in self.world.parts(entity)
                if not p.unproven and self.world.policy(entity).create.get(p.system, True)
            }
            if missing and may >= set(missing):
                yield Violation("convergence", f"{entity} {tag} is in {sorted(systems)} only, not in {missing}")
                continue
            one = {name: rows[0] for name, rows in systems.items()}
            for path in {path for row in one.values() for path in row.flat}:
                if self.shared(entity, path):
                    shown = {name: row.flat.get(path) for name, row in one.items()}
                    if self._came_late(entity, path, shown) or (entity, tag, path) in self.witness.blurred:
                        continue
                    if path == "number" and self.filled and None in shown.values():
                        # A blank that systems fill stays as each of them filled it.
                        own = {name for name, row in one.items() if self._by_itself(name, entity, row.id, path)}
                        shown = {n: value for n, value in shown.items() if value is not None and n not in own}
                    if len({self._coarse(entity, path, value) for value in shown.values()}) > 1:
                        yield Violation("convergence", f"{entity} {tag} {path} differs: {shown}")

    def _by_itself(self, system: str, entity: str, row_id: str, path: str) -> bool:
        """Whether nobody but the system itself gave this value."""
        edit = self.witness.current.get((system, entity, row_id, path))
        return edit is not None and edit.by == "system"

    def _came_late(self, entity: str, path: str, shown: dict[str, Any]) -> bool:
        """A field whose mapping came after its records, and whose owner never said anything: the others keep theirs."""
        head = path.partition("[")[0]
        return (entity, head) in self.world.unmapped and any(
            owner in shown and shown[owner] is None for owner in self._owned(entity, head)
        )

    def _duplicates(self) -> Iterator[Violation]:
        for place, systems in self.rows.items():
            for name, rows in systems.items():
                if place in self.witness.beside:
                    rows = [row for row in rows if not row.archived]
                if len(rows) > 1 and place not in self.witness.raced:
                    yield Violation("no duplicates", f"{name} has {place[0]} {place[1]} {len(rows)} times")

    def _doubts(self) -> Iterator[Violation]:
        back = {(note.entity, self.told.tags.get(note.hub_id, "")) for note in self.told.notes if note.kind == "linked"}
        for doubt in self.witness.doubts:
            if (doubt.entity, doubt.tag, doubt.field) in self.decided:
                continue
            if doubt.law == "authority" and any("authority" in c for c in self.world.changes.get(doubt.entity, ())):
                continue  # what was taken in before the change is still written
            if doubt.field == "*" and (
                self._revived(doubt.entity, doubt.tag, doubt.hub_id) or (doubt.entity, doubt.tag) in back
            ):
                continue
            yield Violation(doubt.law, doubt.what)

    def _revived(self, entity: str, tag: str, hub_id: str) -> bool:
        """Whether the record came back by itself, or was never known to the hub as the one that was deleted."""
        deleted = self.witness.deleted.get((entity, tag), [])
        known = [d for d in deleted if self.told.hub_ids.get((d.system, entity, d.id)) == hub_id]
        return not known or len(deleted) > 1 or (entity, tag) in self.world.people.restored

    def _deletions(self) -> Iterator[Violation]:
        """What was deleted in one system, and nowhere touched since, is deleted or archived in the others."""
        for (entity, tag), deleted in self.witness.deleted.items():
            if len(deleted) > 1 or (entity, tag, "*") in self.decided or self._held(entity, tag):
                continue
            first = deleted[0]
            known = (first.system, entity, first.id) in self.told.hub_ids
            before = [moment for moment in self.world.quiet if moment < first.at]
            edits = [edit.at for edit in self.witness.edits if (edit.entity, edit.tag) == (entity, tag)]
            if not known or not before or any(at > before[-1] for at in edits):
                continue
            rule = self._since(before[-1], entity)
            for name, rows in sorted(self.rows.get((entity, tag), {}).items()):
                part = self.world.ground.parts[name, entity]
                archived = not part.resource.archive or all(row.archived for row in rows)
                if part.direction != "in" and (rule == "propagate" or (rule == "archive" and not archived)):
                    want = "gone" if rule == "propagate" else "archived"
                    yield Violation(
                        "deletes are earned", f"{entity} {tag}, deleted in {first.system}, is not {want} in {name}"
                    )

    def _since(self, moment: datetime, entity: str) -> str | None:
        """What becomes of deleted records of an entity, where that was not changed after this moment."""
        policy = self.world.policy(entity)
        return policy.deletes if self.world.changed_at.get(entity, moment) <= moment else None

    def _held(self, entity: str, tag: str) -> bool:
        return any(self.told.tags.get(letter["hub_id"]) == tag for letter in self.told.letters)

    def _lost(self) -> Iterator[Violation]:
        """Every edit that nobody took back before it could be seen is known to the hub."""
        numbers = {word.partition(".")[0] for word in self.told.words}
        for edit in self.witness.edits:
            kind = self._type(edit.entity, edit.path)
            if edit.fate in ("user", "gone") or kind not in made.TRACEABLE or edit.value is None:
                continue
            if (edit.entity, edit.tag) in self.world.people.spoiled or not self._read(edit):
                continue
            word = str(made.coarse(edit.value, kind)).upper()
            if word not in self.told.words and not (kind in made.AMOUNTS and word.partition(".")[0] in numbers):
                yield Violation("nothing lost", f"{self._said(edit)}: the hub knows nothing of it")

    def _read(self, edit: Edit) -> bool:
        """Whether the hub reads this field there at all."""
        part = self.world.ground.parts[edit.system, edit.entity]
        lens_field = part.lens.fields.get(edit.path.partition("[")[0])
        return part.direction != "out" and lens_field is not None and lens_field.direction != "out"

    def _said(self, edit: Edit) -> str:
        who = "a user" if edit.by == "user" else "the system itself"
        return (
            f"{who} set {edit.system} {edit.entity} {edit.tag} {edit.path} to {edit.value!r} at {text(edit.at)[11:19]}"
        )

    def _uncontested(self) -> Iterator[Violation]:
        """An edit that nobody contested is everywhere in the end."""
        last: dict[tuple[str, str, str], list[Edit]] = {}
        for edit in self.witness.edits:
            last.setdefault((edit.entity, edit.tag, edit.path), []).append(edit)
        for (entity, tag, path), edits in last.items():
            edit = edits[-1]
            if edit.by != "user" or (entity, tag) in self.tainted | self.unsure or edit.fate in ("user", "gone"):
                continue
            if not self.shared(entity, path) or (entity, tag, path.partition("[")[0]) in self.decided:
                continue
            if (entity, tag, path) in self.witness.blurred:
                continue
            head = path.partition("[")[0]
            if self._owned(entity, head) - {edit.system} or (entity, head) in self.world.unmapped:
                continue
            if path == "number" and self.filled and edit.value is None:
                continue
            before = [e for e in edits[:-1] if e.system != edit.system]
            if before and not any(before[-1].at < moment < edit.at for moment in self.world.quiet):
                continue
            want = self._coarse(entity, path, edit.value)
            for name, rows in self.rows.get((entity, tag), {}).items():
                shows = rows[0].flat.get(path)
                if self._coarse(entity, path, shows) != want and (path in rows[0].flat or "[" not in path):
                    yield Violation("nothing lost", f"{self._said(edit)}, uncontested; but {name} shows {shows!r}")
                    break

    def _owned(self, entity: str, field: str) -> set[str]:
        """Every system that ever owned a field."""
        owners = {self.world.policy(entity).authority.get(field)}
        owners |= {change.get("authority", {}).get(field) for change in self.world.changes.get(entity, ())}
        owners.add(self.world.config["policy"].get(entity, {}).get("authority", {}).get(field))
        return {owner for owner in owners if owner}

    def _echoes(self) -> Iterator[Violation]:
        """Only what somebody did in a system is ever taken for an edit there."""
        given: Counter[tuple[str, str, str, Any]] = Counter()
        touched: set[tuple[str, str, str]] = set()
        for edit in self.witness.edits:
            given[edit.system, edit.id, edit.path, self._coarse(edit.entity, edit.path, edit.value)] += 1
            touched.add((edit.system, edit.id, edit.path.rpartition(".")[0]))
        for note in self.told.notes:
            if note.kind != "observed" or (note.entity, self.told.tags.get(note.hub_id, "")) in self.unsure:
                continue
            for path, kind, rule, _, theirs, _ in note.detail.get("changes", ()):
                if kind not in DECIDED or rule in NO_EDIT:
                    continue
                if (note.entity, path.partition("[")[0]) in self.world.unmapped:
                    continue
                if isinstance(theirs, dict) and (note.system, note.remote_id, path) in touched:
                    continue  # a line is judged as a whole where the other side removed it: one edit in it is enough
                for at, value in self._values(note, path, theirs):
                    key = (note.system, note.remote_id, at, self._coarse(note.entity, at, value))
                    if not given[key]:
                        whose = f"{note.system} {note.entity} {self.told.tags.get(note.hub_id, note.hub_id)}"
                        said = f"{value!r} was {kind} as an edit ({rule}), and nobody had made it there"
                        yield Violation("no echo", f"{whose} {at}: {said}")

    def _values(self, note: Note, path: str, theirs: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(theirs, dict):
            for name, value in theirs.items():
                lines = self.world.ground.specs[note.entity].fields[path.partition("[")[0]].lines
                if lines is not None and name == lines.key:
                    continue
                if self._type(note.entity, f"{path}.{name}") in made.TRACEABLE and value is not None:
                    yield f"{path}.{name}", value
        elif theirs is not None and self._type(note.entity, path) in made.TRACEABLE:
            yield path, theirs

    def _newest(self) -> Iterator[Violation]:
        """Where the newer edit wins, one made after the other was known is never the older one."""
        given: dict[tuple[str, str, str, Any], list[Edit]] = {}
        for edit in self.witness.edits:
            if edit.by == "user":
                coarse = self._coarse(edit.entity, edit.path, edit.value)
                given.setdefault((edit.entity, edit.tag, edit.path, coarse), []).append(edit)
        known: dict[tuple[str, str, str, Any], str] = {}
        for note, path, kind, rule, theirs, ours in self._decisions():
            tag = self.told.tags.get(note.hub_id, "")
            if (note.entity, tag, path.partition("[")[0]) in self.decided:
                continue
            key = (note.entity, tag, path, self._coarse(note.entity, path, theirs))
            other_key = (note.entity, tag, path, self._coarse(note.entity, path, ours))
            mine, other = _by_then(given.get(key, ()), note), _by_then(given.get(other_key, ()), note)
            since = known.get(other_key)
            if mine is not None and rule == "newest" and mine.system == note.system and self._exact(mine):
                if kind == "refused" and since is not None and text(mine.at) > since:
                    said = f"refused as older than {ours!r}, known since {since[11:19]}"
                    yield Violation("the newest wins", f"{self._said(mine)}, which was {said}")
                if kind == "accepted" and other is not None and self._exact(other) and self._older(mine, other, note):
                    yield Violation("the newest wins", f"{self._said(other)}, which gave way to {self._said(mine)}")
            if kind == "accepted":
                known.setdefault(key, note.at)

    def _decisions(self) -> Iterator[tuple[Note, str, str, str, Any, Any]]:
        """(note, path, kind, rule, theirs, ours) of every decision about a value that can be followed."""
        for note in self.told.notes:
            if (note.entity, self.told.tags.get(note.hub_id, "")) in self.world.people.restored:
                continue  # its old values are back, with the time of the restoring
            for path, kind, rule, _, theirs, ours in note.detail.get("changes", ()) if note.kind == "observed" else ():
                plain = theirs is not None and not isinstance(theirs, (dict, list))
                whole = (note.entity, path.partition("[")[0]) not in self.world.unmapped
                if plain and whole and self._type(note.entity, path) in made.TRACEABLE:
                    yield note, path, kind, rule, theirs, ours

    def _exact(self, edit: Edit) -> bool:
        return not self.world.systems[edit.system].quirks.skew

    def _older(self, mine: Edit, other: Edit, note: Note) -> bool:
        """Whether ``mine`` was older, as far as its system could tell: it tells when the record last changed, not each
        field."""
        changes = self.witness.touched[mine.system, mine.id]
        return text(max(at for at in changes if text(at) <= note.at or at == mine.at)) < text(other.at)

    def _accounts(self) -> Iterator[Violation]:
        """Each write of the hub is in its journal, with the run and the mapping it came from."""
        written = Counter(
            (note.system, note.entity, note.remote_id) for note in self.told.notes if note.kind == "written"
        )
        done = Counter((w.system, w.entity, w.id) for w in self.witness.writes)
        for (system, entity, row_id), count in done.items():
            row = self.world.systems[system].rows[entity].get(row_id)
            if row is None or (entity, row.tag) in self.tainted:
                continue
            hub_id = self.told.hub_ids.get((system, entity, row_id), "")
            if written[system, entity, row_id] < count and (system, entity, hub_id) not in self.told.doubtful:
                yield Violation(
                    "accounting",
                    f"{system} {entity} {row.tag} was written {count} times, the journal has"
                    f" {written[system, entity, row_id]}",
                )
        for note in self.told.notes:
            if note.kind == "written" and note.run not in self.told.runs:
                yield Violation("accounting", f"a write to {note.system} names the run {note.run}, which nobody knows")

    def _asked(self) -> Iterator[Violation]:
        """Whatever the hub could not decide was laid before a person."""
        for note in self.told.notes:
            for path, kind, *_ in note.detail.get("changes", ()) if note.kind == "observed" else ():
                if kind == "conflict" and (note.hub_id, path, note.system) not in self.told.conflicts:
                    whose = f"{note.system} {note.entity} {self.told.tags.get(note.hub_id, note.hub_id)} {path}"
                    yield Violation("nothing lost", f"{whose} was left to a person, and nobody was told")

    def _isolation(self) -> Iterator[Violation]:
        """Only what is wrong by people's own acts has a letter or waits in the end."""
        for letter in self.told.letters:
            tag = self.told.tags.get(letter["hub_id"]) or self.world.systems[letter["system"]].tags.get(
                (letter["entity"], letter["remote_id"]), "?"
            )
            if (letter["entity"], tag) not in self.tainted:
                said = f"{letter['stage']}: {letter['message']}"
                yield Violation("isolation", f"{letter['system']} {letter['entity']} {tag} has a letter: {said}")
        for system, entity, remote_id in self.told.waiting:
            tag = self.world.systems[system].tags.get((entity, remote_id), "?")
            if (entity, tag) not in self.tainted:
                yield Violation("isolation", f"{system} {entity} {tag} waits for ever")
        if self.told.intents:
            yield Violation("accounting", f"{self.told.intents} intents are left at rest")


def _by_then(edits: Sequence[Edit], note: Note) -> Edit | None:
    """The last of these that had been made when the hub took its note."""
    return next((edit for edit in reversed(edits) if text(edit.at) <= note.at), None)
