"""A phone number whose area code has a remote field of its own."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Arg
from pydantic import field_validator

from hub.connect.capabilities import FieldType
from hub.mapping.operators.base import WRITABLE_AS_TEXT, Args, FitError, Operator, Place
from hub.mapping.operators.codes import known_region
from hub.model import forms
from hub.model.spec import TypeName


class AreaArgs(Args):
    region: str = Arg(description="Country (ISO 3166-1) of the numbers: `CN`.")

    _known = field_validator("region")(known_region)


class AreaCode(Operator):
    """The area code is kept apart from the number: ``field: [Area, Number]``. E.164 in the hub.

    Mobiles and numbers of other countries have no area code here: they are written whole into the second field.
    """

    name = "area_code"
    Args = AreaArgs
    shorthand = "region"
    only_for: ClassVar[frozenset[TypeName] | None] = frozenset({"phone", "text"})
    takes: ClassVar[frozenset[FieldType]] = WRITABLE_AS_TEXT
    several = True

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.count = 2

    def fit(self, place: Place) -> None:
        if self.count != 2:
            raise FitError(f"an area code and a number are two fields, not {self.count}", "field: [AREA, NUMBER]")

    def form(self, value: Any) -> Any:
        return forms.phone(value, self.args.region)

    def get(self, value: Any) -> Any:
        area, number = (forms.text(part) for part in value)
        if area is None or (number or "").startswith(("+", "00")):
            return forms.phone(number or area, self.args.region)
        return forms.phone(f"{area}-{number}" if number else area, self.args.region)

    def put(self, value: Any, old: Any = None) -> Any:
        parts = self._apart(value)
        # A number that would come back as another one is written whole, as it is.
        return parts if parts is not None and self.get(parts) == value else [None, value]

    def _apart(self, value: str) -> list[str | None] | None:
        import phonenumbers

        try:
            found = phonenumbers.parse(value)
        except phonenumbers.NumberParseException:
            return None
        if found.country_code != phonenumbers.country_code_for_region(self.args.region):
            return None
        extension = f"-{found.extension}" if found.extension else ""
        home = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.NATIONAL)
        length = phonenumbers.length_of_geographical_area_code(found)
        if not length:
            return [None, home] if not extension else None
        digits = phonenumbers.national_significant_number(found)
        dialled = "".join(filter(str.isdigit, home.partition(" ext")[0]))
        trunk = dialled.removesuffix(digits)  # the 0 of 010, which North America does not write
        return [f"{trunk}{digits[:length]}", f"{digits[length:]}{extension}"]
