"""A resource as JSON Schema, records held against it, and drift: how a live resource differs from the one we know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from hub.connect.capabilities import Field, Record, Resource

DriftKind = Literal[
    "added", "removed", "retyped", "mandatory", "optional", "read_only", "writable", "shorter", "longer", "choices",
    "unique",
]  # fmt: skip
_BREAKING = frozenset({"removed", "retyped", "mandatory", "read_only", "shorter"})
_SCALARS = {"text": "string", "integer": "integer", "decimal": "number", "boolean": "boolean"}
_TEXTS = {"date", "datetime", "choice"}


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between what was known of a resource and what it is now."""

    kind: DriftKind
    field: str
    """Name of the field; a line's field as ``Ordered_Items.Quantity``."""
    message: str
    breaking: bool
    """Whether a mapping that worked before may fail now."""


def resource_schema(resource: Resource) -> dict[str, Any]:
    """JSON Schema (2020-12) of the resource's records, as reads return them.

    Every field may be null: what a system demands on a write says nothing of what it holds. ``required`` therefore
    lists nothing; mandatory fields are marked ``x-required``, read-only ones ``readOnly``.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": resource.label or resource.name,
        **_object(resource.fields),
    }


def violations(resource: Resource, records: Iterable[Record], limit: int = 20) -> list[str]:
    """What is wrong with a sample of records, as ``path: message``; at most ``limit``, equal ones once."""
    validator = Draft202012Validator(resource_schema(resource))
    found: dict[str, None] = {}
    for record in records:
        for problem in validator.iter_errors(record):
            found[_explain(problem)] = None
            if len(found) >= limit:
                return list(found)
    return list(found)


def drift(known: Resource, live: Resource) -> list[Drift]:
    """How ``live`` differs from ``known``, in the order of the known fields, then the new ones."""
    return list(_drift(known.fields, live.fields, ""))


def _object(fields: Iterable[Field]) -> dict[str, Any]:
    return {"type": "object", "properties": {f.name: _field(f) for f in fields}}


def _field(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"title": field.label} if field.label else {}
    if field.type in _SCALARS:
        schema["type"] = [_SCALARS[field.type], "null"]
    elif field.type in _TEXTS:
        schema["type"] = ["string", "null"]
    elif field.type == "choices":
        schema |= {"type": ["array", "null"], "items": {"type": "string"}}
    elif field.type == "lines":
        schema |= {"type": ["array", "null"], "items": _object(field.fields)}
    elif field.fields:
        schema |= _object(field.fields) | {"type": ["object", "null"]}
    if field.type == "choice" and field.choices:
        schema["enum"] = [*field.choices, None]
    if field.max_length and field.type == "text":
        schema["maxLength"] = field.max_length
    if field.required:
        schema["x-required"] = True
    if field.read_only:
        schema["readOnly"] = True
    if field.reference:
        schema["x-reference"] = field.reference
    return schema


def _explain(problem: ValidationError) -> str:
    # Values stay out: a sample holds customers' data, and this text goes into logs.
    path = ".".join("[]" if isinstance(part, int) else str(part) for part in problem.absolute_path)
    said = {
        "type": f"should be {problem.validator_value}, is {type(problem.instance).__name__}",
        "enum": "is none of the known choices",
        "maxLength": f"is longer than {problem.validator_value}",
    }
    return f"{path or 'record'}: {said.get(str(problem.validator), f'breaks {problem.validator}')}"


def _drift(known: tuple[Field, ...], live: tuple[Field, ...], prefix: str) -> Iterator[Drift]:
    now = {field.name: field for field in live}
    for before in known:
        after = now.pop(before.name, None)
        if after is None:
            yield _one("removed", prefix + before.name, "is not there any more (or hidden from this user)")
        else:
            yield from _changed(before, after, prefix + before.name)
    for field in now.values():
        wants = " and is mandatory" if field.required else ""
        yield Drift("added", prefix + field.name, f"is new ({field.type}){wants}", breaking=field.required)


def _changed(before: Field, after: Field, name: str) -> Iterator[Drift]:
    if before.type != after.type or before.reference != after.reference:
        yield _one("retyped", name, f"was {_type(before)}, is {_type(after)}")
        return
    if before.required != after.required:
        kind: DriftKind = "mandatory" if after.required else "optional"
        yield _one(kind, name, f"is {kind} now")
    if before.read_only != after.read_only:
        yield _one("read_only" if after.read_only else "writable", name, _now(after.read_only))
    if before.unique != after.unique:
        yield _one("unique", name, "is unique now" if after.unique else "is not unique any more")
    yield from _size(before, after, name)
    if before.choices and before.choices != after.choices:
        gone = sorted(set(before.choices) - set(after.choices))
        new = sorted(set(after.choices) - set(before.choices))
        if gone or new:
            text = "; ".join(
                f"{word} {', '.join(map(repr, some))}" for word, some in (("lost", gone), ("got", new)) if some
            )
            yield Drift("choices", name, f"choices changed: {text}", breaking=bool(gone))
    if before.type in ("lines", "object"):
        yield from _drift(before.fields, after.fields, f"{name}.")


def _size(before: Field, after: Field, name: str) -> Iterator[Drift]:
    for what, old, new in (("length", before.max_length, after.max_length), ("decimals", before.scale, after.scale)):
        if old is not None and new is not None and old != new:
            yield _one("shorter" if new < old else "longer", name, f"{what}: was {old}, is {new}")


def _now(read_only: bool) -> str:
    return "can't be written any more" if read_only else "can be written now"


def _type(field: Field) -> str:
    return f"{field.type} to {field.reference}" if field.reference else field.type


def _one(kind: DriftKind, name: str, message: str) -> Drift:
    return Drift(kind, name, message, breaking=kind in _BREAKING)
