"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import hub.model.columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conflict",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("hub_id", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("base", sa.Text(), nullable=True),
        sa.Column("theirs", sa.Text(), nullable=True),
        sa.Column("ours", sa.Text(), nullable=True),
        sa.Column("ours_from", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("opened_at", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("resolved_at", sa.String(), nullable=True),
        sa.Column("resolution", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("conflict", schema=None) as batch_op:
        batch_op.create_index("ix_conflict_hub", ["hub_id"], unique=False)

    op.create_table(
        "feed_cursor",
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("lens", sa.String(), nullable=True),
        sa.Column("listed_at", sa.String(), nullable=True),
        sa.Column("observed_at", sa.String(), nullable=True),
        sa.Column("approved", sa.SmallInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("system", "entity"),
    )
    op.create_table(
        "hint",
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("system", "entity", "remote_id"),
    )
    op.create_table(
        "hook",
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("hints", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("useless", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.String(), nullable=False),
        sa.Column("refused_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("system"),
    )
    op.create_table(
        "hub_record",
        sa.Column("hub_id", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("stamps", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.Column("deleted_at", sa.String(), nullable=True),
        sa.Column("deleted_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("hub_id"),
    )
    op.create_table(
        "intent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("hub_id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=True),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("doubt", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("hub_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.create_index("ix_journal_hub", ["hub_id"], unique=False)

    op.create_table(
        "lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("expires", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("hub_id", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("cure", sa.String(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("opened_at", sa.String(), nullable=False),
        sa.Column("last_at", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("letter", schema=None) as batch_op:
        batch_op.create_index("ix_letter_hub", ["hub_id"], unique=False)
        batch_op.create_index("ix_letter_open", ["status", "system", "entity"], unique=False)

    op.create_table(
        "match_key",
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("hub_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "key", "hub_id"),
    )
    op.create_table(
        "quota",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("systems", sa.Text(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.Column("next_at", sa.Float(53), nullable=False),
        sa.Column("paused_until", sa.Float(53), nullable=False),
        sa.Column("urgent_run", sa.Integer(), nullable=False),
        sa.Column("bulk_refused_at", sa.Float(53), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("owner"),
    )
    op.create_table(
        "quota_holder",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("urgent", sa.SmallInteger(), nullable=False),
        sa.Column("rooms", sa.Integer(), nullable=False),
        sa.Column("wants", sa.Integer(), nullable=False),
        sa.Column("since", sa.Float(53), nullable=False),
        sa.Column("expires", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("owner", "name"),
    )
    op.create_table(
        "quota_hour",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "hour"),
    )
    op.create_table(
        "shared_value",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("started", sa.String(), nullable=False),
        sa.Column("finished", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("journal_from", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "seen",
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("system", "entity", "remote_id"),
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "subscription",
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("asked_at", sa.String(), nullable=False),
        sa.Column("expires", sa.String(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("system", "resource"),
    )
    op.create_table(
        "shadow",
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("hub_id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("hash", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("meant", sa.Text(), nullable=True),
        sa.Column("modified_at", sa.String(), nullable=True),
        sa.Column("gone", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("system", "entity", "remote_id"),
    )
    with op.batch_alter_table("shadow", schema=None) as batch_op:
        batch_op.create_index("ix_shadow_hub", ["hub_id", "system"], unique=False)
        batch_op.create_index(
            "ix_shadow_ref",
            ["system", "entity", "ref"],
            unique=False,
            sqlite_where=sa.text("ref <> remote_id"),
            postgresql_where=sa.text("ref <> remote_id"),
        )

    op.create_table(
        "todo",
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("hub_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "hub_id"),
    )
    op.create_table(
        "waiting",
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("remote", sa.Text(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("system", "entity", "remote_id"),
    )
    op.create_table(
        "contact",
        sa.Column("hub_id", sa.Text(), nullable=False),
        sa.Column("created_at", hub.model.columns.Instant(), nullable=True),
        sa.Column("updated_at", hub.model.columns.Instant(), nullable=True),
        sa.Column(
            "extra",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("customer_id", sa.Text(), nullable=True, comment="Customer the person works for."),
        sa.Column("first_name", sa.Text(), nullable=True, comment="Given name."),
        sa.Column("last_name", sa.Text(), nullable=True, comment="Family name."),
        sa.Column("full_name", sa.Text(), nullable=True, comment="Whole name as it is written: 王小明, Mary Smith."),
        sa.Column("title", sa.Text(), nullable=True, comment="Position (采购经理, Buyer)."),
        sa.Column("department", sa.Text(), nullable=True, comment="Department."),
        sa.Column("email", sa.Text(), nullable=True, comment="E-mail address."),
        sa.Column("phone", sa.Text(), nullable=True, comment="Office phone number."),
        sa.Column("mobile", sa.Text(), nullable=True, comment="Mobile phone number."),
        sa.Column("description", sa.Text(), nullable=True, comment="Anything worth knowing."),
        sa.Column("status", sa.Text(), nullable=True, comment="Whether the person can still be reached there."),
        sa.PrimaryKeyConstraint("hub_id"),
    )
    op.create_table(
        "customer",
        sa.Column("hub_id", sa.Text(), nullable=False),
        sa.Column("created_at", hub.model.columns.Instant(), nullable=True),
        sa.Column("updated_at", hub.model.columns.Instant(), nullable=True),
        sa.Column(
            "extra",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("number", sa.Text(), nullable=True, comment="Number by which people know the customer."),
        sa.Column("name", sa.Text(), nullable=True, comment="Full, legal name."),
        sa.Column("short_name", sa.Text(), nullable=True, comment="Short name for everyday use."),
        sa.Column("kind", sa.Text(), nullable=True, comment="Company or natural person."),
        sa.Column("tax_id", sa.Text(), nullable=True, comment="Tax number: 统一社会信用代码, VAT number …"),
        sa.Column("phone", sa.Text(), nullable=True, comment="Main phone number."),
        sa.Column("fax", sa.Text(), nullable=True, comment="Fax number."),
        sa.Column("email", sa.Text(), nullable=True, comment="Main e-mail address."),
        sa.Column("website", sa.Text(), nullable=True, comment="Web address."),
        sa.Column("industry", sa.Text(), nullable=True, comment="Line of business."),
        sa.Column("status", sa.Text(), nullable=True, comment="Whether we still do business with them."),
        sa.Column("currency", sa.Text(), nullable=True, comment="Currency we trade in, ISO 4217."),
        sa.Column(
            "credit_limit", hub.model.columns.Exact(), nullable=True, comment="Most they may owe us, in ``currency``."
        ),
        sa.Column("payment_terms", sa.Text(), nullable=True, comment="Payment terms, as agreed (NET30 …)."),
        sa.Column("description", sa.Text(), nullable=True, comment="Anything worth knowing."),
        sa.Column("employees", sa.BigInteger(), nullable=True, comment="Number of employees."),
        sa.Column(
            "annual_revenue", hub.model.columns.Exact(), nullable=True, comment="Revenue a year, in ``currency``."
        ),
        sa.Column(
            "invoice_title",
            sa.Text(),
            nullable=True,
            comment="Name on their invoices (发票抬头), where it is not ``name``.",
        ),
        sa.Column("bank_name", sa.Text(), nullable=True, comment="Bank and branch (开户行)."),
        sa.Column("bank_account", sa.Text(), nullable=True, comment="Account number."),
        sa.Column("parent_id", sa.Text(), nullable=True, comment="Customer that this one belongs to."),
        sa.Column("owner", sa.Text(), nullable=True, comment="Who looks after the customer on our side."),
        sa.PrimaryKeyConstraint("hub_id"),
    )
    op.create_table(
        "customer_address",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "extra",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("kind", sa.Text(), nullable=True, comment="What the address is for."),
        sa.Column("recipient", sa.Text(), nullable=True, comment="Person or company the post is for."),
        sa.Column("phone", sa.Text(), nullable=True, comment="Phone number of the recipient."),
        sa.Column("street", sa.Text(), nullable=True, comment="Street, house, building, room."),
        sa.Column("district", sa.Text(), nullable=True, comment="District of the city (区, 县)."),
        sa.Column("city", sa.Text(), nullable=True, comment="City."),
        sa.Column("state", sa.Text(), nullable=True, comment="Province or state."),
        sa.Column("postal_code", sa.Text(), nullable=True, comment="Postal code."),
        sa.Column("country", sa.Text(), nullable=True, comment="Country, ISO 3166-1 alpha-2."),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "position"),
    )
    op.create_table(
        "invoice",
        sa.Column("hub_id", sa.Text(), nullable=False),
        sa.Column("created_at", hub.model.columns.Instant(), nullable=True),
        sa.Column("updated_at", hub.model.columns.Instant(), nullable=True),
        sa.Column(
            "extra",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("number", sa.Text(), nullable=True, comment="Number of the invoice in the books."),
        sa.Column(
            "einvoice_number",
            sa.Text(),
            nullable=True,
            comment="Number of the fully digital e-invoice (数电票): 20 digits.",
        ),
        sa.Column("title", sa.Text(), nullable=True, comment="What it is about."),
        sa.Column("kind", sa.Text(), nullable=True, comment="普通发票, 专用发票 or 红字发票."),
        sa.Column("order_id", sa.Text(), nullable=True, comment="Order that it bills."),
        sa.Column("customer_id", sa.Text(), nullable=True, comment="Who owes."),
        sa.Column("invoice_date", hub.model.columns.Day(), nullable=True, comment="Day of the invoice."),
        sa.Column("due_date", hub.model.columns.Day(), nullable=True, comment="Day by which it is to be paid."),
        sa.Column("currency", sa.Text(), nullable=True, comment="Currency of all amounts, ISO 4217."),
        sa.Column(
            "exchange_rate",
            hub.model.columns.Exact(),
            nullable=True,
            comment="Units of the company's own currency for one of ``currency``.",
        ),
        sa.Column(
            "price_includes_tax", sa.Boolean(), nullable=True, comment="Whether the gross prices are the agreed ones."
        ),
        sa.Column("status", sa.Text(), nullable=True, comment="How far it has come."),
        sa.Column("note", sa.Text(), nullable=True, comment="Remark."),
        sa.Column(
            "net_total", hub.model.columns.Exact(), nullable=True, comment="Sum of the lines' amounts without tax."
        ),
        sa.Column(
            "discount",
            hub.model.columns.Exact(),
            nullable=True,
            comment="Discount on the whole invoice, not part of any line.",
        ),
        sa.Column("tax_total", hub.model.columns.Exact(), nullable=True, comment="Tax of the whole invoice."),
        sa.Column("total", hub.model.columns.Exact(), nullable=True, comment="What has to be paid."),
        sa.Column(
            "freight",
            hub.model.columns.Exact(),
            nullable=True,
            comment="Carriage and other charges, not part of any line.",
        ),
        sa.Column("paid_amount", hub.model.columns.Exact(), nullable=True, comment="What has been paid so far."),
        sa.Column("salesperson", sa.Text(), nullable=True, comment="Who sold it."),
        sa.PrimaryKeyConstraint("hub_id"),
    )
    op.create_table(
        "invoice_line",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "extra",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("line_no", sa.BigInteger(), nullable=True, comment="Number of the line in its document."),
        sa.Column("product_id", sa.Text(), nullable=True, comment="What is sold."),
        sa.Column("description", sa.Text(), nullable=True, comment="What is sold, in words."),
        sa.Column("unit", sa.Text(), nullable=True, comment="Unit of ``quantity``."),
        sa.Column("quantity", hub.model.columns.Exact(), nullable=True, comment="How many."),
        sa.Column(
            "unit_price", hub.model.columns.Exact(), nullable=True, comment="Price of one without tax, before discount."
        ),
        sa.Column(
            "unit_price_tax",
            hub.model.columns.Exact(),
            nullable=True,
            comment="Price of one with tax, before discount.",
        ),
        sa.Column("tax_rate", hub.model.columns.Exact(), nullable=True, comment="Tax rate in percent (13 for 13 %)."),
        sa.Column(
            "discount_rate", hub.model.columns.Exact(), nullable=True, comment="Discount in percent of the price."
        ),
        sa.Column(
            "discount", hub.model.columns.Exact(), nullable=True, comment="Discount of the whole line, as an amount."
        ),
        sa.Column(
            "net_amount", hub.model.columns.Exact(), nullable=True, comment="Amount after discount, without tax."
        ),
        sa.Column("tax_amount", hub.model.columns.Exact(), nullable=True, comment="Tax of the line."),
        sa.Column(
            "amount", hub.model.columns.Exact(), nullable=True, comment="Amount after discount, with tax (价税合计)."
        ),
        sa.Column("note", sa.Text(), nullable=True, comment="Remark."),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column(
            "order_line_no", sa.BigInteger(), nullable=True, comment="``line_no`` of the order's line that it bills."
        ),
        sa.PrimaryKeyConstraint("invoice_id", "position"),
    )
    op.create_table(
        "product",
        sa.Column("hub_id", sa.Text(), nullable=False),
        sa.Column("created_at", hub.model.columns.Instant(), nullable=True),
        sa.Column("updated_at", hub.model.columns.Instant(), nullable=True),
        sa.Column(
            "extra",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column(
            "number", sa.Text(), nullable=True, comment="Number by which people know the product (物料编码, SKU)."
        ),
        sa.Column("name", sa.Text(), nullable=True, comment="Name."),
        sa.Column("specification", sa.Text(), nullable=True, comment="Size, model, grade (规格型号)."),
        sa.Column("description", sa.Text(), nullable=True, comment="Description."),
        sa.Column("unit", sa.Text(), nullable=True, comment="Unit it is sold in."),
        sa.Column("category", sa.Text(), nullable=True, comment="Group of products."),
        sa.Column("barcode", sa.Text(), nullable=True, comment="EAN or other bar code."),
        sa.Column(
            "list_price", hub.model.columns.Exact(), nullable=True, comment="Price without discount, in ``currency``."
        ),
        sa.Column("price_includes_tax", sa.Boolean(), nullable=True, comment="Whether ``list_price`` includes tax."),
        sa.Column("currency", sa.Text(), nullable=True, comment="Currency of ``list_price``, ISO 4217."),
        sa.Column("tax_rate", hub.model.columns.Exact(), nullable=True, comment="Tax rate in percent (13 for 13 %)."),
        sa.Column("status", sa.Text(), nullable=True, comment="Whether it is still sold."),
        sa.Column("weight", hub.model.columns.Exact(), nullable=True, comment="Weight of one unit in kilograms."),
        sa.PrimaryKeyConstraint("hub_id"),
    )
    op.create_table(
        "sales_order",
        sa.Column("hub_id", sa.Text(), nullable=False),
        sa.Column("created_at", hub.model.columns.Instant(), nullable=True),
        sa.Column("updated_at", hub.model.columns.Instant(), nullable=True),
        sa.Column(
            "extra",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("number", sa.Text(), nullable=True, comment="Number of the order."),
        sa.Column("customer_po", sa.Text(), nullable=True, comment="The customer's own number of the order."),
        sa.Column("title", sa.Text(), nullable=True, comment="What it is about."),
        sa.Column("customer_id", sa.Text(), nullable=True, comment="Who orders."),
        sa.Column("contact_id", sa.Text(), nullable=True, comment="Person who ordered."),
        sa.Column("order_date", hub.model.columns.Day(), nullable=True, comment="Day of the order."),
        sa.Column("due_date", hub.model.columns.Day(), nullable=True, comment="Day by which it is promised."),
        sa.Column("currency", sa.Text(), nullable=True, comment="Currency of all amounts, ISO 4217."),
        sa.Column(
            "exchange_rate",
            hub.model.columns.Exact(),
            nullable=True,
            comment="Units of the company's own currency for one of ``currency``.",
        ),
        sa.Column(
            "price_includes_tax", sa.Boolean(), nullable=True, comment="Whether the gross prices are the agreed ones."
        ),
        sa.Column("status", sa.Text(), nullable=True, comment="How far the order has come."),
        sa.Column("note", sa.Text(), nullable=True, comment="Remark."),
        sa.Column(
            "net_total", hub.model.columns.Exact(), nullable=True, comment="Sum of the lines' amounts without tax."
        ),
        sa.Column(
            "discount",
            hub.model.columns.Exact(),
            nullable=True,
            comment="Discount on the whole order, not part of any line.",
        ),
        sa.Column("tax_total", hub.model.columns.Exact(), nullable=True, comment="Tax of the whole order."),
        sa.Column("total", hub.model.columns.Exact(), nullable=True, comment="What has to be paid."),
        sa.Column(
            "freight",
            hub.model.columns.Exact(),
            nullable=True,
            comment="Carriage and other charges, not part of any line.",
        ),
        sa.Column("salesperson", sa.Text(), nullable=True, comment="Who sold it."),
        sa.PrimaryKeyConstraint("hub_id"),
    )
    op.create_table(
        "sales_order_address",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "extra",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("kind", sa.Text(), nullable=True, comment="What the address is for."),
        sa.Column("recipient", sa.Text(), nullable=True, comment="Person or company the post is for."),
        sa.Column("phone", sa.Text(), nullable=True, comment="Phone number of the recipient."),
        sa.Column("street", sa.Text(), nullable=True, comment="Street, house, building, room."),
        sa.Column("district", sa.Text(), nullable=True, comment="District of the city (区, 县)."),
        sa.Column("city", sa.Text(), nullable=True, comment="City."),
        sa.Column("state", sa.Text(), nullable=True, comment="Province or state."),
        sa.Column("postal_code", sa.Text(), nullable=True, comment="Postal code."),
        sa.Column("country", sa.Text(), nullable=True, comment="Country, ISO 3166-1 alpha-2."),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "position"),
    )
    op.create_table(
        "sales_order_line",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "extra",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("line_no", sa.BigInteger(), nullable=True, comment="Number of the line in its document."),
        sa.Column("product_id", sa.Text(), nullable=True, comment="What is sold."),
        sa.Column("description", sa.Text(), nullable=True, comment="What is sold, in words."),
        sa.Column("unit", sa.Text(), nullable=True, comment="Unit of ``quantity``."),
        sa.Column("quantity", hub.model.columns.Exact(), nullable=True, comment="How many."),
        sa.Column(
            "unit_price", hub.model.columns.Exact(), nullable=True, comment="Price of one without tax, before discount."
        ),
        sa.Column(
            "unit_price_tax",
            hub.model.columns.Exact(),
            nullable=True,
            comment="Price of one with tax, before discount.",
        ),
        sa.Column("tax_rate", hub.model.columns.Exact(), nullable=True, comment="Tax rate in percent (13 for 13 %)."),
        sa.Column(
            "discount_rate", hub.model.columns.Exact(), nullable=True, comment="Discount in percent of the price."
        ),
        sa.Column(
            "discount", hub.model.columns.Exact(), nullable=True, comment="Discount of the whole line, as an amount."
        ),
        sa.Column(
            "net_amount", hub.model.columns.Exact(), nullable=True, comment="Amount after discount, without tax."
        ),
        sa.Column("tax_amount", hub.model.columns.Exact(), nullable=True, comment="Tax of the line."),
        sa.Column(
            "amount", hub.model.columns.Exact(), nullable=True, comment="Amount after discount, with tax (价税合计)."
        ),
        sa.Column("note", sa.Text(), nullable=True, comment="Remark."),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("delivery_date", hub.model.columns.Day(), nullable=True, comment="Day it is due."),
        sa.PrimaryKeyConstraint("order_id", "position"),
    )
