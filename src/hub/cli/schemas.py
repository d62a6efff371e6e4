"""``hub schema``: what editors complete and check this project's files by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.registering import command
from hub.cli.shell import Shell

if TYPE_CHECKING:
    from hub.connect.capabilities import Resource
    from hub.model.spec import EntitySpec
    from hub.project import Project


def register(app: typer.Typer) -> None:
    command(app, "schema")(schema)


def schema(
    shell: Shell,
    *,
    live: Annotated[bool, typer.Option("--live", help="Ask the systems for all their resources first.")] = False,
) -> None:
    """Writes the JSON Schemas of this project for editors: its entities, its systems, their resources and fields.

    They are in .hub-schemas/; hub init tells editors to use them. Without --live no system is asked: what is bundled
    or was learned by hub check is taken.

    Example: hub schema --live
    """
    from hub.project import open_project
    from hub.project.editing import write_schemas

    with open_project(shell.project_dir, connect=live, strict=False) as project:
        resources = {name: _known(project, name, live) for name in project.systems}
        files = write_schemas(project.folder, _specs(project), resources)
    counts = {name: {"resources": len(f), "fields": sum(len(r.fields) for r in f)} for name, f in resources.items()}
    told = ", ".join(f"{name}: {count['resources']} resources" for name, count in counts.items()) or "no systems yet"
    shell.answer(
        {"files": [str(file) for file in files], "systems": counts},
        f"wrote {len(files)} schemas into {files[0].parent} ({told})",
    )


def _specs(project: Project) -> dict[str, EntitySpec]:
    from hub.model import entities

    return project.setup.specs or entities()


def _known(project: Project, name: str, live: bool) -> list[Resource]:
    """All that is known of a system's resources; those of mappings in use may be remembered, others are bundled."""
    system = project.systems[name]
    found = dict(system.bundled())
    for endpoint in project.setup.endpoints:
        if endpoint.system == name and endpoint.resource.fields:
            found[endpoint.resource.name] = endpoint.resource
    if live and system.connector is not None:
        for resource in system.connector.describe():
            if not resource.fields:
                resource = system.refresh(resource.name)
            found[resource.name] = resource
    return list(found.values())
