"""Runs the migrations over the connection that ``open_store`` hands over; has its own version table, so that the hub
can live in one database with other users of alembic."""

from __future__ import annotations

from alembic import context

from hub.store.tables import metadata as own

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=own,
    version_table="alembic_version_hub",
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
