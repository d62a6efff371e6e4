"""What a mapping does with a record: three states, keys, complements, what is left alone, and what is refused."""

from decimal import Decimal

import pytest
from mapping.mapping_world import get, lens_of, put

from hub.connect.capabilities import Field, Resource
from hub.errors import RecordRejected

D = Decimal

LINES = """
number: Number
lines:
  field: Items
  key: line_no
  fields:
    line_no: Seq
    product: Product.id
    quantity: Qty
    note: {field: Note, default: neu}
    mark: {field: "Taxes[name=VAT].percent", constant: 13}
"""


# Three states ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["title: Title", "discount: Discount", "customer: Customer.id", "day: Day"])
def test_absent_stays_absent_and_null_stays_null(field):
    path = field.partition(": ")[2]
    assert get(field, {}) == {}
    null = {"Customer": None} if path == "Customer.id" else {path: None}
    name = field.partition(":")[0]
    assert get(field, null) == {name: None}
    assert put(field, {}) == {}
    assert put(field, {name: None}) == null


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u3000"])
def test_blank_text_is_null_whatever_the_type(blank):
    fields = "title: Title\ndiscount: Discount\nday: Day\nphone: Phone\nstatus: {field: Status, values: {draft: New}}"
    record = dict.fromkeys(("Title", "Discount", "Day", "Phone", "Status"), blank)
    assert get(fields, record) == dict.fromkeys(("title", "discount", "day", "phone", "status"))


def test_blank_may_be_told_to_say_nothing():
    field = "tax_id: {field: Tax_No, blank: ignore}"
    assert get(field, {"Tax_No": None}) == {}
    assert get(field, {"Tax_No": " "}) == {}
    assert get(field, {"Tax_No": "x 1"}) == {"tax_id": "X1"}


def test_blank_may_stand_for_a_value():
    field = "currency: {field: Currency, assume: cny}"
    assert get(field, {"Currency": ""}) == {"currency": "CNY"}
    assert get(field, {}) == {}
    assert put(field, {"currency": "CNY"}, {"Currency": None}) == {"Currency": None}, "it means the same already"
    assert put(field, {"currency": "USD"}, {"Currency": None}) == {"Currency": "USD"}


def test_null_may_be_written_as_something_else():
    assert put('note: {field: Note, null_as: " "}', {"note": None}) == {"Note": " "}
    assert put('note: {field: Note, null_as: ""}', {"note": None}, {"Note": "x"}) == {"Note": ""}


def test_clearing_a_reference_clears_the_whole_of_it_and_a_member_only_itself():
    assert put("customer: Customer.id", {"customer": None}, {"Customer": {"id": "1"}}) == {"Customer": None}
    assert put("title: Extra.code", {"title": None}) == {"Extra": {"code": None}}
    assert put("title: {field: Extra.code, clear: parent}", {"title": None}) == {"Extra": None}
    assert put("currency: Finance.Currency.Code", {"currency": None}) == {"Finance": {"Currency": None}}


# Creates --------------------------------------------------------------------------------------------------------------


def test_a_create_adds_constants_and_defaults_and_an_update_does_not():
    fields = "title: {field: Title, default: neu}\nx: {field: Extra.by, constant: hub}"
    assert put(fields, {}) == {"Title": "neu", "Extra": {"by": "hub"}}
    assert put(fields, {"title": None}) == {"Title": "neu", "Extra": {"by": "hub"}}
    assert put(fields, {"title": "alt"}) == {"Title": "alt", "Extra": {"by": "hub"}}
    assert put(fields, {}, {"Title": "x"}) == {}
    assert put(fields, {"title": None}, {"Title": "x"}) == {"Title": None}


def test_a_default_is_a_canonical_value():
    assert put("status: {field: Status, values: {draft: New, approved: Won}, default: draft}", {}) == {"Status": "New"}


def test_a_canonical_constant_is_read_and_never_written():
    fields = "taxed: {always: true}\ntitle: Title"
    assert get(fields, {"Title": "a"}) == {"taxed": True, "title": "a"}
    assert put(fields, {"taxed": False, "title": "a"}) == {"Title": "a"}
    assert lens_of(fields).fields["taxed"].remote == ()


def test_a_required_field_without_a_value_is_refused():
    lens = lens_of("title: {field: Title, required: true}")
    for values, old in (({}, None), ({"title": None}, None), ({"title": None}, {"Title": "x"})):
        with pytest.raises(RecordRejected, match="it is required") as caught:
            lens.put(values, old)
        assert caught.value.field == "title"
    assert lens.put({}, {"Title": "x"}) == {}


