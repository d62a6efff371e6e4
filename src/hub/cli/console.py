"""Rich's console for texts from other people's systems. Apart from ``plain``, since importing Rich takes its time."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from hub.cli.plain import visible


class PlainConsole(Console):
    """A console whose texts can't give orders to the terminal."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*map(_plain, objects), **options)


def _plain(thing: Any) -> Any:
    if isinstance(thing, str):
        return visible(thing)
    if isinstance(thing, Text) and visible(thing.plain) != thing.plain:
        return Text(visible(thing.plain))
    return thing
