"""Law 3, no duplicates: at most one remote record per canonical record and system, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import FakeSystem, World

from hub.errors import Unavailable, UnexpectedAnswer, UnknownOutcome


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def names(world: World, system: str) -> list[str]:
    return sorted(row["name"] for row in world.systems[system].records("customers"))


def once(verb: str, act: Callable[[], None]) -> Callable[[str], None]:
    """A hook that acts at the first such call."""
    left = iter([True])

    def hook(called: str) -> None:
        if called == verb and next(left, False):
            act()

    return hook


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def doubtful(world: World) -> str:
    """A create in the erp whose answer was lost, where nothing can be looked up; returns the crm's id."""
    world.erp.probe_kind = "none"
    a = world.crm.add("customers", name="A", tax="T1")
    world.erp.after = once("create", raising(UnknownOutcome("connection reset")))
    world.sync(systems=["crm", "erp"])
    return a


def test_a_create_in_doubt_is_not_sent_again_because_the_record_was_edited(tmp_path: Path) -> None:
    world = World(tmp_path, directions={"crm": "both", "erp": "out"})
    a = doubtful(world)
    world.crm.edit("customers", a, credit=5)
    assert world.sync().open_letters == 1
    assert names(world, "erp") == ["A"]


def test_a_create_in_doubt_that_shows_up_is_linked_and_its_letter_closed(world: World) -> None:
    a = doubtful(world)
    world.crm.edit("customers", a, credit=5)
    assert world.sync().open_letters == 0
    assert [(r["name"], r["credit"]) for r in world.erp.records("customers")] == [("A", 5)]


def test_a_create_in_doubt_that_is_not_there_is_sent_again_on_replay(tmp_path: Path) -> None:
    world = World(tmp_path, directions={"crm": "both", "erp": "out"})
    doubtful(world)
    world.erp.rows["customers"].clear()
    with world.engine() as engine:
        engine.replay()
    assert world.sync().open_letters == 0
    assert names(world, "erp") == ["A"]


def test_a_create_in_doubt_that_was_given_up_is_not_sent_again(tmp_path: Path) -> None:
    world = World(tmp_path, directions={"crm": "both", "erp": "out"})
    a = doubtful(world)
    with world.engine() as engine:
        engine.discard([engine.letters()[0]["id"]])
    world.crm.edit("customers", a, credit=5)
    world.sync()
    assert names(world, "erp") == ["A"]


def test_a_system_that_was_never_read_is_not_written(world: World) -> None:
    world.crm.add("customers", name="A", tax="T1")
    world.erp.add("customers", name="A", tax="T1")
    world.sync(systems=["crm"])
    assert names(world, "erp") == ["A"]
    world.sync()
    assert names(world, "erp") == names(world, "crm") == ["A"]


def test_a_first_reading_that_broke_off_is_not_enough_to_write(world: World) -> None:
    world.crm.add("customers", name="A", tax="T1")
    world.erp.add("customers", name="A", tax="T1")
    world.erp.before = once("list", raising(Unavailable("down")))
    world.sync()
    world.sync(systems=["crm"])
    assert names(world, "erp") == ["A"]


@pytest.mark.parametrize("probe", ["natural", "none"])
def test_an_answer_nobody_understands_may_still_have_made_the_record(tmp_path: Path, probe: str) -> None:
    world = World(tmp_path, directions={"crm": "both", "erp": "out"})
    world.erp.probe_kind = probe
    a = world.crm.add("customers", name="A", tax="T1")
    world.erp.after = once("create", raising(UnexpectedAnswer("a page of HTML")))
    world.sync()
    world.crm.edit("customers", a, credit=5)
    world.sync()
    assert names(world, "erp") == ["A"] and names(world, "crm") == ["A"]


def test_a_record_whose_answer_nobody_understands_may_still_be_there(tmp_path: Path) -> None:
    world = World(tmp_path, directions={"crm": "both", "erp": "out"})
    world.erp.probe_kind = "natural"
    create = world.erp.create

    def garbled(*args: Any) -> Any:
        results = create(*args)
        results[0].remote, results[0].error = None, UnexpectedAnswer("no id in the answer")
        world.erp.create = create  # type: ignore[method-assign]
        return results

    world.erp.create = garbled  # type: ignore[method-assign]
    a = world.crm.add("customers", name="A")
    world.sync()
    world.crm.edit("customers", a, credit=5)
    assert world.sync().open_letters == 0
    assert [(r["name"], r["credit"]) for r in world.erp.records("customers")] == [("A", 5)]


