"""What an analyst sees: the records as tables, on SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlmodel import Session

from hub.model import entities
from hub.model.columns import metadata
from hub.model.customer import Customer
from hub.model.declare import declare
from hub.model.order import Order, OrderLine
from hub.model.projection import entity_tables
from hub.store import records
from hub.store.database import Store, open_store
from hub.store.records import RecordWrite

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

NOW, LATER = "2026-01-15T09:30:12.5Z", "2026-01-16T00:00:00Z"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    opened = open_store(url)
    yield opened
    opened.close()


def put(store: Store, entity: str, hub_id: str, values: dict[str, Any]) -> None:
    with store.begin() as connection:
        records.insert_records(connection, [RecordWrite(hub_id, entity, values, {"*": ["crm", NOW]}, 0)], NOW)


def test_every_table_of_the_model_can_be_queried_with_its_columns(store: Store) -> None:
    with store.read() as connection:
        for name, table in metadata.tables.items():
            rows = connection.execute(text(f"SELECT * FROM {name}"))
            assert list(rows.keys()) == [column.name for column in table.columns]
            assert rows.all() == []


def test_values_are_exact_and_have_their_types(store: Store) -> None:
    put(store, "order", "h1", ORDER)
    with store.read() as connection:
        found = connection.execute(select(metadata.tables["sales_order"])).mappings().one()
        assert found["total"] == Decimal("12345678901234567.891")
        assert found["exchange_rate"] == Decimal("7.1234567891")
        assert found["order_date"] == dt.date(2026, 1, 15)
        assert found["created_at"] == dt.datetime(2026, 1, 15, 9, 30, 12, 500000, tzinfo=dt.UTC)
        assert found["price_includes_tax"] is True
        assert found["customer_id"] == "h-customer"
        assert (found["due_date"], found["extra"]) == (None, None)


def test_lines_are_rows_with_their_place_and_their_record(store: Store) -> None:
    put(store, "order", "h1", ORDER)
    put(store, "order", "h2", {"number": "SO-2", "lines": None})
    put(store, "order", "h3", {"number": "SO-3", "lines": []})
    with store.read() as connection:
        sums = connection.execute(
            text(
                "SELECT o.number, SUM(CAST(l.quantity AS NUMERIC)) AS pieces FROM sales_order o "
                "JOIN sales_order_line l ON l.order_id = o.hub_id GROUP BY o.number"
            )
        ).all()
        assert [(number, float(pieces)) for number, pieces in sums] == [("SO-1", 3.5)]
        places = connection.execute(
            text("SELECT order_id, position, product_id, note FROM sales_order_line ORDER BY 2")
        )
        assert [tuple(row) for row in places] == [("h1", 1, "h-a", None), ("h1", 2, "h-b", "易碎")]
        assert connection.execute(text("SELECT city FROM sales_order_address")).scalar_one() == "上海"


def test_declared_fields_are_in_extra(store: Store) -> None:
    put(
        store,
        "order",
        "h1",
        {"number": "SO-1", "channel": "web", "lines": [{"line_no": 1, "batch": "B7"}, {"line_no": 2}]},
    )
    with Session(store.engine) as session:
        assert session.exec(select(Order.extra)).scalar_one() == {"channel": "web"}
        assert session.exec(select(OrderLine.extra).order_by("position")).scalars().all() == [{"batch": "B7"}, None]


def test_the_classes_read_them_as_objects(store: Store) -> None:
    put(store, "customer", "h1", {"name": "上海云杉有限公司", "credit_limit": "100.50", "employees": 12, "vip": 1})
    with Session(store.engine) as session:
        found = session.get(Customer, "h1")
        assert found is not None
        assert (found.name, found.credit_limit, found.employees) == ("上海云杉有限公司", Decimal("100.5"), 12)
        assert found.extra == {"vip": 1}


def test_a_change_shows_at_once_and_a_deleted_record_is_not_there(store: Store) -> None:
    put(store, "customer", "h1", {"name": "A"})
    put(store, "customer", "h2", {"name": "B"})
    with store.begin() as connection:
        changed = RecordWrite("h1", "customer", {"name": "C"}, {}, 0)
        deleted = RecordWrite("h2", "customer", {"name": "B"}, {}, 0, LATER, "crm")
        records.update_records(connection, [changed, deleted], LATER)
    with store.read() as connection:
        rows = connection.execute(select(metadata.tables["customer"])).mappings().all()
    assert [(row["hub_id"], row["name"], row["updated_at"].day) for row in rows] == [("h1", "C", 16)]


def test_an_entity_that_a_project_declares_has_no_table() -> None:
    specs, _ = declare(entities(), {"entities": {"survey": {"fields": {"name": {"type": "text"}}}}})
    assert "survey" in specs
    assert entity_tables("survey") is None
