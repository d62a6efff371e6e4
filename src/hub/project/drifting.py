"""What changed in a live system since the hub last looked, and which lines of a mapping that touches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hub.connect.capabilities import Resource
from hub.connect.schema import drift
from hub.mapping.lens import Position
from hub.mapping.plan import Lines, Node, Picks


@dataclass(frozen=True, slots=True)
class Moved:
    """One change of a resource. ``lines`` are the places in the mapping that read or write the field."""

    resource: str
    kind: str
    field: str
    message: str
    breaking: bool
    lines: tuple[str, ...] = ()

    @property
    def harmful(self) -> bool:
        """Whether the mapping may fail now: a field it uses broke, or a mandatory one is new."""
        return self.breaking and (bool(self.lines) or self.kind in ("added", "mandatory"))

    def __str__(self) -> str:
        touched = f" (used by {', '.join(self.lines)})" if self.lines else ""
        return f"{self.resource}: {self.field} {self.message}{touched}"


def moved(before: Resource | None, live: Resource, lens: Any) -> list[Moved]:
    """How ``live`` differs from what was known, in the order of the known fields. ``lens`` is the mapping in use."""
    if before is None or not before.fields:
        return []
    places = list(_places(lens.plan.nodes)) if hasattr(lens, "plan") else []
    return [
        Moved(live.name, one.kind, one.field, one.message, one.breaking, tuple(_touched(one.field, places)))
        for one in drift(before, live)
    ]


def _touched(field: str, places: list[tuple[str, Position]]) -> Iterator[str]:
    told = set()
    for name, position in places:
        if (name == field or name.startswith(f"{field}.") or field.startswith(f"{name}.")) and position not in told:
            told.add(position)
            yield str(position)


def _places(nodes: tuple[Node, ...], above: str = "") -> Iterator[tuple[str, Position]]:
    """Every remote field that is mapped, with its members: ``Ordered_Items.Quantity``, and where."""
    for node in nodes:
        if isinstance(node, Picks):
            for entries in node.entries.values():
                yield from _places(entries, above)
            continue
        for path in node.paths():
            name = above + ".".join(step for step in path if isinstance(step, str))
            yield name, node.position
            if isinstance(node, Lines):
                yield from _places(node.nodes, f"{name}.")
