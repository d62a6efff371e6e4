"""``hub webhooks``: the intake of notifications, near real time."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.registering import command
from hub.cli.shell import DONE, Shell
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from hub.project import Project
    from hub.webhooks.serve import Ready


def register(app: typer.Typer) -> None:
    command(app, "webhooks")(webhooks)


def webhooks(
    shell: Shell,
    *,
    host: Annotated[str | None, typer.Option(metavar="H", help="Listen here [default: as hub.yaml says].")] = None,
    port: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=65535, help="Port; 0 takes a free one [default: hub.yaml's].")
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="SYSTEM", help="Only print this system's address and key, to enter there.")
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="Only end all subscriptions.")] = False,
) -> int:
    """Takes in what systems tell of changes, and carries each changed record on at once.

    It listens on this machine only, unless told otherwise: a proxy with your certificate hands messages on. hub up runs
    it too, when hub.yaml has webhooks. Scheduled passes go on as ever and find whatever a notification missed. Ctrl-C
    ends it; with --json the object is printed when it is ready.

    Example: hub webhooks --port 4280
    """
    if key is not None:
        return _show_key(shell, key)
    if end:
        return _end(shell)
    from hub.webhooks.serve import Service

    with Service(lambda: _opened(shell), host=host, port=port) as service:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: service.stop.set())
        if not service.webhooks.is_public:
            shell.note(f"warning: {service.webhooks.address} is no https: most vendors refuse to tell such an address")
        ready = service.ready()
        shell.answer(ready.as_dict(), lambda console: _show_ready(console, ready))
        while not service.wait(1.0):  # in short waits: a signal is seen in between
            pass
    return DONE


def _opened(shell: Shell) -> Project:
    from hub.project import open_project

    project = open_project(shell.project_dir)
    for problem in project.problems:
        shell.note(f"{problem.severity}: {problem}")
    return project


def _show_key(shell: Shell, system: str) -> int:
    from hub.webhooks.serve import required

    with _opened(shell) as project:
        if system not in project.systems:
            raise ConfigurationError(f"there is no system {system!r}", cure=f"one of: {', '.join(project.systems)}")
        found = required(project)
        data = {"system": system, "address": found.address_of(system), "key": found.key_of(system)}
    shell.answer(data, f"address  {data['address']}\nkey      {data['key']}")
    return DONE


def _end(shell: Shell) -> int:
    from hub.sync.engine import Engine
    from hub.webhooks.subscriptions import Subscriptions

    with _opened(shell) as project, Engine.from_project(project) as engine:
        ended = Subscriptions(engine.store, engine.owner, engine.clock).end(project)
    names = [f"{row['system']} {row['resource']}" for row in ended]
    shell.answer({"ended": names}, f"ended: {', '.join(names)}" if names else "there were none")
    return DONE


def _show_ready(console: Console, ready: Ready) -> None:
    console.print(f"taking messages at {ready.url}", style="bold", soft_wrap=True)
    for system, address in ready.systems.items():
        console.print(f"  {system}: {address}", soft_wrap=True)
    for row in ready.subscriptions:
        until = f"until {row['expires']}" if row["expires"] else "for good"
        what = row["problem"] or f"asked {until}"
        console.print(f"  {row['system']} {row['resource']}: {what}", soft_wrap=True)
    console.print("Ctrl-C ends it")
