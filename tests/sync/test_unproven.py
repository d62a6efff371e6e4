"""Creates where nothing proves that a lost one would be found again, and the one record that can't be looked up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sync.fakes import World

from hub.connect.capabilities import Remote, Write
from hub.errors import UnknownOutcome
from hub.sync.engine import Engine

WHY = "nothing proves it"


@contextmanager
def engine_with(world: World, reason: str) -> Iterator[Engine]:
    """An engine whose ERP holds creates for this reason."""
    with world.engine() as engine:
        for endpoint in engine.setup.endpoints:
            if endpoint.system == "erp":
                endpoint.unproven = reason
        yield engine


def names(world: World, system: str) -> list[str]:
    return sorted(record["name"] for record in world.systems[system].records("customers"))


def test_creates_are_held_and_updates_go_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    known = world.crm.add("customers", name="A", tax="91330101")
    world.sync()
    world.crm.add("customers", name="B", tax="91330102")
    world.crm.edit("customers", known, name="A2")
    with engine_with(world, WHY) as engine:
        report = engine.sync(yes=True)
        assert [(held.system, held.reason, held.detail) for held in report.plan.held] == [("erp", "unproven", WHY)]
        assert report.state == "needs_person" and "creates are held" in report.message
        assert names(world, "erp") == ["A2"]
        plan = engine.plan().plan
        assert plan.writes == [] and [held.reason for held in plan.held] == ["unproven"]
    report = world.sync()
    assert names(world, "erp") == ["A2", "B"] and report.state == "done"


def test_a_record_that_cant_be_looked_up_is_for_a_person_and_the_others_go_on(tmp_path: Path) -> None:
    world = World(tmp_path)

    def lose(verb: str) -> None:
        if verb == "create":
            raise UnknownOutcome("connection reset")

    world.erp.after = lose
    asked = world.erp.probe

    def probe(resource: str, writes: Sequence[Write], *rest: Any) -> list[Remote | None]:
        if any(write.values.get("name") == "B" for write in writes):
            raise UnknownOutcome("nothing in this record tells whether it was created")
        return asked(resource, writes, *rest)

    world.erp.probe = probe  # type: ignore[method-assign]
    for name in "ABC":
        world.crm.add("customers", name=name, tax=f"9133010{ord(name)}")
    world.sync()
    with world.engine() as engine:
        (letter,) = engine.letters()
        assert letter["stage"] == "doubt" and "can't be looked up" in letter["message"]
    world.erp.after = lambda verb: None
    assert world.sync().state == "done"
    assert names(world, "erp") == ["A", "B", "C"], "nothing was sent again, and the next look found the third"
    assert world.sync().writes == 0
