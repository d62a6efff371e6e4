"""``hub simulate``: the project's own configuration, or the built-in company, against systems that do their worst."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.registering import command
from hub.cli.shell import DONE, NEEDS_PERSON, Shell
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from hub.simulate.crowd import Result

MANY = 20
"""Seeds where none was asked for."""


def register(app: typer.Typer) -> None:
    command(app, "simulate")(simulate)


def simulate(
    shell: Shell,
    *,
    seed: Annotated[int | None, typer.Option(metavar="S", help="Begin with this seed; alone: only this one.")] = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", min=1, help="How many seeds [default: 20].")] = None,
    steps: Annotated[int, typer.Option(metavar="M", min=1, help="Events in the life of each seed.")] = 200,
    processes: Annotated[int | None, typer.Option(metavar="P", min=1, help="Processes [default: all].")] = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the shortest stories there, as JSON.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Live through the stories of a file again.")
    ] = None,
) -> int:
    """The laws, tried out: your own hub.yaml and mappings against systems in memory that do their worst.

    Users edit everywhere while calls fail, workers die and clocks are off; nothing real is reached. What is broken is
    told as the shortest story that breaks it. Without a project, a built-in company is simulated.

    Example: hub simulate --seeds 200
    hub simulate --seed 17
    """
    from hub.simulate.crowd import replayed

    project = shell.project_or_none
    if replay is not None and not replay.is_file():
        raise ConfigurationError("there is no such file", where=str(replay))
    if replay is not None:
        result = replayed(project, replay)
    else:
        first = seed or 0
        count = seeds or (1 if seed is not None else MANY)
        result = _with_progress(shell, project, range(first, first + count), steps, processes)
    if keep is not None:
        import json

        keep.write_text(json.dumps(result.stories, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    shell.answer(result.as_dict(), lambda console: _show(console, result, project))
    return NEEDS_PERSON if result.violations else DONE


def _with_progress(shell: Shell, project: Path | None, seeds: range, steps: int, processes: int | None) -> Result:
    from rich.progress import Progress

    from hub.simulate.crowd import run

    with Progress(console=shell.err, transient=True, disable=not shell.err.is_terminal) as progress:
        task = progress.add_task(f"{len(seeds)} seeds", total=len(seeds))
        return run(
            project, seeds, steps, processes=processes, progress=lambda done: progress.update(task, completed=done)
        )


def _show(console: Console, result: Result, project: Path | None) -> None:
    told: set[str] = set()
    for found in result.violations:
        if found.story not in told:
            console.print(found.story + "\n", soft_wrap=True)
        told.add(found.story)
    for entity, reason in result.left_out.items():
        console.print(f"{entity} was left out: {reason}")
    what = "the built-in company" if project is None else project.name
    console.print(
        f"{what}: {result.seeds} seeds of {result.steps} steps in {result.seconds:.1f} s, "
        + (f"{len(result.violations)} laws broken" if result.violations else "every law held")
    )
