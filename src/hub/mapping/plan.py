"""What a mapping file becomes once it is understood: nodes that read and write one canonical field each.

This is the plain, position-aware way through a record. It names the field that is wrong; ``hub.mapping.compile`` makes
the fast way of the same nodes, and falls back on this one for a record in which something is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.errors import RecordRejected
from hub.mapping.lens import Direction, FieldProblem, LensField, LensLines, Position, Record, Strength, Values
from hub.mapping.operators import Operator
from hub.mapping.paths import ABSENT, Step, Target, read, show

ERRORS = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError)
"""What an operator may raise for a value it can't translate."""


_NOTHING: Values = {}


def blank(value: Any) -> bool:
    """Whether a remote value is null or blank text."""
    return value is None or (value.__class__ is str and (not value or value.isspace()))


@dataclass(slots=True)
class Chain:
    """Operators from the remote value (first) to the canonical one (last)."""

    ops: tuple[Operator, ...]
    form: Callable[[Any], Any] | None = None
    """Canonical form of the field's type, where the last operator doesn't give it already."""
    to_remote: Callable[[Any], Any] | None = None
    """Last touch of what is written: text for a text field, a whole number for an integer field …"""
    assume: Any = None
    several: bool = False

    @property
    def siblings(self) -> tuple[str, ...]:
        """Canonical fields of the same record or line that the chain looks at."""
        return tuple(name for op in self.ops for name in op.siblings)

    def get(self, value: Any, beside: Values = _NOTHING) -> Any:
        """Remote value (or list of values) → canonical value. Raises ValueError and its like.

        ``beside`` holds the canonical values of ``siblings``."""
        value = self.several_blank(value) if self.several else None if blank(value) else value
        for op in self.ops:
            if value is not None and op.siblings:
                value = op.get_beside(value, beside)  # type: ignore[attr-defined]
            elif value is not None or op.null:
                value = op.get(value)
        if value is not None and self.form is not None:
            value = self.form(value)
        return self.assume if value is None else value

    @staticmethod
    def several_blank(values: list[Any]) -> list[Any] | None:
        """Blank parts are null; nothing but blank parts is null altogether."""
        parts = [None if blank(value) else value for value in values]
        return None if all(part is None for part in parts) else parts

    def put(self, value: Any, old: Any, beside: Values = _NOTHING) -> Any:
        """Canonical value → remote value (or list of values). ``old`` is the remote value as it was, or ABSENT."""
        before = self._before(old) if any(op.complement for op in self.ops) else ()
        for index in range(len(self.ops) - 1, -1, -1):
            op = self.ops[index]
            if op.complement:
                value = op.put(value, before[index])
            elif value is not None and op.siblings:
                value = op.put_beside(value, beside)  # type: ignore[attr-defined]
            elif value is not None or op.null:
                value = op.put(value)
        return self.to_remote(value) if self.to_remote is not None and value is not None else value

    def _before(self, old: Any) -> list[Any]:
        """What each operator was given when the old remote value was read."""
        seen: list[Any] = []
        value = None if old is ABSENT else self.several_blank(old) if self.several else None if blank(old) else old
        for op in self.ops:
            seen.append(value)
            try:
                value = op.get(value) if value is not None or op.null else None
            except ERRORS:
                value = None
        return seen


@dataclass(slots=True, eq=False)
class Node:
    """One entry of ``fields:``."""

    name: str
    position: Position
    direction: Direction = "both"
    strength: Strength = "normal"

    @property
    def reads(self) -> bool:
        return self.direction != "out"

    @property
    def writes(self) -> bool:
        return self.direction != "in"

    def paths(self) -> Iterator[tuple[Step, ...]]:
        """The remote paths it reads or writes."""
        return iter(())

    def lens_field(self) -> LensField:
        return LensField(self.name, self.direction, self.strength, self.position, tuple(map(show, self.paths())))


