"""``hub undo`` takes writes back, ``hub merge`` joins two records, ``hub reconcile`` compares all there is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.registering import command
from hub.cli.shell import DONE, NEEDS_PERSON, Shell
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from hub.sync.report import PassReport

Entity = Annotated[
    list[str] | None, typer.Option("--entity", metavar="E", help="Only this entity; repeatable [default: all].")
]


def register(app: typer.Typer) -> None:
    command(app, "undo")(undo)
    command(app, "merge")(merge)
    command(app, "reconcile")(reconcile)


def undo(
    shell: Shell,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run of hub status, or last: the newest that wrote.")],
    *,
    entity: Entity = None,
    field: Annotated[
        str | None, typer.Option(metavar="F", help="Only this field: phone, or one place in it: lines[3].quantity.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be written.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Write it without asking.")] = False,
) -> int:
    """Takes back what a run wrote, in every system, where nobody touched it since.

    The records are read again first. Values go back to what they were, created records are removed where the system
    allows it, removed ones made again; what was touched since stays, and is listed with who did it. What people typed
    into the systems themselves is never changed. An undo is a run like any other: it can be undone.

    Example: hub undo last --field phone --plan
    """
    if plan and yes:
        raise ConfigurationError("--plan and --yes exclude each other", cure="--plan shows, --yes writes")
    if yes:
        return _shown(shell, run, _undo(shell, run, entity, field, carry_out=True))
    report = _undo(shell, run, entity, field, carry_out=False)
    asks = not plan and not shell.json and sys.stdin.isatty() and bool(report.plan and report.plan.writes)
    code = _shown(shell, run, report, hint=not asks)
    if asks and typer.confirm("write this?"):
        return _shown(shell, run, _undo(shell, run, entity, field, carry_out=True))
    return code


def reconcile(
    shell: Shell,
    entities: Annotated[
        list[str] | None, typer.Argument(metavar="ENTITY", help="Only these entities [default: all].")
    ] = None,
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Write what differs, within the budgets of a pass.")] = False,
) -> int:
    """Full comparison of all systems: counts, amounts and fields that differ.

    Everything is read again. Differences that the hub knows of and leaves (a value that a system rewrites, one that was
    taken back there) are counted apart from those that the next pass would write.

    Example: hub reconcile customer
    """
    from hub.cli.running import EXIT_CODES, report_data, run_pass
    from hub.operate.passes import Scope

    scope = Scope(entities or [], full=True)
    report = run_pass(shell, "reconcile", scope, lambda engine: engine.reconcile(entities or None, repair=repair))
    data = {**report_data(report), "differences": report.differences}
    shell.answer(data, lambda console: _show_compared(console, report, repair))
    return EXIT_CODES[report.state]


def _show_compared(console: Console, report: PassReport, repair: bool) -> None:
    from hub.cli.output import section
    from hub.cli.running import ROWS, advice
    from hub.operate import tables
    from hub.operate.words import final_message

    console.print(final_message(report), style="bold", soft_wrap=True)
    section(console, "systems that could not take part", tables.failure_rows(report))
    section(console, "records", tables.book_rows(report))
    section(console, "amounts that differ", tables.amount_rows(report))
    section(console, "fields that differ", tables.difference_rows(report, ROWS))
    section(console, "written", tables.plan_rows(report.plan, ROWS) if report.writes else [])
    section(console, "findings", tables.finding_rows(report, ROWS))
    if report.differences and not repair:
        console.print("write what differs: hub reconcile --repair (or the next hub sync)")
    for line in advice(report):
        console.print(line, soft_wrap=True)


def merge(
    shell: Shell,
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="customer, product …")],
    keep: Annotated[
        str, typer.Argument(metavar="KEEP", help="The record that stays: a hub id, a system's id, a name.")
    ],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The record that is the same one.")],
) -> int:
    """Two records of the hub are one: the second one's links, values and references come to the first.

    Nothing is written before the next pass. Where a system has both, the second one stays there and is left alone until
    somebody merges the two in that system. hub undo RUN takes a merge back.

    Example: hub merge customer C00017 C00245
    """
    from hub.cli.running import stored_engine

    with stored_engine(shell) as engine:
        found = engine.merge(entity, keep, other)
    shell.answer({"ok": True, **found}, lambda console: _show_merged(console, found))
    return NEEDS_PERSON if any(link["now"] == "merged" for link in found["links"]) else DONE


def _show_merged(console: Console, found: dict[str, Any]) -> None:
    from hub.cli.output import section
    from hub.operate.tables import cell, generic_rows

    console.print(f"{found['entity']} {found['title']} is one record now", style="bold", soft_wrap=True)
    console.print(f"hub sync writes what follows from it; hub undo {found['run']} takes it back", soft_wrap=True)
    told = {
        "linked": "linked with it",
        "archived": "linked with it (archived)",
        "merged": "one too many: merge it there",
    }
    rows = [{**link, "now": told.get(link["now"], link["now"])} for link in found["links"]]
    section(console, "remote records that came to it", generic_rows(rows, ()))
    fields = [{"field": path, "before": cell(old), "now": cell(new)} for path, (old, new) in found["fields"].items()]
    section(console, "values that came to it", fields)
    if found["references"]:
        console.print(f"{found['references']} references point to it now")


def _undo(shell: Shell, run: str, entity: list[str] | None, field: str | None, *, carry_out: bool) -> PassReport:
    from hub.cli.running import run_pass
    from hub.operate.passes import Scope

    return run_pass(
        shell,
        "undo",
        Scope(entity or []),
        lambda engine: engine.undo(run, entity or None, field, carry_out=carry_out),
    )


def _shown(shell: Shell, run: str, report: PassReport, *, hint: bool = False) -> int:
    from hub.cli.running import EXIT_CODES, plan_data

    data: dict[str, Any] = {
        "ok": report.state == "done",
        "run": report.run,
        "state": report.state,
        "message": report.message,
        "written": report.writes,
        **plan_data(report),
    }

    def show(console: Console) -> None:
        from hub.cli.output import section
        from hub.cli.running import ROWS, advice
        from hub.operate import tables
        from hub.operate.words import final_message

        console.print(final_message(report), style="bold", soft_wrap=True)
        section(console, "systems that could not take part", tables.failure_rows(report))
        heading = "taken back" if report.writes else "to be taken back"
        section(console, heading, tables.plan_rows(report.plan, ROWS))
        section(console, "stays as it is", tables.held_rows(report.plan, ROWS))
        if hint and report.plan and report.plan.writes:
            console.print(f"nothing is written yet: hub undo {run} --yes")
        for line in advice(report):
            console.print(line, soft_wrap=True)

    shell.answer(data, show)
    return EXIT_CODES[report.state]
