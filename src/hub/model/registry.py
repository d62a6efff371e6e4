"""Reads the specs off the table classes: the classes are the only place where a field is declared."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Table
from sqlmodel import SQLModel

from hub.model.columns import Head
from hub.model.contact import Contact
from hub.model.customer import Customer
from hub.model.invoice import Invoice
from hub.model.order import Order
from hub.model.product import Product
from hub.model.spec import EntitySpec, FieldSpec

CLASSES: dict[str, type[Head]] = {
    "customer": Customer,
    "contact": Contact,
    "product": Product,
    "order": Order,
    "invoice": Invoice,
}
"""Class of each bundled entity, referred-to ones first."""


def table(cls: type[SQLModel]) -> Table:
    """The table behind a class."""
    found: Table = cls.__table__  # type: ignore[attr-defined]
    return found


def line_classes(cls: type[SQLModel]) -> dict[str, tuple[type[SQLModel], str, str]]:
    """Lines field → (class of the lines, their key, description)."""
    found: dict[str, tuple[type[SQLModel], str, str]] = getattr(cls, "lines_of", {})
    return found


@lru_cache(maxsize=1)
def specs() -> dict[str, EntitySpec]:
    """The bundled entities by name."""
    return {name: _entity(name, cls) for name, cls in CLASSES.items()}


def _entity(name: str, cls: type[Head]) -> EntitySpec:
    fields = _fields(cls)
    for field, (lines, key, description) in line_classes(cls).items():
        below = EntitySpec(f"{name}.{field}", _fields(lines), key=key, title=(key,), description=_summary(lines))
        fields[field] = FieldSpec(field, "lines", description, lines=below)
    title: tuple[str, ...] = getattr(cls, "title_of", ("number", "name"))
    return EntitySpec(name, fields, title=title, description=_summary(cls))


def _fields(cls: type[SQLModel]) -> dict[str, FieldSpec]:
    made = [_field(column) for column in table(cls).columns if column.info]
    return {field.name: field for field in made}


def _field(column: Column[Any]) -> FieldSpec:
    info = column.info
    name = column.name.removesuffix("_id") if info["type"] == "ref" else column.name
    return FieldSpec(
        name,
        info["type"],
        info["description"],
        choices=tuple(info.get("choices", ())),
        ref=info.get("ref"),
        max_length=info.get("max_length"),
    )


def _summary(cls: type[SQLModel]) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]
