"""The customer: a company or a person that buys from us."""

from __future__ import annotations

from typing import Any, ClassVar

from hub.model import columns as c
from hub.model.address import CustomerAddress
from hub.model.columns import Amount, Head


class Customer(Head, table=True):
    """A company or a person that buys from us."""

    __tablename__ = "customer"
    lines_of: ClassVar[dict[str, Any]] = {"addresses": (CustomerAddress, "kind", "Postal addresses, one of a kind.")}
    title_of: ClassVar[tuple[str, ...]] = ("name", "number")

    number: str | None = c.text("Number by which people know the customer.")
    name: str | None = c.text("Full, legal name.")
    short_name: str | None = c.text("Short name for everyday use.")
    kind: str | None = c.choice("company", "person", description="Company or natural person.")
    tax_id: str | None = c.tax_id("Tax number: 统一社会信用代码, VAT number …")
    phone: str | None = c.phone("Main phone number.")
    fax: str | None = c.phone("Fax number.")
    email: str | None = c.email("Main e-mail address.")
    website: str | None = c.text("Web address.")
    industry: str | None = c.text("Line of business.")
    status: str | None = c.choice("active", "inactive", description="Whether we still do business with them.")
    currency: str | None = c.currency("Currency we trade in, ISO 4217.")
    credit_limit: Amount = c.money("Most they may owe us, in ``currency``.")
    payment_terms: str | None = c.text("Payment terms, as agreed (NET30 …).")
    description: str | None = c.longtext("Anything worth knowing.")
    employees: int | None = c.integer("Number of employees.")
    annual_revenue: Amount = c.money("Revenue a year, in ``currency``.")
    invoice_title: str | None = c.text("Name on their invoices (发票抬头), where it is not ``name``.")
    bank_name: str | None = c.text("Bank and branch (开户行).")
    bank_account: str | None = c.text("Account number.")
    parent_id: str | None = c.ref("customer", "Customer that this one belongs to.")
    owner: str | None = c.text("Who looks after the customer on our side.")
