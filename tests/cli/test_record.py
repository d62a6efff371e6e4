"""``hub test --record``: a live record becomes an example that holds, without the person in it."""

from __future__ import annotations

import json
from pathlib import Path

from operate.twin_databases import execute


def test_a_recorded_example_holds_and_hides(hub, twins: Path) -> None:
    assert hub("sync").code == 0
    execute(
        twins, "crm", "UPDATE customers SET name = 'Ann Ostrowski GmbH', phone = '021-6123 4567' WHERE number = 'C003'"
    )
    said = hub("test", "--record", "crm", "C003", "--json")
    assert said.code == 0, said.err
    file = Path(said.data["file"])
    assert file == twins / "mappings" / "crm" / "customers_test.yaml"
    text = file.read_text("utf-8")
    assert "Ostrowski" not in text and "4567" not in text  # the record as it is now, not as the hub last saw it
    assert "GmbH" in text and "number: C003" in text
    tried = hub("test", "--json")
    assert tried.code == 0
    assert tried.data["passed"] == (2 if said.data["direction"] == "both" else 1)


def test_examples_are_added_to_those_that_are_there(hub, twins: Path) -> None:
    file = twins / "mappings" / "crm" / "customers_test.yaml"
    file.write_text("# ours\n- name: mine\n  direction: in\n  remote: {number: C1}\n  canonical: {number: C1}", "utf-8")
    assert hub("test", "--record", "crm", "C001").code == 0  # by the system's id: nothing was synced yet
    assert hub("test", "--record", "crm", "C002").code == 0
    assert file.read_text("utf-8").startswith("# ours\n- name: mine\n")
    assert hub("test", "--json").data["failed"] == []
    before = file.read_text("utf-8")
    again = hub("test", "--record", "crm", "C001")
    assert again.code == 2 and "there already" in again.err
    assert file.read_text("utf-8") == before


def test_what_cannot_be_recorded_is_told(hub, twins: Path) -> None:
    assert "crm, erp" in hub("test", "--record", "shop", "C001").err
    missing = hub("test", "--record", "crm", "C999", "--json")
    assert missing.code == 2
    assert "no record 'C999'" in json.loads(missing.out)["error"]["what"]
    assert not (twins / "mappings" / "crm" / "customers_test.yaml").exists()
