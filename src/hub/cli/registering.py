"""How functions become commands: each with --json, --debug and --project, each guarded, each ending in an exit code."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import typer

from hub.cli.shell import Shell, guarded

ProjectOption = Annotated[
    Path | None, typer.Option("--project", metavar="DIR", help="The project's folder [default: found upwards].")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, nothing else.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show where an error was raised.")]

Command = Callable[..., int | None]


def command(app: typer.Typer, name: str, *, project: bool = True) -> Callable[[Command], Command]:
    """Register a command. Its function is given a ``Shell`` first and returns an exit code (None: done).

    ``--json`` and ``--debug`` (and ``--project``) are added to its options, so that every command has them.
    """

    def register(function: Command) -> Command:
        app.command(name, help=inspect.getdoc(function), short_help=_first_sentence(function))(
            _prepared(function, project=project)
        )
        return function

    return register


def group(app: typer.Typer, name: str, listing: Command) -> typer.Typer:
    """A command that lists when called alone, and has commands of its own. ``listing`` is as for ``command``."""
    made = typer.Typer(rich_markup_mode=None)
    alone = _prepared(listing, project=True)

    def root(ctx: typer.Context, **given: Any) -> None:
        if ctx.invoked_subcommand is None:
            alone(**given)

    signature = inspect.signature(alone)
    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    cast(Any, root).__signature__ = signature.replace(parameters=[context, *signature.parameters.values()])
    root.__annotations__ = {"ctx": typer.Context, **alone.__annotations__}
    made.callback(invoke_without_command=True)(root)
    app.add_typer(made, name=name, help=inspect.getdoc(listing), short_help=_first_sentence(listing))
    return made


def _prepared(function: Command, *, project: bool) -> Callable[..., NoReturn]:
    """The function as typer calls it: with the common options, its own guarded, its outcome an exit code."""

    @functools.wraps(function)
    def run(*_: Any, **given: Any) -> NoReturn:
        shell = Shell(json=given.pop("json"), debug=given.pop("debug"), project=given.pop("project", None))
        raise typer.Exit(guarded(shell, functools.partial(function, shell, **given)))

    signature = inspect.signature(function, eval_str=True)
    added = {"json": JsonOption, "debug": DebugOption} | ({"project": ProjectOption} if project else {})
    parameters = [
        *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in list(signature.parameters.values())[1:]),
        *(
            inspect.Parameter(
                n, inspect.Parameter.KEYWORD_ONLY, default=None if n == "project" else False, annotation=a
            )
            for n, a in added.items()
        ),
    ]
    cast(Any, run).__signature__ = signature.replace(parameters=parameters, return_annotation=None)
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def _first_sentence(function: Command) -> str:
    first = (inspect.getdoc(function) or "").partition(".\n")[0].partition("\n\n")[0]
    return " ".join(first.split()).rstrip(".")
