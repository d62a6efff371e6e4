"""The pass, end to end, against in-memory systems: what a company would notice."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sync.fakes import World

from hub.errors import AuthenticationError, ConfigurationError, Unavailable, UnknownOutcome


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def names(world: World, system: str) -> list[str]:
    return sorted(row["name"] for row in world.systems[system].records("customers"))


def quiet(world: World) -> None:
    """Law 1: the pass after a complete pass writes nothing."""
    before = {name: system.writes for name, system in world.systems.items()}
    report = world.sync(yes=False)
    assert report.writes == 0
    assert {name: system.writes for name, system in world.systems.items()} == before


def customer(world: World, system: str, name: str) -> dict[str, Any]:
    return next(r for r in world.systems[system].records("customers") if r["name"] == name)


def test_a_new_record_arrives_in_the_other_system_and_the_next_pass_is_quiet(world: World) -> None:
    world.crm.add("customers", name="杭州云帆科技有限公司", tel="0571-8765 4321", credit=Decimal("1000.50"))
    report = world.sync()
    row = customer(world, "erp", "杭州云帆科技有限公司")
    assert row["tel"] == "+8657187654321" and row["credit"] == Decimal("1000.5")
    assert report.message == "1 customer written"
    quiet(world)


def test_edits_on_both_sides_reach_the_other_side(world: World) -> None:
    a = world.crm.add("customers", name="A", tel="13800000000", credit=1)
    world.sync()
    b = next(iter(world.erp.rows["customers"]))
    world.crm.edit("customers", a, tel="13900000000")
    world.erp.edit("customers", b, credit=2)
    world.sync()
    assert world.erp.row("customers", b)["tel"] == "+8613900000000"
    assert world.crm.row("customers", a)["credit"] == 2
    quiet(world)


def test_two_full_systems_are_matched_not_doubled_and_nothing_is_written_before_approval(world: World) -> None:
    for n in range(5):
        world.crm.add("customers", name=f"客户{n}", tax=f"9133010{n}")
    for n in range(3, 8):
        world.erp.add("customers", name=f"客户{n} ", tax=f"9133010{n}", note="erp")
    with world.engine() as engine:
        report = engine.sync()
        assert world.crm.writes == world.erp.writes == 0
        assert report.state == "needs_person" and report.plan is not None
        assert sum(m["matched"].get("tax_id", 0) for m in report.plan.matched if m["system"] == "erp") == 2
        assert engine.apply(report.plan.id).state == "done"
    assert len(names(world, "crm")) == len(names(world, "erp")) == 8
    quiet(world)


def test_a_plan_is_refused_when_something_moved_since(world: World) -> None:
    world.crm.add("customers", name="A")
    with world.engine() as engine:
        plan = engine.plan().plan
        assert plan is not None and [w.action for w in plan.writes] == ["create"]
        assert world.erp.writes == 0
        world.crm.add("customers", name="B")
        with pytest.raises(ConfigurationError, match="customer B"):
            engine.apply(plan.id)
    assert world.erp.writes == 0


def test_an_edit_of_a_field_that_another_system_owns_is_taken_back(tmp_path: Path) -> None:
    world = World(tmp_path, authority={"credit_limit": "erp"})
    a = world.crm.add("customers", name="A", credit=5)
    world.sync()
    world.crm.edit("customers", a, credit=99, note="other")
    report = world.sync()
    assert world.crm.row("customers", a)["credit"] == 5
    assert sum(c.refused for c in report.counts) == 1
    assert customer(world, "erp", "A")["note"] == "other"
    quiet(world)


def test_edits_of_one_field_on_both_sides_are_held_for_a_person(tmp_path: Path) -> None:
    world = World(tmp_path, conflict="hold")
    a = world.crm.add("customers", name="A", tel="13800000000", credit=1)
    world.sync()
    b = next(iter(world.erp.rows["customers"]))
    world.crm.edit("customers", a, tel="13900000001", credit=7)
    world.erp.edit("customers", b, tel="13900000002")
    report = world.sync()
    assert report.state == "needs_person" and report.open_conflicts == 1
    assert world.erp.row("customers", b)["credit"] == 7, "other fields go on"
    assert world.crm.row("customers", a)["tel"] == "13900000001"
    assert world.erp.row("customers", b)["tel"] == "13900000002"
    with world.engine() as engine:
        conflict = engine.conflicts()[0]
        assert (conflict["theirs"], conflict["ours"]) == ("+8613900000002", "+8613900000001")
        engine.resolve(conflict["id"], take="theirs")
    world.sync()
    assert world.crm.row("customers", a)["tel"] == "+8613900000002"
    quiet(world)


@pytest.mark.parametrize("winner", ["crm", "erp"])
def test_the_newest_edit_wins_by_policy(tmp_path: Path, winner: str) -> None:
    world = World(tmp_path)
    a = world.crm.add("customers", name="A", tel="13800000000")
    world.sync()
    b = next(iter(world.erp.rows["customers"]))
    edits = {"crm": (a, "13900000001"), "erp": (b, "13900000002")}
    for system in sorted(edits, key=lambda name: name == winner):
        world.systems[system].edit("customers", edits[system][0], tel=edits[system][1])
    world.sync()
    expected = "+86" + edits[winner][1]
    assert {
        world.crm.row("customers", a)["tel"].removeprefix("+86"),
        world.erp.row("customers", b)["tel"].removeprefix("+86"),
    } == {expected.removeprefix("+86")}
    quiet(world)


def test_a_weak_field_fills_a_blank_and_never_overwrites(world: World) -> None:
    a = world.crm.add("customers", name="A", note="from crm")
    world.sync()
    b = next(iter(world.erp.rows["customers"]))
    assert world.erp.row("customers", b)["note"] == "from crm"
    world.crm.edit("customers", a, note="changed")
    world.sync()
    assert world.erp.row("customers", b)["note"] == "from crm"
    quiet(world)


def test_a_deletion_is_archived_propagated_or_ignored_by_policy(tmp_path: Path) -> None:
    for policy in ("archive", "propagate", "ignore"):
        (tmp_path / policy).mkdir()
        world = World(tmp_path / policy, deletes=policy)
        a = world.crm.add("customers", name="A")
        world.sync()
        world.crm.remove("customers", a)
        world.sync()
        left = world.erp.records("customers")
        assert len(left) == (0 if policy == "propagate" else 1)
        assert bool(left and left[0].get("archived")) == (policy == "archive")
        assert world.crm.records("customers") == []
        quiet(world)


def test_a_record_deleted_here_and_edited_there_waits_for_a_person(tmp_path: Path) -> None:
    world = World(tmp_path, deletes="propagate")
    a = world.crm.add("customers", name="A", credit=1)
    world.sync()
    b = next(iter(world.erp.rows["customers"]))
    world.crm.remove("customers", a)
    world.erp.edit("customers", b, credit=2)
    assert world.sync().open_conflicts == 1
    assert len(world.erp.records("customers")) == 1
    with world.engine() as engine:
        engine.resolve(engine.conflicts()[0]["id"], take="theirs")
    world.sync()
    assert [r["credit"] for r in world.crm.records("customers")] == [2], "the edited record is made again"
    quiet(world)


def test_an_empty_listing_deletes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, deletes="propagate")
    world.crm.tombstones = False
    for n in range(80):
        world.crm.add("customers", name=f"A{n}")
    world.sync()
    rows = world.crm.rows["customers"]
    world.crm.rows["customers"] = {}
    report = world.sync(full=True, yes=False)
    assert report.state == "needs_person" and "not believed" in report.findings[0].message
    assert len(world.erp.records("customers")) == 80
    world.crm.rows["customers"] = rows
    quiet(world)


def test_deletions_beyond_the_budget_wait_for_approval(tmp_path: Path) -> None:
    world = World(tmp_path, deletes="propagate")
    ids = [world.crm.add("customers", name=f"A{n}") for n in range(80)]
    world.sync()
    for remote_id in ids[:60]:
        world.crm.remove("customers", remote_id)
    report = world.sync(yes=False)
    assert report.state == "needs_person" and len(world.erp.records("customers")) == 80
    assert report.plan is not None and any(h.reason == "budget" for h in report.plan.held)
    with world.engine() as engine:
        engine.apply(report.plan.id)
    assert len(world.erp.records("customers")) == 20


def test_an_order_follows_its_customer_and_products_with_lines(world: World) -> None:
    c = world.crm.add("customers", name="A")
    p = world.crm.add("products", code="P1", name="轴承")
    world.crm.add(
        "orders",
        no="SO1",
        title="t",
        customer=c,
        date="2026-01-15",
        lines=[
            {"seq": 2, "product": p, "qty": 3, "price": Decimal("9.90")},
            {"seq": 1, "product": p, "qty": 1, "price": 5},
        ],
    )
    world.sync()
    (order,) = world.erp.records("orders")
    customers = world.erp.rows["customers"]
    assert order["customer"] in customers
    assert [(line["seq"], line["qty"]) for line in order["lines"]] == [(1, 1), (2, 3)]
    assert order["lines"][1]["price"] == Decimal("9.9")
    quiet(world)


def test_lines_edited_on_both_sides_are_merged_by_their_key(world: World) -> None:
    c = world.crm.add("customers", name="A")
    p = world.crm.add("products", code="P1", name="x")
    a = world.crm.add(
        "orders", no="SO1", customer=c, lines=[{"seq": n, "product": p, "qty": n, "price": 1} for n in (1, 2, 3)]
    )
    world.sync()
    b = next(iter(world.erp.rows["orders"]))
    ours = world.crm.row("orders", a)["lines"]
    theirs = world.erp.row("orders", b)["lines"]
    world.crm.edit("orders", a, lines=[{**ours[0], "qty": 10}, ours[1], ours[2]])
    world.erp.edit("orders", b, lines=[theirs[0], {**theirs[1], "price": 7}])
    world.sync()
    for system, order in ((world.crm, a), (world.erp, b)):
        lines = {line["seq"]: (line["qty"], line["price"]) for line in system.row("orders", order)["lines"]}
        assert lines == {1: (10, 1), 2: (2, 7)}
    assert [line["id"] for line in world.crm.row("orders", a)["lines"]] == [ours[0]["id"], ours[1]["id"]]
    quiet(world)


def test_an_order_whose_customer_is_not_there_yet_waits_and_goes_through_later(world: World) -> None:
    world.crm.add("orders", no="SO1", customer="crm99", lines=[])
    report = world.sync()
    assert world.erp.records("orders") == [] and sum(c.waiting for c in report.counts) == 1
    world.crm._put("customers", "crm99", {"name": "late"}, by="user")
    world.sync()
    assert len(world.erp.records("orders")) == 1
    quiet(world)


def test_a_refused_record_is_one_dead_letter_and_the_rest_goes_on(world: World) -> None:
    world.erp.reject = lambda record: "credit too high" if record.get("credit") == 666 else None
    bad = world.crm.add("customers", name="bad", credit=666)
    world.crm.add("customers", name="good")
    report = world.sync()
    assert names(world, "erp") == ["good"]
    assert report.open_letters == 1 and report.state == "needs_person"
    calls = world.erp.calls.count("create")
    world.sync()
    assert world.erp.calls.count("create") == calls, "not tried again while nothing changed"
    world.crm.edit("customers", bad, credit=5)
    assert world.sync().open_letters == 0
    assert names(world, "erp") == ["bad", "good"]


def test_a_letter_can_be_replayed(world: World) -> None:
    world.erp.reject = lambda record: "closed today"
    world.crm.add("customers", name="A")
    world.sync()
    world.erp.reject = lambda record: None
    with world.engine() as engine:
        (letter,) = engine.letters()
        assert letter["message"] == "closed today"
        engine.replay([letter["id"]])
    assert world.sync().open_letters == 0
    assert names(world, "erp") == ["A"]


def test_an_unreadable_value_is_one_letter_naming_record_and_field(world: World) -> None:
    world.crm.add("customers", name="bad", credit="lots")
    world.crm.add("customers", name="good", credit=1)
    world.sync()
    assert names(world, "erp") == ["good"]
    with world.engine() as engine:
        (letter,) = engine.letters()
    assert letter["field"] == "credit" and "lots" in letter["message"] and "crm/customer.yaml:" in letter["cure"]


def test_a_value_the_target_rewrites_does_not_come_back_as_an_edit(world: World) -> None:
    def upper(record: dict[str, Any]) -> None:
        record["name"] = record["name"].upper()[:8]

    world.erp.rewrite = upper
    a = world.crm.add("customers", name="Longer Name")
    world.sync()
    assert world.crm.row("customers", a)["name"] == "Longer Name"
    quiet(world)
    b = next(iter(world.erp.rows["customers"]))
    world.erp.edit("customers", b, name="New")
    world.sync()
    assert world.crm.row("customers", a)["name"] == "NEW"
    quiet(world)


def test_a_number_given_by_the_target_comes_back_in_the_same_pass(world: World) -> None:
    def number(record: dict[str, Any]) -> None:
        record.setdefault("code", "C0001")
        record["code"] = record["code"] or "C0001"

    world.erp.rewrite = number
    a = world.crm.add("customers", name="A")
    world.sync()
    assert world.crm.row("customers", a)["code"] == "C0001"
    quiet(world)


def test_a_record_edited_between_plan_and_write_is_observed_again(world: World) -> None:
    a = world.crm.add("customers", name="A", tel="13800000000", credit=1)
    world.sync()
    b = next(iter(world.erp.rows["customers"]))
    world.crm.edit("customers", a, tel="13900000000")
    once = iter([True])

    def meddle(verb: str) -> None:
        if verb == "update" and next(once, False):
            world.erp.edit("customers", b, credit=42)

    world.erp.before = meddle
    world.sync()
    assert world.erp.row("customers", b)["tel"] == "+8613900000000"
    assert world.crm.row("customers", a)["credit"] == 42
    quiet(world)


def test_a_lost_answer_makes_no_duplicate(world: World) -> None:
    once = iter([True])

    def lose(verb: str) -> None:
        if verb == "create" and next(once, False):
            raise UnknownOutcome("connection reset")

    world.erp.after = lose
    world.crm.add("customers", name="A")
    world.sync()
    world.sync()
    assert names(world, "erp") == ["A"]
    quiet(world)


def test_a_lost_answer_without_a_probe_goes_to_a_person(world: World) -> None:
    world.erp.probe_kind = "none"
    once = iter([True])

    def lose(verb: str) -> None:
        if verb == "create" and next(once, False):
            raise UnknownOutcome("connection reset")

    world.erp.after = lose
    world.crm.add("customers", name="A", tax="91330101")
    world.sync()
    with world.engine() as engine:
        (letter,) = engine.letters()
        assert letter["stage"] == "doubt"
    world.sync()
    assert len(world.erp.records("customers")) == 1


@pytest.mark.parametrize("error", [Unavailable("no route"), AuthenticationError("wrong secret")])
def test_a_system_that_is_down_does_not_stop_the_others(tmp_path: Path, error: Exception) -> None:
    world = World(tmp_path, systems=("crm", "erp", "shop"))

    def down(verb: str) -> None:
        raise error

    world.erp.before = down
    world.crm.add("customers", name="A")
    report = world.sync()
    assert report.state == "failed" and {f.system for f in report.failures} == {"erp"}
    assert names(world, "shop") == ["A"]
    world.erp.before = lambda verb: None
    world.sync()
    assert names(world, "erp") == ["A"]
    quiet(world)


def test_a_duplicate_in_the_target_is_adopted_when_a_rule_matches_else_a_letter(world: World) -> None:
    world.erp.unique["customers"] = "name"
    world.crm.add("customers", name="A", tax="91330101")
    world.sync()
    # Made in the target after it was observed, so only the create meets it.
    once = iter([True])

    def twin(verb: str) -> None:
        if verb == "create" and next(once, False):
            world.erp.add("customers", name="B", note="made by hand")

    world.erp.before = twin
    world.crm.add("customers", name="B")
    world.sync()
    assert names(world, "erp") == ["A", "B"]
    quiet(world)


def test_records_that_match_several_wait_for_a_person(world: World) -> None:
    world.crm.add("customers", name="Same")
    world.crm.add("customers", name="Same")
    world.erp.add("customers", name="Same")
    report = world.sync()
    assert report.open_conflicts >= 1
    with world.engine() as engine:
        for conflict in engine.conflicts():
            engine.resolve(conflict["id"], new=True)
    world.sync()
    assert names(world, "crm") == ["Same", "Same"] and names(world, "erp") == ["Same", "Same"]
    quiet(world)


def test_a_field_added_to_a_mapping_is_carried_over(world: World) -> None:
    a = world.crm.add("customers", name="A", web="https://a.example")
    world.sync()
    world.mappings["customer"] += "  website: web\n"
    world.sync()
    assert customer(world, "erp", "A")["web"] == "https://a.example"
    quiet(world)
    world.crm.edit("customers", a, web=None)
    world.sync()
    assert customer(world, "erp", "A")["web"] is None


def test_null_clears_and_absent_says_nothing(world: World) -> None:
    a = world.crm.add("customers", name="A", tel="13800000000")
    world.sync()
    b = next(iter(world.erp.rows["customers"]))
    del world.erp.rows["customers"][b]["tel"]
    world.erp.edit("customers", b, credit=3)
    world.sync()
    assert world.crm.row("customers", a)["tel"] == "13800000000"
    world.crm.edit("customers", a, tel=None)
    world.sync()
    assert world.erp.row("customers", b)["tel"] is None


def test_explain_names_source_rule_mapping_line_and_run(world: World) -> None:
    a = world.crm.add("customers", name="A", tel="13800000000")
    world.sync()
    world.crm.edit("customers", a, tel="13900000000")
    run = world.sync().run
    with world.engine() as engine:
        told = engine.explain("customer", "A", "phone")["fields"]["phone"]
    assert told["value"] == "+8613900000000" and told["from"] == "crm"
    assert told["mapping"].startswith("crm/customer.yaml:10:")
    written = [s for s in told["steps"] if s["kind"] == "written" and s.get("fields")]
    assert written[-1]["fields"]["phone"] == ["+8613800000000", "+8613900000000"] and written[-1]["run"] == run


def test_two_passes_do_not_work_on_one_entity_at_once(world: World) -> None:
    world.crm.add("customers", name="A")
    world.sync()
    world.crm.add("customers", name="B")
    other = world.engine()
    other.owner = "somebody else"

    def meanwhile(verb: str) -> None:
        world.erp.before = lambda v: None
        with pytest.raises(Unavailable, match="another pass"):
            other.sync(yes=True)

    world.erp.before = meanwhile
    world.sync()
    other.close()
    assert names(world, "erp") == ["A", "B"]


def test_what_archiving_does_to_a_record_is_no_edit_of_it(tmp_path: Path) -> None:
    world = World(tmp_path, mappings={"customer": world_customers_with_status()})
    a = world.crm.add("customers", name="A", state="active")
    world.sync()
    b = next(iter(world.erp.rows["customers"]))
    world.erp.rewrite = lambda record: record.update(state="inactive") if record.get("archived") else None
    world.crm.remove("customers", a)
    assert world.sync().open_conflicts == 0
    assert world.erp.row("customers", b)["state"] == "inactive"
    report = world.sync()
    assert report.open_conflicts == 0 and report.writes == 0


def world_customers_with_status() -> str:
    return "version: 1\nresource: customers\nentity: customer\nfields: {name: name, status: state}\n"


def test_a_written_record_whose_follow_up_failed_is_a_letter_and_a_replay_takes_it_up(world: World) -> None:
    from hub.errors import RecordRejected

    original = world.erp.create

    def create(*args: Any) -> Any:
        results = original(*args)
        results[0].problem = RecordRejected("submitted, but not audited")
        return results

    world.erp.create = create  # type: ignore[method-assign]
    world.crm.add("customers", name="A", credit=1)
    assert world.sync().open_letters == 1
    assert names(world, "erp") == ["A"]
    with world.engine() as engine:
        (letter,) = engine.letters()
        assert (letter["stage"], letter["message"]) == ("follow_up", "submitted, but not audited")
        engine.replay([letter["id"]])
    report = world.sync()
    assert report.open_letters == 0 and world.erp.calls.count("update") == 1
    quiet(world)


def test_a_second_failure_is_one_more_attempt_on_the_same_letter(world: World) -> None:
    world.erp.reject = lambda record: "closed"
    a = world.crm.add("customers", name="A", credit=1)
    world.sync()
    world.crm.edit("customers", a, credit=2)
    world.sync()
    with world.engine() as engine:
        (letter,) = engine.letters()
    assert (letter["attempts"], letter["payload"]["credit_limit"]) == (2, "2")


def test_a_full_system_synced_into_an_empty_one_needs_no_approval_later(world: World) -> None:
    a = world.crm.add("customers", name="A", credit=1)
    assert world.sync(yes=False).state == "done"
    world.erp.edit("customers", next(iter(world.erp.rows["customers"])), credit=2)
    assert world.sync(yes=False).state == "done"
    assert world.crm.row("customers", a)["credit"] == 2
