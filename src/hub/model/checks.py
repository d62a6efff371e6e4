"""Doubts about single values and about amounts, by libraries where there are any. Reported, never repaired."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from operator import getitem
from typing import Any

from hub.model import phones
from hub.model.findings import Finding
from hub.model.spec import EntitySpec, FieldSpec
from hub.model.totals import check_totals

Values = dict[str, Any]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_OLD_CHINESE = re.compile(r"\d{15}|\d{17}|\d{20}")
"""Tax registration numbers from before 2015 and of natural persons: no check digit."""


def check(spec: EntitySpec, values: Values) -> list[Finding]:
    """Everything doubtful about one record of canonical values: its tax number, phone and e-invoice numbers,
    e-mail addresses, texts longer than their field, and amounts that don't add up."""
    findings = list(_fields(spec, values, "", _country(values)))
    lines = spec.fields.get("lines")
    if lines is not None and lines.lines is not None and "net_total" in spec.fields:
        findings += check_totals(values)
    return findings


def check_documents(spec: EntitySpec, values: Values) -> list[Finding]:
    """The part of ``check`` that every pass can afford: tax and e-invoice numbers of the record, and its amounts."""
    findings = []
    for name in _numbers(spec):
        value = values.get(name)
        if value is not None:
            finding = _value(spec.fields[name], name, value, _country(values))
            if finding is not None:
                findings.append(finding)
    if values.get("lines") and "net_total" in spec.fields:
        findings += check_totals(values)
    return findings


_number_fields: dict[int, tuple[EntitySpec, tuple[str, ...]]] = {}


def _numbers(spec: EntitySpec) -> tuple[str, ...]:
    """Fields of a record that hold numbers with rules; looked up once for each spec."""
    known = _number_fields.get(id(spec))
    if known is None or known[0] is not spec:
        names = tuple(n for n, f in spec.fields.items() if f.type == "tax_id" or n == "einvoice_number")
        known = _number_fields[id(spec)] = (spec, names)
    return known[1]


def _fields(spec: EntitySpec, values: Values, prefix: str, country: str | None) -> Iterator[Finding]:
    for name, value in values.items():
        field = spec.fields.get(name)
        if field is None or value is None:
            continue
        if field.lines is not None:
            key = field.lines.key or ""
            for at, line in enumerate(value, 1):
                yield from _fields(field.lines, line, f"{prefix}{name}[{line.get(key, at)}].", country)
        else:
            finding = _value(field, f"{prefix}{name}", value, country)
            if finding is not None:
                yield finding


def _value(field: FieldSpec, path: str, value: Any, country: str | None) -> Finding | None:
    doubt: str | None = None
    if field.type == "tax_id":
        doubt = tax_id_doubt(value, country)
        return Finding("tax_id", path, f"{value} {doubt}") if doubt else None
    if field.type == "phone":
        doubt = phones.doubt(value)
        return Finding("phone", path, f"{value} {doubt}") if doubt else None
    if field.type == "email":
        return None if _EMAIL.fullmatch(value) else Finding("email", path, f"{value} is not one e-mail address")
    if field.name == "einvoice_number":
        doubt = einvoice_doubt(value)
        return Finding("einvoice_number", path, f"{value} {doubt}") if doubt else None
    if field.max_length and isinstance(value, str) and len(value) > field.max_length:
        return Finding("length", path, f"has {len(value)} characters, {field.max_length} are usual at most")
    return None


def _country(values: Values) -> str | None:
    """Where a record belongs, as far as its addresses agree."""
    found = {line.get("country") for line in values.get("addresses") or [] if line.get("country")}
    return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=4096)
def tax_id_doubt(number: str, country: str | None = None) -> str | None:
    """Why a canonical tax number can't be right; None when it may be.

    Chinese 统一社会信用代码 (18 characters, GB 32100-2015) and the VAT numbers of the countries python-stdnum knows are
    checked by their check digits. A number of an unknown kind is not doubted.
    """
    from stdnum import get_cc_module
    from stdnum.eu import vat

    if country == "CN" or (country is None and len(number) == 18 and number[:1].isdigit()):
        if _is_uscc(number) or _OLD_CHINESE.fullmatch(number):
            return None
        return "is not a 统一社会信用代码: 18 characters with a check digit"
    if number[:2].lower() in (*vat.MEMBER_STATES, "el"):
        return None if vat.is_valid(number) else "is not a valid VAT number of the European Union"
    module = get_cc_module(country.lower(), "vat") if country else None
    if module is None or module.is_valid(number) or (country == "US" and number.isdigit()):
        return None
    return f"is not a valid tax number of {country}"


_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The characters of a 统一社会信用代码, in the order of their values (GB 32100-2015)."""


@lru_cache(maxsize=1)
def _uscc_parts() -> tuple[dict[str, int], ...]:
    """What each character adds to the check digit at each of the 17 places, asked of the library once: its own sum goes
    over the number character by character, which a first listing of a hundred thousand customers would feel."""
    from stdnum.cn import uscc

    def value(number: str) -> int:
        return _USCC.index(uscc.calc_check_digit(number))

    return tuple({c: value("0" * at + c + "0" * (16 - at)) for c in _USCC} for at in range(17))


def _is_uscc(number: str) -> bool:
    """As the library's ``is_valid``; canonical numbers are compact already, so its cleaning can be skipped."""
    from stdnum.cn import uscc

    if len(number) != 18 or not number.isascii() or not number[:8].isdigit() or number != number.upper():
        return uscc.is_valid(number)
    try:
        found = sum(map(getitem, _uscc_parts(), number))  # 17 places, 18 characters
    except KeyError:
        return False
    return _USCC[found % 31] == number[17]


@lru_cache(maxsize=4096)
def einvoice_doubt(number: str) -> str | None:
    """Why this can't be the number of a 数电票; None when it may be.

    20 digits: two of the year, two of the province of the issuer's tax bureau (GB/T 2260), then the channel and a
    running number. There is no check digit.
    """
    from stdnum import numdb

    if not (len(number) == 20 and number.isascii() and number.isdigit()):
        return "is not the number of a 数电票: 20 digits"
    if not any("province" in parts for _, parts in numdb.get("cn/loc").info(number[2:4] + "0000")):
        return f"is not the number of a 数电票: {number[2:4]} is no province"
    return None
