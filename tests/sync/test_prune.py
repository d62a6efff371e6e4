"""Pruning the history: what is told before and after, what can be taken back, and that no pass decides otherwise."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text
from sync.fakes import World

from hub.errors import ConfigurationError, Unavailable
from hub.store import journal, pruning, runs, space
from hub.sync import prune as pruning_steps
from hub.sync.policy import Retention

WEEK = Retention(days=7, keep_runs=1)


def prune(world: World, retention: Retention = WEEK, **options: Any) -> Any:
    with world.engine() as engine:
        engine.clock = lambda: world.clock.now  # looking at the clock moves it: not for whoever only prunes
        return engine.prune(retention, **options)


def explained(world: World, field: str | None = "phone", at: str | None = None) -> dict[str, Any]:
    with world.engine() as engine:
        return engine.explain("customer", "A", field, at)


def entries(world: World) -> int:
    with world.engine() as engine, engine.store.read() as connection:
        return int(connection.execute(text("SELECT count(*) FROM journal")).scalar_one())


def days_pass(world: World, days: int) -> None:
    world.clock.now += timedelta(days=days)


def lived(tmp_path: Path, edits: int = 6) -> tuple[World, str, list[str]]:
    """A customer whose phone was edited so many times, a day apart; its id in the crm, and the runs."""
    world = World(tmp_path)
    customer = world.crm.add("customers", name="A", tel="13800000000", credit=1)
    made = [world.sync().run]
    for number in range(edits):
        days_pass(world, 1)
        world.crm.edit("customers", customer, tel=f"1380000000{number + 1}")
        made.append(world.sync().run)
    return world, customer, made


def test_a_value_still_says_where_it_comes_from(tmp_path: Path) -> None:
    world, _, _ = lived(tmp_path)
    before = explained(world)["fields"]["phone"]
    days_pass(world, 100)
    done = prune(world)
    assert (done.entries, done.summed_up) == (7, 1)
    after = explained(world)["fields"]["phone"]
    names = ("value", "from", "at", "by", "mapping", "operators", "owner")
    assert {n: after[n] for n in names} == {n: before[n] for n in names}
    assert after["steps"][-4:] == before["steps"][-4:], "the run that is kept, and the newest edit and write before it"
    assert [step["kind"] for step in after["steps"]] == ["new", "written", "pruned", *2 * ["observed", "written"]]
    assert after["steps"][0] == before["steps"][0], "what the record came with is what it came with"
    assert "4 changes since" in after["steps"][2]["text"]


def test_explain_says_that_older_history_is_gone(tmp_path: Path) -> None:
    world, _, _ = lived(tmp_path)
    assert explained(world)["pruned"] is None
    day_two = (world.clock.now - timedelta(days=4)).isoformat()[:19]
    first_hour = (world.clock.now - timedelta(days=6, hours=-1)).isoformat()[:19]
    at_first = explained(world, at=first_hour)["fields"]["phone"]
    assert explained(world, at=day_two)["fields"]["phone"]["value"] == "+8613800000002"
    days_pass(world, 100)
    prune(world)
    assert "pruned on" in explained(world)["pruned"]["text"]
    with pytest.raises(ConfigurationError, match="older than the history kept"):
        explained(world, at=day_two)
    # Before the first change that is summed up, everything is known as it was.
    assert explained(world, at=first_hour)["fields"]["phone"] == at_first


def test_a_run_that_was_pruned_can_not_be_taken_back_and_says_so(tmp_path: Path) -> None:
    world, _, made = lived(tmp_path)
    days_pass(world, 100)
    prune(world)
    with world.engine() as engine, pytest.raises(ConfigurationError, match=r"older than the history kept \(pruned on"):
        engine.undo(made[2])


def test_a_run_that_is_kept_is_taken_back_as_if_nothing_was_pruned(tmp_path: Path) -> None:
    told = []
    for pruned in (False, True):
        (tmp_path / str(pruned)).mkdir()
        world, _, made = lived(tmp_path / str(pruned))
        days_pass(world, 100)
        if pruned:
            assert prune(world).entries
        with world.engine() as engine:
            report = engine.undo(made[-1])
        (row,) = world.erp.records("customers")
        told.append((report.message, row["tel"], world.sync().writes))
    assert told[0] == told[1]
    assert told[0][1:] == ("+8613800000005", 0)


def test_the_last_runs_that_wrote_are_kept_however_old_they_are(tmp_path: Path) -> None:
    world, _, made = lived(tmp_path)
    days_pass(world, 400)
    prune(world, Retention(days=7, keep_runs=3))
    with world.engine() as engine:
        for run in reversed(made[-3:]):
            assert engine.undo(run).writes == 1
        with pytest.raises(ConfigurationError, match="there is no run"):
            engine.undo(made[-4])


def test_passes_that_wrote_nothing_do_not_push_out_those_that_did(tmp_path: Path) -> None:
    world, _, made = lived(tmp_path)
    days_pass(world, 20)
    for _ in range(5):
        world.sync()
    prune(world, Retention(days=7, keep_runs=2))
    with world.engine() as engine:
        assert engine.undo(made[-1]).writes == 1


def test_a_dry_run_counts_the_same_and_takes_nothing_away(tmp_path: Path) -> None:
    world, _, _ = lived(tmp_path)
    days_pass(world, 100)
    there = entries(world)
    tried = prune(world, dry_run=True)
    assert entries(world) == there
    assert explained(world)["pruned"] is None
    done = prune(world)
    names = ("before", "entries", "summed_up", "runs", "letters", "conflicts", "plans")
    assert [getattr(done, n) for n in names] == [getattr(tried, n) for n in names]
    assert entries(world) == there - done.entries == done.history_rows


def test_pruning_again_finds_nothing_and_new_history_joins_the_summary(tmp_path: Path) -> None:
    world, customer, _ = lived(tmp_path)
    days_pass(world, 100)
    prune(world)
    assert prune(world).entries == 0
    for number in range(3):
        days_pass(world, 1)
        world.crm.edit("customers", customer, tel=f"1390000000{number}")
        world.sync()
    days_pass(world, 100)
    before = explained(world)["fields"]["phone"]
    prune(world)
    after = explained(world)["fields"]["phone"]
    assert after["steps"][0] == before["steps"][0]
    assert [step["kind"] for step in after["steps"]] == ["new", "written", "pruned", *2 * ["observed", "written"]]
    assert after["steps"][2]["text"].startswith("7 changes since")


def test_a_prune_that_is_cut_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worlds = []
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
        world = World(tmp_path / name)
        ids = [world.crm.add("customers", name=f"N{n}", tel=f"138{n:08d}") for n in range(9)]
        for turn in range(6):
            for n, key in enumerate(ids):
                world.crm.edit("customers", key, tel=f"139{turn:04d}{n:04d}")
            world.sync()
        days_pass(world, 100)
        worlds.append(world)
    whole, cut = worlds
    prune(whole)
    monkeypatch.setattr(pruning_steps, "PAGE", 5)
    monkeypatch.setattr(pruning_steps, "RECORDS", 2)

    class PowerCutError(Exception):
        pass

    def until(gone: int) -> None:
        if gone > 20:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        prune(cut, progress=until)
    assert entries(cut) > entries(whole)
    prune(cut)
    assert _journal(cut) == _journal(whole)


def _journal(world: World) -> list[tuple[Any, ...]]:
    with world.engine() as engine, engine.store.read() as connection:
        ids = sorted(row[0] for row in connection.execute(text("SELECT DISTINCT hub_id FROM journal")))
        return [(e.id, e.kind, e.system, e.detail) for key in ids for e in journal.of_record(connection, key)]


def test_a_pass_may_run_in_the_middle_of_it(tmp_path: Path) -> None:
    world, customer, _ = lived(tmp_path)
    days_pass(world, 100)
    seen = []

    def meanwhile(gone: int) -> None:
        world.crm.edit("customers", customer, tel="13911111111")
        seen.append(world.sync().writes)

    prune(world, progress=meanwhile)
    assert seen == [1]
    assert world.erp.records("customers")[0]["tel"] == "+8613911111111"
    assert explained(world)["fields"]["phone"]["value"] == "+8613911111111"


def test_two_prunes_do_not_work_at_once(tmp_path: Path) -> None:
    world, _, _ = lived(tmp_path)
    days_pass(world, 100)
    refused = []

    def second(gone: int) -> None:
        with world.engine() as engine:
            engine.owner = "somebody else"
            engine.clock = lambda: world.clock.now
            with pytest.raises(Unavailable) as error:
                engine.prune(WEEK)
        refused.append(error.value.what)

    prune(world, progress=second)
    assert len(refused) == 1


def test_nothing_is_pruned_while_a_run_is_being_taken_back(tmp_path: Path) -> None:
    world, _, _ = lived(tmp_path)
    days_pass(world, 100)
    with world.engine() as engine, engine.store.begin() as connection:
        runs.start_run(connection, "undoing", "undo", world.clock.text())
    there = entries(world)
    with pytest.raises(Unavailable, match="takes back what a run wrote"):
        prune(world)
    assert entries(world) == there


@pytest.mark.parametrize("retention", [Retention(days=6), Retention(days=90, keep_runs=0)])
def test_what_passes_look_back_at_can_not_be_pruned(tmp_path: Path, retention: Retention) -> None:
    with pytest.raises(ConfigurationError):
        prune(World(tmp_path), retention)


def test_retention_can_be_off(tmp_path: Path) -> None:
    world, _, _ = lived(tmp_path)
    days_pass(world, 4000)
    done = prune(world, Retention(days=None))
    assert (done.entries, done.runs, done.space) == (0, 0, "nothing is pruned: retention is off")


def test_letters_conflicts_and_plans_that_are_over_go_and_open_ones_stay(tmp_path: Path) -> None:
    world = World(tmp_path, conflict="hold")
    a, b = (world.crm.add("customers", name=n, tel="13800000000") for n in "AB")
    world.sync()
    (erp,) = (key for key, row in world.erp.rows["customers"].items() if row["name"] == "A")
    world.crm.edit("customers", a, tel="13900000000")
    world.erp.edit("customers", erp, tel="13700000000")
    world.erp.reject = lambda record: "no" if int(record.get("credit") or 0) > 5 else None
    world.crm.edit("customers", b, credit=9)
    world.sync()
    with world.engine() as engine:
        engine.plan()
        engine.plan()
    days_pass(world, 100)
    open_ones = prune(world)
    assert (open_ones.letters, open_ones.conflicts, open_ones.plans) == (0, 0, 1)
    with world.engine() as engine:
        engine.resolve(engine.conflicts()[0]["id"], take="ours")
    world.erp.reject = lambda record: None
    world.crm.edit("customers", b, credit=8)
    world.sync()
    days_pass(world, 100)
    over = prune(world)
    assert (over.letters, over.conflicts) == (1, 1)
    with world.engine() as engine:
        assert engine.letters() == [] and engine.conflicts() == []


def test_what_a_first_sync_found_stays_until_it_is_approved(tmp_path: Path) -> None:
    world = World(tmp_path)
    there = world.erp.add("customers", name="A", tel="13800000000", tax="T1", credit=2)
    here = world.crm.add("customers", name="A", tel="13800000000", tax="T1", credit=1)
    for n in range(5):
        world.sync(yes=False)
        days_pass(world, 100)
        world.erp.edit("customers", there, credit=10 + n)
        world.crm.edit("customers", here, credit=20 + n)
    with world.engine() as engine:
        before = engine.plan().plan.census
        prune(world)
        assert engine.plan().plan.census == before != []


def test_a_backtest_of_policies_looks_at_what_is_kept_and_says_so(tmp_path: Path) -> None:
    from hub.sync.backtest_policy import backtest_policy
    from hub.sync.policy import EntityPolicy

    world, customer, _ = lived(tmp_path)
    days_pass(world, 50)
    world.crm.edit("customers", customer, credit=7)
    world.sync()
    days_pass(world, 5)
    new = EntityPolicy("customer", {"crm": "both", "erp": "both"}, authority={"credit_limit": "erp", "phone": "erp"})

    def tried() -> Any:
        with world.engine() as engine, engine.store.read() as connection:
            since = pruning.horizon(connection).before
            old = engine.setup.policies["customer"]
            return backtest_policy(engine.store, engine.setup, old, new, since=since or "2026-02-01")

    before = tried()
    prune(world, Retention(days=30, keep_runs=1))
    after = tried()
    assert after.since > "2026-01-15"
    assert after.decisions == before.decisions == 1
    assert [d.__dict__ if hasattr(d, "__dict__") else d for d in after.differences] == before.differences


@pytest.mark.postgres
def test_it_is_the_same_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    worlds = []
    for name, url in (("sqlite", None), ("postgresql", postgres_url)):
        (tmp_path / name).mkdir()
        world = World(tmp_path / name, store_url=url)
        customer = world.crm.add("customers", name="A", tel="13800000000")
        for number in range(5):
            world.sync(full=number == 4)
            days_pass(world, 20)
            world.crm.edit("customers", customer, tel=f"1390000000{number}")
        worlds.append(world)
    tried = [prune(world, dry_run=True) for world in worlds]
    done = [prune(world) for world in worlds]
    names = ("entries", "summed_up", "runs", "listed", "history_rows")
    assert len({tuple(getattr(one, n) for n in names) for one in done}) == 1
    assert len({tuple(getattr(one, n) for n in names[:-1]) for one in [*done, *tried]}) == 1
    assert _journal(worlds[0]) == _journal(worlds[1])
    assert "autovacuum" in done[1].space


def test_the_room_is_given_back_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world, customer, _ = lived(tmp_path, edits=0)
    for number in range(6):
        world.crm.edit("customers", customer, name=f"{number}" * 100_000)
        world.sync()
    days_pass(world, 100)
    monkeypatch.setattr(space, "LEAST", 0)
    held = {"customer": None}
    with world.engine() as engine, engine.store.begin() as connection:
        held["customer"] = runs.take_lease(connection, "entity:customer", "a pass", world.clock(), 1e6)
    assert prune(world).space == "a pass is at work: the space is given back the next time"
    with world.engine() as engine, engine.store.begin() as connection:
        runs.free_lease(connection, held["customer"])
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    assert "for a while, which" in prune(world).space
    monkeypatch.undo()
    monkeypatch.setattr(space, "LEAST", 0)
    before = (tmp_path / "hub.db").stat().st_size
    done = prune(world)
    assert "given back to the disk" in done.space
    assert (tmp_path / "hub.db").stat().st_size < before / 2
    world.crm.edit("customers", customer, tel="13911111111")
    assert world.sync().writes == 1
