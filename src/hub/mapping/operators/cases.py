"""A table over several remote fields: together they say one thing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import ConfigDict, RootModel

from hub.connect.capabilities import FieldType
from hub.mapping.operators.base import FitError, Operator, Place
from hub.mapping.operators.tables import OTHER, Scalar, plain
from hub.mapping.paths import ABSENT
from hub.mapping.suggest import did_you_mean
from hub.model import forms


class CasesTable(RootModel[dict[Scalar, list[Scalar | list[Scalar]]]]):
    """Canonical value: what each of the remote fields holds then: a value, several of which the first is written, or
    ``*`` for whatever (and then nothing is written)."""

    model_config = ConfigDict(frozen=True)


class Cases(Operator):
    """Several remote fields together say one canonical value: the first case from the top that fits.

    Remote fields that can't be written are only looked at.
    """

    name = "cases"
    Args = CasesTable  # type: ignore[assignment]
    takes: ClassVar[frozenset[FieldType]] = frozenset({"text", "choice", "boolean", "integer", "decimal", "any"})
    gives: ClassVar[FieldType] = "any"
    several = True

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.rows: list[tuple[Any, list[list[Any]]]] = [
            (canonical, [part if isinstance(part, list) else [part] for part in pattern])
            for canonical, pattern in args.root.items()
        ]
        self.count = 0

    def fit(self, place: Place) -> None:
        if not self.rows:
            raise FitError("there are no cases", "add a line like  approved: [C, A]")
        for canonical, pattern in self.rows:
            if len(pattern) != self.count:
                cure = f"one part for each, '*' where it doesn't matter: {canonical}: [{', '.join('*' * self.count)}]"
                raise FitError(f"{canonical!r} has {len(pattern)} parts for {self.count} remote fields", cure)
            if place.spec is not None and canonical is not None:
                self._check(canonical, place)

    @staticmethod
    def _check(canonical: Any, place: Place) -> None:
        assert place.spec is not None
        try:
            made = forms.form_of(place.spec)(canonical)
        except ValueError as error:
            told = str(error).partition("; give a value table")[0]
            cure = did_you_mean(canonical, place.spec.choices) if place.spec.choices else ""
            raise FitError(f"{canonical!r} is no value of {place.spec.name}: {told}", cure) from None
        if made != canonical or type(made) is not type(canonical):
            raise FitError(f"{canonical!r} is written {made!r} in the hub", f"write {made!r}")

    def form(self, value: Any) -> Any:
        """Of cases that look exactly alike the first is read: it stands for the others."""
        looks = next((pattern for canonical, pattern in self.rows if canonical == value), None)
        return value if looks is None else next(canonical for canonical, pattern in self.rows if pattern == looks)

    def words(self) -> Iterable[Any]:
        return [canonical for canonical, _ in self.rows if canonical is not None]

    def get(self, value: Any) -> Any:
        seen = [plain(part) for part in value]
        for canonical, pattern in self.rows:
            if all(_fits(part, wanted) for part, wanted in zip(seen, pattern, strict=True)):
                return canonical
        shown = ", ".join("null" if part is None else repr(part) for part in seen)
        raise ValueError(f"no case fits {shown}")

    def put(self, value: Any, old: Any = None) -> Any:
        for canonical, pattern in self.rows:
            if canonical == value:
                return [ABSENT if wanted[0] == OTHER else wanted[0] for wanted in pattern]
        raise ValueError(f"no case says how {value!r} is written")


def _fits(part: Any, wanted: list[Any]) -> bool:
    for one in wanted:
        if one == OTHER:
            return True
        one = plain(one)
        if part == one and isinstance(part, bool) == isinstance(one, bool):
            return True
        if part is not None and one is not None and str(part) == str(one):
            return True
    return False
