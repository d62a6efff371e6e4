"""``kill -9`` at any moment: what a dying pass left behind, the next ones finish; nothing is lost, nothing doubles."""

from __future__ import annotations

import random

import pytest
from bad_days.bad_company import BadCompany
from bad_days.bad_numbers import Numbers
from bad_days.mortal import MortalHub

from hub.demo import books

KILLS = 30
SEED = 20260302


@pytest.mark.slow
def test_a_few_dozen_kills_lose_and_double_nothing(own_company: BadCompany, mortal: MortalHub) -> None:
    company, numbers, chance = own_company, Numbers(), random.Random(SEED)
    made: dict[str, list[str]] = {"customers": [], "orders": []}
    _a_busy_hour(company, numbers, chance, made)
    moments = mortal.sync()["moments"]
    assert moments > 200
    killed = 0
    for at in range(KILLS):
        if at % 2 == 0:
            _a_busy_hour(company, numbers, chance, made)
        ended = mortal.sync(chance.randrange(1, moments))
        killed += ended["status"] == -9
        assert ended["status"] in (-9, 0), ended
        assert company.stored("SELECT * FROM letter") == [], "what a dying pass left, no person has to look at"
    assert killed >= KILLS * 2 // 3, f"only {killed} of {KILLS} passes died: the schedule shows too little"
    report = company.sync()
    assert (report.state, report.failures, report.open_letters, report.open_conflicts) == ("done", [], 0, 0)
    for system in books.SYSTEMS:
        customers = [c["tax_id"] for c in books.customers(company, system)]  # type: ignore[arg-type]
        assert {t: customers.count(t) for t in made["customers"]} == dict.fromkeys(made["customers"], 1), system
        orders = [d["title"] for d in books.orders(company, system)]  # type: ignore[arg-type]
        assert {t: orders.count(t) for t in made["orders"]} == dict.fromkeys(made["orders"], 1), system
    company.assert_agreement()


def test_after_a_kill_the_next_pass_goes_on_at_once(own_company: BadCompany, mortal: MortalHub) -> None:
    company = own_company
    company.edit("kingdee", company.tax_ids()[0], FINVOICEBANKACCOUNT="62225555")
    assert mortal.sync(100)["status"] == -9
    fence = company.stored("SELECT fence FROM lease WHERE name = 'entity:customer'")[0]["fence"]
    assert company.hub("sync", "--json").code == 0
    assert company.stored("SELECT fence FROM lease WHERE name = 'entity:customer'")[0]["fence"] == fence + 1
    assert company.stored("SELECT state, message FROM run WHERE finished > '' ORDER BY started DESC LIMIT 1, 1") == [
        {"state": "failed", "message": "it ended in mid-work; the next pass went on from there"}
    ]
    company.assert_agreement()


def test_a_pass_that_died_on_another_machine_is_waited_for(own_company: BadCompany, mortal: MortalHub) -> None:
    company = own_company
    company.edit("kingdee", company.tax_ids()[0], FINVOICEBANKACCOUNT="62225556")
    assert mortal.sync(100)["status"] == -9
    company.stored("UPDATE lease SET owner = 'elsewhere' || owner")
    said = company.hub("sync", "--json")
    assert said.code == 3
    error = said.data["error"]
    assert error["what"].startswith("another pass is at work on customer until 20")
    assert (error["where"], error["cure"]) == (
        "store",
        "wait for it to end; after a crash on another machine its lease runs out by itself",
    )
    company.later(121)
    assert company.hub("sync", "--json").code == 0
    company.assert_agreement()


def _a_busy_hour(company: BadCompany, numbers: Numbers, chance: random.Random, made: dict[str, list[str]]) -> None:
    """Everywhere somebody enters or edits something; each field is edited on one side only, so nobody must decide."""
    known = company.tax_ids()
    tax_id = numbers.tax_id()
    name = f"杀不死有限公司 {tax_id[-6:]}"
    if chance.random() < 0.5:
        company.new_account(name, tax_id)
    else:
        company.rows("INSERT INTO customers (name, tax_no, currency) VALUES (?, ?, 'CNY')", name, tax_id)
    made["customers"].append(tax_id)
    company.edit("zoho", chance.choice(known), Website=f"https://{chance.randrange(10**6)}.example.com")
    company.edit("kingdee", chance.choice(known), FINVOICEBANKACCOUNT=f"6222{chance.randrange(10**9):09}")
    company.edit("finance_db", chance.choice(known), postcode=f"{chance.randrange(10**6):06}")
    if chance.random() < 0.7:
        title = numbers.title()
        company.new_order(
            title, chance.choice(known), *(chance.randrange(1, 60) for _ in range(chance.randrange(1, 4)))
        )
        made["orders"].append(title)
