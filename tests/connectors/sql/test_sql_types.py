"""Types that only one database has, and numbers stored as binary floating point."""

from __future__ import annotations

import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sql_worlds import everything, new, only, refused

from hub.connect import registry
from hub.connect.capabilities import Write

values = registry.find("sql").module("values")
keys = registry.find("sql").module("keys")


@pytest.mark.parametrize(
    ("stored", "meant"),
    [
        (0.15000001, "0.15"),
        (9.80000019, "9.8"),
        (32.3800011, "32.38"),
        (14.0, "14"),
        (1e-7, "1E-7"),
        (16777216.0, "16777216"),
    ],
)
def test_a_real_is_the_shortest_decimal_that_it_can_not_be_told_from(stored, meant):
    assert values.shortest_single(stored) == Decimal(meant)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_every_real_survives_being_a_decimal(stored):
    assert values.single(float(values.shortest_single(stored))) == stored


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_survives_being_a_decimal(stored):
    assert float(values.shortest_double(stored)) == stored


@given(st.decimals(-99999, 99999, places=2))
def test_every_price_survives_a_real(price):
    """Seven digits always do."""
    stored = values.write_float(24, exact=True)(price)
    assert stored == struct.unpack("f", struct.pack("f", float(price)))[0]
    assert values.shortest_single(stored) == price


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_ids_of_several_parts_can_be_taken_apart(parts):
    assert keys.split_id(keys.join_id(parts), len(parts)) == parts


@given(
    st.lists(st.text(alphabet="a|\\"), min_size=2, max_size=2),
    st.lists(st.text(alphabet="a|\\"), min_size=2, max_size=2),
)
def test_different_keys_have_different_ids(one, other):
    assert (keys.join_id(one) == keys.join_id(other)) == (one == other)


def test_postgres_types(postgres):
    postgres.run("CREATE TYPE mood AS ENUM ('好', 'bad')")
    postgres.run(
        "CREATE TABLE kinds (id UUID PRIMARY KEY, code CHAR(8), cash MONEY, mood mood, data JSONB, tags TEXT[],"
        " net INET, span INTERVAL, day TIME, at TIMESTAMPTZ, doubled INTEGER GENERATED ALWAYS AS (2) STORED,"
        " ratio NUMERIC, ident INTEGER GENERATED ALWAYS AS IDENTITY)"
    )
    connector = postgres.open()
    identity = "11111111-2222-3333-4444-abcdefabcdef"
    record = {
        "id": identity,
        "code": "AB",
        "cash": Decimal("1234.50"),
        "mood": "好",
        "data": {"price": Decimal("1.10"), "n": 1, "list": [None, True, "茶"]},
        "tags": ["a", "b"],
        "net": "10.0.0.1",
        "span": None,
        "day": "09:30:00",
        "at": "2026-01-15T01:30:12.5Z",
        "ratio": Decimal("0.333333333333333333333333333333333"),
    }
    made = only(connector.create("kinds", [new({**record, "id": identity.upper()})], [], {}))
    expected = {**record, "doubled": 2, "ident": 1, "at": "2026-01-15T01:30:12.500000Z"}
    assert made.record == expected
    assert (made.id, everything(connector, "kinds")[0].record) == (identity, expected)
    update = Write("h", {"code": "CD", "data": {"price": Decimal("0.1")}}, id=identity, old=expected)
    assert only(connector.update("kinds", [update], ["code", "data"], {})).record == {
        "code": "CD",
        "data": {"price": Decimal("0.1")},
    }
    fields = {f.name: f for f in connector.describe("kinds")[0].fields}
    assert (fields["mood"].type, fields["mood"].choices) == ("choice", ("好", "bad"))
    assert fields["doubled"].read_only and fields["ident"].read_only
    assert "none of 好, bad" in str(
        refused(connector.update("kinds", [Write("h", {"mood": "x"}, id=identity)], [], {}))
    )
    assert "no UUID" in str(refused(connector.create("kinds", [new({"id": "x"})], [], {})))


def test_a_char_key_of_postgres_is_found_without_its_padding(postgres):
    postgres.run("CREATE TABLE codes (code CHAR(5) PRIMARY KEY, name TEXT)")
    connector = postgres.open(page_size=1)
    connector.create("codes", [new({"code": c, "name": c}, c) for c in ("A", "AB", "ABCDE")], [], {})
    assert [r.id for r in everything(connector, "codes")] == ["A", "AB", "ABCDE"]
    assert [r.record["name"] for r in connector.get("codes", ["AB", "A"], [], {})] == ["AB", "A"]
    assert only(connector.update("codes", [Write("h", {"name": "x"}, id="AB")], ["name"], {})).record == {"name": "x"}


