"""One process's share: what it asks for, what it gives back, and what it makes of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.connect.budget import Budget
from hub.connect.quota import Ask, Grant, Limits
from hub.connect.share import Share
from hub.errors import RateLimited, Unavailable
from hub.store.quota import SharedQuota


class Clock:
    """Everybody's time; sleeping moves it."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Office:
    """Workers on one machine, each with a share of one account."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.url = f"sqlite:///{folder}/hub.db"
        self.asked = 0
        self.quotas: list[SharedQuota] = []

    def worker(self, **limits: Any) -> Share:
        quota = SharedQuota(self.url, f"worker {len(self.quotas)}", clock=self.clock, keep=False)
        self.quotas.append(quota)

        def settle(owner: str, limits: Limits, ask: Ask) -> Grant:
            self.asked += 1
            return quota.settle(owner, limits, ask)

        return Share(Budget(owner="acme", **limits), settle, system="crm", clock=self.clock)

    def call(self, share: Share, cost: int = 1, ending: bool = False) -> float:
        """Make a call; returns when it began."""
        with share.slot(self.clock.sleep, cost=cost, ending=ending):
            return self.clock.now


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    for quota in made.quotas:
        quota.close()


def test_most_calls_ask_nobody(office: Office) -> None:
    share = office.worker(at_once=3)
    for _ in range(500):
        office.call(share)
        office.clock.now += 0.01  # five seconds in all
    assert office.asked == 1


def test_calls_of_two_workers_are_spaced_as_one_schedule(office: Office) -> None:
    pair = [office.worker(per_second=10) for _ in range(2)]
    begun = sorted(office.call(share) for _ in range(40) for share in pair)
    assert all(later - earlier > 1 for earlier, later in zip(begun, begun[10:], strict=False))
    assert begun[-1] - begun[0] < 12, "and nobody dawdles: 80 calls are 8 seconds"


def test_moments_are_reserved_a_handful_at_a_time(office: Office) -> None:
    share = office.worker(per_second=20)
    for _ in range(100):
        office.call(share)
    assert office.asked < 25


def test_a_call_that_misses_its_moment_takes_another(office: Office) -> None:
    """A machine that was suspended must not send at once what it had reserved."""
    share = office.worker(per_second=10)
    naps = iter([0.0, 3.0])

    def sleep(seconds: float) -> None:
        office.clock.now += seconds + next(naps, 0.0)

    with share.slot(sleep):
        pass
    with share.slot(sleep):
        first = office.clock.now
    with share.slot(sleep):
        assert office.clock.now - first >= 0.1


def test_what_one_system_asks_of_one_worker_holds_all(office: Office) -> None:
    one, other = office.worker(at_once=5), office.worker(at_once=5)
    office.call(one)
    begun = office.clock.now
    one.pause(30)
    assert office.call(other) - begun >= 30
    assert office.call(one) - begun >= 30


def test_a_worker_at_rest_gives_everything_back(office: Office) -> None:
    one, other = office.worker(at_once=2, per_day=1000), office.worker(at_once=2, per_day=1000)
    office.call(one)
    assert [one.tick() for _ in range(5)] == [True, True, True, False, False]
    with other.slot(office.clock.sleep), other.slot(office.clock.sleep):
        pass
    other.close()
    standing = _standing(office)
    assert (standing.calls, standing.used) == (3, 3), "granted ahead and not used is not used"


def test_the_day_ends_before_a_call_and_not_in_the_middle_of_a_write(office: Office) -> None:
    share = office.worker(per_day=100, unit="credits")
    done = 0
    with pytest.raises(RateLimited) as refused:
        while True:
            office.call(share, cost=3)
            done += 3
    assert 90 <= done <= 97, "some are kept"
    assert refused.value.spread
    assert refused.value.where == "crm"
    assert (refused.value.wait or 0) > 3600
    assert "credits" in refused.value.what
    office.call(share, cost=1, ending=True)


def test_a_call_whose_turn_cannot_be_had_leaves_nothing_behind(office: Office) -> None:
    share = office.worker(at_once=1)
    office.call(share)
    for _ in range(3):
        share.tick()  # its room is given back

    def away(owner: str, limits: Limits, ask: Ask) -> Grant:
        raise Unavailable("the hub's database failed", where="store")

    working, share._settle = share._settle, away
    with pytest.raises(Unavailable):
        office.call(share)
    share._settle = working
    office.call(share)
    assert share.made == 2


def _standing(office: Office) -> Any:
    quota = office.quotas[0]
    with quota._opened().begin() as connection:
        connection.exec_driver_sql("UPDATE quota SET systems = 'crm'")
    return quota.standing("crm")
