"""What is in a system and not understood yet may be what would be made there: it is not made a second time."""

from __future__ import annotations

from pathlib import Path

from sync.fakes import CUSTOMERS, World


def test_a_record_that_can_not_be_read_keeps_its_partner_from_being_made_beside_it(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS})
    kept = world.erp.add("customers", name="苏州丝绸", tax="T1", credit="31/31 ???", tel="13800000000")
    world.crm.add("customers", name="苏州丝绸", tax="T1")
    world.crm.add("customers", name="another", tax="T2")
    report = world.sync(yes=True)
    assert [row["tax"] for row in world.erp.records("customers")] == ["T1", "T2"], "the other one is made"
    assert any(f"erp {kept} may be it" in held.detail for held in report.plan.held)
    world.erp.edit("customers", kept, credit=5)
    world.sync(yes=True)
    world.sync(yes=True)
    assert [row["tax"] for row in world.erp.records("customers")] == ["T1", "T2"]
    assert [row["credit"] for row in world.crm.records("customers") if row["tax"] == "T1"] == [5]
    assert [row["tel"] for row in world.crm.records("customers") if row["tax"] == "T1"] == ["+8613800000000"]
    assert world.sync().message == "nothing to write"


def test_a_record_taken_out_of_the_bin_meanwhile_is_not_made_again(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS}, deletes="propagate")
    first = world.crm.add("customers", name="A", tax="T1")
    world.sync()
    (second,) = world.erp.rows["customers"]
    in_crm, in_erp = dict(world.crm.row("customers", first)), dict(world.erp.row("customers", second))
    world.crm.remove("customers", first)
    world.sync()
    assert not world.erp.records("customers")
    world.crm._put("customers", first, in_crm, by="user")

    def restored_too(verb: str) -> None:
        if verb == "get" and second not in world.erp.rows["customers"]:
            world.erp._put("customers", second, in_erp, by="user")

    world.erp.before = restored_too
    world.sync()
    world.erp.before = lambda verb: None
    assert list(world.erp.rows["customers"]) == [second]
    assert world.sync().message == "nothing to write"
