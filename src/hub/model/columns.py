"""Column types of the canonical tables, and the words in which the entity files declare their fields.

The tables are views of the hub's records (``hub.store.views``), whose values are canonical text (``"12.5"``,
``"2026-01-15"``); reading gives typed values. On PostgreSQL amounts are ``numeric`` without a limit, dates ``date``,
instants ``timestamptz``. SQLite has none of these: there amounts are exact text (write ``CAST(total AS NUMERIC)`` to
compare or sum them in SQL), dates and instants ISO text, which sorts and compares as it should.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Dialect,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

from hub.model import forms
from hub.model.spec import TypeName

metadata = MetaData()
"""All canonical tables."""


class _Written(TypeDecorator[Any]):
    """A type whose canonical form is text: native on PostgreSQL, text elsewhere."""

    impl = Text
    cache_ok = True
    native: type[TypeEngine[Any]] = Text
    type_name: TypeName = "text"

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(self._native() if dialect.name == "postgresql" else Text())

    def _native(self) -> TypeEngine[Any]:
        return self.native()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None or value.__class__ is str:
            return value
        return forms.FORMS[self.type_name](value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return forms.typed(self.type_name, value) if value.__class__ is str else value


class Exact(_Written):
    """An exact decimal of any size: ``numeric`` on PostgreSQL, text elsewhere; reads as ``Decimal``."""

    native = Numeric
    type_name = "decimal"
    cache_ok = True


class Day(_Written):
    """A calendar date; reads as ``date``."""

    native = Date
    type_name = "date"
    cache_ok = True


class Instant(_Written):
    """A moment in UTC; reads as an aware ``datetime``."""

    native = DateTime
    type_name = "instant"
    cache_ok = True

    def _native(self) -> TypeEngine[Any]:
        return DateTime(timezone=True)


Extra = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""Fields that a project declares: an object of canonical values."""

COLUMN_TYPES: dict[TypeName, Any] = {
    "integer": BigInteger,
    "decimal": Exact,
    "money": Exact,
    "rate": Exact,
    "boolean": Boolean,
    "date": Day,
    "instant": Instant,
}
"""Column type of each canonical type; all others are text."""


class Head(SQLModel):
    """What every record's table has beside its fields."""

    metadata = metadata

    hub_id: str = Field(primary_key=True, sa_type=Text, description="The hub's id of the record, for ever the same.")
    created_at: dt.datetime | None = Field(default=None, sa_type=Instant, description="When the hub first knew it.")
    updated_at: dt.datetime | None = Field(default=None, sa_type=Instant, description="When the hub last changed it.")
    extra: dict[str, Any] | None = Field(default=None, sa_type=Extra, description="Fields the project declares.")  # type: ignore[call-overload]


class Line(SQLModel):
    """What every table of lines has beside its fields and its parent's id."""

    metadata = metadata

    position: int = Field(primary_key=True, description="Place of the line in its record, from 1.")
    extra: dict[str, Any] | None = Field(default=None, sa_type=Extra, description="Fields the project declares.")  # type: ignore[call-overload]


def _field(type: TypeName, description: str, **info: Any) -> Any:
    # No indexes beside the keys: every pass would pay for what few queries need; whoever does can add them.
    return Field(
        default=None,
        nullable=True,
        sa_type=COLUMN_TYPES.get(type, Text),
        sa_column_kwargs={"info": {"type": type, "description": description, **info}, "comment": description},
        description=description,
    )


def text(description: str, *, max_length: int | None = None) -> Any:
    return _field("text", description, max_length=max_length)


def longtext(description: str) -> Any:
    return _field("longtext", description)


def integer(description: str) -> Any:
    return _field("integer", description)


def decimal(description: str) -> Any:
    return _field("decimal", description)


def money(description: str) -> Any:
    return _field("money", description)


def rate(description: str) -> Any:
    return _field("rate", description)


def boolean(description: str) -> Any:
    return _field("boolean", description)


def date(description: str) -> Any:
    return _field("date", description)


def instant(description: str) -> Any:
    return _field("instant", description)


def choice(*choices: str, description: str) -> Any:
    return _field("enum", description, choices=choices)


def currency(description: str = "ISO 4217 code.") -> Any:
    return _field("currency", description)


def country(description: str = "ISO 3166-1 alpha-2 code.") -> Any:
    return _field("country", description)


def phone(description: str) -> Any:
    return _field("phone", description)


def email(description: str) -> Any:
    return _field("email", description)


def tax_id(description: str) -> Any:
    return _field("tax_id", description)


def ref(entity: str, description: str) -> Any:
    """A column named ``<field>_id`` that holds another record's ``hub_id``; the canonical field is ``<field>``."""
    return _field("ref", description, ref=entity)


def parent() -> Any:
    """First part of a line's primary key: the ``hub_id`` of the record it belongs to."""
    return Field(primary_key=True, sa_type=Text, description="The record's hub_id.")


def key_of_lines(parent_column: str) -> tuple[PrimaryKeyConstraint]:
    """``__table_args__`` of a table of lines: the record first, so that all its lines are found by the key's index."""
    return (PrimaryKeyConstraint(parent_column, "position"),)


Amount = Decimal | None
"""Annotation of amounts, quantities and rates."""
