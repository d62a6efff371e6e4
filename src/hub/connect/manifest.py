"""``manifest.yaml``: what a connector says of itself before any of its code runs."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from hub.errors import ConfigurationError

MANIFEST = "manifest.yaml"
_TARGET = r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$"
_TARGET_OR_NAME = rf"(?:{_TARGET})|^[a-z][a-z0-9_]*$"


class Manifest(BaseModel):
    """The closed grammar of ``manifest.yaml``. Code is named as ``module:function``, inside the connector's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """The folder's name; what ``connector:`` in hub.yaml says."""
    title: str
    description: str = ""
    connector: str = Field(default="connector:open_connector", pattern=_TARGET_OR_NAME)
    """``(settings: dict, services: Services) -> Connector``; or the name of the connector that reads the rest of this
    file as a declaration of the product (``rest``)."""
    declared: str | None = Field(default=None, pattern=_TARGET)
    """For connectors that speak to products by declaration: ``(manifest: Path) -> (list[Resource], list[Problem])``."""
    sandbox: str | None = Field(default=None, pattern=_TARGET)
    """What builds the local server that speaks the product's API (see ``hub.connect.sandbox``)."""
    schemas: str | None = Field(default=None, pattern=_TARGET)
    """``() -> list[Resource]``: the resources as a fresh account has them. Without it, ``schemas/*.json`` are read."""
    contract: str | None = Field(default=None, pattern=_TARGET)
    """``() -> Contract``: what the contract suite must know to try this connector (see ``hub.connect.contract``)."""
    secrets: tuple[str, ...] = ()
    """Settings that must never stand in hub.yaml as text."""
    resources: tuple[str, ...] = ()
    """The resources worth offering first."""
    documentation: str = ""

    @property
    def by(self) -> str | None:
        """The connector by which this product is declared; None where it has code of its own."""
        return None if ":" in self.connector else self.connector


def read_manifest(folder: Path) -> Manifest:
    """The checked manifest of a connector's folder. Raises ConfigurationError with file:line:column."""
    path = folder / MANIFEST
    manifest, data = _read(path)
    if manifest.name != folder.name:
        raise ConfigurationError(
            f"the manifest is of {manifest.name!r} but lies in the folder {folder.name!r}",
            where=_position(path, data, "name"),
            cure="give folder and connector the same name",
        )
    return manifest


def read_declaration(path: Path) -> Manifest:
    """What a product's manifest says of the product; the rest of the file is for the connector that it names."""
    return _read(path)[0]


def place_of(path: Path, key: str) -> str:
    """Where a key of a manifest stands."""
    return _position(path, _read(path)[1], key)


def _read(path: Path) -> tuple[Manifest, Any]:
    try:
        data: Any = YAML(typ="rt").load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the manifest can't be read: {error}", where=str(path)) from error
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        what = error.problem if isinstance(error, MarkedYAMLError) and error.problem else str(error)
        raise ConfigurationError(f"not valid YAML: {what}", where=where) from error
    if not isinstance(data, dict):
        raise ConfigurationError("a manifest is a mapping of keys to values", where=f"{path}:1:1")
    said = _head(data) if isinstance(data.get("connector"), str) and ":" not in data["connector"] else dict(data)
    try:
        return Manifest.model_validate(said), data
    except ValidationError as error:
        raise _explained(error, path, data) from error


def _head(data: Any) -> dict[str, Any]:
    """Of a declared product's manifest what every connector has: the rest is another grammar's."""
    said = {key: data[key] for key in Manifest.model_fields if key in data}
    resources, settings = data.get("resources"), data.get("settings")
    said["title"] = said.get("title") or said.get("name") or ""
    said["resources"] = tuple(str(name) for name in resources if name != "*") if isinstance(resources, dict) else ()
    said["secrets"] = tuple(
        str(name)
        for name, setting in (settings.items() if isinstance(settings, dict) else ())
        if isinstance(setting, dict) and setting.get("secret") is True
    )
    return said


def _explained(error: ValidationError, path: Path, data: Any) -> ConfigurationError:
    first = error.errors(include_url=False, include_input=False)[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    where = _position(path, data, key)
    if first["type"] != "extra_forbidden":
        return ConfigurationError(f"{key}: {first['msg']}", where=where)
    near = difflib.get_close_matches(key, Manifest.model_fields, n=1)
    cure = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(Manifest.model_fields)}"
    return ConfigurationError(f"unknown key {key!r}", where=where, cure=cure)


def _position(path: Path, data: Any, key: str) -> str:
    try:
        line, column = data.lc.key(key)
    except (KeyError, AttributeError, TypeError):
        line, column = 0, 0
    return f"{path}:{line + 1}:{column + 1}"
