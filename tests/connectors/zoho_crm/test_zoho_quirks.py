"""What the vendor may answer that the sandbox never does: each answer here is written out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import responses

from hub.connect.capabilities import Write
from hub.connect.registry import find
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.errors import AuthenticationError, Gone, RateLimited, RecordRejected, UnexpectedAnswer

ACCOUNTS, API = "https://accounts.zoho.eu/oauth/v2/token", "https://www.zohoapis.eu/crm/v8"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def wire():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def connector(wire):
    wire.post(
        ACCOUNTS, json={"access_token": "1000.a.b", "api_domain": "https://www.zohoapis.eu", "expires_in": 3600000}
    )
    return opened()


def opened(**settings):
    given = {"client_id": "1000.X", "client_secret": "s3cret-x", "refresh_token": "1000.r.r", "data_center": "eu"}
    services = Services("zoho", MemoryCache(), now=lambda: NOW, sleep=lambda s: None)
    return find("zoho_crm").open({**given, **settings}, services)


def changes(connector, cursor=None, fields=("Account_Name",)):
    return [r for page in connector.list_changes("Accounts", cursor, list(fields), {}) for r in page.records]


def test_the_api_is_where_the_tokens_answer_says(wire, connector):
    wire.get(f"{API}/Accounts", status=204)
    assert changes(connector) == []
    sent = wire.calls[1].request
    assert (
        sent.url.startswith("https://www.zohoapis.eu/") and sent.headers["Authorization"] == "Zoho-oauthtoken 1000.a.b"
    )
    assert wire.calls[0].request.body == (
        "grant_type=refresh_token&client_id=1000.X&client_secret=s3cret-x&refresh_token=1000.r.r"
    )


def test_offsets_become_utc_and_their_order_is_by_instant(wire, connector):
    rows = [
        {"id": "1", "Account_Name": "a", "Modified_Time": "2026-03-02T01:30:00+05:30"},
        {"id": "2", "Account_Name": "b", "Modified_Time": "2026-03-01T16:00:00-05:00"},
    ]
    wire.get(f"{API}/Accounts", json={"data": rows, "info": {"more_records": False}})
    found = changes(connector)
    assert [r.modified_at for r in found] == ["2026-03-01T20:00:00Z", "2026-03-01T21:00:00Z"]


@pytest.mark.parametrize("nothing", [204, 304])
def test_nothing_changed_is_204_or_304(wire, connector, nothing):
    wire.get(f"{API}/Accounts", status=nothing)
    wire.get(f"{API}/Accounts/deleted", status=nothing)
    cursor = '{"modified":"2026-03-01T10:00:00Z"}'
    pages = list(connector.list_changes("Accounts", cursor, ["Account_Name"], {}))
    assert [(p.records, p.cursor, p.complete) for p in pages] == [([], cursor, False)]
    assert wire.calls[1].request.headers["If-Modified-Since"] == "2026-03-01T09:58:00+00:00"


@pytest.mark.parametrize(
    "answer, error",
    [
        ({"body": "Access Denied", "status": 200}, RateLimited),
        ({"json": {"error": "Access Denied", "status": "failure"}, "status": 400}, RateLimited),
        ({"json": {"error": "invalid_code"}}, AuthenticationError),
        ({"body": "<html>maintenance</html>"}, UnexpectedAnswer),
    ],
)
def test_token_errors_are_read_from_the_body_not_the_status(wire, answer, error):
    wire.post(ACCOUNTS, **answer)
    with pytest.raises(error):
        changes(opened())


def test_a_scope_that_is_missing_comes_with_403_too(wire, connector):
    wire.get(
        f"{API}/Accounts", status=403, json={"code": "OAUTH_SCOPE_MISMATCH", "message": "Unauthorized", "details": {}}
    )
    with pytest.raises(AuthenticationError, match="OAUTH_SCOPE_MISMATCH"):
        changes(connector)


def test_too_many_requests_is_known_by_its_code(wire, connector):
    refused = {"code": "TOO_MANY_REQUESTS", "message": "x", "details": {}, "status": "error"}
    wire.get(f"{API}/Accounts", status=400, json=refused)
    with pytest.raises(RateLimited):
        changes(opened(attempts=1))


def test_a_token_that_is_never_taken_is_a_persons_matter(wire, connector):
    wire.get(
        f"{API}/Accounts", status=401, json={"code": "INVALID_TOKEN", "message": "invalid oauth token", "details": {}}
    )
    with pytest.raises(AuthenticationError, match="data_center"):
        changes(connector)
    assert len(wire.calls) == 4, "two tokens, two tries, no more"


def updated(wire, *entries, status=400):
    row = {"id": "7", "Modified_Time": "2026-03-01T10:00:00+00:00"}
    wire.get(f"{API}/Accounts", json={"data": [row], "info": {"more_records": False}})
    wire.put(f"{API}/Accounts", status=status, json={"data": list(entries)})
    return Write("k", {"Phone": "1"}, id="7", version="2026-03-01T10:00:00Z")


@pytest.mark.parametrize(
    "entry, error, field, cure",
    [
        ({"code": "RECORD_LOCKED", "message": "locked", "details": {"api_name": "id"}}, RecordRejected, "id", "unlock"),
        ({"code": "NOT_APPROVED", "message": "x", "details": {}}, RecordRejected, None, "approve"),
        ({"code": "INVALID_DATA", "message": "the id given seems to be invalid",
          "details": {"api_name": "id", "json_path": "$.data[0].id"}}, Gone, None, None),
        ({"code": "SOMETHING_NEW", "message": "unheard of"}, RecordRejected, None, None),
    ],
)  # fmt: skip
def test_refusals_of_a_record_are_sorted_by_code(wire, connector, entry, error, field, cure):
    write = updated(wire, {**entry, "status": "error"})
    found = connector.update("Accounts", [write], ["Phone"], {})[0].error
    assert type(found) is error and found.where == "zoho/Accounts/7"
    assert getattr(found, "field", None) == field and (cure is None or cure in found.cure)


def test_a_write_that_is_answered_by_less_than_was_asked(wire, connector):
    write = updated(wire, status=200)
    with pytest.raises(UnexpectedAnswer, match="a write of 1 records"):
        connector.update("Accounts", [write], ["Phone"], {})
