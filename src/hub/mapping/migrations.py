"""Earlier versions of the language of a project's files, and the way from each to the present one.

``hub.yaml`` and the mappings share one number, because ``hub.yaml`` may hold parts of mappings. A file of an earlier
version means today what it meant then: it is read as if it had been rewritten (``upgraded``), with the positions of
what really stands there. ``hub migrate`` rewrites the file itself (``rewritten``), and touches nothing but the words
that changed: comments, order, spaces and quotes stay.

A migration says what it changes as a list of ``Rename``; both ways of carrying it out follow that one list. To change
the grammar: raise ``VERSION`` in ``hub.mapping.grammar``, add the migration here, and keep a file of the version left
behind in ``tests/mapping/versions``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from hub.errors import ConfigurationError
from hub.mapping.grammar import VERSION
from hub.mapping.lens import Position, Problem
from hub.mapping.reading import Section, Where, read_yaml

Kind = Literal["mapping", "project"]
"""A mapping file, or ``hub.yaml``."""


@dataclass(frozen=True, slots=True)
class Rename:
    """A key gets another name. Its value and its place stay."""

    where: Where
    to: str


@dataclass(frozen=True, slots=True)
class Migration:
    """The way from one version to the next."""

    changes: Callable[[Kind, dict[Any, Any]], Iterator[Rename]]
    told: str
    """What changed, in one sentence for people."""


@dataclass(frozen=True, slots=True)
class Change:
    """One word of a file that a migration changes."""

    position: Position
    old: str
    new: str
    told: str


def _constants_that_are_read(kind: Kind, data: dict[Any, Any]) -> Iterator[Rename]:
    """1 → 2: ``constant`` was written where there was a ``field`` beside it, and read where there was none."""
    for where, rule in _rules(kind, data):
        if "constant" in rule and rule.get("field") is None and "always" not in rule:
            yield Rename((*where, "constant"), "always")


MIGRATIONS: dict[int, Migration] = {
    1: Migration(_constants_that_are_read, "a fixed value that is read is called 'always'; 'constant' is only written"),
}
"""Version → the way to the next one."""


def version_of(data: Any) -> int | None:
    """The version that a file says it has; None when it says none that ever was."""
    said = data.get("version") if isinstance(data, dict) else None
    return said if type(said) is int and 1 <= said <= VERSION else None


def upgraded(section: Section, kind: Kind) -> tuple[Section, list[Problem]]:
    """The file as it reads in the present version, and what is wrong with its version.

    Positions point at what stands in the file. The section itself is not touched.
    """
    said = section.data.get("version") if isinstance(section.data, dict) else None
    if type(said) is int and said > VERSION:
        message = f"the file is of version {said} of the language, and this hub reads up to {VERSION}"
        return section, [Problem(section.at(("version",)), message, "use a newer hub, or the file as it was before")]
    return _steps(section, kind)[0], []


def rewritten(text: str, kind: Kind, *, file: str = "<text>") -> tuple[str, list[Change]]:
    """The text of a file in the present version, and what was changed; the text itself where nothing has to be.

    Raises ConfigurationError when the text is no YAML, when its version is not known, and when the result would not
    mean what was wanted (which is a mistake in the hub, found before anything is written).
    """
    section, problems = read_yaml(text, file=file)
    if section is None or problems:
        first = problems[0]
        raise ConfigurationError(first.message, where=str(first.position), cure=first.cure or None)
    _, problems = upgraded(section, kind)
    before = version_of(section.data)
    if problems or before is None:
        first = problems[0] if problems else Problem(section.at(("version",)), "there is no 'version' of the language")
        raise ConfigurationError(first.message, where=str(first.position), cure=first.cure or f"version: {VERSION}")
    if before == VERSION:
        return text, []
    wanted, renames = _steps(section, kind)
    root = YAML(typ="rt", pure=True).compose(text)
    number = _found(root, ("version",))[1]
    edits = {
        _extent(number): Change(section.at(("version",)), str(before), str(VERSION), "the version of the language")
    }
    for rename, told in renames:
        key, _ = _found(root, rename.where)
        # What an anchor repeats stands in the file once; of what two versions rename, the last word counts.
        edits[_extent(key)] = Change(section.key_at(rename.where), str(rename.where[-1]), rename.to, told)
    made = text
    for start, end in sorted(edits, reverse=True):
        made = made[:start] + edits[start, end].new + made[end:]
    changes = sorted(edits.values(), key=lambda change: change.position)
    again, problems = read_yaml(made, file=file)
    if again is None or problems or again.data != wanted.data:
        raise ConfigurationError(
            "the file can't be rewritten without changing more than its words",
            where=file,
            cure="; ".join(f"line {c.position.line}: {c.old} → {c.new}" for c in changes),
        )
    return made, changes


def _steps(section: Section, kind: Kind) -> tuple[Section, list[tuple[Rename, str]]]:
    """The section in the present version, and every renaming on the way, in terms of the section as it was."""
    before = version_of(section.data)
    if before is None or before == VERSION:
        return section, []
    made = Section(copy.deepcopy(section.data), section.file, dict(section.keys), dict(section.values))
    origin = {where: where for where in section.keys}
    done: list[tuple[Rename, str]] = []
    for version in range(before, VERSION):
        migration = MIGRATIONS[version]
        for rename in list(migration.changes(kind, made.data)):
            done.append((Rename(origin[rename.where], rename.to), migration.told))
            _rename(made, origin, rename)
        made.data["version"] = version + 1
    return made, done


def _rename(section: Section, origin: dict[Where, Where], rename: Rename) -> None:
    """Carry it out in the data and in everything that is known by place: ``origin`` is the place in the file."""
    *above, old = rename.where
    parent = section.data
    for step in above:
        parent = parent[step]
    items = [(rename.to if key == old else key, value) for key, value in parent.items()]
    parent.clear()
    parent.update(items)
    size = len(rename.where)
    known: tuple[dict[Where, Any], ...] = (section.keys, section.values, origin)
    for places in known:
        for place in [place for place in places if place[:size] == rename.where]:
            places[(*above, rename.to, *place[size:])] = places.pop(place)


def _rules(kind: Kind, data: dict[Any, Any]) -> Iterator[tuple[Where, dict[Any, Any]]]:
    """Every rule of every field: of a mapping, or of the parts of mappings in ``hub.yaml``."""
    if kind == "mapping":
        yield from _fields(data, ())
        return
    systems = data.get("systems")
    for system, said in systems.items() if isinstance(systems, dict) else ():
        parts = said.get("mappings") if isinstance(said, dict) else None
        for resource, part in parts.items() if isinstance(parts, dict) else ():
            yield from _fields(part, ("systems", system, "mappings", resource))


def _fields(data: Any, above: Where) -> Iterator[tuple[Where, dict[Any, Any]]]:
    fields = data.get("fields") if isinstance(data, dict) else None
    for name, rule in fields.items() if isinstance(fields, dict) else ():
        if isinstance(rule, dict):
            yield (*above, "fields", name), rule
            yield from _fields(rule, (*above, "fields", name))


def _found(root: Node, where: Where) -> tuple[Node, Node]:
    """The key and the value that stand at a place of the text (of a list: the item, twice)."""
    key, node = root, root
    for step in where:
        if isinstance(node, SequenceNode):
            key = node = node.value[step]
        else:
            key, node = next(pair for pair in _pairs(node) if str(pair[0].value) == str(step))
    return key, node


def _pairs(node: Node) -> Iterator[tuple[Node, Node]]:
    """The entries of a mapping, with those that it merges (``<<``) last, as they are read."""
    merged: list[Node] = []
    for key, value in node.value if isinstance(node, MappingNode) else ():
        if str(key.tag) == "tag:yaml.org,2002:merge":
            merged += value.value if isinstance(value, SequenceNode) else [value]
        else:
            yield key, value
    for one in merged:
        yield from _pairs(one)


def _extent(node: Node) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index
