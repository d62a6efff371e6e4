"""Values to try a mapping with: edge values first, the same ones every time.

``canonical_values`` are in the canonical form of a field's type, ``remote_values`` are what a remote field of a type
may hold. Neither is random: the same file gets the same verdict, on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from hub.connect.capabilities import Field
from hub.mapping.operators import Operator
from hub.model import forms
from hub.model.spec import FieldSpec, TypeName

LONG = 300
"""Characters of a very long text."""

_TEXTS = (
    "a", "B", "Ab", "12", "0", "00012", "-1", "1.50", "a b", "a  b", "a b c d", "上海", "上海，中国（总部）", "１２３",
    "ＡＢＣ　１", "Ä", "ß", "İ", "ΐ", "ﬁ", "e\u0301x\u0323\u0307", "🙂", "\U0001f469\u200d\U0001f467",
    "O'Neil & \"Co\" <b>", "a&amp;b", "a\xa0b", "a, b", "a; b", "a-b", "a/b", "C-12", "null", "true", "=1+1", "#",
    "a\nb", "a \n b", "a\n\nb", "a\tb", "x" * LONG, "长" * LONG,
)  # fmt: skip
_DECIMALS = (
    "0", "1", "-1", "3", "100", "0.1", "0.01", "-0.01", "0.5", "1.005", "2.675", "-2.5", "19.99", "1234567.89",
    "0.000001", "9" * 28, "-" + "9" * 26 + ".99", "0." + "0" * 27 + "1", "12345678901234.1234567890123",
)  # fmt: skip
_RATES = ("0", "13", "6", "9", "3", "0.5", "6.25", "100", "-1", "0.001", "33.333333")
_DATES = (
    "2026-01-15", "2026-01-31", "2024-02-29", "2026-12-31", "2026-03-29", "2026-10-25", "2018-11-04", "1970-01-01",
    "1900-01-01", "1986-05-04", "9999-12-31",
)  # fmt: skip
_INSTANTS = (
    "2026-01-15T09:30:12Z", "2026-01-31T16:00:00Z", "2026-01-31T23:59:59Z", "2024-02-29T00:00:00Z",
    "2026-01-15T09:30:00Z", "2026-01-15T09:30:12.5Z", "2026-01-15T09:30:12.123456Z", "2026-03-29T01:00:00Z",
    "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "1986-05-03T18:00:00Z", "1970-01-01T00:00:00Z",
    "1969-12-31T23:59:59.5Z", "2038-01-19T03:14:08Z", "9999-12-31T12:00:00Z",
)  # fmt: skip
_PHONES = (
    "+8613800000000", "+8675586123456", "+8675586123456;ext=12", "+4930901820", "+12025550123", "+85221234567",
    "138 0000 0000", "ask Ann", "０７５５", "+", "400-800-1234",
)  # fmt: skip
_EMAILS = ("ann@example.com", "Ann.Lee@example.com", "a+b@例子.cn", "ann@", "none", "a@b; c@d")
_TAX_IDS = ("91310000MA1FL0000X", "12345", "0", "DE136695976", "税号1", "X" * 40)
_COUNTRIES = ("CN", "HK", "TW", "MO", "DE", "GB", "US", "FR", "KR", "KP", "CD", "CG", "VN", "AX")
_CURRENCIES = ("CNY", "USD", "JPY", "KWD", "EUR", "HKD")
_REFS = ("1", "CUST0001", "4876876000000123456", "客户-1", "a b")
_INTEGERS: tuple[Any, ...] = (0, 1, -1, 7, 100, 2**31, 2**53 + 1, 2**63 - 1, -(2**63))

_OF_TYPE: dict[TypeName, tuple[Any, ...]] = {
    "text": _TEXTS, "longtext": _TEXTS, "integer": _INTEGERS, "decimal": _DECIMALS, "money": _DECIMALS, "rate": _RATES,
    "boolean": (True, False), "date": _DATES, "instant": _INSTANTS, "enum": (), "currency": _CURRENCIES,
    "country": _COUNTRIES, "phone": _PHONES, "email": _EMAILS, "tax_id": _TAX_IDS, "ref": _REFS, "lines": (),
}  # fmt: skip

_REMOTE: dict[str, tuple[Any, ...]] = {
    "text": (*_TEXTS[:22], "  a b ", " ", "\u3000a", *_DECIMALS[:4], *_DATES[:2], _INSTANTS[0]),
    "integer": (0, 1, -1, 12, 2**31, 1700000000),
    "decimal": (0, 1, Decimal("1.50"), Decimal("-0.00"), Decimal("1E+3"), Decimal("1.005"), Decimal("0.13"), 13),
    "boolean": (True, False),
    "date": ("2026-01-15", "2026-01-15T00:00:00", "2024-02-29", "9999-12-31"),
    "datetime": (
        "2026-01-15T09:30:12+08:00", "2026-01-15T09:30:12Z", "2026-01-15T09:30:12", "2026-10-25T02:30:00",
        "2026-01-15T00:00:00", "2026-03-29T02:30:00+01:00", "2026-01-15T09:30:12.123456-05:00", "2026-01-15",
    ),
    "choices": ([], ["a"], ["a", "b"], ["a", " ", "b"], ["b", "a"]),
}  # fmt: skip


def canonical_values(spec: FieldSpec, operators: tuple[Operator, ...] = ()) -> list[Any]:
    """Canonical values of a field, null first, then the edges of its type and of the operators' own arguments."""
    form = forms.form_of(spec)
    made: dict[tuple[str, Any], Any] = {_key(None): None}
    for value in (*spec.choices, *_of_operators(operators), *_OF_TYPE[spec.type]):
        try:
            value = form(value)
        except (ValueError, ArithmeticError):
            continue
        if spec.max_length is None or not isinstance(value, str) or len(value) <= spec.max_length:
            made.setdefault(_key(value), value)
    return list(made.values())


