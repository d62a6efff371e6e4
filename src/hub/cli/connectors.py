"""``hub connector``: which there are, a new one from a template, and whether one keeps its contract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.registering import command, group
from hub.cli.sandboxes import options_of
from hub.cli.shell import DONE, NEEDS_PERSON, Shell
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from hub.connect.contract.declare import Options
    from hub.connect.contract.suite import Finding
    from hub.connect.contract.verify import Outcome
    from hub.connect.registry import ConnectorEntry

Row = dict[str, Any]
NOT_VERIFIED = "not verified"


def register(app: typer.Typer) -> None:
    connectors = group(app, "connector", list_connectors)
    command(connectors, "new")(new)
    command(connectors, "verify")(verify)


def list_connectors(shell: Shell) -> None:
    """The connectors there are, with the tier each has earned.

    Example: hub connector
    """
    from hub.connect import registry

    rows = [_listed(registry.find(name, shell.project_or_none)) for name in registry.names(shell.project_or_none)]
    shell.answer({"connectors": rows}, lambda console: _show_list(console, rows))


def _listed(entry: ConnectorEntry) -> Row:
    known = entry.known()
    tier = known.tier if known is not None else NOT_VERIFIED
    return {"connector": entry.name, "title": entry.manifest.title, "from": entry.origin, "tier": tier}


def new(
    shell: Shell,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name: lower-case letters, digits and _.")],
    *,
    title: Annotated[str, typer.Option(metavar="TEXT", help="The product's name, for people.")] = "",
    source: Annotated[
        tuple[str, Path] | None,
        typer.Option("--from", metavar="openapi FILE", help="Draft a manifest from the product's API description."),
    ] = None,
) -> None:
    """A new connector in the project's connectors/, from a template that works: it reads a small sandbox of its own.

    With --from it is a manifest without code, drafted from an OpenAPI description (JSON or YAML) of the product; what
    that does not say stands in it as comments.

    Example: hub connector new acme_shop --from openapi acme.json
    """
    from hub.connect.new_connector import create_connector, create_from_openapi

    if source is not None:
        folder, wrong = create_from_openapi(shell.project_dir, name, *source)
        told = "\n".join(
            [f"{folder} made; answer its lines with 'check:', see docs/connectors/rest.md", *map(str, wrong)]
        )
        problems = [{**p.position._asdict(), "message": p.message, "cure": p.cure} for p in wrong]
        files = sorted(p.name for p in folder.iterdir())
        shell.answer({"connector": name, "folder": folder, "files": files, "problems": problems}, told)
        return
    folder = create_connector(shell.project_dir, name, title)
    told = f"{folder} made; next: hub connector verify {name}, then docs/connectors/guide.md"
    shell.answer({"connector": name, "folder": folder, "files": sorted(p.name for p in folder.iterdir())}, told)


def verify(
    shell: Shell,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connector.")],
    *,
    system: Annotated[
        str | None, typer.Option("--system", metavar="S", help="Try it in this system of hub.yaml, not in its sandbox.")
    ] = None,
    scratch: Annotated[
        bool, typer.Option("--scratch", help="That system is a test server: every record in it may be touched.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Keep what is found in capabilities.yaml.")] = False,
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A setting of the sandbox or server; repeatable.")
    ] = None,
) -> int:
    """Tries everything a connector promises, in its sandbox or in a live account, and says which tier it has earned.

    With --system it makes records of its own in that account, and deletes them at the end; with --scratch too, all
    rules are tried there, and answers get lost on the way. What is found is held against capabilities.yaml, which
    tells the hub where it may create records by itself; --write writes it.

    Example: hub connector verify zoho_crm
    """
    from hub.connect import registry
    from hub.connect.contract import verify as verifying

    told = _Progress(shell)
    options = options_of(option or [])
    if system is None:
        outcome = verifying.verify(registry.find(name, shell.project_or_none), options, told)
    else:
        outcome = _verify_live(shell, name, system, told, options if scratch else None)
    if write:
        outcome.write()
    shell.answer(_as_data(outcome, write), lambda console: _show(console, outcome, write))
    return NEEDS_PERSON if outcome.broken or outcome.differences or outcome.tried.left else DONE


def _verify_live(shell: Shell, connector: str, name: str, told: _Progress, scratch: Options | None) -> Outcome:
    from hub.connect.contract import verify as verifying
    from hub.project import open_project

    with open_project(shell.project_dir, strict=False) as project:
        system = project.systems.get(name)
        if system is None or system.connector is None:
            raise ConfigurationError(
                f"there is no system {name!r} that could be opened", where="hub.yaml", cure=f"see: hub check {name}"
            )
        entry = system.entry
        if entry.name != connector:
            raise ConfigurationError(
                f"the system {name!r} is one of {entry.name}, not of {connector}", where="--system"
            )
        shell.note(f"making records in {name}{_AND[scratch is None]}; all carry words beginning with H and the time")
        path = project.folder / "capabilities" / f"{name}.yaml"
        return verifying.verify_live(entry, name, system.settings, system.connect, path, told, scratch=scratch)


_AND = {True: ", and deleting them again", False: ", which stay there"}


class _Progress:
    """Tells on a terminal which rule was tried."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def __call__(self, finding: Finding) -> None:
        if self._shell.err.is_terminal:
            self._shell.note(f"{finding.state:10} {finding.trial}: {finding.rule}")


def _as_data(outcome: Outcome, written: bool) -> Row:
    from dataclasses import asdict

    return {
        "ok": not outcome.broken and not outcome.differences,
        "connector": outcome.found.connector,
        "tier": outcome.found.tier,
        "missing": outcome.found.missing,
        "creates": outcome.found.creates,
        "world": {"name": outcome.tried.world, "product": outcome.tried.product, "real": outcome.tried.real},
        "findings": [asdict(finding) for finding in outcome.tried.findings],
        "differences": outcome.differences,
        "written": str(outcome.path) if written else None,
        "left": outcome.tried.left,
    }


def _show_list(console: Console, rows: list[Row]) -> None:
    from hub.cli.output import section

    section(console, "", rows, "no connectors")


def _show(console: Console, outcome: Outcome, written: bool) -> None:
    from hub.cli.output import section

    tried, found = outcome.tried, outcome.found
    rows = []
    for trial in dict.fromkeys(f.trial for f in tried.findings):
        states = [f.state for f in tried.findings if f.trial == trial]
        counted = {state: str(states.count(state)) for state in ("kept", "broken", "not tried", "not needed")}  # type: ignore[arg-type]
        probe = next((w.trials[trial].probe for n, w in found.worlds.items() if n == tried.world), "none")
        rows.append({"resource": trial, **counted, "a lost create is found": probe})
    section(console, f"{found.connector} in {tried.product}", rows)
    for finding in tried.findings:
        if finding.state in ("broken", "not tried"):
            console.print(f"{finding.state}: {finding.rule} ({finding.trial}): {finding.message}", soft_wrap=True)
    console.print(f"tier: {found.tier}", style="bold")
    for reason in found.missing:
        console.print(f"  to the next: {reason}", soft_wrap=True)
    for record in tried.left:
        console.print(f"left behind: {record}", soft_wrap=True)
    if written:
        console.print(f"{outcome.path} written", soft_wrap=True)
    for difference in outcome.differences:
        console.print(f"not as {outcome.path.name} has it: {difference}", soft_wrap=True)
