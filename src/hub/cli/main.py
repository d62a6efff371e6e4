"""The program ``hub``: its commands, and the last word on what is printed and with which exit code it ends.

Nothing heavy is imported here or at the top of any command's file: ``hub --help`` must be instant.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from hub.cli import (
    backtests,
    connectors,
    demos,
    explaining,
    hooking,
    mending,
    migrating,
    operating,
    passes,
    people,
    projects,
    pruning,
    sandboxes,
    scaffolds,
    schemas,
    simulating,
    systems,
    trials,
)
from hub.cli.shell import WRONG, to_json

app = typer.Typer(
    name="hub",
    help="Keeps a company's CRM, ERP, shop and databases in agreement, in both directions.",
    epilog="Start with: hub demo, then hub init my-company. Every command has --help with an example.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from hub import __version__

        typer.echo(f"hub {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    pass


for part in (
    demos,
    projects,
    trials,
    backtests,
    scaffolds,
    schemas,
    migrating,
    systems,
    passes,
    people,
    explaining,
    mending,
    operating,
    pruning,
    hooking,
    sandboxes,
    simulating,
    connectors,
):
    part.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and leave with its exit code (see ``hub.cli.shell``)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Loading the libraries makes many objects that all stay: looking for garbage among them so often finds nothing.
    gc.set_threshold(50_000, 20, 100)
    try:
        code = app(words, prog_name="hub", standalone_mode=False)
    except typer.Abort:
        code = WRONG
    except TyperException as error:
        _show_usage_error(error, json="--json" in words)
        code = WRONG
    sys.exit(code or 0)


def _show_usage_error(error: TyperException, *, json: bool) -> None:
    show = getattr(error, "show", None)
    if show is not None:
        show()
    else:
        sys.stderr.write(f"Error: {error}\n")
    if json:
        told = {"type": "ConfigurationError", "what": error.format_message(), "where": "command line", "cure": None}
        sys.stdout.write(to_json({"ok": False, "error": told}) + "\n")
