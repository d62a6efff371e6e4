"""``hub scaffold`` on a real database: what it writes is valid, true of linked records, and fit to be used."""

from __future__ import annotations

from pathlib import Path

from operate.twin_databases import execute


def test_what_it_proposes_of_linked_records_can_take_the_mappings_place(hub, twins: Path) -> None:
    assert hub("sync").code == 0
    mapping = twins / "mappings" / "erp" / "customers.yaml"
    mapping.unlink()
    said = hub("scaffold", "erp", "customers", "customer", "--out", mapping, "--json")
    assert said.code == 0, said.err
    active = {line["field"]: line for line in said.data["lines"] if line["active"]}
    assert {"number", "name", "phone"} == set(active)
    assert active["phone"]["because"] == "reproduces 5 of 5 linked values"
    assert "# updated_at" in mapping.read_text("utf-8")
    assert hub("validate").code == 0, hub("validate").out
    quiet = hub("sync", "--json")
    assert quiet.code == 0 and quiet.data["writes"] == 0


def test_without_links_samples_decide_and_the_text_is_shown(hub, twins: Path) -> None:
    execute(twins, "crm", "ALTER TABLE customers ADD COLUMN email TEXT")
    execute(twins, "crm", "UPDATE customers SET email = 'not an address'")
    said = hub("scaffold", "crm", "customers", "customer")
    assert said.code == 0, said.err
    assert "  number: number  # 90 %, 5 of 5 sample values there and back: C000; C001" in said.out
    assert "  # email: email  #" in said.out
    assert not list(twins.glob("*.yaml~"))


def test_what_is_wrong_is_told(hub, twins: Path) -> None:
    assert "crm, erp" in hub("scaffold", "shop", "customers", "customer").err
    assert "did you mean 'customer'" in hub("scaffold", "crm", "customers", "custmer").err
    taken = hub("scaffold", "crm", "customers", "customer", "--out", twins / "hub.yaml")
    assert taken.code == 2 and "choose another name" in taken.err
    nothing = hub("scaffold", "erp", "customers", "customer")  # an empty table proves nothing
    assert nothing.code == 2 and "possible: number: number" in nothing.err
