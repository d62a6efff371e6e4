"""What the contract suite must know to try Tryton: a database of one's own with a company in it."""

from __future__ import annotations

from decimal import Decimal

from hub.connect.capabilities import Record
from hub.connect.contract.declare import Contract, Trial
from hub.connect.contract.servers import by_rpc

KINDS = by_rpc({"create", "write", "delete"}, {"version", "login", "get_preferences"})
TABLES = {"party.party": "party_party", "product.product": "product_product"}


def contract() -> Contract:
    return Contract(
        trials=(PARTIES, PRODUCTS), pages={"page": 5}, tables=TABLES, wrong_login={"password": "wrong"}, kinds=KINDS
    )


def _party(word: str) -> Record:
    return {"name": f"合同测试 {word}", "addresses": [{"street": f"人民路 {word}", "city": "上海"}]}


def _product(word: str) -> Record:
    template = {"name": f"测试品 {word}", "list_price": Decimal("11.30"), "default_uom": 1, "type": "goods"}
    return {"suffix_code": word, "template": template}


PARTIES = Trial("party.party", _party, text="name", refused={"identifiers": [{"type": "cn_vat", "code": "1"}]})
PRODUCTS = Trial("product.product", _product, text="suffix_code", refused={"template": {"name": None}})
