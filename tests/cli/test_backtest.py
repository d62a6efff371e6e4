"""``hub backtest``: what it says of a changed mapping is what a pass then does, and it asks nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from operate.twin_databases import execute

from hub.store.codec import dumps, loads
from hub.sync.applied import _packed, _unpacked

SHOUTING = "{field: name, via: upper}"


def change(mapping: Path, old: str, new: str) -> Path:
    text = mapping.read_text("utf-8")
    assert old in text
    mapping.write_text(text.replace(old, new), "utf-8")
    return mapping


@pytest.fixture
def crm(hub, twins: Path) -> Path:
    """The CRM's mapping, applied once."""
    assert hub("sync").code == 0
    return twins / "mappings" / "crm" / "customers.yaml"


def found(report: dict[str, Any], what: str) -> dict[tuple[str, str], int]:
    return {(d["system"], d["field"]): d["records"] for d in report["differences"] if d["what"] == what}


def test_a_mapping_that_did_not_change_changes_nothing(hub, crm: Path) -> None:
    said = hub("backtest", crm, "--json")
    assert said.code == 0
    (report,) = said.data["mappings"]
    assert (report["records"], report["differing"], report["differences"]) == (5, 0, [])
    assert "nothing comes out differently on 5 records" in hub("backtest", crm).out


def test_fields_that_come_out_differently_are_counted_with_samples(hub, crm: Path) -> None:
    change(crm, "name: name", f"name: {SHOUTING}")
    said = hub("backtest", crm, "--json")
    assert said.code == 1
    (report,) = said.data["mappings"]
    assert report["compared_with"] == "the mapping as last applied"
    assert (report["records"], report["differing"]) == (5, 2)  # the Chinese names have no upper case
    read = next(d for d in report["differences"] if d["what"] == "read")
    assert (read["field"], read["records"]) == ("name", 2)
    assert read["samples"][0]["before"] == "Hamburg市第3贸易有限公司"
    assert read["samples"][0]["after"] == "HAMBURG市第3贸易有限公司"
    assert "2 of 5 records differ" in hub("backtest", crm).out


def test_the_writes_it_foretells_are_those_of_the_plan(hub, crm: Path) -> None:
    change(crm, "name: name", f"name: {SHOUTING}")
    (told,) = hub("backtest", crm, "--json").data["mappings"]
    plan = hub("plan", "--json").data
    assert plan["changed_mappings"] == [told]
    (write,) = [d for d in told["differences"] if d["what"] == "write"]
    planned = {w["record"]: w["fields"]["name"] for w in plan["writes"]}
    assert write["records"] == len(planned) == 2
    assert {s["id"]: [s["before"], s["after"]] for s in write["samples"]} == planned
    assert {w["system"] for w in plan["writes"]} == {write["system"]} == {"crm"}


def test_a_plan_shows_a_changed_mapping_once_and_before_the_pass(hub, crm: Path) -> None:
    change(crm, "name: name", f"name: {SHOUTING}")
    assert "2 of 5 records differ" in hub("plan").out
    assert hub("plan", "--json").data["changed_mappings"] == []


def test_a_copy_is_tried_against_the_mapping_in_use(hub, crm: Path, tmp_path: Path) -> None:
    copy = tmp_path / "draft.yaml"
    copy.write_text(crm.read_text("utf-8").replace("phone: phone", "short_name: name"), "utf-8")
    said = hub("backtest", copy, "--json")
    assert {r["system"] for r in said.data["mappings"]} == {"crm", "erp"}
    for report in said.data["mappings"]:
        assert report["compared_with"] == "the mapping in use"
        assert found(report, "read") == {(report["system"], "phone"): 5, (report["system"], "short_name"): 5}
        assert found(report, "hub") == {("", "short_name"): 5}  # new to the hub, so it is taken
        (dropped,) = [d for d in report["differences"] if d["field"] == "phone"]
        assert "after" not in dropped["samples"][0]  # not null: this system says nothing of it any more


def test_what_can_no_longer_be_read_is_told_with_the_reason(hub, crm: Path) -> None:
    change(crm, "phone: phone", "phone: phone\n  kind: {field: name, values: {company: 上海市第1贸易有限公司}}")
    (report,) = hub("backtest", crm, "--json").data["mappings"]
    (bad,) = [d for d in report["differences"] if d["what"] == "unreadable"]
    assert (bad["field"], bad["records"]) == ("kind", 4)
    assert "第0贸易" in bad["samples"][0]["before"] and bad["samples"][0]["after"]


