"""The canonical form of each type of ``hub.model.spec``, and the way back to typed values.

A form is a function ``(value) -> canonical``. It is idempotent, gives ``None`` for ``None`` and for blank text, and
raises ``ValueError`` with a sentence for a person when the value is not of its type. A ``float`` is never accepted:
its decimal digits are a guess, so whoever reads floats has to say how they are rounded (in the mapping).

Phone numbers, e-mail addresses and tax numbers are texts that people type. Their forms normalise what they understand
and keep what they don't, so that an odd value still reaches the other systems; ``hub.model.checks`` reports it.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from hub.model import codes, phones
from hub.model.spec import FieldSpec, TypeName

Form = Callable[[Any], Any]

MAX_DIGITS = 38
"""Digits a decimal may have before and after the point together (what every SQL database can hold)."""
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+(?:\.0*)?", re.ASCII)
_MIDNIGHT = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?", re.ASCII)
_TRUTHS: dict[Any, bool] = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}


def show(value: Any) -> str:
    """A short rendering of a value for messages."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _wrong(value: Any, wanted: str) -> ValueError:
    if isinstance(value, dict):
        members = ", ".join(map(str, list(value)[:5])) or "no members"
        hint = f"an object with {members}; name one of them in the path"
    elif isinstance(value, (list, tuple)):
        hint = "a list; name one of its items or join it"
    elif isinstance(value, float):
        hint = f"the binary float {value!r}, whose digits are a guess; say how it is rounded"
    elif isinstance(value, bool):
        hint = f"the boolean {str(value).lower()}"
    else:
        hint = show(value)
    return ValueError(f"expected {wanted}, got {hint}")


def text(value: Any) -> str | None:
    """Unicode NFC, no white space at the ends, line ends ``\\n``; empty is None. Numbers and dates are written out."""
    if value.__class__ is not str:
        if value is None:
            return None
        value = _written_out(value)
    if not value.isascii():
        if not unicodedata.is_normalized("NFC", value):
            value = unicodedata.normalize("NFC", value)
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"the text {show(value)} holds half a character (a lone surrogate) at its source"
            ) from None
    if "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in value:
        raise ValueError(f"the text {show(value)} holds a NUL character, which no database can store")
    return value.strip() or None


def _written_out(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, dt.date, dt.time, UUID)):
        raise _wrong(value, "text")
    if isinstance(value, Decimal):
        return decimal(value) or ""
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else str(value)


def integer(value: Any) -> int | None:
    """``int`` within 64 bits, from a number without a fraction or its digits."""
    kind = value.__class__
    if kind is str:
        value = value.strip()
        if not value:
            return None
        if not _INTEGER.fullmatch(value):
            raise _wrong(value, "a whole number")
        number = int(value.partition(".")[0])
    elif kind is int:
        number = value
    elif value is None:
        return None
    elif (
        isinstance(value, Decimal)
        and value.is_finite()
        and value.adjusted() < 20
        and value == value.to_integral_value()
    ):
        number = int(value)
    else:
        raise _wrong(value, "a whole number")
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"expected a whole number of at most 64 bits, got {show(number)}; map it as text")
    return number


def decimal(value: Any) -> str | None:
    """Plain notation: no exponent, no trailing zeros, no ``-0``. Takes Decimal, int and text in the plain notation."""
    kind = value.__class__
    if kind is str:
        plain = value.strip()
        if not plain:
            return None
        if not _NUMBER.fullmatch(plain):
            hint = "; thousands separators, signs of currency and other marks have to be removed" if plain[:1] else ""
            raise ValueError(f"expected a number, got {show(value)}{hint}")
        number = Decimal(plain)
    elif kind is Decimal:
        number = value
    elif kind is int:
        number = Decimal(value)
    elif value is None:
        return None
    elif isinstance(value, Decimal):
        number = Decimal(value)
    else:
        raise _wrong(value, "a number")
    return plain_decimal(number)


