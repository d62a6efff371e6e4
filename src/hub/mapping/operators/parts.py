"""Operators between one canonical field and several remote ones, or the other way round."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field as Arg

from hub.connect.capabilities import FieldType
from hub.mapping.operators.base import TEXTS, WRITABLE_AS_TEXT, Args, FitError, Operator, Place
from hub.model import forms


class JoinArgs(Args):
    separator: str = Arg(" ", description="Stands between the parts.")
    rest: Literal["first", "last"] = Arg("last", description="The part that takes what is too much when splitting.")
    single: Literal["first", "last"] = Arg("first", description="The part that takes a text which can't be split.")


class Join(Operator):
    """Several remote fields make one canonical text: ``field: [First_Name, Last_Name]``. Written back split.

    Blank parts are left out. Remote parts that already make up the canonical text are not touched.
    """

    name = "join"
    Args = JoinArgs
    shorthand = "separator"
    takes: ClassVar[frozenset[FieldType]] = WRITABLE_AS_TEXT
    several = True

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.count = 0

    def fit(self, place: Place) -> None:
        if not self.args.separator and place.direction == "both":
            raise FitError("without a separator the text can't be split again", "give a separator, or direction: in")

    def get(self, value: Any) -> Any:
        parts = [part for part in map(forms.text, value) if part]
        return self.args.separator.join(parts) if parts else None

    def form(self, value: Any) -> Any:
        """White space around the separator, and parts with nothing in them, are not part of the value."""
        text, separator = forms.text(value), self.args.separator
        if text is None or not separator:
            return text
        split = text.rsplit if self.args.rest == "first" else text.split
        return separator.join(part.strip() for part in split(separator, self.count - 1) if part.strip()) or None

    def put(self, value: Any, old: Any = None) -> Any:
        text, separator, count = str(forms.text(value)), self.args.separator, self.count
        if not separator:
            raise ValueError(f"{forms.show(text)} can't be split without a separator")
        split = text.rsplit if self.args.rest == "first" else text.split
        parts: list[str | None] = [part.strip() or None for part in split(separator, count - 1)]
        missing: list[str | None] = [None] * (count - len(parts))
        return missing + parts if self.args.single == "last" and len(parts) == 1 else parts + missing


class PartArgs(Args):
    separator: str = Arg(min_length=1, description="Stands between the parts.")
    number: int = Arg(ge=1, le=20, description="Which part, counted from 1.")
    of: int = Arg(2, ge=2, le=20, description="How many parts there are; the last takes the rest.")


class Part(Operator):
    """One remote text holds several canonical fields (``"Hamburg, 20457"``): this field is one part of it.

    Written back into the other parts as they are, so all parts of one remote text may be mapped.
    """

    name = "part"
    Args = PartArgs
    takes: ClassVar[frozenset[FieldType]] = TEXTS
    complement = True

    def fit(self, place: Place) -> None:
        if self.args.number > self.args.of:
            raise FitError(f"part {self.args.number} of {self.args.of} does not exist", "make 'of' larger")

    def _parts(self, value: Any) -> list[str]:
        text = forms.text(value) or ""
        parts = [part.strip() for part in text.split(self.args.separator.strip() or " ", self.args.of - 1)]
        return parts + [""] * (self.args.of - len(parts))

    def get(self, value: Any) -> Any:
        return self._parts(value)[self.args.number - 1] or None

    def put(self, value: Any, old: Any = None) -> Any:
        parts = self._parts(old)
        text = "" if value is None else str(forms.text(value))
        if self.args.number < self.args.of and (self.args.separator.strip() or " ") in text:
            raise ValueError(f"{forms.show(text)} holds the separator {self.args.separator!r}, so it can't be one part")
        parts[self.args.number - 1] = text
        wanted = list(parts)
        while parts and not parts[-1]:
            parts.pop()
        made = self.args.separator.join(parts)
        if self._parts(made) != wanted:
            raise ValueError(
                f"{forms.show(text)} can't be part {self.args.number} while a part before it is blank: "
                f"the separator {self.args.separator!r} leaves no trace of a blank part"
            )
        return made or None


class ListArgs(Args):
    separator: str = Arg("; ", min_length=1, description="Stands between the items of the canonical text.")


class ListOf(Operator):
    """A remote list of choices is one canonical text: ``["A", "B"]`` ↔ ``"A; B"``."""

    name = "list"
    Args = ListArgs
    shorthand = "separator"
    takes: ClassVar[frozenset[FieldType]] = frozenset({"choices", "any"})

    def form(self, value: Any) -> Any:
        text, mark = str(value), self.args.separator.strip() or self.args.separator
        return self.args.separator.join(item.strip() for item in text.split(mark) if item.strip()) or None

    def get(self, value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError(f"expected a list, got {forms.show(value)}")
        items = [item for item in map(forms.text, value) if item]
        return self.args.separator.join(items) or None

    def put(self, value: Any, old: Any = None) -> Any:
        mark = self.args.separator.strip() or self.args.separator
        return [item.strip() for item in str(value).split(mark) if item.strip()]
