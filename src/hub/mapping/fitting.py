"""Making a chain of operators for one field, and finding type clashes before any record is touched."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ValidationError

from hub.connect.capabilities import Field, FieldType
from hub.mapping.operators import OPERATORS, FitError, Operator
from hub.mapping.operators.area import AreaCode
from hub.mapping.operators.base import Place
from hub.mapping.operators.cases import Cases, CasesTable
from hub.mapping.operators.parts import Join
from hub.mapping.operators.python import Python
from hub.mapping.operators.tables import BOOLEAN_CURE, Table, Values
from hub.mapping.plan import Chain
from hub.mapping.suggest import a, did_you_mean
from hub.mapping.validate import plainly
from hub.model import forms
from hub.model.spec import FieldSpec, TypeName

DEFAULTS: dict[TypeName, str] = {
    "text": "text", "longtext": "text", "ref": "text", "enum": "text", "integer": "integer", "decimal": "number",
    "money": "number", "rate": "number", "boolean": "boolean", "date": "date", "instant": "datetime",
    "currency": "currency", "country": "country", "phone": "phone", "email": "email", "tax_id": "tax_id",
}  # fmt: skip
"""The operator a canonical type has when the mapping names none."""

_ANY: frozenset[FieldType] = frozenset({"any"})
_WORDS: frozenset[FieldType] = frozenset({"text", "choice", "any"})
_NUMBERS: frozenset[FieldType] = frozenset({"text", "integer", "decimal", "any"})
ACCEPTED: dict[TypeName, frozenset[FieldType]] = {
    "text": _WORDS | {"integer", "decimal"}, "longtext": _WORDS, "ref": _WORDS | {"integer", "decimal"}, "enum": _WORDS,
    "integer": _NUMBERS, "decimal": _NUMBERS, "money": _NUMBERS, "rate": _NUMBERS, "boolean": _ANY | {"boolean"},
    "date": _ANY | {"date", "text"}, "instant": _ANY | {"datetime", "text"}, "currency": _WORDS, "country": _WORDS,
    "phone": _WORDS, "email": _WORDS, "tax_id": _WORDS,
}  # fmt: skip
"""What an operator may give for a canonical type."""

CANONICAL_AFTER: dict[str, frozenset[TypeName]] = {
    "text": frozenset({"text", "longtext", "ref"}), "integer": frozenset({"integer"}),
    "number": frozenset({"decimal", "money", "rate"}), "money": frozenset({"decimal", "money", "rate"}),
    "quantity": frozenset({"decimal", "money", "rate"}), "percent": frozenset({"decimal", "money", "rate"}),
    "boolean": frozenset({"boolean"}), "date": frozenset({"date"}), "datetime": frozenset({"instant"}),
    "phone": frozenset({"phone"}), "email": frozenset({"email"}), "tax_id": frozenset({"tax_id"}),
    "country": frozenset({"country"}), "currency": frozenset({"currency"}), "values": frozenset(),
    "join": frozenset({"text", "longtext"}),
}  # fmt: skip
"""Operators that give the canonical form of these types by themselves, so that it needn't be applied again."""


_WORDS_OF_YAML = {True: "true", False: "false"}


def make_operator(name: str, given: Any, pairs: dict[str, Any]) -> Operator:
    """An operator with its arguments. Raises FitError."""
    kind = OPERATORS.get(name)
    if kind is None:
        raise FitError(f"there is no operator {name!r}", did_you_mean(name, OPERATORS, noun="operators:", most=40))
    operator = kind(_args(kind, given))
    if isinstance(operator, Python):
        operator.find(pairs)
    return operator


def _args(kind: type[Operator], given: Any) -> Any:
    if issubclass(kind, Values):
        return _validated(kind, Table, given if given is not None else {})
    if issubclass(kind, Cases):
        return _validated(kind, CasesTable, given if given is not None else {})
    names = list(kind.Args.model_fields)
    if given is None:
        given = {}
    elif not isinstance(given, dict):
        if kind.shorthand is None:
            raise FitError(f"{kind.name!r} takes no plain value", f"its arguments: {', '.join(names) or 'none'}")
        given = {kind.shorthand: given}
    given = {_WORDS_OF_YAML.get(key, key) if isinstance(key, bool) else key: value for key, value in given.items()}
    for key in given:
        if key not in names:
            cure = did_you_mean(key, names, noun="its arguments:") or f"{kind.name!r} takes no arguments"
            raise FitError(f"{kind.name!r} has no argument {key!r}", cure)
    return _validated(kind, kind.Args, given)


def _validated(kind: type[Operator], model: type[BaseModel], given: Any) -> Any:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"] if isinstance(step, (str, int)))
        message = plainly(dict(first))
        info = model.model_fields.get(str(first["loc"][0])) if first["loc"] else None
        cure = info.description if info and info.description else ""
        raise FitError(f"{kind.name}: {where}: {message}" if where else f"{kind.name}: {message}", cure) from None


