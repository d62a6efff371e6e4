"""The laws for whole records: fields don't write over each other, lines keep their keys and their ids.

Single values have been tried before (``hub.mapping.laws``): here every field gets one of the values that came back as
it went, all of them together, so that whatever is wrong now is wrong between two fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any

from hub.errors import RecordRejected
from hub.mapping.compiled import CompiledLens
from hub.mapping.lens import Problem, Record, Values
from hub.mapping.paths import ABSENT, Step, read, show
from hub.mapping.plan import ERRORS, ConstantIn, Lines, Node, Picks, Place, Single, Walk
from hub.mapping.values import distinct
from hub.mapping.walk import get_all
from hub.model.spec import EntitySpec

Good = dict[int, list[Any]]
"""``id`` of a node → canonical values that it alone writes and reads back as they are."""
CURE_OVERWRITTEN = "map each remote field once, or say direction: in (or out) for one of the two"
CURE_GETPUT = "say direction: in, or keep the rest of the remote value: part, or cut with rest: kept"

MOST_RECORDED = 50


def record_problems(
    lens: CompiledLens, spec: EntitySpec, good: Good, recorded: Sequence[Record] = ()
) -> Iterator[Problem]:
    """What is wrong between the fields of one record."""
    nodes = lens.plan.nodes
    for turn in range(2):
        values = _values(nodes, spec, good, turn)
        try:
            record = lens.put(values, None)
        except RecordRejected:
            continue
        walk = Walk()
        back = get_all(nodes, deepcopy(record), walk)
        problems = list(_compared(nodes, values, back, record)) + list(_unread(walk, nodes))
        problems += _reordered(nodes, values, back, record, lens)
        if problems:
            yield from problems
            return
    yield from _rewritten(lens, recorded)


def _values(nodes: Iterable[Node], spec: EntitySpec, good: Good, turn: int) -> Values:
    """Canonical values for all fields that are read and written, as different from each other as can be."""
    made: Values = {}
    for index, node in enumerate(nodes):
        field = spec.fields.get(node.name)
        if field is None or not (node.reads and node.writes):
            continue
        if isinstance(node, Single):
            chosen = _chosen(node, index + 17 * turn, good, spec)
            if chosen is not None:
                made[node.name] = chosen
        elif isinstance(node, Picks) and field.lines is not None:
            picked = [
                {**_values(parts, field.lines, good, turn + place), node.key: key}
                for place, (key, parts) in enumerate(node.entries.items())
            ]
            made[node.name] = sorted((line for line in picked if len(line) > 1), key=lambda line: line[node.key])
        elif isinstance(node, Lines) and field.lines is not None:
            made[node.name] = _lines(node, field.lines, good, turn)
    return {name: value for name, value in made.items() if value != []}


def _lines(node: Lines, spec: EntitySpec, good: Good, turn: int) -> list[Values]:
    key = next((part for part in node.nodes if part.name == node.key), None)
    if isinstance(key, Single) and key.writes:
        keys = sorted(good.get(id(key), []), key=lambda k: (not (isinstance(k, int) and k > 0), str(k)))[:2]
    elif isinstance(key, Place):
        keys = [1, 2]
    else:
        return []  # the system numbers its lines, or there is one only: nothing to compare with
    lines = [{**_values(node.nodes, spec, good, turn + 3 * place), node.key: k} for place, k in enumerate(keys)]
    return sorted(lines, key=lambda line: line[node.key])


def _chosen(node: Single, number: int, good: Good, spec: EntitySpec) -> Any:
    known = good.get(id(node), [])
    if not known or node.read_only or node.chain.siblings:
        return None
    kept = {(type(value), value) for value in known}
    field = spec.fields[node.name]
    if not field.choices and all(op.name in ("text", "trim") for op in node.chain.ops) and node.max_length is None:
        return next(distinct(number, field))
    return next(
        (value for value in distinct(number, field) if (type(value), value) in kept), known[number % len(known)]
    )


def _compared(nodes: Iterable[Node], values: Values, back: Values, record: Record) -> Iterator[Problem]:
    """Fields that read back as something else than what was written, though alone they don't."""
    nodes = list(nodes)
    for node in nodes:
        if node.name not in values or node.name not in back:
            continue
        wanted, got = values[node.name], back[node.name]
        if isinstance(node, Single):
            if wanted != got:
                yield _overwritten(node, node.name, wanted, got, nodes, record)
        elif isinstance(node, (Lines, Picks)):
            key = node.key
            shown = {line.get(key): line for line in got}
            for line in wanted:
                parts = node.entries[line[key]] if isinstance(node, Picks) else node.nodes
                others = nodes if isinstance(node, Picks) else parts
                for part in parts:
                    if isinstance(part, Single) and part.name in line and part.reads:
                        found = shown.get(line[key], {}).get(part.name)
                        if found != line[part.name]:
                            name = f"{node.name}[{line[key]}].{part.name}"
                            yield _overwritten(part, name, line[part.name], found, list(others), record)


