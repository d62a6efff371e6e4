"""Each mistake put into the engine is found, by the seed that found it when the table was made."""

from __future__ import annotations

import json

import pytest
from simulate.sabotages import SABOTAGES, STEPS, TABLE, sabotaged

from hub.simulate.life import Simulator

KEPT = json.loads(TABLE.read_text("utf-8"))


@pytest.mark.parametrize("name", [name for name, row in KEPT.items() if "seed" in row])
def test_a_mistake_in_the_engine_is_found(simulator: Simulator, name: str) -> None:
    with sabotaged(name):
        laws = simulator.live(KEPT[name]["seed"], STEPS).laws
    told = f"an engine that {KEPT[name]['what']} breaks no law in seed {KEPT[name]['seed']} any more"
    assert laws, f"{told}: python -m simulate.sabotages {name} (in tests/) looks for another seed, and keeps it"


def test_there_are_enough_and_each_is_in_the_table() -> None:
    assert len([row for row in KEPT.values() if "seed" in row]) >= 25
    assert set(KEPT) <= set(SABOTAGES)
