"""Law 5, authority holds: a field owned by one system never takes its value from another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sync.fakes import CUSTOMERS, World


def only(world: World, system: str) -> dict[str, Any]:
    (row,) = world.systems[system].records("customers")
    return row


def test_what_another_system_fills_in_at_a_create_is_not_taken_over(tmp_path: Path) -> None:
    world = World(tmp_path, authority={"credit_limit": "crm"})
    world.erp.rewrite = lambda record: record.update(credit=record.get("credit") or 500)
    world.crm.add("customers", name="A", credit=None)
    world.sync()
    assert only(world, "crm")["credit"] is None
    before = world.crm.writes + world.erp.writes
    assert world.sync().writes <= 1  # the erp may be told once more, and answers as before
    world.sync()
    assert world.crm.writes + world.erp.writes <= before + 1
    assert only(world, "crm")["credit"] is None


@pytest.mark.parametrize("versioned", [True, False])
def test_an_edit_met_while_writing_another_field_is_taken_back(tmp_path: Path, versioned: bool) -> None:
    world = World(tmp_path, authority={"credit_limit": "crm"})
    if not versioned:
        remote = world.erp._remote

        def unversioned(resource: str, remote_id: str) -> Any:
            found = remote(resource, remote_id)
            found.version = None
            return found

        world.erp._remote = unversioned  # type: ignore[method-assign]
    a = world.crm.add("customers", name="A", credit=1)
    world.sync()
    (b,) = world.erp.rows["customers"]
    world.crm.edit("customers", a, tel="13800000000")
    left = iter([True])

    def meddle(verb: str) -> None:
        if verb == "update" and next(left, False):
            world.erp.edit("customers", b, credit=99)

    world.erp.before = meddle
    world.sync()
    assert only(world, "crm")["credit"] == 1 and only(world, "erp")["credit"] == 1
    assert world.sync().writes == 0


def test_an_owner_that_comes_late_has_its_values_taken_over(tmp_path: Path) -> None:
    world = World(tmp_path, systems=("crm", "erp"), authority={"credit_limit": "erp"})
    a = world.crm.add("customers", name="A", credit=5)
    erp = world.systems["erp"]
    world.sync()
    (b,) = erp.rows["customers"]
    erp.edit("customers", b, credit=7)
    world.sync()
    world.crm.edit("customers", a, credit=9)
    world.sync()
    assert only(world, "crm")["credit"] == only(world, "erp")["credit"] == 7


def test_an_owner_matched_late_wins_over_what_was_there(tmp_path: Path) -> None:
    world = World(tmp_path, authority={"credit_limit": "erp"}, create={"erp": False})
    world.crm.add("customers", name="A", credit=5)
    world.sync()
    world.erp.add("customers", name="A", credit=7)
    world.sync()
    assert only(world, "crm")["credit"] == only(world, "erp")["credit"] == 7


def test_lines_of_an_owner_are_not_removed_or_added_by_another(tmp_path: Path) -> None:
    world = World(tmp_path, authority={"lines": "erp"})
    c = world.crm.add("customers", name="A")
    p = world.crm.add("products", code="P1", name="x")
    o = world.crm.add(
        "orders", no="SO1", customer=c, lines=[{"seq": n, "product": p, "qty": n, "price": 1} for n in (1, 2)]
    )
    world.sync()
    lines = world.crm.row("orders", o)["lines"]
    world.crm.edit("orders", o, lines=[{**lines[0], "qty": 9}, {"seq": 3, "product": p, "qty": 3, "price": 1}])
    report = world.sync()
    assert sum(n.refused for n in report.counts) == 3
    for system in ("crm", "erp"):
        (order,) = world.systems[system].records("orders")
        assert sorted((line["seq"], line["qty"]) for line in order["lines"]) == [(1, 1), (2, 2)]


def test_a_refused_edit_of_a_value_the_system_had_rewritten_is_taken_back(tmp_path: Path) -> None:
    world = World(tmp_path, authority={"name": "crm"})
    world.erp.rewrite = lambda record: record.update(name=str(record["name"]).upper())
    a = world.crm.add("customers", name="Anna")
    world.sync()
    (b,) = world.erp.rows["customers"]
    world.crm.edit("customers", a, tel="13800000000")
    left = iter([True])

    def meddle(verb: str) -> None:
        if verb == "update" and next(left, False):
            world.erp.edit("customers", b, name="Berta")
            world.erp.rows["customers"][b]["_version"] = version

    version = world.erp.row("customers", b)["_version"]
    world.erp.before = meddle
    world.sync()
    world.sync()
    assert only(world, "erp")["name"] == "ANNA" and only(world, "crm")["name"] == "Anna"


def test_nothing_is_taken_from_a_system_that_is_only_written_to(tmp_path: Path) -> None:
    """A write that meets somebody's edit there looks at the record again; the edit is refused and written over."""
    world = World(tmp_path, directions={"crm": "both", "erp": "out"}, mappings={"customer": CUSTOMERS})
    remote_id = world.crm.add("customers", name="客户", tel="13800000000")
    world.sync()
    [there] = world.erp.rows["customers"]

    def meddle(verb: str) -> None:
        if verb == "update":
            world.erp.before = lambda verb: None
            world.erp.edit("customers", there, name="somebody's", note="else")

    world.erp.before = meddle
    world.crm.edit("customers", remote_id, tel="13900000000")
    report = world.sync()
    assert sum(c.refused for c in report.counts) == 2
    assert world.crm.row("customers", remote_id)["name"] == "客户"
    assert world.erp.row("customers", there)["name"] == "客户"
    assert world.erp.row("customers", there)["tel"] == "+8613900000000"
    assert world.sync().writes == 0
