"""The sales order: what a customer wants, until when, and for how much."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from hub.model import columns as c
from hub.model.address import OrderAddress
from hub.model.columns import Amount, Head
from hub.model.document import DocumentLine


class OrderLine(DocumentLine, table=True):
    """One line of a sales order."""

    __tablename__ = "sales_order_line"
    __table_args__ = c.key_of_lines("order_id")
    order_id: str = c.parent()
    delivery_date: dt.date | None = c.date("Day it is due.")


class Order(Head, table=True):
    """A sales order. ``total`` = ``net_total`` − ``discount`` + ``tax_total`` + ``freight``."""

    __tablename__ = "sales_order"
    lines_of: ClassVar[dict[str, Any]] = {
        "addresses": (OrderAddress, "kind", "Where it is billed and shipped to."),
        "lines": (OrderLine, "line_no", "What is ordered."),
    }
    title_of: ClassVar[tuple[str, ...]] = ("number", "title")

    number: str | None = c.text("Number of the order.")
    customer_po: str | None = c.text("The customer's own number of the order.")
    title: str | None = c.text("What it is about.")
    customer_id: str | None = c.ref("customer", "Who orders.")
    contact_id: str | None = c.ref("contact", "Person who ordered.")
    order_date: dt.date | None = c.date("Day of the order.")
    due_date: dt.date | None = c.date("Day by which it is promised.")
    currency: str | None = c.currency("Currency of all amounts, ISO 4217.")
    exchange_rate: Amount = c.decimal("Units of the company's own currency for one of ``currency``.")
    price_includes_tax: bool | None = c.boolean("Whether the gross prices are the agreed ones.")
    status: str | None = c.choice(
        "draft", "submitted", "approved", "closed", "cancelled", description="How far the order has come."
    )
    note: str | None = c.longtext("Remark.")
    net_total: Amount = c.money("Sum of the lines' amounts without tax.")
    discount: Amount = c.money("Discount on the whole order, not part of any line.")
    tax_total: Amount = c.money("Tax of the whole order.")
    total: Amount = c.money("What has to be paid.")
    freight: Amount = c.money("Carriage and other charges, not part of any line.")
    salesperson: str | None = c.text("Who sold it.")
