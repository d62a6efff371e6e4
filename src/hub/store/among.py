"""``among``: rows whose column is one of many values, with one parameter however many there are.

A thousand placeholders cost more to write, send and plan than the rows behind them; and a statement whose text stays
the same is prepared once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from hub.store.codec import dumps


class _Values(TypeDecorator[Iterable[Any]]):
    """Many texts (or whole numbers) as one parameter: an array, or JSON where there are none."""

    impl = Text
    cache_ok = True

    def __init__(self, *, numbers: bool = False) -> None:
        super().__init__()
        self.numbers = numbers

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(BigInteger() if self.numbers else Text()))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        return values if dialect.name == "postgresql" else dumps(values)


class _Among(FunctionElement[bool]):
    type = Boolean()
    name = "among"
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """Without this, SQLite is asked whether the condition ``= 1``, and then uses no index."""
        return self


@compiles(_Among)
def _with_json(element: _Among, compiler: Any, **more: Any) -> str:
    column, values = (compiler.process(part, **more) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  (names and placeholders only)


@compiles(_Among, "postgresql")
def _with_array(element: _Among, compiler: Any, **more: Any) -> str:
    column, values = (compiler.process(part, **more) for part in element.clauses)
    # The driver quotes each value of an array that it sends as text, which takes it four times as long.
    return f"{column} = ANY ({values.replace(')s::', ')b::')})"


def among(column: Any, parameter: str, *, numbers: bool = False) -> ColumnElement[bool]:
    """A condition: ``column`` is one of the values in the parameter of that name (any iterable of texts)."""
    return _Among(column, bindparam(parameter, type_=_Values(numbers=numbers)))
