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
    from hub.operate.worker import Working

Pool = Annotated[str, typer.Option("--pool", metavar="NAME", help="The work pool.")]


def register(app: typer.Typer) -> None:
    command(app, "up")(up)
    command(app, "worker")(worker)
    command(app, "deploy")(deploy)


def up(
    shell: Shell,
    *,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Port of the UI; 0 takes a free one.")
    ] = 4200,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where workers of other hosts reach it; it then needs a login.")
    ] = "127.0.0.1",
    pool: Pool = "hub",
    at_once: Annotated[
        int, typer.Option(metavar="N", min=0, help="Passes at the same time here; 0: other hosts do it all.")
    ] = 4,
) -> None:
    """Everything on one machine: Prefect's server and UI, the deployments with their schedules, a worker.

    The webhook intake, too, where hub.yaml has one. Without --host only this machine can reach it; with it, hub worker
    on other machines shares the work. One Ctrl-C stops all of it; passes under way get a moment to end, a second Ctrl-C
    doesn't wait for them. With --json the object is printed when everything is ready.

    Example: hub up --port 4200
    """
    from hub.cli.running import opened_project
    from hub.operate.facts import facts_of
    from hub.operate.up import up as run

    def ready(found: Ready) -> None:
        shell.answer(found.as_dict(), lambda console: _show_ready(console, found))

    with opened_project(shell) as project:
        # What is watched for days needs no connections to systems.
        facts, store_url = facts_of(project), project.store_url
    run(
        facts,
        store_url,
        host=host,
        port=port,
        work_pool=pool,
        at_once=at_once,
        ready=ready,
        say=shell.note,
    )


def worker(
    shell: Shell,
    *,
    name: Annotated[str, typer.Option(metavar="NAME", help="What it is called [default: this host's name].")] = "",
    pool: Pool = "hub",
    at_once: Annotated[int, typer.Option(metavar="N", min=1, help="Passes that run at the same time.")] = 4,
    drain: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long stopping waits for passes under way.")
    ] = 60.0,
) -> None:
    """One host's share of the work: runs passes for the Prefect server that PREFECT_API_URL names.

    Takes over, too, what another host left in mid-work. Needs this project's folder and secrets, and a store in
    PostgreSQL that all hosts reach. Ctrl-C begins nothing new and lets passes under way end; a second one doesn't wait.
    With --json the object is printed when it waits for work.

    Example: hub worker --at-once 4
    """
    from hub.cli.running import opened_project
    from hub.operate.facts import facts_of
    from hub.operate.worker import work

    def ready(found: Working) -> None:
        shell.answer(found.as_dict(), lambda console: _show_working(console, found))

    with opened_project(shell) as project:
        facts, store_url = facts_of(project), project.store_url
    work(
        facts,
        store_url,
        work_pool=pool,
        name=name,
        at_once=at_once,
        drain_seconds=drain,
        ready=ready,
        say=shell.note,
    )


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


def _show_working(console: Console, found: Working) -> None:
    console.print(f"{found.name} waits for work of {found.project} at {found.api}", style="bold", soft_wrap=True)
    console.print(f"logs: {found.logs}", soft_wrap=True)


def _show_deployed(console: Console, result: DeployResult) -> None:
    from hub.cli.output import section

    section(console, f"at {result.api}", [{"what": name, "": change} for name, change in result.done.items()])
    console.print("changed" if result.changed else "nothing to change: everything was there already")
    for line in result.advice:
        console.print(f"advice: {line}", soft_wrap=True)
