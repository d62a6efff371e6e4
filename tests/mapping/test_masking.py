"""Masks keep the shape and the validity of what they hide, and nothing of what they hide is left."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.mapping import load
from hub.mapping.compiled import CompiledLens
from hub.mapping.masking import masked, scrambled
from hub.model import entities
from hub.model.checks import check

FIELDS = """\
version: 2
resource: customers
entity: customer
fields:
  number: no
  name: name
  invoice_title: title
  tax_id: tax
  phone: {field: [area, tel], via: [{join: "-"}, {phone: {region: CN, style: national}}]}
  email: mail
  website: web
  status: {field: state, values: {active: A, inactive: B}}
  credit_limit: limit
  owner: {field: rep.name, direction: in}
  addresses[billing]: {fields: {street: street, city: city}}
"""
RECORD: dict[str, Any] = {
    "no": "C00017", "name": "北京达华机械有限公司", "title": "北京达华机械有限公司", "tax": "9111-0105 7l5m8wel92",
    "area": "010", "tel": "87150685", "mail": "Wang.Lei@DAHUA.COM", "web": "https://www.dahua1.com.cn/about",
    "state": "A", "limit": Decimal("12500.50"), "rep": {"id": "77", "name": "Ann Lee"}, "city": "北京",
    "street": "酒仙桥路768号4号楼467室",
    "secret_note": "not mapped",
}  # fmt: skip


def lens() -> CompiledLens:
    made, problems = load(FIELDS, specs=entities())
    assert made is not None, problems
    return made


@pytest.fixture(scope="module")
def mask() -> dict[str, Any]:
    return masked(RECORD, lens(), entities()["customer"])


def test_what_is_not_mapped_is_left_out_and_codes_and_amounts_stay(mask: dict[str, Any]) -> None:
    assert "secret_note" not in mask
    assert mask["rep"].keys() == {"name"}
    for name in ("no", "state", "limit", "city", "area"):
        assert mask[name] == RECORD[name]


def test_nothing_of_a_person_or_company_is_left(mask: dict[str, Any]) -> None:
    for name in ("name", "title", "tax", "tel", "mail", "web", "street"):
        assert mask[name] != RECORD[name]
    text = str(mask).lower()
    for trace in ("达华", "wang", "lei@", "dahua", "ann", "lee", "酒仙桥", "768", "467", "87150685", "7l5m8wel92"):
        assert trace not in text, trace


def test_shapes_and_common_words_stay(mask: dict[str, Any]) -> None:
    assert mask["name"].endswith("有限公司") and len(mask["name"]) == len(RECORD["name"])
    assert mask["name"] == mask["title"]  # what was equal stays equal
    assert mask["mail"].endswith("@EXAMPLE.COM") and mask["mail"][4] == "."
    assert mask["web"].startswith("https://www.") and mask["web"].endswith(".cn/" + mask["web"].rpartition("/")[2])
    assert [c for c in mask["tax"] if not c.isalnum()] == ["-", " "]
    assert mask["tax"][:9] == RECORD["tax"][:9]
    assert "号" in mask["street"] and mask["street"].endswith("室")


def test_the_mask_is_as_valid_as_the_value(mask: dict[str, Any]) -> None:
    spec = entities()["customer"]
    assert check(spec, lens().get(RECORD).values) == []
    got = lens().get(mask)
    assert not got.problems
    assert check(spec, got.values) == []
    assert got.values["phone"].startswith("+8610") and got.values["status"] == "active"


def test_the_same_record_gives_the_same_mask(mask: dict[str, Any]) -> None:
    assert masked(dict(RECORD), lens(), entities()["customer"]) == mask


def test_blanks_nulls_and_absent_values_stay_what_they_are() -> None:
    record = {"no": None, "name": " ", "tel": "", "rep": None}
    assert masked(record, lens(), entities()["customer"]) == {"no": None, "name": " ", "tel": "", "rep": None}


@pytest.mark.parametrize("number", ["DE136695976", "IT00743110157"])
def test_numbers_of_the_european_union_stay_valid(number: str) -> None:
    made = masked({"tax": number}, lens(), entities()["customer"])["tax"]
    assert made != number and made[:2] == number[:2]
    assert check(entities()["customer"], {"tax_id": made}) == []


def test_products_are_nobody_and_lines_keep_their_ids() -> None:
    from hub.connect.capabilities import Field, Resource

    product, _ = load("version: 2\nresource: p\nentity: product\nfields: {name: name}\n", specs=entities())
    assert product is not None
    assert masked({"name": "螺栓 M8"}, product, entities()["product"]) == {"name": "螺栓 M8"}
    rows = Field("rows", "lines", fields=(Field("id"), Field("seq"), Field("note"), Field("other")))
    order, problems = load(
        "version: 2\nresource: o\nentity: order\n"
        "fields: {lines: {field: rows, key: line_no, fields: {line_no: seq, note: note}}}\n",
        specs=entities(), resource=Resource("o", fields=(rows,), line_ids={"rows": "id"}),
    )  # fmt: skip
    assert order is not None, problems
    made = masked({"rows": [{"id": "9", "seq": 1, "note": "for Ann", "other": "x"}]}, order, entities()["order"])
    assert made["rows"][0].keys() == {"id", "seq", "note"}
    assert "Ann" not in str(made)


def test_texts_of_any_kind_are_scrambled() -> None:
    assert scrambled("Zoë Ñandú 😀 007") != "Zoë Ñandú 😀 007"
    assert scrambled("😀 -") == "😀 -"
