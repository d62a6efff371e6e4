"""JSON that tells what its values are: ``{"__class__": "Decimal", "decimal": "10"}``, ``date``, ``datetime``.

What a record holds stays plain: exact numbers, and moments as text (``capabilities``); instants without a zone are UTC.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.connect.capabilities import Record
from hub.errors import RecordRejected

TAG = "__class__"
_DATE = ("year", "month", "day")
_MOMENT = (*_DATE, "hour", "minute", "second", "microsecond")


def plain(value: Any) -> Any:
    """A value as a record holds it, at every depth."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    parts = {name: one for name, one in value.items() if name != TAG}
    match value.get(TAG):
        case "Decimal":
            return Decimal(parts["decimal"])
        case "date":
            return dt.date(**parts).isoformat()
        case "datetime":
            return dt.datetime(**parts).isoformat() + "Z"  # noqa: DTZ001
    return {name: plain(one) for name, one in parts.items()}


def moment(at: dt.datetime) -> Record:
    """An instant, in UTC."""
    return {TAG: "datetime", **{part: getattr(at.astimezone(dt.UTC), part) for part in _MOMENT}}


def typed(name: str, value: Any, kind: str) -> Any:
    """A record's value with its type told. ``kind``: ``numeric``, ``float``, ``integer``, ``many2one``, ``date``,
    ``datetime``, ``timestamp``; others go as they are, what is empty as null. Raises RecordRejected for a value that
    can't be one."""
    if value is None or value == "":
        return None
    try:
        match kind:
            case "numeric":
                return {TAG: "Decimal", "decimal": str(Decimal(value))}
            case "float":
                return Decimal(value)
            case "integer" | "many2one":
                return int(value)
            case "date":
                at = dt.date.fromisoformat(value)
                return {TAG: "date", **{part: getattr(at, part) for part in _DATE}}
            case "datetime" | "timestamp":
                return moment(dt.datetime.fromisoformat(value))
    except (ValueError, InvalidOperation, TypeError):
        raise RecordRejected(f"{value!r} is no {kind}", field=name) from None
    return value
