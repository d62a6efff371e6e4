"""``hub scaffold``: a first mapping, proposed from a live system's names, types and sample values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.registering import command
from hub.cli.shell import Shell
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from hub.connect.capabilities import Record, Remote, Resource
    from hub.mapping.compiled import CompiledLens
    from hub.mapping.lens import Problem
    from hub.mapping.scaffold import Block, Pair
    from hub.model.spec import EntitySpec
    from hub.project import Project, System

SAMPLES = 50


def register(app: typer.Typer) -> None:
    command(app, "scaffold")(scaffold)


def scaffold(
    shell: Shell,
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="A system of hub.yaml.")],
    resource: Annotated[str, typer.Argument(metavar="RESOURCE", help="One of its resources (hub describe SYSTEM).")],
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="What it is in the hub: customer, order …")],
    *,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it to this new file [default: shown only].")
    ] = None,
    samples: Annotated[int, typer.Option(metavar="N", min=1, help="Records to look at.")] = SAMPLES,
) -> None:
    """A first mapping, proposed from names, types and sample values of the live system.

    A line is active only if it reproduces the values of records that are linked already or, where there are none, if
    its name fits and the samples survive the way there and back. All else is a comment. Writes to no system.

    Example: hub scaffold kingdee BD_Customer customer --out mappings/kingdee/BD_Customer.yaml
    """
    from hub.project import open_project

    if out is not None and out.exists():
        raise ConfigurationError("there is a file of this name", where=str(out), cure="choose another name")
    with open_project(shell.project_dir, strict=False) as project:
        text, block = _proposed(project, _system(project, system), resource, entity, samples)
    lines = [("", line) for line in block.lines] + [(b.name, line) for b in block.inner for line in b.lines]
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    active = sum(line.active for _, line in lines)
    shell.answer(
        {
            "mapping": text,
            "file": str(out) if out else None,
            "lines": [
                {"in": below, "field": line.name, "remote": line.path, "active": line.active,
                 "confidence": line.confidence, "because": line.reason}
                for below, line in lines
            ],
        },
        f"wrote {out}: {active} lines, {len(lines) - active} more as comments; read it, then: hub validate"
        if out
        else text.rstrip(),
    )  # fmt: skip


def _system(project: Project, name: str) -> System:
    system = project.systems.get(name)
    if system is None:
        known = ", ".join(project.systems) or "none yet"
        raise ConfigurationError(f"there is no system {name!r} in hub.yaml", cure=f"one of: {known}")
    if system.connector is None:
        first = next(iter(project.errors), None)
        cure = str(first) if first else "run hub check"
        raise ConfigurationError(f"the system {name!r} can't be opened", where=name, cure=cure)
    return system


def _proposed(project: Project, system: System, name: str, entity: str, count: int) -> tuple[str, Block]:
    from hub.mapping.scaffold import Scaffold
    from hub.mapping.scaffold_text import written
    from hub.mapping.suggest import did_you_mean
    from hub.model import entities

    specs = project.setup.specs or entities()
    if entity not in specs:
        raise ConfigurationError(f"there is no entity {entity!r}", cure=did_you_mean(entity, specs))
    resource = system.refresh(name)
    remotes = _samples(system, resource, count)
    pairs = _linked(project, system.name, specs[entity], entity, remotes)
    block = Scaffold(
        resource, entity, specs, pairs, zone=project.timezone, prove=_laws(specs[entity], resource)
    ).propose()
    if not block.active:
        found = ", ".join(f"{line.name}: {line.path} ({line.confidence} %)" for line in block.lines[:3])
        raise ConfigurationError(
            f"nothing in {name} is surely a field of {entity}",
            where=f"{system.name}/{name}",
            cure=f"possible: {found}" if found else "is it another entity? see docs/model.md",
        )
    linked = sum(pair.canonical is not None for pair in pairs)
    head = f"Proposed by hub scaffold from {len(pairs)} records of {system.name}, {linked} of them linked already."
    told = {path for b in (block, *block.inner) for path in (line.path.partition(".")[0] for line in b.lines)}
    told |= {b.head["field"] for b in block.inner if b.head}
    rest = [field.name for field in resource.fields if field.name not in told]
    return written(block, resource=name, entity=entity, head=head, rest=rest), block


def _samples(system: System, resource: Resource, count: int) -> list[Remote]:
    """The first live records that the system lists. Raises what the connector raises."""
    from hub.connect.capabilities import ListChanges

    if not isinstance(system.connector, ListChanges):
        return []
    names = [field.name for field in resource.fields]
    found: list[Remote] = []
    for page in system.connector.list_changes(resource.name, None, names, {}):
        found += [remote for remote in page.records if not remote.deleted and remote.record is not None]
        if len(found) >= count:
            break
    return found[:count]


def _linked(project: Project, system: str, spec: EntitySpec, entity: str, remotes: Sequence[Remote]) -> list[Pair]:
    """The samples with the canonical values of those that the hub has linked, as far as it knows any."""
    from hub.mapping.scaffold import Pair
    from hub.store import records, shadows
    from hub.store.database import open_store
    from hub.sync.refs import RefPath, remote_table, translate

    own = [RefPath(f.name, None, f.ref) for f in spec.fields.values() if f.ref]
    below = [
        RefPath(f.name, g.name, g.ref)
        for f in spec.fields.values()
        if f.lines
        for g in f.lines.fields.values()
        if g.ref
    ]
    store = open_store(project.store_url)
    try:
        with store.read() as connection:
            known = shadows.by_remote(connection, system, entity, [remote.id for remote in remotes])
            stored = records.load(connection, [shadow.hub_id for shadow in known.values()])
            paths = (*own, *below)
            table = remote_table(connection, system, [record.values for record in stored.values()], paths)
    finally:
        store.close()
    pairs = []
    for remote in remotes:
        shadow = known.get(remote.id)
        record = stored.get(shadow.hub_id) if shadow is not None else None
        values: dict[str, Any] | None = None
        if record is not None:
            values = dict(record.values)
            translate(values, paths, table)
        pairs.append(Pair(remote.record or {}, values))
    return pairs


def _laws(spec: EntitySpec, resource: Resource) -> Any:
    from hub.mapping.laws import check_laws

    def prove(lens: CompiledLens, recorded: list[Record]) -> list[Problem]:
        return check_laws(lens, spec, resource, recorded)

    return prove
