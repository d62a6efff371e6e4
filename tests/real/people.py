"""What people do in the three systems, each in its own way."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from real.world import World
from stdnum.cn import uscc

COMPANIES = (
    "上海示例机械有限公司", "苏州河畔五金有限公司", "深圳博泰新能源有限公司", "杭州西湖茶叶有限公司",
    "南京钟山仪器有限公司", "宁波港务设备有限公司", "青岛海风食品有限公司", "成都天府软件有限公司",
    "武汉长江电缆有限公司",
)  # fmt: skip
PRODUCTS = (("P-100", "离心泵", "1380.50"), ("P-200", "潜水泵", "2199.00"), ("P-300", "阀门", "75.25"),
            ("P-400", "法兰", "18.60"), ("P-500", "密封圈", "0.85"))  # fmt: skip


def tax_id(number: int) -> str:
    """A 统一社会信用代码 with a right check digit."""
    start = f"91310115MA1K{number:05d}"
    return start + uscc.calc_check_digit(start)


def email(number: int) -> str:
    return f"buyer{number}@example.com"


def seed(world: World) -> None:
    """Nine companies, each known to some systems, under names and numbers that are spelt differently; five products."""
    create_parties(world, [0, 1, 2, 3, 4, 5])
    for number in (0, 1, 2, 3, 6, 7):
        world.crm.call("POST", "items/accounts", account(number))
    for number in (0, 1, 4, 8):
        world.shop.call("POST", "admin/customers", shopper(number))
    create_products(world)
    for sku, name, price in PRODUCTS[:2]:
        world.crm.call("POST", "items/products", {"sku": sku, "name": name, "price": price, "active": True})


def create_parties(world: World, numbers: list[int]) -> list[int]:
    rows = [
        {
            "name": COMPANIES[number],
            "identifiers": [["create", [{"type": "cn_vat", "code": tax_id(number)}]]],
            "contact_mechanisms": [
                [
                    "create",
                    [
                        {"type": "phone", "value": f"+86 21 5555 {number:04d}"},
                        {"type": "email", "value": email(number)},
                    ],
                ]
            ],
            "addresses": [["create", [{"street": f"人民路 {number + 1} 号", "city": "上海", "postal_code": "200000"}]]],
        }
        for number in numbers
    ]
    found: list[int] = world.erp.call("model.party.party.create", rows)
    return found


def account(number: int) -> dict[str, Any]:
    """As the sales people write it: spaces, another form of the phone number."""
    return {
        "name": f"{COMPANIES[number]} ",
        "tax_id": tax_id(number).lower(),
        "phone": f"021-5555{number:04d}",
        "email": email(number),
        "status": "active",
        "city": "上海",
    }


def shopper(number: int) -> dict[str, Any]:
    return {"email": email(number), "company_name": COMPANIES[number], "metadata": {"tax_id": tax_id(number)}}


def create_products(world: World) -> None:
    ids = world.erp.ids
    rows = [
        {
            "name": name,
            "default_uom": ids["unit"],
            "sale_uom": ids["unit"],
            "salable": True,
            "type": "goods",
            "account_category": ids["category"],
            "list_price": money(price),
            "products": [["create", [{"suffix_code": sku}]]],
        }
        for sku, name, price in PRODUCTS
    ]
    world.erp.call("model.product.template.create", rows)


def money(amount: str) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": str(Decimal(amount))}


def place_order(world: World, number: int, lines: list[tuple[str, int]]) -> str:
    """A customer orders in the shop; gives the order's id. ``lines``: SKU and quantity."""
    customer = world.rows("shop", "SELECT id FROM customer WHERE email = %s AND deleted_at IS NULL", email(number))[0]
    address = {
        "first_name": "王",
        "last_name": "小明",
        "address_1": "人民路 1 号",
        "city": "上海",
        "country_code": "cn",
    }
    variant = "SELECT id FROM product_variant WHERE sku = %s AND deleted_at IS NULL"
    items = [{"variant_id": world.rows("shop", variant, sku)[0]["id"], "quantity": quantity} for sku, quantity in lines]
    draft = {
        "email": email(number),
        "customer_id": customer["id"],
        "region_id": world.shop.ids["region"],
        "sales_channel_id": world.shop.ids["sales_channel"],
        "shipping_address": address,
        "billing_address": address,
        "items": items,
    }
    made = world.shop.call("POST", "admin/draft-orders", draft)["draft_order"]["id"]
    return str(world.shop.call("POST", f"admin/draft-orders/{made}/convert-to-order")["order"]["id"])


def ship_and_bill(world: World, sale: int) -> None:
    """The warehouse sends the goods, accounting posts the invoice."""
    shipments, invoices = (
        world.erp.call("model.sale.sale.read", [sale], ["shipments", "invoices"])[0][name]
        for name in ("shipments", "invoices")
    )
    for button in ("assign_force", "pick", "pack", "do"):
        world.erp.call(f"model.stock.shipment.out.{button}", shipments)
    world.erp.call("model.account.invoice.post", invoices)
