"""The closed set of operators, by the name that mappings use."""

from hub.mapping.operators.area import AreaCode
from hub.mapping.operators.base import FitError, Operator, Place
from hub.mapping.operators.beside import PercentOf, WithoutTax, WithTax
from hub.mapping.operators.cases import Cases
from hub.mapping.operators.codes import Country, Currency, Email, Phone, TaxId
from hub.mapping.operators.dates import Date, Moment
from hub.mapping.operators.numbers import Integer, Money, Number, Percent, Quantity
from hub.mapping.operators.parts import Join, ListOf, Part
from hub.mapping.operators.python import Python, load_functions, pair, registered
from hub.mapping.operators.tables import Boolean, Values
from hub.mapping.operators.texts import Cut, Html, Lower, Narrow, Prefix, Suffix, Text, Trim, Upper, Zeros

OPERATORS: dict[str, type[Operator]] = {
    op.name: op
    for op in (
        Text, Trim, Upper, Lower, Narrow, Prefix, Suffix, Cut, Zeros, Html,
        Number, Money, Quantity, Percent, PercentOf, WithTax, WithoutTax, Integer, Date, Moment, Boolean, Values, Cases,
        Phone, AreaCode, Email, TaxId, Country, Currency, Join, Part, ListOf, Python,
    )
}  # fmt: skip

__all__ = ["OPERATORS", "FitError", "Operator", "Place", "load_functions", "pair", "registered"]
