"""Value tables: a word here is another word there."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import ConfigDict, RootModel
from pydantic import Field as Arg

from hub.connect.capabilities import FieldType
from hub.mapping.operators.base import Args, FitError, Operator, Place
from hub.mapping.suggest import did_you_mean, nearest
from hub.model import forms

Scalar = str | int | bool | Decimal | None
OTHER = "*"


class Table(RootModel[dict[Scalar, Scalar | list[Scalar]]]):
    """Canonical value: remote value, or a list of them of which the first is written."""

    model_config = ConfigDict(frozen=True)


def plain(value: Any) -> Any:
    """A value as tables compare it: text without white space at its ends, blank as null, 1.0 as 1."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, (dict, list)):
        raise ValueError(
            f"expected a value of the table, got {forms.show(value)}; name a member or an item in the path"
        )
    return value


def _key(value: Any) -> tuple[str, Any]:
    """True and 1 are different entries of a table, though Python takes them for equal."""
    return ("bool" if isinstance(value, bool) else "", value)


class Values(Operator):
    """A value table. Keys are canonical, each with its remote value or a list of them; the first is written.

    ``"*"`` on the right takes every remote value that isn't in the table; ``"*"`` on the left says what is written for
    every other canonical value; ``"*": "*"`` lets what isn't in the table pass as it is. ``null`` may stand on both
    sides.
    """

    name = "values"
    Args = Table  # type: ignore[assignment]
    takes: ClassVar[frozenset[FieldType]] = frozenset({"text", "choice", "boolean", "integer", "decimal", "any"})
    gives: ClassVar[FieldType] = "any"
    null = True

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.inward: dict[Any, Any] = {}
        self.outward: dict[Any, Any] = {}
        self.catch: Any = None
        self.catches = False
        self.rest: Any = None
        self.has_rest = False
        self.passes = False
        self.double: tuple[Any, Any, Any] | None = None
        for canonical, remote in args.root.items():
            self._enter(canonical, remote if isinstance(remote, list) else [remote])

    def _enter(self, canonical: Any, remotes: list[Any]) -> None:
        if canonical == OTHER:
            self.passes = remotes == [OTHER]
            self.rest, self.has_rest = (None, False) if self.passes else (remotes[0], True)
            remotes = [] if self.passes else remotes
        elif remotes and remotes[0] != OTHER:
            self.outward[_key(canonical)] = remotes[0]
        for remote in remotes:
            if remote == OTHER:
                self.catch, self.catches = canonical, True
                continue
            key = _key(plain(remote))
            if key in self.inward and canonical != OTHER:
                self.double = (remote, self.inward[key], canonical)
            if canonical != OTHER:
                self.inward[key] = canonical

    def fit(self, place: Place) -> None:
        if self.double is not None:
            remote, first, second = self.double
            raise FitError(f"{remote!r} stands for both {first!r} and {second!r}", "give each remote value once")
        if not self.args.root:
            raise FitError("the table is empty", "add a line like  approved: C")
        readable = self.catches or _key(plain(self.rest)) in self.inward
        if self.has_rest and place.direction == "both" and not readable:
            raise FitError(
                f"every other value is written as {self.rest!r}, and nothing says how {self.rest!r} is read",
                f"give it a canonical value too (something: {self.rest}), or direction: out",
            )
        if place.spec is not None:
            self._fit_canonical(place)

    def _fit_canonical(self, place: Place) -> None:
        """Bring the keys into the canonical field's own form, refusing those that it can't have."""
        assert place.spec is not None
        form = forms.form_of(place.spec)
        known = place.spec.choices
        for canonical in [c for c in self.args.root if c is not None and c != OTHER]:
            try:
                made = form(canonical)
            except ValueError as error:
                told = str(error).partition("; give a value table")[0]
                cure = (
                    did_you_mean(canonical, known) if known else "keys are canonical values, remote ones go behind ':'"
                )
                raise FitError(f"{canonical!r} is no value of {place.spec.name}: {told}", cure) from None
            if _key(made) != _key(canonical):
                self._rename(canonical, made)

    def _rename(self, canonical: Any, made: Any) -> None:
        if _key(canonical) in self.outward:
            self.outward[_key(made)] = self.outward.pop(_key(canonical))
        self.inward = {remote: made if _key(c) == _key(canonical) else c for remote, c in self.inward.items()}
        if self.catches and _key(self.catch) == _key(canonical):
            self.catch = made

    def get(self, value: Any) -> Any:
        wanted = plain(value)
        found = self.inward.get(_key(wanted), self)
        if found is self and wanted is not None and not isinstance(wanted, bool):
            found = self.inward.get(_key(str(wanted)), self)
        if found is self and isinstance(wanted, str) and wanted.isdecimal() and wanted.isascii():
            found = self.inward.get(_key(int(wanted)), self)
        if found is not self:
            return found
        if wanted is None or self.passes:
            return wanted
        if self.catches:
            return self.catch
        raise ValueError(self._unknown(wanted, [str(remote) for _, remote in self.inward]))

    def put(self, value: Any, old: Any = None) -> Any:
        found = self.outward.get(_key(value), self)
        if found is not self:
            return found
        if value is None or self.passes:
            return value
        if self.has_rest:
            return self.rest
        if self.catches and _key(value) == _key(self.catch):
            raise ValueError(f"nothing in the value table says how {value!r} is written; put a value before '*'")
        raise ValueError(self._unknown(value, [str(canonical) for _, canonical in self.outward]))

    def form(self, value: Any) -> Any:
        """Values that several of the table's lines stand for come back as the one that the table reads."""
        if value is not None and _key(value) in self.outward:
            return value
        written = value if value is None or self.passes else self.rest
        if _key(plain(written)) in self.inward:
            return self.inward[_key(plain(written))]
        return self.catch if self.has_rest and value is not None and self.catches else value

    def words(self) -> Iterable[Any]:
        return [canonical for _, canonical in self.outward if canonical is not None]

    def _unknown(self, value: Any, known: list[str]) -> str:
        close = nearest(value, known)
        hint = f" (nearest: {close!r})" if close else ""
        return f"the value table has no {forms.show(value)}{hint}; add it, or '*' for all others"


