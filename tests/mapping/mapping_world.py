"""The world that mapping tests live in: two entities, one resource with every type of field, and short ways to load."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from hub.connect.capabilities import Field, Resource
from hub.mapping import CompiledLens, load
from hub.mapping.lens import Problem
from hub.model.spec import EntitySpec, FieldSpec


def spec(name: str, type: Any, **more: Any) -> FieldSpec:
    return FieldSpec(name, type, **more)


def entity(name: str, *fields: FieldSpec, key: str | None = None) -> EntitySpec:
    return EntitySpec(name, {field.name: field for field in fields}, key)


LINE = entity(
    "deal_line", spec("line_no", "integer"), spec("product", "ref", ref="product"), spec("quantity", "decimal"),
    spec("price", "money"), spec("note", "text"), key="line_no",
)  # fmt: skip
ADDRESS = entity(
    "deal_address", spec("kind", "enum", choices=("billing", "shipping")), spec("street", "text"), spec("city", "text"),
    spec("country", "country"), key="kind",
)  # fmt: skip
DEAL = entity(
    "deal", spec("number", "text"), spec("title", "text"), spec("note", "longtext"),
    spec("customer", "ref", ref="customer"),
    spec("status", "enum", choices=("draft", "submitted", "approved", "closed")), spec("currency", "currency"),
    spec("total", "money"), spec("discount", "decimal"), spec("tax_rate", "rate"), spec("count", "integer"),
    spec("taxed", "boolean"), spec("day", "date"), spec("moment", "instant"), spec("phone", "phone"),
    spec("email", "email"), spec("tax_id", "tax_id"), spec("country", "country"), spec("person", "text"),
    spec("lines", "lines", lines=LINE), spec("addresses", "lines", lines=ADDRESS),
)  # fmt: skip
CUSTOMER = entity("customer", spec("number", "text"), spec("name", "text"))
PRODUCT = entity("product", spec("number", "text"), spec("name", "text"))
SPECS = {one.name: one for one in (DEAL, CUSTOMER, PRODUCT)}

RESOURCE = Resource(
    "Deals",
    fields=(
        Field("Number", "text"),
        Field("Title", "text", max_length=20),
        Field("Note", "text"),
        Field("Customer", "reference", reference="Customers", fields=(Field("id", "text"), Field("name", "text"))),
        Field("Owner", "reference", fields=(Field("id", "text"), Field("email", "text"))),
        Field("Status", "choice", choices=("New", "Open", "Won", "Lost")),
        Field("Currency", "choice"),
        Field("Total", "decimal", read_only=True),
        Field("Discount", "decimal"),
        Field("Tax_Rate", "decimal"),
        Field("Count", "integer"),
        Field("Taxed", "boolean"),
        Field("Flag", "text"),
        Field("Day", "date"),
        Field("Moment", "datetime"),
        Field("Stamp", "integer"),
        Field("Phone", "text"),
        Field("Email", "text"),
        Field("Tax_No", "text"),
        Field("Country", "text"),
        Field("First", "text"),
        Field("Last", "text"),
        Field("Tags", "choices"),
        Field("Extra", "object"),
        Field(
            "Finance", "object",
            fields=(Field("Currency", "reference", fields=(Field("Code", "text"),)), Field("Rate", "decimal")),
        ),
        Field("Street", "text"),
        Field("City", "text"),
        Field("Ship_Street", "text"),
        Field("Ship_City", "text"),
        Field(
            "Items", "lines",
            fields=(
                Field("id", "text"), Field("Seq", "integer"), Field("Note", "text"), Field("Qty", "decimal"),
                Field("Product", "reference", fields=(Field("id", "text"),)), Field("Price", "decimal"),
                Field("Taxes", "object", fields=(Field("name", "text"), Field("percent", "decimal"))),
                Field("Sum", "decimal", read_only=True),
            ),
        ),
    ),
    line_ids={"Items": "id"},
)  # fmt: skip


def file_of(fields: str, head: str = "") -> str:
    """A whole mapping file around some fields."""
    body = indent(dedent(fields).strip("\n"), "  ")
    return f"version: 2\nresource: Deals\nentity: deal\n{dedent(head)}fields:\n{body}\n"


def read_mapping(text: str, **more: Any) -> tuple[CompiledLens | None, list[Problem]]:
    more.setdefault("resource", RESOURCE)
    return load(text, specs=SPECS, file="deals.yaml", **more)


def lens_of(fields: str, head: str = "", **more: Any) -> CompiledLens:
    """The lens of some fields; fails with the problems when there are any."""
    lens, problems = read_mapping(file_of(fields, head), **more)
    assert lens is not None, "\n".join(map(str, problems))
    return lens


def get(fields: str, record: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Canonical values of a record, through both ways, which have to agree."""
    lens = lens_of(fields, **more)
    got = lens.get(record)
    assert got.problems == (), got.problems
    assert lens.careful_get(record).values == got.values
    return got.values


def put(fields: str, values: dict[str, Any], old: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """What is written, through both ways, which have to agree."""
    lens = lens_of(fields, **more)
    made = lens.put(values, old)
    assert lens.careful_put(values, old) == made
    return made


def problems_of(fields: str, head: str = "", **more: Any) -> list[str]:
    return [str(problem) for problem in read_mapping(file_of(fields, head), **more)[1]]


FOLDER = Path(__file__).parent
FILES = FOLDER.parent / "mappings"
"""Mappings that are wrong, each with what has to be said of it, and right ones, of which nothing may be said."""
