"""Bad days while writing: one record, one batch or one answer is lost or refused; the rest arrives, nothing doubles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bad_days.bad_company import BadCompany
from bad_days.bad_numbers import Numbers

from hub.demo import books
from hub.sync.report import Event

NAMES = ["上海云帆贸易有限公司", "Grünwald Möbel GmbH", "Ćwikła & Synowie Sp."]
NEVER_ARRIVED: dict[str, Any] = {"kind": "drop_before"}
LOST: dict[str, Any] = {"kind": "drop_after"}
CUT: dict[str, Any] = {"kind": "truncate"}
GARBLED: dict[str, Any] = {"kind": "garble"}
BAD_GATEWAY: dict[str, Any] = {"kind": "html", "status": 502, "after": True}
NOT_DONE: dict[str, Any] = {"kind": "status", "status": 500}
EMPTY: dict[str, Any] = {"kind": "empty", "after": True}


@pytest.mark.parametrize(
    ("system", "fault"),
    [
        ("zoho", NEVER_ARRIVED), ("zoho", LOST), ("zoho", BAD_GATEWAY),
        ("kingdee", NEVER_ARRIVED), ("kingdee", LOST), ("kingdee", CUT), ("kingdee", GARBLED),
        ("kingdee", BAD_GATEWAY), ("kingdee", {"kind": "partial_batch"}),
    ],
    ids=lambda value: value if isinstance(value, str) else value["kind"],
)  # fmt: skip
def test_each_customer_is_made_once_whatever_became_of_the_answer(
    company: BadCompany, numbers: Numbers, system: str, fault: dict[str, Any]
) -> None:
    made = [numbers.tax_id() for _ in NAMES]
    for name, tax_id in zip(NAMES, made, strict=True):
        company.rows(
            "INSERT INTO customers (name, tax_no, currency) VALUES (?, ?, 'CNY')", f"{name} {tax_id[-6:]}", tax_id
        )
    company.fault(system, **fault, operation={"zoho": "insert Accounts", "kingdee": "BatchSave BD_Customer"}[system])
    said = company.hub("sync", "--json")
    assert getattr(company, system).faults()[0]["hits"] == 1
    assert (said.code, said.failures) == (0, []), "the pass itself looks the records up and goes on"
    for one in books.SYSTEMS:
        found = [c["tax_id"] for c in books.customers(company, one)]  # type: ignore[arg-type]
        assert [found.count(tax_id) for tax_id in made] == [1, 1, 1], one


def test_an_answer_that_says_nothing_ends_that_part_and_the_next_pass_finds_what_was_made(
    company: BadCompany, numbers: Numbers
) -> None:
    tax_id = numbers.tax_id()
    company.rows("INSERT INTO customers (name, tax_no, currency) VALUES ('温州空答有限公司', ?, 'CNY')", tax_id)
    company.fault("zoho", **EMPTY, operation="insert Accounts")
    said = company.hub("sync", "--json")
    assert said.code == 3
    assert said.failures == [
        ("zoho", "customer", "UnexpectedAnswer",
         "zoho/Accounts: an empty answer where JSON was due (status 200)"
         " → check the system's address, and that no proxy answers for it"),
    ]  # fmt: skip
    assert company.customer("kingdee", tax_id), "the rest of the pass did not go on"
    assert company.hub("sync", "--json").code == 0
    assert [c["tax_id"] for c in books.customers(company, "zoho")].count(tax_id) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("system", "operation", "fault"),
    [
        ("zoho", "update Sales_Orders", LOST), ("zoho", "update Sales_Orders", BAD_GATEWAY),
        ("kingdee", "BatchSave SAL_SaleOrder", LOST), ("kingdee", "BatchSave SAL_SaleOrder", CUT),
        ("kingdee", "Audit SAL_SaleOrder", LOST),
    ],
    ids=lambda value: value if isinstance(value, str) else value["kind"],
)  # fmt: skip
def test_no_line_of_an_order_doubles(
    company: BadCompany, numbers: Numbers, system: str, operation: str, fault: dict[str, Any]
) -> None:
    title = numbers.title()
    company.new_order(title, company.tax_ids()[1], 3, 5)
    company.fault(system, **fault, operation=operation)
    company.hub("sync", "--json")
    assert getattr(company, system).faults()[0]["hits"] == 1
    company.mend()
    assert company.hub("sync", "--json").code == 0
    found = [[d for d in books.orders(company, s) if d["title"] == title] for s in books.SYSTEMS]  # type: ignore[arg-type]
    assert [[line[1] for line in one["lines"]] for some in found for one in some] == [["3.00", "5.00"]] * 3


def test_a_saved_order_that_can_not_be_submitted_is_a_letter_and_replaying_it_submits(
    company: BadCompany, numbers: Numbers
) -> None:
    title = numbers.title()
    company.new_order(title, company.tax_ids()[1], 4)
    company.fault("kingdee", **NOT_DONE, operation="Submit SAL_SaleOrder")
    said = company.hub("sync", "--json")
    assert (said.code, said.failures, said.data["open_letters"]) == (1, [], 1)
    assert [d["title"] for d in books.orders(company, "finance_db")].count(title) == 1  # type: ignore[arg-type]
    assert company.hub("sync", "--json").code == 1, "a letter waits until somebody looks at it"
    assert company.hub("letters", "replay", "--all").code == 0
    assert company.hub("sync", "--json").code == 0
    (order,) = [o for o in company.kingdee.records("SAL_SaleOrder") if o["F_ORDER_TITLE"] == title]
    assert order["FDocumentStatus"] == "C", "the order is approved in the CRM"


def test_half_a_batch_refused_and_records_too_long_for_their_target(company: BadCompany, numbers: Numbers) -> None:
    """The account number fits the database, not the CRM (60) nor the ERP (80): six letters, the other half arrives."""
    good, bad = [numbers.tax_id() for _ in range(3)], [numbers.tax_id() for _ in range(3)]
    for tax_id in (*good, *bad):
        company.rows(
            "INSERT INTO customers (name, tax_no, currency, bank_account) VALUES (?, ?, 'CNY', ?)",
            f"宁波半批有限公司 {tax_id[-6:]}", tax_id, "6" * (90 if tax_id in bad else 19),
        )  # fmt: skip
    said = company.hub("sync", "--json")
    assert (said.code, said.data["open_letters"], said.failures) == (1, 6, [])
    assert said.data["message"].endswith("6 dead letters")
    assert all(company.customer(s, tax_id) for s in ("zoho", "kingdee") for tax_id in good)
    letters = company.hub("letters", "--json").data
    told = {(one["system"], one["message"]) for one in (letters["letters"] if isinstance(letters, dict) else letters)}
    assert told == {
        (system, f"bank_account can't be written to {name}: 90 characters, {name} has room for {room};"
                 f" shorten it, or let the mapping cut it: via: {{cut: {{length: {room}, rest: kept}}}}")
        for system, name, room in (("kingdee", "FINVOICEBANKACCOUNT", 80), ("zoho", "Bank_Account", 60))
    }  # fmt: skip
    quiet = company.writes()
    assert company.hub("sync", "--json").code == 1
    assert company.writes() == quiet, "what was refused is not tried again until something changes"
    for tax_id in bad:
        company.edit("finance_db", tax_id, bank_account="6222020200112233445")
    assert company.hub("sync", "--json").code == 0
    assert {company.customer("kingdee", tax_id)["bank_account"] for tax_id in bad} == {"6222020200112233445"}


def test_a_record_the_system_refuses_is_told_in_its_words_and_the_batch_goes_on(
    company: BadCompany, numbers: Numbers
) -> None:
    """Kingdee refuses documents of a customer it has forbidden; the order beside it arrives."""
    forbidden, other = company.tax_ids()[2], company.tax_ids()[3]
    refused, fine = numbers.title(), numbers.title()
    company.edit("kingdee", forbidden, FForbidStatus="B")
    try:
        company.new_order(refused, forbidden, 1)
        company.new_order(fine, other, 2)
        said = company.hub("sync", "order", "--json")
        assert (said.code, said.data["open_letters"]) == (1, 1)
        titles = [d["title"] for d in books.orders(company, "kingdee")]  # type: ignore[arg-type]
        assert fine in titles and refused not in titles
        with company.engine() as engine:
            letter = engine.letters()[0]
        assert "禁用" in letter["message"]
        assert letter["cure"] == "audit or enable what it refers to in Kingdee, then replay"
    finally:
        company.edit("kingdee", forbidden, FForbidStatus="A")
    assert company.hub("letters", "replay", "--all").code == 0
    assert company.hub("sync", "--json").code == 0


def test_an_edit_made_between_plan_and_write_survives(company: BadCompany) -> None:
    one = company.tax_ids()[0]
    company.edit("kingdee", one, FINVOICEBANKACCOUNT="62220001")
    company.zoho.clock(advance=5)
    once = _once(("finance_db", "customer"), lambda: company.edit("zoho", one, Website="https://mean.example.com"))
    report = company.sync(once)
    assert (report.state, report.failures) == ("done", [])
    for system in books.SYSTEMS:
        found = company.customer(system, one)
        assert (found["bank_account"], found["website"]) == ("62220001", "https://mean.example.com"), system


def test_both_sides_of_a_field_edited_between_plan_and_write_is_no_silent_overwrite(company: BadCompany) -> None:
    """The phone is held on conflict: the pass that meets the second edit asks instead of writing over it."""
    one = company.tax_ids()[1]
    company.edit("kingdee", one, FTEL="010-5555-0001")
    company.zoho.clock(advance=5)
    once = _once(("finance_db", "customer"), lambda: company.edit("zoho", one, Phone="+86 10 5555 0002"))
    report = company.sync(once)
    assert (report.state, report.open_conflicts) == ("needs_person", 1)
    assert company.customer("zoho", one)["phone"] == "1055550002"
    assert company.customer("kingdee", one)["phone"] == "1055550001"
    said = company.hub("conflicts", "--json")
    (conflict,) = said.data["conflicts"] if isinstance(said.data, dict) else said.data
    assert company.hub("conflicts", "resolve", str(conflict["id"]), "--take", "theirs").code == 0
    assert company.hub("sync", "--json").code == 0


def test_a_plan_is_not_applied_to_a_record_that_moved_on(company: BadCompany) -> None:
    one = company.tax_ids()[0]
    company.edit("kingdee", one, FINVOICEBANKACCOUNT="62220002")
    plan = company.folder / "plan.json"
    assert company.hub("plan", "--out", str(plan)).code == 0
    company.edit("kingdee", one, FINVOICEBANKACCOUNT="62220003")
    before = company.writes()
    said = company.hub("apply", str(plan), "--json")
    error = said.data["error"]
    assert said.code == 2
    assert error["what"] == (
        f"customer {company.customer('zoho', one)['name']} (zoho) changed since the plan was made; nothing was written"
    )
    assert error["cure"] == "make a new plan with hub plan and read it"
    assert company.writes() == before
    assert company.hub("sync", "--json").code == 0


def test_a_number_that_somebody_took_meanwhile_is_recognised_not_doubled(company: BadCompany, numbers: Numbers) -> None:
    code = numbers.code()
    company.zoho.create("Products", {
        "Product_Name": "轴承 6204", "Product_Code": code, "Usage_Unit": "件", "Unit_Price": 12, "Product_Active": True,
    }, "anna")  # fmt: skip
    material = {"FNumber": code, "FName": "轴承 6204", "FBaseUnitId": {"FNumber": "Pcs"}}
    once = _once(("zoho", "product"), lambda: company.kingdee.create("BD_MATERIAL", material, "bo"))
    report = company.sync(once)
    assert (report.state, report.failures, report.open_letters) == ("done", [], 0)
    assert [books.products(company, s).count(code) for s in books.SYSTEMS] == [1, 1, 1]  # type: ignore[arg-type]


def test_two_records_of_one_customer_in_the_target_wait_for_a_person(company: BadCompany, numbers: Numbers) -> None:
    """Sales entered the customer twice; the ERP has it once. Nobody guesses which of the two is meant."""
    tax_id = numbers.tax_id()
    name = f"重复有限公司 {tax_id[-6:]}"
    company.kingdee.create(
        "BD_Customer", {"FName": name, "FTAXREGISTERCODE": tax_id, "FNumber": f"D{tax_id[-6:]}"}, "bo"
    )
    twice = [company.new_account(name, tax_id, Phone=f"+86 21 6888 000{n}") for n in (1, 2)]
    report = company.sync()
    assert (report.state, report.failures) == ("needs_person", [])
    assert report.open_conflicts >= 1
    known = [c for c in books.customers(company, "kingdee") if c["tax_id"] == tax_id]  # type: ignore[arg-type]
    assert len(known) == 1, "the duplicate was carried on"
    company.zoho.delete("Accounts", twice[1]["id"], "anna")
    assert company.sync().failures == []
    with company.engine() as engine:
        for conflict in engine.conflicts():
            engine.resolve(conflict["id"], take="ours")
    company.sync()


def _once(page: tuple[str, str], act: Callable[[], object]) -> Callable[[Event], None]:
    """An observer that acts when this (system, entity) has been read: after observing, before writing."""
    left = [act]

    def observer(event: Event) -> None:
        if event.name == "page.observed" and (event.data["system"], event.data["entity"]) == page and left:
            left.pop()()

    return observer
