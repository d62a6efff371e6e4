"""Values at a place of an answer or a record: ``data[0].id``, ``.``, ``header:X-Total``, ``cookie:sid``."""

from __future__ import annotations

from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from typing import Any

from hub.connect.answers import Answer
from hub.connect.paths import ABSENT, Item, Step, parse, read
from hub.connect.templates import Template, template

ALL = "."


@lru_cache(maxsize=4096)
def steps(at: str) -> tuple[Step, ...]:
    """The steps of a checked path. ``errors.0.code`` is ``errors[0].code``: brackets need quotes inside of YAML's
    flow style, where rules about errors mostly stand."""
    if at == ALL:
        return ()
    return tuple(Item(int(step)) if isinstance(step, str) and step.isdecimal() else step for step in parse(at))


@lru_cache(maxsize=4096)
def text(written: str) -> Template:
    """A checked text with places to fill."""
    return template(written)


def pick(data: Any, at: str) -> Any:
    """The value; ABSENT where there is none, or where something else stands in the way."""
    try:
        return read(data, steps(at))
    except ValueError:
        return ABSENT


def found(data: Any, at: str | None) -> Any:
    """As ``pick``, with None for what is absent (and for no place at all)."""
    value = pick(data, at) if at is not None else None
    return None if value is ABSENT else value


def in_answer(answer: Answer, at: str | None) -> Any:
    """A place of an answer, in its headers too; None where there is nothing."""
    if at is None:
        return None
    kind, colon, name = at.partition(":")
    if colon and kind == "header":
        return answer.headers.get(name)
    if colon and kind == "cookie":
        return _cookie(answer.headers.get("Set-Cookie") or "", name)
    return found(answer.json_or_none(), at)


def put(record: dict[str, Any], at: str, value: Any) -> None:
    """Set a value at a path of names, making the objects on the way; objects already there are copied, not changed."""
    names = [str(step) for step in steps(at)]
    here = record
    for name in names[:-1]:
        below = here.get(name)
        here[name] = dict(below) if isinstance(below, dict) else {}
        here = here[name]
    here[names[-1]] = value


def _cookie(header: str, name: str) -> str | None:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return found.value if found else None
