"""B14: four workers that share one pass on PostgreSQL, against one that makes it alone."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.bench import Bench
from benchmarks.measure import Failed, Measured
from benchmarks.postgres import Postgres, installed, postgres
from benchmarks.results import Row, median
from benchmarks.sides import Hub

WORKERS = 4
MILLISECONDS = 100
"""What each call takes."""


def many_workers(bench: Bench) -> list[Row]:
    """A full sync, and reading all of it again, by one worker and by four."""
    programs = installed()
    if programs is None or not bench.with_hub:
        bench.say("    left out: PostgreSQL is not installed, or the hub takes no part")
        return []
    bench.load("a", "customers", bench.n)
    synced: dict[int, list[Measured]] = {1: [], WORKERS: []}
    reread: dict[int, list[Measured]] = {1: [], WORKERS: []}
    with postgres(programs) as server:
        for pair in range(min(bench.pairs, 3)):
            for workers in sorted(synced, reverse=pair % 2 == 1):
                first, again = _both(bench, server, workers)
                synced[workers].append(first)
                reread[workers].append(again)
    title = f"{WORKERS} workers against one, {MILLISECONDS} ms a call, {bench.n:,} customers"
    return [_row(f"full sync, {title}", synced), _row(f"full re-read, {title}", reread)]


def _both(bench: Bench, server: Postgres, workers: int) -> tuple[Measured, Measured]:
    side = Hub(bench.server.url, bench.folder)
    bench.drop("b_hub")
    side.start("a", "b_hub", server.fresh(), partitions=workers)
    bench.server.control("latency", {"ms": MILLISECONDS})
    try:
        first = _together(bench, side, workers, full=False)
        again = _together(bench, side, workers, full=True)
    finally:
        bench.server.control("latency", {"ms": 0})
    if made := first.count("upsert") * 100 - bench.n >= 100 * workers:
        raise Failed(f"{workers} workers wrote {made} records too many")
    if again.count("upsert"):
        raise Failed(f"{workers} workers write again after a complete first sync")
    bench.verify("b_hub", "b", bench.n)
    return first, again


def _together(bench: Bench, side: Hub, workers: int, *, full: bool) -> Measured:
    """One pass by so many processes, measured from the start of the first to the end of the last."""

    def work() -> Measured:
        parts = [f"{number}/{workers}" for number in range(1, workers + 1)] if workers > 1 else [""]
        began = time.perf_counter()
        with ThreadPoolExecutor(workers) as pool:
            done = list(pool.map(lambda part: side.cold("customers", full=full, part=part), parts))
        wall = time.perf_counter() - began
        return Measured(sum(one.cpu for one in done), wall, max(one.rss for one in done))

    found = bench.counted(work)
    what = "full re-read" if full else "full sync"
    bench.say(f"    {workers} {what:12} {found.cpu:7.2f} CPU s {found.wall:7.2f} s {found.all_calls:6} calls")
    return found


def _row(title: str, runs: dict[int, list[Measured]]) -> Row:
    one, several = (median([m.wall for m in runs[workers]]) for workers in (1, WORKERS))
    score = one / several
    samples = {f"{workers} workers, s": [m.wall for m in done] for workers, done in runs.items()}
    row = Row("B14", title, "×", score, None, score, "× one worker", 3.5, 3.0, samples=samples)
    row.hub_wall, row.limit_wall = several, one
    return row
