"""What a project adds to the model: typed, checked, each mistake at its place."""

from __future__ import annotations

from typing import Any

import pytest

from hub.model import entities
from hub.model.declare import by_reference, declare


def test_fields_and_entities_are_added_without_touching_the_bundled_specs() -> None:
    section = {
        "fields": {
            "customer": {"vip_level": {"type": "integer", "description": "1 is best"}, "region": "text"},
            "order.lines": {"batch_no": {"type": "text", "max_length": 20}},
            "invoice": {"status": {"type": "enum", "choices": ["disputed"]}},
        },
        "entities": {
            "shipment": {
                "title": ["number"],
                "fields": {
                    "number": "text",
                    "order": {"type": "ref", "ref": "order"},
                    "carrier": {"type": "ref", "ref": "carrier"},
                    "lines": {
                        "type": "lines",
                        "key": "line_no",
                        "fields": {"line_no": "integer", "quantity": "decimal"},
                    },
                },
            },
            "carrier": {"fields": {"name": {"type": "text"}}},
        },
    }
    specs, troubles = declare(entities(), section)
    assert troubles == []
    assert specs["customer"].fields["vip_level"].type == "integer"
    assert specs["customer"].fields["region"].type == "text"
    lines = specs["order"].fields["lines"].lines
    assert lines is not None and lines.fields["batch_no"].max_length == 20
    assert specs["invoice"].fields["status"].choices[-1] == "disputed"
    assert specs["shipment"].title == ("number",)
    below = specs["shipment"].fields["lines"].lines
    assert below is not None and below.key == "line_no"
    order = by_reference(specs)
    assert order.index("shipment") > max(order.index("order"), order.index("carrier"))
    assert "vip_level" not in entities()["customer"].fields


def test_a_circle_of_references_still_has_an_order() -> None:
    section = {
        "entities": {
            "a": {"fields": {"b": {"type": "ref", "ref": "b"}}},
            "b": {"fields": {"a": {"type": "ref", "ref": "a"}}},
        }
    }
    specs, troubles = declare({}, section)
    assert troubles == []
    assert sorted(by_reference(specs)) == ["a", "b"]


@pytest.mark.parametrize(
    ("section", "where", "message", "cure"),
    [
        ({"felds": {}}, ("felds",), "unknown key 'felds'", "did you mean 'fields'?"),
        ({"fields": {"custmer": {}}}, ("fields", "custmer"), "unknown entity 'custmer'", "did you mean 'customer'?"),
        ({"fields": {"order.line": {}}}, ("fields", "order.line"), "no lines 'line'", "did you mean 'order.lines'?"),
        ({"fields": {"product.parts": {}}}, ("fields", "product.parts"), "no lines", ""),
        ({"fields": {"customer": None}}, ("fields", "customer"), "expected fields", "name: {type: text}"),
        (
            {"fields": {"customer": {"Vip": {"type": "text"}}}},
            ("fields", "customer", "Vip"),
            "'Vip' can't name a field",
            "lower-case",
        ),
        ({"fields": {"customer": {"hub_id": "text"}}}, ("fields", "customer", "hub_id"), "can't name", "not one of"),
        (
            {"fields": {"customer": {"vip": {"type": "integr"}}}},
            ("fields", "customer", "vip", "type"),
            "'integr' is not a type",
            "did you mean 'integer'?",
        ),
        ({"fields": {"customer": {"vip": {}}}}, ("fields", "customer", "vip", "type"), "has no type", "one of text"),
        (
            {"fields": {"customer": {"phone": {"type": "text"}}}},
            ("fields", "customer", "phone"),
            "there already, as phone",
            "another name",
        ),
        (
            {"fields": {"customer": {"vip": {"type": "enum"}}}},
            ("fields", "customer", "vip"),
            "needs choices",
            "choices: [",
        ),
        (
            {"fields": {"customer": {"vip": {"type": "enum", "choices": "ab"}}}},
            ("fields", "customer", "vip", "choices"),
            "choices must be a list",
            "",
        ),
        (
            {"fields": {"customer": {"vip": {"type": "text", "choices": ["a"]}}}},
            ("fields", "customer", "vip", "choices"),
            "belongs to a field of type enum",
            "type: enum",
        ),
        (
            {"fields": {"customer": {"boss": {"type": "ref", "ref": "contct"}}}},
            ("fields", "customer", "boss", "ref"),
            "unknown entity 'contct'",
            "did you mean 'contact'?",
        ),
        (
            {"fields": {"customer": {"vip": {"type": "text", "max_length": 0}}}},
            ("fields", "customer", "vip", "max_length"),
            "above 0",
            "",
        ),
        (
            {"entities": {"order": {"fields": {"a": "text"}}}},
            ("entities", "order"),
            "exists already",
            "model.fields.order",
        ),
        (
            {"entities": {"Bad Name": {"fields": {"a": "text"}}}},
            ("entities", "Bad Name"),
            "can't name an entity",
            "lower",
        ),
        ({"entities": {"survey": {"fields": {}}}}, ("entities", "survey"), "has no fields", "declare"),
        (
            {"entities": {"survey": {"title": ["nme"], "fields": {"name": "text"}}}},
            ("entities", "survey", "title", 0),
            "'nme' is not a field",
            "did you mean 'name'?",
        ),
        (
            {"entities": {"s": {"fields": {"l": {"type": "lines", "key": "no", "fields": {"nr": "integer"}}}}}},
            ("entities", "s", "fields", "l", "key"),
            "'no' is not a field of these lines",
            "nr",
        ),
        (
            {
                "entities": {
                    "s": {
                        "fields": {
                            "l": {
                                "type": "lines",
                                "key": "no",
                                "fields": {
                                    "no": "integer",
                                    "m": {"type": "lines", "key": "a", "fields": {"a": "text"}},
                                },
                            }
                        }
                    }
                }
            },
            ("entities", "s", "fields", "l", "fields", "m"),
            "lines can't hold lines",
            "refers to this one",
        ),
    ],
)
def test_each_mistake_is_named_at_its_place(section: dict[str, Any], where: Any, message: str, cure: str) -> None:
    _, troubles = declare(entities(), section)
    first = troubles[0]
    assert first.where == where
    assert message in first.message
    assert cure in first.cure


def test_what_is_right_survives_beside_what_is_wrong() -> None:
    specs, troubles = declare(entities(), {"fields": {"customer": {"good": "text", "bad": "txt"}}})
    assert len(troubles) == 1
    assert "good" in specs["customer"].fields
    assert "bad" not in specs["customer"].fields
