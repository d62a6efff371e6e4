"""Small passes: what hints speak of is observed and carried on, and nothing else is touched."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sync.fakes import CUSTOMERS, World

from hub.errors import RecordRejected, Unavailable, UnknownOutcome
from hub.store import hints, runs
from hub.sync import leasing
from hub.sync.engine import Engine
from hub.sync.hinted import TRIES
from hub.sync.leasing import somebody_waits
from hub.sync.policy import Budget


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Three customers, in both systems."""
    world = World(tmp_path)
    for n in range(3):
        world.crm.add("customers", name=f"客户 {n}", tel=f"1380000000{n}", credit=n)
    world.sync()
    assert world.sync().writes == 0
    return world


@pytest.fixture
def engine(world: World) -> Iterator[Engine]:
    """One that stays warm."""
    with world.engine() as engine:
        yield engine


def tell(engine: Engine, *told: tuple[str, str], entity: str = "customer") -> None:
    with engine.store.begin() as connection:
        hints.add(connection, [(system, entity, remote_id) for system, remote_id in told], "2026-01-15T00:00:00.000Z")


def left(engine: Engine) -> list[tuple[str, str]]:
    with engine.store.read() as connection:
        rows = connection.execute(text("SELECT system, remote_id FROM hint ORDER BY 1, 2"))
        return [(row[0], row[1]) for row in rows]


def names(world: World) -> list[str]:
    return [row["name"] for row in world.erp.rows["customers"].values()]


def cursors(engine: Engine) -> list[Any]:
    with engine.store.read() as connection:
        return sorted((c["system"], c["entity"], c["value"]) for c in runs.cursors(connection))


def settled(world: World) -> bool:
    return world.sync().writes == 0


def test_what_a_hint_speaks_of_is_carried_on_and_cursors_stay(world: World, engine: Engine) -> None:
    before = cursors(engine)
    world.crm.edit("customers", "crm1", name="新名")
    world.crm.edit("customers", "crm2", name="nobody told of this")
    world.crm.calls.clear()
    world.erp.calls.clear()
    tell(engine, ("crm", "crm1"))
    report = engine.hinted("customer")
    assert (report.kind, report.state, report.writes) == ("hints", "done", 1)
    assert names(world) == ["新名", "客户 1", "客户 2"]
    assert (world.crm.calls, world.erp.calls) == (["get"], ["update"])
    assert cursors(engine) == before
    assert left(engine) == []
    assert world.sync().writes == 1
    assert settled(world)


def test_a_doubled_hint_is_one_and_a_late_one_does_nothing(world: World, engine: Engine) -> None:
    world.crm.edit("customers", "crm1", name="新名")
    for _ in range(3):
        tell(engine, ("crm", "crm1"), ("crm", "crm1"))
    assert engine.hinted("customer").writes == 1
    writes = world.erp.writes
    tell(engine, ("crm", "crm1"), ("erp", next(iter(world.erp.rows["customers"]))), ("crm", "of another life"))
    report = engine.hinted("customer")
    assert (report.writes, world.erp.writes, left(engine)) == (0, writes, [])
    with engine.store.read() as connection:
        assert runs.run(connection, report.run) is None, "a pass that came to nothing leaves no run"
    assert settled(world)


def test_what_is_told_while_a_pass_is_at_work_stays_for_the_next(world: World, engine: Engine) -> None:
    world.crm.edit("customers", "crm1", name="first")
    tell(engine, ("crm", "crm1"))
    told = []

    def meanwhile(verb: str) -> None:
        if verb == "update" and not told:
            world.crm.edit("customers", "crm1", name="second")
            told.append(tell(engine, ("crm", "crm1")))

    world.erp.before = meanwhile
    engine.hinted("customer")
    assert left(engine) == [("crm", "crm1")]
    engine.hinted("customer")
    assert (names(world)[0], left(engine)) == ("second", [])


