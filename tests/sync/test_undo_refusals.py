"""Law 10, the other half: what an undo leaves as it is, it says, with the reason, and it leaves it really."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import CUSTOMERS, ORDERS, World

from hub.errors import Unavailable

BOTH = {"customer": CUSTOMERS, "order": ORDERS}


def undo(world: World, run: str = "last", **options: Any) -> Any:
    with world.engine() as engine:
        return engine.undo(run, **options)


def held(report: Any) -> list[tuple[str, str]]:
    return [(one.system, one.reason) for one in report.plan.held]


def details(report: Any) -> str:
    return "; ".join(one.detail for one in report.plan.held)


def changed(path: Path, **options: Any) -> tuple[World, str, str, str]:
    """A customer whose credit went from 1 to 9 in both systems; ids in crm and erp, and the run that wrote it."""
    world = World(path, mappings=BOTH, **options)
    crm = world.crm.add("customers", name="A", credit=1)
    world.sync()
    (erp,) = world.erp.rows["customers"]
    world.crm.edit("customers", crm, credit=9)
    return world, crm, erp, world.sync().run


def credit(world: World) -> list[Any]:
    return [row["credit"] for row in world.erp.records("customers")]


def test_a_system_that_no_longer_takes_part(tmp_path: Path) -> None:
    world = World(tmp_path, systems=("crm", "erp", "shop"))
    crm = world.crm.add("customers", name="A", credit=1)
    world.sync()
    world.crm.edit("customers", crm, credit=9)
    run = world.sync().run
    left = world.systems.pop("shop")
    del world.directions["shop"]
    report = undo(world, run)
    assert held(report) == [("shop", "system")] and credit(world) == [1]
    assert [row["credit"] for row in left.records("customers")] == [9]


def test_a_system_that_is_only_read_by_now(tmp_path: Path) -> None:
    world, _, _, run = changed(tmp_path)
    world.directions["erp"] = "in"
    report = undo(world, run)
    assert held(report) == [("erp", "cannot")] and credit(world) == [9]


def test_a_field_that_is_only_read_by_now(tmp_path: Path) -> None:
    world, _, _, run = changed(tmp_path)
    line = "  credit_limit: {field: credit, via: money}\n"
    world.overrides["crm", "customer"] = CUSTOMERS
    world.overrides["erp", "customer"] = CUSTOMERS.replace(
        line, "  credit_limit: {field: credit, via: money, direction: in}\n"
    )
    report = undo(world, run)
    assert held(report) == [("erp", "cannot")] and "is not written this field any more" in details(report)
    assert credit(world) == [9]


def test_a_record_that_is_gone_there(tmp_path: Path) -> None:
    world, _, erp, run = changed(tmp_path, deletes="ignore")
    world.erp.remove("customers", erp)
    report = undo(world, run)
    assert held(report) == [("erp", "touched")] and f"{erp} is not in erp any more" in details(report)


def test_a_record_that_was_archived_there(tmp_path: Path) -> None:
    world, crm, _, run = changed(tmp_path, deletes="archive")
    world.crm.remove("customers", crm)
    world.sync()
    report = undo(world, run)
    assert held(report) == [("erp", "touched")] and "archived since" in details(report)
    assert credit(world) == [9]


def test_a_record_that_cannot_be_looked_at_now(tmp_path: Path) -> None:
    world, _, _, run = changed(tmp_path)

    def down(verb: str) -> None:
        if verb == "get":
            raise Unavailable("closed for the night")

    world.erp.before = down
    report = undo(world, run)
    assert held(report) == [("erp", "unreachable")] and credit(world) == [9]
    assert [failure.system for failure in report.failures] == ["erp"]
    world.erp.before = lambda verb: None
    assert undo(world, run).writes == 1 and credit(world) == [1]


def test_a_record_is_taken_back_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    world = World(tmp_path, mappings=BOTH)
    world.crm.add("customers", name="A", credit=1)
    run = world.sync().run
    report = undo(world, run, field="credit_limit")
    assert held(report) == [("erp", "whole")] and credit(world) == [1]


def test_a_record_made_and_changed_by_one_run_is_removed_once(tmp_path: Path) -> None:
    """A number that the erp gives goes to the crm in the same run: both are of that run."""
    world = World(tmp_path, mappings=BOTH, deletes="propagate")
    world.erp.rewrite = lambda row: row.setdefault("code", "E-1")
    crm = world.crm.add("customers", name="A")
    run = world.sync().run
    assert world.crm.row("customers", crm)["code"] == "E-1"
    undo(world, run)
    assert world.erp.records("customers") == [] and world.crm.row("customers", crm).get("code") is None
    assert world.sync(full=True).writes == 0


def test_a_removed_record_that_may_not_be_made_again(tmp_path: Path) -> None:
    world, crm, _, _ = changed(tmp_path, deletes="propagate")
    world.crm.remove("customers", crm)
    run = world.sync().run
    world.policy["create"] = {"erp": False}
    report = undo(world, run)
    assert held(report) == [("erp", "cannot")] and "takes no new records from the hub" in details(report)
    assert world.erp.records("customers") == []


def test_a_removed_record_that_is_there_under_another_link(tmp_path: Path) -> None:
    world, crm, _, _ = changed(tmp_path, deletes="propagate")
    world.crm.remove("customers", crm)
    run = world.sync().run
    world.erp.add("customers", name="A", credit=5)
    world.sync()
    report = undo(world, run)
    assert held(report) == [("erp", "twin")] and "made again meanwhile?" in details(report)
    assert credit(world) == [5]


def test_an_order_whose_customer_is_gone_stays_gone(tmp_path: Path) -> None:
    world = World(tmp_path, mappings=BOTH, deletes="propagate")
    customer = world.crm.add("customers", name="A")
    order = world.crm.add("orders", no="SO1", customer=customer, lines=[])
    world.sync()
    world.crm.remove("orders", order)
    run = world.sync().run
    world.crm.remove("customers", customer)
    world.sync()
    report = undo(world, run)
    assert held(report) == [("erp", "reference")] and "which it refers to" in details(report)
    assert world.erp.records("orders") == []


@pytest.mark.parametrize("take", ["ours", "theirs"])
def test_a_value_that_a_person_decided_since(tmp_path: Path, take: str) -> None:
    world, crm, erp, run = changed(tmp_path, conflict="hold")
    world.crm.edit("customers", crm, credit=20)
    world.erp.edit("customers", erp, credit=30)
    world.sync()
    assert held(undo(world, run)) == [("erp", "conflict")], "it waits for a decision"
    with world.engine() as engine:
        engine.resolve(engine.conflicts()[0]["id"], take=take)
    world.sync()
    report = undo(world, run)
    assert held(report) == [("erp", "touched")]
    assert credit(world) == [20 if take == "ours" else 30]


def refusing(message: str) -> Callable[[dict[str, Any]], str | None]:
    return lambda values: message


def test_a_system_that_refuses_the_old_value(tmp_path: Path) -> None:
    world, _, _, run = changed(tmp_path)
    world.erp.reject = refusing("the year is closed")
    report = undo(world, run)
    assert report.open_letters == 1 and credit(world) == [9]
    world.erp.reject = lambda values: None
    assert world.sync().writes == 0 and credit(world) == [9], "the letter waits for a person"
    with world.engine() as engine:
        assert engine.replay() == 1
    world.sync()
    assert credit(world) == [1]
    assert world.sync(full=True).writes == 0


def test_a_customer_that_is_not_there_any_more_is_not_put_back_into_an_order(tmp_path: Path) -> None:
    world = World(tmp_path, mappings=BOTH, deletes="ignore")
    first, second = (world.crm.add("customers", name=name) for name in ("A", "B"))
    order = world.crm.add("orders", no="SO1", customer=first, lines=[])
    world.sync()
    world.crm.edit("orders", order, customer=second)
    run = world.sync().run
    gone = next(key for key, row in world.erp.rows["customers"].items() if row["name"] == "A")
    world.erp.remove("customers", gone)
    world.sync()
    report = undo(world, run)
    assert held(report) == [("erp", "reference")] and "customer" in details(report)
    assert world.sync().writes == 0


def test_a_removed_record_that_was_merged_into_another_since(tmp_path: Path) -> None:
    world = World(tmp_path)
    kept, gone = (world.crm.add("customers", name=name) for name in ("海川", "海川贸易"))
    world.sync()
    world.crm.remove("customers", gone)
    run = world.sync().run
    archived = next(key for key, row in world.erp.rows["customers"].items() if row.get("archived"))
    with world.engine() as engine:
        engine.merge("customer", kept, archived)
    assert ("erp", "touched") in held(report := undo(world, run))
    assert "merged into another" in details(report)
