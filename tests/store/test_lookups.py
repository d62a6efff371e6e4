"""Looking up many records at a time: the right ones, and by an index, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from hub.store import records, shadows, work
from hub.store.codec import dumps
from hub.store.database import Store, open_store
from hub.store.records import RecordWrite
from hub.store.shadows import ShadowWrite

LOOKUPS = {
    "records by id": lambda c: records.load(c, ["h1", "h2"]),
    "records by match key": lambda c: records.find(c, "customer", [1, -(2**63), 2**63 - 1]),
    "what is known of remote ids": lambda c: shadows.known(c, "crm", "customer", ["r1"]),
    "shadows by remote id": lambda c: shadows.by_remote(c, "crm", "customer", ["r1"]),
    "shadows by hub id": lambda c: shadows.by_hub(c, ["h1"]),
    "shadows by hub id and system": lambda c: shadows.by_hub(c, ["h1"], ["crm"]),
    "links": lambda c: shadows.links(c, ["h1"], "crm"),
    "hub ids by reference": lambda c: shadows.hub_ids_of(c, "crm", "customer", ["r1"]),
    "letters": lambda c: work.letters_of(c, ["h1"]),
    "conflicts": lambda c: work.open_conflicts(c, ["h1"]),
    "mark": lambda c: records.mark(c, "customer", ["h1"], 0),
    "waiting": lambda c: work.drop_waiting(c, "crm", "customer", ["r1"]),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/hub.db")
    yield opened
    opened.close()


@pytest.mark.parametrize("name", LOOKUPS)
def test_every_value_that_is_looked_up_goes_through_an_index(store: Store, name: str) -> None:
    asked: list[tuple[str, Any]] = []
    with store.begin() as connection:
        event.listen(connection, "before_cursor_execute", lambda _c, _u, sql, values, *_: asked.append((sql, values)))
        LOOKUPS[name](connection)
        statements = list(asked)  # asking for the plans adds to it
        plans = [
            [row[3] for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sql, values)]
            for sql, values in statements
        ]
    key = {"letters": "hub_id=?", "waiting": "remote_id=?", "records by match key": "key=?"}.get(name, "_id=?")
    keys = ["remote_id=?", "ref=?"] if name == "hub ids by reference" else [key]
    assert len(plans) == len(keys)
    for steps, key in zip(plans, keys, strict=True):
        assert "USING" in steps[0] and key in steps[0], steps


def test_many_are_found_and_others_are_not(store: Store) -> None:
    ids = [f"h{n:05d}" for n in range(2000)]
    odd = "a'b\"c\\d, 客户 {1}"
    with store.begin() as connection:
        writes = [RecordWrite(key, "customer", {"name": key}, {}, 1) for key in [*ids, odd]]
        records.insert_records(connection, writes, "2026-01-01T00:00:00.000Z")
        shadows.store(
            connection, "crm", "customer", [ShadowWrite(f"r{k}", k, f"r{k}", None, 1, b"{}", {}, None) for k in ids]
        )
        records.mark(connection, "customer", [*ids[:1500], odd], 0)
    with store.read() as connection:
        assert sorted(records.load(connection, [*ids, odd, "nobody"])) == sorted([*ids, odd])
        assert [r.hub_id for r in records.dirty(connection, "customer", "", 5000)] == ids[1500:]
        assert len(shadows.known(connection, "crm", "customer", [f"r{k}" for k in ids])) == 2000
        assert shadows.by_hub(connection, ids, ["erp"]) == {}
        assert connection.execute(text("SELECT count(*) FROM todo")).scalar() == 500


@pytest.mark.parametrize("value", ["plain", "客户 € 🏭 \u2028", 'quote " \\ and \x00'])
def test_json_given_as_bytes_is_stored_as_the_text_it_is(store: Store, value: str) -> None:
    with store.begin() as connection:
        records.insert_records(connection, [RecordWrite("h1", "customer", {"name": value}, {}, 1)], "2026")
        shadows.store(
            connection,
            "crm",
            "customer",
            [ShadowWrite("r", "h1", "r", None, 1, dumps({"n": value}).encode(), {"m": value}, None)],
        )
    with store.read() as connection:
        kinds = "typeof(r.data), typeof(r.stamps), r.data, typeof(s.data), typeof(s.meant)"
        row = connection.execute(text(f"SELECT {kinds} FROM hub_record r, shadow s")).one()
        assert row == ("text", "text", dumps({"name": value}), "text", "text")
        shadow = shadows.by_hub(connection, ["h1"])["h1"]["crm"]
    assert (shadow.data, shadow.meant) == ({"n": value}, {"m": value})
