"""A company's own project: the folder with ``hub.yaml``, its mappings, connectors, flows and functions.

Names are loaded when they are first used: finding a project costs nothing, opening one loads the database library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub.project.finding import find_project
    from hub.project.init import create_project
    from hub.project.opening import Project, open_project
    from hub.project.systems import System

__all__ = ["Project", "System", "create_project", "find_project", "open_project"]

_HOMES = {
    "Project": "opening",
    "System": "systems",
    "create_project": "init",
    "find_project": "finding",
    "open_project": "opening",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"hub.project.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
