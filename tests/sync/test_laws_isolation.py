"""Laws 7 and 8: one bad record is one bad record; no write is made against a state nobody has seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import World

from hub.connect.guarding import guard
from hub.errors import Unavailable, VersionConflict
from hub.store.database import Store


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def once(verb: str, act: Callable[[], None]) -> Callable[[str], None]:
    left = iter([True])

    def hook(called: str) -> None:
        if called == verb and next(left, False):
            act()

    return hook


def two(world: World) -> tuple[str, str]:
    """Two customers in both systems; returns their crm ids."""
    ids = world.crm.add("customers", name="A", credit=1), world.crm.add("customers", name="B", credit=1)
    world.sync()
    return ids


def erp_id(world: World, name: str) -> str:
    return next(key for key, row in world.erp.rows["customers"].items() if row["name"] == name)


def test_a_second_look_that_fails_harms_nobody_else(world: World) -> None:
    a, b = two(world)
    for key in (a, b):
        world.crm.edit("customers", key, credit=2)
    world.erp.before = once("update", lambda: world.erp.edit("customers", erp_id(world, "A"), tel="13800000000"))
    original = world.erp.get

    def get(*args: Any) -> Any:
        world.erp.get = original  # type: ignore[method-assign]
        raise Unavailable("down")

    world.erp.get = get  # type: ignore[method-assign]
    report = world.sync()
    assert report.state == "failed" and report.open_letters == 0
    assert world.erp.row("customers", erp_id(world, "B"))["credit"] == 2
    world.sync()
    assert world.erp.row("customers", erp_id(world, "A"))["credit"] == 2
    assert world.crm.row("customers", a)["tel"] == "+8613800000000"


def test_no_system_is_asked_within_a_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    open_now: list[Store] = []
    begin = Store.begin

    @contextmanager
    def noted(self: Store) -> Iterator[Any]:
        with begin(self) as connection:
            open_now.append(self)
            try:
                yield connection
            finally:
                open_now.pop()

    monkeypatch.setattr(Store, "begin", noted)
    asked: list[str] = []

    def watch(verb: str) -> None:
        asked.append(verb)
        assert not open_now, f"{verb} within a transaction"

    a, _ = two(world)
    world.crm.before = watch
    meddle = once("update", lambda: world.erp.edit("customers", erp_id(world, "A"), tel="13800000000"))
    world.erp.unique["customers"] = "name"
    twin = once("create", lambda: world.erp.add("customers", name="C", note="by hand") and None)

    def erp_before(verb: str) -> None:
        watch(verb)
        meddle(verb)
        twin(verb)

    world.erp.before = erp_before
    world.crm.edit("customers", a, credit=2)
    world.crm.add("customers", name="C")
    world.sync(full=True)
    assert "get" in asked and world.erp.row("customers", erp_id(world, "A"))["credit"] == 2
    assert sorted(row["name"] for row in world.erp.records("customers")) == ["A", "B", "C"]


def test_a_write_that_was_not_read_back_is_looked_at_before_the_next(world: World) -> None:
    update = world.erp.update

    def silent(*args: Any) -> Any:
        results = update(*args)
        for result in results:
            result.remote.record = result.remote.version = None
        return results

    a, _ = two(world)
    world.erp.update = silent  # type: ignore[method-assign]
    world.crm.edit("customers", a, credit=2)
    world.sync()
    world.erp.update = update  # type: ignore[method-assign]
    versions: list[str | None] = []
    original = world.erp._update
    world.erp._update = lambda resource, write: (versions.append(write.version), original(resource, write))[1]  # type: ignore[method-assign]
    world.crm.edit("customers", a, credit=3)
    world.erp.before = once("list", lambda: None)
    world.sync()
    assert versions and None not in versions
    assert world.erp.row("customers", erp_id(world, "A"))["credit"] == 3


def test_a_refused_create_of_a_record_that_was_there_before_is_not_tried_over_and_over(tmp_path: Path) -> None:
    world = World(tmp_path, deletes="propagate")
    a = world.crm.add("customers", name="A")
    world.sync()
    kept = {k: v for k, v in world.crm.row("customers", a).items() if not k.startswith("_")}
    world.crm.remove("customers", a)
    world.sync()
    world.erp.reject = lambda record: "no more customers"
    world.crm._put("customers", a, kept, by="user")
    assert world.sync().open_letters == 1
    calls = world.erp.calls.count("create")
    world.sync()
    assert world.erp.calls.count("create") == calls


def test_too_few_answers_are_an_unexpected_answer_and_not_the_end(world: World) -> None:
    create = world.erp.create
    world.erp.create = lambda *args: create(*args)[:-1]  # type: ignore[method-assign]
    world.crm.add("customers", name="A")
    report = world.sync()
    assert [f.error for f in report.failures] == ["UnexpectedAnswer"]
    world.erp.create = create  # type: ignore[method-assign]
    world.sync()
    assert [row["name"] for row in world.erp.records("customers")] == ["A"]


def test_a_record_that_always_conflicts_does_not_keep_the_rest_waiting(world: World) -> None:
    a, b = two(world)
    bad = erp_id(world, "A")
    original = world.erp._update

    def update(resource: str, write: Any) -> Any:
        if write.id == bad:
            raise VersionConflict("locked by somebody")
        return original(resource, write)

    world.erp._update = update  # type: ignore[method-assign]
    for key in (a, b):
        world.crm.edit("customers", key, credit=2)
    world.sync()
    assert world.erp.row("customers", erp_id(world, "B"))["credit"] == 2
    world.erp._update = original  # type: ignore[method-assign]
    world.sync()
    assert world.erp.row("customers", bad)["credit"] == 2


def test_a_reference_nobody_knows_that_shows_in_an_answer_waits_like_any_other(world: World) -> None:
    c = world.crm.add("customers", name="A")
    o = world.crm.add("orders", no="SO1", title="t", customer=c, lines=[])
    world.sync()
    (e,) = world.erp.rows["orders"]
    remote = world.erp._remote

    def unversioned(resource: str, remote_id: str) -> Any:
        found = remote(resource, remote_id)
        found.version = None
        return found

    world.erp._remote = unversioned  # type: ignore[method-assign]
    world.erp.edit("orders", e, title="from erp")
    world.sync()
    world.crm.edit("orders", o, title="from crm")
    world.erp.before = once("update", lambda: world.erp.edit("orders", e, customer="erp99"))
    world.sync()
    assert world.crm.row("orders", o)["customer"] == c
    world.erp.before = lambda verb: None
    world.erp._put("customers", "erp99", {"name": "late"}, by="user")
    world.sync()
    world.sync()
    late = next(key for key, row in world.crm.rows["customers"].items() if row["name"] == "late")
    assert world.crm.row("orders", o)["customer"] == late


def test_a_replayed_letter_of_which_nothing_is_left_to_do_is_done(world: World) -> None:
    """Somebody had entered the value by hand meanwhile: the letter stayed on the list for ever."""
    a, b = two(world)
    world.erp.reject = lambda record: "closed today"
    for key in (a, b):
        world.crm.edit("customers", key, credit=5)
    assert world.sync().open_letters == 2
    world.erp.edit("customers", erp_id(world, "A"), credit=5)
    world.sync()
    with world.engine() as engine:
        engine.replay()
    world.sync()
    with world.engine() as engine:
        (left,) = engine.letters()
        assert left["remote_id"] == erp_id(world, "B") and left["status"] == "open", "tried again, and refused again"


def test_a_mistake_in_one_connector_stops_only_its_own_system(tmp_path: Path) -> None:
    world = World(tmp_path)
    a, _ = two(world)
    guard(world.erp, "erp")

    def broken(verb: str) -> None:
        if verb == "list":
            raise KeyError("FNumber")

    world.erp.before = broken
    world.crm.edit("customers", a, credit=7)
    report = world.sync()
    assert report.state == "failed"
    assert {(failure.system, failure.error) for failure in report.failures} == {("erp", "UnexpectedAnswer")}
    said = "erp/customers: mistake in the connector's list_changes: KeyError: 'FNumber' → tell whoever maintains"
    assert report.failures[0].message.startswith(said)
    world.erp.before = lambda verb: None
    assert world.sync().state == "done"
    assert world.erp.row("customers", erp_id(world, "A"))["credit"] == 7


def test_a_mistake_after_a_write_took_effect_makes_nothing_twice(tmp_path: Path) -> None:
    world = World(tmp_path)
    two(world)
    guard(world.erp, "erp")

    def broken() -> None:
        raise TypeError("string indices must be integers")

    world.erp.after = once("create", broken)
    world.crm.add("customers", name="C", credit=1)
    world.sync()
    assert world.sync().state == "done"
    assert [row["name"] for row in world.erp.records("customers")].count("C") == 1
