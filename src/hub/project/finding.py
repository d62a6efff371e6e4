"""Finds the project that a command is meant for."""

from __future__ import annotations

from pathlib import Path

from hub.errors import ConfigurationError

HUB_YAML = "hub.yaml"


def find_project(start: Path | str | None = None) -> Path:
    """The folder with ``hub.yaml``: ``start`` (the current folder) or the nearest one above it.

    Raises ConfigurationError when there is none.
    """
    here = Path(start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / HUB_YAML).is_file():
            return folder
    raise ConfigurationError(
        f"there is no {HUB_YAML} here or in a folder above",
        where=str(here),
        cure="make a project with 'hub init DIR', or name its folder with --project DIR",
    )
