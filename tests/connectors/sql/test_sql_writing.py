"""Writing rows and lines: each record its own result, no stale write, no double."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sql_worlds import everything, new, only, refused
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.connect.capabilities import Write
from hub.errors import AlreadyExists, ConfigurationError, Gone, RecordRejected, UnknownOutcome, VersionConflict

LINES = {"lines": {"order_lines": {"as": "lines"}}}
SAFE = {"orders": {**LINES, "hub_key": "hub_key"}}


def seed(world, products: int = 3) -> None:
    world.run("INSERT INTO customers (customer_id, company_name, credit) VALUES ('A', 'Aster', 10)")
    for n in range(1, products + 1):
        world.run("INSERT INTO products (id, sku, is_deleted) VALUES (:n, :s, :no)", n=n, s=f"P{n}", no=False)
    if world.name == "postgresql":
        world.run("SELECT setval('products_id_seq', :n)", n=products)


def line(product: int, quantity: object = 1, **more: object) -> dict[str, object]:
    return {"product_id": product, "quantity": quantity, **more}


def make_order(world, connector, *lines: dict[str, object]):
    return only(connector.create("orders", [new({"number": "N1", "customer_id": "A", "lines": list(lines)})], [], {}))


def change(identity: str, values: dict[str, object], old: dict[str, object] | None = None, version: str | None = None):
    return Write("h1", values, id=identity, old=old, version=version)


def test_a_created_row_is_read_back_as_stored(world):
    values = {
        "customer_id": "NEWCO",
        "company_name": "新公司",
        "credit": "1234.50",
        "rating": Decimal("9.8"),
        "weight": "0.1",
        "active": True,
        "since": "2026-01-15",
        "phone": "",
    }
    remote = only(world.open().create("customers", [new(values)], [], {}))
    assert remote.id == "NEWCO"
    expected = {**values, "credit": Decimal("1234.5"), "weight": Decimal("0.1"), "note": None}
    assert remote.record == expected
    assert everything(world.open(), "customers")[0].record == expected


def test_the_database_makes_keys_and_they_are_told(world):
    connector = world.open()
    results = connector.create("orders", [new({"number": f"N{n}"}, f"h{n}") for n in range(5)], ["number"], {})
    assert [r.remote.record["number"] for r in results] == [f"N{n}" for n in range(5)]
    stored = dict(world.rows("SELECT number, id FROM orders"))
    assert [r.remote.id for r in results] == [str(stored[f"N{n}"]) for n in range(5)]


def test_a_number_that_just_counts_up_is_counted_up(world):
    world.run("INSERT INTO counters VALUES (7, 'seven')")
    connector = world.open(tables={"counters": {"new_key": "next"}})
    results = connector.create("counters", [new({"title": t}, t) for t in "ab"], [], {})
    assert [r.remote.id for r in results] == ["8", "9"]
    if world.name == "sqlite":  # has no small integers
        return
    world.run("INSERT INTO counters VALUES (32767, 'last')")
    assert "no number is left" in str(refused(connector.create("counters", [new({"title": "c"})], [], {})))


def test_a_key_that_nobody_makes_is_asked_for(world):
    error = refused(world.open().create("customers", [new({"company_name": "X"})], [], {}))
    assert isinstance(error, RecordRejected)
    assert (error.field, "write customer_id in the mapping" in error.cure) == ("customer_id", True)
    blank = refused(world.open().create("customers", [new({"customer_id": "", "company_name": "X"})], [], {}))
    assert blank.field == "customer_id"


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"company_name": None}, "company_name", "null"),
        ({"company_name": "x" * 41}, "company_name", "41 characters, the column holds 40"),
        ({"credit": "-1"}, None, "positive_credit"),
        ({"since": "soon"}, "since", "not a date"),
        ({"since": "2026-01-15T10:00:00"}, "since", "time of day"),
        ({"active": "maybe"}, "active", "neither true nor false"),
        ({"note": "a\0b"}, "note", "zero character"),
        ({"note": ["x"]}, "note", "can't hold list"),
    ],
)
def test_what_a_column_can_not_hold_is_refused_by_name(world, values, field, message):
    error = refused(
        world.open().create("customers", [new({"customer_id": "X", "company_name": "X", **values})], [], {})
    )
    assert isinstance(error, RecordRejected)
    assert (error.field or None) == field
    assert message in str(error).lower()
    assert world.rows("SELECT * FROM customers") == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"credit": "1.005"}, "credit: 1.005 has more than the column's 2 decimals"),
        ({"credit": "99999999999"}, "credit: 99999999999 has more digits than the column's 10"),
        ({"rating": "123456.789"}, "rating: 123456.789 would be stored as 123456.79"),
        ({"weight": "0.12345678901234567"}, "weight: 0.12345678901234567 would be stored as 0.1234567890123456"),
    ],
)
def test_a_number_is_never_stored_as_another(server, values, message):
    write = new({"customer_id": "X", "company_name": "X", **values})
    assert message in str(refused(server.open().create("customers", [write], [], {})))
    assert server.rows("SELECT * FROM customers") == []


def test_a_null_where_none_is_allowed_brings_the_cure(world):
    error = refused(world.open().create("customers", [new({"customer_id": "X", "company_name": None})], [], {}))
    assert "null_as" in error.cure
    assert "Failing row" not in str(error)


def test_sqlite_refuses_numbers_that_it_would_round(lite):
    values = {"customer_id": "X", "company_name": "X", "credit": "12345678901234567.89"}
    error = refused(lite.open().create("customers", [new(values)], [], {}))
    assert "would be stored as 12345678901234568" in str(error)


def test_rounding_can_be_left_to_the_database(world):
    values = {"customer_id": "X", "company_name": "X", "credit": "1.005", "rating": "123456.789"}
    remote = only(world.open(rounding="database").create("customers", [new(values)], [], {}))
    assert remote.record["rating"] in (Decimal("123456.79"), Decimal("123456.789"))
    assert remote.record["credit"] in (Decimal("1.01"), Decimal("1.00"), Decimal("1.005"))


def test_a_missing_reference_is_one_record_rejected(world):
    connector = world.open()
    good, bad = new({"number": "N1"}, "a"), new({"number": "N2", "customer_id": "NOBDY"}, "b")
    results = connector.create("orders", [good, bad, new({"number": "N3"}, "c")], ["number"], {})
    assert [r.error is None for r in results] == [True, False, True]
    assert isinstance(results[1].error, RecordRejected)
    assert [row[0] for row in world.rows("SELECT number FROM orders ORDER BY number")] == ["N1", "N3"]


def test_a_row_with_this_unique_value_is_named(world):
    world.run("INSERT INTO orders (id, number) VALUES (42, 'N1')")
    error = refused(world.open().create("orders", [new({"number": "N1"})], [], {}))
    assert isinstance(error, AlreadyExists)
    assert (error.remote_id, error.field) == ("42", "number")


def test_a_row_with_this_key_is_named_unless_upserts_are_wanted(world):
    seed(world)
    connector = world.open()
    values = {"customer_id": "A", "company_name": "Aster & Söhne"}
    error = refused(connector.create("customers", [new(values)], [], {}))
    assert isinstance(error, AlreadyExists) and error.remote_id == "A"
    both = [new(values), new({"customer_id": "B", "company_name": "B"})]
    results = connector.create("customers", both, ["company_name", "credit"], {"upsert": True})
    assert [r.remote.id for r in results] == ["A", "B"]
    assert results[0].remote.record == {"company_name": "Aster & Söhne", "credit": Decimal(10)}


def test_a_create_that_is_repeated_by_the_hubs_key_makes_one_row(world):
    seed(world)
    connector = world.open(tables=SAFE)
    assert connector.describe("orders")[0].probe == "external"
    write = new({"number": "N1", "customer_id": "A", "lines": [line(1), line(2)]}, "hub-7")
    first = only(connector.create("orders", [write], [], {}))
    again = only(connector.create("orders", [write], [], {}))
    assert (first.id, first.key) == (again.id, "hub-7")
    assert world.rows("SELECT count(*) FROM order_lines") == [(2,)]
    found = connector.probe("orders", [write, new({"number": "N2"}, "hub-8")], ["number"], {})
    assert (found[0].id, found[1]) == (first.id, None)


def test_creates_are_safe_without_a_column_for_the_hubs_key(world):
    """The hub keeps the keys of what it created in a table of its own, in the same transaction."""
    settings = {"keys_table": "hub_keys", "tables": {"counters": {"new_key": "next"}}}
    assert world.open(**settings).probe("counters", [new({}, "a")], [], {}) == [None]
    connector = world.open(**settings)
    assert connector.describe("counters")[0].probe == "external"
    first = connector.create("counters", [new({"title": t}, t) for t in "ab"], [], {})
    again = connector.create("counters", [new({"title": t}, t) for t in "cb"], [], {})
    assert [r.remote.id for r in first + again] == ["1", "2", "3", "2"]
    found = connector.probe("counters", [new({}, t) for t in "abcd"], ["title"], {})
    assert [r and (r.id, r.record["title"]) for r in found] == [("1", "a"), ("2", "b"), ("3", "c"), None]
    only(connector.delete("counters", [Write("c", {}, id="3")], {}))
    assert only(connector.create("counters", [new({"title": "d"}, "d")], [], {})).id == "3"
    assert [r and r.id for r in connector.probe("counters", [new({}, t) for t in "cd"], [], {})] == [None, "3"]


def test_a_lost_create_is_found_by_what_is_unique(world):
    world.run("INSERT INTO orders (id, number) VALUES (42, 'N1')")
    connector = world.open()
    assert connector.describe("orders")[0].probe == "natural"
    assert [r and r.id for r in connector.probe("orders", [new({"number": n}) for n in ("N1", "N2")], [], {})] == [
        "42",
        None,
    ]

    with pytest.raises(UnknownOutcome, match="set hub_key or natural_key"):
        connector.probe("orders", [new({"order_date": "2026-01-15"})], [], {})


def test_an_update_changes_what_it_names_and_nothing_else(world):
    seed(world)
    connector = world.open()
    update = change("A", {"phone": "+8613800000000", "credit": "10.00"}, old={"phone": None, "credit": Decimal("10")})
    remote = only(connector.update("customers", [update], ["phone", "credit", "company_name"], {}))
    assert remote.record == {"phone": "+8613800000000", "credit": Decimal(10), "company_name": "Aster"}


def test_a_stale_update_is_refused_by_the_old_values(world):
    seed(world)
    connector = world.open()
    old = everything(connector, "customers")[0].record
    world.run("UPDATE customers SET phone = '1' WHERE customer_id = 'A'")
    error = refused(connector.update("customers", [change("A", {"note": "x"}, old=old)], [], {}))
    assert isinstance(error, VersionConflict)
    assert "phone is '1' instead of None" in str(error)
    assert world.rows("SELECT note FROM customers") == [(None,)]


def test_a_change_of_case_alone_counts_as_a_change(world):
    seed(world)
    error = refused(
        world.open().update("customers", [change("A", {"note": "x"}, old={"company_name": "ASTER"})], [], {})
    )
    assert isinstance(error, VersionConflict)


def test_a_stale_update_is_refused_by_the_version_column_which_counts_on(world):
    seed(world)
    connector = world.open(tables={"products": {"version": "row_version"}})
    seen = everything(connector, "products")[0]
    assert seen.version == "1"
    remote = only(connector.update("products", [change("1", {"name": "茶"}, version="1")], [], {}))
    assert remote.version == "2"
    error = refused(connector.update("products", [change("1", {"name": "x"}, version="1")], [], {}))
    assert isinstance(error, VersionConflict)


def test_postgres_has_a_version_without_a_column(postgres):
    world = postgres
    seed(world)
    connector = world.open(tables={"customers": {"version": "xmin"}})
    seen = everything(connector, "customers")[0]
    world.run("UPDATE customers SET note = note")
    error = refused(connector.update("customers", [change("A", {"phone": "1"}, version=seen.version)], [], {}))
    assert isinstance(error, VersionConflict)


def test_one_bad_update_does_not_stop_the_others(world):
    seed(world)
    world.run("INSERT INTO customers (customer_id, company_name) VALUES ('B', 'B'), ('C', 'C')")
    writes = [
        change("A", {"note": "1"}),
        change("B", {"credit": "-5"}),
        change("nope", {"note": "3"}),
        change("C", {"note": "4"}, old={"company_name": "other"}),
        change("C", {"customer_id": "D"}),
        change("B", {"note": "6"}),
    ]
    results = world.open().update("customers", writes, ["note"], {})
    kinds = [type(r.error) for r in results]
    assert kinds == [type(None), RecordRejected, Gone, VersionConflict, RecordRejected, type(None)]
    assert world.rows("SELECT note FROM customers ORDER BY customer_id") == [("1",), ("6",), (None,)]


def test_lines_become_exactly_the_wanted_ones(world):
    seed(world, 4)
    connector = world.open(tables={"orders": LINES})
    order = make_order(world, connector, line(1), line(2, "2.5"), line(3))
    world.run(
        "UPDATE order_lines SET warehouse = 'W' || '1'"
        if world.name != "mariadb"
        else "UPDATE order_lines SET warehouse = 'W1'"
    )
    order = connector.get("orders", [order.id], [], {})[0]
    one, two, three = order.record["lines"]
    assert (one["_id"], two["quantity"], one["warehouse"]) == ("1", Decimal("2.5"), "W1")
    wanted = [{"_id": three["_id"], "quantity": 9}, {"_id": one["_id"], "product_id": 1, "quantity": 1}, line(4, 4)]
    remote = only(connector.update("orders", [change(order.id, {"lines": wanted}, old=order.record)], [], {}))
    found = [(entry["product_id"], entry["quantity"], entry["warehouse"]) for entry in remote.record["lines"]]
    assert found == [(1, 1, "W1"), (3, 9, "W1"), (4, 4, None)]


def test_lines_may_swap_what_tells_them_apart_and_keep_the_rest(world):
    seed(world)
    connector = world.open(tables={"orders": LINES})
    order = make_order(world, connector, line(1, 10, warehouse="W1"), line(2, 20, warehouse="W2"))
    wanted = [{"_id": "1", "product_id": 2}, {"_id": "2", "product_id": 1}, line(3, 30)]
    remote = only(connector.update("orders", [change(order.id, {"lines": wanted})], ["lines"], {}))
    found = [(entry["product_id"], entry["quantity"], entry["warehouse"]) for entry in remote.record["lines"]]
    assert found == [(1, 20, "W2"), (2, 10, "W1"), (3, 30, None)]


def test_writing_the_same_lines_again_without_their_ids_doubles_nothing(world):
    seed(world)
    connector = world.open(tables={"orders": LINES})
    order = make_order(world, connector, line(1), line(2))
    only(connector.update("orders", [change(order.id, {"lines": [line(2), line(1, 5)]})], ["lines"], {}))
    assert world.rows("SELECT product_id, quantity FROM order_lines ORDER BY product_id") == [(1, 5), (2, 1)]
    only(connector.update("orders", [change(order.id, {"lines": []})], ["lines"], {}))
    assert world.rows("SELECT count(*) FROM order_lines") == [(0,)]


def test_lines_that_changed_meanwhile_are_not_overwritten(world):
    seed(world)
    connector = world.open(tables={"orders": LINES})
    order = make_order(world, connector, line(1), line(2))
    world.run("INSERT INTO order_lines (order_id, product_id, quantity) VALUES (:o, 3, 1)", o=int(order.id))
    stale = change(order.id, {"lines": [line(1)]}, old={"lines": order.record["lines"]})
    error = refused(connector.update("orders", [stale], [], {}))
    assert isinstance(error, VersionConflict) and "line 3 of lines changed" in str(error)
    gone = change(order.id, {"lines": [{"_id": "99", "quantity": 1}]})
    assert isinstance(refused(connector.update("orders", [gone], [], {})), VersionConflict)
    assert world.rows("SELECT count(*) FROM order_lines") == [(3,)]


def test_a_record_and_its_lines_are_one_transaction(world):
    seed(world)
    connector = world.open(tables={"orders": LINES})
    bad = new({"number": "N1", "lines": [line(1), line(77)]}, "bad")
    good = new({"number": "N2", "lines": [line(1)]}, "good")
    results = connector.create("orders", [bad, good], ["number"], {})
    assert isinstance(results[0].error, RecordRejected) and not isinstance(results[0].error, AlreadyExists)
    assert results[0].error.field.startswith("lines")
    assert results[1].error is None
    assert world.rows("SELECT number FROM orders") == [("N2",)]
    twice = new({"number": "N3", "lines": [line(1), line(1)]})
    assert refused(connector.create("orders", [twice], [], {})).field == "lines[2].product_id"
    late = change(results[1].remote.id, {"number": "N9", "lines": [line(1), {"product_id": 2, "quantity": "much"}]})
    assert refused(connector.update("orders", [late], [], {})).field == "lines[2].quantity"
    assert world.rows("SELECT number FROM orders") == [("N2",)]


def test_deleting_takes_the_lines_along_and_is_done_once(world):
    seed(world)
    connector = world.open(tables={"orders": LINES})
    order = make_order(world, connector, line(1), line(2))
    stale = Write("h", {}, id=order.id, old={"number": "other"})
    assert isinstance(refused(connector.delete("orders", [stale], {})), VersionConflict)
    for _ in range(2):
        assert only(connector.delete("orders", [Write("h", {}, id=order.id)], {})).deleted
    assert world.rows("SELECT count(*) FROM order_lines") == [(0,)]


def test_a_row_that_others_need_stays(world):
    seed(world)
    connector = world.open(tables={"orders": LINES})
    make_order(world, connector, line(1))
    results = connector.delete("customers", [Write("h", {}, id="A")], {})
    assert isinstance(refused(results), RecordRejected)
    assert len(everything(connector, "customers")) == 1


def test_a_sequence_that_lags_is_not_taken_for_the_same_record(postgres):
    postgres.run("INSERT INTO orders (id, number) VALUES (1, 'N1')")
    error = refused(postgres.open().create("orders", [new({"number": "N2"})], [], {}))
    assert isinstance(error, RecordRejected) and not isinstance(error, AlreadyExists)
    assert "counter lags" in error.cure


def test_soft_deletion_marks_the_row(world):
    seed(world)
    connector = world.open(tables={"products": {"deleted": {"column": "is_deleted"}, "version": "row_version"}})
    for mode in ("delete", "archive"):
        assert only(connector.delete("products", [Write("h", {}, id="1", mode=mode)], {})).deleted
    assert isinstance(refused(connector.update("products", [change("1", {"name": "x"})], [], {})), Gone)
    assert world.rows("SELECT row_version FROM products WHERE id = 1") == [(2,)]
    made = only(connector.create("products", [new({"sku": "NEW"})], ["is_deleted"], {}))
    assert made.record == {"is_deleted": False}


def test_archiving_needs_a_column_for_it(world):
    seed(world)
    archive = Write("h", {}, id="A", mode="archive")
    assert "no way to archive" in str(refused(world.open().delete("customers", [archive], {})))
    connector = world.open(tables={"customers": {"archive": {"column": "note", "value": "archived"}}})
    assert connector.describe("customers")[0].archive
    remote = only(connector.delete("customers", [archive], {}))
    assert not remote.deleted
    assert world.rows("SELECT note FROM customers") == [("archived",)]


def test_writes_set_the_time_of_change_where_the_application_would(world):
    seed(world)
    settings = {"cursor": "changed_at", "timezone": "UTC", "touch": True}
    connector = world.open(tables={"products": settings})
    remote = only(connector.update("products", [change("1", {"name": "x"})], [], {}))
    assert remote.modified_at is not None
    before = everything(connector, "products")
    only(connector.update("products", [change("1", {"name": "x"})], [], {}))
    assert everything(connector, "products") == before


def test_what_is_created_in_a_filtered_table_belongs_to_it(world):
    connector = world.open(tables={"mine": {"table": "customers", "filter": {"note": "mine"}}})
    only(connector.create("mine", [new({"customer_id": "A", "company_name": "A"})], [], {}))
    assert [r.id for r in everything(connector, "mine")] == ["A"]
    world.run("UPDATE customers SET note = NULL")
    assert isinstance(refused(connector.update("mine", [change("A", {"phone": "1"})], [], {})), Gone)


def test_a_read_only_system_refuses_before_it_connects(world):
    nowhere = world.open("postgresql://hub@127.0.0.1:1/none", read_only=True)
    for write in (nowhere.create, nowhere.update):
        with pytest.raises(ConfigurationError, match="may only read"):
            write("customers", [new({})], [], {})
    with pytest.raises(ConfigurationError, match="may only read"):
        nowhere.delete("customers", [new({})], {})
    seed(world)
    connector = world.open(read_only=True)
    assert not connector.describe("customers")[0].writable
    with connector.database.engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("UPDATE customers SET note = 'x'"))


def test_a_mapping_that_writes_what_is_not_there_is_told(world):
    seed(world)
    with pytest.raises(ConfigurationError, match="writes 'phne', which is no column → did you mean 'phone'"):
        world.open().update("customers", [change("A", {"phne": "1"}), change("A", {"phone": "1"})], [], {})
