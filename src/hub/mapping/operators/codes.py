"""Operators on codes that the world agrees on: phone numbers, e-mail addresses, tax numbers, countries, currencies."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, Literal

from pydantic import Field as Arg
from pydantic import field_validator

from hub.connect.capabilities import FieldType
from hub.mapping import quick
from hub.mapping.operators.base import TEXTS, WRITABLE_AS_TEXT, Args, Operator
from hub.model import forms
from hub.model.spec import TypeName


def known_region(region: str | None) -> str | None:
    """A country code as it is, or ValueError."""
    if region is not None:
        import phonenumbers

        if region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"{region!r} is not a country code like CN (upper case, ISO 3166-1)")
    return region


class PhoneArgs(Args):
    region: str | None = Arg(None, description="Country (ISO 3166-1) of numbers without a country code: `CN`.")
    style: Literal["e164", "international", "national"] = Arg(
        "e164", description="Written as `+8613800000000`, `+86 138 0000 0000` or `138 0000 0000`."
    )

    _known = field_validator("region")(known_region)


class Phone(Operator):
    """A phone number: E.164 in the hub. What isn't one phone number is kept as it is."""

    name = "phone"
    Args = PhoneArgs
    shorthand = "region"
    only_for: ClassVar[frozenset[TypeName] | None] = frozenset({"phone", "text"})
    takes: ClassVar[frozenset[FieldType]] = WRITABLE_AS_TEXT

    def direct(self) -> Callable[[Any], Any] | None:
        return quick.phone(self.args.region)

    def straight(self) -> bool:
        return bool(self.args.style == "e164")

    def form(self, value: Any) -> Any:
        """A number without a country code is one of the region."""
        return forms.phone(value, self.args.region)

    def get(self, value: Any) -> Any:
        return forms.phone(value, self.args.region)

    def put(self, value: Any, old: Any = None) -> Any:
        if self.args.style == "e164" or not value.startswith("+"):
            return value
        import phonenumbers

        try:
            number = phonenumbers.parse(value)
        except phonenumbers.NumberParseException:
            return value
        home = self.args.region is not None and number.country_code == _country_code(self.args.region)
        style = phonenumbers.PhoneNumberFormat.INTERNATIONAL
        if self.args.style == "national" and home:
            style = phonenumbers.PhoneNumberFormat.NATIONAL
        written = str(phonenumbers.format_number(number, style))
        return written if forms.phone(written, self.args.region) == value else value


@lru_cache(maxsize=256)
def _country_code(region: str) -> int:
    import phonenumbers

    return int(phonenumbers.country_code_for_region(region))


class Email(Operator):
    """An e-mail address; its domain in lower case."""

    name = "email"
    only_for: ClassVar[frozenset[TypeName] | None] = frozenset({"email", "text"})
    takes: ClassVar[frozenset[FieldType]] = TEXTS

    def direct(self) -> Callable[[Any], Any] | None:
        return forms.email

    def straight(self) -> bool:
        return True

    def form(self, value: Any) -> Any:
        return forms.email(value)

    def get(self, value: Any) -> Any:
        return forms.email(value)

    def put(self, value: Any, old: Any = None) -> Any:
        return value


class TaxId(Operator):
    """A tax number: letters and digits, upper case. Wrong check digits are reported elsewhere, never lost."""

    name = "tax_id"
    only_for: ClassVar[frozenset[TypeName] | None] = frozenset({"tax_id", "text"})
    takes: ClassVar[frozenset[FieldType]] = WRITABLE_AS_TEXT

    def direct(self) -> Callable[[Any], Any] | None:
        return forms.tax_id

    def straight(self) -> bool:
        return True

    def form(self, value: Any) -> Any:
        return forms.tax_id(value)

    def get(self, value: Any) -> Any:
        return forms.tax_id(value)

    def put(self, value: Any, old: Any = None) -> Any:
        return value


class CountryArgs(Args):
    style: Literal["alpha2", "alpha3", "numeric", "name"] = Arg("alpha2", description="How countries are written.")
    language: Literal["en", "zh"] = Arg("en", description="Language of names, for `style: name`.")


class Country(Operator):
    """A country: alpha-2 in the hub. Codes and English and Chinese names are understood; `style` is written."""

    name = "country"
    Args = CountryArgs
    shorthand = "style"
    only_for: ClassVar[frozenset[TypeName] | None] = frozenset({"country", "text"})
    takes: ClassVar[frozenset[FieldType]] = TEXTS

    def straight(self) -> bool:
        return bool(self.args.style == "alpha2")

    def get(self, value: Any) -> Any:
        return (_by_number().get(str(value).zfill(3)) if self.args.style == "numeric" else None) or forms.country(value)

    def put(self, value: Any, old: Any = None) -> Any:
        if self.args.style == "alpha2":
            return value
        if self.args.style == "name":
            return _country_name(value, self.args.language)
        import pycountry

        found = pycountry.countries.get(alpha_2=value)
        if found is None:
            raise ValueError(f"{value!r} has no {self.args.style} code in ISO 3166-1")
        return found.alpha_3 if self.args.style == "alpha3" else found.numeric


@lru_cache(maxsize=1)
def _by_number() -> dict[str, str]:
    import pycountry

    return {country.numeric: country.alpha_2 for country in pycountry.countries}


@lru_cache(maxsize=1024)
def _country_name(code: str, language: str) -> str:
    """The name that reads back as the same code, else the code itself."""
    from babel import Locale

    name = Locale(language).territories.get(code)
    try:
        return str(name) if name and forms.country(name) == code else code
    except ValueError:
        return code


class Currency(Operator):
    """A currency: its ISO 4217 code."""

    name = "currency"
    only_for: ClassVar[frozenset[TypeName] | None] = frozenset({"currency", "text"})
    takes: ClassVar[frozenset[FieldType]] = TEXTS

    def direct(self) -> Callable[[Any], Any] | None:
        return forms.currency

    def straight(self) -> bool:
        return True

    def form(self, value: Any) -> Any:
        return forms.currency(value)

    def get(self, value: Any) -> Any:
        return forms.currency(value)

    def put(self, value: Any, old: Any = None) -> Any:
        return value
