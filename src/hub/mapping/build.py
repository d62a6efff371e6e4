"""From a validated mapping file to a plan: names are looked up, types are checked, every mistake gets its position."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from hub.connect.capabilities import Field, Resource
from hub.mapping.checks import mandatory_problems, match_problems
from hub.mapping.fitting import fit_chain, make_operator
from hub.mapping.grammar import FieldEntry, FieldRule, MappingFile
from hub.mapping.lens import Direction, Position, Problem
from hub.mapping.operators import FitError, Operator
from hub.mapping.paths import PathError, Step, Target, parse
from hub.mapping.plan import ConstantIn, ConstantOut, Lines, Node, Picks, Place, Single
from hub.mapping.reading import Section, Where
from hub.mapping.remote import Remote
from hub.mapping.suggest import a, did_you_mean
from hub.model import forms
from hub.model.spec import EntitySpec, FieldSpec

_PICK = re.compile(r"(?P<name>[^\[\]]+)\[(?P<key>[^\[\]]+)\]")


@dataclass(slots=True)
class Scope:
    """Where fields are being built: of a record, or of the lines of one of its fields."""

    spec: EntitySpec
    remote: Remote
    where: Where
    """Place of the ``fields:`` in the file."""
    lines: bool = False
    pick: bool = False


@dataclass(slots=True)
class Builder:
    """Builds the nodes of one mapping and collects its problems."""

    section: Section
    specs: dict[str, EntitySpec]
    resource: Resource | None
    pairs: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)

    def problem(self, position: Position, message: str, cure: str = "", *, warning: bool = False) -> None:
        self.problems.append(Problem(position, message, cure, "warning" if warning else "error"))

    def nodes(self, file: MappingFile) -> tuple[Node, ...]:
        """The nodes of all fields; incomplete when there are problems."""
        spec = self.specs.get(file.entity)
        if spec is None:
            cure = did_you_mean(file.entity, self.specs, noun="entities:")
            self.problem(self.section.at(("entity",)), f"there is no entity {file.entity!r}", cure)
            return ()
        fields = self.resource.fields if self.resource else ()
        scope = Scope(spec, Remote(fields, file.resource), ("fields",))
        nodes = self.fields(file.fields, scope)
        self.problems += match_problems(file, nodes, self.section)
        self.problems += mandatory_problems(file, nodes, scope.remote, self.section)
        return tuple(nodes)

    def fields(self, entries: dict[str, FieldEntry], scope: Scope) -> list[Node]:
        """The nodes of one ``fields:`` section."""
        made: list[Node] = []
        picks: dict[str, Picks] = {}
        for name, entry in entries.items():
            where = (*scope.where, name)
            rule = entry if isinstance(entry, FieldRule) else FieldRule(field=entry)
            found = _PICK.fullmatch(name)
            try:
                if found:
                    pick = self._pick(found, rule, scope, picks)
                    made += [pick] if pick else []
                else:
                    made.append(self.field(name, rule, scope, where))
            except FitError as error:
                self.problem(error.position or self._spot(where), error.message, error.cure)
        for both in picks.values():
            if any(node.name == both.name and node is not both for node in made):
                self.problem(both.position, f"{both.name} is mapped as a list and by its keys", "keep one of the two")
        return made

    def _spot(self, where: Where) -> Position:
        """A problem of a field is shown where its remote side begins."""
        return self.section.at((*where, "field") if (*where, "field") in self.section.values else where)

    def field(self, name: str, rule: FieldRule, scope: Scope, where: Where) -> Node:
        """The node of one entry. Raises FitError for what has no better position."""
        position = self.section.key_at(where)
        spec = scope.spec.fields.get(name)
        if rule.constant is not None and rule.field is not None:
            return self._constant_out(name, rule, scope, position)
        if spec is None:
            cure = did_you_mean(name, scope.spec.fields, noun="its fields:", most=40)
            self.problem(position, f"{scope.spec.name} has no field {name!r}", cure)
            spec = FieldSpec(name, "lines" if rule.fields else "text", ref=rule.ref)
        if rule.constant is not None:
            return self._constant_in(spec, rule, position)
        if rule.position:
            return self._position(spec, rule, scope, position)
        if rule.fields is not None or spec.type == "lines":
            return self._lines(spec, rule, scope, where)
        return self._single(spec, rule, scope, where)

    # One value ------------------------------------------------------------------------------------------------------

    def _single(self, spec: FieldSpec, rule: FieldRule, scope: Scope, where: Where) -> Node:
        self._only(rule, where, "lines", {"key", "same"})
        paths = self._paths(rule, where)
        direction = rule.direction or "both"
        remotes = [self._remote(steps, scope, where, direction) for steps in paths]
        ref = self._ref(spec, rule, where)
        operators = self._operators(rule, where)
        try:
            chain = fit_chain([op for op, _ in operators], spec, remotes, direction)
        except FitError as error:
            if error.operator is not None and error.operator < len(operators):
                error.position = operators[error.operator][1]
            raise
        if rule.assume is not None:
            chain.assume = self._canonical(spec, rule.assume, where, "assume")
        self._check_choices(rule, remotes, where)
        targets = tuple(self._target(steps, rule, scope, ref is not None) for steps in paths)
        limit = remotes[0].max_length if len(remotes) == 1 and remotes[0].type in ("text", "choice") else None
        default = None if rule.default is None else self._canonical(spec, rule.default, where, "default")
        return Single(
            spec.name, self.section.key_at(where), direction, rule.strength, chain=chain, targets=targets,
            type=spec.type, ref=ref, required=rule.required, ignore_blank=rule.blank == "ignore",
            null_as=rule.null_as, max_length=limit, default=default,
        )  # fmt: skip

    def _paths(self, rule: FieldRule, where: Where) -> list[tuple[Step, ...]]:
        if rule.field is None:
            raise FitError("'field' is missing", "say which remote field it is: field: NAME, or a constant")
        texts = rule.field if isinstance(rule.field, list) else [rule.field]
        if not texts:
            raise FitError("'field' names no remote field", "field: NAME")
        return [self._path(text, where, index, isinstance(rule.field, list)) for index, text in enumerate(texts)]

    def _path(self, text: str, where: Where, index: int, listed: bool) -> tuple[Step, ...]:
        try:
            return parse(text)
        except PathError as error:
            spot = self._spot(where)
            if listed:
                spot = self.section.at((*where, "field", index))
            raise FitError(
                f"path {text!r}: {error}", position=spot._replace(column=spot.column + error.offset)
            ) from None

    def _remote(self, steps: tuple[Step, ...], scope: Scope, where: Where, direction: Direction) -> Field:
        field = scope.remote.find(steps)
        if field.read_only and direction != "in":
            self.problem(
                self._spot(where), f"{field.name} can't be written in {scope.remote.owner} (read-only)", "direction: in"
            )
        return field

    def _target(self, steps: tuple[Step, ...], rule: FieldRule, scope: Scope, is_ref: bool) -> Target:
        clear = rule.clear or ("parent" if is_ref or scope.remote.is_reference(steps) else "member")
        return Target(steps, scope.remote.kinds(steps, is_ref), clear)

    def _ref(self, spec: FieldSpec, rule: FieldRule, where: Where) -> str | None:
        if rule.ref is None:
            return spec.ref
        position = self.section.at((*where, "ref"))
        if rule.ref not in self.specs:
            self.problem(
                position, f"there is no entity {rule.ref!r}", did_you_mean(rule.ref, self.specs, noun="entities:")
            )
        elif spec.type != "ref":
            self.problem(position, f"{spec.name} is {a(spec.type)}, not a reference", "remove ref")
        elif spec.ref is not None and spec.ref != rule.ref:
            self.problem(position, f"{spec.name} refers to {spec.ref}, not to {rule.ref}", f"ref: {spec.ref}")
        return rule.ref

    def _operators(self, rule: FieldRule, where: Where) -> list[tuple[Operator, Position]]:
        made: list[tuple[Operator, Position]] = []
        via = rule.via if isinstance(rule.via, list) else [] if rule.via is None else [rule.via]
        for index, item in enumerate(via):
            place = (*where, "via", index) if isinstance(rule.via, list) else (*where, "via")
            pairs = [(item, None, place)] if isinstance(item, str) else [(n, a, (*place, n)) for n, a in item.items()]
            if len(pairs) != 1:
                raise FitError(
                    "one item of via is one operator",
                    "write - a, - b: one under the other",
                    position=self.section.at(place),
                )
            name, given, spot = pairs[0]
            try:
                made.append((make_operator(str(name), given, self.pairs), self.section.key_at(spot)))
            except FitError as error:
                raise FitError(error.message, error.cure, position=self.section.key_at(spot)) from None
        if rule.values is not None:
            try:
                spot_of_table = self.section.at((*where, "values"))
                made.append((make_operator("values", rule.values, self.pairs), spot_of_table))
            except FitError as error:
                raise FitError(error.message, error.cure, position=self.section.at((*where, "values"))) from None
        return made

    def _canonical(self, spec: FieldSpec, value: Any, where: Where, key: str) -> Any:
        try:
            return forms.form_of(spec)(value)
        except ValueError as error:
            raise FitError(
                f"{key} is no value of {spec.name}: {_told(error)}", position=self.section.at((*where, key))
            ) from None

    def _check_choices(self, rule: FieldRule, remotes: list[Field], where: Where) -> None:
        """Value tables against the system's own list: a warning, because lists differ between accounts."""
        if rule.values is None or len(remotes) != 1 or not remotes[0].choices:
            return
        for canonical, remote in rule.values.items():
            for one in remote if isinstance(remote, list) else [remote]:
                if one not in (None, "*") and str(one) not in remotes[0].choices:
                    cure = did_you_mean(one, remotes[0].choices, noun="it knows")
                    spot = self.section.at((*where, "values", canonical))
                    self.problem(spot, f"{remotes[0].name} doesn't list {one!r}", cure, warning=True)

    # Constants and positions ----------------------------------------------------------------------------------------

    def _constant_out(self, name: str, rule: FieldRule, scope: Scope, position: Position) -> Node:
        where = (*scope.where, name)
        if rule.direction in ("in", "both"):
            raise FitError(
                "a constant of a remote field is only written",
                "direction: out",
                position=self.section.at((*where, "direction")),
            )
        self._only(rule, where, "constants", {"via", "values", "default", "assume", "required", "ref"}, noun="without")
        steps = self._paths(rule, where)
        if len(steps) != 1:
            raise FitError("a constant is written to one remote field", "write one entry for each")
        self._remote(steps[0], scope, where, "out")
        return ConstantOut(
            name, position, "out", rule.strength, rule.constant, self._target(steps[0], rule, scope, False)
        )

    def _constant_in(self, spec: FieldSpec, rule: FieldRule, position: Position) -> Node:
        if rule.direction in ("out", "both"):
            raise FitError("a constant without a field is only read", "add field: to write it, or direction: in")
        try:
            return ConstantIn(spec.name, position, "in", rule.strength, forms.form_of(spec)(rule.constant))
        except ValueError as error:
            raise FitError(f"the constant is no value of {spec.name}: {_told(error)}") from None

    def _position(self, spec: FieldSpec, rule: FieldRule, scope: Scope, position: Position) -> Node:
        if not scope.lines or spec.type != "integer":
            raise FitError("'position' numbers lines: it belongs to a whole-number field of lines", "write field: NAME")
        if rule.field is not None or rule.via is not None or rule.direction in ("out", "both"):
            raise FitError(
                "a position is counted, so it has no field, no operators and is only read", "keep position: true"
            )
        return Place(spec.name, position, "in", rule.strength)

    # Lines ----------------------------------------------------------------------------------------------------------

    def _lines(self, spec: FieldSpec, rule: FieldRule, scope: Scope, where: Where) -> Node:
        if spec.type != "lines" or spec.lines is None:
            raise FitError(f"{spec.name} is {a(spec.type)}, it has no lines", "remove fields")
        if scope.lines:
            raise FitError("lines inside of lines can't be mapped", "map the inner list as its own resource")
        if rule.fields is None:
            raise FitError(
                f"{spec.name} is a list of lines", f"write {{field: …, key: {spec.lines.key}, fields: {{…}}}}"
            )
        self._only(
            rule, where, "lines", {"via", "values", "ref", "default", "assume", "required", "clear"}, noun="without"
        )
        steps = self._paths(rule, where)[0]
        direction = rule.direction or "both"
        self._remote(steps, scope, where, direction)
        inner = Scope(spec.lines, scope.remote.lines(steps), (*where, "fields"), lines=True)
        nodes = self.fields(rule.fields, inner)
        key = rule.key or spec.lines.key or ""
        self._check_key(key, spec, nodes, where)
        ids = self.resource.line_ids if self.resource else {}
        same = [rule.same] if isinstance(rule.same, str) else rule.same or []
        for name in same:
            if name not in {node.name for node in nodes}:
                spot = self.section.at((*where, "same"))
                self.problem(spot, f"{name!r} is not mapped in these lines", did_you_mean(name, rule.fields))
        return Lines(
            spec.name, self.section.key_at(where), direction, rule.strength, steps=steps, key=key, nodes=tuple(nodes),
            target=Target(steps, scope.remote.kinds(steps, False)), line_id=ids.get(_top(steps)), same=tuple(same),
        )  # fmt: skip

    def _check_key(self, key: str, spec: FieldSpec, nodes: list[Node], where: Where) -> None:
        assert spec.lines is not None
        if not key:
            raise FitError("nothing tells the lines apart", "key: line_no")
        if spec.lines.key and key != spec.lines.key:
            spot = self.section.at((*where, "key"))
            raise FitError(
                f"{spec.name} are told apart by {spec.lines.key}, not by {key}", f"key: {spec.lines.key}", position=spot
            )
        found = next((node for node in nodes if node.name == key), None)
        if found is None and not self.problems:
            raise FitError(
                f"the key {key!r} is not among the lines' fields", f"map it: {key}: NAME, or {key}: {{position: true}}"
            )
        if found is not None and not found.reads:
            raise FitError(f"the key {key!r} has to be read", "remove direction: out", position=found.position)

    def _pick(self, found: re.Match[str], rule: FieldRule, scope: Scope, picks: dict[str, Picks]) -> Picks | None:
        """Add one ``addresses[billing]`` to the node of ``addresses``; returns the node when it is a new one."""
        where = (*scope.where, found.string)
        spec, mark = self._picked(found["name"].strip(), found["key"].strip(), rule, scope)
        assert spec.lines is not None and spec.lines.key is not None
        inner = Scope(spec.lines, scope.remote, (*where, "fields"), pick=True)
        nodes = self.fields(rule.fields or {}, inner)
        if any(node.name == spec.lines.key for node in nodes):
            self.problem(
                self.section.key_at(where), f"{spec.lines.key} is {mark!r} here and needs no field", "remove it"
            )
        direction = rule.direction or "both"
        for node in nodes:
            node.direction = node.direction if direction == "both" else direction
        known = picks.get(spec.name)
        node = known or Picks(spec.name, self.section.key_at(where), direction, rule.strength, spec.lines.key)
        node.direction = node.direction if node.direction == direction else "both"
        node.entries[mark] = tuple(nodes)
        picks[spec.name] = node
        return None if known else node

    def _picked(self, name: str, key: str, rule: FieldRule, scope: Scope) -> tuple[FieldSpec, Any]:
        """The lines field that a key picks from, and the key in canonical form."""
        where = (*scope.where, f"{name}[{key}]")
        spot = self.section.key_at(where)
        spec = scope.spec.fields.get(name)
        if spec is None:
            cure = did_you_mean(name, scope.spec.fields, noun="its fields:", most=40)
            raise FitError(f"{scope.spec.name} has no field {name!r}", cure, position=spot)
        if spec.type != "lines" or spec.lines is None or not spec.lines.key:
            raise FitError(f"{name} is {a(spec.type)}, so [{key}] picks nothing", f"write {name}", position=spot)
        if rule.fields is None:
            raise FitError("a line picked by its key needs fields", "write {fields: {street: …, city: …}}")
        others = {"field", "via", "values", "ref", "default", "assume", "required", "key", "same", "constant", "clear"}
        self._only(rule, where, "picked lines", others, noun="without")
        of_key = spec.lines.fields[spec.lines.key]
        try:
            return spec, forms.form_of(of_key)(key)
        except ValueError as error:
            cure = did_you_mean(key, of_key.choices)
            raise FitError(f"{key!r} is no {spec.lines.key}: {_told(error)}", cure, position=spot) from None

    # Checks ---------------------------------------------------------------------------------------------------------

    def _only(self, rule: FieldRule, where: Where, who: str, keys: set[str], *, noun: str = "only") -> None:
        """Keys that don't belong to this kind of field: an error each, at the key."""
        for key in sorted(keys & rule.model_fields_set):
            message = f"{key!r} belongs to {who} only" if noun == "only" else f"{key!r} means nothing for {who}"
            self.problem(self.section.key_at((*where, key)), message, "remove it")


def _told(error: ValueError) -> str:
    """A form's message, without its hint at value tables: it is the mapping itself that is wrong."""
    return str(error).partition("; give a value table")[0]


def _top(steps: tuple[Step, ...]) -> str:
    return str(steps[0])
