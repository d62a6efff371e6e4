"""The benchmarks themselves: each runs both sides alternately, checks what came out, and gives rows of the table."""

from __future__ import annotations

from math import ceil

from benchmarks import measure
from benchmarks.bench import EDITED, Bench, Runs, collect, edits
from benchmarks.measure import Failed
from benchmarks.postgres import installed, postgres
from benchmarks.results import Row, median, share
from benchmarks.sides import Hub, Side

ORDER_CUSTOMERS, PRODUCTS = 1000, 500


def rows_of(runs: Runs, id: str, title: str, note: str = "") -> Row:
    """The share-of-the-limit row, or the limit alone when the hub doesn't take part."""
    if "hub" in runs:
        return share(id, title, runs["hub"], runs["limit"], note)
    cpu, wall = [m.cpu for m in runs["limit"]], [m.wall for m in runs["limit"]]
    return Row(id, title, "CPU s", limit=median(cpu), limit_wall=median(wall), samples={"limit": cpu}, note=note)


def middle(runs: Runs, side: str, figure: str) -> float | None:
    return median([getattr(m, figure) for m in runs[side]]) if side in runs else None


def calls_row(id: str, title: str, runs: Runs, expected: int) -> Row:
    """API calls of a pass against the fewest that can do it."""
    hub, limit = middle(runs, "hub", "all_calls"), middle(runs, "limit", "all_calls")
    score = None if hub is None else hub / expected
    return Row(id, title, "calls", hub, limit, score, f"× {expected:,}", 1.05, 1.1, "less", exact=1.0)


def full(bench: Bench) -> list[Row]:
    """B1, B6 and B8 from the same runs: everything from A into an empty B."""
    bench.load("a", "customers", bench.n)
    sides = bench.sides()
    runs = full_runs(bench, sides)
    for side in sides:
        bench.verify(side.b, "b", bench.n)
    expected = ceil(bench.n / 200) + ceil(bench.n / 100)
    rows = [
        rows_of(runs, "B1", f"full sync, {bench.n:,} customers, SQLite"),
        calls_row("B6", "API calls, full sync", runs, expected),
        memory_row("B8", f"peak memory, {bench.n:,} customers", runs),
    ]
    return rows + reread(bench, sides) + incremental(bench, sides)


def full_runs(bench: Bench, sides: list[Side], fresh: object = None, pairs: int | None = None) -> Runs:
    runs = collect(sides)
    for side in bench.alternating(sides, pairs):
        bench.drop(f"b_{side.name}")
        side.start("a", f"b_{side.name}", fresh() if callable(fresh) else None)
        runs[side.name].append(bench.counted(lambda side=side: side.cold("customers")))  # type: ignore[misc]
        tell(bench, side, runs)
    return runs


def tell(bench: Bench, side: Side, runs: Runs) -> None:
    m = runs[side.name][-1]
    bench.say(f"    {side.name:5} {m.cpu:8.3f} CPU s {m.wall:7.2f} s {m.rss:6.0f} MB {m.all_calls:6} calls")


def memory_row(id: str, title: str, runs: Runs) -> Row:
    hub, limit = middle(runs, "hub", "rss"), middle(runs, "limit", "rss")
    return Row(id, title, "MB", hub, limit, hub, "MB", 150, 250, "less")


def reread(bench: Bench, sides: list[Side]) -> list[Row]:
    """B10: everything is read again and nothing is different."""
    runs = collect(sides)
    for side in bench.alternating(sides):
        runs[side.name].append(bench.counted(lambda side=side: side.cold("customers", full=True)))  # type: ignore[misc]
        tell(bench, side, runs)
        if runs[side.name][-1].count("upsert"):
            raise Failed(f"{side.name} wrote to the target although nothing had changed")
    return [rows_of(runs, "B10", "full re-read, nothing changed")]


def incremental(bench: Bench, sides: list[Side]) -> list[Row]:
    """B4 and B6: 100 changed records, in a process that is warm and in one started for it."""
    warm, cold = collect(sides), collect(sides)
    turn = 0
    processes = {side.name: side.warm("customers") for side in sides}
    for process in processes.values():
        process.do("sync")
    for _ in range(bench.pairs):
        turn += 1
        bench.edit("a", turn, bench.n)
        for side in bench.alternating(sides, 1):
            warm[side.name].append(bench.counted(lambda side=side: processes[side.name].do("sync")))  # type: ignore[misc]
            tell(bench, side, warm)
    for process in processes.values():
        process.close()
    for _ in range(bench.pairs):
        turn += 1
        bench.edit("a", turn, bench.n)
        for side in bench.alternating(sides, 1):
            cold[side.name].append(bench.counted(lambda side=side: side.cold("customers")))  # type: ignore[misc]
            tell(bench, side, cold)
    for side in sides:
        bench.verify(side.b, "b", bench.n, edits=edits(turn))
    expected = ceil(EDITED / 200) + ceil(EDITED / 100)
    title = f"incremental, {EDITED} of {bench.n:,} changed"
    return [
        seconds_row("B4", f"{title}, engine warm", warm, 0.3, 0.5),
        seconds_row("B4", f"{title}, from a cold command line", cold, 1.0, 1.5),
        calls_row("B6", "API calls, incremental", cold, expected),
    ]


