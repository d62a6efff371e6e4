"""JSON Schemas for editors that know this project: its entities, its systems, and what each resource is made of.

They are the grammar's own schemas (``hub.mapping.schema``, ``hub.project.schema``) with names added. Names that are not
known here stay allowed wherever ``hub validate`` could allow them: an editor must not underline what is right.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hub.connect.capabilities import Field, Resource
from hub.mapping.schema import examples_schema, mapping_schema
from hub.model.spec import EntitySpec, FieldSpec
from hub.project.schema import hub_schema

FOLDER = ".hub-schemas"
FILES = {
    "hub.schema.json": ["hub.yaml"],
    "mapping.schema.json": ["mappings/**/*.yaml", "!mappings/**/*_test.yaml"],
    "mapping-examples.schema.json": ["mappings/**/*_test.yaml"],
}
"""Schema → the files of a project that it is for."""
_MORE = {"type": "string"}
Json = dict[str, Any]


def write_schemas(folder: Path, specs: dict[str, EntitySpec], resources: dict[str, list[Resource]]) -> list[Path]:
    """Write the schemas of a project below ``.hub-schemas``; ``resources`` are what is known of each system."""
    made: dict[str, Json] = {
        "hub.schema.json": project_hub_schema(specs, resources),
        "mapping.schema.json": project_mapping_schema(specs, resources),
        "mapping-examples.schema.json": examples_schema(),
    }
    target = folder / FOLDER
    target.mkdir(exist_ok=True)
    for name, schema in made.items():
        (target / name).write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return [target / name for name in made]


def editor_settings() -> dict[str, Any]:
    """What an editor with the YAML language server has to be told."""
    schemas = {f"{FOLDER}/{name}": files[0] if len(files) == 1 else files for name, files in FILES.items()}
    return {
        "yaml.schemas": schemas,
        "files.exclude": {"**/__pycache__": True},
        "[yaml]": {"editor.tabSize": 2, "editor.insertSpaces": True},
    }


def project_mapping_schema(specs: dict[str, EntitySpec], resources: dict[str, list[Resource]]) -> Json:
    """The schema of mapping files: canonical fields by ``entity:``, remote fields by ``resource:``."""
    schema = mapping_schema()
    schema["$defs"]["FieldRule"].pop("description", None)  # it would stand before what the canonical field is
    properties = schema["properties"]
    properties["entity"] = _named(
        properties["entity"], {name: spec.description or name for name, spec in specs.items()}
    )
    by_name = _by_name(resources)
    labels = {name: f"{found.label or name} ({', '.join(systems)})" for name, (found, systems) in by_name.items()}
    properties["resource"] = _named(properties["resource"], labels)
    known = [_when("entity", name, _entity(spec)) for name, spec in specs.items()]
    known += [_when("resource", name, _resource(found)) for name, (found, _) in by_name.items() if found.fields]
    return {**schema, "allOf": known}


def project_hub_schema(specs: dict[str, EntitySpec], resources: dict[str, list[Resource]]) -> Json:
    """The schema of ``hub.yaml``: entities with their fields, and the project's systems as their owners."""
    schema = hub_schema()
    systems = list(resources)
    owner: Json = {"anyOf": [{"enum": systems}, _MORE]} if systems else _MORE
    made = {}
    for name, spec in specs.items():
        fields = {field.name: {"description": field.description, **owner} for field in spec.fields.values()}
        takes_part = {system: {"description": f"How {system} takes part."} for system in systems}
        extra = {"properties": {"authority": {"properties": fields}, "systems": {"properties": takes_part}}}
        made[name] = {
            "description": spec.description or name,
            "allOf": [{"$ref": "#/$defs/EntityConfig"}, extra],
        }
    schema["properties"]["entities"]["properties"] = made
    return schema


