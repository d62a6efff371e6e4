"""Systems whose automations undo each other are stopped after three turns; people who change their minds are not."""

from sync.fakes import World

from hub.store import journal
from hub.sync.oscillation import Turn, repeats


def linked(path, **policy):
    """A customer that is in both systems, in agreement."""
    world = World(path, **policy)
    there = world.crm.add("customers", name="Grant Ltd", tax="91310000MA1FL0000X", credit="10")
    world.sync()
    world.sync()
    return world, there, next(iter(world.erp.rows["customers"]))


def turn(world, system, remote_id, **values):
    world.systems[system].edit("customers", remote_id, **values)
    return world.sync()


def back_and_forth(world, crm_id, erp_id, turns):
    reports = []
    for number in range(turns):
        system, remote_id = (("crm", crm_id), ("erp", erp_id))[number % 2]
        reports.append(turn(world, system, remote_id, credit="20" if system == "crm" else "30"))
    return reports


def credits(world, crm_id, erp_id):
    return [str(world.crm.row("customers", crm_id)["credit"]), str(world.erp.row("customers", erp_id)["credit"])]


def findings(report):
    return [finding for finding in report.findings if finding.kind == "oscillation"]


def test_the_fourth_turn_is_held_as_a_conflict_and_told_with_both_lines(tmp_path):
    world, crm_id, erp_id = linked(tmp_path)
    reports = back_and_forth(world, crm_id, erp_id, 4)
    assert [len(findings(report)) for report in reports] == [0, 0, 0, 1]
    assert [report.open_conflicts for report in reports] == [0, 0, 0, 1]
    message = findings(reports[-1])[0].message
    assert message.startswith("credit_limit goes back and forth between '20' (crm, crm/customer.yaml:")
    assert "'30' (erp, erp/customer.yaml:" in message
    writes = world.crm.writes + world.erp.writes
    world.sync()
    assert world.crm.writes + world.erp.writes == writes, "nothing of it is written while it waits"
    with world.engine() as engine:
        conflict = engine.conflicts()[0]
    assert (conflict["path"], conflict["theirs"], conflict["ours"]) == ("credit_limit", "30", "20")


def test_after_a_person_has_decided_it_may_turn_again(tmp_path):
    world, crm_id, erp_id = linked(tmp_path)
    back_and_forth(world, crm_id, erp_id, 4)
    with world.engine() as engine:
        engine.resolve(engine.conflicts()[0]["id"], take="theirs")
    world.sync()
    assert credits(world, crm_id, erp_id) == ["30", "30"]
    reports = back_and_forth(world, crm_id, erp_id, 4)
    assert [len(findings(report)) for report in reports] == [0, 0, 0, 1]


def test_other_fields_of_the_record_go_on(tmp_path):
    world, crm_id, erp_id = linked(tmp_path)
    back_and_forth(world, crm_id, erp_id, 3)
    report = turn(world, "erp", erp_id, credit="30", tel="13800000000")
    assert len(findings(report)) == 1
    assert world.crm.row("customers", crm_id)["tel"] == "+8613800000000"


def test_turns_of_last_month_are_a_change_of_mind(tmp_path):
    world, crm_id, erp_id = linked(tmp_path)
    back_and_forth(world, crm_id, erp_id, 3)
    world.clock.now = world.clock.now.replace(month=3)
    assert findings(turn(world, "erp", erp_id, credit="30")) == []
    assert credits(world, crm_id, erp_id) == ["30", "30"]


def test_new_values_are_never_turns(tmp_path):
    world, crm_id, erp_id = linked(tmp_path)
    for number in range(6):
        system, remote_id = (("crm", crm_id), ("erp", erp_id))[number % 2]
        assert findings(turn(world, system, remote_id, credit=str(100 + number))) == []


def test_an_owner_who_is_contradicted_again_and_again_is_told(tmp_path):
    world, _, erp_id = linked(tmp_path, authority={"credit_limit": "crm"})
    reports = [turn(world, "erp", erp_id, credit="99") for _ in range(4)]
    assert [len(findings(report)) for report in reports] == [0, 0, 0, 1]
    writes = world.erp.writes
    world.sync()
    assert world.erp.writes == writes and world.erp.row("customers", erp_id)["credit"] == "99"


def test_a_pass_without_turns_asks_the_journal_for_nothing(tmp_path, monkeypatch):
    world, crm_id, _ = linked(tmp_path)
    asked = []
    monkeypatch.setattr(journal, "of_record", lambda *args: asked.append(args) or [])
    turn(world, "crm", crm_id, credit="20")
    turn(world, "crm", crm_id, credit="30")
    world.sync()
    assert asked == []


def test_rounds_of_three_systems_count_too():
    first = [Turn("a", "accepted", 1), Turn("b", "accepted", 2), Turn("c", "accepted", 3)]
    assert repeats([*first, *first])
    assert not repeats([*first, *first[:2]])
    assert not repeats([Turn("a", "accepted", 1)] * 8), "one system alone does not go back and forth"


def test_one_field_of_one_line_is_held_and_the_other_lines_go_on(tmp_path):
    world = World(tmp_path)
    customer = world.crm.add("customers", name="A")
    lines = [{"seq": n, "qty": n, "price": 5} for n in (1, 2)]
    crm_id = world.crm.add("orders", no="SO1", customer=customer, lines=lines)
    world.sync()
    (erp_id,) = world.erp.rows["orders"]

    def turn(system, remote_id, **values):
        row = world.systems[system].row("orders", remote_id)
        edited = [{**line, **(values if int(line["seq"]) == 2 else {})} for line in row["lines"]]
        world.systems[system].edit("orders", remote_id, lines=edited)
        return world.sync()

    reports = [turn(*((("crm", crm_id), ("erp", erp_id))[n % 2]), qty=(20, 30)[n % 2]) for n in range(3)]
    reports.append(turn("erp", erp_id, qty=30, price=7))
    assert [len(findings(report)) for report in reports] == [0, 0, 0, 1]
    assert findings(reports[-1])[0].message.startswith("lines[2].quantity goes back and forth between '20' (crm, ")
    with world.engine() as engine:
        (conflict,) = engine.conflicts()
    assert (conflict["path"], conflict["theirs"], conflict["ours"]) == ("lines[2].quantity", "30", "20")
    shown = [(int(line["qty"]), int(line["price"])) for line in world.crm.row("orders", crm_id)["lines"]]
    assert shown[0] == (1, 5) and shown[1][0] == 20
    with world.engine() as engine:
        engine.resolve(conflict["id"], take="theirs")
    world.sync()
    for system, remote_id in (("crm", crm_id), ("erp", erp_id)):
        shown = [
            (int(line["qty"]), int(line["price"])) for line in world.systems[system].row("orders", remote_id)["lines"]
        ]
        assert shown == [(1, 5), (30, 7)]
    assert world.sync().writes == 0


def test_a_value_that_one_system_alone_removes_again_and_again_is_held(tmp_path):
    world, crm_id, erp_id = linked(tmp_path)
    for number in range(3):
        turn(world, *((("crm", crm_id), ("erp", erp_id))[number % 2]), tel=("13800000000", None)[number % 2])
    report = turn(world, "erp", erp_id, tel=None)
    assert len(findings(report)) == 1
    assert world.crm.row("customers", crm_id)["tel"] is not None
