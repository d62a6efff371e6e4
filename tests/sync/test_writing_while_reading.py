"""The calls for one page are under way while the next page is read and taken in. What can go wrong meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sync.fakes import CUSTOMERS, World

from hub.connect.capabilities import Page
from hub.errors import AuthenticationError, Unavailable
from hub.sync import at_once, observe
from hub.sync.feeds import AHEAD, ahead
from hub.sync.report import Event

Feed = Callable[..., Iterator[Page]]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Six customers in the CRM, on three pages; the ERP is written to and never read. All that is new is written at
    once."""
    monkeypatch.setattr(observe, "JOINED", 2)
    monkeypatch.setattr(at_once, "ENOUGH", 1)
    world = World(tmp_path, mappings={"customer": CUSTOMERS}, directions={"crm": "in", "erp": "out"})
    for n in range(6):
        world.crm.add("customers", name=f"客户 {n}", credit=n)
    lists: Feed = world.crm.list_changes

    def in_twos(*given: Any) -> Iterator[Page]:
        for page in lists(*given):
            found = page.records
            for start in range(0, len(found) - 2, 2):
                yield Page(found[start : start + 2], None)
            yield Page(found[-2:], page.cursor, page.complete)

    world.crm.list_changes = in_twos  # type: ignore[method-assign]
    return world


def pages_taken(world: World, then: Callable[[int], None]) -> None:
    """One pass, in which ``then`` is told how many of the CRM's pages have been taken in."""
    count = 0

    def observer(event: Event) -> None:
        nonlocal count
        if event.name == "page.observed" and event.data["system"] == "crm":
            count += 1
            then(count)

    with world.engine() as engine:
        engine.observer = observer
        engine.sync(yes=True)


def names(world: World) -> list[str]:
    return sorted(record["name"] for record in world.erp.records("customers"))


def memory(world: World, query: str) -> list[Any]:
    with world.engine() as engine, engine.store.read() as connection:
        return [row[0] for row in connection.execute(text(query))]


def test_the_next_page_is_taken_in_while_a_page_is_being_written(world: World) -> None:
    second, waited = threading.Event(), []
    world.erp.before = lambda verb: waited.append(second.wait(20)) if verb == "create" else None
    pages_taken(world, lambda count: second.set() if count == 2 else None)
    assert waited[0], "the first page's call ended only after the second page had been taken in"
    assert names(world) == [f"客户 {n}" for n in range(6)]
    assert memory(world, "SELECT * FROM intent") == []
    assert memory(world, "SELECT * FROM todo") == []


def test_a_record_that_changes_while_it_is_written_is_written_again(world: World) -> None:
    """Its new values must not pass for those that were sent: killed between the two, the hub would take the old ones,
    which the ERP shows, for somebody's edit."""
    in_twos: Feed = world.crm.list_changes
    first = next(iter(world.crm.rows["customers"]))

    def with_an_edit(*given: Any) -> Iterator[Page]:
        for number, page in enumerate(in_twos(*given)):
            if number == 1:
                world.crm.edit("customers", first, name="客户 0 改")
                page = Page([world.crm._remote("customers", first), *page.records], page.cursor, page.complete)
            yield page

    def killed(count: int) -> None:
        if count == 2:
            raise SystemExit("killed")

    world.crm.list_changes = with_an_edit  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        pages_taken(world, killed)
    world.crm.list_changes = in_twos  # type: ignore[method-assign]
    world.sync()
    assert names(world) == sorted(["客户 0 改", *(f"客户 {n}" for n in range(1, 6))])
    assert memory(world, "SELECT * FROM conflict") == []
    assert memory(world, "SELECT * FROM letter") == []


def test_a_system_that_fails_is_sent_nothing_more(world: World) -> None:
    world.erp.probe_kind = "none"  # what was sent and not confirmed would be a person's to look at

    def locked(verb: str) -> None:
        raise AuthenticationError("the password has expired", where="erp")

    world.erp.before = locked
    world.sync()
    assert world.erp.calls == ["create"], "what was taken in meanwhile was not sent"
    assert memory(world, "SELECT * FROM intent") == []
    world.erp.before = lambda verb: None
    world.sync()
    assert names(world) == [f"客户 {n}" for n in range(6)]
    assert memory(world, "SELECT * FROM letter") == []


def test_answers_are_stored_when_reading_breaks_off(world: World) -> None:
    in_twos: Feed = world.crm.list_changes

    def broken(*given: Any) -> Iterator[Page]:
        yield next(in_twos(*given))
        raise Unavailable("the line went dead", where="crm")

    world.erp.probe_kind = "none"
    world.crm.list_changes = broken  # type: ignore[method-assign]
    world.sync()
    assert names(world) == ["客户 0", "客户 1"]
    assert memory(world, "SELECT * FROM intent") == []
    world.crm.list_changes = in_twos  # type: ignore[method-assign]
    world.sync()
    assert names(world) == [f"客户 {n}" for n in range(6)], "nothing twice"
    assert memory(world, "SELECT * FROM letter") == []


def test_only_so_many_pages_are_read_before_their_turn() -> None:
    from hub.simulate.workers import Inline

    read: list[int] = []

    def feed() -> Iterator[Page]:
        for number in range(9):
            read.append(number)
            yield Page([], str(number))

    taken = [(page.cursor, len(read)) for page in ahead(feed(), Inline)]
    assert taken[0] == ("0", 1 + AHEAD)
    assert [cursor for cursor, _ in taken] == [str(n) for n in range(9)]
