"""The database servers of the tests are real, and every database is fresh."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text


@pytest.mark.parametrize(
    ("url", "server"),
    [
        pytest.param("postgres_url", "PostgreSQL", marks=pytest.mark.postgres),
        pytest.param("mariadb_url", "MariaDB", marks=pytest.mark.mariadb),
    ],
)
@pytest.mark.parametrize("time", [1, 2])
def test_each_test_gets_an_empty_database(url, server, time, request):
    engine = create_engine(request.getfixturevalue(url))
    with engine.begin() as connection:
        assert server in connection.execute(text("SELECT version()")).scalar_one()
        connection.execute(text("CREATE TABLE only_here (id integer)"))
    engine.dispose()
