"""What a connector can do: one small interface a capability; the engine asks with ``isinstance`` which are there.

A remote record is a plain ``dict`` shaped as the product's API shapes it (dotted paths in mappings walk it), with
JSON types only, except that every number with a fraction is a ``Decimal``. Dates and instants stay the text that the
system sent: translating them is the mapping's job.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from hub.errors import HubError

Record = dict[str, Any]

FieldType = Literal[
    "text", "integer", "decimal", "boolean", "date", "datetime",
    "choice", "choices", "reference", "lines", "object", "any",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a resource, as the live system describes it. ``name`` is the path used in mappings."""

    name: str
    type: FieldType = "any"
    label: str = ""
    required: bool = False
    read_only: bool = False
    unique: bool = False
    max_length: int | None = None
    scale: int | None = None
    choices: tuple[str, ...] = ()
    reference: str | None = None
    """Resource that a reference points at."""
    fields: tuple[Field, ...] = ()
    """Fields of a line (``type='lines'``) or members of an object or reference (``Account_Name`` → ``id``, …)."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One collection of a system and what holds for it."""

    name: str
    label: str = ""
    fields: tuple[Field, ...] = ()
    id_field: str = "id"
    line_ids: dict[str, str] = field(default_factory=dict)
    """Lines field → name of the line's own id in it (``{"Ordered_Items": "id"}``); empty where lines have none."""
    writable: bool = True
    batch: int = 100
    """Records a write call takes at most."""
    parallel: int = 4
    """Write calls that may be under way at once."""
    probe: Literal["external", "natural", "none"] = "none"
    """How a create with a lost answer is found again: by the hub's key, by a natural key, or not at all."""
    deletes: Literal["tombstones", "listing", "none"] = "listing"
    """How deletions become visible: in the change feed, only by a complete listing, or never."""
    archive: bool = False
    """Whether ``Delete`` with mode 'archive' is offered (deactivate instead of remove)."""


@dataclass(slots=True)
class Remote:
    """One sighting of a remote record."""

    id: str
    record: Record | None
    """None when ``deleted``."""
    version: str | None = None
    """What the system offers against stale writes (Modified_Time, row version …); opaque to the engine."""
    modified_at: str | None = None
    """When it last changed, ISO 8601 in UTC ending in ``Z``; None when the system doesn't say."""
    modified_by: str | None = None
    ref: str | None = None
    """How other records of the same system refer to this one, when that is not ``id`` (Kingdee: FNumber)."""
    key: str | None = None
    """The hub's own key found in the record's external-id field, if the system carries one."""
    deleted: bool = False


@dataclass(slots=True)
class Page:
    """One page of a change feed. Stored together with ``cursor`` in one transaction."""

    records: list[Remote]
    cursor: str | None
    """Where to resume after this page; None: resuming is not possible here, keep the earlier cursor."""
    complete: bool = False
    """True on the last page when this feed was a complete, successful listing of all live records."""


@dataclass(slots=True)
class Write:
    """One record to write, in the product's own field names."""

    key: str
    """The hub's id of the canonical record: what goes into the system's external-id field on create."""
    values: Record
    """Create: the whole record. Update: only what changes. A lines field is always the complete wanted list, each
    line with its own id where the remote line exists already; the connector removes the others, and never doubles."""
    id: str | None = None
    """Remote id; None means create."""
    version: str | None = None
    """The version this write was planned from; the connector refuses (``VersionConflict``) when the remote moved on."""
    old: Record | None = None
    """The remote record as last seen (mapped fields only)."""
    mode: Literal["delete", "archive"] = "delete"
    """For ``Delete`` only."""


@dataclass(slots=True)
class Result:
    """What became of one ``Write``, in the order of the writes: exactly one of the two is set."""

    remote: Remote | None = None
    """The record as the system now has it, read back: id, version and every asked field. ``record`` may be None when
    reading back was not possible; the engine then observes it again."""
    error: HubError | None = None
    attempts: int = 1
    problem: HubError | None = None
    """Set beside ``remote``: the record is written and must not be written again, but a later step failed (an ERP's
    submit or audit). For a person to know; the next update of the record takes the step up again."""


@dataclass(frozen=True, slots=True)
class Health:
    """Answer of ``check``: who we are there, what we may do, what is left of the limits."""

    identity: str
    details: dict[str, str] = field(default_factory=dict)
    limits: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@runtime_checkable
class Connector(Protocol):
    """What every connector has."""

    name: str

    def check(self) -> Health: ...

    def describe(self, resource: str | None = None) -> list[Resource]:
        """The live system's resources with their fields. Raises ConfigurationError for an unknown resource."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class ListChanges(Protocol):
    def list_changes(self, resource: str, cursor: str | None, fields: Sequence[str], options: Record) -> Iterator[Page]:
        """Pages of what changed since ``cursor`` (None: everything, oldest change first where the system can sort).

        ``fields`` are top-level names the mapping reads (a lines field included: the connector fetches lines where
        lists omit them). A record may come again (overlap, ties): the engine drops equal sightings. Deletions come as
        ``Remote(deleted=True)`` where the system shows them. A cursor that the system can't honour (from the future,
        expired) falls back to an earlier one, never silently to 'now'. Raises the errors of ``hub.errors``; pages
        already yielded stay valid. ``options`` is the ``read:`` section of the mapping.
        """
        ...


class Part(NamedTuple):
    """One part of a resource: ``number`` 1 … ``of``. Each record is in exactly one of them, decided by its key alone,
    and stays there. As text ``2/4``."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@runtime_checkable
