"""What an OpenAPI description (3.x, or Swagger 2) says, as far as a manifest can use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MOST_DEEP = 3
_ITEM = re.compile(r"^(?P<collection>/.+)/\{(?P<param>[^}/]+)\}/?$")
_ROWS = ("data", "items", "results", "records", "value", "rows", "list", "content")
_FORMATS = {"date": "date", "date-time": "datetime"}
_TYPES = {"string": "text", "integer": "integer", "number": "decimal", "boolean": "boolean"}


@dataclass
class Found:
    """One collection of the product."""

    name: str
    path: str
    item: str
    """Path of one record, with {id}."""
    operations: dict[str, dict[str, Any]]
    """list, get, create, put, patch, delete → the description's operation."""
    rows: str = "."
    record: str = "."
    schema: dict[str, Any] = field(default_factory=dict)
    """Of one record."""


class Description:
    """A whole description."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    @property
    def title(self) -> str:
        return str((self.data.get("info") or {}).get("title") or "")

    @property
    def server(self) -> str:
        """The address in the description, empty where it has none."""
        servers = self.data.get("servers") or []
        if servers:
            return str(servers[0].get("url") or "")
        host, base = self.data.get("host"), self.data.get("basePath") or ""
        return f"https://{host}{base}" if host else str(base)

    def schemes(self) -> dict[str, dict[str, Any]]:
        """Ways of logging in, by name."""
        found = (self.data.get("components") or {}).get("securitySchemes") or self.data.get("securityDefinitions") or {}
        return {str(name): self.resolved(one) for name, one in found.items()}

    def resources(self) -> list[Found]:
        """Collections: a path that lists, and below it one that gets a record."""
        paths = self.data.get("paths") or {}
        found: dict[str, Found] = {}
        for path, said in paths.items():
            match = _ITEM.match(str(path))
            if match is None or "{" in match["collection"] or not (said or {}).get("get"):
                continue
            collection = paths.get(match["collection"]) or paths.get(match["collection"] + "/")
            if not collection or not collection.get("get"):
                continue
            name = re.sub(r"\W+", "_", match["collection"].rstrip("/").rpartition("/")[2]).strip("_")
            name = name if name not in found else re.sub(r"\W+", "_", match["collection"]).strip("_")
            found[name] = self._found(name, match["collection"], collection, said)
        return list(found.values())

    def _found(self, name: str, path: str, collection: dict[str, Any], one: dict[str, Any]) -> Found:
        operations = {"list": collection["get"], "get": one["get"]}
        operations |= {"create": collection["post"]} if collection.get("post") else {}
        operations |= {verb: one[verb] for verb in ("patch", "put", "delete") if one.get(verb)}
        if not one.get("patch") and not one.get("put") and one.get("post"):
            operations["post"] = one["post"]
        made = Found(name, path, f"{path}/{{id}}", operations)
        made.rows, made.schema = self._rows(self.answer(collection["get"]))
        made.record, schema = self._record(self.answer(one["get"]))
        made.schema = (
            schema if len(schema.get("properties") or {}) > len(made.schema.get("properties") or {}) else made.schema
        )
        return made

    def answer(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Schema of a good answer."""
        for status in ("200", "201", "202", "2XX", "default"):
            response = self.resolved((operation.get("responses") or {}).get(status) or {})
            content = response.get("content") or {}
            kind = next((kind for kind in content if "json" in kind), next(iter(content), None))
            schema = (content[kind] or {}).get("schema") if kind else response.get("schema")
            if schema:
                return self.resolved(schema)
        return {}

    def parameters(self, operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Query parameters by name."""
        some = [self.resolved(one) for one in operation.get("parameters") or []]
        return {str(one.get("name")): one for one in some if one.get("in") == "query"}

    def _rows(self, schema: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if schema.get("type") == "array":
            return ".", self.resolved(schema.get("items") or {})
        lists = {
            name: self.resolved(one.get("items") or {})
            for name, one in self.properties(schema).items()
            if one.get("type") == "array"
        }
        for name in (*_ROWS, *lists):
            if name in lists:
                return name, lists[name]
        for name, one in self.properties(schema).items():
            below = {n: p for n, p in self.properties(one).items() if p.get("type") == "array"}
            if below:
                first = next((n for n in _ROWS if n in below), next(iter(below)))
                return f"{name}.{first}", self.resolved(below[first].get("items") or {})
        return ".", {}

    def _record(self, schema: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        properties = self.properties(schema)
        if "id" in properties or len(properties) > MOST_DEEP:
            return ".", schema
        for name, one in properties.items():
            if self.properties(one):
                return name, one
        return ".", schema

    def properties(self, schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Members of an object's schema, those of ``allOf`` too."""
        made: dict[str, dict[str, Any]] = {}
        for part in schema.get("allOf") or []:
            made |= self.properties(self.resolved(part))
        return made | {str(n): self.resolved(p) for n, p in (schema.get("properties") or {}).items()}

    def resolved(self, part: Any) -> dict[str, Any]:
        """The part, or what its ``$ref`` leads to (inside of this file)."""
        seen: set[str] = set()
        while isinstance(part, dict) and isinstance(part.get("$ref"), str) and part["$ref"] not in seen:
            seen.add(part["$ref"])
            here: Any = self.data
            for step in part["$ref"].removeprefix("#/").split("/"):
                here = here.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(here, dict) else None
            part = here
        return part if isinstance(part, dict) else {}

    def fields(self, schema: dict[str, Any], depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
        """Fields as a manifest declares them: name → {type, …}."""
        required = set(schema.get("required") or [])
        for name, one in self.properties(schema).items():
            made: dict[str, Any] = {"type": self._type(one)}
            if name in required:
                made["required"] = True
            if one.get("readOnly"):
                made["read_only"] = True
            if isinstance(one.get("maxLength"), int) and made["type"] == "text":
                made["max_length"] = one["maxLength"]
            if made["type"] == "choice":
                made["choices"] = [str(value) for value in one["enum"] if value is not None]
            inner = self.resolved(one.get("items") or {}) if made["type"] == "lines" else one
            if made["type"] in ("lines", "object") and depth < MOST_DEEP:
                below = dict(self.fields(inner, depth + 1))
                if below:
                    made["fields"] = below
            yield name, made

    def _type(self, schema: dict[str, Any]) -> str:
        kind = schema.get("type")
        kind = next((one for one in kind if one != "null"), None) if isinstance(kind, list) else kind
        if schema.get("enum") and kind in (None, "string"):
            return "choice"
        if kind == "string":
            return _FORMATS.get(str(schema.get("format")), "text")
        if kind == "array":
            return "lines" if self.properties(self.resolved(schema.get("items") or {})) else "any"
        if kind == "object" or self.properties(schema):
            return "object"
        return _TYPES.get(str(kind), "any")
