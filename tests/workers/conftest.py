"""Several hosts, for as long as a file of tests needs them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from workers.company import Company, company
from workers.hosts import why_not

from benchmarks.postgres import installed


@pytest.fixture(scope="session")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """PostgreSQL, Prefect's server and two workers, each worker on a host of its own."""
    if not os.environ.get("HUB_WORKERS"):
        pytest.skip("takes minutes: make workers")
    programs = installed()
    reason = why_not() or ("" if programs else "PostgreSQL is not installed")
    if reason or programs is None:
        pytest.skip(f"NOT TRIED, several hosts: {reason}")
    with company(tmp_path_factory.mktemp("hosts") / "twins", programs) as made:
        yield made


@pytest.fixture(autouse=True)
def everybody_works(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test finds both hosts at work and the systems in agreement, whatever the one before did."""
    found = request.getfixturevalue("acme") if "acme" in request.fixturenames else None
    yield
    if found is not None:
        found.at_rest_with_both()
