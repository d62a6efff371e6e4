"""The laws in some seeds of every test run (``make simulate`` runs many more), and in stories that once broke one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.simulate.life import Simulator
from hub.sync import at_once, observe

STORIES = sorted((Path(__file__).parent / "stories").glob("*.json"))


@pytest.mark.parametrize("seed", range(1000, 1012))
def test_the_laws_hold_in_a_random_life(simulator: Simulator, seed: int) -> None:
    life = simulator.live(seed, 100)
    assert not life.violations, f"hub simulate --seed {seed} --steps 100 tells it: {life.violations[:3]}"


@pytest.mark.parametrize("seed", range(1100, 1108))
def test_the_laws_hold_when_everything_new_takes_the_short_way(
    simulator: Simulator, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "JOINED", 2)
    monkeypatch.setattr(at_once, "ENOUGH", 1)
    life = simulator.live(seed, 100)
    assert not life.violations, f"seed {seed}: {life.violations[:3]}"


@pytest.mark.parametrize("file", STORIES, ids=lambda file: file.stem)
def test_a_story_that_once_broke_a_law_breaks_none(simulator: Simulator, file: Path) -> None:
    story = json.loads(file.read_text("utf-8"))
    life = simulator.replay(story)
    assert not life.violations, "\n".join([story["about"], *life.told, *map(str, life.violations)])


def test_a_seed_is_one_life(simulator: Simulator) -> None:
    first, second = simulator.live(7, 80), simulator.live(7, 80)
    assert (first.config, first.events, first.told) == (second.config, second.events, second.told)
    assert simulator.live(8, 80).events != first.events


def test_a_life_is_replayed_from_its_events(simulator: Simulator) -> None:
    lived = simulator.live(11, 80)
    kept = json.loads(json.dumps({"config": lived.config, "events": lived.events}))
    assert simulator.replay(kept, seed=11).told == lived.told
