"""Laws 1 and 4, quiescence, no echo, no ping-pong: the hub's own writes never come back as somebody's edit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import World

from hub.connect.capabilities import Remote, Result
from hub.errors import Unavailable, UnknownOutcome


class Crash(BaseException):
    """The process dies here."""


def once(verb: str, error: BaseException) -> Callable[[str], None]:
    left = iter([True])

    def hook(called: str) -> None:
        if called == verb and next(left, False):
            raise error

    return hook


def crashed(world: World, verb: str) -> None:
    """A pass that dies right after the erp carried out such a call."""
    world.erp.after = once(verb, Crash())
    with pytest.raises(Crash):
        world.sync()
    world.erp.after = lambda verb: None
    world.clock.now += timedelta(seconds=300)


def only(world: World, system: str) -> dict[str, Any]:
    (row,) = world.systems[system].records("customers")
    return row


@pytest.mark.parametrize("conflict", ["newest", "hold", ("erp", "crm")])
@pytest.mark.parametrize("verb", ["create", "update"])
def test_a_write_found_after_a_crash_does_not_undo_an_edit_made_since(tmp_path: Path, conflict: Any, verb: str) -> None:
    world = World(tmp_path, conflict=conflict)
    a = world.crm.add("customers", name="A", credit=1)
    if verb == "update":
        world.sync()
        world.crm.edit("customers", a, credit=2)
    crashed(world, verb)
    world.crm.edit("customers", a, credit=3)
    world.erp.before = once("probe" if verb == "create" else "get", Unavailable("down"))
    world.sync()
    assert world.sync().open_conflicts == 0
    assert only(world, "erp")["credit"] == only(world, "crm")["credit"] == 3


def test_an_edit_made_after_a_write_that_nobody_confirmed_is_seen(tmp_path: Path) -> None:
    world = World(tmp_path)
    a = world.crm.add("customers", name="A", credit=1)
    world.sync()
    world.crm.edit("customers", a, credit=Decimal("1000.5"))
    crashed(world, "update")
    world.erp.edit("customers", next(iter(world.erp.rows["customers"])), credit=100)
    world.sync()
    assert only(world, "crm")["credit"] == 100, "100 is no rounded 1000.5"


def test_without_versions_an_unconfirmed_update_is_looked_at_before_it_is_sent_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    remote = world.erp._remote

    def unversioned(resource: str, remote_id: str) -> Any:
        found = remote(resource, remote_id)
        found.version = None
        return found

    world.erp._remote = unversioned  # type: ignore[method-assign]
    a = world.crm.add("customers", name="A", credit=1)
    world.sync()
    world.crm.edit("customers", a, credit=2)
    crashed(world, "update")
    world.erp.edit("customers", next(iter(world.erp.rows["customers"])), credit=5)
    world.erp.before = once("list", Unavailable("down"))  # nothing but the look at the record tells
    world.sync()
    world.sync()
    assert only(world, "crm")["credit"] == only(world, "erp")["credit"] == 5


STATUS = "version: 1\nresource: customers\nentity: customer\nfields: {name: name, status: state}\n"


def test_an_archiving_that_nobody_confirmed_is_no_edit(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": STATUS})
    a = world.crm.add("customers", name="A", state="active")
    world.sync()
    world.erp.rewrite = lambda record: record.update(state="inactive") if record.get("archived") else None
    world.crm.remove("customers", a)
    crashed(world, "delete")
    assert world.sync().open_conflicts == 0
    assert only(world, "erp")["archived"]
    report = world.sync()
    assert report.writes == 0 and report.open_conflicts == 0


def test_a_deletion_that_nobody_confirmed_is_done(tmp_path: Path) -> None:
    world = World(tmp_path, deletes="propagate")
    a = world.crm.add("customers", name="A")
    world.sync()
    world.crm.remove("customers", a)
    world.erp.after = once("delete", UnknownOutcome("lost"))
    world.sync()
    assert world.sync().writes == 0 and world.erp.records("customers") == []


def test_systems_that_answer_each_write_with_a_change_of_another_field_are_reported_and_stopped(tmp_path: Path) -> None:
    world = World(tmp_path)

    a = world.crm.add("customers", name="A", code="1", credit=1)
    world.sync()

    def restless(source: str, target: str, system: str) -> Callable[[dict[str, Any]], None]:
        """A product that gives one field a new value whenever the other has changed."""
        last = [str(only(world, system)[source])]

        def rewrite(record: dict[str, Any]) -> None:
            if str(record[source]) != last[0]:
                last[0] = str(record[source])
                record[target] = str(int(record[target]) + 1)

        return rewrite

    world.erp.rewrite, world.crm.rewrite = restless("credit", "code", "erp"), restless("code", "credit", "crm")
    world.crm.edit("customers", a, credit=2)
    report = world.sync()
    assert report.state == "needs_person"
    with world.engine() as engine:
        messages = [letter["message"] for letter in engine.letters()]
    assert messages and all("never" in message for message in messages)
    assert any("credit_limit" in message or "number" in message for message in messages)
    assert world.sync().writes == 0, "they no longer loop"


def test_a_blank_that_the_target_fills_comes_back_and_is_quiet(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.erp.rewrite = lambda record: record.update(code=record.get("code") or "C1")
    world.crm.add("customers", name="A", code=None)
    world.sync()
    assert only(world, "crm")["code"] == "C1"
    assert world.sync().writes == 0


@pytest.mark.parametrize("verb", ["create", "update"])
@pytest.mark.parametrize("probe", ["external", "none"])
def test_a_write_that_could_not_be_read_back_is_no_edit_when_it_is_seen(tmp_path: Path, verb: str, probe: str) -> None:
    world = World(tmp_path)
    world.erp.probe_kind = probe
    world.erp.rewrite = lambda record: record.update(name=str(record["name"]).upper()[:8])
    a = world.crm.add("customers", name="Suzhou Trading", credit=1)
    if verb == "update":
        world.sync()
        world.crm.edit("customers", a, name="Suzhou Silk Trading")
    silenced(world, verb)
    # The name is given once more before the hub can look at what the erp made of its write.
    world.erp.before = repeatedly("get", Unavailable("down"))
    world.sync()
    world.crm.edit("customers", a, credit=2)
    world.clock.now += timedelta(seconds=300)
    world.erp.before = lambda verb: None
    report = world.sync()
    kept = "Suzhou Trading" if verb == "create" else "Suzhou Silk Trading"
    assert only(world, "crm")["name"] == kept
    assert (only(world, "erp")["name"], only(world, "erp")["credit"]) == (kept.upper()[:8], 2)
    assert (report.open_letters, report.open_conflicts, world.sync().message) == (0, 0, "nothing to write")


def silenced(world: World, verb: str) -> None:
    """The erp says that a write succeeded, and no more."""
    write = getattr(world.erp, verb)

    def quiet(*given: Any) -> list[Result]:
        return [Result(Remote(r.remote.id, None), r.error) if r.remote else r for r in write(*given)]

    setattr(world.erp, verb, quiet)


def repeatedly(verb: str, error: BaseException) -> Callable[[str], None]:
    def hook(called: str) -> None:
        if called == verb:
            raise error

    return hook
