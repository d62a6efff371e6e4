"""An ERP's record that was written and not audited: a replay takes it to its end, whatever was seen of it meanwhile."""

from __future__ import annotations

import pytest
from bad_days.bad_company import ALWAYS, BadCompany


def state(company: BadCompany, tax_id: str) -> str:
    return next(r["FDocumentStatus"] for r in company.kingdee.records("BD_Customer") if r["FTAXREGISTERCODE"] == tax_id)


@pytest.mark.parametrize("asked_while_down", [False, True], ids=["asked when it is well", "asked in the storm"])
def test_an_edit_in_between_does_not_make_the_hub_forget_it(company: BadCompany, asked_while_down: bool) -> None:
    """It was seen again with the edit, nothing was left to write, and the customer stayed unaudited for ever."""
    tax_id = company.tax_ids()[2 + asked_while_down]
    company.edit("zoho", tax_id, Website=f"https://half-way-{asked_while_down}.example.com".lower())
    company.fault("kingdee", kind="drop_before", operation="Audit BD_Customer", next=ALWAYS)
    assert company.hub("sync", "--json").data["open_letters"] == 1
    assert state(company, tax_id) == "B"
    if asked_while_down:
        company.hub("letters", "replay", "--all")
        company.fault("kingdee", kind="drop_before", operation="*BD_Customer", next=ALWAYS)
        company.hub("sync", "--json")
        company.kingdee.clear_faults()
        company.fault("kingdee", kind="drop_before", operation="Audit BD_Customer", next=ALWAYS)
        company.edit("kingdee", tax_id, FINVOICEBANKACCOUNT="62229999")
        company.hub("sync", "--json")
        assert state(company, tax_id) == "B"
        company.mend()
    else:
        company.mend()
        company.edit("kingdee", tax_id, FINVOICEBANKACCOUNT="62229999")
        company.hub("sync", "--json")
    company.hub("letters", "replay", "--all")
    assert company.hub("sync", "--json").code == 0
    assert state(company, tax_id) == "C"
    assert company.hub("letters", "--json").data["letters"] == []
