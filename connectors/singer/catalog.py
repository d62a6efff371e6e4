"""The tap's catalog: streams as resources, and the choice of one stream."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from typing import Any

from hub.connect.capabilities import Field, FieldType, Resource
from hub.connect.suggest import did_you_mean
from hub.errors import ConfigurationError

from .settings import Settings

Stream = dict[str, Any]
_SCALARS: dict[str, FieldType] = {
    "string": "text", "integer": "integer", "number": "decimal", "boolean": "boolean", "object": "object",
}  # fmt: skip
_FORMATS: dict[str, FieldType] = {"date-time": "datetime", "date": "date"}
JOINT = "/"
"""Between the parts of an id of several fields."""


class Catalog:
    """What the tap offers."""

    def __init__(self, data: dict[str, Any], settings: Settings, system: str) -> None:
        self._data = data
        self._settings = settings
        self._system = system
        self.streams: dict[str, Stream] = {str(s.get("tap_stream_id") or s.get("stream")): s for s in data["streams"]}

    def resources(self) -> list[Resource]:
        return [self.resource(name) for name in self.streams]

    def resource(self, name: str) -> Resource:
        """Raises ConfigurationError for an unknown stream."""
        stream = self._stream(name)
        key = self.key(name)
        fields = tuple(_fields(stream.get("schema") or {}, key))
        return Resource(
            name=name, fields=fields, id_field=key[0] if len(key) == 1 else "", writable=False, deletes="listing"
        )

    def key(self, name: str) -> list[str]:
        """Fields that tell records apart; empty when nobody says."""
        told = self._settings.streams.get(name)
        if told is not None and told.id:
            return told.id
        stream = self._stream(name)
        found = stream.get("key_properties") or _top(stream).get("table-key-properties") or []
        return [str(one) for one in found]

    def modified(self, name: str) -> str | None:
        """The field with the moment of the last change, if there is one."""
        told = self._settings.streams.get(name)
        if told is not None and told.modified:
            return told.modified
        stream = self._stream(name)
        found = stream.get("replication_key") or next(iter(_top(stream).get("valid-replication-keys") or []), None)
        schema = ((stream.get("schema") or {}).get("properties") or {}).get(str(found)) or {}
        return str(found) if found and _type(schema) in ("date", "datetime") else None

    def only(self, name: str) -> dict[str, Any]:
        """The catalog with this stream selected and no other, all its fields with it."""
        made = copy.deepcopy(self._data)
        for stream in made["streams"]:
            chosen = str(stream.get("tap_stream_id") or stream.get("stream")) == name
            stream["selected"] = chosen
            if isinstance(stream.get("schema"), dict):
                stream["schema"]["selected"] = chosen
            entries = stream.setdefault("metadata", [])
            if not any(entry.get("breadcrumb") in ([], ()) for entry in entries):
                entries.append({"breadcrumb": [], "metadata": {}})
            for entry in entries:
                if not chosen or (entry.get("metadata") or {}).get("inclusion") != "unsupported":
                    entry["metadata"] = {**(entry.get("metadata") or {}), "selected": chosen}
        return made

    def _stream(self, name: str) -> Stream:
        if name not in self.streams:
            cure = did_you_mean(name, self.streams, noun="streams of this tap:")
            raise ConfigurationError(f"the tap has no stream {name!r}", where=self._system, cure=cure)
        return self.streams[name]


def _top(stream: Stream) -> dict[str, Any]:
    return next((e.get("metadata") or {} for e in stream.get("metadata") or [] if e.get("breadcrumb") in ([], ())), {})


def _fields(schema: dict[str, Any], key: Collection[str] = ()) -> Iterator[Field]:
    for name, one in (schema.get("properties") or {}).items():
        kind = _type(one)
        inner = (one.get("items") or {}) if kind == "lines" else one
        yield Field(
            name=str(name),
            type=kind,
            unique=list(key) == [name],
            max_length=one.get("maxLength") if kind == "text" else None,
            choices=tuple(str(value) for value in one.get("enum") or () if value is not None)
            if kind == "choice"
            else (),
            fields=tuple(_fields(inner)) if kind in ("lines", "object") else (),
        )


def _type(schema: dict[str, Any]) -> FieldType:
    kinds = schema.get("type")
    if kinds is None and schema.get("anyOf"):
        # How taps say "a moment, or any text": the most exact alternative is meant.
        return next((kind for kind in map(_type, schema["anyOf"]) if kind not in ("any", "text")), "text")
    names = [str(one) for one in (kinds if isinstance(kinds, list) else [kinds]) if one != "null"]
    if len(names) != 1:
        return "any"
    if names[0] == "array":
        return "lines" if (schema.get("items") or {}).get("properties") else "any"
    if names[0] == "string" and schema.get("enum"):
        return "choice"
    return _FORMATS.get(str(schema.get("format")), "text") if names[0] == "string" else _SCALARS.get(names[0], "any")
