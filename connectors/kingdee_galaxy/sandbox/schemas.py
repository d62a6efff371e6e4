"""The bundled ``schemas/*.json``, made from the sandbox's forms: ``write_schemas(folder)`` after changing a form."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from hub.connect.capabilities import Field, FieldType, Resource

from .catalogue_bills import FORMS
from .forms import F, Form

BUNDLED = ("BD_Customer", "BD_MATERIAL", "SAL_SaleOrder", "AR_receivable")
_BY_OPERATION = ("FDocumentStatus", "FForbidStatus", "FCancelStatus", "FCloseStatus")
"""Not to be saved, but the connector carries out the operations that lead there."""
_TYPES: dict[str, FieldType] = {
    "text": "text", "names": "text", "int": "integer", "decimal": "decimal", "bool": "boolean", "date": "date",
    "datetime": "datetime", "choice": "choice", "base": "reference", "user": "reference",
}  # fmt: skip


def resource_of(form: Form) -> Resource:
    """A form as a resource."""
    lines = []
    for entry in form.entries:
        own = (
            Field(entry.id_key, "integer", "分录内码", read_only=True), Field("FSeq", "integer", "行号"),
            *(_field(f) for f in entry.fields),
        )  # fmt: skip
        lines.append(Field(entry.key, "lines", entry.label, required=entry.must, fields=own))
    head = [Field(form.pk, "integer", "内码", read_only=True, unique=True), *(_field(f) for f in form.head_fields())]
    return Resource(
        name=form.id, label=form.label, fields=(*head, *lines), id_field=form.pk,
        line_ids={e.key: e.id_key for e in form.entries}, batch=20, parallel=2, probe="external", deletes="listing",
        archive=True,
    )  # fmt: skip


def _field(f: F) -> Field:
    inner: tuple[Field, ...] = ()
    if f.kind == "base":
        inner = (Field("FNumber", "text"), Field("FName", "text"))
    elif f.kind == "user":
        inner = (Field("FName", "text"),)
    text = f.kind in ("text", "names")
    return Field(
        f.key, _TYPES[f.kind], f.label, required=f.must, read_only=f.computed and f.key not in _BY_OPERATION,
        unique=f.key in ("FNumber", "FBillNo"), max_length=f.length if text else None,
        scale=f.scale if f.kind == "decimal" else None, choices=tuple(v for v, _ in f.choices),
        reference=f.base or None, fields=inner,
    )  # fmt: skip


def write_schemas(folder: Path) -> None:
    """(Re)write the bundled descriptions."""
    adapter = TypeAdapter(Resource)
    folder.mkdir(exist_ok=True)
    for name in BUNDLED:
        content = adapter.dump_json(resource_of(FORMS[name]), indent=1, exclude_defaults=True)
        (folder / f"{name}.json").write_bytes(content + b"\n")
