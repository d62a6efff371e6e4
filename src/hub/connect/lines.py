"""Child records as lines of their record: from those that are there to the complete wanted list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.connect.capabilities import Record
from hub.errors import VersionConflict

Identify = Callable[[Record], Any]


@dataclass(slots=True)
class Compared:
    """What has to be done with the lines of one record."""

    new: list[Record] = field(default_factory=list)
    kept: list[tuple[Record, Record]] = field(default_factory=list)
    """The wanted line, and what it is now."""
    gone: list[Record] = field(default_factory=list)
    """Lines that nobody wants any more."""


def compared(there: Sequence[Record], wanted: Sequence[Record], id: Identify) -> Compared:
    """Which wanted line is which of those that are ``there``. A line with an id that is not there is new: its own was
    removed meanwhile."""
    before = {str(id(line)): line for line in there if isinstance(line, dict)}
    found = Compared()
    for line in wanted:
        now = before.pop(str(id(line)), None) if id(line) not in (None, "") else None
        if now is None:
            found.new.append(line)
        else:
            found.kept.append((line, now))
    found.gone = list(before.values())
    return found


def changed(line: Record, now: Record) -> Record:
    """What of a wanted line differs from the line as it is."""
    return {name: value for name, value in line.items() if now.get(name) != value}


def check_unchanged(name: str, seen: Any, there: Sequence[Record], id: Identify, where: str) -> None:
    """Raises VersionConflict when lines were added, removed or edited since they were ``seen`` (``Write.old``): they
    are written as a whole, and many products don't say that a record moved when one of its lines did.

    Only what was seen of a line counts. Nothing is said where no lines were seen, or lines have no ids.
    """
    if not isinstance(seen, list) or not all(isinstance(one, dict) and id(one) not in (None, "") for one in seen):
        return
    now = {str(id(line)): line for line in there}
    before = {str(id(line)): line for line in seen}
    for key in sorted(now.keys() | before.keys()):
        if key not in now or key not in before or not alike(before[key], now[key]):
            raise VersionConflict(f"line {key} of {name} was changed since it was last seen", where=where)


def alike(seen: Any, now: Any) -> bool:
    """Whether ``now`` still says what was ``seen``; numbers by their value, and what is empty is empty."""
    if isinstance(seen, Mapping):
        return isinstance(now, Mapping) and all(alike(value, now.get(name)) for name, value in seen.items())
    if isinstance(seen, list):
        return isinstance(now, list) and len(seen) == len(now) and all(map(alike, seen, now))
    if isinstance(seen, bool) or isinstance(now, bool):
        return seen is now
    if seen == now or (_empty(seen) and _empty(now)):
        return True
    one, other = _number(seen), _number(now)
    return one is not None and one == other


def _empty(value: Any) -> bool:
    return value is None or value in ("", [])


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
