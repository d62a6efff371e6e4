"""Laws 9 and 10: deletes are earned, approvals mean what was shown, and the books are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sync.fakes import World

from hub.errors import ConfigurationError, Unavailable
from hub.sync.policy import Budget


def fill(world: World, system: str, count: int) -> list[str]:
    return [world.systems[system].add("customers", name=f"A{n}", credit=n) for n in range(count)]


@pytest.mark.parametrize("tombstones", [True, False])
def test_an_order_deleted_while_it_waited_is_never_made(tmp_path: Path, tombstones: bool) -> None:
    world = World(tmp_path)
    world.crm.tombstones = tombstones
    order = world.crm.add("orders", no="SO1", customer="crm99", lines=[])
    world.sync()
    world.crm.remove("orders", order)
    world.sync(full=not tombstones)
    world.crm._put("customers", "crm99", {"name": "late"}, by="user")
    world.sync()
    world.sync()
    assert world.erp.records("orders") == []


def test_a_first_sync_is_asked_for_though_the_system_was_down_at_first(tmp_path: Path) -> None:
    world = World(tmp_path)
    for system in ("crm", "erp"):
        customer = world.systems[system].add("customers", name="A")
        for n in range(3):
            world.systems[system].add("orders", no=f"{system}{n}", customer=customer, lines=[])

    def down(verb: str) -> None:
        raise Unavailable("down")

    world.erp.before = down
    world.sync(yes=False)
    world.erp.before = lambda verb: None
    report = world.sync(yes=False)
    assert report.state == "needs_person"
    assert len(world.erp.records("orders")) == len(world.crm.records("orders")) == 3


def test_approving_reads_from_a_system_does_not_approve_writes_to_it(tmp_path: Path) -> None:
    world = World(tmp_path, directions={"crm": "both", "erp": "in"})
    world.crm.add("customers", name="A", credit=1)
    world.erp.add("customers", name="B", credit=2)
    world.sync()
    world.directions["erp"] = "both"
    assert world.sync(yes=False).state == "needs_person"
    assert [row["name"] for row in world.erp.records("customers")] == ["B"]


def test_approving_a_plan_does_not_make_a_listing_believed(tmp_path: Path) -> None:
    world = World(tmp_path, deletes="propagate")
    world.crm.tombstones = False
    ids = fill(world, "crm", 80)
    world.sync()
    world.crm.edit("customers", ids[0], credit=1000)
    with world.engine() as engine:
        plan = engine.plan().plan
        assert plan is not None
        rows, world.crm.rows["customers"] = world.crm.rows["customers"], {}
        world.clock.now = world.clock.now.replace(hour=23)  # the listing of ids is due
        engine.apply(plan.id)
    world.crm.rows["customers"] = rows
    world.sync(yes=False)
    assert len(world.erp.records("customers")) == 80
    with world.engine() as engine, engine.store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM hub_record WHERE deleted_at IS NOT NULL")).scalar() == 0


def test_the_budget_is_of_the_pass_and_not_of_each_round(tmp_path: Path) -> None:
    world = World(tmp_path, systems=("crm", "erp", "shop"), budget=Budget(2, 0.0))
    ids = [world.crm.add("customers", name=f"A{n}", code="1", credit=n) for n in range(4)]
    world.sync()

    def numbered(record: dict[str, Any]) -> None:
        record["code"] = "2" if record["credit"] == 100 else record["code"]

    world.shop.rewrite = numbered  # answers a change with one of its own, which the others get in the next round
    for key in ids[:2]:
        world.crm.edit("customers", key, credit=100)
    report = world.sync(yes=False)
    assert sum(c.updated for c in report.counts if c.system == "erp") == 2
    assert report.state == "needs_person"


def test_a_deleted_record_leaves_the_analysts_tables_and_comes_back_when_restored(tmp_path: Path) -> None:
    world = World(tmp_path)
    (a,) = fill(world, "crm", 1)
    world.sync()
    kept = {k: v for k, v in world.crm.row("customers", a).items() if not k.startswith("_")}

    def rows() -> int:
        with world.engine() as engine, engine.store.read() as connection:
            return int(connection.execute(text("SELECT count(*) FROM customer")).scalar_one())

    assert rows() == 1
    world.crm.remove("customers", a)
    world.sync()
    assert rows() == 0
    world.crm._put("customers", a, kept, by="user")
    world.sync()
    assert rows() == 1


def test_a_plan_is_stale_when_a_record_was_deleted_since(tmp_path: Path) -> None:
    world = World(tmp_path)
    a, _ = fill(world, "crm", 2)
    with world.engine() as engine:
        plan = engine.plan().plan
        assert plan is not None
        world.crm.remove("customers", a)
        with pytest.raises(ConfigurationError, match="changed since the plan was made"):
            engine.apply(plan.id)
        with pytest.raises(ConfigurationError, match="is stale"):
            engine.apply(plan.id)
    assert world.erp.records("customers") == []


def test_a_plan_is_applied_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world, "crm", 1)
    with world.engine() as engine:
        plan = engine.plan().plan
        assert plan is not None
        engine.apply(plan.id)
        with pytest.raises(ConfigurationError, match="is applied"):
            engine.apply(plan.id)
    assert len(world.erp.records("customers")) == 1


def test_a_plan_carries_nothing_that_shows_up_only_while_it_is_applied(tmp_path: Path) -> None:
    world = World(tmp_path)
    a, _ = fill(world, "crm", 2)
    world.sync()
    there = next(iter(world.erp.rows["customers"]))
    world.erp.edit("customers", there, credit=7)
    with world.engine() as engine:
        plan = engine.plan().plan
        assert plan is not None and [(w.system, list(w.fields)) for w in plan.writes] == [("crm", ["credit_limit"])]
        real = world.crm.update

        def edited_meanwhile(*given: Any) -> Any:
            world.crm.update = real
            world.crm.edit("customers", a, tel="+8613900000001")
            return real(*given)

        world.crm.update = edited_meanwhile
        assert engine.apply(plan.id).writes == 1
    assert world.crm.row("customers", a)["credit"] == 7
    assert "tel" not in world.erp.row("customers", there)
    world.sync()
    assert world.erp.row("customers", there)["tel"] == "+8613900000001"
