"""Rows written in bulk: the same on SQLite and PostgreSQL, though each has its own way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Table, select, text
from sqlalchemy.exc import IntegrityError

from hub.errors import Unavailable
from hub.store.bulk import insert_new_rows, insert_rows, upsert_rows
from hub.store.database import Store, open_store
from hub.store.records import TODO
from hub.store.shadows import SHADOW

COLUMNS = ("system", "entity", "remote_id", "hub_id", "ref", "version", "hash", "data", "meant", "modified_at", "gone")
JSON = frozenset({"data", "meant"})
KEYS = ("system", "entity", "remote_id")
AWKWARD = '{"name":"杭州 \\"西湖\\" 有限公司","path":"C:\\\\new\\tab","none":"\\\\N","emoji":"🀄","braces":"{a,b}"}'


@pytest.fixture(params=["sqlite_url", pytest.param("postgres_url", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    opened = open_store(request.getfixturevalue(request.param))
    yield opened
    opened.close()


def shadow(remote_id: str, data: str = "{}", **other: Any) -> tuple[Any, ...]:
    values: dict[str, Any] = dict.fromkeys(COLUMNS)
    values |= {"system": "crm", "entity": "customer", "remote_id": remote_id, "hub_id": "h", "ref": remote_id}
    return tuple((values | {"hash": 1, "data": data.encode()} | other).values())


def stored(store: Store, source: Table = SHADOW) -> list[dict[str, Any]]:
    with store.read() as connection:
        order = list(source.primary_key.columns)
        return [dict(row._mapping) for row in connection.execute(select(source).order_by(*order))]


def test_new_rows_come_back_as_they_were_given(store: Store) -> None:
    given = [
        shadow("1", AWKWARD, meant=AWKWARD.encode(), hash=-(2**63), version="a\tb\nc\\d"),
        shadow("2", "{}", hash=2**63 - 1, gone="them"),
    ]
    with store.begin() as connection:
        insert_rows(connection, SHADOW, COLUMNS, given, JSON)
        insert_rows(connection, SHADOW, COLUMNS, [shadow("3")], JSON)  # one alone goes another way in the driver
    found = stored(store)
    assert [row["remote_id"] for row in found] == ["1", "2", "3"]
    assert (found[0]["data"], found[0]["meant"], found[0]["version"]) == (AWKWARD, AWKWARD, "a\tb\nc\\d")
    assert [row["hash"] for row in found] == [-(2**63), 2**63 - 1, 1]
    assert [(row["meant"], row["gone"]) for row in found[1:]] == [(None, "them"), (None, None)]


def test_a_row_that_is_there_already_lets_none_of_its_batch_in(store: Store) -> None:
    with store.begin() as connection:
        insert_rows(connection, SHADOW, COLUMNS, [shadow("1")], JSON)
    with pytest.raises(IntegrityError), store.begin() as connection:
        insert_rows(connection, SHADOW, COLUMNS, [shadow("0"), shadow("1"), shadow("2")], JSON)
    assert [row["remote_id"] for row in stored(store)] == ["1"]
    with store.begin() as connection:
        insert_rows(connection, SHADOW, COLUMNS, [shadow("2")], JSON)
    assert len(stored(store)) == 2


def test_rows_replace_those_with_their_keys_and_the_last_of_two_counts(store: Store) -> None:
    with store.begin() as connection:
        insert_rows(connection, SHADOW, COLUMNS, [shadow("1", gone="them"), shadow("2")], JSON)
        again = [shadow("1", '{"n":1}'), shadow("3", AWKWARD), shadow("1", '{"n":2}', meant=b"{}", hash=-5)]
        upsert_rows(connection, SHADOW, COLUMNS, KEYS, again, JSON)
    found = {row["remote_id"]: row for row in stored(store)}
    assert {id: row["data"] for id, row in found.items()} == {"1": '{"n":2}', "2": "{}", "3": AWKWARD}
    assert (found["1"]["gone"], found["1"]["meant"], found["1"]["hash"]) == (None, "{}", -5)


def test_only_rows_that_are_not_there_yet_are_added(store: Store) -> None:
    with store.begin() as connection:
        insert_new_rows(connection, TODO, ("entity", "hub_id"), [("customer", "1"), ("customer", "2")])
        insert_new_rows(connection, TODO, ("entity", "hub_id"), [("customer", "2"), ("order", "2"), ("order", "2")])
        insert_new_rows(connection, TODO, ("entity", "hub_id"), [])
    assert [tuple(row.values()) for row in stored(store, TODO)] == [
        ("customer", "1"),
        ("customer", "2"),
        ("order", "2"),
    ]


@pytest.mark.postgres
def test_a_connection_that_is_cut_before_rows_are_copied_is_a_store_that_failed(postgres_url: str) -> None:
    store = open_store(postgres_url)
    with pytest.raises(Unavailable, match="the hub's database failed"), store.begin() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with store.engine.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        insert_rows(connection, SHADOW, COLUMNS, [shadow("1"), shadow("2")], JSON)
    assert stored(store) == []  # the pool gave a new connection
    store.close()
