"""Killed between two calls of one write: an ERP saves, submits and audits, and opens what is audited before saving.

What a dying pass left half-way is brought to its end by the next one. It is no edit: a draft in the ERP takes no
approved order back, and an unaudited customer keeps no order out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bad_days.bad_company import BadCompany
from bad_days.bad_numbers import Numbers
from bad_days.mortal import MortalHub

from hub.demo import books

BEFORE, AFTER = 1, 2
"""A request's two moments."""
CREATING = [("BatchSave", AFTER), ("Submit", BEFORE), ("Submit", AFTER), ("Audit", BEFORE), ("Audit", AFTER)]
UPDATING = [("UnAudit", AFTER), ("BatchSave", BEFORE), *CREATING]


class Office:
    """Somebody who enters things and knows what must have become of them."""

    def __init__(self, company: BadCompany, mortal: MortalHub) -> None:
        self.company = company
        self.mortal = mortal
        self.numbers = Numbers()

    def order(self, tax_id: str) -> str:
        title = self.numbers.title()
        self.company.new_order(title, tax_id, 3, 4)
        return title

    def states(self, title: str) -> tuple[list[str], list[str]]:
        """Of an order: in Zoho and in Kingdee."""
        orders = self.company.kingdee.records("SAL_SaleOrder")
        return (
            [o["Status"] for o in self.company.zoho.records("Sales_Orders") if o["Subject"] == title],
            [o["FDocumentStatus"] for o in orders if o["F_ORDER_TITLE"] == title],
        )

    def dies(self, request: str, moment: int) -> None:
        assert self.mortal.sync(moment, of=f"{request}.common")["status"] == -9, request
        self.company.later(121)

    def recovers(self) -> None:
        report = self.company.sync()
        assert (report.state, report.failures, report.open_letters, report.open_conflicts) == ("done", [], 0, 0)


@pytest.fixture
def office(own_company: BadCompany, mortal: MortalHub) -> Office:
    return Office(own_company, mortal)


def test_a_new_order_is_submitted_and_audited_by_the_next_pass(office: Office) -> None:
    for request, moment in CREATING:
        title = office.order(office.company.tax_ids()[0])
        office.dies(request, moment)
        office.recovers()
        assert office.states(title) == (["Approved"], ["C"]), (request, moment)
    office.company.assert_agreement()


def test_a_new_customer_can_be_sold_to_after_the_next_pass(office: Office) -> None:
    for request, moment in CREATING:
        tax_id = office.numbers.tax_id()
        office.company.new_account(f"半途有限公司 {tax_id[-6:]}", tax_id)
        office.dies(request, moment)
        office.recovers()
        title = office.order(tax_id)
        office.recovers()
        assert office.states(title) == (["Approved"], ["C"]), (request, moment)
    office.company.assert_agreement()


def test_a_new_customer_out_of_use_is_out_of_use_everywhere(office: Office) -> None:
    tax_id = office.numbers.tax_id()
    office.company.new_account(f"停用有限公司 {tax_id[-6:]}", tax_id, Customer_Status="Inactive")
    office.dies("Audit", AFTER)
    office.recovers()
    for system in books.SYSTEMS:
        assert not office.company.customer(system, tax_id)["active"], system
    office.company.assert_agreement()


@pytest.mark.parametrize("what", ["customer", "order"])
def test_what_was_opened_to_be_changed_is_changed_and_shut_again(office: Office, what: str) -> None:
    company = office.company
    tax_id = company.tax_ids()[0]
    title = office.order(tax_id)
    office.recovers()
    key = next(o["id"] for o in company.zoho.records("Sales_Orders") if o["Subject"] == title)
    edit: dict[str, Callable[[str], Any]] = {
        "customer": lambda word: company.edit("zoho", tax_id, Website=f"https://{word}.example.com"),
        "order": lambda word: company.zoho.edit("Sales_Orders", key, {"Purchase_Order": word}, "anna"),
    }
    for at, (request, moment) in enumerate(UPDATING):
        edit[what](f"po{at}")
        office.dies(request, moment)
        office.recovers()
        assert office.states(title) == (["Approved"], ["C"]), (request, moment)
        new = office.order(tax_id)
        office.recovers()
        assert office.states(new) == (["Approved"], ["C"]), (request, moment)
    (there,) = [o for o in company.kingdee.records("SAL_SaleOrder") if o["F_ORDER_TITLE"] == title]
    if what == "order":
        assert there["F_CUSTOMER_PO"] == f"po{at}"
    company.assert_agreement()


def test_a_cancelled_order_is_cancelled_by_the_next_pass(office: Office) -> None:
    for request, moment in [("UnAudit", AFTER), ("ExcuteOperation", BEFORE), ("ExcuteOperation", AFTER)]:
        title = office.order(office.company.tax_ids()[0])
        office.recovers()
        key = next(o["id"] for o in office.company.zoho.records("Sales_Orders") if o["Subject"] == title)
        office.company.zoho.edit("Sales_Orders", key, {"Status": "Cancelled"}, "anna")
        office.dies(request, moment)
        office.recovers()
        (there,) = [o for o in office.company.kingdee.records("SAL_SaleOrder") if o["F_ORDER_TITLE"] == title]
        assert there["FCancelStatus"] == "B", (request, moment)
        assert office.states(title)[0] == ["Cancelled"], (request, moment)
    office.company.assert_agreement()
