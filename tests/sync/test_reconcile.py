"""The full comparison: what it counts, what it calls a difference, and that a repair ends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import text
from sync.fakes import World


def reconcile(world: World, entities: list[str] | None = None, **options: Any) -> Any:
    with world.engine() as engine:
        return engine.reconcile(entities, **options)


def books(report: Any, entity: str = "customer") -> dict[str, dict[str, Any]]:
    (found,) = [one for one in report.comparison if one["entity"] == entity]
    return {system["system"]: system for system in found["systems"]}


def company(tmp_path: Path, **options: Any) -> tuple[World, list[str]]:
    world = World(tmp_path, **options)
    ids = [world.crm.add("customers", name=f"客户{n}", credit=100 * n) for n in range(1, 5)]
    world.sync()
    return world, ids


def fields(system: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {row["field"]: (row["open"], row["own"]) for row in system["fields"]}


def test_in_agreement_there_is_nothing_to_tell_but_the_books(tmp_path: Path) -> None:
    world, _ = company(tmp_path)
    report = reconcile(world)
    assert (report.kind, report.state, report.differences, report.writes) == ("reconcile", "done", 0, 0)
    for system in books(report).values():
        assert (system["records"], system["linked"], system["fields"]) == (4, 4, [])
        assert system["amounts"] == [{"field": "credit_limit", "currency": "", "hub": "1000", "system": "1000"}]


def test_every_kind_of_difference_is_counted_and_a_repair_ends_it(tmp_path: Path) -> None:
    world, ids = company(tmp_path)
    world.crm.edit("customers", ids[0], credit=150, tel="+86 574 8888 0001")
    world.crm.add("customers", name="new")
    report = reconcile(world)
    erp = books(report)["erp"]
    assert (report.state, report.writes, erp["missing"]) == ("needs_person", 0, 1)
    assert fields(erp) == {"credit_limit": (1, 0), "phone": (1, 0)}
    (row,) = [row for row in erp["fields"] if row["field"] == "credit_limit"]
    assert row["samples"] == [{"record": "客户1", "hub": "150", "system": "100", "open": True}]
    assert erp["amounts"][0] == {"field": "credit_limit", "currency": "", "hub": "1050", "system": "1000"}
    repaired = reconcile(world, repair=True)
    assert (repaired.state, repaired.differences, repaired.writes) == ("done", 0, 2)
    assert world.sync(full=True).writes == 0


def test_what_the_hub_forgot_to_plan_is_found_and_repaired(tmp_path: Path) -> None:
    world, ids = company(tmp_path)
    world.crm.edit("customers", ids[0], credit=150)
    world.erp.before = lambda verb: (_ for _ in ()).throw(RuntimeError) if verb == "update" else None
    try:
        world.sync()
    except RuntimeError:
        world.erp.before = lambda verb: None
    world.clock.now = world.clock.now.replace(hour=5)
    with world.engine() as engine, engine.store.begin() as connection:
        connection.execute(text("DELETE FROM todo"))
        connection.execute(text("DELETE FROM intent"))
    assert world.sync().writes == 0, "a lost note: no ordinary pass would find it"
    assert fields(books(reconcile(world))["erp"]) == {"credit_limit": (1, 0)}
    assert reconcile(world, repair=True).writes == 1
    assert reconcile(world).state == "done"


def test_what_is_known_and_left_is_told_apart(tmp_path: Path) -> None:
    world, ids = company(tmp_path)
    world.erp.rewrite = lambda record: record.update(name=record["name"][:3])
    world.crm.edit("customers", ids[0], name="宁波海川", credit=500)
    world.sync()
    with world.engine() as engine:
        engine.undo("last", field="credit_limit")
    report = reconcile(world, repair=True)
    assert (report.state, report.writes) == ("done", 0)
    assert fields(books(report)["erp"]) == {"name": (0, 1)}
    assert fields(books(report)["crm"]) == {"credit_limit": (0, 1)}


def test_records_that_are_not_where_they_belong(tmp_path: Path) -> None:
    world, ids = company(tmp_path, deletes="propagate")
    world.crm.remove("customers", ids[0])
    assert books(reconcile(world))["erp"]["left_over"] == 1
    world.sync()
    world.crm.add("customers", name="mistake")
    run = world.sync().run
    with world.engine() as engine:
        engine.undo(run)
    report = reconcile(world)
    erp = books(report)["erp"]
    assert (report.state, erp["records"], erp["linked"], erp["kept_out"]) == ("done", 3, 3, 1)


def test_a_repair_keeps_to_the_budget(tmp_path: Path) -> None:
    from hub.sync.policy import Budget

    world, ids = company(tmp_path, budget=Budget(floor=1, share=0.1))
    for customer in ids[:2]:
        world.crm.edit("customers", customer, credit=1)
    report = reconcile(world, repair=True)
    assert (report.state, report.writes, report.differences) == ("needs_person", 0, 2)
    with world.engine() as engine:
        assert engine.apply(report.plan.id).writes == 2
    assert reconcile(world).state == "done"


def test_a_system_that_is_only_written_is_compared_with_what_it_answered(tmp_path: Path) -> None:
    world, _ = company(tmp_path, directions={"crm": "both", "erp": "out"})
    erp = books(reconcile(world))["erp"]
    assert (erp["read"], erp["records"], erp["linked"], erp["fields"]) == (False, None, 4, [])


def test_archived_records_and_those_that_deletions_do_not_reach_are_no_difference(tmp_path: Path) -> None:
    world, ids = company(tmp_path, deletes="ignore")
    world.crm.remove("customers", ids[0])
    world.sync()
    report = reconcile(world)
    assert (report.state, report.differences, books(report)["erp"]["left_over"]) == ("done", 0, 0)
