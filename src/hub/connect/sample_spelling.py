"""The same company or product, written as the users of another system write it.

Only spelling changes: numbers and tax ids stay equal, so that matching by them must succeed, and everything that a
canonical form evens out (white space, full-width characters, case of an e-mail domain, phone formats) is varied.
"""

from __future__ import annotations

from random import Random
from typing import Any, Literal

import phonenumbers

Item = dict[str, Any]
Style = Literal["crm", "erp"]

FULL_WIDTH = {code: code + 0xFEE0 for code in (*range(ord("0"), ord("9") + 1), *range(ord("A"), ord("Z") + 1))}
FULL_WIDTH |= {ord("("): "（", ord(")"): "）"}


def respelled(item: Item, style: Style) -> Item:
    """A copy of a company or product as written in a CRM (``crm``: loosely) or an ERP (``erp``: the accountants' way).

    Deterministic by the item's number and the style. ``number``, ``tax_id``, amounts and codes are untouched.
    """
    rng = Random(f"spelling/{style}/{item['number']}")
    copy = dict(item)
    copy["name"] = _name(rng, item["name"], style)
    if item.get("email"):
        copy["email"] = _email(rng, item["email"], style)
    if item.get("phone"):
        copy["phone"] = phone(item["phone"], style)
    if item.get("addresses"):
        copy["addresses"] = [_address(rng, address, style) for address in item["addresses"]]
    if item.get("contacts"):
        copy["contacts"] = [_contact(rng, person, style) for person in item["contacts"]]
    return copy


def phone(e164: str, style: Style) -> str:
    """E.164 written with country code and spaces (``crm``), or as dialled inside its country (``erp``)."""
    number = phonenumbers.parse(e164)
    if style == "crm":
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    if number.country_code == 86:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL).replace(" ", "-")
    return e164


def _name(rng: Random, name: str, style: Style) -> str:
    roll = rng.random()
    if style == "crm":
        if roll < 0.15:
            return name + " "
        return name.replace(" ", "  ", 1) if roll < 0.25 else name
    chinese = name.endswith("有限公司")
    if chinese and roll < 0.25:
        return name.removesuffix("有限公司") + "有限责任公司"
    if not chinese and roll < 0.3:
        return name.upper()
    if not chinese and roll < 0.5:
        return name.replace("Co., Ltd.", "Co.,Ltd").replace("GmbH", "Gmbh")
    return name.translate(FULL_WIDTH) if roll > 0.9 else name


def _email(rng: Random, email: str, style: Style) -> str:
    local, _, domain = email.partition("@")
    if style == "crm" and rng.random() < 0.2:
        return f"{local}@{domain.title()}"
    return f"{local}@{domain.upper()}" if style == "erp" and rng.random() < 0.2 else email


def _address(rng: Random, address: Item, style: Style) -> Item:
    copy = dict(address)
    if address.get("phone"):
        copy["phone"] = phone(address["phone"], style)
    if style == "erp":
        if rng.random() < 0.3:
            copy["street"] = address["street"].translate(FULL_WIDTH)
        if address["country"] == "CN" and rng.random() < 0.4:
            copy["city"] = address["city"] + "市"
    elif rng.random() < 0.2:
        copy["street"] = f" {address['street']}"
    return copy


def _contact(rng: Random, person: Item, style: Style) -> Item:
    copy = dict(person)
    for key in ("phone", "mobile"):
        if person.get(key):
            copy[key] = phone(person[key], style)
    copy["email"] = _email(rng, person["email"], style)
    return copy
