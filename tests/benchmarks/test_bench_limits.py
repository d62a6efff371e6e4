"""The scripts by hand do the whole work and do it right: a limit that cheats would be no limit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stdnum.cn import uscc

from benchmarks import by_hand, data, verify
from benchmarks.bench import Bench, edits
from benchmarks.by_hand_io import Api, decode, encode
from benchmarks.limit_both import Both
from benchmarks.limit_sync import Sync, open_memory
from benchmarks.measure import Failed, Server

Names = Callable[[str], str]


@pytest.fixture
def bench(bench_server: Server, tmp_path: Path) -> Bench:
    return Bench(bench_server, tmp_path, 1000, 1, say=lambda text: None, with_hub=False)


def wire(record: dict[str, Any]) -> Any:
    """A record as the server sends it."""
    return decode(encode(record))


def one_way(bench: Bench, a: str, b: str, resource: str = "customers") -> Sync:
    memory = open_memory(f"sqlite:///{bench.folder / 'memory.db'}")
    return Sync(Api(bench.server.url, a), Api(bench.server.url, b), memory, resource)


@pytest.mark.parametrize("i", range(0, 300, 7))
def test_the_mapping_by_hand_gives_what_the_data_says(i: int) -> None:
    values = by_hand.customer_of_a(wire(data.in_a("customers", i)))
    assert verify.plain(wire(by_hand.customer_to_b(values))) == verify.plain(wire(data.in_b("customers", i)))
    assert by_hand.customer_of_b(wire(by_hand.customer_to_b(values))) == values
    assert by_hand.customer_of_a(wire(by_hand.customer_to_a(values))) == values


def test_a_bad_field_is_named() -> None:
    good = wire(data.in_a("customers", 3))
    assert by_hand.read(by_hand.customer_of_a, good | {"Account_Status": "?"})[1].startswith("Account_Status:")
    assert by_hand.read(by_hand.customer_of_a, good | {"Bank": {"Name": 5, "Account": "1"}})[1].startswith("Bank.Name:")
    assert by_hand.read(by_hand.customer_of_a, good)[1] == ""


@pytest.mark.parametrize("i", [0, 1, 30, 31, 12345, 999999])
def test_tax_ids_are_valid(i: int) -> None:
    assert uscc.is_valid(data.tax_id(i))


def test_one_way_copies_everything_then_only_changes_then_nothing(bench: Bench, system: Names) -> None:
    a, b = system("a"), system("b")
    bench.load(a, "customers", bench.n)
    sync = one_way(bench, a, b)
    assert sync.run() == {"seen": 1000, "written": 1000, "problems": 0}
    bench.verify(b, "b", bench.n)
    bench.edit(a, 1, bench.n)
    assert sync.run() == {"seen": 100, "written": 100, "problems": 0}
    bench.verify(b, "b", bench.n, edits=edits(1))
    assert sync.run(full=True) == {"seen": 1000, "written": 0, "problems": 0}


def test_orders_arrive_with_their_customers_and_products(bench: Bench, system: Names) -> None:
    a, b = system("a"), system("b")
    for resource, n in (("customers", 1000), ("products", 500), ("orders", 300)):
        bench.load(a, resource, n)
        assert one_way(bench, a, b, resource).run()["written"] == n
    bench.verify(b, "b", 300, "orders")


def test_bad_records_are_noted_and_the_rest_lands(bench: Bench, system: Names) -> None:
    a, b = system("a"), system("b")
    bench.load(a, "customers", bench.n, bad=0.01)
    bench.server.control("refuse", {"system": b, "resource": "customers", "value": data.REFUSED})
    assert one_way(bench, a, b).run() == {"seen": 1000, "written": 990, "problems": 10}
    bench.verify(b, "b", bench.n, bad=0.01)
    with sqlite3.connect(bench.folder / "memory.db") as db:
        noted = {message.partition(":")[0] for (message,) in db.execute("select message from problem")}
    assert noted == {"Account_Status", "FPayTerm"}


def test_both_ways_carries_edits_across_and_drops_its_own(bench: Bench, system: Names) -> None:
    a, b = system("a"), system("b")
    bench.load(a, "customers", bench.n)
    both = Both(Api(bench.server.url, a), Api(bench.server.url, b), str(bench.folder / "both.db"))
    assert both.run()["to_b"] == 1000
    bench.edit(a, 1, bench.n)
    bench.edit(b, 2, bench.n, shape="b")
    assert {k: v for k, v in both.run().items() if k.startswith("to_")} == {"to_a": 100, "to_b": 100}
    assert {k: v for k, v in both.run().items() if k.startswith("to_")} == {"to_a": 0, "to_b": 0}
    for name, shape in ((a, "a"), (b, "b")):
        bench.verify(name, shape, bench.n, edits=edits(2))


def test_both_ways_merges_two_edits_of_one_record(bench: Bench, system: Names) -> None:
    a, b = system("a"), system("b")
    bench.load(a, "customers", 10)
    both = Both(Api(bench.server.url, a), Api(bench.server.url, b), str(bench.folder / "both.db"))
    both.run()
    both.run()
    edit = {"resource": "customers"}
    bench.server.control("edit", {"system": a, **edit, "edits": {"C000000005": {"Employees": 11, "Short_Name": "A"}}})
    by = {"by": "FNumber", "edits": {"C0000005": {"FPayTerm": "PREPAID", "FShortName": "B"}}}
    bench.server.control("edit", {"system": b, **edit, **by})
    both.run()
    both.run()
    in_a = Api(bench.server.url, a).get("customers", "C000000005")["values"]
    assert (in_a["Employees"], in_a["Payment_Terms"], in_a["Short_Name"]) == (11, "PREPAID", "A")
    [(records, _)] = Api(bench.server.url, b).pages("customers", None)
    in_b = next(r["values"] for r in records if r["values"]["FNumber"] == "C0000005")
    assert (in_b["FStaff"], in_b["FPayTerm"], in_b["FShortName"]) == (11, "PREPAID", "A")


@pytest.mark.parametrize(
    ("n", "spoil", "named"),
    [
        (20, {"FCreditAmount": 1.5}, '"different": 1'),
        (21, {}, '"missing": 1'),
        (19, {}, '"extra": 1'),
    ],
)
def test_the_check_of_contents_finds_what_is_wrong(
    bench: Bench, system: Names, n: int, spoil: dict[str, Any], named: str
) -> None:
    a, b = system("a"), system("b")
    bench.load(a, "customers", 20)
    one_way(bench, a, b).run()
    spoiled = {"system": b, "resource": "customers", "by": "FNumber", "edits": {"C0000004": spoil}}
    bench.server.control("edit", spoiled)
    with pytest.raises(Failed, match=named):
        bench.verify(b, "b", n)
