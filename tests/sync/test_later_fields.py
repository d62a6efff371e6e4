"""Fields that a mapping reads later than its records: what the systems show of them is taken in and carried on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sync.fakes import CUSTOMERS, ORDERS, World

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


def test_a_field_of_the_record(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": WITHOUT_PHONE})
    world.crm.add("customers", name="A", code="C1", tel="021-62345678")
    world.sync()
    world.mappings["customer"] = CUSTOMERS
    world.sync()
    assert [row["tel"] for row in world.erp.records("customers")] == ["+862162345678"]
    assert world.sync().writes == 0
