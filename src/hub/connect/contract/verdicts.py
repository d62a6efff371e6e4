"""How a rule ends when it doesn't simply hold."""

from __future__ import annotations


class Broken(Exception):
    """The rule does not hold; in what way."""


class NotTried(Exception):
    """It can't be tried here; why not."""


class NotNeeded(Exception):
    """It has nothing to say about this resource or product; why not."""


def must(holds: object, message: str) -> None:
    """Raise ``Broken`` unless it holds."""
    if not holds:
        raise Broken(message)