def test_a_create_answered_with_a_record_that_is_linked_already_takes_no_link_away(world: World) -> None:
    """Some products' create is an upsert by a natural key: it answers with the record that was there."""
    a = world.crm.add("customers", name="A", tax="T1")
    world.sync()
    (b,) = world.erp.rows["customers"]

    def create(self: FakeSystem, resource: str, write: Any) -> Any:
        return self._remote(resource, b)

    world.erp._create = create.__get__(world.erp)  # type: ignore[method-assign]
    world.crm.add("customers", name="B", tax="T2")
    assert world.sync().open_letters == 1
    calls = world.erp.calls.count("create")
    world.sync()
    assert world.erp.calls.count("create") == calls
    world.crm.edit("customers", a, credit=9)
    world.sync()
    assert world.erp.row("customers", b)["credit"] == 9, "the link of A holds"


def test_a_copy_that_carries_the_key_of_a_deleted_record_brings_it_back(tmp_path: Path) -> None:
    world = World(tmp_path, deletes="propagate")
    a = world.crm.add("customers", name="A")
    world.sync()
    (b,) = world.erp.rows["customers"]
    key = world.erp.row("customers", b)["_key"]
    world.erp.remove("customers", b)
    world.sync()
    assert world.crm.records("customers") == [] and a
    world.erp.add("customers", name="A", _key=key)
    world.sync()
    world.sync()
    assert names(world, "erp") == ["A"] and names(world, "crm") == ["A"]


def test_records_made_while_there_was_nothing_to_match_are_found_later(world: World) -> None:
    world.crm.add("customers", name="A")
    world.sync()
    erp = world.systems.pop("erp")
    world.directions.pop("erp")
    world.crm.add("customers", name="B")
    world.sync()
    erp.add("customers", name="B")
    world.systems["erp"], world.directions["erp"] = erp, "both"
    world.sync()
    assert names(world, "erp") == names(world, "crm") == ["A", "B"]


def test_a_value_given_by_a_person_can_be_matched_by(tmp_path: Path) -> None:
    world = World(tmp_path, systems=("crm", "erp", "shop"), conflict="hold")
    a = world.crm.add("customers", name="A")
    world.sync()
    world.crm.edit("customers", a, name="B")
    world.erp.edit("customers", next(iter(world.erp.rows["customers"])), name="C")
    world.sync()
    with world.engine() as engine:
        engine.resolve(engine.conflicts()[0]["id"], take="value", value="D")
    world.sync()
    (c,) = world.shop.rows["customers"]
    world.policy["deletes"] = "ignore"
    world.shop.remove("customers", c)
    world.sync()
    world.shop.add("customers", name="D")
    world.sync()
    assert names(world, "crm") == ["D"]


def test_a_link_to_a_record_of_another_kind_is_refused(world: World) -> None:
    from hub.errors import ConfigurationError

    world.crm.add("products", code="P1", name="x")
    for _ in range(2):
        world.crm.add("customers", name="Same")
    world.erp.add("customers", name="Same")
    world.sync()
    with world.engine() as engine:
        product = engine.explain("product", "P1")["hub_id"]
        (conflict,) = engine.conflicts()
        with pytest.raises(ConfigurationError, match="there is no customer"):
            engine.resolve(conflict["id"], link=product)
        assert len(engine.conflicts()) == 1


def test_a_long_call_keeps_its_lease(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call may take longer than a lease lasts: it is renewed meanwhile, so that nobody takes over and sends again."""
    import threading
    from datetime import timedelta

    from hub.sync import holding
    from hub.sync.context import Pass

    monkeypatch.setattr(holding, "BEAT", 0.001)
    renewed = threading.Event()
    hold = Pass.hold

    def noted(self: Pass) -> bool:
        held = hold(self)
        renewed.set()
        return held

    monkeypatch.setattr(Pass, "hold", noted)
    other = world.engine()
    other.owner = "somebody else"
    met: list[str] = []

    def slow() -> None:
        for _ in range(3):
            world.clock.now += timedelta(seconds=100)
            renewed.clear()
            renewed.wait(5)
            renewed.clear()
            renewed.wait(5)
        try:
            other.sync(yes=True)
        except Unavailable as error:
            met.append(str(error))

    world.crm.add("customers", name="A")
    world.erp.before = once("create", slow)
    world.sync()
    other.close()
    assert met and "another pass" in met[0]
    assert names(world, "erp") == ["A"]
