"""From the ``entities:`` section to the engine's policies, with every name checked against what it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub.mapping.lens import Problem
from hub.mapping.reading import Section, Where
from hub.mapping.suggest import did_you_mean
from hub.model.declare import by_reference
from hub.model.spec import EntitySpec
from hub.project.config import EntityConfig, HubConfig
from hub.sync.policy import Budget, EntityPolicy


def policies(
    config: HubConfig, specs: dict[str, EntitySpec], section: Section
) -> tuple[dict[str, EntityPolicy], list[Problem]]:
    """The policies of all known entities, referred-to entities first, and what is wrong with the section."""
    problems: list[Problem] = []
    for name, entity in config.entities.items():
        if name in specs:
            problems += _entity(name, entity, specs[name], config, section)
        else:
            cure = did_you_mean(name, specs, noun="known entities:")
            problems.append(Problem(section.key_at(("entities", name)), f"unknown entity {name!r}", cure))
    made = {name: _policy(name, config.entities[name]) for name in by_reference(specs) if name in config.entities}
    return made, problems


def _policy(name: str, entity: EntityConfig) -> EntityPolicy:
    return EntityPolicy(
        name,
        {system: part.direction for system, part in entity.systems.items()},
        authority=dict(entity.authority),
        conflict=entity.conflict,
        field_conflict=dict(entity.field_conflict),
        deletes=entity.deletes,
        budget=Budget(entity.budget.floor, entity.budget.share),
        create={system: bool(allowed) for system, allowed in entity.create.items()},
        unproven=[system for system, allowed in entity.create.items() if allowed == "unproven"],
        partitions=entity.partitions,
    )


def _entity(
    name: str, entity: EntityConfig, spec: EntitySpec, config: HubConfig, section: Section
) -> Iterator[Problem]:
    top: Where = ("entities", name)
    for system in entity.systems:
        yield from _known(system, config.systems, section, (*top, "systems", system), "system")
    for field in (*entity.authority, *entity.field_conflict):
        part = "authority" if field in entity.authority else "field_conflict"
        yield from _known(field, spec.fields, section, (*top, part, field), f"field of {name}")
    for field, owner in entity.authority.items():
        where: Where = (*top, "authority", field)
        yield from _taking_part(owner, entity, section, where)
        if owner in entity.systems and entity.systems[owner].direction == "out":
            yield Problem(
                section.at(where),
                f"{owner!r} can't own {field!r}: the hub only writes to it",
                f"set entities.{name}.systems.{owner} to both or in, or name another owner",
            )
    for system in entity.create:
        yield from _taking_part(system, entity, section, (*top, "create", system), key=True)
    yield from _conflicts(name, entity, section, top)
    yield from _flow(name, entity, section, top)


def _conflicts(name: str, entity: EntityConfig, section: Section, top: Where) -> Iterator[Problem]:
    rules = [((*top, "conflict"), "", entity.conflict)]
    rules += [((*top, "field_conflict", field), field, rule) for field, rule in entity.field_conflict.items()]
    for where, field, rule in rules:
        if isinstance(rule, tuple):
            for at, system in enumerate(rule):
                yield from _taking_part(system, entity, section, (*where, at))
        elif rule == "owner" and (field not in entity.authority if field else not entity.authority):
            whose = f"the field {field!r}" if field else "any field"
            yield Problem(
                section.at(where),
                f"conflicts go to the owner, but nobody owns {whose} of {name}",
                "name the owners below authority:, or choose newest, hold or a list of systems",
            )


def _flow(name: str, entity: EntityConfig, section: Section, top: Where) -> Iterator[Problem]:
    directions = [part.direction for part in entity.systems.values()]
    where: Where = (*top, "systems")
    if all(direction == "out" for direction in directions):
        yield Problem(section.at(where), f"no system gives any {name}: all are 'out'", "set one to both or in")
    elif len(directions) > 1 and all(direction == "in" for direction in directions):
        yield Problem(
            section.at(where), f"no system receives any {name}: all are 'in'", "set one to both or out", "warning"
        )


def _known(name: str, known: Iterable[str], section: Section, where: Where, noun: str) -> Iterator[Problem]:
    if name not in known:
        yield Problem(section.key_at(where), f"unknown {noun} {name!r}", did_you_mean(name, known, noun="known:"))


def _taking_part(
    system: str, entity: EntityConfig, section: Section, where: Where, *, key: bool = False
) -> Iterator[Problem]:
    if system not in entity.systems:
        position = section.key_at(where) if key else section.at(where)
        cure = did_you_mean(system, entity.systems, noun="taking part:")
        yield Problem(position, f"the system {system!r} takes no part in this entity", cure)
