"""Real servers for the tests here. They install packages, so they run only when asked: ``make test-real``."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

collect_ignore_glob = [] if os.environ.get("HUB_REAL") else ["test_*.py"]

if os.environ.get("HUB_REAL"):
    from real.world import World, world

    told: list[str] = []
    results: dict[str, dict[str, list[str]]] = {}
    SYSTEMS = ("erp", "crm", "shop", "books")

    @pytest.fixture(scope="session")
    def company() -> Iterator[World]:
        """One company for all tests: starting it takes longer than they do."""
        with world() as found:
            yield found
            for system, version in found.versions().items():
                records = ", ".join(f"{n} {table}" for table, n in found.records(system).items())
                calls = f"{found.calls[system]} calls" if system != "books" else "SQL"
                told.append(f"{system:6} {version:18} {calls:>10}  {records}")

    def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
        """The company's story begins on empty systems; what the others do there comes after it."""
        order = ("test_triangle", "test_triangle_drift", "test_contracts")
        items.sort(key=lambda item: order.index(item.path.stem) if item.path.stem in order else len(order))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
        outcome = yield
        report = outcome.get_result()
        for mark in item.iter_markers("law"):
            if report.when == "call" or report.failed:
                for system in systems_of(item):
                    results.setdefault(mark.args[0], {}).setdefault(system, []).append(report.outcome)

    def systems_of(item: pytest.Item) -> list[str]:
        """The systems that a test is about: all of them, unless it is one of a connector's own."""
        params = getattr(getattr(item, "callspec", None), "params", {})
        named = {*getattr(item, "fixturenames", ()), *map(str, params.values())}
        named |= {"erp"} if "lts" in named else set()
        return [one for one in SYSTEMS if one in named] or list(SYSTEMS)

    def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("real systems")
        for line in told:
            terminalreporter.write_line(line)
        for law, by_system in results.items():
            told_of = []
            for system in SYSTEMS:
                outcomes = by_system.get(system, [])
                verdict = "holds" if set(outcomes) == {"passed"} else "BROKEN"
                told_of.append(f"{system} {verdict} ({len(outcomes)})" if outcomes else f"{system} -")
            terminalreporter.write_line(f"law: {law:34} " + "  ".join(f"{one:14}" for one in told_of))
