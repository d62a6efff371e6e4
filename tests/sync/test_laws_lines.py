"""Law 9 for lines: what one list leaves out is not gone; what somebody removed is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import ORDERS, World

from hub.connect.capabilities import Page
from hub.errors import Unavailable


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, mappings={"customer": CUSTOMER, "order": ORDERS})


CUSTOMER = "version: 1\nresource: customers\nentity: customer\nmatch: [[name]]\nfields: {name: name}\n"


def order(world: World) -> tuple[str, str]:
    """An order of three lines, in both systems; its ids in crm and erp."""
    customer = world.crm.add("customers", name="A")
    lines = [{"seq": n, "qty": n * 10, "price": 5} for n in (1, 2, 3)]
    made = world.crm.add("orders", no="SO1", title="one", customer=customer, lines=lines)
    world.sync()
    return made, next(iter(world.erp.rows["orders"]))


def quantities(world: World, system: str) -> list[int]:
    rows = getattr(world, system).rows["orders"].values()
    return [int(line["qty"]) for row in rows for line in row["lines"]]


def leaving_out(world: World, times: int) -> None:
    """The crm's lists lack the second line of every order."""
    original, left = world.crm.list_changes, iter(range(times))

    def listing(resource: str, *rest: Any) -> Iterator[Page]:
        for page in original(resource, *rest):
            if resource == "orders" and page.records and next(left, None) is not None:
                for remote in page.records:
                    if remote.record:
                        remote.record["lines"] = [x for x in remote.record["lines"] if x["seq"] != 2]
            yield page

    world.crm.list_changes = listing  # type: ignore[method-assign]


def test_a_line_that_a_list_left_out_is_nowhere_removed(world: World) -> None:
    made, _ = order(world)
    leaving_out(world, times=10)
    world.crm.edit("orders", made, title="two")
    report = world.sync()
    assert report.failures == [] and sum(c.waiting for c in report.counts) == 0
    assert quantities(world, "erp") == quantities(world, "crm") == [10, 20, 30]
    assert [row["title"] for row in world.erp.rows["orders"].values()] == ["two"], "the rest of the edit arrives"
    with world.engine() as engine:
        assert engine.status()["waiting"] == []
    assert world.sync().writes == 0


def test_a_line_that_somebody_removed_is_removed_in_the_same_pass(world: World) -> None:
    made, _ = order(world)
    kept = [line for line in world.crm.row("orders", made)["lines"] if line["seq"] != 2]
    world.crm.edit("orders", made, lines=kept)
    world.sync()
    assert quantities(world, "erp") == [10, 30]
    assert world.sync().writes == 0


def test_a_crash_before_the_second_look_loses_nothing(world: World) -> None:
    made, _ = order(world)
    kept = [line for line in world.crm.row("orders", made)["lines"] if line["seq"] != 2]
    world.crm.edit("orders", made, lines=kept, title="two")
    original = world.crm.get

    def get(*args: Any) -> Any:
        raise Unavailable("down")

    world.crm.get = get  # type: ignore[method-assign]
    assert world.sync().state == "failed"
    assert quantities(world, "erp") == [10, 20, 30], "nothing is believed yet"
    world.crm.get = original  # type: ignore[method-assign]
    world.sync()
    assert quantities(world, "erp") == [10, 30]
    assert [row["title"] for row in world.erp.rows["orders"].values()] == ["two"]
    assert world.sync().writes == 0


def test_added_and_changed_lines_need_no_second_look(world: World) -> None:
    made, _ = order(world)
    lines = [*world.crm.row("orders", made)["lines"], {"seq": 4, "qty": 40, "price": 5}]
    lines[0]["qty"] = 11
    asked = world.crm.calls.count("get")
    world.crm.edit("orders", made, lines=lines)
    world.sync()
    assert quantities(world, "erp") == [11, 20, 30, 40]
    assert world.crm.calls.count("get") == asked
