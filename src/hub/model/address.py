"""Postal addresses, as lines of a customer or of an order, told apart by what they are for."""

from __future__ import annotations

from hub.model import columns as c
from hub.model.columns import Line


class Address(Line):
    """The fields of an address; Chinese ones have a district (区), western ones mostly none."""

    kind: str | None = c.choice(
        "billing", "shipping", "registered", "office", "home", "other", description="What the address is for."
    )
    recipient: str | None = c.text("Person or company the post is for.")
    phone: str | None = c.phone("Phone number of the recipient.")
    street: str | None = c.text("Street, house, building, room.")
    district: str | None = c.text("District of the city (区, 县).")
    city: str | None = c.text("City.")
    state: str | None = c.text("Province or state.")
    postal_code: str | None = c.text("Postal code.", max_length=20)
    country: str | None = c.country("Country, ISO 3166-1 alpha-2.")


class CustomerAddress(Address, table=True):
    """One address of a customer."""

    __tablename__ = "customer_address"
    __table_args__ = c.key_of_lines("customer_id")
    customer_id: str = c.parent()


class OrderAddress(Address, table=True):
    """One address of a sales order."""

    __tablename__ = "sales_order_address"
    __table_args__ = c.key_of_lines("order_id")
    order_id: str = c.parent()
