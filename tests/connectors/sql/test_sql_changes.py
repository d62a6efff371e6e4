"""The change feed by cursor column: nothing missed, nothing read for ever."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from sql_worlds import everything, last_cursor

BY_TIME = {"products": {"cursor": "changed_at", "timezone": "UTC"}}


def stamp(world, moment: datetime | None) -> object:
    """How a program of that database would store the moment."""
    if moment is None:
        return None
    if world.name == "sqlite":
        return moment.strftime("%Y-%m-%d %H:%M:%S")
    return moment if world.name == "postgresql" else world.rows("SELECT FROM_UNIXTIME(:t)", t=moment.timestamp())[0][0]


def put(world, sku: str, moment: datetime | None) -> None:
    world.run("DELETE FROM products WHERE sku = :sku", sku=sku)
    world.run(
        "INSERT INTO products (sku, changed_at, is_deleted) VALUES (:sku, :at, :no)",
        sku=sku,
        at=stamp(world, moment),
        no=False,
    )


def clock(world) -> datetime:
    """The time by the clock that the connector will ask."""
    return world.now if world.name == "sqlite" else datetime.now(UTC)


def skus(remotes) -> list[str]:
    return [r.record["sku"] for r in remotes]


def test_oldest_changes_come_first_and_only_once_settled(world):
    now = clock(world)
    for n, age in enumerate((3, 1, 2)):
        put(world, f"S{n}", now - timedelta(hours=age))
    connector = world.open(tables=BY_TIME, page_size=2)
    pages = list(connector.list_changes("products", None, ["sku"], {}))
    assert skus(r for p in pages for r in p.records) == ["S0", "S2", "S1"]
    assert [p.complete for p in pages] == [False, False, True]
    cursor = pages[-1].cursor
    assert everything(connector, "products", cursor) == []
    put(world, "S0", now - timedelta(seconds=1))
    assert skus(everything(connector, "products", cursor)) == ["S0"]


def test_the_time_of_change_is_told_in_utc(world):
    moment = datetime(2026, 1, 15, 3, 4, 5, tzinfo=UTC)
    put(world, "S", moment)
    (remote,) = everything(world.open(tables=BY_TIME), "products")
    assert remote.modified_at == "2026-01-15T03:04:05Z"
    assert remote.record["changed_at"] == "2026-01-15T03:04:05Z"


def test_a_change_that_was_committed_late_is_not_missed(world):
    now = clock(world)
    put(world, "EARLY", now - timedelta(hours=1))
    put(world, "FRESH", now - timedelta(seconds=2))
    connector = world.open(tables=BY_TIME, overlap="60s")
    cursor = last_cursor(connector, "products")
    put(world, "LATE", now - timedelta(seconds=30))
    assert "LATE" in skus(everything(connector, "products", cursor))
    assert "EARLY" not in skus(everything(connector, "products", cursor))


def test_rows_of_one_moment_are_paged_by_key(world):
    moment = clock(world) - timedelta(hours=1)
    for n in range(5):
        put(world, f"S{n}", moment)
    connector = world.open(tables=BY_TIME, page_size=2)
    assert skus(everything(connector, "products")) == [f"S{n}" for n in range(5)]
    assert everything(connector, "products", last_cursor(connector, "products")) == []


def test_a_feed_resumes_after_any_page(world):
    now = clock(world)
    for n in range(6):
        put(world, f"S{n}", now - timedelta(hours=10 - n // 2))
    connector = world.open(tables=BY_TIME, page_size=2)
    first = next(connector.list_changes("products", None, ["sku"], {}))
    assert skus(first.records) == ["S0", "S1"]
    assert skus(everything(connector, "products", first.cursor)) == ["S2", "S3", "S4", "S5"]


def test_rows_without_a_time_come_every_time(world):
    now = clock(world)
    put(world, "DATED", now - timedelta(hours=1))
    put(world, "UNDATED", None)
    connector = world.open(tables=BY_TIME)
    cursor = last_cursor(connector, "products")
    put(world, "NEW", None)
    assert skus(everything(connector, "products", cursor)) == ["UNDATED", "NEW"]


def test_a_row_from_the_future_does_not_hide_what_changes_until_then(world):
    now = clock(world)
    put(world, "NOW", now - timedelta(hours=2))
    put(world, "FUTURE", now + timedelta(days=400))
    connector = world.open(tables=BY_TIME)
    cursor = last_cursor(connector, "products")
    put(world, "LATER", now - timedelta(seconds=5))
    assert skus(everything(connector, "products", cursor)) == ["LATER", "FUTURE"]


def test_a_cursor_from_the_future_means_reading_everything(world, caplog):
    now = clock(world)
    put(world, "A", now - timedelta(days=300))
    connector = world.open(tables=BY_TIME)
    cursor = last_cursor(connector, "products")
    ahead = cursor.replace(f"{(now - timedelta(days=300)).year}-", "2999-")
    assert ahead != cursor
    with caplog.at_level(logging.WARNING):
        pages = list(connector.list_changes("products", ahead, ["sku"], {}))
    assert skus(r for p in pages for r in p.records) == ["A"]
    assert pages[-1].complete
    assert "from the future" in caplog.text


@pytest.mark.parametrize("cursor", ["", "rubbish", '{"main": 5}', '{"main": [{"time": "never"}, [], null]}', "[]"])
def test_a_cursor_nobody_understands_means_reading_everything(lite, cursor):
    put(lite, "A", lite.now)
    pages = list(lite.open(tables=BY_TIME).list_changes("products", cursor, ["sku"], {}))
    assert skus(r for p in pages for r in p.records) == ["A"]
    assert pages[-1].complete


def test_marked_rows_are_tombstones(world):
    now = clock(world)
    put(world, "KEPT", now - timedelta(hours=2))
    put(world, "GONE", now - timedelta(hours=2))
    tables = {"products": {**BY_TIME["products"], "deleted": {"column": "is_deleted"}}}
    connector = world.open(tables=tables)
    assert connector.describe("products")[0].deletes == "tombstones"
    cursor = last_cursor(connector, "products")
    world.run(
        "UPDATE products SET is_deleted = :yes, changed_at = :at WHERE sku = 'GONE'",
        yes=True,
        at=stamp(world, now - timedelta(seconds=1)),
    )
    (gone,) = everything(connector, "products", cursor)
    assert gone.deleted and gone.record is None
    assert connector.get("products", [gone.id], [], {})[0].deleted
    assert [gone.id] not in list(connector.list_ids("products", {}))


def test_the_first_of_several_columns_that_says_something_counts(lite):
    lite.run("CREATE TABLE notes (id INTEGER PRIMARY KEY, updated DATETIME, created DATETIME)")
    lite.run("INSERT INTO notes VALUES (1, NULL, '2026-01-10 00:00:00'), (2, '2026-01-12 00:00:00', '2026-01-01')")
    connector = lite.open(tables={"notes": {"cursor": ["updated", "created"], "timezone": "UTC"}})
    cursor = last_cursor(connector, "notes")
    lite.run("INSERT INTO notes VALUES (3, NULL, '2026-01-15 11:59:30')")
    assert [r.id for r in everything(connector, "notes", cursor)] == ["3"]


def test_a_growing_number_can_be_the_cursor(world):
    for n in (1, 2, 5):
        put(world, f"S{n}", None)
        world.run("UPDATE products SET row_version = :n WHERE sku = :s", n=n * 1000, s=f"S{n}")
    connector = world.open(tables={"products": {"cursor": "row_version", "overlap": 10}})
    cursor = last_cursor(connector, "products")
    world.run("UPDATE products SET row_version = 4995 WHERE sku = 'S1'")
    world.run("UPDATE products SET row_version = 5001 WHERE sku = 'S2'")
    assert skus(everything(connector, "products", cursor)) == ["S1", "S5", "S2"]


def test_local_times_go_through_the_hour_that_happens_twice(lite):
    """2026-10-25 in Berlin: the clocks go back from 3:00 to 2:00."""
    lite.run("CREATE TABLE notes (id INTEGER PRIMARY KEY, at DATETIME)")
    lite.run("INSERT INTO notes VALUES (1, '2026-10-25 02:55:00')")
    connector = lite.open(tables={"notes": {"cursor": "at", "timezone": "Europe/Berlin"}})
    lite.now = datetime(2026, 10, 25, 0, 56, tzinfo=UTC)
    cursor = last_cursor(connector, "notes")
    lite.run("INSERT INTO notes VALUES (2, '2026-10-25 02:05:00')")
    lite.now = datetime(2026, 10, 25, 1, 6, tzinfo=UTC)
    assert "2" in [r.id for r in everything(connector, "notes", cursor)]
    cursor = last_cursor(connector, "notes", cursor)
    lite.run("INSERT INTO notes VALUES (3, '2026-10-25 02:20:00')")
    lite.now = datetime(2026, 10, 25, 1, 21, tzinfo=UTC)
    assert "3" in [r.id for r in everything(connector, "notes", cursor)]


def test_times_without_zone_stay_without_and_still_make_a_feed(lite):
    lite.run("INSERT INTO orders (number, entered) VALUES ('N1', '2026-01-15 10:00:00')")
    connector = lite.open(tables={"orders": {"cursor": "entered"}})
    (order,) = everything(connector, "orders")
    assert (order.record["entered"], order.modified_at) == ("2026-01-15T10:00:00", None)
    cursor = last_cursor(connector, "orders")
    lite.run("INSERT INTO orders (number, entered) VALUES ('N2', '2026-01-15 09:59:30')")
    assert [r.record["number"] for r in everything(connector, "orders", cursor)] == ["N2", "N1"]


def test_times_kept_as_text_are_times(lite):
    lite.run("CREATE TABLE notes (id INTEGER PRIMARY KEY, at TEXT)")
    lite.run("INSERT INTO notes VALUES (1, '2026-01-15 10:00:00.123'), (2, '2026-01-15 10:00:00.124')")
    connector = lite.open(tables={"notes": {"cursor": "at", "timezone": "UTC"}})
    assert everything(connector, "notes")[0].modified_at == "2026-01-15T10:00:00.123000Z"
    cursor = last_cursor(connector, "notes")
    assert everything(connector, "notes", cursor) == []
    lite.run("UPDATE notes SET at = '2026-01-15 11:59:59.000' WHERE id = 1")
    assert [r.id for r in everything(connector, "notes", cursor)] == ["1"]


def test_a_text_that_grows_can_be_the_cursor(lite):
    lite.run("CREATE TABLE notes (id INTEGER PRIMARY KEY, serial TEXT)")
    lite.run("INSERT INTO notes VALUES (1, '01ARZ3NDEK'), (2, '01ARZ3NDEL')")
    connector = lite.open(tables={"notes": {"cursor": "serial"}})
    cursor = last_cursor(connector, "notes")
    lite.run("UPDATE notes SET serial = '01BX5ZZKBK' WHERE id = 1")
    assert [r.id for r in everything(connector, "notes", cursor)] == ["2", "1"]


def test_lines_that_do_not_touch_their_order_are_followed_by_their_own_cursor(world):
    now = clock(world)
    put(world, "P1", None)
    put(world, "P2", None)
    (first,), (second,) = world.rows("SELECT id FROM products ORDER BY id")
    for n in (1, 2):
        world.run("INSERT INTO orders (id, number, entered) VALUES (:n, :s, '2020-01-01 00:00:00')", n=n, s=f"N{n}")
    old, fresh = stamp(world, now - timedelta(hours=3)), stamp(world, now - timedelta(seconds=1))
    line = "INSERT INTO order_lines (order_id, product_id, quantity, line_changed) VALUES (:o, :p, 1, :at)"
    world.run(line, o=1, p=first, at=old)
    world.run(line, o=2, p=first, at=old)
    lines = {"order_lines": {"as": "lines", "cursor": "line_changed"}}
    tables = {"orders": {"cursor": "entered", "timezone": "UTC", "lines": lines}}
    connector = world.open(tables=tables, page_size=1)
    cursor = last_cursor(connector, "orders")
    assert everything(connector, "orders", cursor) == []
    world.run(line, o=2, p=second, at=fresh)
    (changed,) = everything(connector, "orders", cursor)
    assert (changed.id, len(changed.record["lines"])) == ("2", 2)
    cursor = last_cursor(connector, "orders", cursor)
    world.run("UPDATE order_lines SET quantity = 7, line_changed = :at WHERE order_id = 1", at=fresh)
    assert "1" in [r.id for r in everything(connector, "orders", cursor)]
