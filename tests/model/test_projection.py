"""Rows for the analyst's tables."""

from __future__ import annotations

import pytest

from hub.model import entities
from hub.model.declare import declare
from hub.model.projection import Projector, entity_tables, project_rows


def test_a_record_becomes_rows_with_every_column() -> None:
    values = {"name": "A", "parent": "h0", "addresses": [{"kind": "billing", "city": "B"}, {"kind": "shipping"}]}
    row, children = project_rows(entities()["customer"], "h1", values)
    tables = entity_tables("customer")
    assert tables is not None
    assert set(row) == set(tables.table.columns.keys())
    assert (row["hub_id"], row["name"], row["parent_id"], row["phone"], row["extra"]) == ("h1", "A", "h0", None, None)
    rows = children["customer_address"]
    assert [(r["customer_id"], r["position"], r["kind"], r["city"]) for r in rows] == [
        ("h1", 1, "billing", "B"),
        ("h1", 2, "shipping", None),
    ]
    assert all(set(r) == set(tables.children["customer_address"].table.columns.keys()) for r in rows)


@pytest.mark.parametrize("values", [{}, {"lines": None}, {"lines": []}])
def test_no_lines_means_no_rows_but_the_tables_are_named(values: dict[str, None]) -> None:
    _, children = project_rows(entities()["order"], "h1", values)
    assert children == {"sales_order_line": [], "sales_order_address": []}


def test_declared_fields_land_in_extra() -> None:
    specs, troubles = declare(
        entities(),
        {
            "fields": {
                "order": {"channel": {"type": "text"}, "stages": {"type": "text"}},
                "order.lines": {"batch_no": {"type": "text"}},
            }
        },
    )
    assert not troubles
    row, children = project_rows(
        specs["order"], "h1", {"channel": "web", "lines": [{"line_no": 1, "batch_no": "B7"}, {"line_no": 2}]}
    )
    assert row["extra"] == '{"channel": "web"}'
    assert [line["extra"] for line in children["sales_order_line"]] == ['{"batch_no": "B7"}', None]


def test_a_declared_entity_has_no_tables() -> None:
    specs, _ = declare(entities(), {"entities": {"survey": {"fields": {"name": {"type": "text"}}}}})
    assert entity_tables("survey") is None
    with pytest.raises(KeyError, match="has no tables"):
        Projector(specs["survey"])
