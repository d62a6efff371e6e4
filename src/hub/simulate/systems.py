"""Products in memory: their records, their change log, and what they make of what they are given."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hub.simulate import values as made
from hub.simulate.clock import Clock
from hub.simulate.ground import Ground, Part
from hub.simulate.quirks import REFUSED, Quirks

Values = dict[str, Any]


def copied(value: Any) -> Any:
    """A deep copy of JSON."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


@dataclass(slots=True)
class Row:
    """One record of a system."""

    id: str
    values: Values
    """In the product's own fields."""
    version: int
    at: datetime
    by: str
    tag: str
    """What tells it apart: the same in every system, given when it is made."""
    flat: Values
    """Canonical values by path; references as ``@`` and the tag of what is meant."""
    key: str = ""
    """The hub's own key, where the hub made it."""
    shown: int = 0
    """The newest version that the hub was shown."""
    archived: bool = False
    unreadable: str = ""
    """The field that makes no sense, and what it was before."""
    lost: Any = None


def _blank_record(part: Part) -> Values:
    """A record in which nothing was ever entered: its fields are there, and null."""
    plain = [f.remote[0] for f in part.lens.fields.values() if len(f.remote) == 1 and f.lines is None]
    return {name: None for name in plain if name.isidentifier()}


class Watching(Protocol):
    """Who is told of every change of a record."""

    def changed(self, system: System, entity: str, before: Row | None, row: Row, wanted: Values) -> None: ...

    def removed(self, system: System, entity: str, row: Row, by: str) -> None: ...


