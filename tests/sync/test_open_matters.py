"""What is open about a record when something else happens to it: letters, conflicts, findings, links of the past."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sync.fakes import CUSTOMERS, World

from hub.sync import context

THREE = ("crm", "erp", "shop")


def customers(path: Path, **options: Any) -> World:
    return World(path, mappings={"customer": CUSTOMERS}, **options)


def only(world: World, system: str) -> dict[str, Any]:
    (row,) = world.systems[system].records("customers")
    return row


def three_opinions(path: Path) -> tuple[World, dict[str, str]]:
    """Everybody changed the credit of one customer: two conflicts with what the first one said."""
    world = customers(path, systems=THREE, conflict="hold")
    world.crm.add("customers", name="A", credit=1)
    world.sync()
    ids = {name: next(iter(world.systems[name].rows["customers"])) for name in THREE}
    for number, name in enumerate(THREE, 2):
        world.systems[name].edit("customers", ids[name], credit=number)
    assert world.sync().open_conflicts == 2
    return world, ids


def opinions(world: World) -> list[tuple[str, str, str]]:
    with world.engine() as engine:
        return [(c["system"], c["theirs"], c["ours"]) for c in engine.conflicts()]


def test_every_conflict_about_a_value_follows_an_edit_of_it(tmp_path: Path) -> None:
    world, ids = three_opinions(tmp_path)
    assert opinions(world) == [("erp", "3", "2"), ("shop", "4", "2")]
    world.crm.edit("customers", ids["crm"], credit=9)
    world.sync()
    assert opinions(world) == [("erp", "3", "9"), ("shop", "4", "9")]


def test_one_decision_leaves_the_other_question_open(tmp_path: Path) -> None:
    world, _ = three_opinions(tmp_path)
    with world.engine() as engine:
        engine.resolve(engine.conflicts()[0]["id"], take="theirs")
    world.sync()
    assert [(system, theirs) for system, theirs, _ in opinions(world)] == [("shop", "4")]
    with world.engine() as engine:
        engine.resolve(engine.conflicts()[0]["id"], take="theirs")
    world.sync()
    assert {only(world, name)["credit"] for name in THREE} == {4}
    assert world.sync().writes == 0


def test_a_letter_about_a_record_goes_when_that_is_merged_away(tmp_path: Path) -> None:
    world = customers(tmp_path)
    keep = world.crm.add("customers", name="A")
    world.sync()
    world.erp.reject = lambda values: "closed" if values.get("name") == "B" else None
    other = world.crm.add("customers", name="B", credit=5)
    assert world.sync().open_letters == 1
    with world.engine() as engine:
        engine.merge("customer", keep, other)
        assert engine.letters() == []
    world.sync()
    assert only(world, "erp")["name"] == "A" and only(world, "erp")["credit"] == 5
    assert world.sync().writes == 0


def test_a_doubtful_record_that_is_seen_again_is_one_question(tmp_path: Path) -> None:
    world = customers(tmp_path)
    world.crm.add("customers", name="Same", code="1")
    second = world.crm.add("customers", name="Same", code="2")
    assert world.sync().open_conflicts == 1
    for credit in (5, 6):
        world.crm.edit("customers", second, credit=credit)
        assert world.sync().open_conflicts == 1
    with world.engine() as engine:
        (conflict,) = engine.conflicts()
        engine.resolve(conflict["id"], new=True)
    world.sync()
    assert sorted((row["code"], row.get("credit")) for row in world.erp.records("customers")) == [("1", None), ("2", 6)]


def test_findings_stay_few_enough_to_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "MAX_FINDINGS", 3)
    world = customers(tmp_path)
    for n in range(5):
        world.crm.add("customers", name=f"C{n}", tax=f"91310000MA1FL0000{n}")
    report = world.sync()
    assert ({f.kind for f in report.findings}, len(report.findings), report.more_findings) == ({"tax_id"}, 3, 2)


@pytest.mark.parametrize(("deletes", "gone"), [("propagate", "hub"), ("archive", "archived")])
def test_links_are_told_as_they_were(tmp_path: Path, deletes: str, gone: str) -> None:
    world = customers(tmp_path, deletes=deletes)
    crm = world.crm.add("customers", name="A")
    world.sync()
    (erp,) = world.erp.rows["customers"]
    both = world.clock.text()
    world.crm.remove("customers", crm)
    world.sync()
    after = world.clock.text()
    world.crm.add("customers", name="later")
    world.sync()

    def links(at: str) -> dict[str, tuple[str, str | None]]:
        with world.engine() as engine:
            found = engine.explain("customer", erp, at=at)["links"]
        return {system: (link["id"], link["gone"]) for system, link in found.items()}

    assert links(both) == {"crm": (crm, None), "erp": (erp, None)}
    assert links(after) == {"crm": (crm, "them"), "erp": (erp, gone)}


def test_a_system_that_is_only_written_to_shows_who_carries_the_hubs_key(tmp_path: Path) -> None:
    """A lost link is found again by the key, and nothing of what somebody typed there is taken."""
    world = customers(tmp_path, directions={"crm": "both", "erp": "out"})
    crm = world.crm.add("customers", name="A", credit=1)
    world.sync()
    (erp,) = world.erp.rows["customers"]
    world.erp.edit("customers", erp, credit=99)
    world.crm.edit("customers", crm, name="B")
    world.sync()
    assert (only(world, "erp")["name"], only(world, "crm")["credit"]) == ("B", 1)
    assert world.sync().writes == 0
