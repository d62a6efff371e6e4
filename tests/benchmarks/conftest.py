"""One benchmark server for all tests here; every test gets systems of its own on it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from benchmarks import measure
from benchmarks.measure import Server

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def bench_server() -> Iterator[Server]:
    with measure.server() as server:
        yield server


@pytest.fixture
def system(bench_server: Server) -> Iterator[Callable[[str], str]]:
    """Gives names of systems that nobody used before, and drops them after the test."""
    made: list[str] = []

    def name(letter: str) -> str:
        made.append(f"{letter}{next(_numbers)}")
        return made[-1]

    bench_server.control("reset")
    yield name
    bench_server.control("faults", [])
    for used in made:
        bench_server.control("drop", {"system": used})
