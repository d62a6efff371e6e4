"""The sales invoice: what a customer owes us."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from hub.model import columns as c
from hub.model.columns import Amount, Head
from hub.model.document import DocumentLine


class InvoiceLine(DocumentLine, table=True):
    """One line of an invoice."""

    __tablename__ = "invoice_line"
    __table_args__ = c.key_of_lines("invoice_id")
    invoice_id: str = c.parent()
    order_line_no: int | None = c.integer("``line_no`` of the order's line that it bills.")


class Invoice(Head, table=True):
    """A sales invoice or a receivable (应收单).

    ``total`` = ``net_total`` − ``discount`` + ``tax_total`` + ``freight``."""

    __tablename__ = "invoice"
    lines_of: ClassVar[dict[str, Any]] = {"lines": (InvoiceLine, "line_no", "What is billed.")}
    title_of: ClassVar[tuple[str, ...]] = ("number", "einvoice_number", "title")

    number: str | None = c.text("Number of the invoice in the books.")
    einvoice_number: str | None = c.text("Number of the fully digital e-invoice (数电票): 20 digits.")
    title: str | None = c.text("What it is about.")
    kind: str | None = c.choice("normal", "special", "credit_note", description="普通发票, 专用发票 or 红字发票.")
    order_id: str | None = c.ref("order", "Order that it bills.")
    customer_id: str | None = c.ref("customer", "Who owes.")
    invoice_date: dt.date | None = c.date("Day of the invoice.")
    due_date: dt.date | None = c.date("Day by which it is to be paid.")
    currency: str | None = c.currency("Currency of all amounts, ISO 4217.")
    exchange_rate: Amount = c.decimal("Units of the company's own currency for one of ``currency``.")
    price_includes_tax: bool | None = c.boolean("Whether the gross prices are the agreed ones.")
    status: str | None = c.choice(
        "draft", "submitted", "issued", "partly_paid", "paid", "void", description="How far it has come."
    )
    note: str | None = c.longtext("Remark.")
    net_total: Amount = c.money("Sum of the lines' amounts without tax.")
    discount: Amount = c.money("Discount on the whole invoice, not part of any line.")
    tax_total: Amount = c.money("Tax of the whole invoice.")
    total: Amount = c.money("What has to be paid.")
    freight: Amount = c.money("Carriage and other charges, not part of any line.")
    paid_amount: Amount = c.money("What has been paid so far.")
    salesperson: str | None = c.text("Who sold it.")
