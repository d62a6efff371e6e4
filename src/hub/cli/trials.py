"""``hub test``: the examples beside the mappings, tried in both directions through the real compiled mapping."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.registering import command
from hub.cli.shell import DONE, WRONG, Shell
from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from hub.connect.capabilities import Resource
    from hub.mapping.examples import ExampleResult
    from hub.project import Project

SUFFIX = "_test.yaml"


def register(app: typer.Typer) -> None:
    command(app, "test")(test)


def test(
    shell: Shell,
    path: Annotated[
        Path | None, typer.Argument(metavar="PATH", help="A folder, a mapping or its examples [default: the project].")
    ] = None,
    *,
    record: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="SYSTEM KEY", help="Write a new example from a live record, personal data masked."),
    ] = None,
) -> int:
    """The examples beside the mappings: does reading give what they say, and writing give it back?

    The examples of mappings/kingdee/BD_Customer.yaml are in BD_Customer_test.yaml beside it. Reaches no system,
    but for --record: its KEY is a system's id, or a number or name that the hub knows (order/100 where it is several).

    Example: hub test mappings/kingdee
    hub test --record kingdee C00017
    """
    if record is not None:
        from hub.cli.recording import record as recorded

        recorded(shell, *record)
        return DONE
    if path is not None and not path.exists():
        raise ConfigurationError("there is no such file or folder", where=str(path))
    if path is not None and path.name == "hub.yaml":
        path = path.parent
    project = _project(shell, path)
    files = list(dict.fromkeys(_files(project, path)))
    results = [result for file in files for result in _tried(project, file)]
    wrong = [result for result in results if not result.passed]
    shell.answer(
        {
            "ok": not wrong,
            "files": [str(file) for file in files],
            "passed": len(results) - len(wrong),
            "failed": [_as_data(result) for result in wrong],
        },
        lambda console: _show(console, len(files), len(results), [str(result) for result in wrong]),
    )
    return WRONG if wrong else DONE


def _project(shell: Shell, path: Path | None) -> Project | None:
    """The project around the path (or the current folder), opened without touching any system."""
    from hub.project import find_project, open_project

    try:
        folder = shell.project_dir if path is None else find_project(path if path.is_dir() else path.parent)
    except ConfigurationError:
        if path is None:
            raise
        return None
    return open_project(folder, connect=False, strict=False)


def _files(project: Project | None, path: Path | None) -> Iterator[Path]:
    """The example files meant, absolute."""
    if path is not None and path.is_file():
        yield (path if path.name.endswith(SUFFIX) else _beside(path)).resolve()
    elif path is not None and not (project and path.resolve() == project.folder.resolve()):
        yield from (found.resolve() for found in sorted(path.rglob(f"*{SUFFIX}")))
    elif project is not None:
        for mapping in project.mappings.values():
            if (found := _beside(mapping)).is_file():
                yield found.resolve()
        yield from (found.resolve() for found in sorted((project.folder / "mappings").rglob(f"*{SUFFIX}")))


def _beside(mapping: Path) -> Path:
    return mapping.with_name(f"{mapping.stem}{SUFFIX}")


def _tried(project: Project | None, file: Path) -> list[ExampleResult]:
    """The file's examples against the mapping beside it, as written: one system's overrides don't count."""
    from hub.mapping import load, load_functions
    from hub.mapping.examples import run_examples
    from hub.model import entities

    mapping = file.with_name(f"{file.name.removesuffix(SUFFIX)}.yaml")
    if not mapping.is_file():
        raise ConfigurationError(f"there is no mapping {mapping.name} beside these examples", where=str(file))
    specs = project.setup.specs if project is not None and project.setup.specs else entities()
    functions = load_functions(project.folder / "functions")[0] if project is not None else None
    lens, problems = load(mapping, specs=specs, resource=_resource(project, mapping), functions=functions)
    if lens is None:
        from hub.project.opening import summed_up

        raise summed_up([p for p in problems if p.severity == "error"])
    return run_examples(file, lens)


def _resource(project: Project | None, mapping: Path) -> Resource | None:
    """What is known of the mapped resource: from the project's system, else from the connector of the folder's name."""
    from hub.connect import registry
    from hub.mapping.reading import read_yaml

    section, _ = read_yaml(mapping)
    name = section.data.get("resource") if section is not None and isinstance(section.data, dict) else None
    if project is not None:
        for (system, entity), file in project.mappings.items():
            if file.resolve() == mapping:
                known = [e.resource for e in project.setup.endpoints if (e.system, e.entity) == (system, entity)]
                return next((r for r in known if r.fields), None)
    try:
        entry = registry.find(mapping.parent.name, project.folder if project is not None else None)
    except ConfigurationError:
        return None
    return next((resource for resource in entry.resources() if resource.name == name), None)


def _as_data(result: ExampleResult) -> dict[str, Any]:
    return {
        "example": result.name,
        "direction": result.direction,
        **result.position._asdict(),
        "differences": result.differences,
    }


def _show(console: Console, files: int, tried: int, wrong: list[str]) -> None:
    for text in wrong:
        console.print(text, style="red", soft_wrap=True)
    if not files:
        console.print("no examples found: they are in <resource>_test.yaml beside a mapping")
    console.print(f"{files} files, {tried - len(wrong)} passed, {len(wrong)} failed")
