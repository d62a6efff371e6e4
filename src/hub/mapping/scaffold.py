"""Proposes a mapping: which remote field may be which canonical one, and what speaks for it.

A line is active only if it reproduces the canonical values of records that are linked already or, where there are none,
if its name fits and real samples survive the way there and back. Everything else is a comment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hub.connect.capabilities import Field, Record, Resource
from hub.errors import RecordRejected
from hub.mapping.compiled import CompiledLens
from hub.mapping.grammar import VERSION
from hub.mapping.lens import Problem, Values
from hub.mapping.load import load
from hub.mapping.scaffold_text import flow
from hub.mapping.words import choice, likeness
from hub.model.checks import check
from hub.model.spec import EntitySpec, FieldSpec

Prove = Callable[[CompiledLens, list[Record]], list[Problem]]
SURE, MAYBE = 75, 60
"""From this likeness of names on a line may be active by its samples alone; below the other it is not even told."""
ODD = 0.2  # share of sample values that may be no real phone numbers, tax numbers …: people type what they like
TRIED = 4
"""Remote fields tried for one canonical field."""
DISTINCT = 3
"""So many different values that agree are no accident, whatever the names say."""


class Pair(NamedTuple):
    """A remote record, and what it is linked with: its canonical values, references as that system holds them."""

    remote: Record
    canonical: Values | None


@dataclass(frozen=True, slots=True)
class Line:
    """One proposed line."""

    name: str
    rule: Any
    path: str
    confidence: int
    active: bool
    reason: str
    samples: tuple[str, ...] = ()


@dataclass(slots=True)
class Block:
    """Lines that stand together: those of the record, of its list of lines, or of one picked line."""

    name: str = ""
    """``lines`` or ``addresses[billing]``; empty for the record itself. ``head``: a list's ``field`` and ``key``."""
    head: dict[str, Any] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    inner: list[Block] = field(default_factory=list)

    @property
    def active(self) -> bool:
        return any(line.active for line in self.lines)


@dataclass(frozen=True, slots=True)
class Level:
    """Where lines are tried: the record, a list of lines in it, or one picked line."""

    spec: EntitySpec
    fields: tuple[Field, ...]
    name: str = ""
    head: dict[str, Any] = field(default_factory=dict)
    pick: tuple[str, Any] | None = None
    """Of a picked line: the lines field and the key."""

    def whole(self, name: str, rule: Any) -> dict[str, Any]:
        """The ``fields:`` section with this one line."""
        if not self.name:
            return {name: rule}
        key = self.head.get("key")
        around = {} if key in (None, name) else {key: {"position": True}}
        return {self.name: {**self.head, "fields": {**around, name: rule}}}

    def values(self, values: Values, name: str) -> list[Any]:
        """What canonical values say of the line's field: one value, or one for each line."""
        if not self.name:
            return [values.get(name)]
        if self.pick is not None:
            found = [line for line in values.get(self.pick[0]) or [] if line.get(self.spec.key or "") == self.pick[1]]
            return [found[0].get(name) if found else None]
        return [line.get(name) for line in values.get(self.name) or []]


