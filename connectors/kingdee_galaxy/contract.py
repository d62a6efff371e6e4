"""What the contract suite must know to try this connector."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.connect.capabilities import Record
from hub.connect.contract.declare import Contract, Trial

CNY = {"FNumber": "PRE001"}
STAGES = {"submit": True, "audit": True, "unaudit": True}
KINDS = {"FErpClsID": "1", "FCategoryID": {"FNumber": "CHLB05_SYS"}}


def contract() -> Contract:
    return Contract(
        trials=(CUSTOMERS, BY_NUMBER, MATERIALS, ORDERS),
        sandbox={"records": 30, "products": 30, "orders": 30, "invoices": 2},
        settings={"probe_wait": 0, "clock_slack": 5},
        pages={"page_rows": 10},
        address="url",
        wrong_login={"app_secret": "0" * 32},
    )


def _customer(word: str) -> Record:
    return {"FName": f"合同测试 {word}", "FNumber": word, "FTEL": "021-55550199", "FTRADINGCURRID": CNY}


def _material(word: str) -> Record:
    made = {"FName": f"测试品 {word}", "FNumber": word, "FBaseUnitId": {"FNumber": "Pcs"}, "FNETWEIGHT": Decimal("1.5")}
    return made | KINDS


def _order(word: str, *, customer: str, material: str) -> Record:
    line = {"FMaterialId": {"FNumber": material}, "FQty": 3, "FTaxPrice": Decimal("11.3"), "FEntryTaxRate": 13}
    head = {"FDate": "2026-01-15", "FCustId": {"FNumber": customer}, "FSettleCurrId": CNY, "FIsIncludedTax": True}
    return {"FBillNo": word, **head, "FSaleOrderEntry": [line]}


def _trial(resource: str, new: Any, **more: Any) -> Trial:
    return Trial(resource, new, write=STAGES, **more)


CUSTOMERS = _trial(
    "BD_Customer", _customer, text="FADDRESS", unique="FNumber", refused={"FTRADINGCURRID": {"FNumber": "NOPE"}}
)
BY_NUMBER = _trial(
    "BD_Customer",
    _customer,
    note="without a field for the hub's key",
    settings={"key_field": None},
    text="FADDRESS",
    unique="FNumber",
    refused={"FTRADINGCURRID": {"FNumber": "NOPE"}},
)
MATERIALS = _trial(
    "BD_MATERIAL",
    _material,
    text="FSpecification",
    amount="FNETWEIGHT",
    unique="FNumber",
    refused={"FBaseUnitId": {"FNumber": "NOPE"}},
)
ORDERS = Trial(
    "SAL_SaleOrder",
    _order,
    given={"customer": ("BD_Customer", _customer), "material": ("BD_MATERIAL", _material)},
    text="FNote",
    unique="FBillNo",
    refused={"FCustId": {"FNumber": "NOPE"}},
    write={**STAGES, "defaults": {"FSalerId": {"FNumber": "S01"}}},
)
