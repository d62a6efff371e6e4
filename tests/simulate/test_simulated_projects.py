"""A user's own hub.yaml and mappings, against systems made from what is known of their resources."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from simulate.sabotages import sabotaged

import hub.demo
from hub.errors import ConfigurationError
from hub.simulate.life import Simulator
from hub.simulate.project import ground_of
from hub.simulate.world import World


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project") / "demo"
    shutil.copytree(Path(hub.demo.__file__).parent / "project", folder)
    return folder


@pytest.fixture(scope="module")
def simulated(demo: Path) -> Simulator:
    return Simulator(ground_of(demo))


def test_a_project_of_real_connectors_is_simulated_offline(simulated: Simulator) -> None:
    ground = simulated.ground
    assert set(ground.keys) == {"customer", "product", "order", "invoice"}
    for seed in (1, 2, 3):
        life = simulated.live(seed, 80)
        assert not life.violations, life.violations[:3]


def test_its_records_really_travel(simulated: Simulator) -> None:
    written = sum("written" in line for seed in (1, 2, 3) for line in simulated.live(seed, 80).told)
    assert written >= 6


def test_a_mistake_is_found_in_it_too(simulated: Simulator) -> None:
    with sabotaged("float_money"):
        laws = {law for seed in range(6) for law in simulated.live(seed, 80).laws}
    assert "exact money" in laws


def test_a_project_with_one_system_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text(
        "version: 2\nsystems:\n  db: {connector: sql, url: 'sqlite:///x.db'}\n"
        "entities:\n  customer: {systems: {db: both}}\n",
        "utf-8",
    )
    (tmp_path / "mappings" / "db").mkdir(parents=True)
    (tmp_path / "mappings" / "db" / "customers.yaml").write_text(
        "version: 2\nresource: customers\nentity: customer\nmatch: [number]\nfields: {number: number, name: name}\n",
        "utf-8",
    )
    with pytest.raises(ConfigurationError, match="two systems"):
        ground_of(tmp_path)


def test_every_quirk_and_event_of_a_life_is_plain_data(simulated: Simulator) -> None:
    life = simulated.live(5, 60)
    world = World(simulated.ground, life.config, simulated.memory)
    assert set(world.systems) == {"zoho", "kingdee", "finance_db"}


def test_a_blank_that_another_system_does_not_take_is_what_people_mend(simulated: Simulator) -> None:
    """Zoho lets people clear a product's name, Kingdee demands one: its letter is theirs, until they fill it in."""
    name = {"system": "zoho", "entity": "product", "tag": "N1"}
    events = [
        {"do": "add", **name, "values": {"number": "N1", "name": "N2"}},
        {"do": "pass", "yes": True},
        {"do": "edit", **name, "values": {"name": None}},
        {"do": "pass", "yes": True},
    ]
    config = {"systems": ["zoho", "kingdee"], "entities": ["product"], "quirks": {}, "policy": {}}
    life = simulated.replay({"config": config, "events": events})
    assert not life.violations
    assert any("users mend N1" in line for line in life.told)
