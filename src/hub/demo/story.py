"""A working day at the demo's company: what people edit between two passes, and what must have come of it.

Each step is told, done in one system the way its users would, and checked afterwards in all the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hub.demo import books
from hub.demo.company import Company

Check = Callable[[Company], bool]
PHONE = "+86 21 6888 1234"
ACCOUNT = "6222020200112233445"
WEBSITE = "https://new-site.example.com"
ORDER = "展会补货订单"
INVOICE = "年度服务费发票"
REFUSED = "停用客户的订单"


@dataclass(slots=True)
class Step:
    """One thing somebody does. ``check`` looks at the systems after the second sync."""

    who: str
    what: str
    expected: str
    check: Check
    ok: bool | None = None


@dataclass(slots=True)
class Story:
    """The steps of the day, done."""

    steps: list[Step] = field(default_factory=list)

    def verify(self, company: Company) -> bool:
        """Look at every step's result in the systems themselves."""
        for step in self.steps:
            step.ok = step.check(company)
        return all(step.ok for step in self.steps)


def live_the_day(company: Company) -> Story:
    """Make all the edits, on all three sides."""
    cast = _Cast(company)
    return Story([
        _phone(company, cast.next()), _bank(company, cast.next()), _website(company, cast.next()),
        _conflict(company, cast.next()), _not_the_owner(company, cast.next()), _deleted(company, cast.lonely()),
        _order(company, cast.next()), _invoice(company, cast.next()), _refused(company, cast.forbidden()),
    ])  # fmt: skip


class _Cast:
    """Chooses customers for the steps: each of them another one."""

    def __init__(self, company: Company) -> None:
        self._by_tax = {
            system: {c["tax_id"]: c for c in books.customers(company, system) if c["tax_id"]}
            for system in books.SYSTEMS
        }
        zoho = self._by_tax["zoho"]
        self._busy = {d["customer"] for d in (*books.orders(company, "zoho"), *books.invoices(company, "zoho"))}
        self._known = iter([
            self._everywhere(tax_id) for tax_id, c in zoho.items()
            if c["active"] and c["phone"] and tax_id in self._by_tax["kingdee"] and tax_id in self._by_tax["finance_db"]
        ])  # fmt: skip

    def next(self) -> dict[str, Any]:
        """An active customer that all three systems know: system → its record there, and ``tax_id``."""
        return next(self._known)

    def lonely(self) -> dict[str, Any]:
        """The last customer of the CRM that never ordered anything."""
        free = [t for t, c in self._by_tax["zoho"].items() if c["active"] and t not in self._busy]
        return self._everywhere(free[-1])

    def forbidden(self) -> dict[str, Any]:
        """A customer that the ERP has forbidden."""
        return self._everywhere(next(t for t, c in self._by_tax["kingdee"].items() if not c["active"]))

    def _everywhere(self, tax_id: str) -> dict[str, Any]:
        return {"tax_id": tax_id, **{system: known.get(tax_id) for system, known in self._by_tax.items()}}


def _customer(company: Company, system: str, tax_id: str) -> dict[str, Any]:
    return next((c for c in books.customers(company, system) if c["tax_id"] == tax_id), {})


def _same_everywhere(tax_id: str, name: str, wanted: Any) -> Check:
    def check(company: Company) -> bool:
        return all(_customer(company, system, tax_id).get(name) == wanted for system in books.SYSTEMS)

    return check


def _phone(company: Company, one: dict[str, Any]) -> Step:
    company.zoho.edit("Accounts", one["zoho"]["id"], {"Phone": PHONE}, "sales")
    return Step(
        "sales, in Zoho", f"gives {one['zoho']['name']} a new phone number",
        "it reaches Kingdee and the finance database", _same_everywhere(one["tax_id"], "phone", books.digits(PHONE)),
    )  # fmt: skip


def _bank(company: Company, one: dict[str, Any]) -> Step:
    company.kingdee.edit("BD_Customer", one["kingdee"]["id"], {"FINVOICEBANKACCOUNT": ACCOUNT}, "accounting")
    return Step(
        "accounting, in Kingdee", f"enters a new bank account of {one['kingdee']['name']}",
        "it reaches Zoho and the finance database", _same_everywhere(one["tax_id"], "bank_account", ACCOUNT),
    )  # fmt: skip


def _website(company: Company, one: dict[str, Any]) -> Step:
    company.change("UPDATE customers SET website = ? WHERE id = ?", WEBSITE, one["finance_db"]["id"])
    return Step(
        "finance, in its database", f"corrects the web address of {one['finance_db']['name']}",
        "it reaches Zoho and Kingdee", _same_everywhere(one["tax_id"], "website", WEBSITE),
    )  # fmt: skip


def _conflict(company: Company, one: dict[str, Any]) -> Step:
    crm, erp = "+86 10 5555 0001", "010-5555-0002"
    company.zoho.edit("Accounts", one["zoho"]["id"], {"Phone": crm}, "sales")
    company.kingdee.edit("BD_Customer", one["kingdee"]["id"], {"FTEL": erp}, "accounting")

    def check(after: Company) -> bool:
        kept = [_customer(after, system, one["tax_id"])["phone"] for system in ("zoho", "kingdee")]
        return kept == [books.digits(crm), books.digits(erp)]

    return Step(
        "sales and accounting", f"both change the phone number of {one['zoho']['name']}, differently",
        "a conflict: both keep theirs until a person decides", check,
    )  # fmt: skip


