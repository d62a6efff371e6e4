"""The connector keeps its contract, and capabilities.yaml says what it is worth."""

from __future__ import annotations

from pathlib import Path

from hub.connect import registry
from hub.connect.contract.verify import verify


def test_it_keeps_its_contract() -> None:
    outcome = verify(registry.find("new_product", Path(__file__).parents[2]))
    assert not outcome.broken
    assert not outcome.differences, "run: hub connector verify new_product --write"
