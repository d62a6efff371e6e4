"""YAML with positions: every key and every value knows its file:line:column.

Numbers with a fraction become ``Decimal``, dates stay text, and what YAML would silently change (a repeated key, a
leading zero) is a problem with its position instead. Nothing in here knows what the file is about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from hub.connect.positions import Position, Problem

Where = tuple[Any, ...]
"""A place inside a document: keys and list indexes from its top."""

_TAG = "tag:yaml.org,2002:"
_MAX_DEPTH = 60
_MAX_NODES = 200_000
_MAX_DIGITS = 100
_SMALL = 100_000
_SHALLOW = 1000
"""A text of fewer characters, with fewer openings, is no deeper than libyaml can take."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a YAML file: plain data, and where each piece of it stands."""

    data: Any
    file: str
    keys: dict[Where, Position] = field(default_factory=dict, repr=False)
    values: dict[Where, Position] = field(default_factory=dict, repr=False)

    def at(self, where: Where = ()) -> Position:
        """Where the value stands; for a place that isn't in the file, its nearest parent."""
        return self._nearest(self.values, where)

    def key_at(self, where: Where) -> Position:
        """Where the key stands (for a list item: the item); for a place that isn't in the file, its nearest parent."""
        found = self.keys.get(where)
        return found if found else self._nearest(self.values, where)

    def section(self, *where: Any) -> Section | None:
        """The part below these keys, None when there is none."""
        data = self.data
        for step in where:
            try:
                data = data[step]
            except (KeyError, IndexError, TypeError):
                return None
        size = len(where)
        return Section(
            data,
            self.file,
            {place[size:]: pos for place, pos in self.keys.items() if place[:size] == where and len(place) > size},
            {place[size:]: pos for place, pos in self.values.items() if place[:size] == where},
        )

    def _nearest(self, positions: dict[Where, Position], where: Where) -> Position:
        while where and where not in positions:
            where = where[:-1]
        return positions.get(where) or Position(self.file, 1, 1)


def plain_section(data: Any, file: str) -> Section:
    """A section of data that did not come from a file: every position is the file's first line."""
    return Section(data, file)


def read_yaml(source: FilePath | str, *, file: str | None = None) -> tuple[Section | None, list[Problem]]:
    """Read a file (a ``Path``) or a text (a ``str``). Never raises: all problems at once, sorted by position.

    ``file`` is the name used in positions. The section is None when the file could not be read at all.
    """
    name = file or (str(source) if isinstance(source, FilePath) else "<text>")
    top = Position(name, 1, 1)
    if isinstance(source, FilePath):
        try:
            source = source.read_bytes().decode("utf-8-sig")
        except OSError as error:
            return None, [Problem(top, f"the file can't be read: {error.strerror}")]
        except UnicodeDecodeError as error:
            return None, [Problem(top, f"the file is not UTF-8 (byte {error.start})", "save it as UTF-8")]
    try:
        node = _composed(source)
    except MarkedYAMLError as error:
        return None, [_syntax(error, name)]
    except YAMLError as error:
        return None, [Problem(top, f"not YAML: {error}", "see the YAML 1.2 rules")]
    except RecursionError:
        return None, [Problem(top, "the file is too deep or too large", "no mapping needs brackets so deep")]
    if node is None:
        return Section(None, name, {}, {(): top}), []
    builder = _Builder(name)
    data = builder.build(node, (), 0)
    return Section(data, name, builder.keys, builder.values), sorted(builder.problems, key=lambda p: p.position)


def _composed(text: str) -> Node | None:
    """The nodes of a document. libyaml reads it in a seventh of the time. What it takes for a mistake is read again,
    since it knows YAML 1.1 only and its words say less; what may be very deep is not shown to it: it would crash."""
    if len(text) < _SMALL and sum(map(text.count, ("[", "{", "- ", "? "))) < _SHALLOW:
        try:
            return cast("Node | None", YAML(typ="safe").compose(text))
        except YAMLError:
            pass
    return cast("Node | None", YAML(typ="safe", pure=True).compose(text))


def _syntax(error: MarkedYAMLError, file: str) -> Problem:
    # What is never closed is found missing at the end of the file; where it begins is the place to look at.
    unclosed = "end of stream" in str(error.problem) and error.context_mark is not None
    mark = error.context_mark if unclosed else error.problem_mark or error.context_mark
    position = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file, 1, 1)
    what = " ".join(str(part) for part in (error.problem, error.context) if part)
    cure = "quote a text that holds ': ' or begins with one of @ ` % & * ! | > [ {"
    if "but got '['" in what:
        cure = 'inside of { } a path with [ ] has to be quoted: "Line_Tax[0].percentage"'
    elif "but got '{'" in what:
        cure = 'inside of { } a text with { } in it has to be quoted: "/items/{id}"'
    elif "\\t" in what:
        cure = "indent with spaces, not with tabs"
    elif "single document" in what:
        cure = "one file holds one document: remove the '---' in the middle"
    return Problem(position, f"not YAML: {what}", cure)