@dataclass(slots=True, eq=False)
class Single(Node):
    """A canonical field of one value, tied to one remote field or to several."""

    chain: Chain = field(default_factory=lambda: Chain(()))
    targets: tuple[Target, ...] = ()
    type: str = "text"
    ref: str | None = None
    required: bool = False
    ignore_blank: bool = False
    null_as: Any = None
    default: Any = None
    max_length: int | None = None
    beside: tuple[Single, ...] = ()
    """The fields its chain looks at."""
    read_only: frozenset[int] = frozenset()
    """Which of several targets are looked at but can't be written."""

    def paths(self) -> Iterator[tuple[Step, ...]]:
        return (target.steps for target in self.targets)

    def lens_field(self) -> LensField:
        return LensField(
            self.name, self.direction, self.strength, self.position, tuple(map(show, self.paths())), ref=self.ref
        )

    def remote(self, record: Record) -> Any:
        """What the record holds: a value, or with several fields a list of values; ABSENT when it says nothing."""
        if len(self.targets) == 1:
            return read(record, self.targets[0].steps)
        values = [read(record, target.steps) for target in self.targets]
        if all(value is ABSENT for value in values):
            return ABSENT
        return [None if value is ABSENT else value for value in values]

    def get(self, record: Record, beside: Values = _NOTHING) -> Any:
        """The canonical value or ABSENT. Raises ValueError and its like."""
        value = self.remote(record)
        if value is ABSENT:
            return ABSENT
        value = self.chain.get(value, beside)
        return ABSENT if value is None and self.ignore_blank else value

    def put(self, out: Record, value: Any, old: Record | None, values: Values = _NOTHING) -> None:
        """Write the canonical value. What the old record holds stays as it is where it means the same.

        ``values`` are all canonical values being written."""
        beside = self._around(values, old) if self.beside else _NOTHING
        before: Any = ABSENT
        if old is not None:
            try:
                before = self.remote(old)
                if before is not ABSENT and self.chain.get(before, beside) == value:
                    return self._set(out, before, old)
            except ERRORS:
                pass
        complete = self._complement(out, before)
        made = self.chain.put(value, complete, beside)
        if made is None and self.null_as is not None:
            made = [self.null_as] * len(self.targets) if len(self.targets) > 1 else self.null_as
        if self.max_length is not None and made.__class__ is str and len(made) > self.max_length:
            raise ValueError(
                f"{len(made)} characters, {show(self.targets[0].steps)} has room for {self.max_length}; "
                f"shorten it, or let the mapping cut it: via: {{cut: {{length: {self.max_length}, rest: kept}}}}"
            )
        return self._set(out, made, old)

    def _around(self, values: Values, old: Record | None) -> Values:
        """The values beside it: those being written, else those that the system has."""
        around: Values = {}
        for node in self.beside:
            if node.name in values:
                around[node.name] = values[node.name]
            elif old is not None:
                try:
                    around[node.name] = node.get(old) or None
                except ERRORS:
                    around[node.name] = None
        return around

    def _complement(self, out: Record, before: Any) -> Any:
        """Another canonical field may have written its part of the same remote field just now."""
        if len(self.targets) > 1 or not any(op.complement for op in self.chain.ops):
            return before
        try:
            written = read(out, self.targets[0].steps)
        except ERRORS:
            return before
        return before if written is ABSENT else written

    def _set(self, out: Record, value: Any, old: Record | None) -> None:
        if len(self.targets) == 1:
            self.targets[0].write(out, value, old)
            return
        if value is not None and self.read_only:
            value = [ABSENT if index in self.read_only else part for index, part in enumerate(value)]
        parts = [ABSENT if i in self.read_only else None for i in range(len(self.targets))] if value is None else value
        for target, part in zip(self.targets, parts, strict=True):
            if part is not ABSENT:
                target.write(out, part, old)


