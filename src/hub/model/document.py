"""What the lines of orders and invoices have in common.

Amounts are in the document's currency. A line's discount is an amount off in the terms of its price: off the net
amount when prices are net, off the gross amount when they include tax.
"""

from __future__ import annotations

from hub.model import columns as c
from hub.model.columns import Amount, Line


class DocumentLine(Line):
    """One line of an order or an invoice."""

    line_no: int | None = c.integer("Number of the line in its document.")
    product_id: str | None = c.ref("product", "What is sold.")
    description: str | None = c.longtext("What is sold, in words.")
    unit: str | None = c.text("Unit of ``quantity``.")
    quantity: Amount = c.decimal("How many.")
    unit_price: Amount = c.money("Price of one without tax, before discount.")
    unit_price_tax: Amount = c.money("Price of one with tax, before discount.")
    tax_rate: Amount = c.rate("Tax rate in percent (13 for 13 %).")
    discount_rate: Amount = c.rate("Discount in percent of the price.")
    discount: Amount = c.money("Discount of the whole line, as an amount.")
    net_amount: Amount = c.money("Amount after discount, without tax.")
    tax_amount: Amount = c.money("Tax of the line.")
    amount: Amount = c.money("Amount after discount, with tax (价税合计).")
    note: str | None = c.longtext("Remark.")