def remote_values(field: Field | None) -> list[Any]:
    """What a remote field may hold, by its type; without a description, what a text may hold."""
    if field is None or field.type == "any":
        return list(_REMOTE["text"])
    if field.type == "choice":
        return [*field.choices, *_TEXTS[:3]]
    if field.type == "choices" and field.choices:
        return [[], list(field.choices[:1]), list(field.choices[:3]), list(field.choices[2::-1])]
    return list(_REMOTE.get(field.type, _REMOTE["text"]))


def distinct(number: int, spec: FieldSpec) -> Iterator[Any]:
    """Values that tell one field from the other fields of a record: made of the field's own number."""
    plain: dict[str, Callable[[], tuple[Any, ...]]] = {
        "integer": lambda: (number + 1, (number % 7) + 1),
        "decimal": lambda: (f"{number + 1}.5", str(number + 1)),
        "date": lambda: (f"2026-{number % 12 + 1:02}-{number % 27 + 1:02}",),
        "instant": lambda: (f"2026-{number % 12 + 1:02}-{number % 27 + 1:02}T0{number % 10}:{number % 60:02}:00Z",),
    }
    kind = "decimal" if spec.type in ("money", "rate") else spec.type
    yield from plain.get(kind, lambda: (f"T{number + 1}", str(number + 11)))()
    usual = [value for value in canonical_values(spec) if value is not None]
    yield from usual[number % len(usual) :] + usual[: number % len(usual)] if usual else ()


def _of_operators(operators: tuple[Operator, ...]) -> Iterator[Any]:
    """Values at the edges of the arguments: with the separator in them, one longer than fits, the words of tables."""
    for operator in operators:
        args = operator.args
        for name in ("separator", "text"):
            mark = getattr(args, name, None)
            if isinstance(mark, str):
                yield from (f"a{mark}b", f"a{mark.strip()}b", f"a{mark}", f"b{mark}a{mark}c", f"{mark}1", f"a {mark} b")
        for name in ("length", "width"):
            size = getattr(args, name, None)
            if isinstance(size, int):
                yield from (
                    "x" * size,
                    "x" * (size + 1),
                    "x" * (size - 1) + " y",
                    "长" * (size - 1) + "🙂🙂",
                    "0" * size,
                )
                yield "0" * (size - 1) + "1"
        yield from operator.words()


def _key(value: Any) -> tuple[str, Any]:
    return type(value).__name__, value
