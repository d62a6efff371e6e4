"""What a compiled mapping offers the engine: the two directions, and what it knows about each field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from hub.connect.positions import Position as Position  # noqa: PLC0414 - told on to those who import it here
from hub.connect.positions import Problem as Problem  # noqa: PLC0414

Direction = Literal["both", "in", "out"]
Strength = Literal["weak", "normal", "strong"]
Values = dict[str, Any]
"""Canonical values of one record in canonical form (see ``hub.model.spec``)."""
Record = dict[str, Any]
"""A remote record, as the connector hands it over."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field of one record that could not be translated."""

    field: str
    """Canonical field (``phone``, ``lines[3].quantity``)."""
    remote: str
    """Remote path (``FSaleOrderEntry[2].FQty``)."""
    value: Any
    message: str
    position: Position


class Got(NamedTuple):
    """What ``get`` made of one remote record. With problems, ``values`` holds the fields that could be translated."""

    values: Values
    problems: tuple[FieldProblem, ...]


@dataclass(frozen=True, slots=True)
class LensField:
    """What the engine needs to know of one canonical field of a mapping."""

    name: str
    direction: Direction
    strength: Strength
    position: Position
    remote: tuple[str, ...]
    """The remote paths it reads or writes (empty for a constant)."""
    ref: str | None = None
    """Entity referred to. ``get`` yields the *remote* reference key (what the remote record holds: an id or a number)
    as text and ``put`` takes one; the engine translates it to and from the hub's ids."""
    lines: LensLines | None = None


@dataclass(frozen=True, slots=True)
class LensLines:
    """The lines below a ``lines`` field."""

    key: str
    """Canonical field that tells lines apart."""
    fields: dict[str, LensField]
    keys: frozenset[str] | None = None
    """The only line keys this mapping knows (``addresses[billing]`` → ``{"billing"}``); None: all lines are its own."""


class Lens(Protocol):
    """A compiled mapping of one resource of one system. Pure and thread-safe."""

    entity: str
    resource: str
    file: str
    version: str
    """Hash of everything that decides what the mapping does; changes when the mapping changes."""
    match: tuple[tuple[str, ...], ...]
    """Rules for unlinked records: canonical fields that must all be equal and not blank."""
    fields: dict[str, LensField]
    remote_fields: tuple[str, ...]
    """Top-level remote fields to ask the connector for."""
    read_options: Record
    """The mapping's ``read:`` section, handed to the connector's reads."""
    write_options: Record
    """The mapping's ``write:`` section, handed to the connector's writes."""
    faithful: bool
    """Whether every value comes back exactly as it was sent: a record that shows what was put there, and nothing else
    that is mapped, shows just the values that were put."""

    def get(self, record: Record) -> Got:
        """Remote record → canonical values. Only fields with direction 'in' or 'both'. A remote field that is absent
        gives an absent canonical field. Never raises for bad data: problems are reported per field."""
        ...

    def get_many(self, records: Sequence[Record]) -> list[Got]:
        """As ``get``, for a page at a time: the fast path."""
        ...

    def put(self, values: Values, old: Record | None) -> Record:
        """Canonical values → remote fields. Only fields with direction 'out' or 'both' that are in ``values``.

        ``old`` is the remote record as last seen, None for a create: then constants and defaults are added too.
        Where one remote field holds several canonical ones, or a line has parts that aren't mapped, they are taken
        from ``old``. Lines are always the complete list, each line with the remote line's own id from ``old`` where the
        line is there already. Raises ``hub.errors.RecordRejected`` (field = canonical name) for a value that can't be
        expressed remotely (no entry in the value table, too long for the field …).
        """
        ...


@dataclass(slots=True)
class Problems:
    """Problems found while reading a file; empty means the file is right."""

    items: list[Problem] = field(default_factory=list)
