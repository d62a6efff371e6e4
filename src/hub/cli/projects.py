"""``hub init``: a new project. ``hub validate`` and ``hub test``: is what is written in it right?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.shell import Shell, command


def register(app: typer.Typer) -> None:
    command(app, "init", project=False)(init)


def init(
    shell: Shell, directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")]
) -> None:
    """A new project: hub.yaml, mappings/, connectors/, flows/, .env.example, editor settings.

    Example: hub init my-company
    """
    from hub.project import create_project

    made = create_project(directory)
    shell.answer(
        {"project": str(made)}, f"made {made}\nnext: read {made / 'hub.yaml'}, then hub check --project {made}"
    )
