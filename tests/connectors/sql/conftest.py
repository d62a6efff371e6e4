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


@pytest.fixture(
    params=[
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
        "sqlite",
    ]
)
def world(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The same small company in each database."""
    made = sql_worlds.World(request.param, request.getfixturevalue(FIXTURES[request.param]))
    made.create_schema()
    yield made
    made.close()


@pytest.fixture
def lite(sqlite_url: str) -> Iterator[Any]:
    """The company in SQLite, for what is no matter of dialect."""
    made = sql_worlds.World("sqlite", sqlite_url)
    made.create_schema()
    yield made
    made.close()
