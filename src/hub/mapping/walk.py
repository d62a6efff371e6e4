"""The slow and careful way through a record, field by field, in both directions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.errors import RecordRejected
from hub.mapping.lens import Record, Values
from hub.mapping.paths import ABSENT, read, show
from hub.mapping.plan import (
    ERRORS,
    ConstantIn,
    ConstantOut,
    Lines,
    Node,
    Picks,
    Place,
    Single,
    Walk,
    reject,
)


def get_all(nodes: Iterable[Node], record: Record, walk: Walk) -> Values:
    """Canonical values of one remote record; what is wrong goes into ``walk``."""
    values: Values = {}
    for node in nodes:
        if not node.reads:
            continue
        if isinstance(node, Lines):
            _get_lines(node, record, values, walk)
        elif isinstance(node, Picks):
            _get_picks(node, record, values, walk)
        else:
            _get_one(node, record, values, walk, name=node.name, above="")
    return values


def _get_one(node: Node, record: Record, values: Values, walk: Walk, *, name: str, above: str) -> None:
    if isinstance(node, ConstantIn):
        values[node.name] = node.value
        return
    if not isinstance(node, Single):
        return
    try:
        value = node.get(record, values)
    except ERRORS as error:
        walk.note(name, above + ", ".join(map(show, node.paths())), _seen(node, record), error, node.position)
        return
    if value is not ABSENT:
        values[node.name] = value


def _seen(node: Single, record: Record) -> Any:
    try:
        value = node.remote(record)
    except ERRORS:
        return None
    return None if value is ABSENT else value


def _get_lines(node: Lines, record: Record, values: Values, walk: Walk) -> None:
    """A list with one bad line is left out altogether: without that line it would look as if the line were deleted."""
    path = show(node.steps)
    try:
        rows = read(record, node.steps)
    except ERRORS as error:
        walk.note(node.name, path, None, error, node.position)
        return
    if rows is ABSENT:
        return
    if rows is None:
        values[node.name] = []
        return
    if not isinstance(rows, list):
        walk.note(node.name, path, rows, "expected a list of lines", node.position)
        return
    inner = Walk()
    made: dict[Any, Values] = {}
    for index, row in enumerate(rows):
        _get_line(node, row, index, made, inner)
    if inner.problems:
        walk.problems.extend(inner.problems)
        return
    values[node.name] = [made[key] for key in sorted(made)]


def _get_line(node: Lines, row: Any, index: int, made: dict[Any, Values], walk: Walk) -> None:
    path = f"{show(node.steps)}[{index}]"
    if not isinstance(row, dict):
        walk.note(f"{node.name}[{index + 1}]", path, row, "expected an object with the line's fields", node.position)
        return
    line: Values = {}
    key = _line_key(node, row, index)
    shown = f"{node.name}[{index + 1 if key is None else key}]"
    before = len(walk.problems)
    for part in node.nodes:
        if isinstance(part, Place) and part.reads:
            line[part.name] = index + 1
        elif part.reads:
            _get_one(part, row, line, walk, name=f"{shown}.{part.name}", above=path + ".")
    if len(walk.problems) > before:
        return
    key = line.get(node.key)
    if key is None:
        walk.note(shown, path, row, f"the line has no {node.key}, which tells lines apart", node.position)
    elif key in made:
        walk.note(shown, path, row, f"two lines have the same {node.key} {key!r}", node.position)
    else:
        made[key] = line


def _line_key(node: Lines, row: Record, index: int) -> Any:
    """The key of a remote line, None when it has none or it can't be read."""
    part = next((part for part in node.nodes if part.name == node.key), None)
    if isinstance(part, Place):
        return index + 1
    if isinstance(part, ConstantIn):
        return part.value
    if not isinstance(part, Single):
        return None
    try:
        key = part.get(row)
    except ERRORS:
        return None
    return None if key is ABSENT else key


def _get_picks(node: Picks, record: Record, values: Values, walk: Walk) -> None:
    """A line is there when one of its remote fields holds something; the field is there when any is spoken of."""
    spoken = False
    before = len(walk.problems)
    lines: list[Values] = []
    for key, parts in node.entries.items():
        line: Values = {}
        constants: Values = {}
        for part in parts:
            if part.reads:
                said = constants if isinstance(part, ConstantIn) else line
                _get_one(part, record, said, walk, name=f"{node.name}[{key}].{part.name}", above="")
        spoken = spoken or bool(line)
        if any(value is not None for value in line.values()):
            lines.append({node.key: key, **line, **constants})
    if spoken and len(walk.problems) == before:
        values[node.name] = sorted(lines, key=lambda line: line[node.key])


