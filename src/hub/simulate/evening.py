"""The last evening: in a company at rest, where all agree, a few things happen that have one right outcome. During a
life nearly everything is touched by somebody in between, and hardly a deletion can be judged."""

from __future__ import annotations

from hub.simulate import values as made
from hub.simulate.ground import Part
from hub.simulate.judge import Judge
from hub.simulate.world import World

NUMBER = 800_000
"""No event of a life comes to so high a number: its values are unlike all others."""


def evening(world: World, judge: Judge) -> bool:
    """Of each entity, one record is deleted in one system, and a field of another is edited in two systems at once.
    False where there is nothing to do it with."""
    world.story.append(f"{world.clock.since()}  the last evening")
    before = len(world.story)
    for turn, entity in enumerate(world.entities):
        parts = [part for part in world.parts(entity) if part.direction != "out"]
        alike = _alike(world, judge, entity)
        if parts and alike:
            system = parts[turn % len(parts)].system
            world.do({"do": "delete", "system": system, "entity": entity, "tag": alike.pop()})
        if len(parts) > 1 and alike:
            _contest(world, judge, parts[-2:], alike[0], turn)
    return len(world.story) > before


def _contest(world: World, judge: Judge, parts: list[Part], tag: str, turn: int) -> None:
    """Users of these systems give one field of a record different values."""
    entity = parts[0].entity
    spec, key = world.ground.specs[entity], world.ground.keys[entity]
    fixed = {key, *world.ground.also(entity, key)}
    fields = [
        name
        for name, field in spec.fields.items()
        if name not in fixed and field.type in made.TRACEABLE and judge.shared(entity, name)
    ]
    for place, part in enumerate(parts if fields else ()):
        field = fields[turn % len(fields)]
        value = made.fresh(spec.fields[field], NUMBER + len(parts) * turn + place, long=False)
        world.do({"do": "edit", "system": part.system, "entity": entity, "tag": tag, "values": {field: value}})


def _alike(world: World, judge: Judge, entity: str) -> list[str]:
    """Records that are alive in every system, and to which nothing refers."""
    meant = {
        str(value)[1:]
        for systems in judge.rows.values()
        for rows in systems.values()
        for value in rows[0].flat.values()
        if str(value).startswith("@")
    }
    names = {part.system for part in world.parts(entity)}
    return [
        tag
        for (of, tag), systems in judge.rows.items()
        if of == entity
        and tag not in meant
        and (entity, tag) not in judge.tainted
        and systems.keys() == names
        and all(len(rows) == 1 and not rows[0].archived for rows in systems.values())
    ]
