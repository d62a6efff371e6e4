"""The product: what we sell."""

from __future__ import annotations

from typing import ClassVar

from hub.model import columns as c
from hub.model.columns import Amount, Head


class Product(Head, table=True):
    """What we sell: goods or a service (物料)."""

    __tablename__ = "product"
    title_of: ClassVar[tuple[str, ...]] = ("number", "name")

    number: str | None = c.text("Number by which people know the product (物料编码, SKU).")
    name: str | None = c.text("Name.")
    specification: str | None = c.text("Size, model, grade (规格型号).")
    description: str | None = c.longtext("Description.")
    unit: str | None = c.text("Unit it is sold in.")
    category: str | None = c.text("Group of products.")
    barcode: str | None = c.text("EAN or other bar code.")
    list_price: Amount = c.money("Price without discount, in ``currency``.")
    price_includes_tax: bool | None = c.boolean("Whether ``list_price`` includes tax.")
    currency: str | None = c.currency("Currency of ``list_price``, ISO 4217.")
    tax_rate: Amount = c.rate("Tax rate in percent (13 for 13 %).")
    status: str | None = c.choice("active", "inactive", description="Whether it is still sold.")
    weight: Amount = c.decimal("Weight of one unit in kilograms.")
