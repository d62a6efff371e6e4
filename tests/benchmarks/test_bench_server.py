"""The benchmark server behaves like a decent remote system, so that what is measured against it means something."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from benchmarks import data
from benchmarks.by_hand_io import Api, decode
from benchmarks.measure import Failed, Server
from benchmarks.seeded import Seeded
from benchmarks.store import Resource

Names = Callable[[str], str]


def load(server: Server, system: str, n: int, resource: str = "customers", bad: float = 0.0) -> Api:
    server.control("load", {"system": system, "resource": resource, "n": n, "bad": bad})
    return Api(server.url, system)


def write(api: Api, **values: Any) -> dict[str, Any]:
    [result] = api.upsert("customers", [{"key": "k1", "values": values}], echo=True)
    return result


def test_pages_hold_200_records_and_the_last_one_says_so(bench_server: Server, system: Names) -> None:
    api = load(bench_server, system("a"), 400)
    pages = [records for records, _ in api.pages("customers", None)]
    assert [len(page) for page in pages] == [200, 200]
    assert pages[0][1]["values"] == decode(requests_text(bench_server, api, "C000000001"))


def requests_text(server: Server, api: Api, id: str) -> bytes:
    answer = requests.get(f"{api.base}/customers", params={"ids": id}, timeout=10)
    start = answer.content.index(b'"values":') + len(b'"values":')
    return answer.content[start : -len(b"}]}")]


def test_after_a_cursor_only_later_changes_are_listed_each_record_once(bench_server: Server, system: Names) -> None:
    name = system("a")
    api = load(bench_server, name, 250)
    *_, (_, cursor) = api.pages("customers", None)
    for phone in ("1", "2"):
        edits = {"C000000007": {"Phone": phone}}
        bench_server.control("edit", {"system": name, "resource": "customers", "edits": edits})
    [(changed, _)] = api.pages("customers", cursor)
    assert [(r["id"], r["version"], r["values"]["Phone"]) for r in changed] == [("C000000007", "3", "2")]
    assert sum(len(records) for records, _ in api.pages("customers", None)) == 250


def test_a_create_repeated_under_its_key_makes_no_second_record(bench_server: Server, system: Names) -> None:
    api = Api(bench_server.url, system("b"))
    first, again = write(api, FName="A"), write(api, FName="A")
    assert first["id"] == again["id"]
    assert bench_server.control("stats")["records"][f"{api.base.rsplit('/')[-1]}/customers"] == 1


def test_an_update_keeps_the_fields_it_does_not_name_to_the_last_digit(bench_server: Server, system: Names) -> None:
    api = Api(bench_server.url, system("b"))
    id = write(api, FName="A", FCreditAmount=data.cents(1230))["id"]
    [result] = api.upsert("customers", [{"id": id, "values": {"FName": "B"}}], echo=True)
    assert (result["version"], result["values"]["FName"]) == ("2", "B")
    assert str(result["values"]["FCreditAmount"]) == "12.30"


def test_each_record_of_a_batch_has_its_own_result(bench_server: Server, system: Names) -> None:
    name = system("b")
    api = Api(bench_server.url, name)
    id = write(api, FPayTerm="COD")["id"]
    bench_server.control("refuse", {"system": name, "resource": "customers", "value": data.REFUSED})
    results = api.upsert(
        "customers",
        [
            {"id": id, "version": "7", "values": {"FName": "stale"}},
            {"id": "B999", "values": {"FName": "unknown"}},
            {"key": "k2", "values": {"FPayTerm": data.REFUSED}},
            {"key": "k3", "values": {"FPayTerm": "COD"}},
        ],
    )
    assert [r.get("error", {}).get("code") for r in results] == ["VERSION_CONFLICT", "NOT_FOUND", "INVALID_DATA", None]


def test_more_than_100_records_a_call_are_refused(bench_server: Server, system: Names) -> None:
    api = Api(bench_server.url, system("b"))
    with pytest.raises(requests.HTTPError):
        api.upsert("customers", [{"key": str(i), "values": {}} for i in range(101)])


def test_a_deleted_record_is_a_tombstone_in_the_feed_and_not_found_by_its_key(
    bench_server: Server, system: Names
) -> None:
    api = Api(bench_server.url, system("b"))
    id = write(api, FName="A")["id"]
    requests.delete(f"{api.base}/customers", params={"ids": id}, timeout=10).raise_for_status()
    [(records, _)] = api.pages("customers", "0")
    assert [(r["id"], r["deleted"], "values" in r) for r in records] == [(id, True, False)]
    assert write(api, FName="B")["id"] != id


def test_every_call_is_counted_under_what_it_does(bench_server: Server, system: Names) -> None:
    name = system("a")
    api = load(bench_server, name, 201)
    bench_server.control("reset")
    list(api.pages("customers", None))
    api.get("customers", "C000000001")
    write(api, Phone="1")
    assert bench_server.control("stats")["calls"] == {
        f"list {name}/customers": 2,
        f"get {name}/customers": 1,
        f"upsert {name}/customers": 1,
    }


def test_a_fault_hits_as_many_calls_as_it_was_told_to(bench_server: Server, system: Names) -> None:
    api = load(bench_server, system("a"), 1)
    bench_server.control("faults", [{"match": f"GET /{api.base.rsplit('/')[-1]}", "next": 1, "status": 500}])
    with pytest.raises(requests.HTTPError):
        list(api.pages("customers", None))
    assert len(list(api.pages("customers", None))) == 1


@pytest.mark.parametrize(("when", "records"), [("before", 0), ("after", 1)])
def test_a_lost_answer_leaves_open_whether_the_write_happened(
    bench_server: Server, system: Names, when: str, records: int
) -> None:
    name = system("b")
    api = Api(bench_server.url, name)
    bench_server.control("faults", [{"match": f"POST /{name}", "next": 1, "close": when}])
    with pytest.raises(requests.ConnectionError):
        write(api, FName="A")
    assert sum(len(page) for page, _ in api.pages("customers", None)) == records


def test_an_unknown_control_call_is_refused_with_words(bench_server: Server) -> None:
    with pytest.raises(Failed, match="no such control call"):
        bench_server.control("explode", {})


def test_the_data_has_the_size_that_the_figures_speak_of(bench_server: Server, system: Names) -> None:
    api = load(bench_server, system("a"), 200)
    answer = requests.get(f"{api.base}/customers", timeout=10)
    assert 1600 < len(answer.content) / 200 < 1800
    assert len(data.in_a("customers", 1)) == 35
    assert len(data.in_a("orders", 1)["Items"]) == 5


def test_records_made_when_they_are_asked_for_are_those_that_are_kept() -> None:
    kept, seeded = Resource("AC"), Seeded("AC", "customers", 7)
    kept.load((data.remote_id("customers", i), data.in_a("customers", i)) for i in range(7))
    edited = data.remote_id("customers", 3)
    for resource in (kept, seeded):
        resource.edit(edited, {"Phone": "1"})
        resource.edit(edited, {"Phone": "2"})
    for limit in (1, 3, 6, 7, 200):
        pages: list[list[bytes]] = []
        for resource in (kept, seeded):
            found: list[bytes] = []
            cursor, more = 0, True
            while more:
                page, cursor, more = resource.page(cursor, limit)
                found += page
            pages.append([strip_time(wire) for wire in found])
            assert resource.page(cursor, limit) == ([], cursor, False)
        assert pages[0] == pages[1]
    ids = [edited, data.remote_id("customers", 0), "C000000099"]
    assert [strip_time(w) for w in kept.get(ids)] == [strip_time(w) for w in seeded.get(ids)]
    assert kept.live() == seeded.live() == 7


def strip_time(wire: bytes) -> dict[str, object]:
    return {name: value for name, value in json.loads(wire).items() if name != "modified_at"}
