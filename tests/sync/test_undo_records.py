"""Law 10 for whole records: what a run created or removed is taken back, and where that can't be, it is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sync.fakes import FakeSystem, World

from hub.connect.capabilities import Result
from hub.errors import RecordRejected


def undo(world: World, run: str = "last", **options: Any) -> Any:
    with world.engine() as engine:
        return engine.undo(run, **options)


def held(report: Any) -> list[tuple[str, str]]:
    return [(one.system, one.reason) for one in report.plan.held]


def quiet(world: World) -> bool:
    return bool(world.sync(full=True).writes == 0)


def company(tmp_path: Path, **options: Any) -> tuple[World, str]:
    """An agreement about one customer, which the crm has made."""
    world = World(tmp_path, **options)
    world.crm.add("customers", name="old", credit=1)
    world.sync()
    return world, world.crm.add("customers", name="新客户", credit=5)


def names(world: World, system: str) -> list[str]:
    return [row["name"] for row in world.systems[system].records("customers")]


def test_what_a_run_created_is_deleted_and_not_made_again(tmp_path: Path) -> None:
    world, customer = company(tmp_path, deletes="propagate")
    run = world.sync().run
    assert names(world, "erp") == ["old", "新客户"]
    report = undo(world, run)
    assert [(w.system, w.action) for w in report.plan.writes] == [("erp", "delete")]
    assert report.state == "done"
    assert names(world, "erp") == ["old"]
    assert names(world, "crm") == ["old", "新客户"], "the run did not make it there"
    assert quiet(world)
    world.crm.edit("customers", customer, credit=6)
    assert world.sync().writes == 0
    assert names(world, "erp") == ["old"]


def test_it_is_made_again_when_the_undo_is_undone(tmp_path: Path) -> None:
    world, customer = company(tmp_path, deletes="propagate")
    undo(world, world.sync().run)
    world.crm.edit("customers", customer, credit=6)
    world.sync()
    report = undo(world)
    assert [(w.system, w.action) for w in report.plan.writes] == [("erp", "create")]
    assert [(row["name"], row["credit"]) for row in world.erp.records("customers")] == [("old", 1), ("新客户", 6)]
    assert quiet(world)
    world.crm.edit("customers", customer, credit=7)
    world.sync()
    assert [row["credit"] for row in world.erp.records("customers")] == [1, 7]


def test_a_company_that_archives_has_it_archived(tmp_path: Path) -> None:
    world, _ = company(tmp_path, deletes="archive")
    report = undo(world, world.sync().run)
    assert [(w.system, w.action) for w in report.plan.writes] == [("erp", "archive")]
    assert [row.get("archived") for row in world.erp.records("customers")] == [None, True]
    assert quiet(world)


@pytest.mark.parametrize("mapped", [True, False])
def test_what_somebody_worked_on_stays(tmp_path: Path, mapped: bool) -> None:
    world, _ = company(tmp_path)
    run = world.sync().run
    made = list(world.erp.rows["customers"])[-1]
    world.erp.edit("customers", made, **({"credit": 9} if mapped else {"terms": "30 Tage"}))
    report = undo(world, run)
    assert held(report) == [("erp", "touched")]
    assert ("by user" in report.plan.held[0].detail) == mapped
    assert names(world, "erp") == ["old", "新客户"]


def test_the_hubs_own_later_writes_go_first(tmp_path: Path) -> None:
    world, customer = company(tmp_path, deletes="propagate")
    first = world.sync().run
    world.crm.edit("customers", customer, credit=6)
    second = world.sync().run
    assert second in undo(world, first).plan.held[0].detail
    undo(world, second)
    assert undo(world, first).state == "done"
    assert names(world, "erp") == ["old"]
    assert quiet(world)


def test_what_is_referred_to_goes_after_what_refers_to_it(tmp_path: Path) -> None:
    world, customer = company(tmp_path, deletes="propagate")
    world.crm.add("orders", no="SO1", customer=customer, lines=[])
    run = world.sync().run
    assert len(world.erp.records("orders")) == 1
    refused = undo(world, run, entities=["customer"])
    assert held(refused) == [("erp", "reference")]
    assert "SO1" in refused.plan.held[0].detail
    planned = undo(world, run, carry_out=False)
    assert [(w.entity, w.action) for w in planned.plan.writes] == [("order", "delete"), ("customer", "delete")]
    assert planned.plan.held == []
    assert undo(world, run).state == "done"
    assert (names(world, "erp"), world.erp.records("orders")) == (["old"], [])
    assert quiet(world)
    assert undo(world).state == "done"
    (order,) = world.erp.records("orders")
    assert order["customer"] in world.erp.rows["customers"]
    assert quiet(world)


class Keeper(FakeSystem):
    """It neither deletes nor archives."""

    delete = None  # type: ignore[assignment]


def test_where_nothing_can_be_removed_it_is_said(tmp_path: Path) -> None:
    world = World(tmp_path)
    keeper = Keeper("erp", world.clock)
    world.systems["erp"] = keeper
    world.crm.add("customers", name="A", credit=1)
    run = world.sync().run
    assert held(undo(world, run)) == [("erp", "cannot")]
    assert names(world, "erp") == ["A"]


def test_a_refused_removal_becomes_a_letter(tmp_path: Path) -> None:
    world, _ = company(tmp_path, deletes="propagate")
    run = world.sync().run

    def refuse(resource: str, writes: Any, options: Any) -> Any:
        return [Result(error=RecordRejected("audited documents can't be deleted")) for _ in writes]

    world.erp.delete = refuse  # type: ignore[method-assign]
    report = undo(world, run)
    assert held(report) == [("erp", "failed")]
    assert report.open_letters == 1
    assert names(world, "erp") == ["old", "新客户"]
    assert quiet(world)


def deleted(tmp_path: Path, deletes: str, systems: tuple[str, ...] = ("crm", "erp")) -> tuple[World, str]:
    """A company whose crm lost a customer by mistake, and whose hub carried that on; the run."""
    world = World(tmp_path, deletes=deletes, systems=systems)
    customer = world.crm.add("customers", name="海川", credit=5, note="wichtig")
    world.sync()
    world.crm.remove("customers", customer)
    return world, world.sync().run


def test_what_a_run_deleted_is_made_again_with_all_that_is_mapped(tmp_path: Path) -> None:
    world, run = deleted(tmp_path, "propagate", ("crm", "erp", "shop"))
    assert world.erp.records("customers") == world.shop.records("customers") == []
    report = undo(world, run)
    assert [(w.system, w.action) for w in report.plan.writes] == [("erp", "create"), ("shop", "create")]
    for system in ("erp", "shop"):
        (record,) = world.systems[system].records("customers")
        assert (record["name"], record["credit"], record["note"]) == ("海川", 5, "wichtig")
    assert world.crm.records("customers") == [], "a person deleted it there, not the run"
    assert quiet(world)
    (erp,) = world.erp.rows["customers"]
    world.erp.edit("customers", erp, credit=6)
    world.sync()
    assert [row["credit"] for row in world.shop.records("customers")] == [6]


def test_and_deleted_again_when_that_is_undone(tmp_path: Path) -> None:
    world, run = deleted(tmp_path, "propagate")
    undo(world, run)
    report = undo(world)
    assert (report.state, world.erp.records("customers")) == ("done", [])
    assert quiet(world)
    with world.engine() as engine, engine.store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM hub_record WHERE deleted_at IS NULL")).scalar() == 0


def test_what_a_run_archived_counts_as_live_again_and_a_person_is_told(tmp_path: Path) -> None:
    world, run = deleted(tmp_path, "archive")
    assert [row["archived"] for row in world.erp.records("customers")] == [True]
    report = undo(world, run)
    assert held(report) == [("erp", "by hand")]
    (erp,) = world.erp.rows["customers"]
    world.erp.edit("customers", erp, archived=False, credit=8)
    world.sync()
    with world.engine() as engine:
        told = engine.explain("customer", erp)
    assert (told["deleted"], told["fields"]["credit_limit"]["value"]) == (None, "8")
    assert quiet(world)


def test_what_was_made_again_meanwhile_is_not_made_twice(tmp_path: Path) -> None:
    world, run = deleted(tmp_path, "propagate")
    world.crm.add("customers", name="海川", credit=5)
    world.sync()
    assert held(undo(world, run)) == [("erp", "twin")]
    assert len(world.erp.records("customers")) == 1
    assert quiet(world)


def test_what_is_there_again_is_left_alone(tmp_path: Path) -> None:
    world, run = deleted(tmp_path, "propagate")
    undo(world, run)
    assert held(undo(world, run)) == [("erp", "touched")]
    assert len(world.erp.records("customers")) == 1


@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize("action", ["delete", "create"])
def test_a_crash_in_the_middle_makes_nothing_twice(tmp_path: Path, cut: str, action: str) -> None:
    class Crash(BaseException):
        pass

    if action == "delete":
        world, _ = company(tmp_path, deletes="propagate")
        run = world.sync().run
    else:
        world, run = deleted(tmp_path, "propagate")

    def die(verb: str) -> None:
        if verb == action:
            raise Crash

    setattr(world.erp, cut, die)
    with pytest.raises(Crash):
        undo(world, run)
    setattr(world.erp, cut, lambda verb: None)
    world.clock.now = world.clock.now.replace(hour=5)
    world.sync()
    if (action, cut) == ("delete", "before"):
        assert undo(world, run).state == "done", "nothing was done: it can be undone once more"
    assert names(world, "erp") == (["old"] if action == "delete" else ["海川"])
    assert quiet(world)
    assert names(world, "erp") == (["old"] if action == "delete" else ["海川"])
