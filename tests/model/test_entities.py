"""The bundled entities: specs read off the tables, and tables that take canonical values as they are."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, select, text
from sqlmodel import Session

from hub.model import entities
from hub.model.columns import COLUMN_TYPES, Exact, metadata
from hub.model.customer import Customer
from hub.model.declare import by_reference, references
from hub.model.projection import entity_tables, project_rows
from hub.model.reference import FILE, markdown

ORDER = {
    "number": "SO-1",
    "customer": "h-customer",
    "currency": "CNY",
    "order_date": "2026-01-15",
    "exchange_rate": "7.1234567891",
    "price_includes_tax": True,
    "total": "12345678901234567.891",
    "addresses": [{"kind": "billing", "city": "上海", "country": "CN"}],
    "lines": [
        {"line_no": 1, "product": "h-a", "quantity": "3", "unit_price": "0.333333"},
        {"line_no": 2, "product": "h-b", "quantity": "0.5", "note": "易碎"},
    ],
}


def test_the_five_entities_refer_only_to_earlier_ones() -> None:
    specs = entities()
    assert list(specs) == ["customer", "contact", "product", "order", "invoice"] == by_reference(specs)
    assert references(specs["invoice"]) == {"customer", "order", "product"}


def test_specs_are_complete() -> None:
    for spec in entities().values():
        assert spec.description
        assert all(title in spec.fields for title in spec.title)
        for field in spec.fields.values():
            assert field.description, f"{spec.name}.{field.name}"
            assert (field.type == "enum") == bool(field.choices)
            assert (field.type == "ref") == (field.ref is not None)
            assert (field.type == "lines") == (field.lines is not None)
            if field.lines:
                assert field.lines.key in field.lines.fields


def test_every_field_has_a_column_of_its_type() -> None:
    for spec in entities().values():
        tables = entity_tables(spec.name)
        assert tables is not None
        for field in spec.fields.values():
            if field.lines is None:
                column = tables.table.columns[f"{field.name}_id" if field.type == "ref" else field.name]
                assert isinstance(column.type, COLUMN_TYPES.get(field.type, type(column.type)))
    assert isinstance(metadata.tables["sales_order"].c.total.type, Exact)


def test_a_line_is_found_by_its_record() -> None:
    assert [c.name for c in metadata.tables["sales_order_line"].primary_key.columns] == ["order_id", "position"]


def test_asking_for_entities_gives_a_dict_of_ones_own() -> None:
    mine = entities()
    mine.clear()
    assert entities()


def _written_and_read(url: str) -> None:
    engine = create_engine(url)
    try:
        metadata.create_all(engine)
        row, children = project_rows(entities()["order"], "h1", ORDER, "2026-01-15T09:30:12.5Z", "2026-01-16T00:00:00Z")
        table = metadata.tables["sales_order"]
        with engine.begin() as connection:
            connection.execute(insert(table), [row])
            for name, rows in children.items():
                connection.execute(insert(metadata.tables[name]), rows)
            found = connection.execute(select(table)).mappings().one()
            assert found["total"] == Decimal("12345678901234567.891")
            assert found["exchange_rate"] == Decimal("7.1234567891")
            assert found["order_date"] == dt.date(2026, 1, 15)
            assert found["created_at"] == dt.datetime(2026, 1, 15, 9, 30, 12, 500000, tzinfo=dt.UTC)
            assert found["price_includes_tax"] is True
            assert found["customer_id"] == "h-customer"
            assert found["due_date"] is None
            total = connection.execute(
                text(
                    "SELECT o.number, SUM(CAST(l.quantity AS NUMERIC)) AS pieces FROM sales_order o "
                    "JOIN sales_order_line l ON l.order_id = o.hub_id GROUP BY o.number"
                )
            ).one()
            assert (total[0], float(total[1])) == ("SO-1", 3.5)
            assert connection.execute(text("SELECT city FROM sales_order_address")).scalar_one() == "上海"
    finally:
        engine.dispose()


def test_canonical_values_go_into_sqlite_and_come_back_exact(sqlite_url: str) -> None:
    _written_and_read(sqlite_url)


@pytest.mark.postgres
def test_canonical_values_go_into_postgresql_and_come_back_exact(postgres_url: str) -> None:
    _written_and_read(postgres_url)


def test_the_classes_work_as_objects_too(sqlite_url: str) -> None:
    engine = create_engine(sqlite_url)
    metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Customer(hub_id="h1", name="上海云杉有限公司", credit_limit=Decimal("100.50"), extra={"vip": 1}))
        session.commit()
        found = session.get(Customer, "h1")
        assert found is not None
        assert found.credit_limit == Decimal("100.5")
        assert found.extra == {"vip": 1}
    engine.dispose()


def test_the_documentation_is_made_from_the_specs() -> None:
    page = (Path(__file__).parents[2] / FILE).read_text("utf-8")
    assert page == markdown().rstrip() + "\n", "run: python -m hub.model.reference"
