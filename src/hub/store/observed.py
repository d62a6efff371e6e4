"""The recorded observations of one resource, for looking back over them."""

from __future__ import annotations

from sqlalchemy import Connection, or_, select

from hub.store.journal import JOURNAL
from hub.store.shadows import SHADOW, Shadow, by_remote


def decided(
    connection: Connection, entity: str, *, after: str = "", limit: int = 500, since: str | None = None
) -> list[str]:
    """Hub ids of records about which the journal tells anything (since then), a page at a time, in order."""
    statement = select(JOURNAL.c.hub_id).where(JOURNAL.c.entity == entity, JOURNAL.c.hub_id > after)
    if since is not None:
        statement = statement.where(JOURNAL.c.at >= since)
    statement = statement.distinct().order_by(JOURNAL.c.hub_id).limit(limit)
    return [row[0] for row in connection.execute(statement)]


def page(
    connection: Connection, system: str, entity: str, *, after: str = "", limit: int = 500, since: str | None = None
) -> list[Shadow]:
    """Live records as last seen, a page at a time, in order of remote id.

    ``since`` (ISO 8601, UTC): only those that changed since then, by the system's own word or by the hub's journal.
    """
    statement = (
        select(SHADOW.c.remote_id)
        .where(SHADOW.c.system == system, SHADOW.c.entity == entity, SHADOW.c.gone.is_(None))
        .where(SHADOW.c.remote_id > after)
        .order_by(SHADOW.c.remote_id)
        .limit(limit)
    )
    if since is not None:
        touched = select(JOURNAL.c.hub_id).where(
            JOURNAL.c.entity == entity, JOURNAL.c.system == system, JOURNAL.c.at >= since
        )
        statement = statement.where(or_(SHADOW.c.modified_at >= since, SHADOW.c.hub_id.in_(touched)))
    ids = [row[0] for row in connection.execute(statement)]
    found = by_remote(connection, system, entity, ids)
    return [found[key] for key in ids]
