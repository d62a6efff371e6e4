"""Examples beside a mapping are tried through the real lens, in both directions, with differences one can read."""

from decimal import Decimal
from pathlib import Path

from mapping.mapping_world import lens_of

from hub.mapping.examples import differences, run_examples

FIELDS = """
number: Number
status: {field: Status, values: {draft: [New, Open], approved: Won}}
total: {field: Total, direction: in}
customer: Customer.id
mark: {field: Extra.by, constant: hub}
lines: {field: Items, key: line_no, fields: {line_no: Seq, quantity: Qty}}
addresses[billing]: {fields: {street: Street, city: City}}
"""

RIGHT = """
- name: an order with a line
  remote:
    id: "77"
    Number: A1
    Status: New
    Total: 10.50
    Customer: {id: "5", name: Five}
    Extra: {by: hub}
    Items: [{id: x, Seq: 1, Qty: 2.0, Sum: 10.50}]
    Street: Weg 1
    City: null
  canonical:
    number: A1
    status: draft
    total: "10.5"
    customer: "5"
    lines: [{line_no: 1, quantity: "2"}]
    addresses: [{kind: billing, street: Weg 1, city: null}]
- name: another word for draft
  direction: in
  remote: {Status: Open}
  canonical: {status: draft}
- name: a line is added
  direction: out
  remote: {}
  canonical: {lines: [{line_no: 1, quantity: "2"}, {line_no: 2, quantity: "3"}]}
  old: {Items: [{id: x, Seq: 1, Qty: 2}]}
  written: {Items: [{id: x, Seq: 1, Qty: 2}, {Seq: 2, Qty: 3}]}
"""


def results(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "Deals_test.yaml"
    path.write_text(text, "utf-8")
    return [str(result).replace(str(path), "Deals_test.yaml") for result in run_examples(path, lens_of(FIELDS))]


def test_right_examples_pass_in_their_directions(tmp_path):
    assert results(tmp_path, RIGHT) == [
        "Deals_test.yaml:2:3: an order with a line (remote → canonical): right",
        "Deals_test.yaml:2:3: an order with a line (canonical → remote): right",
        "Deals_test.yaml:20:3: another word for draft (remote → canonical): right",
        "Deals_test.yaml:24:3: a line is added (canonical → remote): right",
    ]


def test_wrong_examples_say_what_differs(tmp_path):
    text = """
- name: wrong
  remote: {Number: A1, Status: Won, Items: [{Seq: 1, Qty: 2}, {Seq: 2, Qty: x}], Customer: {id: "5"}}
  canonical: {number: A2, status: approved, lines: [{line_no: 1, quantity: "2"}]}
- name: can't be written
  direction: out
  remote: {}
  canonical: {status: closed}
"""
    told = results(tmp_path, text)
    assert told[0].splitlines() == [
        "Deals_test.yaml:2:3: wrong (remote → canonical): wrong",
        "  lines[2].quantity: expected a number, got 'x'; thousands separators, signs of currency and other marks have"
        " to be removed (mapping: deals.yaml:10:62)",
        "  number: wanted 'A2', got 'A1'",
        "  lines: wanted [{'line_no': 1, 'quantity': '2'}], got nothing",
        "  customer: wanted nothing, got '5'",
    ]
    assert told[1].splitlines() == [
        "Deals_test.yaml:2:3: wrong (canonical → remote): wrong",
        "  Number: wanted 'A1', got 'A2'",
        "  Customer: wanted {'id': '5'}, got nothing",
        "  Items: wanted 2 lines, got 1",
        "  Extra: wanted nothing, got {'by': 'hub'}",
    ]
    assert "the value table has no 'closed'" in told[2]


def test_a_broken_example_file_is_one_wrong_result(tmp_path):
    assert results(tmp_path, "- name: x\n  remot: {}\n") == [
        "Deals_test.yaml:1:3: the file (remote → canonical): wrong\n  'canonical' is missing → add 'canonical:'"
        " (Its canonical values, in canonical form.)",
        "Deals_test.yaml:2:3: the file (remote → canonical): wrong\n  unknown key 'remot' → did you mean 'remote'?",
    ]
    assert "a list of examples was expected" in results(tmp_path, "a: 1\n")[0]


def test_differences_tell_types_apart():
    assert differences({"a": 1, "b": True}, {"a": Decimal("1.0"), "b": 1}) == ["b: wanted true, got 1"]
    assert differences({"a": "1"}, {"a": 1}) == ["a: wanted '1', got 1"]
    assert differences([{"a": None}], [{"a": ""}]) == ["[0].a: wanted null, got ''"]
