"""The arithmetic of order lines and their documents. Amounts are rounded half up to cents where they come to be."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from .org import TAXES, tax_id
from .values import Wrong, plain, rounded

Values = dict[str, Any]
ZERO = Decimal(0)


def checked_line_tax(value: Any) -> list[Values]:
    """``Line_Tax`` as stored: name, percentage and id; only taxes of the org are known. Raises Wrong."""
    if not isinstance(value, list):
        raise Wrong(expected_data_type="jsonarray")
    names = dict(TAXES)
    stored = []
    for tax in value:
        name = tax.get("name") if isinstance(tax, dict) else None
        if name not in names:
            raise Wrong(supported_values=sorted(names))
        percentage = tax.get("percentage", names[name])
        if isinstance(percentage, bool) or not isinstance(percentage, int | Decimal):
            raise Wrong(expected_data_type="double")
        stored.append({"percentage": plain(Decimal(percentage)), "name": name, "id": tax_id(name)})
    return stored


def checked_discount(value: Any) -> Any:
    """A line's discount: an amount, or a share as text (``"10%"``). Raises Wrong."""
    if isinstance(value, str) and value.endswith("%"):
        try:
            return f"{plain(Decimal(value[:-1]))}%"
        except ArithmeticError:
            raise Wrong(expected_data_type="double") from None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Wrong(expected_data_type="double")
    return rounded(Decimal(value), 6)


def total_line(line: Values) -> None:
    """Fill in what the vendor computes for a line."""
    quantity = Decimal(line.get("Quantity") or 0)
    total = rounded(quantity * Decimal(line.get("List_Price") or 0), 2)
    discount = line.get("Discount") or 0
    if isinstance(discount, str):
        discount = rounded(total * Decimal(discount[:-1]) / 100, 2)
    after = rounded(total - Decimal(discount), 2)
    taxes = [
        {**tax, "value": rounded(after * Decimal(tax["percentage"]) / 100, 2)} for tax in line.get("Line_Tax") or []
    ]
    tax_sum = plain(sum((t["value"] for t in taxes), ZERO))
    line["Line_Tax"] = taxes
    line["Total"], line["Total_After_Discount"], line["Tax"] = total, after, tax_sum
    line["Net_Total"] = plain(after + tax_sum)


def document_totals(values: Values, lines: Iterable[Values]) -> Values:
    """What the vendor computes for an order or invoice from its lines and its own discount, tax and adjustment."""
    sub_total = plain(sum((line["Net_Total"] for line in lines), ZERO))
    discount, tax, adjustment = (Decimal(values.get(n) or 0) for n in ("Discount", "Tax", "Adjustment"))
    return {"Sub_Total": sub_total, "Grand_Total": plain(sub_total - discount + tax + adjustment)}
