"""Short cuts to the canonical forms, for values that are what most values are.

Each gives exactly what its form in ``hub.model.forms`` gives (a property test holds them to it) and hands over to it
whenever a value is not of the plain kind.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from hub.model import forms


def decimal(value: Any) -> str | None:
    """``forms.decimal``."""
    if value.__class__ is Decimal:
        text = str(value)
        if "." in text and len(text) < 30 and "E" not in text:
            text = text.rstrip("0").rstrip(".")
            return "0" if text == "-0" else text
    elif value.__class__ is int and -(10**18) < value < 10**18:
        return str(value)
    return forms.decimal(value)


def tax_id(value: Any) -> str | None:
    """``forms.tax_id``."""
    if value.__class__ is str and value.isalnum() and value.isascii():
        upper: str = value.upper()
        return upper
    return forms.tax_id(value)


def email(value: Any) -> str | None:
    """``forms.email``."""
    if value.__class__ is str and value.isascii() and value.isprintable() and " " not in value:
        person, at, domain = value.partition("@")
        if at and "@" not in domain:
            return value if domain.islower() else f"{person}@{domain.lower()}"
    return forms.email(value)


def phone(region: str | None) -> Callable[[Any], Any]:
    """``forms.phone`` for numbers dialled in a region."""
    usual = partial(forms.phone, region=region)

    def quick(value: Any) -> Any:
        # A Chinese mobile number that is in canonical form already.
        if value.__class__ is str and len(value) == 14 and value[:4] == "+861" and value[4] in "3456789":
            digits = value[1:]
            if digits.isdigit() and digits.isascii():
                return value
        return usual(value)

    return quick


class Memo(dict[Any, Any]):
    """``memo[value]`` is what the function makes of the value; remembers the first few thousand texts."""

    MOST = 4096

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, value: Any) -> Any:
        made = self.make(value)
        if value.__class__ is str and len(self) < self.MOST:
            self[value] = made
        return made


SHORT: dict[Callable[..., Any], Callable[[Any], Any]] = {
    forms.decimal: decimal,
    forms.tax_id: tax_id,
    forms.email: email,
}
FEW: frozenset[Callable[..., Any]] = frozenset({forms.country, forms.currency, forms.date})
"""Forms whose values repeat so much that they are worth remembering."""
