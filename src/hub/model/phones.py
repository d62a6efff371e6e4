"""Phone numbers as E.164, by Google's numbering plans (``phonenumbers``)."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Most numbers in practice are Chinese mobiles; parsing by the full numbering plan costs a hundred times more.
_CHINESE_MOBILE = re.compile(r"(\+86|0086)? ?-?(1[3-9]\d)[ -]?(\d{4})[ -]?(\d{4})", re.ASCII)
_CHINESE_SWITCHBOARD = re.compile(r"((?:\+86|0086)?[- ]?\(?0?\d{2,3}\)?[- ]?\d{7,8})-(\d{1,6})", re.ASCII)
_EXTENSION = re.compile(r"\s*(?:转接?|分机号?)[:.\s]*(?=\d)")


def e164(number: str, region: str | None = None) -> str:
    """``"+8613800000000"`` or ``"+861065529988;ext=12"``; text that is not one phone number comes back unchanged.

    ``region`` (ISO 3166-1 alpha-2) is where numbers without a country code are dialled. Such a number must be valid in
    its numbering plan: a foreign number read as a local one would be a wrong number, which is worse than an odd text.
    """
    mobile = _CHINESE_MOBILE.fullmatch(number)
    if mobile and (mobile[1] or region == "CN"):
        return f"+86{mobile[2]}{mobile[3]}{mobile[4]}"
    return _parsed(number, region)


@lru_cache(maxsize=4096)
def _parsed(number: str, region: str | None) -> str:
    import phonenumbers

    plain = _EXTENSION.sub(" ext. ", unicodedata.normalize("NFKC", number))
    if plain.startswith("00") and region in (None, "CN"):
        plain = "+" + plain[2:]  # 00 is the international prefix of China and most other countries
    switchboard = _CHINESE_SWITCHBOARD.fullmatch(plain)
    if switchboard and (region == "CN" or plain.startswith("+86")):
        plain = f"{switchboard[1]} ext. {switchboard[2]}"
    try:
        found = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return number
    known = phonenumbers.is_possible_number if plain.startswith("+") else phonenumbers.is_valid_number
    if not known(found):
        return number
    written = str(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164))
    return f"{written};ext={found.extension}" if found.extension else written


@lru_cache(maxsize=4096)
def doubt(number: str) -> str | None:
    """Why a canonical phone number is unlikely to be one; None when it is plausible."""
    import phonenumbers

    if not number.startswith("+"):
        return "is not a phone number with a country code"
    try:
        found = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return "is not a phone number"
    return None if phonenumbers.is_valid_number(found) else "does not exist in its country's numbering plan"