# Directions -----------------------------------------------------------------------------------------------------------


def test_directions():
    fields = "total: {field: Total, direction: in}\nnote: {field: Note, direction: out}\ntitle: Title"
    assert get(fields, {"Total": D("1"), "Note": "n", "Title": "t"}) == {"total": "1", "title": "t"}
    assert put(fields, {"total": "1", "note": "n", "title": "t"}) == {"Note": "n", "Title": "t"}


# What is there already ------------------------------------------------------------------------------------------------


def test_what_means_the_same_is_left_as_it_is():
    fields = """
    status: {field: Status, values: {draft: [New, Open], approved: Won}}
    phone: {field: Phone, via: {phone: CN}}
    person: {field: [First, Last], via: {join: " "}}
    discount: {field: Discount, via: {number: 2}}
    """
    old = {"Status": "Open", "Phone": "138 0000 0000", "First": "Lei Z", "Last": "Li", "Discount": D("1.004")}
    lens = lens_of(fields)
    assert lens.put(lens.get(old).values, old) == old
    made = lens.put({"status": "draft", "person": "Wang Li"}, {**old, "Status": "Won"})
    assert made == {"Status": "New", "First": "Wang", "Last": "Li"}


def test_a_part_is_written_into_the_rest_of_its_text():
    fields = """
    title: {field: Note, via: {part: {separator: ", ", number: 1}}}
    person: {field: Note, via: {part: {separator: ", ", number: 2}}}
    """
    assert get(fields, {"Note": "Hamburg, 20457"}) == {"title": "Hamburg", "person": "20457"}
    assert get(fields, {"Note": "Hamburg"}) == {"title": "Hamburg", "person": None}
    old = {"Note": "Hamburg, 20457"}
    assert put(fields, {"title": "Altona"}, old) == {"Note": "Altona, 20457"}
    assert put(fields, {"title": "Altona", "person": "22765"}, old) == {"Note": "Altona, 22765"}
    assert put(fields, {"title": "Altona", "person": "22765"}) == {"Note": "Altona, 22765"}
    assert put(fields, {"person": None}, old) == {"Note": "Hamburg"}


def test_members_that_are_not_mapped_survive_where_the_object_is_one_value():
    old = {"Extra": {"code": "1", "colour": "red"}}
    assert put("title: Extra.code", {"title": "2"}, old) == {"Extra": {"code": "2", "colour": "red"}}


def test_a_sub_head_is_written_in_part_and_a_reference_fresh():
    old = {"Finance": {"Currency": {"Code": "CNY"}, "Rate": D("1")}, "Customer": {"id": "1", "name": "One"}}
    assert put("discount: Finance.Rate", {"discount": "2"}, old) == {"Finance": {"Rate": D("2")}}
    assert put("customer: Customer.id", {"customer": "2"}, old) == {"Customer": {"id": "2"}}


def test_the_old_record_and_the_values_are_never_changed():
    old = {"Extra": {"code": "1"}, "Items": [{"id": "a", "Seq": 1, "Taxes": [{"name": "VAT", "percent": 6}]}]}
    values = {"title": "2", "lines": [{"line_no": 1, "quantity": "3"}]}
    fields = "title: Extra.code\n" + LINES.replace("number: Number", "")
    put(fields, values, old)
    assert old == {"Extra": {"code": "1"}, "Items": [{"id": "a", "Seq": 1, "Taxes": [{"name": "VAT", "percent": 6}]}]}
    assert values == {"title": "2", "lines": [{"line_no": 1, "quantity": "3"}]}


# Lines ----------------------------------------------------------------------------------------------------------------


def test_lines_are_read_sorted_by_their_key():
    record = {"Items": [{"id": "b", "Seq": 2, "Qty": D("2.0")}, {"id": "a", "Seq": 1, "Product": {"id": "p"}}]}
    assert get(LINES, record) == {"lines": [{"line_no": 1, "product": "p"}, {"line_no": 2, "quantity": "2"}]}
    assert get(LINES, {"Items": None}) == {"lines": []}
    assert get(LINES, {"Items": []}) == {"lines": []}
    assert get(LINES, {}) == {}


