"""Paths into remote records: ``FCustId.FNumber``, ``Line_Tax[0].percentage``, ``Line_Tax[name=VAT].percentage``.

A step is a member of an object, the n-th item of a list, or the list's item in which a member has a value. A name
with a dot or a bracket in it is written in double quotes (``"Preis.netto".amount``) or with a backslash before
the odd character (``Preis\\.netto``). Everything else, spaces and emoji included, may stand as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

Record = dict[str, Any]


class Absent:
    """The one value that means "the record says nothing about it"."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT = Absent()

Clear = Literal["parent", "member"]
"""What clearing ``A.B`` writes: ``{"A": null}`` or ``{"A": {"B": null}}``."""


@dataclass(frozen=True, slots=True)
class Item:
    """The n-th item of a list, counted from 0."""

    index: int


@dataclass(frozen=True, slots=True)
class Matching:
    """The first item of a list whose member ``name`` has this value (compared as text)."""

    name: str
    value: str

    def holds(self, item: Any) -> bool:
        return isinstance(item, dict) and self.name in item and _as_text(item[self.name]) == self.value


Step = str | Item | Matching


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


class PathError(ValueError):
    """A path that can't be read; ``offset`` counts characters from the start of the path."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


def parse(text: str) -> tuple[Step, ...]:
    """The steps of a path. Raises PathError."""
    return _Parser(text).path()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def path(self) -> tuple[Step, ...]:
        steps: list[Step] = [self.name()]
        while self.at < len(self.text):
            mark = self.text[self.at]
            self.at += 1
            if mark == ".":
                steps.append(self.name())
            elif mark == "[":
                steps.append(self.bracket())
            else:
                raise PathError(f"{mark!r} after a closing bracket or quote; a '.' or '[' belongs there", self.at - 1)
        return tuple(steps)

    def name(self, stop: str = ".[") -> str:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] == " ":
            self.at += 1
        if self.text[self.at : self.at + 1] == '"':
            return self.quoted()
        letters: list[str] = []
        while self.at < len(self.text) and self.text[self.at] not in stop:
            letter = self.text[self.at]
            if letter == "\\" and self.at + 1 < len(self.text):
                self.at += 1
                letter = self.text[self.at]
            elif letter == "]":
                raise PathError(f"{letter!r} inside a name", self.at)
            letters.append(letter)
            self.at += 1
        name = "".join(letters).strip()
        if not name:
            raise PathError("a name is missing", start)
        return name

    def quoted(self) -> str:
        start = self.at
        self.at += 1
        letters: list[str] = []
        while self.at < len(self.text):
            letter = self.text[self.at]
            self.at += 1
            if letter == '"':
                if not letters:
                    raise PathError("a name is missing", start)
                return "".join(letters)
            if letter == "\\" and self.at < len(self.text):
                letter = self.text[self.at]
                self.at += 1
            letters.append(letter)
        raise PathError("the quote is not closed", start)

    def bracket(self) -> Item | Matching:
        start = self.at - 1
        number = _NUMBER.match(self.text, self.at)
        if number:
            self.at = number.end()
            return Item(int(number[1]))
        if self.text[self.at : self.at + 1] in ("]", ""):
            raise PathError(_BRACKET, start)
        name = self.name(stop="=]")
        if self.text[self.at : self.at + 1] != "=":
            raise PathError(_BRACKET, start)
        self.at += 1
        value = self.name(stop="]")
        if self.text[self.at : self.at + 1] != "]":
            raise PathError("']' is missing", start)
        self.at += 1
        return Matching(name, value)


_NUMBER = re.compile(r" *(\d{1,6}) *\]", re.ASCII)
_BRACKET = "[ ] holds the number of an item, or name=value to find it by"


def show(steps: tuple[Step, ...]) -> str:
    """The path as it would be written; ``parse(show(steps)) == steps``."""
    text = ""
    for step in steps:
        if isinstance(step, str):
            text += ("." if text else "") + _written(step, '.[]"\\')
        elif isinstance(step, Item):
            text += f"[{step.index}]"
        else:
            text += "[" + _written(step.name, '.[]"\\=') + "=" + _written(step.value, '[]"\\') + "]"
    return text


def _written(name: str, odd: str) -> str:
    if name.strip() == name and not any(mark in name for mark in odd):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def read(record: Any, steps: tuple[Step, ...]) -> Any:
    """The value at the path: ABSENT where the record says nothing, None below a null or where a list has no such item.

    Raises ValueError where something else than an object or a list stands in the way.
    """
    here = record
    for step in steps:
        if here is None:
            return None
        if isinstance(step, str):
            if not isinstance(here, dict):
                raise ValueError(f"expected an object with {step!r} in it, got {_short(here)}")
            here = here.get(step, ABSENT)
            if here is ABSENT:
                return ABSENT
        else:
            here = _item(here, step)
    return here


def _item(here: Any, step: Item | Matching) -> Any:
    if not isinstance(here, list):
        raise ValueError(f"expected a list, got {_short(here)}")
    if isinstance(step, Item):
        return here[step.index] if step.index < len(here) else None
    return next((item for item in here if step.holds(item)), None)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


@dataclass(frozen=True, slots=True)
class Target:
    """A path to write to, and how.

    ``partial`` tells for each step but the last whether the object there may be written in part (the system leaves its
    other members alone) or has to be whole (``old``: a JSON column, a list), or is a reference (``fresh``: other
    members belong to what is referred to and must not be sent along).
    """

    steps: tuple[Step, ...]
    kinds: tuple[Literal["partial", "whole", "fresh"], ...] = ()
    clear: Clear = "member"

    def write(self, out: Record, value: Any, old: Record | None) -> None:
        """Set the value in ``out``, taking from ``old`` what has to go along. A null in a list removes the item."""
        if len(self.steps) == 1:
            out[self.steps[0]] = value  # type: ignore[index]
            return
        steps = self.steps
        if value is None and isinstance(steps[-1], str) and (self.clear == "parent" or not isinstance(steps[-2], str)):
            steps = steps[:-1]
        here: Any = out
        before: Any = old
        for index, step in enumerate(steps[:-1]):
            before = _peek(before, step)
            here = self._enter(here, step, before, index, steps[index + 1])
        self._set(here, steps[-1], value)

    def _enter(self, here: Any, step: Step, before: Any, index: int, following: Step) -> Any:
        """Go one step down, making what isn't there."""
        kind = self.kinds[index] if index < len(self.kinds) else "whole"
        empty: Any = {} if isinstance(following, str) else []
        whole = kind == "whole" and isinstance(before, type(empty))
        made = _copied(before) if whole else empty
        if isinstance(step, str):
            if not isinstance(here.get(step), type(empty)):
                here[step] = made
            return here[step]
        return _entered_item(here, step, made)

    def _set(self, here: Any, step: Step, value: Any) -> None:
        if isinstance(step, str):
            here[step] = value
        elif value is None:
            found = _item(here, step)
            if found is not None:
                here.remove(found)
        elif isinstance(step, Item):
            if step.index < len(here):
                here[step.index] = value
            elif step.index == len(here):
                here.append(value)
            else:
                raise ValueError(f"the list has {len(here)} items, so item {step.index} can't be written")


def _entered_item(here: list[Any], step: Item | Matching, made: Any) -> Any:
    found = _item(here, step)
    if isinstance(found, dict):
        return found
    if isinstance(step, Matching):
        made[step.name] = step.value
        here.append(made)
    elif step.index < len(here):
        here[step.index] = made
    elif step.index == len(here):
        here.append(made)
    else:
        raise ValueError(f"the list has {len(here)} items, so item {step.index} can't be written")
    return made


def _peek(before: Any, step: Step) -> Any:
    if isinstance(step, str):
        return before.get(step) if isinstance(before, dict) else None
    return _item(before, step) if isinstance(before, list) else None


def _copied(value: Any) -> Any:
    """A copy deep enough to be changed along one path."""
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value
