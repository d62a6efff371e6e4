"""The modules and fields of a Zoho org as the hub expects to find them, in the shape of the vendor's metadata API.

``schemas/<Module>.json`` lists what the standard modules have, plus the custom fields that the bundled mappings use
(see README.md). Here each short entry becomes a complete field object, as ``GET settings/fields`` answers it. The
connector describes itself from this before it has ever reached an org; the sandbox serves it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "schemas"
MODULES = ("Accounts", "Contacts", "Products", "Sales_Orders", "Invoices", "Ordered_Items", "Invoiced_Items")
ID_BASE = 5725767000000000000

FieldMeta = dict[str, Any]

_JSON_TYPES = {
    "integer": "integer",
    "double": "double",
    "currency": "double",
    "percent": "double",
    "boolean": "boolean",
    "lookup": "jsonobject",
    "ownerlookup": "jsonobject",
    "subform": "jsonarray",
    "linetax": "jsonarray",
    "multiselectpicklist": "jsonarray",
    "multiselectlookup": "jsonarray",
}
_COMMON: tuple[FieldMeta, ...] = (
    {"api_name": "id", "data_type": "bigint", "length": 20, "field_read_only": True},
    {"api_name": "Owner", "data_type": "ownerlookup", "length": 120},
    {"api_name": "Created_By", "data_type": "ownerlookup", "length": 120, "field_read_only": True},
    {"api_name": "Modified_By", "data_type": "ownerlookup", "length": 120, "field_read_only": True},
    {"api_name": "Created_Time", "data_type": "datetime", "length": 120, "field_read_only": True},
    {"api_name": "Modified_Time", "data_type": "datetime", "length": 120, "field_read_only": True},
    {"api_name": "Last_Activity_Time", "data_type": "datetime", "length": 120, "field_read_only": True},
    {"api_name": "Tag", "data_type": "text", "json_type": "jsonarray", "length": 2000},
    {"api_name": "Record_Status__s", "data_type": "picklist", "length": 120, "field_read_only": True,
     "choices": ["Available", "Draft", "Trash"]},
    {"api_name": "Locked__s", "data_type": "boolean", "length": 5, "field_read_only": True},
)  # fmt: skip
_LINE_COMMON = tuple(f for f in _COMMON if f["api_name"] in ("id", "Created_Time", "Modified_Time"))


@cache
def seed_module(name: str) -> dict[str, Any]:
    """The short description of a seeded module. Raises KeyError for others."""
    if name not in MODULES:
        raise KeyError(name)
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return content


@cache
def seed_fields(module: str) -> tuple[FieldMeta, ...]:
    """All fields of a seeded module, complete, in the vendor's shape. Don't change them: copy."""
    short = seed_module(module)
    common = _LINE_COMMON if short.get("kind") == "subform" else _COMMON
    base = ID_BASE + 2000 + MODULES.index(module) * 200000
    return tuple(full_field(entry, base + at * 100) for at, entry in enumerate((*common, *short["fields"])))


def module_id(name: str) -> str:
    """A stable id for a seeded module."""
    return str(ID_BASE + 2 + MODULES.index(name) * 2)


def full_field(entry: FieldMeta, number: int) -> FieldMeta:
    """One short entry as the metadata API would show it: every key is there, empty where it says nothing."""
    kind = entry["data_type"]
    read_only = bool(entry.get("field_read_only"))
    label = entry.get("label") or entry["api_name"].removesuffix("__s").replace("_", " ")
    target = entry.get("module")
    lookup = {"module": {"api_name": target, "id": module_id(target)}, "display_label": label} if target else {}
    sub = entry.get("subform")
    return {
        "id": str(number),
        "api_name": entry["api_name"],
        "field_label": label,
        "display_label": label,
        "data_type": kind,
        "json_type": entry.get("json_type") or _JSON_TYPES.get(kind, "string"),
        "length": entry.get("length", 120),
        "decimal_place": entry.get("decimal_place"),
        "system_mandatory": bool(entry.get("system_mandatory")),
        "custom_field": bool(entry.get("custom_field")),
        "read_only": read_only,
        "field_read_only": read_only,
        "operation_type": {
            "web_update": not read_only,
            "api_create": not read_only,
            "web_create": not read_only,
            "api_update": not read_only,
        },
        "visible": True,
        "view_type": {"view": True, "edit": not read_only, "quick_create": False, "create": not read_only},
        "virtual_field": False,
        "searchable": kind not in ("linetax", "subform"),
        "sortable": kind not in ("linetax", "subform", "textarea"),
        "filterable": kind not in ("linetax", "subform"),
        "unique": {"casesensitive": False} if entry.get("unique") else {},
        "external": {"type": entry["external"], "show": True} if entry.get("external") else None,
        "lookup": lookup,
        "multiselectlookup": {},
        "multi_module_lookup": {},
        "subform": {"module": sub, "id": module_id(sub)} if sub else None,
        "associated_module": {"module": sub, "id": module_id(sub)} if sub else None,
        "pick_list_values": _choices(entry.get("choices", ()), number, kind == "picklist"),
        "currency": {"rounding_option": "normal", "precision": entry["decimal_place"]} if kind == "currency" else {},
        "formula": {"return_type": entry.get("return_type", "currency"), "expression": ""} if kind == "formula" else {},
        "auto_number": {},
        "rollup_summary": {},
        "textarea": {"type": "large" if entry.get("length", 0) > 2000 else "small"} if kind == "textarea" else None,
        "crypt": None,
        "private": None,
        "hipaa_compliance": None,
        "history_tracking": None,
        "profiles": [{"permission_type": "read_write", "name": "Administrator", "id": str(ID_BASE + 26011)}],
        "created_source": "default" if not entry.get("custom_field") else "web",
        "created_time": None,
        "modified_time": None,
        "default_value": entry.get("default"),
        "type": "used",
        "layout_associations": None,
        "global_picklist": None,
        "display_type": -1,
        "ui_type": 1,
        "mass_update": not read_only,
        "tooltip": None,
        "webhook": True,
        "display_field": False,
        "enable_colour_code": False,
        "quick_sequence_number": None,
        "blueprint_supported": True,
    }


def _choices(values: Any, number: int, with_none: bool) -> list[dict[str, Any]]:
    names = (["-None-"] if with_none and values else []) + list(values)
    return [
        {
            "display_value": name,
            "actual_value": name,
            "reference_value": name,
            "sequence_number": at,
            "colour_code": None,
            "id": str(number + at),
            "type": "used",
        }
        for at, name in enumerate(names, start=1)
    ]
