"""Reading tables: values, keys, lines, listings."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sql_worlds import everything, new, only

from hub.errors import ConfigurationError

LINES = {"orders": {"lines": {"order_lines": {"as": "lines"}}}}


def fill_customers(world, count: int = 3) -> None:
    for n in range(count):
        world.run(
            "INSERT INTO customers (customer_id, company_name) VALUES (:id, :name)", id=f"C{n:03}", name=f"第{n}公司"
        )


def test_values_come_as_they_are(world):
    world.run(
        "INSERT INTO customers VALUES ('ALFKI', '杭州西湖 Ünïcode 🍵', '', 12345678.90,"
        " 9.80000019, 0.1, :yes, '2026-01-15', NULL, :logo)",
        yes=True,
        logo=b"\x00\xff",
    )
    (remote,) = everything(world.open(), "customers", fields=["logo"])
    assert remote.record["logo"] == "AP8="
    (remote,) = everything(world.open(), "customers")
    assert remote.id == "ALFKI"
    assert remote.record == {
        "customer_id": "ALFKI",
        "company_name": "杭州西湖 Ünïcode 🍵",
        "phone": "",
        "credit": Decimal("12345678.90"),
        "rating": Decimal("9.8") if world.name != "sqlite" else Decimal("9.80000019"),
        "weight": Decimal("0.1"),
        "active": True,
        "since": "2026-01-15",
        "note": None,
    }
    assert {type(v) for v in remote.record.values()} == {str, Decimal, bool, type(None)}


def test_a_table_without_a_cursor_is_read_completely_page_by_page(world):
    fill_customers(world, 7)
    pages = list(world.open(page_size=3).list_changes("customers", None, ["company_name"], {}))
    assert [len(page.records) for page in pages] == [3, 3, 1, 0]
    assert [page.complete for page in pages] == [False, False, False, True]
    assert {page.cursor for page in pages} == {None}
    assert [r.id for page in pages for r in page.records] == [f"C{n:03}" for n in range(7)]


def test_an_empty_table_is_a_complete_listing(world):
    (page,) = world.open().list_changes("customers", None, [], {})
    assert (page.records, page.complete) == ([], True)


def test_lines_come_with_their_record_in_the_order_of_their_key(world):
    world.run("INSERT INTO customers (customer_id, company_name) VALUES ('A', 'A')")
    for n in (3, 1, 2):
        world.run("INSERT INTO products (id, sku, is_deleted) VALUES (:n, :s, :no)", n=n, s=f"P{n}", no=False)
        world.run("INSERT INTO orders (id, number, customer_id) VALUES (:n, :s, 'A')", n=n, s=f"N{n}")
    for order, product in ((1, 3), (1, 1), (3, 2)):
        world.run("INSERT INTO order_lines VALUES (:o, :p, 1.5, 9.90, NULL, NULL)", o=order, p=product)
    orders = everything(world.open(tables=LINES, page_size=2), "orders", fields=("number", "lines"))
    assert [(o.id, o.record["number"]) for o in orders] == [("1", "N1"), ("2", "N2"), ("3", "N3")]
    assert [[(line["_id"], line["product_id"]) for line in o.record["lines"]] for o in orders] == [
        [("1", 1), ("3", 3)],
        [],
        [("2", 2)],
    ]
    assert orders[0].record["lines"][0]["quantity"] == Decimal("1.5")


def test_get_names_the_missing_as_deleted(world):
    fill_customers(world, 2)
    found = world.open().get("customers", ["C001", "nope", "C000"], ["company_name"], {})
    assert [(r.id, r.deleted) for r in found] == [("C001", False), ("nope", True), ("C000", False)]
    assert world.open().get("counters", ["99999999999999999999", "x", "1"], [], {})[0].deleted


def test_ids_are_listed_in_full(world):
    fill_customers(world, 5)
    assert list(world.open(page_size=2).list_ids("customers", {})) == [["C000", "C001"], ["C002", "C003"], ["C004"]]


def test_a_key_of_several_columns_is_one_text_that_can_be_read_back(world):
    world.run(
        "CREATE TABLE places (region VARCHAR(10), code VARCHAR(10), name VARCHAR(10), PRIMARY KEY (region, code))"
    )
    pairs = [("a|b", "c\\"), ("a", "b|c"), ("", "x"), ("华东", "|")]
    for region, code in pairs:
        world.run("INSERT INTO places VALUES (:r, :c, 'n')", r=region, c=code)
    connector = world.open(page_size=1)
    ids = [r.id for r in everything(connector, "places")]
    assert len(set(ids)) == 4
    assert "a\\|b|c\\\\" in ids
    found = connector.get("places", ids, ["region", "code"], {})
    assert {(r.record["region"], r.record["code"]) for r in found} == set(pairs)
    assert connector.get("places", ["only-one-part"], [], {})[0].deleted


def test_names_of_any_kind_are_quoted(world):
    odd = ["order", "a b", 'say "hi"', "it's", "100%", "a:b", "(x)", "名称 🍵", "a.b", "semi;colon"]
    if world.name == "mariadb":
        odd[7] = "名称"  # four-byte letters are not allowed in its names
    table = 'my `odd" table'
    columns = ", ".join(f"{world.quoted(name).replace(':', chr(92) + ':')} VARCHAR(20)" for name in odd)
    world.run(f"CREATE TABLE {world.quoted(table)} (id INTEGER PRIMARY KEY, {columns})")
    connector = world.open()
    values = {name: f"v{n}' OR 1=1 --" for n, name in enumerate(odd)}
    assert only(connector.create(table, [new({"id": 1, **values})], [], {})).record == {"id": 1, **values}
    changed = {name: value.upper() for name, value in values.items()}
    update = new(changed)
    update.id, update.old = "1", values
    assert only(connector.update(table, [update], odd, {})).record == changed
    assert [r.id for r in everything(connector, table, fields=odd)] == ["1"]


def test_a_filter_shows_only_its_rows(world):
    fill_customers(world, 3)
    world.run("UPDATE customers SET note = 'mine' WHERE customer_id = 'C001'")
    world.run("UPDATE customers SET phone = '1' WHERE customer_id <> 'C002'")
    connector = world.open(
        tables={
            "mine": {"table": "customers", "filter": {"note": "mine"}},
            "others": {"table": "customers", "filter": {"note": None, "phone": ["1", "2"]}},
        }
    )
    assert [r.id for r in everything(connector, "mine")] == ["C001"]
    assert [r.id for r in everything(connector, "others")] == ["C000"]
    assert connector.get("mine", ["C000"], [], {})[0].deleted


def test_a_view_is_readable_once_its_key_is_named(world):
    fill_customers(world, 3)
    world.run("CREATE VIEW big AS SELECT customer_id, company_name FROM customers WHERE customer_id > 'C000'")
    with pytest.raises(ConfigurationError, match="'big' has no primary key"):
        world.open().describe("big")
    connector = world.open(tables={"big": {"key": "customer_id"}})
    (resource,) = connector.describe("big")
    assert not resource.writable
    assert [r.id for r in everything(connector, "big")] == ["C001", "C002"]
    with pytest.raises(ConfigurationError, match="is a view"):
        connector.create("big", [], [], {})


def test_a_key_that_repeats_is_refused_instead_of_losing_rows(world):
    fill_customers(world, 3)
    with pytest.raises(ConfigurationError, match="have the same note"):
        world.run("UPDATE customers SET note = 'x'")
        everything(world.open(tables={"customers": {"key": "note"}}), "customers")


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"customer": {"table": "custmers"}}, "no table or view 'custmers' → did you mean 'customers'"),
        ({"customer": {"table": "customers", "key": "custmer_id"}}, "tables.customer.key: .* mean 'customer_id'"),
        ({"customer": {"table": "customers", "cursor": "logo"}}, "logo can't say when a row changed"),
        ({"customer": {"table": "customers", "version": "xmax"}}, "customer.version: there is no column 'xmax'"),
        ({"customer": {"table": "customers", "lines": {"products": {}}}}, "0 foreign keys point at 'customers'"),
        ({"customer": {"table": "customers", "filter": {"credit": "much"}}}, "'much' is not a number"),
    ],
)
def test_settings_that_do_not_fit_the_table_are_explained(lite, tables, message):
    with pytest.raises(ConfigurationError, match=message):
        lite.open(tables=tables).describe("customer")


def test_an_unknown_field_is_explained(lite):
    with pytest.raises(ConfigurationError, match="there is no field 'nmae'"):
        everything(lite.open(), "customers", fields=["nmae"])


def test_describe_needs_nothing_but_the_url(world):
    resources = {r.name: r for r in world.open().describe()}
    assert set(resources) == {"customers", "products", "orders", "order_lines", "counters"}
    fields = {f.name: f for f in resources["customers"].fields}
    assert (fields["company_name"].required, fields["company_name"].max_length) == (True, 40)
    assert (fields["credit"].type, fields["credit"].scale) == ("decimal", 2)
    assert (fields["rating"].type, fields["weight"].type) == ("decimal", "decimal")
    assert (fields["active"].type, fields["since"].type) == ("boolean", "date")
    assert resources["customers"].probe == "natural"
    assert resources["order_lines"].id_field == "order_id|product_id"
    products = {f.name: f for f in resources["products"].fields}
    assert products["id"].read_only and not products["id"].required
    assert products["sku"].unique and products["changed_at"].type == "datetime"
    assert {f.name: f for f in resources["orders"].fields}["customer_id"].reference == "customers"


def test_check_says_who_and_what_and_what_is_unwise(world):
    health = world.open(
        read_only=True,
        tables={"products": {"cursor": "changed_at"}, "orders": {"cursor": "entered", "lines": {"order_lines": {}}}},
    ).check()
    assert health.details["mode"] == "read-only"
    assert health.details["tables"] == "5"
    said = "\n".join(health.problems)
    assert "products: no index starts with changed_at" in said
    assert "times in entered have no zone" in said
    assert "edits of order_lines are only seen when" in said
