"""What nobody can answer is refused with what to say instead, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import World

from hub.errors import ConfigurationError
from hub.sync.engine import Engine


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.crm.add("customers", name="A", code="C1")
    world.sync()
    return world


@pytest.mark.parametrize(
    ("ask", "says", "cure"),
    [
        (lambda e: e.sync(["client"]), "there is no entity client in hub.yaml", "one of: customer, product, order"),
        (lambda e: e.plan(systems=["shop"]), "there is no system shop", "one of: crm, erp"),
        (lambda e: e.apply("p9"), "there is no plan p9", "hub plan makes one"),
        (lambda e: e.undo("last", ["client"]), "there is no entity client in hub.yaml", "one of: customer"),
        (lambda e: e.resolve(9, take="ours"), "there is no open conflict 9", "hub conflicts lists them"),
        (lambda e: e.replay([9]), "there is no open letter 9", "hub letters lists them"),
        (lambda e: e.discard([9]), "there is no open letter 9", "hub letters lists them"),
        (lambda e: e.explain("client", "A"), "there is no entity client", "one of: customer, product, order"),
        (lambda e: e.explain("customer", "A", "colour"), "customer has no field colour", "one of: "),
        (lambda e: e.explain("customer", "Z"), "Z", ""),
    ],
)
def test_names_that_nothing_has(world: World, ask: Callable[[Engine], Any], says: str, cure: str) -> None:
    writes = world.crm.writes + world.erp.writes
    with world.engine() as engine, pytest.raises(ConfigurationError, match=says) as refused:
        ask(engine)
    assert cure in str(refused.value.cure)
    assert world.crm.writes + world.erp.writes == writes
    assert world.sync().state == "done", "no lease and no half of a run is left behind"


def test_a_plan_is_applied_once(world: World) -> None:
    world.crm.add("customers", name="B")
    with world.engine() as engine:
        plan = engine.plan().plan
        assert plan is not None and engine.apply(plan.id).writes == 1
        with pytest.raises(ConfigurationError, match="is applied") as refused:
            engine.apply(plan.id)
    assert refused.value.cure == "make a new one with hub plan"


def test_a_name_that_several_have_is_no_name(world: World) -> None:
    world.crm.add("customers", name="A", code="C2", tax="T2")
    with world.engine() as engine:
        for conflict in (engine.sync(yes=True), engine.conflicts())[1]:
            engine.resolve(conflict["id"], new=True)
        engine.sync(yes=True)
        with pytest.raises(ConfigurationError, match="2 records of customer are called A") as refused:
            engine.explain("customer", "A")
        ids = refused.value.cure.removeprefix("use a hub id: ").split(", ")
        assert sorted(engine.explain("customer", hub_id)["fields"]["number"]["value"] for hub_id in ids) == ["C1", "C2"]


def disputed(path: Path) -> tuple[World, str, str]:
    """A customer whose credit was changed on both sides; its ids in crm and erp."""
    world = World(path, conflict="hold")
    crm = world.crm.add("customers", name="A", credit=1)
    world.sync()
    (erp,) = world.erp.rows["customers"]
    world.crm.edit("customers", crm, credit=2)
    world.erp.edit("customers", erp, credit=3)
    world.sync()
    return world, crm, erp


def test_a_conflict_wants_to_know_which_value(tmp_path: Path) -> None:
    world, _, _ = disputed(tmp_path)
    with world.engine() as engine:
        (conflict,) = engine.conflicts()
        assert conflict["title"] == "A"
        with pytest.raises(ConfigurationError, match="say which value to take"):
            engine.resolve(conflict["id"])
        assert len(engine.conflicts()) == 1
        engine.resolve(conflict["id"], take="theirs")
        with pytest.raises(ConfigurationError, match="there is no open conflict"):
            engine.resolve(conflict["id"], take="ours")


def test_an_open_conflict_follows_what_happens_meanwhile(tmp_path: Path) -> None:
    world, crm, erp = disputed(tmp_path)
    world.erp.edit("customers", erp, credit=4)
    world.sync()
    with world.engine() as engine:
        assert [(c["theirs"], c["ours"]) for c in engine.conflicts()] == [("4", "2")]
    world.crm.edit("customers", crm, credit=5)
    world.sync()
    with world.engine() as engine:
        assert [(c["theirs"], c["ours"]) for c in engine.conflicts()] == [("4", "5")]
    world.erp.edit("customers", erp, credit=5)
    assert world.sync().open_conflicts == 0, "they agree by themselves now"
    assert world.sync().writes == 0


def doubtful(path: Path, erps: int = 1) -> tuple[World, list[str], list[int]]:
    """Two customers of the crm came to have one name, and so have ``erps`` of the erp; these, and their conflicts."""
    world = World(path, create={"erp": False})
    for name in ("A", "B"):
        world.crm.add("customers", name=name, code=name)
    world.sync()
    for row in list(world.crm.rows["customers"]):
        world.crm.edit("customers", row, name="Same")
    world.sync()
    added = [world.erp.add("customers", name="Same", note=f"mine {n}") for n in range(erps)]
    world.sync()
    with world.engine() as engine:
        return world, added, [c["id"] for c in engine.conflicts() if (c["path"], c["system"]) == ("match", "erp")]


def notes(world: World) -> dict[str, str]:
    return {row["code"]: row.get("note") for row in world.crm.records("customers") if row.get("code")}


def test_a_doubtful_match_wants_one_answer(tmp_path: Path) -> None:
    world, _, (conflict,) = doubtful(tmp_path)
    with world.engine() as engine:
        a = engine.explain("customer", "A")["hub_id"]
        for wrong in ({}, {"link": a, "new": True}):
            with pytest.raises(ConfigurationError, match="this record may be one of several") as refused:
                engine.resolve(conflict, **wrong)
            assert a in refused.value.cure and "--new" in refused.value.cure
        engine.resolve(conflict, link=a)
    world.sync()
    assert notes(world) == {"A": "mine 0", "B": None}
    assert world.sync().writes == 0


def test_a_record_is_not_linked_with_two_of_one_system(tmp_path: Path) -> None:
    world, _, (one, two) = doubtful(tmp_path, erps=2)
    with world.engine() as engine:
        a = engine.explain("customer", "A")["hub_id"]
        engine.resolve(one, link=a)
        with pytest.raises(ConfigurationError, match="is linked with another record of erp"):
            engine.resolve(two, link=a)
        assert [c["id"] for c in engine.conflicts()] == [two]
        engine.resolve(two, new=True)
    world.sync()
    assert len(world.erp.rows["customers"]) == 2 and len(world.crm.rows["customers"]) == 3
    assert notes(world) == {"A": "mine 0", "B": None}
    assert world.sync().writes == 0


def test_a_doubtful_record_that_is_gone_needs_no_answer(tmp_path: Path) -> None:
    world, (erp,), (conflict,) = doubtful(tmp_path)
    world.erp.remove("customers", erp)
    world.sync()
    with world.engine() as engine:
        assert engine.conflicts() == []
        with pytest.raises(ConfigurationError, match="there is no open conflict"):
            engine.resolve(conflict, new=True)


def test_records_that_something_is_open_about_are_not_merged(tmp_path: Path) -> None:
    world, crm, _ = disputed(tmp_path)
    other = world.crm.add("customers", name="B")
    world.sync()
    with world.engine() as engine:
        for keep, second, says in ((crm, other, "waits for a decision"), (crm, crm, "both names mean")):
            with pytest.raises(ConfigurationError, match=says):
                engine.merge("customer", keep, second)
        engine.resolve(engine.conflicts()[0]["id"], take="ours")
        merged = engine.merge("customer", crm, other)["merged"]
        with pytest.raises(ConfigurationError, match="was merged into another already"):
            engine.merge("customer", crm, merged)