def test_mariadb_types(mariadb):
    mariadb.run(
        "CREATE TABLE kinds (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, flag BIT(1), bits BIT(9), small TINYINT,"
        " choice ENUM('好', 'bad'), several SET('a', 'b', 'c'), born YEAR, day TIME, at TIMESTAMP(3) NULL,"
        " local DATETIME, rate FLOAT, exact_rate DOUBLE, price DECIMAL(20, 6), data JSON,"
        " doubled INT AS (small * 2) STORED)"
    )
    record = {
        "flag": True,
        "bits": 257,
        "small": -7,
        "choice": "好",
        "several": ["a", "c"],
        "born": 1999,
        "day": "09:30:00",
        "at": "2026-01-15T01:30:12.500000Z",
        "local": "2026-01-15T09:30:12",
        "rate": Decimal("1234567.5"),
        "exact_rate": Decimal("0.1"),
        "price": Decimal("12345678901234.567890"),
    }
    connector = mariadb.open()
    made = only(connector.create("kinds", [new(record)], [*record, "doubled"], {}))
    assert made.record == {**record, "doubled": -14}
    assert connector.get("kinds", [made.id], list(record), {})[0].record == record
    update = Write("h", {"rate": "0.15", "at": "2026-07-15T09:30:12+08:00"}, id=made.id, old=record)
    assert only(connector.update("kinds", [update], ["rate", "at"], {})).record == {
        "rate": Decimal("0.15"),
        "at": "2026-07-15T01:30:12Z",
    }


def test_a_timestamp_of_mariadb_means_the_same_in_every_session(mariadb):
    mariadb.run("CREATE TABLE moments (id INTEGER PRIMARY KEY, at TIMESTAMP(6) NULL)")
    mariadb.run("SET GLOBAL time_zone = '+08:00'")
    try:
        connector = mariadb.open()
        only(connector.create("moments", [new({"id": 1, "at": "2026-01-15T01:30:12Z"})], [], {}))
        assert everything(connector, "moments")[0].record["at"] == "2026-01-15T01:30:12Z"
        assert mariadb.rows("SELECT unix_timestamp(at) FROM moments") == [(1768440612,)]
    finally:
        mariadb.run("SET GLOBAL time_zone = 'SYSTEM'")


def test_mariadbs_date_for_no_date_is_none(mariadb):
    mariadb.run("CREATE TABLE legacy (id INTEGER PRIMARY KEY, day DATE, at DATETIME, note TEXT)")
    with mariadb.engine.connect() as connection:
        connection.exec_driver_sql("SET SESSION sql_mode = ''")
        connection.exec_driver_sql("INSERT INTO legacy VALUES (1, '0000-00-00', '0000-00-00 00:00:00', '')")
        connection.commit()
    connector = mariadb.open()
    (remote,) = everything(connector, "legacy")
    assert remote.record == {"id": 1, "day": None, "at": None, "note": ""}
    update = Write("h", {"day": "2026-01-15"}, id="1", old=remote.record)
    assert only(connector.update("legacy", [update], ["day"], {})).record == {"day": "2026-01-15"}


def test_sqlite_keeps_whatever_it_was_given(lite):
    lite.run("CREATE TABLE loose (id INTEGER PRIMARY KEY, amount DECIMAL(10,2), at DATETIME, flag BOOLEAN, n INTEGER)")
    lite.run(
        "INSERT INTO loose VALUES (1, 'much', 'yesterday', 'perhaps', 1.5), (2, 12.1, '2026-01-15T09:30:12Z', 0, 7)"
    )
    records = [r.record for r in everything(lite.open(), "loose")]
    assert records[0] == {"id": 1, "amount": "much", "at": "yesterday", "flag": "perhaps", "n": Decimal("1.5")}
    assert records[1] == {"id": 2, "amount": Decimal("12.1"), "at": "2026-01-15T09:30:12Z", "flag": False, "n": 7}


@pytest.mark.parametrize(
    ("zone", "sent", "stored", "read"),
    [
        (None, "2026-01-15T09:30:12", "2026-01-15 09:30:12", "2026-01-15T09:30:12"),
        ("Asia/Shanghai", "2026-01-15T01:30:12Z", "2026-01-15 09:30:12", "2026-01-15T01:30:12Z"),
        ("Asia/Shanghai", "2026-01-15T09:30:12", "2026-01-15 09:30:12", "2026-01-15T01:30:12Z"),
    ],
)
def test_times_without_zone_are_read_where_the_settings_say(world, zone, sent, stored, read):
    connector = world.open(timezone=zone)
    made = only(connector.create("orders", [new({"number": "N", "entered": sent})], ["entered"], {}))
    assert made.record == {"entered": read}
    assert str(world.rows("SELECT entered FROM orders")[0][0])[:19] == stored


def test_a_time_with_a_zone_needs_a_place_for_it(world):
    error = refused(world.open().create("orders", [new({"entered": "2026-01-15T01:30:12Z"})], [], {}))
    assert "the column has none; set timezone" in str(error)