def seconds_row(id: str, title: str, runs: Runs, target: float, first: float) -> Row:
    hub = middle(runs, "hub", "cpu")
    samples = {side: [m.cpu for m in found] for side, found in runs.items()}
    row = Row(
        id, title, "CPU s", hub, middle(runs, "limit", "cpu"), hub, "CPU s", target, first, "less", samples=samples
    )
    row.hub_wall, row.limit_wall = middle(runs, "hub", "wall"), middle(runs, "limit", "wall")
    return row


def on_postgres(bench: Bench) -> list[Row]:
    """B2: B1 with the memory in PostgreSQL, whose own CPU isn't counted on either side."""
    programs = installed()
    if programs is None:
        return [Row("B2", "full sync, PostgreSQL", "CPU s", note="PostgreSQL is not installed here")]
    bench.load("a", "customers", bench.n)
    sides = bench.sides()
    with postgres(programs) as server:
        runs = full_runs(bench, sides, server.fresh)
    for side in sides:
        bench.verify(side.b, "b", bench.n)
    return [rows_of(runs, "B2", f"full sync, {bench.n:,} customers, PostgreSQL")]


def mapping(bench: Bench) -> list[Row]:
    """B3: mapping alone; each side in its own process, several rounds, alternating."""
    names = ["hub", "limit"] if bench.with_hub else ["limit"]
    best: dict[str, dict[str, list[float]]] = {name: {"get": [], "put": []} for name in names}
    same = set()
    count = 5000
    for pair in range(bench.pairs):
        for name in names if pair % 2 == 0 else reversed(names):
            output = measure.run(measure.python("mapping_rate", "--side", name, "--records", str(count))).output
            same.add(output["same"])
            for way in ("get", "put"):
                best[name][way].append(count / median(output["seconds"][way]))
    if len(same) > 1:
        raise Failed("the hub's mapping and the one by hand give different values")
    rows = []
    for way, title in (("get", "remote → canonical"), ("put", "canonical → remote")):
        rate = {name: median(best[name][way]) for name in names}
        score = rate["hub"] / rate["limit"] if bench.with_hub else None
        samples = {name: best[name][way] for name in names}
        row = Row("B3", f"mapping alone, 36 fields, {title}", "records/s", rate.get("hub"), rate["limit"], score)
        row.scored, row.target, row.first, row.samples = "of the limit", 0.7, 0.5, samples
        rows.append(row)
        bench.say(f"    {title}: {', '.join(f'{name} {value:,.0f}/s' for name, value in rate.items())}")
    return rows


def both_ways(bench: Bench) -> list[Row]:
    """B7: both directions; 100 customers edited on each side, then a pass with nothing to do."""
    sides = bench.sides()
    for side in sides:
        a, b = f"a_{side.name}", f"b_{side.name}"
        bench.drop(b)
        bench.load(a, "customers", bench.n)
        side.start(a, b, ways="both")
        side.cold("customers")
        settle(bench, side)
    busy, idle = collect(sides), collect(sides)
    for pair in range(bench.pairs):
        for side in sides:
            bench.edit(f"a_{side.name}", 2 * pair + 1, bench.n)
            bench.edit(f"b_{side.name}", 2 * pair + 2, bench.n, shape="b")
        for side in bench.alternating(sides, 1):
            busy[side.name].append(bench.counted(lambda side=side: side.cold("customers")))  # type: ignore[misc]
            tell(bench, side, busy)
            idle[side.name].append(bench.counted(lambda side=side: side.cold("customers")))  # type: ignore[misc]
            if idle[side.name][-1].count("upsert"):
                raise Failed(f"{side.name} wrote its own writes back (echo)")
    for side in sides:
        for shape, system in (("a", f"a_{side.name}"), ("b", f"b_{side.name}")):
            bench.verify(system, shape, bench.n, edits=edits(2 * bench.pairs))
    rows = [
        most_calls("B7", f"both ways, {EDITED} edited on each side: calls of that pass", busy, 4),
        most_calls("B7", "both ways: calls of the pass after it (0 echo writes)", idle, 2),
    ]
    rows[0].hub_wall, rows[0].limit_wall = middle(busy, "hub", "wall"), middle(busy, "limit", "wall")
    cost = seconds_row("B7", "both ways: CPU of that pass, cold", busy, 1.0, 1.5)
    cost.target = cost.first = cost.score = None
    return [*rows, cost]


def settle(bench: Bench, side: Side) -> None:
    """Passes until one finds nothing to read: the first ones still see the first sync's own writes."""
    for _ in range(5):
        done = bench.counted(lambda: side.cold("customers"))
        if done.count("upsert"):
            raise Failed(f"{side.name} writes again after a complete first sync (echo)")
        if done.all_calls <= 2:
            return
    raise Failed(f"{side.name} does not settle after the first sync: {done.calls}")


