"""Law 10: each value the hub wrote can be taken back while nobody has touched it since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sync.fakes import World

from hub.errors import ConfigurationError, Unavailable

THREE = ("crm", "erp", "shop")


def undo(world: World, run: str = "last", **options: Any) -> Any:
    with world.engine() as engine:
        return engine.undo(run, **options)


def only(world: World, system: str, resource: str = "customers") -> dict[str, Any]:
    (record,) = world.systems[system].records(resource)
    return record


def agreed(tmp_path: Path, **options: Any) -> tuple[World, str]:
    """A world with one customer that all systems have; its id in the crm."""
    world = World(tmp_path, **options)
    customer = world.crm.add("customers", name="宁波海川贸易有限公司", tel="+86 574 8888 0001", credit=100)
    world.sync()
    world.sync()
    return world, customer


def quiet(world: World) -> bool:
    return bool(world.sync(full=True).writes == 0)


def held(report: Any) -> list[tuple[str, str]]:
    return [(one.system, one.reason) for one in report.plan.held]


def test_a_value_goes_back_everywhere_the_run_wrote_it_and_stays_there(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path, systems=THREE)
    world.crm.edit("customers", customer, credit=900)
    run = world.sync().run
    assert (only(world, "erp")["credit"], only(world, "shop")["credit"]) == (900, 900)
    report = undo(world, run)
    assert (report.kind, report.state, report.writes) == ("undo", "done", 2)
    assert (only(world, "erp")["credit"], only(world, "shop")["credit"]) == (100, 100)
    assert only(world, "crm")["credit"] == 900, "the run did not write there: what a person typed stays"
    assert quiet(world)
    assert only(world, "erp")["credit"] == 100


def test_the_hubs_own_value_follows_and_explains_itself(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path)
    world.crm.edit("customers", customer, credit=900)
    run = world.sync().run
    undoing = undo(world, run).run
    with world.engine() as engine:
        told = engine.explain("customer", customer, "credit_limit")
    assert told["fields"]["credit_limit"]["value"] == "100"
    (entry,) = [entry for entry in told["history"] if entry["kind"] == "undone"]
    assert (entry["run"], entry["detail"]["of"]) == (undoing, run)
    assert entry["detail"]["fields"] == {"credit_limit": ["900", "100"]}
    assert entry["detail"]["apart"] == {"crm": {"credit_limit": "900"}}


def test_the_next_edit_counts_again(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path, conflict="hold")
    world.crm.edit("customers", customer, credit=900)
    undo(world, world.sync().run)
    world.crm.edit("customers", customer, credit=950)
    assert world.sync().open_conflicts == 0, "there is nobody to disagree with"
    assert only(world, "erp")["credit"] == 950
    undo(world)
    (erp,) = world.erp.rows["customers"]
    world.erp.edit("customers", erp, credit=120)
    assert world.sync().open_conflicts == 0
    assert only(world, "crm")["credit"] == 120


def test_an_undo_can_be_undone_and_so_can_that(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path, systems=THREE)
    world.crm.edit("customers", customer, credit=900)
    run = world.sync().run
    back = undo(world, run).run
    again = undo(world, back)
    assert (again.state, again.writes) == ("done", 2)
    assert {only(world, name)["credit"] for name in ("erp", "shop")} == {900}
    assert quiet(world)
    world.crm.edit("customers", customer, name="新海川")
    assert world.sync().writes == 2
    assert undo(world, run).writes == 2, "what was taken back and put back can be taken back again"
    assert {only(world, name)["credit"] for name in ("erp", "shop")} == {100}
    assert {only(world, name)["name"] for name in THREE} == {"新海川"}
    assert quiet(world)


def test_runs_are_undone_one_after_the_other_newest_first(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path)
    world.crm.edit("customers", customer, credit=200)
    first = world.sync().run
    world.crm.edit("customers", customer, credit=300)
    second = world.sync().run
    refused = undo(world, first)
    assert held(refused) == [("erp", "touched")]
    assert second in refused.plan.held[0].detail
    assert only(world, "erp")["credit"] == 300
    undo(world, second)
    assert only(world, "erp")["credit"] == 200
    assert undo(world, first).state == "done"
    assert only(world, "erp")["credit"] == 100
    assert quiet(world)
    assert held(undo(world, first)) == [("erp", "touched")], "it was taken back already"


def test_what_somebody_touched_since_is_listed_with_the_name_and_left_alone(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path, systems=THREE)
    world.crm.edit("customers", customer, credit=900, name="海川")
    run = world.sync().run
    (shop,) = world.shop.rows["customers"]
    world.shop.edit("customers", shop, credit=777)
    report = undo(world, run)
    assert report.state == "needs_person"
    touched = {(one.system, one.detail.partition(":")[0]): one.detail for one in report.plan.held}
    assert set(touched) == {("shop", "credit_limit"), ("erp", "credit_limit")}
    assert "by user" in touched["shop", "credit_limit"]
    assert "777" in touched["erp", "credit_limit"], "the newer value is on its way there"
    assert "shop" in touched["erp", "credit_limit"]
    assert {only(world, name)["name"] for name in ("erp", "shop")} == {"宁波海川贸易有限公司"}
    world.sync()
    assert {only(world, name)["credit"] for name in ("erp", "crm")} == {777}
    assert only(world, "shop")["credit"] == 777


def test_an_edit_in_the_last_moment_is_never_overwritten(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path, conflict="hold")
    world.crm.edit("customers", customer, credit=900)
    run = world.sync().run
    (erp,) = world.erp.rows["customers"]

    def meddle(verb: str) -> None:
        if verb == "update":
            world.erp.before = lambda verb: None
            world.erp.edit("customers", erp, credit=555)

    world.erp.before = meddle
    report = undo(world, run)
    assert held(report) == [("erp", "failed")]
    assert only(world, "erp")["credit"] == 555
    world.sync()
    assert only(world, "erp")["credit"] == 555, "two disagree: a person decides"


def test_only_the_field_that_is_asked_for(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path)
    world.crm.edit("customers", customer, credit=900, name="海川", tel="+86 574 8888 0002")
    run = world.sync().run
    report = undo(world, run, field="phone")
    assert [write.fields for write in report.plan.writes] == [{"phone": ["+8657488880002", "+8657488880001"]}]
    erp = only(world, "erp")
    assert (erp["tel"], erp["name"], erp["credit"]) == ("+8657488880001", "海川", 900)
    assert quiet(world)


def test_a_plan_of_it_writes_nothing(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path)
    world.crm.edit("customers", customer, credit=900)
    run = world.sync().run
    writes = world.erp.writes
    report = undo(world, run, carry_out=False)
    assert [(w.system, w.action, w.fields) for w in report.plan.writes] == [
        ("erp", "update", {"credit_limit": ["900", "100"]})
    ]
    assert world.erp.writes == writes
    assert quiet(world)
    assert only(world, "erp")["credit"] == 900


def test_a_refused_edit_comes_back_in_its_own_system_and_the_owner_keeps_the_field(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path, authority={"credit_limit": "erp"})
    world.crm.edit("customers", customer, credit=900)
    run = world.sync().run
    assert only(world, "crm")["credit"] == 100, "the owner's value is enforced"
    assert undo(world, run).state == "done"
    assert only(world, "crm")["credit"] == 900
    assert only(world, "erp")["credit"] == 100
    with world.engine() as engine:
        assert engine.explain("customer", customer)["fields"]["credit_limit"]["value"] == "100"
    assert quiet(world)
    assert only(world, "crm")["credit"] == 900
    assert undo(world).state == "done", "and back again"
    assert only(world, "crm")["credit"] == 100
    assert quiet(world)


def test_after_a_first_sync_each_system_gets_its_own_value_back(tmp_path: Path) -> None:
    world = World(tmp_path, systems=THREE, conflict=THREE)
    for number, name in enumerate(THREE):
        world.systems[name].add("customers", name="A", credit=100 + number, tel=f"+86 574 8888 000{number}")
    run = world.sync().run
    assert {row["credit"] for name in THREE for row in world.systems[name].records("customers")} == {100}
    report = undo(world, run)
    assert (report.state, report.writes) == ("done", 2)
    assert [only(world, name)["credit"] for name in THREE] == [100, 101, 102]
    assert [only(world, name)["tel"][-4:] for name in THREE] == ["0000", "0001", "0002"]
    assert quiet(world)
    assert undo(world).writes == 2
    assert {only(world, name)["credit"] for name in ("erp", "shop")} == {100}
    assert quiet(world)


def test_lines_go_back_one_by_one(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path)
    product = world.crm.add("products", code="P1", name="轴承")
    lines = [{"seq": n, "product": product, "qty": n, "price": 10} for n in (1, 2, 3)]
    order = world.crm.add("orders", no="SO1", title="t", customer=customer, lines=lines)
    world.sync()
    lines = [dict(line) for line in world.crm.row("orders", order)["lines"]]
    lines[0]["qty"] = 50
    lines[2] = {"seq": 4, "product": product, "qty": 4, "price": 10}
    world.crm.edit("orders", order, lines=lines)
    run = world.sync().run
    assert [(line["seq"], line["qty"]) for line in only(world, "erp", "orders")["lines"]] == [(1, 50), (2, 2), (4, 4)]
    (erp,) = world.erp.rows["orders"]
    mended = [dict(line) for line in world.erp.row("orders", erp)["lines"]]
    mended[0]["qty"] = 60
    world.erp.edit("orders", erp, lines=mended)
    report = undo(world, run, entities=["order"])
    assert [hold.detail.partition(":")[0] for hold in report.plan.held] == ["lines[1].quantity"]
    now = [(line["seq"], line["qty"], line["price"]) for line in only(world, "erp", "orders")["lines"]]
    assert now == [(1, 60, 10), (2, 2, 10), (3, 3, 10)]
    world.sync()
    assert [(line["seq"], line["qty"]) for line in only(world, "erp", "orders")["lines"]] == [(1, 60), (2, 2), (3, 3)]


def test_what_others_typed_into_lines_stays_when_an_undo_is_undone(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path)
    product = world.crm.add("products", code="P1", name="轴承")
    line = {"seq": 1, "product": product, "qty": 1, "price": 10}
    order = world.crm.add("orders", no="SO1", title="t", customer=customer, lines=[line])
    world.sync()
    (there,) = world.erp.rows["orders"]
    (own,) = world.erp.row("orders", there)["lines"]
    world.crm.edit("orders", order, lines=[{**line, "qty": 50}])
    world.erp.edit("orders", there, lines=[{**own, "price": 99}, {**own, "seq": 2, "qty": 7}])

    def state() -> dict[str, list[tuple[int, int, int]]]:
        rows = {name: only(world, name, "orders")["lines"] for name in ("crm", "erp")}
        return {name: [tuple(int(one[f]) for f in ("seq", "qty", "price")) for one in rows[name]] for name in rows}

    typed = state()
    run = world.sync().run
    agreed_on = {"crm": [(1, 50, 99), (2, 7, 10)], "erp": [(1, 50, 99), (2, 7, 10)]}
    assert state() == agreed_on
    undone = undo(world, run).run
    assert state() == typed
    assert quiet(world)
    report = undo(world, undone)
    assert report.plan.held == []
    assert state() == agreed_on
    assert quiet(world)


def test_a_value_the_system_rewrites_goes_back_as_it_was_meant(tmp_path: Path) -> None:
    def cut(record: dict[str, Any]) -> None:
        record["name"] = record["name"][:4]

    world = World(tmp_path)
    world.erp.rewrite = cut
    customer = world.crm.add("customers", name="ABCDEF", tax="91330200144000001X")
    world.sync()
    world.crm.edit("customers", customer, name="ABXYZ")
    run = world.sync().run
    assert undo(world, run).state == "done"
    assert only(world, "erp")["name"] == "ABCD"
    assert quiet(world)
    with world.engine() as engine:
        assert engine.explain("customer", customer)["fields"]["name"]["value"] == "ABCDEF"


def test_a_filled_blank_is_emptied_again(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path)
    world.crm.edit("customers", customer, note="wichtig")
    run = world.sync().run
    assert only(world, "erp")["note"] == "wichtig"
    assert undo(world, run).state == "done"
    assert only(world, "erp")["note"] is None
    assert quiet(world)
    assert only(world, "erp")["note"] is None


def test_a_system_that_is_down_is_told_and_done_later(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path, systems=THREE)
    world.crm.edit("customers", customer, credit=900)
    run = world.sync().run

    def down(verb: str) -> None:
        raise Unavailable("down")

    world.shop.before = down
    report = undo(world, run)
    assert report.state == "failed"
    assert held(report) == [("shop", "unreachable")]
    assert (only(world, "erp")["credit"], only(world, "shop")["credit"]) == (100, 900)
    world.shop.before = lambda verb: None
    assert quiet(world)
    assert only(world, "shop")["credit"] == 900, "nobody decided about the shop"
    assert [w.system for w in undo(world, run).plan.writes] == ["shop"]
    assert only(world, "shop")["credit"] == 100
    assert quiet(world)


def test_a_value_that_waits_for_a_decision_is_left_to_it(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path, conflict="hold")
    world.crm.edit("customers", customer, credit=900)
    run = world.sync().run
    (erp,) = world.erp.rows["customers"]
    world.crm.edit("customers", customer, credit=901)
    world.erp.edit("customers", erp, credit=902)
    assert world.sync().open_conflicts == 1
    assert held(undo(world, run)) == [("erp", "conflict")]


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_crash_in_the_middle_ends_with_the_value_taken_back(tmp_path: Path, cut: str) -> None:
    class Crash(BaseException):
        pass

    world, customer = agreed(tmp_path)
    world.crm.edit("customers", customer, credit=900)
    run = world.sync().run

    def die(verb: str) -> None:
        if verb == "update":
            raise Crash

    setattr(world.erp, cut, die)
    with pytest.raises(Crash):
        undo(world, run)
    setattr(world.erp, cut, lambda verb: None)
    world.clock.now = world.clock.now.replace(hour=5)
    world.sync()
    assert only(world, "erp")["credit"] == 100
    assert only(world, "crm")["credit"] == 900
    assert quiet(world)


def test_a_run_that_is_not_there_or_wrote_nothing_is_refused(tmp_path: Path) -> None:
    world, _ = agreed(tmp_path)
    with world.engine() as engine:
        nothing = engine.sync().run
        for run, options in (
            ("h9", {}),
            (nothing, {}),
            ("last", {"entities": ["order"]}),
            ("last", {"field": "colour"}),
        ):
            with pytest.raises(ConfigurationError):
                engine.undo(run, **options)


def test_a_value_that_one_run_wrote_twice_goes_back_to_what_it_was_before(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path)
    (erp,) = world.erp.rows["customers"]
    world.erp.edit("customers", erp, credit=200)
    world.crm.edit("customers", customer, name="海川")
    left = iter([True])

    def meanwhile(verb: str) -> None:
        if verb == "update" and next(left, False):
            world.erp.edit("customers", erp, credit=300)

    world.crm.before = meanwhile
    run = world.sync().run
    assert only(world, "crm")["credit"] == 300
    undo(world, run)
    assert only(world, "crm")["credit"] == 100
    assert quiet(world)


def test_what_a_decision_wrote_goes_back_to_what_the_hub_held_before(tmp_path: Path) -> None:
    world, customer = agreed(tmp_path, conflict="hold")
    (erp,) = world.erp.rows["customers"]
    world.crm.edit("customers", customer, credit=200)
    world.erp.edit("customers", erp, credit=300)
    world.sync()
    with world.engine() as engine:
        (conflict,) = engine.conflicts()
        engine.resolve(conflict["id"], take="theirs")
    run = world.sync().run
    shown = {name: only(world, name)["credit"] for name in ("crm", "erp")}
    assert len(set(shown.values())) == 1
    undo(world, run)
    assert {only(world, name)["credit"] for name in ("crm", "erp")} == {200, 300}
    assert quiet(world)