def test_a_new_record_is_made_only_after_the_others_were_heard(world: World, engine: Engine) -> None:
    """The same company, entered in both systems: told of by one, known to the other."""
    one = world.crm.add("customers", name="新客户", tax="91310000MA1FL5E83T", tel="13900000000")
    world.erp.add("customers", name="新客户", tax="91310000MA1FL5E83T", tel="13900000000")
    tell(engine, ("crm", one))
    assert engine.hinted("customer").writes == 0
    assert len(world.erp.rows["customers"]) == len(world.crm.rows["customers"]) == 4
    two = world.crm.add("customers", name="只有一边", tel="13900000001")
    tell(engine, ("crm", two))
    assert engine.hinted("customer").writes == 1
    assert settled(world)
    assert len(world.erp.rows["customers"]) == len(world.crm.rows["customers"]) == 5


def test_a_deletion_needs_a_system_that_shows_others(world: World, engine: Engine) -> None:
    rows = world.crm.rows["customers"]
    world.crm.remove("customers", "crm1")
    tell(engine, ("crm", "crm1"))
    report = engine.hinted("customer")
    assert sum(c.gone for c in report.counts) == 1
    kept = dict(rows)
    rows.clear()  # restored from nothing
    tell(engine, ("crm", "crm2"), ("crm", "crm3"))
    report = engine.hinted("customer")
    assert (sum(c.gone for c in report.counts), report.writes, left(engine)) == (0, 0, [])
    rows.update(kept)
    assert settled(world)


def test_small_passes_share_the_budget_of_one(world: World, engine: Engine) -> None:
    policies = engine.setup.policies
    policies["customer"] = dataclasses.replace(policies["customer"], budget=Budget(floor=2, share=0))
    for n in (1, 2, 3):
        world.crm.edit("customers", f"crm{n}", name=f"changed {n}")
        tell(engine, ("crm", f"crm{n}"))
        report = engine.hinted("customer")
        assert report.writes == (1 if n < 3 else 0)
    assert report.state == "needs_person"
    assert "more changes than the budget" in report.message
    assert engine.sync(["customer"]).writes == 1, "an ordinary pass has a budget of its own"
    world.crm.edit("customers", "crm1", name="changed again")
    tell(engine, ("crm", "crm1"))
    assert engine.hinted("customer").writes == 1


def test_a_first_sync_is_not_approved_by_the_way(tmp_path: Path) -> None:
    world = World(tmp_path)
    one = world.crm.add("customers", name="甲", tel="13800000000")
    world.erp.add("customers", name="乙", tel="13900000000")
    with world.engine() as engine:
        tell(engine, ("crm", one))
        assert engine.hinted("customer").writes == 0, "nothing has been read yet"
        engine.sync()
        world.crm.edit("customers", one, name="丙")
        tell(engine, ("crm", one))
        assert engine.hinted("customer").writes == 0
        assert (len(world.erp.rows["customers"]), len(world.crm.rows["customers"])) == (1, 1)


def test_a_changed_mapping_waits_for_an_ordinary_pass(world: World, engine: Engine) -> None:
    world.overrides["crm", "customer"] = CUSTOMERS.replace(
        "credit_limit:", "short_name: {field: note2}\n  credit_limit:"
    )
    world.crm.edit("customers", "crm1", name="新名")
    with world.engine() as changed:
        tell(changed, ("crm", "crm1"))
        assert changed.hinted("customer").writes == 0
        assert left(changed) == [("crm", "crm1")]
        changed.sync(yes=True)
        world.clock.now += timedelta(minutes=2)
        changed.hinted("customer")
        assert left(changed) == []
    assert settled(world)


@pytest.mark.parametrize("where", ["crm", "erp"])
def test_a_system_that_is_down_has_it_tried_again(world: World, engine: Engine, where: str) -> None:
    world.crm.edit("customers", "crm1", name="新名")
    tell(engine, ("crm", "crm1"))

    def down(verb: str) -> None:
        raise Unavailable("no route", where=where)

    world.systems[where].before = down
    assert engine.hinted("customer").state == "failed"
    assert left(engine) == [("crm", "crm1")]
    world.systems[where].before = lambda verb: None
    assert engine.hinted("customer").writes == 0, "not yet"
    world.clock.now += timedelta(seconds=2)
    assert engine.hinted("customer").writes == 1
    assert left(engine) == []
    assert settled(world)


