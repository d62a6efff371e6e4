"""``manifest.yaml``: what a connector says of itself before any of its code runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from hub.connect.positions import Problem
from hub.connect.reading import Section, read_yaml
from hub.connect.validate import validated
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
    manifest, section = _read(path)
    if manifest.name != folder.name:
        raise ConfigurationError(
            f"the manifest is of {manifest.name!r} but lies in the folder {folder.name!r}",
            where=str(section.key_at(("name",))),
            cure="give folder and connector the same name",
        )
    return manifest


def read_declaration(path: Path) -> Manifest:
    """What a product's manifest says of the product; the rest of the file is for the connector that it names."""
    return _read(path)[0]


def place_of(path: Path, key: str) -> str:
    """Where a key of a manifest stands."""
    return str(_read(path)[1].key_at((key,)))


def _read(path: Path) -> tuple[Manifest, Section]:
    section, problems = read_yaml(path)
    if section is None:
        raise _error(problems)
    data = section.data
    declared = isinstance(data, dict) and isinstance(data.get("connector"), str) and ":" not in data["connector"]
    said = Section(_head(data), section.file, section.keys, section.values) if declared else section
    manifest, wrong = validated(Manifest, said, noun="a manifest")
    if manifest is None or problems:
        raise _error([*problems, *wrong])
    return manifest, section


def _error(problems: list[Problem]) -> ConfigurationError:
    return ConfigurationError(problems[0].message, where=str(problems[0].position), cure=problems[0].cure or None)


def _head(data: Any) -> dict[str, Any]:
    """Of a declared product's manifest what every connector has: the rest is another grammar's."""
    said = {key: data[key] for key in Manifest.model_fields if key in data}
    resources, settings = data.get("resources"), data.get("settings")
    said["title"] = said.get("title") or str(said.get("name") or "")
    said["resources"] = [str(name) for name in resources if name != "*"] if isinstance(resources, dict) else []
    said["secrets"] = [
        str(name)
        for name, setting in (settings.items() if isinstance(settings, dict) else ())
        if isinstance(setting, dict) and setting.get("secret") is True
    ]
    return said
