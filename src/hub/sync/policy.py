"""What the engine is told: which systems take part in which entity, and what to do when they disagree.

Plain values, built from ``hub.yaml`` by ``hub.project``; the engine itself reads no files.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hub.connect.capabilities import ListParts, Part, Resource
from hub.connect.quota import Quota
from hub.mapping.lens import Lens
from hub.model.spec import EntitySpec

Direction = Literal["both", "in", "out"]
Deletes = Literal["ignore", "archive", "propagate"]
Conflict = Literal["newest", "hold", "owner"] | tuple[str, ...]
"""``newest``: the later edit wins. ``hold``: a person decides. ``owner``: the canonical value stays (needs authority).
A tuple: the system named first wins."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A pass that would change or delete more than ``max(floor, share × records)`` of a system's records asks first."""

    floor: int = 50
    share: float = 0.10


@dataclass(frozen=True, slots=True)
class Retention:
    """How much history is kept: whichever of the two reaches back further."""

    days: int | None = 90
    """What happened so many days ago is told in full, and can be taken back. None: all of it, for ever."""
    keep_runs: int = 20
    """… and so does what happened since the last so many passes that wrote anything."""


@dataclass(frozen=True, slots=True)
class EntityPolicy:
    """How one entity is kept in agreement."""

    entity: str
    systems: dict[str, Direction]
    """In order of precedence: the first is observed first."""
    authority: dict[str, str] = field(default_factory=dict)
    """Canonical field → the system that owns it."""
    conflict: Conflict = "newest"
    field_conflict: dict[str, Conflict] = field(default_factory=dict)
    deletes: Deletes = "archive"
    budget: Budget = Budget()
    create: dict[str, bool] = field(default_factory=dict)
    """System → whether records may be created there (default True)."""
    unproven: list[str] = field(default_factory=list)
    """Systems where records are created even if a create with a lost answer can't be found again."""
    partitions: int = 1
    """Parts in which the entity's systems are read, and passes that may work on it together."""


@dataclass(slots=True)
class Endpoint:
    """One resource of one system, tied to one entity: everything the engine needs to observe and write it."""

    system: str
    entity: str
    direction: Direction
    lens: Lens
    resource: Resource
    connector: Any
    """An object with the capabilities of ``hub.connect.capabilities``."""
    sweep_every: int = 3600
    """Seconds between two listings of all ids, where deletions show in no other way."""
    unproven: str = ""
    """Why creates are held for a person here: nothing proves that a lost one would be found. Empty: they are made."""
    part: Part | None = None
    """Only this part of it is read."""

    def parts(self, partitions: int) -> list[Endpoint]:
        """This endpoint in so many parts; none where it can only be read as a whole."""
        connector, name = self.connector, self.resource.name
        if partitions < 2 or not isinstance(connector, ListParts):
            return []
        if not connector.has_parts(name, self.lens.read_options):
            return []
        return [replace(self, part=Part(number, partitions)) for number in range(1, partitions + 1)]


@dataclass(slots=True)
class Setup:
    """All the engine works on. ``entities`` are ordered so that what is referred to comes first."""

    specs: dict[str, EntitySpec]
    policies: dict[str, EntityPolicy]
    endpoints: list[Endpoint]
    retention: Retention = Retention()
    quota: Quota | None = None
    """What everybody shares who uses the same accounts; None: nobody counts."""

    def of_entity(self, entity: str) -> list[Endpoint]:
        """The endpoints of one entity, in the policy's order of systems."""
        order = list(self.policies[entity].systems)
        return sorted((e for e in self.endpoints if e.entity == entity), key=lambda e: order.index(e.system))
