"""Reading a table in parts: by its key, so that each row is in exactly one part and stays there."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hub.connect.capabilities import Part

from .tables import Table

FAMILIES = ("postgresql", "mysql", "sqlite")
"""Databases whose words for the last letter of a text are known."""


def condition(table: Table, part: Part, family: str) -> sa.ColumnElement[bool]:
    """The rows of one part: by the rest of a whole number, by the last letter of anything else."""
    column = table.key_columns()[-1]
    number: sa.ColumnElement[Any]
    if isinstance(column.type, sa.Integer):
        number = (column % part.of + part.of) % part.of  # below nought, the rest has the sign of the number
    else:
        number = _last_letter(column, family) % part.of
    return number == part.number - 1


def _last_letter(column: sa.ColumnElement[Any], family: str) -> sa.ColumnElement[int]:
    if family == "mysql":
        return sa.func.ord(sa.func.right(column, 1), type_=sa.Integer)
    text = sa.cast(column, sa.Text)
    if family == "postgresql":
        return sa.func.ascii(sa.func.right(text, 1), type_=sa.Integer)
    letter = sa.func.unicode(sa.func.substr(text, -1), type_=sa.Integer)
    return sa.func.coalesce(letter, 0, type_=sa.Integer)
