"""Fields that a mapping reads later than its records: what the systems show of them is taken in and carried on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sync.fakes import CUSTOMERS, ORDERS, World

from hub.errors import Unavailable

WITHOUT_PRICE = ORDERS.replace("      unit_price: price\n", "")
WITHOUT_PHONE = CUSTOMERS.replace("  phone: {field: tel, via: {phone: {region: CN}}}\n", "")


def lines(world: World, system: str) -> list[list[Any]]:
    rows = getattr(world, system).records("orders")
    return [[str(line["qty"]), line.get("price") and str(line["price"])] for row in rows for line in row["lines"]]


def company(path: Path) -> tuple[World, str]:
    world = World(path, mappings={"customer": CUSTOMERS, "order": WITHOUT_PRICE})
    customer = world.crm.add("customers", name="A", code="C1")
    made = [{"seq": 1, "qty": 2, "price": 9}, {"seq": 2, "qty": 3, "price": 7}]
    return world, world.crm.add("orders", no="SO1", title="t", customer=customer, lines=made)


def test_a_field_of_lines(tmp_path: Path) -> None:
    world, _ = company(tmp_path)
    world.sync()
    assert lines(world, "erp") == [["2", None], ["3", None]]
    world.mappings["order"] = ORDERS
    world.sync()
    assert lines(world, "erp") == [["2", "9"], ["3", "7"]]
    assert world.sync().writes == 0


def test_a_field_of_lines_beside_an_edit_of_the_other_system(tmp_path: Path) -> None:
    world, _ = company(tmp_path)
    world.sync()
    (erp,) = world.erp.rows["orders"]
    edited = [{**line, "qty": 5} for line in world.erp.row("orders", erp)["lines"]]
    world.erp.edit("orders", erp, lines=edited)
    world.mappings["order"] = ORDERS
    world.sync()
    assert lines(world, "erp") == lines(world, "crm") == [["5", "9"], ["5", "7"]]
    assert world.sync().writes == 0


def test_a_listing_that_is_not_believed_was_not_read_with_the_new_mapping(tmp_path: Path) -> None:
    """Were it, what another system says of the new field would be written over what nobody ever read."""
    world = World(tmp_path, mappings={"customer": WITHOUT_PHONE}, conflict="hold")
    for name in "AB":
        world.crm.add("customers", name=name, code=name, tel="021-62345678")
    world.sync()
    world.mappings["customer"] = CUSTOMERS
    for row_id in world.erp.rows["customers"]:
        world.erp.edit("customers", row_id, tel="021-52345678")
    there, world.crm.rows["customers"] = world.crm.rows["customers"], {}
    assert [finding.kind for finding in world.sync(yes=False).findings] == ["listing"]
    world.crm.rows["customers"] = there
    world.sync()
    assert {row["tel"] for row in world.crm.records("customers")} == {"021-62345678"}
    with world.engine() as engine:
        assert [conflict["path"] for conflict in engine.conflicts()] == ["phone", "phone"]


def test_a_mapping_that_is_taken_back_reads_what_the_other_one_had_begun_to_read(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS})
    first = world.crm.add("customers", name="A", code="C1", tel="021-62345678")
    world.sync()
    world.mappings["customer"] = WITHOUT_PHONE
    world.crm.add("customers", name="B", code="C2", tel="021-52345678")

    def vanish(verb: str) -> None:
        if verb in ("get", "list_ids"):  # what was shown is stored by then
            raise Unavailable("down")

    world.crm.before = vanish
    world.crm.remove("customers", first)
    world.sync()
    world.crm.before = lambda verb: None
    world.mappings["customer"] = CUSTOMERS
    world.sync()
    assert {row["name"]: row.get("tel") for row in world.erp.records("customers")}["B"] == "+862152345678"
    assert world.sync().writes == 0


def test_a_field_of_the_record(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": WITHOUT_PHONE})
    world.crm.add("customers", name="A", code="C1", tel="021-62345678")
    world.sync()
    world.mappings["customer"] = CUSTOMERS
    world.sync()
    assert [row["tel"] for row in world.erp.records("customers")] == ["+862162345678"]
    assert world.sync().writes == 0
