"""``hub plan``, ``apply`` and ``sync``: one pass over the project's systems. ``hub status``: where everything stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.shell import NEEDS_PERSON, Shell, command, to_json
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

Entities = Annotated[list[str] | None, typer.Argument(metavar="ENTITY", help="Only these entities [default: all].")]
Systems = Annotated[
    list[str] | None, typer.Option("--system", metavar="S", help="Observe only this system; repeatable.")
]


def register(app: typer.Typer) -> None:
    for name, function in (("plan", plan), ("apply", apply), ("sync", sync), ("status", status)):
        command(app, name)(function)


def plan(
    shell: Shell,
    entities: Entities = None,
    *,
    system: Systems = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the plan to this file too, as JSON.")] = None,
) -> int:
    """What a sync would write, per field old → new; writes nothing anywhere.

    The systems are read and the plan is kept in the hub's store until it is applied or its state is left behind.

    Example: hub plan customer --out plan.json
    """
    from hub.cli.running import EXIT_CODES, plan_data, running_engine, show_report

    with running_engine(shell) as engine:
        report = engine.plan(entities or None, system or None)
    data = plan_data(report)
    if out is not None:
        out.write_text(to_json(data) + "\n", encoding="utf-8")
    shell.answer(data, lambda console: show_report(console, report))
    return EXIT_CODES[report.state]


def apply(
    shell: Shell,
    plan: Annotated[str, typer.Argument(metavar="FILE", help="A file written by hub plan --out, or a plan's id.")],
) -> int:
    """Exactly that plan; refuses, naming the record, if anything moved since.

    Example: hub apply plan.json
    """
    from hub.cli.running import running_engine, told

    with running_engine(shell) as engine:
        report = engine.apply(_plan_id(plan))
    return told(shell, report)


def sync(
    shell: Shell,
    entities: Entities = None,
    *,
    system: Systems = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything, not only what changed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Approve what a first sync or the change budget would hold.")] = False,
) -> int:
    """One pass: observe, decide, write, read back.

    A first sync of two full systems writes nothing until its match report is approved: by hub apply, or by --yes.

    Example: hub sync customer order --system zoho
    """
    from hub.cli.running import running_engine, told

    with running_engine(shell) as engine:
        report = engine.sync(entities or None, system or None, full=full, yes=yes)
    return told(shell, report)


def status(shell: Shell) -> int:
    """Systems, cursors, lag, queues, last runs.

    Example: hub status
    """
    from hub.cli.running import stored_engine

    with stored_engine(shell) as engine:
        found = engine.status()
    shell.answer(found, lambda console: _show_status(console, found))
    return NEEDS_PERSON if any(found.get(n) for n in ("open_conflicts", "open_letters")) else 0


def _show_status(console: Console, found: dict[str, Any]) -> None:
    from hub.cli.output import section
    from hub.operate.tables import generic_rows

    for name, value in found.items():
        title = name.replace("_", " ")
        if isinstance(value, list):
            section(console, title, generic_rows(value, ()), f"{title}: none")
        else:
            console.print(f"{title}: {value}", soft_wrap=True)


def _plan_id(text: str) -> str:
    """The id of a plan given as a file or as the id itself."""
    path = Path(text)
    if not path.is_file():
        if path.suffix == ".json" or len(path.parts) > 1:
            raise ConfigurationError("there is no such file", where=text, cure="write one: hub plan --out plan.json")
        return text
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return str(found["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError("not a plan", where=text, cure="write one: hub plan --out plan.json") from error
