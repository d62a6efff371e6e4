"""Examples beside a mapping: ``<resource>_test.yaml`` says what a remote record is in canonical values, and back.

    - name: an order with one line
      remote: {FBillNo: XSDD000017, …}
      canonical: {number: XSDD000017, …}
      direction: both          # or in, or out
      old: {…}                 # for out: the remote record before the write; without it, it is a create
      written: {…}             # for out: what is written, where that is not all of remote

``in``: reading ``remote`` gives ``canonical``. ``out``: writing ``canonical`` gives ``remote``, as far as the mapping
writes it, or ``written`` exactly. A field too many is as wrong as a field too few.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, RootModel
from pydantic import Field as Key

from hub.errors import RecordRejected
from hub.mapping.compiled import CompiledLens
from hub.mapping.lens import Position, Problem, Record
from hub.mapping.paths import ABSENT, Target, read
from hub.mapping.plan import ConstantOut, Lines, Node, Picks
from hub.mapping.reading import Section, read_yaml
from hub.mapping.validate import validated


class Example(BaseModel):
    """One remote record and what it means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Key(description="What the example shows.")
    remote: dict[str, Any] = Key(default_factory=dict, description="The remote record, as the connector gives it.")
    canonical: dict[str, Any] = Key(description="Its canonical values, in canonical form.")
    direction: Literal["both", "in", "out"] = Key("both", description="Which way it is tried.")
    old: dict[str, Any] | None = Key(None, description="For out: the remote record before the write.")
    written: dict[str, Any] | None = Key(None, description="For out: what is written, where it is not all of `remote`.")


class ExampleFile(RootModel[list[Example]]):
    """Examples of one mapping."""


class _Examples(BaseModel):
    examples: list[Example]


@dataclass(slots=True)
class ExampleResult:
    """What became of one example in one direction."""

    name: str
    direction: Literal["in", "out"]
    position: Position
    differences: list[str] = field(default_factory=list)
    """One line each: path, wanted and got."""

    @property
    def passed(self) -> bool:
        return not self.differences

    def __str__(self) -> str:
        arrow = "remote → canonical" if self.direction == "in" else "canonical → remote"
        head = f"{self.position}: {self.name} ({arrow}): {'right' if self.passed else 'wrong'}"
        return "\n".join([head, *(f"  {line}" for line in self.differences)])


def load_examples(path: Path | str) -> tuple[list[tuple[Example, Position]], list[Problem]]:
    """The examples of a file with their positions, and what is wrong with the file."""
    section, problems = read_yaml(path)
    if section is None:
        return [], problems
    if not isinstance(section.data, list):
        return [], [*problems, Problem(section.at(), "a list of examples was expected", "begin each with - name: …")]
    lifted = Section(
        {"examples": section.data},
        section.file,
        {("examples", *place): position for place, position in section.keys.items()},
        {("examples", *place): position for place, position in section.values.items()},
    )
    model, more = validated(_Examples, lifted)
    if model is None:
        return [], [*problems, *more]
    return [(example, section.at((index,))) for index, example in enumerate(model.examples)], problems


def run_examples(path: Path | str, lens: CompiledLens) -> list[ExampleResult]:
    """Try every example of a file through the compiled mapping, in its directions.

    A file that can't be read gives a result that is wrong, at the position of the mistake.
    """
    examples, problems = load_examples(path)
    results = [
        ExampleResult("the file", "in", problem.position, [str(problem).removeprefix(f"{problem.position}: ")])
        for problem in problems
    ]
    for example, position in examples:
        if example.direction != "out":
            results.append(ExampleResult(example.name, "in", position, _try_in(example, lens)))
        if example.direction != "in":
            results.append(ExampleResult(example.name, "out", position, _try_out(example, lens)))
    return results


def _try_in(example: Example, lens: CompiledLens) -> list[str]:
    got = lens.get(example.remote)
    lines = [f"{problem.field}: {problem.message} (mapping: {problem.position})" for problem in got.problems]
    return lines + differences(example.canonical, got.values)


def _try_out(example: Example, lens: CompiledLens) -> list[str]:
    try:
        made = lens.put(example.canonical, example.old)
    except RecordRejected as error:
        return [str(error)]
    if example.written is not None:
        return differences(example.written, made)
    nodes, create = lens.plan.nodes, example.old is None
    return differences(_written_part(nodes, example.remote, create=create), _written_part(nodes, made, create=create))


def _written_part(nodes: Iterable[Node], record: Record, *, create: bool) -> Record:
    """What of a remote record the mapping writes: fields that it only reads, and ids, can't be expected."""
    out: Record = {}
    for node in nodes:
        if not node.writes:
            continue
        if isinstance(node, Lines):
            rows = read(record, node.steps)
            if isinstance(rows, list):
                part = [_written_part(node.nodes, row, create=create) for row in rows]
                Target(node.steps, node.target.kinds).write(out, part, None)
        elif isinstance(node, Picks):
            for parts in node.entries.values():
                _copy(parts, record, out, create=create)
        else:
            _copy([node], record, out, create=create)
    return out


def _copy(nodes: Iterable[Node], record: Record, out: Record, *, create: bool) -> None:
    for node in nodes:
        if not node.writes or (isinstance(node, ConstantOut) and not create):
            continue
        for steps in node.paths():
            value = read(record, steps)
            if value is not ABSENT:
                Target(steps, clear="parent" if read(record, steps[:-1]) is None else "member").write(out, value, None)


def differences(wanted: Any, got: Any, path: str = "") -> list[str]:
    """Where two values differ, a line each: ``path: wanted …, got …``."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        lines: list[str] = []
        for name in [*wanted, *(name for name in got if name not in wanted)]:
            inner = f"{path}.{name}" if path else str(name)
            if name not in got:
                lines.append(f"{inner}: wanted {_show(wanted[name])}, got nothing")
            elif name not in wanted:
                lines.append(f"{inner}: wanted nothing, got {_show(got[name])}")
            else:
                lines += differences(wanted[name], got[name], inner)
        return lines
    if isinstance(wanted, list) and isinstance(got, list):
        lines = [] if len(wanted) == len(got) else [f"{path}: wanted {len(wanted)} lines, got {len(got)}"]
        for index, (one, other) in enumerate(zip(wanted, got, strict=False)):
            lines += differences(one, other, f"{path}[{index}]")
        return lines
    alike = type(wanted) is type(got) or _both_numbers(wanted, got)
    if not alike or wanted != got:
        return [f"{path}: wanted {_show(wanted)}, got {_show(got)}"]
    return []


def _both_numbers(one: Any, other: Any) -> bool:
    return all(not isinstance(value, (str, bool, dict, list, type(None))) for value in (one, other))


def _show(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, Decimal)) else repr(value)
