"""Pruning the history changes nothing that a pass decides: one life, lived with all of its history and with little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.simulate.company import company
from hub.simulate.life import Life, Simulator, come_to_rest
from hub.simulate.world import World
from hub.sync.policy import Retention

WEEK = Retention(days=7, keep_runs=1)
STEPS = 150
EVERY = 4
"""Events between two long pauses."""


class Forgetful(World):
    """A world whose hub may be told to prune its history as far as it can be."""

    gone = 0

    def _do_prune(self, _: dict[str, Any]) -> str:
        with self.engine(self.worker()) as engine:
            engine.clock = lambda: self.clock.now  # looking at the clock moves it: not for whoever only prunes
            self.gone += engine.prune(WEEK).entries
        return ""

    def _do_person(self, event: dict[str, Any]) -> str:
        # Elsewhere it depends on a conflict's number, and numbers of pruned ones are given again.
        return super()._do_person(event | {"take": "theirs"})


class Pruning(Simulator):
    """Keeps the world that was lived in last."""

    world: Forgetful

    def _world(self, chosen: dict[str, Any]) -> World:
        self.memory.empty()
        self.world = Forgetful(self.ground, chosen, self.memory)
        return self.world

    def _ended(self, life: Life, world: World) -> Life:
        come_to_rest(world)  # a judge would miss what was pruned
        life.told = world.story
        return life

    def lived(self, life: Life, *, prunes: bool) -> tuple[list[str], Any, int]:
        """(what happened, what the systems hold in the end, entries pruned)."""
        pause: list[dict[str, Any]] = [{"do": "wait", "seconds": 8 * 86400}, *([{"do": "prune"}] if prunes else [])]
        events: list[dict[str, Any]] = []
        for number, event in enumerate(life.events):
            events += [event] if number % EVERY else [*pause, event]
        told = self.replay({"config": life.config, "events": events}).told
        rows = {
            name: {
                entity: {key: (row.flat, row.archived) for key, row in rows.items()} for entity, rows in s.rows.items()
            }
            for name, s in self.world.systems.items()
        }
        return told, rows, self.world.gone


@pytest.fixture(scope="module")
def pruning() -> Iterator[Pruning]:
    made = Pruning(company())
    yield made
    made.close()


@pytest.mark.parametrize("seed", (3003, 3004, 3005, 3006))
def test_pruning_changes_nothing_that_a_pass_decides(pruning: Pruning, seed: int) -> None:
    """The same people do the same things to the same systems, and weeks go by in between."""
    life = pruning.live(seed, STEPS)
    told, rows, gone = pruning.lived(life, prunes=True)
    assert gone > 0
    everything_told, everything, _ = pruning.lived(life, prunes=False)
    assert told == everything_told
    assert rows == everything
