"""Who gets how much of an account's quota: exact, on a clock of its own."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from hub.connect.quota import Ask, Limits
from hub.store import sharing
from hub.store.sharing import Account, Holder

NOW = 1_000_000.0


class Table:
    """Holders of rooms, as the store keeps them."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.now = NOW
        self.holders: dict[str, Holder] = {}

    def ask(self, name: str, wants: int, *, busy: int = 0, urgent: bool = False) -> int:
        me = self.holders.get(name, Holder(name))
        others = [holder for other, holder in self.holders.items() if other != name]
        ask = Ask(urgent=urgent, rooms=wants, busy=busy)
        target, self.holders[name] = sharing.rooms(self.total, others, me, ask, self.now)
        assert sum(holder.rooms for holder in self.holders.values()) <= self.total
        return target


def test_whoever_is_alone_gets_all_the_rooms_there_are() -> None:
    assert Table(5).ask("bulk", 9) == 5


def test_two_bulk_workers_share_in_halves_as_calls_end() -> None:
    table = Table(4)
    assert table.ask("a", 4) == 4
    assert table.ask("b", 4) == 0, "all four are under way"
    assert table.ask("a", 4, busy=4) == 2, "a is told to give two back"
    assert table.ask("b", 4) == 0, "but its calls go on"
    assert table.ask("a", 4, busy=2) == 2
    assert table.ask("b", 4) == 2


def test_urgent_work_gets_what_it_wants_but_for_one_room() -> None:
    table = Table(5)
    assert table.ask("bulk", 5) == 5
    assert table.ask("hook", 9, urgent=True) == 0
    assert table.ask("bulk", 5, busy=1) == 1
    assert table.ask("hook", 9, urgent=True) == 4


def test_of_one_room_everybody_gets_a_turn() -> None:
    table = Table(1)
    table.ask("a", 1)
    table.ask("b", 1)
    served = {"a": 0, "b": 0}
    for _ in range(20):
        table.now += sharing.TURN / 2
        for name in ("a", "b"):
            busy = table.holders[name].rooms
            served[name] += busy
            if table.ask(name, 1, busy=busy) < busy:
                table.ask(name, 1, busy=0)  # its call ends, and it waits again
    assert served["a"] >= 5
    assert served["b"] >= 5


def test_a_turn_that_ended_is_not_taken_back_while_its_last_call_is_under_way() -> None:
    table = Table(1)
    table.ask("a", 1)
    table.ask("b", 1)
    table.now += sharing.TURN
    assert table.ask("a", 1, busy=1) == 0
    table.now += 0.05
    assert table.ask("a", 1, busy=1) == 0


def test_waiting_bulk_work_is_served_before_urgent_work_after_a_while() -> None:
    table = Table(1)
    table.ask("first", 1)
    table.ask("bulk", 1)
    table.now += sharing.PATIENCE + 0.1
    table.ask("hook", 1, urgent=True)
    assert table.ask("first", 0) == 0
    assert table.ask("hook", 1, urgent=True) == 0, "bulk has waited long enough"
    assert table.ask("bulk", 1) == 1


class Schedule:
    """One account's moments."""

    def __init__(self, per_second: float, burst: int = 1) -> None:
        self.limits = Limits(per_second=per_second, burst=burst)
        self.account = Account()
        self.now = NOW
        self.given: list[float] = []

    def ask(self, moments: int, *, urgent: bool = False) -> list[float]:
        """Seconds from now until each moment."""
        ask = Ask(urgent=urgent, moments=moments)
        made, _, self.account = sharing.moments(self.limits, self.account, ask, self.now)
        self.given += made
        return [round(at - self.now, 3) for at in made]


def test_no_second_ever_holds_more_moments_than_the_limit_even_if_calls_begin_late() -> None:
    schedule = Schedule(10)
    for step in range(400):
        schedule.ask(1 + step % 4, urgent=step % 3 == 0)
        schedule.now += 0.03 * (step % 5)
    moments = sorted(schedule.given)
    assert len(moments) > 100
    assert all(later - first > 1 + sharing.SPARE - 1e-6 for first, later in zip(moments, moments[10:], strict=False))


