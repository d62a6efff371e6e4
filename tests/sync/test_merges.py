"""Merging two records that are one, and taking it back: nothing is lost, and both stand again as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sync.fakes import World

from hub.errors import ConfigurationError, Unavailable, UnknownOutcome
from hub.sync import references


def two(tmp_path: Path, **options: Any) -> tuple[World, str, str]:
    """One customer under two names, each in one system only: the crm's id and the erp's."""
    options = {"create": {"crm": False, "erp": False}, "conflict": ("crm", "erp"), **options}
    world = World(tmp_path, **options)
    crm = world.crm.add("customers", name="宁波海川", tel="+86 574 8888 0001")
    erp = world.erp.add("customers", name="Ningbo Haichuan", credit=500, note="net 30")
    world.sync()
    return world, crm, erp


def merge(world: World, keep: str, other: str) -> dict[str, Any]:
    with world.engine() as engine:
        return engine.merge("customer", keep, other)


def undo(world: World, run: str = "last", **options: Any) -> Any:
    with world.engine() as engine:
        return engine.undo(run, **options)


def told(world: World, key: str) -> dict[str, Any]:
    with world.engine() as engine:
        found = engine.explain("customer", key)
    return {name: field["value"] for name, field in found["fields"].items()}


def quiet(world: World) -> bool:
    return bool(world.sync(full=True).writes == 0)


def only(world: World, system: str) -> dict[str, Any]:
    (record,) = world.systems[system].records("customers")
    return record


def test_two_become_one_that_knows_all_both_knew(tmp_path: Path) -> None:
    world, crm, erp = two(tmp_path)
    done = merge(world, crm, erp)
    assert done["links"] == [{"system": "erp", "record": erp, "now": "linked"}]
    world.sync()
    for system in ("crm", "erp"):
        row = only(world, system)
        assert (row["name"], row["tel"].replace(" ", ""), row["credit"]) == ("宁波海川", "+8657488880001", 500)
    assert only(world, "crm")["note"] == "net 30"
    assert quiet(world)
    world.erp.edit("customers", erp, credit=600)
    world.sync()
    assert only(world, "crm")["credit"] == 600


def test_nothing_is_lost_by_it(tmp_path: Path) -> None:
    world, crm, erp = two(tmp_path)
    other = told(world, erp)
    done = merge(world, crm, erp)
    assert told(world, done["merged"]) == other, "the other one is remembered with all its values"
    assert any("Ningbo Haichuan" in refused for refused in done["refused"])


def test_taken_back_both_stand_with_their_own_links_and_values(tmp_path: Path) -> None:
    world, crm, erp = two(tmp_path)
    before = (told(world, crm), told(world, erp))
    run = merge(world, crm, erp)["run"]
    world.sync()
    assert only(world, "erp")["name"] == "宁波海川"
    report = undo(world, run)
    assert (report.state, [finding.kind for finding in report.findings]) == ("done", ["split"])
    world.sync()
    known = [{name: value for name, value in told(world, key).items() if value is not None} for key in (crm, erp)]
    assert known == [{name: value for name, value in values.items() if value is not None} for values in before]
    assert (only(world, "crm")["name"], only(world, "crm").get("credit")) == ("宁波海川", None)
    assert only(world, "crm").get("note") is None, "what only fills blanks is taken out as well"
    assert (only(world, "erp")["name"], only(world, "erp").get("tel")) == ("Ningbo Haichuan", None)
    assert quiet(world)
    world.erp.edit("customers", erp, credit=700)
    world.sync()
    assert only(world, "crm").get("credit") is None, "they are two"
    with pytest.raises(ConfigurationError, match="taken back already"):
        undo(world, run)
    merge(world, crm, erp)
    world.sync()
    assert only(world, "crm")["credit"] == 700


def test_edits_made_since_stay_with_the_record_they_were_typed_into(tmp_path: Path) -> None:
    world, crm, erp = two(tmp_path)
    run = merge(world, crm, erp)["run"]
    world.sync()
    world.erp.edit("customers", erp, tel="+86 574 8888 0099")
    world.crm.edit("customers", crm, credit=950)
    world.sync()
    report = undo(world, run)
    assert [hold.detail.partition(":")[0] for hold in report.plan.held] == ["credit_limit"]
    world.sync()
    assert (only(world, "erp")["tel"].replace(" ", ""), only(world, "erp")["credit"]) == ("+8657488880099", 500)
    assert only(world, "crm")["credit"] == 950
    assert quiet(world)


def test_orders_follow_and_come_back(tmp_path: Path) -> None:
    world, crm, erp = two(tmp_path)
    mine = world.crm.add("orders", no="SO1", customer=crm, lines=[])
    theirs = world.erp.add("orders", no="SO2", customer=erp, lines=[])
    world.sync()
    run = merge(world, crm, erp)["run"]
    world.sync()
    late = world.erp.add("orders", no="SO3", customer=erp, lines=[])
    world.sync()
    with world.engine() as engine:
        owners = {engine.explain("order", key)["fields"]["customer"]["value"] for key in (mine, theirs, late)}
    assert len(owners) == 1
    assert quiet(world)
    undo(world, run)
    world.sync()
    with world.engine() as engine:
        of = [engine.explain("order", key)["fields"]["customer"]["value"] for key in (mine, theirs, late)]
        hub_ids = [engine.explain("customer", key)["hub_id"] for key in (crm, erp)]
    assert of == [hub_ids[0], hub_ids[1], hub_ids[1]]
    assert world.erp.row("orders", theirs)["customer"] == erp
    assert quiet(world)


def twins(tmp_path: Path, **options: Any) -> tuple[World, list[str], list[str]]:
    """Two records for one customer in both systems; ids in crm and erp, in the same order."""
    world = World(tmp_path, **options)
    for name in ("海川", "海川贸易"):
        world.crm.add("customers", name=name, credit=len(name))
    world.sync()
    return world, list(world.crm.rows["customers"]), list(world.erp.rows["customers"])


def test_where_a_system_has_both_the_second_is_left_alone(tmp_path: Path) -> None:
    world, crm, erp = twins(tmp_path)
    done = merge(world, crm[0], crm[1])
    assert {(link["system"], link["record"], link["now"]) for link in done["links"]} == {
        ("crm", crm[1], "merged"), ("erp", erp[1], "merged"),
    }  # fmt: skip
    assert quiet(world)
    world.crm.edit("customers", crm[1], credit=77)
    assert world.sync().writes == 0, "what is typed there is noted and goes nowhere"
    with world.engine() as engine:
        history = engine.explain("customer", crm[0])["history"]
    assert any("77" in str(entry["detail"]) for entry in history)
    world.crm.edit("customers", crm[0], credit=78)
    world.sync()
    assert [row["credit"] for row in world.erp.records("customers")] == [78, 4]
    undo(world, done["run"])
    world.sync()
    assert {row["credit"] for row in world.erp.records("customers")} == {78, 4}
    assert quiet(world)


@pytest.mark.parametrize("survivor", [0, 1])
def test_merged_in_the_system_too_the_one_that_is_left_is_it(tmp_path: Path, survivor: int) -> None:
    world, crm, erp = twins(tmp_path, deletes="propagate")
    merge(world, crm[0], crm[1])
    world.erp.remove("customers", erp[1 - survivor])
    world.sync()
    assert len(world.crm.records("customers")) == 2, "nothing is deleted because somebody tidied up"
    world.crm.edit("customers", crm[0], credit=99)
    world.sync()
    assert [row["credit"] for row in world.erp.records("customers")] == [99]
    assert quiet(world)


def test_a_record_deleted_by_a_merge_in_the_crm_can_be_joined_afterwards(tmp_path: Path) -> None:
    world, crm, erp = twins(tmp_path)
    world.crm.remove("customers", crm[1])
    world.sync()
    assert [row.get("archived") for row in world.erp.records("customers")] == [None, True]
    done = merge(world, crm[0], erp[1])
    assert done["links"] == [{"system": "erp", "record": erp[1], "now": "merged"}]
    assert quiet(world)


def test_what_can_not_be_merged_is_told(tmp_path: Path) -> None:
    world, crm, erp = twins(tmp_path, conflict="hold")
    with pytest.raises(ConfigurationError, match="both names mean"):
        merge(world, crm[0], erp[0])
    with pytest.raises(ConfigurationError, match="there is no customer"):
        merge(world, crm[0], "nobody")
    merge(world, crm[0], crm[1])
    with world.engine() as engine, pytest.raises(ConfigurationError):
        engine.merge("customer", crm[0], "h00000099")
    world.crm.edit("customers", crm[0], credit=1)
    world.erp.edit("customers", erp[0], credit=12)
    third = world.crm.add("customers", name="third")
    world.sync()
    with pytest.raises(ConfigurationError, match="decision"):
        merge(world, third, crm[0])


def test_products_follow_in_the_lines_of_orders_and_come_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    customer = world.crm.add("customers", name="A")
    products = [world.crm.add("products", code=code, name="轴承") for code in ("P1", "P-1")]
    lines = [{"seq": n, "product": product, "qty": n, "price": 10} for n, product in enumerate(products, 1)]
    order = world.crm.add("orders", no="SO1", customer=customer, lines=lines)
    world.sync()
    with world.engine() as engine:
        done = engine.merge("product", *products)
        merged = engine.explain("order", order)["fields"]["lines"]["value"]
        twins = [finding.kind for finding in engine.sync().findings]
    assert (done["references"], twins) == (1, [])
    assert {line["product"] for line in merged} == {done["kept"]}
    assert quiet(world)
    undo(world, done["run"])
    with world.engine() as engine:
        apart = engine.explain("order", order)["fields"]["lines"]["value"]
    assert [line["product"] for line in apart] == [done["kept"], done["merged"]]
    assert quiet(world)


def test_what_was_merged_or_deleted_is_not_kept(tmp_path: Path) -> None:
    world, crm, _ = twins(tmp_path, deletes="propagate")
    third = world.crm.add("customers", name="third")
    world.sync()
    run = merge(world, crm[0], crm[1])["run"]
    merge(world, third, crm[0])
    with pytest.raises(ConfigurationError, match="merged into another since"):
        undo(world, run)
    last = world.crm.add("customers", name="last")
    world.sync()
    world.crm.remove("customers", last)
    world.sync()
    with pytest.raises(ConfigurationError, match="is deleted"):
        merge(world, last, third)
    with world.engine() as engine, pytest.raises(ConfigurationError, match="no entity"):
        engine.merge("invoice", third, last)


def test_a_merge_that_would_be_taken_back_is_only_told(tmp_path: Path) -> None:
    world, crm, erp = two(tmp_path)
    run = merge(world, crm, erp)["run"]
    world.sync()
    planned = undo(world, run, carry_out=False)
    assert [finding.kind for finding in planned.findings] == ["split"]
    assert quiet(world), "they are one still"
    assert (only(world, "erp")["name"], only(world, "crm")["credit"]) == ("宁波海川", 500)


def test_what_the_other_one_knew_better_goes_back_to_it(tmp_path: Path) -> None:
    world, crm, erp = two(tmp_path)
    run = merge(world, erp, crm)["run"]
    world.sync()
    assert only(world, "erp")["name"] == "宁波海川", "the crm comes first, whichever is kept"
    undo(world, run)
    world.sync()
    assert (only(world, "crm")["name"], only(world, "erp")["name"]) == ("宁波海川", "Ningbo Haichuan")
    with world.engine() as engine:
        assert engine.explain("customer", erp)["fields"]["name"]["from"] == "erp"
    assert quiet(world)


def test_what_a_merge_filled_in_stays_where_the_hub_may_not_write(tmp_path: Path) -> None:
    world, crm, erp = two(tmp_path)
    run = merge(world, crm, erp)["run"]
    world.sync()
    world.directions["crm"] = "in"
    undo(world, run)
    world.sync()
    assert (only(world, "crm")["note"], only(world, "erp")["name"]) == ("net 30", "Ningbo Haichuan")
    assert quiet(world)


def test_what_a_person_decided_since_the_merge_is_kept(tmp_path: Path) -> None:
    world, crm, erp = two(tmp_path, conflict="hold")
    with world.engine() as engine:
        for conflict in engine.conflicts():
            engine.resolve(conflict["id"], take="ours")
    run = merge(world, crm, erp)["run"]
    with world.engine() as engine:
        for conflict in engine.conflicts():
            engine.resolve(conflict["id"], take="ours")
    world.sync()
    world.crm.edit("customers", crm, credit=501)
    world.erp.edit("customers", erp, credit=502)
    world.sync()
    with world.engine() as engine:
        (conflict,) = engine.conflicts()
        engine.resolve(conflict["id"], take="theirs")
    world.sync()
    decided = {only(world, system)["credit"] for system in ("crm", "erp")}
    assert len(decided) == 1
    report = undo(world, run)
    assert "credit_limit" in [hold.detail.partition(":")[0] for hold in report.plan.held]


def test_records_whose_write_is_in_doubt_are_not_merged(tmp_path: Path) -> None:
    world, crm, _ = twins(tmp_path)

    def lost(verb: str) -> None:
        if verb == "update":
            world.erp.before = down
            raise UnknownOutcome("the line went dead", where="erp")

    def down(verb: str) -> None:
        raise Unavailable("still dead", where="erp")

    world.crm.edit("customers", crm[0], credit=9)
    world.erp.before = lost
    world.sync()
    with pytest.raises(ConfigurationError, match="in doubt"):
        merge(world, crm[1], crm[0])
    world.erp.before = lambda verb: None
    world.sync()
    merge(world, crm[1], crm[0])


def test_all_that_refers_to_the_other_one_follows_however_much_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "PAGE", 2)
    world, crm, erp = two(tmp_path)
    orders = [world.erp.add("orders", no=f"SO{n}", customer=erp, lines=[]) for n in range(5)]
    world.sync()
    done = merge(world, crm, erp)
    assert done["references"] == 5
    with world.engine() as engine:
        owners = {engine.explain("order", key)["fields"]["customer"]["value"] for key in orders}
    assert owners == {done["kept"]}
