"""``hub test --record``: a live record, personal data masked, as a new example beside its mapping."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.cli.shell import Shell
from hub.errors import ConfigurationError, RecordRejected

if TYPE_CHECKING:
    from hub.mapping.compiled import CompiledLens
    from hub.project import Project
    from hub.sync.engine import Engine
    from hub.sync.policy import Endpoint

SUFFIX = "_test.yaml"


def record(shell: Shell, system: str, key: str) -> None:
    """Read one record of a live system and write what it means into the examples of its mapping."""
    from hub.project import open_project
    from hub.sync.engine import Engine

    with open_project(shell.project_dir) as project, Engine.from_project(project) as engine:
        endpoint, remote = _found(project, engine, system, key)
        mapping = Path(endpoint.lens.file)
        if project.folder.resolve() not in mapping.resolve().parents:
            raise ConfigurationError(
                f"the mapping of {endpoint.resource.name} is a bundled one, which has its own examples",
                where=str(mapping),
                cure=f"copy it to {project.folder / 'mappings' / system / mapping.name} and record again",
            )
        lens = _as_written(project, endpoint)
        file, name, direction = _written(lens, project.setup.specs[endpoint.entity], remote, mapping)
    shell.answer(
        {"file": str(file), "example": name, "direction": direction},
        f"wrote the example {name!r} ({direction}) into {file}; look whether the mask hides enough, then: hub test",
    )


def _found(project: Project, engine: Engine, system: str, key: str) -> tuple[Endpoint, dict[str, Any]]:
    """The record as it is now, and whose it is. Raises ConfigurationError when it is none or one of several."""
    from hub.connect.capabilities import Get

    entity, slash, rest = key.partition("/")
    own = [e for e in project.setup.endpoints if e.system == system]
    if not own:
        known = ", ".join(dict.fromkeys(e.system for e in project.setup.endpoints))
        raise ConfigurationError(f"no mapping of a system {system!r} is in use", cure=f"one of: {known}")
    if slash and any(e.entity == entity for e in own):
        own, key = [e for e in own if e.entity == entity], rest
    found = []
    for endpoint in own:
        if isinstance(endpoint.connector, Get):
            options, names = endpoint.lens.read_options, endpoint.lens.remote_fields
            ids = [_remote_id(engine, endpoint, key)]
            for remote in endpoint.connector.get(endpoint.resource.name, ids, names, options):
                if remote.record is not None and not remote.deleted:
                    found.append((endpoint, remote.record))
    if not found:
        raise ConfigurationError(
            f"{system} has no record {key!r}", where=system, cure="a system's id, or a number or name the hub knows"
        )
    if len(found) > 1:
        shown = " or ".join(f"{e.entity}/{key}" for e, _ in found)
        raise ConfigurationError(f"several records are called {key!r}", where=system, cure=f"say which: {shown}")
    return found[0]


def _as_written(project: Project, endpoint: Endpoint) -> CompiledLens:
    """The mapping without what hub.yaml adds for the system: as ``hub test`` tries it."""
    from hub.mapping import load, load_functions, require

    resource = endpoint.resource if endpoint.resource.fields else None
    functions = load_functions(project.folder / "functions")[0]
    return require(*load(Path(endpoint.lens.file), specs=project.setup.specs, resource=resource, functions=functions))


def _remote_id(engine: Engine, endpoint: Endpoint, key: str) -> str:
    """The system's id of a record that the hub knows by this key; else the key itself."""
    try:
        links = engine.explain(endpoint.entity, key)["links"]
    except ConfigurationError:
        return key
    return str(links[endpoint.system]["id"]) if endpoint.system in links else key


def _written(lens: CompiledLens, spec: Any, remote: dict[str, Any], mapping: Path) -> tuple[Path, str, str]:
    """Add the example to its file; returns the file, the example's name and its direction."""
    from hub.mapping.examples import load_examples, run_examples
    from hub.mapping.masking import masked

    record = masked(remote, lens, spec)
    got = lens.get(record)
    if got.problems:
        problem = got.problems[0]
        raise ConfigurationError(
            f"{problem.field} of this record can't be read: {problem.message}",
            where=str(problem.position),
            cure="record another one, or mend the mapping first",
        )
    title = next((str(got.values[name]) for name in spec.title if got.values.get(name)), "one")
    name = f"recorded: {title}"
    file = mapping.with_name(f"{mapping.stem}{SUFFIX}")
    old = file.read_text("utf-8") if file.is_file() else ""
    if old and any(example.name == name for example, _ in load_examples(file)[0]):
        raise ConfigurationError(f"the example {name!r} is there already", where=str(file), cure="remove it first")
    start = old if not old or old.endswith("\n") else f"{old}\n"
    for direction, more in _ways(lens, got.values):
        example = {"name": name, "remote": record, "canonical": got.values, **more}
        file.write_text(start + _yaml([example]), "utf-8")
        wrong = [r for r in run_examples(file, lens) if not r.passed and r.name in (name, "the file")]
        if not wrong:
            return file, name, direction
    file.write_text(old, "utf-8") if old else file.unlink()
    raise ConfigurationError(f"the example does not hold: {wrong[0].differences[0]}", where=str(mapping))


def _ways(lens: CompiledLens, values: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Ways to say the example, the fullest first: writing gives the record back, or what else, or it is only read."""
    yield "both", {}
    with suppress(RecordRejected):
        yield "both", {"written": lens.put(values, None)}
    yield "in", {"direction": "in"}


def _yaml(data: Any) -> str:
    """Block style, Chinese as itself, every digit of a number kept."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 110
    setattr(yaml, "sort_base_mapping_type_on_output", False)  # noqa: B010 - the library's type says None only
    yaml.representer.add_representer(
        Decimal, lambda representer, value: representer.represent_scalar("tag:yaml.org,2002:float", _digits(value))
    )
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def _digits(value: Decimal) -> str:
    text = format(value, "f")
    return text if "." in text else f"{text}.0"