class Scaffold:
    """Proposes one mapping. Pure: samples, links and laws are its arguments."""

    def __init__(
        self,
        resource: Resource,
        entity: str,
        specs: dict[str, EntitySpec],
        pairs: Sequence[Pair],
        *,
        zone: str = "UTC",
        prove: Prove = lambda lens, records: [],
    ) -> None:
        self.resource = resource
        self.entity = entity
        self.specs = specs
        self.pairs = pairs
        self.zone = zone
        self.prove = prove

    def propose(self) -> Block:
        """All lines, best first where several compete for one field; each remote field is active once."""
        spec = self.specs[self.entity]
        top = Level(spec, self.resource.fields)
        taken: set[str] = set()
        block = Block(lines=self._lines(top, taken))
        for below in self._levels(spec):
            made = Block(below.name, below.head, self._lines(below, taken))
            if any(line.active and line.name != below.head.get("key") for line in made.lines):
                key = below.head.get("key")
                if key and not any(line.active and line.name == key for line in made.lines):
                    rule = {"position": True}
                    made.lines.insert(
                        0, Line(key, rule, "", 60, True, "lines are counted: no number of theirs was found")
                    )
                block.inner.append(made)
        return block

    # where ----------------------------------------------------------------------------------------------------------

    def _levels(self, spec: EntitySpec) -> Iterator[Level]:
        """The lists of lines, and the lines that a record keeps in fields of its own."""
        for one in spec.fields.values():
            if one.lines is None or one.lines.key is None:
                continue
            key = one.lines.fields[one.lines.key]
            if key.choices:
                yield from self._picks(one, one.lines, key)
                continue
            lists = [f for f in self.resource.fields if f.type == "lines" and f.fields]
            best = max(lists, key=lambda f: likeness(one.name, spec.name, f.name, f.label), default=None)
            if best is not None:
                yield Level(one.lines, best.fields, one.name, {"field": best.name, "key": one.lines.key})

    def _picks(self, one: FieldSpec, lines: EntitySpec, key: FieldSpec) -> Iterator[Level]:
        for word in key.choices:
            own = []
            for remote in self.resource.fields:
                head, _, rest = remote.name.partition("_")
                if rest and choice(head, key.choices) == word:
                    own.append(remote)
            if len(own) > 1:
                yield Level(lines, tuple(own), f"{one.name}[{word}]", pick=(one.name, word))

    # which ----------------------------------------------------------------------------------------------------------

    def _lines(self, level: Level, taken: set[str]) -> list[Line]:
        tried: list[Line] = []
        for spec in level.spec.fields.values():
            if spec.lines is None and not (level.pick and spec.name == level.spec.key):
                tried += self._of_field(level, spec)
        tried.sort(key=lambda line: (not line.active, -line.confidence))
        kept: list[Line] = []
        done: set[str] = set()
        for line in tried:
            key = f"{level.head.get('field', '')}/{line.path}"
            if line.active and line.name not in done and key not in taken:
                done.add(line.name)
                taken.add(key)
                kept.append(line)
        for line in tried:
            again = sum(other.name == line.name for other in kept)
            if line.name not in done and again < 2:
                free = f"{level.head.get('field', '')}/{line.path}" not in taken
                reason = line.reason if free or not line.active else "its field is taken by another line"
                kept.append(Line(line.name, line.rule, line.path, line.confidence, False, reason, line.samples))
        order = list(level.spec.fields)
        return sorted(kept, key=lambda line: (order.index(line.name), -line.confidence))

    def _of_field(self, level: Level, spec: FieldSpec) -> Iterator[Line]:
        scored = []
        for path, remote, label in _paths(level.fields, spec):
            name = path
            if level.pick is not None:
                name, label = path.partition("_")[2], label.partition(" ")[2]
            scored.append((likeness(spec.name, level.spec.name, name.partition(".")[0], label), path, remote))
        scored.sort(key=lambda one: -one[0])
        wanted = [one for one in scored[:TRIED] if one[0] >= MAYBE]
        if not level.name:
            wanted += [one for one in scored if one not in wanted and self._same_values(spec.name, one[1])]
        for score, path, remote in wanted:
            line = self._best(level, spec, score, path, remote)
            if line is not None:
                yield line

    def _same_values(self, name: str, path: str) -> bool:
        """Whether this field shows the canonical values of linked records as they are, whatever it is called."""
        same, other = set(), 0
        for pair in self.pairs:
            if pair.canonical is not None and pair.canonical.get(name) is not None:
                value = _at(pair.remote, path)
                if str(value).strip() == str(pair.canonical[name]):
                    same.add(str(value))
                else:
                    other += 1
        return len(same) >= DISTINCT and not other

    def _best(self, level: Level, spec: FieldSpec, score: int, path: str, remote: Field) -> Line | None:
        """The first way to write the line that works; else the first that is allowed at all."""
        fallback: Line | None = None
        for rule in self._rules(level, spec, path, remote):
            line = self._tried(level, spec, score, path, remote, rule)
            if line is not None and line.active:
                return line
            fallback = fallback or line
        return fallback

    def _rules(self, level: Level, spec: FieldSpec, path: str, remote: Field) -> Iterator[Any]:
        """Ways to write the line, the plainest first."""
        ways: list[dict[str, Any]] = [{}]
        if spec.type == "ref":
            ways = [{"ref": spec.ref}]
        elif spec.type == "phone":
            ways = [{"via": {"phone": "CN"}}, {}]
        elif spec.type == "country":
            ways = [{}, {"via": {"country": "name"}}, *self._learned(level, spec, path, remote)]
        elif spec.type == "currency":
            ways = [{}, *self._learned(level, spec, path, remote)]
        elif spec.type == "date":
            ways = [{}, {"via": {"date": {"zone": self.zone}}}]
        elif spec.type == "instant":
            ways = [{}, {"via": {"datetime": self.zone}}]
        elif spec.choices:
            ways = self._learned(level, spec, path, remote)
        elif spec.type in ("text", "longtext") and remote.max_length:
            ways = [{}, {"via": {"cut": {"length": remote.max_length, "rest": "kept"}}}]
        for way in ways:
            both = {"field": path, **way}
            if not remote.read_only:
                yield both if way else path
            yield {**both, "direction": "in"}

    def _learned(self, level: Level, spec: FieldSpec, path: str, remote: Field) -> list[dict[str, Any]]:
        table = self._table(level, spec, path, remote)
        return [{"values": table}] if table else []

    def _table(self, level: Level, spec: FieldSpec, path: str, remote: Field) -> dict[str, Any]:
        """Canonical choice → the remote words for it: as linked records show, else as they sound."""
        shown: dict[str, set[str]] = {}
        seen: set[str] = set(remote.choices)
        for pair in self.pairs if not level.name else ():
            value = _at(pair.remote, path)
            if isinstance(value, str) and value.strip():
                seen.add(value)
                canonical = pair.canonical.get(spec.name) if pair.canonical else None
                if canonical is not None:
                    shown.setdefault(value, set()).add(canonical)
        table: dict[str, list[str]] = {}
        for word in sorted(seen) if len(seen) <= 30 else ():
            meant = next(iter(shown[word])) if len(shown.get(word, ())) == 1 else choice(word, spec.choices)
            if meant is not None:
                table.setdefault(meant, []).append(word)
        return {
            word: table[word][0] if len(table[word]) == 1 else table[word] for word in spec.choices if word in table
        }

    # what speaks for it ---------------------------------------------------------------------------------------------

    def _tried(self, level: Level, spec: FieldSpec, score: int, path: str, remote: Field, rule: Any) -> Line | None:
        """The line with its evidence; None where the language does not allow it."""
        lens = self._lens(level.whole(spec.name, rule))
        if lens is None:
            return None
        writes = not (isinstance(rule, dict) and rule.get("direction") == "in")
        linked = _Tally()
        alone = _Tally()
        for pair in self.pairs:
            got = lens.get(pair.remote)
            values = level.values(got.values, spec.name)
            if pair.canonical is not None:
                linked.compare(values, level.values(pair.canonical, spec.name), bool(got.problems))
            alone.survive(values, got.values, lens if writes else None, pair.remote, bool(got.problems))
            alone.doubtful += _doubtful(spec, values)
        if linked.tried:
            reason = f"reproduces {linked.good} of {linked.tried} linked values"
            good = linked.good == linked.tried and (len(linked.distinct) >= 2 or score >= SURE)
            confidence = max(score, 97) if good and len(linked.distinct) >= DISTINCT else min(score, 90)
            if not good:
                confidence = min(confidence, round(100 * linked.good / linked.tried))
        else:
            reason = (
                f"{alone.good} of {alone.tried} sample values there and back"
                if alone.tried
                else "no sample has a value"
            )
            reason += f", {alone.doubtful} of them doubtful" if alone.doubtful else ""
            plausible = alone.doubtful <= alone.tried * ODD
            good = alone.tried > 0 and alone.good == alone.tried and plausible and score >= SURE
            if spec.type == "ref" and not remote.reference:
                good, reason = False, f"{reason}, but it may be a name instead of a reference"
            confidence = min(score, 90 if alone.tried else 70)
        tally = linked if linked.tried else alone
        if tally.tried and not tally.good and score < SURE:
            return None
        if good:
            broken = [p for p in self.prove(lens, [pair.remote for pair in self.pairs]) if p.severity == "error"]
            if broken:
                good, reason = False, f"{reason}, but {broken[0].message.splitlines()[0]}"
        return Line(spec.name, rule, path, confidence, good, reason, tuple(tally.samples))

    def _lens(self, fields: dict[str, Any]) -> CompiledLens | None:
        data = {"version": VERSION, "resource": self.resource.name, "entity": self.entity, "fields": fields}
        return load(f"version: {VERSION}\n", specs=self.specs, resource=self.resource, overrides=data)[0]


