"""What is at a place inside a canonical record, and whether places overlap (see ``paths``)."""

from __future__ import annotations

from typing import Any

from hub.mapping.lens import LensField
from hub.model.spec import EntitySpec
from hub.sync.decide import ABSENT, sort_lines
from hub.sync.paths import head as head  # noqa: PLC0414 - told on to those who import it here
from hub.sync.paths import split
from hub.sync.plan import Target, differences
from hub.sync.readback import looks_rewritten

Values = dict[str, Any]


def overlap(one: str, other: str) -> bool:
    """Whether two paths have anything in common: a line overlaps each of its fields."""
    short, long = sorted((one, other), key=len)
    return long == short or long.startswith((f"{short}[", f"{short}."))


def value_at(values: Values, path: str, spec: EntitySpec) -> Any:
    """What is there; ``ABSENT`` when nothing is."""
    if "[" not in path:
        return values.get(path, ABSENT)
    name, key_text, field = split(path)
    line = _line(values, name, key_text, spec)
    if line is None or not field:
        return ABSENT if line is None else line
    return line.get(field, ABSENT)


def with_value(values: Values, path: str, value: Any, spec: EntitySpec) -> Values:
    """The values with one place changed; None at a whole line takes the line out."""
    if "[" not in path:
        return {**values, path: value}
    name, key_text, field = split(path)
    key = _key(name, spec)
    lines = [dict(line) for line in values.get(name) or []]
    if not field:
        lines = [line for line in lines if str(line[key]) != key_text]
        if value is not None:
            lines.append(dict(value))
    else:
        for line in lines:
            if str(line[key]) == key_text:
                line[field] = value
    return {**values, name: sort_lines(lines, key)}


def lines_as_shown(held: list[Values], shown: list[Values], key: str) -> list[Values]:
    """The lines that a system shows, with the hub's own values where it only shows these in its own spelling, or not at
    all."""
    known = {line[key]: line for line in held}
    return [_as_shown(known.get(line[key], {}), line) for line in shown]


def _as_shown(held: Values, shown: Values) -> Values:
    return held | {name: value for name, value in shown.items() if not looks_rewritten(held.get(name), value)}


def alike(value: Any, other: Any) -> bool:
    """Whether two values of one place agree; of lines, only what the second one knows is compared."""
    if isinstance(value, dict) and isinstance(other, dict):
        return all(value.get(name) == part for name, part in other.items())
    return bool((None if value is ABSENT else value) == (None if other is ABSENT else other))


def differs(name: str, lens_field: LensField, wanted: Any, have: Any) -> bool:
    """Whether a system that has ``have`` would be written, were it to have ``wanted``."""
    if lens_field.lines is None:
        return not alike(wanted, have)
    target = Target(
        "", "", "", {name: lens_field}, (name,), "", None, {name: have}, {}, False, "ignore", False, False, {}
    )
    return bool(differences({name: wanted}, target))


def _line(values: Values, name: str, wanted: str, spec: EntitySpec) -> Values | None:
    key = _key(name, spec)
    return next((line for line in values.get(name) or [] if str(line.get(key)) == wanted), None)


def _key(name: str, spec: EntitySpec) -> str:
    lines = spec.fields[name].lines
    assert lines is not None
    assert lines.key is not None
    return lines.key
