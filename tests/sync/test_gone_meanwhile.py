"""Records that vanish, are archived or turn up in a system at the very moment when the hub writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import CUSTOMERS, FakeSystem, World

from hub.connect.capabilities import Remote, Result
from hub.errors import RecordRejected, Unavailable


def once(verb: str, act: Callable[[], Any]) -> Callable[[str], None]:
    """A hook that acts before the first such call."""
    left = iter([True])

    def hook(called: str) -> None:
        if called == verb and next(left, False):
            act()

    return hook


def agreed(path: Path, **options: Any) -> tuple[World, str, str]:
    """A customer that both systems have; its ids in crm and erp."""
    world = World(path, mappings={"customer": CUSTOMERS}, **options)
    crm = world.crm.add("customers", name="A", credit=1)
    world.sync()
    (erp,) = world.erp.rows["customers"]
    return world, crm, erp


def names(world: World, system: str) -> list[str]:
    return sorted(row["name"] for row in world.systems[system].records("customers"))


def test_a_record_removed_before_it_could_be_changed_counts_as_deleted(tmp_path: Path) -> None:
    world, crm, erp = agreed(tmp_path, deletes="propagate")
    world.crm.edit("customers", crm, credit=2)
    world.erp.before = once("update", lambda: world.erp.remove("customers", erp))
    report = world.sync()
    assert (report.open_letters, report.open_conflicts) == (0, 1)
    with world.engine() as engine:
        (conflict,) = engine.conflicts()
        assert conflict["path"] == "*", "deleted in one system and edited in another: a person decides"
        engine.resolve(conflict["id"], take="ours")
    world.sync()
    assert [row["credit"] for row in world.erp.records("customers")] == [2]
    assert world.sync().writes == 0


@pytest.mark.parametrize("deletes", ["propagate", "archive"])
def test_a_record_removed_before_the_hub_removes_it_is_removed_once(tmp_path: Path, deletes: str) -> None:
    world, crm, erp = agreed(tmp_path, deletes=deletes)
    world.crm.remove("customers", crm)
    world.erp.before = once("delete", lambda: world.erp.remove("customers", erp))
    original = world.erp.delete

    def delete(resource: str, writes: Any, options: Any) -> list[Result]:
        from hub.errors import Gone

        results = original(resource, writes, options)
        return [r if w.id in world.erp.rows[resource] else Result(error=Gone("no such record"))
                for w, r in zip(writes, results, strict=True)]  # fmt: skip

    world.erp.delete = delete  # type: ignore[method-assign]
    report = world.sync()
    assert (report.open_letters, names(world, "erp"), names(world, "crm")) == (0, [], [])
    assert world.sync().writes == 0 and world.erp.calls.count("delete") == 1


def taken(world: World, there: Callable[[], str | None]) -> None:
    """The erp refuses the next create: it has the record already, and names it."""
    from hub.errors import AlreadyExists

    original, left = world.erp.create, iter([True])

    def create(resource: str, writes: Any, fields: Any, options: Any) -> list[Result]:
        if next(left, False):
            return [Result(error=AlreadyExists("it is there", remote_id=there())) for _ in writes]
        return original(resource, writes, fields, options)

    world.erp.create = create  # type: ignore[method-assign]


def test_what_is_there_already_under_another_name_is_not_taken_for_ours(tmp_path: Path) -> None:
    world, _, _ = agreed(tmp_path)
    world.crm.add("customers", name="B")
    taken(world, lambda: world.erp.add("customers", name="somebody else"))
    assert world.sync().open_letters == 1
    assert names(world, "crm") == ["A", "B"] and names(world, "erp") == ["A", "somebody else"]


def test_what_is_there_already_and_linked_with_another_stays_linked(tmp_path: Path) -> None:
    world, crm, erp = agreed(tmp_path)
    world.crm.add("customers", name="B")
    taken(world, lambda: erp)
    assert world.sync().open_letters == 1
    world.crm.edit("customers", crm, credit=7)
    world.sync()
    assert world.erp.row("customers", erp)["credit"] == 7


def test_what_is_said_to_be_there_and_is_not_is_a_letter(tmp_path: Path) -> None:
    world, _, _ = agreed(tmp_path)
    world.crm.add("customers", name="B")
    taken(world, lambda: "erp999")
    assert world.sync().open_letters == 1
    with world.engine() as engine:
        engine.replay()
    world.sync()
    assert names(world, "erp") == ["A", "B"] and world.sync().writes == 0


def test_a_create_answered_without_an_id_is_looked_up_and_not_sent_again(tmp_path: Path) -> None:
    world, _, _ = agreed(tmp_path)
    original, left = world.erp.create, iter([True])

    def create(*args: Any) -> list[Result]:
        results = original(*args)
        return [Result() for _ in results] if next(left, False) else results

    world.erp.create = create  # type: ignore[method-assign]
    world.crm.add("customers", name="B")
    world.sync()
    world.sync()
    assert names(world, "erp") == ["A", "B"] and world.erp.calls.count("create") == 2
    assert world.sync().writes == 0


def test_an_update_answered_with_nothing_counts_as_written_and_is_looked_at_before_the_next(tmp_path: Path) -> None:
    world, crm, erp = agreed(tmp_path)
    original = world.erp.update

    def update(*args: Any) -> list[Result]:
        return [Result(None if result.error is None else result.remote, result.error) for result in original(*args)]

    world.erp.update = update  # type: ignore[method-assign]
    world.crm.edit("customers", crm, credit=2)
    world.sync()
    assert world.erp.row("customers", erp)["credit"] == 2 and world.sync().writes == 0
    world.crm.edit("customers", crm, credit=3)
    world.sync()
    assert world.erp.row("customers", erp)["credit"] == 3 and world.sync().writes == 0


def test_a_value_without_a_word_in_the_other_system_is_a_letter_and_the_rest_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS})
    note = "  description: {field: note, strength: weak}\n"
    assert note in CUSTOMERS
    words = "  description: {field: note, via: {values: {big: 1, small: 2}}}\n"
    world.overrides["erp", "customer"] = CUSTOMERS.replace(note, words)
    world.overrides["crm", "customer"] = CUSTOMERS.replace(note, "  description: note\n")
    a = world.crm.add("customers", name="A", note="huge")
    world.crm.add("customers", name="B", note="big")
    assert world.sync().open_letters == 1
    assert [(row["name"], row["note"]) for row in world.erp.records("customers")] == [("B", 1)]
    world.crm.edit("customers", a, note="small")
    assert world.sync().open_letters == 0
    assert sorted((row["name"], row["note"]) for row in world.erp.records("customers")) == [("A", 2), ("B", 1)]
    assert world.sync().writes == 0


class Blind(FakeSystem):
    """Lists its records, and can't be asked for single ones."""

    get = None  # type: ignore[assignment]


