"""Operators on numbers. Everything is Decimal: no amount passes through a binary float."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import Field as Arg
from pydantic import field_validator

from hub.connect.capabilities import FieldType
from hub.mapping.operators.base import NUMBERS, Args, FitError, Operator, Place
from hub.model import forms

Rounding = Literal["half_up", "half_even", "down", "up", "floor", "ceiling"]
_CONTEXT = decimal.Context(prec=60)


class NumberArgs(Args):
    scale: int | None = Arg(None, ge=0, le=20, description="Decimals kept, in both directions; more are rounded.")
    rounding: Rounding = Arg("half_up", description="How numbers with more decimals than `scale` are rounded.")
    significant: int | None = Arg(
        None, ge=1, le=38, description="Significant digits kept when reading (7 for a `real`, 15 for a `double`)."
    )
    factor: Decimal | None = Arg(None, description="The remote number is the canonical one times this (cents: 100).")
    zero: Literal["value", "blank"] = Arg("value", description="`blank`: a remote 0 means that nothing is said.")
    mark: str = Arg(".", min_length=1, max_length=1, description="Decimal mark of numbers kept as text.")
    thousands: str = Arg("", max_length=1, description="Thousands separator of numbers kept as text; not written.")

    @field_validator("factor")
    @classmethod
    def _not_zero(cls, factor: Decimal | None) -> Decimal | None:
        if factor is not None and (not factor.is_finite() or factor == 0):
            raise ValueError("must be a number other than 0")
        return factor


class Number(Operator):
    """A decimal number. What ``decimal``, ``money`` and ``rate`` fields do by themselves."""

    name = "number"
    Args = NumberArgs
    shorthand = "scale"
    takes: ClassVar[frozenset[FieldType]] = NUMBERS
    gives: ClassVar[FieldType] = "decimal"

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.step = None if args.scale is None else Decimal(1).scaleb(-args.scale)
        self.mode = getattr(decimal, f"ROUND_{args.rounding.upper()}")
        self.plain = args.scale is args.significant is args.factor is None
        self.skips_zero = args.zero == "blank"
        self.as_text = False

    def fit(self, place: Place) -> None:
        self.as_text = place.remote is not None and place.remote.type == "text"
        if self.args.mark == self.args.thousands:
            raise FitError(
                "the decimal mark and the thousands separator are the same", "give them different characters"
            )

    def exact(self) -> bool:
        """Whether ``put`` makes nothing but a Decimal of the canonical text."""
        return self.plain and not self.as_text and self.args.mark == "."

    def direct(self) -> Callable[[Any], Any] | None:
        special = self.args.thousands or self.args.mark != "." or self.skips_zero
        return forms.decimal if self.plain and not special else None

    def get(self, value: Any) -> Any:
        if value.__class__ is str and (self.args.thousands or self.args.mark != "."):
            value = value.replace(self.args.thousands, "") if self.args.thousands else value
            value = value.replace(self.args.mark, ".")
        text = forms.decimal(value)
        if not self.plain and text is not None:
            text = forms.plain_decimal(self._rounded(self._inward(Decimal(text))))
        return None if self.skips_zero and text == "0" else text

    def form(self, value: Any) -> Any:
        """Rounded to the decimals and digits that the mapping names; 0 is blank where it says so."""
        if value is None:
            return None
        number = self._rounded(Decimal(value))
        if self.args.significant is not None:
            number = self._rounded(self._inward(self._outward(number)))
        text = forms.plain_decimal(number)
        return None if self.skips_zero and text == "0" else text

    def put(self, value: Any, old: Any = None) -> Any:
        number = Decimal(value)
        if not self.plain:
            number = self._outward(self._rounded(number))
        if self.as_text or self.args.mark != ".":
            return forms.plain_decimal(number).replace(".", self.args.mark)
        return number

    def _inward(self, number: Decimal) -> Decimal:
        if self.args.significant is not None:
            number = decimal.Context(prec=self.args.significant, rounding=self.mode).plus(number)
        return number if self.args.factor is None else _CONTEXT.divide(number, self.args.factor)

    def _outward(self, number: Decimal) -> Decimal:
        return (
            number
            if self.args.factor is None
            else Decimal(forms.plain_decimal(_CONTEXT.multiply(number, self.args.factor)))
        )

    def _rounded(self, number: Decimal) -> Decimal:
        return number if self.step is None else number.quantize(self.step, rounding=self.mode, context=_CONTEXT)


class Money(Number):
    """An amount in the record's currency; ``{money: 2}`` rounds to two decimals, half up, in both directions."""

    name = "money"


class Quantity(Number):
    """A quantity. The same as ``number``, named for the reader."""

    name = "quantity"


class PercentArgs(NumberArgs):
    of: Literal[1, 100] = Arg(100, description="13 % is 13 in the remote system (100) or 0.13 (1).")
    sign: bool = Arg(False, description="Write text with a % sign behind it.")


class Percent(Number):
    """A percentage. The canonical value is in percent: 13 % is ``"13"``."""

    name = "percent"
    Args = PercentArgs
    shorthand = "of"

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.plain = self.plain and args.of == 100

    def exact(self) -> bool:
        return super().exact() and not self.args.sign

    def direct(self) -> Callable[[Any], Any] | None:
        return None

    def get(self, value: Any) -> Any:
        if value.__class__ is str:
            value = value.strip().removesuffix("%").removesuffix("％")
            if not value.strip():
                return None
        return super().get(value)

    def put(self, value: Any, old: Any = None) -> Any:
        made = super().put(value)
        if not self.args.sign:
            return made
        return f"{made if isinstance(made, str) else forms.plain_decimal(made)}%"

    def _inward(self, number: Decimal) -> Decimal:
        number = super()._inward(number)
        return number.scaleb(2, _CONTEXT) if self.args.of == 1 else number

    def _outward(self, number: Decimal) -> Decimal:
        return super()._outward(number.scaleb(-2, _CONTEXT) if self.args.of == 1 else number)


class Integer(Operator):
    """A whole number. What ``integer`` fields do by themselves."""

    name = "integer"
    takes: ClassVar[frozenset[FieldType]] = NUMBERS
    gives: ClassVar[FieldType] = "integer"

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.as_text = False

    def fit(self, place: Place) -> None:
        self.as_text = place.remote is not None and place.remote.type == "text"

    def direct(self) -> Callable[[Any], Any] | None:
        return forms.integer

    def get(self, value: Any) -> Any:
        return forms.integer(value)

    def put(self, value: Any, old: Any = None) -> Any:
        number = forms.integer(value)
        return str(number) if self.as_text else number
