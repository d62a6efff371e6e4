"""Reading through the connector, against the sandbox: feeds, lines, deletions, and what they cost."""

from __future__ import annotations

from hub.connect import capabilities

ACCOUNT = ["Account_Name", "Phone", "Parent_Account"]
ORDER = ["Subject", "Account_Name", "Grand_Total", "Ordered_Items"]


def test_it_has_the_capabilities_the_engine_asks_for(world):
    connector = world.connector()
    for name in ("Connector", "ListChanges", "ListIds", "Get", "Create", "Update", "Delete", "Probe"):
        assert isinstance(connector, getattr(capabilities, name))
    assert world.calls() == {}, "opening calls nothing"


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
    cursor = world.settled(connector, "Sales_Orders", ORDER)
    world.calls()
    found, again, complete = world.read(connector, "Sales_Orders", cursor, ORDER)
    assert (found, complete) == ([], False)
    assert world.calls() == {"list Sales_Orders": 1, "deleted Sales_Orders": 1}
    assert world.read(connector, "Sales_Orders", again, ORDER)[0] == []


def test_changes_and_deletions_since_the_cursor(world):
    connector = world.connector()
    cursor = world.settled(connector, "Accounts")
    ids = [r["id"] for r in world.app.records("Accounts")]
    world.app.edit("Accounts", ids[0], {"Phone": "021 1"}, "Ann Lee")
    world.app.delete("Accounts", ids[1], "王磊")
    world.clock.advance(10)
    found, cursor, _ = world.read(connector, "Accounts", cursor)
    changed, gone = found
    assert (changed.id, changed.record["Phone"], changed.modified_by) == (ids[0], "021 1", "Ann Lee")
    assert (gone.id, gone.deleted, gone.record, gone.modified_by) == (ids[1], True, None, "王磊")
    assert world.read(connector, "Accounts", cursor)[0] == [], "told once"


def test_an_edit_in_the_second_of_the_last_sighting_is_not_missed(world):
    connector = world.connector()
    id = world.app.samples()["accounts"]
    world.app.edit("Accounts", id, {"Phone": "1"}, "Ann Lee")
    _, cursor, _ = world.read(connector, "Accounts")
    world.app.edit("Accounts", id, {"Phone": "2"}, "Ann Lee")
    found, _, _ = world.read(connector, "Accounts", cursor)
    assert [r.record["Phone"] for r in found if r.id == id] == ["2"]


def test_a_restored_record_is_seen_again(world):
    connector = world.connector()
    cursor = world.settled(connector, "Accounts")
    id = world.app.samples()["accounts"]
    world.app.delete("Accounts", id, "Ann Lee")
    world.clock.advance(5)
    found, cursor, _ = world.read(connector, "Accounts", cursor)
    assert [r.deleted for r in found] == [True]
    world.app.create("Accounts", {"id": id}, "Ann Lee")
    found, _, _ = world.read(connector, "Accounts", cursor)
    assert [(r.id, r.deleted) for r in found] == [(id, False)]


def test_orders_come_with_their_lines_and_exact_amounts(world):
    connector = world.connector()
    found, _, _ = world.read(connector, "Sales_Orders", fields=ORDER)
    stored = {r["id"]: r for r in world.app.records("Sales_Orders")}
    for remote in found:
        expected = [line["id"] for line in stored[remote.id]["Ordered_Items"]]
        assert [line["id"] for line in remote.record["Ordered_Items"]] == expected
        assert remote.record["Grand_Total"] == stored[remote.id]["Grand_Total"]
        for line in remote.record["Ordered_Items"]:
            assert not any(isinstance(v, float) for v in line.values()) and "Parent_Id" not in line


def test_lines_look_the_same_whichever_way_they_were_fetched(world):
    by_module, _, _ = world.read(world.connector(), "Sales_Orders", fields=ORDER)
    world.calls()
    by_gets, _, _ = world.read(world.connector(line_modules=False), "Sales_Orders", fields=ORDER)
    assert world.calls()["get Sales_Orders"] == 5
    assert by_module == by_gets


def test_a_complete_listing_lists_the_lines_module_instead_of_every_order(make_world):
    world = make_world(orders=40)
    found, _, _ = world.read(world.connector(), "Sales_Orders", fields=ORDER)
    calls = world.calls()
    assert len(found) == 40 and "get Sales_Orders" not in calls
    assert calls["list Sales_Orders"] == 1 and calls["list Ordered_Items"] == 1


def test_few_changed_orders_are_fetched_singly_and_many_by_their_lines(make_world):
    world = make_world(orders=12)
    connector = world.connector(line_gets=10)
    cursor = world.settled(connector, "Sales_Orders", ORDER)
    ids = [r["id"] for r in world.app.records("Sales_Orders")]
    world.app.edit("Sales_Orders", ids[0], {"Subject": "x"}, "Ann Lee")
    world.calls()
    assert len(world.read(connector, "Sales_Orders", cursor, ORDER)[0]) == 1
    assert world.calls()["get Sales_Orders"] == 1
    for id in ids:
        world.app.edit("Sales_Orders", id, {"Subject": "y"}, "Ann Lee")
    world.clock.advance(10)
    found, _, _ = world.read(connector, "Sales_Orders", cursor, ORDER)
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
    found, _, complete = world.read(world.connector(), "Sales_Orders", fields=ORDER)
    assert complete and all(r.record["Ordered_Items"] for r in found)


def test_more_than_fifty_fields_are_asked_for_in_turns(world):
    for number in range(60):
        world.app.create(
            "settings/fields", {"module": "Accounts", "api_name": f"Extra{number}", "data_type": "text"}, "a"
        )
    id = world.app.samples()["accounts"]
    world.app.edit("Accounts", id, {"Extra3": "three", "Extra59": "last"}, "Ann Lee")
    fields = ["Account_Name", *(f"Extra{n}" for n in range(60))]
    found, _, _ = world.read(world.connector(), "Accounts", fields=fields)
    record = next(r.record for r in found if r.id == id)
    assert (record["Extra3"], record["Extra59"]) == ("three", "last") and set(record) == {"id", *fields}
    calls = world.calls()
    assert calls["list Accounts"] == 2 and calls["fields"] == 1


def test_more_records_than_page_tokens_reach(make_world):
    world = make_world(records=950, orders=0, invoices=0, token_records=400)
    connector = world.connector(token_records=400)
    found, _, complete = world.read(connector, "Accounts")
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
    cursor = world.settled(connector, "Accounts")
    world.clock.advance(-7 * 86400)
    found, _, complete = world.read(connector, "Accounts", cursor)
    assert len(found) == 6 and complete
    later = cursor.replace("2026", "2031")
    assert world.read(connector, "Accounts", later)[2] is True
    assert world.read(connector, "Accounts", "not a cursor of ours")[2] is True


def test_an_empty_module_is_a_complete_listing_of_nothing(make_world):
    world = make_world(records=0, orders=0, invoices=0)
    assert world.read(world.connector(), "Accounts") == ([], None, True)


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
