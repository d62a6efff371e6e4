"""Ten times the records: what an incremental pass and the memory cost then, and what the store takes on the disk.

The source makes its records when they are asked for, so that a million of them fit beside the measured program.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from benchmarks import data, measure
from benchmarks.bench import Bench, Runs, collect, edits
from benchmarks.cases import full_runs, growth_row, tell
from benchmarks.measure import Failed
from benchmarks.postgres import Postgres, installed, postgres
from benchmarks.results import Row
from benchmarks.sides import Hub, Side

ORDERS = 0.3
"""Orders for each customer."""
AGAIN, ROUNDS = 1000, 10
"""The same records, edited in so many passes: history that can be pruned."""


def on_sqlite(bench: Bench) -> list[Row]:
    """B5 and B8 at ten times the records, memory in SQLite."""
    return _grown(bench, None)


def on_postgres(bench: Bench) -> list[Row]:
    """The same with PostgreSQL."""
    programs = installed()
    if programs is None:
        return [Row("B5", "ten times the records, PostgreSQL", "CPU s", note="PostgreSQL is not installed here")]
    with postgres(programs) as server:
        return _grown(bench, server)


def _grown(bench: Bench, database: Postgres | None) -> list[Row]:
    where = "PostgreSQL" if database else "SQLite"
    sizes = (bench, replace(bench, n=bench.n * 10, pairs=1))
    peaks: dict[int, Runs] = {}
    passes: dict[int, Runs] = {}
    rows: list[Row] = []
    for size in sizes:
        found = _Size(size, database, where)
        peaks[size.n], passes[size.n] = found.customers(bench.pairs)
        rows += found.disk()
        rows += found.orders() if size.n > bench.n else []
        rows += found.history()
        bench.drop("a", "b_hub", "b_limit")
    small, big = (size.n for size in sizes)
    marks = [
        growth_row("B5", f"incremental, engine warm, {where}", passes, small, big, "cpu", "CPU s"),
        growth_row("B8", f"peak memory, {where}", peaks, small, big, "rss", "MB"),
    ]
    return marks + rows


class _Size:
    """The measurements with so many customers."""

    def __init__(self, bench: Bench, database: Postgres | None, where: str) -> None:
        self.bench = bench
        self.database = database
        self.where = where
        self.sides = bench.sides()
        self.hub = next((side for side in self.sides if isinstance(side, Hub)), None)

    def customers(self, turns: int) -> tuple[Runs, Runs]:
        """(full syncs, incremental passes); the contents are compared at the end."""
        bench = self.bench
        bench.drop("a", "b_hub", "b_limit")
        bench.load("a", "customers", bench.n, seeded=True)
        peaks = full_runs(bench, self.sides, self.database.fresh if self.database else None, pairs=1)
        passes = incremental(bench, self.sides, turns)
        for side in self.sides:
            bench.verify(side.b, "b", bench.n, edits=edits(turns * len(self.sides)))
        return peaks, passes

    def disk(self) -> list[Row]:
        """What the store takes for a customer in two systems, all its history included."""
        if self.hub is None:
            return []
        stored = self.hub.status()["store"]
        bytes_each = stored["bytes"] / self.bench.n
        self.bench.say(f"    {stored['bytes'] / 1e6:,.0f} MB, {stored['history']:,} entries of history")
        row = _plain(f"disk for a customer in two systems, {self.where}, {self.bench.n:,}", "bytes", bytes_each)
        row.note = self._tables()
        return [row]

    def _tables(self) -> str:
        """What each table takes with its indexes, in bytes for a customer."""
        tables = self.database.tables() if self.database else {}
        each = {name: round(size / self.bench.n) for name, size in tables.items()}
        return ", ".join(f"{name} {size:,}" for name, size in each.items() if size >= 10)

    def orders(self) -> list[Row]:
        """Orders on top, with their products."""
        if self.hub is None:
            return []
        count = round(self.bench.n * ORDERS)
        self.bench.load("a", "products", data.PRODUCTS, seeded=True)
        self.bench.load("a", "orders", count, seeded=True)
        self.hub.cold("products")
        before = self.hub.status()["store"]["bytes"]
        done = self.bench.counted(partial(self.hub.cold, "orders"))
        tell(self.bench, self.hub, {"hub": [done]})
        self.bench.verify(self.hub.b, "b", count, "orders")
        each = (self.hub.status()["store"]["bytes"] - before) / count
        title = f"{count:,} orders beside {self.bench.n:,} customers, {self.where}"
        return [
            _plain(f"{title}: full sync", "CPU s", done.cpu, done.wall),
            _plain(f"{title}: peak memory", "MB", done.rss),
            _plain(f"{title}: disk for an order of five lines in two systems", "bytes", each),
        ]

    def history(self) -> list[Row]:
        """What passes add to the store, and what is left of it after pruning."""
        if self.hub is None:
            return []
        stored = [self.hub.status()["store"]]
        process = self.hub.warm("customers")
        for turn in range(1, ROUNDS + 1):
            self._edit_again(1000 + turn)
            done = process.do("sync")
            if sum(count["updated"] for count in done.output["counts"]["counts"]) != min(AGAIN, self.bench.n):
                raise Failed(f"a pass over {AGAIN} edits wrote {done.output['counts']['counts']}")
        process.close()
        stored.append(self.hub.status()["store"])
        pruned = measure.run(measure.python("hub_prune", str(self.hub.folder))).output
        stored.append(self.hub.status()["store"])
        for one, when in zip(stored, ("before", "edited", "pruned"), strict=True):
            self.bench.say(f"    {when}: {one['bytes'] / 1e6:,.1f} MB, {one['history']:,} entries of history")
        told: dict[str, Any] = pruned["counts"]
        self.bench.say(f"    pruned in {pruned['wall']:.1f} s: {told['entries']:,} entries went, {told['space']}")
        rows, bytes_ = ([one[name] for one in stored] for name in ("history", "bytes"))
        records = min(AGAIN, self.bench.n)
        title = f"history, {self.bench.n:,} customers, {self.where}"
        return [
            _plain(f"{title}: entries for a customer edited once", "rows", (rows[1] - rows[0]) / (records * ROUNDS)),
            _plain(f"{title}: disk for a customer edited once", "bytes", (bytes_[1] - bytes_[0]) / (records * ROUNDS)),
            _plain(f"{title}: entries left of {ROUNDS} edits of one customer", "rows", (rows[2] - rows[0]) / records),
            _plain(f"{title}: pruning", "CPU s", pruned["cpu"], pruned["wall"]),
        ]

    def _edit_again(self, turn: int) -> None:
        found = {}
        for i in data.picked(self.bench.n, AGAIN):
            before, after = data.in_a("customers", i), data.in_a("customers", i, turn)
            found[data.remote_id("customers", i)] = {k: v for k, v in after.items() if v != before[k]}
        self.bench.server.control("edit", {"system": "a", "resource": "customers", "edits": found})


def incremental(bench: Bench, sides: list[Side], turns: int) -> Runs:
    """Passes over a hundred changes each, in processes that are warm."""
    runs = collect(sides)
    for place, side in enumerate(sides):
        process = side.warm("customers")
        process.do("sync")
        for turn in range(1, turns + 1):
            # A number of its own for each side: the other side finds these edits too, without being measured.
            bench.edit("a", turn + place * turns, bench.n)
            runs[side.name].append(bench.counted(lambda process=process: process.do("sync")))  # type: ignore[misc]
            tell(bench, side, runs)
        if place == 0 and len(sides) > 1:
            first = process
            continue
        process.close()
    if len(sides) > 1:  # the first side has not seen the other's edits yet
        first.do("sync")
        first.close()
    return runs


def _plain(title: str, unit: str, value: float, wall: float | None = None) -> Row:
    return Row("B8", title, unit, hub=value, hub_wall=wall)
