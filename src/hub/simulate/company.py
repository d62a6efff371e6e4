"""The built-in company: two or three systems that share customers, products and orders."""

from __future__ import annotations

from functools import cache

from hub.connect.capabilities import Resource
from hub.mapping import load
from hub.mapping.grammar import VERSION
from hub.mapping.load import require
from hub.model import entities
from hub.simulate.ground import Ground, Part
from hub.sync.policy import EntityPolicy

SYSTEMS = ("crm", "erp", "shop")

CUSTOMERS = """
resource: customers
entity: customer
match: [[tax_id], [name]]
fields:
  name: name
  number: code
  tax_id: tax
  phone: {field: tel, via: {phone: {region: CN}}}
  email: mail
  credit_limit: {field: credit, via: money}
  description: {field: note, strength: weak}
"""

PRODUCTS = """
resource: products
entity: product
match: [[number]]
fields:
  number: code
  name: name
"""

ORDERS = """
resource: orders
entity: order
match: [[number]]
fields:
  number: no
  title: title
  customer: {field: customer, ref: customer}
  order_date: {field: date, via: date}
  lines:
    field: lines
    key: line_no
    fields:
      line_no: seq
      product: {field: product, ref: product}
      quantity: qty
      unit_price: {field: price, via: money}
"""

MAPPINGS = {"customer": CUSTOMERS, "product": PRODUCTS, "order": ORDERS}


@cache
def company() -> Ground:
    """The ground of the built-in company; made once."""
    specs = entities()
    parts = {}
    for entity, text in MAPPINGS.items():
        name = f"{entity}s"
        resource = Resource(name, line_ids={"lines": "id"}, probe="external", deletes="tombstones", archive=True)
        for system in SYSTEMS:
            lens = require(*load(f"version: {VERSION}{text}", specs=specs, resource=resource, file=f"{system}/{name}"))
            parts[system, entity] = Part(system, entity, "both", lens, resource)
    policies = {e: EntityPolicy(e, dict.fromkeys(SYSTEMS, "both")) for e in MAPPINGS}
    return Ground(specs, policies, parts, builtin=True).settle()
