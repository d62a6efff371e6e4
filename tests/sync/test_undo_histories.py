"""Random days, random undos: whatever happened before, an undo changes what it says and nothing else."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import World

SYSTEMS = ("crm", "erp", "shop")
FIELDS = {"tel": "phone", "credit": "credit_limit", "name": "name", "note": "description"}
State = dict[tuple[str, str, str], Any]


class Days:
    """A company, its people, and an auditor who looks at the systems only."""

    def __init__(self, path: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.numbers = itertools.count(1)
        self.world = World(
            path,
            systems=SYSTEMS,
            conflict=self.rng.choice(["newest", "hold", SYSTEMS]),
            deletes=self.rng.choice(["archive", "propagate"]),
            authority=self.rng.choice([{}, {"credit_limit": "erp"}]),
        )
        if self.rng.random() < 0.4:
            self.world.erp.rewrite = lambda record: record.update(name=str(record.get("name"))[:6])
        for _ in range(2):
            self.add()
        self.run = self.sync()

    def add(self) -> None:
        number = next(self.numbers)
        system = self.world.systems[self.rng.choice(SYSTEMS)]
        system.add("customers", name=f"客户{number}", tax=f"T{number}", credit=number)

    def edit(self) -> None:
        system = self.world.systems[self.rng.choice(SYSTEMS)]
        rows = list(system.rows.get("customers", {}))
        if rows:
            number = next(self.numbers)
            name = self.rng.choice(list(FIELDS))
            made = {
                "tel": f"+86 574 8888 {number:04}",
                "credit": 1000 + number,
                "name": f"N{number}",
                "note": f"n{number}",
            }
            system.edit("customers", self.rng.choice(rows), **{name: made[name]})

    def remove(self) -> None:
        system = self.world.systems[self.rng.choice(SYSTEMS)]
        rows = list(system.rows.get("customers", {}))
        if len(rows) > 1:
            system.remove("customers", self.rng.choice(rows))

    def sync(self) -> str:
        return str(self.world.sync().run)

    def undo(self, run: str, **options: Any) -> Any:
        with self.world.engine() as engine:
            return engine.undo(run, **options)

    def rest(self) -> None:
        """Nobody edits any more, and what waits for a person is decided."""
        for _ in range(6):
            with self.world.engine() as engine:
                for conflict in engine.conflicts():
                    answer = (
                        {"new": True} if conflict["path"] == "match" else {"take": self.rng.choice(["theirs", "ours"])}
                    )
                    engine.resolve(conflict["id"], **answer)
                engine.replay()
            report = self.world.sync(full=True)
            if not report.writes and not report.open_conflicts:
                return

    def state(self) -> State:
        """(system, tax number, field) → value, of the records that count."""
        return {
            (name, row["tax"], field): _plain(field, row.get(field))
            for name, system in self.world.systems.items()
            for row in system.rows.get("customers", {}).values()
            if not row.get("archived")
            for field in FIELDS
        }


def _plain(field: str, value: Any) -> Any:
    if field == "tel" and value is not None:
        return str(value).replace(" ", "").removeprefix("+86")
    return int(value) if field == "credit" and value is not None else value


@pytest.mark.parametrize("seed", range(8))
def test_an_undo_right_after_a_run_gives_back_the_day_before(tmp_path: Path, seed: int) -> None:
    days = Days(tmp_path, seed)
    for _ in range(3):
        for _ in range(days.rng.randrange(1, 5)):
            days.rng.choice([days.edit, days.edit, days.edit, days.add, days.remove])()
        days.rest()
    for _ in range(4):
        days.edit()
    before = days.state()
    report = days.world.sync()
    after = days.state()
    assert report.writes, "else there is nothing to undo"
    assert not report.open_conflicts
    undone = days.undo(report.run)
    assert undone.plan.held == [], [hold.detail for hold in undone.plan.held]
    assert _differences(days.state(), before) == {}
    assert days.world.sync(full=True).writes == 0, "the next pass leaves it so"
    assert _differences(days.state(), before) == {}
    again = days.undo(undone.run)
    assert again.plan.held == []
    assert _differences(days.state(), after) == {}
    assert days.world.sync(full=True).writes == 0


@pytest.mark.parametrize("seed", range(8))
def test_an_undo_of_an_old_run_writes_what_it_lists_and_nothing_a_person_typed(tmp_path: Path, seed: int) -> None:
    days = Days(tmp_path, 100 + seed)
    runs = [days.run]
    for _ in range(4):
        for _ in range(days.rng.randrange(1, 4)):
            days.rng.choice([days.edit, days.edit, days.edit, days.add, days.remove])()
        runs.append(days.sync())
    with days.world.engine() as engine:
        wrote = [run for run in runs if _wrote(engine, run)]
    run = days.rng.choice(wrote)
    planned = days.undo(run, carry_out=False)
    before = days.state()
    undone = days.undo(run)
    assert sorted(map(_key, undone.plan.writes)) == sorted(map(_key, planned.plan.writes)), "exactly the plan"
    listed = {(w.system, path.partition("[")[0]) for w in undone.plan.writes for path in w.fields}
    whole = {w.system for w in undone.plan.writes if w.action != "update"}
    for (system, _, field), _ in _differences(days.state(), before).items():
        assert system in whole or (system, FIELDS[field]) in listed
    days.rest()
    assert days.world.sync(full=True).writes == 0, "it comes to rest"


def _wrote(engine: Any, run: str) -> bool:
    from hub.store import journal

    with engine.store.read() as connection:
        return bool(journal.touched(connection, run, "customer", ("written",), limit=1))


def _key(write: Any) -> tuple[Any, ...]:
    return write.system, write.hub_id, write.action, sorted(write.fields)


def _differences(now: State, then: State) -> dict[tuple[str, str, str], tuple[Any, Any]]:
    keys = dict.fromkeys([*now, *then])
    return {key: (now.get(key), then.get(key)) for key in keys if now.get(key) != then.get(key)}
