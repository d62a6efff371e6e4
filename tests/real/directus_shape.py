"""The collections of the CRM: as an administrator would click them together, with dates kept by Directus itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from real.directus import Directus

Field = dict[str, Any]


def shape(crm: Directus) -> None:
    """Make the collections, and the references between them."""
    for name, key, fields in _collections():
        crm.call(
            "POST", "collections", {"collection": name, "meta": {}, "schema": {}, "fields": [key, *fields, *_dates()]}
        )
    for collection, field, target, one_field in (
        ("contacts", "account", "accounts", None),
        ("orders", "account", "accounts", None),
        ("order_lines", "order", "orders", "lines"),
        ("order_lines", "product", "products", None),
        ("invoices", "account", "accounts", None),
        ("invoices", "order", "orders", None),
    ):
        crm.call("POST", f"fields/{collection}", _reference(field, "integer" if target == "products" else "uuid"))
        if one_field:
            alias = {"field": one_field, "type": "alias", "meta": {"interface": "list-o2m", "special": ["o2m"]}}
            crm.call("POST", f"fields/{target}", alias)
        relation: dict[str, Any] = {"collection": collection, "field": field, "related_collection": target}
        relation["schema"] = {"on_delete": "CASCADE" if one_field else "SET NULL"}
        relation["meta"] = {"one_field": one_field, "one_deselect_action": "delete" if one_field else "nullify"}
        crm.call("POST", "relations", relation)


def text(name: str, *, required: bool = False, unique: bool = False, length: int = 255, choices: str = "") -> Field:
    options = {"choices": [{"text": word, "value": word} for word in choices.split()]} if choices else None
    meta = {"required": required, "interface": "select-dropdown" if choices else "input", "options": options}
    schema = {"is_nullable": not required, "is_unique": unique, "max_length": length}
    return {"field": name, "type": "string", "meta": meta, "schema": schema}


def amount(name: str, scale: int = 2) -> Field:
    schema = {"numeric_precision": 15, "numeric_scale": scale}
    return {"field": name, "type": "decimal", "meta": {"interface": "input"}, "schema": schema}


def plain(name: str, kind: str, default: Any = None) -> Field:
    return {"field": name, "type": kind, "meta": {"interface": "input"}, "schema": {"default_value": default}}


def _collections() -> list[tuple[str, Field, list[Field]]]:
    hub_key = text("hub_key", unique=True, length=64)
    address = [text("street"), text("city"), text("postcode", length=20), text("country", length=2)]
    accounts = [
        hub_key,
        text("name", required=True),
        text("tax_id", length=40),
        text("phone", length=40),
        text("email"),
        text("status", choices="active inactive"),
        text("terms"),
        plain("note", "text"),
        *address,
    ]
    contacts = [hub_key, text("full_name", required=True), text("email"), text("phone", length=40)]
    products = [
        hub_key,
        text("sku", required=True, unique=True, length=64),
        text("name", required=True),
        text("unit", length=20),
        amount("price", 4),
        plain("active", "boolean", True),
    ]
    orders = [
        hub_key,
        text("number", length=64),
        plain("order_date", "date"),
        text("currency", length=3),
        text("status", choices="draft submitted approved closed cancelled"),
        text("invoice_state"),
        text("shipment_state"),
        amount("total"),
    ]
    lines = [plain("line_no", "integer"), text("description"), amount("quantity", 4), amount("unit_price", 4)]
    invoices = [
        hub_key,
        text("number", length=64),
        plain("invoice_date", "date"),
        text("currency", length=3),
        text("status", choices="draft submitted issued partly_paid paid void"),
        amount("net_total"),
        amount("total"),
    ]
    return [
        ("accounts", _key("uuid"), accounts),
        ("contacts", _key("uuid"), contacts),
        ("products", _key("integer"), products),
        ("orders", _key("uuid"), orders),
        ("order_lines", _key("integer"), lines),
        ("invoices", _key("uuid"), invoices),
    ]


def _key(kind: str) -> Field:
    schema = {"is_primary_key": True, "has_auto_increment": kind == "integer"}
    meta = {"hidden": True, "readonly": True, "interface": "input", "special": ["uuid"] if kind == "uuid" else None}
    return {"field": "id", "type": kind, "meta": meta, "schema": schema}


def _dates() -> list[Field]:
    names = (("date_created", "date-created"), ("date_updated", "date-updated"))
    return [
        {"field": name, "type": "timestamp", "meta": {"special": [special], "readonly": True}, "schema": {}}
        for name, special in names
    ]


def _reference(name: str, kind: str) -> Field:
    return {"field": name, "type": kind, "meta": {"interface": "select-dropdown-m2o", "special": ["m2o"]}, "schema": {}}
