"""A pass that is alive holds its leases, however slow it is; one that lost them begins nothing any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sync.fakes import World

from hub.errors import Unavailable
from hub.store import runs
from hub.store.database import open_store
from hub.sync import context, holding
from hub.sync.context import CALL_SECONDS, LEASE_SECONDS, Pass
from hub.sync.run import Run


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def job(world: World) -> Iterator[Pass]:
    """A pass over the customers that has just begun to write; nothing holds its lease but what a test does."""
    with world.engine() as engine, Run(engine, "sync", ["customer"], True) as run:
        assert run.holding is not None
        run.holding.end()
        with run.job.transaction("customer"):
            pass
        yield run.job


def test_no_call_is_begun_that_might_take_effect_when_another_pass_looks_already(world: World, job: Pass) -> None:
    world.clock.now += timedelta(seconds=LEASE_SECONDS - CALL_SECONDS - 1)
    assert not job.overdue()
    world.clock.now += timedelta(seconds=1)
    assert job.overdue()


def test_a_sign_of_life_gives_it_the_whole_lease_again(world: World, job: Pass) -> None:
    for _ in range(3):
        world.clock.now += timedelta(seconds=LEASE_SECONDS - CALL_SECONDS - 1)
        assert job.hold()
        assert not job.overdue()
    with world.engine() as other, pytest.raises(Unavailable, match="another pass is at work on customer"):
        other.sync(["customer"])


def test_who_was_overtaken_begins_no_call_and_stores_nothing(world: World, job: Pass) -> None:
    world.clock.now += timedelta(seconds=LEASE_SECONDS)
    with world.engine() as other:
        other.sync(["customer"])
    assert not job.hold()
    world.clock.now -= timedelta(seconds=LEASE_SECONDS)  # not even with a clock that was set back
    assert job.overdue()
    with pytest.raises(Unavailable, match="another pass took over customer meanwhile"), job.transaction("customer"):
        pass


def test_a_lease_that_was_given_back_does_not_come_to_life_again(world: World, job: Pass) -> None:
    """A sign of life may be on its way when the pass ends."""
    with job.store.begin() as connection:
        runs.free_lease(connection, job.leases["customer"])
    assert not job.hold()
    with world.engine() as other:
        other.sync(["customer"])


def test_what_takes_long_in_one_transaction_leaves_a_fresh_lease(
    world: World, job: Pass, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter([0.0, LEASE_SECONDS])
    monkeypatch.setattr(context.time, "monotonic", lambda: next(moments))
    with job.transaction("customer"):
        world.clock.now += timedelta(seconds=LEASE_SECONDS + 5)
    with world.engine() as other, pytest.raises(Unavailable, match="another pass is at work on customer"):
        other.sync(["customer"])


def test_the_signs_end_with_the_pass_and_outlive_a_store_that_fails(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(holding, "BEAT", 0.001)
    failed, held = threading.Event(), threading.Event()
    hold = Pass.hold

    def sometimes(self: Pass) -> bool:
        if not failed.is_set():
            failed.set()
            raise Unavailable("the hub's database failed: no route to host", where="store")
        held.set()
        return hold(self)

    monkeypatch.setattr(Pass, "hold", sometimes)
    with world.engine() as engine, Run(engine, "sync", ["customer"], True) as run:
        assert held.wait(10)
    assert run.holding is not None
    assert not run.holding._thread.is_alive()
    assert "the leases could not be held: the hub's database failed: no route to host" in caplog.messages


def test_a_pass_that_could_not_give_its_lease_back_is_not_in_its_own_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store was away at its end; the same process tries again a little later."""

    def away(*_: object) -> None:
        raise Unavailable("the hub's database failed", where="store")

    with monkeypatch.context() as meanwhile, pytest.raises(Unavailable, match="database failed"):
        meanwhile.setattr(runs, "free_lease", away)
        world.sync()
    assert world.sync().state == "done"


@pytest.mark.postgres
def test_leases_run_by_the_clock_of_the_database_that_hosts_share(postgres_url: str) -> None:
    """A host whose clock is ahead would take over everybody's work; one whose clock lags would lose its own."""
    store = open_store(postgres_url)
    ahead, behind = (datetime.now(UTC) + timedelta(hours=hours) for hours in (1, -1))
    with store.begin() as connection:
        lease = runs.take_lease(connection, "entity:customer", "a/1", behind, 60)
        with pytest.raises(Unavailable, match="another pass is at work"):
            runs.take_lease(connection, "entity:customer", "b/1", ahead, 60)
        runs.renew_lease(connection, lease, behind, 60)
        assert runs.holders(connection, ["entity:customer"], ahead) == ["a/1"]
        assert runs.extend_lease(connection, lease, ahead, -1)
        assert runs.holders(connection, ["entity:customer"], behind) == []
    store.close()


@pytest.mark.postgres
def test_a_transaction_that_stands_still_is_ended_by_the_server(postgres_url: str) -> None:
    """Or else the lock of a host that was cut off in the middle of one would keep everybody out."""
    store = open_store(f"{postgres_url}?options=-c%20statement_timeout%3D77s")
    asked = ("idle_in_transaction_session_timeout", "tcp_keepalives_idle", "tcp_user_timeout", "statement_timeout")
    with store.read() as connection:
        found = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in asked]
    store.close()
    assert found[0] == "30s"
    assert found[3] == "77s", "what the URL says holds, too"
