"""The pages that work is cut into are nobody's business: with one record a page all is as it is with a thousand."""

from __future__ import annotations

from pathlib import Path

import pytest
from sync.fakes import World

from hub.sync import backtest, backtest_policy, gate, matching, observe, planning, reconcile, references, undo


@pytest.fixture(params=[1, 2])
def world(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> World:
    for module in (planning, reconcile, references, undo, gate, observe, matching, backtest, backtest_policy):
        for name in ("PAGE", "GET_BATCH", "JOINED"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, request.param)
    return World(tmp_path)


def names(world: World, system: str) -> list[str]:
    return sorted(row["name"] for row in world.systems[system].records("customers"))


def five(world: World) -> list[str]:
    return [world.crm.add("customers", name=f"C{n}", code=f"{n}", credit=n) for n in range(5)]


def test_what_is_new_and_what_was_changed_arrives(world: World) -> None:
    ids = five(world)
    world.sync()
    assert names(world, "erp") == [f"C{n}" for n in range(5)]
    for crm in ids:
        world.crm.edit("customers", crm, credit=50)
    assert world.sync().writes == 5 and world.sync().writes == 0
    assert {row["credit"] for row in world.erp.records("customers")} == {50}


def test_an_undo_takes_all_of_it_back(world: World) -> None:
    ids = five(world)
    world.sync()
    for crm in ids:
        world.crm.edit("customers", crm, credit=50)
    run = world.sync().run
    with world.engine() as engine:
        assert engine.undo(run).writes == 5
    assert sorted(row["credit"] for row in world.erp.records("customers")) == list(range(5))
    assert world.sync(full=True).writes == 0


def test_a_comparison_counts_all_of_it_and_repairs_it(world: World) -> None:
    five(world)
    world.sync()
    for row in world.erp.rows["customers"].values():
        row["credit"] = 7  # behind everybody's back: no version, no change in any list
    with world.engine() as engine:
        assert engine.reconcile(["customer"]).differences == 5
        assert engine.reconcile(["customer"], repair=True).differences == 0
    assert [row["credit"] for row in world.crm.records("customers")] == [7] * 5


def test_two_full_systems_wait_for_approval_with_every_match_counted(world: World) -> None:
    five(world)
    for n in range(3, 8):
        world.erp.add("customers", name=f"C{n}", code=f"{n}", credit=9)
    with world.engine() as engine:
        report = engine.sync()
        assert report.state == "needs_person" and report.plan is not None
        matched = {m["system"]: m for m in report.plan.matched if m["entity"] == "customer"}
        assert sum(matched["erp"]["matched"].values()) == 2
        assert engine.apply(report.plan.id).state == "done"
    assert names(world, "crm") == names(world, "erp") == [f"C{n}" for n in range(8)]


def test_records_missing_from_a_listing_are_looked_at_once_more(world: World) -> None:
    world.policy["deletes"] = "propagate"
    world.crm.tombstones = False
    ids = five(world)
    world.sync()
    for crm in ids[:3]:
        world.crm.remove("customers", crm)
    world.sync(full=True)
    assert names(world, "erp") == ["C3", "C4"]


def test_a_changed_match_rule_indexes_every_record_anew(world: World) -> None:
    world.policy["create"] = {"erp": False}
    five(world)
    world.sync()
    world.mappings = {k: v.replace("match: [[tax_id], [name]]", "match: [[number]]") for k, v in world.mappings.items()}
    for number in ("0", "4"):
        world.erp.add("customers", name=f"renamed {number}", code=number)
    world.sync()
    assert names(world, "crm") == ["C1", "C2", "C3", "renamed 0", "renamed 4"]
    assert world.sync().writes == 0
