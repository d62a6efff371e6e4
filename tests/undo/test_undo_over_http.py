"""Undo against Zoho, Kingdee and a database over real connections: fields, whole runs, creates, deletes, merges."""

from __future__ import annotations

from typing import Any

from bad_days.bad_company import BadCompany

SYSTEMS = ("zoho", "kingdee", "finance_db")


def run_of(company: BadCompany) -> str:
    report = company.sync(yes=True)
    assert report.failures == []
    return report.run


def undo(company: BadCompany, run: str, *words: str) -> Any:
    said = company.hub("undo", run, "--yes", "--json", *words)
    assert said.code in (0, 1), (said.out, said.err)
    return said.data


def everywhere(company: BadCompany, tax_id: str, name: str) -> dict[str, Any]:
    return {system: company.customer(system, tax_id).get(name) for system in SYSTEMS}


def assert_quiet(company: BadCompany) -> None:
    before = company.writes()
    report = company.sync(full=True)
    assert report.writes == 0, report.plan
    assert company.writes() == before


def test_one_field_goes_back_and_the_others_stay(company: BadCompany) -> None:
    tax_id = company.tax_ids()[0]
    before = everywhere(company, tax_id, "phone")
    company.edit("zoho", tax_id, Phone="+86 21 6888 1111", Website="https://new.example.cn")
    run = run_of(company)
    changed = everywhere(company, tax_id, "phone")
    assert len(set(changed.values())) == 1
    assert changed != before
    found = undo(company, run, "--field", "phone")
    assert {write["system"] for write in found["writes"]} == {"kingdee", "finance_db"}
    assert everywhere(company, tax_id, "phone") == {**before, "zoho": changed["zoho"]}
    assert_quiet(company)
    undo(company, "last")
    assert everywhere(company, tax_id, "phone") == changed
    assert_quiet(company)


def test_what_a_person_typed_after_the_run_stays_and_is_named(company: BadCompany) -> None:
    tax_id = company.tax_ids()[1]
    company.edit("zoho", tax_id, Phone="+86 21 6888 2222")
    run = run_of(company)
    company.edit("kingdee", tax_id, FTEL="+86 21 6888 3333")
    found = undo(company, run)
    assert found["writes"] == []
    told = {hold["system"]: hold["detail"] for hold in found["held"]}
    assert set(told) == {"kingdee", "finance_db"}
    assert "+862168883333" in told["kingdee"]
    company.sync(yes=True)
    assert set(everywhere(company, tax_id, "phone").values()) == {company.customer("kingdee", tax_id)["phone"]}


def test_what_a_run_created_is_archived_where_the_company_archives(company: BadCompany) -> None:
    tax_id = "91330201MA2AEXW07B"
    company.new_account("宁波新客户有限公司", tax_id)
    run = run_of(company)
    assert all(company.customer(system, tax_id)["active"] for system in SYSTEMS)
    found = undo(company, run)
    assert found["held"] == [], found["held"]
    actions = {(write["system"], write["action"]) for write in found["writes"]}
    assert actions >= {("kingdee", "archive"), ("finance_db", "archive")}
    assert actions <= {("kingdee", "archive"), ("finance_db", "archive"), ("zoho", "update")}, "the number it was given"
    active = {system: company.customer(system, tax_id).get("active") for system in SYSTEMS}
    assert active == {"zoho": True, "kingdee": False, "finance_db": False}
    assert_quiet(company)
    assert {(hold["system"], hold["reason"]) for hold in undo(company, "last")["held"]} >= {
        ("kingdee", "by hand"), ("finance_db", "by hand"),
    }  # fmt: skip


def orders(company: BadCompany, title: str) -> dict[str, list[Any]]:
    """System → the orders with this title that count there."""
    return {
        "zoho": [row for row in company.zoho.records("Sales_Orders") if row["Subject"] == title],
        "kingdee": [
            row
            for row in company.kingdee.records("SAL_SaleOrder")
            if row["F_ORDER_TITLE"] == title and row["FCancelStatus"] != "B"
        ],
        "finance_db": company.rows("SELECT * FROM orders WHERE subject = ?", title),
    }


