"""Codes of currencies (ISO 4217) and countries (ISO 3166-1), from their codes and their English and Chinese names.

The tables are made on first use: loading them costs more than a short command should pay.
"""

from __future__ import annotations

from functools import lru_cache

# Everyday names that neither pycountry nor CLDR lists.
_CURRENCY_NAMES = {"rmb": "CNY", "人民币元": "CNY", "港元": "HKD", "新台币元": "TWD", "cnh": "CNY"}
_COUNTRY_NAMES = {
    "uk": "GB", "england": "GB", "u.s.a.": "US", "u.s.": "US", "prc": "CN", "p.r. china": "CN", "p.r.china": "CN",
    "中华人民共和国": "CN", "中国大陆": "CN", "中国香港": "HK", "香港": "HK", "中国澳门": "MO", "澳门": "MO",
    "中国台湾": "TW", "台湾": "TW", "台湾省": "TW", "hong kong": "HK", "macau": "MO", "korea": "KR",
    "the netherlands": "NL", "holland": "NL", "turkey": "TR", "czech republic": "CZ", "russia": "RU",
}  # fmt: skip


_EVERYDAY = frozenset(
    ["AUD", "CAD", "CHF", "CNY", "EUR", "GBP", "HKD", "JPY", "KRW", "MOP", "SGD", "THB", "TWD", "USD", "VND"]
)
"""Codes that need no look into the tables: making those takes a tenth of a short command's time."""


def currency_code(name: str) -> str:
    """ISO 4217 code of a currency. Raises ValueError when there is none."""
    if name in _EVERYDAY:
        return name
    table = _currencies()
    code = table.get(name) or table.get(_folded(name))
    if code is None:
        raise ValueError(f"expected a currency code of ISO 4217 like CNY, got {name!r}; give a value table")
    return code


def country_code(name: str) -> str:
    """ISO 3166-1 alpha-2 code of a country. Raises ValueError when there is none."""
    table = _countries()
    code = table.get(name) or table.get(_folded(name))
    if code is None:
        raise ValueError(f"expected a country like CN, China or 中国, got {name!r}; give a value table")
    return code


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


@lru_cache(maxsize=1)
def _currencies() -> dict[str, str]:
    import pycountry
    from babel import Locale

    codes = {currency.alpha_3 for currency in pycountry.currencies}
    table: dict[str, str] = {}
    for language in ("en", "zh"):
        names = Locale(language).currencies
        table.update({_folded(names[code]): code for code in sorted(codes) if code in names})
    return table | _CURRENCY_NAMES | {c.lower(): c for c in codes} | {c: c for c in codes}


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    import pycountry
    from babel import Locale

    table: dict[str, str] = {}
    codes = {country.alpha_2 for country in pycountry.countries}
    for language in ("en", "zh"):
        names = Locale(language).territories
        table.update({_folded(names[code]): code for code in sorted(codes) if code in names})
    for country in pycountry.countries:
        written = [country.name, getattr(country, "common_name", ""), getattr(country, "official_name", "")]
        table.update({_folded(name): country.alpha_2 for name in [*written, country.alpha_3, country.alpha_2] if name})
    return table | _COUNTRY_NAMES | {code: code for code in codes}
