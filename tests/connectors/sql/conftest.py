from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location("sql_worlds", Path(__file__).with_name("sql_worlds.py"))
assert _spec is not None and _spec.loader is not None
sql_worlds = sys.modules.setdefault("sql_worlds", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(sql_worlds)

FIXTURES = {"postgresql": "postgres_url", "mariadb": "mariadb_url", "sqlite": "sqlite_url"}


POSTGRES = pytest.param("postgresql", marks=pytest.mark.postgres)
MARIADB = pytest.param("mariadb", marks=pytest.mark.mariadb)


def _world(request: pytest.FixtureRequest, name: str) -> Iterator[Any]:
    made = sql_worlds.World(name, request.getfixturevalue(FIXTURES[name]))
    made.create_schema()
    yield made
    made.close()


@pytest.fixture(params=[POSTGRES, MARIADB, "sqlite"])
def world(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The same small company in each database."""
    yield from _world(request, request.param)


@pytest.fixture(params=[POSTGRES, MARIADB])
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The company in each database that has a server."""
    yield from _world(request, request.param)


@pytest.fixture(params=[POSTGRES])
def postgres(request: pytest.FixtureRequest) -> Iterator[Any]:
    yield from _world(request, request.param)


@pytest.fixture(params=[MARIADB])
def mariadb(request: pytest.FixtureRequest) -> Iterator[Any]:
    yield from _world(request, request.param)


@pytest.fixture
def lite(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The company in SQLite, for what is no matter of dialect."""
    yield from _world(request, "sqlite")


@pytest.fixture(params=[POSTGRES, MARIADB, "sqlite"])
def contract_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each product, for the contract suite."""
    return str(request.getfixturevalue(FIXTURES[request.param]))
