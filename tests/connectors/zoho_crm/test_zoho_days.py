"""Signing in, bad days, and setting up: the connector against the sandbox."""

from __future__ import annotations

import pytest

from hub.connect.registry import find
from hub.errors import (
    AuthenticationError,
    ConfigurationError,
    RateLimited,
    Unavailable,
    UnexpectedAnswer,
)

ACCOUNT = ["Account_Name", "Phone", "Parent_Account"]
ORDER = ["Subject", "Account_Name", "Grand_Total", "Ordered_Items"]


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
            world.read(connector, "Accounts")
    assert world.calls() == {"token": 1}
    with pytest.raises(AuthenticationError, match=text):
        world.read(world.connector(**settings, api_url=world.running.base_url, data_center="eu"), "Accounts")
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
        world.read(world.connector(), "Accounts")
    assert caught.value.where == "zoho/Accounts"


def test_being_throttled_means_waiting_with_growing_pauses(world):
    world.fault(kind="status", operation="list Accounts", status=429, next=3, body={
        "code": "TOO_MANY_REQUESTS", "details": {}, "message": "too many requests.", "status": "error"})  # fmt: skip
    connector = world.connector()
    assert len(world.read(connector, "Accounts")[0]) == 6
    assert len(world.slept) == 3 and connector.usage["retries"] == 3


def test_retry_after_is_kept(world):
    world.fault(kind="retry_after", operation="list Accounts", seconds=17)
    world.read(world.connector(), "Accounts")
    assert world.slept[0] == 17.0


@pytest.mark.parametrize("kind", ["status", "drop_before", "drop_after", "truncate"])
def test_reads_survive_bad_moments(world, kind):
    world.fault(kind=kind, operation="list Accounts", next=2)
    assert len(world.read(world.connector(), "Accounts")[0]) == 6


@pytest.mark.parametrize(
    "kind, error", [("html", UnexpectedAnswer), ("garble", UnexpectedAnswer), ("status", Unavailable)]
)
def test_reads_give_up_with_the_right_error(world, kind, error):
    world.fault(kind=kind, operation="list Accounts", next=20)
    with pytest.raises(error) as caught:
        world.read(world.connector(), "Accounts")
    assert "zoho/Accounts" in str(caught.value)


def test_a_server_that_is_not_there(world):
    connector = world.connector(accounts_url="http://127.0.0.1:9")
    with pytest.raises(Unavailable, match=r"no connection to 127\.0\.0\.1:9"):
        connector.check()


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
    cursor = world.settled(connector, "Accounts")
    world.read(connector, "Accounts", cursor)
    assert connector.usage["calls"] == 3 and connector.usage["credits"] == 4
    assert world.app.quota.used == 4
