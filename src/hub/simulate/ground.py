"""What is simulated: systems, entities, mappings and policies; the built-in company's or those of a user's project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.connect.capabilities import Resource
from hub.errors import ConfigurationError, RecordRejected
from hub.mapping import load
from hub.mapping.grammar import VERSION
from hub.mapping.lens import Lens, LensField
from hub.model.spec import EntitySpec, FieldSpec
from hub.simulate import values
from hub.sync.policy import Direction, EntityPolicy

Values = dict[str, Any]


@dataclass(slots=True)
class Part:
    """One resource of one system, tied to one entity."""

    system: str
    entity: str
    direction: Direction
    lens: Lens
    resource: Resource
    unproven: str = ""
    """Why the hub makes no records there by itself (see ``Endpoint.unproven``)."""

    def both(self) -> dict[str, LensField]:
        """The fields that are read and written."""
        return {name: f for name, f in self.lens.fields.items() if f.direction == "both"}


@dataclass(slots=True)
class Ground:
    """Everything that stays the same from seed to seed."""

    specs: dict[str, EntitySpec]
    policies: dict[str, EntityPolicy]
    parts: dict[tuple[str, str], Part]
    builtin: bool = False
    """Habits of its systems are made up; a project's come from what its resources say."""
    functions: Mapping[str, Any] | None = None
    keys: dict[str, str] = field(default_factory=dict)
    """Entity → the canonical field that tells its records apart, everywhere."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Entity → why it can't be simulated."""
    _variants: dict[tuple[str, str, str], Lens] = field(default_factory=dict)
    _demanded: dict[tuple[str, str], bool] = field(default_factory=dict)

    def settle(self) -> Ground:
        """Find the keys; leave out what can't be told apart. Raises ConfigurationError when nothing is left."""
        for entity in list(self.policies):
            key = self._key(entity)
            if key is None:
                self.left_out[entity] = "no match rule names a text that all its mappings read and write as it is"
                self._drop(entity)
            else:
                self.keys[entity] = key
        if not self.policies:
            why = "; ".join(f"{entity}: {reason}" for entity, reason in self.left_out.items())
            raise ConfigurationError(
                f"nothing here can be simulated: {why}",
                where="hub.yaml",
                cure="give an entity a match rule over a number, a name or a tax id",
            )
        return self

    def _drop(self, entity: str) -> None:
        del self.policies[entity]
        for key in [key for key in self.parts if key[1] == entity]:
            del self.parts[key]

    def of_entity(self, entity: str) -> list[Part]:
        return [part for (_, of), part in self.parts.items() if of == entity]

    def _key(self, entity: str) -> str | None:
        parts = self.of_entity(entity)
        rules = [rule for part in parts for rule in part.lens.match]
        for rule in dict.fromkeys(rules):
            if all(self._kept(part, name) for part in parts for name in rule):
                return rule[0]
        return None

    def _kept(self, part: Part, name: str) -> bool:
        """Whether a made-up text in this field comes back from this system just as it was written."""
        spec = self.specs[part.entity].fields.get(name)
        lens_field = part.lens.fields.get(name)
        if spec is None or lens_field is None or lens_field.direction != "both" or spec.type not in values.NAMING:
            return False
        made = values.fresh(spec, 17, long=False)
        try:
            return bool(part.lens.get(part.lens.put({name: made}, {})).values.get(name) == made)
        except RecordRejected:
            return False

    def also(self, entity: str, key: str) -> tuple[str, ...]:
        """Fields that a record needs besides its key, to be found by the rule the key comes from."""
        for part in self.of_entity(entity):
            for rule in part.lens.match:
                if rule[0] == key:
                    return rule[1:]
        return ()

    def demanded(self, entity: str, name: str) -> bool:
        """Whether some system takes no record without a value in this field."""
        if (entity, name) not in self._demanded:
            self._demanded[entity, name] = any(_demands(part.lens, name) for part in self.of_entity(entity))
        return self._demanded[entity, name]

    def variant(self, part: Part, dropped: str) -> Lens:
        """The part's mapping without one field. Raises ConfigurationError when that leaves no mapping."""
        name = (part.system, part.entity, dropped)
        if name not in self._variants:
            said = dict(getattr(part.lens, "said", {}))
            said["fields"] = {key: rule for key, rule in said["fields"].items() if key != dropped}
            lens, problems = load(
                f"version: {VERSION}\n",
                specs=self.specs,
                resource=part.resource if part.resource.fields else None,
                overrides=said,
                functions=None if self.functions is None else dict(self.functions),
                file=f"{part.system}/{part.entity} without {dropped}",
            )
            if lens is None:
                raise ConfigurationError(str(problems[0]) if problems else "no mapping is left")
            self._variants[name] = lens
        return self._variants[name]

    def spec(self, entity: str, path: str) -> FieldSpec | None:
        """The canonical field at a path: ``name`` or ``lines[3].quantity``."""
        head, _, rest = path.partition("[")
        found = self.specs[entity].fields.get(head)
        if rest and found is not None and found.lines is not None:
            return found.lines.fields.get(rest.partition("].")[2])
        return found


def _demands(lens: Lens, name: str) -> bool:
    try:
        lens.put({name: None}, {})
    except RecordRejected as error:
        return error.field == name
    return False
