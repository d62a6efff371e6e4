"""``hub connector new``: a connector that works from its first minute, to be changed step by step."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from hub.connect import registry
from hub.errors import ConfigurationError

TEMPLATE = Path(__file__).parent / "template"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def create_connector(project_dir: Path, name: str, title: str = "") -> Path:
    """Make ``connectors/<name>/`` in a project; returns the folder.

    Raises ConfigurationError for a name that can't be one or is taken: nothing is ever overwritten.
    """
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
