"""What a column holds: from the type that reflection found to how its values are read, written and described."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.types import TypeEngine

from hub.connect.capabilities import FieldType

from . import values
from .columntypes import MySqlInstant, MySqlSingle, PostgresMoney
from .values import Read, Write


@dataclass(frozen=True, slots=True)
class Kind:
    """How one type of column is handled."""

    field: FieldType
    """What ``describe`` calls it."""
    type: TypeEngine[Any]
    """The type that statements use for it."""
    write: Write
    read: Read | None = None
    """None: the driver's value is the record's value."""
    order: str = ""
    """What a cursor column of this kind is: 'instant', 'local' (a time without zone), 'date', 'integer', 'text', or
    nothing when it can't be one."""
    max_length: int | None = None
    scale: int | None = None
    choices: tuple[str, ...] = ()


def classify(found: TypeEngine[Any], family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    """The kind of a reflected type. ``family``: the dialect's name, 'mysql' for MariaDB too. ``exact``: refuse numbers
    that the column would change."""
    for matches, make in _MAKERS:
        if matches(found, family):
            return make(found, family, zone, exact)
    return Kind("any", sa.types.NullType(), values.as_is, values.read_any, order="text")


Matcher = Callable[[TypeEngine[Any], str], bool]
Maker = Callable[[Any, str, ZoneInfo | None, bool], Kind]


def _is(*types: type) -> Matcher:
    return lambda found, family: isinstance(found, types)


def _boolean(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    kind: TypeEngine[Any] = sa.types.NullType() if family in ("sqlite", "mysql") else sa.Boolean()
    return Kind("boolean", kind, values.write_boolean, values.read_boolean)


def _is_boolean(found: TypeEngine[Any], family: str) -> bool:
    short = isinstance(found, mysql.TINYINT) and found.display_width == 1
    single_bit = isinstance(found, mysql.BIT) and (found.length or 1) == 1 and family == "mysql"
    return isinstance(found, sa.Boolean) or short or single_bit


def _integer(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    bits = 16 if isinstance(found, sa.SmallInteger) else 64 if isinstance(found, sa.BigInteger) else 32
    bits = {mysql.TINYINT: 8, mysql.MEDIUMINT: 24}.get(type(found), 64 if family == "sqlite" else bits)
    low, high = (0, 2**bits - 1) if getattr(found, "unsigned", False) else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    # BigInteger for all: a comparison with a number outside the column's range must be false, not an error.
    return Kind(
        "integer", sa.BigInteger(), values.write_integer(low, high), values.read_integer, order="integer", scale=0
    )


def _money(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    return Kind("decimal", PostgresMoney(), values.write_decimal(19, 2, exact), values.read_decimal, scale=2)


def _float(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    if family == "sqlite":
        return Kind("decimal", sa.types.NullType(), values.write_float(53, exact), values.read_decimal)
    if float_bits(found, family) <= 24:
        kind: TypeEngine[Any] = MySqlSingle() if family == "mysql" else sa.Double()
        return Kind("decimal", kind, values.write_float(24, exact), values.read_single)
    return Kind("decimal", sa.Double(), values.write_float(53, exact), values.read_decimal)


def float_bits(found: Any, family: str) -> int:
    """24 or 53: what a reflected floating-point type stores."""
    precision = getattr(found, "precision", None)
    if family == "mysql":
        single = isinstance(found, mysql.FLOAT) and (precision is None or precision <= 24 or found.scale is not None)
        return 24 if single else 53
    if isinstance(found, sa.Double):
        return 53
    return 24 if isinstance(found, sa.REAL) or (precision is not None and precision <= 24) else 53


def _decimal(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    if family == "sqlite":  # stores what it calls DECIMAL as a double, whatever precision was declared
        return Kind(
            "decimal", sa.types.NullType(), values.write_float(53, exact), values.read_decimal, scale=found.scale
        )
    write = values.write_decimal(found.precision, found.scale, exact)
    return Kind("decimal", sa.Numeric(found.precision, found.scale), write, values.read_decimal, scale=found.scale)


def _datetime(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    if family == "sqlite":
        write = values.write_time_text(values.write_time(False, zone))
        return Kind("datetime", sa.types.NullType(), write, values.read_time(zone), order="local")
    if isinstance(found, mysql.TIMESTAMP):
        return Kind("datetime", MySqlInstant(), values.write_time(True, zone), values.read_time(None), order="instant")
    aware = bool(found.timezone)
    order = "instant" if aware else "local"
    return Kind(
        "datetime", found, values.write_time(aware, zone), values.read_time(None if aware else zone), order=order
    )


def _date(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    if family == "sqlite":
        write = values.write_time_text(values.write_date)
        return Kind("date", sa.types.NullType(), write, values.read_date, order="date")
    return Kind("date", sa.Date(), values.write_date, values.read_date, order="date")


def _clock(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    if family == "sqlite":
        return Kind("text", sa.types.NullType(), lambda value: values.write_clock(value).isoformat(), None)
    return Kind("text", found, values.write_clock, values.clock_text)


def _set(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    choices = tuple(found.values)
    return Kind("choices", found, values.write_choices(choices), values.read_any, choices=choices)


def _enum(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    choices = tuple(found.enums)
    return Kind("choice", found, values.write_text(None, choices), None, order="text", choices=choices)


def _json(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    kind = postgresql.JSONB(none_as_null=True) if isinstance(found, postgresql.JSONB) else sa.JSON(none_as_null=True)
    return Kind("object", kind, values.as_is, values.read_any)


def _uuid(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    return Kind("text", sa.Uuid(as_uuid=False), values.write_uuid, None, order="text", max_length=36)


def _binary(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    return Kind("any", sa.LargeBinary(), values.write_binary, values.read_binary)


def _array(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    return Kind("any", found, values.as_is, values.read_any)


def _bits(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    return Kind("integer", sa.types.NullType(), values.write_integer(0, 2**64 - 1), values.read_bits)


def _text(found: Any, family: str, zone: ZoneInfo | None, exact: bool) -> Kind:
    length = getattr(found, "length", None)
    padded = isinstance(found, sa.CHAR | sa.NCHAR)
    read = values.read_any if family == "sqlite" else values.read_padded if padded else None
    long = isinstance(found, sa.Text) and family == "mysql"  # their length counts bytes
    length = None if long else length
    # Comparing a PostgreSQL char(n) or citext with a varchar would change the comparison and miss the index.
    untyped = padded or type(found).__module__.startswith("sqlalchemy.dialects.postgresql")
    kind = sa.types.NullType() if untyped else sa.String()
    return Kind("text", kind, values.write_text(length), read, order="text", max_length=length)


_MAKERS: tuple[tuple[Matcher, Maker], ...] = (
    (_is_boolean, _boolean),
    (lambda found, family: isinstance(found, mysql.BIT) and family == "mysql", _bits),
    (_is(sa.Integer, mysql.YEAR), _integer),
    (_is(postgresql.MONEY), _money),
    (_is(sa.Float), _float),
    (_is(sa.Numeric), _decimal),
    (_is(sa.DateTime), _datetime),
    (_is(sa.Date), _date),
    (_is(sa.Time), _clock),
    (_is(mysql.SET), _set),
    (_is(sa.Enum), _enum),
    (_is(sa.JSON, sqlite.JSON), _json),
    (_is(sa.Uuid), _uuid),
    (_is(sa.LargeBinary), _binary),
    (_is(sa.ARRAY), _array),
    (lambda found, family: type(found) is not postgresql.BIT and isinstance(found, sa.String), _text),
)
