"""Fields and values: typed JSON to plain records and back; and the commands that change child records."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.connect.capabilities import Field, FieldType, Record
from hub.errors import RecordRejected

KEY_PREFIX = "hub:"
TYPES: dict[str, FieldType] = {
    "char": "text", "text": "text", "fullname": "text", "reference": "text", "integer": "integer", "bigint": "integer",
    "numeric": "decimal", "float": "decimal", "boolean": "boolean", "date": "date", "datetime": "datetime",
    "timestamp": "datetime", "selection": "choice", "multiselection": "choices", "many2one": "integer",
    "one2many": "lines", "many2many": "any",
}  # fmt: skip
OWN = {"xml_id", "rec_name", "create_uid", "write_uid", "create_date", "write_date", "last_modified_at"}
Definitions = dict[str, Any]
"""What ``fields_get`` says of a model."""


def described(name: str, definition: Record, inside: tuple[Field, ...] = (), default: bool = False) -> Field:
    choices = definition.get("selection")
    return Field(
        name=name,
        type="object" if inside and definition["type"] == "many2one" else TYPES.get(definition["type"], "any"),
        label=str(definition.get("string") or name),
        required=bool(definition.get("required")) and not default,
        read_only=bool(definition.get("readonly")) and name != "state",
        max_length=definition["size"] if isinstance(definition.get("size"), int) else None,
        choices=tuple(str(one[0]) for one in choices if one[0]) if isinstance(choices, list) else (),
        reference=definition.get("relation") if definition["type"] == "many2one" and not inside else None,
        fields=inside,
    )


def simple(definitions: Definitions) -> list[str]:
    """The fields of a child record worth reading: without those that Tryton works out at a price."""
    dear = {"float", "integer", "boolean", "many2one", "one2many", "binary", "dict", "timedelta"}
    return [
        name
        for name, one in definitions.items()
        if name not in OWN and one["type"] in TYPES and one["type"] != "one2many"
        and (one.get("searchable") or one["type"] not in dear)
    ]  # fmt: skip


def plain(value: Any) -> Any:
    """A value as a record holds it; children under ``lines.`` come out as ``lines``, instants end in ``Z``."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    if kind == "Decimal":
        return Decimal(value["decimal"])
    if kind == "date":
        return dt.date(value["year"], value["month"], value["day"]).isoformat()
    if kind == "datetime":
        return dt.datetime(**{k: v for k, v in value.items() if k != "__class__"}).isoformat() + "Z"  # noqa: DTZ001
    return {name.removesuffix("."): plain(one) for name, one in value.items()}


def is_moment(cursor: str | None) -> str | None:
    """The cursor, if it is one of ours; anything else leads to reading everything."""
    try:
        return cursor if cursor and dt.datetime.fromisoformat(cursor).tzinfo else None
    except ValueError:
        return None


def moment(text: str) -> Record:
    at = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return {"__class__": "datetime", **{part: getattr(at, part) for part in parts}}


def typed(name: str, value: Any, kind: str) -> Any:
    """A record's value as the server takes it. Raises RecordRejected for one that it can't be."""
    if value is None or value == "":
        return None
    try:
        if kind == "numeric":
            return {"__class__": "Decimal", "decimal": str(Decimal(value))}
        if kind in ("float", "integer", "many2one"):
            return int(value) if kind != "float" else Decimal(value)
        if kind == "date":
            at = dt.date.fromisoformat(value)
            return {"__class__": "date", "year": at.year, "month": at.month, "day": at.day}
        if kind in ("datetime", "timestamp"):
            return moment(value)
        return [["add", value]] if kind == "many2many" else value
    except (ValueError, InvalidOperation, TypeError):
        raise RecordRejected(f"{value!r} is no {kind}", field=name) from None


def commands(there: list[Record], wanted: list[Record], definitions: Definitions) -> list[list[Any]]:
    """What makes the lines ``there`` the ``wanted`` ones. The line that holds the hub's key stays."""
    known = {line["id"]: line for line in there}
    fresh, out = [], []
    for line in wanted:
        before = known.pop(line.get("id"), None)
        values = row(line, definitions, before)
        if before is None:
            fresh.append(values)
        elif values:
            out.append(["write", [before["id"]], values])
    gone = [key for key, line in known.items() if not str(line.get("code") or "").startswith(KEY_PREFIX)]
    return [*out, *([["delete", gone]] if gone else []), *([["create", fresh]] if fresh else [])]


def row(line: Record, definitions: Definitions, before: Record | None = None) -> Record:
    """One child's values: what can be written, and differs from ``before``."""
    values = {}
    for name, value in line.items():
        one = definitions.get(name)
        if name == "id" or one is None or one.get("readonly") or (before is not None and before.get(name) == value):
            continue
        if before is None or one["type"] != "many2many":
            values[name] = typed(name, value, one["type"])
    return values
