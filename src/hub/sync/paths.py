"""Paths of places inside a canonical record: ``phone``, ``lines[3]`` (a whole line), ``lines[3].quantity``.

What stands between the brackets is the line's key, as text. A key may hold brackets itself (an article ``A[1]``), names
of fields never do: so the first bracket opens, and the last one closes.
"""

from __future__ import annotations


def head(path: str) -> str:
    """The top-level field a path is in: ``lines[3].quantity`` → ``lines``."""
    return path.partition("[")[0]


def plain(path: str) -> str:
    """The field, whichever line it is in: ``lines[3].quantity`` → ``lines.quantity``, ``lines[3]`` → ``lines``."""
    first, _, rest = path.partition("[")
    return first + rest.rpartition("]")[2]


def line_of(path: str) -> str:
    """The line a path is in: ``lines[3].quantity`` → ``lines[3]``; of what is in no line: the path itself."""
    return path.rpartition("]")[0] + "]" if "]" in path else path


def split(path: str) -> tuple[str, str, str]:
    """(top-level field, key of the line as text, field of the line): ``lines[3].quantity`` → lines, 3, quantity.

    What the path doesn't name is empty.
    """
    first, _, rest = path.partition("[")
    key, _, field = rest.rpartition("]")
    return first, key, field.removeprefix(".")
