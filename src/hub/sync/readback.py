"""What an answer to our own write says about it. Functions of their arguments."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from hub.connect.capabilities import Remote
from hub.mapping.lens import LensField
from hub.store.records import Stored
from hub.store.shadows import Shadow
from hub.sync.plan import Step
from hub.sync.refs import RefPath

Values = dict[str, Any]


class Done(NamedTuple):
    """A write that succeeded."""

    record: Stored
    shadow: Shadow | None
    step: Step
    remote: Remote | None
    payload: dict[str, Any] | None = None
    """What was sent, where that is known for sure."""


def computed_part(lens_field: LensField) -> LensField | None:
    """The part of a lines field that only the system fills (amounts it computes)."""
    lines = lens_field.lines
    if lines is None:
        return None
    fields = {name: f for name, f in lines.fields.items() if f.direction == "in"}
    return replace(lens_field, lines=replace(lines, fields=fields)) if fields else None


def looks_rewritten(wanted: Any, shown: Any) -> bool:
    """Whether ``shown`` may be the system's own version of ``wanted``: cut, re-cased, re-spaced, rounded."""
    if isinstance(wanted, str) and isinstance(shown, str):
        a, b = "".join(wanted.casefold().split()), "".join(shown.casefold().split())
        try:
            # A number that lost digits is another number: only rounding leaves it the same.
            return round(Decimal(a), 2) == round(Decimal(b), 2)
        except ArithmeticError:
            return bool(b) and a.startswith(b)
    return False


def without_blanks(step: Step, wanted: Values, theirs: Values) -> Step:
    """A create in which a blank that the system filled (a number, a default) counts as not written: nobody meant it."""
    filled = [name for name in step.write if wanted[name] is None and theirs.get(name) is not None]
    return replace(step, write=tuple(name for name in step.write if name not in filled)) if filled else step


def has_unknown(values: Values, path: RefPath) -> bool:
    """Whether a reference in these values is one the hub does not know (``translate`` marked it)."""
    value = values.get(path.field)
    if path.line_field is not None:
        return any(str(line.get(path.line_field) or "").startswith("?") for line in value or ())
    return isinstance(value, str) and value.startswith("?")
