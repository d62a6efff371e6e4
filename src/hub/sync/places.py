"""Places inside a canonical record: ``phone``, ``lines[3]`` (a whole line), ``lines[3].quantity``."""

from __future__ import annotations

from typing import Any

from hub.mapping.lens import LensField
from hub.model.spec import EntitySpec
from hub.sync.decide import ABSENT, sort_lines
from hub.sync.plan import Target, differences

Values = dict[str, Any]


def head(path: str) -> str:
    """The top-level field a path is in."""
    return path.partition("[")[0]


def overlap(one: str, other: str) -> bool:
    """Whether two paths have anything in common: a line overlaps each of its fields."""
    short, long = sorted((one, other), key=len)
    return long == short or long.startswith((f"{short}[", f"{short}."))


def value_at(values: Values, path: str, spec: EntitySpec) -> Any:
    """What is there; ``ABSENT`` when nothing is."""
    name, _, rest = path.partition("[")
    if not rest:
        return values.get(name, ABSENT)
    line = _line(values, name, rest, spec)
    field = rest.partition("]")[2].removeprefix(".")
    if line is None or not field:
        return ABSENT if line is None else line
    return line.get(field, ABSENT)


def with_value(values: Values, path: str, value: Any, spec: EntitySpec) -> Values:
    """The values with one place changed; None at a whole line takes the line out."""
    name, _, rest = path.partition("[")
    if not rest:
        return {**values, path: value}
    key_text, _, field = rest.partition("]")
    key = _key(name, spec)
    lines = [dict(line) for line in values.get(name) or []]
    field = field.removeprefix(".")
    if not field:
        lines = [line for line in lines if str(line[key]) != key_text]
        if value is not None:
            lines.append(dict(value))
    else:
        for line in lines:
            if str(line[key]) == key_text:
                line[field] = value
    return {**values, name: sort_lines(lines, key)}


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


def _line(values: Values, name: str, rest: str, spec: EntitySpec) -> Values | None:
    key, wanted = _key(name, spec), rest.partition("]")[0]
    return next((line for line in values.get(name) or [] if str(line.get(key)) == wanted), None)


def _key(name: str, spec: EntitySpec) -> str:
    lines = spec.fields[name].lines
    assert lines is not None
    assert lines.key is not None
    return lines.key
