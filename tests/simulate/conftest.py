"""One simulator for all tests of the simulation: making its database takes longer than a life."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.simulate.company import company
from hub.simulate.life import Simulator


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    made = Simulator(company())
    yield made
    made.close()