class BooleanArgs(Args):
    true: Scalar | list[Scalar] = Arg(True, description="Remote value(s) for true; the first is written.")
    false: Scalar | list[Scalar] = Arg(False, description="Remote value(s) for false; the first is written.")


class Boolean(Operator):
    """True or false. What ``boolean`` fields do by themselves; other words are arguments: ``{true: Y, false: N}``."""

    name = "boolean"
    Args = BooleanArgs
    takes: ClassVar[frozenset[FieldType]] = frozenset({"text", "choice", "boolean", "integer", "decimal", "any"})
    gives: ClassVar[FieldType] = "boolean"
    null = True

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.table: Values | None = None
        self.numeric = False
        if args.model_fields_set:
            self.table = Values(Table({True: args.true, False: args.false}))

    def fit(self, place: Place) -> None:
        remote = place.remote.type if place.remote else "any"
        if self.table is not None:
            self.table.fit(Place(None, place.remote, place.direction))
        elif remote in ("text", "choice"):
            raise FitError(f"{place.remote and place.remote.name} holds text, not true or false", BOOLEAN_CURE)
        self.numeric = remote in ("integer", "decimal")

    def get(self, value: Any) -> Any:
        return forms.boolean(value) if self.table is None else self.table.get(value)

    def form(self, value: Any) -> Any:
        return value if self.table is None else self.table.form(value)

    def put(self, value: Any, old: Any = None) -> Any:
        if self.table is not None:
            return self.table.put(value)
        return int(value) if self.numeric and value is not None else value


BOOLEAN_CURE = "say its words: values: {true: Y, false: N}"
