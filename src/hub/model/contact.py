"""The contact: a person at a customer."""

from __future__ import annotations

from typing import ClassVar

from hub.model import columns as c
from hub.model.columns import Head


class Contact(Head, table=True):
    """A person at a customer."""

    __tablename__ = "contact"
    title_of: ClassVar[tuple[str, ...]] = ("full_name", "last_name", "email", "mobile")

    customer_id: str | None = c.ref("customer", "Customer the person works for.")
    first_name: str | None = c.text("Given name.")
    last_name: str | None = c.text("Family name.")
    full_name: str | None = c.text("Whole name as it is written: 王小明, Mary Smith.")
    title: str | None = c.text("Position (采购经理, Buyer).")
    department: str | None = c.text("Department.")
    email: str | None = c.email("E-mail address.")
    phone: str | None = c.phone("Office phone number.")
    mobile: str | None = c.phone("Mobile phone number.")
    description: str | None = c.longtext("Anything worth knowing.")
    status: str | None = c.choice("active", "inactive", description="Whether the person can still be reached there.")
