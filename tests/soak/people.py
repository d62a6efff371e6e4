"""The people of the soak: they work all the time, whatever the weather, and everything they enter is remembered.

Each field of a record has one system in which people edit it, so that nobody has to decide between two edits (phone
numbers are the exception), and the last value entered is the one that must be everywhere in the end.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from stdnum.cn import uscc

from hub.demo import books
from hub.errors import HubError

from .company import Company

Row = dict[str, Any]
NAMES = (
    "杀不死有限公司", "O'Neil & Söhne GmbH", "'; DROP TABLE customers; --", '" OR 1=1 --', "<script>alert(1)</script>",
    "${ZOHO_CLIENT_SECRET}", "{{ 7*7 }}", "=HYPERLINK(1)", "100% 折扣_公司", "back\\slash公司", "🦊 狐狸贸易",
    "C:\\Temp",    "naïve Ω Ltd", "select 1 from dual", "null", "0", "TRUE",
)  # fmt: skip
LONG = 8_000


@dataclass
class Ledger:
    """What people did, and what must have come of it."""

    last: dict[tuple[str, str], str] = field(default_factory=dict)
    """(tax number, field) → the last value entered."""
    customers: list[str] = field(default_factory=list)
    """Tax numbers of customers that people entered."""
    deleted: list[str] = field(default_factory=list)
    orders: dict[str, list[int]] = field(default_factory=dict)
    """Title → quantities of its lines."""
    invoices: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    phones: set[str] = field(default_factory=set)
    """Customers whose phone number was changed on two sides."""
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    """What the products themselves did not take."""


class People(threading.Thread):
    """Works until ``stop``. All of its doings go through the products' own screens, never through the hub."""

    def __init__(self, company: Company, seed: int, pause: float) -> None:
        super().__init__(name="people", daemon=True)
        self.company = company
        self.chance = random.Random(seed)
        self.ledger = Ledger()
        self.pause = pause
        self.number = 0
        self.problem: BaseException | None = None
        self._quit = threading.Event()
        self._known: list[Row] = []
        self._looked = 0.0

    def run(self) -> None:
        try:
            while not self._quit.is_set():
                self.work()
                self._quit.wait(self.chance.uniform(0, 2 * self.pause))
        except BaseException as problem:
            self.problem = problem
            raise

    def stop(self) -> None:
        self._quit.set()
        self.join(60)

    def work(self) -> None:
        """One thing somebody does."""
        acts = [
            (self._website, 20), (self._bank_account, 20), (self._postcode, 20), (self._new_customer, 8),
            (self._new_order, 8), (self._quantity, 6), (self._new_invoice, 4), (self._new_product, 2),
            (self._novel, 2), (self._phone, 2), (self._not_the_owner, 3), (self._delete, 1),
        ]  # fmt: skip
        act = self.chance.choices([a for a, _ in acts], [w for _, w in acts])[0]
        name = act.__name__.strip("_").replace("_", " ")
        try:
            if act():
                self.ledger.done[name] += 1
        except HubError as refused:
            # The control API: the product itself says no (a record that is locked, forbidden, just deleted).
            self.ledger.refused[f"{name}: {refused.what[:60]}"] += 1

    # --- edits ------------------------------------------------------------------------------------------------------

    def _website(self) -> bool:
        one, value = self._one(), f"https://w{self._next()}.example.com"
        self.company.zoho.edit("Accounts", one["zoho"], {"Website": value}, "anna")
        return self._noted(one, "website", value)

    def _bank_account(self) -> bool:
        one, value = self._one(), f"6222{self._next():012}"
        self.company.kingdee.edit("BD_Customer", one["kingdee"], {"FINVOICEBANKACCOUNT": value}, "li")
        return self._noted(one, "bank_account", value)

    def _postcode(self) -> bool:
        one, value = self._one(), f"{self._next():06}"
        self.company.rows("UPDATE customers SET postcode = ? WHERE id = ?", value, int(one["finance_db"]))
        return self._noted(one, "postcode", value)

    def _novel(self) -> bool:
        """Somebody pastes a very long text."""
        one, value = self._one(), f"{self._next()} " + "长" * LONG
        self.company.zoho.edit("Accounts", one["zoho"], {"Description": value}, "anna")
        return self._noted(one, "description", value)

    def _not_the_owner(self) -> bool:
        """The name is the CRM's: what the ERP makes of it is put right."""
        one = self._one()
        self.company.kingdee.edit("BD_Customer", one["kingdee"], {"FName": f"错名 {self._next()}"}, "li")
        return True

    def _phone(self) -> bool:
        """Two people at once: a conflict, or one after the other."""
        one, number = self._one(), self._next()
        self.company.zoho.edit("Accounts", one["zoho"], {"Phone": f"+86 21 5{number:07}"}, "anna")
        self.company.kingdee.edit("BD_Customer", one["kingdee"], {"FTEL": f"021-6{number:07}"}, "li")
        self.ledger.phones.add(one["tax_id"])
        return True

    def _delete(self) -> bool:
        """A customer without documents leaves the CRM: archived elsewhere."""
        busy = {d["customer"] for d in (*books.orders(self.company, "zoho"), *books.invoices(self.company, "kingdee"))}  # type: ignore[arg-type]
        free = [c for c in self._everywhere() if c["tax_id"] not in busy and c["tax_id"] in self.ledger.customers]
        if not free:
            return False
        one = self.chance.choice(free)
        self._known = [c for c in self._known if c["tax_id"] != one["tax_id"]]
        self.company.zoho.delete("Accounts", one["zoho"], "anna")
        self.ledger.deleted.append(one["tax_id"])
        return True

    # --- new records ------------------------------------------------------------------------------------------------

    def _new_customer(self, system: str | None = None) -> bool:
        body = f"91310115MA{self._next():07}"
        tax_id = body + uscc.calc_check_digit(body)
        name = f"{self.chance.choice(NAMES)} {tax_id[-6:]}"
        system = system or self.chance.choice(("zoho", "kingdee", "finance_db"))
        if system == "zoho":
            values = {"Account_Name": name, "Tax_ID": tax_id, "Customer_Status": "Active", "Currency": "CNY"}
            self.company.zoho.create("Accounts", values, "anna")
        elif system == "kingdee":
            self.company.kingdee.create("BD_Customer", {"FName": name, "FTAXREGISTERCODE": tax_id}, "li")
        else:
            statement = "INSERT INTO customers (name, tax_no, currency) VALUES (?, ?, 'CNY')"
            self.company.rows(statement, name, tax_id)
        self.ledger.customers.append(tax_id)
        return self._noted({"tax_id": tax_id}, "name", name)

    def _new_order(self) -> bool:
        goods, title = self.company.zoho.records("Products")[:12], f"补货订单 {self._next():06}"
        quantities = [self.chance.randrange(1, 60) for _ in range(self.chance.randrange(1, 4))]
        lines = [
            {"Product_Name": {"id": good["id"]}, "Quantity": quantity, "List_Price": 120.55, "Discount": 0,
             "Tax_Rate": 13, "Line_Tax": [{"name": "VAT", "percentage": 13}], "Unit": good["Usage_Unit"],
             "Sequence_Number": str(at)}
            for at, (good, quantity) in enumerate(zip(self.chance.sample(goods, 3), quantities, strict=False), 1)
        ]  # fmt: skip
        self.company.zoho.create("Sales_Orders", {
            "Subject": title, "Account_Name": {"id": self._one()["zoho"]}, "Order_Date": "2026-03-02",
            "Status": "Approved", "Currency": "CNY", "Exchange_Rate": 1, "Ordered_Items": lines,
        }, "anna")  # fmt: skip
        self.ledger.orders[title] = quantities
        return True

    def _quantity(self) -> bool:
        """Somebody changes one line of an order."""
        if not self.ledger.orders:
            return False
        title = self.chance.choice(list(self.ledger.orders))
        order = next(o for o in self.company.zoho.records("Sales_Orders") if o["Subject"] == title)
        at = self.chance.randrange(len(self.ledger.orders[title]))
        quantity = self.chance.randrange(1, 60)
        line = next(x for x in order["Ordered_Items"] if str(x["Sequence_Number"]) == str(at + 1))
        self.company.zoho.edit(
            "Sales_Orders", order["id"], {"Ordered_Items": [{"id": line["id"], "Quantity": quantity}]}, "anna"
        )
        self.ledger.orders[title][at] = quantity
        return True

    def _new_invoice(self) -> bool:
        good, title = self.chance.choice(self.company.kingdee.records("BD_MATERIAL")[:12]), f"服务费 {self._next():06}"
        one = self._one()
        number = next(
            c["FNumber"] for c in self.company.kingdee.records("BD_Customer") if str(c["FCUSTID"]) == one["kingdee"]
        )
        self.company.kingdee.create("AR_receivable", {
            "FCUSTOMERID": {"FNumber": number}, "FDATE": "2026-03-03", "FENDDATE_H": "2026-04-02",
            "F_INVOICE_TITLE": title, "F_EINVOICE_NO": f"2631{self._next():016}",
            "FEntityDetail": [{"FMATERIALID": {"FNumber": good["FNumber"]}, "FPRICEUNITID": good["FBaseUnitId"],
                               "FPriceQty": self.chance.randrange(1, 9), "FPrice": 250, "FEntryTaxRate": 13}],
        }, "li")  # fmt: skip
        self.ledger.invoices.append(title)
        return True

    def _new_product(self) -> bool:
        code = f"M-9{self._next():05}"
        self.company.zoho.create(
            "Products", {"Product_Name": f"新品 {code}", "Product_Code": code, "Usage_Unit": "件"}, "anna"
        )
        self.ledger.products.append(code)
        return True

    # --- what they know ---------------------------------------------------------------------------------------------

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _noted(self, one: Row, name: str, value: str) -> bool:
        self.ledger.last[one["tax_id"], name] = value
        return True

    def _one(self) -> Row:
        return self.chance.choice(self._everywhere())

    def _everywhere(self) -> list[Row]:
        """Customers that all three systems know and use; looked up now and then."""
        if time.monotonic() - self._looked > 20 or not self._known:
            found = {
                s: {c["tax_id"]: c["id"] for c in books.customers(self.company, s) if c["active"] and c["tax_id"]}  # type: ignore[arg-type]
                for s in books.SYSTEMS
            }
            common = sorted(set.intersection(*(set(known) for known in found.values())) - set(self.ledger.deleted))
            self._known = [{"tax_id": t, **{s: found[s][t] for s in books.SYSTEMS}} for t in common]
            self._looked = time.monotonic()
        return self._known
