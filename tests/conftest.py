"""Fixtures that every room's tests may use."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The same examples every time, and a slow machine is no finding.
settings.register_profile(
    "hub", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("hub")

pytest_plugins = ["fixtures.databases", "fixtures.northwind"]
