"""One ``hub up`` for all tests of a session that need a real Prefect server: it takes some ten seconds to start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from operate import twin_databases as twins
from operate.running_hub import RunningHub, running_hub


@pytest.fixture(scope="session")
def hub_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(twins.build(tmp_path_factory.mktemp("up") / "twins")) as hub:
        yield hub


@pytest.fixture(scope="session")
def first_run(hub_up: RunningHub) -> dict[str, Any]:
    """A run of the customers' deployment, started from outside as the UI does."""
    return hub_up.run("sync/twins-customer")
