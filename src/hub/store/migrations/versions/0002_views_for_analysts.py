"""The tables of the canonical model become views of the hub's records."""

from __future__ import annotations

from alembic import op

from hub.store import views

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in (
        "contact",
        "customer_address",
        "customer",
        "invoice_line",
        "invoice",
        "product",
        "sales_order_address",
        "sales_order_line",
        "sales_order",
    ):
        op.execute(f"DROP TABLE IF EXISTS {table}")
    views.make(op.get_bind())