def _doubtful(spec: FieldSpec, values: list[Any]) -> bool:
    """Whether these are no phone numbers, e-mail addresses, tax numbers … although they can be kept as such."""
    alone = EntitySpec(spec.name, {spec.name: spec})
    return any(check(alone, {spec.name: value}) for value in values if value is not None)


@dataclass(slots=True)
class _Tally:
    """How many values agree, and a few of them."""

    tried: int = 0
    good: int = 0
    doubtful: int = 0
    distinct: set[str] = field(default_factory=set)
    samples: list[str] = field(default_factory=list)

    def compare(self, got: list[Any], wanted: list[Any], problems: bool) -> None:
        """Against what the linked record holds. Where neither says anything, nothing is tried."""
        if all(value is None for value in (*got, *wanted)):
            return
        self._count(not problems and got == wanted, wanted)

    def survive(
        self, got: list[Any], values: Values, lens: CompiledLens | None, record: Record, problems: bool
    ) -> None:
        """Written into a new record and over this one (by ``lens``; None: it is only read) the value stays the same."""
        if not problems and all(value is None for value in got):
            return
        good = not problems
        if good and lens is not None:
            try:
                back = [lens.get(lens.put(values, None)), lens.get({**record, **lens.put(values, record)})]
                good = all(one.values == values for one in back)
            except RecordRejected:
                good = False
        self._count(good, got)

    def _count(self, good: bool, values: Iterable[Any]) -> None:
        self.tried += 1
        if good:
            self.good += 1
            for value in values:
                if value is not None and str(value) not in self.distinct:
                    self.distinct.add(str(value))
                    if len(self.samples) < 2:
                        self.samples.append(flow(value))


def _paths(fields: Iterable[Field], spec: FieldSpec) -> Iterator[tuple[str, Field, str]]:
    """(path, field, label) of everything that holds one value; of a reference only the members that could be meant."""
    for remote in fields:
        if any(mark in remote.name for mark in '[]"\\') or remote.type in ("lines", "choices"):
            continue
        if remote.type not in ("reference", "object"):
            yield remote.name, remote, remote.label
            continue
        for member in remote.fields:
            name = member.name.removeprefix(f"{remote.name}.")
            is_key = name.lower() in ("id", "fnumber", "number", "code", "fid")
            if member.type not in ("lines", "object", "reference") and is_key == (spec.type in ("ref", "currency")):
                read_only = remote.read_only or member.read_only or (not is_key and remote.type == "reference")
                reference = remote.reference or (remote.name if remote.type == "reference" and is_key else None)
                yield f"{remote.name}.{name}", _as(member, read_only, reference), remote.label


def _as(member: Field, read_only: bool, reference: str | None) -> Field:
    return Field(
        member.name, member.type, member.label, read_only=read_only, max_length=member.max_length, reference=reference
    )


def _at(record: Record, path: str) -> Any:
    if path in record:
        return record[path]
    value: Any = record
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value
