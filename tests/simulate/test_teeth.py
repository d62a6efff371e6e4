"""Each mistake put into the engine is found, by the seed that found it when the table was made."""

from __future__ import annotations

import json
from typing import Any

import pytest
from simulate.sabotages import SABOTAGES, STEPS, TABLE, sabotaged

from hub.simulate.life import Simulator

KEPT = json.loads(TABLE.read_text("utf-8"))


@pytest.mark.parametrize("name", [name for name, row in KEPT.items() if "seed" in row])
def test_a_mistake_in_the_engine_is_found(simulator: Simulator, name: str) -> None:
    with sabotaged(name):
        laws = simulator.live(KEPT[name]["seed"], STEPS).laws
    told = f"an engine that {KEPT[name]['what']} breaks another law, or none, in seed {KEPT[name]['seed']}"
    assert KEPT[name]["law"] in laws, (
        f"{told}: python -m simulate.sabotages {name} (in tests/) looks for another seed, and keeps it"
    )


def test_a_deletion_that_was_shown_makes_the_budget_smaller(simulator: Simulator) -> None:
    """The judge counts a deleted record only until the hub could know of it: of 9 that are left, 2 may be changed."""
    of_crm = [{"system": "crm", "entity": "customer", "tag": f"T{n}"} for n in range(1, 11)]
    adds = [
        {"do": "add", **one, "values": {"tax_id": one["tag"], "name": f"{one['tag']} Ltd"}, "also": ["erp"]}
        for one in of_crm
    ]
    edits = [{"do": "edit", **one, "system": "erp", "values": {"name": f"{one['tag']} and Sons"}} for one in of_crm[:3]]
    passes: list[dict[str, Any]] = [{"do": "pass", "yes": True}, {"do": "pass", "yes": False}]
    config = {
        "systems": ["crm", "erp"],
        "entities": ["customer"],
        "quirks": {},
        "policy": {"customer": {"budget": [2, 0.3]}},
    }
    events = [*adds, passes[0], {"do": "delete", **of_crm[9]}, *edits, passes[1]]
    assert not simulator.replay({"config": config, "events": events}).violations
    with sabotaged("no_budget"):
        assert simulator.replay({"config": config, "events": events}).laws == ["deletes are earned"]


def test_there_are_enough_and_each_is_in_the_table() -> None:
    assert len([row for row in KEPT.values() if "seed" in row]) >= 25
    assert set(KEPT) <= set(SABOTAGES)
