"""The canonical forms: one way to write each value, idempotent, and clear about what they don't take."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.model import forms
from hub.model.spec import EntitySpec, FieldSpec, TypeName

SHANGHAI = ZoneInfo("Asia/Shanghai")
NAIVE = dt.datetime(2026, 1, 15)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        ("text", "  上海有限公司　", "上海有限公司"),
        ("text", "e\u0301clair", "\u00e9clair"),
        ("text", "a\r\nb\rc", "a\nb\nc"),
        ("text", " \t\n", None),
        ("text", 42, "42"),
        ("text", Decimal("12.50"), "12.5"),
        ("text", dt.date(2026, 1, 15), "2026-01-15"),
        ("integer", "007", 7),
        ("integer", Decimal("3.0"), 3),
        ("integer", "", None),
        ("decimal", "12.500", "12.5"),
        ("decimal", "-0.00", "0"),
        ("decimal", Decimal("1E+3"), "1000"),
        ("decimal", "1.5e-7", "0.00000015"),
        ("decimal", ".5", "0.5"),
        ("decimal", 100, "100"),
        ("money", Decimal("1234567890123456789.1234567890"), "1234567890123456789.123456789"),
        ("boolean", "TRUE", True),
        ("boolean", 0, False),
        ("boolean", " ", None),
        ("date", "2026-01-15", "2026-01-15"),
        ("date", "2026-01-15T00:00:00", "2026-01-15"),
        ("date", NAIVE, "2026-01-15"),
        ("instant", "2026-01-15T17:30:12+08:00", "2026-01-15T09:30:12Z"),
        ("instant", "2026-01-15T09:30:12.120000Z", "2026-01-15T09:30:12.12Z"),
        ("instant", dt.datetime(2026, 1, 15, 17, 30, 12, tzinfo=SHANGHAI), "2026-01-15T09:30:12Z"),
        ("currency", "cny", "CNY"),
        ("currency", "人民币", "CNY"),
        ("currency", "US Dollar", "USD"),
        ("country", "DEU", "DE"),
        ("country", "德国", "DE"),
        ("country", "UK", "GB"),
        ("country", "Venezuela", "VE"),
        ("country", "中国台湾", "TW"),
        ("email", " Info@Example.COM ", "Info@example.com"),
        ("email", "a@b.com; c@d.com", "a@b.com; c@d.com"),
        ("tax_id", "９１３１ 0000-ma1k12345x", "91310000MA1K12345X"),
        ("tax_id", "DE 136,695 976", "DE136695976"),
        ("ref", "h1", "h1"),
    ],
)
def test_one_way_to_write_each_value(kind: TypeName, given: Any, wanted: Any) -> None:
    made = forms.canonical(kind, given)
    assert made == wanted
    assert type(made) is type(wanted)
    assert forms.canonical(kind, made) == made


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        ("text", {"id": 1, "name": "x"}, "an object with id, name; name one of them in the path"),
        ("text", True, "the boolean true"),
        ("text", ["a"], "a list"),
        ("text", "a\0b", "NUL"),
        ("text", "\ud800", "half a character"),
        ("integer", "3.5", "a whole number"),
        ("integer", True, "a whole number"),
        ("integer", 2**63, "64 bits"),
        ("decimal", 1.5, "binary float"),
        ("decimal", "1,000.00", "thousands separators"),
        ("decimal", "1_000", "a number"),
        ("decimal", "１２", "a number"),
        ("decimal", "NaN", "a number"),
        ("decimal", Decimal("Infinity"), "a number"),
        ("decimal", "1e9999", "38 digits"),
        ("boolean", "yes", "value table"),
        ("boolean", 2, "true or false"),
        ("date", "2026-02-30", "not in the calendar"),
        ("date", "2026-W03-4", "a date like"),
        ("date", "15.01.2026", "a date like"),
        ("date", "2026-01-15T10:00:00Z", "which zone's day"),
        ("instant", "2026-01-15T09:30:12", "has no zone"),
        ("instant", "0001-01-01T00:00:00+08:00", "outside the years"),
        ("currency", "XYZ", "ISO 4217"),
        ("country", "Atlantis", "expected a country"),
    ],
)
def test_what_is_not_of_the_type_is_refused_with_a_sentence(kind: TypeName, given: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        forms.canonical(kind, given)


@pytest.mark.parametrize("kind", [kind for kind in get_args(TypeName) if kind != "lines"])
def test_null_and_blank_text_are_null(kind: TypeName) -> None:
    assert forms.canonical(kind, None) is None
    assert forms.canonical(kind, "  ") is None


@pytest.mark.parametrize(
    ("written", "region", "wanted"),
    [
        ("138 0013 8000", "CN", "+8613800138000"),
        ("+86-138-0013-8000", None, "+8613800138000"),
        ("１３８００１３８０００", "CN", "+8613800138000"),
        ("010-6552 9988 转 8001", "CN", "+861065529988;ext=8001"),
        ("010-65529988-8001", "CN", "+861065529988;ext=8001"),
        ("400-820-8820", "CN", "+864008208820"),
        ("0044 20 7946 0958", None, "+442079460958"),
        ("(206) 555-0100 x12", "US", "+12065550100;ext=12"),
        ("030-0074321", "CN", "030-0074321"),
        ("13800138000", None, "13800138000"),
        ("13800138000/13900139000", "CN", "13800138000/13900139000"),
        ("ask Mr Wang", "CN", "ask Mr Wang"),
    ],
)
def test_phone_numbers_are_understood_or_kept(written: str, region: str | None, wanted: str) -> None:
    assert forms.phone(written, region) == wanted
    assert forms.phone(wanted, region) == wanted


@settings(derandomize=True)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18, places=10))
def test_decimals_lose_no_digit(number: Decimal) -> None:
    written = forms.decimal(number)
    assert written is not None
    assert Decimal(written) == number
    assert "E" not in written
    assert written != "-0"
    assert forms.typed("decimal", written) == number


@settings(derandomize=True)
@given(st.datetimes(timezones=st.timezones(), min_value=NAIVE.replace(year=1900), max_value=NAIVE.replace(year=9999)))
def test_instants_keep_their_moment(moment: dt.datetime) -> None:
    written = forms.instant(moment)
    assert written is not None
    assert forms.typed("instant", written) == moment.astimezone(dt.UTC)
    assert forms.instant(written) == written


@settings(derandomize=True)
@given(st.text())
def test_text_is_idempotent(written: str) -> None:
    try:
        made = forms.text(written)
    except ValueError:
        assert "\0" in written or any("\ud800" <= c <= "\udfff" for c in written)
        return
    assert forms.text(made) == made
    assert made != ""


def test_typed_views() -> None:
    assert forms.typed("money", "12.5") == Decimal("12.5")
    assert forms.typed("date", "2026-01-15") == dt.date(2026, 1, 15)
    assert forms.typed("text", "a") == "a"
    assert forms.typed("rate", None) is None


def test_blank_is_null_or_no_lines_but_not_zero() -> None:
    assert all(forms.blank(value) for value in (None, "", []))
    assert not any(forms.blank(value) for value in (0, False, "0", [{}]))


LINES = FieldSpec(
    "lines",
    "lines",
    lines=EntitySpec(
        "order.lines",
        {"line_no": FieldSpec("line_no", "integer"), "state": FieldSpec("state", "enum", choices=("new", "sent"))},
        key="line_no",
    ),
)


def test_lines_are_sorted_by_their_key_in_canonical_form() -> None:
    form = forms.form_of(LINES)
    assert form([{"line_no": "10", "state": "new"}, {"line_no": 2}]) == [
        {"line_no": 2},
        {"line_no": 10, "state": "new"},
    ]
    assert form([]) == []
    assert form(None) is None


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("x", "a list of lines"),
        ([1], "each an object"),
        ([{"state": "new"}], "line 1 has no line_no"),
        ([{"line_no": 1}, {"line_no": "1"}], "two lines have the same line_no 1"),
        ([{"line_no": 1, "state": "old"}], "line 1, state: expected one of new, sent"),
        ([{"line_no": 1, "colour": "red"}], "unknown field 'colour'"),
    ],
)
def test_wrong_lines_are_named(lines: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        forms.form_of(LINES)(lines)
