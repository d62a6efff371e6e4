"""``hub sandbox``: a local server that speaks a product's API."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from hub.cli.registering import command
from hub.cli.shell import Shell
from hub.errors import ConfigurationError

FAULTS = "'status=503@0.05,drop_after:BatchSave*' or hostile@0.02, or JSON as of POST /control/faults, or @FILE"


def register(app: typer.Typer) -> None:
    command(app, "sandbox")(sandbox)


def sandbox(
    shell: Shell,
    connector: Annotated[
        str,
        typer.Argument(metavar="CONNECTOR", help="The connector whose product is played: zoho_crm, kingdee_galaxy …"),
    ],
    *,
    port: Annotated[int, typer.Option(metavar="N", help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    records: Annotated[
        int, typer.Option(metavar="N", min=0, help="How many customers it starts with; the rest in proportion.")
    ] = 100,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed holds the same records.")] = 1,
    latency: Annotated[float, typer.Option(min=0, metavar="MS", help="Milliseconds added to every answer.")] = 0,
    jitter: Annotated[float, typer.Option(min=0, metavar="MS", help="By how much the latency varies.")] = 0,
    faults: Annotated[
        str,
        typer.Option(metavar="SPEC", help="Bad days: kind[=number][@rate][:operation],… or hostile, JSON, @FILE."),
    ] = "",
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A further setting of this sandbox; repeatable.")
    ] = None,
) -> None:
    """A local server that speaks a product's API, with records of an invented company.

    When it is ready it prints one JSON line: url, control, credentials, samples. It runs until Ctrl-C. Below its
    control address people's edits, deletes, latency and faults can be played, and calls are counted.

    Example: hub sandbox zoho_crm --port 8801 --records 500
    """
    from hub.connect import registry
    from hub.connect.sandbox import run

    entry = registry.find(connector, shell.project_or_none)
    create = entry.sandbox()
    if create is None:
        raise ConfigurationError(
            f"connector {connector!r} has no sandbox", where=str(entry.folder), cure="a database is its own sandbox"
        )
    try:
        run(
            create, port=port, records=records, seed=seed, latency_ms=latency, jitter_ms=jitter,
            faults=faults, **options_of(option or []),
        )  # fmt: skip
    except FileNotFoundError as error:
        raise ConfigurationError("there is no such file", where=f"--faults @{error.filename}") from error
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"the sandbox doesn't take this: {error}",
            where=f"hub sandbox {connector}",
            cure=f"faults are, for example, {FAULTS}",
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"port {port} can't be used: {error.strerror}", cure="take another, or --port 0 for a free one"
        ) from error


def options_of(pairs: list[str]) -> dict[str, Any]:
    """``NAME=VALUE`` as keyword arguments; a value that is JSON (a number, true) is taken as such."""
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise ConfigurationError(f"{pair!r} is not NAME=VALUE", where="--option")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options
