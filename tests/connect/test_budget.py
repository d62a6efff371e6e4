"""The budget belongs to the quota's owner, and all of its threads share it."""

import threading

import pytest

from hub.connect.budget import Budget, budget_of


class Clock:
    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_calls_are_spaced_and_a_burst_is_let_through():
    clock = Clock()
    budget = Budget(per_second=2, burst=3, clock=clock)
    starts = []
    for _ in range(6):
        with budget.slot(clock.sleep):
            starts.append(clock.now - 50)
    assert starts == [0, 0, 0, 0.5, 1.0, 1.5]


def test_idleness_earns_no_more_than_the_burst():
    clock = Clock()
    budget = Budget(per_second=1, burst=2, clock=clock)
    clock.now += 1000
    waits = []
    for _ in range(3):
        with budget.slot(waits.append):
            pass
    assert waits == [1.0]


def test_a_pause_holds_everybody():
    clock = Clock()
    budget = Budget(clock=clock)
    budget.pause(30)
    waits = []
    with budget.slot(waits.append):
        pass
    assert waits == [30]


def test_no_more_than_so_many_at_once():
    budget = Budget(at_once=2)
    inside, most, guard = [0], [0], threading.Lock()

    def work():
        for _ in range(20):
            with budget.slot():
                with guard:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                with guard:
                    inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert most[0] <= 2


def test_one_owner_has_one_budget_and_the_stricter_rate():
    first = budget_of("test:org-1", per_second=10, at_once=5)
    assert budget_of("test:org-1", per_second=4) is first
    assert first.per_second == 4
    assert budget_of("test:org-2") is not first


def test_nonsense_is_refused():
    with pytest.raises(ValueError):
        Budget(per_second=0)


def test_a_failure_inside_gives_the_slot_back():
    budget = Budget(at_once=1)
    with pytest.raises(RuntimeError), budget.slot():
        raise RuntimeError
    with budget.slot():
        pass
