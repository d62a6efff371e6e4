"""Fields and entities that a project adds to the canonical model, typed like the bundled ones.

The section, as plain data::

    fields:
      customer: {vip_level: {type: integer, description: 1 is best}}
      order.lines: {batch_no: {type: text}}
      invoice: {status: {type: enum, choices: [disputed]}}       # further choices of an enum that is there
    entities:
      shipment:
        title: [number]
        fields: {number: {type: text}, order: {type: ref, ref: order}, lines: {type: lines, key: line_no, fields: {…}}}
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, get_args

from rapidfuzz import process

from hub.model.spec import EntitySpec, FieldSpec, TypeName

Where = tuple[Any, ...]
"""Keys from the top of the section to the place."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TYPES: tuple[str, ...] = get_args(TypeName)
_RESERVED = frozenset({"hub_id", "created_at", "updated_at", "extra", "position", "deleted_at"})
_FIELD_KEYS = frozenset({"type", "description", "choices", "ref", "key", "fields", "max_length"})
_ENTITY_KEYS = frozenset({"description", "title", "fields"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing wrong with the section; whoever read the file knows the position of ``where``."""

    where: Where
    message: str
    cure: str = ""


@dataclass(slots=True)
class _Reading:
    entities: set[str]
    troubles: list[Trouble]

    def trouble(self, where: Where, message: str, cure: str = "") -> None:
        self.troubles.append(Trouble(where, message, cure))


def declare(specs: dict[str, EntitySpec], section: dict[str, Any]) -> tuple[dict[str, EntitySpec], list[Trouble]]:
    """``specs`` with what the section adds, as a new dict, and everything that is wrong with it.

    Never raises for a wrong section; what is wrong is left out of the result.
    """
    added = _table(section.get("entities"))
    reading = _Reading({*specs, *map(str, added)}, [])
    _only_keys(reading, (), section, frozenset({"fields", "entities"}))
    made = dict(specs)
    for name, body in added.items():
        entity = _entity(reading, ("entities", name), name, body, specs)
        if entity is not None:
            made[name] = entity
    for target, fields in _table(section.get("fields")).items():
        _extend(reading, made, str(target), fields)
    return made, reading.troubles


def _table(data: Any) -> dict[Any, Any]:
    return data if isinstance(data, dict) else {}


def _only_keys(reading: _Reading, where: Where, data: Any, known: frozenset[str]) -> bool:
    if not isinstance(data, dict):
        reading.trouble(where, "expected keys with values here", f"known keys: {', '.join(sorted(known))}")
        return False
    for key in data:
        if key not in known:
            reading.trouble((*where, key), f"unknown key {key!r}", near(str(key), known))
    return True


def near(name: str, known: Any) -> str:
    """A suggestion for a name that isn't known."""
    found = process.extractOne(name, sorted(known), score_cutoff=70)
    return f"did you mean {found[0]!r}?" if found else f"known: {', '.join(sorted(known))}"


def _entity(reading: _Reading, where: Where, name: Any, body: Any, specs: dict[str, EntitySpec]) -> EntitySpec | None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        reading.trouble(where, f"{name!r} can't name an entity", "lower-case letters, digits and _, a letter first")
        return None
    if name in specs:
        reading.trouble(where, f"the entity {name!r} exists already", f"add to it below model.fields.{name}")
        return None
    if not _only_keys(reading, where, body, _ENTITY_KEYS):
        return None
    if not body.get("fields"):
        reading.trouble(where, f"the entity {name!r} has no fields", "declare at least one below fields:")
        return None
    fields = _fields(reading, (*where, "fields"), body["fields"], {})
    if not fields:
        return None
    if not isinstance(body.get("title") or [], list):
        reading.trouble((*where, "title"), "title must be a list of fields")
        return None
    title = tuple(map(str, body.get("title") or [n for n in ("number", "name") if n in fields] or list(fields)[:1]))
    for at, wanted in enumerate(title):
        if wanted not in fields:
            reading.trouble((*where, "title", at), f"{wanted!r} is not a field of {name!r}", near(wanted, fields))
    return EntitySpec(name, fields, title=title, description=str(body.get("description") or ""))


def _extend(reading: _Reading, made: dict[str, EntitySpec], target: str, fields: Any) -> None:
    where: Where = ("fields", target)
    entity, _, lines = target.partition(".")
    spec = made.get(entity)
    if spec is None:
        reading.trouble(where, f"unknown entity {entity!r}", near(entity, made))
        return
    if not lines:
        made[entity] = replace(spec, fields={**spec.fields, **_fields(reading, where, fields, spec.fields)})
        return
    holder = spec.fields.get(lines)
    if holder is None or holder.lines is None:
        known = [f"{entity}.{f.name}" for f in spec.fields.values() if f.lines]
        reading.trouble(where, f"{entity!r} has no lines {lines!r}", near(target, known) if known else "")
        return
    below = holder.lines
    below = replace(below, fields={**below.fields, **_fields(reading, where, fields, below.fields)})
    made[entity] = replace(spec, fields={**spec.fields, lines: replace(holder, lines=below)})


def _fields(reading: _Reading, where: Where, data: Any, there: dict[str, FieldSpec]) -> dict[str, FieldSpec]:
    if not isinstance(data, dict):
        reading.trouble(where, "expected fields here", "write name: {type: text}")
        return {}
    made = {}
    for name, body in data.items():
        field = _field(reading, (*where, name), name, body, there)
        if field is not None:
            made[field.name] = field
    return made


def _field(reading: _Reading, where: Where, name: Any, body: Any, there: dict[str, FieldSpec]) -> FieldSpec | None:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in _RESERVED:
        cure = "lower-case letters, digits and _, a letter first; not one of " + ", ".join(sorted(_RESERVED))
        reading.trouble(where, f"{name!r} can't name a field", cure)
        return None
    if isinstance(body, str):
        body = {"type": body}
    if not _only_keys(reading, where, body, _FIELD_KEYS):
        return None
    kind = body.get("type")
    for key, wanted, shape in (("choices", list, "a list"), ("ref", str, "a name"), ("key", str, "a name")):
        if not isinstance(body.get(key) or wanted(), wanted):
            reading.trouble((*where, key), f"{key} must be {shape}")
            return None
    if kind not in _TYPES:
        cure = near(str(kind), _TYPES) if kind else f"one of {', '.join(_TYPES)}"
        reading.trouble(
            (*where, "type"), f"{kind!r} is not a type" if kind else f"the field {name!r} has no type", cure
        )
        return None
    choices = tuple(map(str, body.get("choices") or ()))
    if name in there:
        old = there[name]
        if old.type == kind == "enum" and choices:
            return replace(old, choices=tuple(dict.fromkeys((*old.choices, *choices))))
        reading.trouble(where, f"the field {name!r} is there already, as {old.type}", "choose another name")
        return None
    field = FieldSpec(name, kind, str(body.get("description") or ""), choices, max_length=body.get("max_length"))
    return _finished(reading, where, field, body)


def _finished(reading: _Reading, where: Where, field: FieldSpec, body: dict[str, Any]) -> FieldSpec | None:
    """The parts that only some types have; each must be there exactly where it means something."""
    for key, owner in (("choices", "enum"), ("ref", "ref"), ("key", "lines"), ("fields", "lines")):
        if body.get(key) and field.type != owner:
            reading.trouble((*where, key), f"{key} belongs to a field of type {owner}", f"or set type: {owner}")
            return None
        if not body.get(key) and field.type == owner:
            reading.trouble(where, f"the {owner} field {field.name!r} needs {key}", _example(owner))
            return None
    if field.max_length is not None and (not isinstance(field.max_length, int) or field.max_length < 1):
        reading.trouble((*where, "max_length"), "max_length is a whole number above 0")
        return None
    if field.type == "ref":
        if body["ref"] not in reading.entities:
            reading.trouble(
                (*where, "ref"), f"unknown entity {body['ref']!r}", near(str(body["ref"]), reading.entities)
            )
            return None
        return replace(field, ref=body["ref"])
    if field.type != "lines":
        return field
    fields = _fields(reading, (*where, "fields"), body["fields"], {})
    for name in [name for name, below in fields.items() if below.type == "lines"]:
        reading.trouble(
            (*where, "fields", name), "lines can't hold lines", "make them an entity that refers to this one"
        )
        del fields[name]
    if body["key"] not in fields:
        reading.trouble(
            (*where, "key"), f"{body['key']!r} is not a field of these lines", near(str(body["key"]), fields)
        )
        return None
    key = body["key"]
    return replace(field, lines=EntitySpec(f"{field.name}", fields, key=key, title=(key,)))


def _example(kind: str) -> str:
    return {
        "enum": "choices: [open, closed]",
        "ref": "ref: customer",
        "lines": "key: line_no, fields: {line_no: {type: integer}, …}",
    }[kind]


def by_reference(specs: dict[str, EntitySpec]) -> list[str]:
    """Names of the entities, each after those it refers to (where a circle makes that impossible: as declared)."""
    done: dict[str, None] = {}
    under_way: set[str] = set()

    def visit(name: str) -> None:
        if name in done or name in under_way or name not in specs:
            return
        under_way.add(name)
        for target in sorted(references(specs[name])):
            visit(target)
        done[name] = None

    for name in specs:
        visit(name)
    return list(done)


def references(spec: EntitySpec) -> set[str]:
    """Entities that records of this one refer to, in their lines too."""
    found = {field.ref for field in spec.fields.values() if field.ref}
    for field in spec.fields.values():
        if field.lines:
            found |= references(field.lines)
    return found
