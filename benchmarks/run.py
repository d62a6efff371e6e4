"""``python -m benchmarks``: the hub against scripts that do the same work by hand, one table.

Each benchmark runs both sides alternately in processes of their own, against a local server that is not the bottleneck;
CPU seconds of the whole process come first, since wall time on a shared machine says little. In the end the contents
of both systems are compared with what they should be, record by record: a wrong result is a failed run, however fast.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks import cases, measure, million, near_time, results, workers
from benchmarks.bench import Bench
from benchmarks.results import Mark, Row

CASES: dict[str, tuple[Callable[[Bench], list[Row]], str]] = {
    "full": (cases.full, "B1 B4 B6 B8 B10: full sync, full re-read, incremental"),
    "postgres": (cases.on_postgres, "B2: full sync with PostgreSQL"),
    "mapping": (cases.mapping, "B3: mapping alone"),
    "both": (cases.both_ways, "B7: both ways"),
    "latency": (cases.latency, "B9: a slow network"),
    "orders": (cases.orders, "B12: orders with lines"),
    "workers": (workers.many_workers, "B14: four workers on PostgreSQL"),
    "bad": (cases.bad_records, "B13: bad records"),
    "webhooks": (near_time.near_time, "N1: from an edit to its value elsewhere, by webhook"),
    "million": (million.on_sqlite, "B5 B8: ten times the records, disk, history (only with --full)"),
    "million-postgres": (million.on_postgres, "B5 B8: the same with PostgreSQL (only with --full)"),
}
DOCUMENT = measure.ROOT / "docs" / "benchmarks.md"
AGAIN = 3
"""Pairs of a second look."""
SLOW = ("latency", "workers")
"""Where waiting takes the time. A quick run makes do with a quarter of the records."""
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:16} {text}" for name, (_, text) in CASES.items())
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"{(__doc__ or '').splitlines()[0]}\n\nbenchmarks:\n{listed}",
        epilog="example: python -m benchmarks --quick full both",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("which", nargs="*", metavar="BENCHMARK", help="default: all but the millions")
    made.add_argument(
        "--quick",
        action="store_true",
        help="20,000 records and one pair: a look, not a result; fails, as with --require margin, when calls are not"
        " exactly as many as they have to be, or when a ratio is far from its first mark in three pairs, too",
    )
    made.add_argument("--full", action="store_true", help="also ten times the records")
    made.add_argument("--records", type=int, help="customers and orders (default 100,000)")
    made.add_argument("--pairs", type=int, help="alternating runs of each side (default 5)")
    made.add_argument("--limits-only", action="store_true", help="only the scripts by hand")
    made.add_argument("--hub-only", action="store_true", help="only the hub (no scores against scripts by hand)")
    made.add_argument("--json", action="store_true", help="one JSON object on standard output, with every sample")
    made.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    made.add_argument(
        "--require",
        choices=("target", "first", "margin"),
        help="fail unless every benchmark reaches this mark; margin: unless counts are exact and ratios of CPU at"
        " most a third off the first mark",
    )
    return made


def main(arguments: list[str] | None = None) -> int:
    """0: measured, contents right (and marks reached, with --require); 1: not; 2: wrong arguments."""
    command = parser()
    asked = command.parse_args(arguments)
    unknown = [name for name in asked.which if name not in CASES]
    if unknown:
        command.error(f"no benchmark {unknown[0]!r}; there are {', '.join(CASES)}")
    chosen = asked.which or [name for name in CASES if not name.startswith("million") or asked.full]
    n = asked.records or (20_000 if asked.quick else 100_000)
    pairs = asked.pairs or (1 if asked.quick else 5)
    required: Mark | None = asked.require or ("margin" if asked.quick else None)
    found = results.conditions(n, pairs)
    rows: list[Row] = []
    failures: list[str] = []
    with measure.server() as server:
        warm_up(server)
        for name in chosen:
            say(CASES[name][1])
            with folder() as place:
                bench = Bench(server, place, n, pairs, say, not asked.limits_only, asked.quick, not asked.hub_only)
                try:
                    of_case = steady(name, bench, required)
                except measure.Failed as failure:
                    failures.append(f"{name}: {failure}")
                    say(f"    FAILED: {failure}")
                else:
                    rows += of_case
                    failures += filter(None, [row.fault(required) for row in of_case])
    show(rows, found, failures, as_json=asked.json)
    if asked.write:
        write(rows, found)
    return 1 if failures else 0


def steady(name: str, bench: Bench, required: Mark | None) -> list[Row]:
    """The rows of one benchmark. One pair may have met a bad moment: then the medians of more count."""
    rows = measured(name, bench)
    short = [row for row in rows if row.fault(required)]
    if required != "margin" or bench.pairs >= AGAIN or not short or any(row.exact is not None for row in short):
        return rows
    say(f"    once more, in {AGAIN} pairs: {short[0].fault(required)}")
    return measured(name, replace(bench, pairs=AGAIN))


def measured(name: str, bench: Bench) -> list[Row]:
    if bench.quick and name in SLOW:
        bench = replace(bench, n=bench.n // 4)
    try:
        return CASES[name][0](bench)
    finally:
        bench.drop("a", "a_hub", "a_limit", "a_bad", "b_hub", "b_limit")


def warm_up(server: measure.Server) -> None:
    """Each side once with a few records, so that no measured run is the one that compiles the programs."""
    with folder() as place:
        bench = Bench(server, place, 10, 1, say)
        bench.load("a", "customers", bench.n)
        for side in bench.sides():
            side.start("a", f"b_{side.name}")
            side.cold("customers")
        bench.drop("a", "b_hub", "b_limit")


@contextmanager
def folder() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="hub-bench-"))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def show(rows: list[Row], found: dict[str, object], failures: list[str], *, as_json: bool) -> None:
    if as_json:
        told = {"conditions": found, "rows": [row.as_dict() for row in rows], "failures": failures}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        return
    table = [results.HEADINGS, *(results.cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(results.HEADINGS))]
    for line in table:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n")
    for failure in failures:
        sys.stdout.write(f"FAILED {failure}\n")


def write(rows: list[Row], found: dict[str, object]) -> None:
    """Replace what stands between the two markers of docs/benchmarks.md. Raises Failed when they aren't there."""
    text = DOCUMENT.read_text("utf-8") if DOCUMENT.exists() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise measure.Failed(f"{DOCUMENT} has no {BEGIN} … {END}")
    DOCUMENT.write_text(f"{before}{BEGIN}\n{results.markdown(rows, found)}{END}{after}", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
