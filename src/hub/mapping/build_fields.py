"""Nodes of single fields: paths and names are looked up, operators fitted, every mistake gets its position."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hub.connect.capabilities import Field, Resource
from hub.mapping.fitting import fit_chain, make_operator
from hub.mapping.grammar import FieldRule
from hub.mapping.lens import Direction, Position, Problem
from hub.mapping.operators import FitError, Operator
from hub.mapping.operators.cases import Cases
from hub.mapping.paths import PathError, Step, Target, parse
from hub.mapping.plan import Chain, ConstantIn, ConstantOut, Node, Place, Single
from hub.mapping.reading import Section, Where
from hub.mapping.remote import Remote
from hub.mapping.suggest import a, did_you_mean
from hub.model import forms
from hub.model.spec import EntitySpec, FieldSpec


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
class FieldBuilder:
    """Builds the nodes of fields with one value, of constants and of positions, and collects problems."""

    section: Section
    specs: dict[str, EntitySpec]
    resource: Resource | None
    pairs: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)

    def problem(self, position: Position, message: str, cure: str = "", *, warning: bool = False) -> None:
        self.problems.append(Problem(position, message, cure, "warning" if warning else "error"))

    def _spot(self, where: Where) -> Position:
        """A problem of a field is shown where its remote side begins."""
        return self.section.at((*where, "field") if (*where, "field") in self.section.values else where)

    def _only(self, rule: FieldRule, where: Where, who: str, keys: set[str], *, noun: str = "only") -> None:
        """Keys that don't belong to this kind of field: an error each, at the key."""
        for key in sorted(keys & rule.model_fields_set):
            message = f"{key!r} belongs to {who} only" if noun == "only" else f"{key!r} means nothing for {who}"
            self.problem(self.section.key_at((*where, key)), message, "remove it")

    # One value ------------------------------------------------------------------------------------------------------

    def _single(self, spec: FieldSpec, rule: FieldRule, scope: Scope, where: Where) -> Node:
        self._only(rule, where, "lines", {"key", "same"})
        paths = self._paths(rule, where)
        direction = rule.direction or "both"
        remotes = [scope.remote.find(steps) for steps in paths]
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
        looked_at = self._looked_at(chain, remotes, scope, where, direction)
        limit = remotes[0].max_length if len(remotes) == 1 and remotes[0].type in ("text", "choice") else None
        default = None if rule.default is None else self._canonical(spec, rule.default, where, "default")
        return Single(
            spec.name, self.section.key_at(where), direction, rule.strength, chain=chain, targets=targets,
            type=spec.type, ref=ref, required=rule.required, ignore_blank=rule.blank == "ignore",
            null_as=rule.null_as, max_length=limit, default=default, read_only=looked_at,
        )  # fmt: skip

    def _paths(self, rule: FieldRule, where: Where) -> list[tuple[Step, ...]]:
        if rule.field is None:
            raise FitError(
                "'field' is missing", "say which remote field it is: field: NAME, or always: … for a fixed value"
            )
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
            self._refuse_writing(field, scope, where)
        return field

    def _looked_at(
        self, chain: Chain, remotes: list[Field], scope: Scope, where: Where, direction: Direction
    ) -> frozenset[int]:
        """Which of the remote fields are read-only. That is a mistake, except among the several fields of cases."""
        found = [index for index, field in enumerate(remotes) if field.read_only]
        if direction == "in" or not found:
            return frozenset()
        if isinstance(chain.ops[0], Cases) and len(found) < len(remotes):
            return frozenset(found)
        self._refuse_writing(remotes[found[0]], scope, where)
        return frozenset()

    def _refuse_writing(self, field: Field, scope: Scope, where: Where) -> None:
        message = f"{field.name} can't be written in {scope.remote.owner} (read-only)"
        self.problem(self._spot(where), message, "direction: in")

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
                f"{key} is no value of {spec.name}: {told(error)}", position=self.section.at((*where, key))
            ) from None

    def _check_choices(self, rule: FieldRule, remotes: list[Field], where: Where) -> None:
        """Value tables against the system's own list: a warning, because lists differ between accounts."""
        if rule.values is None or len(remotes) != 1 or not remotes[0].choices:
            return
        known: set[str] = set()
        for canonical, remote in rule.values.items():
            for one in remote if isinstance(remote, list) else [remote]:
                known.add(str(one))
                if one not in (None, "*") and str(one) not in remotes[0].choices:
                    cure = did_you_mean(one, remotes[0].choices, noun="it knows")
                    spot = self.section.at((*where, "values", canonical))
                    self.problem(spot, f"{remotes[0].name} doesn't list {one!r}", cure, warning=True)
        unknown = [one for one in remotes[0].choices if one not in known]
        if unknown and not known & {"*"} and (rule.direction or "both") != "out":
            words = ", ".join(map(repr, unknown[:5])) + (" …" if len(unknown) > 5 else "")
            cure = "add it, or '*' for all others: a record with such a word becomes a dead letter"
            spot = self.section.key_at((*where, "values"))
            self.problem(spot, f"{remotes[0].name} can be {words}, which the table doesn't know", cure, warning=True)

    # Constants and positions ----------------------------------------------------------------------------------------

    def _constant_out(self, name: str, rule: FieldRule, scope: Scope, position: Position) -> Node:
        where = (*scope.where, name)
        if rule.direction in ("in", "both"):
            raise FitError(
                "a constant of a remote field is only written",
                "direction: out",
                position=self.section.at((*where, "direction")),
            )
        others = {"via", "values", "default", "assume", "required", "ref", "always"}
        self._only(rule, where, "constants", others, noun="without")
        steps = self._paths(rule, where)
        if len(steps) != 1:
            raise FitError("a constant is written to one remote field", "write one entry for each")
        self._remote(steps[0], scope, where, "out")
        return ConstantOut(
            name, position, "out", rule.strength, rule.constant, self._target(steps[0], rule, scope, False)
        )

    def _always(self, spec: FieldSpec, rule: FieldRule, where: Where, position: Position) -> Node:
        if rule.field is not None:
            raise FitError(
                "'always' is a value that is read from nowhere, so it has no field",
                "remove field; or write constant: in place of always: to have it written",
                position=self.section.key_at((*where, "field")),
            )
        if rule.direction in ("out", "both"):
            raise FitError("'always' is only read", "remove direction", position=self.section.at((*where, "direction")))
        others = {"via", "values", "default", "assume", "required", "ref", "blank", "null_as", "clear", "key", "fields"}
        self._only(rule, where, "a fixed value", others, noun="without")
        try:
            return ConstantIn(spec.name, position, "in", rule.strength, forms.form_of(spec)(rule.always))
        except ValueError as error:
            raise FitError(f"'always' is no value of {spec.name}: {told(error)}") from None

    def _position(self, spec: FieldSpec, rule: FieldRule, scope: Scope, position: Position) -> Node:
        if not scope.lines or spec.type != "integer":
            raise FitError("'position' numbers lines: it belongs to a whole-number field of lines", "write field: NAME")
        if rule.field is not None or rule.via is not None or rule.direction in ("out", "both"):
            raise FitError(
                "a position is counted, so it has no field, no operators and is only read", "keep position: true"
            )
        return Place(spec.name, position, "in", rule.strength)


def told(error: ValueError) -> str:
    """A form's message, without its hint at value tables: it is the mapping itself that is wrong."""
    return str(error).partition("; give a value table")[0]
