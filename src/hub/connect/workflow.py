"""States that a record is led to by calls (confirm, submit, post), not by being written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.errors import HubError, RecordRejected

MOST_STEPS = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a workflow."""

    value: Any
    """The value that it leads to."""
    do: Any
    """What the connector calls: a button's name, a call of a manifest."""
    before: tuple[Any, ...] = ()
    """Values from which it can be taken; any when empty."""


def steps_of(text: str) -> list[Step]:
    """Steps from ``draft>quotation:quote quotation>confirmed:confirm``: value, next value, what to call."""
    parts = [part.replace(">", ":").split(":") for part in text.split()]
    return [Step(after, call, (before,)) for before, after, call in parts]


def next_step(steps: Sequence[Step], now: Any, wanted: Any) -> Step | None:
    """The first step on the shortest way from one value to another; None where none leads there.

    A step that can be taken from any value only ends a way: as a stop in between it might undo what is there.
    """
    ways = [(step, step) for step in steps if _leads(step, now, wanted)]
    passed = [now]
    while ways:
        first, last = ways.pop(0)
        if same(last.value, wanted):
            return first
        if not any(same(last.value, one) for one in passed):
            passed.append(last.value)
            ways += [(first, step) for step in steps if _leads(step, last.value, wanted)]
    return None


def reach(
    steps: Sequence[Step],
    wanted: Any,
    *,
    look: Callable[[], Any],
    do: Callable[[Step], object],
    field: str,
    where: str,
) -> HubError | None:
    """Take steps until ``look`` shows the wanted value. Returns what went wrong: the record itself is written already,
    and the next update of it takes the way up again."""
    passed: list[Any] = []
    try:
        while not same(now := look(), wanted):
            if now in passed or len(passed) >= MOST_STEPS:
                told = f"{field} is {now!r} after all calls, not {wanted!r}: the system did not carry them out"
                return RecordRejected(told, field=field, where=where)
            step = next_step(steps, now, wanted)
            if step is None:
                told = f"{field} can't get from {now!r} to {wanted!r}"
                return RecordRejected(told, field=field, where=where, cure="set it there by hand, or declare the step")
            passed.append(now)
            do(step)
    except HubError as problem:
        return problem
    return None


def same(value: Any, wanted: Any) -> bool:
    """Equal as products write values: ``1`` is ``"1"``; yes, no and nothing are only themselves."""
    if isinstance(value, bool) or isinstance(wanted, bool) or value is None or wanted is None:
        return value is wanted
    return str(value) == str(wanted)


def values(steps: Iterable[Step]) -> set[str]:
    """Every value that the steps know."""
    return {str(one) for step in steps for one in (step.value, *step.before)}


def _leads(step: Step, now: Any, wanted: Any) -> bool:
    return any(same(now, one) for one in step.before) if step.before else same(step.value, wanted)