class _Builder:
    """Turns the nodes of the YAML library into plain data and positions."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.keys: dict[Where, Position] = {}
        self.values: dict[Where, Position] = {}
        self.problems: list[Problem] = []
        self.count = 0

    def position(self, node: Node) -> Position:
        return Position(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def problem(self, node: Node, message: str, cure: str = "") -> None:
        self.problems.append(Problem(self.position(node), message, cure))

    def build(self, node: Node, where: Where, depth: int) -> Any:
        self.values[where] = self.position(node)
        self.count += 1
        if depth > _MAX_DEPTH or self.count > _MAX_NODES:
            if not self.problems or "too deep" not in self.problems[-1].message:
                self.problem(node, "the file is too deep or too large", "an alias (*name) may repeat itself in here")
            return None
        if not isinstance(node, ScalarNode) and str(node.tag) not in (_TAG + "map", _TAG + "seq"):
            self.tag(node)
        if isinstance(node, MappingNode):
            return self.mapping(node, where, depth)
        if isinstance(node, SequenceNode):
            items = []
            for index, item in enumerate(node.value):
                self.keys[(*where, index)] = self.position(item)
                items.append(self.build(item, (*where, index), depth + 1))
            return items
        return self.scalar(node) if isinstance(node, ScalarNode) else None

    def mapping(self, node: MappingNode, where: Where, depth: int) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        merged: list[tuple[Any, Any]] = []
        for key_node, value_node in node.value:
            if str(key_node.tag) == _TAG + "merge":
                merged.extend(self.merged(value_node))
                continue
            self.entry(made, key_node, value_node, where, depth)
        for key_node, value_node in merged:
            if isinstance(key_node, ScalarNode) and self.scalar(key_node) not in made:
                self.entry(made, key_node, value_node, where, depth)
        return made

    def merged(self, node: Node) -> list[tuple[Any, Any]]:
        nodes = node.value if isinstance(node, SequenceNode) else [node]
        pairs: list[tuple[Any, Any]] = []
        for one in nodes:
            if isinstance(one, MappingNode):
                pairs.extend(one.value)
            else:
                self.problem(one, "'<<' needs a mapping or a list of mappings")
        return pairs

    def entry(self, made: dict[Any, Any], key_node: Node, value_node: Node, where: Where, depth: int) -> None:
        if not isinstance(key_node, ScalarNode):
            self.problem(key_node, "a key must be a plain word or text", "write it without [ ] or { }, or quote it")
            return
        key = self.scalar(key_node)
        if key in made:
            first = self.keys[(*where, key)]
            self.problem(key_node, f"the key {key!r} is there twice (first in line {first.line})", "remove one of them")
            return
        self.keys[(*where, key)] = self.position(key_node)
        made[key] = self.build(value_node, (*where, key), depth + 1)

    def scalar(self, node: ScalarNode) -> Any:
        tag, text = str(node.tag), str(node.value)
        if tag in (_TAG + "str", _TAG + "timestamp"):
            return text if text.isascii() else self.whole(node, text)
        if tag == _TAG + "null":
            return None
        if tag == _TAG + "bool":
            return text.lower() == "true"
        if tag == _TAG + "int":
            return self.integer(node, text)
        if tag == _TAG + "float":
            return self.decimal(node, text)
        self.tag(node)
        return text

    def tag(self, node: Node) -> None:
        self.problem(node, f"the tag {str(node.tag).removeprefix(_TAG)!r} means nothing here", "remove it")

    def whole(self, node: ScalarNode, text: str) -> str:
        """JSON writes characters beyond U+FFFF as two escapes, which YAML leaves apart."""
        try:
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            self.problem(node, f"the text {text!r} holds half a character", "write the character itself")
            return text.encode("utf-8", "replace").decode()

    def integer(self, node: ScalarNode, text: str) -> Any:
        digits = text.lstrip("+-")
        if len(digits) > 1 and digits[0] == "0" and digits.isdigit():
            self.problem(node, f"{text} would be read as the number {int(text)}", f'quote it: "{text}"')
            return text
        if len(digits) > _MAX_DIGITS:
            self.problem(node, f"a number of {len(digits)} digits is too long", "quote it if it is meant as text")
            return text
        return int(text.replace("_", ""), 0)

    def decimal(self, node: ScalarNode, text: str) -> Any:
        number = text.replace("_", "").lower()
        if number.lstrip("+-") in (".inf", ".nan"):
            self.problem(node, f"{text} is not a number a system can store", "quote it if it is meant as text")
            return text
        made = Decimal(number)
        if len(number) > _MAX_DIGITS or (made and abs(made.adjusted()) > _MAX_DIGITS):
            self.problem(node, f"{text[:40]} is too large or too exact a number", "quote it if it is meant as text")
            return text
        return made
