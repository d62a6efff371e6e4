"""What an entity is made of: the types of canonical fields and the form their values take inside the engine.

Inside the engine a canonical record is a plain ``dict`` of JSON values. Each type has exactly one *canonical form*, so
that equality is ``==`` and a value can be stored, hashed and compared without being parsed:

| type       | canonical form                                                                    | typed view      |
|------------|-----------------------------------------------------------------------------------|-----------------|
| text       | ``str``, Unicode NFC, no white space at the ends; the empty text is ``None``       | ``str``         |
| longtext   | as text; line ends are ``\\n``                                                     | ``str``         |
| integer    | ``int``                                                                           | ``int``         |
| decimal    | ``str``: plain notation, no exponent, no trailing zeros, no ``-0`` (``"12.5"``)     | ``Decimal``     |
| money      | as decimal (an amount in the record's currency)                                   | ``Decimal``     |
| rate       | as decimal, in percent (13 % is ``"13"``)                                         | ``Decimal``     |
| boolean    | ``True`` / ``False``                                                              | ``bool``        |
| date       | ``"2026-01-15"``                                                                  | ``date``        |
| instant    | ``"2026-01-15T09:30:12Z"``, UTC, fractions of a second kept without trailing zeros  | ``datetime``    |
| enum       | one of ``FieldSpec.choices``                                                      | ``str``         |
| currency   | ISO 4217 code                                                                     | ``str``         |
| country    | ISO 3166-1 alpha-2 code                                                           | ``str``         |
| phone      | E.164 (``"+8613800000000"``), extension as ``;ext=12``                             | ``str``         |
| email      | the domain in lower case                                                          | ``str``         |
| tax_id     | upper case, no separators                                                         | ``str``         |
| ref        | the hub's id of another canonical record                                          | ``str``         |
| lines      | list of ``dict``, each with ``EntitySpec.key``, sorted by it                      | child tables    |

A field that is not in the dict is *absent* (nothing is known or was said); ``None`` is *null* (it was cleared).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TypeName = Literal[
    "text", "longtext", "integer", "decimal", "money", "rate", "boolean", "date", "instant", "enum", "currency",
    "country", "phone", "email", "tax_id", "ref", "lines",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One canonical field."""

    name: str
    type: TypeName
    description: str = ""
    choices: tuple[str, ...] = ()
    ref: str | None = None
    """Entity that a ``ref`` points at."""
    lines: EntitySpec | None = None
    """What each line of a ``lines`` field is made of; its ``key`` names the field that tells lines apart."""
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class EntitySpec:
    """One kind of canonical record (or of line)."""

    name: str
    fields: dict[str, FieldSpec] = field(default_factory=dict)
    key: str | None = None
    """Lines only: the field that tells lines apart (``line_no``, ``kind``)."""
    title: tuple[str, ...] = ("number", "name")
    """Fields that name a record to a person, first one present."""
    description: str = ""
