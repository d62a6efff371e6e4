"""A few real crashes; ``make crash`` does hundreds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.postgres import installed
from tests.crash.run import crash


def _intact(report: dict[str, Any]) -> None:
    assert report["strange"] == []
    assert [law for law in report["laws"] if law["wrong"]] == []
    assert (report["lost"], report["doubled"], report["letters"], report["in_doubt"], report["conflicts"]) == (0,) * 5
    assert report["ok"]


@pytest.mark.slow
def test_killed_passes_lose_and_double_nothing(tmp_path: Path) -> None:
    report = crash(tmp_path / "company", kills=5, seed=5)
    assert report["kills"] >= 3, report["crashes"]
    _intact(report)


@pytest.mark.slow
@pytest.mark.postgres
def test_a_killed_postgresql_loses_and_doubles_nothing(tmp_path: Path) -> None:
    if installed() is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed")
        pytest.skip("PostgreSQL is not installed")
    report = crash(tmp_path / "company", kills=2, server_kills=3, store="postgresql", seed=6)
    assert report["kills"] + report["database_kills"] >= 3, report["crashes"]
    _intact(report)
