"""``hub connector new``: a connector that works from its first minute, to be changed step by step."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from hub.connect import registry
from hub.connect.positions import Problem
from hub.errors import ConfigurationError

TEMPLATE = Path(__file__).parent / "template"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def create_connector(project_dir: Path, name: str, title: str = "") -> Path:
    """Make ``connectors/<name>/`` in a project; returns the folder.

    Raises ConfigurationError for a name that can't be one or is taken: nothing is ever overwritten.
    """
    folder = _free(project_dir, name)
    shown = title.strip() or name.replace("_", " ").title()
    fill(TEMPLATE, folder, {"new_product": name, "NewProduct": _class_name(name), "New Product": shown})
    return folder


def fill(template: Path, folder: Path, words: dict[str, str]) -> None:
    """Copy a template, every word of it replaced as ``words`` says. Raises ConfigurationError when it can't be."""
    try:
        folder.mkdir(parents=True)
        for source in sorted(path for path in template.iterdir() if path.is_file()):
            text = source.read_text("utf-8")
            for word, instead in words.items():
                text = text.replace(word, instead)
            (folder / source.name).write_text(text, "utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ConfigurationError(f"the connector can't be made: {error.strerror}", where=str(folder)) from error


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def create_from_openapi(project_dir: Path, name: str, kind: str, file: Path) -> tuple[Path, list[Problem]]:
    """Make ``connectors/<name>/manifest.yaml`` from an OpenAPI description; returns the folder, and what is still wrong
    with the manifest. Raises ConfigurationError as ``create_connector``, and for a file that describes nothing."""
    if kind != "openapi":
        raise ConfigurationError(
            f"nothing can be drafted from {kind!r}", where="--from", cure="write --from openapi FILE"
        )
    folder = _free(project_dir, name)
    text, problems = registry.find("rest").module("drafting").draft(file, name)
    try:
        folder.mkdir(parents=True)
        (folder / "manifest.yaml").write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"the manifest can't be written: {error.strerror}", where=str(folder)) from error
    return folder, problems


def _free(project_dir: Path, name: str) -> Path:
    """The new connector's folder."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} can't name a connector", cure="lower-case letters, digits and _, a letter first: acme_shop"
        )
    folder = project_dir / "connectors" / name
    if folder.exists():
        raise ConfigurationError("there is a connector of this name", where=str(folder), cure="choose another name")
    if name in registry.names(project_dir):
        raise ConfigurationError(
            f"{name!r} is the name of a connector that comes with the hub",
            cure="choose another name; or copy its folder into connectors/, to change that one",
        )
    return folder