def test_a_burst_follows_a_rest_and_no_more_than_that() -> None:
    schedule = Schedule(2, burst=3)
    given = [moment for _ in range(4) for moment in schedule.ask(1, urgent=True)]
    assert given == [0, 0, 0, 0.5]


def test_bulk_work_reserves_only_a_little_ahead_so_urgent_work_waits_that_little_at_most() -> None:
    schedule = Schedule(10)
    while schedule.ask(64):
        pass
    assert max(schedule.given) - schedule.now < sharing.HORIZON + sharing.BLOCK
    assert schedule.ask(1, urgent=True)[0] <= sharing.HORIZON + sharing.BLOCK


def test_bulk_work_gets_its_turn_however_much_urgent_work_there_is() -> None:
    schedule = Schedule(10)
    bulk = 0
    for _ in range(200):
        schedule.ask(3, urgent=True)
        bulk += len(schedule.ask(3))
        schedule.now += 0.1
    assert bulk >= 20, "a good part of the 200 moments of 20 seconds"
    assert all(later >= earlier for earlier, later in pairwise(schedule.given))


def test_urgent_work_alone_is_held_back_by_nobody() -> None:
    schedule = Schedule(10)
    assert all(schedule.ask(1, urgent=True) for _ in range(10))


def test_a_clock_that_was_set_back_holds_nobody_up() -> None:
    schedule = Schedule(10)
    schedule.ask(4)
    _, schedule.account = sharing.pause(schedule.account, Ask(pause=20), schedule.now)
    schedule.now -= 7200
    wait, schedule.account = sharing.pause(schedule.account, Ask(), schedule.now)
    assert wait == 0
    assert schedule.ask(1) == [0]


def test_a_pause_holds_everybody() -> None:
    wait, account = sharing.pause(Account(), Ask(pause=30), NOW)
    assert wait == 30
    later, _ = sharing.pause(account, Ask(), NOW + 12)
    assert later == 18


@pytest.mark.parametrize(("urgent", "granted"), [(False, 0), (True, 6)])
def test_what_is_kept_of_the_day_is_for_urgent_work(urgent: bool, granted: int) -> None:
    limits = Limits(per_day=1000)
    ahead, _, _ = sharing.units(limits, Account(), Ask(urgent=urgent, ahead=50, cost=6), 980, NOW)
    assert ahead == granted


def test_the_day_is_never_overspent() -> None:
    limits, used = Limits(per_day=100), 0
    account = Account()
    while True:
        ahead, left, account = sharing.units(limits, account, Ask(urgent=True, ahead=50, cost=3), used, NOW)
        if not ahead:
            break
        used += ahead
    assert 98 <= used <= 100
    assert left is not None
    assert left < 3


def test_the_vendors_word_counts_where_it_is_lower_and_for_an_hour() -> None:
    limits = Limits(per_day=1000, unit="credits")
    _, left, account = sharing.units(limits, Account(), Ask(urgent=True, told=40), 100, NOW)
    assert left == 40
    _, left, account = sharing.units(limits, account, Ask(urgent=True, units=15), 115, NOW + 60)
    assert left == 25
    assert sharing.left_of_day(limits, account, 115, NOW + 60) == (25, True)
    assert sharing.left_of_day(limits, replace(account, told=None), 115, NOW + 60) == (885, False)
    _, left, _ = sharing.units(limits, account, Ask(urgent=True), 115, NOW + sharing.TOLD_FOR + 1)
    assert left == 885


def test_where_nothing_limits_the_day_nothing_is_granted_ahead() -> None:
    ahead, left, _ = sharing.units(Limits(at_once=3), Account(), Ask(ahead=50, cost=1), 10**6, NOW)
    assert (ahead, left) == (0, None)
