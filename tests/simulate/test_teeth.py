"""Each mistake put into the engine is found, by the seed that found it when the table was made."""

from __future__ import annotations

import json

import pytest
from simulate.sabotages import SABOTAGES, STEPS, TABLE, hunt, sabotaged

from hub.simulate.life import Simulator

KEPT = json.loads(TABLE.read_text("utf-8"))


@pytest.mark.parametrize("name", KEPT)
def test_a_mistake_in_the_engine_is_found(simulator: Simulator, name: str) -> None:
    with sabotaged(name):
        laws = simulator.live(KEPT[name]["seed"], STEPS).laws
    if not laws:  # the engine or the simulation has changed since: any of the first seeds will do
        assert hunt(simulator, name) is not None, f"{KEPT[name]['what']}: not found; the judge needs mending"


def test_there_are_enough_and_each_is_in_the_table() -> None:
    assert len(KEPT) >= 25
    assert set(KEPT) <= set(SABOTAGES)
