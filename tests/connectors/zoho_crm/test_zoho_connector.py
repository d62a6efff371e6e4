"""The connector against the sandbox, over real HTTP: what it reads, what it writes, what it costs, and bad days."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.connect import capabilities
from hub.connect.capabilities import Write
from hub.connect.registry import find
from hub.errors import (
    AlreadyExists,
    AuthenticationError,
    ConfigurationError,
    Gone,
    RateLimited,
    RecordRejected,
    Unavailable,
    UnexpectedAnswer,
    UnknownOutcome,
    VersionConflict,
)

ACCOUNT = ["Account_Name", "Phone", "Parent_Account"]
ORDER = ["Subject", "Account_Name", "Grand_Total", "Ordered_Items"]


def read(connector, resource, cursor=None, fields=ACCOUNT):
    """All pages of a feed: sightings, the last cursor, and whether it was complete."""
    pages = list(connector.list_changes(resource, cursor, fields, {}))
    return [r for page in pages for r in page.records], pages[-1].cursor, pages[-1].complete


def settled(world, connector, resource, fields=ACCOUNT):
    """A cursor after everything there has been read, some seconds later."""
    world.clock.advance(10)
    return read(connector, resource, fields=fields)[1]


def test_it_has_the_capabilities_the_engine_asks_for(world):
    connector = world.connector()
    for name in ("Connector", "ListChanges", "ListIds", "Get", "Create", "Update", "Delete", "Probe"):
        assert isinstance(connector, getattr(capabilities, name))
    assert world.calls() == {}, "opening calls nothing"


# --- reading ---------------------------------------------------------------------------------------------------------


def test_a_first_read_is_a_complete_listing_oldest_change_first(world):
    connector = world.connector(page_size=4)
    pages = list(connector.list_changes("Accounts", None, ACCOUNT, {}))
    assert [page.complete for page in pages] == [False, True]
    times = [r.modified_at for page in pages for r in page.records]
    assert times == sorted(times) and len(times) == 6 and times[0].endswith("Z")
    remote = pages[0].records[0]
    assert set(remote.record) == {"id", *ACCOUNT} and remote.version == remote.modified_at
    assert remote.modified_by and remote.key is None and not remote.deleted


def test_a_quiet_pass_is_one_list_and_one_deleted_call(world):
    connector = world.connector()
    cursor = settled(world, connector, "Sales_Orders", ORDER)
    world.calls()
    found, again, complete = read(connector, "Sales_Orders", cursor, ORDER)
    assert (found, complete) == ([], False)
    assert world.calls() == {"list Sales_Orders": 1, "deleted Sales_Orders": 1}
    assert read(connector, "Sales_Orders", again, ORDER)[0] == []


def test_changes_and_deletions_since_the_cursor(world):
    connector = world.connector()
    cursor = settled(world, connector, "Accounts")
    ids = [r["id"] for r in world.app.records("Accounts")]
    world.app.edit("Accounts", ids[0], {"Phone": "021 1"}, "Ann Lee")
    world.app.delete("Accounts", ids[1], "王磊")
    world.clock.advance(10)
    found, cursor, _ = read(connector, "Accounts", cursor)
    changed, gone = found
    assert (changed.id, changed.record["Phone"], changed.modified_by) == (ids[0], "021 1", "Ann Lee")
    assert (gone.id, gone.deleted, gone.record, gone.modified_by) == (ids[1], True, None, "王磊")
    assert read(connector, "Accounts", cursor)[0] == [], "told once"


def test_an_edit_in_the_second_of_the_last_sighting_is_not_missed(world):
    connector = world.connector()
    id = world.app.samples()["accounts"]
    world.app.edit("Accounts", id, {"Phone": "1"}, "Ann Lee")
    _, cursor, _ = read(connector, "Accounts")
    world.app.edit("Accounts", id, {"Phone": "2"}, "Ann Lee")
    found, _, _ = read(connector, "Accounts", cursor)
    assert [r.record["Phone"] for r in found if r.id == id] == ["2"]


def test_a_restored_record_is_seen_again(world):
    connector = world.connector()
    cursor = settled(world, connector, "Accounts")
    id = world.app.samples()["accounts"]
    world.app.delete("Accounts", id, "Ann Lee")
    world.clock.advance(5)
    found, cursor, _ = read(connector, "Accounts", cursor)
    assert [r.deleted for r in found] == [True]
    world.app.create("Accounts", {"id": id}, "Ann Lee")
    found, _, _ = read(connector, "Accounts", cursor)
    assert [(r.id, r.deleted) for r in found] == [(id, False)]


def test_orders_come_with_their_lines_and_exact_amounts(world):
    connector = world.connector()
    found, _, _ = read(connector, "Sales_Orders", fields=ORDER)
    stored = {r["id"]: r for r in world.app.records("Sales_Orders")}
    for remote in found:
        expected = [line["id"] for line in stored[remote.id]["Ordered_Items"]]
        assert [line["id"] for line in remote.record["Ordered_Items"]] == expected
        assert remote.record["Grand_Total"] == stored[remote.id]["Grand_Total"]
        for line in remote.record["Ordered_Items"]:
            assert not any(isinstance(v, float) for v in line.values()) and "Parent_Id" not in line


def test_lines_look_the_same_whichever_way_they_were_fetched(world):
    by_module, _, _ = read(world.connector(), "Sales_Orders", fields=ORDER)
    world.calls()
    by_gets, _, _ = read(world.connector(line_modules=False), "Sales_Orders", fields=ORDER)
    assert world.calls()["get Sales_Orders"] == 5
    assert by_module == by_gets


def test_a_complete_listing_lists_the_lines_module_instead_of_every_order(make_world):
    world = make_world(orders=40)
    found, _, _ = read(world.connector(), "Sales_Orders", fields=ORDER)
    calls = world.calls()
    assert len(found) == 40 and "get Sales_Orders" not in calls
    assert calls["list Sales_Orders"] == 1 and calls["list Ordered_Items"] == 1


def test_few_changed_orders_are_fetched_singly_and_many_by_their_lines(make_world):
    world = make_world(orders=12)
    connector = world.connector(line_gets=10)
    cursor = settled(world, connector, "Sales_Orders", ORDER)
    ids = [r["id"] for r in world.app.records("Sales_Orders")]
    world.app.edit("Sales_Orders", ids[0], {"Subject": "x"}, "Ann Lee")
    world.calls()
    assert len(read(connector, "Sales_Orders", cursor, ORDER)[0]) == 1
    assert world.calls()["get Sales_Orders"] == 1
    for id in ids:
        world.app.edit("Sales_Orders", id, {"Subject": "y"}, "Ann Lee")
    world.clock.advance(10)
    found, _, _ = read(connector, "Sales_Orders", cursor, ORDER)
    calls = world.calls()
    assert len(found) == 12 and "get Sales_Orders" not in calls and calls["list Ordered_Items"] == 1
    assert all(r.record["Ordered_Items"] for r in found)


def test_an_order_edited_while_lines_are_listed_is_fetched_whole(world):
    connector = world.connector(page_size=2)
    pages = connector.list_changes("Sales_Orders", None, ORDER, {})
    first = next(pages)
    last = world.app.records("Sales_Orders")[-1]
    line = last["Ordered_Items"][0]["id"]
    world.app.edit("Sales_Orders", last["id"], {"Ordered_Items": [{"id": line, "Quantity": 77}]}, "Ann Lee")
    rest = [r for page in pages for r in page.records]
    found = {r.id: r for r in (*first.records, *rest)}
    assert found[last["id"]].record["Ordered_Items"][0]["Quantity"] == 77


def test_where_lines_have_no_module_they_are_fetched_singly(world):
    world.fault(kind="status", operation="list Ordered_Items", status=400, body={
        "code": "INVALID_MODULE", "details": {}, "message": "The given module is not supported in API",
        "status": "error"})  # fmt: skip
    found, _, complete = read(world.connector(), "Sales_Orders", fields=ORDER)
    assert complete and all(r.record["Ordered_Items"] for r in found)


def test_more_than_fifty_fields_are_asked_for_in_turns(world):
    for number in range(60):
        world.app.create(
            "settings/fields", {"module": "Accounts", "api_name": f"Extra{number}", "data_type": "text"}, "a"
        )
    id = world.app.samples()["accounts"]
    world.app.edit("Accounts", id, {"Extra3": "three", "Extra59": "last"}, "Ann Lee")
    fields = ["Account_Name", *(f"Extra{n}" for n in range(60))]
    found, _, _ = read(world.connector(), "Accounts", fields=fields)
    record = next(r.record for r in found if r.id == id)
    assert (record["Extra3"], record["Extra59"]) == ("three", "last") and set(record) == {"id", *fields}
    calls = world.calls()
    assert calls["list Accounts"] == 2 and calls["fields"] == 1


def test_more_records_than_page_tokens_reach(make_world):
    world = make_world(records=950, orders=0, invoices=0, token_records=400)
    connector = world.connector(token_records=400)
    found, _, complete = read(connector, "Accounts")
    assert len({r.id for r in found}) == 950 and complete
    assert len(found) <= 955, "only the records at the seams come twice"
    ids = [id for part in connector.list_ids("Accounts", {}) for id in part]
    assert len(set(ids)) == 950


def test_a_page_token_that_was_lost_costs_nothing_but_a_new_window(world):
    connector = world.connector(page_size=2)
    pages = connector.list_changes("Accounts", None, ACCOUNT, {})
    found = list(next(pages).records)
    world.fault(kind="status", operation="list Accounts", status=400, body={
        "code": "EXPIRED_VALUE", "details": {"param_name": "page_token"}, "message": "expired",
        "status": "error"})  # fmt: skip
    found += [r for page in pages for r in page.records]
    assert len({r.id for r in found}) == 6


def test_a_cursor_from_the_future_means_reading_everything(world):
    connector = world.connector()
    cursor = settled(world, connector, "Accounts")
    world.clock.advance(-7 * 86400)
    found, _, complete = read(connector, "Accounts", cursor)
    assert len(found) == 6 and complete
    later = cursor.replace("2026", "2031")
    assert read(connector, "Accounts", later)[2] is True
    assert read(connector, "Accounts", "not a cursor of ours")[2] is True


def test_an_empty_module_is_a_complete_listing_of_nothing(make_world):
    connector = make_world(records=0, orders=0, invoices=0).connector()
    assert read(connector, "Accounts") == ([], None, True)


def test_get_returns_every_asked_id_in_order(world):
    connector = world.connector()
    one, two = [r["id"] for r in world.app.records("Sales_Orders")][:2]
    found = connector.get("Sales_Orders", [two, "5725767000000000099", one], ORDER, {})
    assert [(r.id, r.deleted) for r in found] == [(two, False), ("5725767000000000099", True), (one, False)]
    assert found[0].record["Ordered_Items"]
    accounts = [r["id"] for r in world.app.records("Accounts")]
    world.calls()
    assert [r.id for r in connector.get("Accounts", accounts, ACCOUNT, {})] == accounts
    assert world.calls() == {"list Accounts": 1}


# --- creating --------------------------------------------------------------------------------------------------------


def new(key, **values):
    return Write(key=key, values={"Account_Name": f"公司 {key}", **values})


def test_creates_carry_the_hubs_key_and_are_read_back(world):
    connector = world.connector()
    results = connector.create("Accounts", [new("h1", Phone="+86 21 1"), new("h2")], ACCOUNT, {})
    first = results[0].remote
    assert (first.key, first.record["Phone"], first.record["Account_Name"]) == ("h1", "+86 21 1", "公司 h1")
    assert first.version and first.modified_by == "Hub Integration"
    assert world.app.records("workflow_runs") == []
    calls = world.calls()
    assert calls == {"token": 1, "fields": 1, "insert Accounts": 1, "list Accounts": 1}


def test_one_bad_record_is_one_bad_record(world):
    bad = new("h2", Account_Name="x" * 201)
    taken = new("h3", Parent_Account={"id": "404"})
    results = world.connector().create("Accounts", [new("h1"), bad, taken], ACCOUNT, {})
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
            connector.create("Accounts", [new("h1"), new("h2")], ACCOUNT, {})
    results = connector.create("Accounts", [new("h1"), new("h2")], ACCOUNT, {})
    assert [r.remote.key for r in results] == ["h1", "h2"]
    assert len(world.app.records("Accounts")) == 8


def test_without_a_unique_key_field_a_lost_answer_is_an_unknown_outcome(world):
    world.app.delete("settings/fields", "Accounts.Hub_Key", "admin")
    world.fault(kind="drop_after", operation="insert Accounts")
    connector = world.connector()
    with pytest.raises(UnknownOutcome):
        connector.create("Accounts", [new("h1")], ACCOUNT, {})
    assert world.calls()["insert Accounts"] == 1
    assert connector.describe("Accounts")[0].probe == "none"
    with pytest.raises(ConfigurationError, match="no field for the hub's key"):
        connector.probe("Accounts", [new("h1")], ACCOUNT, {})


def test_another_unique_field_that_is_taken_names_the_record_and_overwrites_nothing(world):
    world.app.edit("settings/fields", "Accounts.Tax_ID", {"unique": {"casesensitive": False}}, "admin")
    there = world.app.records("Accounts")[0]
    result = world.connector().create("Accounts", [new("h1", Tax_ID=there["Tax_ID"])], ACCOUNT, {})[0]
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
    result = world.connector().create("Accounts", [new("h1")], ACCOUNT, {})[0]
    assert result.remote.id and result.remote.record is None and result.error is None


def test_probe_finds_a_create_that_arrived(world):
    connector = world.connector()
    made = connector.create("Accounts", [new("h1")], ACCOUNT, {})[0].remote
    assert connector.probe("Accounts", [new("h0"), new("h1")], ACCOUNT, {}) == [None, made]
    assert "search Accounts" not in world.calls()
    world.app.edit("settings/fields", "Accounts.Hub_Key", {"external": None}, "admin")
    again = world.connector()
    again._metadata._live.clear()
    world.cache._values.clear()
    assert again.probe("Accounts", [new("it's \\ h0"), new("h1")], ACCOUNT, {}) == [None, made]
    assert world.calls()["coql"] == 1


def test_a_mapping_can_start_automations_and_nothing_else(world):
    connector = world.connector()
    connector.create("Accounts", [new("h1")], ACCOUNT, {"trigger": ["workflow"]})
    assert {run["trigger"] for run in world.app.records("workflow_runs")} == {"workflow"}
    connector.create("Accounts", [new("h2")], ACCOUNT, {"trigger": None})
    assert len({run["trigger"] for run in world.app.records("workflow_runs")}) == 5
    for wrong in ({"submit": True}, {"trigger": "workflow"}):
        with pytest.raises(ConfigurationError):
            connector.create("Accounts", [new("h3")], ACCOUNT, wrong)
    with pytest.raises(ConfigurationError, match="unknown read options: filter"):
        connector.list_changes("Accounts", None, ACCOUNT, {"filter": 1})


# --- updating --------------------------------------------------------------------------------------------------------


def seen(connector, resource, fields=ACCOUNT):
    return read(connector, resource, fields=fields)[0]


def change(remote, **values):
    return Write(key="k", values=values, id=remote.id, version=remote.version, old=remote.record)


def test_updates_change_only_what_they_say(world):
    connector = world.connector()
    one, two, *_ = seen(connector, "Accounts")
    world.clock.advance(5)
    world.calls()
    results = connector.update("Accounts", [change(one, Phone="1"), change(two, Phone=None)], ACCOUNT, {})
    assert [r.remote.record["Phone"] for r in results] == ["1", None]
    assert results[0].remote.record["Account_Name"] == one.record["Account_Name"]
    assert results[0].remote.version > one.version
    assert world.calls() == {"list Accounts": 2, "update Accounts": 1}


def test_a_record_that_moved_on_is_refused_and_the_rest_is_written(world):
    connector = world.connector()
    one, two, three, *_ = seen(connector, "Accounts")
    world.clock.advance(5)
    world.app.edit("Accounts", one.id, {"Phone": "200"}, "Ann Lee")
    world.app.delete("Accounts", three.id, "Ann Lee")
    writes = [change(r, Phone="100") for r in (one, two, three)]
    stale, fine, gone = connector.update("Accounts", writes, ACCOUNT, {})
    assert isinstance(stale.error, VersionConflict) and isinstance(gone.error, Gone)
    assert fine.remote.record["Phone"] == "100"
    assert connector.get("Accounts", [one.id], ACCOUNT, {})[0].record["Phone"] == "200"


def test_an_edit_between_the_check_and_the_write_is_not_overwritten(world, monkeypatch):
    connector = world.connector()
    one, two, *_ = seen(connector, "Accounts")
    world.clock.advance(5)
    write = connector._api.write

    def late(method, path, data, **options):
        if path == "/Accounts":
            world.app.edit("Accounts", one.id, {"Phone": "200"}, "Ann Lee")
        return write(method, path, data, **options)

    monkeypatch.setattr(connector._api, "write", late)
    first, second = connector.update("Accounts", [change(one, Phone="100"), change(two, Phone="100")], ACCOUNT, {})
    assert isinstance(first.error, VersionConflict) and second.remote.record["Phone"] == "100"
    assert connector.get("Accounts", [one.id], ACCOUNT, {})[0].record["Phone"] == "200"
    calls = world.calls()
    assert (calls["update Accounts"], calls["update_one Accounts"]) == (1, 2)


def test_lines_are_written_as_the_complete_list(world):
    connector = world.connector()
    order = next(r for r in seen(connector, "Sales_Orders", ORDER) if len(r.record["Ordered_Items"]) >= 2)
    keep, *drop = order.record["Ordered_Items"]
    world.clock.advance(5)
    wanted = [{"id": keep["id"], "Quantity": 9}, {"Product_Name": {"id": keep["Product_Name"]["id"]}, "Quantity": 4}]
    result = connector.update("Sales_Orders", [change(order, Ordered_Items=wanted)], ORDER, {})[0]
    lines = result.remote.record["Ordered_Items"]
    assert [line["Quantity"] for line in lines] == [9, 4] and lines[0]["id"] == keep["id"]
    assert not {line["id"] for line in drop} & {line["id"] for line in lines}
    again = change(result.remote, Ordered_Items=[{"id": line["id"], "Quantity": line["Quantity"]} for line in lines])
    world.clock.advance(5)
    assert len(connector.update("Sales_Orders", [again], ORDER, {})[0].remote.record["Ordered_Items"]) == 2


def test_a_lost_answer_never_doubles_a_line(world):
    connector = world.connector()
    order = seen(connector, "Sales_Orders", ORDER)[0]
    before = order.record["Ordered_Items"]
    wanted = [*({"id": line["id"]} for line in before), {"Product_Name": {"id": before[0]["Product_Name"]["id"]}}]
    world.clock.advance(5)
    world.fault(kind="drop_after", operation="update Sales_Orders")
    with pytest.raises(UnknownOutcome):
        connector.update("Sales_Orders", [change(order, Ordered_Items=wanted)], ORDER, {})
    world.clock.advance(5)
    repeated = connector.update("Sales_Orders", [change(order, Ordered_Items=wanted)], ORDER, {})[0]
    assert isinstance(repeated.error, VersionConflict)
    (now,) = connector.get("Sales_Orders", [order.id], ORDER, {})
    assert len(now.record["Ordered_Items"]) == len(before) + 1


def test_a_lost_answer_of_a_plain_update_is_repeated_and_never_overwrites(world):
    connector = world.connector()
    one, *_ = seen(connector, "Accounts")
    world.clock.advance(5)
    world.fault(kind="drop_after", operation="update Accounts")
    (result,) = connector.update("Accounts", [change(one, Phone="100")], ACCOUNT, {})
    # The server refuses the repetition, because our own write moved the time: the engine looks again.
    assert isinstance(result.error, VersionConflict)
    assert connector.get("Accounts", [one.id], ACCOUNT, {})[0].record["Phone"] == "100"


def test_removing_all_lines_of_an_order_is_refused_by_the_system(world):
    connector = world.connector()
    order = seen(connector, "Sales_Orders", ORDER)[0]
    error = connector.update("Sales_Orders", [change(order, Ordered_Items=[])], ORDER, {})[0].error
    assert isinstance(error, RecordRejected) and error.code == "MANDATORY_NOT_FOUND"


# --- deleting --------------------------------------------------------------------------------------------------------


def delete(remote, mode="delete", version=True):
    return Write(key="k", values={}, id=remote.id, version=remote.version if version else None, mode=mode)


def test_deletes_refuse_stale_ones_and_take_the_gone_for_done(world):
    connector = world.connector()
    one, two, three, *_ = seen(connector, "Accounts")
    world.app.delete("Accounts", two.id, "Ann Lee")
    world.clock.advance(5)
    world.app.edit("Accounts", three.id, {"Phone": "1"}, "Ann Lee")
    results = connector.delete("Accounts", [delete(one), delete(two), delete(three)], {})
    assert results[0].remote.deleted and results[1].remote.deleted and isinstance(results[2].error, VersionConflict)
    left = {r["id"] for r in world.app.records("Accounts")}
    assert one.id not in left and three.id in left
    assert connector.delete("Accounts", [delete(one, version=False)], {})[0].remote.deleted


def test_archiving_sets_the_fields_the_settings_name(world):
    connector = world.connector()
    one, two, *_ = seen(connector, "Accounts")
    results = connector.delete("Accounts", [delete(two), delete(one, "archive")], {})
    assert results[0].remote.deleted and not results[1].remote.deleted
    assert next(r for r in world.app.records("Accounts") if r["id"] == one.id)["Customer_Status"] == "Inactive"
    world.app.delete("settings/fields", "Accounts.Customer_Status", "admin")
    three = next(r for r in seen(connector, "Accounts") if r.id != one.id)
    assert isinstance(connector.delete("Accounts", [delete(three, "archive")], {})[0].error, RecordRejected)
    with pytest.raises(ConfigurationError, match="can't be archived"):
        connector.delete("Invoices", [delete(seen(connector, "Invoices", ["Subject"])[0], "archive")], {})


# --- signing in, and bad days ----------------------------------------------------------------------------------------


def test_a_token_that_ends_in_the_middle_of_paging_is_renewed_once(world):
    connector = world.connector(page_size=2)
    pages = connector.list_changes("Accounts", None, ACCOUNT, {})
    found = list(next(pages).records)
    world.app.accounts.end_tokens()
    found += [r for page in pages for r in page.records]
    assert len(found) == 6 and world.calls()["token"] == 2


def test_connectors_with_one_cache_share_one_token(world):
    for _ in range(3):
        world.connector().check()
    assert world.calls()["token"] == 1


@pytest.mark.parametrize(
    "settings, text",
    [({"client_id": "1000.NO"}, "data_center"), ({"client_secret": "nonsense"}, "client_secret"),
     ({"refresh_token": "1000.nonsense"}, "refresh token")],
)  # fmt: skip
def test_wrong_credentials_say_what_to_mend_and_are_not_hammered(world, settings, text):
    connector = world.connector(**settings)
    for _ in range(3):
        with pytest.raises(AuthenticationError) as caught:
            read(connector, "Accounts")
    assert world.calls() == {"token": 1}
    with pytest.raises(AuthenticationError, match=text):
        read(world.connector(**settings, api_url=world.running.base_url, data_center="eu"), "Accounts")
    assert "nonsense" not in str(caught.value)


def test_too_many_token_requests_are_waited_for_by_the_caller(make_world):
    world = make_world(throttle=0)
    with pytest.raises(RateLimited) as caught:
        world.connector().check()
    assert caught.value.wait == 600


def test_missing_permissions_are_named(world):
    world.fault(kind="status", operation="list Accounts", status=403, body={
        "code": "NO_PERMISSION", "details": {"permissions": ["Crm_Implied_View_Accounts"]},
        "message": "Permission denied", "status": "error"})  # fmt: skip
    with pytest.raises(AuthenticationError, match="Crm_Implied_View_Accounts") as caught:
        read(world.connector(), "Accounts")
    assert caught.value.where == "zoho/Accounts"


def test_being_throttled_means_waiting_with_growing_pauses(world):
    world.fault(kind="status", operation="list Accounts", status=429, next=3, body={
        "code": "TOO_MANY_REQUESTS", "details": {}, "message": "too many requests.", "status": "error"})  # fmt: skip
    connector = world.connector()
    assert len(read(connector, "Accounts")[0]) == 6
    assert len(world.slept) == 3 and connector.usage["retries"] == 3


def test_retry_after_is_kept(world):
    world.fault(kind="retry_after", operation="list Accounts", seconds=17)
    read(world.connector(), "Accounts")
    assert world.slept[0] == 17.0


@pytest.mark.parametrize("kind", ["status", "drop_before", "drop_after", "truncate"])
def test_reads_survive_bad_moments(world, kind):
    world.fault(kind=kind, operation="list Accounts", next=2)
    assert len(read(world.connector(), "Accounts")[0]) == 6


@pytest.mark.parametrize(
    "kind, error", [("html", UnexpectedAnswer), ("garble", UnexpectedAnswer), ("status", Unavailable)]
)
def test_reads_give_up_with_the_right_error(world, kind, error):
    world.fault(kind=kind, operation="list Accounts", next=20)
    with pytest.raises(error) as caught:
        read(world.connector(), "Accounts")
    assert "zoho/Accounts" in str(caught.value)


def test_a_server_that_is_not_there(world):
    connector = world.connector(accounts_url="http://127.0.0.1:9")
    with pytest.raises(Unavailable, match=r"no connection to 127\.0\.0\.1:9"):
        connector.check()


# --- set-up ----------------------------------------------------------------------------------------------------------


def test_check_says_who_we_are_and_what_is_missing(world):
    world.app.edit("settings/fields", "Contacts.Hub_Key", {"unique": {}, "external": None}, "admin")
    world.app.delete("settings/fields", "Invoices.Hub_Key", "admin")
    health = world.connector().check()
    assert health.identity == "Hub Integration <hub@example.com>" and health.details["time zone"] == "Asia/Shanghai"
    assert len(health.problems) == 2 and "Contacts: Hub_Key is not unique" in health.problems[0]


def test_describe_reads_the_live_metadata(world):
    world.app.create("settings/fields", {"module": "Sales_Orders", "api_name": "VIP", "data_type": "boolean"}, "admin")
    (orders,) = world.connector().describe("Sales_Orders")
    fields = {f.name: f for f in orders.fields}
    assert fields["VIP"].type == "boolean" and fields["Grand_Total"].read_only
    assert fields["Account_Name"].reference == "Accounts" and fields["Status"].choices[0] == "Created"
    assert {f.name for f in fields["Ordered_Items"].fields} >= {"id", "Product_Name", "Quantity", "List_Price"}
    assert (orders.line_ids, orders.probe, orders.deletes) == ({"Ordered_Items": "id"}, "external", "tombstones")
    with pytest.raises(ConfigurationError, match="did you mean 'Accounts'"):
        world.connector().describe("Acounts")
    assert {r.name for r in world.connector().describe()} == set(find("zoho_crm").default_resources)


def test_the_bundled_resources_are_those_of_the_sandbox(world):
    live = {r.name: r for r in world.connector().describe()}
    for known in find("zoho_crm").resources():
        assert live[known.name] == known


@pytest.mark.parametrize(
    "settings, text",
    [({"client_secret": ""}, "client_secret"), ({"page_sise": 3}, "page_sise"), ({"page_size": 500}, "page_size")],
)
def test_wrong_settings_are_named_without_their_values(world, settings, text):
    with pytest.raises(ConfigurationError, match=text) as caught:
        world.connector(refresh_token="top-secret-value", **settings)
    assert "top-secret" not in str(caught.value)


def test_usage_counts_calls_and_credits(world):
    connector = world.connector()
    cursor = settled(world, connector, "Accounts")
    read(connector, "Accounts", cursor)
    assert connector.usage["calls"] == 3 and connector.usage["credits"] == 4
    assert world.app.quota.used == 4
