"""Values that nothing else has: each holds the number of the event that made it, and can be followed anywhere by it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.model.spec import FieldSpec
from hub.simulate.quirks import REFUSED

NAMING = frozenset({"text", "longtext", "tax_id"})
"""Types of fields that may tell records apart."""
TRACEABLE = NAMING | {"integer", "decimal", "money", "date", "instant", "phone", "email"}
AMOUNTS = frozenset({"decimal", "money"})
LONG = (" Trading 有限公司 of Suzhou", " & Sons, wholesale and retail", " second floor, left")
_TOKEN = re.compile(r"[NT]\d+", re.IGNORECASE)
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def fresh(spec: FieldSpec, number: int, *, long: bool) -> Any:
    """A canonical value made of a number; None for a type whose values can't be told apart."""
    if spec.type in ("text", "longtext"):
        text = f"N{number}" + (LONG[number % len(LONG)] if long else "")
        return text[: spec.max_length] if spec.max_length else text
    if spec.type == "integer":
        return number
    if spec.type in AMOUNTS:
        # More digits than a binary fraction holds: whatever passes through one is not the same afterwards.
        return f"{number}000000000000.1234" if long else f"{number}.12"
    if spec.type == "date":
        return (_DAY + timedelta(days=number)).date().isoformat()
    if spec.type == "instant":
        return (_DAY + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    if spec.type == "phone":
        return f"+86138{number:08d}"
    if spec.type == "email":
        return f"n{number}@example.com"
    return f"T{number}" if spec.type == "tax_id" else None


def common(spec: FieldSpec, number: int) -> Any:
    """A value of a type whose values can't be told apart."""
    if spec.type == "enum":
        return spec.choices[number % len(spec.choices)] if spec.choices else None
    return {"currency": "CNY", "country": "CN", "boolean": True, "rate": "13"}.get(spec.type)


def refused(number: int) -> str:
    """A text that some systems refuse."""
    return f"N{number} {REFUSED}"


def mended(value: str) -> str:
    """What people put in place of a refused text: no event makes such a number, so it can be told from what was
    refused."""
    found = _TOKEN.match(value)
    return f"N{900_000 + int(found[0][1:] if found else 0)} mended"


def filled(spec: FieldSpec, tag: str) -> Any:
    """What people enter where a value was demanded, and is missing; unlike all others, too."""
    found = _TOKEN.match(tag)
    return fresh(spec, 900_000 + int(found[0][1:] if found else 0), long=False)


def coarse(value: Any, kind: str, *, rounded: bool = False) -> Any:
    """What is left of a value whatever systems do to it: equal for a value and all its rewritten forms."""
    if value is None:
        return None
    if kind in ("text", "longtext"):
        found = _TOKEN.match(str(value))
        return found[0].upper() if found else str(value).casefold()
    if rounded and kind in AMOUNTS:
        return str(value).partition(".")[0]
    return str(value)


def flat(values: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    """Canonical values by path: ``name``, ``lines[3].quantity``. ``keys``: lines field → the field that tells them
    apart."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        key = keys.get(name)
        if key is None:
            found[name] = value
            continue
        for line in value or ():
            found.update({f"{name}[{line.get(key)}].{part}": item for part, item in line.items() if part != key})
    return found
