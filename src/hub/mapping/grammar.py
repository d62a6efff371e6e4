"""The grammar of a mapping file, as pydantic models; ``hub.mapping.schema`` makes the JSON Schema of them.

The models know the shape only. Names, types and operators are checked by ``hub.mapping.build``, which knows the
canonical model, the resource and the operators.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Tag
from pydantic import Field as Key

VERSION = 2
"""Of the language; earlier ones are in ``hub.mapping.migrations``."""

Scalar = str | int | bool | Decimal | None
Direction = Literal["both", "in", "out"]
Strength = Literal["weak", "normal", "strong"]


class Part(BaseModel):
    """Base of all parts: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _kind(value: Any) -> str:
    return "rule" if isinstance(value, (dict, FieldRule)) else "path"


class FieldRule(Part):
    """How one canonical field and one (or several) remote fields are tied together."""

    field: str | list[str] | None = Key(
        None, description="Path of the remote field (`FCustId.FNumber`, `Line_Tax[0].percentage`), or a list of them."
    )
    via: str | dict[str, Any] | list[str | dict[str, Any]] | None = Key(
        None, description="Operators from the remote value to the canonical one: a name, {name: arguments}, or a list."
    )
    values: dict[Scalar, Scalar | list[Scalar]] | None = Key(
        None, description="Value table, canonical: remote. Of a list the first is written. `*` stands for all others."
    )
    ref: str | None = Key(
        None, description="Entity that the field refers to; the hub translates ids through its links."
    )
    direction: Direction | None = Key(
        None, description="`both` (default), `in`: only read from the system, `out`: only written to it."
    )
    strength: Strength = Key(
        "normal", description="`weak` fills blanks, `normal` follows changes, `strong` enforces the hub's value."
    )
    constant: Scalar = Key(
        None,
        description="A fixed value that is written into `field` when a record is created. Nothing is read.",
    )
    always: Scalar = Key(
        None,
        description="A fixed canonical value that every record of this system has. No `field`, nothing is written.",
    )
    default: Scalar = Key(None, description="Canonical value written on create when the hub has none.")
    assume: Scalar = Key(None, description="Canonical value that a blank remote field stands for.")
    required: bool = Key(False, description="A record without a value here is not written (it becomes a dead letter).")
    blank: Literal["clear", "ignore"] = Key(
        "clear", description="What a blank remote value means: the field was cleared, or it says nothing."
    )
    null_as: Scalar = Key(None, description="What is written where the hub's value is null, e.g. an empty text.")
    clear: Literal["parent", "member"] | None = Key(
        None,
        description='What clearing `A.B` writes: `parent` {"A": null} (as references do), `member` {"A": {"B": null}}.',
    )
    position: bool = Key(False, description="Lines only: the field is the line's place in the remote list, from 1.")
    key: str | None = Key(None, description="Lines only: the canonical field that tells lines apart.")
    same: str | list[str] | None = Key(
        None, description="Lines only: canonical fields by which lines are recognised when the system renumbered them."
    )
    fields: dict[str, FieldEntry] | None = Key(
        None, description="The fields of each line, or of one line chosen by its key (`addresses[billing]`)."
    )
    description: str | None = Key(None, description="For people.")


FieldEntry = Annotated[Annotated[str, Tag("path")] | Annotated[FieldRule, Tag("rule")], Discriminator(_kind)]


class MappingFile(Part):
    """One file ties one resource of one product to one canonical entity, for both directions."""

    version: Literal[2] = Key(description="Version of this grammar; `hub migrate` rewrites a file of an earlier one.")
    resource: str = Key(min_length=1, description="The remote collection: a module, a form, a table.")
    entity: str = Key(min_length=1, description="The canonical entity: customer, product, order …")
    match: list[str | list[str]] = Key(
        default_factory=list,
        description="Rules for records without a link: fields that must be equal; the first rule with one hit wins.",
    )
    fields: dict[str, FieldEntry] = Key(min_length=1, description="canonical field: remote field")
    read: dict[str, Any] = Key(default_factory=dict, description="Options for the connector's reads.")
    write: dict[str, Any] = Key(default_factory=dict, description="Options for the connector's writes.")
    description: str | None = Key(None, description="For people.")


FieldRule.model_rebuild()
MappingFile.model_rebuild()
