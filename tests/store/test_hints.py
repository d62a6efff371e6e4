"""The queue of hints, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import World

from hub.store import hints
from hub.store.database import Store, open_store

NOW, LATER = "2026-01-15T01:00:00.000Z", "2026-01-15T01:01:00.000Z"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: Any, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/hub.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = open_store(url)
    yield store
    store.close()


def test_the_same_record_told_again_is_one_hint_that_is_not_settled_by_who_saw_it_before(store: Store) -> None:
    one, two = ("crm", "customer", "1"), ("crm", "customer", "2")
    with store.begin() as connection:
        assert hints.add(connection, [two, one, one], NOW) == 2
    with store.begin() as connection:
        before = hints.due(connection, "customer", NOW, 10)
        assert [(hint.remote_id, hint.times) for hint in before] == [("1", 1), ("2", 1)]
        hints.add(connection, [one], LATER)
        hints.settle(connection, before)
    with store.begin() as connection:
        assert [(h.remote_id, h.times, h.since) for h in hints.due(connection, "customer", NOW, 10)] == [("1", 2, NOW)]
        assert hints.waiting(connection) == {"crm": (1, NOW)}


def test_what_is_put_off_comes_in_its_time(store: Store) -> None:
    with store.begin() as connection:
        hints.add(connection, [("crm", "customer", "1"), ("crm", "order", "1")], NOW)
        hints.put_off(connection, [(hint, LATER) for hint in hints.due(connection, "customer", NOW, 10)])
        assert hints.entities(connection, NOW) == {"order"}
        assert hints.entities(connection, LATER) == {"customer", "order"}
        hints.add(connection, [("crm", "customer", "1")], NOW)
        assert hints.due(connection, "customer", NOW, 10) == [], "a doubled hint is no way around it"
        [hint] = hints.due(connection, "customer", LATER, 10)
        assert (hint.tries, hint.times) == (1, 2)


def test_counts_add_up_and_keep_the_last_moments(store: Store) -> None:
    with store.begin() as connection:
        hints.add_counts(connection, [{"system": "crm", "accepted": 2, "hints": 3, "last_at": NOW}, {"system": "a"}])
        hints.add_counts(connection, [{"system": "crm", "refused": 1, "refused_at": LATER}])
        found = hints.counts(connection)["crm"]
    assert found == {
        "system": "crm", "accepted": 2, "hints": 3, "refused": 1, "useless": 0, "last_at": NOW, "refused_at": LATER,
    }  # fmt: skip


def test_two_intakes_that_hear_the_same_at_once_lose_nothing(store: Store) -> None:
    told = [("crm", "customer", str(n)) for n in range(20)]

    def add(order: int) -> None:
        for _ in range(10):
            with store.begin() as connection:
                hints.add(connection, told[::order], NOW)

    threads = [threading.Thread(target=add, args=(order,)) for order in (1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as connection:
        assert {hint.times for hint in hints.due(connection, "customer", NOW, 100)} == {20}
        assert hints.count(connection) == 20


def test_a_small_pass_works_the_same_on_both(url: str, tmp_path: Path) -> None:
    world = World(tmp_path, store_url=url)
    one = world.crm.add("customers", name="甲", tel="13800000000")
    world.sync()
    world.crm.edit("customers", one, name="乙")
    with world.engine() as engine:
        with engine.store.begin() as connection:
            hints.add(connection, [("crm", "customer", one)], NOW)
        assert engine.hinted("customer").writes == 1
        with engine.store.read() as connection:
            assert hints.count(connection) == 0
    assert [row["name"] for row in world.erp.rows["customers"].values()] == ["乙"]
