"""What becomes of an answer, by one question: can the request have been carried out?"""

import logging
from decimal import Decimal

import pytest
import requests
import responses

from hub.connect.answers import Answer
from hub.connect.budget import Budget
from hub.connect.http import Http, HttpOptions, Renew
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.errors import (
    AuthenticationError,
    ConfigurationError,
    RateLimited,
    RecordRejected,
    Unavailable,
    UnexpectedAnswer,
    UnknownOutcome,
)

URL = "https://crm.example.com"
RESET = requests.exceptions.ConnectionError("Connection aborted.", "RemoteDisconnected")


@pytest.fixture
def slept():
    return []


@pytest.fixture
def services(slept):
    return Services(system="crm", cache=MemoryCache(), sleep=slept.append)


@pytest.fixture
def wire():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def make(services, **options):
    return Http(URL, services, **options)


def test_numbers_never_pass_through_a_float(wire, services):
    wire.get(f"{URL}/a", body=b'{"amount": 0.1, "big": 12345678901234567.89, "count": 3}')
    assert make(services).get("/a").json() == {
        "amount": Decimal("0.1"),
        "big": Decimal("12345678901234567.89"),
        "count": 3,
    }
    wire.post(f"{URL}/a", json={})
    make(services).post("a", json={"amount": Decimal("19.90"), "name": "华瑞"})
    assert wire.calls[-1].request.body == '{"amount":19.90,"name":"华瑞"}'.encode()


def test_a_read_is_repeated_as_retry_after_asks(wire, services, slept):
    wire.get(f"{URL}/a", status=429, headers={"Retry-After": "7"})
    wire.get(
        f"{URL}/a",
        status=503,
        headers={"Retry-After": "Mon, 05 Jan 2026 10:00:09 GMT", "Date": "Mon, 05 Jan 2026 10:00:00 GMT"},
    )
    wire.get(f"{URL}/a", json={"ok": True})
    http = make(services)
    assert http.get("/a").json() == {"ok": True}
    assert slept == [7.0, 9.0]
    assert http.usage == {"calls": 3, "retries": 2, "errors": 2}


def test_a_longer_wait_than_we_sit_out_goes_to_the_caller(wire, services, slept):
    wire.get(f"{URL}/a", status=429, headers={"Retry-After": "3600"})
    with pytest.raises(RateLimited) as caught:
        make(services).get("/a")
    assert caught.value.wait == 3600 and slept == []


def test_without_retry_after_the_waits_grow_and_end(wire, services, slept):
    wire.get(f"{URL}/a", status=500, body="boom")
    with pytest.raises(Unavailable, match="status 500: boom"):
        make(services, options=HttpOptions(attempts=4)).get("/a")
    assert len(slept) == 3 and all(0 <= s <= 8 for s in slept)


@pytest.mark.parametrize(
    "answer, error",
    [
        ({"status": 429}, RateLimited),
        ({"status": 500}, UnknownOutcome),
        ({"status": 503, "headers": {"Retry-After": "1"}}, UnknownOutcome),
        ({"body": RESET}, UnknownOutcome),
        ({"body": requests.ReadTimeout()}, UnknownOutcome),
        ({"body": requests.exceptions.ChunkedEncodingError()}, UnknownOutcome),
        ({"body": requests.ConnectTimeout()}, Unavailable),
        ({"status": 200, "body": "<html>maintenance</html>"}, UnknownOutcome),
        ({"status": 200, "body": '{"data": [{"id"'}, UnknownOutcome),
        ({"status": 401, "body": "no"}, AuthenticationError),
        ({"status": 404, "body": "no"}, UnexpectedAnswer),
        ({"status": 302, "headers": {"Location": "https://login.example.com/?token=abcdef"}}, UnexpectedAnswer),
    ],
)
def test_a_write_is_never_repeated(wire, services, slept, answer, error):
    wire.post(f"{URL}/a", **answer)
    with pytest.raises(error) as caught:
        make(services).post("/a", json={})
    assert type(caught.value) is error
    assert len(wire.calls) == 1 and slept == []
    assert "abcdef" not in str(caught.value)


