"""From the vendor's field metadata to the hub's resources, and which metadata we need to ask for at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hub.connect.capabilities import Field, FieldType, Resource
from hub.connect.services import Services

from .seed import MODULES, FieldMeta, seed_fields, seed_module
from .settings import ARCHIVED

KEEP_SECONDS = 12 * 3600.0
WRITE_BATCH = 100

_TYPES: dict[str, FieldType] = {
    "text": "text", "textarea": "text", "email": "text", "phone": "text", "website": "text", "autonumber": "text",
    "bigint": "text", "picklist": "choice", "multiselectpicklist": "choices", "integer": "integer",
    "double": "decimal", "currency": "decimal", "percent": "decimal", "boolean": "boolean", "date": "date",
    "datetime": "datetime", "lookup": "reference", "ownerlookup": "reference", "userlookup": "reference",
    "subform": "lines",
}  # fmt: skip
_FORMULA_TYPES: dict[str, FieldType] = {
    "currency": "decimal", "double": "decimal", "decimal": "decimal", "percent": "decimal", "string": "text",
    "text": "text", "boolean": "boolean", "date": "date", "datetime": "datetime",
}  # fmt: skip
_KEPT = (
    "id", "api_name", "field_label", "data_type", "json_type", "length", "decimal_place", "system_mandatory",
    "field_read_only", "operation_type", "unique", "external", "lookup", "subform", "pick_list_values", "formula",
    "textarea",
)  # fmt: skip

Fetch = Callable[[str], list[FieldMeta]]


class Metadata:
    """Field metadata by module: from memory, from the shared cache, from what is known anyway, or from the org.

    A pass over known fields asks the org nothing. ``fetch`` calls ``GET settings/fields?module=…``.
    """

    def __init__(self, services: Services, account: str, fetch: Fetch) -> None:
        self._cache = services.cache
        self._prefix = f"zoho_crm/{account}/fields"
        self._fetch = fetch
        self._live: dict[str, list[FieldMeta]] = {}

    def live(self, module: str, *, fresh: bool = False) -> list[FieldMeta]:
        """The org's own fields of a module, at most 12 hours old (``fresh``: asked for now)."""
        if not fresh and module in self._live:
            return self._live[module]
        key = f"{self._prefix}/{module}"
        cached = None if fresh else self._cache.get(key)
        if cached is None:
            fields = [{k: f.get(k) for k in _KEPT} for f in self._fetch(module)]
            self._cache.set(key, json.dumps(fields, ensure_ascii=False), KEEP_SECONDS)
        else:
            fields = json.loads(cached)
        self._live[module] = fields
        return fields

    def subforms(self, module: str, fields: Iterable[str]) -> dict[str, str]:
        """Of these fields, the ones that hold lines → the module their lines live in."""
        wanted = set(fields)
        known = list(seed_fields(module)) if module in MODULES else []
        if not wanted <= {f["api_name"] for f in known}:
            known = self.live(module)
        return {
            f["api_name"]: str(f["subform"]["module"]) for f in known if f["api_name"] in wanted and f.get("subform")
        }

    def line_fields(self, subform: str) -> list[str]:
        """Fields of a subform's lines, as far as lists can return them."""
        fields = self.live(subform)
        return [f["api_name"] for f in fields if f["data_type"] not in ("subform", "multiselectlookup")]

    def key_kind(self, module: str, key_field: str) -> str:
        """How the org has the hub's key field: ``external``, ``unique``, ``plain`` or ``missing``."""
        found = next((f for f in self.live(module) if f["api_name"] == key_field), None)
        if found is None:
            return "missing"
        if found.get("external") and found["external"].get("type") == "org":
            return "external"
        return "unique" if found.get("unique") or found.get("external") else "plain"


def to_resource(
    module: str, label: str, fields: Sequence[FieldMeta], lines: Mapping[str, Sequence[FieldMeta]]
) -> Resource:
    """The hub's description of a module. ``lines``: subform field → the fields of its lines."""
    made = [
        replace(one, fields=tuple(to_field(f) for f in lines[one.name])) if one.name in lines else one
        for one in map(to_field, fields)
    ]
    return Resource(
        name=module,
        label=label,
        fields=tuple(made),
        id_field="id",
        line_ids=dict.fromkeys(lines, "id"),
        batch=WRITE_BATCH,
        parallel=4,
        deletes="tombstones",
    )


def to_field(meta: FieldMeta) -> Field:
    """One field of the metadata API as the hub sees it."""
    kind = str(meta["data_type"])
    if kind == "formula":
        hub_type = _FORMULA_TYPES.get(str((meta.get("formula") or {}).get("return_type", "")).lower(), "any")
    elif meta.get("json_type") == "jsonarray" and kind == "text":
        hub_type = "any"
    else:
        hub_type = _TYPES.get(kind, "any")
    operations = meta.get("operation_type") or {}
    read_only = bool(meta.get("field_read_only")) or not operations.get("api_update", True)
    return Field(
        name=str(meta["api_name"]),
        type=hub_type,
        label=str(meta.get("field_label") or ""),
        required=bool(meta.get("system_mandatory")),
        read_only=read_only,
        unique=bool(meta.get("unique")) or bool(meta.get("external")) or meta["api_name"] == "id",
        max_length=int(meta["length"]) if hub_type == "text" and meta.get("length") else None,
        scale=meta.get("decimal_place") if hub_type == "decimal" else None,
        choices=_choices(meta) if hub_type in ("choice", "choices") else (),
        reference=_target(meta, kind),
        fields=_members(kind),
    )


def bundled_resources() -> list[Resource]:
    """The resources of an org set up as README.md asks, known without reaching one."""
    found = []
    for module in MODULES:
        seed = seed_module(module)
        if seed.get("kind") == "subform":
            continue
        fields = seed_fields(module)
        lines = {f["api_name"]: seed_fields(f["subform"]["module"]) for f in fields if f["subform"]}
        made = to_resource(module, str(seed["plural"]), fields, lines)
        found.append(replace(made, probe="external", archive=module in ARCHIVED))
    return found


def _choices(meta: FieldMeta) -> tuple[str, ...]:
    # "-None-" is how the user interface writes "empty"; records hold null.
    values: list[Any] = [v.get("actual_value") for v in meta.get("pick_list_values") or [] if v.get("type") != "unused"]
    return tuple(str(v) for v in values if v not in (None, "-None-"))


def _target(meta: FieldMeta, kind: str) -> str | None:
    if kind in ("ownerlookup", "userlookup"):
        return "users"
    module = (meta.get("lookup") or {}).get("module") or {}
    return str(module["api_name"]) if module.get("api_name") else None


def _members(kind: str) -> tuple[Field, ...]:
    if kind not in ("lookup", "ownerlookup", "userlookup"):
        return ()
    members = [Field("id", "text"), Field("name", "text", read_only=True)]
    return (*members, Field("email", "text", read_only=True)) if kind != "lookup" else tuple(members)
