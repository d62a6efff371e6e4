"""Writes to the sandbox: results a record, checks by metadata, upsert, lines, totals, the recycle bin."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.connect.answers import decode


def code(response):
    return response.status_code, response.json()["code"]


def first(response):
    return response.json()["data"][0]


def test_a_batch_has_a_result_for_each_record(world):
    client = world.client()
    good, bad = {"Account_Name": "华瑞"}, {"Phone": "1"}
    mixed = client.call("POST", "Accounts", json={"data": [good, bad]})
    assert mixed.status_code == 207
    added, refused = mixed.json()["data"]
    assert (added["code"], added["message"]) == ("SUCCESS", "record added")
    assert refused == {
        "code": "MANDATORY_NOT_FOUND", "status": "error", "message": "required field not found",
        "details": {"api_name": "Account_Name", "json_path": "$.data[1].Account_Name"},
    }  # fmt: skip
    assert client.call("POST", "Accounts", json={"data": [good]}).status_code == 201
    assert client.call("POST", "Accounts", json={"data": [bad]}).status_code == 400
    assert (
        client.call("PUT", "Accounts", json={"data": [{"id": added["details"]["id"], "Phone": "2"}]}).status_code == 200
    )
    unknown = client.call("PUT", "Accounts", json={"data": [{"id": "99", "Phone": "2"}]})
    assert first(unknown)["message"] == "the id given seems to be invalid"


@pytest.mark.parametrize(
    "values, details",
    [
        ({"Account_Name": "x" * 201}, {"maximum_length": 200}),
        ({"Account_Name": 7}, {"expected_data_type": "string"}),
        ({"Employees": "12"}, {"expected_data_type": "integer"}),
        ({"Employees": 1234567890}, {"maximum_length": 9}),
        ({"Annual_Revenue": "1.0"}, {"expected_data_type": "double"}),
        ({"Phone": "ring me"}, {"expected_data_type": "phone"}),
        ({"Email": "nobody"}, {"expected_data_type": "email"}),
        ({"Parent_Account": "5"}, {"expected_data_type": "jsonobject"}),
    ],
)
def test_values_are_checked_by_their_fields(world, values, details):
    entry = first(world.client().call("POST", "Accounts", json={"data": [{"Account_Name": "A", **values}]}))
    assert entry["code"] == "INVALID_DATA" and details.items() <= entry["details"].items()
    assert entry["details"]["json_path"] == f"$.data[0].{next(iter(values))}"


def test_dates_must_be_dates_and_datetimes_need_an_offset(world):
    client = world.client()
    order = {"Subject": "S", "Ordered_Items": [{"Product_Name": {"id": world.app.samples()["products"]}}]}
    entry = first(client.call("POST", "Sales_Orders", json={"data": [{**order, "Due_Date": "2026-02-30"}]}))
    assert entry["details"]["expected_data_type"] == "date"
    entry = first(client.call("POST", "Contacts", json={"data": [{"Last_Name": "L", "Account_Name": {"id": "77"}}]}))
    assert entry["message"] == "the id given seems to be invalid" and entry["details"]["api_name"] == "Account_Name"


def test_several_errors_of_a_record_come_wrapped(world):
    entry = first(world.client().call("POST", "Accounts", json={"data": [{"Employees": "1"}]}))
    assert entry["code"] == "MULTIPLE_OR_MULTI_ERRORS"
    assert [e["code"] for e in entry["details"]["errors"]] == ["MANDATORY_NOT_FOUND", "INVALID_DATA"]


def test_unknown_and_read_only_fields_are_passed_over_in_silence(world):
    client = world.client()
    values = {"Account_Name": "A", "Nonsense": 1, "Created_Time": "2020-01-01T00:00:00+00:00"}
    id = first(client.call("POST", "Accounts", json={"data": [values]}))["details"]["id"]
    stored = first(client.get(f"Accounts/{id}"))
    assert "Nonsense" not in stored and stored["Created_Time"] == "2026-03-02T17:00:00+08:00"


def test_requests_that_are_refused_as_a_whole(world):
    client = world.client()
    assert code(client.call("POST", "Accounts", data=b"")) == (400, "INVALID_DATA")
    assert code(client.call("POST", "Accounts", json={"data": [{}] * 101})) == (400, "LIMIT_EXCEEDED")
    assert code(client.call("POST", "Nowhere", json={"data": [{}]})) == (400, "INVALID_MODULE")
    assert code(client.call("POST", "Accounts/1/2", json={})) == (404, "INVALID_URL_PATTERN")
    assert code(client.call("PATCH", "Accounts", json={})) == (400, "INVALID_REQUEST_METHOD")


def test_upsert_looks_in_the_named_field_and_in_every_other_unique_one(world):
    client = world.client()

    def upsert(values, fields=None):
        body = {"data": [values], **({"duplicate_check_fields": fields} if fields else {})}
        return client.call("POST", "Accounts/upsert", json=body)

    made = first(upsert({"Account_Name": "A", "Hub_Key": "k1"}, ["Hub_Key"]))
    assert (made["action"], made["duplicate_field"]) == ("insert", None)
    again = upsert({"Account_Name": "B", "Hub_Key": "K1"}, ["Hub_Key"])
    assert again.status_code == 200 and first(again)["action"] == "update"
    assert first(again)["details"]["id"] == made["details"]["id"]
    assert first(upsert({"Account_Name": "B"}))["duplicate_field"] == "Account_Name"
    world.app.org.change_field("Accounts", "Tax_ID", {"unique": {"casesensitive": False}})
    first(upsert({"Account_Name": "C", "Tax_ID": "T1", "Hub_Key": "k2"}, ["Hub_Key"]))
    hit = first(upsert({"Account_Name": "D", "Tax_ID": "T1", "Hub_Key": "k3"}, ["Hub_Key"]))
    assert (hit["action"], hit["duplicate_field"]) == ("update", "Tax_ID")
    assert code(upsert({"Account_Name": "D"}, ["Phone"])) == (400, "INVALID_DATA")


def test_a_unique_value_that_is_taken_names_its_holder(world):
    client = world.client()
    body = {"data": [{"Account_Name": "A", "Hub_Key": "k1"}]}
    id = first(client.call("POST", "Accounts", json=body))["details"]["id"]
    entry = first(client.call("POST", "Accounts", json=body))
    assert entry["code"] == "DUPLICATE_DATA" and entry["details"]["id"] == id
    assert entry["details"]["duplicate_record"]["module"]["api_name"] == "Accounts"


def test_a_stale_write_is_refused_as_a_whole(world):
    client = world.client()
    one, two = (row["id"] for row in client.get("Accounts", fields="id", per_page=2).json()["data"])
    world.clock.advance(60)
    client.call("PUT", "Accounts", json={"data": [{"id": one, "Phone": "1"}]})
    stale = client.call(
        "PUT", "Accounts", json={"data": [{"id": two, "Phone": "2"}, {"id": one, "Phone": "2"}]},
        headers={"If-Unmodified-Since": "2026-03-02T09:00:30+00:00"},
    )  # fmt: skip
    assert stale.status_code == 412 and len(stale.json()["data"]) == 1
    assert first(stale)["code"] == "ALREADY_MODIFIED" and first(stale)["details"]["id"] == one
    assert first(client.get("Accounts", ids=two, fields="Phone"))["Phone"] != "2"


def test_lines_are_added_changed_and_removed_but_never_replaced(world):
    client, product = world.client(), {"id": world.app.samples()["products"]}

    def lines(id):
        return first(client.get(f"Sales_Orders/{id}"))["Ordered_Items"]

    def put(id, items):
        return first(client.call("PUT", f"Sales_Orders/{id}", json={"data": [{"Ordered_Items": items}]}))

    body = {"Subject": "S", "Ordered_Items": [{"Product_Name": product, "Quantity": 2, "List_Price": 100}]}
    id = first(client.call("POST", "Sales_Orders", json={"data": [body]}))["details"]["id"]
    put(id, [{"Product_Name": product, "Quantity": 1, "List_Price": 7}])
    assert len(lines(id)) == 2, "a line without id is added"
    one, two = (line["id"] for line in lines(id))
    put(id, [{"id": one, "Quantity": 5}, {"id": two, "_delete": None}])
    (left,) = lines(id)
    assert (left["id"], left["Quantity"], left["List_Price"], left["Total"]) == (one, 5, 100, 500)
    assert put(id, [])["code"] == "MANDATORY_NOT_FOUND", "an order keeps a line"
    assert put(id, [{"id": "12", "Quantity": 1}])["details"]["json_path"] == "$.data[0].Ordered_Items[0].id"
    nameless = {"Subject": "S", "Ordered_Items": [{"Quantity": 1}]}
    missing = first(client.call("POST", "Sales_Orders", json={"data": [nameless]}))
    assert missing["details"]["json_path"] == "$.data[0].Ordered_Items[0].Product_Name"


def test_totals_are_computed_and_bump_the_order(world):
    client, product = world.client(), {"id": world.app.samples()["products"]}
    line = {
        "Product_Name": product,
        "Quantity": 3,
        "List_Price": 33.335,
        "Discount": "10%",
        "Line_Tax": [{"name": "VAT", "percentage": 13}],
    }
    body = {"Subject": "S", "Adjustment": -0.5, "Ordered_Items": [line]}
    made = first(client.call("POST", "Sales_Orders", json={"data": [body]}))["details"]
    order = decode(client.get(f"Sales_Orders/{made['id']}").content)["data"][0]
    (stored,) = order["Ordered_Items"]
    assert stored["Total"] == Decimal("100.01") and stored["Total_After_Discount"] == Decimal("90.01")
    assert stored["Tax"] == Decimal("11.7") and stored["Net_Total"] == Decimal("101.71")
    assert order["Sub_Total"] == Decimal("101.71") and order["Grand_Total"] == Decimal("101.21")
    assert order["SO_Number"] == made["id"] and order["$has_more"] == {"Ordered_Items": False}
    unknown_tax = {**body, "Ordered_Items": [{**line, "Line_Tax": [{"name": "Nope"}]}]}
    assert (
        "VAT" in first(client.call("POST", "Sales_Orders", json={"data": [unknown_tax]}))["details"]["supported_values"]
    )


def test_the_lines_module_lists_lines_with_their_order(world):
    answer = world.client().get("Ordered_Items", fields="Product_Name,Quantity,Parent_Id")
    row = first(answer)
    assert set(row) == {"id", "Product_Name", "Quantity", "Parent_Id"} and row["Parent_Id"]["id"]
    assert code(world.client().call("POST", "Ordered_Items", json={"data": [{}]})) == (400, "INVALID_MODULE")


def test_deletions_go_to_the_recycle_bin_and_can_come_back(world):
    client = world.client()
    id, _ = (row["id"] for row in client.get("Sales_Orders", fields="id", per_page=2).json()["data"])
    mixed = client.call("DELETE", "Sales_Orders", params={"ids": f"{id},99"})
    assert mixed.status_code == 207 and [e["message"] for e in mixed.json()["data"]] == [
        "record deleted",
        "record not deleted",
    ]
    gone = first(client.get("Sales_Orders/deleted"))
    assert (gone["id"], gone["type"], gone["deleted_by"]["name"]) == (id, "recycle", "Hub Integration")
    assert client.since("Sales_Orders/deleted", "2026-03-02T09:00:00+00:00").status_code == 304
    assert code(client.get("Sales_Orders/deleted", type="old")) == (400, "PATTERN_NOT_MATCHED")
    world.app.create("Sales_Orders", {"id": id}, "Ann Lee")
    assert first(client.get(f"Sales_Orders/{id}"))["Ordered_Items"]
    assert code(client.call("DELETE", "Accounts")) == (400, "REQUIRED_PARAM_MISSING")
    assert code(client.call("DELETE", "Accounts", params={"ids": "abc"})) == (400, "UNABLE_TO_PARSE_DATA_TYPE")


def test_external_values_stand_for_ids(world):
    client = world.client()
    client.call("POST", "Accounts", json={"data": [{"Account_Name": "A", "Hub_Key": "k-1"}]})
    header = {"X-EXTERNAL": "Accounts.Hub_Key"}
    assert first(client.call("GET", "Accounts/k-1", headers=header))["Account_Name"] == "A"
    listed = client.call("GET", "Accounts", params={"ids": "k-1,k-2", "fields": "Hub_Key"}, headers=header)
    assert [row["Hub_Key"] for row in listed.json()["data"]] == ["k-1"]
    assert client.call("GET", "Accounts/k-9", headers=header).status_code == 204
    assert code(client.call("GET", "Accounts/k-1", headers={"X-EXTERNAL": "Accounts.Phone"})) == (400, "INVALID_DATA")


def test_an_empty_trigger_starts_no_automation(world):
    client = world.client()
    client.call("POST", "Accounts", json={"data": [{"Account_Name": "A"}], "trigger": []})
    assert world.app.records("workflow_runs") == []
    client.call("POST", "Accounts", json={"data": [{"Account_Name": "B"}]})
    assert {run["trigger"] for run in world.app.records("workflow_runs")} >= {"workflow", "approval", "blueprint"}