@pytest.mark.parametrize(
    "answer, error",
    [
        ({"body": RESET}, Unavailable),
        ({"body": requests.exceptions.ConnectionError("NewConnectionError: refused")}, Unavailable),
        ({"status": 200, "body": "<!DOCTYPE html>"}, UnexpectedAnswer),
        ({"status": 200, "body": '{"data": [{"id"'}, UnexpectedAnswer),
        ({"status": 200, "body": ""}, UnexpectedAnswer),
        ({"body": requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED")}, ConfigurationError),
    ],
)
def test_a_failed_read_never_has_an_unknown_outcome(wire, services, answer, error):
    wire.get(f"{URL}/a", **answer)
    with pytest.raises(error) as caught:
        make(services).get("/a")
    assert type(caught.value) is error


def test_nothing_listening_is_unavailable_for_a_write_too(services):
    # A real socket: port 9 of loopback has no listener, and the request was never sent.
    http = Http("http://127.0.0.1:9", services)
    with pytest.raises(Unavailable) as caught:
        http.post("/a", json={})
    assert type(caught.value) is Unavailable


@pytest.mark.parametrize("status", [204, 304])
def test_no_content_is_not_an_error(wire, services, status):
    wire.get(f"{URL}/a", status=status)
    assert make(services).get("/a").json() is None


def test_a_vendors_rules_come_first(wire, services):
    wire.get(f"{URL}/a", json={"errcode": 7})

    def classify(answer: Answer):
        return RecordRejected("refused", code="7") if (answer.json_or_none() or {}).get("errcode") else None

    with pytest.raises(RecordRejected):
        make(services, classify=classify).get("/a")


class TwoTokens:
    def __init__(self):
        self.tokens = ["old-token", "new-token"]
        self.forgotten = []

    def headers(self, method, path):
        return {"Authorization": f"Bearer {self.tokens[0]}"}

    def refused(self, headers):
        self.forgotten.append(headers["Authorization"])
        self.tokens.pop(0)


def ended(answer):
    return Renew(AuthenticationError("still refused")) if answer.status == 401 else None


def test_ended_credentials_are_renewed_once_and_the_request_sent_once_more(wire, services):
    wire.post(f"{URL}/a", status=401, match=[responses.matchers.header_matcher({"Authorization": "Bearer old-token"})])
    wire.post(
        f"{URL}/a", json={"done": 1}, match=[responses.matchers.header_matcher({"Authorization": "Bearer new-token"})]
    )
    auth = TwoTokens()
    assert make(services, auth=auth, classify=ended).post("/a", json={}).json() == {"done": 1}
    assert auth.forgotten == ["Bearer old-token"]


def test_credentials_refused_again_are_a_persons_matter(wire, services):
    wire.get(f"{URL}/a", status=401)
    with pytest.raises(AuthenticationError, match="still refused"):
        make(services, auth=TwoTokens(), classify=ended).get("/a")
    assert len(wire.calls) == 2


def test_an_address_on_another_host_is_refused(services):
    with pytest.raises(ConfigurationError, match="not on crm"):
        make(services).get("https://elsewhere.example.com/steal")
    with pytest.raises(ConfigurationError, match="not a web address"):
        Http("crm.example.com", services)


def test_a_netrc_file_never_replaces_our_credentials(wire, services, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine crm.example.com login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    wire.get(f"{URL}/a", json={})
    make(services, auth=TwoTokens()).get("/a")
    assert wire.calls[0].request.headers["Authorization"] == "Bearer old-token"


def test_a_refusal_pauses_everybody_who_shares_the_budget(wire, services, slept):
    budget = Budget(at_once=2, clock=lambda: 100.0)
    wire.post(f"{URL}/a", status=429, headers={"Retry-After": "5"})
    wire.get(f"{URL}/b", json={})
    http = make(services, budget=budget)
    with pytest.raises(RateLimited):
        http.post("/a")
    http.get("/b")
    assert slept == [5.0]


def test_debug_logging_shows_the_call_without_its_secrets(wire, services, caplog):
    wire.post(f"{URL}/a", body='{"access_token": "1000.secret.answer", "name": "华瑞"}')
    with caplog.at_level(logging.DEBUG, "hub.connect"):
        make(services, auth=TwoTokens()).post(
            "/a", data={"client_secret": "hush-hush", "grant": "x"}, params={"page": 2}
        )
    text = caplog.text
    assert "华瑞" in text and "page=2" in text
    for secret in ("old-token", "hush-hush", "1000.secret.answer"):
        assert secret not in text
