"""Real input: the Northwind company, kept in agreement with Zoho CRM and Kingdee by the project in docs/northwind.

Everything is compared in what the three systems hold, not in what the hub believes.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from fixtures.databases import fresh_database
from fixtures.northwind import load_northwind
from sqlalchemy import create_engine, text

from hub.demo.sandboxes import running_sandboxes
from hub.project import open_project
from hub.sync.engine import Engine
from hub.sync.report import PassReport

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
PROJECT = Path(__file__).parents[2] / "docs" / "northwind"
CENT = Decimal("0.01")


class Company:
    """Northwind's database and the two products beside it."""

    def __init__(self, folder: Path, url: str, sandboxes: dict[str, Any]) -> None:
        self.folder = folder
        self.engine = create_engine(url)
        self.zoho = sandboxes["zoho_crm"].control
        self.kingdee = sandboxes["kingdee_galaxy"].control
        secrets = {"NORTHWIND_URL": url, "KINGDEE_URL": sandboxes["kingdee_galaxy"].ready["url"]}
        for name, system in (("zoho", "zoho_crm"), ("kingdee", "kingdee_galaxy")):
            for key, value in sandboxes[system].ready["credentials"].items():
                secrets[f"{name}_{key}".upper()] = value
        (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in secrets.items()))

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query), values).mappings()]

    def run(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def sync(self) -> PassReport:
        with open_project(self.folder) as project, Engine.from_project(project) as engine:
            return engine.sync(yes=True)

    def settle(self) -> None:
        """Sync until nothing moves: the first pass carries an edit, the next sees what the systems made of it."""
        for _ in range(3):
            if self.sync().writes == 0:
                return
        pytest.fail("three passes, and still something to write")

    def row_versions(self) -> list[dict[str, Any]]:
        """Changes with every write of any row, whoever makes it."""
        return [
            row
            for table in ("customers", "products", "orders", "order_details", "hub_keys")
            for row in self.rows(f"SELECT md5(string_agg(xmin::text || ctid, ',')) AS {table} FROM {table}")
        ]

    def account(self, number: str) -> dict[str, Any]:
        (found,) = [r for r in self.zoho.records("Accounts") if r["Customer_Number"] == number]
        return found

    def zoho_order(self, number: str) -> dict[str, Any]:
        (found,) = [r for r in self.zoho.records("Sales_Orders") if r["Order_Number"] == number]
        return found

    def kingdee_order(self, number: str) -> dict[str, Any]:
        (found,) = [r for r in self.kingdee.records("SAL_SaleOrder") if r["FBillNo"] == number]
        return found


@pytest.fixture(scope="module")
def company(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """After the first sync."""
    folder = tmp_path_factory.mktemp("northwind")
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    empty = {"zoho_crm": {"records": 0}, "kingdee_galaxy": {"records": 0}}
    with fresh_database(postgres_server) as url:
        load_northwind(url)
        with running_sandboxes(empty, folder) as sandboxes:
            made = Company(folder, url, sandboxes)
            first = made.sync()
            assert (first.state, first.failures, first.open_letters) == ("done", [], 0)
            made.settle()
            yield made
            made.engine.dispose()


def cents(value: Any) -> Decimal:
    return Decimal(value or 0).quantize(CENT, ROUND_HALF_UP)


def real(value: float) -> Decimal:
    """What somebody meant who stored this in a ``real``: the shortest number that gives the same bits."""
    return min(
        (Decimal(f"{value:.{digits}g}") for digits in range(1, 10)),
        key=lambda number: (struct.pack("f", float(number)) != struct.pack("f", value), len(number.as_tuple().digits)),
    )


def test_all_customers_arrive_with_accents_and_blanks(company):
    stored = {row["customer_id"]: row for row in company.rows("SELECT * FROM customers")}
    accounts = {record["Customer_Number"]: record for record in company.zoho.records("Accounts")}
    clients = {record["FNumber"]: record for record in company.kingdee.records("BD_Customer")}
    assert len(stored) == len(accounts) == len(clients) == 91
    for number, row in stored.items():
        assert accounts[number]["Account_Name"] == clients[number]["FName"] == " ".join(row["company_name"].split())
        assert accounts[number]["Phone"] == clients[number]["FTEL"] == row["phone"]
        assert (accounts[number]["Fax"] or None) == (clients[number]["FFAX"] or None) == (row["fax"] or None)
        assert accounts[number]["Billing_City"] == row["city"]
        assert (accounts[number]["Billing_State"] or None) == (row["region"] or None)
    assert stored["WOLZA"]["company_name"] == "Wolski  Zajazd"
    assert accounts["ANATR"]["Billing_City"] == "México D.F."


def test_all_products_arrive_with_their_price(company):
    stored = {str(row["product_id"]): row for row in company.rows("SELECT * FROM products WHERE product_id <= 77")}
    goods = {record["Product_Code"]: record for record in company.zoho.records("Products")}
    materials = {record["FNumber"] for record in company.kingdee.records("BD_MATERIAL")}
    assert len(stored) == 77
    assert stored.keys() <= goods.keys() & materials
    for number, row in stored.items():
        assert goods[number]["Product_Name"] == row["product_name"]
        assert Decimal(goods[number]["Unit_Price"]) == real(row["unit_price"])
        assert goods[number]["Product_Active"] is (row["discontinued"] == 0)


def test_all_orders_arrive_with_exact_amounts(company):
    stored: dict[str, list[dict[str, Any]]] = {}
    for row in company.rows("SELECT * FROM order_details ORDER BY order_id, product_id"):
        stored.setdefault(str(row["order_id"]), []).append(row)
    freight = {str(row["order_id"]): real(row["freight"]) for row in company.rows("SELECT * FROM orders")}
    crm = {record["Order_Number"]: record for record in company.zoho.records("Sales_Orders")}
    erp = {record["FBillNo"]: record for record in company.kingdee.records("SAL_SaleOrder")}
    assert len(freight) == len(crm) == len(erp) == 830
    assert sum(len(lines) for lines in stored.values()) == 2155
    for number, lines in stored.items():
        gross = [row["quantity"] * real(row["unit_price"]) for row in lines]
        discounts = [cents(amount * real(row["discount"])) for amount, row in zip(gross, lines, strict=True)]
        sold, entered = crm[number]["Ordered_Items"], erp[number]["FSaleOrderEntry"]
        expected = [str(row["product_id"]) for row in lines]
        assert [line["Product_Name"]["Product_Code"] for line in sold] == expected
        assert [line["FMaterialId"]["FNumber"] for line in entered] == expected
        assert [Decimal(line["List_Price"]) for line in sold] == [real(row["unit_price"]) for row in lines]
        assert [cents(line["Discount"]) for line in sold] == discounts
        assert [cents(line["FDiscount"]) for line in entered] == discounts
        net = sum(gross, Decimal(0)) - sum(discounts, Decimal(0))
        assert cents(erp[number]["FBillAllAmount"]) == net
        assert Decimal(crm[number]["Grand_Total"]) == net + freight[number]


def test_a_quiet_pass_writes_nothing_anywhere(company):
    company.settle()
    before = company.row_versions(), company.zoho.stats()["writes"], company.kingdee.stats()["writes"]
    report = company.sync()
    assert report.writes == 0
    assert (company.row_versions(), company.zoho.stats()["writes"], company.kingdee.stats()["writes"]) == before


def test_an_edit_in_the_crm_comes_back(company):
    company.zoho.edit("Accounts", company.account("ALFKI")["id"], {"Phone": "+493000743210", "Billing_City": "Köln"})
    company.settle()
    (row,) = company.rows("SELECT * FROM customers WHERE customer_id = 'ALFKI'")
    assert (row["phone"], row["city"]) == ("+493000743210", "Köln")
    assert (row["address"], row["contact_name"], row["country"]) == ("Obere Str. 57", "Maria Anders", "Germany")


def test_an_edit_of_one_order_line_in_the_erp_leaves_the_others_alone(company):
    before = company.rows("SELECT * FROM order_details WHERE order_id = 10250 ORDER BY product_id")
    order = company.kingdee_order("10250")
    lines = [dict(line) for line in order["FSaleOrderEntry"]]
    lines[0]["FQty"] = 12
    company.kingdee.edit("SAL_SaleOrder", str(order["FID"]), {"FSaleOrderEntry": lines})
    company.settle()
    after = company.rows("SELECT * FROM order_details WHERE order_id = 10250 ORDER BY product_id")
    assert after == [{**before[0], "quantity": 12}, *before[1:]]
    assert [line["Quantity"] for line in company.zoho_order("10250")["Ordered_Items"]] == [12, 35, 15]


def test_a_price_in_the_database_goes_out_and_one_in_the_crm_comes_in(company):
    company.run("UPDATE products SET unit_price = 18.35 WHERE product_id = 1")
    company.settle()
    (chai,) = [record for record in company.zoho.records("Products") if record["Product_Code"] == "1"]
    assert Decimal(chai["Unit_Price"]) == Decimal("18.35")
    company.zoho.edit("Products", chai["id"], {"Unit_Price": 19.9})
    company.settle()
    assert company.rows("SELECT unit_price = 19.9::real AS yes FROM products WHERE product_id = 1") == [{"yes": True}]


def test_a_new_customer_and_order_in_the_crm_reach_the_database(company):
    made = company.zoho.create("Accounts", {"Account_Name": "Café Zürich", "Customer_Number": "CAFEZ"})
    goods = {record["Product_Code"]: record["id"] for record in company.zoho.records("Products")}
    cheese = {"Product_Name": {"id": goods["11"]}, "Quantity": 3, "List_Price": Decimal("21.00")}
    beer = {"Product_Name": {"id": goods["2"]}, "Quantity": 2, "List_Price": Decimal("19.05")}
    lines = [cheese, {**beer, "Discount": Decimal("3.81")}]
    order = {"Subject": "First order", "Account_Name": {"id": made["id"]}, "Order_Date": "2026-01-15"}
    company.zoho.create("Sales_Orders", {**order, "Ordered_Items": lines})
    company.settle()
    (customer,) = company.rows("SELECT company_name FROM customers WHERE customer_id = 'CAFEZ'")
    assert customer == {"company_name": "Café Zürich"}
    (stored,) = company.rows("SELECT * FROM orders WHERE customer_id = 'CAFEZ'")
    assert stored["order_id"] == 11078
    rows = company.rows("SELECT * FROM order_details WHERE order_id = 11078 ORDER BY product_id")
    amounts = [(r["product_id"], r["quantity"], real(r["unit_price"]), real(r["discount"])) for r in rows]
    assert amounts == [(2, 2, Decimal("19.05"), Decimal("0.1")), (11, 3, Decimal("21"), Decimal("0"))]


def test_a_line_added_to_an_order_and_one_taken_away(company):
    goods = {record["Product_Code"]: record["id"] for record in company.zoho.records("Products")}
    order = company.zoho_order("10251")
    first, second, third = order["Ordered_Items"]
    added = {"Product_Name": {"id": goods["1"]}, "Quantity": 4, "List_Price": Decimal("18.00")}
    lines = [{"id": first["id"]}, {"id": third["id"]}, {"id": second["id"], "_delete": None}, added]
    company.zoho.edit("Sales_Orders", order["id"], {"Ordered_Items": lines})
    before = company.rows("SELECT * FROM order_details WHERE order_id = 10251 ORDER BY product_id")
    company.settle()
    after = company.rows("SELECT * FROM order_details WHERE order_id = 10251 ORDER BY product_id")
    new = {"order_id": 10251, "product_id": 1, "unit_price": 18.0, "quantity": 4, "discount": 0.0}
    assert after == [new, before[0], before[2]]
    numbers = [line["FMaterialId"]["FNumber"] for line in company.kingdee_order("10251")["FSaleOrderEntry"]]
    assert sorted(numbers) == sorted(["1", str(before[0]["product_id"]), str(before[2]["product_id"])])
