"""Checks one value against its field's metadata and brings it into the form it is stored in.

Stored forms: numbers as Decimal without trailing zeros (or int), datetimes aware in UTC with whole seconds, lookups and
owners as the id's text; the rest as it came. Limits are those of the vendor's page "Insert records" (types and
lengths); currency and double values are rounded half up to the field's decimal places.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Meta = dict[str, Any]

_PHONE = re.compile(r"^(?!.{31})\+?(?:[\d\s().;/x#*=-]|ext)+$")
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s.]{2,}$")
_WEBSITE = re.compile(r"^(?:https?://)?[^\s/]+\.[^\s]+$")
_DATETIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$")
_DATE = re.compile(r"^\d{4}-\d\d-\d\d$")
_DIGITS = re.compile(r"^-?\d{1,18}$")


class Wrong(Exception):
    """A value the field does not take; ``details`` go into the error's ``details``."""

    def __init__(self, **details: Any) -> None:
        super().__init__(str(details))
        self.details = details


class UnknownId(Exception):
    """A lookup to a record that is not there."""


Exists = Callable[[str, str], bool]
"""(module or ``users``, id) → whether it is there."""


def checked(meta: Meta, value: Any, exists: Exists, strict_choices: bool) -> Any:
    """The value to store. Raises Wrong or UnknownId. ``value`` is not None."""
    check = _CHECKS.get(str(meta["data_type"]))
    if check is not None:
        return check(meta, value)
    kind = meta["data_type"]
    if kind == "picklist":
        return _choice(meta, value, strict_choices)
    if kind == "lookup":
        return _reference(value, str(meta["lookup"]["module"]["api_name"]), exists)
    if kind in ("ownerlookup", "userlookup"):
        return _reference(value, "users", exists)
    return value


def plain(number: Decimal) -> Decimal:
    """Without trailing zeros and without exponent: how numbers look on the wire."""
    short = number.normalize()
    return short.quantize(Decimal(1)) if int(short.as_tuple().exponent) > 0 else short


def rounded(number: Decimal, places: int) -> Decimal:
    """Rounded half up ("rounding_option": "normal"), then made plain."""
    return plain(number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


def _text(meta: Meta, value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong(expected_data_type="string")
    length = meta.get("length") or 0
    if length and len(value) > length:
        raise Wrong(maximum_length=length)
    return value


def _matching(pattern: re.Pattern[str]) -> Callable[[Meta, Any], str]:
    def check(meta: Meta, value: Any) -> str:
        text = _text(meta, value)
        if not pattern.match(text):
            raise Wrong(expected_data_type=meta["data_type"], regex=pattern.pattern)
        return text

    return check


def _integer(meta: Meta, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong(expected_data_type="integer")
    if len(str(abs(value))) > 9:
        raise Wrong(maximum_length=9)
    return value


def _bigint(meta: Meta, value: Any) -> str:
    if isinstance(value, bool) or not _DIGITS.match(str(value)):
        raise Wrong(expected_data_type="bigint")
    return str(value)


def _number(meta: Meta, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Wrong(expected_data_type="double")
    number = Decimal(value)
    whole = 5 if meta["data_type"] == "percent" else 16
    if len(str(abs(int(number)))) > whole:
        raise Wrong(maximum_length=whole)
    return rounded(number, min(meta.get("decimal_place") or 2, 9))


def _boolean(meta: Meta, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong(expected_data_type="boolean")
    return value


def _date(meta: Meta, value: Any) -> str:
    if not isinstance(value, str) or not _DATE.match(value):
        raise Wrong(expected_data_type="date")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise Wrong(expected_data_type="date") from None
    return value


def _datetime(meta: Meta, value: Any) -> datetime:
    if not isinstance(value, str) or not _DATETIME.match(value):
        raise Wrong(expected_data_type="datetime")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        raise Wrong(expected_data_type="datetime") from None


def _choice(meta: Meta, value: Any, strict: bool) -> str | None:
    if not isinstance(value, str):
        raise Wrong(expected_data_type="string")
    if value == "-None-":
        return None
    known = [str(v["actual_value"]) for v in meta["pick_list_values"]]
    # The vendor's page says new values are accepted; its error catalogue knows a refusal. Both can be had.
    if strict and value not in known:
        raise Wrong(supported_values=known)
    if len(value) > 120:
        raise Wrong(maximum_length=120)
    return value


def _choices(meta: Meta, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise Wrong(expected_data_type="jsonarray")
    return value


def _reference(value: Any, target: str, exists: Exists) -> str:
    found = value.get("id") if isinstance(value, dict) else None
    if not isinstance(found, str | int) or isinstance(found, bool):
        raise Wrong(expected_data_type="jsonobject")
    if not exists(target, str(found)):
        raise UnknownId
    return str(found)


_CHECKS: dict[str, Callable[[Meta, Any], Any]] = {
    "text": lambda m, v: v if m.get("json_type") == "jsonarray" and isinstance(v, list) else _text(m, v),
    "textarea": _text,
    "email": _matching(_EMAIL),
    "phone": _matching(_PHONE),
    "website": _matching(_WEBSITE),
    "integer": _integer,
    "bigint": _bigint,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "multiselectpicklist": _choices,
}
