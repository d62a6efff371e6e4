"""Where the hub's CPU goes: ``python -m benchmarks.profile_hub [--records 5000] [--what full|reread]``.

One pass of the engine in this process under cProfile: self time by part of the program and by function, as a share of
the whole, so that the profiler's own cost doesn't mislead; and the same pass again without the profiler, in µs of CPU a
record. For finding what to make faster; ``python -m benchmarks`` says whether it became so.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.bench import Bench
from benchmarks.child import measured
from benchmarks.run import say
from benchmarks.sides import ENTITY, Hub
from hub.project import open_project
from hub.sync.engine import Engine

SOURCES = str(measure.ROOT)


def part_of(file: str, name: str) -> str:
    """``hub/sync/apply.py``, ``sqlalchemy``, ``(built-in)`` …"""
    if file.startswith("<mapping"):
        return "compiled mappings"
    if "site-packages/" in file:
        return file.partition("site-packages/")[2].partition("/")[0]
    if file.startswith(SOURCES):
        return str(Path(file).relative_to(SOURCES)).removeprefix("src/")
    return f"(built-in) {name}" if file == "~" else "standard library"


def table(found: Counter[str], total: float, most: int) -> None:
    for name, seconds in found.most_common(most):
        print(f"  {100 * seconds / total:5.1f} %  {name}")


def one_pass(bench: Bench, resource: str, what: str, profile: cProfile.Profile | None) -> dict[str, Any]:
    """A pass over everything with an empty target, or (``reread``) the full re-read after it."""
    hub = Hub(bench.server.url, bench.folder)
    bench.drop("b")
    hub.start("a", "b")
    project = open_project(hub.folder)
    try:
        with Engine.from_project(project) as engine:
            if resource == "orders":
                engine.sync(["customer", "product"], None, yes=True)
            if what == "reread":
                engine.sync([ENTITY[resource]], None, yes=True)
            gc.collect()
            if profile is not None:
                profile.enable()
            done = measured(lambda: engine.sync([ENTITY[resource]], None, full=what == "reread", yes=True))
            if profile is not None:
                profile.disable()
            return done
    finally:
        project.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--resource", choices=tuple(ENTITY), default="customers")
    parser.add_argument("--what", choices=("full", "reread"), default="full")
    parser.add_argument("--functions", type=int, default=25, help="functions to list")
    asked = parser.parse_args()
    with measure.server() as server, tempfile.TemporaryDirectory(prefix="hub-profile-") as place:
        bench = Bench(server, Path(place), asked.records, 1, say)
        for resource, n in (("customers", 1000), ("products", 500)):
            bench.load("a", resource, n)
        bench.load("a", asked.resource, asked.records)
        profile = cProfile.Profile()
        one_pass(bench, asked.resource, asked.what, profile)
        done = one_pass(bench, asked.resource, asked.what, None)
    parts: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for (file, line, name), (_, calls, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        part = part_of(file, name)
        parts[part] += own
        functions[f"{part}:{line} {name} ({calls:,} calls)" if file != "~" else f"{part} ({calls:,} calls)"] += own
    total = sum(parts.values())
    print(
        f"{1e6 * done['cpu'] / asked.records:.0f} µs of CPU a record, {done['cpu']:.2f} s in all, without the profiler"
    )
    print("by part:")
    table(parts, total, 25)
    print("by function:")
    table(functions, total, asked.functions)


if __name__ == "__main__":
    main()
