"""Finding a path's field in the resource's own description, and what a write to it has to carry along."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from hub.connect.capabilities import Field
from hub.mapping.operators.base import FitError
from hub.mapping.paths import Item, Matching, Step, show
from hub.mapping.suggest import a, did_you_mean

Kind = Literal["partial", "whole", "fresh"]
ANY = Field("", "any")


class Remote:
    """The fields of a resource (or of its lines). Without a description everything is allowed and of type ``any``."""

    def __init__(self, fields: Iterable[Field], owner: str) -> None:
        self.fields = {field.name: field for field in fields}
        self.owner = owner

    @property
    def known(self) -> bool:
        return bool(self.fields)

    def lines(self, steps: tuple[Step, ...]) -> Remote:
        """The fields of a lines field's lines. Raises FitError when the path leads to something else."""
        field = self.find(steps)
        if field.type not in ("lines", "object", "any"):
            raise FitError(
                f"{show(steps)} is {a(field.type)} in {self.owner}, not a list of lines", "map it without fields"
            )
        return Remote(field.fields, f"{self.owner}.{show(steps)}")

    def find(self, steps: tuple[Step, ...]) -> Field:
        """The field at a path. Raises FitError for a name that isn't there."""
        if not self.known:
            return ANY
        whole = self.fields.get(".".join(map(str, steps))) if all(isinstance(step, str) for step in steps) else None
        if whole is not None:
            return whole
        here = Field(self.owner, "object", fields=tuple(self.fields.values()))
        for index, step in enumerate(steps):
            here = _below(here, step, show(steps[:index]) or self.owner, "field" if index == 0 else "member")
        return here

    def kinds(self, steps: tuple[Step, ...], is_ref: bool) -> tuple[Kind, ...]:
        """For each step but the last: how the object there is written (see ``paths.Target``)."""
        made: list[Kind] = []
        for index in range(1, len(steps)):
            field = self._quiet(steps[:index])
            following = steps[index]
            if not isinstance(following, str) or not isinstance(steps[index - 1], str):
                made.append("whole")
            elif field.type == "reference" or (is_ref and index == len(steps) - 1):
                made.append("fresh")
            else:
                made.append("partial" if field.type == "object" and field.fields else "whole")
        return tuple(made)

    def is_reference(self, steps: tuple[Step, ...]) -> bool:
        """Whether the path names a member of a reference."""
        return len(steps) > 1 and self._quiet(steps[:-1]).type == "reference"

    def _quiet(self, steps: tuple[Step, ...]) -> Field:
        try:
            return self.find(steps)
        except FitError:
            return ANY


def _below(here: Field, step: Step, shown: str, noun: str) -> Field:
    if isinstance(step, (Item, Matching)):
        if here.type not in ("lines", "choices", "object", "any"):
            raise FitError(f"{shown} is {a(here.type)}, not a list, so [ ] finds nothing in it", "leave [ ] out")
        return Field(here.name, "object" if here.fields else "any", fields=here.fields, read_only=here.read_only)
    if here.type == "any" or (here.type in ("object", "reference", "lines") and not here.fields):
        return Field(step, "any", read_only=here.read_only)
    if here.type == "lines":
        raise FitError(
            f"{shown} is a list of lines, so {step!r} would be many values",
            f"write {{field: {shown}, key: …, fields: …}}",
        )
    if here.type not in ("object", "reference"):
        raise FitError(f"{shown} is {a(here.type)} and has no members", f"write {shown}")
    for field in here.fields:
        if field.name in (step, f"{here.name}.{step}"):
            return field if not here.read_only or field.read_only else _as_read_only(field)
    names = [field.name.removeprefix(f"{here.name}.") for field in here.fields]
    raise FitError(f"{shown} has no {noun} {step!r}", did_you_mean(step, names, noun="it has"))


def _as_read_only(field: Field) -> Field:
    return Field(
        field.name, field.type, read_only=True, max_length=field.max_length, choices=field.choices, fields=field.fields
    )
