"""An ERP's record that was written and not audited: a replay takes it to its end, whatever was seen of it meanwhile."""

from __future__ import annotations

import pytest
from bad_days.bad_company import ALWAYS, BadCompany


def state(company: BadCompany, tax_id: str) -> str:
    return next(r["FDocumentStatus"] for r in company.kingdee.records("BD_Customer") if r["FTAXREGISTERCODE"] == tax_id)


@pytest.mark.parametrize("asked_first", [False, True], ids=["edited, then asked", "asked, then edited"])
def test_an_edit_in_between_does_not_make_the_hub_forget_it(company: BadCompany, asked_first: bool) -> None:
    """It was seen again with the edit, nothing was left to write, and the customer stayed unaudited for ever."""
    tax_id = company.tax_ids()[2 + asked_first]
    company.edit("zoho", tax_id, Website=f"https://half-way-{int(asked_first)}.example.com")
    company.fault("kingdee", kind="drop_before", operation="Audit BD_Customer", next=ALWAYS)
    assert company.hub("sync", "--json").data["open_letters"] == 1
    assert state(company, tax_id) == "B"
    company.mend()
    if asked_first:
        company.hub("letters", "replay", "--all")
    company.edit("kingdee", tax_id, FINVOICEBANKACCOUNT="62229999")
    if not asked_first:
        company.hub("sync", "--json")
        company.hub("letters", "replay", "--all")
    assert company.hub("sync", "--json").code == 0
    assert state(company, tax_id) == "C"
    assert company.hub("letters", "--json").data["letters"] == []


def test_a_record_that_is_still_refused_is_a_letter_again(company: BadCompany) -> None:
    tax_id = company.tax_ids()[4]
    company.edit("zoho", tax_id, Website="https://half-way-still.example.com")
    company.fault(
        "kingdee", kind="msgcode", code=12, message="信用额度不足", operation="Audit BD_Customer", next=ALWAYS
    )
    assert company.hub("sync", "--json").data["open_letters"] == 1
    company.hub("letters", "replay", "--all")
    said = company.hub("sync", "--json")
    assert (said.code, said.data["open_letters"]) == (1, 1)
    (letter,) = company.hub("letters", "--json").data["letters"]
    assert letter["attempts"] > 1 and "信用额度不足" in letter["message"] and state(company, tax_id) == "B"
    company.mend()
    company.hub("letters", "replay", "--all")
    assert company.hub("sync", "--json").code == 0
    assert state(company, tax_id) == "C"
