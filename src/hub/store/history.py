"""What else the store remembers of one record, besides the journal: letters and conflicts, those that are over too."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from hub.store.codec import loads
from hub.store.tables import ConflictRow, LetterRow

CONFLICT = ConflictRow.__table__  # type: ignore[attr-defined]
LETTER = LetterRow.__table__  # type: ignore[attr-defined]

Row = dict[str, Any]


def letters(connection: Connection, hub_id: str) -> list[Row]:
    """Every dead letter about a record, oldest first; ``payload`` is what was sent."""
    return _rows(connection, select(LETTER).where(LETTER.c.hub_id == hub_id).order_by(LETTER.c.id), ("payload",))


def conflicts(connection: Connection, hub_id: str) -> list[Row]:
    """Every conflict about a record, oldest first."""
    statement = select(CONFLICT).where(CONFLICT.c.hub_id == hub_id).order_by(CONFLICT.c.id)
    return _rows(connection, statement, ("base", "theirs", "ours"))


def _rows(connection: Connection, statement: Any, encoded: tuple[str, ...]) -> list[Row]:
    rows = [dict(row._mapping) for row in connection.execute(statement)]
    return [{**row, **{name: loads(row[name]) if row[name] else None for name in encoded}} for row in rows]
