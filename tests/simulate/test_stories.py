"""Failing lives are shrunk to the shortest story, and told as one."""

from __future__ import annotations

from simulate.sabotages import sabotaged

from hub.simulate.life import Simulator
from hub.simulate.shrink import shortest
from hub.simulate.story import as_text


def test_the_shortest_story_is_short_and_reads_as_one(simulator: Simulator) -> None:
    with sabotaged("float_money"):
        life = simulator.live(0, 200)
        assert life.violations
        short = shortest(simulator, life, tries=300)
        again = simulator.replay({"config": short.config, "events": short.events})
    assert short.laws[0] == life.laws[0] == again.laws[0]
    assert len(short.events) <= 6 < len(life.events)
    told = as_text(short)
    assert f"BROKEN  {life.laws[0]}" in told
    assert "a user adds" in told
