"""Do the amounts of an order or invoice belong together? Differences are reported, never repaired.

What is checked, each only where all its parts are known:

- a line's ``amount`` is ``net_amount`` + ``tax_amount``;
- a line's price times its quantity, less its discount, is its net amount (prices without tax) or its amount (prices
  with tax: ``price_includes_tax``; where the document doesn't say, it is enough that one of the two fits);
- a line's tax is ``tax_rate`` percent of its net amount;
- ``net_total`` and ``tax_total`` are the sums of the lines (tax only without a discount on the whole document);
- ``total`` is ``net_total`` − ``discount`` + ``tax_total`` + ``freight``.

Tolerance. Let the unit be the smallest of the currency (0.01 for CNY, 1 for JPY; 0.01 where the currency is unknown).
Sums may differ by half a unit for each rounded figure in them, at least by one unit: systems round lines or totals
first. A product of price and quantity may further differ by half of the price's own last digit times the quantity,
because a price with tax shown as one without is rounded itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from hub.model.findings import Finding

Values = dict[str, Any]

_ZERO = Decimal(0)
_HALF = Decimal("0.5")


def check_totals(values: Values) -> list[Finding]:
    """Findings about the amounts of one order or invoice, from its canonical values."""
    unit = smallest_unit(values.get("currency"))
    findings = []
    lines = values.get("lines") or []
    for at, line in enumerate(lines, 1):
        where = f"lines[{line.get('line_no', at)}]"
        findings += [
            Finding("total", f"{where}.{f}", m) for f, m in _line(line, values.get("price_includes_tax"), unit)
        ]
    findings += [Finding("total", field, message) for field, message in _document(values, lines, unit)]
    return findings


@lru_cache(maxsize=256)
def smallest_unit(currency: str | None) -> Decimal:
    """Smallest amount of a currency: 0.01 for CNY, 1 for JPY, 0.001 for KWD."""
    from babel.numbers import get_currency_precision

    return Decimal(1).scaleb(-get_currency_precision(currency) if currency else -2)


def _number(values: Values, field: str) -> Decimal | None:
    value = values.get(field)
    return None if value is None else Decimal(value)


def _line(line: Values, with_tax: bool | None, unit: Decimal) -> Iterator[tuple[str, str]]:
    net, tax, gross = (_number(line, f) for f in ("net_amount", "tax_amount", "amount"))
    rate = _number(line, "tax_rate")
    if net is not None and tax is not None and gross is not None and abs(net + tax - gross) > unit:
        yield "amount", _says(gross, net + tax, f"net {net} + tax {tax}")
    if net is not None and tax is not None and rate is not None:
        wanted = net * rate / 100
        if abs(wanted - tax) > unit:
            yield "tax_amount", _says(tax, wanted, f"{rate} % of {net}")
    yield from _price(line, with_tax, net, gross, unit)


def _price(
    line: Values, with_tax: bool | None, net: Decimal | None, gross: Decimal | None, unit: Decimal
) -> Iterator[tuple[str, str]]:
    quantity = _number(line, "quantity")
    if quantity is None:
        return
    wrong = []
    for price_field, field, shown, applies in (
        ("unit_price", "net_amount", net, with_tax is not True),
        ("unit_price_tax", "amount", gross, with_tax is not False),
    ):
        price = _number(line, price_field)
        if not applies or price is None or shown is None:
            continue
        full = quantity * price
        wanted = full - _discount(line, full)
        if abs(wanted - shown) <= unit + abs(quantity) * _last_digit(price) * _HALF:
            return
        wrong.append((field, _says(shown, wanted, f"{quantity} × {price} less discount")))
    yield from wrong[:1]


def _discount(line: Values, full: Decimal) -> Decimal:
    amount, rate = _number(line, "discount"), _number(line, "discount_rate")
    if amount is not None:
        return amount
    return full * rate / 100 if rate is not None else _ZERO


def _last_digit(price: Decimal) -> Decimal:
    """Worth of a price's last digit, at most 0.01: the canonical form has dropped zeros at its end."""
    exponent = price.as_tuple().exponent
    return Decimal(1).scaleb(min(int(exponent), -2))


def _document(values: Values, lines: list[Values], unit: Decimal) -> Iterator[tuple[str, str]]:
    net, tax, total = (_number(values, f) for f in ("net_total", "tax_total", "total"))
    discount = _number(values, "discount") or _ZERO
    freight = _number(values, "freight") or _ZERO
    sums = unit * max(_HALF * len(lines), Decimal(1))
    for shown, field, part, comparable in (
        (net, "net_total", "net_amount", True),
        (tax, "tax_total", "tax_amount", not discount and not freight),
    ):
        parts = [_number(line, part) for line in lines]
        known = [amount for amount in parts if amount is not None]
        if shown is None or not comparable or not known or len(known) < len(parts):
            continue
        if abs(sum(known) - shown) > sums:
            yield field, _says(shown, sum(known, _ZERO), f"the sum of {len(lines)} lines")
    if net is not None and tax is not None and total is not None:
        wanted = net - discount + tax + freight
        if abs(wanted - total) > 2 * unit:
            yield "total", _says(total, wanted, f"net {net} − discount {discount} + tax {tax} + freight {freight}")


def _says(shown: Decimal, wanted: Decimal, how: str) -> str:
    difference = format((shown - wanted).normalize(), "f")
    wanted = wanted.normalize() if wanted else _ZERO
    return f"is {shown}, but {how} is {wanted:f} (difference {difference})"
