"""Fixtures that every room's tests may use."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from hub.connect import redact
from hub.sync import holder

# The same examples every time, and a slow machine is no finding.
settings.register_profile(
    "hub", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("hub")

pytest_plugins = ["fixtures.databases", "fixtures.northwind"]


@pytest.fixture(autouse=True)
def own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test gives as a password is masked in that test only: "secret" is a word of many messages."""
    monkeypatch.setattr(redact, "_known", set(redact._known))
    monkeypatch.setattr(redact, "_known_pattern", redact._known_pattern)


@pytest.fixture(autouse=True)
def own_leavings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests count their runs from one: what one of them left behind must not be taken for dead in the next."""
    monkeypatch.setattr(holder, "_left", set())
