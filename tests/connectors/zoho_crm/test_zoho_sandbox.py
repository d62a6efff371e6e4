"""The sandbox is as strict as the vendor: statuses, codes, limits, headers, side effects."""

from __future__ import annotations

import json

import pytest


def code(response):
    return response.status_code, response.json()["code"]


def first(response):
    return response.json()["data"][0]


# --- the accounts server ---------------------------------------------------------------------------------------------


def test_a_refresh_token_gives_a_token_that_lives_an_hour(world):
    answer = world.client().token()
    assert answer["expires_in"] == 3600 and answer["api_domain"] == world.running.base_url
    assert "refresh_token" not in answer


@pytest.mark.parametrize(
    "wrong, error",
    [
        ({"client_id": "1000.X"}, "invalid_client"),
        ({"client_secret": "no"}, "invalid_client_secret"),
        ({"refresh_token": "1000.no"}, "invalid_code"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_token_errors_come_with_status_200(world, wrong, error):
    assert world.client().token(**wrong) == {"error": error}


def test_an_authorization_code_works_once(world):
    client, code_ = world.client(), world.app.accounts.grant_code
    grant = {"grant_type": "authorization_code", "code": code_}
    assert client.token(**grant)["refresh_token"] == world.app.accounts.refresh_token
    assert client.token(**grant) == {"error": "invalid_code"}


def test_the_eleventh_token_request_in_ten_minutes_is_denied(world):
    client = world.client()
    answers = [client.token() for _ in range(10)]
    assert answers[-1]["error"] == "Access Denied" and "access_token" in answers[-2]
    world.clock.advance(600)
    assert "access_token" in client.token()


def test_the_sixteenth_token_ends_the_first(make_world):
    world = make_world(throttle=100)
    client = world.client()
    for _ in range(14):
        client.token()
    assert client.get("org").status_code == 200
    client.token()
    assert code(client.get("org")) == (401, "INVALID_TOKEN")


def test_tokens_are_needed_end_and_carry_scopes(make_world):
    world = make_world(scopes="ZohoCRM.modules.accounts.READ,ZohoCRM.settings.ALL")
    client = world.client()
    assert client.get("Accounts", fields="Account_Name").status_code == 200
    assert code(client.get("Contacts", fields="Last_Name")) == (401, "OAUTH_SCOPE_MISMATCH")
    assert code(client.call("POST", "Accounts", json={"data": [{}]})) == (401, "OAUTH_SCOPE_MISMATCH")
    token = client.session.headers.pop("Authorization")
    assert code(client.get("Accounts", fields="id")) == (401, "AUTHENTICATION_FAILURE")
    client.session.headers["Authorization"] = token.replace("Zoho-oauthtoken", "Bearer")
    assert code(client.get("Accounts", fields="id")) == (401, "AUTHENTICATION_FAILURE")
    client.session.headers["Authorization"] = token
    world.clock.advance(3601)
    assert code(client.get("Accounts", fields="id")) == (401, "INVALID_TOKEN")


# --- lists -----------------------------------------------------------------------------------------------------------


def test_fields_are_mandatory_and_at_most_fifty(world):
    client = world.client()
    refused = client.get("Accounts")
    assert code(refused) == (400, "REQUIRED_PARAM_MISSING")
    assert refused.json()["details"] == {"param_name": "fields"}
    many = client.get("Accounts", fields=",".join(f"F{i}" for i in range(51)))
    assert code(many) == (400, "LIMIT_EXCEEDED") and many.json()["details"] == {"limit": 50, "param_name": "fields"}


def test_lists_hold_what_was_asked_for_without_lines(world):
    answer = world.client().get("Sales_Orders", fields="Subject,Ordered_Items,Nonsense,Account_Name", per_page=2)
    row = first(answer)
    assert set(row) == {"id", "Subject", "Account_Name"} and set(row["Account_Name"]) == {"id", "name"}
    info = answer.json()["info"]
    assert (info["count"], info["more_records"], info["sort_by"], info["sort_order"]) == (2, True, "id", "desc")


def test_page_tokens_walk_through_everything_and_are_bound_to_their_parameters(world):
    client = world.client()
    seen, token = [], None
    while True:
        params = {"fields": "Account_Name", "per_page": 4, **({"page_token": token} if token else {})}
        answer = client.get("Accounts", **params).json()
        seen += [row["id"] for row in answer["data"]]
        token = answer["info"]["next_page_token"]
        if not token:
            break
        last = token
    assert len(seen) == len(set(seen)) == 6 and seen == sorted(seen, reverse=True)
    assert code(client.get("Accounts", fields="Phone", per_page=4, page_token=last)) == (
        400,
        "TOKEN_BOUND_DATA_MISMATCH",
    )
    assert code(client.get("Accounts", fields="Account_Name", per_page=4, page_token=last, page=2)) == (
        400,
        "AMBIGUITY_DURING_PROCESSING",
    )
    world.clock.advance(24 * 3600)
    client.session.headers["Authorization"] = f"Zoho-oauthtoken {client.token()['access_token']}"
    assert code(client.get("Accounts", fields="Account_Name", per_page=4, page_token=last)) == (400, "EXPIRED_VALUE")


def test_paging_has_its_two_ceilings(make_world):
    world = make_world(page_records=4, token_records=4)
    client = world.client()
    assert code(client.get("Accounts", fields="id", per_page=2, page=3)) == (400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED")
    token = client.get("Accounts", fields="id", per_page=2).json()["info"]["next_page_token"]
    token = client.get("Accounts", fields="id", per_page=2, page_token=token).json()["info"]["next_page_token"]
    assert code(client.get("Accounts", fields="id", per_page=2, page_token=token)) == (400, "PAGINATION_LIMIT_EXCEEDED")


def test_only_three_sort_fields(world):
    refused = world.client().get("Accounts", fields="id", sort_by="Account_Name")
    assert code(refused) == (400, "INVALID_DATA")
    assert refused.json()["details"]["supported_values"] == ["id", "Created_Time", "Modified_Time"]


def test_nothing_modified_is_304_and_nothing_at_all_204_both_without_body(world):
    client = world.client()
    unchanged = client.since("Accounts", "2026-03-02T09:00:00+00:00", fields="id")
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert client.get("Accounts/deleted").status_code == 204
    assert client.get("Accounts/5725767000000000001").status_code == 204
    assert code(client.since("Accounts", "2026-03-02T09:00:00", fields="id")) == (400, "INVALID_DATA")


def test_times_are_in_the_users_zone_with_daylight_saving(make_world):
    world = make_world(time_zone="Europe/Berlin")
    client = world.client()
    id = client.get("Accounts", fields="id").json()["data"][0]["id"]
    world.running.app.edit("Accounts", id, {"Phone": "030 1"}, "Ann Lee")
    winter = first(client.get("Accounts", ids=id, fields="Modified_Time,Modified_By"))
    assert winter["Modified_Time"] == "2026-03-02T10:00:00+01:00" and winter["Modified_By"]["name"] == "Ann Lee"
    world.clock.advance(30 * 86400)
    client.session.headers["Authorization"] = f"Zoho-oauthtoken {client.token()['access_token']}"
    world.running.app.edit("Accounts", id, {"Phone": "030 2"}, "Ann Lee")
    assert first(client.get("Accounts", ids=id, fields="Modified_Time"))["Modified_Time"] == "2026-04-01T11:00:00+02:00"


# --- queries, metadata, limits ---------------------------------------------------------------------------------------


def coql(client, text):
    return client.call("POST", "coql", json={"select_query": text})


def test_coql_selects_filters_sorts_and_pages(world):
    client = world.client()
    rows = coql(client, "select Subject, Account_Name, Account_Name.Account_Name from Sales_Orders "
                        "where (Grand_Total > 1 and Status in ('Created', 'Approved')) or id is null "
                        "order by Grand_Total desc, id asc limit 2 offset 1")  # fmt: skip
    data = rows.json()["data"]
    assert len(data) == 2 and set(data[0]) == {"id", "Subject", "Account_Name", "Account_Name.Account_Name"}
    assert set(data[0]["Account_Name"]) == {"id"} and rows.json()["info"] == {"count": 2, "more_records": True}
    assert coql(client, "select id from Accounts where Account_Name = 'nobody'").status_code == 204
    parent = world.app.samples()["sales_orders"]
    assert coql(client, f"select Quantity from Ordered_Items where Parent_Id = '{parent}'").status_code == 200


@pytest.mark.parametrize(
    "text, expected",
    [
        ("select id from Accounts where id is not null and Phone = '1' and Fax = '2'", "SYNTAX_ERROR"),
        ("select id from Accounts", "SYNTAX_ERROR"),
        ("delete from Accounts", "SYNTAX_ERROR"),
        ("select Nope from Accounts where id is not null", "INVALID_QUERY"),
        ("select id from Nowhere where id is not null", "INVALID_QUERY"),
        ("select id from Accounts where Modified_Time > 'yesterday'", "INVALID_QUERY"),
        ("select id from Accounts where id is not null limit 5000", "LIMIT_EXCEEDED"),
        ("select Ordered_Items from Sales_Orders where id is not null", "INVALID_QUERY"),
    ],
)
def test_coql_refuses_what_the_vendor_refuses(world, text, expected):
    assert code(coql(world.client(), text)) == (400, expected)


def test_search_lags_and_its_equals_means_contains(world):
    client = world.client()
    client.call("POST", "Accounts", json={"data": [{"Account_Name": "ABC Inc (EU)", "Email": "abc@example.com"}]})
    query = {"criteria": "((Account_Name:equals:ABC)and(Customer_Status:equals:Active))", "fields": "Account_Name"}
    plain = {"criteria": "(Account_Name:equals:Inc \\(EU\\))"}
    assert client.get("Accounts/search", **plain).status_code == 204, "not in the index yet"
    world.clock.advance(5)
    assert client.get("Accounts/search", **query).status_code == 204
    assert first(client.get("Accounts/search", **plain))["Account_Name"] == "ABC Inc (EU)"
    assert first(client.get("Accounts/search", email="ABC@example.com"))["Account_Name"] == "ABC Inc (EU)"
    assert code(client.get("Accounts/search")) == (400, "EXPECTED_PARAM_MISSING")
    assert code(client.get("Accounts/search", criteria="Account_Name=1")) == (400, "INVALID_QUERY")


def test_counts_lag(world):
    client = world.client()
    assert client.get("Accounts/actions/count").json() == {"count": 6}
    client.call("POST", "Accounts", json={"data": [{"Account_Name": "A"}]})
    assert client.get("Accounts/actions/count").json() == {"count": 6}
    world.clock.advance(61)
    assert client.get("Accounts/actions/count").json() == {"count": 7}


def test_metadata_drives_the_checks_and_can_be_changed(world):
    client = world.client()
    fields = {f["api_name"]: f for f in client.get("settings/fields", module="Accounts").json()["fields"]}
    assert fields["Account_Name"]["system_mandatory"] and fields["Hub_Key"]["external"]["type"] == "org"
    assert fields["Parent_Account"]["lookup"]["module"]["api_name"] == "Accounts"
    assert fields["Currency"]["pick_list_values"][0]["actual_value"] == "-None-"
    app = world.running.app
    app.edit("settings/fields", "Accounts.Phone", {"hidden": True}, "admin")
    app.edit("settings/fields", "Accounts.Fax", {"length": 5}, "admin")
    app.create("settings/fields", {"module": "Accounts", "api_name": "VIP", "data_type": "boolean"}, "admin")
    fields = {f["api_name"]: f for f in client.get("settings/fields", module="Accounts").json()["fields"]}
    assert "Phone" not in fields and fields["VIP"]["json_type"] == "boolean"
    body = {"data": [{"Account_Name": "A", "Fax": "123456"}]}
    assert first(client.call("POST", "Accounts", json=body))["details"]["maximum_length"] == 5
    assert code(client.get("settings/fields")) == (400, "REQUIRED_PARAM_MISSING")


def test_who_and_where_we_are(world):
    client = world.client()
    (user,) = client.get("users", type="CurrentUser").json()["users"]
    assert (user["full_name"], user["time_zone"], user["offset"]) == ("Hub Integration", "Asia/Shanghai", 28800000)
    assert client.get("org").json()["org"][0]["iso_code"] == "CNY"
    rates = client.get("org/currencies").json()["currencies"]
    assert {r["iso_code"] for r in rates} == {"CNY", "EUR", "USD", "GBP"} and isinstance(rates[0]["exchange_rate"], str)
    modules = {m["api_name"]: m for m in client.get("settings/modules").json()["modules"]}
    assert modules["Ordered_Items"]["generated_type"] == "subform"
    (layout,) = client.get("settings/layouts", module="Accounts").json()["layouts"]
    assert any(f["required"] for f in layout["sections"][0]["fields"])


def test_mandatory_by_layout_counts_only_with_the_layout(world):
    client = world.client()
    world.app.org.layout_required["Accounts"] = {"Industry"}
    body = {"Account_Name": "A"}
    assert client.call("POST", "Accounts", json={"data": [body]}).status_code == 201
    with_layout = client.call("POST", "Accounts", json={"data": [{**body, "Layout": {"id": "1"}}]})
    assert first(with_layout)["details"]["api_name"] == "Industry"


def test_credits_are_counted_and_run_out(make_world):
    world = make_world(credits=12)
    client = world.client()
    spent = client.get("org")
    assert "X-API-CREDITS-REMAINING" not in spent.headers
    half = client.call("POST", "Accounts", json={"data": [{"Account_Name": str(i)} for i in range(41)]})
    assert half.headers["X-API-CREDITS-REMAINING"] == "6"
    client.get("Accounts/deleted")
    assert world.app.quota.used == 8
    client.call("POST", "Accounts", json={"data": [{"Account_Name": str(i)} for i in range(31)]})
    assert code(client.get("org")) == (429, "TOO_MANY_REQUESTS")
    world.clock.advance(24 * 3600)
    client.session.headers["Authorization"] = f"Zoho-oauthtoken {client.token()['access_token']}"
    assert client.get("org").status_code == 200


def test_calls_at_once_are_limited(make_world):
    world = make_world(at_once=0)
    assert code(world.client().get("org")) == (429, "TOO_MANY_REQUESTS")
    world = make_world(sub_at_once=0)
    client = world.client()
    assert client.get("Accounts", fields="id").status_code == 200
    assert code(client.get("Accounts", fields="id", sort_by="Modified_Time")) == (429, "TOO_MANY_REQUESTS")


# --- the control side ------------------------------------------------------------------------------------------------


def test_people_edit_through_the_control_verbs(world):
    app = world.running.app
    id = app.samples()["accounts"]
    world.clock.advance(60)
    app.edit("Accounts", id, {"Phone": "021-1"}, "Ann Lee")
    made = app.create("Accounts", {"Account_Name": "New"}, "王磊")
    app.delete("Accounts", made["id"], "王磊")
    world.client().call("PUT", f"Accounts/{id}", json={"data": [{"Phone": "021-2"}]})
    told = [(e["action"], e["by"], e["user"]) for e in app.journal.since()]
    assert told == [
        ("update", "user", "Ann Lee"), ("create", "user", "王磊"), ("delete", "user", "王磊"),
        ("update", "hub", "Hub Integration"),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="MANDATORY_NOT_FOUND"):
        app.create("Accounts", {}, "Ann Lee")
    with pytest.raises(LookupError):
        app.edit("Accounts", "1", {}, "Ann Lee")


def test_the_content_follows_from_the_seed(make_world):
    def content(world):
        return [{k: v for k, v in r.items() if "Time" not in k} for r in world.app.records("Sales_Orders")]

    assert json.dumps(content(make_world()), default=str) == json.dumps(content(make_world()), default=str)
