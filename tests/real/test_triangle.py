"""A home-grown CRM, an ERP, a shop and a database agree: the story of a company, test after test, on real servers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from real import books, people
from real.world import World

from hub.project import open_project
from hub.sync.engine import Engine
from hub.sync.report import PassReport

pytestmark = pytest.mark.usefixtures("seeded")
SYSTEMS = ("erp", "crm", "shop", "books")
law = pytest.mark.law


@pytest.fixture(scope="module")
def seeded(company: World) -> list[PassReport]:
    """The first sync: what was empty is filled, but into what people filled it writes nothing without being asked."""
    people.seed(company)
    held = company.sync()
    written = [len(company.rows(system, books.CUSTOMERS[system])) for system in SYSTEMS[:3]]
    assert (held.state, written) == ("needs_person", [6, 6, 4])
    return [held, company.sync(yes=True), company.sync()]


@pytest.fixture(scope="module")
def ordered(company: World, seeded: list[PassReport]) -> str:
    """An order of the shop, carried everywhere."""
    order = people.place_order(company, 1, [("P-100", 2), ("P-500", 30)])
    company.settle()
    return order


@law("no duplicates")
def test_customers_that_several_systems_knew_are_matched_and_nobody_is_doubled(company: World):
    everybody = {people.tax_id(number) for number in range(9)}
    for system in SYSTEMS:
        assert set(books.customers(company, system)) == everybody, system


@law("nothing lost")
def test_every_system_knows_the_same_of_each_customer(company: World):
    erp = books.customers(company, "erp")
    for system in SYSTEMS:
        for tax_id, row in books.customers(company, system).items():
            assert (row["name"].strip(), row["email"]) == (erp[tax_id]["name"].strip(), erp[tax_id]["email"]), (
                system,
                tax_id,
            )
            assert books.phone(row) == books.phone(erp[tax_id]), (system, tax_id)


@law("money is exact")
def test_products_and_prices_come_from_the_erp(company: World):
    wanted = {sku: (name, Decimal(price)) for sku, name, price in people.PRODUCTS}
    assert {system: books.products(company, system) for system in SYSTEMS} == dict.fromkeys(SYSTEMS, wanted)


@law("quiescence")
def test_a_quiet_pass_writes_nothing(company: World):
    before = company.versions_of_rows()
    report = company.sync(full=True)
    assert (report.state, report.writes) == ("done", 0), report.message
    assert company.versions_of_rows() == before


@law("references hold")
def test_an_order_of_the_shop_is_processed_in_the_erp(company: World, ordered: str):
    sale = books.sale(company, ordered)
    assert (sale["state"], sale["tax_id"]) == ("processing", people.tax_id(1))
    lines = [(line["sku"], Decimal(str(line["quantity"])), line["unit_price"], line["taxes"]) for line in sale["lines"]]
    tax = [company.erp.ids["tax"]]
    assert lines == [("P-100", 2, Decimal("1380.5"), tax), ("P-500", 30, Decimal("0.85"), tax)]


def test_its_number_in_the_erp_is_known_everywhere(company: World, ordered: str):
    number = books.sale(company, ordered)["number"]
    assert books.shop_order(company, ordered)["number"] == number
    crm = company.rows("crm", "SELECT o.*, a.tax_id FROM orders o JOIN accounts a ON a.id = o.account")
    assert [(row["number"], row["tax_id"].upper()) for row in crm] == [(number, people.tax_id(1))]
    lines = "SELECT p.sku, l.quantity FROM order_lines l JOIN products p ON p.id = l.product_id ORDER BY l.line_no"
    told = [(row["sku"], row["quantity"]) for row in company.rows("books", lines)]
    assert told == [("P-100", 2), ("P-500", 30)]
    assert [row["number"] for row in company.rows("books", "SELECT number FROM orders")] == [number]


def test_invoice_and_shipment_come_back_to_shop_and_crm(company: World, ordered: str):
    sale = books.sale(company, ordered)
    people.ship_and_bill(company, sale["id"])
    company.settle()
    now = books.sale(company, ordered)
    assert (now["shipment_state"], now["invoice_state"]) == ("sent", "awaiting payment")
    told = {"invoice_state": now["invoice_state"], "shipment_state": now["shipment_state"]}
    assert told.items() <= books.shop_order(company, ordered).items()
    for system in ("crm", "books"):
        assert company.rows(system, "SELECT invoice_state, shipment_state FROM orders") == [told], system


@law("money is exact")
def test_the_invoice_is_in_the_crm_and_in_the_books_to_the_cent(company: World, ordered: str):
    query = "SELECT number, invoice_date FROM account_invoice WHERE state = 'posted'"
    (posted,) = company.rows("erp", query)
    net = 2 * Decimal("1380.50") + 30 * Decimal("0.85")
    wanted = (posted["number"], posted["invoice_date"], "issued", (net * Decimal("1.13")).quantize(Decimal("0.01")))
    for system in ("crm", "books"):
        rows = company.rows(system, "SELECT number, invoice_date, status, total FROM invoices")
        assert [tuple(row.values()) for row in rows] == [wanted], system


@law("nothing lost")
def test_edits_on_every_side_reach_the_others(company: World):
    erp, crm, shop = (books.customers(company, system) for system in ("erp", "crm", "shop"))
    a, b, c = (people.tax_id(number) for number in (0, 3, 8))
    company.crm.call("PATCH", f"items/accounts/{crm[a]['id']}", {"phone": "021-61000001"})
    company.erp.call("model.party.party.write", [erp[b]["id"]], {"name": "杭州西湖龙井茶叶有限公司"})
    company.shop.call("POST", f"admin/customers/{shop[c]['id']}", {"email": "purchase@example.com"})
    company.settle()
    for system in SYSTEMS:
        now = books.customers(company, system)
        told = (books.phone(now[a]), now[b]["name"], now[c]["email"])
        assert told == ("2161000001", "杭州西湖龙井茶叶有限公司", "purchase@example.com"), system


@law("nothing lost")
def test_an_edit_of_a_child_record_that_does_not_touch_its_parent_is_seen(company: World):
    tax_id = people.tax_id(2)
    call_in_the_erp(company, tax_id, "+86 21 6200 0002")
    company.settle()
    assert {books.phone(books.customers(company, system)[tax_id]) for system in SYSTEMS} == {"2162000002"}


@law("authority holds")
def test_a_price_that_was_changed_in_the_shop_is_taken_back(company: World):
    row = next(row for row in company.rows("crm", "SELECT id, sku FROM products") if row["sku"] == "P-200")
    company.crm.call("PATCH", f"items/products/{row['id']}", {"price": "1.00"})
    company.settle()
    assert {books.products(company, system)["P-200"] for system in SYSTEMS} == {("潜水泵", Decimal("2199.00"))}


@law("nothing lost")
def test_two_edits_of_one_phone_number_wait_for_a_person(company: World):
    tax_id = people.tax_id(4)
    crm = books.customers(company, "crm")[tax_id]
    call_in_the_erp(company, tax_id, "+86 21 6300 0001")
    company.crm.call("PATCH", f"items/accounts/{crm['id']}", {"phone": "021-63000002"})
    report = company.sync()
    assert report.open_conflicts == 1
    assert books.phone(books.customers(company, "erp")[tax_id]) == "2163000001"
    assert books.phone(books.customers(company, "crm")[tax_id]) == "2163000002"
    resolve(company, "+862163000002")
    company.settle()
    assert {books.phone(books.customers(company, system)[tax_id]) for system in SYSTEMS} == {"2163000002"}


@law("one bad record is one bad record")
def test_a_wrong_tax_number_stays_out_of_the_erp_and_stops_nobody(company: World):
    wrong = {
        **people.account(7),
        "name": "错误税号有限公司",
        "tax_id": "91310115MA1K00007X",
        "email": "wrong@example.com",
    }
    right = {**people.account(7), "name": "新客户有限公司", "tax_id": people.tax_id(20), "email": "new@example.com"}
    company.crm.call("POST", "items/accounts", [wrong, right])
    report = company.sync()
    assert report.open_letters == 1
    assert people.tax_id(20) in books.customers(company, "erp")
    assert "91310115MA1K00007X" not in books.customers(company, "erp")


@law("deletes are earned")
def test_a_customer_deleted_in_the_crm_is_archived_in_the_others(company: World):
    tax_id = people.tax_id(6)
    company.crm.call("DELETE", f"items/accounts/{books.customers(company, 'crm')[tax_id]['id']}")
    company.sync(full=True)
    assert tax_id not in books.customers(company, "crm")
    assert [books.customers(company, system)[tax_id]["active"] for system in ("erp", "books")] == [False, False]


@law("no echo, no ping-pong")
def test_what_the_hub_wrote_does_not_come_back_as_edits(company: World):
    company.settle()
    before = company.versions_of_rows()
    assert [company.sync(full=full).writes for full in (False, True)] == [0, 0]
    assert company.versions_of_rows() == before


def call_in_the_erp(company: World, tax_id: str, number: str) -> None:
    """A person changes a phone number there: a record of its own, whose party does not move."""
    party = books.customers(company, "erp")[tax_id]["id"]
    query = "SELECT id FROM party_contact_mechanism WHERE party = %s AND type = 'phone'"
    (mechanism,) = company.rows("erp", query, party)
    company.erp.call("model.party.contact_mechanism.write", [mechanism["id"]], {"value": number})


def resolve(company: World, value: str) -> None:
    """A person decides the one conflict."""
    with open_project(company.folder) as project, Engine.from_project(project) as engine:
        (one,) = engine.conflicts()
        engine.resolve(one["id"], take="value", value=value)
