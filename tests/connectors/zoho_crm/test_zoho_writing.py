"""Writing through the connector, against the sandbox: nothing doubled, nothing stale, one bad record alone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.connect.capabilities import Write
from hub.errors import (
    AlreadyExists,
    ConfigurationError,
    Gone,
    RecordRejected,
    UnexpectedAnswer,
    UnknownOutcome,
    VersionConflict,
)

ACCOUNT = ["Account_Name", "Phone", "Parent_Account"]
ORDER = ["Subject", "Account_Name", "Grand_Total", "Ordered_Items"]


def test_creates_carry_the_hubs_key_and_are_read_back(world):
    connector = world.connector()
    results = connector.create("Accounts", [world.new("h1", Phone="+86 21 1"), world.new("h2")], ACCOUNT, {})
    first = results[0].remote
    assert (first.key, first.record["Phone"], first.record["Account_Name"]) == ("h1", "+86 21 1", "公司 h1")
    assert first.version and first.modified_by == "Hub Integration"
    assert world.app.records("workflow_runs") == []
    calls = world.calls()
    assert calls == {"token": 1, "fields": 1, "insert Accounts": 1, "list Accounts": 1}


def test_one_bad_record_is_one_bad_record(world):
    bad = world.new("h2", Account_Name="x" * 201)
    taken = world.new("h3", Parent_Account={"id": "404"})
    results = world.connector().create("Accounts", [world.new("h1"), bad, taken], ACCOUNT, {})
    assert results[0].remote.key == "h1"
    error = results[1].error
    assert isinstance(error, RecordRejected) and (error.field, error.code) == ("Account_Name", "INVALID_DATA")
    assert "maximum length 200" in str(error) and error.where == "zoho/Accounts/h2"
    assert results[2].error.field == "Parent_Account.id"


def test_all_errors_of_a_record_are_told(world):
    error = world.connector().create("Contacts", [Write("c", {"Email": "x", "Phone": "y"})], ["Email"], {})[0].error
    assert all(text in str(error) for text in ("Last_Name: MANDATORY_NOT_FOUND", "Email: INVALID_DATA", "Phone"))


@pytest.mark.parametrize("kind", ["drop_after", "truncate", "garble"])
def test_a_create_with_a_lost_answer_makes_no_second_record(world, kind):
    world.fault(kind=kind, operation="insert Accounts")
    connector = world.connector()
    if kind == "garble":
        with pytest.raises(UnexpectedAnswer):
            connector.create("Accounts", [world.new("h1"), world.new("h2")], ACCOUNT, {})
    results = connector.create("Accounts", [world.new("h1"), world.new("h2")], ACCOUNT, {})
    assert [r.remote.key for r in results] == ["h1", "h2"]
    assert len(world.app.records("Accounts")) == 8


def test_without_a_unique_key_field_a_lost_answer_is_an_unknown_outcome(world):
    world.app.delete("settings/fields", "Accounts.Hub_Key", "admin")
    world.fault(kind="drop_after", operation="insert Accounts")
    connector = world.connector()
    with pytest.raises(UnknownOutcome):
        connector.create("Accounts", [world.new("h1")], ACCOUNT, {})
    assert world.calls()["insert Accounts"] == 1
    assert connector.describe("Accounts")[0].probe == "none"
    with pytest.raises(ConfigurationError, match="no field for the hub's key"):
        connector.probe("Accounts", [world.new("h1")], ACCOUNT, {})


def test_another_unique_field_that_is_taken_names_the_record_and_overwrites_nothing(world):
    world.app.edit("settings/fields", "Accounts.Tax_ID", {"unique": {"casesensitive": False}}, "admin")
    there = world.app.records("Accounts")[0]
    result = world.connector().create("Accounts", [world.new("h1", Tax_ID=there["Tax_ID"])], ACCOUNT, {})[0]
    assert isinstance(result.error, AlreadyExists) and result.error.remote_id == there["id"]
    assert world.app.records("Accounts")[0] == there


def test_creates_of_orders_are_read_back_by_their_newest_lines(world):
    product = {"id": world.app.samples()["products"]}

    def line(quantity):
        return {"Product_Name": product, "Quantity": quantity, "List_Price": Decimal("19.90"), "id": None}

    writes = [
        Write(f"o{n}", {"Subject": f"订单 {n}", "Ordered_Items": [line(q) for q in range(1, n + 2)]}) for n in range(8)
    ]
    connector = world.connector()
    world.calls()
    results = connector.create("Sales_Orders", writes, ORDER, {})
    assert [[line["Quantity"] for line in r.remote.record["Ordered_Items"]] for r in results] == [
        list(range(1, n + 2)) for n in range(8)
    ]
    calls = world.calls()
    assert calls["insert Sales_Orders"] == 1 and "get Sales_Orders" not in calls
    assert calls["list Sales_Orders"] == 1 and calls["list Ordered_Items"] == 1


def test_what_can_not_be_read_back_is_done_all_the_same(world):
    world.fault(kind="status", operation="list Accounts", status=500, next=9)
    result = world.connector().create("Accounts", [world.new("h1")], ACCOUNT, {})[0]
    assert result.remote.id and result.remote.record is None and result.error is None


def test_probe_finds_a_create_that_arrived(world):
    connector = world.connector()
    made = connector.create("Accounts", [world.new("h1")], ACCOUNT, {})[0].remote
    assert connector.probe("Accounts", [world.new("h0"), world.new("h1")], ACCOUNT, {}) == [None, made]
    assert "search Accounts" not in world.calls()
    world.app.edit("settings/fields", "Accounts.Hub_Key", {"external": None}, "admin")
    again = world.connector()
    again._metadata._live.clear()
    world.cache._values.clear()
    assert again.probe("Accounts", [world.new("it's \\ h0"), world.new("h1")], ACCOUNT, {}) == [None, made]
    assert world.calls()["coql"] == 1


def test_a_mapping_can_start_automations_and_nothing_else(world):
    connector = world.connector()
    connector.create("Accounts", [world.new("h1")], ACCOUNT, {"trigger": ["workflow"]})
    assert {run["trigger"] for run in world.app.records("workflow_runs")} == {"workflow"}
    connector.create("Accounts", [world.new("h2")], ACCOUNT, {"trigger": None})
    assert len({run["trigger"] for run in world.app.records("workflow_runs")}) == 5
    for wrong in ({"submit": True}, {"trigger": "workflow"}):
        with pytest.raises(ConfigurationError):
            connector.create("Accounts", [world.new("h3")], ACCOUNT, wrong)
    with pytest.raises(ConfigurationError, match="unknown read options: filter"):
        connector.list_changes("Accounts", None, ACCOUNT, {"filter": 1})


def test_updates_change_only_what_they_say(world):
    connector = world.connector()
    one, two, *_ = world.seen(connector, "Accounts")
    world.clock.advance(5)
    world.calls()
    results = connector.update("Accounts", [world.change(one, Phone="1"), world.change(two, Phone=None)], ACCOUNT, {})
    assert [r.remote.record["Phone"] for r in results] == ["1", None]
    assert results[0].remote.record["Account_Name"] == one.record["Account_Name"]
    assert results[0].remote.version > one.version
    assert world.calls() == {"list Accounts": 2, "update Accounts": 1}


def test_a_record_that_moved_on_is_refused_and_the_rest_is_written(world):
    connector = world.connector()
    one, two, three, *_ = world.seen(connector, "Accounts")
    world.clock.advance(5)
    world.app.edit("Accounts", one.id, {"Phone": "200"}, "Ann Lee")
    world.app.delete("Accounts", three.id, "Ann Lee")
    writes = [world.change(r, Phone="100") for r in (one, two, three)]
    stale, fine, gone = connector.update("Accounts", writes, ACCOUNT, {})
    assert isinstance(stale.error, VersionConflict) and isinstance(gone.error, Gone)
    assert fine.remote.record["Phone"] == "100"
    assert connector.get("Accounts", [one.id], ACCOUNT, {})[0].record["Phone"] == "200"


def test_an_edit_between_the_check_and_the_write_is_not_overwritten(world, monkeypatch):
    connector = world.connector()
    one, two, *_ = world.seen(connector, "Accounts")
    world.clock.advance(5)
    write = connector._api.write

    def late(method, path, data, **options):
        if path == "/Accounts":
            world.app.edit("Accounts", one.id, {"Phone": "200"}, "Ann Lee")
        return write(method, path, data, **options)

    monkeypatch.setattr(connector._api, "write", late)
    first, second = connector.update(
        "Accounts", [world.change(one, Phone="100"), world.change(two, Phone="100")], ACCOUNT, {}
    )
    assert isinstance(first.error, VersionConflict) and second.remote.record["Phone"] == "100"
    assert connector.get("Accounts", [one.id], ACCOUNT, {})[0].record["Phone"] == "200"
    calls = world.calls()
    assert (calls["update Accounts"], calls["update_one Accounts"]) == (1, 2)


def test_lines_are_written_as_the_complete_list(world):
    connector = world.connector()
    order = next(r for r in world.seen(connector, "Sales_Orders", ORDER) if len(r.record["Ordered_Items"]) >= 2)
    keep, *drop = order.record["Ordered_Items"]
    world.clock.advance(5)
    wanted = [{"id": keep["id"], "Quantity": 9}, {"Product_Name": {"id": keep["Product_Name"]["id"]}, "Quantity": 4}]
    result = connector.update("Sales_Orders", [world.change(order, Ordered_Items=wanted)], ORDER, {})[0]
    lines = result.remote.record["Ordered_Items"]
    assert [line["Quantity"] for line in lines] == [9, 4] and lines[0]["id"] == keep["id"]
    assert not {line["id"] for line in drop} & {line["id"] for line in lines}
    again = world.change(
        result.remote, Ordered_Items=[{"id": line["id"], "Quantity": line["Quantity"]} for line in lines]
    )
    world.clock.advance(5)
    assert len(connector.update("Sales_Orders", [again], ORDER, {})[0].remote.record["Ordered_Items"]) == 2


def test_a_lost_answer_never_doubles_a_line(world):
    connector = world.connector()
    order = world.seen(connector, "Sales_Orders", ORDER)[0]
    before = order.record["Ordered_Items"]
    wanted = [*({"id": line["id"]} for line in before), {"Product_Name": {"id": before[0]["Product_Name"]["id"]}}]
    world.clock.advance(5)
    world.fault(kind="drop_after", operation="update Sales_Orders")
    with pytest.raises(UnknownOutcome):
        connector.update("Sales_Orders", [world.change(order, Ordered_Items=wanted)], ORDER, {})
    world.clock.advance(5)
    repeated = connector.update("Sales_Orders", [world.change(order, Ordered_Items=wanted)], ORDER, {})[0]
    assert isinstance(repeated.error, VersionConflict)
    (now,) = connector.get("Sales_Orders", [order.id], ORDER, {})
    assert len(now.record["Ordered_Items"]) == len(before) + 1


def test_a_lost_answer_of_a_plain_update_is_repeated_and_never_overwrites(world):
    connector = world.connector()
    one, *_ = world.seen(connector, "Accounts")
    world.clock.advance(5)
    world.fault(kind="drop_after", operation="update Accounts")
    (result,) = connector.update("Accounts", [world.change(one, Phone="100")], ACCOUNT, {})
    # The server refuses the repetition, because our own write moved the time: the engine looks again.
    assert isinstance(result.error, VersionConflict)
    assert connector.get("Accounts", [one.id], ACCOUNT, {})[0].record["Phone"] == "100"


def test_removing_all_lines_of_an_order_is_refused_by_the_system(world):
    connector = world.connector()
    order = world.seen(connector, "Sales_Orders", ORDER)[0]
    error = connector.update("Sales_Orders", [world.change(order, Ordered_Items=[])], ORDER, {})[0].error
    assert isinstance(error, RecordRejected) and error.code == "MANDATORY_NOT_FOUND"


def test_deletes_refuse_stale_ones_and_take_the_gone_for_done(world):
    connector = world.connector()
    one, two, three, *_ = world.seen(connector, "Accounts")
    world.app.delete("Accounts", two.id, "Ann Lee")
    world.clock.advance(5)
    world.app.edit("Accounts", three.id, {"Phone": "1"}, "Ann Lee")
    results = connector.delete("Accounts", [world.delete(one), world.delete(two), world.delete(three)], {})
    assert results[0].remote.deleted and results[1].remote.deleted and isinstance(results[2].error, VersionConflict)
    left = {r["id"] for r in world.app.records("Accounts")}
    assert one.id not in left and three.id in left
    assert connector.delete("Accounts", [world.delete(one, version=False)], {})[0].remote.deleted


def test_archiving_sets_the_fields_the_settings_name(world):
    connector = world.connector()
    one, two, *_ = world.seen(connector, "Accounts")
    results = connector.delete("Accounts", [world.delete(two), world.delete(one, "archive")], {})
    assert results[0].remote.deleted and not results[1].remote.deleted
    assert next(r for r in world.app.records("Accounts") if r["id"] == one.id)["Customer_Status"] == "Inactive"
    world.app.delete("settings/fields", "Accounts.Customer_Status", "admin")
    three = next(r for r in world.seen(connector, "Accounts") if r.id != one.id)
    assert isinstance(connector.delete("Accounts", [world.delete(three, "archive")], {})[0].error, RecordRejected)
    with pytest.raises(ConfigurationError, match="can't be archived"):
        connector.delete("Invoices", [world.delete(world.seen(connector, "Invoices", ["Subject"])[0], "archive")], {})