def _not_the_owner(company: Company, one: dict[str, Any]) -> Step:
    company.zoho.edit("Accounts", one["zoho"]["id"], {"Tax_ID": "91110000TYPO000000"}, "sales")
    return Step(
        "sales, in Zoho", f"mistypes the tax number of {one['zoho']['name']}, which Kingdee owns",
        "refused: Zoho gets the right one back", _same_everywhere(one["tax_id"], "tax_id", one["tax_id"]),
    )  # fmt: skip


def _deleted(company: Company, one: dict[str, Any]) -> Step:
    company.zoho.delete("Accounts", one["zoho"]["id"], "sales")

    def check(after: Company) -> bool:
        gone = not _customer(after, "zoho", one["tax_id"])
        return gone and not any(_customer(after, s, one["tax_id"])["active"] for s in ("kingdee", "finance_db"))

    return Step(
        "sales, in Zoho", f"deletes {one['zoho']['name']}",
        "archived in Kingdee and the finance database, not destroyed", check,
    )  # fmt: skip


def _order(company: Company, one: dict[str, Any]) -> Step:
    goods = company.zoho.records("Products")[:2]
    company.zoho.create("Sales_Orders", _zoho_order(ORDER, one, goods), "sales")
    wanted = sorted(
        (str(good["Product_Code"]), f"{quantity}.00") for good, quantity in zip(goods, (3, 10), strict=True)
    )

    def check(after: Company) -> bool:
        found = [[d for d in books.orders(after, system) if d["title"] == ORDER] for system in books.SYSTEMS]
        return all(len(d) == 1 and d[0]["lines"] == wanted and d[0] == found[0][0] for d in found)

    return Step(
        "sales, in Zoho", f"enters an order with two lines for {one['zoho']['name']}",
        "it is in Kingdee and the finance database, with lines and exact amounts", check,
    )  # fmt: skip


def _zoho_order(title: str, one: dict[str, Any], goods: list[dict[str, Any]]) -> dict[str, Any]:
    lines = [
        {"Product_Name": {"id": good["id"]}, "Quantity": quantity, "List_Price": price, "Discount": 0, "Tax_Rate": 13,
         "Line_Tax": [{"name": "VAT", "percentage": 13}], "Unit": good["Usage_Unit"], "Sequence_Number": str(at)}
        for at, (good, quantity, price) in enumerate(zip(goods, (3, 10), (120.5, 8.88), strict=False), 1)
    ]  # fmt: skip
    return {
        "Subject": title, "Account_Name": {"id": one["zoho"]["id"]}, "Order_Date": "2026-03-02", "Status": "Approved",
        "Currency": "CNY", "Exchange_Rate": 1, "Ordered_Items": lines,
    }  # fmt: skip


def _invoice(company: Company, one: dict[str, Any]) -> Step:
    goods = company.kingdee.records("BD_MATERIAL")[:1]
    company.kingdee.create("AR_receivable", {
        "FCUSTOMERID": {"FNumber": _number(company, one)}, "FDATE": "2026-03-03", "FENDDATE_H": "2026-04-02",
        "F_INVOICE_TITLE": INVOICE, "F_EINVOICE_NO": "26312000000012345678",
        "FEntityDetail": [{"FMATERIALID": {"FNumber": goods[0]["FNumber"]}, "FPRICEUNITID": goods[0]["FBaseUnitId"],
                           "FPriceQty": 4, "FPrice": 250, "FEntryTaxRate": 13}],
    }, "accounting")  # fmt: skip

    def check(after: Company) -> bool:
        found = [[d for d in books.invoices(after, system) if d["title"] == INVOICE] for system in books.SYSTEMS]
        return all(len(d) == 1 and d[0] == found[0][0] for d in found)

    return Step(
        "accounting, in Kingdee", f"invoices {one['kingdee']['name']}",
        "the invoice is in Zoho and the finance database, with its line and exact amounts", check,
    )  # fmt: skip


def _number(company: Company, one: dict[str, Any]) -> str:
    return next(
        str(r["FNumber"]) for r in company.kingdee.records("BD_Customer") if str(r["FCUSTID"]) == one["kingdee"]["id"]
    )


def _refused(company: Company, one: dict[str, Any]) -> Step:
    goods = company.zoho.records("Products")[:1]
    company.zoho.create("Sales_Orders", _zoho_order(REFUSED, one, goods), "sales")

    def check(after: Company) -> bool:
        return not any(d["title"] == REFUSED for d in books.orders(after, "kingdee"))

    return Step(
        "sales, in Zoho", f"enters an order for {one['zoho']['name']}, whom Kingdee has forbidden",
        "Kingdee refuses it: a dead letter says why, and all the rest goes on", check,
    )  # fmt: skip
