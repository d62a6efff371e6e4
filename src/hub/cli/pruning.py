"""``hub prune``: keeps the hub's own database to a size."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.registering import command
from hub.cli.shell import Shell
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from hub.sync.policy import Retention
    from hub.sync.prune import Pruned


def register(app: typer.Typer) -> None:
    command(app, "prune")(prune)


def prune(
    shell: Shell,
    *,
    older_than: Annotated[
        str | None, typer.Option(metavar="DAYS", help="What may go: 90d [default: retention in hub.yaml].")
    ] = None,
    keep_runs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Passes that wrote something, and stay [default: retention]."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Takes away history that is older than what is kept, and gives the room back to the disk.

    What stays: everything since the last N passes that wrote something and everything younger than the age (whichever
    reaches back further), the newest change and write of every value, and what people did. So hub explain still says
    where each value comes from, and hub undo takes back every run that is kept; both say where older history is gone.
    Passes may run meanwhile, and none decides anything otherwise. hub up and hub deploy do this daily.

    Example: hub prune --older-than 30d --dry-run
    """
    from rich.progress import Progress, TextColumn

    from hub.cli.running import stored_engine

    with stored_engine(shell) as engine:
        kept = _retention(engine.setup.retention, older_than, keep_runs)
        columns = TextColumn("pruning: {task.completed:,} entries have gone")
        with Progress(columns, console=shell.err, transient=True, disable=not shell.err.is_terminal) as bar:
            task = bar.add_task("", total=None)
            found = engine.prune(kept, dry_run=dry_run, progress=lambda gone: bar.update(task, completed=gone))
    shell.answer({"ok": True, **found.as_dict()}, lambda console: _show(console, found))


def _retention(given: Retention, older_than: str | None, keep_runs: int | None) -> Retention:
    from dataclasses import replace

    if older_than is not None:
        match = re.fullmatch(r"(\d+)d?", older_than.strip())
        if match is None:
            raise ConfigurationError(f"{older_than!r} is no age", where="--older-than", cure="write days, such as 90d")
        given = replace(given, days=int(match[1]))
    return given if keep_runs is None else replace(given, keep_runs=keep_runs)


def _show(console: Console, found: Pruned) -> None:
    from hub.cli.output import section
    from hub.store.space import megabytes

    if found.days is None:
        console.print("nothing is pruned: retention is off in hub.yaml; --older-than says otherwise", soft_wrap=True)
        return
    gone: dict[str, Any] = {
        "entries of the journal": found.entries,
        "… of which now stand for several": found.summed_up,
        "passes": found.runs,
        "letters that were settled": found.letters,
        "conflicts that were decided": found.conflicts,
        "plans": found.plans,
        "ids of ended listings": found.listed,
    }
    rows = [{"what": name, "rows": f"{count:,}"} for name, count in gone.items() if count]
    section(console, "would go" if found.dry_run else "gone", rows, "nothing is that old")
    if found.before:
        console.print(f"history is told in full from {found.before} on", soft_wrap=True)
    console.print(f"history: {found.history_rows:,} entries; store: {megabytes(found.bytes_after)}", soft_wrap=True)
    if found.space:
        console.print(f"room on the disk: {found.space}", soft_wrap=True)
