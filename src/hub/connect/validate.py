"""Pydantic's findings, told to a person at the place in the file where the mistake is.

Works for any pydantic model that was read from a ``Section``: mapping files and ``hub.yaml`` alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hub.connect.positions import Problem
from hub.connect.reading import Section, Where
from hub.connect.suggest import did_you_mean

Model = TypeVar("Model", bound=BaseModel)

_WANTED = {
    "string_type": "a text", "bool_type": "true or false", "int_type": "a whole number", "dict_type": "a mapping",
    "list_type": "a list", "decimal_type": "a number", "model_type": "a mapping", "float_type": "a number",
    "bool_parsing": "true or false", "int_parsing": "a whole number", "decimal_parsing": "a number",
    "model_attributes_type": "a mapping", "int_from_float": "a whole number",
}  # fmt: skip


def validated(model: type[Model], section: Section, *, noun: str = "this file") -> tuple[Model | None, list[Problem]]:
    """The section as a model, or its problems, sorted by position. ``noun`` says what it is ('a mapping file')."""
    if not isinstance(section.data, dict):
        kind = "is empty" if section.data is None else f"holds {_a(section.data)}"
        return None, [Problem(section.at(), f"{noun} {kind}, a mapping of keys was expected", _needed(model))]
    try:
        return model.model_validate(section.data), []
    except ValidationError as error:
        problems = _told(model, section, error)
    return None, sorted(problems, key=lambda p: p.position)


def told(model: type[BaseModel], section: Section, error: ValidationError) -> list[Problem]:
    """The problems of a validation that somebody else made of the section's data."""
    return sorted(_told(model, section, error), key=lambda p: p.position)


def _told(model: type[BaseModel], section: Section, error: ValidationError) -> list[Problem]:
    seen: dict[tuple[Where, str], Problem] = {}
    for detail in error.errors(include_url=False):
        where = located(section.data, detail["loc"])
        problem = _problem(model, section, where, dict(detail))
        seen.setdefault((where, _family(detail["type"])), problem)
    deeper = {where[:size] for where, _ in seen for size in range(len(where))}
    # Where one alternative of a union fits but for something inside of it, that something is the problem.
    return [problem for (where, family), problem in seen.items() if family != "type" or where not in deeper]


def _family(kind: str) -> str:
    """Alternatives of a union fail one by one; to a person that is one problem."""
    return "type" if kind in _WANTED else kind


def located(data: Any, loc: tuple[Any, ...]) -> Where:
    """The place in the data that pydantic's location means: names of union alternatives are left out."""
    where: list[Any] = []
    here = data
    for index, step in enumerate(loc):
        last = index == len(loc) - 1
        in_list = isinstance(here, list) and isinstance(step, int) and step < len(here)
        if in_list or (isinstance(here, dict) and step in here):
            here = here[step]
        elif not (last and isinstance(here, dict)):
            continue
        where.append(step)
    return tuple(where)


def _problem(model: type[BaseModel], section: Section, where: Where, detail: dict[str, Any]) -> Problem:
    kind = detail["type"]
    key = where[-1] if where else ""
    allowed = list(_keys(model, detail["loc"][:-1]))
    if kind == "extra_forbidden":
        cure = did_you_mean(key, allowed, noun="known keys:")
        return Problem(section.key_at(where), f"unknown key {key!r}", cure)
    if kind == "missing":
        return Problem(section.at(where[:-1]), f"{key!r} is missing", _describe(model, detail["loc"]))
    if kind == "literal_error":
        expected = str(detail.get("ctx", {}).get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
        cure = did_you_mean(detail["input"], expected, noun="one of")
        return Problem(section.at(where), f"{key!r} can't be {_show(detail['input'])}", cure)
    if kind in _WANTED:
        wanted = _WANTED[kind]
        if wanted in ("a text", "a number") and detail["input"] is None:
            return Problem(
                section.at(where), f"{key!r} is empty, {wanted} was expected", "give it a value or remove it"
            )
        hint = ""
        if _plain(detail["input"]) and wanted in ("a text", "a list"):
            hint = f'quote it: "{detail["input"]}"' if wanted == "a text" else f"write [{detail['input']}]"
        return Problem(section.at(where), f"{key!r} holds {_a(detail['input'])}, {wanted} was expected", hint)
    if kind in ("too_short", "string_too_short"):
        return Problem(section.at(where), f"{key!r} is empty", _describe(model, detail["loc"]))
    message = detail["msg"].removeprefix("Value error, ")
    return Problem(section.at(where), f"{key!r}: {message[:1].lower()}{message[1:]}")


def plainly(detail: dict[str, Any]) -> str:
    """What one of pydantic's findings means, for a message."""
    kind = detail["type"]
    if kind == "missing":
        return "is missing"
    if kind in _WANTED:
        return f"{_a(detail['input'])} is not {_WANTED[kind]}"
    if kind == "literal_error":
        return f"{_show(detail['input'])} is not one of {detail['ctx']['expected'].replace(' or ', ', ')}"
    message = str(detail["msg"]).removeprefix("Value error, ").replace("Input should", "it should")
    return message


def _keys(model: type[BaseModel], loc: tuple[Any, ...]) -> Iterator[str]:
    """The keys that the model allows at a place."""
    found = _model_at(model, loc)
    if found is not None:
        for name, info in found.model_fields.items():
            yield info.alias or name


def _model_at(model: type[BaseModel], loc: tuple[Any, ...]) -> type[BaseModel] | None:
    here: type[BaseModel] | None = model
    for step in loc:
        if here is None:
            return None
        by_name = {info.alias or name: info for name, info in here.model_fields.items()}
        if isinstance(step, str) and step in by_name:
            inner = list(_models(by_name[step].annotation))
            here = inner[0] if inner else None
    return here


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in (*getattr(annotation, "__args__", ()), getattr(annotation, "__origin__", None)):
        if part is not None and part is not annotation and not isinstance(part, str):
            yield from _models(part)


def _describe(model: type[BaseModel], loc: tuple[Any, ...]) -> str:
    found = _model_at(model, loc[:-1])
    info = found.model_fields.get(str(loc[-1])) if found else None
    return f"add '{loc[-1]}:' ({info.description})" if info and info.description else f"add '{loc[-1]}:'"


def _needed(model: type[BaseModel]) -> str:
    needed = [info.alias or name for name, info in model.model_fields.items() if info.is_required()]
    return "it needs " + ", ".join(needed) if needed else ""


def _plain(value: Any) -> bool:
    return value is not None and not isinstance(value, (dict, list))


def _a(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the word {str(value).lower()} (a yes or no)"
    if isinstance(value, dict):
        return "a mapping"
    return (
        "a list"
        if isinstance(value, list)
        else f"the text {value!r}"
        if isinstance(value, str)
        else f"the number {value}"
    )


def _show(value: Any) -> str:
    return repr(value) if isinstance(value, (str, int)) else _a(value)