def test_lines_are_written_complete_each_with_its_own_id():
    old = {"Items": [{"id": "b", "Seq": 2, "Qty": D("2.0")}, {"id": "a", "Seq": 1, "Qty": D("1"), "Note": "x"}]}
    lines = [{"line_no": 3, "quantity": "5"}, {"line_no": 2, "quantity": "2"}, {"line_no": 1, "note": None}]
    assert put(LINES, {"lines": lines}, old) == {
        "Items": [
            {"id": "a", "Seq": 1, "Note": None},
            {"id": "b", "Seq": 2, "Qty": D("2.0")},
            {"Seq": 3, "Qty": D("5"), "Note": "neu", "Taxes": [{"name": "VAT", "percent": 13}]},
        ]
    }
    assert put(LINES, {"lines": []}, old) == {"Items": []}
    assert put(LINES, {"lines": None}, old) == {"Items": []}
    assert put(LINES, {"number": "1"}, old) == {"Number": "1"}


def test_lines_without_ids_of_their_own_keep_what_is_not_mapped():
    resource = Resource("Deals", fields=(Field("Items", "any"),))
    fields = "lines: {field: Items, key: line_no, fields: {line_no: Seq, quantity: Qty}}"
    old = {"Items": [{"Seq": 1, "Qty": 1, "colour": "red"}]}
    assert put(fields, {"lines": [{"line_no": 1, "quantity": "2"}]}, old, resource=resource) == {
        "Items": [{"Seq": 1, "Qty": D("2"), "colour": "red"}]
    }


def test_renumbered_lines_are_recognised_by_what_they_are_about():
    fields = LINES.replace("key: line_no", "key: line_no\n  same: product")
    old = {"Items": [{"id": "a", "Seq": 1, "Product": {"id": "p"}}, {"id": "b", "Seq": 2, "Product": {"id": "q"}}]}
    lines = [{"line_no": 1, "product": "p"}, {"line_no": 4, "product": "q"}, {"line_no": 5, "product": "q"}]
    ids = [line.get("id") for line in put(fields, {"lines": lines}, old)["Items"]]
    assert ids == ["a", "b", None]
    ids = [line.get("id") for line in put(LINES, {"lines": lines}, old)["Items"]]
    assert ids == ["a", None, None], "without `same` only the key counts"


def test_lines_may_be_numbered_by_their_place():
    fields = "lines: {field: Items, key: line_no, fields: {line_no: {position: true}, product: Product.id}}"
    old = {"Items": [{"id": "x", "Product": {"id": "p"}}, {"id": "y", "Product": {"id": "q"}}]}
    assert get(fields, old) == {"lines": [{"line_no": 1, "product": "p"}, {"line_no": 2, "product": "q"}]}
    assert put(fields, {"lines": [{"line_no": 2, "product": "r"}]}, old) == {
        "Items": [{"id": "y", "Product": {"id": "r"}}]
    }


@pytest.mark.parametrize(
    ("items", "field", "message"),
    [
        ([{"Seq": 1}, {"Seq": 1}], "lines[1]", "two lines have the same line_no 1"),
        ([{"Qty": D("1")}], "lines[1]", "the line has no line_no, which tells lines apart"),
        ([{"Seq": 7, "Qty": "x"}], "lines[7].quantity", "expected a number"),
        ([{"Seq": "x"}], "lines[1].line_no", "expected a whole number"),
        (["x"], "lines[1]", "expected an object"),
        ("x", "lines", "expected a list of lines"),
    ],
)
def test_a_list_with_a_bad_line_is_left_out_and_the_line_named(items, field, message):
    got = lens_of(LINES).get({"Number": "1", "Items": items})
    assert got.values == {"number": "1"}
    assert [problem.field for problem in got.problems] == [field]
    assert message in got.problems[0].message


PICKS = """
addresses[shipping]: {fields: {street: Ship_Street, city: Ship_City}}
addresses[billing]: {fields: {street: Street, city: City, country: {always: CN}}}
"""


def test_a_line_may_live_in_fields_of_its_own():
    record = {"Street": "A 1", "City": None, "Ship_Street": "B 2", "Ship_City": "Ulm"}
    assert get(PICKS, record) == {
        "addresses": [
            {"kind": "billing", "street": "A 1", "city": None, "country": "CN"},
            {"kind": "shipping", "street": "B 2", "city": "Ulm"},
        ]
    }


def test_such_a_line_is_not_there_when_all_its_fields_are_blank():
    assert get(PICKS, {"Street": "", "City": None, "Ship_City": "Ulm"}) == {
        "addresses": [{"kind": "shipping", "city": "Ulm"}]
    }
    assert get(PICKS, {"Street": None}) == {"addresses": []}
    assert get(PICKS, {}) == {}


