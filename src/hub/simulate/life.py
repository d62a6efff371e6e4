"""One life: what happens until the end, how everything comes to rest, and what the judge says of it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from hub.errors import HubError
from hub.simulate.chance import Chance, config
from hub.simulate.evening import evening
from hub.simulate.ground import Ground
from hub.simulate.judge import Judge
from hub.simulate.quirks import REFUSED
from hub.simulate.witness import Violation
from hub.simulate.workers import Memory
from hub.simulate.world import World

Event = dict[str, Any]
PASSES_TO_REST = 10
"""After so many undisturbed passes, with people deciding what waits for them, everything must agree."""


@dataclass(slots=True)
class Life:
    """What came of one story."""

    seed: int
    config: Event
    events: list[Event]
    violations: list[Violation] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def laws(self) -> list[str]:
        return list(dict.fromkeys(violation.law for violation in self.violations))


class Simulator:
    """Lives through stories on one ground. Keeps one database in memory and empties it for each."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.memory = Memory()

    def close(self) -> None:
        self.memory.close()

    def live(self, seed: int, steps: int) -> Life:
        """Live through what this seed brings."""
        rng = random.Random(seed)
        life = Life(seed, config(self.ground, rng), [])
        world = self._world(life.config)
        chance = Chance(world, rng)
        done = 0
        while done < steps and not world.witness.violations:
            for event in chance.next():
                life.events.append(event)
                done += 1 + len(event.get("script", ()))
                world.do(event)
        return self._ended(life, world)

    def replay(self, story: Event, *, seed: int = 0) -> Life:
        """Live through a story once more: ``{"config": …, "events": […]}``."""
        life = Life(seed, story["config"], list(story["events"]))
        world = self._world(life.config)
        for event in life.events:
            if not world.witness.violations:
                world.do(event)
        return self._ended(life, world)

    def _world(self, chosen: Event) -> World:
        self.memory.empty()
        return World(self.ground, chosen, self.memory)

    def _ended(self, life: Life, world: World) -> Life:
        life.violations = world.witness.violations or _ending(world)
        life.told = world.story
        return life


def _ending(world: World) -> list[Violation]:
    """What the judge says when everything has come to rest; and once more after the last evening."""
    come_to_rest(world)
    judge = Judge(world)
    found = judge.violations()
    if not found and evening(world, judge):
        _must_settle(world, "after the last evening")
        found = Judge(world).violations()
    return found


def come_to_rest(world: World) -> None:
    """Nobody edits any more, everything works, and people decide what waits for them."""
    world.story.append(f"{world.clock.since()}  everything comes to rest")
    for system in world.systems.values():
        system.down = system.blank = False
        system.faults.clear()
    world.dropped.clear()
    world.directions.clear()
    world.policies.clear()
    if world.people.spoiled:
        _must_settle(world, "with bad records left")
    before = Judge(world) if world.people.spoiled else None
    if before is not None:
        world.witness.violations += [v._replace(law="isolation") for v in before.agreement()]
    world.do({"do": "heal"})
    _must_settle(world)


def _must_settle(world: World, when: str = "") -> None:
    if not settle(world):
        world.witness.broken("convergence", f"no rest after {PASSES_TO_REST} passes {when}".rstrip())


def settle(world: World) -> bool:
    """Passes until one finds nothing to do; and one more, which must find nothing, too."""
    for number in range(PASSES_TO_REST):
        world.clock.wait(400)
        if number == 0 or not world.reports or world.reports[-1].open_conflicts or world.reports[-1].open_letters:
            _people_decide(world, number)
        world.do({"do": "pass", "yes": True, "full": number == 1 and world.hidden})
        report = world.reports[-1] if world.reports else None
        if report is None or report.writes or report.failures or number < 1:
            continue
        if not report.open_conflicts:
            return _is_quiet(world)
    return False


def _people_decide(world: World, number: int) -> None:
    with world.engine(world.worker()) as engine:
        try:
            for conflict in engine.conflicts():
                world.do({"do": "person", "what": "resolve", "nth": 0, "take": _side(conflict)})
            if number < PASSES_TO_REST // 2:
                world.do({"do": "person", "what": "replay"})
        except HubError as error:
            world.witness.broken("no surprises", f"what waits can't be shown: {error}")


def _side(conflict: dict[str, Any]) -> str:
    """What is to be: one or the other, but no text that some system refuses."""
    fine = [side for side in ("theirs", "ours") if REFUSED not in str(conflict[side]).lower()] or ["theirs"]
    return fine[int(conflict["id"]) % len(fine)]


def _is_quiet(world: World) -> bool:
    """Quiescence: the pass after a complete pass writes nothing."""
    before = len(world.witness.writes)
    world.clock.wait(400)
    world.do({"do": "pass", "yes": True})
    report = world.reports[-1]
    if report.writes or len(world.witness.writes) != before:
        world.witness.broken("quiescence", f"nobody had edited, and the hub wrote: {report.message}")
    return True
