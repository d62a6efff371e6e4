"""What a pass tells: events while it runs, a report at its end. Plain values; whoever wants them subscribes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec

State = Literal["done", "needs_person", "failed"]


@dataclass(slots=True)
class Counts:
    """What happened to one entity in one system during a pass."""

    system: str
    entity: str
    seen: int = 0
    """Records the system showed us."""
    changed: int = 0
    """… that differed from what we knew."""
    new: int = 0
    """… that were not linked before and became new canonical records."""
    matched: int = 0
    """… that were linked by the mapping's match rules."""
    gone: int = 0
    """… found deleted."""
    created: int = 0
    updated: int = 0
    deleted: int = 0
    archived: int = 0
    refused: int = 0
    """Edits of fields that another system owns, taken back."""
    conflicts: int = 0
    letters: int = 0
    waiting: int = 0
    """Records held back because something they refer to is not there yet."""


@dataclass(slots=True)
class Finding:
    """Something a person should know: totals that don't add up, an ambiguous match, drift …"""

    kind: str
    entity: str
    record: str
    message: str
    system: str = ""


@dataclass(slots=True)
class SystemFailure:
    """A system, or one of its resources, that could not take part in this pass."""

    system: str
    entity: str
    error: str
    """Class name from ``hub.errors``."""
    message: str


@dataclass(slots=True)
class PlannedWrite:
    """One write of a plan, as people and ``hub plan --json`` see it."""

    system: str
    resource: str
    entity: str
    hub_id: str
    record: str
    """Remote id; empty for a create."""
    title: str
    action: Literal["create", "update", "delete", "archive"]
    fields: dict[str, list[Any]]
    """Canonical field path → [old, new]."""
    because: str


@dataclass(slots=True)
class Held:
    """One write that is not made, and what it waits for."""

    system: str
    entity: str
    hub_id: str
    title: str
    reason: str
    """``reference``, ``conflict``, ``letter``, ``budget``, ``first_sync``, ``waiting``, ``unproven`` …"""
    detail: str
    writes: int = 1
    """How many writes this stands for (a budget holds many at once)."""


@dataclass(slots=True)
class Plan:
    """The complete list of writes, computed from an exact state."""

    id: str
    state: str
    """Fingerprint of the state it was computed from."""
    at: str
    writes: list[PlannedWrite] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    more: int = 0
    """Writes beyond those listed (the report of a large sync names the first few hundred; a plan names all)."""
    matched: list[dict[str, Any]] = field(default_factory=list)
    """First sync only: per system, how many records were matched by which rule, and how many stand alone."""
    census: list[dict[str, Any]] = field(default_factory=list)
    """First sync only: per system and field, how many matched records differ, with samples."""


@dataclass(slots=True)
class SystemCost:
    """What a pass takes of one system's account, foretold and made. Units are the account's: credits, else calls."""

    system: str
    unit: str = "calls"
    reading: list[int] = field(default_factory=lambda: [0, 0])
    """[calls, units] that reading takes, as foretold."""
    writing: list[int] = field(default_factory=lambda: [0, 0])
    """[calls, units] that the writes take, with what is read before and after each."""
    made: list[int] = field(default_factory=lambda: [0, 0])
    """[calls, units] that this process has made since the pass began."""
    used: int = 0
    """Units that all of the hub has used of the day."""
    per_day: int | None = None
    left: int | None = None
    """Units left of the day; None: nobody knows."""
    kept: int = 0
    """Of these, kept for urgent work."""
    by_vendor: bool = False
    """Whether the vendor said what is left; else the hub counted."""
    more_in: float = 0.0
    """Seconds until some of the day's units come back."""

    @property
    def units(self) -> int:
        """Foretold, in all."""
        return self.reading[1] + self.writing[1]

    @property
    def fits(self) -> bool:
        """Whether that is left, without what is kept."""
        return self.left is None or self.units <= max(0, self.left - self.kept)


@dataclass(slots=True)
class PassReport:
    """What one pass did."""

    run: str
    kind: Literal["sync", "plan", "apply", "replay", "reconcile", "undo", "merge", "hints"]
    started: str
    finished: str = ""
    state: State = "done"
    message: str = ""
    """One line for people: "12 customers written, 1 conflict"."""
    counts: list[Counts] = field(default_factory=list)
    failures: list[SystemFailure] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    more_findings: int = 0
    """Findings beyond those listed."""
    plan: Plan | None = None
    """What was planned (and, unless ``kind`` is 'plan' or it was held, written)."""
    open_conflicts: int = 0
    open_letters: int = 0
    rounds: int = 0
    comparison: list[dict[str, Any]] = field(default_factory=list)
    """Of ``reconcile``: per entity, what the hub holds against what each system shows; after a repair, what is left."""
    costs: list[SystemCost] = field(default_factory=list)
    """What it takes of accounts whose use is counted; systems without such an account (databases) are missing."""
    spread: dict[str, str] = field(default_factory=dict)
    """System → why the rest of its work is left to later passes: the day's limit. Nothing is lost."""

    def as_dict(self) -> dict[str, Any]:
        made: dict[str, Any] = msgspec.to_builtins(self)
        return made

    @property
    def differences(self) -> int:
        """Differences found by ``reconcile`` that the next pass would write."""
        return sum(
            system["missing"] + system["left_over"] + sum(row["open"] for row in system["fields"])
            for one in self.comparison
            for system in one["systems"]
        )

    @property
    def happened(self) -> bool:
        """Whether anything came of it: something seen that was news, written, or worth a person's look."""
        told = (c.changed + c.gone + c.refused + c.conflicts + c.letters + c.waiting for c in self.counts)
        return bool(self.writes or self.failures or self.findings or any(told))

    @property
    def writes(self) -> int:
        return sum(c.created + c.updated + c.deleted + c.archived for c in self.counts)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened during a pass.

    ``name`` is one of: ``pass.started`` (entities, systems, mode), ``page.observed`` (system, entity, resource, seen,
    changed), ``system.failed`` (system, entity, error, message), ``plan.made`` (plan, writes, held),
    ``batch.written`` (system, entity, resource, ok, failed), ``conflict.found`` (entity, record, field, values),
    ``letter.written`` (system, entity, record, field, message), ``budget.held`` (system, entity, writes, allowed),
    ``quota.short`` (system, message: the pass takes more than the day has left), ``quota.spread`` (system, entity,
    message: the rest is left to later passes), ``pass.finished`` (state, message).
    """

    name: str
    run: str
    data: dict[str, Any]


class Observer(Protocol):
    """Whoever wants to hear of it: logs, progress bars, Prefect artifacts, metrics. Must not raise."""

    def __call__(self, event: Event) -> None: ...


def silent(event: Event) -> None:
    """The observer of those who want none."""
