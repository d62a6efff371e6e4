"""From a mapping file to a lens, or to the list of everything that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hub.connect.capabilities import Resource
from hub.errors import ConfigurationError
from hub.mapping.build import Builder
from hub.mapping.compile import compile_get
from hub.mapping.compile_put import compile_put
from hub.mapping.compiled import CompiledLens
from hub.mapping.grammar import MappingFile
from hub.mapping.lens import Problem
from hub.mapping.migrations import upgraded
from hub.mapping.operators import registered
from hub.mapping.operators.base import FitError
from hub.mapping.operators.python import Python
from hub.mapping.plan import Lines, Node, Picks, Plan, Single
from hub.mapping.reading import Section, Where, plain_section, read_yaml
from hub.mapping.validate import validated
from hub.model.spec import EntitySpec

LANGUAGE = 1
"""Raised when the same file would come to mean something else."""


def load(
    source: Path | str,
    *,
    specs: dict[str, EntitySpec],
    resource: Resource | None = None,
    overrides: Section | dict[str, Any] | None = None,
    functions: dict[str, Any] | None = None,
    file: str | None = None,
) -> tuple[CompiledLens | None, list[Problem]]:
    """A mapping file (its path, or its text if it has a line break) as a lens, and its problems sorted by position.

    Never raises for what a file says. The lens is None when there is an error; warnings leave it usable. ``specs`` are
    the canonical entities, ``resource`` describes the remote side (None: its names and types aren't checked),
    ``overrides`` is what ``hub.yaml`` says about this resource for one system, ``functions`` are the Python pairs (as
    ``load_functions`` gives them; None: those registered with ``@pair``), ``file`` the name used in positions.
    """
    if isinstance(source, str) and "\n" not in source:
        source = Path(source)
    section, problems = read_yaml(source, file=file)
    if section is None:
        return None, problems
    section, older = upgraded(section, "mapping")
    if older:
        return None, _sorted(problems + older)
    section = merged(section, overrides)
    model, more = validated(MappingFile, section, noun="the mapping file")
    problems += more
    if model is None:
        return None, _sorted(problems)
    pairs = registered() if functions is None else functions
    builder = Builder(section, specs, resource, pairs)
    nodes = builder.nodes(model)
    problems += builder.problems
    if resource is not None and resource.name != model.resource:
        spot = section.at(("resource",))
        problems.append(Problem(spot, f"the mapping is for {model.resource!r}, the resource is {resource.name!r}"))
    if any(problem.severity == "error" for problem in problems):
        return None, _sorted(problems)
    return compile_mapping(_plan(model, nodes, section, specs, resource)), _sorted(problems)


def compile_mapping(plan: Plan) -> CompiledLens:
    """The plan as a lens with a fast way through records."""
    return CompiledLens(plan, compile_get(plan), compile_put(plan))


def require(lens: CompiledLens | None, problems: list[Problem]) -> CompiledLens:
    """The lens, or ConfigurationError with the first error: for callers that can't go on."""
    if lens is None:
        first = next(p for p in problems if p.severity == "error")
        raise ConfigurationError(first.message, where=str(first.position), cure=first.cure or None)
    return lens


def merged(section: Section, overrides: Section | dict[str, Any] | None) -> Section:
    """The file with what ``hub.yaml`` adds for one system: fields added or replaced, or removed with null.

    ``read`` and ``write`` are merged key by key, all else is replaced. Positions point into the file that said it.
    """
    if overrides is None or not isinstance(section.data, dict):
        return section
    if not isinstance(overrides, Section):
        overrides = plain_section(overrides, "hub.yaml")
    if not isinstance(overrides.data, dict):
        return section
    data = dict(section.data)
    keys, values = dict(section.keys), dict(section.values)
    for key, value in overrides.data.items():
        if key in ("fields", "read", "write") and isinstance(value, dict) and isinstance(data.get(key), dict):
            data[key] = dict(data[key])
            for name, item in value.items():
                _replace(data[key], (key, name), item, (keys, values), overrides)
        else:
            _replace(data, (key,), value, (keys, values), overrides)
    return Section(data, section.file, keys, values)


def _replace(data: dict[Any, Any], where: Where, value: Any, marks: tuple[Any, Any], overrides: Section) -> None:
    size = len(where)
    for places, theirs in zip(marks, (overrides.keys, overrides.values), strict=True):
        for place in [place for place in places if place[:size] == where]:
            del places[place]
        places.update({place: position for place, position in theirs.items() if place[:size] == where})
        places.setdefault(where, overrides.at(where))
    if value is None:
        data.pop(where[-1], None)
    else:
        data[where[-1]] = value


def _plan(
    model: MappingFile,
    nodes: tuple[Node, ...],
    section: Section,
    specs: dict[str, EntitySpec],
    resource: Resource | None,
) -> Plan:
    match = tuple(tuple(rule) if isinstance(rule, list) else (rule,) for rule in model.match)
    version = _version(section.data, specs[model.entity], resource, _sources(nodes))
    read, write = dict(model.read), dict(model.write)
    return Plan(model.entity, model.resource, section.file, version, match, nodes, read, write, section.data)


def _sources(nodes: Iterable[Node]) -> list[str]:
    """The sources of all Python pairs in use."""
    found: list[str] = []
    for node in nodes:
        if isinstance(node, Lines):
            found += _sources(node.nodes)
        elif isinstance(node, Picks):
            found += [source for parts in node.entries.values() for source in _sources(parts)]
        elif isinstance(node, Single):
            found += [op.source() for op in node.chain.ops if isinstance(op, Python)]
    return found


def _version(data: Any, spec: EntitySpec, resource: Resource | None, sources: list[str]) -> str:
    """Hash of what the file says, the canonical types it meets, the remote ones and the functions: all that decides."""
    said = {key: value for key, value in data.items() if key != "description"}
    types = {name: _kind(field) for name, field in spec.fields.items()}
    remote = {field.name: asdict(field) for field in resource.fields} if resource else {}
    ids = resource.line_ids if resource else {}
    text = repr(_ordered([LANGUAGE, said, types, remote, ids, sources]))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _ordered(data: Any) -> Any:
    """The data in an order of its own: keys of YAML may be texts, numbers, booleans and null side by side."""
    if isinstance(data, dict):
        return sorted(((repr(key), _ordered(value)) for key, value in data.items()), key=lambda pair: pair[0])
    return [_ordered(item) for item in data] if isinstance(data, (list, tuple)) else data


def _kind(field: Any) -> Any:
    inner = {name: _kind(part) for name, part in field.lines.fields.items()} if field.lines else None
    return [field.type, list(field.choices), field.ref, inner]


def _sorted(problems: list[Problem]) -> list[Problem]:
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.position, problem.message))


__all__ = ["FitError", "compile_mapping", "load", "merged", "require"]