def test_a_deletion_shown_by_a_listing_alone_is_believed_where_records_cannot_be_asked_for(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS}, deletes="propagate")
    world.systems["crm"] = Blind("crm", world.clock, tombstones=False)
    kept, gone = (world.crm.add("customers", name=name) for name in ("A", "B"))
    world.sync()
    world.crm.remove("customers", gone)
    world.sync(full=True)
    assert names(world, "erp") == ["A"] and kept in world.crm.rows["customers"]
    assert world.sync().writes == 0


def test_more_than_one_page_of_records_that_can_be_read_survives_a_feed_that_breaks(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS})
    for n in range(70):
        world.crm.add("customers", name=f"C{n:02}")
    original, left = world.crm.before, iter([True, True])

    def second_page(verb: str) -> None:
        if verb == "list" and next(left, None) is None:
            raise Unavailable("gone away")
        original(verb)

    world.crm.before = second_page
    next(left)
    report = world.sync()
    assert report.state == "failed"
    world.crm.before = original
    world.sync()
    assert len(world.erp.rows["customers"]) == 70 and world.sync().writes == 0


def test_refused_by_the_system_that_shall_archive(tmp_path: Path) -> None:
    world, crm, _ = agreed(tmp_path, deletes="archive")
    world.crm.remove("customers", crm)

    def delete(resource: str, writes: Any, options: Any) -> list[Result]:
        return [Result(error=RecordRejected("it has open items")) for _ in writes]

    original, world.erp.delete = world.erp.delete, delete  # type: ignore[method-assign]
    assert world.sync().open_letters == 1
    world.erp.delete = original  # type: ignore[method-assign]
    with world.engine() as engine:
        assert [letter["message"] for letter in engine.letters()] == ["it has open items"]
        engine.replay()
    world.sync()
    assert [row.get("archived") for row in world.erp.records("customers")] == [True]
    assert world.sync().writes == 0


def test_a_remote_that_says_it_is_gone_is_no_record(tmp_path: Path) -> None:
    """A deletion of something that was never linked is nobody's."""
    world, _, _ = agreed(tmp_path)
    original = world.crm.list_changes

    def listing(resource: str, *rest: Any) -> Any:
        for page in original(resource, *rest):
            page.records.append(Remote("never seen", None, deleted=True))
            yield page

    world.crm.list_changes = listing  # type: ignore[method-assign]
    assert world.sync().writes == 0 and names(world, "erp") == ["A"]


def test_nothing_is_made_again_where_it_cannot_be_asked_whether_it_is_back(tmp_path: Path) -> None:
    world, crm, _ = agreed(tmp_path, deletes="propagate")
    world.crm.remove("customers", crm)
    run = world.sync().run
    assert names(world, "erp") == []

    def down(verb: str) -> None:
        if verb == "get":
            raise Unavailable("out of reach", where="erp")

    world.erp.before = down
    with world.engine() as engine:
        report = engine.undo(run)
    assert [(hold.system, hold.reason) for hold in report.plan.held] == [("erp", "failed")]
    assert names(world, "erp") == []
    world.erp.before = lambda verb: None
    world.sync()
    assert names(world, "erp") == ["A"]
    assert world.sync().writes == 0


def test_what_is_back_in_a_system_that_is_only_written_is_linked_again(tmp_path: Path) -> None:
    world, crm, erp = agreed(tmp_path, deletes="propagate", directions={"crm": "both", "erp": "out"})
    row = dict(world.erp.row("customers", erp))
    world.crm.remove("customers", crm)
    run = world.sync().run
    assert names(world, "erp") == []
    world.erp._put("customers", erp, {"name": row["name"], "credit": row["credit"]}, by="user")
    with world.engine() as engine:
        engine.undo(run)
    world.sync()
    assert list(world.erp.rows["customers"]) == [erp], "out of the recycle bin: not made a second time"
    assert world.sync().writes == 0


def test_an_answer_that_shows_nothing_is_believed_where_records_cannot_be_asked_for(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS})
    world.systems["erp"] = Blind("erp", world.clock)
    crm = world.crm.add("customers", name="A", credit=1)
    world.sync()
    update = world.erp.update
    world.erp.update = lambda *given: update(*given) and [Result()]  # type: ignore[method-assign]
    world.crm.edit("customers", crm, credit=2)
    assert world.sync().writes == 1
    assert [row["credit"] for row in world.erp.records("customers")] == [2]
    assert world.sync().writes == 0
    world.crm.edit("customers", crm, credit=3)
    world.sync()
    assert [row["credit"] for row in world.erp.records("customers")] == [3]
