"""Random days, random undos: whatever happened before, an undo changes what it says and nothing else."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hub.simulate.chance import Chance, config
from hub.simulate.life import Simulator, settle
from hub.simulate.world import World
from hub.store import journal
from hub.sync.engine import Engine
from hub.sync.report import PassReport

State = dict[tuple[str, str, str, str], Any]


class Days:
    """A company to which nothing happens but its people's work, and an auditor who looks at the systems only."""

    def __init__(self, simulator: Simulator, seed: int) -> None:
        self.rng = random.Random(seed)
        chosen = config(simulator.ground, self.rng)
        for policy in chosen["policy"].values():
            policy["budget"] = [50, 1.0]
        for quirks in chosen["quirks"].values():
            quirks.pop("refuses", None)
        simulator.memory.empty()
        self.world = World(simulator.ground, chosen, simulator.memory)
        self.chance = Chance(self.world, self.rng)
        for _ in range(6):
            self.somebody("add")
        settle(self.world)

    def somebody(self, *may: str) -> tuple[str, str]:
        """Does one of these things; (entity, tag) of the record."""
        while True:
            for event in self.chance.next():
                if event["do"] in may:
                    self.world.do(event)
                    return event["entity"], event["tag"]

    def work(self, most: int) -> None:
        for _ in range(self.rng.randrange(1, most)):
            self.somebody("edit", "line", "add", "delete")

    def sync(self, **options: Any) -> PassReport:
        self.world.clock.wait(400)
        self.world.do({"do": "pass", "yes": True, **options})
        return self.world.reports[-1]

    def engine(self) -> Engine:
        return self.world.engine(self.world.worker())

    def undo(self, run: str, **options: Any) -> Any:
        self.world.clock.wait(400)
        with self.engine() as engine:
            return engine.undo(run, **options)

    def state(self) -> State:
        """(system, entity, tag, path) → value, of the records that count."""
        return {
            (name, entity, row.tag, path): value
            for name, system in self.world.systems.items()
            for entity in self.world.entities
            for row in system.rows[entity].values()
            if not row.archived
            for path, value in row.flat.items()
            if value is not None
        }


@pytest.mark.parametrize("seed", [*range(6), 27, 83])
def test_an_undo_right_after_a_run_gives_back_the_day_before(simulator: Simulator, seed: int) -> None:
    days = Days(simulator, seed)
    for _ in range(3):
        days.work(5)
        settle(days.world)
    edited: set[tuple[str, str]] = set()
    while len(edited) < 4:
        edited.add(days.somebody("edit", "line"))
    before = days.state()
    report = days.sync()
    after = days.state()
    assert report.writes, "else there is nothing to undo"
    undone = days.undo(report.run)
    assert undone.plan.held == [], [hold.detail for hold in undone.plan.held]
    assert _differences(days.state(), before) == {}
    assert days.sync(full=True).writes == 0, "the next pass leaves it so"
    assert _differences(days.state(), before) == {}
    again = days.undo(undone.run)
    assert again.plan.held == []
    assert _differences(days.state(), after) == {}
    assert days.sync(full=True).writes == 0


@pytest.mark.parametrize("seed", range(8))
def test_an_undo_of_an_old_run_writes_what_it_lists_and_nothing_a_person_typed(simulator: Simulator, seed: int) -> None:
    days = Days(simulator, 100 + seed)
    runs = [report.run for report in days.world.reports]
    for _ in range(4):
        days.work(4)
        runs.append(days.sync().run)
    with days.engine() as engine:
        run = days.rng.choice([run for run in runs if _wrote(engine, run)])
    planned = days.undo(run, carry_out=False)
    before = days.state()
    undone = days.undo(run)
    assert sorted(map(_key, undone.plan.writes)) == sorted(map(_key, planned.plan.writes)), "exactly the plan"
    listed = {(w.system, path.partition("[")[0]) for w in undone.plan.writes for path in w.fields}
    whole = {w.system for w in undone.plan.writes if w.action != "update"}
    for system, _, _, path in _differences(days.state(), before):
        assert system in whole or (system, path.partition("[")[0]) in listed
    assert settle(days.world), "it comes to rest"


def _wrote(engine: Engine, run: str) -> bool:
    with engine.store.read() as connection:
        return any(journal.touched(connection, run, entity, ("written",), limit=1) for entity in engine.setup.policies)


def _key(write: Any) -> tuple[Any, ...]:
    return write.system, write.hub_id, write.action, sorted(write.fields)


def _differences(now: State, then: State) -> dict[tuple[str, str, str, str], tuple[Any, Any]]:
    return {key: (now.get(key), then.get(key)) for key in now.keys() | then.keys() if now.get(key) != then.get(key)}
