"""What a connector declares so that the suite can try it: which resources, and how a valid record of each looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from hub.connect.capabilities import Record

if TYPE_CHECKING:
    from hub.connect.contract.worlds import World
    from hub.connect.registry import ConnectorEntry


Kind = Literal["read", "write", "other"]
Kinds = Callable[[str, str, bytes], Kind]
"""(method, path, body) → what the request does there."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One resource, in one way of using it. Names are the product's own."""

    resource: str
    new: Callable[..., Record] | None = None
    """``(word, **given)`` → a whole record that the product accepts, different for each word (twelve letters and
    digits). None: the connector doesn't write this resource."""
    given: dict[str, tuple[str, Callable[[str], Record]]] = field(default_factory=dict)
    """What must be there first: name → (resource, word → record). Each is created once, and ``new`` is handed what
    others refer to it by (its ``ref``, else its id)."""
    text: str = ""
    """A text field that may hold anything: edits go there, and rules of case, blanks and length are tried on it."""
    amount: str = ""
    """A field with decimals; empty: there is none."""
    unique: str = ""
    """A text field of ``new`` in which the product allows no value twice; empty: there is none."""
    refused: Record = field(default_factory=dict)
    """What, put over a valid record, makes the product refuse it."""
    settings: Record = field(default_factory=dict)
    """Settings of the connector for this trial (without the field for the hub's key, for example)."""
    read: Record = field(default_factory=dict)
    """The ``read:`` section of a mapping, if needed."""
    write: Record = field(default_factory=dict)
    """The ``write:`` section of a mapping, if needed."""
    note: str = ""
    """What is special about this way (``without a key field``): part of the trial's name."""

    @property
    def name(self) -> str:
        return f"{self.resource} ({self.note})" if self.note else self.resource


@dataclass(frozen=True, slots=True)
class Contract:
    """What ``contract:`` in a manifest leads to."""

    trials: tuple[Trial, ...]
    sandbox: Record = field(default_factory=dict)
    """Options for ``create_sandbox``: small, so that trying is quick, and with at least a dozen of each record."""
    settings: Record = field(default_factory=dict)
    """Settings of the connector in every trial, beside the credentials."""
    pages: Record = field(default_factory=dict)
    """Settings that make pages as small as the connector allows: some rules need several of them."""
    address: str = ""
    """The setting that takes the sandbox's URL, where the credentials don't name it."""
    wrong_login: Record = field(default_factory=dict)
    """Settings that the product refuses as a log-in."""
    tables: dict[str, str] = field(default_factory=dict)
    """For trials on a server of the product: resource → what follows FROM in a query of the server's own database for
    its live records, so that they are counted without the connector."""
    kinds: Kinds | None = None
    """For such trials, where the HTTP method does not tell what a request does: (method, path, body) → read, write."""
    world: Callable[[ConnectorEntry, Record], World] | None = None
    """(entry, options of the command line) → where the connector is tried; without it: the connector's sandbox, or a
    server of the product that the options name."""
    live: Callable[[ConnectorEntry, Record], World] | None = None
    """(entry, a system's settings) → a world in that system, for products where the suite needs a place of its own;
    without it: the account as it is."""


ContractFunction = Callable[[], Contract]
Options = dict[str, Any]
