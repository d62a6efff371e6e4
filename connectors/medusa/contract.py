"""What the contract suite must know to try Medusa: a shop of one's own."""

from __future__ import annotations

from decimal import Decimal

from hub.connect.capabilities import Record
from hub.connect.contract.declare import Contract, Trial

TABLES = {
    "customers": "customer WHERE deleted_at IS NULL",
    "products": "product WHERE deleted_at IS NULL",
}


def contract() -> Contract:
    return Contract(trials=(CUSTOMERS, PRODUCTS), pages={"page": 5}, tables=TABLES, wrong_login={"key": "sk_wrong"})


def _customer(word: str) -> Record:
    return {"email": f"{word.lower()}@example.com", "company_name": f"合同测试 {word}"}


def _product(word: str) -> Record:
    prices = [{"amount": Decimal("11.30"), "currency_code": "cny"}]
    return {"title": f"测试品 {word}", "variants": [{"sku": word, "prices": prices}]}


CUSTOMERS = Trial("customers", _customer, text="company_name", unique="email", refused={"email": "no address"})
PRODUCTS = Trial("products", _product, text="title", refused={"title": None})
