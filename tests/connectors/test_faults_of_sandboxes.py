"""Bad days that need to know the product: both sandboxes have them, and both connectors live through them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from hub.connect import registry
from hub.connect.capabilities import Result, Write
from hub.connect.sandbox import Running, serve
from hub.connect.sandbox_faults import hostile
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.errors import RecordRejected, UnknownOutcome

ZOHO = {"records": 6, "products": 3, "orders": 1, "invoices": 1, "throttle": 1000}
KINGDEE = {"records": 6, "shared": 5, "products": 3, "orders": 1, "invoices": 1}


@dataclass
class World:
    running: Running
    connector: Any
    resource: str
    name: str

    def fault(self, **spec: Any) -> None:
        self.running.control.faults.clear()
        self.running.control.faults.add(spec)

    def create(self, count: int) -> list[Result]:
        writes = [Write(f"k{at}", {self.name: f"客户 {at}", **MORE[self.resource]}) for at in range(count)]
        made: list[Result] = self.connector.create(self.resource, writes, [self.name], {})
        return made

    def names(self) -> set[str]:
        return {str(r[self.name]) for r in self.running.app.records(self.resource)}

    def listed(self) -> list[str]:
        pages = self.connector.list_changes(self.resource, None, [self.name], {})
        return [remote.id for page in pages for remote in page.records]


MORE: dict[str, dict[str, Any]] = {"Accounts": {}, "BD_Customer": {"FTRADINGCURRID": {"FNumber": "PRE001"}}}


@pytest.fixture(params=["zoho_crm", "kingdee_galaxy"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    name = request.param
    create = registry.find(name).sandbox()
    assert create is not None
    with serve(create(**(ZOHO if name == "zoho_crm" else KINGDEE))) as running:
        settings = {
            **running.ready()["credentials"],
            **({} if name == "zoho_crm" else {"url": running.url, "probe_wait": 0}),
        }
        connector = registry.find(name).open(settings, Services("s", MemoryCache(), sleep=lambda _: None))
        yield World(
            running, connector, *(("Accounts", "Account_Name") if name == "zoho_crm" else ("BD_Customer", "FName"))
        )
        connector.close()


def test_every_second_record_of_a_batch_is_refused_in_the_products_own_words(world: World) -> None:
    world.fault(kind="half_batch", on="write", next=1)
    results = world.create(5)
    assert [type(r.error) for r in results] == [type(None), RecordRejected] * 2 + [type(None)]
    assert world.names() >= {"客户 0", "客户 2", "客户 4"} and not world.names() & {"客户 1", "客户 3"}


def test_half_a_batch_and_then_silence_leaves_nothing_uncertain_but_the_outcome(world: World) -> None:
    world.fault(kind="partial_batch", on="write", next=1, drop=True)
    before = len(world.names())
    try:
        results = world.create(4)
    except UnknownOutcome:
        assert world.names() >= {"客户 0", "客户 1"} and len(world.names()) == before + 2
        found = world.connector.probe(
            world.resource, [Write(f"k{at}", {world.name: f"客户 {at}"}) for at in range(4)], [world.name], {}
        )
        assert [f is not None for f in found] == [True, True, False, False]
    else:
        settled = [r for r in results if r.remote is not None]
        assert len(world.names()) == before + len(settled), "what it could look up itself is told record by record"


def test_log_ins_that_end_are_renewed_without_a_word(world: World) -> None:
    world.listed()
    world.fault(kind="expire", on="read", next=1)
    assert len(world.listed()) == 6


@pytest.mark.parametrize("kind", ["gigantic", "content_type", "drip", "shift"])
def test_a_list_in_bad_shape_is_read_whole(world: World, kind: str) -> None:
    whole = sorted(world.listed())
    world.fault(kind=kind, on="read", rate=1.0, **({"bytes": 200_000} if kind == "gigantic" else {}), ms=8)
    assert sorted(set(world.listed())) == whole


def test_a_row_that_comes_twice_is_one_record(world: World) -> None:
    whole = sorted(world.listed())
    world.fault(kind="doubled", on="read", rate=1.0)
    assert sorted(set(world.listed())) == whole


def test_a_row_that_comes_twice_is_no_second_line_of_an_order(world: World) -> None:
    resource, lines = (
        ("SAL_SaleOrder", "FSaleOrderEntry") if world.name == "FName" else ("Sales_Orders", "Ordered_Items")
    )

    def seen() -> dict[str, list[Any]]:
        pages = world.connector.list_changes(resource, None, [lines], {})
        return {
            r.id: [tuple(sorted(line.items(), key=str)) for line in r.record[lines]] for p in pages for r in p.records
        }

    whole = seen()
    assert any(whole.values())
    for _ in range(6):  # beside the first, or at the end: by chance
        world.fault(kind="doubled", on="read", rate=1.0)
        assert seen() == whole


def test_an_order_whose_rows_one_list_left_out_has_not_lost_its_lines(world: World) -> None:
    """It had: the lines were removed in all other systems, until the next complete listing brought them back."""
    resource, lines = (
        ("SAL_SaleOrder", "FSaleOrderEntry") if world.name == "FName" else ("Sales_Orders", "Ordered_Items")
    )
    for _ in range(6):
        world.fault(kind="missing", operation=f"*{resource}", on="read", next=1, skip=world.name == "FName")
        pages = world.connector.list_changes(resource, None, [lines], {})
        assert all(remote.record[lines] for page in pages for remote in page.records)


def test_a_row_that_is_missing_is_missing_and_nothing_else_is(world: World) -> None:
    whole = set(world.listed())
    world.fault(kind="missing", operation=f"*{world.resource}", on="read", rate=1.0)
    assert len(whole - set(world.listed())) == 1


def test_the_sandbox_knows_every_kind_of_the_hostile_day(world: World) -> None:
    for fault in hostile(0.01, world.running.app.fault_kinds):
        world.running.control.faults.add(fault)
    assert len(world.running.control.faults.as_json()) >= 20
