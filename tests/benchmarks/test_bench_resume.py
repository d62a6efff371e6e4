"""A first load that is killed in the middle, with the store on PostgreSQL: it goes on where it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from bad_days.mortal import MortalHub

from benchmarks.bench import Bench
from benchmarks.measure import Server
from benchmarks.sides import Hub

RECORDS, PAGES, BATCHES = 4000, 20, 40
"""Pages of 200 are read, batches of 100 written."""
AT_ONCE, WRITERS = 5, 4
"""Pages that are taken in, and written elsewhere, before the next ones are; batches that are on their way together."""
WRITTEN = 18
"""Batches that are written, or on their way, when the pass is killed: the second thousand is."""


@pytest.mark.postgres
@pytest.mark.slow
def test_a_first_load_that_was_killed_goes_on_where_it_was(
    bench_server: Server,
    system: Callable[[str], str],
    tmp_path: Path,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(bench_server, tmp_path, RECORDS, 1, print)
    a, b = system("a"), system("b")
    bench.load(a, "customers", RECORDS, seeded=True)
    hub = Hub(bench_server.url, tmp_path)
    monkeypatch.setenv("BENCH_STORE", postgres_url)
    hub.start(a, b, "${BENCH_STORE}")
    with closing(MortalHub(hub.folder, "customer", "--yes")) as mortal:
        calls = []
        for moment, status in ((2 * WRITTEN, -9), (0, 0)):  # a request is two moments
            bench_server.control("reset")
            assert mortal.sync(moment, "/customers/upsert" if moment else "")["status"] == status
            calls.append(Counter(bench_server.control("stats")["calls"]))
    bench.verify(b, "b", RECORDS)
    killed, second = (
        {verb: found[f"{verb} {name}/customers"] for verb, name in (("list", a), ("upsert", b), ("probe", b))}
        for found in calls
    )
    assert WRITTEN - WRITERS <= killed["upsert"] <= WRITTEN + WRITERS
    # The third thousand may have been taken in while the second was being written.
    assert PAGES - 3 * AT_ONCE <= second["list"] <= PAGES - 2 * AT_ONCE
    assert BATCHES - killed["upsert"] <= second["upsert"] <= BATCHES - killed["upsert"] + WRITERS
    assert second["probe"] <= 2 * 2 * AT_ONCE, "only writes whose answer nobody heard are looked for"
    assert sum(calls[1].values()) == sum(second.values())
