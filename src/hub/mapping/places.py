"""The fields of one value that a mapping writes, each with its canonical type, its remote field and what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.connect.capabilities import Field, Resource
from hub.mapping.compiled import CompiledLens
from hub.mapping.lens import Record
from hub.mapping.operators.base import FitError
from hub.mapping.paths import ABSENT, read
from hub.mapping.plan import ERRORS, Lines, Node, Picks, Single
from hub.mapping.remote import Remote
from hub.model.spec import EntitySpec, FieldSpec

MOST_RECORDED = 200
"""Recorded values that are tried for one field."""


@dataclass(slots=True)
class Place:
    """A field of one value, and where it stands."""

    node: Single
    spec: FieldSpec
    remote: Field | None
    name: str
    """As people know it: ``lines.quantity``, ``addresses[billing].city``."""
    path: tuple[str, str | None]
    """(field, key of a picked line): what it has in common with the same field in other mappings."""
    recorded: list[Any] = field(default_factory=list)
    """Remote values seen in the system."""


def places(
    lens: CompiledLens, spec: EntitySpec, resource: Resource | None = None, recorded: Sequence[Record] = ()
) -> Iterator[Place]:
    """Every field of one value that a mapping writes, those of lines among them."""
    remote = Remote(resource.fields if resource else (), lens.resource)
    for node in lens.plan.nodes:
        if isinstance(node, Single) and node.writes and node.name in spec.fields:
            made = Place(node, spec.fields[node.name], _remote(node, remote), node.name, (node.name, None))
            yield _with_recorded(made, recorded)
        elif isinstance(node, (Picks, Lines)):
            yield from _inner(node, spec, remote, recorded)


def _inner(node: Picks | Lines, spec: EntitySpec, remote: Remote, recorded: Sequence[Record]) -> Iterator[Place]:
    inner = spec.fields[node.name].lines if node.name in spec.fields else None
    if inner is None:
        return
    groups: Iterable[tuple[Any, tuple[Node, ...]]] = (
        node.entries.items() if isinstance(node, Picks) else [(None, node.nodes)]
    )
    rows = recorded
    if isinstance(node, Lines):
        rows = [row for record in recorded for row in _rows(node, record)]
        try:
            remote = remote.lines(node.steps)
        except FitError:
            remote = Remote((), remote.owner)
    for key, parts in groups:
        for part in parts:
            if isinstance(part, Single) and part.writes and node.writes and part.name in inner.fields:
                head = node.name if key is None else f"{node.name}[{key}]"
                path = (f"{node.name}.{part.name}", None if key is None else str(key))
                made = Place(part, inner.fields[part.name], _remote(part, remote), f"{head}.{part.name}", path)
                yield _with_recorded(made, rows)


def _remote(node: Single, remote: Remote) -> Field | None:
    if not remote.known or not node.targets:
        return None
    try:
        return remote.find(node.targets[0].steps)
    except FitError:
        return None


def _rows(node: Lines, record: Record) -> list[Record]:
    try:
        rows = read(record, node.steps)
    except ERRORS:
        return []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _with_recorded(place: Place, records: Sequence[Record]) -> Place:
    seen: dict[str, Any] = {}
    for record in records:
        if len(seen) >= MOST_RECORDED:
            break
        try:
            value = place.node.remote(record)
        except ERRORS:
            continue
        if value is not ABSENT:
            seen.setdefault(repr(value), value)
    place.recorded = list(seen.values())
    return place