@dataclass(slots=True, eq=False)
class ConstantIn(Node):
    """A canonical value that this system stands for, whatever its records say."""

    value: Any = None


@dataclass(slots=True, eq=False)
class ConstantOut(Node):
    """A remote value written when a record (or a line) is created."""

    value: Any = None
    target: Target = field(default_factory=lambda: Target(("",)))

    def paths(self) -> Iterator[tuple[Step, ...]]:
        yield self.target.steps


@dataclass(slots=True, eq=False)
class Place(Node):
    """The line's place in the remote list, from 1."""


@dataclass(slots=True, eq=False)
class Lines(Node):
    """A ``lines`` field tied to a remote list."""

    steps: tuple[Step, ...] = ()
    target: Target = field(default_factory=lambda: Target(("",)))
    key: str = ""
    nodes: tuple[Node, ...] = ()
    line_id: str | None = None
    same: tuple[str, ...] = ()

    def paths(self) -> Iterator[tuple[Step, ...]]:
        yield self.steps

    def lens_field(self) -> LensField:
        fields = {node.name: node.lens_field() for node in self.nodes if not isinstance(node, ConstantOut)}
        return LensField(
            self.name,
            self.direction,
            self.strength,
            self.position,
            (show(self.steps),),
            lines=LensLines(self.key, fields),
        )


@dataclass(slots=True, eq=False)
class Picks(Node):
    """Lines of a ``lines`` field that the remote record keeps in fields of its own, one set for each known key."""

    key: str = ""
    entries: dict[Any, tuple[Node, ...]] = field(default_factory=dict)

    def paths(self) -> Iterator[tuple[Step, ...]]:
        for nodes in self.entries.values():
            for node in nodes:
                yield from node.paths()

    def lens_field(self) -> LensField:
        fields: dict[str, LensField] = {}
        for nodes in self.entries.values():
            for node in nodes:
                if isinstance(node, ConstantOut):
                    continue
                made, known = node.lens_field(), fields.get(node.name)
                remote = (known.remote if known else ()) + made.remote
                fields[node.name] = LensField(
                    made.name, made.direction, made.strength, made.position, remote, ref=made.ref
                )
        key_field = LensField(self.key, self.direction, self.strength, self.position, ())
        return LensField(
            self.name, self.direction, self.strength, self.position, tuple(map(show, self.paths())),
            lines=LensLines(self.key, {self.key: key_field, **fields}, frozenset(map(str, self.entries))),
        )  # fmt: skip


@dataclass(slots=True)
class Plan:
    """One mapping, understood."""

    entity: str
    resource: str
    file: str
    version: str
    match: tuple[tuple[str, ...], ...]
    nodes: tuple[Node, ...]
    read_options: Record
    write_options: Record
    said: Record = field(default_factory=dict)
    """The whole file as plain data, with what ``hub.yaml`` adds for the system."""


@dataclass(slots=True)
class Walk:
    """One way through one record; collects what is wrong."""

    problems: list[FieldProblem] = field(default_factory=list)

    def note(self, name: str, remote: str, value: Any, error: Exception | str, position: Position) -> None:
        told = str(error) if isinstance(error, (ValueError, str)) else f"{type(error).__name__}: {error}"
        self.problems.append(FieldProblem(name, remote, value, told, position))


def reject(name: str, node: Node, error: Exception) -> RecordRejected:
    """The error that ``put`` raises for a value that can't be expressed."""
    told = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    remote = ", ".join(map(show, node.paths()))
    return RecordRejected(
        f"{name} can't be written to {remote or 'the system'}: {told}",
        field=name,
        where=str(node.position),
        cure="change the value, or the mapping at this line",
    )


__all__ = [
    "ABSENT", "ERRORS", "Chain", "ConstantIn", "ConstantOut", "Lines", "Node", "Picks", "Place", "Plan", "Single",
    "Values", "Walk", "blank", "reject",
]  # fmt: skip
