"""Fields of models as ``fields_get`` tells them: Tryton, Odoo and their relatives have that in common.

A definition has a ``type`` (``char``, ``many2one``, ``one2many`` …), ``relation``, ``string``, ``required``,
``readonly``, ``selection`` and ``searchable``. Children (``one2many``) are read and written with their record, as
lines; so is the record that a model is a part of, where the connector names the field that leads there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from hub.connect.capabilities import Field, FieldType, Record
from hub.connect.lines import Compared, changed, compared
from hub.errors import ConfigurationError, RecordRejected

Definitions = dict[str, dict[str, Any]]
Typed = Callable[[str, Any, str], Any]
"""(field, value, its type there) → the value as the product takes it."""
Commands = Callable[[Compared], Any]
"""What changes children: new ones and those that stay have their values as the product takes them."""

TYPES: dict[str, FieldType] = {
    "char": "text", "text": "text", "fullname": "text", "reference": "text", "integer": "integer", "bigint": "integer",
    "numeric": "decimal", "float": "decimal", "boolean": "boolean", "date": "date", "datetime": "datetime",
    "timestamp": "datetime", "selection": "choice", "multiselection": "choices", "many2one": "integer",
    "one2many": "lines", "many2many": "any",
}  # fmt: skip
OWN = frozenset({"xml_id", "rec_name", "create_uid", "write_uid", "create_date", "write_date", "last_modified_at"})
"""Fields that every model has, and nobody maps."""
DEAR = frozenset({"float", "integer", "boolean", "many2one", "one2many", "binary", "dict", "timedelta"})
"""Types that are worked out at a price where they can't be searched for: not read with lines."""


class ModelFields:
    """The fields of one system's models, each asked for once.

    ``ask``: model → definitions, raising RecordRejected for a model that isn't there. ``part``: model → the field that
    leads to the record it is a part of.
    """

    def __init__(self, ask: Callable[[str], Definitions], part: Callable[[str], str | None], where: str) -> None:
        self._ask, self._part, self._where = ask, part, where
        self._known: dict[str, Definitions] = {}

    def of(self, model: str) -> Definitions:
        """Raises ConfigurationError for a model that isn't there."""
        if model not in self._known:
            try:
                self._known[model] = self._ask(model)
            except RecordRejected as error:
                raise ConfigurationError(f"there is no model {model!r}", where=self._where) from error
        return self._known[model]

    def forget(self, model: str) -> None:
        """Ask anew at the next chance."""
        self._known.pop(model, None)

    def relation(self, model: str, name: str) -> str:
        """The model that a field leads to."""
        return str(self.of(model)[name]["relation"])

    def below(self, model: str, name: str) -> Definitions | None:
        """The fields of what a field holds as records; None for a plain value."""
        lines = self.of(model).get(name, {}).get("type") == "one2many"
        return self.of(self.relation(model, name)) if lines or name == self._part(model) else None

    def paths(self, model: str, fields: Sequence[str]) -> list[str]:
        """What to ask for, so that lines come as records. Raises ConfigurationError for fields that aren't there."""
        definitions = self.of(model)
        wanted = list(fields) or simple(definitions)
        if unknown := [name for name in wanted if name not in definitions]:
            raise ConfigurationError(f"{model} has no field {', '.join(unknown)}", where=self._where)
        paths = []
        for name in wanted:
            below = self.below(model, name)
            paths += [name] if below is None else [f"{name}.{one}" for one in ["id", *simple(below)]]
        return paths

    def values(self, model: str, values: Record, there: Record, typed: Typed, commands: Commands) -> Record:
        """A record's values as the product takes them; ``there``: what it has now, of lines and parts only the
        changes are sent."""
        definitions, made = self.of(model), {}
        for name, value in values.items():
            below = self.below(model, name)
            if below is None:
                made[name] = typed(name, value, definitions.get(name, {}).get("type", "char"))
            elif definitions[name]["type"] == "one2many":
                lines = compared(there.get(name) or [], value or [], lambda line: line.get("id"))
                lines.new = [row(line, below, typed) for line in lines.new]
                kept = [(row(changed(line, now), below, typed, new=False), now) for line, now in lines.kept]
                lines.kept = [(line, now) for line, now in kept if line]
                made[name] = commands(lines)
            else:
                made[name] = row(changed(value or {}, there.get(name) or {}), below, typed)
        return made

    def described(self, model: str, given: Collection[str], writable: Collection[str] = ()) -> tuple[Field, ...]:
        """The fields as the hub knows them. ``given``: names of those that the product fills in by itself;
        ``writable``: of those that a connector changes in another way than by writing them."""
        fields = [
            _field(name, one, self._inside(model, name), given=name in given) for name, one in self.of(model).items()
        ]
        return tuple(replace(one, read_only=one.read_only and one.name not in writable) for one in fields)

    def lines(self, model: str) -> list[str]:
        """The fields that hold children."""
        return [name for name, one in self.of(model).items() if one["type"] == "one2many"]

    def _inside(self, model: str, name: str) -> tuple[Field, ...]:
        below = self.below(model, name) or {}
        return tuple(_field(one, below[one]) for one in simple(below))


def simple(definitions: Definitions) -> list[str]:
    """The fields worth reading without being asked for."""
    return [name for name, one in definitions.items() if name not in OWN and _cheap(one)]


def row(values: Record, definitions: Definitions, typed: Typed, *, new: bool = True) -> Record:
    """What of a child's values can be written, as the product takes it. Lists of references only in ``new`` ones."""
    names: Iterable[str] = [name for name in values if name in definitions and name != "id"]
    return {
        name: typed(name, values[name], definitions[name]["type"])
        for name in names
        if not definitions[name].get("readonly") and (new or definitions[name]["type"] != "many2many")
    }


def _cheap(one: Record) -> bool:
    plain = one["type"] in TYPES and one["type"] != "one2many"
    return plain and bool(one.get("searchable") or one["type"] not in DEAR)


def _field(name: str, one: Record, inside: tuple[Field, ...] = (), *, given: bool = False) -> Field:
    choices, part = one.get("selection"), bool(inside) and one["type"] == "many2one"
    return Field(
        name=name,
        type="object" if part else TYPES.get(one["type"], "any"),
        label=str(one.get("string") or name),
        required=bool(one.get("required")) and not given,
        read_only=bool(one.get("readonly")),
        max_length=one["size"] if isinstance(one.get("size"), int) else None,
        choices=tuple(str(choice[0]) for choice in choices if choice[0]) if isinstance(choices, list) else (),
        reference=one.get("relation") if one["type"] == "many2one" and not part else None,
        fields=inside,
    )
