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
    from hub.sync.backtest_policy import PolicyBacktest
    from hub.sync.engine import Engine
    from hub.sync.policy import Endpoint, EntityPolicy

WHAT = {
    "read": "is read as",
    "unreadable": "can't be read",
    "decision": "is decided as",
    "hub": "the hub would hold",
    "write": "would be written",
    "unwritten": "would not be written",
    "delete": "a deletion is",
}


def register(app: typer.Typer) -> None:
    command(app, "backtest")(backtest)


def backtest(
    shell: Shell,
    mapping: Annotated[
        Path, typer.Argument(metavar="MAPPING", help="A mapping file, or a hub.yaml: in use, or a changed copy.")
    ],
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="T", help="Only records that changed since: 2026-01-15, an ISO instant, 7d or 12h."),
    ] = None,
) -> int:
    """What a changed mapping or policy makes of what was recorded: which records and fields come out differently.

    Of a mapping, each record as it was last seen is read anew. Of a hub.yaml, each decision that a pass noted is made
    again: other owners, conflict rules, directions. Both are compared with what a pass last applied. Asks no system.

    Example: hub backtest mappings/kingdee/BD_Customer.yaml --since 7d
    hub backtest hub.yaml
    """
    from hub.cli.running import stored_engine
    from hub.sync.backtest import backtest as tried

    if not mapping.is_file():
        raise ConfigurationError("there is no such file", where=str(mapping), cure="name a mapping: mappings/…/….yaml")
    with stored_engine(shell) as engine:
        functions = _functions(shell)
        start = since and moment(since, engine, "--since")
        if _is_project(mapping):
            return _policies(shell, engine, mapping, start or None)
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


def changed_policies(engine: Engine, entities: list[str] | None) -> list[PolicyBacktest]:
    """A backtest of every policy that is another one than the one last applied; to be asked before a pass."""
    made = []
    for entity, policy in engine.setup.policies.items():
        if entities is None or entity in entities:
            report = _tried_policy(engine, policy, None)
            made += [report] if report is not None and report.changes else []
    return made


def _is_project(file: Path) -> bool:
    from hub.mapping.reading import read_yaml

    section, _ = read_yaml(file)
    data = section.data if section is not None else None
    return isinstance(data, dict) and "entities" in data and "resource" not in data


def _policies(shell: Shell, engine: Engine, file: Path, since: str | None) -> int:
    """The policies of a hub.yaml: the project's own against those last applied, a copy's against those in use."""
    from hub.sync.backtest_policy import backtest_policy

    if file.resolve() == (shell.project_dir / "hub.yaml").resolve():
        tried = [_tried_policy(engine, policy, since) for policy in engine.setup.policies.values()]
        reports = [report for report in tried if report is not None]
    else:
        setup = engine.setup
        reports = [
            backtest_policy(engine.store, setup, setup.policies[e], new, compared_with="the policy in use", since=since)
            for e, new in _read_policies(engine, file).items()
            if e in setup.policies
        ]
    differing = sum(report.differing for report in reports)
    shell.answer(
        {"differing": differing, "policies": [report.as_dict() for report in reports]},
        lambda console: show_policies(console, reports),
    )
    return NEEDS_PERSON if differing else DONE


def _tried_policy(engine: Engine, policy: EntityPolicy, since: str | None) -> PolicyBacktest | None:
    """The policy against the one last applied; None when no pass has noted one."""
    from hub.sync.applied import last_policy
    from hub.sync.backtest_policy import backtest_policy

    with engine.store.read() as connection:
        old = last_policy(connection, policy.entity)
    return backtest_policy(engine.store, engine.setup, old, policy, since=since) if old is not None else None


def _read_policies(engine: Engine, file: Path) -> dict[str, EntityPolicy]:
    """The policies that a hub.yaml states. Raises ConfigurationError for what is wrong with them."""
    from hub.mapping.migrations import upgraded
    from hub.mapping.reading import read_yaml
    from hub.mapping.validate import validated
    from hub.project.config import HubConfig
    from hub.project.opening import summed_up
    from hub.project.policies import policies

    section, problems = read_yaml(file)
    if section is not None and not problems:
        section, problems = upgraded(section, "project")
        config, more = validated(HubConfig, section, noun=file.name)
        problems += more
        if config is not None:
            made, more = policies(config, engine.setup.specs, section)
            problems += [problem for problem in more if problem.severity == "error"]
    if problems:
        raise summed_up(problems)
    return made


def show_policies(console: Console, reports: list[PolicyBacktest]) -> None:
    """Each entity's policy: what changed in it, and what would have come out differently."""
    from hub.cli.output import section

    for report in reports:
        head = f"the policy of {report.entity}, compared with {report.compared_with}"
        if not report.changes:
            console.print(f"{head}: the same", soft_wrap=True)
            continue
        console.print(f"{head}: {'; '.join(report.changes)}", soft_wrap=True)
        seen = f"{report.decisions:,} decisions about {report.records:,} records"
        came = f"{report.differing:,} records" if report.differing else "nothing"
        console.print(f"of {seen}, {came} would have come out differently", soft_wrap=True)
        section(console, "", _rows(report))
        if report.untold:
            console.print(
                f"not written to so far, so the next pass will tell: {', '.join(report.untold)}", soft_wrap=True
            )


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


def _rows(report: Backtest | PolicyBacktest) -> list[dict[str, str]]:
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
