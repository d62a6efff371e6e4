"""The sandbox's doors: log-in calls, signatures, sessions, addresses, body shapes, answers' shapes."""

import requests
from connectors.kingdee_galaxy.galaxy_client import FORMS, LOGINS, Client

from hub.connect import registry
from hub.connect.sandbox import SandboxClock

auth = registry.find("kingdee_galaxy").module("sandbox.auth")
QUERY = {"data": {"FormId": "BD_Currency", "FieldKeys": "FNumber", "FilterString": "FNumber = 'PRE001'"}}
LOST = "会话信息已丢失，请重新登录"


def signed(galaxy, **wrong):
    """The headers of a signed query, as connector and SDK make them."""
    settings = registry.find("kingdee_galaxy").module("settings")
    sign = registry.find("kingdee_galaxy").module("auth").signature_headers
    given = {"url": galaxy.running.url, **galaxy.running.ready()["credentials"], **wrong}
    path = f"/k3cloud/{FORMS}ExecuteBillQuery.common.kdsvc"
    stamp = int(galaxy.running.app.clock.now().timestamp())
    return sign(settings.read_settings(given, "k"), path, stamp)


def ask(galaxy, headers=None):
    """One query without any cookie of its own."""
    return Client(galaxy.running).post(FORMS + "ExecuteBillQuery", QUERY, headers=headers or {})


def test_a_good_signature_gets_in_and_is_handed_a_session(galaxy):
    answer = ask(galaxy, signed(galaxy))
    assert answer.json() == [["PRE001"]]
    assert "kdservice-sessionid" in answer.cookies and "ASP.NET_SessionId" in answer.cookies
    again = ask(galaxy, {"kdservice-sessionid": answer.cookies["kdservice-sessionid"]})
    assert again.json() == [["PRE001"]] and "Set-Cookie" not in again.headers


def test_with_a_live_session_nobody_looks_at_the_signature(galaxy):
    session = ask(galaxy, signed(galaxy)).cookies["kdservice-sessionid"]
    bad = {**signed(galaxy, app_secret="wrong"), "Cookie": f"Theme=standard; kdservice-sessionid={session}"}
    assert ask(galaxy, bad).json() == [["PRE001"]]


def test_a_dead_session_is_renewed_by_a_good_signature_unnoticed(galaxy):
    headers = {**signed(galaxy), "kdservice-sessionid": "00000000-dead-4000-8000-000000000000"}
    answer = ask(galaxy, headers)
    assert answer.json() == [["PRE001"]] and answer.cookies["kdservice-sessionid"] != headers["kdservice-sessionid"]


def test_bad_credentials_are_a_lost_session_inside_http_200_with_a_worthless_cookie(galaxy):
    for wrong in ({"app_secret": "wrong"}, {"username": "nobody"}, {"app_id": "200001_x"}, {"lcid": 9999}, None):
        answer = ask(galaxy, signed(galaxy, **wrong) if wrong else None)
        status = answer.json()[0][0]["Result"]["ResponseStatus"]
        assert answer.status_code == 200 and status["MsgCode"] == 1 and status["Errors"][0]["Message"] == LOST
        dead = ask(galaxy, {"kdservice-sessionid": answer.cookies["kdservice-sessionid"]})
        assert dead.json()[0][0]["Result"]["ResponseStatus"]["MsgCode"] == 1


def test_a_wrong_data_centre_is_no_http_200(galaxy):
    answer = ask(galaxy, signed(galaxy, acct_id="5f0a1b2c3d4e5f"))
    assert answer.status_code == 500 and answer.text == "Fail to verify thirty passport"


def test_the_signature_covers_the_path(galaxy):
    headers = signed(galaxy)
    answer = Client(galaxy.running).post(FORMS + "BillQuery", QUERY, headers=headers)
    assert answer.json()["Result"]["ResponseStatus"]["MsgCode"] == 1


def test_links_grow_stale_only_where_the_authorisation_limits_them(make_galaxy):
    free, limited = make_galaxy(), make_galaxy(link_minutes=10)
    for galaxy in (free, limited):
        headers = signed(galaxy)
        galaxy.running.app.clock.advance(3600)
        text = str(ask(galaxy, headers).json())
        assert ("时间戳验证失败" in text) == (galaxy is limited)


def test_three_ways_to_log_in(galaxy):
    app = galaxy.running.app
    a, stamp = app.account, "1700000000"
    sign = auth.sign_login(a.acct_id, a.username, a.app_id, a.app_secret, stamp)
    for method, parameters in (
        ("ValidateUser", [a.acct_id, a.username, a.password, 2052]),
        ("LoginByAppSecret", [a.acct_id, a.username, a.app_id, a.app_secret, 2052]),
        ("LoginBySign", [a.acct_id, a.username, a.app_id, stamp, sign, 2052]),
    ):
        client = Client(galaxy.running)
        found = client.post(LOGINS + method, {"parameters": parameters}).json()
        assert found["LoginResultType"] == 1 and found["Context"]["DBid"] == a.acct_id
        assert found["KDSVCSessionId"] == client.http.cookies["kdservice-sessionid"]
        assert client.query("BD_Currency", "FNumber", "FNumber = 'PRE001'") == [["PRE001"]]
    named = {"acctID": a.acct_id, "username": a.username, "password": a.password, "lcid": 2052}
    assert Client(galaxy.running).post(LOGINS + "ValidateUser", named).json()["LoginResultType"] == 1