def test_such_a_line_is_cleared_when_it_is_gone():
    addresses = [{"kind": "billing", "street": "A 1", "city": "Ulm"}, {"kind": "other"}]
    written = {"Street": "A 1", "City": "Ulm", "Ship_Street": None, "Ship_City": None}
    assert put(PICKS, {"addresses": addresses}) == written
    assert put(PICKS, {"addresses": addresses}, {"Ship_City": "x"}) == written
    assert put(PICKS, {"addresses": None}) == dict.fromkeys(written)
    assert put(PICKS, {"addresses": [{"kind": "shipping", "city": "Ulm"}]}, {}) == {
        "Street": None, "City": None, "Ship_City": "Ulm",
    }  # fmt: skip


# What can't be translated ---------------------------------------------------------------------------------------------


def test_a_bad_value_is_one_problem_and_the_rest_is_read():
    lens = lens_of("title: Title\nday: Day\ncustomer: Customer.id\nperson: {field: [First, Last], via: {join: ' '}}")
    got = lens.get({"Title": "t", "Day": "soon", "Customer": "x", "First": {"a": 1}, "Last": "b"})
    assert got.values == {"title": "t"}
    assert [(p.field, p.remote, p.value, str(p.position)) for p in got.problems] == [
        ("day", "Day", "soon", "deals.yaml:6:3"),
        ("customer", "Customer.id", None, "deals.yaml:7:3"),
        ("person", "First, Last", [{"a": 1}, "b"], "deals.yaml:8:3"),
    ]
    assert got.problems[0].message == "expected a date like 2026-01-15, got 'soon'"
    assert got.problems[1].message == "expected an object with 'id' in it, got 'x'"


def test_many_records_are_read_one_by_one():
    lens = lens_of("count: Count")
    got = lens.get_many([{"Count": 1}, {"Count": "x"}, {"Count": 3}])
    assert [g.values for g in got] == [{"count": 1}, {}, {"count": 3}]
    assert [len(g.problems) for g in got] == [0, 1, 0]


@pytest.mark.parametrize(
    ("fields", "values", "field", "message"),
    [
        ("status: {field: Status, values: {draft: New}}", {"status": "closed"}, "status", "table has no 'closed'"),
        ("title: Title", {"title": "x" * 21}, "title", "21 characters, Title has room for 20"),
        ("title: Count", {"title": "A1"}, "title", "expected a whole number"),
        ("discount: Count", {"discount": "1.5"}, "discount", "expected a whole number"),
        (LINES, {"lines": [{"line_no": 2, "quantity": "x"}]}, "lines[2].quantity", "can't be written to Qty"),
        ("addresses[billing]: {fields: {street: Title}}", {"addresses": [{"kind": "billing", "street": "x" * 21}]},
         "addresses[billing].street", "has room for 20"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("old", [None, {}])
def test_a_value_that_cant_be_expressed_is_refused_by_name(fields, values, field, message, old):
    with pytest.raises(RecordRejected) as caught:
        lens_of(fields).put(values, old)
    assert caught.value.field == field
    assert message in str(caught.value)
    assert caught.value.where.startswith("deals.yaml:")


def test_values_take_the_type_of_the_remote_field():
    assert put("title: Count", {"title": "12"}) == {"Count": 12}
    assert put("title: Discount", {"title": "12.50"}) == {"Discount": D("12.50")}
    assert put("discount: Title", {"discount": "12.5"}) == {"Title": "12.5"}
    assert put("count: Title", {"count": 12}) == {"Title": "12"}
    assert put("customer: Count", {"customer": "11"}) == {"Count": 11}
    assert get("customer: Count", {"Count": 11}) == {"customer": "11"}
    assert put("taxed: Count", {"taxed": True}) == {"Count": 1}
    made = put("discount: Discount", {"discount": "0.10"})["Discount"]
    assert isinstance(made, Decimal) and made == D("0.1")


def test_odd_names_are_names_like_all_others():
    fields = 'title: "O\'Neil \\"🙂\\" {x} 订单"\nnote: \'"a.b"."c[0]"\''
    lens = lens_of(fields, resource=None)
    record = {'O\'Neil "🙂" {x} 订单': "t", "a.b": {"c[0]": "n"}}
    assert lens.get(record).values == {"title": "t", "note": "n"}
    assert lens.put({"title": "t", "note": "n"}, None) == record
