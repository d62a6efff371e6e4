"""Doubts are reported: amounts that don't add up, tax, phone and e-invoice numbers that can't be right."""

from __future__ import annotations

from typing import Any

import pytest

from hub.connect import sample_data
from hub.model import entities, forms
from hub.model.checks import check, einvoice_doubt, tax_id_doubt
from hub.model.spec import EntitySpec
from hub.model.totals import check_totals, smallest_unit


def order(**changes: Any) -> dict[str, Any]:
    """Two lines at 13 %, net prices; ``changes`` are merged in, ``line1`` into the first line."""
    line1 = {
        "line_no": 1, "quantity": "3", "unit_price": "33.33", "tax_rate": "13", "net_amount": "99.99",
        "tax_amount": "13", "amount": "112.99",
    }  # fmt: skip
    line2 = {
        "line_no": 2, "quantity": "10", "unit_price": "20", "discount": "20", "tax_rate": "13", "net_amount": "180",
        "tax_amount": "23.4", "amount": "203.4",
    }  # fmt: skip
    values = {"currency": "CNY", "net_total": "279.99", "tax_total": "36.4", "total": "316.39"}
    return {**values, "lines": [{**line1, **changes.pop("line1", {})}, line2], **changes}


def fields(values: dict[str, Any]) -> list[str]:
    return [finding.field for finding in check_totals(values)]


def test_an_order_that_adds_up_has_no_findings() -> None:
    assert fields(order()) == []


def test_a_wrong_total_is_told_with_both_figures() -> None:
    (finding,) = check_totals(order(total="999"))
    assert finding.field == "total"
    assert "is 999, but net 279.99" in finding.message
    assert "is 316.39 (difference 682.61)" in finding.message


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"net_total": "200", "total": "236.4"}, ["net_total"]),
        ({"tax_total": "30", "total": "309.99"}, ["tax_total"]),
        ({"line1": {"amount": "112"}}, ["lines[1].amount"]),
        ({"line1": {"tax_rate": "6"}}, ["lines[1].tax_amount"]),
        ({"line1": {"quantity": "4"}}, ["lines[1].net_amount"]),
        ({"line1": {"discount_rate": "50"}}, ["lines[1].net_amount"]),
        ({"discount": "10", "total": "306.39"}, []),
        ({"freight": "15.5", "total": "331.89"}, []),
        ({"total": "316.41"}, []),
        ({"total": "316.42"}, ["total"]),
        ({"total": None}, []),
        ({"lines": []}, []),
    ],
)
def test_which_amounts_are_found_wrong(changes: dict[str, Any], wanted: list[str]) -> None:
    assert fields(order(**changes)) == wanted


def test_prices_with_tax_are_held_against_the_gross_amount() -> None:
    line = {
        "line_no": 1, "quantity": "300", "unit_price_tax": "1.13", "unit_price": "1.00", "net_amount": "300",
        "tax_amount": "39", "amount": "339",
    }  # fmt: skip
    assert fields({"price_includes_tax": True, "lines": [line]}) == []
    wrong = {**line, "unit_price_tax": "2.26"}
    assert fields({"price_includes_tax": True, "lines": [wrong]}) == ["lines[1].amount"]
    # Where the document doesn't say which price was agreed, it is enough that one fits.
    assert fields({"lines": [wrong]}) == []
    assert fields({"price_includes_tax": False, "lines": [wrong]}) == []


def test_a_rounded_unit_price_is_no_finding() -> None:
    line = {"line_no": 1, "quantity": "1000", "unit_price": "0.88", "net_amount": "884.96"}
    assert fields({"lines": [line]}) == []
    assert fields({"lines": [{**line, "net_amount": "890"}]}) == ["lines[1].net_amount"]


def test_tolerance_follows_the_currency() -> None:
    assert [str(smallest_unit(c)) for c in ("CNY", "JPY", "KWD", None)] == ["0.01", "1", "0.001", "0.01"]
    off_by_one = {"net_total": "1000", "tax_total": "100", "total": "1102"}
    assert fields({"currency": "JPY", **off_by_one}) == []
    assert fields({"currency": "CNY", **off_by_one}) == ["total"]


def test_totals_are_never_repaired() -> None:
    values = order(total="999")
    check_totals(values)
    assert values == order(total="999")


def _canonical(spec: EntitySpec, item: dict[str, Any]) -> dict[str, Any]:
    made = {}
    for name, field in spec.fields.items():
        if name in item:
            value = item[name]
            if field.lines:
                value = [{k: v for k, v in line.items() if k in field.lines.fields} for line in value]
            made[name] = forms.form_of(field)(value)
    return made


def test_the_invented_business_world_has_no_findings() -> None:
    customers, goods = sample_data.companies(1, 60), sample_data.products(1, 20)
    sales = sample_data.orders(1, 40, customers, goods)
    world = {"customer": customers, "product": goods, "order": sales, "invoice": sample_data.invoices(1, 40, sales)}
    specs = entities()
    for entity, items in world.items():
        for item in items:
            assert check(specs[entity], _canonical(specs[entity], item)) == []


@pytest.mark.parametrize(
    ("number", "country", "doubted"),
    [
        ("91110000600037341L", None, False),
        ("91110000600037341M", None, True),
        ("91110000600037341L", "CN", False),
        ("110108551385082", "CN", False),
        ("12345", "CN", True),
        ("DE136695976", None, False),
        ("DE136695977", None, True),
        ("GB980780684", "GB", False),
        ("GB980780685", "GB", True),
        ("ZZ-WHATEVER", None, False),
        ("123456789", "US", False),
    ],
)
def test_tax_numbers(number: str, country: str | None, doubted: bool) -> None:
    assert (tax_id_doubt(number, country) is not None) is doubted


@pytest.mark.parametrize(
    ("number", "doubted"),
    [("25310000000000000001", False), ("2531000000000000000", True), ("25990000000000000001", True), ("A" * 20, True)],
)
def test_einvoice_numbers(number: str, doubted: bool) -> None:
    assert (einvoice_doubt(number) is not None) is doubted


def test_doubtful_values_are_named_with_their_path() -> None:
    values = {
        "tax_id": "91110000600037341M",
        "phone": "ask Mr Wang",
        "email": "nobody",
        "name": None,
        "addresses": [{"kind": "billing", "phone": "+8612345", "postal_code": "9" * 30}],
    }
    found = {finding.field: finding.kind for finding in check(entities()["customer"], values)}
    assert found == {
        "tax_id": "tax_id",
        "phone": "phone",
        "email": "email",
        "addresses[billing].phone": "phone",
        "addresses[billing].postal_code": "length",
    }
