"""View: a whole record with property names instead of field keys, references twice, sub-heads as lists of one."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from .forms import F, Form
from .store import Doc, Store

# Spellings that follow no rule, as real answers have them.
_IRREGULAR = {"SAL_SaleOrder": {"FModifyDate": "MOdifyDate"}}


def view(store: Store, form: Form, doc: Doc) -> dict[str, Any]:
    """The object in ``Result.Result``."""
    shown: dict[str, Any] = {"Id": doc.pk, "FFormId": form.id}
    if form.base_data:
        shown["msterID"] = doc.pk
    for f in form.fields:
        shown |= _property(store, form, f, doc.head.get(f.key))
    for subhead in form.subheads:
        part: dict[str, Any] = {"Id": doc.pk}
        for f in subhead.fields:
            part |= _property(store, form, f, doc.head.get(f.key))
        shown[subhead.prop] = [part]
    for entry in form.entries:
        shown[entry.prop] = [
            {"Id": line[entry.id_key], "Seq": line["FSeq"]}
            | {k: v for f in entry.fields for k, v in _property(store, form, f, line.get(f.key)).items()}
            for line in doc.entries.get(entry.key, [])
        ]
    return shown


def property_name(form: Form, f: F) -> str:
    """What View calls a field."""
    return f.prop or _IRREGULAR.get(form.id, {}).get(f.key) or re.sub(r"^F(?=[A-Z_])", "", f.key)


def _property(store: Store, form: Form, f: F, value: Any) -> dict[str, Any]:
    name = property_name(form, f)
    if f.kind == "base":
        return {f"{name}_Id": value or 0, name: _reference(store, f, value)}
    if f.kind == "user":
        user = {"Id": value, "Name": store.users.get(value), "UserAccount": ""} if value else None
        return {f"{name}_Id": value or 0, name: user}
    if f.kind == "names":
        return {name: [{"Key": 2052, "Value": value or " "}]}
    if f.kind == "datetime" and value:
        # Fractions of a second lose their trailing zeros.
        return {name: value.rstrip("0").rstrip(".") if "." in value else value}
    if isinstance(value, Decimal):
        return {name: value.quantize(Decimal("0.1")) if value == value.to_integral_value() else value.normalize()}
    return {name: (value or " ") if f.kind in ("text", "choice") else value}


def _reference(store: Store, f: F, value: Any) -> dict[str, Any] | None:
    other = store.table(f.base)
    doc = other.docs.get(int(value)) if value else None
    if doc is None:
        return None
    name = str(doc.head.get(other.form.names) or " ")
    return {
        "Id": doc.pk, "msterID": doc.pk, "MultiLanguageText": [{"PkId": doc.pk, "LocaleId": 2052, "Name": name}],
        "Name": [{"Key": 2052, "Value": name}], "Number": doc.head.get(other.form.number),
    }  # fmt: skip