def test_a_created_order_is_voided_or_deleted_wherever_it_was_made(company: BadCompany) -> None:
    company.new_order("SO-undo", company.tax_ids()[2], 3, 5)
    run = run_of(company)
    assert [len(found) for found in orders(company, "SO-undo").values()] == [1, 1, 1]
    found = undo(company, run, "--entity", "order")
    made = {write["system"]: write["action"] for write in found["writes"] if write["system"] != "zoho"}
    assert made == {"kingdee": "archive", "finance_db": "delete"}, "a table without a mark for archived rows deletes"
    assert [len(found) for found in orders(company, "SO-undo").values()] == [1, 0, 0]
    assert_quiet(company)
    again = undo(company, "last")
    assert [(hold["system"], hold["reason"]) for hold in again["held"]] == [("kingdee", "by hand")]
    company.sync()
    back = orders(company, "SO-undo")
    assert [len(found) for found in back.values()] == [1, 1, 1], (
        "the mapping writes the state: Kingdee takes it up again"
    )
    lines = company.rows("SELECT quantity FROM order_lines WHERE order_id = ?", back["finance_db"][0]["id"])
    assert sorted(int(line["quantity"]) for line in lines) == [3, 5]
    assert_quiet(company)


def test_what_a_run_deleted_is_made_again(company: BadCompany) -> None:
    company.new_order("SO-deleted", company.tax_ids()[2], 4)
    run_of(company)
    (order,) = orders(company, "SO-deleted")["zoho"]
    yaml = company.folder / "hub.yaml"
    kept = yaml.read_text(encoding="utf-8")
    yaml.write_text(kept.replace("  order:\n", "  order:\n    deletes: propagate\n"), encoding="utf-8")
    company.zoho.delete("Sales_Orders", order["id"], "anna")
    run = run_of(company)
    assert orders(company, "SO-deleted")["finance_db"] == []
    found = undo(company, run)
    assert ("finance_db", "create") in {(write["system"], write["action"]) for write in found["writes"]}
    (back,) = orders(company, "SO-deleted")["finance_db"]
    (line,) = company.rows("SELECT * FROM order_lines WHERE order_id = ?", back["id"])
    assert int(line["quantity"]) == 4
    assert_quiet(company)
    yaml.write_text(kept, encoding="utf-8")


def test_twins_are_merged_and_stand_apart_again(company: BadCompany) -> None:
    first, second = (
        company.new_account("义乌双子贸易", "91330782MA2AAAAA0A"),
        company.new_account("义乌双子", "91330782MA2BBBBB0B"),
    )
    run_of(company)
    done = company.hub("merge", "customer", first["id"], second["id"], "--json").data
    assert {(link["system"], link["now"]) for link in done["links"]} == {(system, "merged") for system in SYSTEMS}
    assert_quiet(company)
    company.zoho.edit("Accounts", second["id"], {"Website": "https://twin.example.cn"}, "anna")
    assert company.sync().writes == 0, "the second one is left alone until somebody merges them in Zoho"
    assert company.hub("undo", done["run"], "--yes", "--json").code == 0
    run_of(company)
    known = {company.customer(system, "91330782MA2BBBBB0B")["name"] for system in SYSTEMS}
    assert known == {"义乌双子"}
    assert_quiet(company)


def test_the_full_comparison_tells_undone_values_from_open_ones(company: BadCompany) -> None:
    tax_id = company.tax_ids()[3]
    company.edit("zoho", tax_id, Phone="+86 21 6888 4444")
    undo(company, run_of(company))
    said = company.hub("reconcile", "customer", "--json")
    (customers,) = said.data["comparison"]
    fields = {(s["system"], row["field"]): row for s in customers["systems"] for row in s["fields"]}
    assert fields["zoho", "phone"]["own"] >= 1
    assert said.data["differences"] == 0
    company.edit("finance_db", tax_id, phone="+86 21 6888 5555")
    assert company.hub("reconcile", "customer", "--json").data["differences"] > 0
    repaired = company.hub("reconcile", "customer", "--repair", "--json")
    assert (repaired.code, repaired.data["differences"]) == (0, 0), repaired.out
    assert len(set(everywhere(company, tax_id, "phone").values())) == 1
