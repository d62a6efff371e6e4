"""``hub up`` and ``hub deploy``: the project under Prefect."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.registering import command
from hub.cli.shell import Shell

if TYPE_CHECKING:
    from rich.console import Console

    from hub.operate.deploy import DeployResult
    from hub.operate.up import Ready

Pool = Annotated[str, typer.Option("--pool", metavar="NAME", help="The work pool.")]


def register(app: typer.Typer) -> None:
    command(app, "up")(up)
    command(app, "deploy")(deploy)


def up(
    shell: Shell,
    *,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Port of the UI; 0 takes a free one.")
    ] = 4200,
    pool: Pool = "hub",
) -> None:
    """Everything on one machine: Prefect's server and UI, the deployments with their schedules, a worker.

    The webhook intake, too, where hub.yaml has one. Only this machine can reach it. One Ctrl-C stops all of it; passes
    under way get a moment to end, a second Ctrl-C doesn't wait for them. With --json the object is printed when
    everything is ready.

    Example: hub up --port 4200
    """
    from hub.cli.running import opened_project
    from hub.operate.facts import facts_of
    from hub.operate.up import up as run

    def ready(found: Ready) -> None:
        shell.answer(found.as_dict(), lambda console: _show_ready(console, found))

    with opened_project(shell) as project:
        facts = facts_of(project)  # what is watched for days needs no connection of its own
    run(facts, port=port, work_pool=pool, ready=ready, say=shell.note)


def deploy(
    shell: Shell,
    *,
    pool: Pool = "hub",
    api: Annotated[str | None, typer.Option(metavar="URL", help="The server's API [default: PREFECT_API_URL].")] = None,
) -> None:
    """Registers the deployments with an existing Prefect server and work pool; a second time changes nothing.

    Example: hub deploy --api http://prefect.example.com:4200/api
    """
    from hub.cli.running import opened_project
    from hub.operate.deploy import deploy as run

    with opened_project(shell) as project:
        result = run(project, work_pool=pool, api_url=api)
    shell.answer(result.as_dict(), lambda console: _show_deployed(console, result))


def _show_ready(console: Console, found: Ready) -> None:
    console.print(f"ready: {found.url}", style="bold", soft_wrap=True)
    for name, change in found.deployments.items():
        console.print(f"  {name} ({change})", soft_wrap=True)
    if found.webhooks:
        console.print(f"webhooks: http://{found.webhooks}", soft_wrap=True)
    console.print(f"logs: {found.logs}", soft_wrap=True)
    if os.isatty(0):
        console.print("Ctrl-C stops everything")


def _show_deployed(console: Console, result: DeployResult) -> None:
    from hub.cli.output import section

    section(console, f"at {result.api}", [{"what": name, "": change} for name, change in result.done.items()])
    console.print("changed" if result.changed else "nothing to change: everything was there already")
    for line in result.advice:
        console.print(f"advice: {line}", soft_wrap=True)
