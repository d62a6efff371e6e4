"""Looking up what unlinked records may be: among what is stored, and among those that come with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sync.fakes import CUSTOMERS, ORDERS, World

from hub.sync.matching import rules_of, wanted


def world(path: Path, **options: object) -> World:
    return World(path, mappings={"customer": CUSTOMERS}, **options)  # type: ignore[arg-type]


def names(world: World, system: str) -> list[str]:
    return sorted(row["name"] for row in world.systems[system].records("customers"))


def test_records_are_indexed_by_the_rules_of_every_mapping(tmp_path: Path) -> None:
    made = World(tmp_path, mappings={"customer": CUSTOMERS, "order": ORDERS})
    made.overrides["erp", "customer"] = CUSTOMERS.replace("[[tax_id], [name]]", "[[name], [number, phone]]")
    with made.engine() as engine:
        assert rules_of(engine.setup, "customer") == (("tax_id",), ("name",), ("number", "phone"))
        assert rules_of(engine.setup, "order") == (("number",),)


@pytest.mark.parametrize(
    ("directions", "two"),
    [
        ({"crm": "both", "erp": "both"}, True),
        ({"crm": "in", "erp": "both"}, True),
        ({"crm": "in", "erp": "out"}, False),
        ({"crm": "both", "erp": "out"}, False),
    ],
)
def test_where_one_system_is_read_there_is_nothing_to_match(
    tmp_path: Path, directions: dict[str, str], two: bool
) -> None:
    with world(tmp_path, directions=directions).engine() as engine:
        assert wanted(engine.setup, "customer") == two


def conflicts(made: World) -> list[tuple[str, str, str]]:
    with made.engine() as engine:
        return [(c["system"], c["path"], c["base"] or "") for c in engine.conflicts()]


def waiting(made: World) -> list[str]:
    with made.engine() as engine:
        return [c["theirs"]["name"] for c in engine.conflicts() if c["path"] == "match"]


def test_two_new_records_of_one_system_that_look_alike_are_not_taken_for_one(tmp_path: Path) -> None:
    made = world(tmp_path)
    for credit in (1, 2):
        made.crm.add("customers", name="Same", credit=credit)
    made.crm.add("customers", name="Other")
    report = made.sync()
    assert report.open_conflicts == 1 and waiting(made) == ["Same"]
    assert names(made, "erp") == ["Other", "Same"], "the first and the one that is like nobody else"


def test_alike_by_any_rule_is_alike(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.crm.add("customers", name="A", tax="T1")
    made.crm.add("customers", name="B", tax="T1")
    made.crm.add("customers", name="A", tax="T2")
    made.crm.add("customers", name="C", tax="T3")
    assert made.sync().open_conflicts == 2
    assert waiting(made) == ["B", "A"] and names(made, "erp") == ["A", "C"]


def test_two_new_records_that_match_one_of_the_other_system(tmp_path: Path) -> None:
    """The first is linked with it; the second waits: one record of a system has one of the other."""
    made = world(tmp_path)
    made.crm.add("customers", name="Same", code="1")
    made.sync()
    (copy,) = made.erp.rows["customers"]
    made.erp.add("customers", name="Same", note="second")
    assert made.sync().open_conflicts == 1
    assert len(made.crm.rows["customers"]) == 1 and copy in made.erp.rows["customers"]


def test_the_first_of_a_batch_takes_it_and_the_second_waits(tmp_path: Path) -> None:
    made = world(tmp_path, create={"erp": False})
    made.crm.add("customers", name="Same", code="1")
    made.sync()
    first, second = (made.erp.add("customers", name="Same", note=note) for note in ("a", "b"))
    assert made.sync().open_conflicts == 1
    assert [row["note"] for row in made.crm.records("customers")] == ["a"]
    assert {first, second} == set(made.erp.rows["customers"])


def test_blanks_are_alike_to_nothing(tmp_path: Path) -> None:
    made = world(tmp_path)
    for name in ("A", "B"):
        made.crm.add("customers", name=name, tax=None)
        made.erp.add("customers", name=name, tax=None)
    assert made.sync().open_conflicts == 0
    assert names(made, "crm") == names(made, "erp") == ["A", "B"]


def test_a_deleted_record_is_not_matched(tmp_path: Path) -> None:
    made = world(tmp_path, deletes="propagate")
    a = made.crm.add("customers", name="A", note="old")
    made.sync()
    made.crm.remove("customers", a)
    made.sync()
    made.erp.add("customers", name="A")
    made.sync()
    (row,) = made.crm.records("customers")
    assert row["name"] == "A" and row.get("note") is None, "another one, with nothing of the old"
    assert made.sync().writes == 0


def test_records_of_the_hubs_own_making_are_known_by_their_key(tmp_path: Path) -> None:
    """A record whose link was lost carries the hub's key: it is ours, whatever it is called by now."""
    made = world(tmp_path, deletes="ignore")
    made.crm.add("customers", name="A")
    made.sync()
    (copy,) = made.erp.rows["customers"]
    row = dict(made.erp.row("customers", copy))
    made.erp.remove("customers", copy)
    made.sync()
    made.erp.add("customers", **{k: v for k, v in row.items() if k not in ("_version", "_at", "_by")} | {"name": "B"})
    made.sync()
    assert names(made, "crm") == ["B"] and names(made, "erp") == ["B"]
    assert made.sync().writes == 0


def test_a_key_of_another_entity_is_no_key(tmp_path: Path) -> None:
    made = World(tmp_path, mappings={"customer": CUSTOMERS, "order": ORDERS})
    order = made.crm.add("orders", no="1", customer=made.crm.add("customers", name="A"), lines=[])
    made.sync()
    with made.engine() as engine:
        key = engine.explain("order", "1")["hub_id"]
    made.erp.add("customers", name="B", _key=key)
    made.sync()
    assert names(made, "crm") == ["A", "B"] and order in made.crm.rows["orders"]


def test_when_a_second_system_joins_what_is_there_is_matched(tmp_path: Path) -> None:
    """While one system is read nothing is indexed; with the second one everything is, and again after a change."""
    made = world(tmp_path, directions={"crm": "both", "erp": "out"}, create={"erp": False})
    for name in ("A", "B"):
        made.crm.add("customers", name=name)
    made.sync()
    made.directions["erp"] = "both"
    made.erp.add("customers", name="A", note="theirs")
    made.sync()
    assert [(row["name"], row.get("note")) for row in made.crm.records("customers")] == [("A", "theirs"), ("B", None)]
    made.directions["erp"] = "out"
    made.crm.add("customers", name="C")
    made.sync()
    made.directions["erp"] = "both"
    made.erp.add("customers", name="C", note="theirs")
    made.sync()
    assert [row.get("note") for row in made.crm.records("customers")] == ["theirs", None, "theirs"]
    assert len(made.crm.rows["customers"]) == 3
