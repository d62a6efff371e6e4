"""An entity divided into partitions: by one pass, and by several that take turns or work side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import CUSTOMERS, FakeSystem, World

from hub.connect.capabilities import Part
from hub.errors import ConfigurationError, Unavailable
from hub.store import records, runs, shadows
from hub.store.database import open_store
from hub.store.records import RecordWrite
from hub.sync import matching
from hub.sync.joint import endings, own_ids, owns, parse_part
from hub.sync.policy import Budget

ONE_ENTITY = {"customer": CUSTOMERS}


def divided(path: Path, partitions: int = 3, **more: Any) -> World:
    return World(path, mappings=ONE_ENTITY, partitions=partitions, **more)


def names(system: Any) -> list[str]:
    return sorted(record["name"] for record in system.records("customers"))


def add(world: World, system: str, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        getattr(world, system).add("customers", name=f"{system} {number}", tax=f"{system.upper()}{number}")


def part(world: World, text: str, *, owner: str = "test", **options: Any) -> Any:
    """One pass of several, by a process called ``owner``."""
    with world.engine() as engine:
        engine.owner = owner
        return engine.sync(**{"yes": True, **options}, partition=parse_part(text))


@contextmanager
def stopped(world: World, system: FakeSystem, verb: str, text: str, **options: Any) -> Iterator[Future[Any]]:
    """A pass that stands still before its first such call until the block ends."""
    there, on = threading.Event(), threading.Event()

    def stop(called: str) -> None:
        if called == verb and not there.is_set():
            there.set()
            assert on.wait(30)

    system.before = stop
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(part, world, text, owner="first", **options)
        try:
            assert there.wait(30)
            yield under_way
        finally:
            on.set()
        under_way.result()


def until(done: Callable[[], bool]) -> None:
    """Wait for another thread; fails after half a minute."""
    for _ in range(3000):
        if done():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came to that")


def dies_at(verb: str) -> Callable[[str], None]:
    def die(called: str) -> None:
        if called == verb:
            raise KeyboardInterrupt

    return die


# what belongs to whom ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [1, 2, 3, 4, 7, 32])
def test_each_record_belongs_to_exactly_one_part(of: int) -> None:
    for letter in "0123456789abcdefghijklmnopqrstuvwxyzAé":
        owners = [number for number in range(1, of + 1) if owns(Part(number, of), f"01hx{letter}")]
        assert len(owners) == 1
        if letter in "0123456789abcdefghijklmnopqrstuvwxyz":
            assert letter in (endings(Part(owners[0], of)) or ())


def test_new_records_get_ids_of_the_pass_that_found_them() -> None:
    numbers = iter(range(100))
    mine = own_ids(lambda: f"h{next(numbers):04d}", Part(2, 4))
    found = [mine() for _ in range(8)]
    assert all(owns(Part(2, 4), hub_id) for hub_id in found)
    assert len(set(found)) == 8


@pytest.mark.parametrize("text", ["", "2", "0/4", "5/4", "a/b", "1/4/2", "-1/4"])
def test_a_part_is_written_as_number_and_of(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no partition"):
        parse_part(text)
    assert parse_part("2/4") == Part(2, 4)


def test_a_part_has_to_fit_what_hub_yaml_says(tmp_path: Path) -> None:
    world = divided(tmp_path)
    with pytest.raises(ConfigurationError, match=r"hub\.yaml divides it into 3"):
        part(world, "1/4")
    with pytest.raises(ConfigurationError, match="all systems"):
        part(world, "1/3", systems=["crm"])


# one pass over all parts --------------------------------------------------------------------------------------------


def test_one_pass_reads_all_parts_each_with_a_cursor_of_its_own(tmp_path: Path) -> None:
    world = divided(tmp_path)
    add(world, "crm", 7)
    world.sync()
    assert names(world.erp) == names(world.crm)
    assert sorted(world.crm.parts_read) == ["1/3", "2/3", "3/3"]
    quiet = world.sync()
    assert (quiet.writes, quiet.rounds) == (0, 1)
    world.crm.edit("customers", "crm5", note="called")
    assert world.sync().writes == 1
    with open_store(world.url).read() as connection:
        kept = runs.cursors_of(connection, "customer")
    assert {of for (system, of) in kept if system == "crm"} == {"", "1/3", "2/3", "3/3"}


def test_a_system_that_has_no_parts_is_read_as_a_whole(tmp_path: Path) -> None:
    world = divided(tmp_path)
    world.erp.in_parts = False
    add(world, "crm", 5)
    add(world, "erp", 2)
    world.sync()
    assert names(world.erp) == names(world.crm)
    assert world.erp.parts_read == []


def test_dividing_an_entity_later_reads_nothing_twice(tmp_path: Path) -> None:
    world = divided(tmp_path, partitions=1)
    add(world, "crm", 200)
    world.sync()
    world.policy["partitions"] = 2
    before = len(world.crm.calls)
    assert world.sync().writes == 0
    assert len(world.crm.calls) - before == 2, "a call for each part, from where the whole stood"


def test_what_no_part_of_a_complete_listing_shows_is_gone(tmp_path: Path) -> None:
    world = divided(tmp_path, deletes="propagate")
    for system in world.systems.values():
        system.tombstones = False
    add(world, "crm", 9)
    world.sync()
    world.crm.remove("customers", "crm4")
    world.sync(full=True)
    assert names(world.erp) == names(world.crm)
    assert len(names(world.erp)) == 8


def test_an_empty_part_deletes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = divided(tmp_path, deletes="propagate")
    for system in world.systems.values():
        system.tombstones = False
    add(world, "crm", 9)
    world.sync()
    whole = world.crm.rows["customers"]
    world.crm.rows["customers"] = {k: v for k, v in whole.items() if int(k.removeprefix("crm")) % 3}
    report = world.sync(full=True, yes=False)
    assert len(names(world.erp)) == 9
    assert any("part of it came back empty" in finding.message for finding in report.findings)


def test_a_listing_that_is_not_believed_was_not_read_with_the_new_mapping(tmp_path: Path) -> None:
    """Were it, what another system says of the new field would be written over what nobody ever read."""
    world = divided(tmp_path, conflict="hold")
    world.mappings = {"customer": CUSTOMERS.replace("  phone: {field: tel, via: {phone: {region: CN}}}\n", "")}
    for number in range(9):
        world.crm.add("customers", name=f"crm {number}", tax=f"CRM{number}", tel="021-62345678")
    world.sync()
    world.mappings = ONE_ENTITY
    for row_id in world.erp.rows["customers"]:
        world.erp.edit("customers", row_id, tel="021-52345678")
    there, world.crm.rows["customers"] = world.crm.rows["customers"], {}
    assert [finding.kind for finding in world.sync(yes=False).findings] == ["listing"]
    world.crm.rows["customers"] = there
    world.sync()
    assert {row["tel"] for row in world.crm.records("customers")} == {"021-62345678"}
    with world.engine() as engine:
        assert [conflict["path"] for conflict in engine.conflicts()] == ["phone"] * 9


# several passes -----------------------------------------------------------------------------------------------------


def test_passes_one_after_the_other_do_everything_once(tmp_path: Path) -> None:
    world = divided(tmp_path)
    add(world, "crm", 10)
    first = part(world, "1/3")
    assert first.writes == 10, "nobody else was there: it read every part, and what it finds is its own"
    for text in ("2/3", "3/3", "1/3"):
        assert part(world, text).writes == 0
    for record in list(world.crm.rows["customers"]):
        world.crm.edit("customers", record, note="edited")
    assert sum(part(world, text).writes for text in ("1/3", "2/3", "3/3")) == 10
    assert world.sync().writes == 0


def test_each_pass_writes_the_records_that_are_its_own(tmp_path: Path) -> None:
    world = divided(tmp_path)
    add(world, "crm", 12)
    world.sync()  # ids of all parts
    for record in list(world.crm.rows["customers"]):
        world.crm.edit("customers", record, note="edited")
    wrote = [part(world, text).writes for text in ("1/3", "2/3", "3/3")]
    assert sum(wrote) == 12
    assert min(wrote) > 0
    assert all(record["note"] == "edited" for record in world.erp.records("customers"))


def test_the_budget_is_one_for_all_of_them(tmp_path: Path) -> None:
    world = divided(tmp_path, budget=Budget(floor=5, share=0.0))
    add(world, "crm", 12)
    world.sync()
    for record in list(world.crm.rows["customers"]):
        world.crm.edit("customers", record, name=f"new {record}")
    with stopped(world, world.erp, "update", "1/3", yes=False) as first:
        reports = [part(world, text, yes=False, owner="another") for text in ("2/3", "3/3")]
        assert [report.writes for report in reports] == [0, 0]
        assert [report.state for report in reports] == ["needs_person"] * 2
    assert 0 < first.result().writes <= 5


def test_two_systems_that_were_full_wait_for_approval(tmp_path: Path) -> None:
    world = divided(tmp_path, partitions=2)
    add(world, "crm", 3)
    add(world, "erp", 3)
    reports = [part(world, text, yes=False) for text in ("1/2", "2/2")]
    assert [report.writes for report in reports] == [0, 0]
    assert reports[0].state == "needs_person"
    assert part(world, "1/2", yes=False).writes == 0, "nobody has approved it meanwhile"
    world.sync(yes=True)
    assert names(world.crm) == names(world.erp)


# who keeps whom out -------------------------------------------------------------------------------------------------


def test_a_whole_pass_and_a_part_keep_each_other_out(tmp_path: Path) -> None:
    world = divided(tmp_path)
    with world.engine() as engine, world.engine() as other:
        other.owner = "somebody else"
        seen: list[str] = []

        def busy(verb: str) -> None:
            world.crm.before = lambda verb: None
            for partition in (None, Part(1, 3)):
                with pytest.raises(Unavailable, match="another pass is at work"):
                    other.sync(partition=partition)
                seen.append(verb)

        world.crm.before = busy
        engine.sync(partition=Part(1, 3))
        assert len(seen) == 2
        world.crm.before = busy
        engine.sync()
        assert len(seen) == 4


def test_a_part_that_had_its_turn_waits_for_the_others(tmp_path: Path) -> None:
    world = divided(tmp_path, partitions=2)
    add(world, "crm", 2)
    with stopped(world, world.erp, "create", "1/2"):
        calls = len(world.crm.calls)
        assert part(world, "2/2", owner="another").writes == 0
        assert len(world.crm.calls) == calls, "all of it was read already, and somebody writes there"
        with pytest.raises(Unavailable, match=r"another pass .* has had its turn"):
            part(world, "2/2", owner="another")
    assert part(world, "2/2").writes == 0


def test_nobody_writes_to_a_system_that_another_one_is_still_reading(tmp_path: Path) -> None:
    world = divided(tmp_path, partitions=2)
    add(world, "crm", 4)
    world.erp.add("customers", name="in both", tax="CRM3")
    with stopped(world, world.erp, "list", "1/2"), ThreadPoolExecutor(1) as pool:
        other = pool.submit(part, world, "2/2", owner="another")
        until(lambda: "1/2" in world.crm.parts_read and "2/2" in world.crm.parts_read)
        assert "create" not in world.erp.calls
    assert other.result().state != "failed"
    world.sync()
    assert sorted(record["tax"] for record in world.erp.records("customers")) == [f"CRM{n}" for n in range(4)]


def test_the_parts_of_a_pass_that_died_are_read_by_the_others(tmp_path: Path) -> None:
    world = divided(tmp_path, partitions=2)
    add(world, "crm", 6)
    world.crm.before = dies_at("list")
    with pytest.raises(KeyboardInterrupt):
        part(world, "1/2", owner="dead")
    world.crm.before = lambda verb: None
    assert part(world, "2/2", owner="another").writes == 6
    assert names(world.erp) == names(world.crm)


def test_creates_in_doubt_are_found_before_their_system_is_read(tmp_path: Path) -> None:
    world = divided(tmp_path, partitions=2)
    world.crm.add("customers", name="no key to match by")
    world.erp.after = dies_at("create")
    with pytest.raises(KeyboardInterrupt):
        part(world, "1/2", owner="dead")
    world.erp.after = lambda verb: None
    assert part(world, "2/2", owner="another").state != "failed"
    assert [world.sync().writes for _ in range(2)] == [0, 0]
    assert (len(names(world.erp)), len(names(world.crm))) == (1, 1)


def test_threads_side_by_side_make_nothing_twice(tmp_path: Path) -> None:
    world = divided(tmp_path, partitions=3)
    add(world, "crm", 60)
    world.crm.add("customers", name="twin", tax="SAME")
    world.crm.add("customers", name="twin", tax="SAME")
    world.erp.add("customers", name="known already", tax="CRM5")

    def one(number: int) -> Any:
        with world.engine() as engine:
            engine.owner = f"worker {number}"
            return engine.sync(yes=True, partition=Part(number, 3))

    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(one, (1, 2, 3)))
    assert all(report.state != "failed" for report in reports)
    codes = [record["tax"] for record in world.erp.records("customers")]
    assert len(codes) == len(set(codes)) == 61, "one of the twins waits for a person"
    assert [world.sync().writes for _ in range(3)][-1] == 0


@pytest.mark.postgres
def test_a_record_that_another_pass_stores_at_the_same_moment_is_found_in_the_end(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = divided(tmp_path, partitions=2, store_url=postgres_url)
    world.crm.add("customers", name="one", tax="SAME")
    sure = matching.still_new

    def late(*arguments: Any) -> None:
        """Before this pass has its turn, the other one ends its own."""
        monkeypatch.setattr("hub.sync.observe.still_new", sure)
        add_by_hand(postgres_url, "SAME")
        sure(*arguments)

    def add_by_hand(url: str, tax: str) -> None:
        with open_store(url).begin() as connection:
            values = {"name": "the same", "tax_id": tax}
            records.insert_records(connection, [RecordWrite("01hother2", "customer", values, {}, 0)], "2026-01-15")
            records.index(connection, "customer", (("tax_id",), ("name",)), [("01hother2", values)])

    monkeypatch.setattr("hub.sync.observe.still_new", late)
    report = part(world, "1/2")
    counts = next(c for c in report.counts if c.system == "crm")
    assert (counts.seen, counts.new, counts.matched) == (1, 0, 1), "told once, as it was in the end"
    with open_store(postgres_url).read() as connection:
        assert [shadow.hub_id for shadow in shadows.by_remote(connection, "crm", "customer", ["crm1"]).values()] == [
            "01hother2"
        ]
