"""Comparing a record's value with one written in a query: shared by COQL and search."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from .records import Records
from .tables import Row

NUMBERS = frozenset({"integer", "double", "currency", "percent", "bigint", "formula"})
TEXTS = frozenset({"text", "email", "phone", "website", "textarea"})
LOOKUPS = frozenset({"lookup", "ownerlookup", "userlookup"})
_SYSTEM: dict[str, Callable[[Row], Any]] = {
    "id": lambda row: row.id,
    "Parent_Id": lambda row: row.parent or None,
    "Created_Time": lambda row: row.created,
    "Modified_Time": lambda row: row.modified,
    "Created_By": lambda row: int(row.created_by),
    "Modified_By": lambda row: int(row.modified_by),
}


class BadValue(Exception):
    """A literal that does not fit its column."""


def comparable(
    records: Records, module: str, name: str
) -> tuple[Callable[[Row], Any], Callable[[Any], Any], str] | None:
    """How to read a field of a row for comparing, how to read a literal, and the field's type; None if unknown."""
    meta = records.org.field_of(module, name)
    if meta is None or (module, name) in records.org.hidden or meta["data_type"] in ("subform", "linetax"):
        return None
    kind = str(meta["data_type"])
    if name in ("id", "Parent_Id") or kind in LOOKUPS:
        read = _SYSTEM.get(name, lambda row: int(row.values[name]) if row.values.get(name) else None)
        return read, _id, "lookup"
    if kind == "datetime":
        return _SYSTEM.get(name, lambda row: row.values.get(name)), _moment, kind
    if kind in NUMBERS:
        return lambda row: _number(row.values[name]) if row.values.get(name) is not None else None, _number, kind
    if kind == "boolean":
        return lambda row: bool(row.values.get(name)), _boolean, kind
    if kind == "date":
        return lambda row: row.values.get(name), str, kind
    return lambda row: _fold(row.values.get(name)), _fold, kind


def like(pattern: str) -> Callable[[Any], bool]:
    """SQL's ``like`` with ``%`` at the ends or in between, whatever the case."""
    compiled = re.compile(".*".join(map(re.escape, pattern.casefold().split("%"))), re.DOTALL)
    return lambda value: value is not None and compiled.fullmatch(str(value)) is not None


def _fold(value: Any) -> Any:
    return str(value).casefold() if value is not None else None


def _id(literal: Any) -> int:
    try:
        return int(str(literal))
    except ValueError:
        raise BadValue from None


def _moment(literal: Any) -> datetime:
    try:
        found = datetime.fromisoformat(str(literal))
    except ValueError:
        raise BadValue from None
    if found.tzinfo is None:
        raise BadValue
    return found.astimezone(UTC)


def _number(literal: Any) -> Decimal:
    try:
        return Decimal(str(literal))
    except InvalidOperation:
        raise BadValue from None


def _boolean(literal: Any) -> bool:
    if str(literal).lower() not in ("true", "false"):
        raise BadValue
    return str(literal).lower() == "true"
