"""Texts with places to fill: ``/items/{resource}/{id}``, ``Bearer {settings.token}``.

A place is a name in braces, or a path into a value (``{record.customer.id}``); ``{{`` and ``}}`` are braces. A text
that is nothing but one place gives the value itself (a number stays a number, a list a list); anything else is text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hub.connect.paths import ABSENT, PathError, Step, parse, read
from hub.errors import ConfigurationError


class TemplateError(ValueError):
    """A text that can't be read; ``offset`` counts characters from its start."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Slot:
    """A place to fill."""

    text: str
    steps: tuple[Step, ...]
    offset: int

    @property
    def name(self) -> str:
        """What is looked up: the first step."""
        return str(self.steps[0])


@dataclass(frozen=True, slots=True)
class Template:
    """A text that was read. ``fill`` raises ConfigurationError for a place that nothing was given for."""

    parts: tuple[str | Slot, ...]

    @property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(part for part in self.parts if isinstance(part, Slot))

    def fill(self, values: Mapping[str, Any]) -> Any:
        """The value of a lone place, else the text."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Slot):
            return _value(self.parts[0], values)
        return "".join(p if isinstance(p, str) else as_text(_value(p, values)) for p in self.parts)

    def text(self, values: Mapping[str, Any], escape: Callable[[str], str] = str) -> str:
        """Always a text; each filled value goes through ``escape``."""
        return "".join(p if isinstance(p, str) else escape(as_text(_value(p, values))) for p in self.parts)


def template(text: str) -> Template:
    """Raises TemplateError."""
    return Template(tuple(_parts(text)))


def _parts(text: str) -> Iterator[str | Slot]:
    at, plain = 0, ""
    while at < len(text):
        if text[at : at + 2] in ("{{", "}}"):
            plain += text[at]
            at += 2
        elif text[at] == "{":
            end = text.find("}", at)
            if end < 0:
                raise TemplateError("'}' is missing (a brace itself is written '{{')", at)
            if plain:
                yield plain
            plain = ""
            yield _slot(text[at + 1 : end], at + 1)
            at = end + 1
        elif text[at] == "}":
            raise TemplateError("'}' without '{' (a brace itself is written '}}')", at)
        else:
            plain += text[at]
            at += 1
    if plain:
        yield plain


def _slot(text: str, offset: int) -> Slot:
    try:
        return Slot(text, parse(text), offset)
    except PathError as problem:
        raise TemplateError(f"{{{text}}}: {problem}", offset + problem.offset) from None


def _value(slot: Slot, values: Mapping[str, Any]) -> Any:
    try:
        found = read(values, slot.steps)
    except ValueError as problem:
        raise ConfigurationError(f"{{{slot.text}}} can't be filled: {problem}") from None
    if found is ABSENT:
        raise ConfigurationError(f"there is nothing to fill {{{slot.text}}} with")
    return found


def as_text(value: Any) -> str:
    """A value inside a text: lists with commas, as most products take them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(map(as_text, value))
    return str(value)


def path_part(value: str) -> str:
    """A value as one part of a URL's path: an id with a slash in it must not lead elsewhere.

    Raises ConfigurationError for ``.`` and ``..``, which HTTP libraries take for steps whatever is done to them.
    """
    if value in (".", ".."):
        raise ConfigurationError(f"{value!r} can't be part of an address")
    return quote(value, safe="")


def fill_all(tree: Any, values: Mapping[str, Any]) -> Any:
    """Every text in nested dicts and lists filled; keys too."""
    if isinstance(tree, str):
        return template(tree).fill(values)
    if isinstance(tree, Mapping):
        return {template(str(key)).text(values): fill_all(value, values) for key, value in tree.items()}
    return [fill_all(item, values) for item in tree] if isinstance(tree, (list, tuple)) else tree
