"""``hub backtest``: a changed mapping over what was observed already. ``hub plan`` shows the same by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.moments import moment
from hub.cli.registering import command
from hub.cli.shell import DONE, NEEDS_PERSON, Shell
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from hub.mapping.lens import Lens
    from hub.sync.backtest import Backtest
    from hub.sync.engine import Engine
    from hub.sync.policy import Endpoint

WHAT = {"read": "is read as", "unreadable": "can't be read", "hub": "the hub would hold", "write": "would be written"}


def register(app: typer.Typer) -> None:
    command(app, "backtest")(backtest)


def backtest(
    shell: Shell,
    mapping: Annotated[Path, typer.Argument(metavar="MAPPING", help="A mapping file, in use or a changed copy.")],
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="T", help="Only records that changed since: 2026-01-15, an ISO instant, 7d or 12h."),
    ] = None,
) -> int:
    """What a changed mapping makes of the recorded observations: which records and fields come out differently.

    Compares with the mapping that a pass last applied. Looks at each record as it was last seen, and asks no system.

    Example: hub backtest mappings/kingdee/BD_Customer.yaml --since 7d
    """
    from hub.cli.running import stored_engine
    from hub.sync.backtest import backtest as tried

    if not mapping.is_file():
        raise ConfigurationError("there is no such file", where=str(mapping), cure="name a mapping: mappings/…/….yaml")
    with stored_engine(shell) as engine:
        functions = _functions(shell)
        start = since and moment(since, engine, "--since")
        reports = [
            tried(engine.store, engine.setup, endpoint, lens=lens, functions=functions, since=start or None)
            for endpoint, lens in _endpoints(shell, engine, mapping, functions)
        ]
    differing = sum(report.differing for report in reports)
    shell.answer(
        {"differing": differing, "mappings": [report.as_dict() for report in reports]},
        lambda console: show(console, reports),
    )
    return NEEDS_PERSON if differing else DONE


def changed_mappings(shell: Shell, engine: Engine, entities: list[str] | None) -> list[Backtest]:
    """A backtest of every mapping that is another one than the one last applied; to be asked before a pass."""
    from hub.sync.backtest import backtest as tried
    from hub.sync.backtest import changed_endpoints

    found = changed_endpoints(engine.store, engine.setup, entities)
    if not found:
        return []
    functions = _functions(shell)
    return [tried(engine.store, engine.setup, endpoint, functions=functions) for endpoint in found]


def show(console: Console, reports: list[Backtest]) -> None:
    """Each mapping's differences as a table: what, where, how often, and a sample."""
    from hub.cli.output import section

    for report in reports:
        head = f"{report.file} ({report.system}, {report.entity}), compared with {report.compared_with}"
        if not report.differences:
            console.print(f"{head}: nothing comes out differently on {report.records:,} records", soft_wrap=True)
        else:
            console.print(f"{head}: {report.differing:,} of {report.records:,} records differ", soft_wrap=True)
        section(console, "", _rows(report))
        if report.unrecorded:
            names = ", ".join(report.unrecorded)
            console.print(f"not asked for so far, so the next pass will tell: {names}", soft_wrap=True)


def _rows(report: Backtest) -> list[dict[str, str]]:
    from hub.operate.tables import cell

    rows = []
    for one in report.differences:
        for number, sample in enumerate(one.samples):
            first = number == 0
            rows.append(
                {
                    "what": WHAT[one.what] if first else "",
                    "system": one.system if first else "",
                    "field": one.field if first else "",
                    "records": f"{one.records:,}" if first else "",
                    "for example": cell(sample["record"]),
                    "before": cell(sample["before"]) if "before" in sample else "not read",
                    "after": cell(sample["after"]) if "after" in sample else "not read",
                }
            )
    return rows


def _functions(shell: Shell) -> dict[str, Any]:
    from hub.mapping import load_functions

    return load_functions(shell.project_dir / "functions")[0]


def _endpoints(
    shell: Shell, engine: Engine, file: Path, functions: dict[str, Any]
) -> Iterator[tuple[Endpoint, Lens | None]]:
    """Where the file is in use; else, compiled for each place in which it would take the present one's place."""
    used = [e for e in engine.setup.endpoints if Path(e.lens.file).resolve() == file.resolve()]
    if used:
        yield from ((endpoint, None) for endpoint in used)
        return
    entity, resource = _head(file)
    meant = [e for e in engine.setup.endpoints if (e.entity, e.resource.name) == (entity, resource)]
    named = [e for e in meant if e.system == file.resolve().parent.name]
    if not meant:
        there = ", ".join(sorted({f"{e.resource.name} → {e.entity} ({e.system})" for e in engine.setup.endpoints}))
        raise ConfigurationError(
            f"no system of this project ties {resource!r} to {entity!r}", where=str(file), cure=f"there are: {there}"
        )
    for endpoint in named or meant:
        yield endpoint, _compiled(shell, engine, file, endpoint, functions)


def _head(file: Path) -> tuple[str, str]:
    from hub.mapping.reading import read_yaml
    from hub.project.opening import summed_up

    section, problems = read_yaml(file)
    if section is None:
        raise summed_up(problems)
    data = section.data if isinstance(section.data, dict) else {}
    if "entity" not in data or "resource" not in data:
        raise ConfigurationError("this is no mapping", where=str(file), cure="it needs resource: and entity:")
    return str(data["entity"]), str(data["resource"])


def _compiled(shell: Shell, engine: Engine, file: Path, endpoint: Endpoint, functions: dict[str, Any]) -> Lens:
    """The file as it would be in this system, with what hub.yaml adds. Raises ConfigurationError when it is wrong."""
    from hub.mapping import load
    from hub.mapping.migrations import upgraded
    from hub.mapping.reading import read_yaml
    from hub.project.opening import summed_up

    whole, _ = read_yaml(shell.project_dir / "hub.yaml")
    whole = whole and upgraded(whole, "project")[0]
    added = whole.section("systems", endpoint.system, "mappings", endpoint.resource.name) if whole else None
    resource = endpoint.resource if endpoint.resource.fields else None
    overrides = added if added is not None and added.data else None
    lens, problems = load(file, specs=engine.setup.specs, resource=resource, overrides=overrides, functions=functions)
    if lens is None:
        raise summed_up([p for p in problems if p.severity == "error"])
    return lens
