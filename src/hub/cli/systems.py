"""``hub check`` and ``hub describe``: the systems as they are right now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.registering import command
from hub.cli.shell import DONE, NEEDS_PERSON, UNREACHABLE, WRONG, Shell
from hub.errors import ConfigurationError, HubError

if TYPE_CHECKING:
    from rich.console import Console

    from hub.connect.capabilities import Cost, Field, Resource
    from hub.connect.guarantees import Guarantee
    from hub.project import Project, System
    from hub.sync.policy import Endpoint

Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    command(app, "check")(check)
    command(app, "describe")(describe)


def check(
    shell: Shell,
    system: Annotated[str | None, typer.Argument(metavar="SYSTEM", help="Only this one [default: all].")] = None,
) -> int:
    """Reaches each system: who we are there, permissions, limits left, and whether the mappings still fit.

    What each system says of its resources is remembered, so that hub validate knows it afterwards.

    Example: hub check zoho
    """
    from hub.project import open_project

    with open_project(shell.project_dir, strict=False) as project:
        unconnected = [p for p in project.errors if not project.systems]
        if unconnected:
            raise ConfigurationError(
                unconnected[0].message, where=str(unconnected[0].position), cure=unconnected[0].cure
            )
        rows = [_checked(project, project.systems[name]) for name in _names(project, system)]
        _tell_costs(project, rows)
    with open_project(shell.project_dir, strict=False) as project:
        problems = [p for p in project.problems if system is None or _concerns(project, p.position.file, system)]
    shell.answer(
        {
            "ok": all(row["ok"] for row in rows) and not problems,
            "systems": rows,
            "problems": [{**p.position._asdict(), "message": p.message, "cure": p.cure} for p in problems],
        },
        lambda console: _show_checked(console, rows, [str(p) for p in problems]),
    )
    if any(p.severity == "error" for p in problems):
        return WRONG
    if any(row["error"] for row in rows):
        return UNREACHABLE
    return DONE if all(row["ok"] for row in rows) else NEEDS_PERSON


def describe(
    shell: Shell,
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="A system of hub.yaml.")],
    resource: Annotated[
        str | None, typer.Argument(metavar="RESOURCE", help="Its fields [default: all resources].")
    ] = None,
) -> None:
    """Resources and fields of a live system, under the names that mappings use.

    Example: hub describe zoho Accounts
    """
    from dataclasses import asdict

    from hub.project import open_project

    with open_project(shell.project_dir, strict=False) as project:
        connector = _connector(project, _names(project, system)[0])
        found = connector.describe(resource)
    shell.answer(
        {"system": system, "resources": [asdict(r) for r in found]},
        lambda console: _show_resource(console, found[0]) if resource else _show_resources(console, found),
    )


def _names(project: Project, wanted: str | None) -> list[str]:
    if wanted is None:
        return list(project.systems)
    if wanted not in project.systems:
        _refuse(project, wanted)
        raise ConfigurationError(
            f"there is no system {wanted!r} in hub.yaml", cure=f"one of: {', '.join(project.systems) or 'none yet'}"
        )
    return [wanted]


def _connector(project: Project, name: str) -> Any:
    """The connector of a system, ready to be asked."""
    connector = project.systems[name].connector
    if connector is None:
        _refuse(project, name)
        raise ConfigurationError(f"{name} can't be opened", where="hub.yaml")
    return connector


def _refuse(project: Project, system: str | None = None) -> None:
    """Raise the first thing that is wrong in hub.yaml (with this system)."""
    from hub.mapping.reading import read_yaml

    found = project.errors
    if system is not None:
        section, _ = read_yaml(project.folder / "hub.yaml")
        part = section.section("systems", system) if section else None
        lines = {p.line for p in part.values.values()} if part else set()
        found = [p for p in found if p.position.file == str(project.folder / "hub.yaml") and p.position.line in lines]
    for problem in found:
        raise ConfigurationError(problem.message, where=str(problem.position), cure=problem.cure or None)


def _checked(project: Project, system: System) -> Row:
    """What a system says of itself; its resources in use are asked for anew and remembered."""
    from dataclasses import asdict

    from hub.connect.guarantees import guarantee
    from hub.project.drifting import moved

    row: Row = {"system": system.name, "connector": system.entry.name, "ok": False, "error": None}
    row |= {"identity": "", "details": {}, "limits": {}, "problems": [], "resources": {}, "creates": {}, "drift": []}
    row |= {"quota": None, "cost": None}
    row["tier"] = system.known.tier if system.known is not None else None
    world = "" if system.entry.manifest.sandbox else f" --system {system.name}"
    row["verify"] = f"hub connector verify {system.entry.name}{world} --write"
    try:
        health = _connector(project, system.name).check()
        row |= {"identity": health.identity, "details": health.details, "limits": health.limits}
        row["problems"] = list(health.problems)
        for endpoint in project.setup.endpoints:
            if endpoint.system == system.name:
                before = system.remembered(endpoint.resource.name)
                live = system.refresh(endpoint.resource.name)
                changes = moved(before, live, endpoint.lens)
                row["drift"] += [{**asdict(one), "says": str(one), "harmful": one.harmful} for one in changes]
                row["resources"][live.name] = len(live.fields)
                _tell_creates(row, endpoint, guarantee(system.connector, live, system.known), project)
    except HubError as error:
        row["error"] = {"type": type(error).__name__, "what": error.what, "where": error.where, "cure": error.cure}
    row["ok"] = not row["error"] and not row["problems"] and not any(one["harmful"] for one in row["drift"])
    return row


def _tell_creates(row: Row, endpoint: Endpoint, promise: Guarantee, project: Project) -> None:
    """What becomes of creates here. That they are held for a person is a problem; a risk taken knowingly is none."""
    policy = project.setup.policies[endpoint.entity]
    if endpoint.direction == "in" or not policy.create.get(endpoint.system, True):
        return
    accepted = endpoint.system in policy.unproven
    row["creates"][endpoint.resource.name] = {
        "how": promise.how,
        "proof": promise.proof,
        "says": promise.says,
        "held": bool(promise.held) and not accepted,
    }
    if promise.held and not accepted:
        accept = f"entities.{endpoint.entity}.create: {{{endpoint.system}: unproven}}"
        row["problems"].append(
            f"{endpoint.resource.name}: creates are held for a person: {promise.held} → make it findable, or accept the"
            f" risk with {accept}"
        )


def _tell_costs(project: Project, rows: list[Row]) -> None:
    """What passes take of each account, and what is left of its day. Nothing of it is worth failing for."""
    from hub.operate.costs import told_standing
    from hub.sync.engine import Engine

    try:
        with Engine.from_project(project) as engine:
            costs = engine.costs()
            for row in rows:
                standing = project.quota.standing(row["system"]) if project.quota is not None else None
                if standing is not None:
                    row["quota"] = told_standing(standing)
                if row["system"] in costs:
                    quiet, whole = costs[row["system"]]
                    row["cost"] = {"quiet_pass": _cost(quiet), "full_pass": _cost(whole)}
    except HubError as error:
        for row in rows:
            row["quota_unknown"] = error.what


def _cost(cost: Cost) -> dict[str, int]:
    return {"calls": cost.calls, "units": cost.units}


def _concerns(project: Project, file: str, system: str) -> bool:
    files = [str(path) for (name, _), path in project.mappings.items() if name == system]
    return file in files or file.endswith("hub.yaml")


def _show_checked(console: Console, rows: list[Row], problems: list[str]) -> None:
    for row in rows:
        error = row["error"]
        console.print(f"{row['system']} ({row['connector']}): {'ok' if row['ok'] else 'not ok'}", style="bold")
        if error:
            console.print(f"  {error['what']}" + (f" → {error['cure']}" if error["cure"] else ""), soft_wrap=True)
            continue
        console.print(f"  we are {row['identity']}", soft_wrap=True)
        for name, value in {**row["details"], **row["limits"]}.items():
            console.print(f"  {name}: {value}", soft_wrap=True)
        _show_costs(console, row)
        for name, fields in row["resources"].items():
            creates = f"; {row['creates'][name]['says']}" if name in row["creates"] else ""
            console.print(f"  {name}: {fields} fields{creates}", soft_wrap=True)
        if row["tier"] is None:
            advice = f"what it promises is believed; {row['verify']} tries it"
            console.print(f"  the connector was never verified: {advice}", soft_wrap=True)
        else:
            console.print(f"  the connector's tier: {row['tier']}", soft_wrap=True)
        for one in row["drift"]:
            console.print(f"  changed since the last look: {one['says']}", soft_wrap=True)
        for problem in row["problems"]:
            console.print(f"  problem: {problem}", soft_wrap=True)
    for text in problems:
        console.print(text, soft_wrap=True)


def _show_costs(console: Console, row: Row) -> None:
    quota, cost = row["quota"], row["cost"]
    if cost is not None:
        unit = quota["unit"] if quota else "calls"
        quiet, whole = (_in_words(cost[name], unit) for name in ("quiet_pass", "full_pass"))
        console.print(f"  reading takes: {quiet} when nothing changed, {whole} for everything known", soft_wrap=True)
    if quota is not None:
        from hub.connect.quota import Standing
        from hub.operate.costs import left

        standing = Standing(
            row["system"], quota["unit"], quota["calls_today"], quota["used_today"], quota["per_day"],
            quota["left_today"], quota["kept_for_urgent"], quota["by_vendor"],
        )  # fmt: skip
        console.print(f"  left today: {left(standing)}; calls made today: {quota['calls_today']:,}", soft_wrap=True)


def _in_words(cost: dict[str, int], unit: str) -> str:
    calls = f"{cost['calls']:,} call{'' if cost['calls'] == 1 else 's'}"
    return calls if unit == "calls" else f"{calls} ({cost['units']:,} {unit})"


def _show_resources(console: Console, found: list[Resource]) -> None:
    from hub.cli.output import section

    rows = [
        {"resource": r.name, "label": r.label, "fields": str(len(r.fields)), "writable": "yes" if r.writable else "no"}
        for r in found
    ]
    section(console, "", rows, "no resources")


def _show_resource(console: Console, resource: Resource) -> None:
    from hub.cli.output import section

    console.print(f"{resource.name} {resource.label}".rstrip(), style="bold")
    facts = f"id {resource.id_field}, at most {resource.batch} a write, deletions: {resource.deletes}"
    console.print(f"{facts}, a lost create is found: {resource.probe}", soft_wrap=True)
    section(console, "", [row for field in resource.fields for row in _field_rows(field, "")])


def _field_rows(field: Field, above: str) -> list[dict[str, str]]:
    name = f"{above}{field.name}"
    notes = [
        *(["required"] if field.required else []),
        *(["read only"] if field.read_only else []),
        *(["unique"] if field.unique else []),
        *([f"at most {field.max_length}"] if field.max_length else []),
        *([f"→ {field.reference}"] if field.reference else []),
        *([", ".join(field.choices[:6]) + (" …" if len(field.choices) > 6 else "")] if field.choices else []),
    ]
    row = {"field": name, "type": field.type, "label": field.label, "notes": "; ".join(notes)}
    return [row, *(r for below in field.fields for r in _field_rows(below, f"{name}."))]