def plain_decimal(number: Decimal) -> str:
    """A Decimal in canonical form. Raises ValueError for NaN, infinity and more than ``MAX_DIGITS`` digits."""
    if not number:
        if not number.is_finite():
            raise _wrong(number, "a number")
        return "0"
    if not number.is_finite():
        raise _wrong(number, "a number")
    if not -MAX_DIGITS <= number.adjusted() < MAX_DIGITS:
        raise ValueError(f"expected a number of at most {MAX_DIGITS} digits, got {show(str(number))}")
    written = str(number)
    if "E" in written:
        written = format(number, "f")
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    if len(written) > MAX_DIGITS and sum(map(str.isdigit, written.lstrip("-0."))) > MAX_DIGITS:
        raise ValueError(f"expected a number of at most {MAX_DIGITS} digits, got {show(written)}")
    return written


def boolean(value: Any) -> bool | None:
    """True and False, 1 and 0, ``"true"`` and ``"false"``. Other words belong in a value table."""
    if value is True or value is False or value is None:
        return value  # type: ignore[no-any-return]
    if isinstance(value, str):
        value = value.strip().lower()
        if not value:
            return None
    if isinstance(value, (str, int, Decimal)) and value in _TRUTHS:
        return _TRUTHS[value]
    raise ValueError(f"expected true or false, got {show(value)}; give a value table for other words")


def date(value: Any) -> str | None:
    """``"2026-01-15"``. A date with a time is taken only at midnight without a zone: so systems without dates write."""
    if value.__class__ is str:
        value = value.strip()
        if not value:
            return None
        day, rest = value[:10], value[10:]
        if day[4:5] == "-" and day[7:8] == "-" and (not rest or _MIDNIGHT.fullmatch(rest)):
            try:
                dt.date.fromisoformat(day)
            except ValueError:
                raise ValueError(f"expected a date, got {show(value)}, which is not in the calendar") from None
            return str(day)
    elif value is None:
        return None
    elif isinstance(value, dt.datetime):
        if value.tzinfo is None and value.time() == dt.time():
            return value.date().isoformat()
        value = value.isoformat()
    elif isinstance(value, dt.date):
        return value.isoformat()
    else:
        raise _wrong(value, "a date")
    hint = " with a time: say which zone's day is meant" if len(value) > 10 and value[:4].isdigit() else ""
    raise ValueError(f"expected a date like 2026-01-15, got {show(value)}{hint}")


def instant(value: Any) -> str | None:
    """``"2026-01-15T09:30:12Z"`` from ISO 8601 with an offset or an aware datetime; microseconds are kept."""
    if value.__class__ is str:
        value = value.strip()
        if not value:
            return None
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"expected an instant like 2026-01-15T09:30:12Z, got {show(value)}") from None
        if len(value) == 20 and value[19] == "Z" and value[10] == "T":
            return str(value)
    elif value is None:
        return None
    elif isinstance(value, dt.datetime):
        moment = value
    else:
        raise _wrong(value, "an instant")
    if moment.tzinfo is None:
        raise ValueError(f"the instant {show(value)} has no zone; say in which zone the system writes its times")
    try:
        written = moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat()
    except OverflowError:
        raise ValueError(f"the instant {show(value)} lies outside the years 1 to 9999") from None
    return (written.rstrip("0") if "." in written else written) + "Z"


def currency(value: Any) -> str | None:
    """ISO 4217 code, from the code in any case or the currency's English or Chinese name."""
    name = text(value)
    return name and codes.currency_code(name)


def country(value: Any) -> str | None:
    """ISO 3166-1 alpha-2 code, from alpha-2 or alpha-3 in any case or the English or Chinese name."""
    name = text(value)
    return name and codes.country_code(name)


def phone(value: Any, region: str | None = None) -> str | None:
    """E.164 with ``;ext=``; ``region`` (``"CN"``) is where numbers without a country code are dialled.

    What can't be understood as one phone number is kept as text."""
    number = text(value)
    return number and phones.e164(number, region)


def email(value: Any) -> str | None:
    """The domain in lower case. Text that is not one address is kept."""
    address = text(value)
    if address and address.count("@") == 1:
        person, _, domain = address.partition("@")
        return f"{person}@{domain.lower()}"
    return address


