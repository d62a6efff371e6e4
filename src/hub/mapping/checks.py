"""Checks of a mapping as a whole: its match rules, and what the system wants to be written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hub.mapping.grammar import MappingFile
from hub.mapping.lens import Problem
from hub.mapping.plan import Lines, Node, Picks
from hub.mapping.reading import Section, Where
from hub.mapping.remote import Remote
from hub.mapping.suggest import did_you_mean


def match_problems(file: MappingFile, nodes: Iterable[Node], section: Section) -> Iterator[Problem]:
    """Match rules compare values that are read: every name in them has to be such a field."""
    mapped = {node.name: node for node in nodes}
    for index, rule in enumerate(file.match):
        for inner, name in enumerate(rule if isinstance(rule, list) else [rule]):
            place: Where = ("match", index, inner) if isinstance(rule, list) else ("match", index)
            if name not in mapped:
                yield Problem(section.at(place), f"{name!r} is not mapped here", did_you_mean(name, mapped))
            elif not mapped[name].reads or isinstance(mapped[name], (Lines, Picks)):
                message = f"{name!r} can't be compared: it is not read as one value"
                yield Problem(section.at(place), message, "match by another field")


def mandatory_problems(file: MappingFile, nodes: Iterable[Node], remote: Remote, section: Section) -> Iterator[Problem]:
    """A mandatory remote field that nothing writes: a warning, because the system may fill it by itself.

    References (organisation, document type, unit …) are left out: those are mostly filled by the connector's settings.
    """
    writing = [node for node in nodes if node.writes]
    if not writing:
        return
    written = {str(path[0]) for node in writing for path in node.paths()} | set(_names(file.write))
    for field in remote.fields.values():
        plain = field.required and not field.read_only and field.type != "reference"
        if plain and field.name.partition(".")[0] not in written:
            message = f"{field.name} is mandatory in {remote.owner}, and nothing here writes it"
            cure = f"map a field to it, or give it a constant: {{field: {field.name}, constant: …}}"
            yield Problem(section.key_at(("fields",)), message, cure, "warning")


def _names(options: Any) -> Iterator[str]:
    """All keys in the ``write:`` section, at any depth: a connector's defaults are named there."""
    if isinstance(options, dict):
        for key, value in options.items():
            yield str(key)
            yield from _names(value)
