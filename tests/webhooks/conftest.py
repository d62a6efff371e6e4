"""One company for the tests of this room; each leaves its systems in agreement."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from webhooks.hooked_company import HookedCompany, founded

from hub.store import hints
from hub.store.database import open_store
from hub.webhooks.serve import Service


@pytest.fixture(scope="session")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HookedCompany]:
    with founded(tmp_path_factory.mktemp("hooked") / "company") as company:
        yield company


@pytest.fixture
def company(hooked: HookedCompany) -> Iterator[HookedCompany]:
    """Nothing subscribed, nothing waiting, nothing counted."""
    hooked.zoho.app.watch.channels.clear()
    hooked.kingdee.control.plugin.remove()
    store = open_store(f"sqlite:///{hooked.folder}/.hub/hub.db")
    with store.begin() as connection:
        for table in (hints.HINT, hints.HOOK, hints.SUBSCRIPTION):
            connection.execute(table.delete())
    store.close()
    before = len(hooked.zoho.app.journal), len(hooked.kingdee.app.journal)
    yield hooked
    hooked.told()
    if before != (len(hooked.zoho.app.journal), len(hooked.kingdee.app.journal)):
        hooked.sync(yes=True)
        assert hooked.sync().writes == 0, "what a small pass leaves behind is what an ordinary one would"


@pytest.fixture
def service(company: HookedCompany) -> Iterator[Service]:
    """The intake takes messages, the systems know its address; the queue is drained when a test says so."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    company.listen_at(f"http://127.0.0.1:{port}")
    with company.service(port=port) as service:
        yield service
