"""What the contract suite must know to try Directus: a server of one's own with the collections of the README."""

from __future__ import annotations

from decimal import Decimal

from hub.connect.capabilities import Record
from hub.connect.contract.declare import Contract, Trial

TABLES = {"contacts": "contacts", "products": "products"}


def contract() -> Contract:
    return Contract(trials=(CONTACTS, PRODUCTS), pages={"page": 5}, tables=TABLES, wrong_login={"token": "wrong"})


def _contact(word: str) -> Record:
    return {"full_name": f"合同测试 {word}", "email": f"{word.lower()}@example.com", "phone": "+86 21 5555 0001"}


def _product(word: str) -> Record:
    return {"sku": word, "name": f"测试品 {word}", "price": Decimal("11.3000"), "active": True}


CONTACTS = Trial("contacts", _contact, text="full_name", refused={"full_name": None})
PRODUCTS = Trial("products", _product, text="name", amount="price", unique="sku", refused={"name": None})
