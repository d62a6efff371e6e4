"""From a manifest file to a checked product, or to the list of everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.connect.positions import Position, Problem
from hub.connect.reading import Section, Where, read_yaml
from hub.connect.suggest import did_you_mean
from hub.connect.validate import validated
from hub.errors import ConfigurationError

from .checking import check
from .grammar import ResourceConfig, RestManifest

OPERATIONS = ("list", "get", "lookup", "create", "update", "upsert", "delete")
ANY = "*"
HEAD = frozenset(("connector", "name", "title", "description", "documentation", "version"))


@dataclass(frozen=True, slots=True)
class Product:
    """A manifest that was found right. The resources have what ``defaults`` gives them."""

    manifest: RestManifest
    file: Path

    @property
    def named(self) -> dict[str, ResourceConfig]:
        """The resources that have a name in the manifest."""
        return {name: one or ResourceConfig() for name, one in self.manifest.resources.items() if name != ANY}

    def resource(self, name: str, where: str) -> ResourceConfig:
        """Raises ConfigurationError for a resource that the manifest does not know."""
        found = self.manifest.resources.get(name) or self.manifest.resources.get(ANY)
        if found is None:
            known = [known for known in self.manifest.resources if known != ANY]
            cure = did_you_mean(name, known, noun="resources of its manifest:")
            raise ConfigurationError(f"there is no resource {name!r}", where=where, cure=cure)
        return found


def load(source: Path | str, *, file: str | None = None) -> tuple[Product | None, list[Problem]]:
    """A manifest (its path, or its text) and its problems, sorted by position. Never raises for what a file says."""
    section, problems = read_yaml(source, file=file)
    if section is None:
        return None, problems
    section = with_defaults(section)
    manifest, more = validated(RestManifest, section, noun="a manifest")
    problems += more
    path = source if isinstance(source, Path) else Path(file or section.file)
    if manifest is not None:
        problems += check(manifest, section, path.parent)
    problems = sorted(dict.fromkeys(problems), key=lambda p: (p.position, p.message))
    if manifest is None or any(p.severity == "error" for p in problems):
        return None, problems
    return Product(manifest, path), problems


def require(source: Path | str, *, file: str | None = None) -> Product:
    """The product; raises ConfigurationError with the first problem, and says how many more there are."""
    product, problems = load(source, file=file)
    if product is None:
        wrong = [p for p in problems if p.severity == "error"]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise ConfigurationError(f"{wrong[0].message}{more}", where=str(wrong[0].position), cure=wrong[0].cure or None)
    return product


def with_defaults(section: Section) -> Section:
    """Each resource with what ``defaults`` says and it does not; null takes a default away. Positions stay those of
    the lines that said it."""
    data = section.data
    if not isinstance(data, dict) or not isinstance(data.get("resources"), dict):
        return section
    defaults = data.get("defaults")
    if not isinstance(defaults, dict):
        return section
    made = dict(data["resources"])
    keys, values = dict(section.keys), dict(section.values)
    for name, own in made.items():
        if own is None or isinstance(own, dict):
            made[name] = _merged(defaults, own or {}, ("defaults",), ("resources", name), (keys, values))
    return Section({**data, "resources": made}, section.file, keys, values)


def _merged(
    default: dict[Any, Any],
    own: dict[Any, Any],
    from_: Where,
    to: Where,
    marks: tuple[dict[Where, Position], dict[Where, Position]],
) -> dict[Any, Any]:
    made = {key: value for key, value in own.items() if key not in default}
    for key, value in default.items():
        mine = own.get(key)
        if key in OPERATIONS and len(to) == 2:
            value, mine = _long(value), _long(mine) if mine is not None else mine
        if key in own and mine is None:
            continue
        if key in own and not (isinstance(mine, dict) and isinstance(value, dict)):
            made[key] = mine
        elif key in own and mine is not None:
            made[key] = _merged(value, mine, (*from_, key), (*to, key), marks)
        else:
            made[key] = value
            _copy(marks, (*from_, key), (*to, key))
    return made


def _long(value: Any) -> Any:
    return {"call": value} if isinstance(value, str) else value


def _copy(marks: tuple[dict[Where, Position], dict[Where, Position]], from_: Where, to: Where) -> None:
    size = len(from_)
    for places in marks:
        for place in [place for place in places if place[:size] == from_]:
            places[to + place[size:]] = places[place]