class System:
    """One product with a collection an entity."""

    def __init__(self, name: str, ground: Ground, quirks: Quirks, clock: Clock, watch: Watching) -> None:
        self.name = name
        self.ground = ground
        self.quirks = quirks
        self.clock = clock
        self.watch = watch
        self.parts: dict[str, Part] = {e: p for (s, e), p in ground.parts.items() if s == name}
        self.rows: dict[str, dict[str, Row]] = {e: {} for e in self.parts}
        self.log: dict[str, list[tuple[int, datetime, str]]] = {e: [] for e in self.parts}
        self.keys: dict[str, dict[str, str]] = {e: {} for e in self.parts}
        self.tags: dict[tuple[str, str], str] = {}
        """(entity, id) → tag, of deleted records too."""
        self.bin: dict[tuple[str, str], Row] = {}
        self.known: dict[str, set[str]] = {e: set() for e in self.parts}
        """Ids that the hub made or was shown, and of which it was not told since that they are gone."""
        self.numbers = itertools.count(1)
        self.seq = itertools.count(1)
        self.down = False
        self.blank = False
        """Shows nothing at all, as after a wrong restore or with a wrong filter."""
        self.faults: list[dict[str, Any]] = []
        self._blank = {entity: _blank_record(part) for entity, part in self.parts.items()}
        self._line_keys = {
            entity: {name: f.lines.key for name, f in part.lens.fields.items() if f.lines is not None}
            for entity, part in self.parts.items()
        }

    def find(self, entity: str, tag: str) -> Row | None:
        """The live record with this tag; the oldest, should there be several."""
        return next((row for row in self.rows.get(entity, {}).values() if row.tag == tag), None)

    def new_id(self) -> str:
        return f"{self.name}{next(self.numbers)}"

    def put(self, entity: str, row_id: str, given: Values, *, by: str, key: str = "", wanted: Values) -> Row:
        """Store fields of a record, new or old. ``wanted``: the canonical values (by path) that were meant by it."""
        before = self.rows[entity].get(row_id)
        values = {**(before.values if before else self._blank[entity]), **copied(given)}
        self._number_lines(entity, values)
        values = self._rewritten(entity, values)
        flat = self._flat(entity, values)
        tag = before.tag if before else self.tags.get((entity, row_id)) or str(flat.get(self.ground.keys[entity]))
        row = Row(row_id, values, next(self.seq), self.clock(), by, tag, flat, key or (before.key if before else ""))
        if before is not None:
            row.shown, row.archived, row.unreadable = before.shown, before.archived, before.unreadable
            row.lost = before.lost
        self.rows[entity][row_id] = row
        if by == "hub":
            self.known[entity].add(row_id)
        self.tags[entity, row_id] = tag
        if row.key:
            self.keys[entity][row.key] = row_id
        self.log[entity].append((row.version, row.at, row_id))
        self.watch.changed(self, entity, before, row, wanted)
        return row

    def touch(self, entity: str, row: Row, by: str) -> None:
        """The record's version moves, its values don't."""
        row.version, row.at, row.by = next(self.seq), self.clock(), by
        self.log[entity].append((row.version, row.at, row.id))

    def remove(self, entity: str, row_id: str, by: str) -> None:
        row = self.rows[entity].pop(row_id)
        if by == "hub":
            self.known[entity].discard(row_id)
        self.bin[entity, row_id] = row
        self.log[entity].append((next(self.seq), self.clock(), row_id))
        self.watch.removed(self, entity, row, by)

    def refuses(self, entity: str, values: Values) -> str | None:
        """Why a write is refused; None when it is not."""
        if self.quirks.refuses and REFUSED in str(values).lower():
            return "this text is not allowed here"
        return None

    def twin(self, entity: str, tag: str, own: str | None) -> str | None:
        """Another live record with this key, whatever its case."""
        rows = self.rows[entity].values()
        return next((row.id for row in rows if row.id != own and row.tag.casefold() == tag.casefold()), None)

    def canonical(self, entity: str, given: Values) -> Values:
        """What fields mean, by path."""
        return self._flat(entity, given)

    def _number_lines(self, entity: str, values: Values) -> None:
        for name, id_name in self.parts[entity].resource.line_ids.items():
            for line in values.get(name) or ():
                if isinstance(line, dict) and not line.get(id_name):
                    line[id_name] = f"{self.name}L{next(self.seq)}"

    def _flat(self, entity: str, values: Values) -> Values:
        part = self.parts[entity]
        flat = made.flat(part.lens.get(values).values, self._line_keys[entity])
        for path, value in flat.items():
            spec = self.ground.spec(entity, path)
            if spec is not None and spec.type == "ref" and value is not None and spec.ref in self.parts:
                flat[path] = f"@{self.tags.get((spec.ref, str(value)), value)}"
        return flat

    def _rewritten(self, entity: str, values: Values) -> Values:
        """The record as this system keeps it."""
        quirks = self.quirks
        if not (quirks.cuts or quirks.shouts or quirks.rounds or quirks.fills):
            return values
        part = self.parts[entity]
        fields = self.ground.specs[entity].fields
        now = part.lens.get(values).values
        new: Values = {}
        for name, lens_field in part.both().items():
            spec, value = fields.get(name), now.get(name)
            if spec is None or name == self.ground.keys[entity]:
                continue
            if name == "number" and quirks.fills and value is None and self.ground.keys[entity] in now:
                new[name] = f"{self.name.upper()}-{now[self.ground.keys[entity]]}"
            elif lens_field.lines is not None and quirks.rounds and value:
                lines = [self._rounded(line, spec.lines.fields if spec.lines else {}) for line in value]
                if lines != value:
                    new[name] = lines
            elif isinstance(value, str) and spec.type == "text" and quirks.text(value) != value:
                new[name] = quirks.text(value)
            elif isinstance(value, str) and spec.type in made.AMOUNTS and quirks.amount(value) != value:
                new[name] = quirks.amount(value)
        return {**values, **part.lens.put(new, values)} if new else values

    def _rounded(self, line: Values, fields: Any) -> Values:
        return {
            name: self.quirks.amount(value)
            if isinstance(value, str) and name in fields and fields[name].type in made.AMOUNTS
            else value
            for name, value in line.items()
        }