def most_calls(id: str, title: str, runs: Runs, most: int) -> Row:
    found = {side: [float(m.all_calls) for m in measured] for side, measured in runs.items()}
    hub = max(found["hub"]) if "hub" in found else None
    row = Row(id, title, "calls", hub, max(found["limit"]), hub, "calls", most, most, "less", exact=most)
    row.samples = found
    return row


def orders(bench: Bench) -> list[Row]:
    """B12: orders with five lines, whose customers and products are in both systems already."""
    counts = {"customers": ORDER_CUSTOMERS, "products": PRODUCTS, "orders": bench.n}
    for resource, n in counts.items():
        bench.load("a", resource, n)
    sides = bench.sides()
    runs = collect(sides)
    for side in bench.alternating(sides):
        bench.drop(f"b_{side.name}")
        side.start("a", f"b_{side.name}")
        side.cold("customers", "products")
        runs[side.name].append(bench.counted(lambda side=side: side.cold("orders")))  # type: ignore[misc]
        tell(bench, side, runs)
    for side in sides:
        bench.verify(side.b, "b", bench.n, "orders")
    expected = ceil(bench.n / 200) + ceil(bench.n / 100)
    rows = [rows_of(runs, "B12", f"{bench.n:,} orders with 5 lines, references resolved")]
    return [*rows, calls_row("B12", "the same: API calls", runs, expected)]


def bad_records(bench: Bench, bad: float = 0.01) -> list[Row]:
    """B13: one record in a hundred is bad, half of these can't be translated and half are refused by B."""
    sides = bench.sides()
    value = {"resource": "customers", "value": "REFUSE-ME"}
    runs: dict[str, Runs] = {"clean": collect(sides), "bad": collect(sides)}
    bench.load("a", "customers", bench.n)
    bench.load("a_bad", "customers", bench.n, bad)
    for side in bench.alternating(sides, min(bench.pairs, 3)):
        for kind, a in (("clean", "a"), ("bad", "a_bad")):
            bench.drop(f"b_{side.name}")
            bench.server.control("refuse", {"system": f"b_{side.name}", **value})
            side.start(a, f"b_{side.name}")
            runs[kind][side.name].append(bench.counted(lambda side=side: side.cold("customers")))  # type: ignore[misc]
            tell(bench, side, runs[kind])
    for side in sides:
        bench.verify(side.b, "b", bench.n, bad=bad)
        if isinstance(side, Hub):
            named = {letter["remote_id"] or letter["hub_id"] for letter in side.letters() if letter["field"]}
            if len(named) != round(bench.n * bad):
                raise Failed(f"{len(named)} bad records are reported with their field, not {round(bench.n * bad)}")
    cost = {
        s.name: (middle(runs["bad"], s.name, "cpu") or 0) / (middle(runs["clean"], s.name, "cpu") or 1) for s in sides
    }
    hub = cost.get("hub")
    title = "1 % bad records: CPU against none bad; the rest land"
    row = Row("B13", title, "×", hub, cost["limit"], hub, "× clean", 1.10, 1.25, "less")
    return [row]


def latency(bench: Bench) -> list[Row]:
    """B9: a slow network. Pages are serial, so the reading alone is the floor; writing has to hide behind it."""
    rows = []
    sides = [side for side in bench.sides() if side.name == "hub"]
    bench.load("a", "customers", bench.n)
    for milliseconds, target in ((100, 1.2), (20, 1.5)):
        for side in sides:
            bench.drop(f"b_{side.name}")
            side.start("a", f"b_{side.name}")
            bench.server.control("latency", {"ms": milliseconds})
            try:
                done = bench.counted(lambda side=side: side.cold("customers"))  # type: ignore[misc]
            finally:
                bench.server.control("latency", {"ms": 0})
            bench.verify(side.b, "b", bench.n)
            floor = done.count("list") * milliseconds / 1000
            title = f"full sync, {bench.n:,} customers, {milliseconds} ms a call: wall"
            row = Row("B9", title, "s", done.wall, floor, done.wall / floor, "× reading", target, 1.5, "less")
            row.hub_wall, row.limit_wall = done.wall, floor
            rows.append(row)
            bench.say(f"    {milliseconds} ms: {done.wall:.1f} s, reading alone {floor:.1f} s")
    return rows


def growth_row(id: str, title: str, runs: dict[int, Runs], small: int, big: int, figure: str, unit: str) -> Row:
    """A figure with ten times the records, and by how much it grew."""
    hub, before = middle(runs[big], "hub", figure), middle(runs[small], "hub", figure)
    score = hub / before if hub is not None and before else None
    row = Row(id, f"{title}, {big:,} against {small:,} customers", unit, hub, middle(runs[big], "limit", figure), score)
    row.scored, row.target, row.first, row.better = f"× {small:,}", 1.1, 1.2, "less"
    return row