_TOGETHER = (
    'begin via with join: via: {join: " "}',
    "via: {area_code: CN}, where they are the area code and the number",
)


def fit_chain(ops: list[Operator], spec: FieldSpec, remotes: list[Field], direction: str) -> Chain:
    """A chain for a field, with the type's own operator where none is named. Raises FitError on a clash."""
    several = len(remotes) > 1
    if not ops:
        ops = [_default(spec)]
    if several and not ops[0].several:
        raise FitError("several remote fields need to be put together", _TOGETHER[spec.type == "phone"])
    if not several and ops[0].several:
        raise FitError(f"{ops[0].name!r} needs several remote fields", "write field: [A, B]")
    for op in ops[1:]:
        if op.several:
            raise FitError(f"{op.name!r} has to be the first operator", "the first one is nearest to the remote fields")
    remote = remotes[0] if not several else None
    _check_flow(ops, spec, remotes)
    place = Place(spec, remote, direction)
    for index, op in enumerate(ops):
        if isinstance(op, (AreaCode, Join, Cases)):
            op.count = len(remotes)
        last = index == len(ops) - 1
        try:
            op.fit(Place(spec if last else None, remote if index == 0 else None, direction))
        except FitError as error:
            error.operator = index
            raise
    form = None if spec.type in CANONICAL_AFTER.get(ops[-1].name, frozenset()) else forms.form_of(spec)
    return Chain(tuple(ops), form, _to_remote(place.remote), several=several)


def _default(spec: FieldSpec) -> Operator:
    kind = OPERATORS[DEFAULTS[spec.type]]
    return kind(kind.Args())


def _check_flow(ops: list[Operator], spec: FieldSpec, remotes: list[Field]) -> None:
    for remote in remotes:
        if remote.type not in ops[0].takes:
            raise FitError(f"{_named(remote)}, and {ops[0].name!r} takes {_list(ops[0].takes)}", _cure(remote, spec))
    for first, second in pairwise(ops):
        if first.gives not in second.takes and first.gives != "any":
            raise FitError(
                f"{first.name!r} gives {first.gives}, and {second.name!r} takes {_list(second.takes)}",
                "change their order",
            )
    last = ops[-1]
    accepted = ACCEPTED[spec.type]
    if last.only_for is not None and spec.type not in last.only_for:
        raise FitError(f"{last.name!r} is not for {spec.name}, which is {a(spec.type)}", _operator_for(spec, last.name))
    if last.gives not in accepted and last.gives != "any":
        raise FitError(
            f"{last.name!r} gives {last.gives}, and {spec.name} is {a(spec.type)}", _operator_for(spec, last.name)
        )


def _operator_for(spec: FieldSpec, used: str) -> str:
    if spec.type == "boolean":
        return BOOLEAN_CURE
    wanted = DEFAULTS[spec.type]
    return f"use {wanted!r}" if wanted != used else "map it to a field of another type"


def _named(remote: Field) -> str:
    return f"{remote.name} is {a(remote.type)}"


def _list(types: frozenset[FieldType]) -> str:
    return ", ".join(sorted(types - {"any"})) or "anything"


def _cure(remote: Field, spec: FieldSpec) -> str:
    if remote.type in ("reference", "object"):
        members = [field.name.removeprefix(f"{remote.name}.") for field in remote.fields]
        return f"name one of its members: {', '.join(f'{remote.name}.{m}' for m in members[:6]) or remote.name + '.…'}"
    if remote.type == "lines":
        return f"write {{field: {remote.name}, key: …, fields: {{…}}}}"
    if remote.type == "choices":
        return "it holds several values: via: list"
    if remote.type == "boolean" and spec.type in ("text", "enum"):
        return "say the words: values: {yes_word: true, no_word: false}"
    if remote.type == "datetime" and spec.type == "date":
        return "say whose day: via: {date: {zone: Asia/Shanghai}}"
    return f"{spec.name} is {a(spec.type)}: map it to a field of another type, or add an operator with via"


def _to_remote(remote: Field | None) -> Callable[[Any], Any] | None:
    """What the last operator gives, as the remote field's type wants it."""
    if remote is None:
        return None
    if remote.type in ("text", "choice"):
        return as_text
    if remote.type == "integer":
        return _as_integer
    return as_decimal if remote.type == "decimal" else None


def as_text(value: Any) -> Any:
    return value if value.__class__ is str or isinstance(value, bool) else forms.text(value)


def _as_integer(value: Any) -> Any:
    return value if value.__class__ is int or isinstance(value, bool) else forms.integer(value)


def as_decimal(value: Any) -> Any:
    if isinstance(value, (Decimal, int)):
        return value
    text = forms.decimal(value)
    return None if text is None else Decimal(text)
