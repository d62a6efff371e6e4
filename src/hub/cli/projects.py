"""``hub init``: a new project. ``hub validate`` and ``hub test``: is what is written in it right?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.registering import command
from hub.cli.shell import DONE, WRONG, Shell
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from hub.mapping.lens import Problem
    from hub.project import Project


def register(app: typer.Typer) -> None:
    command(app, "init", project=False)(init)
    command(app, "validate")(validate)


def init(
    shell: Shell, directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")]
) -> None:
    """A new project: hub.yaml, mappings/, connectors/, flows/, .env.example, editor settings.

    Example: hub init my-company
    """
    from hub.project import create_project

    made = create_project(directory)
    shell.answer(
        {"project": str(made)},
        f"made {made}\nnext: read its hub.yaml, copy .env.example to .env and fill it in, then: hub check",
    )


def validate(
    shell: Shell,
    path: Annotated[
        Path | None, typer.Argument(metavar="PATH", help="A project or one mapping file [default: the project].")
    ] = None,
) -> int:
    """Are hub.yaml and the mappings right? Grammar, names against what is known of the systems, policies, and the laws.

    The laws are tried with generated values and with records seen before: what is written has to be read back as the
    same, writing what was read must change nothing, and no field may go back and forth between two systems for ever.

    Reaches no system and needs no secret: what the systems look like is bundled, or remembered from hub check.

    Example: hub validate
    """
    from hub.project import open_project

    single = path if path is not None and path.is_file() and path.name != "hub.yaml" else None
    folder = _project_of(shell, path)
    if folder is None:
        assert single is not None
        files, problems = [single], _alone(single)
    else:
        with open_project(folder, connect=False, strict=False) as project:
            files, problems = _of_project(project, folder)
        if single is not None:
            files, problems = [single], [p for p in problems if Path(p.position.file).resolve() == single.resolve()]
    wrong = [p for p in problems if p.severity == "error"]
    old = _outdated(files, folder)
    shell.answer(
        {
            "ok": not wrong,
            "files": [str(f) for f in files],
            "problems": [
                {**p.position._asdict(), "message": p.message, "cure": p.cure, "severity": p.severity} for p in problems
            ],
            "outdated": [str(f) for f in old],
        },
        lambda console: _show_problems(console, len(files), problems, len(old)),
    )
    return WRONG if wrong else DONE


def _outdated(files: list[Path], folder: Path | None) -> list[Path]:
    """The user's own files that are of an earlier version of the language."""
    from hub.project.migrating import outdated

    home = folder.resolve() if folder is not None else None
    return outdated([file for file in files if home is None or file.resolve().is_relative_to(home)])


def _project_of(shell: Shell, path: Path | None) -> Path | None:
    """The project that a path belongs to; None for a mapping file outside any project."""
    from hub.project import find_project

    if path is None:
        return shell.project_dir
    if not path.exists():
        raise ConfigurationError("there is no such file or folder", where=str(path))
    if path.is_dir():
        return find_project(path)
    try:
        return find_project(path.parent)
    except ConfigurationError:
        return None


def _of_project(project: Project, folder: Path) -> tuple[list[Path], list[Problem]]:
    """The project's problems, and those of mapping files in it that nothing uses (yet)."""
    from hub.project.proofs import proven

    used = {file.resolve() for file in project.mappings.values()}
    own = sorted(f for f in (folder / "mappings").rglob("*.yaml") if not f.stem.endswith("_test"))
    unused = [file for file in own if file.resolve() not in used]
    problems = [*project.problems, *proven(project)]
    for file in unused:
        problems += _alone(file, project)
    return [folder / "hub.yaml", *sorted(used), *unused], problems


def _alone(file: Path, project: Project | None = None) -> list[Problem]:
    """What is wrong with a mapping that no system uses: grammar, names of the model and laws, but no remote names."""
    from hub.mapping import load
    from hub.model import entities
    from hub.project.proofs import alone

    specs = project.setup.specs if project is not None and project.setup.specs else entities()
    lens, problems = load(file, specs=specs)
    return problems if lens is None else problems + alone(lens, specs[lens.entity])


def _show_problems(console: Console, files: int, problems: list[Problem], old: int) -> None:
    for problem in problems:
        style = "red" if problem.severity == "error" else "yellow"
        console.print(f"{problem.severity}: {problem}", style=style, soft_wrap=True)
    wrong = sum(p.severity == "error" for p in problems)
    console.print(f"{files} files, {wrong} errors, {len(problems) - wrong} warnings")
    if old:
        console.print(f"{old} of an earlier version of the language, which works as it did: hub migrate rewrites them")
