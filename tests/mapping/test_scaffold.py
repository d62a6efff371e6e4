"""What ``hub scaffold`` proposes: names are a hint, values are the proof."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.connect.capabilities import Field, Resource
from hub.mapping import load
from hub.mapping.scaffold import Block, Line, Pair, Scaffold
from hub.mapping.scaffold_text import flow, written
from hub.mapping.words import choice, likeness
from hub.model import entities

TAX_IDS = ("911101057L5M8WEL92", "91330106LC27X7BA8Y", "91330106LC27X7BA8Y")
CITIES = ("上海", "北京", "杭州")


def resource(*fields: Field) -> Resource:
    return Resource("customers", fields=fields)


def proposed(made: Resource, pairs: list[Pair], entity: str = "customer", **options: Any) -> Block:
    return Scaffold(made, entity, entities(), pairs, **options).propose()


def line(block: Block, name: str) -> Line:
    return next(one for one in block.lines if one.name == name)


@pytest.mark.parametrize(
    ("field", "entity", "name", "label"),
    [
        ("number", "customer", "FNumber", "客户编码"), ("name", "customer", "Account_Name", ""),
        ("tax_id", "customer", "vat_no", ""), ("tax_id", "customer", "F_X", "统一社会信用代码"),
        ("currency", "order", "FSettleCurrId", "结算币别"), ("phone", "customer", "电话", ""),
        ("postal_code", "customer.addresses", "ZIP", ""), ("order_date", "order", "FDate", "日期"),
    ],
)  # fmt: skip
def test_names_that_mean_the_same_in_either_language(field: str, entity: str, name: str, label: str) -> None:
    assert likeness(field, entity, name, label) >= 75


@pytest.mark.parametrize(
    ("field", "name"),
    [("district", "Country"), ("fax", "FNumber"), ("invoice_title", "Billing_State"), ("email", "地址")],
)
def test_names_of_similar_letters_are_not_the_same(field: str, name: str) -> None:
    assert likeness(field, "customer", name) < 75


def test_words_of_a_list_of_choices() -> None:
    assert choice("启用", ("active", "inactive")) == "active"
    assert choice("Closed", ("active", "inactive")) == "inactive"
    assert choice("Manufacturing", ("active", "inactive")) is None


def test_a_line_whose_samples_survive_is_active_and_others_are_comments() -> None:
    made = resource(Field("编号", "text"), Field("tax_no", "text"), Field("电话", "text"), Field("fax", "text"))
    rows = [{"编号": f"C{n}", "tax_no": tax, "电话": "-- n/a --", "fax": None} for n, tax in enumerate(TAX_IDS)]
    block = proposed(made, [Pair(row, None) for row in rows])
    assert line(block, "number").active and line(block, "tax_id").active
    assert line(block, "tax_id").reason == "3 of 3 sample values there and back"
    assert "3 of them doubtful" in line(block, "phone").reason
    assert not line(block, "phone").active  # the name is right, but these are no phone numbers
    assert not line(block, "fax").active
    assert line(block, "fax").reason == "no sample has a value"


def test_linked_records_prove_a_line_whatever_it_is_called_and_refute_a_name() -> None:
    made = resource(Field("x17", "text"), Field("name", "text"), Field("no", "text"))
    pairs = [
        Pair({"x17": f"{city}贸易", "name": f"internal {n}", "no": f"{n}"}, {"name": f"{city}贸易", "number": f"{n}"})
        for n, city in enumerate(CITIES)
    ]
    block = proposed(made, pairs)
    active = line(block, "name")
    assert (active.path, active.active, active.confidence) == ("x17", True, 97)
    assert active.reason == "reproduces 3 of 3 linked values"
    assert line(block, "number").active
    refuted = proposed(resource(Field("name", "text")), pairs)
    assert refuted.lines and not refuted.active
    assert refuted.lines[0].reason == "reproduces 0 of 3 linked values"


def test_one_linked_record_that_differs_makes_a_comment_of_a_line() -> None:
    made = resource(Field("name", "text"))
    pairs = [Pair({"name": city}, {"name": city}) for city in CITIES]
    assert proposed(made, pairs).active
    block = proposed(made, [*pairs, Pair({"name": "x"}, {"name": "y"})])
    assert not block.active
    assert block.lines[0].confidence == 75


def test_a_value_table_is_learned_from_links_and_else_from_words() -> None:
    made = resource(Field("status", "text"), Field("no", "text"))
    linked = [
        Pair({"status": word, "no": f"{n}"}, {"status": meant, "number": f"{n}"})
        for n, (word, meant) in enumerate([("A", "active"), ("B", "inactive"), ("A", "active")])
    ]
    assert line(proposed(made, linked), "status").rule == {
        "field": "status",
        "values": {"active": "A", "inactive": "B"},
    }
    alone = [Pair({"status": word, "no": "1"}, None) for word in ("启用", "停用")]
    assert line(proposed(made, alone), "status").rule["values"] == {"active": "启用", "inactive": "停用"}


def test_references_lines_and_picked_addresses() -> None:
    order = Resource(
        "bills",
        fields=(
            Field("FBillNo", "text", "单据编号"),
            Field("FCustId", "reference", "客户", fields=(Field("FNumber", "text"), Field("FName", "text"))),
            Field("billing_city", "text"), Field("billing_street", "text"),
            Field("FEntry", "lines", "订单明细", fields=(
                Field("FQty", "decimal", "数量"), Field("FAmount", "decimal", "金额", read_only=True),
            )),
        ),
    )  # fmt: skip
    rows = [
        {"FBillNo": f"XS{n}", "FCustId": {"FNumber": f"C{n}", "FName": "x"},
         "billing_city": "上海", "billing_street": "南京路",
         "FEntry": [{"FQty": Decimal(n), "FAmount": Decimal("1.5")}]}
        for n in range(1, 4)
    ]  # fmt: skip
    block = proposed(order, [Pair(row, None) for row in rows], "order")
    assert line(block, "customer").rule == {"field": "FCustId.FNumber", "ref": "customer"}
    assert [inner.name for inner in block.inner] == ["addresses[billing]", "lines"]
    lines = block.inner[1]
    assert lines.head == {"field": "FEntry", "key": "line_no"}
    assert line(lines, "line_no").rule == {"position": True}
    assert line(lines, "quantity").active
    assert line(lines, "net_amount").rule == {"field": "FAmount", "direction": "in"}
    text = written(block, resource="bills", entity="order", head="x", rest=["FOther"])
    lens, problems = load(text, specs=entities(), resource=order)
    assert lens is not None, problems
    assert lens.get(rows[0]).values["lines"] == [{"line_no": 1, "quantity": "1", "net_amount": "1.5"}]


def test_a_line_that_breaks_the_laws_is_no_active_one() -> None:
    made = resource(Field("name", "text", max_length=20))
    pairs = [Pair({"name": city}, None) for city in CITIES]

    def prove(lens: Any, records: list[dict[str, Any]]) -> list[Any]:
        from hub.mapping.laws import check_laws

        return check_laws(lens, entities()["customer"], made, records)

    found = line(proposed(made, pairs, prove=prove), "name")
    assert found.active
    assert prove(load("version: 2\n", specs=entities(), resource=made, overrides={
        "version": 2, "resource": "customers", "entity": "customer", "fields": {"name": found.rule},
    })[0], [{"name": "上海"}]) == []  # fmt: skip


def test_text_that_yaml_would_misread_is_quoted() -> None:
    values = {"a: b": ["no", "1", "Line_Tax[0].x", "客户 名", 1, None, True]}
    from hub.mapping.reading import read_yaml

    section, problems = read_yaml(f"x: {flow(values)}\n")
    assert section is not None and not problems
    assert section.data == {"x": values}