def put_all(nodes: Iterable[Node], values: Values, old: Record | None) -> Record:
    """Remote fields of canonical values. Raises RecordRejected for the first that can't be expressed."""
    out: Record = {}
    for node in nodes:
        if not node.writes:
            continue
        if isinstance(node, Lines):
            if node.name in values:
                _put_lines(node, values[node.name], out, old)
        elif isinstance(node, Picks):
            if node.name in values:
                _put_picks(node, values[node.name] or [], out, old)
        else:
            _put_one(node, values, out, old, node.name)
    return out


def _put_one(node: Node, values: Values, out: Record, old: Record | None, name: str) -> None:
    try:
        if isinstance(node, ConstantOut):
            if old is None:
                node.target.write(out, node.value, None)
            return
        if not isinstance(node, Single):
            return
        value = values.get(node.name, ABSENT)
        if old is None and (value is None or value is ABSENT) and node.default is not None:
            value = node.default
        if node.required and (value is None or (value is ABSENT and old is None)):
            raise ValueError("there is no value, and the mapping says it is required")
        if value is not ABSENT:
            node.put(out, value, old, values)
    except ERRORS as error:
        raise reject(name, node, error) from None


def _put_lines(node: Lines, lines: list[Values] | None, out: Record, old: Record | None) -> None:
    """The complete list, each line with the remote line's own id where it is there already."""
    before = _old_lines(node, old)
    made: list[Record] = []
    wanted = sorted(lines or [], key=lambda line: line[node.key])
    paired = _paired(node, wanted, before)
    for line in wanted:
        row = paired.get(line[node.key])
        name = f"{node.name}[{line[node.key]}]"
        remote: Record = {}
        for part in node.nodes:
            if part.writes:
                _put_one(part, line, remote, row, f"{name}.{part.name}")
        if row is not None:
            remote = _with_rest(node, remote, row)
        made.append(remote)
    node.target.write(out, made, old)


def _with_rest(node: Lines, remote: Record, row: Record) -> Record:
    """A line with an id of its own is written in part; without one the list is a value, so the rest goes along."""
    if node.line_id is None:
        return {**row, **remote}
    return {node.line_id: row[node.line_id], **remote} if row.get(node.line_id) is not None else remote


def _old_lines(node: Lines, old: Record | None) -> list[tuple[Any, Record]]:
    """The old record's lines with their keys, as far as they can be read."""
    if old is None:
        return []
    try:
        rows = read(old, node.steps)
    except ERRORS:
        return []
    if not isinstance(rows, list):
        return []
    return [(_line_key(node, row, index), row) for index, row in enumerate(rows) if isinstance(row, dict)]


def _paired(node: Lines, wanted: list[Values], before: list[tuple[Any, Record]]) -> dict[Any, Record]:
    """Canonical key → old remote line: by key, then by the fields of ``same`` where the system renumbered its lines."""
    by_key = {key: row for key, row in before if key is not None}
    paired = {line[node.key]: by_key[line[node.key]] for line in wanted if line[node.key] in by_key}
    if not node.same:
        return paired
    parts = [part for part in node.nodes if part.name in node.same and isinstance(part, Single)]
    free = [row for key, row in before if key not in paired]
    for line in wanted:
        if line[node.key] in paired:
            continue
        marks = [line.get(part.name) for part in parts]
        found = next((row for row in free if _marks(parts, row) == marks), None)
        if found is not None and any(mark is not None for mark in marks):
            paired[line[node.key]] = found
            free = [row for row in free if row is not found]
    return paired


def _marks(parts: list[Single], row: Record) -> list[Any]:
    marks: list[Any] = []
    for part in parts:
        try:
            value = part.get(row)
        except ERRORS:
            return []
        marks.append(None if value is ABSENT else value)
    return marks


def _put_picks(node: Picks, lines: list[Values], out: Record, old: Record | None) -> None:
    by_key = {line.get(node.key): line for line in lines}
    for key, parts in node.entries.items():
        line = by_key.get(key)
        for part in parts:
            if part.writes:
                values = {part.name: None} if line is None else line
                if line is None and isinstance(part, Single) and part.required:
                    continue
                _put_one(part, values, out, old, f"{node.name}[{key}].{part.name}")


__all__ = ["RecordRejected", "get_all", "put_all"]