def _by_name(resources: dict[str, list[Resource]]) -> dict[str, tuple[Resource, list[str]]]:
    """Resources by name with the systems that have them; the one with the most fields speaks for all."""
    made: dict[str, tuple[Resource, list[str]]] = {}
    for system, found in resources.items():
        for resource in found:
            best, systems = made.get(resource.name, (resource, []))
            made[resource.name] = (max(best, resource, key=lambda r: len(r.fields)), [*systems, system])
    return made


def _when(key: str, value: str, then: Json) -> Json:
    return {"if": {"properties": {key: {"const": value}}, "required": [key]}, "then": {"properties": {"fields": then}}}


def _named(base: Json, names: dict[str, str]) -> Json:
    """A text with known values, each described."""
    if not names:
        return base
    listed = {"enum": list(names), "markdownEnumDescriptions": list(names.values())}
    return {"description": base.get("description", ""), "anyOf": [listed, {**_MORE, "minLength": 1}]}


def _entity(spec: EntitySpec) -> Json:
    """``fields:`` of an entity. A name beyond its fields may only be a remote constant."""
    made: Json = {"type": "object", "properties": {}, "patternProperties": {}}
    for field in spec.fields.values():
        made["properties"][field.name] = _canonical(field)
        if field.lines is not None and field.lines.key:
            key = field.lines.fields[field.lines.key]
            for word in key.choices:
                made["properties"][f"{field.name}[{word}]"] = {
                    **_canonical(field), "description": f"{field.description} Only the one of {key.name} {word}.",
                }  # fmt: skip
            made["patternProperties"][f"^{field.name}\\[.+\\]$"] = _canonical(field)
    made["additionalProperties"] = {
        "type": "object",
        "required": ["field", "constant"],
        "errorMessage": f"{spec.name} has no field of this name",
    }
    return made


def _canonical(field: FieldSpec) -> Json:
    told = field.description or field.name
    more = f": {', '.join(field.choices)}" if field.choices else f" to {field.ref}" if field.ref else ""
    told += f" ({field.type}{more})"
    if field.lines is None:
        return {"description": told}
    return {"description": told, "type": "object", "properties": {"fields": _entity(field.lines)}}


def _resource(resource: Resource) -> Json:
    """``fields:`` of a resource: every value is a path, or an object with one in ``field``."""
    head = dict(_paths(resource.fields))
    below = {path: told for field in resource.fields if field.type == "lines" for path, told in _paths(field.fields)}
    inner = _entry({**below, **head}) if below else _entry(head)
    return {"additionalProperties": _entry(head, {"fields": {"additionalProperties": inner}})}


def _entry(paths: dict[str, str], more: Json | None = None) -> Json:
    # Each way has a description of its own: the language server takes those that look alike for one, and then shows
    # none of the canonical field's.
    path = {
        "description": "A field of the system.",
        "enum": list(paths),
        "markdownEnumDescriptions": list(paths.values()),
    }
    other = {**_MORE, "description": "Another path."}
    either = {"anyOf": [path, other]}
    field = {"anyOf": [path, other, {"description": "Several fields.", "type": "array", "items": either}]}
    rule = {"description": "A field and how it is translated.", "type": "object"}
    return {"anyOf": [path, other, {**rule, "properties": {"field": field, **(more or {})}}]}


def _paths(fields: Iterable[Field]) -> Iterator[tuple[str, str]]:
    """Paths of fields and of members, with what is known of each."""
    for field in fields:
        yield _path(field.name), _told(field)
        if field.type in ("reference", "object"):
            for member in field.fields:
                name = member.name.removeprefix(f"{field.name}.")
                yield f"{_path(field.name)}.{name}", f"{field.label or field.name}: {_told(member)}"


def _path(name: str) -> str:
    return f'"{name}"' if any(mark in name for mark in "[]") else name


def _told(field: Field) -> str:
    parts: list[str] = [field.type]
    if field.max_length:
        parts.append(f"at most {field.max_length} characters")
    if field.choices:
        parts.append("one of " + ", ".join(field.choices[:12]))
    parts += [word for word, holds in (("required", field.required), ("read-only", field.read_only)) if holds]
    return f"{field.label or field.name} ({', '.join(parts)})"