class ListParts(Protocol):
    """For resources of which a part can be listed without the rest, so that several processes read one together."""

    def has_parts(self, resource: str, options: Record) -> bool:
        """Whether it can be read in parts. Asks no system."""
        ...

    def list_part(
        self, resource: str, part: Part, cursor: str | None, fields: Sequence[str], options: Record
    ) -> Iterator[Page]:
        """As ``list_changes``, of one part. A cursor of the whole resource will do for each of its parts: it says how
        far everything was read. ``Page.complete``: all live records of this part were shown."""
        ...


@runtime_checkable
class ListIds(Protocol):
    def list_ids(self, resource: str, options: Record) -> Iterator[list[str]]:
        """Ids of all live records, to find deletions. Raises rather than ending early."""
        ...


@runtime_checkable
class Get(Protocol):
    def get(self, resource: str, ids: Sequence[str], fields: Sequence[str], options: Record) -> list[Remote]:
        """These records now; an id that does not exist comes back with ``deleted=True``."""
        ...


@runtime_checkable
class Create(Protocol):
    def create(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        """Create records, storing ``Write.key`` in the external-id field if there is one.

        At most ``Resource.batch`` writes. Never repeats a request whose outcome is unknown unless the system makes it
        safe (upsert by the hub's key). Returns a result a write, read back with ``fields``. A failure of the whole
        request is raised: ``UnknownOutcome`` when it may have been carried out, else any other of ``hub.errors``.
        ``options`` is the ``write:`` section of the mapping.
        """
        ...


@runtime_checkable
class Update(Protocol):
    def update(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        """Change the given fields of existing records, refusing stale writes. Otherwise as ``create``."""
        ...


@runtime_checkable
class Delete(Protocol):
    def delete(self, resource: str, writes: Sequence[Write], options: Record) -> list[Result]:
        """Remove records (or archive them, by ``Write.mode``). A record already gone is a success."""
        ...


@runtime_checkable
class Probe(Protocol):
    def probe(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record
    ) -> list[Remote | None]:
        """Was this create carried out? Looked up by the hub's key, else by the natural key, never through a search
        index that lags. None: certainly not there. Raises when the system can't say."""
        ...


@runtime_checkable
class Finish(Protocol):
    def finish(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        """Bring writes that were cut in two to their end: for systems where one write is several calls (an ERP's save,
        submit and audit), of which a crash or a lost answer may have left the first ones done.

        Each write has the ``id`` of a record that is there. ``version`` None: its create was cut; else it was an
        update (``values``) or a delete (no values) planned from that version, and a record that the write had opened
        gets back to the state it had. Saves nothing, and does nothing to a record that is where it should be. Returns
        a result a write, read back with ``fields``; with ``problem`` where the system refused a step. Raises what a
        whole call raises: the writes stay in doubt and are taken up again later.
        """
        ...


@dataclass(frozen=True, slots=True)
class Cost:
    """What some work takes: calls, and how much of the account's day, in its own unit (credits; else calls)."""

    calls: int = 0
    units: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.calls + other.calls, self.units + other.units)

    def times(self, number: int) -> Cost:
        """So many times that."""
        return Cost(self.calls * number, self.units * number)


@dataclass(frozen=True, slots=True)
class Reading:
    """One resource to be read, as ``ListChanges`` would."""

    cursor: str | None
    """None: everything."""
    records: int
    """How many the hub expects to see: of everything those that it knows, else those that changed."""
    fields: Sequence[str]
    options: Record


@dataclass(frozen=True, slots=True)
class Writing:
    """One call of ``create``, ``update`` or ``delete``."""

    action: Literal["create", "update", "delete", "archive"]
    records: int
    fields: Sequence[str]
    """What is read back."""
    options: Record
    with_lines: int = 0
    """Records of which lines are written."""
    lines: int = 0
    """Lines written in all."""
    shapes: int = 1
    """How many different sets of fields are written."""
    first: bool = False
    """The first batch of the resource in its pass: a connector may have to ask for what it looks like."""


@runtime_checkable
class Costs(Protocol):
    """Foretells what work will take. Asks nobody; exact as long as nothing goes wrong and nobody else writes."""

    def read_cost(self, resource: str, reading: Reading) -> Cost: ...

    def ids_cost(self, resource: str, records: int, options: Record) -> Cost:
        """``list_ids`` over so many records."""
        ...

    def write_cost(self, resource: str, writing: Writing) -> Cost: ...


@runtime_checkable
class Subscribe(Protocol):
    def subscribe(self, resource: str, callback_url: str, secret: str) -> str | None:
        """Ask for change notifications; returns when they expire (ISO 8601), None for never."""
        ...

    def hints(self, headers: dict[str, str], body: bytes, secret: str) -> list[tuple[str, str]]:
        """Check a notification and return (resource, id) hints; raises AuthenticationError when it is forged."""
        ...


@runtime_checkable
class Unsubscribe(Protocol):
    def unsubscribe(self, resource: str, callback_url: str) -> None:
        """End what ``subscribe`` asked for with this address. One that has ended already is a success."""
        ...
