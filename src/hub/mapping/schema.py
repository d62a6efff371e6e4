"""The JSON Schema of mapping files for editors; ``python -m hub.mapping.schema`` writes ``schemas/*.schema.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hub.mapping.examples import ExampleFile
from hub.mapping.grammar import MappingFile
from hub.mapping.operators import OPERATORS, Operator

FILE = Path("schemas") / "mapping.schema.json"
EXAMPLES_FILE = Path("schemas") / "mapping-examples.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def mapping_schema() -> dict[str, Any]:
    """The schema of mapping files, generated from the models that read them and from the operators' arguments."""
    schema = MappingFile.model_json_schema(ref_template="#/$defs/{model}")
    definitions = schema.setdefault("$defs", {})
    via = {"anyOf": [{"$ref": "#/$defs/OperatorName"}, {"$ref": "#/$defs/OperatorCall"}]}
    rule = definitions["FieldRule"]["properties"]["via"]
    definitions["FieldRule"]["properties"]["via"] = {
        "description": rule["description"],
        "anyOf": [*via["anyOf"], {"type": "array", "items": via}],
    }
    definitions["OperatorName"] = {
        "oneOf": [{"const": name, "description": _summary(kind)} for name, kind in OPERATORS.items() if _alone(kind)]
    }
    definitions["OperatorCall"] = {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {name: _call(kind) for name, kind in OPERATORS.items()},
    }
    return {"$schema": DIALECT, "title": "Mapping", **_plain(schema)}


def examples_schema() -> dict[str, Any]:
    """The schema of ``<resource>_test.yaml``."""
    return {"$schema": DIALECT, **_plain(ExampleFile.model_json_schema())}


def _summary(kind: type[Operator]) -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


def _alone(kind: type[Operator]) -> bool:
    """Whether the operator can be named without arguments."""
    return kind.name != "values" and not any(info.is_required() for info in kind.Args.model_fields.values())


def _call(kind: type[Operator]) -> dict[str, Any]:
    args = kind.Args.model_json_schema()
    args.pop("title", None)
    args.pop("description", None)
    args = _inlined(args)
    allowed: list[dict[str, Any]] = [args]
    if kind.shorthand is not None:
        allowed.append(_inlined(kind.Args.model_json_schema())["properties"][kind.shorthand])
    if _alone(kind):
        allowed.append({"type": "null"})
    return (
        {"description": _summary(kind), "anyOf": allowed}
        if len(allowed) > 1
        else {**args, "description": _summary(kind)}
    )


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without ``$defs`` of its own."""
    definitions = schema.pop("$defs", {})

    def walk(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                return walk(definitions[part["$ref"].rsplit("/", 1)[-1]])
            return {key: walk(value) for key, value in part.items()}
        return [walk(item) for item in part] if isinstance(part, list) else part

    made: dict[str, Any] = walk(schema)
    return made


def _plain(schema: Any) -> Any:
    """Without the titles that pydantic makes of field names: editors show them instead of the descriptions."""
    if isinstance(schema, dict):
        names = set(schema.get("properties", {})) if isinstance(schema.get("properties"), dict) else set()
        made = {}
        for key, value in schema.items():
            if key == "title" and isinstance(value, str):
                continue
            if key == "properties":
                made[key] = {name: _plain(part) for name, part in value.items() if name in names}
            else:
                made[key] = _plain(value)
        return made
    return [_plain(item) for item in schema] if isinstance(schema, list) else schema


def written(schema: dict[str, Any]) -> str:
    """The schema as the file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(written(mapping_schema()), "utf-8")
    EXAMPLES_FILE.write_text(written(examples_schema()), "utf-8")
