"""Complete listings: what they may conclude, and how few calls that takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import World


@pytest.mark.parametrize("tombstones", [True, False])
def test_a_first_listing_is_read_once_and_looks_nothing_up(tmp_path: Path, tombstones: bool) -> None:
    world = World(tmp_path)
    world.crm.tombstones = tombstones
    for n in range(120):
        world.crm.add("customers", name=f"A{n}")
    world.sync(entities=["customer"])
    assert world.crm.calls == ["list", "list", "list"]
    assert len(world.erp.records("customers")) == 120


def test_a_complete_listing_still_finds_what_is_gone(tmp_path: Path) -> None:
    world = World(tmp_path, deletes="propagate")
    world.crm.tombstones = False
    ids = [world.crm.add("customers", name=f"A{n}") for n in range(3)]
    world.sync(entities=["customer"])
    world.crm.remove("customers", ids[1])
    world.sync(entities=["customer"], full=True)
    assert sorted(r["name"] for r in world.erp.records("customers")) == ["A0", "A2"]


def test_where_deletions_never_show_a_listing_deletes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, deletes="propagate")
    describe: Any = world.crm.describe_resource
    world.crm.describe_resource = lambda name: replace(describe(name), deletes="none")  # type: ignore[method-assign]
    world.crm.add("customers", name="A")
    world.sync(entities=["customer"])
    world.crm.calls.clear()
    report = world.sync(entities=["customer"], full=True)
    assert world.crm.calls == ["list"]
    assert sum(c.gone for c in report.counts) == 0


def test_an_empty_listing_deletes_nothing_unless_a_person_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, deletes="propagate")
    world.crm.tombstones = False
    ids = [world.crm.add("customers", name=f"A{n}") for n in range(3)]
    world.sync(entities=["customer"])
    for one in ids:
        world.crm.remove("customers", one)
    report = world.sync(entities=["customer"], full=True, yes=False)
    assert (report.state, report.writes, len(world.erp.records("customers"))) == ("needs_person", 0, 3)
    assert report.findings[0].message == (
        "the listing shows 0 of 3 known records; an empty listing is not believed:"
        " look at crm, then hub sync --full --yes"
    )
    world.sync(entities=["customer"], full=True, yes=True)
    assert world.erp.records("customers") == []


def test_the_last_record_of_all_may_be_deleted(tmp_path: Path) -> None:
    world = World(tmp_path, deletes="propagate")
    world.crm.tombstones = False
    only = world.crm.add("customers", name="A")
    world.sync(entities=["customer"])
    world.crm.remove("customers", only)
    world.sync(entities=["customer"], full=True, yes=False)
    assert world.erp.records("customers") == []
