"""Did-you-mean: the nearest known name to one that isn't known."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process, utils


def nearest(name: object, known: Iterable[str], *, cutoff: float = 60.0) -> str | None:
    """The known name most like ``name``, None when nothing is alike."""
    found = process.extractOne(str(name), list(known), scorer=fuzz.ratio, processor=utils.default_process)
    return str(found[0]) if found and found[1] >= cutoff else None


_NAMES = {
    "choices": "list of choices",
    "lines": "list of lines",
    "text": "text field",
    "choice": "choice",
    "ref": "reference",
}


def a(type: str) -> str:
    """A type with its article: ``a date``, ``an integer``, ``a list of lines``."""
    name = _NAMES.get(type, type)
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def did_you_mean(name: object, known: Iterable[str], *, noun: str = "one of", most: int = 12) -> str:
    """A cure: the nearest name, else the known names (at most ``most`` of them)."""
    names = list(known)
    found = nearest(name, names)
    if found is not None:
        return f"did you mean {found!r}?"
    if not names:
        return ""
    shown = ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
    return f"{noun} {shown}"
