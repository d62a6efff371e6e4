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

from decimal import Decimal
from functools import lru_cache
from typing import Any

from hub.model.findings import Finding

Values = dict[str, Any]

_ZERO = Decimal(0)
_HALF = Decimal("0.5")
_PERCENT = Decimal("0.01")
_PRICES = (("unit_price", "net_amount"), ("unit_price_tax", "amount"))


def check_totals(values: Values) -> list[Finding]:
    """Findings about the amounts of one order or invoice, from its canonical values."""
    unit = smallest_unit(values.get("currency"))
    with_tax = values.get("price_includes_tax")
    lines = values.get("lines") or []
    found: list[tuple[str, str]] = []
    for at, line in enumerate(lines, 1):
        wrong = _line(line, with_tax, unit)
        if wrong:
            where = f"lines[{line.get('line_no', at)}]"
            found += [(f"{where}.{field}", message) for field, message in wrong]
    found += _document(values, lines, unit)
    return [Finding("total", field, message) for field, message in found]


@lru_cache(maxsize=256)
def smallest_unit(currency: str | None) -> Decimal:
    """Smallest amount of a currency: 0.01 for CNY, 1 for JPY, 0.001 for KWD."""
    from babel.numbers import get_currency_precision

    return Decimal(1).scaleb(-get_currency_precision(currency) if currency else -2)


def _number(values: Values, field: str) -> Decimal | None:
    value = values.get(field)
    return None if value is None else Decimal(value)


def _line(line: Values, with_tax: bool | None, unit: Decimal) -> list[tuple[str, str]]:
    wrong = []
    net, tax, gross = _number(line, "net_amount"), _number(line, "tax_amount"), _number(line, "amount")
    if net is not None and tax is not None:
        if gross is not None and abs(net + tax - gross) > unit:
            wrong.append(("amount", _says(gross, net + tax, f"net {net} + tax {tax}")))
        rate = _number(line, "tax_rate")
        if rate is not None and abs(net * rate * _PERCENT - tax) > unit:
            wrong.append(("tax_amount", _says(tax, net * rate * _PERCENT, f"{rate} % of {net}")))
    quantity = _number(line, "quantity")
    if quantity is not None:
        wrong += _price(line, quantity, (net, gross), with_tax, unit)
    return wrong


def _price(
    line: Values, quantity: Decimal, shown: tuple[Decimal | None, Decimal | None], with_tax: bool | None, unit: Decimal
) -> list[tuple[str, str]]:
    """At most one finding: it is enough that one of the prices that may be the agreed one fits."""
    wrong = []
    for (price_field, field), amount in zip(_PRICES, shown, strict=True):
        price = _number(line, price_field)
        not_agreed = with_tax is (field == "net_amount")  # None: nobody said which price was
        if not_agreed or price is None or amount is None:
            continue
        full = quantity * price
        wanted = full - _discount(line, full)
        off = abs(wanted - amount)
        if off <= unit or off <= unit + abs(quantity) * _last_digit(price) * _HALF:
            return []
        wrong.append((field, _says(amount, wanted, f"{quantity} × {price} less discount")))
    return wrong[:1]


def _discount(line: Values, full: Decimal) -> Decimal:
    amount, rate = _number(line, "discount"), _number(line, "discount_rate")
    if amount is not None:
        return amount
    return full * rate * _PERCENT if rate is not None else _ZERO


def _last_digit(price: Decimal) -> Decimal:
    """Worth of a price's last digit, at most 0.01: the canonical form has dropped zeros at its end."""
    exponent = price.as_tuple().exponent
    return Decimal(1).scaleb(min(int(exponent), -2))


def _document(values: Values, lines: list[Values], unit: Decimal) -> list[tuple[str, str]]:
    wrong = []
    net, tax, total = _number(values, "net_total"), _number(values, "tax_total"), _number(values, "total")
    discount = _number(values, "discount") or _ZERO
    freight = _number(values, "freight") or _ZERO
    if net is not None:
        wrong += _sum(net, "net_total", lines, "net_amount", unit)
    if tax is not None and not discount and not freight:
        wrong += _sum(tax, "tax_total", lines, "tax_amount", unit)
    if net is not None and tax is not None and total is not None:
        wanted = net - discount + tax + freight
        if abs(wanted - total) > 2 * unit:
            how = f"net {net} − discount {discount} + tax {tax} + freight {freight}"
            wrong.append(("total", _says(total, wanted, how)))
    return wrong


def _sum(shown: Decimal, field: str, lines: list[Values], part: str, unit: Decimal) -> list[tuple[str, str]]:
    added = _ZERO
    for line in lines:
        amount = line.get(part)
        if amount is None:
            return []
        added += Decimal(amount)
    off = abs(added - shown)
    if not lines or off <= unit or off <= unit * _HALF * len(lines):
        return []
    return [(field, _says(shown, added, f"the sum of {len(lines)} lines"))]


def _says(shown: Decimal, wanted: Decimal, how: str) -> str:
    difference = format((shown - wanted).normalize(), "f")
    wanted = wanted.normalize() if wanted else _ZERO
    return f"is {shown}, but {how} is {wanted:f} (difference {difference})"
