"""``hub migrate``: files of an earlier version of the language are rewritten in the present one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.registering import command
from hub.cli.shell import DONE, NEEDS_PERSON, Shell
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from hub.project.migrating import Migrated


def register(app: typer.Typer) -> None:
    command(app, "migrate")(migrate)


def migrate(
    shell: Shell,
    path: Annotated[
        Path | None, typer.Argument(metavar="PATH", help="A folder, a mapping or a hub.yaml [default: the project].")
    ] = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when a file is of an earlier one.")
    ] = False,
) -> int:
    """Rewrite hub.yaml and the mappings in the present version of their language, where they are of an earlier one.

    Only the words that changed are touched: comments, order, spaces and quotes stay. Files of an earlier version work
    as they are, so nothing has to be rewritten on the day of an update.

    Example: hub migrate --check
    hub migrate
    """
    from hub.project.migrating import files_of
    from hub.project.migrating import migrate as migrated

    folder = path or shell.project_dir
    if not folder.exists():
        raise ConfigurationError("there is no such file or folder", where=str(folder))
    looked = [migrated(file, kind, write=False) for file, kind in files_of(folder)]
    # Every file is known to be fit for it before the first one is touched.
    old = [one for one in looked if one.changes]
    if not check:
        for file, kind in [(file, kind) for file, kind in files_of(folder) if any(file == one.file for one in old)]:
            migrated(file, kind, write=True)
    shell.answer(
        {
            "checked": check,
            "files": len(looked),
            "migrated": [
                {
                    "file": str(one.file),
                    "from": one.before,
                    "to": one.after,
                    "changes": [
                        {
                            "line": c.position.line,
                            "column": c.position.column,
                            "old": c.old,
                            "new": c.new,
                            "why": c.told,
                        }
                        for c in one.changes
                    ],
                }
                for one in old
            ],
        },
        lambda console: _show(console, looked, old, check),
    )
    return NEEDS_PERSON if check and old else DONE


def _show(console: Console, looked: list[Migrated], old: list[Migrated], check: bool) -> None:
    for one in old:
        console.print(f"{one.file}: version {one.before} → {one.after}", style="bold", soft_wrap=True)
        for change in one.changes[1:]:
            place = f"{change.position.line}:{change.position.column}"
            console.print(f"  {place}: {change.old} → {change.new}: {change.told}", soft_wrap=True)
    if not old:
        console.print(f"{len(looked)} files, all of the present version")
    elif check:
        console.print(f"{len(old)} of {len(looked)} files are of an earlier version: hub migrate rewrites them")
    else:
        console.print(f"{len(old)} of {len(looked)} files rewritten")
