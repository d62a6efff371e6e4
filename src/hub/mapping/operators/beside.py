"""Operators that need other fields of the same record or line: a price with its tax rate, a discount with its price.

``beside`` maps the names of those fields to their canonical values (None where there is none). They are lenses for any
fixed values beside them; what is rounded is rounded to fewer places in the hub than in the system, so that a value
written reads back the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, ClassVar

from pydantic import Field as Arg

from hub.connect.capabilities import FieldType
from hub.mapping.operators.base import NUMBERS, Args, FitError, Operator, Place
from hub.model import forms

Beside = Mapping[str, Any]
_CONTEXT = Context(prec=60)


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=_CONTEXT)


class OperatorBeside(Operator):
    """Base of operators that look at other fields of the same record or line."""

    takes: ClassVar[frozenset[FieldType]] = NUMBERS
    gives: ClassVar[FieldType] = "decimal"

    def fit(self, place: Place) -> None:
        if self.args.places > self.args.scale:
            raise FitError("'places' can't be more than 'scale'", "the system has to keep at least as many decimals")

    def get(self, value: Any) -> Any:
        raise TypeError(f"{self.name!r} needs the fields beside it")

    def put(self, value: Any, old: Any = None) -> Any:
        raise TypeError(f"{self.name!r} needs the fields beside it")

    def form(self, value: Any) -> Any:
        return None if value is None else forms.plain_decimal(_rounded(Decimal(value), self.args.places))

    def inward(self, number: Decimal, beside: Beside) -> Decimal:
        raise NotImplementedError

    def outward(self, number: Decimal, beside: Beside) -> Decimal:
        raise NotImplementedError

    def get_beside(self, value: Any, beside: Beside) -> Any:
        """Remote → canonical, with the fields beside it."""
        text = forms.decimal(value)
        if text is None:
            return None
        return forms.plain_decimal(_rounded(self.inward(Decimal(text), beside), self.args.places))

    def put_beside(self, value: Any, beside: Beside) -> Any:
        """Canonical → remote, with the fields beside it."""
        kept = _rounded(Decimal(value), self.args.places)  # else 1.005 would come back as 1, and not as 1.01
        return Decimal(forms.plain_decimal(_rounded(self.outward(kept, beside), self.args.scale)))

    def number(self, name: str, beside: Beside) -> Decimal:
        value = beside.get(name)
        if value is None:
            raise ValueError(f"it is worked out from {name}, which has no value")
        return Decimal(value)


class PercentOfArgs(Args):
    fields: list[str] = Arg(
        min_length=1, description="Canonical fields whose product is 100 %: [quantity, unit_price]."
    )
    places: int = Arg(2, ge=0, le=20, description="Decimals of the canonical amount.")
    scale: int = Arg(10, ge=0, le=20, description="Decimals of the remote percentage.")


class PercentOf(OperatorBeside):
    """The remote field is a percentage of other fields, the canonical one the amount that it makes ."""

    name = "percent_of"
    Args = PercentOfArgs
    shorthand = "fields"

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.siblings = tuple(args.fields)

    def fit(self, place: Place) -> None:
        """A percentage may well need more decimals than its amount, or fewer: nothing to check."""

    def _whole(self, beside: Beside) -> Decimal:
        whole = Decimal(1)
        for name in self.args.fields:
            whole = _CONTEXT.multiply(whole, self.number(name, beside))
        return whole

    def inward(self, number: Decimal, beside: Beside) -> Decimal:
        return _CONTEXT.multiply(self._whole(beside), number).scaleb(-2, _CONTEXT) if number else number

    def outward(self, number: Decimal, beside: Beside) -> Decimal:
        if not number:
            return number
        whole = self._whole(beside)
        if not whole:
            raise ValueError(f"{number} is no percentage of 0")
        return _CONTEXT.divide(number.scaleb(2, _CONTEXT), whole)


class TaxArgs(Args):
    rate: str = Arg("tax_rate", description="Canonical field with the tax rate in percent.")
    places: int = Arg(4, ge=0, le=20, description="Decimals of the canonical price.")
    scale: int = Arg(6, ge=0, le=20, description="Decimals of the remote price.")


class WithTax(OperatorBeside):
    """The remote price is before tax, the canonical one includes it."""

    name = "with_tax"
    Args = TaxArgs
    shorthand = "rate"

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.siblings = (args.rate,)

    def inward(self, number: Decimal, beside: Beside) -> Decimal:
        return _CONTEXT.multiply(number, 100 + self.number(self.args.rate, beside)).scaleb(-2, _CONTEXT)

    def outward(self, number: Decimal, beside: Beside) -> Decimal:
        return _CONTEXT.divide(number.scaleb(2, _CONTEXT), 100 + self.number(self.args.rate, beside))


class WithoutTax(WithTax):
    """The remote price includes tax, the canonical one is before it."""

    name = "without_tax"

    def inward(self, number: Decimal, beside: Beside) -> Decimal:
        return super().outward(number, beside)

    def outward(self, number: Decimal, beside: Beside) -> Decimal:
        return super().inward(number, beside)
