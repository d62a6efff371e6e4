"""What an operator is: a pair of functions with a declared canonical form, and arguments that are checked.

``get`` turns what the remote field holds into the canonical value, ``put`` turns it back. Both are handed a value
that is there: null and blank text never reach an operator (except one that asks for null with ``null = True``).
Both raise ``ValueError`` with a sentence for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from hub.connect.capabilities import Field, FieldType
from hub.mapping.lens import Position
from hub.model.spec import FieldSpec, TypeName


class FitError(Exception):
    """Something in a mapping that doesn't suit its place; ``cure`` says what would.

    It never leaves ``hub.mapping``: whoever knows the place makes a ``Problem`` of it. ``position`` is set where the
    raiser knows better.
    """

    def __init__(self, message: str, cure: str = "", *, position: Position | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.position = position
        self.operator: int | None = None
        """Index in the chain of the operator that doesn't suit."""


class Args(BaseModel):
    """Arguments of an operator; the names and descriptions go into the JSON Schema."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operator stands: the canonical field, and the remote field when the resource's schema is known."""

    spec: FieldSpec | None
    remote: Field | None
    direction: str = "both"


TEXTS: frozenset[FieldType] = frozenset({"text", "choice", "any"})
WRITABLE_AS_TEXT: frozenset[FieldType] = TEXTS | {"integer", "decimal"}
NUMBERS: frozenset[FieldType] = frozenset({"integer", "decimal", "text", "any"})


class Operator:
    """Base of all operators. An instance is immutable and belongs to one place in one mapping."""

    name: ClassVar[str]
    Args: ClassVar[type[Args]] = Args
    shorthand: ClassVar[str | None] = None
    """The argument that ``{name: value}`` with a plain value sets."""
    takes: ClassVar[frozenset[FieldType]] = WRITABLE_AS_TEXT
    """Types of remote field (or of the previous operator) it can read and write."""
    gives: ClassVar[FieldType] = "text"
    """Type of what ``get`` makes of it."""
    only_for: ClassVar[frozenset[TypeName] | None] = None
    """Canonical types it may be the last operator of; None: every type that takes what it gives."""
    several: ClassVar[bool] = False
    """``get`` takes a list of values, one for each of several remote fields; ``put`` gives such a list."""
    complement: ClassVar[bool] = False
    """``put`` needs the old remote value, because the canonical value is only a part of it."""
    null: ClassVar[bool] = False
    """``get`` and ``put`` want to see null too."""
    alike: ClassVar[bool] = False
    """What is written is the canonical form itself: ``put(c) == form(c)``."""
    siblings: tuple[str, ...] = ()
    """Canonical fields of the same record (or line) that it looks at; it then has ``get_beside`` and ``put_beside``."""

    def __init__(self, args: Any) -> None:
        self.args = args

    def fit(self, place: Place) -> None:
        """Adapt to the place, or raise FitError. Called once, after construction."""

    def direct(self) -> Callable[[Any], Any] | None:
        """A plain function that does what ``get`` does, and takes blank text too; None when there is none."""
        return None

    def straight(self) -> bool:
        """Whether ``put`` writes a canonical text exactly as it is."""
        return False

    def form(self, value: Any) -> Any:
        """The operator's canonical form: what a canonical value comes back as when it was written and read.

        Most operators bring everything back as it went (the value itself). What one evens out (case, decimals, white
        space) or cuts off by declaration it says here, in its own words and not by way of ``get`` and ``put``: the laws
        (``hub.mapping.laws``) hold those two to it.
        """
        return value

    def words(self) -> Iterable[Any]:
        """Canonical values that its arguments name: the laws try them all."""
        return ()

    def get(self, value: Any) -> Any:
        """Remote → canonical."""
        raise NotImplementedError

    def put(self, value: Any, old: Any = None) -> Any:
        """Canonical → remote. ``old`` is given to operators with ``complement`` only."""
        raise NotImplementedError
