"""JSON-RPC with and without a session, and JSON that tells its types."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import responses

from hub.connect.http import Http
from hub.connect.rpc import JsonRpc, SessionRpc
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.connect.typed_json import moment, plain, typed
from hub.errors import AuthenticationError, RecordRejected, UnexpectedAnswer

URL = "http://rpc.test"


@pytest.fixture
def server():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def services():
    return Services("erp", MemoryCache(), sleep=lambda seconds: None)


def refused(error, where):
    return RecordRejected(error["message"], where=where)


def plain_rpc():
    return JsonRpc(Http(URL, services()), refused)


def test_a_result_comes_with_its_answer(server):
    server.post(f"{URL}/rpc", json={"result": [1]}, headers={"Date": "Thu, 01 Jan 2026 00:00:00 GMT"})
    result, answer = plain_rpc().call("rpc", "sum", [1, 2], where="erp/sum")
    assert result == [1] and answer.server_time() == datetime(2026, 1, 1, tzinfo=UTC)
    assert json.loads(server.calls[0].request.body) == {"id": 1, "method": "sum", "params": [1, 2]}


def test_an_error_inside_of_a_good_answer_is_what_the_product_says(server):
    server.post(f"{URL}/rpc", json={"error": {"message": "not like this"}, "result": None})
    with pytest.raises(RecordRejected, match="not like this"):
        plain_rpc().call("rpc", "sum", [], where="erp/sum")


@pytest.mark.parametrize("body", [{"id": 1}, [], "text"])
def test_neither_result_nor_error_makes_no_sense(server, body):
    server.post(f"{URL}/rpc", json=body)
    with pytest.raises(UnexpectedAnswer, match="neither result nor error"):
        plain_rpc().call("rpc", "sum", [], where="erp/sum")


@pytest.mark.parametrize(("status", "body"), [(404, "<html>"), (401, ""), (200, "<html>"), (200, "[]")])
def test_where_nobody_speaks_it_nobody_answers(server, status, body):
    server.post(f"{URL}/rpc", body=body, status=status)
    assert plain_rpc().answered("rpc", "version", where="erp") is None


class Company:
    """Hands out sessions; ``ended`` ones are turned away."""

    def __init__(self):
        self.logins = 0
        self.ended = set()

    def log_in(self, door):
        self.logins += 1
        result, _ = door.call("login", "login", [], where="erp")
        return {"headers": {"X-Session": f"{result}{self.logins}"}, "company": 7}

    def answer(self, request):
        if request.headers.get("X-Session") in self.ended:
            return 401, {}, "<html>"
        return 200, {}, json.dumps({"result": "s" if request.url.endswith("login") else "done"})

    def rpc(self):
        return SessionRpc(URL, services(), account="a", log_in=self.log_in, seconds=600, problem=refused)


@pytest.fixture
def company(server):
    made = Company()
    for path in ("login", "rpc"):
        server.add_callback(responses.POST, f"{URL}/{path}", made.answer)
    return made


def test_a_session_is_kept_and_renewed_once_when_it_ends(server, company):
    rpc = company.rpc()
    assert rpc.session()["company"] == 7
    company.ended = {"s1"}
    assert rpc.call("rpc", "write", [], where="erp")[0] == "done"
    assert company.logins == 2
    sent = [call.request.headers.get("X-Session") for call in server.calls if call.request.url.endswith("rpc")]
    assert sent == ["s1", "s2"], "turned away at the door, and sent once more"
    company.ended = {"s2", "s3"}
    with pytest.raises(AuthenticationError, match="ended our session"):
        rpc.call("rpc", "write", [], where="erp")
    rpc.close()


def test_typed_values_are_plain_and_exact():
    told = {"total": {"__class__": "Decimal", "decimal": "12.340"}, "lines": [{"on": {
        "__class__": "date", "year": 2026, "month": 1, "day": 2}}]}  # fmt: skip
    assert plain(told) == {"total": Decimal("12.340"), "lines": [{"on": "2026-01-02"}]}
    at = datetime(2026, 1, 2, 11, 4, 5, 67, tzinfo=timezone(timedelta(hours=8)))
    assert plain(moment(at)) == "2026-01-02T03:04:05.000067Z"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("numeric", "12.30", {"__class__": "Decimal", "decimal": "12.30"}),
        ("float", "2.5", Decimal("2.5")),
        ("integer", "3", 3),
        ("date", "2026-01-02", {"__class__": "date", "year": 2026, "month": 1, "day": 2}),
        ("char", "x", "x"),
        ("numeric", "", None),
        ("many2one", None, None),
    ],
)
def test_values_go_with_their_types(kind, value, expected):
    assert typed("f", value, kind) == expected


def test_a_moment_goes_in_utc():
    sent = typed("at", "2026-01-02T08:00:00+08:00", "datetime")
    assert (sent["day"], sent["hour"], sent["__class__"]) == (2, 0, "datetime")


@pytest.mark.parametrize(
    ("kind", "value"), [("numeric", "dear"), ("integer", "x"), ("date", "02.01."), ("datetime", 5)]
)
def test_a_value_that_cannot_be_one_names_its_field(kind, value):
    with pytest.raises(RecordRejected) as caught:
        typed("price", value, kind)
    assert caught.value.field == "price"