def _overwritten(node: Node, name: str, wanted: Any, got: Any, nodes: Sequence[Node], record: Record) -> Problem:
    rival = next((other for other in _flat(nodes) if other is not node and _meet(node, other)), None)
    where = ", ".join(map(show, node.paths()))
    if rival is None:
        message = f"{name}: {wanted!r} is written to {where} and read back as {got!r}, together with the other fields"
        return Problem(node.position, message, "write this field alone with hub test, and say direction: in or out")
    message = (
        f"{name}: {wanted!r} is written to {where} and read back as {got!r}: {rival.name} at {rival.position} writes "
        f"there too"
    )
    return Problem(node.position, message, CURE_OVERWRITTEN)


def _flat(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        if isinstance(node, Picks):
            for parts in node.entries.values():
                yield from parts
        else:
            yield node


def _meet(one: Node, other: Node) -> bool:
    """Whether two nodes write to the same place, or one inside of the other's."""
    return other.writes and any(_within(a, b) or _within(b, a) for a in one.paths() for b in other.paths())


def _within(a: tuple[Step, ...], b: tuple[Step, ...]) -> bool:
    return a[: len(b)] == b


def _unread(walk: Walk, nodes: Sequence[Node]) -> Iterator[Problem]:
    """What the mapping wrote of a whole record and then can't read."""
    for problem in walk.problems:
        message = f"{problem.field}: what is written to {problem.remote} with the other fields can't be read"
        yield Problem(problem.position, f"{message}: {problem.message}", CURE_OVERWRITTEN)


def _reordered(
    nodes: Iterable[Node], values: Values, back: Values, record: Record, lens: CompiledLens
) -> Iterator[Problem]:
    """Lines in another order are the same lines; two lines with one key are refused, never merged."""
    for node in nodes:
        if not isinstance(node, Lines) or not node.reads or not isinstance(back.get(node.name), list):
            continue
        if any(isinstance(part, (Place, ConstantIn)) and part.name == node.key for part in node.nodes):
            continue
        turned = deepcopy(record)
        rows = read(turned, node.steps)
        if not isinstance(rows, list) or len(rows) < 2:
            continue
        rows.reverse()
        if lens.get(turned).values.get(node.name) != back[node.name]:
            message = f"{node.name}: the lines in another order are read as other lines"
            yield Problem(node.position, message, "tell them apart by a key that the system keeps")
        rows.append(deepcopy(rows[0]))
        if node.name in lens.get(turned).values:
            message = f"{node.name}: two lines with the same {node.key} are read as if they were one"
            yield Problem(node.position, message, "tell them apart by a key that the system keeps")


def _rewritten(lens: CompiledLens, recorded: Sequence[Record]) -> Iterator[Problem]:
    """GetPut on records as last seen: writing what was read changes nothing."""
    told: set[int] = set()
    for record in recorded[:MOST_RECORDED]:
        got = lens.get(record)
        if got.problems:
            continue
        try:
            out = lens.put(got.values, record)
        except RecordRejected:
            continue
        for node in _flat(lens.plan.nodes):
            if isinstance(node, Single) and node.reads and node.writes and id(node) not in told:
                before, after = _seen(node, record), _seen(node, out)
                if before is not ABSENT and after is not ABSENT and not _same(before, after):
                    told.add(id(node))
                    where = ", ".join(map(show, node.paths()))
                    message = (
                        f"{node.name}: writing a record as it was read changes {where} from {before!r} to {after!r}"
                    )
                    yield Problem(node.position, message, CURE_GETPUT)


def _seen(node: Single, record: Record) -> Any:
    try:
        return node.remote(record)
    except ERRORS:
        return ABSENT


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return all(b is None or a == b for a, b in zip(before, after, strict=True))
    return bool(before == after)
