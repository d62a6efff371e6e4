"""From a validated mapping file to a plan: the nodes of all fields, lines among them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hub.mapping.build_fields import FieldBuilder, Scope, told
from hub.mapping.checks import mandatory_problems, match_problems
from hub.mapping.grammar import FieldEntry, FieldRule, MappingFile
from hub.mapping.operators import FitError
from hub.mapping.paths import Step, Target
from hub.mapping.plan import Lines, Node, Picks, Single
from hub.mapping.reading import Where
from hub.mapping.remote import Remote
from hub.mapping.suggest import a, did_you_mean
from hub.model import forms
from hub.model.spec import FieldSpec

_PICK = re.compile(r"(?P<name>[^\[\]]+)\[(?P<key>[^\[\]]+)\]")


@dataclass(slots=True)
class Builder(FieldBuilder):
    """Builds the nodes of one mapping and collects its problems."""

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
        return self._beside(made, scope)

    def _beside(self, nodes: list[Node], scope: Scope) -> list[Node]:
        """Fields that look at others come after them."""
        singles = {node.name: node for node in nodes if isinstance(node, Single) and node.reads}
        looking = [node for node in nodes if isinstance(node, Single) and node.chain.siblings]
        for node in looking:
            for name in node.chain.siblings:
                if name not in singles or singles[name] in looking:
                    cure = did_you_mean(name, singles) if name not in singles else "name fields that don't do so"
                    message = f"{node.name} is worked out from {name!r}, which is not read here by itself"
                    self.problem(node.position, message, cure)
            node.beside = tuple(singles[name] for name in node.chain.siblings if name in singles)
        return [node for node in nodes if node not in looking] + list(looking)

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
            raise FitError(
                "'constant' is written, and no field is named for it",
                "field: NAME, or always: … for a fixed value that is read",
                position=self.section.key_at((*where, "constant")),
            )
        if rule.always is not None:
            return self._always(spec, rule, where, position)
        if rule.position:
            return self._position(spec, rule, scope, position)
        if rule.fields is not None or spec.type == "lines":
            return self._lines(spec, rule, scope, where)
        return self._single(spec, rule, scope, where)

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
        others = {
            "field",
            "via",
            "values",
            "ref",
            "default",
            "assume",
            "required",
            "key",
            "same",
            "constant",
            "always",
            "clear",
        }
        self._only(rule, where, "picked lines", others, noun="without")
        of_key = spec.lines.fields[spec.lines.key]
        try:
            return spec, forms.form_of(of_key)(key)
        except ValueError as error:
            cure = did_you_mean(key, of_key.choices)
            raise FitError(f"{key!r} is no {spec.lines.key}: {told(error)}", cure, position=spot) from None


def _top(steps: tuple[Step, ...]) -> str:
    return str(steps[0])