def tax_id(value: Any) -> str | None:
    """Letters and digits only, upper case, full-width characters folded."""
    number = text(value)
    if number is None:
        return None
    if not number.isascii():
        number = unicodedata.normalize("NFKC", number)
    number = number.upper()
    if not number.isalnum():
        number = "".join(filter(str.isalnum, number))
    return number or None


def enum(value: Any, choices: Iterable[str]) -> str | None:
    """One of ``choices``."""
    choice = text(value)
    if choice is not None and choice not in choices:
        raise ValueError(f"expected one of {', '.join(choices)}, got {show(value)}; give a value table")
    return choice


def lines(value: Any, key: str | None) -> list[dict[str, Any]] | None:
    """The list of lines, sorted by ``key``. Their fields are expected in canonical form already."""
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        raise _wrong(value, "a list of lines")
    if not all(isinstance(line, dict) for line in value):
        raise ValueError("expected a list of lines, each an object with fields")
    if key is None:
        return list(value)
    seen: set[Any] = set()
    for number, line in enumerate(value, 1):
        mark = line.get(key)
        if mark is None:
            raise ValueError(f"line {number} has no {key}, which tells the lines apart")
        if mark in seen:
            raise ValueError(f"two lines have the same {key} {show(mark)}")
        seen.add(mark)
    return sorted(value, key=lambda line: line[key])


longtext = text
money = decimal
rate = decimal
ref = text

FORMS: dict[TypeName, Form] = {
    "text": text, "longtext": longtext, "integer": integer, "decimal": decimal, "money": money, "rate": rate,
    "boolean": boolean, "date": date, "instant": instant, "currency": currency, "country": country, "phone": phone,
    "email": email, "tax_id": tax_id, "ref": ref,
}  # fmt: skip
"""Form of each type that needs no more than the value (``enum`` and ``lines`` need the field: see ``form_of``)."""


def form_of(field: FieldSpec) -> Form:
    """The form of one field. For lines it also brings each line's fields into canonical form."""
    if field.type == "enum":
        choices = field.choices
        return lambda value: enum(value, choices)
    if field.type == "lines":
        return _lines_form(field)
    return FORMS[field.type]


def _lines_form(field: FieldSpec) -> Form:
    if field.lines is None:
        return lambda value: lines(value, None)
    key = field.lines.key
    forms = {name: form_of(spec) for name, spec in field.lines.fields.items()}

    def whole(value: Any) -> list[dict[str, Any]] | None:
        rows = lines(value, None)
        return rows and lines([_line(row, forms, n) for n, row in enumerate(rows, 1)], key)

    return whole


def _line(row: dict[str, Any], forms: dict[str, Form], number: int) -> dict[str, Any]:
    made = {}
    for name, value in row.items():
        if name not in forms:
            raise ValueError(f"line {number} has an unknown field {name!r}")
        try:
            made[name] = forms[name](value)
        except ValueError as error:
            raise ValueError(f"line {number}, {name}: {error}") from None
    return made


def canonical(type: TypeName, value: Any) -> Any:
    """The canonical form of a value. ``enum`` counts as text here and lines are taken as they are."""
    form: Form = FORMS.get(type, text)
    return value if type == "lines" else form(value)


def typed(type: TypeName, canonical: Any) -> Any:
    """The typed view of a canonical value: Decimal, date, aware datetime in UTC; all others are their own view."""
    if canonical is None:
        return None
    if type in ("decimal", "money", "rate"):
        try:
            return Decimal(canonical)
        except InvalidOperation:
            raise ValueError(f"{canonical!r} is not a decimal in canonical form") from None
    if type == "date":
        return dt.date.fromisoformat(canonical)
    if type == "instant":
        return dt.datetime.fromisoformat(canonical)
    return canonical


def blank(value: Any) -> bool:
    """Whether a canonical value says nothing: null, or a list without lines. Zero and False say something."""
    return value is None or value in ("", [])
