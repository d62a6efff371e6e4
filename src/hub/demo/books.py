"""What each system holds, read from the systems themselves and not through the hub: the demo's independent auditor.

Customers are told by their tax number; orders and invoices by customer, title and amount: all of these are given by
people, none by the hub.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from hub.demo.company import Company

Item = dict[str, Any]
SYSTEMS = ("zoho", "kingdee", "finance_db")


def customers(company: Company, system: str) -> list[Item]:
    """``id, tax_id, name, phone, website, bank_account, active`` of each."""
    if system == "zoho":
        return [
            _customer(r["id"], r["Tax_ID"], r["Account_Name"], r["Phone"], r["Website"], r["Bank_Account"],
                      r["Customer_Status"] != "Inactive")
            for r in company.zoho.records("Accounts")
        ]  # fmt: skip
    if system == "kingdee":
        return [
            _customer(r["FCUSTID"], r["FTAXREGISTERCODE"], r["FName"], r["FTEL"], r["FWEBSITE"],
                      r["FINVOICEBANKACCOUNT"], r["FForbidStatus"] != "B")
            for r in company.kingdee.records("BD_Customer")
        ]  # fmt: skip
    return [
        _customer(r["id"], r["tax_no"], r["name"], r["phone"], r["website"], r["bank_account"], r["state"] == "A")
        for r in company.rows("SELECT * FROM customers")
    ]


def products(company: Company, system: str) -> list[str]:
    """Their numbers."""
    if system == "zoho":
        return [str(r["Product_Code"]) for r in company.zoho.records("Products")]
    if system == "kingdee":
        return [str(r["FNumber"]) for r in company.kingdee.records("BD_MATERIAL")]
    return [str(r["sku"]) for r in company.rows("SELECT sku FROM products")]


def orders(company: Company, system: str) -> list[Item]:
    """``title, customer (tax number), total, lines`` (sorted: product number, quantity) of each."""
    if system == "zoho":
        return _zoho_documents(company, "Sales_Orders", "Ordered_Items")
    if system == "kingdee":
        return _kingdee_documents(
            company, "SAL_SaleOrder", customer="FCustId", title="F_ORDER_TITLE", total="FBillAllAmount",
            lines=("FSaleOrderEntry", "FMaterialId", "FQty"),
        )  # fmt: skip
    return _finance_documents(company, "orders", "order_lines", "order_id", "subject")


def invoices(company: Company, system: str) -> list[Item]:
    """As ``orders``."""
    if system == "zoho":
        return _zoho_documents(company, "Invoices", "Invoiced_Items")
    if system == "kingdee":
        return _kingdee_documents(
            company, "AR_receivable", customer="FCUSTOMERID", title="F_INVOICE_TITLE", total="FALLAMOUNTFOR",
            lines=("FEntityDetail", "FMATERIALID", "FPriceQty"),
        )  # fmt: skip
    return _finance_documents(company, "invoices", "invoice_lines", "invoice_id", "title")


def census(company: Company) -> dict[str, dict[str, int]]:
    """System → entity → how many records it holds."""
    return {
        system: {
            "customer": len(customers(company, system)), "product": len(products(company, system)),
            "order": len(orders(company, system)), "invoice": len(invoices(company, system)),
        }
        for system in SYSTEMS
    }  # fmt: skip


def duplicates(company: Company) -> dict[str, list[str]]:
    """System → what it holds more than once."""
    found = {}
    for system in SYSTEMS:
        twice = [
            *_twice("customer", (c["tax_id"] for c in customers(company, system))),
            *_twice("product", products(company, system)),
            *_twice("order", map(_identity, orders(company, system))),
            *_twice("invoice", map(_identity, invoices(company, system))),
        ]
        if twice:
            found[system] = twice
    return found


def digits(text: Any) -> str:
    """A phone number as its national digits, however it is written."""
    kept = "".join(c for c in str(text or "") if c.isdigit())
    return kept[2:] if kept.startswith("86") and len(kept) > 11 else kept.lstrip("0")


def _identity(document: Item) -> str:
    return f"{document['title']} / {document['customer']} / {document['total']}"


def _twice(noun: str, keys: Iterable[Any]) -> list[str]:
    return [f"{noun} {key}" for key, count in Counter(k for k in keys if k).items() if count > 1]


def _customer(id: Any, tax_id: Any, name: Any, phone: Any, website: Any, bank_account: Any, active: bool) -> Item:
    return {
        "id": str(id), "tax_id": _text(tax_id), "name": _text(name), "phone": digits(phone), "website": _text(website),
        "bank_account": _text(bank_account), "active": active,
    }  # fmt: skip


def _zoho_documents(company: Company, module: str, lines: str) -> list[Item]:
    tax_ids = {r["id"]: _text(r["Tax_ID"]) for r in company.zoho.records("Accounts")}
    codes = {r["id"]: str(r["Product_Code"]) for r in company.zoho.records("Products")}
    return [
        _document(
            r["Subject"], tax_ids.get((r["Account_Name"] or {}).get("id"), ""), r["Grand_Total"],
            [(codes.get((line["Product_Name"] or {}).get("id"), ""), line["Quantity"]) for line in r[lines]],
        )
        for r in company.zoho.records(module)
    ]  # fmt: skip


def _kingdee_documents(
    company: Company, form: str, *, customer: str, title: str, total: str, lines: tuple[str, str, str]
) -> list[Item]:
    tax_ids = {r["FNumber"]: _text(r["FTAXREGISTERCODE"]) for r in company.kingdee.records("BD_Customer")}
    entry, material, quantity = lines
    return [
        _document(
            r[title], tax_ids.get((r[customer] or {}).get("FNumber"), ""), r[total],
            [((line[material] or {}).get("FNumber", ""), line[quantity]) for line in r[entry]],
        )
        for r in company.kingdee.records(form)
    ]  # fmt: skip


def _finance_documents(company: Company, table: str, lines: str, parent: str, title: str) -> list[Item]:
    tax_ids = {r["id"]: _text(r["tax_no"]) for r in company.rows("SELECT id, tax_no FROM customers")}
    skus = {r["id"]: r["sku"] for r in company.rows("SELECT id, sku FROM products")}
    below: dict[Any, list[tuple[str, Any]]] = {}
    for line in company.rows(f"SELECT {parent} AS parent, product_id, quantity FROM {lines}"):  # noqa: S608
        below.setdefault(line["parent"], []).append((skus.get(line["product_id"], ""), line["quantity"]))
    return [
        _document(r[title], tax_ids.get(r["customer_id"], ""), r["total"], below.get(r["id"], []))
        for r in company.rows(f"SELECT * FROM {table}")  # noqa: S608
    ]


def _document(title: Any, customer: str, total: Any, lines: Iterable[tuple[str, Any]]) -> Item:
    return {
        "title": _text(title), "customer": customer, "total": _amount(total),
        "lines": sorted((product, str(_amount(quantity))) for product, quantity in lines),
    }  # fmt: skip


def _amount(value: Any) -> Decimal:
    return Decimal(str(value or 0)).quantize(Decimal("0.01"))


def _text(value: Any) -> str:
    return str(value or "").strip()