def test_an_id_that_can_never_be_asked_for_spoils_no_other_and_is_given_up(world: World, engine: Engine) -> None:
    real = world.crm.get

    def get(resource: str, ids: Any, fields: Any, options: Any) -> Any:
        if "DROP TABLE" in ids:
            raise RecordRejected("no such kind of id")
        return real(resource, ids, fields, options)

    world.crm.get = get  # type: ignore[method-assign]
    world.crm.edit("customers", "crm1", name="新名")
    tell(engine, ("crm", "crm1"), ("crm", "DROP TABLE"))
    assert engine.hinted("customer").writes == 1
    assert left(engine) == [("crm", "DROP TABLE")]
    for _ in range(TRIES):
        world.clock.now += timedelta(minutes=2)
        engine.hinted("customer")
    assert left(engine) == []


def test_a_lost_answer_of_a_small_pass_is_looked_for_before_anything_is_sent_again(
    world: World, engine: Engine
) -> None:
    one = world.crm.add("customers", name="新客户", tel="13900000000")
    tell(engine, ("crm", one))
    lost = []

    def cut(verb: str) -> None:
        if verb == "create" and not lost:
            lost.append(verb)
            raise UnknownOutcome("the answer was lost")

    world.erp.after = cut
    engine.hinted("customer")
    world.clock.now += timedelta(minutes=2)
    engine.hinted("customer")
    assert lost == ["create"]
    assert len(world.erp.rows["customers"]) == 4
    assert settled(world)


def test_what_waited_for_a_record_is_told_of_again(world: World, engine: Engine) -> None:
    """The order's hint comes before its customer's."""
    lines = [{"seq": 1, "qty": 1, "price": 2}]
    one = world.crm.add("customers", name="新客户", tel="13900000000")
    order = world.crm.add("orders", no="O1", title="订单", customer=one, date="2026-01-15", lines=lines)
    tell(engine, ("crm", order), entity="order")
    engine.hinted("order")
    assert (left(engine), world.erp.rows.get("orders")) == ([], None)
    tell(engine, ("crm", one))
    engine.hinted("customer")
    assert left(engine) == [("crm", order)]
    engine.hinted("order")
    assert [row["no"] for row in world.erp.rows["orders"].values()] == ["O1"]
    assert settled(world)


def test_an_ordinary_pass_keeps_small_ones_out(world: World, engine: Engine) -> None:
    met: list[Any] = []

    def meanwhile(verb: str) -> None:
        if verb == "list" and not met:
            tell(engine, ("crm", "crm1"))
            with pytest.raises(Unavailable, match="another pass"):
                engine.hinted("customer")
            met.append(left(engine))

    world.crm.before = meanwhile
    world.sync()
    assert met == [[("crm", "crm1")]]


def test_an_ordinary_pass_waits_for_a_small_one_that_then_makes_way(
    world: World, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way, may_end = threading.Event(), threading.Event()

    def get(verb: str) -> None:
        if verb == "get" and not may_end.is_set():
            under_way.set()
            assert may_end.wait(60)

    world.crm.before = get
    tell(engine, ("crm", "crm1"))
    small = threading.Thread(target=engine.hinted, args=("customer",))
    small.start()
    assert under_way.wait(60)
    with pytest.raises(Unavailable, match="another pass"):
        world.sync()  # one without patience
    assert not somebody_waits(engine.store, "2026-01-15T00:00:00.000Z")
    waited: list[bool] = []

    def sleep(seconds: float) -> None:
        waited.append(somebody_waits(engine.store, "2026-01-15T00:00:00.000Z"))
        may_end.set()
        small.join(60)

    monkeypatch.setattr(leasing.time, "sleep", sleep)
    with world.engine() as patient:
        patient.patience = 60.0
        assert patient.sync().state == "done"
    assert waited == [True], "and the next small pass would have held back"


def test_where_a_mapping_reads_a_part_of_a_resource_a_stranger_is_left_to_the_pass_that_sees_it(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, mappings={"customer": CUSTOMERS + "\nread: {filter: \"kind = 'customer'\"}\n"})
    known = world.crm.add("customers", name="甲", tel="13800000000")
    world.sync()
    supplier = world.crm.add("customers", name="a supplier", tel="13900000000")
    world.crm.edit("customers", known, name="乙")
    with world.engine() as engine:
        tell(engine, ("crm", known), ("crm", supplier))
        engine.hinted("customer")
        assert [row["name"] for row in world.erp.rows["customers"].values()] == ["乙"]
