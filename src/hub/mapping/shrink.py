"""The smallest value that still breaks a law: what a person wants to see instead of 300 characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MOST = 400
"""Attempts at most: shrinking is a courtesy, not a proof."""


def smallest(value: Any, breaks: Callable[[Any], bool]) -> Any:
    """A value as small as possible for which ``breaks`` is true; ``breaks(value)`` has to be true."""
    left = MOST
    while left > 0:
        for smaller in _smaller(value):
            left -= 1
            if left <= 0:
                return value
            if breaks(smaller):
                value = smaller
                break
        else:
            return value
    return value


def _smaller(value: Any) -> Iterator[Any]:
    """Smaller values of the same kind, the smallest first."""
    if isinstance(value, bool) or value is None or (isinstance(value, str) and _DATE.match(value)):
        return  # a day of the year 11 is not easier to read
    if isinstance(value, str):
        yield from _texts(value)
    elif isinstance(value, int):
        yield from (made for made in (0, 1, value // 1000, value // 10) if abs(made) < abs(value))
    elif isinstance(value, list):
        yield from (value[:index] + value[index + 1 :] for index in range(len(value)))


def _texts(text: str) -> Iterator[str]:
    size = len(text)
    for step in (size // 2, size // 4, 8, 1):
        if 0 < step < size:
            for start in range(0, size, step):
                yield text[:start] + text[start + step :]
    plain = "".join(map(_plain, text))
    if plain != text:
        yield plain
    for index, letter in enumerate(plain):
        if letter != text[index]:
            yield text[:index] + letter + text[index + 1 :]


def _plain(letter: str) -> str:
    """The letter ``a`` or the digit 1 for what is one; 0 says more than 1, and marks say what they are."""
    return "1" if letter.isdecimal() and letter != "0" else "a" if letter.isalpha() else letter
