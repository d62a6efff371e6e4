"""``hub init``: a new project with everything in its place, and comments that say what to write where."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from hub.errors import ConfigurationError

TEMPLATE = Path(__file__).parent / "template"
_RENAMED = {"env.example": ".env.example", "gitignore": ".gitignore"}


def create_project(directory: Path | str) -> Path:
    """Make a new project in ``directory``, which must be missing or empty; returns its absolute path.

    Raises ConfigurationError when there is something in it: nothing is ever overwritten.
    """
    folder = Path(directory).expanduser().resolve()
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError("there is a file of this name", where=str(folder), cure="choose another folder")
    if folder.is_dir() and (found := sorted(path.name for path in folder.iterdir())):
        shown = ", ".join(found[:5]) + (" …" if len(found) > 5 else "")
        raise ConfigurationError(
            f"the folder is not empty (it holds {shown})", where=str(folder), cure="choose a new or an empty folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fill(folder)
    except OSError as error:
        raise ConfigurationError(f"the project can't be made: {error.strerror}", where=str(folder)) from error
    return folder


def _fill(folder: Path) -> None:
    for source in sorted(path for path in TEMPLATE.rglob("*") if path.is_file()):
        relative = source.relative_to(TEMPLATE)
        target = folder / relative.parent / _RENAMED.get(relative.name, relative.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    from hub.model import entities
    from hub.project.editing import editor_settings, write_schemas

    write_schemas(folder, entities(), {})
    _write(folder / ".vscode" / "settings.json", editor_settings())
    _write(folder / ".vscode" / "extensions.json", {"recommendations": ["redhat.vscode-yaml"]})


def _write(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")