def test_a_field_that_was_never_asked_for_is_left_to_the_next_pass(hub, crm: Path) -> None:
    change(crm, "phone: phone", "phone: phone\n  description: updated_at")
    (report,) = hub("backtest", crm, "--json").data["mappings"]
    assert report["unrecorded"] == ["updated_at"]
    assert report["differing"] == 0


def test_only_what_changed_since_then(hub, twins: Path, crm: Path) -> None:
    change(crm, "name: name", f"name: {SHOUTING}")
    assert hub("backtest", crm, "--since", "2999-01-01", "--json").data["mappings"][0]["records"] == 0
    assert hub("backtest", crm, "--since", "1d", "--json").data["mappings"][0]["records"] == 5
    wrong = hub("backtest", crm, "--since", "yesterday")
    assert wrong.code == 2
    assert "2026-01-15" in wrong.err


def test_it_needs_no_system(hub, twins: Path, crm: Path) -> None:
    for system in ("crm", "erp"):
        (twins / f"{system}.db").unlink()
    change(crm, "name: name", f"name: {SHOUTING}")
    assert hub("backtest", crm, "--json").data["differing"] == 2


def test_without_a_memory_of_the_old_mapping_the_hubs_values_are_compared(hub, twins: Path, crm: Path) -> None:
    execute(twins / ".hub", "hub", "DELETE FROM setting WHERE name LIKE 'mapping:%'")
    change(crm, "name: name", f"name: {SHOUTING}")
    (report,) = hub("backtest", crm, "--json").data["mappings"]
    assert report["compared_with"] == "what the hub holds"
    assert found(report, "read") == {("crm", "name"): 2}


def test_a_file_that_nothing_would_use_is_refused(hub, crm: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("version: 1\nresource: nothing\nentity: customer\nfields: {number: no}\n", "utf-8")
    said = hub("backtest", other)
    assert said.code == 2
    assert "customers → customer (crm)" in said.err
    assert hub("backtest", tmp_path / "missing.yaml").code == 2


def test_what_is_remembered_of_a_mapping_is_what_the_file_said() -> None:
    from decimal import Decimal

    said = {"values": {True: "Y", None: ["N", None], 3: Decimal("1.50"), "map": {"number": "x"}}}
    assert _unpacked(loads(dumps(_packed(said)))) == said


def test_a_changed_policy_is_tried_on_the_decisions_that_were_made(hub, twins: Path, crm: Path) -> None:
    execute(twins, "erp", "UPDATE customers SET phone = '021 1111 2222' WHERE number = 'C002'")
    assert hub("sync").code == 0
    config = twins / "hub.yaml"
    assert hub("backtest", config, "--json").data["differing"] == 0
    old = config.read_text("utf-8")
    copy = twins / "draft.yaml"
    copy.write_text(old.replace("both}", "both}\n    authority: {phone: crm}", 1), "utf-8")
    assert "authority" in copy.read_text("utf-8")
    (told,) = hub("backtest", copy, "--json").data["policies"]
    assert told["compared_with"] == "the policy in use"
    assert told["changes"] == ["authority.phone: — → crm"]
    (held,) = [d for d in told["differences"] if d["what"] == "hub"]
    assert (held["field"], held["records"], held["samples"][0]["before"]) == ("phone", 1, "021 1111 2222")

    config.write_text(copy.read_text("utf-8"), "utf-8")
    said = hub("backtest", config, "--json")
    assert said.code == 1
    (own,) = said.data["policies"]
    assert own == {**told, "compared_with": "the policy as last applied"}
    plan = hub("plan")
    assert "the policy of customer, compared with the policy as last applied: authority.phone: — → crm" in plan.out
    assert "1 records would have come out differently" in plan.out
    assert hub("plan", "--json").data["changed_policies"] == []


def test_a_policy_that_is_wrong_is_told_where(hub, crm: Path, tmp_path: Path, twins: Path) -> None:
    copy = tmp_path / "draft.yaml"
    copy.write_text((twins / "hub.yaml").read_text("utf-8").replace("both}", "both}\n    deletes: newst", 1), "utf-8")
    said = hub("backtest", copy)
    assert said.code == 2
    assert f"{copy}:" in said.err