def test_a_refused_login_is_http_200_too_and_many_lock_the_user(galaxy):
    a = galaxy.running.app.account
    client = Client(galaxy.running)
    bad = [a.acct_id, a.username, a.app_id, "1700000000", "bad", 2052]
    found = client.post(LOGINS + "LoginBySign", {"parameters": bad}).json()
    assert found["LoginResultType"] != 1 and found["Context"] is None and found["MessageCode"] == "002005000003016"
    for _ in range(4):
        client.post(LOGINS + "LoginBySign", {"parameters": bad})
    good = {"parameters": [a.acct_id, a.username, a.password, 2052]}
    assert "次数超限" in client.post(LOGINS + "ValidateUser", good).json()["Message"]
    galaxy.running.app.clock.advance(31 * 60)
    assert client.post(LOGINS + "ValidateUser", good).json()["LoginResultType"] == 1


def test_a_session_idles_out_after_twenty_minutes_without_a_call(make_galaxy):
    galaxy = make_galaxy(clock=SandboxClock())
    client = Client(galaxy.running).login()
    for _ in range(3):
        galaxy.running.app.clock.advance(15 * 60)
        assert client.query("BD_Currency", "FNumber", "FNumber='PRE001'") == [["PRE001"]]
    galaxy.running.app.clock.advance(21 * 60)
    assert client.query("BD_Currency", "FNumber")[0][0]["Result"]["ResponseStatus"]["MsgCode"] == 1


def test_addresses_and_names_are_taken_in_any_case(galaxy):
    base = galaxy.running.base_url
    client = Client(galaxy.running).login()
    for path in (f"{base}/K3Cloud/", f"{base}/site/k3cloud/"):
        answer = client.post("kingdee.bos.webapi.servicesstub.DYNAMICFORMSERVICE.billquery", QUERY, path=path)
        assert answer.json() == [{"FNumber": "PRE001"}]
    assert requests.get(galaxy.running.url, timeout=5).status_code == 404


def test_arguments_come_in_four_shapes_and_as_a_form(galaxy):
    client = Client(galaxy.running).login()
    view = FORMS + "View"
    for body in (
        {"formid": "BD_Currency", "data": {"Number": "PRE001"}},
        {"FormId": "BD_Currency", "Data": '{"Number": "PRE001"}'},
        {"parameters": ["BD_Currency", '{"Number": "PRE001"}']},
        {"format": 1, "rid": "9b1d", "parameters": ["BD_Currency", {"Number": "PRE001"}], "v": "1.0"},
    ):
        assert client.post(view, body).json()["Result"]["Result"]["Number"] == "PRE001"
    form = {"formid": "BD_Currency", "data": '{"Number": "PRE001"}'}
    answer = client.http.post(f"{client.url}{view}.common.kdsvc", data=form, timeout=5)
    assert answer.json()["Result"]["Result"]["Number"] == "PRE001"


def test_what_is_not_there_is_told_as_text_in_http_200(galaxy):
    client = Client(galaxy.running).login()
    method = client.post(FORMS + "Disassemble", {})
    assert method.status_code == 200 and method.text.startswith("response_error:发生时间：\t")
    assert method.text.endswith(f"错误信息：\t{FORMS}Disassemble no found.")
    assert client.post("My.Own.Service", {}).text.endswith("My.Own no found.")


def test_data_centres_are_listed_without_a_login_as_a_bare_array(galaxy):
    service = "Kingdee.BOS.ServiceFacade.ServicesStub.Account.AccountService.GetDataCenterList"
    [centre] = Client(galaxy.running).post(service, {}).json()
    assert centre["Id"] == galaxy.running.app.account.acct_id
    assert set(centre) == {"Id", "Number", "Name", "Version", "GDCID", "AuthenticationMethods"}


def test_bad_days_of_its_own_on_order(galaxy):
    client = Client(galaxy.running).login()
    answers = {}
    for kind in ("msgcode", "response_error", "bare_array", "context_null", "not_logged_in", "session_lost"):
        galaxy.faults({"kind": kind, "code": 13, "message": "网络控制冲突"})
        answers[kind] = client.post(FORMS + "View", {"formid": "BD_Currency", "data": {"Number": "PRE001"}})
    assert answers["msgcode"].json()["Result"]["ResponseStatus"]["MsgCode"] == 13
    assert (
        answers["response_error"].text.startswith("response_error:") and "ctx == null" in answers["context_null"].text
    )
    assert answers["bare_array"].json() == [{"FieldName": None, "Message": "网络控制冲突", "DIndex": 0}]
    assert answers["not_logged_in"].status_code == 403
    assert answers["session_lost"].json()["Result"]["ResponseStatus"]["MsgCode"] == 1
    galaxy.faults({"kind": "expire_sessions"})
    assert client.query("BD_Currency", "FNumber")[0][0]["Result"]["ResponseStatus"]["MsgCode"] == 1


def test_calls_are_counted_by_operation_and_form(galaxy):
    client = Client(galaxy.running).login()
    client.query("BD_Currency", "FNumber")
    client.call("View", "BD_Currency", {"Number": "PRE001"})
    client.call("Submit", "BD_Currency", {"Numbers": ["PRE001"]})
    stats = galaxy.control.stats()
    assert stats["by_operation"] == {
        "ValidateUser": 1, "ExecuteBillQuery BD_Currency": 1, "View BD_Currency": 1, "Submit BD_Currency": 1,
    }  # fmt: skip
    assert (stats["reads"], stats["writes"]) == (2, 1)


def test_the_same_seed_gives_the_same_account_set(create_sandbox):
    one, two, other = create_sandbox(30, seed=7), create_sandbox(30, seed=7), create_sandbox(30, seed=8)
    for form in one.resources():
        shown = [[{k: v for k, v in r.items() if k != "FModifyDate"} for r in app.records(form)] for app in (one, two)]
        assert shown[0] == shown[1]
    assert one.credentials("") == two.credentials("") != other.credentials("")
    assert one.records("BD_Customer") != other.records("BD_Customer")
