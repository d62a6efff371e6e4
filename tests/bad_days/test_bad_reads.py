"""Bad days while reading: one system fails, the others are kept in agreement, and nothing is missed afterwards.

The fault goes to each of the two products in turn; meanwhile people edit in all systems.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from bad_days.bad_company import ALWAYS, BadCompany, Said

LATER = " → the next pass goes on from here by itself; if it lasts, ask whoever runs that system"
BUSY = (
    " → the next pass goes on from here by itself; if it happens often, run passes less often or ask for a larger quota"
)
PROXY = " → check the system's address, and that no proxy answers for it"
INVALID_TOKEN = {"code": "INVALID_TOKEN", "message": "invalid oauth token", "details": {}, "status": "error"}
SLOW_DOWN = {"code": "TOO_MANY_REQUESTS", "message": "please slow down", "details": {}, "status": "error"}


@dataclass(frozen=True)
class Side:
    """One of the two products, the read that fails, and edits of a customer on this and on another side."""

    system: str
    place: str
    read: str
    other: str
    edit: dict[str, str]
    others_edit: dict[str, str]


ZOHO = Side(
    "zoho", "zoho/Accounts", "list Accounts", "kingdee", {"Website": "https://{}.example.com"},
    {"FINVOICEBANKACCOUNT": "6222{}"},
)  # fmt: skip
KINGDEE = Side(
    "kingdee", "kingdee/BD_Customer", "ExecuteBillQuery BD_Customer", "zoho", {"FINVOICEBANKACCOUNT": "6222{}"},
    {"Website": "https://{}.example.com"},
)  # fmt: skip
CANONICAL = {"Website": "website", "FINVOICEBANKACCOUNT": "bank_account"}

LASTING = {
    "500": ({"kind": "status", "status": 500, "body": "boom"}, "Unavailable",
            "the system failed with status 500: boom" + LATER),
    "502 with HTML": ({"kind": "html", "status": 502}, "Unavailable",
                      "the system failed with status 502: an HTML page (Service Unavailable)" + LATER),
    "HTML with 200": ({"kind": "html"}, "UnexpectedAnswer", "an HTML page where JSON was due (status 200)" + PROXY),
    "broken JSON": ({"kind": "garble"}, "UnexpectedAnswer", "broken JSON where JSON was due (status 200)" + PROXY),
    "cut short": ({"kind": "truncate"}, "Unavailable", "{host} did not answer completely (connection lost)" + LATER),
    "nothing": ({"kind": "empty"}, "UnexpectedAnswer",
                "an empty answer where JSON was due (status 200)" + PROXY),
    "dropped": ({"kind": "drop_before"}, "Unavailable",
                "{host} did not answer completely (connection lost)" + LATER),
    "429 and a long wait": ({"kind": "retry_after", "seconds": 300}, "RateLimited",
                            "too many requests: the system asks us to wait 300 s" + BUSY),
}  # fmt: skip


SIDES = [*((ZOHO, name) for name in LASTING), *((KINGDEE, name) for name in ("500", "HTML with 200", "broken JSON"))]


@pytest.mark.parametrize(("side", "name"), SIDES, ids=lambda value: getattr(value, "system", value))
def test_a_system_that_can_not_be_read_stops_nobody_else(company: BadCompany, side: Side, name: str) -> None:
    fault, error, message = LASTING[name]
    say = message.format(host=getattr(company, side.system)._url.split("/")[2])
    said, slept = _one_side_fails(company, side, fault)
    assert said.code == 3
    assert max(slept, default=0) <= 60, "a long wait is not sat out inside a pass"
    assert said.failures[0] == (side.system, "customer", error, f"{side.place}: {say}")
    assert said.data["message"].endswith(f"failed: {side.system}")


@pytest.mark.parametrize(
    ("side", "fault"),
    [
        (KINGDEE, {"kind": "status", "status": 500}),
        (ZOHO, {"kind": "truncate"}),
        (KINGDEE, {"kind": "drop_before"}),
        (ZOHO, {"kind": "retry_after", "seconds": 7}),
        (KINGDEE, {"kind": "retry_after", "seconds": 7}),
        (ZOHO, {"kind": "status", "status": 429, "body": SLOW_DOWN}),
    ],
    ids=["500", "truncated", "dropped", "429 with Retry-After", "429 with Retry-After, Kingdee", "429 without"],
)
def test_a_passing_moment_is_waited_out(company: BadCompany, side: Side, fault: dict[str, Any]) -> None:
    one, tag = company.tax_ids()[1], f"{side.system}{abs(hash(str(fault))) % 10**9}"
    _edit(company, side.system, one, side.edit, tag)
    company.fault(side.system, **fault, operation=side.read, next=2)
    said = company.hub("sync", "--json")
    assert (said.code, said.failures) == (0, [])
    if fault["kind"] == "retry_after":
        assert company.slept.count(7) == 2, "the system asked for seven seconds, twice"
    else:
        assert len(company.slept) == 2
        assert all(0 < pause <= 2 for pause in company.slept)


def test_a_token_that_ends_in_the_middle_of_paging_is_renewed(company: BadCompany) -> None:
    company.setting("zoho", page_size=2)
    one = company.tax_ids()[-1]
    company.edit("zoho", one, Website="https://paging.example.com")
    company.fault("zoho", kind="end_tokens", operation="list Accounts", skip=2)
    said = company.hub("sync", "--full", "--json")
    assert (said.code, said.failures) == (0, [])
    assert company.zoho.faults()[0]["hits"] == 1, "the listing had no third page"
    assert company.customer("kingdee", one)["website"] == "https://paging.example.com"


def test_a_401_that_stays_in_the_middle_of_paging_loses_no_page(company: BadCompany) -> None:
    company.setting("zoho", page_size=2)
    first, second = company.tax_ids()[:2]
    for at, one in enumerate(company.tax_ids()):
        company.edit("zoho", one, Website=f"https://page-{at}.example.com")
    company.edit("kingdee", first, FINVOICEBANKACCOUNT="6222888801")
    company.fault("zoho", kind="status", status=401, body=INVALID_TOKEN, operation="list Accounts", skip=2, next=ALWAYS)
    said = company.hub("sync", "--json")
    assert said.code == 3
    assert said.failures == [
        ("zoho", "customer", "AuthenticationError",
         "zoho/Accounts: the API does not take a token it has just been given"
         " → check that data_center (or accounts_url) is the one of this org"),
    ]  # fmt: skip
    assert company.customer("finance_db", first)["bank_account"] == "6222888801"
    company.mend()
    assert company.hub("sync", "--json").code == 0
    websites = {c: company.customer("kingdee", c)["website"] for c in (first, second)}
    assert websites == {first: "https://page-0.example.com", second: "https://page-1.example.com"}


def test_a_token_endpoint_that_refuses_is_left_alone(company: BadCompany) -> None:
    one = company.tax_ids()[0]
    company.later(7200)
    company.fault(
        "zoho", kind="status", status=400, operation="token", next=ALWAYS,
        body={"error": "Access Denied", "error_description": "You have made too many requests continuously."},
    )  # fmt: skip
    company.edit("kingdee", one, FINVOICEBANKACCOUNT="6222777701")
    company.zoho.reset_stats()
    said = company.hub("sync", "--json")
    assert said.code == 3
    assert {f[:3] for f in said.failures} == {("zoho", "customer", "RateLimited")}
    assert said.failures[0][3] == (
        "zoho: too many token requests: ten in ten minutes are allowed"
        " → let everything that uses these credentials share one cache folder"
    )
    assert company.zoho.stats()["by_operation"] == {"token": 1}, "asking again makes it worse"
    assert company.customer("finance_db", one)["bank_account"] == "6222777701"
    company.mend()
    assert company.hub("sync", "--json").code == 0
    assert company.customer("zoho", one)["bank_account"] == "6222777701"


def test_credentials_that_are_refused_are_not_hammered(company: BadCompany) -> None:
    company.later(7200)
    wrong = {"ZOHO_CLIENT_SECRET": "wrong-" + "x" * 30}
    company.edit("kingdee", company.tax_ids()[0], FINVOICEBANKACCOUNT="6222777702")
    company.zoho.reset_stats()
    for _ in range(3):
        said = company.hub("sync", "--json", env=wrong)
        assert said.code == 3
        assert said.failures[0][2] == "AuthenticationError"
        assert said.failures[0][3].find("the accounts server refuses the credentials (invalid_client_secret)") > 0
    assert company.zoho.stats()["by_operation"] == {"token": 1}
    assert company.hub("sync", "--json").code == 0, "mended credentials are tried at once"


@pytest.mark.parametrize("kind", ["session_lost", "context_null", "not_logged_in", "expire_sessions"])
def test_a_session_that_kingdee_lost_is_renewed_within_the_pass(company: BadCompany, kind: str) -> None:
    one = company.tax_ids()[2]
    company.edit("kingdee", one, FINVOICEBANKACCOUNT=f"6222{len(kind)}001")
    company.edit("zoho", one, Website=f"https://{kind.replace('_', '-')}.example.com")
    company.fault("kingdee", kind=kind, operation="ExecuteBillQuery BD_Customer")
    company.fault("kingdee", kind=kind, operation="*Save BD_Customer")
    said = company.hub("sync", "--json")
    assert (said.code, said.failures) == (0, [])
    assert [f["hits"] for f in company.kingdee.faults()] == [1, 1]
    assert company.differences() == []


def test_sessions_that_kingdee_always_loses_are_an_error_inside_http_200(company: BadCompany) -> None:
    said, _ = _one_side_fails(company, KINGDEE, {"kind": "session_lost"})
    assert said.code == 3
    assert said.failures == [
        ("kingdee", "customer", "AuthenticationError",
         "kingdee: Kingdee lost our session: 会话信息已丢失，请重新登录"
         " → check acct_id, username, app_id and app_secret, and 系统管理 → 第三方系统登录授权 in Kingdee"),
    ]  # fmt: skip


def test_a_system_that_is_down_is_named_with_its_address(company: BadCompany) -> None:
    one = company.tax_ids()[0]
    company.edit("zoho", one, Website="https://down.example.com")
    closed = "127.0.0.1:9"
    said = company.hub("sync", "--json", env={"KINGDEE_URL": f"http://{closed}/k3cloud/"})
    assert said.code == 3
    assert said.failures == [
        ("kingdee", "customer", "Unavailable",
         f"kingdee/BD_Customer: no connection to {closed} (refused) → check the address, and that the system is up"),
    ]  # fmt: skip
    assert company.customer("finance_db", one)["website"] == "https://down.example.com"
    assert company.hub("sync", "--json").code == 0
    assert company.customer("kingdee", one)["website"] == "https://down.example.com"


def test_a_database_that_is_away_is_named_and_the_apis_go_on(company: BadCompany) -> None:
    one = company.tax_ids()[0]
    company.edit("zoho", one, Website="https://away.example.com")
    database = company.folder / "finance.db"
    database.rename(company.folder / "moved.db")
    try:
        said = company.hub("sync", "--json")
    finally:
        (company.folder / "moved.db").rename(database)
    assert (said.code, said.failures) == (3, [
        ("finance_db", "customer", "ConfigurationError",
         f"finance_db: there is no SQLite file {database}"
         " → a relative path starts at the folder of hub.yaml; an absolute one is sqlite:////path/file.db"),
    ])  # fmt: skip
    assert company.customer("kingdee", one)["website"] == "https://away.example.com"
    assert company.hub("sync", "--json").code == 0


def _one_side_fails(company: BadCompany, side: Side, fault: dict[str, Any]) -> tuple[Said, list[float]]:
    """A pass during a lasting fault: what others edited reaches the others; afterwards all arrives everywhere."""
    one, tag = company.tax_ids()[0], f"{side.system}{abs(hash(str(fault))) % 10**9}"
    _edit(company, side.system, one, side.edit, tag)
    name, wanted = _edit(company, side.other, one, side.others_edit, tag)
    company.fault(side.system, **fault, operation=side.read, next=ALWAYS)
    said, slept = company.hub("sync", "--json"), company.slept.copy()
    assert company.customer("finance_db", one)[name] == wanted, "the rest of the pass did not go on"
    company.mend()
    company.later(120)
    after = company.hub("sync", "--json")
    assert (after.code, after.failures) == (0, [])
    return said, slept


def _edit(company: BadCompany, system: str, tax_id: str, values: dict[str, str], tag: str) -> tuple[str, str]:
    """Make an edit; returns what the auditor calls the field, and its new value."""
    made = {name: text.format(tag) for name, text in values.items()}
    company.edit(system, tax_id, **made)
    ((name, value),) = made.items()
    return CANONICAL[name], value
