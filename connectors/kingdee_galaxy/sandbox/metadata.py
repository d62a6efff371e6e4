"""QueryBusinessInfo and GetDataCenterList: what the product says of its forms and of itself."""

from __future__ import annotations

from typing import Any

from .auth import Account
from .forms import F, Form

# The product's own numbers for field kinds; invented here, as no source gives them.
ELEMENT_TYPES = {
    "text": 1, "names": 2, "int": 3, "decimal": 4, "bool": 5, "date": 6, "datetime": 7, "choice": 9, "base": 13,
    "user": 14,
}  # fmt: skip


def business_info(form: Form) -> dict[str, Any]:
    """The object in ``Result.NeedReturnData``."""
    head = [_field(F(form.pk, "实体主键", "int")), *(_field(f) for f in form.fields)]
    entrys = [{"Key": "FBillHead", "ParentKey": "", "Name": _names("单据头"), "EntityType": 0, "Fields": head}]
    for subhead in form.subheads:
        fields = [_field(f) for f in subhead.fields]
        entrys.append(
            {
                "Key": subhead.key,
                "ParentKey": "FBillHead",
                "Name": _names(subhead.label),
                "EntityType": 1,
                "Fields": fields,
            }
        )
    for entry in form.entries:
        fields = [_field(f) for f in entry.fields]
        entrys.append(
            {"Key": entry.key, "ParentKey": "FBillHead", "Name": _names(entry.label), "EntityType": 2,
             "EntryPkFieldName": entry.id_key, "SeqFieldKey": "FSeq", "Fields": fields}
        )  # fmt: skip
    operations = [{"OperationNumber": n, "OperationName": _names(label)} for n, label in form.operations]
    return {
        "Id": form.id, "Name": _names(form.label), "PkFieldName": form.pk, "Entrys": entrys, "Operations": operations,
    }  # fmt: skip


def _field(f: F) -> dict[str, Any]:
    return {
        "Key": f.key, "Name": _names(f.label), "FieldName": f.column or f.key.upper(), "PropertyName": "",
        "MustInput": int(f.must), "FieldType": 56 if f.kind == "base" else 231, "ElementType": ELEMENT_TYPES[f.kind],
        "LookUpObjectFormId": f.base or None, "IsViewVisible": True,
        "Extends": [{"Value": v, "Caption": _names(label)} for v, label in f.choices] or None,
    }  # fmt: skip


def _names(text: str) -> list[dict[str, Any]]:
    return [{"Key": 2052, "Value": text}]


def data_centres(account: Account) -> list[dict[str, Any]]:
    """The bare array of GetDataCenterList."""
    return [
        {"Id": account.acct_id, "Number": "001", "Name": "沙盒账套", "Version": "8.2.0.0", "GDCID": "",
         "AuthenticationMethods": [1, 2]},
    ]  # fmt: skip
