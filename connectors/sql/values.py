"""Values between a database and a record: what the driver gives → JSON types, and back.

Numbers with a fraction are always ``Decimal``. What was stored as a binary floating-point number comes out as the
shortest decimal that the column's own precision (24 bits for a ``real``, 53 for a ``double precision``) can't tell
from the stored number: a ``real`` that is shown as 9.80000019 is 9.8. Nothing is rounded to a number of places.

``write`` functions raise ``ValueError`` with a message for a person when the column can't hold the value exactly.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

Read = Callable[[Any], Any]
Write = Callable[[Any], Any]
_TIME_TEXT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(.*)")


def single(value: float) -> float:
    """The nearest 32-bit floating-point number, as the (64-bit) float that equals it. Raises OverflowError."""
    widened: float = struct.unpack("f", struct.pack("f", value))[0]
    return widened


def shortest_single(value: float) -> Decimal:
    """The shortest decimal that a 32-bit column holds as this value: 0.15000000596046448 → 0.15."""
    stored = single(value)
    for digits in range(6, 9):
        text = f"{stored:.{digits}g}"
        if single(float(text)) == stored:
            return plain(Decimal(text))
    return plain(Decimal(f"{stored:.9g}"))


def shortest_double(value: float) -> Decimal:
    """The shortest decimal that a 64-bit column holds as this value."""
    return plain(Decimal(repr(value)))


def plain(number: Decimal) -> Decimal:
    """Without exponent: 1E+6 is the number 1000000."""
    return number.quantize(Decimal(1)) if number == number.to_integral_value() and abs(number) < 10**20 else number


# Reading: never called with None.


def read_decimal(value: Any) -> Any:
    if isinstance(value, float):
        return shortest_double(value) if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return value if value.is_finite() else str(value)
    if isinstance(value, int):
        return Decimal(value)
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return str(value)


def read_single(value: Any) -> Any:
    if isinstance(value, float | int | Decimal) and math.isfinite(value):
        return shortest_single(float(value))
    return str(value)


def read_integer(value: Any) -> Any:
    if isinstance(value, float | Decimal):
        return int(value) if value == int(value) else read_decimal(value)
    return value


def read_boolean(value: Any) -> Any:
    if isinstance(value, bytes):
        value = int.from_bytes(value, "big")
    return bool(value) if value in (0, 1) else value


def read_bits(value: Any) -> Any:
    return int.from_bytes(value, "big") if isinstance(value, bytes) else value


def read_padded(value: Any) -> Any:
    """A ``char(n)`` is filled up with blanks that mean nothing."""
    return value.rstrip(" ") if isinstance(value, str) else value


def read_binary(value: Any) -> Any:
    return base64.b64encode(bytes(value)).decode("ascii")


def read_date(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else _text_time(value, None)


def read_time(zone: ZoneInfo | None) -> Read:
    """For columns of date and time; ``zone``: where clocks stood that wrote none."""

    def read(value: Any) -> Any:
        if isinstance(value, datetime):
            return time_text(value, zone)
        return _text_time(value, zone)

    return read


def time_text(value: datetime, zone: ZoneInfo | None) -> str:
    """ISO 8601: in UTC with ``Z`` when the zone is known, else without a zone."""
    if value.tzinfo is None:
        if zone is None:
            return value.isoformat()
        value = value.replace(tzinfo=zone)
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _text_time(value: Any, zone: ZoneInfo | None) -> Any:
    """SQLite keeps times as the text its programs wrote; MySQL answers 0000-00-00 for 'no date'."""
    if not isinstance(value, str):
        return value
    if value.startswith("0000-00-00"):
        return None
    found = _TIME_TEXT.fullmatch(value.strip())
    if not found:
        return value
    if zone is not None or found[3]:
        try:
            return time_text(datetime.fromisoformat(value.strip()), zone)
        except ValueError:
            return value
    return f"{found[1]}T{found[2]}"


def time_in(text: str) -> datetime | None:
    """The time that a text of ISO 8601 with date and time means; None for any other text."""
    if not _TIME_TEXT.fullmatch(text.strip()):
        return None
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def read_any(value: Any) -> Any:
    """JSON types for whatever a driver gives."""
    if value is None or isinstance(value, bool | int | str | Decimal):
        return value
    if isinstance(value, float):
        return read_decimal(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return read_binary(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(k): read_any(v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(read_any(v) for v in value)
    if isinstance(value, list | tuple):
        return [read_any(v) for v in value]
    return str(value)


# Writing: never called with None.


def number(value: Any) -> Decimal:
    """A number given as int, Decimal, or text."""
    if isinstance(value, bool):
        return Decimal(int(value))
    if isinstance(value, int | Decimal):
        return Decimal(value)
    if isinstance(value, str):
        try:
            found = Decimal(value.strip())
        except InvalidOperation:
            found = Decimal("NaN")
        if found.is_finite():
            return found
    raise ValueError(f"{value!r} is not a number")


def write_integer(low: int, high: int) -> Write:
    def write(value: Any) -> int:
        found = number(value)
        if found != found.to_integral_value():
            raise ValueError(f"{found} is not a whole number")
        if not low <= found <= high:
            raise ValueError(f"{found} is outside {low} … {high}")
        return int(found)

    return write


def write_decimal(precision: int | None, scale: int | None, exact: bool) -> Write:
    def write(value: Any) -> Decimal:
        found = number(value)
        if scale is not None and exact and found != round(found, scale):
            raise ValueError(f"{found} has more than the column's {scale} decimals; round it in the mapping")
        if precision is not None and abs(found) >= Decimal(10) ** (precision - (scale or 0)):
            raise ValueError(f"{found} has more digits than the column's {precision - (scale or 0)} before the point")
        return found

    return write


def write_float(bits: int, exact: bool) -> Write:
    def write(value: Any) -> float:
        found = number(value)
        try:
            stored = single(float(found)) if bits <= 24 else float(found)
        except OverflowError:
            raise ValueError(f"{found} is too large for the column") from None
        back = shortest_single(stored) if bits <= 24 else shortest_double(stored)
        if exact and back != found:
            raise ValueError(f"{found} would be stored as {back}, since the column is a floating-point number")
        return stored

    return write


def write_boolean(value: Any) -> bool:
    if value in (True, False, 0, 1):
        return bool(value)
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise ValueError(f"{value!r} is neither true nor false")


def write_text(length: int | None, choices: tuple[str, ...] = ()) -> Write:
    def write(value: Any) -> str:
        text = _as_text(value)
        if "\0" in text:
            raise ValueError("the text contains a zero character")
        if length is not None and len(text) > length:
            raise ValueError(f"the text has {len(text)} characters, the column holds {length}")
        if choices and text not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return text

    return write


def write_uuid(value: Any) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise ValueError(f"{value!r} is no UUID") from None


def write_choices(choices: tuple[str, ...]) -> Write:
    def write(value: Any) -> set[str]:
        chosen = set(value) if isinstance(value, list | tuple | set) else {_as_text(value)} - {""}
        if wrong := chosen - set(choices):
            raise ValueError(f"{', '.join(sorted(wrong))}: none of {', '.join(choices)}")
        return chosen

    return write


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise ValueError(f"a text column can't hold {type(value).__name__}")


def write_date(value: Any) -> date:
    found = _parsed(value)
    if found.time() != time(0):
        raise ValueError(f"{value!r} has a time of day, the column holds dates")
    return found.date()


def write_time(aware: bool, zone: ZoneInfo | None) -> Write:
    def write(value: Any) -> datetime:
        found = _parsed(value)
        if aware:
            if found.tzinfo is None and zone is None:
                raise ValueError(f"{value!r} has no time zone; set timezone for this system")
            return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
        if found.tzinfo is None:
            return found
        if zone is None:
            raise ValueError(f"{value!r} has a time zone, the column has none; set timezone for this system")
        return found.astimezone(zone).replace(tzinfo=None)

    return write


def write_clock(value: Any) -> time:
    try:
        return time.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is not a time of day") from None


def write_binary(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError):
        raise ValueError("a binary column takes base64 text") from None


def as_is(value: Any) -> Any:
    return value


def _parsed(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"{value!r} is not a date or time (ISO 8601)") from None


def write_time_text(write: Write) -> Write:
    """For SQLite, in the form of its own CURRENT_TIMESTAMP."""

    def as_text(value: Any) -> str:
        found = write(value)
        return found.isoformat(sep=" ") if isinstance(found, datetime) else str(found.isoformat())

    return as_text


def clock_text(value: Any) -> Any:
    """MySQL's time of day comes as a duration."""
    if isinstance(value, timedelta):
        inside = timedelta(0) <= value < timedelta(days=1)
        return (datetime(1, 1, 1, tzinfo=UTC) + value).time().isoformat() if inside else str(value)
    return value.isoformat() if isinstance(value, time) else value
