"""What resources look like: the bundled descriptions, and the live form by QueryBusinessInfo."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from hub.connect.capabilities import Field, FieldType, Resource

from .client import Client
from .forms import FormInfo, form_info
from .settings import Settings

SCHEMAS = Path(__file__).with_name("schemas")
_ELEMENT_TYPES: dict[int, FieldType] = {
    1: "text", 2: "text", 3: "integer", 4: "decimal", 5: "boolean", 6: "date", 7: "datetime", 9: "choice",
    13: "reference", 14: "reference",
}  # fmt: skip
"""No public source lists these numbers (unconfirmed): they only matter for fields that no bundled description has."""
READ_ONLY = frozenset(
    {"fcreatorid", "fcreatedate", "fmodifierid", "fmodifydate", "fapproverid", "fapprovedate", "fmrpclosestatus"}
)
"""States are not among them: writing one carries out the operation that leads there."""
USERS = frozenset({"fcreatorid", "fmodifierid", "fapproverid"})
NUMBER, NAME = Field("FNumber", "text"), Field("FName", "text")


@cache
def bundled() -> dict[str, Resource]:
    """The resources as a fresh account set has them."""
    adapter = TypeAdapter(Resource)
    found = [adapter.validate_json(path.read_bytes()) for path in sorted(SCHEMAS.glob("*.json"))]
    return {resource.name: resource for resource in found}


class Metadata:
    """Resources of one system; live forms are asked for once a process."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._live: dict[str, Resource] = {}
        self._lock = threading.Lock()

    def info(self, form: str) -> FormInfo:
        """What is known of a form's keys and parts."""
        return form_info(form, self._settings.forms.get(form))

    def known(self, form: str) -> Resource:
        """A resource without asking, where a description is bundled; else the live one."""
        return bundled().get(form) or self.live(form)

    def live(self, form: str) -> Resource:
        """The resource as the live system describes it. Raises ConfigurationError for an unknown form."""
        with self._lock:
            found = self._live.get(form)
        if found is None:
            found = self._from_info(form, self._client.business_info(form))
            with self._lock:
                self._live[form] = found
        return found

    def _from_info(self, form: str, data: dict[str, Any]) -> Resource:
        known = bundled().get(form)
        info = self.info(form)
        entrys = [e for e in data.get("Entrys") or [] if isinstance(e, dict)]
        before = {f.name.lower(): f for f in known.fields} if known else {}
        fields: list[Field] = []
        for entry in entrys:
            key = str(entry.get("Key") or "")
            own = next((e for e in info.entries if e.lower() == key.lower()), None)
            if own is None and _is_lines(entry, key, info):
                own = key
            lines = before.get(key.lower())
            if own is None:
                fields += [_field(f, before) for f in entry.get("Fields") or []]
            else:
                fields.append(_lines(entry, own, info.entries.get(own, "FEntryID"), lines))
        base = known or Resource(name=form)
        names = {f.name.lower() for f in fields}
        has_key = bool(self._settings.key_field) and str(self._settings.key_field).lower() in names
        return replace(
            base, label=_name(data.get("Name")) or base.label or form, fields=tuple(fields), id_field=info.pk,
            line_ids={f.name: _line_id(f, info) for f in fields if f.type == "lines"},
            batch=self._settings.batch, parallel=self._settings.sessions,
            probe="external" if has_key else "natural" if info.number.lower() in names else "none",
            deletes="listing", archive=info.archive is not None,
        )  # fmt: skip


def _is_lines(entry: dict[str, Any], key: str, info: FormInfo) -> bool:
    """Sub-heads are listed like entries; a kind of its own tells them apart where the server says it (unconfirmed)."""
    if not key or not entry.get("ParentKey") or key in info.subheads or key.startswith("SubHead"):
        return False
    return str(entry.get("EntityType", "2")) != "1"


def _line_id(lines: Field, info: FormInfo) -> str:
    return info.entries.get(lines.name, "FEntryID")


def _lines(entry: dict[str, Any], key: str, id_key: str, known: Field | None) -> Field:
    before = {f.name.lower(): f for f in known.fields} if known else {}
    inner = [_field(f, before) for f in entry.get("Fields") or []]
    names = {f.name.lower() for f in inner}
    first = [f for f in (Field(id_key, "integer", "分录内码", read_only=True), Field("FSeq", "integer", "行号"))
             if f.name.lower() not in names]  # fmt: skip
    label = _name(entry.get("Name"))
    return Field(key, "lines", label, fields=(*first, *inner), required=bool(known and known.required))


def _field(data: dict[str, Any], known: dict[str, Field]) -> Field:
    key = str(data.get("Key"))
    before = known.get(key.lower())
    choices = tuple(
        str(e.get("Value")) for e in data.get("Extends") or [] if isinstance(e, dict) and e.get("Value") is not None
    )
    reference = data.get("LookUpObjectFormId") or None
    live: FieldType = "reference" if reference else "choice" if choices else _ELEMENT_TYPES.get(
        int(data.get("ElementType") or 0), "any"
    )  # fmt: skip
    base = before or Field(key, live, read_only=key.lower() in READ_ONLY)
    fields = base.fields or (_members(key, reference) if live == "reference" else ())
    return replace(
        base, name=before.name if before else key, label=_name(data.get("Name")) or base.label,
        required=str(data.get("MustInput")) in ("1", "True", "true"), choices=choices or base.choices,
        reference=reference or base.reference, fields=fields,
    )  # fmt: skip


def _members(key: str, reference: str | None) -> tuple[Field, ...]:
    """What a reference is known by, first what queries ask for: users have no number."""
    user = reference in ("SEC_User", None) or key.lower() in USERS
    return (NAME,) if user else (NUMBER, NAME)


def _name(names: Any) -> str:
    for item in names if isinstance(names, list) else []:
        if isinstance(item, dict) and item.get("Key") == 2052:
            return str(item.get("Value") or "")
    return str(names) if isinstance(names, str) else ""


def with_settings(resource: Resource, settings: Settings) -> Resource:
    """A bundled description with the batch sizes of this system."""
    return replace(resource, batch=settings.batch, parallel=settings.sessions)


def names_of(fields: Sequence[Field]) -> dict[str, Field]:
    """Fields by their lower-case names."""
    return {f.name.lower(): f for f in fields}
