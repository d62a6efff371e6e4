"""The JSON Schema of manifests, for editors."""

from __future__ import annotations

from typing import Any

from .grammar import RestManifest


def manifest_schema() -> dict[str, Any]:
    """JSON Schema (2020-12), generated from the models that read manifests."""
    schema = RestManifest.model_json_schema(by_alias=True)
    made: dict[str, Any] = _plain(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Manifest of a product", **made}


def _plain(part: Any, names: bool = False) -> Any:
    """Without the titles that pydantic makes of names: editors show them instead of the descriptions."""
    if isinstance(part, dict):
        return {
            key: _plain(value, key in ("properties", "$defs"))
            for key, value in part.items()
            if names or key != "title" or not isinstance(value, str)
        }
    return [_plain(item) for item in part] if isinstance(part, list) else part
