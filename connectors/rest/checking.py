"""What the grammar alone can't see: paths and places to fill that make sense, and parts that need each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from hub.connect.paths import PathError, parse
from hub.connect.positions import Problem
from hub.connect.reading import Section, Where
from hub.connect.suggest import did_you_mean
from hub.connect.templates import Template, TemplateError, template

from . import checking_parts, checking_resources
from .grammar import RestManifest
from .grammar_calls import Call
from .scopes import EACH, SETTINGS, known_names

_CALL = re.compile(r"(\w+) +(\S+)")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HOOK = re.compile(r"[A-Za-z_]\w*:[A-Za-z_]\w*")
_ANYTHING = ("body", "query", "set", "defaults")


@dataclass(slots=True)
class Finder:
    """Looks at every text of a manifest that means something."""

    manifest: RestManifest
    section: Section
    folder: Path

    def problems(self) -> Iterator[Problem]:
        yield from self.model(self.manifest, ())

    def model(self, model: BaseModel, where: Where) -> Iterator[Problem]:
        if isinstance(model, Call) and not model.call and where[0] != "defaults":
            cure = "add 'call:' (method and path, like GET /items)"
            yield Problem(self.section.key_at(where), "'call' is missing", cure)
        hints = get_type_hints(type(model), include_extras=True)
        for name, info in type(model).model_fields.items():
            if name not in model.model_fields_set:
                continue
            here = (*where, info.alias or name)
            value = getattr(model, name)
            if here[-1] in _ANYTHING and where and where[-2:-1] != ("fields",):
                yield from self.anything(value, here)
            else:
                yield from self.value(hints[name], value, here)

    def value(self, hint: Any, value: Any, where: Where) -> Iterator[Problem]:
        origin, args = get_origin(hint), get_args(hint)
        if value is None:
            return
        if isinstance(value, BaseModel):
            yield from self.model(value, where)
        elif origin is Annotated and isinstance(value, str):
            kinds = {arg for arg in args[1:] if isinstance(arg, str)}
            yield from self.text(kinds, value, where)
            if not kinds:
                yield from self.value(args[0], value, where)
        elif origin is Annotated:
            yield from self.value(args[0], value, where)
        elif origin in (Union, UnionType):
            for arg in args:
                if arg is not NoneType and (get_origin(arg) is not None or not isinstance(value, BaseModel)):
                    yield from self.value(arg, value, where)
        elif origin is dict and isinstance(value, dict):
            for key, item in value.items():
                yield from self.value(args[1], item, (*where, key))
        elif origin is list and isinstance(value, list):
            for index, item in enumerate(value):
                place = (*where, index)
                yield from self.value(args[0], item, place if place in self.section.values else where)

    def anything(self, value: Any, where: Where) -> Iterator[Problem]:
        if isinstance(value, str):
            yield from self.filled(value, where)
        elif isinstance(value, dict):
            for key, item in value.items():
                if value.keys() != EACH:
                    yield from self.anything(str(key), (*where, key))
                yield from self.anything(item, (*where, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.anything(item, (*where, index))

    def text(self, kinds: set[str], value: str, where: Where) -> Iterator[Problem]:
        if "template" in kinds:
            yield from self.filled(value, where)
        elif "path" in kinds:
            yield from self.path(value, where)
        elif "call" in kinds:
            yield from self.call(value, where)
        elif "hook" in kinds:
            yield from self.hook(value, where)

    def filled(self, value: str, where: Where) -> Iterator[Problem]:
        try:
            made = template(value)
        except TemplateError as problem:
            yield self.at(where, str(problem))
            return
        yield from self.slots(made, where)

    def slots(self, made: Template, where: Where) -> Iterator[Problem]:
        names = known_names(where)
        if names is None:
            return
        for slot in made.slots:
            if slot.name not in names:
                yield self.at(where, f"nothing is called {{{slot.name}}} here", did_you_mean(slot.name, sorted(names)))
            elif slot.name == "settings":
                known = [*self.manifest.settings, *SETTINGS]
                setting = str(slot.steps[1]) if len(slot.steps) > 1 else ""
                if setting not in known:
                    cure = did_you_mean(setting, known) if setting else "write {settings.NAME}"
                    told = f"the setting {setting!r} is not declared" if setting else "{settings} is all of them"
                    yield self.at(where, told, cure)

    def path(self, value: str, where: Where) -> Iterator[Problem]:
        if value == "." or value.startswith(("header:", "cookie:")):
            return
        try:
            parse(value)
        except PathError as problem:
            yield self.at(where, f"path {value!r}: {problem}")

    def call(self, value: str, where: Where) -> Iterator[Problem]:
        place = where if where in self.section.values else where[:-1]
        found = _CALL.fullmatch(value.strip())
        if found is None:
            yield self.at(place, f"{value!r} is no call", "write method and path: GET /items/{resource}")
        elif found[1] not in _METHODS:
            yield self.at(place, f"{found[1]!r} is no method", f"one of {', '.join(_METHODS)}")
        elif not found[2].startswith("/"):
            yield self.at(place, f"the path {found[2]!r} does not begin with '/'", f"write {found[1]} /{found[2]}")
        else:
            yield from (Problem(self.section.at(place), p.message, p.cure) for p in self.filled(found[2], where[:-1]))

    def hook(self, value: str, where: Where) -> Iterator[Problem]:
        if not _HOOK.fullmatch(value):
            yield self.at(where, f"{value!r} names no function", "write file:function, like hooks:read_record")
            return
        file, _, function = value.partition(":")
        path = self.folder / f"{file}.py"
        if not path.is_file():
            yield self.at(where, f"there is no {file}.py beside the manifest")
        elif not re.search(rf"^def {function}\(", path.read_text("utf-8"), re.MULTILINE):
            yield self.at(where, f"{file}.py has no function {function!r}")

    def at(self, where: Where, message: str, cure: str = "") -> Problem:
        return Problem(self.section.at(where), message, cure)


def check(manifest: RestManifest, section: Section, folder: Path) -> list[Problem]:
    """Everything wrong with a manifest that has the right shape."""
    return [
        *Finder(manifest, section, folder).problems(),
        *checking_parts.problems(manifest, section),
        *checking_resources.problems(manifest, section),
    ]
