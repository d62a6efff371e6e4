"""The hub's side of the benchmarks: the project's mappings mean the same as the code by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import hub.mapping
import hub.model
from benchmarks import by_hand, data
from benchmarks.bench import Bench, edits
from benchmarks.by_hand_io import Record, decode, encode
from benchmarks.measure import Server
from benchmarks.sides import PROJECT, Hub
from benchmarks.verify import plain
from hub.mapping import Lens

PAIRS = [("customers", by_hand.customer_of_a), ("products", by_hand.product_of_a), ("orders", by_hand.order_of_a)]


def lens_of(system: str, resource: str) -> Lens:
    lens, problems = hub.mapping.load(PROJECT / "mappings" / system / f"{resource}.yaml", specs=hub.model.entities())
    assert not problems
    assert lens is not None
    return lens


@pytest.mark.parametrize(("resource", "get"), PAIRS, ids=[name for name, _ in PAIRS])
def test_the_mappings_read_what_the_code_by_hand_reads(resource: str, get: by_hand.Getter) -> None:
    records: list[Record] = [decode(encode(data.in_a(resource, i))) for i in range(60)]
    got = lens_of("a", resource).get_many(records)
    assert [problem for item in got for problem in item.problems] == []
    assert [plain(item.values) for item in got] == [plain(get(record)) for record in records]


@pytest.mark.parametrize("resource", ["customers", "products"])
def test_the_mappings_write_what_the_data_says(resource: str) -> None:
    a, b = lens_of("a", resource), lens_of("b", resource)
    for i in range(60):
        values = a.get(decode(encode(data.in_a(resource, i)))).values
        assert plain(decode(encode(b.put(values, None)))) == plain(decode(encode(data.in_b(resource, i))))


def test_customers_have_the_36_fields_that_the_figures_speak_of() -> None:
    fields = lens_of("a", "customers").fields
    lines = [field.lines for field in fields.values() if field.lines is not None]
    # Both addresses share the names of their fields: eight each, besides the kind that tells them apart.
    named = {name for line in lines for name in line.fields} - {"kind"}
    assert len([f for f in fields.values() if f.lines is None]) + 2 * len(named) == 36


def test_the_hub_keeps_both_systems_equal_on_the_benchmark_server(
    bench_server: Server, system: Callable[[str], str], tmp_path: Path
) -> None:
    a, b = system("a"), system("b")
    bench = Bench(bench_server, tmp_path, 300, 1, say=lambda text: None)
    bench.load(a, "customers", 300)
    hub = Hub(bench_server.url, tmp_path)
    hub.start(a, b, ways="both")
    assert bench.counted(lambda: hub.cold("customers")).count("upsert") == 3
    bench.edit(a, 1, 300)
    bench.edit(b, 2, 300, shape="b")
    warm = hub.warm("customers")
    try:
        assert bench.counted(lambda: warm.do("sync")).count("upsert") == 2
        assert bench.counted(lambda: warm.do("sync")).count("upsert") == 0
        assert bench.counted(lambda: warm.do("full")).count("upsert") == 0
    finally:
        warm.close()
    bench.verify(a, "a", 300, edits=edits(2))
    bench.verify(b, "b", 300, edits=edits(2))
