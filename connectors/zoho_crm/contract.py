"""What the contract suite must know to try this connector."""

from __future__ import annotations

from decimal import Decimal

from hub.connect.capabilities import Record
from hub.connect.contract.declare import Contract, Trial


def contract() -> Contract:
    return Contract(
        trials=(ACCOUNTS, CONTACTS, PRODUCTS, ORDERS),
        sandbox={"records": 14, "products": 14, "orders": 14, "invoices": 2},
        pages={"page_size": 5, "bulk_from": 5},
        wrong_login={"refresh_token": "1000.0000000000000000.0000000000000000"},
    )


def _account(word: str) -> Record:
    return {"Account_Name": f"合同测试 {word}", "Phone": "+86 21 5555 0199", "Annual_Revenue": Decimal("1200.50")}


def _contact(word: str) -> Record:
    return {"Last_Name": f"测试 {word}", "First_Name": "合同", "Email": f"{word.lower()}@example.com"}


def _product(word: str) -> Record:
    return {"Product_Name": f"测试品 {word}", "Product_Code": word, "Unit_Price": Decimal("19.90")}


def _order(word: str, *, product: str, account: str) -> Record:
    line = {"Product_Name": {"id": product}, "Quantity": 3, "List_Price": Decimal("19.90")}
    return {"Subject": f"测试订单 {word}", "Account_Name": {"id": account}, "Ordered_Items": [line]}


ACCOUNTS = Trial(
    "Accounts", _account, text="Billing_City", amount="Annual_Revenue", refused={"Account_Name": "x" * 201}
)
CONTACTS = Trial("Contacts", _contact, text="Mailing_City", refused={"Email": "no address"})
PRODUCTS = Trial("Products", _product, text="Manufacturer", amount="Unit_Price", refused={"Product_Name": None})
ORDERS = Trial(
    "Sales_Orders",
    _order,
    given={"product": ("Products", _product), "account": ("Accounts", _account)},
    text="Purchase_Order",
    amount="Adjustment",
    refused={"Account_Name": {"id": "404"}},
)
