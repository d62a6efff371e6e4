"""One ``hub up`` for all tests of a session that need a real Prefect server: it takes some ten seconds to start."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from operate import twin_databases as twins
from operate.running_hub import RunningHub, running_hub


@pytest.fixture(scope="session")
def hub_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    folder = twins.build(tmp_path_factory.mktemp("up") / "twins")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    twins.take_messages(folder, port)
    with running_hub(folder) as hub:
        yield hub


@pytest.fixture(scope="session")
def first_run(hub_up: RunningHub) -> dict[str, Any]:
    """A run of the customers' deployment, started from outside as the UI does."""
    return hub_up.run("sync/twins-customer")
