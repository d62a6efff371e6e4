"""What each system holds, asked of its own database and not of its interface: the independent auditor."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from real.world import Row, World

CUSTOMERS = {
    "erp": """
        SELECT p.id, p.name, i.code AS tax_id, p.active,
               (SELECT value FROM party_contact_mechanism m WHERE m.party = p.id AND type = 'phone' LIMIT 1) AS phone,
               (SELECT value FROM party_contact_mechanism m WHERE m.party = p.id AND type = 'email' LIMIT 1) AS email
        FROM party_party p LEFT JOIN party_identifier i ON i.party = p.id AND i.type = 'cn_vat' WHERE p.id <> 1""",
    "crm": "SELECT id, name, tax_id, status = 'active' AS active, phone, email FROM accounts",
    "shop": """SELECT id, company_name AS name, metadata ->> 'tax_id' AS tax_id, true AS active, phone, email
               FROM customer WHERE deleted_at IS NULL""",
    "books": "SELECT id, name, tax_no AS tax_id, state = 'A' AS active, phone, email FROM customers",
}
PRODUCTS = {
    "erp": """SELECT p.id, p.suffix_code AS sku, t.name, l.list_price AS price FROM product_product p
              JOIN product_template t ON t.id = p.template
              JOIN product_list_price l ON l.template = t.id AND l.product IS NULL""",
    "crm": "SELECT id, sku, name, price FROM products",
    "shop": """SELECT p.id, v.sku, p.title AS name, c.amount AS price FROM product p
               JOIN product_variant v ON v.product_id = p.id AND v.deleted_at IS NULL
               JOIN product_variant_price_set s ON s.variant_id = v.id AND s.deleted_at IS NULL
               JOIN price c ON c.price_set_id = s.price_set_id AND c.currency_code = 'cny' AND c.deleted_at IS NULL
               WHERE p.deleted_at IS NULL""",
    "books": "SELECT id, sku, name, price FROM products",
}
SALES = """SELECT s.id, s.number, s.reference, s.state, s.invoice_state, s.shipment_state, i.code AS tax_id
           FROM sale_sale s LEFT JOIN party_identifier i ON i.party = s.party AND i.type = 'cn_vat'"""
SALE_LINES = """SELECT p.suffix_code AS sku, l.quantity, l.unit_price, array_agg(t.tax) AS taxes FROM sale_line l
                JOIN product_product p ON p.id = l.product LEFT JOIN "sale_line-account_tax" t ON t.line = l.id
                WHERE l.sale = %s GROUP BY l.id, p.suffix_code, l.quantity, l.unit_price ORDER BY l.id"""


def customers(world: World, system: str) -> dict[str, Row]:
    """By tax number, in one spelling. Raises AssertionError when one is there twice."""
    found: dict[str, Row] = {}
    for row in world.rows(system, CUSTOMERS[system]):
        key = str(row["tax_id"]).upper()
        assert key not in found, f"{key} is in {system} twice: {row}, {found[key]}"
        found[key] = row
    return found


def phone(row: Row) -> str:
    """A number's digits without the country's code: every system spells them its own way."""
    digits = "".join(c for c in str(row["phone"] or "") if c.isdigit())
    return digits.removeprefix("86").removeprefix("0")


def products(world: World, system: str) -> dict[str, tuple[str, Decimal]]:
    """Name and price, by number."""
    rows = world.rows(system, PRODUCTS[system])
    assert len({row["sku"] for row in rows}) == len(rows), f"a product is in {system} twice"
    return {row["sku"]: (row["name"], Decimal(row["price"])) for row in rows}


def sale(world: World, reference: str) -> Row:
    """The one sale of an order of the shop, with its lines."""
    found = [row for row in world.rows("erp", SALES) if row["reference"] == reference]
    assert len(found) == 1, f"{len(found)} sales for {reference}"
    return {**found[0], "lines": world.rows("erp", SALE_LINES, found[0]["id"])}


def shop_order(world: World, order: str) -> dict[str, Any]:
    """What the shop keeps of the ERP's answer."""
    metadata = world.rows("shop", 'SELECT metadata FROM "order" WHERE id = %s', order)[0]["metadata"]
    return dict(metadata or {})
