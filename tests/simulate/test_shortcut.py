"""The simulation's shorter way to its database gives what SQLAlchemy gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Text, bindparam, delete, func, insert, select, text
from sqlalchemy import update as changed

from hub.simulate.shortcut import Straight
from hub.simulate.workers import Memory
from hub.store.among import among
from hub.store.database import upsert

THINGS = Table(
    "things", MetaData(), Column("id", Integer, primary_key=True), Column("name", Text), Column("good", Boolean)
)
ALL = select(THINGS).order_by(THINGS.c.id)
ROWS = [{"id": n, "name": f"n{n}", "good": n % 2 == 0} for n in range(1, 6)]


@pytest.fixture
def ways() -> Iterator[tuple[Any, Any]]:
    """Twice the same rows: the ordinary way to them, and the short one."""
    memories = Memory(), Memory()
    for memory in memories:
        THINGS.create(memory.connection)
        memory.connection.execute(insert(THINGS), ROWS)
    yield memories[0].connection, Straight(memories[1].connection)
    for memory in memories:
        memory.close()


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        (ALL, None),
        (select(THINGS.c.name, func.count()).group_by(THINGS.c.good).order_by(THINGS.c.name), None),
        (ALL.where(THINGS.c.good == bindparam("good")), {"good": True}),
        (ALL.where(among(THINGS.c.id, "ids", numbers=True)), {"ids": [2, 4, 9]}),
        (ALL.where(THINGS.c.name.in_(("n1", "n3")), THINGS.c.id > bindparam("than")), {"than": 1}),
        (ALL.where(THINGS.c.id.in_(bindparam("ids", expanding=True))), {"ids": [1, 2]}),
        (text("SELECT id, name FROM things WHERE id > :than ORDER BY id"), {"than": 3}),
    ],
)
def test_it_finds_the_same_every_time(ways: tuple[Any, Any], statement: Any, parameters: Any) -> None:
    ordinary, short = ways
    want = [dict(row._mapping) for row in ordinary.execute(statement, parameters)]
    assert want
    for _ in range(3):  # the ordinary way, compiled, and as it was compiled
        found = short.execute(statement, parameters).all()
        assert [dict(row._mapping) for row in found] == want
        assert [tuple(row) for row in found] == [tuple(one.values()) for one in want]


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        (changed(THINGS).where(THINGS.c.id == bindparam("of")).values(name=bindparam("called")),
         [{"of": 2, "called": "two"}, {"of": 3, "called": "three"}]),
        (changed(THINGS).where(THINGS.c.id > bindparam("than")).values(good=True), {"than": 2}),
        (delete(THINGS).where(THINGS.c.name.in_(("n1", "n2"))), None),
    ],
)  # fmt: skip
def test_it_changes_the_same(ways: tuple[Any, Any], statement: Any, parameters: Any) -> None:
    counts = [[way.execute(statement, parameters).rowcount for _ in range(3)] for way in ways]
    assert counts[0] == counts[1]
    assert ways[0].execute(ALL).all() == ways[1].ordinary.execute(ALL).all() != [tuple(row.values()) for row in ROWS]


def test_one_statement_takes_one_row_or_many_with_these_columns_or_those(ways: tuple[Any, Any]) -> None:
    for way in ways:
        for rows in (
            [ROWS[0]],
            ROWS[:3],
            [{"id": 7, "name": "n7"}],
            [{"id": 8, "name": "n8"}, {"id": 9, "name": "n9"}],
        ):
            for _ in range(2):
                upsert(way, THINGS, [{**row, "name": f"{row['name']} again"} for row in rows], ("id",))
    assert ways[0].execute(ALL).all() == ways[1].ordinary.execute(ALL).all()
    assert ways[0].execute(ALL).all()[-1] == (9, "n9 again", None)
