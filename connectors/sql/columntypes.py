"""Column types that need help from SQL to be read and written without loss."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Double, Numeric, cast, func, literal_column
from sqlalchemy.dialects.postgresql import MONEY
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MySqlInstant(TypeDecorator[datetime]):
    """A TIMESTAMP of MySQL, read and written as seconds since 1970: as a date it would depend on the session's zone,
    which must stay what it is (columns filled by CURRENT_TIMESTAMP take it from there)."""

    impl = Numeric(20, 6)
    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.unix_timestamp(column, type_=self)

    def bind_expression(self, bindvalue: BindParameter[Any]) -> ColumnElement[Any]:
        return func.from_unixtime(bindvalue)

    def process_bind_param(self, value: datetime | None, dialect: Any) -> Any:
        return None if value is None else Decimal((value - _EPOCH) // timedelta(microseconds=1)).scaleb(-6)

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=int(Decimal(value).scaleb(6)))


class MySqlSingle(TypeDecorator[float]):
    """A FLOAT of MySQL. The server shows only six digits of it, unless it is widened first."""

    impl = Double()
    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return column.op("+")(literal_column("0e0"))


class PostgresMoney(TypeDecorator[Decimal]):
    """The money type of PostgreSQL, which otherwise comes as text in the server's locale."""

    impl = Numeric(19, 2)
    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return cast(column, Numeric)

    def bind_expression(self, bindvalue: BindParameter[Any]) -> ColumnElement[Any]:
        return cast(cast(bindvalue, Numeric), MONEY)
